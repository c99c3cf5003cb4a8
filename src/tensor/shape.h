/* Shapes, and size arithmetic that notices overflow.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TENSOR_SHAPE_H
#define GRAFT_TENSOR_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRAFT_MAX_RANK = 8 };

struct graft_shape {
    int rank;                     /* 0: a scalar */
    int64_t dim[GRAFT_MAX_RANK];  /* >= 0; entries beyond rank are 0 */
};

/* a * b, a + b; false on overflow or a negative operand. */
bool graft_mul_size(int64_t *out, int64_t a, int64_t b);
bool graft_add_size(int64_t *out, int64_t a, int64_t b);

/* Number of elements, or -1: a negative dimension or overflow. */
int64_t graft_shape_count(const struct graft_shape *s);
/* Product of dimensions first .. last-1 (no overflow check: for shapes whose
 * count was checked). */
int64_t graft_shape_span(const struct graft_shape *s, int first, int last);
bool graft_shape_equal(const struct graft_shape *a,
                       const struct graft_shape *b);

/* {rank, dims...} from an array; GRAFT_ELIMIT above GRAFT_MAX_RANK,
 * GRAFT_ESHAPE for negative dims or a count that overflows. */
int graft_shape_set(struct graft_shape *out, const int64_t *dim, int rank);

/* numpy's broadcasting of two shapes; false when they do not fit. */
bool graft_shape_broadcast(struct graft_shape *out,
                           const struct graft_shape *a,
                           const struct graft_shape *b);

/* "[2,3,224,224]" into a buffer; returns it. */
#define GRAFT_SHAPE_TEXT 200
const char *graft_shape_text(char out[GRAFT_SHAPE_TEXT],
                             const struct graft_shape *s);

/* axis in [-rank, rank) -> [0, rank); -1 when outside. */
int graft_axis(int64_t axis, int rank);

#endif
