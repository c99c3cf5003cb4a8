/* What crosses into the trained part: computed once for each photo and view,
 * kept in memory where it fits, else read again from the cache or computed
 * anew; and the network's answers to it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/tune.h"

/* ---- computing them ------------------------------------------------------ */

bool graft_tune_gives_features(const struct graft_tune *u)
{
    return u && !u->automatic &&
           (u->o.from_scratch || (!u->extract.raw && !u->fresh));
}

static int open_cache(struct graft_tune *u)
{
    struct graft_cache_key key = {.floats = u->extract.floats};
    struct graft_str about;
    graft_str_init(&about);
    graft_str_addf(&about, "%s %s", graft_path_base(u->t->o->model),
                   u->u.model->value.at[u->u.crossing.value[0]].name);
    if (u->u.crossing.n > 1)
        graft_str_addf(&about, " and %d more", u->u.crossing.n - 1);
    graft_str_addf(&about, " %lld", (long long)u->extract.floats);
    key.about = about.at;
    int status = graft_str_ok(&about);
    if (!status)
        status = graft_features_key(&key.hash, &u->extract);
    if (!status)
        status = graft_cache_open(&u->extract.cache, u->t->rt, &key);
    graft_str_release(&about);
    return status;
}

static int start_extract(struct graft_tune *u)
{
    const struct graft_extract *first = &u->t->extract;
    u->extract = (struct graft_extract){
        .rt = u->t->rt, .preprocess = first->preprocess,
        .batch = first->batch, .exact = first->exact, .phase = "features",
        .augment = first->augment,
        .progress = first->progress, .progress_ctx = first->progress_ctx};
    graft_tunable_extract(&u->u, &u->extract);
    return graft_extract_fit(&u->extract);
}

/* All could be read a moment ago. */
static int check_items(const struct graft_load_item *item, int n)
{
    for (int i = 0; i < n; i++)
        if (item[i].failed)
            return graft_fail(GRAFT_EDATA, "'%s' cannot be read any more: %s",
                              item[i].file, item[i].why);
    return GRAFT_OK;
}

static int room_for_shard(struct graft_tune *u)
{
    size_t n = (size_t)graft_program_n_max(u->u.program) +
               (u->o.mixup > 0 ? GRAFT_TUNE_PARTNERS : 0);
    u->rows = graft_alloc_aligned(n * (size_t)u->u.floats * sizeof *u->rows);
    u->place = graft_calloc(n, sizeof *u->place);
    return u->rows && u->place ? GRAFT_OK : GRAFT_EMEM;
}

int graft_tune_open_rows(struct graft_tune *u)
{
    int64_t bytes = 0;
    const int n = u->t->train.n;
    if (!graft_mul_size(&bytes, n, u->u.floats) ||
        !graft_mul_size(&bytes, bytes, sizeof *u->x))
        return graft_fail(GRAFT_ELIMIT, "%d photos of %lld numbers are too "
                          "many", n, (long long)u->u.floats);
    int status = start_extract(u);
    if (!status)
        status = room_for_shard(u);
    if (!status)
        status = graft_tune_memory(u, bytes);
    if (!status && !u->t->o->no_cache && !u->extract.raw && !u->fresh)
        status = open_cache(u);
    const bool now = u->plan.keep && graft_tune_gives_features(u) &&
                     !u->fresh;
    if (!status && now)
        u->x = graft_alloc_aligned((size_t)bytes);
    return status || u->x || !now ? status : GRAFT_EMEM;
}

static int tell(const struct graft_tune *u, const char *phase, int done,
                int n)
{
    const struct graft_train_options *o = u->t->o;
    int status = graft_runtime_check(u->t->rt);
    if (!status && o->progress &&
        o->progress(o->progress_ctx, phase, "photos", (uint64_t)done,
                    (uint64_t)n))
        status = graft_fail(GRAFT_ECANCELED, "cancelled");
    return status;
}

static void take_features(const struct graft_tune *u, const float *rows,
                          int first, int n)
{
    const int64_t d = u->u.feature_floats, floats = u->u.floats;
    for (int i = 0; i < n; i++)
        memcpy(u->t->train.x + (first + i) * d, rows + (i + 1) * floats - d,
               (size_t)d * sizeof *rows);
}

int graft_tune_features(struct graft_tune *u)
{
    struct graft_rows *r = &u->t->train;
    const int shard = graft_program_n_max(u->u.program);
    int status = GRAFT_OK;
    if (u->x) {
        status = graft_extract_rows(&u->extract, r->item, r->n, u->x);
        if (!status && !u->extract.raw)
            take_features(u, u->x, 0, r->n);
        graft_extract_release(&u->extract);
        return status;
    }
    u->extract.progress = NULL; /* told here, of all of them */
    for (int first = 0; !status && first < r->n; first += shard) {
        int n = r->n - first < shard ? r->n - first : shard;
        status = tell(u, "features", first, r->n);
        if (!status)
            status = graft_extract_rows(&u->extract, r->item + first, n,
                                        u->rows);
        if (!status && !u->extract.raw)
            take_features(u, u->rows, first, n);
    }
    return status;
}

int graft_tune_keep_rows(struct graft_tune *u)
{
    const struct graft_rows *r = &u->t->train;
    const int64_t floats = u->u.floats;
    if (!u->plan.keep || u->fresh)
        return GRAFT_OK; /* fresh views: graft_tune_keep_held */
    if (u->extract.raw && !u->o.from_scratch) {
        u->extract.phase = "pixels";
        return graft_tune_compute_rows(u);
    }
    for (int i = 0, n = 0; i < r->n; i++)
        if (!r->item[i].failed)
            memmove(u->x + n++ * floats, u->x + i * floats,
                    (size_t)floats * sizeof *u->x);
    return GRAFT_OK;
}

int graft_tune_compute_rows(struct graft_tune *u)
{
    if (!u->plan.keep || u->fresh)
        return GRAFT_OK;
    u->x = graft_alloc_aligned((size_t)u->n * (size_t)u->u.floats *
                               sizeof *u->x);
    if (!u->x)
        return GRAFT_EMEM;
    int status = graft_extract_rows(&u->extract, u->item, u->n, u->x);
    graft_extract_release(&u->extract);
    return status ? status : check_items(u->item, u->n);
}

int graft_tune_keep_held(struct graft_tune *u)
{
    const int64_t floats = u->u.floats;
    if (!u->fresh || !u->plan.keep || !u->n_held)
        return GRAFT_OK;
    const size_t n = (size_t)u->n_held;
    graft_free(u->row_of); /* of another fold */
    graft_free(u->x);
    struct graft_load_item *group = graft_calloc(n, sizeof *group);
    u->row_of = graft_calloc((size_t)u->n, sizeof *u->row_of);
    u->x = graft_alloc_aligned(n * (size_t)floats * sizeof *u->x);
    int status = group && u->row_of && u->x ? GRAFT_OK : GRAFT_EMEM;
    for (int i = 0; !status && i < u->n_held; i++) {
        group[i] = u->item[u->held[i]];
        u->row_of[u->held[i]] = i;
    }
    u->extract.phase = "held-out photos";
    if (!status)
        status = graft_extract_rows(&u->extract, group, u->n_held, u->x);
    if (!status)
        status = check_items(group, u->n_held);
    graft_free(group);
    return status;
}

static void copy_kept(struct graft_tune *u, const int64_t *at, int n)
{
    const int64_t floats = u->u.floats;
    for (int i = 0; i < n; i++) {
        int64_t row = u->row_of ? u->row_of[at[i]] : at[i];
        memcpy(u->rows + i * floats, u->x + row * floats,
               (size_t)floats * sizeof *u->rows);
    }
}

int graft_tune_fetch(struct graft_tune *u, const int64_t *at, int n, int view)
{
    if (u->x && !view) {
        copy_kept(u, at, n);
        return GRAFT_OK;
    }
    struct graft_load_item *group = graft_calloc((size_t)n, sizeof *group);
    if (!group)
        return GRAFT_EMEM;
    for (int i = 0; i < n; i++) {
        group[i] = u->item[at[i]];
        if (view)
            group[i].view = view;
    }
    u->extract.progress = NULL; /* the steps tell theirs */
    int status = graft_extract_rows(&u->extract, group, n, u->rows);
    if (!status)
        status = check_items(group, n);
    graft_free(group);
    return status;
}

/* ---- answers ------------------------------------------------------------- */

static void softmax(double *p, const real *x, int64_t classes)
{
    double most = (double)x[0], sum = 0;
    for (int64_t c = 1; c < classes; c++)
        most = fmax(most, (double)x[c]);
    for (int64_t c = 0; c < classes; c++)
        sum += p[c] = exp((double)x[c] - most);
    for (int64_t c = 0; c < classes; c++)
        p[c] /= sum;
}

/* Of rows 0 .. n-1, no more than a shard. */
static int answer(struct graft_tune *u, double *p, const float *rows, int n)
{
    const int64_t classes = graft_program_classes(u->u.program);
    graft_tunable_put(&u->u, rows, u->u.floats, n);
    graft_program_norm(u->u.program, GRAFT_NORM_RUNNING);
    int status = graft_program_forward(u->u.program, n);
    graft_program_norm(u->u.program, GRAFT_NORM_BATCH);
    struct graft_view v = graft_program_output(u->u.program, 0);
    for (int i = 0; !status && i < n; i++)
        softmax(p + i * classes, graft_reals(&v) + i * classes, classes);
    return status;
}

int graft_tune_known(struct graft_tune *u, double *p, const int64_t *at,
                     int n)
{
    const int shard = graft_program_n_max(u->u.program);
    int status = GRAFT_OK;
    for (int first = 0; !status && first < n; first += shard) {
        int count = n - first < shard ? n - first : shard;
        status = graft_tune_fetch(u, at + first, count, 0);
        if (!status)
            status = answer(u, p + first * graft_program_classes(
                                               u->u.program), u->rows,
                            count);
    }
    return status;
}

/* No more at a time than learnt at a time, which room is planned for. */
static int answer_all(struct graft_tune *u, double *p, const float *rows,
                      int n)
{
    const int most = graft_program_n_max(u->u.program);
    const int shard = most < u->n ? most : u->n;
    const int64_t classes = graft_program_classes(u->u.program);
    int status = GRAFT_OK;
    for (int first = 0; !status && first < n; first += shard) {
        status = graft_runtime_check(u->t->rt);
        if (!status)
            status = answer(u, p + first * classes,
                            rows + first * u->u.floats,
                            n - first < shard ? n - first : shard);
    }
    return status;
}

/* The frozen part and the trained one do not take room at the same time, as
 * while it learnt: rows of as many photos as then are made together. */
static int answer_apart(struct graft_tune *u, double *p,
                        struct graft_load_item *items, int n, int most,
                        float *rows)
{
    const int64_t classes = graft_program_classes(u->u.program);
    int status = GRAFT_OK;
    for (int first = 0; !status && first < n; first += most) {
        int count = n - first < most ? n - first : most;
        graft_program_rest(u->u.program);
        status = tell(u, "val", first, n);
        if (!status)
            status = graft_extract_rows(&u->extract, items + first, count,
                                        rows);
        graft_extract_rest(&u->extract);
        if (!status)
            status = answer_all(u, p + first * classes, rows, count);
    }
    return status;
}

int graft_tune_answer(struct graft_tune *u, double *p,
                      struct graft_load_item *items, int n)
{
    const int shard = graft_program_n_max(u->u.program);
    const int64_t classes = graft_program_classes(u->u.program);
    int status = GRAFT_OK;
    u->extract.progress = NULL; /* told here, of all of them */
    if (u->plan.keep && !u->fresh && u->n <= shard)
        return answer_apart(u, p, items, n, shard, u->rows);
    if (u->plan.keep && !u->fresh) {
        const int most = n < u->n ? n : u->n;
        float *rows = graft_alloc_aligned((size_t)most *
                                          (size_t)u->u.floats *
                                          sizeof *rows);
        status = rows ? answer_apart(u, p, items, n, most, rows)
                      : GRAFT_EMEM;
        graft_free(rows);
        return status;
    }
    for (int first = 0; !status && first < n; first += shard) {
        int count = n - first < shard ? n - first : shard;
        status = tell(u, "val", first, n);
        if (!status)
            status = graft_extract_rows(&u->extract, items + first, count,
                                        u->rows);
        if (!status)
            status = answer_all(u, p + first * classes, u->rows, count);
    }
    return status;
}
