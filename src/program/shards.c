/* Gradients of shards, added up in the order of the shards.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

enum { RANGE = 16384 }; /* elements of a task */

struct sum {
    real *to;
    const real *more;
    int64_t n;
};

static void add_range(void *ctx, int64_t i, int worker)
{
    const struct sum *s = ctx;
    int64_t end = (i + 1) * RANGE < s->n ? (i + 1) * RANGE : s->n;
    (void)worker;
    for (int64_t k = i * RANGE; k < end; k++)
        s->to[k] += s->more[k];
}

void graft_program_accumulate(struct graft_program *p, real *flat, real *part,
                              bool first, bool last)
{
    const struct graft_selection *t = p->c.options->train;
    (void)last; /* the sum is whole after each shard */
    if (!t)
        return;
    graft_program_backward(p);
    graft_program_finish(p, first ? flat : part);
    struct sum s = {flat, part, t->size};
    if (!first)
        graft_pool_for(p->rt->pool, (t->size + RANGE - 1) / RANGE, add_range,
                       &s);
}
