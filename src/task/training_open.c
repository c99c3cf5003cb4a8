/* The first steps of a training: the model, where to cut it, the photos.
 * Everything that can be refused without work is refused here.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/io.h"
#include "onnx/onnx.h"
#include "report/report.h"
#include "task/batch.h"
#include "task/tune.h"

/* ---- open ---------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat st;
    return !graft_io_stat(path, &st) && S_ISDIR(st.st_mode);
}

/* A recipe without views, or views without a difference, would do nothing,
 * silently. */
static int take_views(struct graft_training *t)
{
    const struct graft_train_options *o = t->o;
    const bool fresh = o->views == GRAFT_VIEWS_FRESH;
    if (fresh && !graft_tune_wanted(&o->tune))
        return graft_fail(GRAFT_EARG, "fresh views belong to fine-tuning: "
                          "unfreeze says what is trained; the head alone "
                          "learns from a fixed number of views");
    if (!fresh && (o->views < 0 || o->views > 1000))
        return graft_fail(GRAFT_EARG, "%d further views; 0 to 1000 are "
                          "possible", o->views);
    int status = o->augment ? graft_augment_named(&t->augment, o->augment)
                            : GRAFT_OK;
    if (status || !o->augment)
        return status;
    t->extract.augment = &t->augment;
    if (graft_augment_changes(&t->augment) == (o->views != 0))
        return GRAFT_OK;
    return o->views ? graft_fail(GRAFT_EARG, "augmentation '%s' makes all "
                                 "views alike: views can only be 0 with it",
                                 o->augment)
                    : graft_fail(GRAFT_EARG, "augmentation '%s' changes "
                                 "views, and there are none: views says how "
                                 "many, or that fine-tuning draws fresh ones",
                                 o->augment);
}

static int check_options(const struct graft_train_options *o)
{
    if (!o->model || !o->data)
        return graft_fail(GRAFT_EARG, "training needs a model and a folder "
                          "of photos");
    if (is_folder(o->model) && !is_folder(o->data))
        return graft_fail(GRAFT_EARG, "'%s' is a folder and '%s' is not: the "
                          "model comes first, then the photos", o->model,
                          o->data);
    if (o->batch < 0 || o->batch > 4096)
        return graft_fail(GRAFT_EARG, "a batch of %d photos; 1 to 4096 are "
                          "possible", o->batch);
    if (isnan(o->l2) || isinf(o->l2))
        return graft_fail(GRAFT_EARG, "l2 is not a number");
    return graft_tune_check(&o->tune);
}

/* Photos go through in full batches where the file would have one at a time.
 * What is written has the file's own batch again. */
static int widen(struct graft_training *t)
{
    const int fixed = graft_model_fixed_batch(t->model);
    int status = fixed ? graft_batch_open(&t->narrow, t->model) : GRAFT_OK;
    if (!status || status == GRAFT_EMEM || status == GRAFT_ECANCELED)
        return status;
    graft_log(t->rt, GRAFT_LOG_INFO, "%d photo%s at a time, because %s",
              fixed, fixed == 1 ? "" : "s", graft_error_message());
    return GRAFT_OK;
}

int graft_training_open(struct graft_training *t)
{
    int status = check_options(t->o);
    if (!status)
        status = take_views(t);
    if (!status)
        status = graft_onnx_open(&t->model, t->rt, t->o->model);
    if (!status && t->o->output)
        status = graft_outputs_init(&t->out, t->o->output, t->o->replace,
                                    t->o->external_data);
    if (!status && t->o->output)
        status = graft_outputs_check(&t->out, t->model);
    if (!status)
        status = graft_tune_check_folder(t);
    if (!status && !t->o->preprocess.preset)
        status = graft_card_of(&t->card, t->model);
    if (!status)
        status = graft_choose_preprocess(&t->extract.preprocess, &t->source,
                                         t->model, t->card,
                                         &t->o->preprocess);
    if (!status)
        status = graft_choose_decode(&t->extract.exact, t->o->decode);
    if (!status)
        status = graft_trunk_make(&t->trunk, t->model, t->rt, t->o->cut);
    if (!status && t->o->tune.from_scratch)
        status = graft_scratch(t->model, t->rt, t->o->seed);
    return status;
}

/* ---- ready --------------------------------------------------------------- */

static int adapt(struct graft_training *t)
{
    struct graft_adapt a = {
        .rt = t->rt, .model = t->model, .data = t->data,
        .preprocess = &t->extract.preprocess, .exact = t->extract.exact,
        .strict = t->o->strict, .progress = t->o->progress,
        .progress_ctx = t->o->progress_ctx};
    int status = graft_adapt(&a);
    t->adapted = a.normalisations;
    if (!status)
        graft_log(t->rt, GRAFT_LOG_INFO, "%d normalisations have the "
                  "statistics of %d photos", a.normalisations, a.photos);
    return status;
}

int graft_training_ready(struct graft_training *t)
{
    enum graft_norms norms;
    int status = graft_norms_of(&norms, t->o->tune.bn);
    if (!status && norms == GRAFT_NORMS_ADAPT)
        status = adapt(t);
    return status ? status : widen(t);
}

/* ---- list ---------------------------------------------------------------- */

/* Labels go into JSON and a file of lines. */
static int check_label(const char *s)
{
    json_t *j = json_string(s);
    bool bad = !j || strpbrk(s, "\r\n");
    json_decref(j);
    if (bad)
        return graft_fail(GRAFT_EDATA, "class folder '%s': its name is not "
                          "UTF-8 on one line, so it cannot be a label", s);
    return GRAFT_OK;
}

int graft_training_list(struct graft_training *t)
{
    struct graft_dataset_options o = {.seed = t->o->seed,
                                      .no_index = t->o->no_cache};
    int status = graft_dataset_open_with(&t->data, t->rt, t->o->data, &o);
    for (int i = 0; !status && i < t->data->n_classes; i++)
        status = check_label(t->data->label[i]);
    if (status)
        return status;
    if (!graft_dataset_count(t->data, GRAFT_VAL))
        return graft_fail(GRAFT_EDATA, "'%s' has no photo to judge by in "
                          "val", t->o->data);
    status = graft_report_new(&t->report, t->data->label,
                              t->data->n_classes);
    if (!status)
        status = graft_report_dataset_skips(t->report, t->data, GRAFT_TRAIN);
    if (!status)
        status = graft_report_dataset_skips(t->report, t->data, GRAFT_VAL);
    if (!status && t->o->strict && t->report->n_skipped)
        status = graft_fail(GRAFT_EDATA, "'%s' cannot be used: %s",
                            t->report->skipped[0].file,
                            t->report->skipped[0].why);
    return status;
}
