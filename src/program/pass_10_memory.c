/* Pass 10: how long everything lives, over forward and backward steps, and
 * where in one block it lies. Backward reads only what rows say they save.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

static bool bit(uint32_t mask, int i)
{
    return mask >> (i < 31 ? i : 31) & 1;
}

static bool is_nothing(const struct graft_compiler *c,
                       const struct graft_step *s)
{
    return s->view && c->value.at[s->out[0]].alias >= 0;
}

static void use(struct graft_compiler *c, int v, int time)
{
    int b = v < 0 ? -1 : c->value.at[graft_root(c, v)].buffer;
    if (b >= 0)
        graft_buffer_use(&c->buffer.at[b], time);
}

/* Buffers of feeds and of what steps compute. */
static int make_buffers(struct graft_compiler *c)
{
    for (int i = 0; i < c->value.n; i++) {
        struct graft_wvalue *v = &c->value.at[i];
        bool own = (v->feed && v->info.present) ||
                   (v->producer && v->alias < 0 && v->selected < 0);
        if (!own || graft_root(c, i) != i)
            continue;
        int time = v->feed || v->producer->param ? 0 : v->producer->time;
        int64_t bytes = graft_value_bytes(v);
        v->buffer = graft_compiler_buffer(
            c, v->name, v->local ? bytes / c->n_max : bytes, time, time);
        if (v->buffer < 0)
            return v->buffer;
        c->buffer.at[v->buffer].local = v->local;
    }
    return GRAFT_OK;
}

/* Workers are at different steps of a deep segment: what they share lives
 * from its first to its last. */
static void use_in(struct graft_compiler *c, int v, int at)
{
    const struct graft_segment *g = graft_segment_of(c, at);
    const struct graft_wvalue *x = v < 0 ? NULL
                                         : &c->value.at[graft_root(c, v)];
    use(c, v, c->step.at[at]->time);
    if (!x || !g->deep || x->local)
        return;
    use(c, v, c->step.at[g->first]->time);
    use(c, v, c->step.at[g->first + g->n - 1]->time);
}

/* Will the row's own backward run, not only its epilogue be undone? */
static bool runs_back(const struct graft_compiler *c,
                      const struct graft_step *s)
{
    for (int k = 0; s->marked && k < s->n_in; k++)
        if (s->in[k] >= 0 && c->value.at[s->in[k]].info.marked)
            return true;
    return false;
}

/* The caller sees feeds and outputs at any time; values of section 1 stay
 * from one run to the next. */
static void use_outside(struct graft_compiler *c)
{
    for (int v = 0; v < c->value.n; v++) {
        const struct graft_wvalue *x = &c->value.at[v];
        if (graft_visible(x) || (x->producer && x->producer->param))
            use(c, v, c->end - 1);
    }
}

static void use_steps(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        if (is_nothing(c, s))
            continue;
        bool undo = s->marked && s->fuse.act.kind != GRAFT_ACT_NONE;
        bool back = runs_back(c, s);
        for (int k = 0; k < s->n_in; k++) {
            use_in(c, s->in[k], i);
            if (back && bit(s->op->saves_in, k))
                use(c, s->in[k], s->back);
        }
        use_in(c, s->fuse.residual, i);
        for (int k = 0; k < s->n_out; k++) {
            use_in(c, s->out[k], i);
            if ((back && bit(s->op->saves_out, k)) || (undo && k == 0))
                use(c, s->out[k], s->back);
        }
    }
}

/* Could s's output lie where its input 0 does? */
static bool in_place(const struct graft_compiler *c,
                     const struct graft_step *s)
{
    if (!(s->op->flags & GRAFT_OP_INPLACE) || s->param || s->n_in < 1 ||
        s->in[0] < 0 || s->out[0] < 0)
        return false;
    if (c->value.at[s->in[0]].info.fmt.batch_stride ||
        c->value.at[s->out[0]].info.fmt.batch_stride)
        return false; /* a part */
    int x = graft_root(c, s->in[0]), y = graft_root(c, s->out[0]);
    const struct graft_wvalue *vx = &c->value.at[x], *vy = &c->value.at[y];
    if (vx->buffer < 0 || vy->buffer < 0 || vx->buffer == vy->buffer ||
        vx->feed || vx->local != vy->local ||
        vx->info.per_image != vy->info.per_image ||
        c->value.at[s->in[0]].info.fmt.layout !=
            c->value.at[s->out[0]].info.fmt.layout ||
        c->buffer.at[vx->buffer].bytes != c->buffer.at[vy->buffer].bytes ||
        c->buffer.at[vx->buffer].last != s->time ||
        c->buffer.at[vy->buffer].first != s->time)
        return false;
    for (int k = 1; k < s->n_in; k++)
        if (s->in[k] >= 0 &&
            c->value.at[graft_root(c, s->in[k])].buffer == vx->buffer)
            return false;
    return s->fuse.residual < 0 ||
           c->value.at[graft_root(c, s->fuse.residual)].buffer != vx->buffer;
}

/* Time goes forward, so a chain of steps ends in one buffer. */
static void share_in_place(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        if (is_nothing(c, s) || !in_place(c, s))
            continue;
        int keep = c->value.at[graft_root(c, s->in[0])].buffer;
        int gone = c->value.at[graft_root(c, s->out[0])].buffer;
        graft_buffer_use(&c->buffer.at[keep], c->buffer.at[gone].last);
        for (int v = 0; v < c->value.n; v++)
            if (c->value.at[v].buffer == gone)
                c->value.at[v].buffer = keep;
        c->buffer.at[gone].bytes = 0;
    }
}

static int keep_saved(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        if (!s->marked || !s->plan.saved)
            continue;
        s->saved = graft_compiler_buffer(c, s->name, (int64_t)s->plan.saved,
                                         s->param ? 0 : s->time,
                                         s->param ? c->end - 1 : s->back);
        if (s->saved < 0)
            return s->saved;
    }
    return GRAFT_OK;
}

int graft_pass_memory(struct graft_compiler *c)
{
    int status = make_buffers(c);
    if (status)
        return status;
    use_outside(c);
    use_steps(c);
    share_in_place(c);
    status = keep_saved(c);
    if (!status)
        status = graft_plan_gradients(c);
    return status ? status : graft_arrange(c);
}
