/* graft_bench: figures that belong together, open and fixed shapes, refusals,
 * cancelling.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/bench.h"

#include <jansson.h>

#include "support/net.h"

/* Models of files have a runtime, networks of tests get one here. */
static struct net *with_runtime(struct net *n)
{
    n->m->rt = net_runtime(2);
    return n;
}

static void done(struct net *n)
{
    graft_runtime *rt = n->m->rt;
    net_free(n);
    graft_runtime_free(rt);
}

static struct graft_timing *bench(const struct graft_model *m, int batch,
                                  int repeats)
{
    struct graft_bench_options o = GRAFT_BENCH_OPTIONS;
    struct graft_timing *t = NULL;
    o.batch = batch;
    o.repeats = repeats;
    assert_ok(graft_bench(&t, m, &o));
    return t;
}

TEST(api_bench__figures_belong_together)
{
    struct net *n = with_runtime(net_residual());
    struct graft_timing *t = bench(n->m, 3, 9);
    assert_int_equal(t->batch, 3);
    assert_int_equal(t->repeats, 9);
    assert_true(t->warmups >= 2);
    assert_true(t->seconds_min > 0);
    assert_true(t->seconds_min <= t->seconds_q1);
    assert_true(t->seconds_q1 <= t->seconds_median);
    assert_true(t->seconds_median <= t->seconds_q3);
    assert_true(t->seconds_q3 <= t->seconds_max);
    assert_near(t->images_per_second * t->seconds_median, 3, 1e-9);
    assert_true(t->arena_bytes >= t->live_bytes && t->live_bytes > 0);
    assert_int_equal(t->threads, graft_runtime_threads(n->m->rt));
    assert_string_equal(t->isa, graft_runtime_isa(n->m->rt));
    assert_string_equal(t->version, graft_version());
    int lines = 0;
    for (const char *c = t->plan_text; *c; c++)
        lines += *c == '\n';
    assert_true(t->steps > 0 && lines >= t->steps);
    graft_timing_free(t);
    done(n);
}

TEST(api_bench__json_says_the_same)
{
    struct net *n = with_runtime(net_residual());
    struct graft_timing *t = bench(n->m, 2, 5);
    json_t *j = json_loads(t->json, 0, NULL);
    assert_non_null(j);
    static const char *const keys[] = {
        "schema", "model", "version", "isa", "threads", "batch",
        "fixed_batch", "warmups", "repeats", "images_per_second",
        "seconds_median", "seconds_min", "seconds_max", "seconds_q1",
        "seconds_q3", "seconds_compile", "arena_bytes", "live_bytes",
        "scratch_bytes", "packed_bytes", "peak_bytes", "steps"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!json_object_get(j, keys[i]))
            fail_msg("no key '%s'", keys[i]);
    assert_int_equal(json_object_size(j), sizeof keys / sizeof *keys);
    assert_int_equal(json_integer_value(json_object_get(j, "arena_bytes")),
                     t->arena_bytes);
    assert_near(json_real_value(json_object_get(j, "seconds_median")) /
                    t->seconds_median, 1, 1e-5);
    json_decref(j);
    graft_timing_free(t);
    done(n);
}

TEST(api_bench__repeats_are_chosen_by_time)
{
    struct net *n = with_runtime(net_residual());
    struct graft_timing *t = bench(n->m, 0, 0);
    assert_int_equal(t->batch, 16);
    assert_true(t->repeats >= 5);
    assert_true(t->seconds_median * t->repeats < 30);
    graft_timing_free(t);
    done(n);
}

/* [N,3,H,W]: what the file leaves open is a photo's, or what is asked for. */
TEST(api_bench__open_sides_are_filled_in)
{
    struct net *n = with_runtime(net_new(13));
    int x = net_input(n, "x", NET_DIMS(-1, 3, -1, -1));
    net_output(n, net_conv(n, "c", x, 3, 4, 1, false, true));
    struct graft_bench_options o = GRAFT_BENCH_OPTIONS;
    struct graft_timing *small = NULL, *large = NULL;
    o.batch = 1;
    o.repeats = 1;
    assert_ok(graft_bench(&large, n->m, &o));
    o.width = 32;
    o.height = 16;
    assert_ok(graft_bench(&small, n->m, &o));
    assert_true(large->arena_bytes >= 7 * 224 * 224 * 4);
    assert_true(small->arena_bytes < large->arena_bytes / 20);
    graft_timing_free(small);
    graft_timing_free(large);
    done(n);
}

TEST(api_bench__what_cannot_be_made_up_is_refused)
{
    struct graft_timing *t = NULL;
    struct graft_bench_options o = GRAFT_BENCH_OPTIONS;
    struct net *n = with_runtime(net_new(13));
    int x = net_input(n, "x", NET_DIMS(-1, -1));
    net_output(n, net_node(n, "Relu", "y", NULL, x));
    assert_fails(graft_bench(&t, n->m, NULL), GRAFT_ESHAPE, "dimension 1");
    done(n);
    n = with_runtime(net_residual());
    o.width = 64;
    assert_fails(graft_bench(&t, n->m, &o), GRAFT_ESHAPE, "12");
    o.width = 0;
    o.batch = 4097;
    assert_fails(graft_bench(&t, n->m, &o), GRAFT_EARG, "4097");
    o.batch = 0;
    o.repeats = -1;
    assert_fails(graft_bench(&t, n->m, &o), GRAFT_EARG, "repeats");
    assert_null(t);
    done(n);
}

/* A Reshape to [4, 12] holds the batch at 4. */
TEST(api_bench__a_fixed_batch_runs_in_groups)
{
    struct net *n = with_runtime(net_new(13));
    int x = net_input(n, "x", NET_DIMS(4, 3, 2, 2));
    int shape = net_ints(n, "shape", (const int64_t[]){4, 12}, 2);
    net_output(n, net_node(n, "Reshape", "y", NULL, x, shape));
    struct graft_timing *t = bench(n->m, 0, 2);
    assert_int_equal(t->fixed_batch, 4);
    assert_int_equal(t->batch, 4);
    graft_timing_free(t);
    t = bench(n->m, 10, 2);
    assert_int_equal(t->batch, 10);
    assert_near(t->images_per_second * t->seconds_median, 10, 1e-9);
    graft_timing_free(t);
    done(n);
}

static int stop_at_third(void *ctx, const char *phase, const char *what,
                         uint64_t done, uint64_t total)
{
    (void)what, (void)total;
    int *calls = ctx;
    if (!strcmp(phase, "measuring"))
        ++*calls;
    return !strcmp(phase, "measuring") && done >= 2;
}

TEST(api_bench__progress_may_cancel)
{
    struct net *n = with_runtime(net_residual());
    struct graft_timing *t = NULL;
    struct graft_bench_options o = GRAFT_BENCH_OPTIONS;
    int calls = 0;
    o.batch = 1;
    o.repeats = 1000;
    o.progress = stop_at_third;
    o.progress_ctx = &calls;
    assert_fails(graft_bench(&t, n->m, &o), GRAFT_ECANCELED, "cancelled");
    assert_int_equal(calls, 3);
    assert_null(t);
    done(n);
}
