/* Who shares memory: a reshaped value lies where its input does, and its
 * gradient where its input's gradient does, so that every reader of either
 * adds to the same place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

static bool float_row(const struct graft_wvalue *v)
{
    return v->info.fmt.layout == GRAFT_ROW &&
           graft_dtype_is_float((int)v->info.dtype);
}

/* The caller's gradient of one member would be mixed with the others'. */
static bool gradient_is_seen(const struct graft_compiler *c, int root, int y)
{
    for (int v = 0; v < c->value.n; v++)
        if ((v == y || graft_root(c, v) == root) &&
            (c->value.at[v].wanted || c->value.at[v].seeded))
            return true;
    return false;
}

/* A step that reads both would write two gradients into one buffer. */
static bool read_together(const struct graft_compiler *c, int root, int y)
{
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        bool reads_y = false, reads_root = false;
        for (int k = 0; k < s->n_in; k++) {
            reads_y |= s->in[k] == y;
            reads_root |= s->in[k] >= 0 && s->in[k] != y &&
                          graft_root(c, s->in[k]) == root;
        }
        if (reads_y && reads_root)
            return true;
    }
    return false;
}

static bool may_alias(const struct graft_compiler *c, int x, int y)
{
    int root = graft_root(c, x);
    const struct graft_wvalue *out = &c->value.at[y];
    const struct graft_wvalue *base = &c->value.at[root];
    if (!float_row(&c->value.at[x]) || !float_row(out))
        return false;
    if (out->output && base->feed)
        return false; /* the caller refills the feed and keeps the output */
    if (base->info.host && !base->tensor)
        return false;
    return !out->info.marked || (!gradient_is_seen(c, root, y) &&
                                 !read_together(c, root, y));
}

void graft_plan_aliases(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n && !c->no_alias; i++) {
        const struct graft_step *s = c->step.at[i];
        if (s->view && s->op == &graft_row_copy &&
            may_alias(c, s->in[0], s->out[0]))
            c->value.at[s->out[0]].alias = s->in[0];
    }
}
