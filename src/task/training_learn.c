/* The middle steps of a training: features, head, judgement.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "report/report.h"
#include "task/tune.h"

/* ---- features ------------------------------------------------------------ */

/* `floats`: of a row; 0: no rows are kept. */
static int make_items(struct graft_training *t, struct graft_rows *rows,
                      enum graft_part part, int views, int64_t floats)
{
    size_t n = (size_t)graft_dataset_count(t->data, part) *
               (size_t)(views + 1);
    if (n > INT32_MAX)
        return graft_fail(GRAFT_ELIMIT, "%zu photos and views are too many",
                          n);
    rows->item = graft_calloc(n, sizeof *rows->item);
    rows->label = graft_calloc(n, sizeof *rows->label);
    rows->x = graft_calloc(n, (size_t)floats * sizeof *rows->x);
    if (!rows->item || !rows->label || !rows->x)
        return GRAFT_EMEM;
    for (int i = 0; i < t->data->photo.n; i++) {
        const struct graft_photo *p = &t->data->photo.at[i];
        for (int v = 0; p->part == part && v <= views; v++) {
            rows->label[rows->n] = p->label;
            rows->item[rows->n++] = (struct graft_load_item){
                .root = t->data->root, .file = p->file, .view = v,
                .seed = t->o->seed};
        }
    }
    return GRAFT_OK;
}

static int open_cache(struct graft_training *t)
{
    struct graft_cache_key key = {.floats = t->trunk.floats};
    struct graft_str about;
    graft_str_init(&about);
    graft_str_addf(&about, "%s %s %lld", graft_path_base(t->o->model),
                   t->trunk.cut, (long long)t->trunk.floats);
    key.about = about.at;
    int status = graft_str_ok(&about);
    if (!status)
        status = graft_features_key(&key.hash, &t->extract);
    if (!status)
        status = graft_cache_open(&t->extract.cache, t->rt, &key);
    graft_str_release(&about);
    return status;
}

static int start_extract(struct graft_training *t)
{
    t->extract.rt = t->rt;
    t->extract.model = t->model;
    t->extract.value = t->trunk.features;
    t->extract.floats = t->trunk.floats;
    t->extract.batch = t->o->batch;
    t->extract.progress = t->o->progress;
    t->extract.progress_ctx = t->o->progress_ctx;
    int status = graft_extract_fit(&t->extract);
    return status || t->o->no_cache || t->o->tune.from_scratch
               ? status : open_cache(t);
}

static int extract(struct graft_training *t, struct graft_rows *rows,
                   const char *phase)
{
    t->extract.phase = phase;
    int status = graft_extract_rows(&t->extract, rows->item, rows->n,
                                    rows->x);
    if (!status)
        status = graft_report_item_skips(t->report, rows->item, rows->n,
                                         t->o->strict);
    return status;
}

int graft_training_features(struct graft_training *t)
{
    int status = start_extract(t);
    if (!status)
        status = make_items(t, &t->train, GRAFT_TRAIN,
                            t->o->views > 0 ? t->o->views : 0,
                            t->trunk.floats);
    if (!status && graft_tune_wanted(&t->o->tune)) {
        graft_extract_release(&t->extract); /* its memory is needed */
        status = graft_tune_new(&t->tune, t);
    }
    if (!status && graft_tune_gives_features(t->tune)) {
        status = graft_tune_features(t->tune);
        return status ? status : graft_report_item_skips(
                                     t->report, t->train.item, t->train.n,
                                     t->o->strict);
    }
    if (!status)
        status = extract(t, &t->train, "features");
    return status;
}

/* ---- solve --------------------------------------------------------------- */

static int check_classes(const struct graft_training *t)
{
    for (int c = 0; c < t->data->n_classes; c++) {
        int found = 0;
        for (int i = 0; i < t->train.n; i++)
            found += t->train.label[i] == c && !t->train.item[i].failed;
        if (!found)
            return graft_fail(GRAFT_EDATA, "class '%s' has no photo to train "
                              "on that can be read", t->data->label[c]);
    }
    return GRAFT_OK;
}

/* Rows of photos that could be read move together. */
static int64_t gather(struct graft_training *t, int32_t *label,
                      struct graft_hash *photo, int *view)
{
    int64_t n = 0, d = t->trunk.floats;
    struct graft_rows *r = &t->train;
    for (int i = 0; i < r->n; i++) {
        if (r->item[i].failed)
            continue;
        label[n] = r->label[i];
        photo[n] = r->item[i].hash;
        view[n] = r->item[i].view;
        t->report->n_train += view[n] == 0;
        if (n != i)
            memmove(r->x + n * d, r->x + i * d, (size_t)d * sizeof *r->x);
        n++;
    }
    t->report->n_train_views = (int)n;
    return n;
}

int graft_training_solve(struct graft_training *t)
{
    size_t n = (size_t)t->train.n;
    int32_t *label = graft_calloc(n, sizeof *label);
    struct graft_hash *photo = graft_calloc(n, sizeof *photo);
    int *view = graft_calloc(n, sizeof *view);
    int status = label && photo && view ? check_classes(t) : GRAFT_EMEM;
    if (!status && t->o->progress &&
        t->o->progress(t->o->progress_ctx, "solve", "heads", 0, 1))
        status = graft_fail(GRAFT_ECANCELED, "cancelled");
    if (!status) {
        struct graft_probe_samples s = {
            .x = t->train.x, .d = t->trunk.floats, .label = label,
            .classes = t->data->n_classes, .photo = photo, .view = view};
        struct graft_probe_options o = {.l2 = t->o->l2, .seed = t->o->seed};
        s.n = gather(t, label, photo, view);
        status = t->o->tune.from_scratch
                     ? graft_tune_scratch_head(&t->probe, t)
                     : graft_probe_fit(&t->probe, t->rt, &s, &o);
    }
    graft_free(label);
    graft_free(photo);
    graft_free(view);
    return status;
}

/* ---- beyond the head ----------------------------------------------------- */

int graft_training_tune(struct graft_training *t)
{
    graft_extract_release(&t->extract); /* its memory is needed */
    return t->tune ? graft_tune_run(t->tune) : GRAFT_OK;
}

/* ---- val: opened once, after everything was chosen ----------------------- */

static bool is_tuned(const struct graft_training *t)
{
    return t->tune && t->tune->tuned;
}

/* Probabilities of the photos in val, by what will be written. */
static int answer(struct graft_training *t, double *p)
{
    int status = is_tuned(t) ? graft_tune_answer(t->tune, p, t->val.item,
                                                 t->val.n)
                             : extract(t, &t->val, "val");
    if (!status && is_tuned(t))
        return graft_report_item_skips(t->report, t->val.item, t->val.n,
                                       t->o->strict);
    return status ? status
                  : graft_head_answer(p, t->rt, t->probe,
                                      graft_opset_of(t->model, ""), t->val.x,
                                      t->val.n);
}

static int judge(struct graft_training *t, const double *p)
{
    size_t classes = (size_t)t->data->n_classes;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < t->val.n; i++)
        if (!t->val.item[i].failed)
            status = graft_report_judge(t->report, t->val.item[i].file,
                                        t->val.label[i],
                                        p + (size_t)i * classes);
    graft_report_conclude(t->report);
    return status;
}

static int by_content(const void *pa, const void *pb)
{
    const struct graft_hash *a = pa, *b = pb;
    if (a->hi != b->hi)
        return a->hi < b->hi ? -1 : 1;
    return (a->lo > b->lo) - (a->lo < b->lo);
}

/* A photo that stands on both sides judges nothing but memory. */
static int warn_of_copies(struct graft_training *t)
{
    size_t n = 0;
    int copies = 0, judged = 0;
    struct graft_hash *known = graft_calloc((size_t)t->train.n + 1,
                                            sizeof *known);
    if (!known)
        return GRAFT_EMEM;
    for (int i = 0; i < t->train.n; i++)
        if (!t->train.item[i].failed && !t->train.item[i].view)
            known[n++] = t->train.item[i].hash;
    qsort(known, n, sizeof *known, by_content);
    for (int i = 0; i < t->val.n; i++) {
        if (t->val.item[i].failed)
            continue;
        judged++;
        copies += bsearch(&t->val.item[i].hash, known, n, sizeof *known,
                          by_content) != NULL;
    }
    graft_free(known);
    if (copies)
        graft_log(t->rt, GRAFT_LOG_WARNING, "%d of %d photos to judge by %s "
                  "byte for byte among those to learn from: the accuracy "
                  "says little about new photos", copies, judged,
                  copies == 1 ? "is" : "are");
    return GRAFT_OK;
}

int graft_training_val(struct graft_training *t)
{
    double *p = NULL;
    if (t->tune)
        graft_tune_rest(t->tune);
    int status = make_items(t, &t->val, GRAFT_VAL, 0,
                            is_tuned(t) ? 0 : t->trunk.floats);
    if (!status) {
        p = graft_calloc((size_t)t->val.n,
                         (size_t)t->data->n_classes * sizeof *p);
        status = p ? answer(t, p) : GRAFT_EMEM;
    }
    if (!status)
        status = warn_of_copies(t);
    if (!status)
        status = judge(t, p);
    if (!status && !t->report->total)
        status = graft_fail(GRAFT_EDATA, "none of the %d photos to judge by "
                            "can be read", t->val.n);
    graft_free(p);
    return status;
}
