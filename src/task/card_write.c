/* Writing a card. Nothing in it depends on when, where or by whom.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "report/json.h"
#include "report/report.h"
#include "task/card.h"

#define TEXT(s) graft_json_text(s)
#define REAL(x) graft_json_real(x)

static json_t *io(const struct graft_value *v)
{
    json_t *shape = json_array();
    for (int i = 0; i < v->rank; i++)
        json_array_append_new(shape, v->dim[i].value >= 0
                                         ? json_integer(v->dim[i].value)
                                         : TEXT(v->dim[i].param));
    return json_pack("{so so}", "name", TEXT(v->name), "shape", shape);
}

static json_t *numbers(const float *v, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, REAL((double)v[i]));
    return list;
}

const char *const graft_fit_names[] = {"crop", "squash", "pad", NULL};

static json_t *preprocess(const struct graft_preprocess *p)
{
    struct graft_str words;
    graft_str_init(&words);
    graft_preprocess_words(p, &words);
    json_t *j = json_pack(
        "{so si si so si si so so so so so so}", "words", TEXT(words.at),
        "width", p->width, "height", p->height, "fit",
        TEXT(graft_fit_names[p->fit]), "resize", p->resize, "channels",
        p->channels, "order",
        TEXT(p->channels == 1 ? "grey" : p->bgr ? "bgr" : "rgb"), "mean",
        numbers(p->mean, 3), "std", numbers(p->std, 3), "pad_value",
        REAL((double)p->pad_value), "formula",
        TEXT("x = (pixel_0_to_255 - mean) / std"), "resampling",
        TEXT("bilinear, antialiased, as Pillow"));
    if (graft_str_ok(&words)) {
        json_decref(j);
        j = NULL;
    }
    graft_str_release(&words);
    return j;
}

static json_t *accuracy(const struct graft_report *r, bool exact)
{
    const char *how = r->split_from_train
        ? "on 20 % of each class, split off by a hash of seed and content, "
          "not used for training or for any choice"
        : "on the val folder, not used for training or for any choice";
    return json_pack(
        "{si si so so so so so so so so}", "correct", r->correct, "total",
        r->total, "value", REAL(r->accuracy), "wilson_low",
        REAL(r->wilson_low), "wilson_high", REAL(r->wilson_high), "log_loss",
        REAL(r->log_loss), "part", TEXT(r->part), "split",
        TEXT(r->split_from_train ? "seed" : "folder"), "decode",
        TEXT(exact ? "exact" : "fast"), "how", TEXT(how));
}

static json_t *training(const struct graft_report *r)
{
    json_t *j = json_pack(
        "{si si si so sI so so si so so}", "photos", r->n_train, "samples",
        r->n_train_views, "views", r->views, "cut", TEXT(r->cut), "features",
        (json_int_t)r->features, "solver",
        TEXT(r->tuning && r->tuning->from_scratch ? NULL : "lbfgs"), "l2",
        REAL(r->l2),
        "cv_folds", r->cv_folds, "cv_log_loss", REAL(r->cv_log_loss),
        "cv_accuracy", REAL(r->cv_accuracy));
    return graft_report_note(j, "augment", r->augment);
}

static json_t *labels(const struct graft_report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->n_classes; i++)
        json_array_append_new(list, TEXT(r->labels[i]));
    return list;
}

int graft_card_write(char **out, const struct graft_card_facts *f)
{
    const struct graft_report *r = f->report;
    json_t *output = io(f->output);
    json_object_set_new(output, "kind",
                        TEXT(f->logits ? "logits" : "probabilities"));
    json_t *root = json_pack(
        "{so so so so so so so so sI s{so}}", "schema",
        TEXT("graft-card/1"), "task", TEXT("classify"), "labels", labels(r),
        "input", io(f->input), "output", output, "preprocess",
        preprocess(f->preprocess), "accuracy", accuracy(r, f->exact),
        "training", training(r), "seed", (json_int_t)r->seed, "versions",
        "graft", TEXT(graft_version()));
    if (root && r->tuning &&
        json_object_set_new(root, "tune", graft_report_tuning(r))) {
        json_decref(root);
        root = NULL;
    }
    char *text = graft_json_write(root, 9);
    if (!text)
        return GRAFT_EMEM;
    *out = text;
    return GRAFT_OK;
}
