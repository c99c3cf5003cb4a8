/* Photos in batches through decode, program and cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/features.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "kernels/kernels.h"

/* A killed run loses at most this much work. */
#define FLUSH_SECONDS 2.0

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int graft_extract_batch(struct graft_extract *x)
{
    if (!x->n_max)
        x->n_max = graft_model_fixed_batch(x->model);
    if (!x->n_max)
        x->n_max = x->batch > 0 ? x->batch : GRAFT_BATCH_DEFAULT;
    return x->n_max;
}

/* ---- the program --------------------------------------------------------- */

static int64_t floats_per_image(const struct graft_view *v, int n_max)
{
    return graft_count(v) / n_max;
}

static int n_values(const struct graft_extract *x)
{
    return x->values ? x->n_values : 1;
}

static graft_value_id value(const struct graft_extract *x, int k)
{
    return x->values ? x->values[k] : x->value;
}

/* Output k can be taken for each photo; its elements are added to *floats. */
static int check_output(const struct graft_extract *x, int k,
                        int64_t *floats)
{
    const struct graft_program *p = x->program;
    const char *name = x->model->value.at[value(x, k)].name;
    struct graft_view in = graft_program_input(p, 0);
    struct graft_view out = graft_program_output(p, k);
    if (in.fmt.dtype != GRAFT_REAL || out.fmt.dtype != GRAFT_REAL)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s': %s in, %s out; photos "
                          "and features are float32", x->model->path,
                          graft_dtype_name((int)in.fmt.dtype),
                          graft_dtype_name((int)out.fmt.dtype));
    if (!graft_program_output_rows(p, k))
        return graft_fail(GRAFT_ESHAPE, "'%s' does not keep the photos of a "
                          "batch apart; features cannot be taken there",
                          name);
    *floats += floats_per_image(&out, graft_program_n_max(p));
    return GRAFT_OK;
}

static int check_program(const struct graft_extract *x)
{
    int64_t floats = 0;
    int status = GRAFT_OK;
    for (int k = 0; !status && k < n_values(x); k++)
        status = check_output(x, k, &floats);
    if (!status && floats != x->floats)
        status = graft_fail(GRAFT_ESHAPE, "'%s' has %lld elements for a "
                            "photo, expected were %lld",
                            x->model->value.at[value(x, 0)].name,
                            (long long)floats, (long long)x->floats);
    return status;
}

static int make_pixels(struct graft_extract *x, int64_t floats)
{
    x->pixels = graft_alloc_aligned((size_t)floats * sizeof(float));
    return x->pixels ? GRAFT_OK : GRAFT_EMEM;
}

int graft_extract_compile(struct graft_extract *x)
{
    graft_value_id feed = graft_model_feed(x->model, 0);
    const struct graft_preprocess *p = &x->preprocess;
    if (x->program || x->pixels)
        return GRAFT_OK;
    if (x->raw)
        return make_pixels(x, graft_extract_batch(x) * x->floats);
    if (feed < 0 || graft_model_feed(x->model, 1) >= 0)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' has %s; Graft feeds "
                          "photos to exactly one", x->model->path,
                          feed < 0 ? "no input" : "several inputs");
    struct graft_input_dims dims = {
        .value = feed,
        .shape = {4, {1, p->channels, p->height, p->width}}};
    struct graft_compile c = {
        .model = x->model, .n_max = graft_extract_batch(x), .inputs = &dims,
        .n_inputs = 1, .outputs = x->values ? x->values : &x->value,
        .n_outputs = n_values(x)};
    int status = graft_program_new(&x->program, x->rt, &c);
    if (!status)
        status = check_program(x);
    if (status || sizeof(real) == sizeof(float))
        return status;
    struct graft_view in = graft_program_input(x->program, 0);
    return make_pixels(x, graft_count(&in));
}

void graft_extract_release(struct graft_extract *x)
{
    if (!x->program && !x->pixels)
        return;
    graft_program_free(x->program);
    graft_free(x->pixels);
    graft_alloc_trim(); /* something else takes its place */
    x->program = NULL;
    x->pixels = NULL;
}

void graft_extract_rest(struct graft_extract *x)
{
    if (x->program)
        graft_program_rest(x->program);
}

/* ---- one batch ----------------------------------------------------------- */

static int load_into(struct graft_extract *x, struct graft_load_item *items,
                     int n, float *dst, int64_t stride,
                     enum graft_layout layout)
{
    struct graft_load_options o = {
        .preprocess = &x->preprocess, .exact = x->exact,
        .kernels = graft_kernels_for(x->rt->isa), .layout = layout,
        .augment = x->augment};
    int status = graft_load(x->rt, items, n, dst, stride, &o);
    if (!status)
        x->decoded += (uint64_t)n;
    return status;
}

/* Slots of photos that failed, and of those a fixed batch lacks, are cleared:
 * what a computation finds there must be the same each time. */
static int load(struct graft_extract *x, struct graft_load_item *items, int n)
{
    struct graft_view in = graft_program_input(x->program, 0);
    int n_max = graft_program_n_max(x->program);
    int64_t stride = floats_per_image(&in, n_max);
    float *dst = x->pixels ? x->pixels : (float *)in.data;
    int status = load_into(x, items, n, dst, stride, in.fmt.layout);
    if (status)
        return status;
    for (int i = 0; i < n_max; i++)
        if (i >= n || items[i].failed)
            memset(dst + i * stride, 0, (size_t)stride * sizeof *dst);
    for (int64_t i = 0; x->pixels && i < n_max * stride; i++)
        graft_reals(&in)[i] = x->pixels[i];
    return GRAFT_OK;
}

static uint64_t recipe(const struct graft_extract *x,
                       const struct graft_load_item *item)
{
    return graft_augment_recipe(x->augment, item->seed, item->view);
}

static int keep(struct graft_extract *x, const struct graft_load_item *item,
                const float *row)
{
    if (!x->cache)
        return GRAFT_OK;
    int status = graft_cache_note_item(x->cache, item);
    if (!status && !item->failed)
        status = graft_cache_put(x->cache, item->hash, recipe(x, item), row);
    return status;
}

/* Row i of what the program computed. */
static void take_row(const struct graft_extract *x, int i, float *row)
{
    for (int k = 0; k < n_values(x); k++) {
        struct graft_view out = graft_program_output(x->program, k);
        int64_t n = floats_per_image(&out, graft_program_n_max(x->program));
        const real *from = graft_reals(&out) + i * n;
        for (int64_t e = 0; e < n; e++)
            *row++ = (float)from[e];
    }
}

static int run_raw(struct graft_extract *x, struct graft_load_item *items,
                   int n, float *const *rows)
{
    int status = load_into(x, items, n, x->pixels, x->floats, GRAFT_ROW);
    for (int i = 0; !status && i < n; i++)
        if (!items[i].failed)
            memcpy(rows[i], x->pixels + i * x->floats,
                   (size_t)x->floats * sizeof *rows[i]);
    return status;
}

/* items[0..n-1], n at most a batch, into rows[0..n-1] of x->floats each. */
static int run_batch(struct graft_extract *x, struct graft_load_item *items,
                     int n, float *const *rows)
{
    int good = 0, status = graft_extract_compile(x);
    if (!status && x->raw)
        return run_raw(x, items, n, rows);
    if (!status)
        status = load(x, items, n);
    for (int i = 0; !status && i < n; i++)
        good += !items[i].failed;
    if (!status && good)
        status = graft_program_forward(x->program, n);
    for (int i = 0; !status && i < n; i++) {
        if (!items[i].failed)
            take_row(x, i, rows[i]);
        status = keep(x, &items[i], rows[i]);
    }
    return status;
}

/* ---- all of them --------------------------------------------------------- */

/* What is known of a photo without opening it: its row, or that it is none. */
static int from_cache(struct graft_extract *x, struct graft_load_item *item,
                      float *row, bool *known)
{
    *known = false;
    if (!x->cache)
        return GRAFT_OK;
    char *path = graft_path_join(item->root, item->file);
    if (!path)
        return GRAFT_EMEM;
    if (graft_cache_file_hash(x->cache, path, &item->hash))
        *known = graft_cache_get(x->cache, item->hash, recipe(x, item), row);
    else
        *known = item->failed =
            graft_cache_file_failure(x->cache, path, item->why);
    graft_free(path);
    return GRAFT_OK;
}

static int tell(struct graft_extract *x, int done, int n)
{
    int status = graft_runtime_check(x->rt);
    if (!status && x->progress &&
        x->progress(x->progress_ctx, x->phase, "photos", (uint64_t)done,
                    (uint64_t)n))
        status = graft_fail(GRAFT_ECANCELED, "cancelled");
    return status;
}

/* The missing ones, by number in `at`, batch after batch. */
static int compute(struct graft_extract *x, struct graft_load_item *items,
                   int n, float *dst, const int *at, int missing)
{
    int batch = graft_extract_batch(x);
    struct graft_load_item *group = graft_calloc((size_t)batch,
                                                 sizeof *group);
    float **rows = graft_calloc((size_t)batch, sizeof *rows);
    int status = group && rows ? GRAFT_OK : GRAFT_EMEM;
    double flushed = now();
    for (int first = 0; !status && first < missing; first += batch) {
        int count = missing - first < batch ? missing - first : batch;
        for (int i = 0; i < count; i++) {
            group[i] = items[at[first + i]];
            rows[i] = dst + at[first + i] * x->floats;
        }
        status = run_batch(x, group, count, rows);
        for (int i = 0; !status && i < count; i++)
            items[at[first + i]] = group[i];
        if (!status && x->cache && now() - flushed > FLUSH_SECONDS) {
            status = graft_cache_flush(x->cache);
            flushed = now();
        }
        if (!status)
            status = tell(x, n - missing + first + count, n);
    }
    graft_free(group);
    graft_free(rows);
    return status;
}

int graft_extract_rows(struct graft_extract *x, struct graft_load_item *items,
                       int n, float *dst)
{
    int *at = graft_calloc((size_t)n, sizeof *at), missing = 0;
    int status = at ? GRAFT_OK : GRAFT_EMEM;
    memset(dst, 0, (size_t)n * (size_t)x->floats * sizeof *dst);
    for (int i = 0; !status && i < n; i++) {
        bool known;
        status = from_cache(x, &items[i], dst + i * x->floats, &known);
        if (!known && !status)
            at[missing++] = i;
    }
    if (!status)
        status = tell(x, n - missing, n);
    if (!status && missing)
        status = compute(x, items, n, dst, at, missing);
    if (x->cache && missing) {
        char message[GRAFT_MESSAGE_MAX];
        graft_message_save(message);
        int flushed = graft_cache_flush(x->cache);
        if (status)
            graft_message_restore(message);
        else
            status = flushed;
    }
    graft_free(at);
    return status;
}
