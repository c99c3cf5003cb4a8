/* Values in C16 that lie inside another one: what Concat joins at whole
 * blocks of channels is written there at once, and what Split cuts at whole
 * blocks is read where it is. A part has its whole as alias, begins at
 * fmt.first_block, and its images are as far apart as the whole's. Only
 * between steps that honour such steps (GRAFT_OP_STRIDED), and where no
 * gradient flows.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "program/compiler.h"

enum { BLOCK = 16 };

static int64_t channels_of(const struct graft_compiler *c, int v)
{
    return c->value.at[v].info.shape.dim[1];
}

static bool is_strided(const struct graft_step *s)
{
    return s->op->flags & GRAFT_OP_STRIDED;
}

static bool is_aliased(const struct graft_compiler *c, int v)
{
    for (int i = 0; i < c->value.n; i++)
        if (c->value.at[i].alias == v)
            return true;
    return c->value.at[v].alias >= 0;
}

/* All steps that read v, also to add it, take its images as they come. */
static bool read_strided(const struct graft_compiler *c, int v)
{
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        bool reads = s->fuse.residual == v;
        for (int k = 0; k < s->n_in; k++)
            reads |= s->in[k] == v;
        if (reads && !is_strided(s))
            return false;
    }
    return true;
}

static bool is_blocked(const struct graft_compiler *c, int v)
{
    const struct graft_wvalue *x = v < 0 ? NULL : &c->value.at[v];
    return x && x->info.fmt.layout == GRAFT_C16 && x->info.per_image == 1 &&
           !x->info.marked;
}

/* May v lie in a value of somebody else's? */
static bool is_free(const struct graft_compiler *c, int v)
{
    const struct graft_wvalue *x = &c->value.at[v];
    return is_blocked(c, v) && !graft_visible(x) && x->producer &&
           !x->producer->param && !x->producer->marked &&
           is_strided(x->producer) && read_strided(c, v);
}

/* v becomes the blocks from `first` on of `whole`, or of what that lies in. */
static void put(struct graft_compiler *c, int v, int whole, int64_t first)
{
    const struct graft_vinfo *w = &c->value.at[whole].info;
    struct graft_wvalue *x = &c->value.at[v];
    struct graft_view view = {.shape = w->shape, .fmt = w->fmt};
    x->alias = c->value.at[whole].alias >= 0 ? c->value.at[whole].alias
                                             : whole;
    x->info.fmt.first_block = w->fmt.first_block + (int)first;
    x->info.fmt.batch_stride = graft_image_step(&view);
}

/* Value at[i] begins at `first` and at a block; only the last may end inside
 * one, since its unused lanes are the whole's. */
static bool is_aligned(const struct graft_compiler *c, const int *at, int n,
                       int i, int64_t first)
{
    return first % BLOCK == 0 &&
           (i == n - 1 || channels_of(c, at[i]) % BLOCK == 0);
}

/* Do the values lie side by side in one already? */
static bool lie_together(const struct graft_compiler *c, const int *at, int n)
{
    int64_t first = 0;
    for (int i = 0; i < n; i++) {
        const struct graft_wvalue *x = &c->value.at[at[i]];
        const struct graft_wvalue *head = &c->value.at[at[0]];
        if (x->alias < 0 || x->alias != head->alias ||
            x->info.fmt.layout != GRAFT_C16 ||
            x->info.fmt.first_block !=
                head->info.fmt.first_block + first / BLOCK ||
            !is_aligned(c, at, n, i, first))
            return false;
        first += channels_of(c, at[i]);
    }
    return true;
}

static void place_inputs(struct graft_compiler *c, const struct graft_step *s)
{
    int whole = s->out[0];
    int64_t first = 0;
    if (is_free(c, whole) && !is_aliased(c, whole) &&
        lie_together(c, s->in, s->n_in)) {
        put(c, whole, s->in[0], 0);
        return;
    }
    for (int i = 0; i < s->n_in; i++) {
        if (is_free(c, s->in[i]) && !is_aliased(c, s->in[i]) &&
            is_aligned(c, s->in, s->n_in, i, first))
            put(c, s->in[i], whole, first / BLOCK);
        first += channels_of(c, s->in[i]);
    }
}

static void place_outputs(struct graft_compiler *c,
                          const struct graft_step *s)
{
    int64_t first = 0;
    if (c->value.at[s->in[0]].feed)
        return; /* the caller may change it */
    for (int k = 0; k < s->n_out; k++) {
        if (is_free(c, s->out[k]) && !is_aliased(c, s->out[k]) &&
            is_aligned(c, s->out, s->n_out, k, first))
            put(c, s->out[k], s->in[0], first / BLOCK);
        first += channels_of(c, s->out[k]);
    }
}

/* Along the channels, all values in C16, none of them left out? */
static bool is_along_channels(const struct graft_compiler *c, const int *at,
                              int n, int whole)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++) {
        if (!is_blocked(c, at[i]))
            return false;
        sum += channels_of(c, at[i]);
    }
    return is_blocked(c, whole) && sum == channels_of(c, whole);
}

/* Later concatenations first: in a dense block the last one holds the parts
 * of all others, which then are parts of it themselves. */
void graft_plan_parts(struct graft_compiler *c)
{
    if (c->no_alias)
        return;
    for (int i = c->step.n - 1; i >= 0; i--) {
        const struct graft_step *s = c->step.at[i];
        if (!s->marked && !s->param && !strcmp(s->op->name, "Concat") &&
            is_along_channels(c, s->in, s->n_in, s->out[0]))
            place_inputs(c, s);
    }
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        if (!s->marked && !s->param && !strcmp(s->op->name, "Split") &&
            is_along_channels(c, s->out, s->n_out, s->in[0]))
            place_outputs(c, s);
    }
}
