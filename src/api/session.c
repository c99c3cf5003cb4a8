/* Sessions: a model compiled for given shapes, fed with plain arrays. A file
 * that fixes its batch runs in groups of that size, the last one filled up.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "graft/model.h"
#include "program/program.h"

struct graft_session {
    struct graft_program *program;
    const struct graft_model *model;
    struct graft_shape *in;   /* of the caller's arrays, per program input */
    int *array;               /* which of the caller's arrays feeds it */
    int n_in;
    struct output {
        struct graft_shape shape;
        const char *name;
        float *data;
    } *out;
    int n_out;
    int64_t images;           /* in a run */
};

static const char *value_name(const struct graft_model *m, graft_value_id v)
{
    return m->value.at[v].name;
}

/* ---- matching arrays to inputs ------------------------------------------- */

static int n_feeds(const struct graft_model *m)
{
    int n = 0;
    while (graft_model_feed(m, n) >= 0)
        n++;
    return n;
}

/* The feed that array i is for; negative: a status. */
static int feed_of(const struct graft_model *m,
                   const struct graft_array *inputs, int i)
{
    int position = 0;
    if (!inputs[i].name) {
        for (int j = 0; j < i; j++)
            position += !inputs[j].name;
        return graft_model_feed(m, position) >= 0
                   ? position
                   : graft_fail(GRAFT_EARG, "the model has %d input%s; there "
                                "is none for array %d", n_feeds(m),
                                n_feeds(m) == 1 ? "" : "s", i + 1);
    }
    for (int k = 0; graft_model_feed(m, k) >= 0; k++)
        if (!strcmp(value_name(m, graft_model_feed(m, k)), inputs[i].name))
            return k;
    return graft_fail(GRAFT_ENOTFOUND, "the model has no input '%s'; its "
                      "first is '%s'", inputs[i].name, n_feeds(m)
                      ? value_name(m, graft_model_feed(m, 0)) : "");
}

static int match(struct graft_session *s, const struct graft_array *inputs,
                 int n)
{
    int feeds = n_feeds(s->model);
    if (n != feeds)
        return graft_fail(GRAFT_EARG, "the model has %d input%s, but %d "
                          "array%s given", feeds, feeds == 1 ? "" : "s", n,
                          n == 1 ? " was" : "s were");
    for (int k = 0; k < feeds; k++)
        s->array[k] = -1;
    for (int i = 0; i < n; i++) {
        int k = feed_of(s->model, inputs, i);
        if (k < 0)
            return k;
        if (s->array[k] >= 0)
            return graft_fail(GRAFT_EARG, "two arrays for input '%s'",
                              value_name(s->model,
                                         graft_model_feed(s->model, k)));
        s->array[k] = i;
        int status = graft_shape_set(&s->in[k], inputs[i].dim,
                                     inputs[i].rank);
        if (status)
            return status;
    }
    return GRAFT_OK;
}

static int count_images(struct graft_session *s)
{
    s->images = s->n_in && s->in[0].rank ? s->in[0].dim[0] : 1;
    for (int k = 1; k < s->n_in; k++)
        if (s->in[k].rank < 1 || s->in[k].dim[0] != s->images)
            return graft_fail(GRAFT_ESHAPE, "the arrays differ in their "
                              "first dimension, the batch");
    if (s->images < 1 || s->images > INT32_MAX)
        return graft_fail(GRAFT_ESHAPE, "a batch of %lld cannot run",
                          (long long)s->images);
    return GRAFT_OK;
}

/* ---- compiling ----------------------------------------------------------- */

static int find_outputs(graft_value_id *ids, const struct graft_model *m,
                        const char *const *outputs, int n)
{
    for (int i = 0; i < n; i++) {
        ids[i] = graft_value_find(m, outputs[i]);
        if (ids[i] < 0)
            return graft_fail(GRAFT_ENOTFOUND, "the model has no value '%s'",
                              outputs[i]);
    }
    return GRAFT_OK;
}

static int compile(struct graft_session *s, const char *const *outputs,
                   int n_outputs)
{
    int fixed = graft_model_fixed_batch(s->model);
    struct graft_input_dims *dims = graft_calloc((size_t)s->n_in + 1,
                                                 sizeof *dims);
    graft_value_id *ids = graft_calloc((size_t)n_outputs + 1, sizeof *ids);
    int status = dims && ids ? GRAFT_OK : GRAFT_EMEM;
    if (!status)
        status = find_outputs(ids, s->model, outputs, n_outputs);
    if (!status) {
        for (int k = 0; k < s->n_in; k++) {
            dims[k].value = graft_model_feed(s->model, k);
            dims[k].shape = s->in[k];
        }
        struct graft_compile c = {
            .model = s->model, .n_max = fixed ? fixed : (int)s->images,
            .inputs = dims, .n_inputs = s->n_in,
            .outputs = outputs ? ids : NULL, .n_outputs = n_outputs};
        status = graft_program_new(&s->program, s->model->rt, &c);
    }
    graft_free(dims);
    graft_free(ids);
    return status;
}

static int make_output(struct graft_session *s, int k, const char *name)
{
    struct graft_view v = graft_program_output(s->program, k);
    int64_t rows = graft_program_output_rows(s->program, k), bytes;
    int n_max = graft_program_n_max(s->program);
    if (v.fmt.dtype != GRAFT_REAL)
        return graft_fail(GRAFT_EUNSUPPORTED, "output '%s' holds %s; only "
                          "float32 can be given", name,
                          graft_dtype_name((int)v.fmt.dtype));
    if (!rows && s->images != n_max)
        return graft_fail(GRAFT_ESHAPE, "output '%s' cannot be told apart by "
                          "photos, so the batch must be %d", name, n_max);
    s->out[k].shape = v.shape;
    s->out[k].name = name;
    if (rows)
        s->out[k].shape.dim[0] = rows * s->images;
    int64_t count = graft_shape_count(&s->out[k].shape);
    if (count < 0 || !graft_mul_size(&bytes, count, sizeof(float)))
        return graft_fail(GRAFT_ELIMIT, "output '%s' is too large", name);
    s->out[k].data = graft_malloc((size_t)bytes);
    return s->out[k].data ? GRAFT_OK : GRAFT_EMEM;
}

static int make_outputs(struct graft_session *s, const char *const *outputs)
{
    s->n_out = graft_program_n_outputs(s->program);
    s->out = graft_calloc((size_t)s->n_out + 1, sizeof *s->out);
    if (!s->out)
        return GRAFT_EMEM;
    int status = GRAFT_OK;
    for (int k = 0; k < s->n_out && !status; k++) {
        const char *name =
            outputs ? value_name(s->model,
                                 graft_value_find(s->model, outputs[k]))
                    : value_name(s->model, s->model->output.at[k]);
        status = make_output(s, k, name);
    }
    return status;
}

int graft_session_new(graft_session **out, const graft_model *m,
                      const struct graft_array *inputs, int n_inputs,
                      const char *const *outputs, int n_outputs)
{
    struct graft_session *s = graft_calloc(1, sizeof *s);
    if (!s)
        return GRAFT_EMEM;
    s->model = m;
    s->n_in = n_feeds(m);
    s->in = graft_calloc((size_t)s->n_in + 1, sizeof *s->in);
    s->array = graft_calloc((size_t)s->n_in + 1, sizeof *s->array);
    int status = s->in && s->array ? GRAFT_OK : GRAFT_EMEM;
    if (!status)
        status = match(s, inputs, n_inputs);
    if (!status)
        status = count_images(s);
    if (!status)
        status = compile(s, outputs, outputs ? n_outputs : 0);
    if (!status)
        status = make_outputs(s, outputs);
    if (status) {
        graft_session_free(s);
        return status;
    }
    graft_program_params(s->program);
    *out = s;
    return GRAFT_OK;
}

void graft_session_free(graft_session *s)
{
    if (!s)
        return;
    for (int k = 0; s->out && k < s->n_out; k++)
        graft_free(s->out[k].data);
    graft_free(s->out);
    graft_program_free(s->program);
    graft_free(s->in);
    graft_free(s->array);
    graft_free(s);
}

/* ---- running ------------------------------------------------------------- */

/* The program has only those inputs that its outputs need. */
static void feed_all(struct graft_session *s, const struct graft_array *inputs,
                     int64_t first, int64_t n)
{
    for (int i = 0; i < graft_program_n_inputs(s->program); i++) {
        int k = 0;
        while (graft_model_feed(s->model, k) !=
               graft_program_input_id(s->program, i))
            k++;
        int64_t each = graft_shape_span(&s->in[k], 1, s->in[k].rank);
        graft_program_put(s->program, i,
                          inputs[s->array[k]].data + first * each, (int)n);
    }
}

static int check_same(const struct graft_session *s,
                      const struct graft_array *inputs, int n)
{
    if (n != s->n_in)
        return graft_fail(GRAFT_EARG, "%d arrays given, %d expected", n,
                          s->n_in);
    for (int k = 0; k < n; k++) {
        const struct graft_array *a = &inputs[s->array[k]];
        struct graft_shape shape;
        if (graft_shape_set(&shape, a->dim, a->rank) ||
            !graft_shape_equal(&shape, &s->in[k]))
            return graft_fail(GRAFT_ESHAPE, "array %d has another shape than "
                              "the session was made for", s->array[k] + 1);
    }
    return GRAFT_OK;
}

static void collect(struct graft_session *s, int64_t first, int64_t n)
{
    for (int k = 0; k < s->n_out; k++) {
        struct graft_view v = graft_program_output(s->program, k);
        int64_t rows = graft_program_output_rows(s->program, k);
        int64_t each = rows * graft_shape_span(&v.shape, 1, v.shape.rank);
        int64_t count = rows ? n * each : graft_count(&v);
        const real *src = graft_reals(&v);
        float *dst = s->out[k].data + first * each;
        for (int64_t i = 0; i < count; i++)
            dst[i] = (float)src[i];
    }
}

int graft_session_run(graft_session *s, const struct graft_array *inputs,
                      int n_inputs)
{
    int status = check_same(s, inputs, n_inputs);
    if (status)
        return status;
    int n_max = graft_program_n_max(s->program);
    for (int64_t first = 0; first < s->images; first += n_max) {
        int64_t n = s->images - first < n_max ? s->images - first : n_max;
        status = graft_runtime_check(s->model->rt);
        if (status)
            return status;
        feed_all(s, inputs, first, n);
        status = graft_program_forward(s->program, (int)n);
        if (status)
            return status;
        collect(s, first, n);
    }
    return GRAFT_OK;
}

int graft_session_n_outputs(const graft_session *s)
{
    return s->n_out;
}

struct graft_array graft_session_output(const graft_session *s, int k)
{
    struct graft_array a = {0};
    if (k < 0 || k >= s->n_out)
        return a;
    a.name = s->out[k].name;
    a.data = s->out[k].data;
    a.rank = s->out[k].shape.rank;
    memcpy(a.dim, s->out[k].shape.dim, sizeof a.dim);
    return a;
}
