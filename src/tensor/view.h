/* A view: where a value's elements are and how they lie there.
 *
 * A value has a logical ONNX shape (N, C, H, W, ...) and a physical format.
 * Kernels and operators receive views; the memory behind belongs to the
 * program, the parameter store or the model's file.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TENSOR_VIEW_H
#define GRAFT_TENSOR_VIEW_H

#include "tensor/dtype.h"
#include "tensor/real.h"
#include "tensor/shape.h"

/* ROW    row-major, as ONNX has it
 * C16    N, C/16, H, W, 16; the last block's unused lanes are zero
 * IMAGE  N, H, W, C interleaved, for images of few channels (stems) */
#define GRAFT_LAYOUT_LIST(X)                                                \
    X(GRAFT_ROW, "row")                                                     \
    X(GRAFT_C16, "c16")                                                     \
    X(GRAFT_IMAGE, "image")
#define GRAFT_LAYOUT_ENUM(code, name) code,
enum graft_layout { GRAFT_LAYOUT_LIST(GRAFT_LAYOUT_ENUM) GRAFT_LAYOUT_COUNT };
#undef GRAFT_LAYOUT_ENUM
const char *graft_layout_name(enum graft_layout l);

enum graft_place { GRAFT_ON_HOST }; /* later: devices */

struct graft_format {
    enum graft_dtype dtype;
    enum graft_layout layout;
    enum graft_place place;
    int64_t batch_stride; /* elements from one image to the next; 0: dense */
    int first_block;      /* C16 views: first channel block inside the parent */
};

struct graft_view {
    void *data;                /* NULL: an optional input that is absent */
    struct graft_shape shape;  /* of this run: dim[0] follows the batch */
    struct graft_format fmt;
};

/* The elements of a view known to hold `real`. */
static inline real *graft_reals(const struct graft_view *v)
{
    return (real *)v->data;
}
static inline int64_t *graft_ints(const struct graft_view *v)
{
    return (int64_t *)v->data;
}
static inline int64_t graft_count(const struct graft_view *v)
{
    return graft_shape_span(&v->shape, 0, v->shape.rank);
}

/* Elements first .. first+n-1 of a dense ROW view of any float dtype, at any
 * byte alignment (a file's bytes), converted to real. FLOAT16 and BFLOAT16
 * convert exactly, DOUBLE rounds to nearest. */
void graft_view_read(const struct graft_view *v, int64_t first, int64_t n,
                     real *dst);
/* The same for integer and bool dtypes, to int64. */
void graft_view_read_ints(const struct graft_view *v, int64_t first,
                          int64_t n, int64_t *dst);

/* Bytes that elements of this shape and format occupy, dense; C16 counts the
 * padded channels. -1 on overflow. */
int64_t graft_format_bytes(const struct graft_format *f,
                           const struct graft_shape *s);

/* Channels as they lie in memory: C16 has whole blocks of 16. */
int64_t graft_format_channels(const struct graft_format *f,
                              const struct graft_shape *s);
/* Elements from one slice of dim 0 to the next. */
int64_t graft_image_step(const struct graft_view *v);

#endif
