/* Which depth and rate are tried, and when the probe stays: the policy of
 * --unfreeze auto on made-up results.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "task/tune_policy.h"
#include "test.h"

enum { HELD = 10 };

/* A world in which a candidate's mean log-loss is known, the probe's is 1;
 * photos differ by `spread` from that. */
struct world {
    double loss[GRAFT_DEPTHS][GRAFT_RATES];
    double late; /* added on the folds that decide */
    double spread;
    int why_depth, why, why_fold; /* runs of that depth from that fold on */
    struct graft_short_run run[GRAFT_TRIES_MAX];
    struct graft_policy p;
};

static void world_begin(struct world *w, int depths, int choosing)
{
    *w = (struct world){.why_depth = -1, .spread = 0.1};
    for (int d = 0; d < GRAFT_DEPTHS; d++)
        for (int r = 0; r < GRAFT_RATES; r++)
            w->loss[d][r] = 2;
    w->p = (struct graft_policy){.run = w->run, .depths = depths, .folds = 5,
                                 .choosing = choosing, .rates = true};
}

/* Does what the policy asks for, to the end. */
static void play(struct world *w)
{
    struct graft_short_run r;
    while (graft_policy_next(&r, &w->p)) {
        assert_true(w->p.n < GRAFT_TRIES_MAX);
        double d = 1 - w->loss[r.depth][r.rate];
        d -= r.fold >= w->p.choosing ? w->late : 0;
        r.held = HELD;
        r.probe = HELD;
        r.tuned = HELD * (1 - d);
        r.squares = HELD * (d * d + w->spread * w->spread);
        if (r.depth == w->why_depth && r.fold >= w->why_fold)
            r.why = w->why;
        w->run[w->p.n++] = r;
    }
}

static int tried(const struct world *w, int depth, int rate)
{
    int n = 0;
    for (int i = 0; i < w->p.n; i++)
        n += w->run[i].depth == depth && w->run[i].rate == rate;
    return n;
}

static bool wins(const struct world *w, int *depth, int *rate)
{
    struct graft_short_run sum;
    assert_true(graft_policy_best(depth, rate, &w->p));
    graft_policy_sum(&sum, &w->p, *depth, *rate, w->p.choosing, w->p.folds);
    return graft_short_run_wins(&sum);
}

TEST(task_tune_policy__the_best_depth_and_rate_decide_on_other_folds)
{
    struct world w;
    int depth, rate;
    world_begin(&w, 3, 1);
    w.loss[0][1] = 0.9;
    w.loss[1][1] = 0.8;
    w.loss[2][1] = 0.85;
    w.loss[1][2] = 0.7;
    play(&w);
    assert_true(wins(&w, &depth, &rate));
    assert_int_equal(depth, 1);
    assert_int_equal(rate, 2);
    assert_int_equal(w.p.n, 3 + 1 + 4);
    for (int i = 4; i < w.p.n; i++)
        assert_int_equal(w.run[i].fold, i - 3);
    assert_int_equal(tried(&w, 1, 0), 0); /* the higher rate was better */
    assert_int_equal(tried(&w, 0, 2), 0); /* rates of the best depth only */
}

TEST(task_tune_policy__a_lower_rate_is_tried_where_a_higher_one_is_no_better)
{
    struct world w;
    int depth, rate;
    world_begin(&w, 2, 1);
    w.loss[0][1] = 0.8;
    w.loss[0][0] = 0.6;
    play(&w);
    assert_true(wins(&w, &depth, &rate));
    assert_int_equal(depth, 0);
    assert_int_equal(rate, 0);
    assert_int_equal(tried(&w, 0, 2), 1);
}

TEST(task_tune_policy__a_gain_that_rests_on_few_photos_counts_for_less)
{
    struct graft_short_run run[2] = {
        {.depth = 0, .rate = GRAFT_RATE_MIDDLE, .held = 20, .probe = 20,
         .tuned = 14, .squares = 2},     /* 0.3, error 0.023 */
        {.depth = 1, .rate = GRAFT_RATE_MIDDLE, .held = 20, .probe = 20,
         .tuned = 13, .squares = 20}};   /* 0.35, error 0.21 */
    const struct graft_policy p = {.run = run, .n = 2, .depths = 2,
                                   .folds = 5, .choosing = 1};
    int depth = -1, rate = -1;
    assert_true(graft_policy_best(&depth, &rate, &p));
    assert_int_equal(depth, 0);
    run[1].squares = 3;
    assert_true(graft_policy_best(&depth, &rate, &p));
    assert_int_equal(depth, 1);
}

TEST(task_tune_policy__a_given_rate_is_the_only_one)
{
    struct world w;
    int depth, rate;
    world_begin(&w, 2, 1);
    w.loss[0][1] = 0.8;
    w.p.rates = false;
    play(&w);
    assert_true(wins(&w, &depth, &rate));
    assert_int_equal(w.p.n, 2 + 4);
}

TEST(task_tune_policy__nothing_better_costs_no_deciding)
{
    struct world w;
    int depth, rate;
    world_begin(&w, 3, 2);
    play(&w);
    assert_false(wins(&w, &depth, &rate));
    for (int i = 0; i < w.p.n; i++)
        assert_true(w.run[i].fold < 2);
}

/* The best of several on the folds that choose may owe that to chance. */
TEST(task_tune_policy__luck_on_the_folds_that_choose_does_not_win)
{
    struct world w;
    int depth, rate;
    world_begin(&w, 3, 1);
    w.loss[2][1] = 0.9;
    w.late = 0.11;
    play(&w);
    assert_false(wins(&w, &depth, &rate));
    assert_int_equal(depth, 2);
    assert_int_equal(tried(&w, 2, 1), 2); /* behind on the first: no more */
}

TEST(task_tune_policy__the_difference_has_to_pass_its_standard_error)
{
    struct world w;
    int depth, rate;
    world_begin(&w, 2, 1);
    w.loss[0][1] = 0.9;
    w.spread = 0.6; /* 40 photos: an error of 0.096 */
    play(&w);
    assert_true(wins(&w, &depth, &rate));
    world_begin(&w, 2, 1);
    w.loss[0][1] = 0.9;
    w.spread = 0.65; /* 0.104 */
    play(&w);
    assert_false(wins(&w, &depth, &rate));
}

TEST(task_tune_policy__more_mistakes_do_not_win)
{
    struct graft_short_run r = {.held = 20, .probe = 20, .tuned = 10,
                                .squares = 6, .probe_errors = 2,
                                .errors = 2};
    assert_near(graft_short_run_difference(&r), 0.5, 1e-12);
    assert_near(graft_short_run_error(&r), sqrt(1.0 / 19 / 20), 1e-12);
    assert_true(graft_short_run_wins(&r));
    r.errors = 3;
    assert_false(graft_short_run_wins(&r));
    r = (struct graft_short_run){0};
    assert_false(graft_short_run_wins(&r));
    r.held = 1; /* one photo has no standard error */
    r.probe = 1;
    assert_false(graft_short_run_wins(&r));
}

TEST(task_tune_policy__what_cannot_be_tried_is_passed_over)
{
    struct world w;
    int depth, rate;
    world_begin(&w, 3, 2);
    w.loss[0][1] = 0.9;
    w.loss[1][1] = 0.1;
    w.why_depth = 1;
    w.why = GRAFT_NO_TIME;
    play(&w);
    assert_true(wins(&w, &depth, &rate));
    assert_int_equal(depth, 0);
    assert_int_equal(tried(&w, 1, 1), 1);
    world_begin(&w, 2, 1); /* no time is left to decide */
    w.loss[0][1] = 0.9;
    w.why_depth = 0;
    w.why_fold = 1;
    w.why = GRAFT_NO_TIME;
    play(&w);
    assert_false(wins(&w, &depth, &rate));
    assert_int_equal(tried(&w, 0, 1), 2);
    world_begin(&w, 1, 1); /* nothing at all */
    w.why_depth = 0;
    w.why = GRAFT_NO_SUCH_DEPTH;
    play(&w);
    assert_int_equal(w.p.n, 1);
    assert_false(graft_policy_best(&depth, &rate, &w.p));
}

TEST(task_tune_policy__few_photos_choose_on_two_folds)
{
    assert_int_equal(graft_policy_choosing(5, 400), 1);
    assert_int_equal(graft_policy_choosing(5, 240), 2);
    assert_int_equal(graft_policy_choosing(5, 20), 2);
    assert_int_equal(graft_policy_choosing(3, 6), 1);
    assert_int_equal(graft_policy_choosing(2, 4), 1);
}
