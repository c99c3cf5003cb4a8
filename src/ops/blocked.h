/* Rows over C16: following the layout of what they read, and walking the
 * blocks of 16 channels.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_BLOCKED_H
#define GRAFT_OPS_BLOCKED_H

#include "graph/op.h"
#include "kernels/kernels.h"

/* Does input i lie in C16, and may the row use that? */
bool graft_plan_is_blocked(const struct graft_plan *p, int i);
/* Where input 0 lies in C16, it is read so and all outputs lie so too. A
 * `plan` by itself: pointwise rows need nothing else. */
int graft_plan_follow(struct graft_plan *p);

static inline bool graft_is_c16(const struct graft_view *v)
{
    return v->fmt.layout == GRAFT_C16;
}

static inline int64_t graft_blocks_of(const struct graft_view *v)
{
    return (v->shape.dim[1] + 15) / 16;
}

static inline int64_t graft_area_of(const struct graft_view *v)
{
    return graft_shape_span(&v->shape, 2, v->shape.rank);
}

/* Block b of image i: [area][16]. */
static inline real *graft_block_at(const struct graft_view *v, int64_t i,
                                   int64_t b)
{
    return graft_reals(v) + i * graft_image_step(v) +
           b * graft_area_of(v) * 16;
}

/* Calls fn for each block of each image of v, in parallel. */
typedef void graft_lane_fn(const void *ctx, int64_t image, int64_t block);
void graft_each_lane_block(struct graft_pool *pool,
                           const struct graft_view *v, graft_lane_fn *fn,
                           const void *ctx);

/* db[c] (+)= sum of dy over images and positions, c: dim 1 for rank >= 3, the
 * last dim else; in double, dy in any layout. */
void graft_sum_channels(real *db, const struct graft_view *dy, bool add,
                        const struct graft_kernels *k,
                        struct graft_pool *pool);

/* Zeroes the unused lanes of block b of image i, if it has any. */
void graft_clear_lanes(const struct graft_view *v, int64_t i, int64_t b);

#endif
