/* Pass 9: runs of steps that are walked image by image, so that what passes
 * between them stays in the cache and needs room for one image per worker
 * only: deep segments. A step that sees the whole batch, or none of it, is
 * never cut; one whose weights outweigh what it reads and writes is better
 * off with all images at once. Times follow.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

static bool by_image(const struct graft_compiler *c,
                     const struct graft_step *s)
{
    if (s->param || s == c->loss || s->op->flags & GRAFT_OP_TOGETHER)
        return false;
    for (int k = 0; k < s->n_out; k++)
        if (s->out[k] >= 0 && !c->value.at[s->out[k]].info.per_image)
            return false;
    for (int i = 0; i < s->n_in; i++)
        if (s->in[i] >= 0 && c->value.at[s->in[i]].info.whole_batch)
            return false;
    return true;
}

/* Section 1 first: it is run before the others. */
static int sort_sections(struct graft_compiler *c)
{
    size_t n = (size_t)c->step.n;
    struct graft_step **all = graft_arena_array(&c->arena, n + 1,
                                                sizeof *all);
    int at = 0;
    if (!all)
        return GRAFT_EMEM;
    for (int part = 1; part >= 0; part--)
        for (int i = 0; i < c->step.n; i++)
            if (c->step.at[i]->param == (part == 1))
                all[at++] = c->step.at[i];
    for (int i = 0; i < at; i++)
        c->step.at[i] = all[i];
    return GRAFT_OK;
}

/* ---- deep segments ------------------------------------------------------ */

enum {
    SMALL = 256 * 1024,   /* bytes of weights that no image minds reading */
    SCRATCH = 512 * 1024  /* bytes a call may share among its tasks */
};

static int64_t image_bytes(const struct graft_compiler *c, int v)
{
    const struct graft_wvalue *x = v < 0 ? NULL : &c->value.at[v];
    return !x || !x->info.per_image || graft_is_constant(x)
               ? 0
               : graft_value_bytes(x) / c->n_max;
}

static bool goes_deep(const struct graft_compiler *c,
                      const struct graft_step *s)
{
    int64_t weights = 0, moved = 0;
    if (s->marked || !by_image(c, s) || s->plan.scratch > SCRATCH)
        return false;
    for (int k = 0; k < s->n_out; k++) {
        if (s->out[k] >= 0 && c->value.at[s->out[k]].info.per_image != 1)
            return false;
        moved += image_bytes(c, s->out[k]);
    }
    for (int i = 0; i < s->n_in; i++) {
        const struct graft_wvalue *x =
            s->in[i] < 0 ? NULL : &c->value.at[s->in[i]];
        if (x && !graft_is_constant(x) && x->info.per_image != 1)
            return false;
        moved += image_bytes(c, s->in[i]);
        if (x && s->packed[i].request)
            weights += (int64_t)s->packed[i].request->bytes;
    }
    return weights <= SMALL || weights <= moved;
}

/* Steps from `first` on that go deep together. */
static int deep_run(const struct graft_compiler *c, int first)
{
    int n = 0;
    while (first + n < c->step.n && goes_deep(c, c->step.at[first + n]))
        n++;
    return n;
}

/* Does a step outside first .. first+n-1 read or write v's memory? */
static bool is_used_outside(const struct graft_compiler *c, int v, int first,
                            int n)
{
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        if (i >= first && i < first + n)
            continue;
        if (s->fuse.residual >= 0 && graft_root(c, s->fuse.residual) == v)
            return true;
        for (int k = 0; k < s->n_in; k++)
            if (s->in[k] >= 0 && graft_root(c, s->in[k]) == v)
                return true;
        for (int k = 0; k < s->n_out; k++)
            if (s->out[k] >= 0 && graft_root(c, s->out[k]) == v)
                return true;
    }
    return false;
}

static bool is_seen(const struct graft_compiler *c, int root)
{
    for (int v = 0; v < c->value.n; v++)
        if (graft_root(c, v) == root && graft_visible(&c->value.at[v]))
            return true;
    return false;
}

/* What only the segment's own steps see lies in the workers' parts. */
static void find_local(struct graft_compiler *c,
                       const struct graft_segment *g)
{
    for (int i = g->first; i < g->first + g->n; i++)
        for (int k = 0; k < c->step.at[i]->n_out; k++) {
            int v = c->step.at[i]->out[k];
            if (v < 0 || graft_root(c, v) != v || is_seen(c, v))
                continue;
            c->value.at[v].local = !is_used_outside(c, v, g->first, g->n);
        }
}

static int add_segment(struct graft_compiler *c, int first, int n)
{
    struct graft_segment *g = graft_push(&c->segment);
    if (!g)
        return GRAFT_EMEM;
    *g = (struct graft_segment){.first = first, .n = n, .deep = n > 1};
    if (!g->deep && by_image(c, c->step.at[first]))
        g->images = c->options->segment_images;
    if (g->deep)
        find_local(c, g);
    return GRAFT_OK;
}

const struct graft_segment *graft_segment_of(const struct graft_compiler *c,
                                             int at)
{
    int g = 0;
    while (c->segment.at[g].first + c->segment.at[g].n <= at)
        g++;
    return &c->segment.at[g];
}

int graft_pass_segment(struct graft_compiler *c)
{
    int status = sort_sections(c);
    if (status)
        return status;
    graft_plan_aliases(c);
    graft_plan_parts(c);
    bool deep = c->n_max > 1 && !c->skip && !c->options->segment_images;
    for (int i = 0; i < c->step.n;) {
        int n = deep ? deep_run(c, i) : 1;
        n = n > 1 ? n : 1;
        status = add_segment(c, i, n);
        if (status)
            return status;
        i += n;
    }
    /* 0 is before the first step, end - 1 after the last. */
    int n = c->step.n;
    c->end = 2 * n + 2;
    for (int i = 0; i < n; i++) {
        c->step.at[i]->time = i + 1;
        c->step.at[i]->back = 2 * n - i;
    }
    return GRAFT_OK;
}
