/* Timing a model: compile, feed it made-up images, run it again and again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/bench.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/rng.h"
#include "base/runtime.h"
#include "base/str.h"
#include "program/program.h"
#include "report/json.h"
#include "task/classify.h"
#include "train/features.h"

enum {
    BATCH_MAX = 4096,
    REPEATS_MAX = 100000, /* that can be asked for */
    CHOSEN_MAX = 10000,   /* that are chosen */
    SIDE_DEFAULT = 224,
    CHANNELS_DEFAULT = 3
};
#define MEASURE_SECONDS 3.0 /* that chosen repeats take together */
#define WARM_SECONDS 0.3    /* until clocks, caches and pages are settled */
#define SLOW_SECONDS 2.0    /* a run that warms up alone */

struct timed {              /* what graft_timing_free frees */
    struct graft_timing x;
    struct graft_arena arena;
};
struct bench {
    struct timed *t;
    const struct graft_model *m;
    const struct graft_bench_options *o;
    struct graft_program *program;
    double *seconds;        /* [repeats] */
};

/* ---- the program and its input ------------------------------------------- */

static int check_options(const struct graft_bench_options *o)
{
    if (o->batch < 0 || o->batch > BATCH_MAX)
        return graft_fail(GRAFT_EARG, "a batch of %d; 1 to %d are possible",
                          o->batch, (int)BATCH_MAX);
    if (o->repeats < 0 || o->repeats > REPEATS_MAX)
        return graft_fail(GRAFT_EARG, "%d repeats; 1 to %d are possible",
                          o->repeats, (int)REPEATS_MAX);
    if (o->width < 0 || o->height < 0)
        return graft_fail(GRAFT_EARG, "a size of %d by %d", o->width,
                          o->height);
    return GRAFT_OK;
}

/* The shape of one image for a feed: the sides that were asked for, else what
 * the file states, else a colour photo. */
static int image_shape(struct graft_shape *s, const struct graft_value *v,
                       const struct graft_bench_options *o)
{
    const int64_t photo[4] = {1, CHANNELS_DEFAULT, SIDE_DEFAULT,
                              SIDE_DEFAULT};
    const int64_t asked[4] = {1, 0, o->height, o->width};
    int64_t dim[GRAFT_MAX_RANK];
    int rank = v->has_shape ? v->rank : 4;
    if (rank < 1 || rank > GRAFT_MAX_RANK)
        return graft_fail(GRAFT_ESHAPE, "input '%s' has %d dimensions",
                          v->name, rank);
    for (int i = 0; i < rank; i++) {
        dim[i] = v->has_shape ? v->dim[i].value : -1;
        if (rank == 4 && asked[i])
            dim[i] = asked[i];
        else if (rank == 4 && dim[i] < 0)
            dim[i] = photo[i];
        else if (i > 0 && dim[i] < 0)
            return graft_fail(GRAFT_ESHAPE, "the file leaves dimension %d "
                              "of input '%s' open, and it is no picture",
                              i, v->name);
    }
    dim[0] = 1;
    return graft_shape_set(s, dim, rank);
}

static int n_feeds(const struct graft_model *m)
{
    int n = 0;
    while (graft_model_feed(m, n) >= 0)
        n++;
    return n;
}

static int compile(struct bench *b)
{
    struct graft_timing *x = &b->t->x;
    int n = n_feeds(b->m), status = GRAFT_OK;
    struct graft_input_dims *dims = graft_calloc((size_t)n + 1,
                                                 sizeof *dims);
    if (!dims)
        return GRAFT_EMEM;
    for (int k = 0; k < n && !status; k++) {
        dims[k].value = graft_model_feed(b->m, k);
        status = image_shape(&dims[k].shape,
                             &b->m->value.at[dims[k].value], b->o);
    }
    x->fixed_batch = graft_model_fixed_batch(b->m);
    x->batch = b->o->batch ? b->o->batch
               : x->fixed_batch ? x->fixed_batch : GRAFT_BATCH_DEFAULT;
    struct graft_compile c = {
        .model = b->m, .n_max = x->fixed_batch ? x->fixed_batch : x->batch,
        .inputs = dims, .n_inputs = n};
    double start = graft_clock();
    if (!status)
        status = graft_program_new(&b->program, b->m->rt, &c);
    x->seconds_compile = graft_clock() - start;
    graft_free(dims);
    return status;
}

/* One image of noise as normalised pixels have it, in every place. */
static void feed(const struct graft_program *p)
{
    for (int i = 0; i < graft_program_n_inputs(p); i++) {
        struct graft_view v = graft_program_input(p, i);
        struct graft_rng_key key = graft_rng_key(1, (uint64_t)i);
        int64_t each = graft_shape_span(&v.shape, 1, v.shape.rank);
        int64_t step = v.fmt.batch_stride ? v.fmt.batch_stride : each;
        real *first = graft_reals(&v);
        for (int64_t k = 0; k < each; k++)
            first[k] = (real)(4 * graft_rng_unit(key, (uint64_t)k) - 2);
        for (int64_t n = 1; n < v.shape.dim[0]; n++)
            memcpy(first + n * step, first, (size_t)each * sizeof *first);
    }
}

/* ---- running ------------------------------------------------------------- */

/* A batch; in groups where the file fixes a smaller one. */
static int one_run(const struct bench *b, double *seconds)
{
    int n_max = graft_program_n_max(b->program), status = GRAFT_OK;
    double start = graft_clock();
    for (int n, left = b->t->x.batch; left > 0 && !status; left -= n) {
        n = left < n_max ? left : n_max;
        status = graft_runtime_check(b->m->rt);
        if (!status)
            status = graft_program_forward(b->program, n);
    }
    *seconds = graft_clock() - start;
    return status;
}

static int told(const struct bench *b, const char *phase, int done, int total)
{
    if (b->o->progress &&
        b->o->progress(b->o->progress_ctx, phase, "runs", (uint64_t)done,
                       (uint64_t)total))
        return graft_fail(GRAFT_ECANCELED, "cancelled");
    return GRAFT_OK;
}

/* *seconds: of the last run, the nearest to what will follow. */
static int warm_up(struct bench *b, double *seconds)
{
    int status = GRAFT_OK;
    double start = graft_clock(), spent = 0;
    int n = 0;
    while (!status && spent < SLOW_SECONDS && (n < 2 || spent < WARM_SECONDS)) {
        status = told(b, "warming up", n, 0);
        if (!status)
            status = one_run(b, seconds);
        spent = graft_clock() - start;
        n++;
    }
    b->t->x.warmups = n;
    return status;
}

static int choose_repeats(double seconds)
{
    double n = seconds > 0 ? MEASURE_SECONDS / seconds : CHOSEN_MAX;
    int least = seconds > SLOW_SECONDS ? 3 : 5;
    return n < least ? least : n > CHOSEN_MAX ? CHOSEN_MAX : (int)n;
}

static int measure(struct bench *b)
{
    struct graft_timing *x = &b->t->x;
    double seconds = 0;
    int status = warm_up(b, &seconds);
    if (status)
        return status;
    x->repeats = b->o->repeats ? b->o->repeats : choose_repeats(seconds);
    b->seconds = graft_calloc((size_t)x->repeats, sizeof *b->seconds);
    if (!b->seconds)
        return GRAFT_EMEM;
    for (int i = 0; i < x->repeats && !status; i++) {
        status = told(b, "measuring", i, x->repeats);
        if (!status)
            status = one_run(b, &b->seconds[i]);
    }
    return status;
}

/* ---- figures ------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of sorted values, straight lines between neighbours. */
static double quantile(const double *at, int n, double q)
{
    double place = q * (n - 1);
    int i = (int)place;
    if (i + 1 >= n)
        return at[n - 1];
    return at[i] + (place - i) * (at[i + 1] - at[i]);
}

static void figures(struct bench *b)
{
    struct graft_timing *x = &b->t->x;
    struct graft_memory memory = {0};
    int n = x->repeats;
    qsort(b->seconds, (size_t)n, sizeof *b->seconds, by_size);
    x->seconds_min = b->seconds[0];
    x->seconds_q1 = quantile(b->seconds, n, 0.25);
    x->seconds_median = quantile(b->seconds, n, 0.5);
    x->seconds_q3 = quantile(b->seconds, n, 0.75);
    x->seconds_max = b->seconds[n - 1];
    x->images_per_second =
        x->seconds_median > 0 ? x->batch / x->seconds_median : 0;
    graft_program_memory(b->program, &memory);
    x->arena_bytes = memory.block_bytes;
    x->live_bytes = memory.live_bytes;
    x->scratch_bytes = memory.scratch_bytes;
    x->packed_bytes = memory.pack_bytes + memory.param_bytes;
    x->steps = memory.steps;
    x->peak_bytes = graft_peak_memory();
}

static json_t *as_json(const struct graft_timing *x)
{
    return json_pack(
        "{ss so ss ss si si si si si sf sf sf sf sf sf sf sI sI sI sI sI si}",
        "schema", "graft-bench/1", "model", graft_json_text(x->model),
        "version", x->version, "isa", x->isa, "threads", x->threads, "batch",
        x->batch, "fixed_batch", x->fixed_batch, "warmups", x->warmups,
        "repeats", x->repeats, "images_per_second", x->images_per_second,
        "seconds_median", x->seconds_median, "seconds_min", x->seconds_min,
        "seconds_max", x->seconds_max, "seconds_q1", x->seconds_q1,
        "seconds_q3", x->seconds_q3, "seconds_compile", x->seconds_compile,
        "arena_bytes", (json_int_t)x->arena_bytes, "live_bytes",
        (json_int_t)x->live_bytes, "scratch_bytes",
        (json_int_t)x->scratch_bytes, "packed_bytes",
        (json_int_t)x->packed_bytes, "peak_bytes",
        (json_int_t)x->peak_bytes, "steps", x->steps);
}

static const char *file_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

static int words(struct bench *b)
{
    struct graft_timing *x = &b->t->x;
    struct graft_str plan;
    x->version = graft_version();
    x->isa = graft_runtime_isa(b->m->rt);
    x->threads = graft_runtime_threads(b->m->rt);
    x->model = graft_arena_strdup(&b->t->arena, file_name(b->m->path));
    if (!x->model)
        return GRAFT_EMEM;
    graft_str_init(&plan);
    int status = graft_program_describe(b->program, &plan);
    if (!status)
        status = graft_str_ok(&plan);
    char *json = status ? NULL : graft_json_write(as_json(x), 6);
    if (json) {
        x->plan_text = graft_arena_strdup(&b->t->arena, plan.at);
        x->json = graft_arena_strdup(&b->t->arena, json);
    }
    graft_free(json);
    graft_str_release(&plan);
    if (!status && (!x->plan_text || !x->json))
        status = GRAFT_EMEM;
    return status;
}

/* ---- all ----------------------------------------------------------------- */

int graft_bench(struct graft_timing **out, const graft_model *m,
                const struct graft_bench_options *options)
{
    static const struct graft_bench_options none = GRAFT_BENCH_OPTIONS;
    struct bench b = {.m = m, .o = options ? options : &none};
    int status = check_options(b.o);
    if (status)
        return status;
    b.t = graft_calloc(1, sizeof *b.t);
    if (!b.t)
        return GRAFT_EMEM;
    status = compile(&b);
    if (!status) {
        feed(b.program);
        status = measure(&b);
    }
    if (!status) {
        figures(&b);
        status = words(&b);
    }
    graft_program_free(b.program);
    graft_free(b.seconds);
    if (status) {
        graft_timing_free(&b.t->x);
        return status;
    }
    *out = &b.t->x;
    return GRAFT_OK;
}

void graft_timing_free(struct graft_timing *x)
{
    if (!x)
        return;
    struct timed *t = (struct timed *)x;
    graft_arena_release(&t->arena);
    graft_free(t);
}
