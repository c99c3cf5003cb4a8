/* graft_train: from a backbone and a folder of photos to a classifier.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "graph/edit.h"
#include "report/report.h"
#include "task/tune.h"

/* ---- the report ---------------------------------------------------------- */

static int report_path(struct graft_report *r, const struct graft_probe *p)
{
    r->l2 = p->l2;
    r->cv_folds = p->folds;
    if (!p->folds)
        return GRAFT_OK;
    r->cv = graft_calloc(GRAFT_PROBE_PATH, sizeof *r->cv);
    if (!r->cv)
        return GRAFT_EMEM;
    r->n_cv = GRAFT_PROBE_PATH;
    for (int i = 0; i < r->n_cv; i++)
        r->cv[i] = (struct graft_cv_point){
            p->path[i].l2, p->path[i].log_loss, p->path[i].accuracy};
    r->cv_log_loss = p->path[p->chosen].log_loss;
    r->cv_accuracy = p->path[p->chosen].accuracy;
    return GRAFT_OK;
}

static int fill_report(struct graft_training *t)
{
    struct graft_report *r = t->report;
    r->kind = "train";
    r->n_val = r->total;
    r->split_from_train = t->data->split;
    r->features = t->trunk.floats;
    r->seed = t->o->seed;
    r->views = t->o->views > 0 ? t->o->views : 0;
    r->photos_decoded = t->extract.decoded +
                        (t->tune ? graft_tune_decoded(t->tune) : 0);
    r->cut = graft_strdup(t->trunk.cut);
    r->model = graft_strdup(graft_path_base(t->o->model));
    r->augment = t->o->augment ? graft_strdup(t->o->augment) : NULL;
    int status = r->cut && r->model && !r->augment == !t->o->augment
                     ? GRAFT_OK : GRAFT_EMEM;
    if (!status)
        status = report_path(r, t->probe);
    if (!status)
        status = graft_report_preprocess(r, &t->extract.preprocess,
                                         t->source.at);
    r->peak_bytes = graft_peak_memory();
    r->planned_bytes = t->tune ? (uint64_t)t->tune->most : 0;
    r->seconds = graft_clock() - t->started;
    return status ? status : graft_report_set_json(r);
}

/* ---- write --------------------------------------------------------------- */

static int write_files(struct graft_training *t)
{
    char *card = NULL;
    graft_extract_release(&t->extract); /* its program reads the model */
    if (t->narrow)
        graft_undo_back(t->narrow);
    int status = t->tune && t->tune->tuned
        ? graft_tune_store(t->tune, t->model, t->trunk.features)
        : graft_head_append(t->model, t->trunk.features, t->probe,
                            t->o->emit_logits);
    if (!status) {
        graft_value_id feed = graft_model_feed(t->model, 0);
        struct graft_card_facts f = {
            .report = t->report, .preprocess = &t->extract.preprocess,
            .input = &t->model->value.at[feed],
            .output = &t->model->value.at[t->model->output.at[0]],
            .logits = t->o->emit_logits, .exact = t->extract.exact};
        status = graft_card_write(&card, &f);
    }
    if (!status)
        status = graft_edit_metadata(t->model, "graft", card);
    if (!status)
        status = graft_outputs_write(&t->out, t->model, t->report, card);
    graft_free(card);
    return status;
}

/* ---- all of it ----------------------------------------------------------- */

static int timed(struct graft_training *t, const char *name, int status)
{
    double now = graft_clock();
    if (!status && t->report)
        status = graft_report_phase(t->report, name, now - t->phase);
    t->phase = now;
    return status;
}

void graft_training_release(struct graft_training *t)
{
    graft_cache_close(t->extract.cache);
    graft_extract_release(&t->extract);
    struct graft_rows *both[] = {&t->train, &t->val};
    for (int i = 0; i < 2; i++) {
        graft_free(both[i]->item);
        graft_free(both[i]->label);
        graft_free(both[i]->x);
    }
    graft_tune_free(t->tune);
    graft_probe_free(t->probe);
    graft_dataset_free(t->data);
    graft_card_free(t->card);
    graft_free(t->trunk.cut);
    graft_undo_free(t->narrow);
    graft_str_release(&t->source);
    graft_outputs_release(&t->out);
    graft_graph_free(t->model);
}

static int run(struct graft_training *t)
{
    int status = graft_training_open(t);
    double opened = graft_clock() - t->started;
    t->phase = graft_clock();
    if (!status)
        status = graft_training_list(t);
    if (!status)
        status = graft_report_phase(t->report, "open", opened);
    status = timed(t, "list", status);
    if (!status)
        status = graft_training_ready(t);
    if (t->adapted)
        status = timed(t, "adapt", status);
    if (!status)
        status = timed(t, "features", graft_training_features(t));
    if (!status)
        status = timed(t, "solve", graft_training_solve(t));
    if (!status)
        status = graft_training_tune(t);
    if (!status && t->tune)
        status = timed(t, "tune", status);
    if (!status)
        status = timed(t, "val", graft_training_val(t));
    if (!status && t->extract.cache && t->extract.decoded)
        status = graft_cache_trim(t->extract.cache);
    if (!status)
        status = fill_report(t);
    status = timed(t, "write", status);
    if (!status && t->o->output)
        status = write_files(t);
    if (!status && t->tune)
        graft_tune_done(t->tune);
    if (!status) /* with files in place nothing may fail any more */
        t->report->phases[t->report->n_phases - 1].seconds +=
            graft_clock() - t->phase;
    return status;
}

int graft_classify_train(struct graft_report **out, struct graft_runtime *rt,
                         const struct graft_train_options *o)
{
    struct graft_training t = {.rt = rt, .o = o, .started = graft_clock()};
    graft_str_init(&t.source);
    const uint64_t own = graft_alloc_stats().live_bytes;
    const uint64_t all = graft_memory_now();
    t.base = all > own ? (int64_t)(all - own) : 0;
    int status = run(&t);
    graft_training_release(&t);
    if (status) {
        graft_report_free(t.report);
        return status;
    }
    *out = t.report;
    return GRAFT_OK;
}
