/* The report as JSON; its keys are listed in graft/train.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/status.h"
#include "report/json.h"
#include "report/report.h"

/* json_pack: "o" takes a reference over and fails for NULL, so that one
 * failed part makes the whole fail, at the end, once. */
#define TEXT(s) graft_json_text(s)
#define REAL(x) graft_json_real(x)

static json_t *classes(const struct graft_report *r)
{
    json_t *list = json_array();
    for (int k = 0; k < r->n_classes; k++) {
        int photos = 0;
        for (int i = 0; i < r->n_classes; i++)
            photos += r->confusion[(int64_t)k * r->n_classes + i];
        json_array_append_new(list, json_pack(
            "{so so so si}", "label", TEXT(r->labels[k]), "precision",
            REAL(r->precision[k]), "recall", REAL(r->recall[k]), "photos",
            photos));
    }
    return list;
}

static json_t *confusion(const struct graft_report *r)
{
    json_t *rows = json_array();
    for (int k = 0; k < r->n_classes; k++) {
        json_t *row = json_array();
        for (int i = 0; i < r->n_classes; i++)
            json_array_append_new(row, json_integer(
                r->confusion[(int64_t)k * r->n_classes + i]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *mistakes(const struct graft_report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->n_mistakes; i++) {
        const struct graft_mistake *m = &r->mistakes[i];
        json_array_append_new(list, json_pack(
            "{so so so so so}", "file", TEXT(m->file), "truth",
            TEXT(m->truth < 0 ? NULL : r->labels[m->truth]), "said",
            TEXT(r->labels[m->said]), "p_said", REAL(m->p_said), "p_truth",
            REAL(m->p_truth)));
    }
    return list;
}

static json_t *val(const struct graft_report *r)
{
    return json_pack(
        "{so si si so so so so si so so}", "part", TEXT(r->part), "correct",
        r->correct, "total", r->total, "accuracy", REAL(r->accuracy),
        "wilson_low", REAL(r->wilson_low), "wilson_high",
        REAL(r->wilson_high), "log_loss", REAL(r->log_loss),
        "without_label", r->judged_without_label, "confusion", confusion(r),
        "mistakes", mistakes(r));
}

json_t *graft_report_note(json_t *object, const char *name, const char *text)
{
    if (text && object && json_object_set_new(object, name, TEXT(text))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *train(const struct graft_report *r)
{
    json_t *j = json_pack(
        "{si si si sI so so sI so}", "photos", r->n_train, "samples",
        r->n_train_views, "views", r->views, "seed", (json_int_t)r->seed,
        "split", TEXT(r->split_from_train ? "seed" : "folder"), "cut",
        TEXT(r->cut), "features", (json_int_t)r->features, "l2",
        REAL(r->l2));
    return graft_report_note(j, "augment", r->augment);
}

static json_t *cross_validation(const struct graft_report *r)
{
    json_t *path = json_array();
    for (int i = 0; i < r->n_cv; i++)
        json_array_append_new(path, json_pack(
            "{so so so}", "l2", REAL(r->cv[i].l2), "log_loss",
            REAL(r->cv[i].log_loss), "accuracy", REAL(r->cv[i].accuracy)));
    return json_pack("{si so so so}", "folds", r->cv_folds, "log_loss",
                     REAL(r->cv_log_loss), "accuracy", REAL(r->cv_accuracy),
                     "path", path);
}

static json_t *claim(const struct graft_report *r)
{
    return json_pack("{si si sb so}", "correct", r->claimed_correct, "total",
                     r->claimed_total, "verified", r->verified, "verdict",
                     TEXT(r->verdict));
}

static json_t *skipped(const struct graft_report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->n_skipped; i++)
        json_array_append_new(list, json_pack(
            "{so so}", "file", TEXT(r->skipped[i].file), "why",
            TEXT(r->skipped[i].why)));
    return list;
}

static json_t *phases(const struct graft_report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->n_phases; i++)
        json_array_append_new(list, json_pack(
            "{so so}", "name", TEXT(r->phases[i].name), "seconds",
            REAL(r->phases[i].seconds)));
    return list;
}

static json_t *tried(const struct graft_tuning *t)
{
    json_t *list = json_array();
    for (int i = 0; i < t->n_tried; i++) {
        const struct graft_tried *x = &t->tried[i];
        json_array_append_new(list, json_pack(
            "{so so si so si si si so so so so so}", "unfreeze",
            TEXT(x->unfreeze), "learning_rate", REAL(x->learning_rate),
            "epochs", x->epochs, "photos", TEXT(x->deciding ? "decide"
                                                            : "choose"),
            "held_out", x->held_out, "probe_errors", x->probe_errors,
            "errors", x->errors, "probe_log_loss", REAL(x->probe_log_loss),
            "log_loss", REAL(x->log_loss), "difference", REAL(x->difference),
            "standard_error", REAL(x->standard_error), "skipped",
            TEXT(x->skipped)));
    }
    return list;
}

json_t *graft_report_tuning(const struct graft_report *r)
{
    const struct graft_tuning *t = r->tuning;
    json_t *j = json_pack(
        "{so so si si sI so so si si si so so so so so so si sb}", "unfreeze",
        TEXT(t->unfreeze), "freeze", TEXT(t->freeze), "parameters",
        t->parameters, "head_parameters", t->head_parameters, "elements",
        (json_int_t)t->elements, "optimizer", TEXT(t->optimizer),
        "learning_rate", REAL(t->learning_rate), "epochs", t->epochs,
        "best_epoch", t->best_epoch, "held_out", t->held_out,
        "probe_log_loss", REAL(t->probe_log_loss), "tuned_log_loss",
        REAL(t->tuned_log_loss), "difference", REAL(t->difference),
        "standard_error", REAL(t->standard_error), "chosen",
        TEXT(t->tuned ? "tuned" : "probe"), "bn",
        TEXT(t->bn ? t->bn : "frozen"), "normalisations", t->normalisations,
        "from_scratch", t->from_scratch);
    j = graft_report_note(j, "views", t->fresh_views ? "fresh" : NULL);
    if (j && ((t->mixup > 0 &&
               json_object_set_new(j, "mixup", REAL(t->mixup))) ||
              (t->automatic &&
               (json_object_set_new(j, "auto", json_true()) ||
                json_object_set_new(j, "reason", TEXT(t->reason)) ||
                json_object_set_new(j, "tried", tried(t)))))) {
        json_decref(j);
        j = NULL;
    }
    return j;
}

int graft_report_set_json(struct graft_report *r)
{
    json_t *root = json_pack(
        "{so so so so so so}", "schema", TEXT("graft-report/1"), "kind",
        TEXT(r->kind), "graft", TEXT(graft_version()), "model",
        TEXT(r->model), "classes", classes(r), "val", val(r));
    int bad = !root;
    if (r->cut) {
        bad |= json_object_set_new(root, "train", train(r));
        bad |= json_object_set_new(root, "cv", cross_validation(r));
    }
    if (r->tuning)
        bad |= json_object_set_new(root, "tune", graft_report_tuning(r));
    if (r->verdict)
        bad |= json_object_set_new(root, "claim", claim(r));
    bad |= json_object_set_new(root, "preprocess", json_pack(
        "{so so}", "words", TEXT(r->preprocess), "source",
        TEXT(r->preprocess_source)));
    bad |= json_object_set_new(root, "skipped", skipped(r));
    bad |= json_object_set_new(root, "photos_decoded",
                               json_integer((json_int_t)r->photos_decoded));
    bad |= json_object_set_new(root, "seconds", REAL(r->seconds));
    bad |= json_object_set_new(root, "phases", phases(r));
    bad |= json_object_set_new(root, "peak_bytes",
                               json_integer((json_int_t)r->peak_bytes));
    if (r->planned_bytes)
        bad |= json_object_set_new(root, "planned_bytes", json_integer(
            (json_int_t)r->planned_bytes));
    if (bad) {
        json_decref(root);
        root = NULL;
    }
    char *text = graft_json_write(root, 9);
    if (!text)
        return GRAFT_EMEM;
    graft_free(r->json);
    r->json = text;
    return GRAFT_OK;
}
