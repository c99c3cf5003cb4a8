/* From a backbone and pictures to a classifier, and back from its file.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graft/classifier.h"
#include "onnx/onnx.h"
#include "program/program.h"
#include "task/little.h"
#include "test.h"

struct world {
    char folder[128];
    const char *model, *data, *out;
    struct graft_runtime *rt;
};

static void begin(struct world *w, int ir, int batch, enum little_head head)
{
    memcpy(w->folder, test_folder(), sizeof w->folder);
    w->rt = little_runtime(2, little_path(w->folder, "cache"));
    w->model = graft_strdup(little_path(w->folder, "backbone.onnx"));
    w->data = graft_strdup(little_path(w->folder, "data"));
    w->out = graft_strdup(little_path(w->folder, "out.onnx"));
    little_model(w->rt, w->model, ir, batch, head);
    little_data(w->data);
}

static void end(struct world *w)
{
    graft_free((void *)w->model);
    graft_free((void *)w->data);
    graft_free((void *)w->out);
    graft_runtime_free(w->rt);
}

static struct graft_train_options wanted(const struct world *w)
{
    struct graft_train_options o = GRAFT_TRAIN_OPTIONS;
    o.model = w->model;
    o.data = w->data;
    o.output = w->out;
    return o;
}

static struct graft_report *train(const struct world *w,
                                  const struct graft_train_options *o)
{
    struct graft_report *r = NULL;
    assert_ok(graft_train(&r, w->rt, o));
    return r;
}

/* The exported file is opened again, judged on the same val, and verified. */
static void comes_back(const struct world *w, const struct graft_report *r)
{
    struct graft_report *again = NULL;
    assert_ok(graft_evaluate(&again, w->rt, w->out, w->data, NULL));
    assert_int_equal(again->correct, r->correct);
    assert_int_equal(again->total, r->total);
    assert_near(again->log_loss, r->log_loss, 1e-5);
    assert_string_equal(again->part, "val");
    assert_string_equal(again->preprocess, r->preprocess);
    graft_report_free(again);
    assert_ok(graft_verify(&again, w->rt, w->out, w->data, NULL));
    assert_true(again->verified);
    graft_report_free(again);
}

static void trains_and_comes_back(int ir, int batch, enum little_head head)
{
    struct world w;
    begin(&w, ir, batch, head);
    struct graft_train_options o = wanted(&w);
    struct graft_report *r = train(&w, &o);
    assert_int_equal(r->total, 10);
    assert_int_equal(r->correct, 10); /* red and blue: nothing is easier */
    assert_int_equal(r->n_train, 24);
    assert_int_equal(r->features, 8);
    assert_string_equal(r->labels[0], "blue");
    assert_string_equal(r->labels[1], "red");
    assert_int_equal(r->photos_decoded, 34);
    comes_back(&w, r);
    graft_report_free(r);
    end(&w);
}

TEST(task_classify__a_classifiers_head_is_replaced)
{
    trains_and_comes_back(8, 0, LITTLE_GEMM);
}
TEST(task_classify__a_backbone_gets_a_head)
{
    trains_and_comes_back(8, 0, LITTLE_NONE);
}
TEST(task_classify__features_with_height_and_width_are_pooled)
{
    trains_and_comes_back(8, 0, LITTLE_POOL);
}
TEST(task_classify__a_fixed_batch_stays_fixed)
{
    trains_and_comes_back(8, 3, LITTLE_GEMM);
}
/* How many photos the first batch had, and how many batches there were. */
struct steps {
    uint64_t first;
    int n;
};

static int count_steps(void *ctx, const char *phase, const char *things,
                       uint64_t done, uint64_t total)
{
    struct steps *s = ctx;
    (void)things, (void)total;
    if (!strcmp(phase, "features") && done) {
        s->n++;
        s->first = s->first ? s->first : done;
    }
    return 0;
}

/* The same photos through it in as many steps as if any batch would do; the
 * classifier has its own batch, and the same head. */
TEST(task_classify__a_batch_that_a_constant_fixes_is_opened_for_training)
{
    uint64_t first[2];
    double loss[2];
    for (int fixed = 0; fixed < 2; fixed++) {
        struct world w;
        struct steps steps = {0, 0};
        struct graft_model *m = NULL;
        begin(&w, 8, fixed, LITTLE_SHAPE);
        struct graft_train_options o = wanted(&w);
        o.progress = count_steps;
        o.progress_ctx = &steps;
        struct graft_report *r = train(&w, &o);
        comes_back(&w, r);
        assert_ok(graft_onnx_open(&m, w.rt, w.out));
        assert_int_equal(graft_model_fixed_batch(m), fixed);
        assert_int_equal(m->value.at[graft_model_feed(m, 0)].dim->value,
                         fixed ? 1 : -1);
        first[fixed] = steps.first;
        loss[fixed] = r->log_loss;
        graft_graph_free(m);
        graft_report_free(r);
        end(&w);
    }
    assert_true(first[0] > 1);
    assert_int_equal(first[0], first[1]);
    assert_true(loss[0] == loss[1]);
}

TEST(task_classify__ir_3_wants_weights_as_inputs)
{
    trains_and_comes_back(3, 0, LITTLE_POOL);
}

TEST(task_classify__a_warm_run_decodes_nothing_and_writes_the_same_bytes)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    usleep(60000); /* files just changed are not noted by the side index */
    struct graft_train_options o = wanted(&w);
    graft_report_free(train(&w, &o));
    o.output = little_path(w.folder, "again.onnx");
    struct graft_report *r = train(&w, &o);
    assert_int_equal(r->photos_decoded, 0);
    graft_report_free(r);
    assert_true(little_same(w.out, o.output));
    assert_true(little_same(little_path(w.folder, "out.json"),
                            little_path(w.folder, "again.json")));
    o.output = little_path(w.folder, "one.onnx");
    o.no_cache = true;
    graft_runtime_free(w.rt);
    w.rt = little_runtime(1, little_path(w.folder, "cache"));
    r = train(&w, &o);
    assert_int_equal(r->photos_decoded, 34);
    graft_report_free(r);
    assert_true(little_same(w.out, o.output));
    end(&w);
}

TEST(task_classify__views_join_training_only)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    struct graft_train_options o = wanted(&w);
    o.views = 3;
    struct graft_report *r = train(&w, &o);
    assert_int_equal(r->n_train, 24);
    assert_int_equal(r->n_train_views, 96);
    assert_int_equal(r->total, 10);
    assert_int_equal(r->cv_folds, 5);
    comes_back(&w, r);
    graft_report_free(r);
    end(&w);
}

TEST(task_classify__logits_and_external_weights_are_options)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    struct graft_train_options o = wanted(&w);
    o.emit_logits = o.external_data = true;
    o.l2 = 0.5;
    struct graft_report *r = train(&w, &o);
    assert_near(r->l2, 0.5, 0);
    assert_int_equal(r->cv_folds, 0);
    /* All of its weights are below what goes into a second file. */
    assert_false(graft_file_exists(little_path(w.folder, "out.onnx.data")));
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_open(&m, w.rt, w.out));
    assert_string_equal(m->value.at[m->output.at[0]].name, "logits");
    graft_graph_free(m);
    comes_back(&w, r);
    graft_report_free(r);
    end(&w);
}

TEST(task_classify__without_val_a_part_is_split_off_by_seed)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    const char *flat = little_path(w.folder, "flat");
    little_photos(flat, "red", 1, 0, 20);
    little_photos(flat, "blue", 0, 0, 20);
    struct graft_train_options o = wanted(&w);
    o.data = flat;
    o.seed = 9;
    struct graft_report *r = train(&w, &o), *again = NULL;
    assert_true(r->split_from_train);
    assert_int_equal(r->n_train + r->total, 40);
    assert_true(r->total >= 2 && r->total <= 16);
    assert_ok(graft_verify(&again, w.rt, w.out, flat, NULL));
    assert_int_equal(again->total, r->total);
    graft_report_free(again);
    assert_ok(graft_evaluate(&again, w.rt, w.out, flat, NULL));
    assert_string_equal(again->part, "val");
    assert_true(again->split_from_train);
    assert_int_equal(again->total, r->total);
    assert_int_equal(again->correct, r->correct);
    graft_report_free(again);
    assert_fails(graft_verify(&again, w.rt, w.out, w.data, NULL),
                 GRAFT_EDATA, "by seed");
    graft_report_free(r);
    end(&w);
}

TEST(task_classify__other_photos_do_not_verify)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    struct graft_train_options o = wanted(&w);
    graft_report_free(train(&w, &o));
    little_photos(w.data, "val/blue", 1, 300, 1); /* a red one */
    struct graft_report *r = NULL;
    assert_fails(graft_verify(&r, w.rt, w.out, w.data, NULL),
                 GRAFT_EMISMATCH, "10 of 10 claimed, 10 of 11 measured");
    assert_non_null(r);
    assert_false(r->verified);
    assert_int_equal(r->n_mistakes, 1);
    assert_string_equal(r->mistakes[0].file, "val/blue/300.bmp");
    assert_non_null(strstr(r->json, "\"verified\": false"));
    graft_report_free(r);
    r = NULL;
    assert_fails(graft_verify(&r, w.rt, w.model, w.data, NULL), GRAFT_EDATA,
                 "no card");
    assert_null(r);
    end(&w);
}

/* ---- the files ----------------------------------------------------------- */

TEST(task_classify__nothing_is_overwritten_unasked)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    struct graft_train_options o = wanted(&w);
    struct graft_report *r = NULL;
    o.replace = true;
    o.output = w.model;
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_EARG, "the model itself");
    o.replace = false;
    o.output = w.out;
    assert_ok(graft_file_write(little_path(w.folder, "out.report.json"), "x",
                               1, GRAFT_WRITE_NEW));
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_EEXIST, "out.report.json");
    assert_false(graft_file_exists(w.out));
    o.output = little_path(w.folder, "no/where.onnx");
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_EIO, "where");
    o.output = w.out;
    o.replace = true;
    graft_report_free(train(&w, &o));
    assert_false(little_same(w.out, w.model));
    assert_null(r);
    end(&w);
}

TEST(task_classify__the_card_is_inside_and_beside)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    struct graft_train_options o = wanted(&w);
    struct graft_report *r = train(&w, &o);
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_open(&m, w.rt, w.out));
    json_t *inside = json_loads(graft_metadata_get(m, "graft"), 0, NULL);
    json_t *beside = json_load_file(little_path(w.folder, "out.json"), 0,
                                    NULL);
    json_t *report = json_load_file(little_path(w.folder, "out.report.json"),
                                    0, NULL);
    assert_true(inside && beside && report);
    assert_true(json_equal(inside, beside));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(
        report, "val"), "correct")), 10);
    assert_null(strstr(r->json, w.folder)); /* no path of the machine */
    assert_null(strstr(graft_metadata_get(m, "graft"), w.folder));
    char text[32] = {0};
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    assert_ok(graft_file_read(&bytes, &n, little_path(w.folder,
                                                      "out.labels.txt"),
                              sizeof text - 1));
    memcpy(text, bytes, (size_t)n);
    assert_string_equal(text, "blue\nred\n");
    graft_free(bytes);
    json_decref(inside);
    json_decref(beside);
    json_decref(report);
    graft_graph_free(m);
    graft_report_free(r);
    end(&w);
}

/* ---- what cannot be ------------------------------------------------------ */

static int stop(void *ctx, const char *phase, const char *what,
                uint64_t done, uint64_t total)
{
    (void)phase, (void)what, (void)total;
    return done >= *(uint64_t *)ctx;
}

TEST(task_classify__a_cancelled_run_keeps_what_it_has)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    usleep(60000);
    struct graft_train_options o = wanted(&w);
    struct graft_report *r = NULL;
    uint64_t after = 8;
    o.batch = 4;
    o.progress = stop;
    o.progress_ctx = &after;
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_ECANCELED, "cancelled");
    assert_false(graft_file_exists(w.out));
    o.progress = NULL;
    r = train(&w, &o);
    assert_int_equal(r->photos_decoded, 34 - 8);
    graft_report_free(r);
    graft_runtime_cancel(w.rt);
    o.replace = true;
    r = NULL;
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_ECANCELED, "cancelled");
    end(&w);
}

TEST(task_classify__broken_photos_are_named_and_skipped)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    const char *bad = little_path(w.data, "train/red/zzz.bmp");
    assert_ok(graft_file_write(bad, "BM but no more than these words", 31,
                               GRAFT_WRITE_NEW));
    struct graft_train_options o = wanted(&w);
    struct graft_report *r = train(&w, &o);
    assert_int_equal(r->n_train, 24);
    assert_int_equal(r->n_skipped, 1);
    assert_string_equal(r->skipped[0].file, "train/red/zzz.bmp");
    graft_report_free(r);
    o.strict = o.replace = true;
    r = NULL;
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_EDATA, "zzz.bmp");
    end(&w);
}

TEST(task_classify__says_what_is_wrong)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    struct graft_train_options o = wanted(&w);
    struct graft_report *r = NULL;
    o.cut = "conv.weight";
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_ENOTFOUND, "'flat'");
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_ENOTFOUND, "is a weight");
    o.cut = "image";
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_ENOTFOUND, "model's input");
    o.cut = NULL;
    o.model = w.data;
    o.data = w.model;
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_EARG, "comes first");
    o = wanted(&w);
    o.preprocess.width = 17;
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_ESHAPE, "16 wide");
    o.preprocess.width = 0;
    o.decode = "slow";
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_EARG, "slow");
    o.decode = NULL;
    o.views = -1;
    assert_fails(graft_train(&r, w.rt, &o), GRAFT_EARG, "views");
    assert_fails(graft_train(&r, w.rt, NULL), GRAFT_EARG, "options");
    assert_null(r);
    end(&w);
}

/* ---- predicting ---------------------------------------------------------- */

struct heard {
    int n, red, failed;
    char last[64];
};

static void hear(void *ctx, const struct graft_prediction *p)
{
    struct heard *h = ctx;
    h->n++;
    if (p->why) {
        h->failed++;
        return;
    }
    assert_int_equal(p->n, 2);
    assert_near(p->probability[0] + p->probability[1], 1, 1e-6);
    assert_true(p->probability[0] >= p->probability[1]);
    h->red += !strcmp(p->label[0], "red");
    const char *base = graft_path_base(p->file);
    assert_true(strcmp(h->last, base) <= 0); /* byte order */
    strncpy(h->last, base, sizeof h->last - 1);
}

TEST(task_classify__predicts_photos_and_folders)
{
    struct world w;
    begin(&w, 8, 3, LITTLE_GEMM);
    struct graft_train_options o = wanted(&w);
    graft_report_free(train(&w, &o));
    const char *red = little_path(w.data, "val/red");
    assert_ok(graft_file_write(little_path(red, "note.txt"), "not a photo",
                               11, GRAFT_WRITE_NEW));
    struct graft_classify_options c = GRAFT_CLASSIFY_OPTIONS;
    struct heard h = {0};
    c.top = 9; /* more than there are classes */
    assert_ok(graft_predict(w.rt, w.out, &red, 1, &c, hear, &h));
    assert_int_equal(h.n - h.failed, 5);
    assert_int_equal(h.red, 5);
    end(&w);
}

/* A model that Graft did not make: five classes, no labels. */
TEST(task_classify__other_models_need_a_file_of_labels)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    struct graft_report *r = NULL;
    assert_fails(graft_evaluate(&r, w.rt, w.model, w.data, NULL), GRAFT_EDATA,
                 "no labels");
    const char *file = little_path(w.folder, "labels.txt");
    assert_ok(graft_file_write(file, "a\nred\nc\r\nblue\n", 14,
                               GRAFT_WRITE_NEW));
    struct graft_classify_options c = GRAFT_CLASSIFY_OPTIONS;
    c.labels = file;
    assert_fails(graft_evaluate(&r, w.rt, w.model, w.data, &c), GRAFT_EDATA,
                 "4 labels, the model 5");
    assert_ok(graft_file_write(file, "a\nred\nc\r\nblue\ne", 15,
                               GRAFT_WRITE_REPLACE));
    assert_ok(graft_evaluate(&r, w.rt, w.model, w.data, &c));
    assert_int_equal(r->total, 10);
    assert_string_equal(r->labels[2], "c");
    graft_report_free(r);
    end(&w);
}

/* Each 7th allocation of a whole training fails once. */
/* One failure in a training; false: it ended before the nth allocation. A
 * failure that may be survived (a note for the next run, say) must leave a
 * whole file, any other none. */
static bool fail_once(const struct world *w,
                      const struct graft_train_options *o, uint64_t nth)
{
    struct graft_report *r = NULL;
    struct graft_alloc_stats before = graft_alloc_stats();
    remove(w->out);
    graft_alloc_fail_at(nth, 0);
    int status = graft_train(&r, w->rt, o);
    graft_alloc_fail_at(0, 0);
    bool reached = graft_alloc_stats().calls - before.calls >= nth;
    assert_int_equal(graft_file_exists(w->out), status == 0);
    assert_int_equal(r != NULL, status == 0);
    graft_report_free(r);
    assert_true(graft_alloc_stats().live_bytes == before.live_bytes);
    return reached;
}

TEST(task_classify__failed_allocations_leave_nothing_behind)
{
    struct world w;
    begin(&w, 8, 0, LITTLE_GEMM);
    struct graft_train_options o = wanted(&w);
    uint64_t nth = 1;
    o.no_cache = true;
    o.replace = true;
    while (fail_once(&w, &o, nth))
        nth += 7;
    assert_true(nth > 350);
    end(&w);
}
