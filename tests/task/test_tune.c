/* Fine-tuning: from the probe on, never worse than it on what is held out,
 * with everything frozen left as it was, and val closed until the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "tensor/half.h"
#include "test.h"

/* Do both files hold the same bytes under this name? */
static int same_tensor(const struct deep_world *w, const char *a, const char *b,
                       const char *name)
{
    const char *path[] = {a, b};
    struct graft_model *m[2] = {NULL, NULL};
    const struct graft_tensor *t[2];
    for (int i = 0; i < 2; i++) {
        assert_ok(graft_onnx_open(&m[i], w->rt, path[i]));
        graft_value_id v = graft_value_find(m[i], name);
        assert_true(v >= 0 && m[i]->value.at[v].tensor >= 0);
        t[i] = &m[i]->tensor.at[m[i]->value.at[v].tensor];
    }
    int same = t[0]->bytes == t[1]->bytes && t[0]->dtype == t[1]->dtype &&
               !memcmp(t[0]->data, t[1]->data, (size_t)t[0]->bytes);
    graft_graph_free(m[0]);
    graft_graph_free(m[1]);
    return same;
}

/* ---- what is written ----------------------------------------------------- */

TEST(task_tune__what_beats_the_probe_is_written_and_comes_back)
{
    struct deep_world w;
    deep_begin(&w, 2, "name:c3.weight");
    struct graft_report *r = deep_train(&w), *again = NULL;
    assert_non_null(r->tuning);
    assert_true(r->tuning->tuned);
    assert_int_equal(r->tuning->parameters, 3);
    assert_int_equal(r->tuning->elements, 8 * 8 * 9 + 2 * 8 + 2);
    assert_true(r->tuning->best_epoch >= 1 && r->tuning->best_epoch <= 3);
    assert_true(r->tuning->difference > r->tuning->standard_error);
    assert_near(r->tuning->probe_log_loss - r->tuning->tuned_log_loss,
                r->tuning->difference, 1e-12);
    assert_int_equal(r->tuning->held_out, 5);
    assert_non_null(strstr(r->json, "\"chosen\": \"tuned\""));
    assert_int_equal(r->total, 10);
    assert_ok(graft_evaluate(&again, w.rt, w.out, w.data, NULL));
    assert_int_equal(again->correct, r->correct);
    assert_near(again->log_loss, r->log_loss, 1e-5);
    graft_report_free(again);
    assert_ok(graft_verify(&again, w.rt, w.out, w.data, NULL));
    assert_true(again->verified);
    graft_report_free(again);
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_tune__what_is_frozen_keeps_its_bytes)
{
    static const char *const name[] = {"c1.weight", "c2.weight", "norm.scale",
                                       "norm.mean", "norm.var", "c3.weight"};
    struct deep_world w;
    deep_begin(&w, 2, "all");
    w.o.tune.freeze = "name:c2*,norm";
    struct graft_report *r = deep_train(&w);
    assert_true(r->tuning->tuned);
    for (int i = 0; i < 6; i++)
        assert_int_equal(same_tensor(&w, w.model, w.out, name[i]),
                         i > 0 && i < 5);
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_tune__a_probe_that_is_not_beaten_stays)
{
    struct deep_world w;
    deep_begin(&w, 2, "last-stage");
    w.o.tune.learning_rate = 1e-12;
    struct graft_report *r = deep_train(&w);
    assert_false(r->tuning->tuned);
    assert_int_equal(r->tuning->best_epoch, 0);
    assert_int_equal(r->tuning->epochs, 3);
    assert_non_null(strstr(r->json, "\"chosen\": \"probe\""));
    graft_report_free(r);
    w.o.output = little_path(w.folder, "head.onnx");
    w.o.tune.unfreeze = "none";
    r = deep_train(&w);
    assert_null(r->tuning);
    assert_null(strstr(r->json, "\"tune\""));
    graft_report_free(r);
    static const char *const name[] = {"c1.weight", "c3.weight",
                                       "graft_head_weight",
                                       "graft_head_bias"};
    for (int i = 0; i < 4; i++)
        assert_true(same_tensor(&w, w.o.output, w.out, name[i]));
    deep_end(&w);
}

TEST(task_tune__the_logs_tell_each_step_and_epoch)
{
    struct deep_world w;
    deep_begin(&w, 2, "last-stage");
    graft_report_free(deep_train(&w));
    uint8_t *text = NULL;
    uint64_t n = 0;
    int lines = 0, ended = 0;
    assert_ok(graft_file_read(&text, &n,
                              little_path(w.folder, "out.run/log.jsonl"),
                              1 << 20));
    for (uint64_t i = 0; i < n; i++) {
        lines += text[i] == '\n';
        ended += text[i] == 'h' && i + 11 < n &&
                 !memcmp(text + i, "h_ended\": 1,", 12);
    }
    graft_free(text);
    assert_int_equal(ended, 2);       /* the first epoch of both parts */
    assert_true(lines >= 3 * (3 + 1) + 3 + 1); /* 19 or 24 photos by 8 */
    assert_ok(graft_file_read(&text, &n,
                              little_path(w.folder, "out.run/metrics.csv"),
                              1 << 20));
    assert_memory_equal(text, "part,epoch,", 11);
    graft_free(text);
    deep_end(&w);
}

/* Gives the backbone's c3.weight as float16, cast back in front of its
 * reader. */
static void store_as_half(const struct deep_world *w, const char *path)
{
    struct graft_model *m = NULL;
    uint16_t half[8 * 8 * 9];
    assert_ok(graft_onnx_open(&m, w->rt, w->model));
    graft_value_id v = graft_value_find(m, "c3.weight");
    const struct graft_tensor *t = &m->tensor.at[m->value.at[v].tensor];
    const struct graft_shape shape = t->shape;
    for (int i = 0; i < 8 * 8 * 9; i++) {
        float x;
        memcpy(&x, (const char *)t->data + 4 * i, sizeof x);
        half[i] = graft_half_of_float(x);
    }
    assert_ok(graft_edit_recode(m, v, &shape, GRAFT_FLOAT16, GRAFT_FLOAT,
                                half));
    graft_model_recount(m);
    assert_ok(graft_onnx_save(m, path, NULL));
    graft_graph_free(m);
}

static void comes_back_from_halves(const char *unfreeze)
{
    struct deep_world w;
    struct graft_report *again = NULL;
    deep_begin(&w, 2, unfreeze);
    w.o.model = little_path(w.folder, "half.onnx");
    store_as_half(&w, w.o.model);
    struct graft_report *r = deep_train(&w);
    assert_true(r->tuning->tuned);
    struct graft_model *m = NULL;
    int halves = 0;
    assert_ok(graft_onnx_open(&m, w.rt, w.out));
    for (int i = 0; i < m->tensor.n; i++)
        halves += m->tensor.at[i].dtype == GRAFT_FLOAT16;
    assert_int_equal(halves, 1);
    graft_graph_free(m);
    assert_ok(graft_evaluate(&again, w.rt, w.out, w.data, NULL));
    assert_near(again->log_loss, r->log_loss, 2e-6);
    graft_report_free(again);
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_tune__what_is_judged_is_what_the_files_types_hold)
{
    comes_back_from_halves("name:*c3*");
    comes_back_from_halves("scale-shift");
}

/* ---- the same whatever happens ------------------------------------------- */

/* Two values cross (a skip connection), or the picture itself. */
static void warm_is_the_same(const char *unfreeze, uint64_t decoded)
{
    struct deep_world w;
    deep_begin(&w, 2, unfreeze);
    usleep(60000); /* files just changed are not noted by the side index */
    graft_report_free(deep_train(&w));
    w.o.output = little_path(w.folder, "again.onnx");
    struct graft_report *r = deep_train(&w);
    assert_int_equal(r->photos_decoded, decoded);
    assert_true(r->tuning->tuned);
    graft_report_free(r);
    assert_true(little_same(w.out, w.o.output));
    w.o.output = little_path(w.folder, "plain.onnx");
    w.o.no_cache = true;
    graft_report_free(deep_train(&w));
    assert_true(little_same(w.out, w.o.output));
    deep_end(&w);
}

TEST(task_tune__what_crosses_comes_from_the_cache)
{
    warm_is_the_same("name:c3.weight", 0);
}
TEST(task_tune__pixels_are_read_again)
{
    warm_is_the_same("all", 34);
}

TEST(task_tune__threads_change_no_byte)
{
    struct deep_world w;
    deep_begin(&w, 1, "all");
    w.o.views = 2;
    w.o.tune.optimizer = "adamw";
    w.o.tune.learning_rate = 0.01;
    w.o.tune.ema = 0.9;
    w.o.tune.label_smoothing = 0.1;
    w.o.tune.layer_decay = 0.8;
    struct graft_report *r = deep_train(&w);
    assert_true(r->tuning->tuned);
    graft_report_free(r);
    deep_threads_change_nothing(&w);
    deep_end(&w);
}

/* ---- val ----------------------------------------------------------------- */

TEST(task_tune__val_is_closed_until_the_end)
{
    struct deep_world w;
    deep_begin(&w, 2, "name:c3.weight");
    deep_train_without_val(&w);
    deep_end(&w);
}

/* ---- what is refused ----------------------------------------------------- */

TEST(task_tune__says_what_is_wrong)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    deep_begin(&w, 1, "sideways");
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "sideways");
    w.o.tune.unfreeze = "name:nothing*";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_ENOTFOUND, "nothing*");
    w.o.tune.unfreeze = "last-stage";
    w.o.tune.freeze = "all";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_ENOTFOUND,
                 "selects no parameter");
    w.o.tune.freeze = NULL;
    w.o.tune.epochs = -1;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "epochs");
    w.o.tune.epochs = 2;
    w.o.tune.warmup = 2;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "warm-up");
    w.o.tune.warmup = -1;
    w.o.tune.optimizer = "lion";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "lion");
    w.o.tune.optimizer = NULL;
    w.o.tune.schedule = "steps";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "steps");
    w.o.tune.schedule = NULL;
    w.o.tune.label_smoothing = 2;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "label_smoothing");
    w.o.tune.label_smoothing = 0;
    w.o.tune.learning_rate = 900;
    w.o.tune.clip = 0;
    w.o.tune.epochs = 15;
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EMISMATCH, "not finite");
    w.o.tune.unfreeze = NULL;
    w.o.tune.freeze = "bias";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "unfreeze");
    assert_null(r);
    assert_false(graft_file_exists(w.out));
    deep_end(&w);
}

/* ---- what it would cost ---------------------------------------------------
 */

TEST(task_tune__says_what_it_would_cost)
{
    struct deep_world w;
    struct graft_unfreezing *x = NULL;
    deep_begin(&w, 2, NULL);
    assert_ok(graft_inspect_unfreeze(&x, w.rt, w.model, NULL,
                                     "name:c3.weight", NULL, 0));
    assert_int_equal(x->parameters, 3);
    assert_string_equal(x->names[0], "c3.weight");
    assert_int_equal(x->elements, 8 * 8 * 9 + 10 * 8 + 10);
    assert_int_equal(x->n_crossing, 2); /* the skip, and what c3 reads */
    assert_int_equal(x->crossing_elements, 2 * 8 * 8 * 8);
    assert_int_equal(x->batch, 32);
    assert_true(x->step_seconds > 0);
    /* Parameters, their gradient, momentum: at least. */
    assert_true(x->trained_bytes >= 3 * (8 * 8 * 9 + 80) *
                                        (int64_t)sizeof(real));
    assert_non_null(strstr(x->json, "\"c3.weight\""));
    graft_unfreezing_free(x);
    x = NULL;
    assert_fails(graft_inspect_unfreeze(&x, w.rt, w.model, NULL, "name:z",
                                        NULL, 0), GRAFT_ENOTFOUND, "name:z");
    assert_null(x);
    deep_end(&w);
}
