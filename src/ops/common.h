/* What rows of several families share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_COMMON_H
#define GRAFT_OPS_COMMON_H

#include "graph/op.h"
#include "kernels/kernels.h"

static inline bool graft_has_input(const struct graft_infer *f, int i)
{
    return i < f->n_in && f->in[i].present;
}

/* Values of reals, not of integers (GRAFT_ESHAPE, or 0). */
int graft_infer_real(const struct graft_infer *f, int i);

/* axis in [-rank, rank) -> [0, rank), or a failure naming both. */
int graft_infer_axis(const struct graft_infer *f, int64_t axis, int rank,
                     int *out);

/* Sets out[k] like graft_infer_like, the batch facts from all inputs:
 * `apart` says that the row keeps images apart as long as they lie along dim
 * 0 of every input that depends on the batch; inputs that do not depend on it
 * must not have a dim 0 of their own (n_max 1 excepted). */
int graft_infer_apart(struct graft_infer *f, int k,
                      const struct graft_shape *shape, bool apart);

/* Marks axes (each in [-rank, rank), none twice) in `set` by bits. */
int graft_infer_axes(const struct graft_infer *f, const int64_t *axes, int n,
                     int rank, uint32_t *set);

/* Elements that a pointwise row works on: the padded lanes of C16 too. */
int64_t graft_physical_count(const struct graft_view *v);
/* Zeroes the padded lanes of C16. */
void graft_mask_lanes(const struct graft_view *v);

/* Elements first .. first+n-1, in tasks of fixed size. */
typedef void graft_block_fn(const void *ctx, int64_t first, int64_t n);
void graft_each_block(struct graft_pool *pool, int64_t n,
                      graft_block_fn *fn, const void *ctx);

/* dst = src, or dst += src: gradients of rows that only rename elements. */
void graft_copy_gradient(const struct graft_call *c, real *dst,
                         const real *src, int64_t n, uint8_t dmode);
/* out[0] has the bytes of in[0]: forward and backward of VIEW rows. */
void graft_same_forward(const struct graft_call *c);
void graft_same_backward(const struct graft_call *c);

/* Rows whose output is known while compiling keep it in args; forward copies
 * it. */
struct graft_known {
    struct graft_host *value;
};
/* A host value of this type and shape with room for its elements. */
int graft_known_new(struct graft_host **out, struct graft_arena *arena,
                    int dtype, const struct graft_shape *shape);
int graft_known_set(struct graft_infer *f, struct graft_host *h);
void graft_known_forward(const struct graft_call *c);

#endif
