/* Rows over C16.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/blocked.h"

#include "base/pool.h"

bool graft_plan_is_blocked(const struct graft_plan *p, int i)
{
    return p->blocked && i < p->n_in && p->in[i].present &&
           p->in[i].fmt.layout == GRAFT_C16;
}

int graft_plan_follow(struct graft_plan *p)
{
    if (!graft_plan_is_blocked(p, 0))
        return GRAFT_OK;
    p->in_layout[0] = GRAFT_C16;
    for (int k = 0; k < p->n_out; k++)
        p->out_layout[k] = GRAFT_C16;
    return GRAFT_OK;
}

enum { TASK = 16384 }; /* elements of a task */

struct walk {
    graft_lane_fn *fn;
    const void *ctx;
    int64_t blocks, all, at_once;
};

static void walk_task(void *ctx, int64_t task, int worker)
{
    const struct walk *w = ctx;
    int64_t end = (task + 1) * w->at_once;
    (void)worker;
    for (int64_t i = task * w->at_once; i < end && i < w->all; i++)
        w->fn(w->ctx, i / w->blocks, i % w->blocks);
}

void graft_each_lane_block(struct graft_pool *pool,
                           const struct graft_view *v, graft_lane_fn *fn,
                           const void *ctx)
{
    int64_t blocks = graft_blocks_of(v);
    struct walk w = {fn, ctx, blocks, v->shape.dim[0] * blocks,
                     TASK / (graft_area_of(v) * 16 + 1) + 1};
    graft_pool_for(pool, (w.all + w.at_once - 1) / w.at_once, walk_task, &w);
}

void graft_clear_lanes(const struct graft_view *v, int64_t i, int64_t b)
{
    int64_t used = v->shape.dim[1] - 16 * b, area = graft_area_of(v);
    real *at = graft_block_at(v, i, b);
    for (int64_t p = 0; used < 16 && p < area; p++)
        for (int64_t l = used; l < 16; l++)
            at[p * 16 + l] = 0;
}
