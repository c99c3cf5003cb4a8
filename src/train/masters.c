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
        double x = (double)data[e];
        bool fits = isfinite(x) && (dtype != GRAFT_FLOAT16 ||
                                    fabs(x) < (double)GRAFT_HALF_OVER);
        if (fits)
            put(bytes, e, dtype, data[e]);
        else
            status = graft_fail(GRAFT_EMISMATCH, "'%s' holds %g, which %s "
                                "cannot be written as", t->name, x,
                                graft_dtype_name(dtype));
    }
    if (!status)
        status = graft_edit_contents(into, tensor, dtype, &own, bytes);
    graft_free(bytes);
    return status;
}
