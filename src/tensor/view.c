/* Reading elements of any type at any alignment.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tensor/view.h"

#include <string.h>

#include "tensor/half.h"

static float bfloat_to_float(uint16_t b)
{
    uint32_t bits = (uint32_t)b << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Loops over elements of `type` at any alignment; x is the element. */
#define EACH(type, expression)                                              \
    for (int64_t i = 0; i < n; i++) {                                       \
        type x;                                                             \
        memcpy(&x, p + i * (int64_t)sizeof x, sizeof x);                    \
        dst[i] = (expression);                                              \
    }                                                                       \
    break

void graft_view_read(const struct graft_view *v, int64_t first, int64_t n,
                     real *dst)
{
    const uint8_t *p = (const uint8_t *)v->data +
                       first * (int64_t)graft_dtype_size((int)v->fmt.dtype);
    if (v->fmt.dtype == GRAFT_REAL) {
        memcpy(dst, p, (size_t)n * sizeof *dst);
        return;
    }
    switch ((int)v->fmt.dtype) {
    case GRAFT_FLOAT: EACH(float, (real)x);
    case GRAFT_DOUBLE: EACH(double, (real)x);
    case GRAFT_FLOAT16: EACH(uint16_t, (real)graft_half_to_float(x));
    case GRAFT_BFLOAT16: EACH(uint16_t, (real)bfloat_to_float(x));
    default: memset(dst, 0, (size_t)n * sizeof *dst); /* compile refuses */
    }
}

void graft_view_read_ints(const struct graft_view *v, int64_t first,
                          int64_t n, int64_t *dst)
{
    const uint8_t *p = (const uint8_t *)v->data +
                       first * (int64_t)graft_dtype_size((int)v->fmt.dtype);
    switch ((int)v->fmt.dtype) {
    case GRAFT_INT64: memcpy(dst, p, (size_t)n * sizeof *dst); break;
    case GRAFT_UINT64: EACH(uint64_t, (int64_t)x);
    case GRAFT_INT32: EACH(int32_t, (int64_t)x);
    case GRAFT_UINT32: EACH(uint32_t, (int64_t)x);
    case GRAFT_INT16: EACH(int16_t, (int64_t)x);
    case GRAFT_UINT16: EACH(uint16_t, (int64_t)x);
    case GRAFT_INT8: EACH(int8_t, (int64_t)x);
    case GRAFT_UINT8: EACH(uint8_t, (int64_t)x);
    case GRAFT_BOOL: EACH(uint8_t, (int64_t)(x != 0));
    default: memset(dst, 0, (size_t)n * sizeof *dst); /* compile refuses */
    }
}

int64_t graft_format_channels(const struct graft_format *f,
                              const struct graft_shape *s)
{
    int64_t c = s->rank > 1 ? s->dim[1] : 1;
    return f->layout == GRAFT_C16 ? (c + 15) / 16 * 16 : c;
}

int64_t graft_image_step(const struct graft_view *v)
{
    if (v->fmt.batch_stride)
        return v->fmt.batch_stride;
    return v->shape.rank < 2
               ? 1
               : graft_format_channels(&v->fmt, &v->shape) *
                     graft_shape_span(&v->shape, 2, v->shape.rank);
}

int64_t graft_format_bytes(const struct graft_format *f,
                           const struct graft_shape *s)
{
    struct graft_shape padded = *s;
    if (s->rank > 1)
        padded.dim[1] = graft_format_channels(f, s);
    int64_t n = graft_shape_count(&padded), bytes;
    if (n < 0 ||
        !graft_mul_size(&bytes, n, (int64_t)graft_dtype_size((int)f->dtype)))
        return -1;
    return bytes;
}
