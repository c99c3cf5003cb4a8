/* Pass 8: explicit reorder steps where a value lies otherwise than a step
 * wants to read it. What the caller sees stays ROW, except a feed that is
 * only ever read as IMAGE: it becomes an IMAGE input.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

/* A step that changes layouts, planned as the others are. */
static int new_reorder(struct graft_compiler *c, int from,
                       enum graft_layout to, struct graft_step **out)
{
    const struct graft_wvalue *v = &c->value.at[from];
    if (v->info.shape.rank < 3)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot be reordered from "
                          "%s to %s", v->name,
                          graft_layout_name(v->info.fmt.layout),
                          graft_layout_name(to));
    struct graft_step *s = graft_compiler_step(c, &graft_row_reorder, 1, 1);
    if (!s)
        return GRAFT_EMEM;
    int y = graft_compiler_value(c, v->name, &v->info);
    if (y < 0)
        return y;
    c->value.at[y].info.fmt.layout = to;
    s->in[0] = from;
    s->out[0] = y;
    s->marked = c->value.at[y].info.marked;
    s->packed = graft_arena_array(&c->arena, 1, sizeof *s->packed);
    s->plan.packed = graft_arena_array(&c->arena, 1, 1);
    if (!s->packed || !s->plan.packed)
        return GRAFT_EMEM;
    s->packed->dpack = -1;
    s->plan.forward = s->op->forward;
    s->plan.backward = s->op->backward;
    *out = s;
    return GRAFT_OK;
}

static enum graft_layout wanted_layout(const struct graft_step *s, int i)
{
    return s->plan.in_layout ? s->plan.in_layout[i] : GRAFT_ROW;
}

static bool read_as_image_only(const struct graft_compiler *c, int v)
{
    bool any = false;
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        if (s->fuse.residual == v)
            return false;
        for (int k = 0; k < s->n_in; k++)
            if (s->in[k] == v) {
                if (wanted_layout(s, k) != GRAFT_IMAGE)
                    return false;
                any = true;
            }
    }
    return any && !c->value.at[v].output && !c->value.at[v].wanted &&
           c->value.at[v].info.shape.rank >= 3;
}

static void set_layouts(struct graft_compiler *c)
{
    for (int i = 0; !c->skip && i < c->n_inputs; i++)
        if (read_as_image_only(c, c->input[i]))
            c->value.at[c->input[i]].info.fmt.layout = GRAFT_IMAGE;
}

/* Value `v` in layout `want`, reordered before step `at` unless some step
 * did that already. */
static int in_layout(struct graft_compiler *c, int v, enum graft_layout want,
                     int at, int *out)
{
    *out = v;
    if (v < 0 || c->value.at[v].info.fmt.layout == want)
        return GRAFT_OK;
    for (int i = 0; i < at; i++) {
        const struct graft_step *s = c->step.at[i];
        if (s->op == &graft_row_reorder && s->in[0] == v &&
            c->value.at[s->out[0]].info.fmt.layout == want) {
            *out = s->out[0];
            return GRAFT_OK;
        }
    }
    struct graft_step *s;
    int status = new_reorder(c, v, want, &s);
    if (!status)
        status = graft_compiler_insert(c, s, at);
    if (!status)
        *out = s->out[0];
    return status;
}

static int reorder_inputs(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        if (s->op == &graft_row_reorder)
            continue;
        int status = GRAFT_OK;
        for (int k = 0; !status && k < s->n_in; k++)
            status = in_layout(c, s->in[k], wanted_layout(s, k),
                               graft_step_index(c, s), &s->in[k]);
        if (!status && s->fuse.residual >= 0)
            status = in_layout(c, s->fuse.residual,
                               c->value.at[s->out[0]].info.fmt.layout,
                               graft_step_index(c, s), &s->fuse.residual);
        if (status)
            return status;
        i = graft_step_index(c, s);
    }
    return GRAFT_OK;
}

/* The producer of a visible value that is not ROW writes another one, which
 * a reorder turns into it. */
static int reorder_outputs(struct graft_compiler *c)
{
    for (int v = 0, n = c->value.n; v < n; v++) {
        struct graft_step *p = c->value.at[v].producer;
        enum graft_layout layout = c->value.at[v].info.fmt.layout;
        if (!p || layout == GRAFT_ROW || !(c->value.at[v].output ||
                                           c->value.at[v].wanted))
            continue;
        int inner = graft_compiler_value(c, c->value.at[v].name,
                                         &c->value.at[v].info);
        if (inner < 0)
            return inner;
        c->value.at[inner].info.fmt.layout = layout;
        c->value.at[v].info.fmt.layout = GRAFT_ROW;
        for (int k = 0; k < p->n_out; k++)
            if (p->out[k] == v)
                p->out[k] = inner;
        struct graft_step *s;
        int status = new_reorder(c, inner, GRAFT_ROW, &s);
        if (!status)
            status = graft_compiler_insert(c, s, graft_step_index(c, p) + 1);
        if (status)
            return status;
        s->out[0] = v;
    }
    return GRAFT_OK;
}

int graft_pass_layout(struct graft_compiler *c)
{
    set_layouts(c);
    int status = reorder_outputs(c);
    if (!status)
        status = reorder_inputs(c);
    graft_compiler_link(c);
    return status;
}
