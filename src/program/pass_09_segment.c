/* Pass 9: runs of steps that are walked image range by image range, so that
 * what passes between them stays in the cache. One step each so far; a step
 * that sees the whole batch, or none of it, is never cut. Times follow: all
 * steps of a segment run at the same time as far as memory is concerned.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

static bool by_image(const struct graft_compiler *c,
                     const struct graft_step *s)
{
    if (s->param || s == c->loss)
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

int graft_pass_segment(struct graft_compiler *c)
{
    int status = sort_sections(c);
    if (status)
        return status;
    for (int i = 0; i < c->step.n; i++) {
        struct graft_segment *g = graft_push(&c->segment);
        if (!g)
            return GRAFT_EMEM;
        g->first = i;
        g->n = 1;
        g->images = by_image(c, c->step.at[i]) ? c->options->segment_images
                                               : 0;
    }
    /* 0 is before the first step, end - 1 after the last. */
    int n = c->segment.n;
    c->end = 2 * n + 2;
    for (int g = 0; g < n; g++) {
        const struct graft_segment *x = &c->segment.at[g];
        for (int i = x->first; i < x->first + x->n; i++) {
            c->step.at[i]->time = g + 1;
            c->step.at[i]->back = 2 * n - g;
        }
    }
    return GRAFT_OK;
}
