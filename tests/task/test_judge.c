/* Which photos judge a classifier, and what is said about them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graft/classifier.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
#include "report/json.h"
#include "task/little.h"
#include "test.h"

struct said {
    int warnings, infos;
    char text[2048]; /* all lines */
};

static void listen(void *ctx, enum graft_log_level level, const char *text)
{
    struct said *s = ctx;
    size_t n = strlen(s->text);
    *(level == GRAFT_LOG_WARNING ? &s->warnings : &s->infos) += 1;
    snprintf(s->text + n, sizeof s->text - n, "%s\n", text);
}

struct place {
    char folder[128];
    const char *model, *data, *out;
    struct graft_runtime *rt;
    struct said said;
};

static struct graft_runtime *listening(struct place *w, uint64_t limit)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt = NULL;
    o.threads = 2;
    o.cache_dir = little_path(w->folder, "cache");
    o.memory_limit = limit;
    o.log = listen;
    o.log_ctx = &w->said;
    assert_ok(graft_runtime_new(&rt, &o));
    return rt;
}

static void begin(struct place *w)
{
    *w = (struct place){.rt = NULL};
    memcpy(w->folder, test_folder(), sizeof w->folder);
    w->rt = listening(w, 0);
    w->model = graft_strdup(little_path(w->folder, "backbone.onnx"));
    w->data = graft_strdup(little_path(w->folder, "data"));
    w->out = graft_strdup(little_path(w->folder, "out.onnx"));
    little_model(w->rt, w->model, 8, 0, LITTLE_GEMM);
}

static void end(struct place *w)
{
    graft_free((void *)w->model);
    graft_free((void *)w->data);
    graft_free((void *)w->out);
    graft_runtime_free(w->rt);
}

static struct graft_report *train(struct place *w, const char *data)
{
    struct graft_train_options o = GRAFT_TRAIN_OPTIONS;
    struct graft_report *r = NULL;
    o.model = w->model;
    o.data = data;
    o.output = w->out;
    o.seed = 9;
    o.replace = true;
    assert_ok(graft_train(&r, w->rt, &o));
    return r;
}

/* Judged on `data`: which part, how many photos, how many warnings. */
static void judged(struct place *w, const char *data, const char *part,
                   int total, int warnings)
{
    struct graft_report *r = NULL;
    w->said = (struct said){0};
    assert_ok(graft_evaluate(&r, w->rt, w->out, data, NULL));
    assert_string_equal(r->part, part);
    assert_int_equal(r->total, total);
    assert_int_equal(w->said.warnings, warnings);
    assert_null(strstr(w->said.text, "no photo to judge by"));
    graft_report_free(r);
}

/* ---- which photos -------------------------------------------------------- */

TEST(task_judge__photos_to_learn_from_do_not_judge)
{
    struct place w;
    begin(&w);
    little_photos(w.data, "train/red", 1, 0, 12);
    little_photos(w.data, "train/blue", 0, 0, 12);
    little_photos(w.data, "test/red", 1, 100, 3);
    little_photos(w.data, "test/blue", 0, 100, 3);
    graft_report_free(train(&w, w.data));
    judged(&w, w.data, "test", 6, 0);
    little_photos(w.data, "val/red", 1, 200, 2);
    little_photos(w.data, "val/blue", 0, 200, 2);
    judged(&w, w.data, "val", 4, 0);
    end(&w);
}

TEST(task_judge__where_all_are_judged_a_warning_says_so)
{
    struct place w;
    begin(&w);
    little_data(w.data);
    graft_report_free(train(&w, w.data)); /* val is a folder */
    const char *flat = little_path(w.folder, "flat");
    little_photos(flat, "red", 1, 300, 3);
    little_photos(flat, "blue", 0, 300, 3);
    judged(&w, flat, "all", 6, 1);
    assert_non_null(strstr(w.said.text, "may have learnt"));
    end(&w);
}

TEST(task_judge__only_train_is_judged_whole_with_a_warning)
{
    struct place w;
    begin(&w);
    little_photos(w.data, "train/red", 1, 0, 20);
    little_photos(w.data, "train/blue", 0, 0, 20);
    struct graft_report *r = train(&w, w.data);
    assert_true(r->split_from_train);
    judged(&w, w.data, "all", 40, 1);
    graft_report_free(r);
    end(&w);
}

TEST(task_judge__class_folders_are_split_by_the_models_seed)
{
    struct place w;
    begin(&w);
    little_photos(w.data, "red", 1, 0, 20);
    little_photos(w.data, "blue", 0, 0, 20);
    struct graft_report *r = train(&w, w.data);
    assert_true(r->total < 40);
    judged(&w, w.data, "val", r->total, 0);
    assert_non_null(strstr(w.said.text, "split off by seed 9"));
    graft_report_free(r);
    end(&w);
}

/* ---- copies -------------------------------------------------------------- */

TEST(task_judge__copies_in_val_are_counted_aloud)
{
    struct place w;
    begin(&w);
    little_data(w.data);
    graft_report_free(train(&w, w.data));
    assert_int_equal(w.said.warnings, 0);
    little_photos(w.data, "val/red", 1, 0, 2); /* as in train/red */
    graft_report_free(train(&w, w.data));
    assert_int_equal(w.said.warnings, 1);
    assert_non_null(strstr(w.said.text, "2 of 12 photos to judge by are byte "
                                        "for byte"));
    end(&w);
}

/* ---- claims -------------------------------------------------------------- */

/* w->out with the number or text at `key` (in `where`, "" for the whole card)
 * replaced by the JSON `to`, as a new file. */
static const char *forged(struct place *w, const char *where,
                          const char *key, const char *to)
{
    const char *path = little_path(w->folder, "forged.onnx");
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_open(&m, w->rt, w->out));
    json_t *card = json_loads(graft_metadata_get(m, "graft"), 0, NULL);
    json_t *o = *where ? json_object_get(card, where) : card;
    json_object_set_new(o, key, json_loads(to, JSON_DECODE_ANY, NULL));
    char *text = graft_json_write(card, 17);
    assert_non_null(text);
    assert_ok(graft_edit_metadata(m, "graft", text));
    remove(path);
    assert_ok(graft_onnx_save(m, path, NULL));
    graft_graph_free(m);
    graft_free(text);
    return path;
}

TEST(task_judge__altered_claims_do_not_verify)
{
    static const struct {
        const char *key, *to, *said;
    } cases[] = {
        {"log_loss", "1e-9", "log loss 1e-09 claimed"},
        {"log_loss", "null", "log loss nan claimed"},
        {"value", "0.5", "accuracy 0.5 claimed, which is not 11 of 12"},
        {"correct", "10", "10 of 12 claimed, 11 of 12 measured"},
    };
    struct place w;
    begin(&w);
    little_data(w.data);
    little_photos(w.data, "val/blue", 1, 300, 2); /* red ones: a log loss */
    remove(little_path(w.data, "val/blue/301.bmp"));
    little_photos(w.data, "val/red", 1, 300, 1);
    graft_report_free(train(&w, w.data));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct graft_report *r = NULL;
        const char *path = forged(&w, "accuracy", cases[i].key, cases[i].to);
        assert_fails(graft_verify(&r, w.rt, path, w.data, NULL),
                     GRAFT_EMISMATCH, cases[i].said);
        assert_false(r->verified);
        graft_report_free(r);
    }
    end(&w);
}

static void no_answer(void *ctx, const struct graft_prediction *p)
{
    (void)ctx, (void)p;
}

TEST(task_judge__unknown_tasks_are_refused)
{
    struct place w;
    begin(&w);
    little_data(w.data);
    graft_report_free(train(&w, w.data));
    struct graft_report *r = NULL;
    const char *path = forged(&w, "", "task", "\"segment\"");
    const char *said = "task 'segment'; this version knows 'classify'";
    assert_fails(graft_verify(&r, w.rt, path, w.data, NULL),
                 GRAFT_EUNSUPPORTED, said);
    assert_fails(graft_evaluate(&r, w.rt, path, w.data, NULL),
                 GRAFT_EUNSUPPORTED, said);
    assert_fails(graft_predict(w.rt, path, &w.data, 1, NULL, no_answer, NULL),
                 GRAFT_EUNSUPPORTED, said);
    end(&w);
}

/* ---- predicting ---------------------------------------------------------- */

struct answers {
    int given, missed;
    char why[160], missing[256];
};

static void count(void *ctx, const struct graft_prediction *p)
{
    struct answers *a = ctx;
    *(p->why ? &a->missed : &a->given) += 1;
    if (p->why) {
        snprintf(a->why, sizeof a->why, "%s", p->why);
        snprintf(a->missing, sizeof a->missing, "%s", p->file);
    }
}

TEST(task_judge__a_missing_photo_does_not_stop_the_others)
{
    struct place w;
    begin(&w);
    little_data(w.data);
    graft_report_free(train(&w, w.data));
    const char *paths[] = {little_path(w.data, "val/red/100.bmp"),
                           little_path(w.data, "val/red/nowhere.bmp"),
                           little_path(w.data, "val/blue")};
    struct answers a = {0};
    assert_ok(graft_predict(w.rt, w.out, paths, 3, NULL, count, &a));
    assert_int_equal(a.given, 6);
    assert_int_equal(a.missed, 1);
    assert_string_equal(a.missing, paths[1]);
    assert_string_equal(a.why,
                        "cannot be opened: No such file or directory");
    a = (struct answers){0};
    assert_ok(graft_predict(w.rt, w.out, paths + 1, 1, NULL, count, &a));
    assert_int_equal(a.given, 0);
    assert_int_equal(a.missed, 1);
    struct graft_classify_options o = GRAFT_CLASSIFY_OPTIONS;
    o.strict = true;
    a = (struct answers){0};
    assert_fails(graft_predict(w.rt, w.out, paths, 3, &o, count, &a),
                 GRAFT_ENOTFOUND, "nowhere.bmp");
    assert_int_equal(a.given + a.missed, 0);
    end(&w);
}

TEST(task_judge__what_is_assumed_of_other_models_is_said_once)
{
    static const char said[] =
        "assumed: preset imagenet, as the model does not say (--preprocess "
        "changes it); no labels: numbers are class indices (--labels names "
        "them)\n";
    struct place w;
    begin(&w);
    little_data(w.data);
    struct answers a = {0};
    assert_ok(graft_predict(w.rt, w.model, &w.data, 1, NULL, count, &a));
    assert_int_equal(a.given, 34);
    assert_string_equal(w.said.text, said);
    graft_report_free(train(&w, w.data));
    w.said = (struct said){0};
    assert_ok(graft_predict(w.rt, w.out, &w.data, 1, NULL, count, &a));
    assert_string_equal(w.said.text, "");
    end(&w);
}

/* ---- memory -------------------------------------------------------------- */

/* How predicting goes with `spare` bytes above what is held now. */
static int predict_within(struct place *w, uint64_t spare)
{
    struct answers a = {0};
    w->said = (struct said){0};
    w->rt->memory_limit = graft_alloc_stats().live_bytes + spare;
    int status = graft_predict(w->rt, w->model, &w->data, 1, NULL, count, &a);
    assert_int_equal(a.given, status ? 0 : 34);
    return status;
}

TEST(task_judge__a_memory_limit_makes_batches_smaller)
{
    struct place w;
    begin(&w);
    little_data(w.data);
    uint64_t spare = 8 << 20;
    assert_ok(predict_within(&w, spare));
    assert_null(strstr(w.said.text, "at a time"));
    while (spare > 1024 && !strstr(w.said.text, "at a time")) {
        spare -= spare / 8;
        assert_ok(predict_within(&w, spare));
    }
    assert_non_null(strstr(w.said.text, "not 16, for the memory limit"));
    assert_int_equal(predict_within(&w, 1024), GRAFT_ELIMIT);
    end(&w);
}
