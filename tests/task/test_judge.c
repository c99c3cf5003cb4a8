/* Which photos judge a classifier, and what is said about them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graft/classifier.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
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
    assert_null(strstr(w->said.text, "fell to validation"));
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
