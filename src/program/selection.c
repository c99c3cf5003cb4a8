/* Selections: which parameters are trained, and their masters, one flat
 * vector in ONNX's own layout.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "program/store.h"

enum { OFFSET_STEP = 16 }; /* elements: parameters begin on cache lines */

static int readable(const struct graft_model *m, graft_value_id v,
                    const struct graft_tensor **out)
{
    if (v < 0 || v >= m->value.n)
        return graft_fail(GRAFT_EARG, "no value %d to train", (int)v);
    const struct graft_value *value = &m->value.at[v];
    const struct graft_tensor *t = graft_parameter(m, v);
    if (!t)
        return graft_fail(GRAFT_EARG, "'%s' cannot be trained: it is not a "
                          "parameter", value->name);
    if (t->refusal)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot be trained: %s",
                          value->name, t->refusal);
    if (!graft_dtype_is_float(t->dtype))
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot be trained: it "
                          "holds %s", value->name,
                          graft_dtype_name(t->dtype));
    *out = t;
    return GRAFT_OK;
}

/* Elements of the flat vector that `t` takes, or -1. */
static int64_t elements(const struct graft_tensor *t, bool scale)
{
    return scale ? t->shape.dim[0] : graft_shape_count(&t->shape);
}

static int lay_out(struct graft_selection *s, const graft_value_id *values,
                   const bool *scale, int n)
{
    const struct graft_model *m = graft_store_model(s->store);
    for (int i = 0; i < n; i++) {
        const struct graft_tensor *t = NULL;
        int status = readable(m, values[i], &t);
        if (status)
            return status;
        for (int k = 0; k < i; k++)
            if (values[k] == values[i])
                return graft_fail(GRAFT_EARG, "'%s' is selected twice",
                                  m->value.at[values[i]].name);
        const bool factors = scale && scale[i];
        if (factors && t->shape.rank < 1)
            return graft_fail(GRAFT_EARG, "'%s' has no channels to scale",
                              m->value.at[values[i]].name);
        int64_t count = elements(t, factors), end;
        if (count < 0 || !graft_add_size(&end, s->size,
                                         count + OFFSET_STEP - 1))
            return graft_fail(GRAFT_ELIMIT, "the selected parameters are "
                              "too many");
        s->at[i] = (struct graft_selected){
            .value = values[i], .offset = s->size, .count = count,
            .scale = factors, .was = graft_tensor_view(t)};
        s->size = end / OFFSET_STEP * OFFSET_STEP;
    }
    s->n = n;
    return GRAFT_OK;
}

static int fill(struct graft_selection *s)
{
    s->master = graft_alloc_aligned((size_t)s->size * sizeof *s->master);
    if (!s->master)
        return GRAFT_EMEM;
    memset(s->master, 0, (size_t)s->size * sizeof *s->master);
    for (int i = 0; i < s->n; i++) {
        const struct graft_selected *at = &s->at[i];
        real *master = s->master + at->offset;
        for (int64_t k = 0; at->scale && k < at->count; k++)
            master[k] = 1;
        if (!at->scale)
            graft_view_read(&at->was, 0, at->count, master);
    }
    return GRAFT_OK;
}

int graft_selection_new(struct graft_selection **out, struct graft_store *s,
                        const graft_value_id *values, int n)
{
    return graft_selection_scaled(out, s, values, NULL, n);
}

int graft_selection_scaled(struct graft_selection **out,
                           struct graft_store *s,
                           const graft_value_id *values, const bool *scale,
                           int n)
{
    struct graft_selection *x = graft_calloc(1, sizeof *x);
    if (!x)
        return GRAFT_EMEM;
    x->store = s;
    int status = GRAFT_OK;
    if (n < 0)
        status = graft_fail(GRAFT_EARG, "%d parameters to train", n);
    if (!status) {
        x->at = graft_calloc((size_t)n + 1, sizeof *x->at);
        status = x->at ? lay_out(x, values, scale, n) : GRAFT_EMEM;
    }
    if (!status)
        status = fill(x);
    if (status)
        graft_selection_free(x);
    else
        *out = x;
    return status;
}

void graft_selection_free(struct graft_selection *s)
{
    if (!s)
        return;
    graft_free(s->master);
    graft_free(s->at);
    graft_free(s);
}

struct graft_shape graft_selected_shape(const struct graft_selection *s,
                                        int k)
{
    const struct graft_selected *at = &s->at[k];
    return at->scale ? (struct graft_shape){1, {at->count}} : at->was.shape;
}
