/* --unfreeze auto: says what it tried, keeps the probe where nothing is
 * gained, and comes to the same bytes however it is run.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "test.h"

/* The probe is held back, so that it can be beaten. */
static void auto_begin(struct deep_world *w, int threads)
{
    deep_begin(w, threads, "auto");
    w->o.tune.learning_rate = 0;
    w->o.tune.epochs = 6;
    w->o.tune.seconds = 1e6;
}

TEST(task_tune_auto__tries_depths_and_rates_and_says_so)
{
    struct deep_world w;
    auto_begin(&w, 2);
    struct graft_report *r = deep_train(&w), *again = NULL;
    const struct graft_tuning *t = r->tuning;
    assert_true(t->automatic);
    assert_true(t->tuned);
    assert_null(t->reason);
    assert_true(t->n_tried >= 4); /* two depths, a rate, the decision */
    assert_string_equal(t->tried[0].unfreeze, "last-stage");
    assert_string_equal(t->tried[1].unfreeze, "all");
    for (int i = 0; i < t->n_tried; i++) {
        const struct graft_tried *x = &t->tried[i];
        assert_int_equal(x->deciding, i == t->n_tried - 1);
        assert_null(x->skipped);
        assert_int_equal(x->epochs, 6);
        assert_near(x->probe_log_loss - x->log_loss, x->difference, 1e-12);
    }
    const struct graft_tried *last = &t->tried[t->n_tried - 1];
    assert_string_equal(last->unfreeze, t->unfreeze);
    assert_true(last->learning_rate > 0.00025); /* 0.001 of 32 photos, by 8 */
    assert_true(last->difference > last->standard_error);
    /* 24 photos: two folds chose, three decided. */
    assert_int_equal(t->tried[0].held_out + last->held_out, 24);
    assert_int_equal(t->held_out, last->held_out);
    assert_non_null(strstr(r->json, "\"auto\": true"));
    assert_non_null(strstr(r->json, "\"photos\": \"decide\""));
    assert_ok(graft_evaluate(&again, w.rt, w.out, w.data, NULL));
    assert_near(again->log_loss, r->log_loss, 1e-5);
    graft_report_free(again);
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_tune_auto__keeps_the_probe_where_nothing_is_gained)
{
    struct deep_world w;
    auto_begin(&w, 2);
    w.o.tune.learning_rate = 1e-12;
    struct graft_report *r = deep_train(&w);
    assert_false(r->tuning->tuned);
    assert_non_null(r->tuning->reason);
    assert_non_null(strstr(r->json, "\"chosen\": \"probe\""));
    graft_report_free(r);
    const char *file = w.out;
    w.o.output = little_path(w.folder, "head.onnx");
    w.o.tune = (struct graft_tune_options)GRAFT_TUNE_OPTIONS;
    graft_report_free(deep_train(&w));
    assert_ok(graft_evaluate(&r, w.rt, file, w.data, NULL));
    struct graft_report *head = NULL;
    assert_ok(graft_evaluate(&head, w.rt, w.o.output, w.data, NULL));
    assert_true(memcmp(&r->log_loss, &head->log_loss, sizeof(double)) == 0);
    graft_report_free(r);
    graft_report_free(head);
    deep_end(&w);
}

/* Red and blue are told apart by any features: no mistake is made, unless the
 * head is held back. Words are tried in spite of that. */
TEST(task_tune_auto__a_probe_without_mistakes_is_left_alone)
{
    struct deep_world w;
    auto_begin(&w, 2);
    w.o.l2 = -1;
    struct graft_report *r = deep_train(&w);
    assert_near(r->cv_accuracy, 1, 0);
    assert_int_equal(r->tuning->n_tried, 0);
    assert_false(r->tuning->tuned);
    assert_non_null(strstr(r->tuning->reason, "no mistake"));
    graft_report_free(r);
    w.o.tune.unfreeze = "last-stage";
    w.o.output = little_path(w.folder, "asked.onnx");
    r = deep_train(&w);
    assert_true(r->tuning->epochs > 0);
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_tune_auto__what_diverges_is_passed_over)
{
    struct deep_world w;
    auto_begin(&w, 2);
    w.o.tune.learning_rate = 900;
    w.o.tune.clip = 0;
    struct graft_report *r = deep_train(&w);
    assert_false(r->tuning->tuned);
    assert_non_null(strstr(r->json, "finite"));
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_tune_auto__no_time_keeps_the_probe)
{
    struct deep_world w;
    auto_begin(&w, 2);
    w.o.tune.seconds = 1e-9;
    struct graft_report *r = deep_train(&w);
    assert_false(r->tuning->tuned);
    assert_int_equal(r->tuning->tried[0].held_out, 0);
    assert_non_null(strstr(r->tuning->tried[0].skipped, "time"));
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_tune_auto__threads_change_no_byte)
{
    struct deep_world w;
    auto_begin(&w, 1);
    graft_report_free(deep_train(&w));
    deep_threads_change_nothing(&w);
    deep_end(&w);
}

/* ---- stopping and going on ----------------------------------------------- */

TEST(task_tune_auto__to_resume_is_never_to_have_stopped)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    auto_begin(&w, 2);
    /* Within the first run, at its end, in later ones, in the last part. */
    const int steps = deep_train_counting(&w);
    const int after[] = {1, 18, 19, 40, 100, steps - 20, steps - 2};
    for (int i = 0; i < 7; i++) {
        char name[16];
        snprintf(name, sizeof name, "o%d.onnx", i);
        w.o.output = little_path(w.folder, name);
        w.o.tune.resume = false;
        deep_train_until(&w, after[i]);
        w.o.tune.resume = true;
        w.o.tune.unfreeze = "all";
        assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EMISMATCH,
                     "unfreeze");
        w.o.tune.unfreeze = "auto";
        w.o.tune.momentum = 0.5;
        assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EMISMATCH,
                     "momentum");
        w.o.tune.momentum = -1;
        deep_threads(&w, 1 + i % 3);
        /* Twice stopped. */
        if (after[i] < steps - 3)
            deep_train_until(&w, 3);
        graft_report_free(deep_train(&w));
        assert_true(little_same(w.out, w.o.output));
    }
    deep_end(&w);
}

static int stop_in_rates(void *ctx, const char *phase, const char *things,
                         uint64_t done, uint64_t total)
{
    (void)ctx, (void)things, (void)total;
    return done && !strcmp(phase, "tuning, try-5");
}

/* Where no depth was ahead, a given rate leaves nothing to try. */
TEST(task_tune_auto__a_rate_given_later_is_refused)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    auto_begin(&w, 2);
    w.o.tune.label_smoothing = 1; /* makes everything worse */
    w.o.tune.optimizer = "adamw";
    w.o.l2 = 0.3;
    w.o.progress = stop_in_rates;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_ECANCELED, "");
    w.o.progress = NULL;
    w.o.tune.resume = true;
    w.o.tune.learning_rate = 0.01;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EMISMATCH,
                 "nothing is left");
    w.o.tune.learning_rate = 0;
    r = deep_train(&w);
    assert_false(r->tuning->tuned);
    assert_true(r->tuning->n_tried > 2);
    graft_report_free(r);
    deep_end(&w);
}

/* ---- val ----------------------------------------------------------------- */

TEST(task_tune_auto__val_is_closed_until_the_end)
{
    struct deep_world w;
    auto_begin(&w, 2);
    deep_train_without_val(&w);
    deep_end(&w);
}

/* ---- what is refused ----------------------------------------------------- */

TEST(task_tune_auto__stands_alone)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    struct graft_unfreezing *x = NULL;
    auto_begin(&w, 1);
    w.o.tune.unfreeze = "bias,auto";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "stands alone");
    w.o.tune.unfreeze = "auto,all";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "stands alone");
    assert_fails(graft_inspect_unfreeze(&x, w.rt, w.model, NULL, "auto", NULL,
                                        0), GRAFT_EARG, "graft train");
    deep_end(&w);
}

/* A word that names nothing is no depth that the network lacks. */
TEST(task_tune_auto__words_beside_it_are_checked_before_work)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    auto_begin(&w, 1);
    w.o.l2 = -1; /* even where a probe without mistakes would end it */
    w.o.tune.freeze = "typo";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "typo");
    w.o.tune.freeze = "name:nothing*";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_ENOTFOUND, "nothing");
    w.o.tune.freeze = "all";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_ENOTFOUND, "selects no");
    w.o.tune.freeze = NULL;
    w.o.tune.bn = "train";
    w.o.model = little_path(w.folder, "plain.onnx");
    little_model(w.rt, w.o.model, 8, 0, LITTLE_GEMM);
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "folded");
    assert_null(r);
    deep_end(&w);
}
