/* What fine-tuning would cost, asked with the options that change it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/little.h"
#include "task/little_deep.h"
#include "tensor/real.h"
#include "test.h"

/* What is asked beforehand is what is trained then, but for the head's rows:
 * ten of them, and as many as there are classes. */
TEST(task_cost__of_normalisations_is_known_beforehand)
{
    static const char *const way[] = {"frozen", "stats-frozen", "train",
                                      "adapt"};
    struct deep_world w;
    int64_t bytes[4];
    deep_begin(&w, 2, "name:c2*");
    w.o.tune.optimizer = "adamw";
    w.o.tune.batch_size = 7;
    for (int i = 0; i < 4; i++) {
        struct graft_unfreezing *x = NULL;
        w.o.tune.bn = way[i];
        assert_ok(graft_inspect_train(&x, w.rt, &w.o));
        w.o.tune.batch_size = 32;
        struct graft_report *r = deep_train(&w);
        w.o.tune.batch_size = 7;
        w.o.replace = true;
        assert_string_equal(x->bn, way[i]);
        assert_string_equal(x->optimizer, "adamw");
        assert_int_equal(x->batch, 7);
        assert_int_equal(x->parameters, r->tuning->parameters);
        assert_int_equal(x->elements, r->tuning->elements +
                                          (10 - r->n_classes) * (8 + 1));
        assert_int_equal(x->normalisations, i == 1 || i == 2);
        assert_true(x->step_seconds > 0);
        bytes[i] = x->activation_bytes;
        graft_report_free(r);
        graft_unfreezing_free(x);
    }
    /* The batch's statistics are of what the convolution gave. */
    assert_int_equal(bytes[0], bytes[3]);
    assert_true(bytes[2] > bytes[0]);
    deep_end(&w);
}

TEST(task_cost__each_part_of_an_optimizer_counts)
{
    struct deep_world w;
    int64_t bytes[3], vector;
    deep_begin(&w, 2, "name:c2*");
    for (int i = 0; i < 3; i++) {
        struct graft_unfreezing *x = NULL;
        w.o.tune.optimizer = i ? "adamw" : "sgd";
        w.o.tune.ema = i == 2 ? 0.9 : 0;
        assert_ok(graft_inspect_train(&x, w.rt, &w.o));
        bytes[i] = x->trained_bytes;
        vector = x->elements * (int64_t)sizeof(real);
        graft_unfreezing_free(x);
    }
    assert_true(bytes[1] - bytes[0] >= vector);
    assert_true(bytes[2] - bytes[1] >= vector);
    deep_end(&w);
}
