/* What fine-tuning does with BatchNormalization: what is frozen keeps its
 * bytes, what follows the photos is written, and stopping changes nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "onnx/onnx.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "test.h"

/* Which of these tensors of the little network changed, a letter each. */
static const char *changed(const struct deep_world *w, const char *out)
{
    static const char *const name[] = {"c1.weight", "c2.weight", "norm.scale",
                                       "norm.bias", "norm.mean", "norm.var",
                                       "c3.weight"};
    static char said[8];
    const char *path[] = {w->model, out};
    struct graft_model *m[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++)
        assert_ok(graft_onnx_open(&m[i], w->rt, path[i]));
    for (int k = 0; k < 7; k++) {
        const struct graft_tensor *t[2];
        for (int i = 0; i < 2; i++) {
            graft_value_id v = graft_value_find(m[i], name[k]);
            assert_true(v >= 0 && m[i]->value.at[v].tensor >= 0);
            t[i] = &m[i]->tensor.at[m[i]->value.at[v].tensor];
        }
        assert_int_equal(t[0]->bytes, t[1]->bytes);
        said[k] = memcmp(t[0]->data, t[1]->data, (size_t)t[0]->bytes)
                      ? "12sbmv3"[k] : '-';
    }
    graft_graph_free(m[0]);
    graft_graph_free(m[1]);
    return said;
}

/* After training `unfreeze` less `freeze` with `bn`. */
static void changes(const char *unfreeze, const char *freeze, const char *bn,
                    const char *what, int normalisations)
{
    struct deep_world w;
    struct graft_report *again = NULL;
    deep_begin(&w, 2, unfreeze);
    w.o.tune.freeze = freeze;
    w.o.tune.bn = bn;
    struct graft_report *r = deep_train(&w);
    assert_true(r->tuning->tuned);
    assert_string_equal(changed(&w, w.out), what);
    assert_string_equal(r->tuning->bn, bn ? bn : "frozen");
    assert_int_equal(r->tuning->normalisations, normalisations);
    /* what was judged is what the file says */
    assert_ok(graft_evaluate(&again, w.rt, w.out, w.data, NULL));
    assert_int_equal(again->correct, r->correct);
    assert_near(again->log_loss, r->log_loss, 1e-4);
    graft_report_free(again);
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_norms__frozen_ones_keep_their_bytes)
{
    changes("name:c2*", NULL, NULL, "-2-----", 0);
    changes("name:c2*", NULL, "frozen", "-2-----", 0);
    changes("name:c2*,norm", NULL, "frozen", "-2sb---", 0);
}

TEST(task_norms__with_frozen_statistics_scale_and_bias_follow)
{
    changes("name:c2*", NULL, "stats-frozen", "-2sb---", 0);
    changes("name:c2*", "name:norm.scale", "stats-frozen", "-2-b---", 0);
    changes("all", "norm", "stats-frozen", "12----3", 0);
}

TEST(task_norms__in_training_statistics_follow_the_photos)
{
    changes("name:c2*", NULL, "train", "-2sbmv-", 1);
    changes("name:c2*", "norm", "train", "-2--mv-", 1);
    changes("all", NULL, "train", "12sbmv3", 1);
}

TEST(task_norms__adapted_ones_are_frozen_then)
{
    changes("name:c3*", NULL, "adapt", "----mv3", 1);
    changes("name:c2*", NULL, "adapt", "-2--mv-", 1);
}

TEST(task_norms__the_head_alone_may_have_them_adapted)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    w.o.tune.bn = "adapt";
    graft_report_free(deep_train(&w));
    assert_string_equal(changed(&w, w.out), "----mv-");
    deep_end(&w);
}

/* By training, and by whoever asks what it would cost. */
static void refused(const struct deep_world *w, const char *said)
{
    struct graft_report *r = NULL;
    struct graft_unfreezing *x = NULL;
    assert_fails(graft_train(&r, w->rt, &w->o), GRAFT_EARG, said);
    assert_fails(graft_inspect_train(&x, w->rt, &w->o), GRAFT_EARG, said);
    assert_null(r);
    assert_null(x);
}

TEST(task_norms__nonsense_is_refused)
{
    struct deep_world w;
    deep_begin(&w, 1, "name:c3*");
    w.o.tune.bn = "train"; /* the normalisation lies before c3 */
    refused(&w, "none of the 1");
    w.o.tune.bn = "stats-frozen";
    refused(&w, "none of the 1");
    w.o.tune.bn = "warm";
    refused(&w, "stats-frozen");
    w.o.tune.unfreeze = NULL;
    w.o.tune.bn = "train";
    refused(&w, "unfreeze");
    w.o.model = little_path(w.folder, "plain.onnx");
    little_model(w.rt, w.o.model, 8, 0, LITTLE_GEMM);
    w.o.tune.unfreeze = "all";
    refused(&w, "folded");
    w.o.tune.bn = "adapt";
    refused(&w, "folded");
    deep_end(&w);
}

/* ---- whatever happens meanwhile ------------------------------------------ */

static void stops_and_goes_on(struct deep_world *w, const char *bn,
                              const char *other)
{
    struct graft_report *r = NULL;
    w->o.tune.ema = 0.5;
    w->o.tune.bn = bn;
    graft_report_free(deep_train(w));
    static const char *const name[] = {"a.onnx", "b.onnx", "c.onnx"};
    const int after[] = {2, 7, 11}, threads[] = {1, 3, 7};
    for (int i = 0; i < 3; i++) {
        w->o.output = little_path(w->folder, name[i]);
        w->o.tune.resume = false;
        deep_train_until(w, after[i]);
        w->o.tune.resume = true;
        w->o.tune.bn = other;
        if (other)
            assert_fails(graft_train(&r, w->rt, &w->o), GRAFT_EMISMATCH,
                         "bn ");
        w->o.tune.bn = bn;
        deep_threads(w, threads[i]);
        graft_report_free(deep_train(w));
        assert_true(little_same(w->out, w->o.output));
    }
    deep_end(w);
}

/* 8 photos a step, 24 in all: shards of their own size, statistics too. */
TEST(task_norms__stopping_and_threads_change_nothing_in_training)
{
    struct deep_world w;
    deep_begin(&w, 2, "all");
    stops_and_goes_on(&w, "train", "frozen");
}
TEST(task_norms__stopping_and_threads_change_nothing_when_adapted)
{
    struct deep_world w;
    deep_begin(&w, 2, "all");
    stops_and_goes_on(&w, "adapt", "frozen");
}

/* ---- from scratch -------------------------------------------------------- */

TEST(task_norms__from_scratch_everything_is_drawn_by_the_seed)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    w.o.tune.from_scratch = true;
    w.o.l2 = -1;
    struct graft_report *r = deep_train(&w);
    assert_true(r->tuning->tuned && r->tuning->from_scratch);
    assert_int_equal(r->tuning->held_out, 0);
    assert_string_equal(r->tuning->bn, "train");
    assert_int_equal(r->tuning->epochs, 3);
    assert_non_null(strstr(r->json, "\"probe_log_loss\": null"));
    assert_non_null(strstr(r->json, "\"l2\": null"));
    assert_string_equal(changed(&w, w.out), "12sbmv3");
    graft_report_free(r);
    w.o.output = little_path(w.folder, "again.onnx");
    graft_report_free(deep_train(&w));
    assert_true(little_same(w.out, w.o.output));
    w.o.output = little_path(w.folder, "other.onnx");
    w.o.seed = 1;
    graft_report_free(deep_train(&w));
    assert_false(little_same(w.out, w.o.output));
    deep_end(&w);
}

/* Whatever the file's weights were, they leave no trace. */
TEST(task_norms__from_scratch_forgets_the_file_s_weights)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    w.o.tune.from_scratch = true;
    w.o.tune.epochs = 12;
    w.o.tune.learning_rate = 0; /* the default */
    struct graft_report *r = deep_train(&w);
    assert_int_equal(r->correct, 10); /* red from blue */
    graft_report_free(r);
    w.o.model = w.out;
    w.o.output = little_path(w.folder, "second.onnx");
    r = deep_train(&w);
    assert_string_equal(changed(&w, w.out), "12sbmv3");
    const char *own = w.model;
    w.model = w.out;
    assert_string_equal(changed(&w, w.o.output), "-------");
    w.model = own;
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_norms__from_scratch_stopping_changes_nothing)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    w.o.tune.from_scratch = true;
    w.o.tune.epochs = 5;
    stops_and_goes_on(&w, NULL, NULL);
}

/* Words would take its checkpoint for a decision that was made already. */
TEST(task_norms__from_scratch_and_words_do_not_go_on_from_each_other)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    for (int scratch = 0; scratch < 2; scratch++) {
        deep_begin(&w, 2, scratch ? NULL : "all");
        w.o.tune.from_scratch = scratch;
        deep_train_until(&w, 2);
        w.o.tune.resume = true;
        w.o.tune.from_scratch = !scratch;
        w.o.tune.unfreeze = scratch ? "all" : NULL;
        assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EMISMATCH,
                     "from_scratch");
        deep_end(&w);
    }
}

TEST(task_norms__from_scratch_without_normalisation_works)
{
    struct deep_world w;
    deep_begin(&w, 2, NULL);
    w.o.model = little_path(w.folder, "plain.onnx");
    little_model(w.rt, w.o.model, 8, 0, LITTLE_GEMM);
    w.o.tune.from_scratch = true;
    struct graft_report *r = deep_train(&w);
    assert_string_equal(r->tuning->bn, "frozen");
    assert_int_equal(r->tuning->normalisations, 0);
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_norms__from_scratch_leaves_no_choice)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    deep_begin(&w, 1, "last-stage");
    w.o.tune.from_scratch = true;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "last-stage");
    w.o.tune.unfreeze = "all";
    w.o.tune.freeze = "bias";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "freeze bias");
    w.o.tune.freeze = NULL;
    w.o.tune.bn = "frozen";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "bn frozen");
    deep_end(&w);
}
