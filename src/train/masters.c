/* Trained parameters in the types of a file (masters.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/masters.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "graph/edit.h"
#include "tensor/half.h"

static uint16_t bfloat16_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Element i of `to`, an array of that type, from a finite x. */
static void put(void *to, int64_t i, int dtype, real x)
{
    float f = (float)x;
    double d = (double)x;
    uint16_t h = dtype == GRAFT_FLOAT16 ? graft_half_of_float(f)
                                        : bfloat16_of(f);
    const void *from = dtype == GRAFT_FLOAT ? (const void *)&f
                       : dtype == GRAFT_DOUBLE ? (const void *)&d : &h;
    size_t size = graft_dtype_size(dtype);
    memcpy((char *)to + (size_t)i * size, from, size);
}

static real get(const void *from, int64_t i, int dtype)
{
    size_t size = graft_dtype_size(dtype);
    const char *at = (const char *)from + (size_t)i * size;
    uint16_t h;
    uint32_t bits;
    float f;
    double d;
    if (dtype == GRAFT_DOUBLE) {
        memcpy(&d, at, sizeof d);
        return (real)d;
    }
    if (dtype == GRAFT_FLOAT) {
        memcpy(&f, at, sizeof f);
        return (real)f;
    }
    memcpy(&h, at, sizeof h);
    if (dtype == GRAFT_FLOAT16)
        return (real)graft_half_to_float(h);
    bits = (uint32_t)h << 16;
    memcpy(&f, &bits, sizeof f);
    return (real)f;
}

static int check(const struct graft_tensor *t, double x)
{
    bool fits = isfinite(x) && (t->dtype != GRAFT_FLOAT16 ||
                                fabs(x) < (double)GRAFT_HALF_OVER);
    return fits ? GRAFT_OK
                : graft_fail(GRAFT_EMISMATCH, "'%s' holds %g, which %s "
                             "cannot be written as", t->name, x,
                             graft_dtype_name(t->dtype));
}

int graft_master_round(const struct graft_tensor *t, real *data)
{
    const int64_t n = graft_shape_count(&t->shape);
    char bytes[8];
    for (int64_t i = 0; graft_dtype_is_float(t->dtype) && i < n; i++) {
        int status = check(t, (double)data[i]);
        if (status)
            return status;
        put(bytes, 0, t->dtype, data[i]);
        data[i] = get(bytes, 0, t->dtype);
    }
    return GRAFT_OK;
}

int graft_master_store(struct graft_model *into, int32_t tensor,
                       const struct graft_shape *shape, const real *data)
{
    const struct graft_tensor *t = &into->tensor.at[tensor];
    const struct graft_shape own = t->shape;
    const int dtype = t->dtype;
    const int64_t n = graft_shape_count(&own);
    int status = GRAFT_OK;
    if (t->refusal || !graft_dtype_is_float(dtype) ||
        !graft_shape_equal(&own, shape))
        return graft_fail(GRAFT_ESHAPE, "'%s' has another type or shape in "
                          "'%s' than was trained", t->name, into->path);
    void *bytes = graft_malloc((size_t)t->bytes + 8);
    if (!bytes)
        return GRAFT_EMEM;
    for (int64_t e = 0; !status && e < n; e++) {
        status = check(t, (double)data[e]);
        if (!status)
            put(bytes, e, dtype, data[e]);
    }
    if (!status)
        status = graft_edit_contents(into, tensor, dtype, &own, bytes);
    graft_free(bytes);
    return status;
}
