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

static int check(const char *name, int dtype, double x)
{
    bool fits = isfinite(x) && (dtype != GRAFT_FLOAT16 ||
                                fabs(x) < (double)GRAFT_HALF_OVER);
    return fits ? GRAFT_OK
                : graft_fail(GRAFT_EMISMATCH, "'%s' holds %g, which %s "
                             "cannot be written as", name, x,
                             graft_dtype_name(dtype));
}

int graft_master_round(const struct graft_tensor *t, real *data)
{
    const int64_t n = graft_shape_count(&t->shape);
    char bytes[8];
    for (int64_t i = 0; graft_dtype_is_float(t->dtype) && i < n; i++) {
        int status = check(t->name ? t->name : "", t->dtype,
                           (double)data[i]);
        if (status)
            return status;
        put(bytes, 0, t->dtype, data[i]);
        data[i] = get(bytes, 0, t->dtype);
    }
    return GRAFT_OK;
}

/* The tensor in a Constant node is in an attribute of its own. */
static int set_contents(struct graft_model *into, graft_value_id v,
                        const struct graft_tensor *t, void *bytes)
{
    if (into->value.at[v].tensor >= 0)
        return graft_edit_contents(into, into->value.at[v].tensor, t->dtype,
                                   &t->shape, bytes);
    const struct graft_tensor now = {
        .name = t->name, .dtype = t->dtype, .shape = t->shape, .data = bytes,
        .bytes = t->bytes, .span = GRAFT_NO_SPAN, .value = -1};
    const struct graft_attr attr = {.name = "value", .type = GRAFT_ATTR_TENSOR,
                                    .tensor = &now};
    return graft_edit_attr(into, into->value.at[v].node, &attr);
}

int graft_master_store(struct graft_model *into, graft_value_id v,
                       const struct graft_shape *shape, const real *data)
{
    const struct graft_tensor *t = graft_parameter(into, v);
    int status = GRAFT_OK;
    if (!t || t->refusal || !graft_dtype_is_float(t->dtype) ||
        !graft_shape_equal(&t->shape, shape))
        return graft_fail(GRAFT_ESHAPE, "'%s' has another type or shape in "
                          "'%s' than was trained", into->value.at[v].name,
                          into->path);
    const int64_t n = graft_shape_count(shape);
    void *bytes = graft_malloc((size_t)t->bytes + 8);
    if (!bytes)
        return GRAFT_EMEM;
    for (int64_t e = 0; !status && e < n; e++) {
        status = check(into->value.at[v].name, t->dtype, (double)data[e]);
        if (!status)
            put(bytes, e, t->dtype, data[e]);
    }
    if (!status)
        status = set_contents(into, v, t, bytes);
    graft_free(bytes);
    return status;
}

int graft_master_store_selected(struct graft_model *into, graft_value_id v,
                                const struct graft_selection *s, int k,
                                const real *flat)
{
    const struct graft_selected *at = &s->at[k];
    const struct graft_shape *shape = &at->was.shape;
    if (!at->scale)
        return graft_master_store(into, v, shape, flat + at->offset);
    const int64_t n = graft_shape_count(shape);
    const int64_t each = graft_shape_span(shape, 1, shape->rank);
    real *w = graft_alloc_aligned((size_t)n * sizeof *w);
    if (!w)
        return GRAFT_EMEM;
    graft_view_read(&at->was, 0, n, w);
    for (int64_t e = 0; e < n; e++)
        w[e] *= flat[at->offset + e / each];
    int status = graft_master_store(into, v, shape, w);
    graft_free(w);
    return status;
}
