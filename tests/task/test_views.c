/* Views of training photos: recipes, fresh ones, mixed ones; with the same
 * bytes whatever the threads, the cache, and however often a run stopped.
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "onnx/onnx.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "task/tune.h"
#include "test.h"

struct came {
    uint64_t decoded; /* photos and views */
    double log_loss;  /* on val */
    bool tuned;
};

static struct came train_into(struct deep_world *w, const char *name)
{
    w->o.output = little_path(w->folder, name);
    w->o.replace = true;
    struct graft_report *r = deep_train(w);
    struct came c = {r->photos_decoded, r->log_loss,
                     r->tuning && r->tuning->tuned};
    graft_report_free(r);
    return c;
}

static int same(const struct deep_world *w, const char *a, const char *b)
{
    return little_same(little_path(w->folder, a), little_path(w->folder, b));
}

/* The same c3.weight? Files differ in what they say of themselves too. */
static bool same_weights(const struct deep_world *w, const char *a,
                         const char *b)
{
    const char *const path[] = {a, b};
    struct graft_model *m[2] = {NULL, NULL};
    const struct graft_tensor *t[2];
    for (int i = 0; i < 2; i++) {
        assert_ok(graft_onnx_open(&m[i], w->rt,
                                  little_path(w->folder, path[i])));
        graft_value_id v = graft_value_find(m[i], "c3.weight");
        t[i] = &m[i]->tensor.at[m[i]->value.at[v].tensor];
    }
    bool is = !memcmp(t[0]->data, t[1]->data, (size_t)t[0]->bytes);
    graft_graph_free(m[0]);
    graft_graph_free(m[1]);
    return is;
}

/* ---- recipes ------------------------------------------------------------- */

TEST(task_views__of_two_recipes_are_not_mistaken_for_each_other)
{
    static const char *const name[] = {"flip", "standard", "strong"};
    struct deep_world w;
    double before = 0;
    deep_begin(&w, 2, NULL);
    w.o.l2 = 0.01;
    w.o.views = 2;
    usleep(60000); /* files just changed are not noted by the side index */
    struct came own = train_into(&w, "own.onnx");
    assert_int_equal(own.decoded, 3 * 24 + 10);
    for (int i = 0; i < 3; i++) {
        w.o.augment = name[i];
        struct came first = train_into(&w, name[i]);
        assert_int_equal(first.decoded, 2 * 24);
        assert_int_equal(train_into(&w, "again.onnx").decoded, 0);
        assert_true(same(&w, name[i], "again.onnx"));
        w.o.no_cache = true;
        assert_int_equal(train_into(&w, "again.onnx").decoded, 3 * 24 + 10);
        assert_true(same(&w, name[i], "again.onnx"));
        w.o.no_cache = false;
        assert_true(first.log_loss != own.log_loss);
        assert_true(first.log_loss != before);
        before = first.log_loss;
    }
    w.o.augment = NULL;
    assert_int_equal(train_into(&w, "again.onnx").decoded, 0);
    assert_true(same(&w, "own.onnx", "again.onnx"));
    deep_end(&w);
}

TEST(task_views__the_report_names_the_recipe)
{
    struct deep_world w;
    deep_begin(&w, 1, NULL);
    w.o.views = 1;
    struct graft_report *r = deep_train(&w);
    assert_null(r->augment);
    assert_null(strstr(r->json, "augment"));
    graft_report_free(r);
    w.o.output = little_path(w.folder, "strong.onnx");
    w.o.augment = "strong";
    r = deep_train(&w);
    assert_string_equal(r->augment, "strong");
    assert_non_null(strstr(r->json, "\"augment\": \"strong\""));
    assert_int_equal(r->n_train_views, 48);
    graft_report_free(r);
    deep_end(&w);
}

/* ---- fresh ones, and mixed ones ------------------------------------------ */

/* "all" mixes pixels; c3 alone what crosses into it, two values. */
static const char *const words[] = {"all", "name:c3.weight"};

static void same_for_any_threads(struct deep_world *w)
{
    for (int i = 0; i < 2; i++) {
        w->o.tune.unfreeze = words[i];
        w->o.tune.resume = false;
        assert_true(train_into(w, "first.onnx").tuned);
        for (int threads = 1; threads <= 3; threads += 2) {
            deep_threads(w, threads);
            train_into(w, "again.onnx");
            assert_true(same(w, "first.onnx", "again.onnx"));
        }
    }
}

TEST(task_views__fresh_ones_are_drawn_for_each_epoch)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    for (int i = 0; i < 2; i++) {
        w.o.tune.unfreeze = words[i];
        w.o.views = 0;
        w.o.augment = NULL;
        train_into(&w, "plain.onnx");
        w.o.views = GRAFT_VIEWS_FRESH;
        struct came fresh = train_into(&w, "fresh.onnx");
        assert_true(fresh.tuned);
        /* Three epochs of a fifth less, and at most as many of all. */
        assert_true(fresh.decoded > 3 * 19 + 3 * 24 &&
                    fresh.decoded <= 24 + 5 + 3 * 19 + 3 * 24 + 10);
        assert_false(same_weights(&w, "plain.onnx", "fresh.onnx"));
        w.o.augment = "strong";
        train_into(&w, "strong.onnx");
        assert_false(same_weights(&w, "strong.onnx", "fresh.onnx"));
    }
    deep_end(&w);
}

TEST(task_views__fresh_ones_are_the_same_for_any_threads)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    w.o.views = GRAFT_VIEWS_FRESH;
    w.o.augment = "strong";
    same_for_any_threads(&w);
    deep_end(&w);
}

TEST(task_views__mixed_ones_are_the_same_for_any_threads)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    w.o.tune.mixup = 0.4;
    w.o.tune.batch_size = 7; /* odd: one stays alone */
    same_for_any_threads(&w);
    deep_end(&w);
}

TEST(task_views__mixing_changes_what_is_learnt)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    for (int i = 0; i < 2; i++) {
        w.o.tune.unfreeze = words[i];
        w.o.tune.mixup = 0;
        train_into(&w, "plain.onnx");
        w.o.tune.mixup = 0.4;
        train_into(&w, "mixed.onnx");
        assert_false(same_weights(&w, "plain.onnx", "mixed.onnx"));
    }
    deep_end(&w);
}

/* ---- shards -------------------------------------------------------------- */

/* A training whose rows are there, before its first step. */
static void ready(struct graft_training *t, const struct deep_world *w)
{
    *t = (struct graft_training){.rt = w->rt, .o = &w->o};
    graft_str_init(&t->source);
    assert_ok(graft_training_open(t));
    assert_ok(graft_training_list(t));
    assert_ok(graft_training_features(t));
    assert_ok(graft_training_solve(t));
    assert_ok(graft_tune_prepare(t->tune));
    t->tune->subset = t->tune->all;
}

/* Rows and targets of a step of n photos, filled by that many at a time. */
static void fill_by(struct graft_tune *u, float *rows, real *targets, int n,
                    int by)
{
    const int64_t floats = u->u.floats, *batch = u->all + 3;
    for (int first = 0; first < n; first += by) {
        struct graft_shard s = {.program = u->u.program, .epoch = 2,
                                .step = 5, .index = batch + first,
                                .n = n - first < by ? n - first : by,
                                .batch = batch, .n_batch = n};
        assert_ok(graft_tune_fill(u, &s));
        memcpy(rows + first * floats, u->rows,
               (size_t)s.n * (size_t)floats * sizeof *rows);
        memcpy(targets + 2 * first, graft_program_target_rows(s.program),
               (size_t)s.n * 2 * sizeof *targets);
    }
}

static void pairs_ignore_shards(const char *unfreeze, int views)
{
    enum { N = 7 };
    struct deep_world w;
    struct graft_training t;
    real target[2][2 * N];
    deep_begin(&w, 2, unfreeze);
    w.o.views = views;
    w.o.tune.mixup = 0.4;
    w.o.tune.label_smoothing = 0.1;
    ready(&t, &w);
    struct graft_tune *u = t.tune;
    const int most = graft_program_n_max(u->u.program);
    const size_t bytes = N * (size_t)u->u.floats * sizeof(float);
    float *x[2] = {test_malloc(bytes), test_malloc(bytes)};
    assert_true(most >= 3);
    fill_by(u, x[0], target[0], N, 1);
    for (int by = 2; by <= most && by <= N; by++) {
        fill_by(u, x[1], target[1], N, by);
        assert_memory_equal(x[0], x[1], bytes);
        assert_memory_equal(target[0], target[1], sizeof *target);
    }
    /* What one pair is, from its two rows as they are. */
    double part = graft_mixup_lambda(0, 5 * 4 + 1, 0.4);
    assert_ok(graft_tune_fetch(u, u->all + 3 + 2, 2,
                               views == GRAFT_VIEWS_FRESH ? 3 : 0));
    for (int64_t i = 0; i < u->u.crossing.floats; i++)
        assert_near(x[0][2 * u->u.floats + i],
                    part * u->rows[i] +
                        (1 - part) * u->rows[u->u.floats + i], 1e-5);
    for (int i = 0; i < N; i++)
        assert_near(target[0][2 * i] + target[0][2 * i + 1], 1, 1e-6);
    test_free(x[0]);
    test_free(x[1]);
    graft_training_release(&t);
    graft_report_free(t.report);
    deep_end(&w);
}

TEST(task_views__pairs_of_what_crosses_ignore_shards)
{
    pairs_ignore_shards("name:c3.weight", 0);
}
TEST(task_views__pairs_of_fresh_pixels_ignore_shards)
{
    pairs_ignore_shards("all", GRAFT_VIEWS_FRESH);
}

/* ---- stopping and going on ----------------------------------------------- */

/* What of it may not change is named. */
static void refuses_changes(struct deep_world *w)
{
    struct graft_report *r = NULL;
    const struct graft_train_options o = w->o;
    w->o.tune.mixup = 0.3;
    assert_fails(graft_train(&r, w->rt, &w->o), GRAFT_EMISMATCH, "'mixup ");
    w->o = o;
    w->o.augment = "flip";
    assert_fails(graft_train(&r, w->rt, &w->o), GRAFT_EMISMATCH,
                 "'augment strong', now it is 'augment flip'");
    w->o = o;
    w->o.views = 2;
    assert_fails(graft_train(&r, w->rt, &w->o), GRAFT_EMISMATCH,
                 "'views fresh', now it is 'views 2'");
    w->o = o;
}

TEST(task_views__a_stopped_run_goes_on_with_the_same_ones)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    w.o.views = GRAFT_VIEWS_FRESH;
    w.o.augment = "strong";
    w.o.tune.mixup = 0.4;
    w.o.tune.batch_size = 7;
    for (int i = 0; i < 2; i++) {
        w.o.tune.unfreeze = words[i];
        assert_true(train_into(&w, "whole.onnx").tuned);
        const int after[] = {1, 5, 11}; /* 3 steps an epoch, 9 of the try */
        for (int k = 0; k < 3; k++) {
            w.o.output = little_path(w.folder, "parts.onnx");
            w.o.tune.resume = false;
            deep_train_until(&w, after[k]);
            w.o.tune.resume = true;
            refuses_changes(&w);
            deep_threads(&w, 1 + k);
            train_into(&w, "parts.onnx");
            assert_true(same(&w, "whole.onnx", "parts.onnx"));
            w.o.tune.resume = false;
        }
    }
    deep_end(&w);
}

/* ---- what is refused ----------------------------------------------------- */

TEST(task_views__say_what_makes_no_sense)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    deep_begin(&w, 1, NULL);
    w.o.views = GRAFT_VIEWS_FRESH;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "unfreeze");
    w.o.views = -2;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "-2 further views");
    w.o.views = 2;
    w.o.augment = "sepia";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "sepia");
    w.o.augment = "none";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "alike");
    w.o.views = 0;
    w.o.augment = "strong";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "there are none");
    w.o.augment = NULL;
    w.o.tune.mixup = 0.2;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "mixup belongs");
    w.o.tune.unfreeze = "all";
    w.o.tune.mixup = -1;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "mixup: -1");
    assert_null(r);
    w.o.tune.unfreeze = NULL;
    w.o.tune.mixup = 0;
    w.o.augment = "none";
    graft_report_free(deep_train(&w));
    deep_end(&w);
}
