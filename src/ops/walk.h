/* Walking over arrays of equal index space: broadcasting, copies between
 * different orders, sums over dimensions.
 *
 * A walk is a row-major space of indices and, for each array, its stride (in
 * elements) along each dimension: 0 where it is broadcast, negative where it
 * is read backwards. Dimensions that all arrays cross in one step are merged,
 * so the last one, the run, is as long as it can be.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_WALK_H
#define GRAFT_OPS_WALK_H

#include "base/pool.h"
#include "kernels/kernels.h"
#include "tensor/view.h"

enum { GRAFT_WALK_ARRAYS = 4 };
struct graft_walk {
    int rank;                    /* >= 1 after graft_walk_merge */
    int64_t dim[GRAFT_MAX_RANK];
    int arrays;
    int64_t stride[GRAFT_WALK_ARRAYS][GRAFT_MAX_RANK];
};

void graft_walk_init(struct graft_walk *w, const struct graft_shape *space);
/* Adds an array with these strides (space's rank of them). */
void graft_walk_add(struct graft_walk *w, const int64_t *stride);
/* Adds a dense array of shape `s`, broadcast to the space. */
void graft_walk_add_broadcast(struct graft_walk *w,
                              const struct graft_shape *s);
void graft_walk_merge(struct graft_walk *w);
/* Row-major strides of a dense array. */
void graft_dense_strides(int64_t *stride, const struct graft_shape *s);

/* n elements along the last dimension, the first one at flat index `at` of
 * the space and at offset[k] of array k. */
typedef void graft_run_fn(const void *ctx, int64_t n, int64_t at,
                          const int64_t *offset);
/* All of a merged walk, in tasks of fixed size. */
void graft_walk_each(const struct graft_walk *w, struct graft_pool *pool,
                     graft_run_fn *fn, const void *ctx);

/* dst (array 0) = src (array 1), elements of `size` 4 or 8 bytes. */
struct graft_move {
    struct graft_walk walk;
    size_t size;
    void *dst;
    const void *src;
    bool add; /* dst += src, of reals */
};
void graft_move_run(const struct graft_move *m, struct graft_pool *pool);

/* target (array 0 of the walk; a stride of 0 means: summed over) = factor
 * times the sum of terms; with `add` it is added to the target. Sums run in
 * a fixed order. */
enum { GRAFT_FOLD_ROOM = 1024 };
struct graft_fold {
    struct graft_walk walk;
    /* n <= GRAFT_FOLD_ROOM terms along the run: in `room`, or elsewhere. */
    const real *(*terms)(const struct graft_fold *f, int64_t n, int64_t at,
                         const int64_t *offset, real *room);
    const void *ctx; /* for terms */
    real *target;
    double factor;
    bool add;
    const struct graft_kernels *k;
};
void graft_fold_run(const struct graft_fold *f, struct graft_pool *pool);

#endif
