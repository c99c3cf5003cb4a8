/* What operators share when they infer shapes: inputs known while compiling,
 * broadcasting, and what becomes of the batch.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "graph/op.h"

int graft_infer_fail(const struct graft_infer *f, int status,
                     const char *fmt, ...)
{
    char text[GRAFT_MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return graft_fail(status, "%s: %s", graft_node_text(f->node), text);
}

int graft_infer_shape(const struct graft_infer *f, struct graft_shape *out,
                      const int64_t *dim, int rank)
{
    int status = graft_shape_set(out, dim, rank);
    return status ? graft_fail_in(status, "%s", graft_node_text(f->node))
                  : GRAFT_OK;
}

static bool absent(const struct graft_infer *f, int i)
{
    return i >= f->n_in || !f->in[i].present;
}

static int known(const struct graft_infer *f, int i, const char *what)
{
    if (f->in[i].host)
        return GRAFT_OK;
    return graft_infer_fail(f, GRAFT_EUNSUPPORTED, "%s (input %d) is computed "
                            "at run time; it must be known beforehand", what,
                            i);
}

int graft_infer_ints(const struct graft_infer *f, int i, const char *what,
                     const int64_t **out, int *n)
{
    static const int64_t none = 0;
    *out = NULL;
    *n = 0;
    if (absent(f, i))
        return GRAFT_OK;
    int status = known(f, i, what);
    if (status)
        return status;
    const struct graft_host *h = f->in[i].host;
    int64_t count = graft_shape_count(&h->shape);
    if (!graft_dtype_is_int((int)h->dtype) || (count && !h->ints))
        return graft_infer_fail(f, GRAFT_ESHAPE, "%s (input %d) has type %s, "
                                "expected integers", what, i,
                                graft_dtype_name((int)h->dtype));
    if (count > INT32_MAX)
        return graft_infer_fail(f, GRAFT_ELIMIT, "%s (input %d) has %lld "
                                "elements", what, i, (long long)count);
    *out = h->ints ? h->ints : &none;
    *n = (int)count;
    return GRAFT_OK;
}

int graft_infer_scalar(const struct graft_infer *f, int i, const char *what,
                       double fallback, double *out)
{
    *out = fallback;
    if (absent(f, i))
        return GRAFT_OK;
    int status = known(f, i, what);
    if (status)
        return status;
    const struct graft_host *h = f->in[i].host;
    if (graft_shape_count(&h->shape) != 1) {
        char text[GRAFT_SHAPE_TEXT];
        return graft_infer_fail(f, GRAFT_ESHAPE, "%s (input %d) has shape "
                                "%s, expected one number", what, i,
                                graft_shape_text(text, &h->shape));
    }
    *out = h->reals ? (double)h->reals[0] : (double)h->ints[0];
    return GRAFT_OK;
}

/* The type that values are computed in. */
static enum graft_dtype computed(enum graft_dtype t)
{
    return graft_dtype_is_float((int)t) ? GRAFT_REAL : GRAFT_INT64;
}

int graft_infer_like(struct graft_infer *f, int k,
                     const struct graft_shape *shape)
{
    const struct graft_vinfo *in = &f->in[0];
    struct graft_vinfo *out = &f->out[k];
    if (graft_shape_count(shape) < 0) {
        char text[GRAFT_SHAPE_TEXT];
        return graft_infer_fail(f, GRAFT_ESHAPE, "output shape %s is not "
                                "possible", graft_shape_text(text, shape));
    }
    out->present = true;
    out->shape = *shape;
    out->dtype = computed(in->dtype);
    out->is_param = in->is_param;
    if (!in->per_image && !in->whole_batch)
        return GRAFT_OK;
    bool split = in->per_image && shape->rank && shape->dim[0] &&
                 shape->dim[0] % f->n_max == 0;
    out->per_image = split ? shape->dim[0] / f->n_max : 0;
    out->whole_batch = !split;
    return GRAFT_OK;
}

int64_t graft_batch_factor(const struct graft_vinfo *v, int d)
{
    if (v->whole_batch || v->shape_of_batch)
        return GRAFT_BATCH_ODD;
    return d == 0 ? v->per_image : 0;
}

/* Whether input `in`, broadcast to `shape`, keeps image i's elements where
 * image i's results are: batched along dim 0, which it shares; or the same
 * for every image. */
static bool keeps_images(const struct graft_vinfo *in,
                         const struct graft_shape *shape, int n_max)
{
    bool reaches = in->shape.rank == shape->rank; /* has the result's dim 0 */
    if (in->whole_batch)
        return false;
    if (in->per_image)
        return reaches && shape->rank && in->shape.dim[0] == shape->dim[0];
    return !reaches || !shape->rank || in->shape.dim[0] == 1 || n_max == 1;
}

int graft_infer_broadcast(struct graft_infer *f)
{
    struct graft_shape s = f->in[0].shape;
    bool batched = false, params = true, separable = true;
    for (int i = 0; i < f->n_in; i++) {
        const struct graft_vinfo *in = &f->in[i];
        struct graft_shape before = s;
        if (!graft_shape_broadcast(&s, &before, &in->shape)) {
            char a[GRAFT_SHAPE_TEXT], b[GRAFT_SHAPE_TEXT];
            return graft_infer_fail(f, GRAFT_ESHAPE, "shapes %s and %s do "
                                    "not broadcast",
                                    graft_shape_text(a, &before),
                                    graft_shape_text(b, &in->shape));
        }
        batched |= in->per_image || in->whole_batch;
        params &= in->is_param;
    }
    for (int i = 0; i < f->n_in; i++)
        separable &= keeps_images(&f->in[i], &s, f->n_max);
    separable &= s.rank > 0 && s.dim[0] > 0 && s.dim[0] % f->n_max == 0;
    f->out[0].present = true;
    f->out[0].shape = s;
    f->out[0].dtype = computed(f->in[0].dtype);
    f->out[0].is_param = params;
    f->out[0].per_image = batched && separable ? s.dim[0] / f->n_max : 0;
    f->out[0].whole_batch = batched && !separable;
    return GRAFT_OK;
}
