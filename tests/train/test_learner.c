/* The engine of fine-tuning on a small network: learning, shards, threads,
 * what it refuses.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/runtime.h"
#include "support/school.h"

enum { MAX = 20 }; /* elements of a flat vector that are looked at */

/* ---- learning ------------------------------------------------------------ */

TEST(train_learner__learns)
{
    struct school s;
    school_open(&s, 2, 16);
    struct graft_learner_options o = school_recipe(&s);
    school_attend(&s, &o);
    assert_int_equal(graft_learner_steps(s.l), 15);
    while (!graft_learner_done(s.l))
        assert_ok(graft_learner_step(s.l));
    assert_int_equal(s.l->step, 15);
    assert_int_equal(s.calls, 15);
    if (!(s.loss[14] < 0.6 * s.loss[0]))
        fail_msg("loss %g, at last %g", s.loss[0], s.loss[14]);
    assert_fails(graft_learner_step(s.l), GRAFT_EARG, "5 epochs");
    school_close(&s);
}

/* Shards of 4 instead of 16 change nothing but rounding. */
TEST(train_learner__shards_add_up)
{
    struct school a, b;
    school_open(&a, 1, 16);
    school_open(&b, 1, 4);
    struct graft_learner_options o = school_recipe(&a);
    school_attend(&a, &o);
    o = school_recipe(&b);
    school_attend(&b, &o);
    int64_t index[13];
    for (int i = 0; i < 13; i++)
        index[i] = 2 * i;
    assert_ok(graft_learner_gradient(a.l, index, 13));
    assert_ok(graft_learner_gradient(b.l, index, 13));
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 4);
    assert_near(a.l->loss, b.l->loss, 1e-6);
    for (int64_t i = 0; i < a.s->size; i++)
        assert_near(a.l->gradient[i], b.l->gradient[i], 1e-6);
    double loss = b.l->loss;
    double each[13], sum = 0;
    float scores[13 * SCHOOL_CLASSES];
    struct graft_evaluation e = {.each = each, .scores = scores};
    assert_ok(graft_learner_evaluate(b.l, index, 13, &e));
    assert_true(e.loss == loss);
    for (int i = 0; i < 13; i++)
        sum += each[i] / 13;
    assert_near(sum, loss, 1e-12);
    double z = 0;
    for (int c = 0; c < SCHOOL_CLASSES; c++)
        z += exp((double)scores[12 * SCHOOL_CLASSES + c]);
    assert_near(each[12], log(z) - (double)scores[12 * SCHOOL_CLASSES +
                                                  b.label[24]], 1e-6);
    school_close(&a);
    school_close(&b);
}

TEST(train_learner__same_bits_for_any_threads)
{
    for (int k = 0; k < 3; k++) {
        struct school a, b;
        school_optimize(&a, 1, &school_optimizers[k]);
        school_learn_to(&a, 15);
        for (int threads = 2; threads <= 7; threads += 5) {
            school_optimize(&b, threads, &school_optimizers[k]);
            school_learn_to(&b, 15);
            school_same_state(&a, &b);
            school_close(&b);
        }
        school_close(&a);
    }
}

/* ---- trouble ------------------------------------------------------------- */

TEST(train_learner__stops_where_numbers_are_none)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/s.ckpt", test_folder_in_memory());
    struct school s;
    school_open(&s, 2, 4);
    struct graft_learner_options o = school_recipe(&s);
    school_attend(&s, &o);
    school_learn_to(&s, 4);
    s.spoil = 4;
    real before[MAX];
    memcpy(before, s.s->master, sizeof before);
    assert_fails(graft_learner_step(s.l), GRAFT_EMISMATCH,
                 "step 4 of epoch 1: the gradient of 'w1'");
    assert_memory_equal(before, s.s->master, sizeof before);
    assert_int_equal(s.l->step, 4);
    s.spoil = -1;
    assert_ok(graft_learner_step(s.l)); /* nothing was harmed */
    s.s->master[3] = (real)INFINITY;
    graft_program_params(s.p);
    assert_fails(graft_learner_save(s.l, path), GRAFT_EMISMATCH,
                 "parameters");
    assert_fails(graft_learner_step(s.l), GRAFT_EMISMATCH,
                 "the parameter 'w1'");
    school_close(&s);
}

static int stop_at_once(void *ctx, const struct graft_step_record *r)
{
    (void)ctx;
    return r->step == 2;
}

TEST(train_learner__is_cancelled_between_steps)
{
    struct school s;
    school_open(&s, 1, 4);
    struct graft_learner_options o = school_recipe(&s);
    o.told = stop_at_once;
    school_attend(&s, &o);
    assert_ok(graft_learner_step(s.l));
    assert_ok(graft_learner_step(s.l));
    assert_fails(graft_learner_step(s.l), GRAFT_ECANCELED, "cancelled");
    assert_int_equal(s.l->step, 3); /* it was done */
    graft_runtime_cancel(s.rt);
    assert_int_equal(graft_learner_step(s.l), GRAFT_ECANCELED);
    assert_int_equal(s.l->step, 3);
    school_close(&s);
}

TEST(train_learner__clips_as_told)
{
    struct school s;
    school_open(&s, 1, 16);
    struct graft_learner_options o = school_recipe(&s);
    o.clip_norm = 1e-3;
    school_attend(&s, &o);
    const int64_t index[] = {1, 2, 3};
    assert_ok(graft_learner_gradient(s.l, index, 3));
    assert_true(s.l->norm > 1e-2);
    assert_ok(graft_learner_apply(s.l));
    assert_near(graft_flat_norm(NULL, s.l->gradient, s.s->size), 1e-3, 1e-6);
    school_close(&s);
}

TEST(train_learner__averages_parameters)
{
    struct school s;
    school_open(&s, 1, 16);
    struct graft_learner_options o = school_recipe(&s);
    o.ema_decay = 0.15; /* (1 + 1) / (10 + 1) = 0.18 at the first step */
    school_attend(&s, &o);
    double start = (double)s.s->master[0];
    school_learn_to(&s, 1);
    double now = (double)s.s->master[0];
    assert_near(s.l->ema[0], 0.15 * start + 0.85 * now, 1e-6);
    graft_learner_swap(s.l);
    assert_near(s.s->master[0], 0.15 * start + 0.85 * now, 1e-6);
    graft_learner_swap(s.l);
    assert_true((double)s.s->master[0] == now);
    school_close(&s);
}

TEST(train_learner__epochs_are_permutations)
{
    int64_t a[SCHOOL_IMAGES], b[SCHOOL_IMAGES];
    int seen[SCHOOL_IMAGES] = {0}, moved = 0;
    graft_epoch_order(a, SCHOOL_IMAGES, 4, 7);
    graft_epoch_order(b, SCHOOL_IMAGES, 4, 8);
    for (int i = 0; i < SCHOOL_IMAGES; i++) {
        seen[a[i]]++;
        moved += a[i] != b[i];
    }
    for (int i = 0; i < SCHOOL_IMAGES; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > SCHOOL_IMAGES / 2);
    graft_epoch_order(b, SCHOOL_IMAGES, 4, 7);
    assert_memory_equal(a, b, sizeof a);
}

TEST(train_learner__a_step_as_a_line)
{
    struct graft_str s;
    struct graft_step_record r = {.step = 3, .epoch = 1, .images = 16,
                                  .loss = 0.5, .learning_rate = 0.1,
                                  .gradient_norm = 2, .seconds = 0.25,
                                  .epoch_ended = true, .epoch_loss = 0.75};
    graft_str_init(&s);
    graft_step_record_line(&s, &r);
    assert_string_equal(
        s.at, "{\"step\": 3, \"epoch\": 1, \"images\": 16, \"loss\": 0.5, "
              "\"learning_rate\": 0.1, \"gradient_norm\": 2, "
              "\"seconds\": 0.250, \"epoch_loss\": 0.75}");
    graft_str_release(&s);
}
