/* --unfreeze scale-shift: factors of weights, written into the weights.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "onnx/onnx.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "test.h"

/* How far b's weights are from a factor per channel of a's; *largest: how far
 * such a factor is from 1. */
static double off_scale(const struct deep_world *w, const char *name,
                        double *largest)
{
    const char *path[] = {w->model, w->out};
    struct graft_model *m[2] = {NULL, NULL};
    static real x[2][8 * 8 * 9]; /* files align nothing */
    double worst = 0;
    *largest = 0;
    for (int i = 0; i < 2; i++) {
        assert_ok(graft_onnx_open(&m[i], w->rt, path[i]));
        const struct graft_tensor *t =
            graft_parameter(m[i], graft_value_find(m[i], name));
        assert_non_null(t);
        assert_int_equal(t->shape.dim[0], 8);
        struct graft_view v = graft_tensor_view(t);
        assert_true(graft_count(&v) <= 8 * 8 * 9);
        graft_view_read(&v, 0, graft_count(&v), x[i]);
    }
    const struct graft_tensor *t =
        graft_parameter(m[0], graft_value_find(m[0], name));
    int64_t each = graft_shape_span(&t->shape, 1, t->shape.rank);
    for (int64_t c = 0; c < 8; c++) {
        double ab = 0, aa = 0;
        for (int64_t i = c * each; i < (c + 1) * each; i++) {
            ab += (double)x[0][i] * (double)x[1][i];
            aa += (double)x[0][i] * (double)x[0][i];
        }
        *largest = fmax(*largest, fabs(ab / aa - 1));
        for (int64_t i = c * each; i < (c + 1) * each; i++)
            worst = fmax(worst, fabs(ab / aa * (double)x[0][i] -
                                     (double)x[1][i]));
    }
    graft_graph_free(m[0]);
    graft_graph_free(m[1]);
    return worst;
}

/* c1 and c3 have no normalisation behind them, c2 has one. */
TEST(task_tune_scale__weights_get_factors_and_comes_back)
{
    struct deep_world w;
    double largest;
    deep_begin(&w, 2, "scale-shift");
    struct graft_report *r = deep_train(&w), *again = NULL;
    assert_true(r->tuning->tuned);
    assert_int_equal(r->tuning->parameters, 4 + 2);
    assert_int_equal(r->tuning->elements, 4 * 8 + 2 * 8 + 2);
    assert_true(off_scale(&w, "c1.weight", &largest) < 1e-6);
    assert_true(largest > 1e-3);
    assert_true(off_scale(&w, "c3.weight", &largest) < 1e-6);
    assert_true(largest > 1e-3);
    assert_true(off_scale(&w, "c2.weight", &largest) < 1e-9);
    assert_true(largest == 0);
    assert_true(off_scale(&w, "norm.scale", &largest) < 1e-6);
    assert_true(largest > 1e-3);
    assert_ok(graft_evaluate(&again, w.rt, w.out, w.data, NULL));
    assert_int_equal(again->correct, r->correct);
    assert_near(again->log_loss, r->log_loss, 1e-5);
    graft_report_free(again);
    graft_report_free(r);
    deep_end(&w);
}

TEST(task_tune_scale__goes_on_as_if_never_stopped)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    deep_begin(&w, 2, "scale-shift");
    graft_report_free(deep_train(&w));
    w.o.output = little_path(w.folder, "other.onnx");
    deep_train_until(&w, 4);
    w.o.tune.resume = true;
    w.o.tune.unfreeze = "scale-shift,name:c3.weight";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EMISMATCH,
                 "scale-shift");
    w.o.tune.unfreeze = "scale-shift";
    graft_report_free(deep_train(&w));
    assert_true(little_same(w.out, w.o.output));
    deep_end(&w);
}

TEST(task_tune_scale__inspect_lists_the_weights)
{
    struct deep_world w;
    struct graft_unfreezing *x = NULL;
    deep_begin(&w, 2, NULL);
    assert_ok(graft_inspect_unfreeze(&x, w.rt, w.model, NULL, "scale-shift",
                                     "norm", 0));
    assert_int_equal(x->parameters, 2 + 2);
    assert_int_equal(x->scaled, 2);
    assert_string_equal(x->names[0], "c1.weight");
    assert_string_equal(x->names[1], "c3.weight");
    assert_int_equal(x->elements, 2 * 8 + 10 * 8 + 10);
    assert_non_null(strstr(x->json, "\"scaled\": 2"));
    graft_unfreezing_free(x);
    deep_end(&w);
}
