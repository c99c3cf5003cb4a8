/* Normalisation by the batch in a program: its result, what it found, and the
 * gradient of the whole against differences.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/net.h"

enum { N = 3, C = 5, AREA = 16 };

static struct net *net_normal(void)
{
    struct net *n = net_new(15);
    int x = net_input(n, "x", NET_DIMS(-1, C, 4, 4));
    int a = net_node(n, "BatchNormalization", "a",
                     NET_ATTRS(NET_FLOAT("momentum", 0.75f)), x,
                     net_positive(n, "scale", C),
                     net_random(n, "bias", NET_DIMS(C)),
                     net_random(n, "mean", NET_DIMS(C)),
                     net_positive(n, "var", C));
    net_output(n, net_node(n, "Sigmoid", "y", NULL, a));
    return n;
}

TEST(program_statistics__are_those_of_the_batch)
{
    struct net *n = net_normal();
    struct graft_program *p = NULL;
    graft_value_id x = n->m->input.at[0];
    struct graft_compile c = {.model = n->m, .n_max = N,
                              .bn = GRAFT_BN_BATCH, .want_grad = &x,
                              .n_want_grad = 1};
    assert_ok(graft_program_new(&p, NULL, &c));
    assert_int_equal(graft_program_n_statistics(p), 1);
    net_fill(p, 0, N);
    assert_ok(graft_program_forward(p, N));
    struct graft_statistics s = graft_program_statistics(p, 0);
    assert_int_equal(s.channels, C);
    assert_int_equal(s.count, N * AREA);
    assert_near((double)s.momentum, 0.75, 0);
    assert_string_equal(n->m->value.at[s.mean].name, "mean");
    assert_string_equal(n->m->value.at[s.var].name, "var");
    const real *in = graft_program_input(p, 0).data;
    for (int ch = 0; ch < C; ch++) {
        double mean = 0, var = 0;
        for (int i = 0; i < N * AREA; i++)
            mean += (double)in[(i / AREA * C + ch) * AREA + i % AREA];
        mean /= N * AREA;
        for (int i = 0; i < N * AREA; i++) {
            double d = (double)in[(i / AREA * C + ch) * AREA + i % AREA] -
                       mean;
            var += d * d / (N * AREA);
        }
        assert_near((double)s.batch_mean[ch], mean, 1e-5);
        assert_near((double)s.batch_var[ch], var, 1e-5);
    }
    graft_program_free(p);
    net_free(n);
}

/* ---- running statistics -------------------------------------------------- */

static void forward(struct graft_program *p)
{
    net_fill(p, 0, N);
    assert_ok(graft_program_forward(p, N));
}

static void same_output(const struct graft_program *a,
                        const struct graft_program *b)
{
    const struct graft_view x = graft_program_output(a, 0);
    const struct graft_view y = graft_program_output(b, 0);
    for (int64_t i = 0; i < graft_count(&x); i++)
        assert_near((double)graft_reals(&x)[i], (double)graft_reals(&y)[i],
                    1e-6);
}

TEST(program_statistics__running_ones_follow_by_onnx_s_rule)
{
    struct net *n = net_normal();
    struct graft_program *p = NULL, *frozen = NULL;
    graft_value_id x = n->m->input.at[0];
    struct graft_compile c = {.model = n->m, .n_max = N,
                              .bn = GRAFT_BN_BATCH, .want_grad = &x,
                              .n_want_grad = 1};
    assert_ok(graft_program_new(&p, NULL, &c));
    c.bn = GRAFT_BN_FROZEN;
    assert_ok(graft_program_new(&frozen, NULL, &c));
    int64_t size;
    real was[2 * C], *running = graft_program_running(p, &size);
    assert_int_equal(size, 2 * C);
    memcpy(was, running, sizeof was);
    forward(frozen);
    forward(p);
    const struct graft_statistics s = graft_program_statistics(p, 0);
    assert_int_equal(s.offset, 0);
    graft_program_absorb(p);
    for (int ch = 0; ch < C; ch++) {
        assert_near((double)running[ch], 0.75 * (double)was[ch] +
                    0.25 * (double)s.batch_mean[ch], 1e-6);
        assert_near((double)running[C + ch], 0.75 * (double)was[C + ch] +
                    0.25 * (double)s.batch_var[ch], 1e-6);
    }
    /* with the file's statistics it is what a frozen one is */
    memcpy(running, was, sizeof was);
    graft_program_norm(p, GRAFT_NORM_RUNNING);
    forward(p);
    same_output(p, frozen);
    graft_program_norm(p, GRAFT_NORM_BOTH);
    memset((real *)s.batch_mean, 0, C * sizeof(real));
    forward(p);
    same_output(p, frozen);
    real found = s.batch_mean[1];
    assert_true(found < 0 || found > 0);
    graft_program_norm(p, GRAFT_NORM_BATCH);
    forward(p);
    assert_near((double)s.batch_mean[1], (double)found, 0);
    assert_memory_equal(running, was, sizeof was);
    graft_program_free(p);
    graft_program_free(frozen);
    net_free(n);
}

TEST(program_statistics__one_element_a_channel_says_nothing)
{
    struct net *n = net_normal();
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = N,
                              .bn = GRAFT_BN_BATCH};
    assert_ok(graft_program_new(&p, NULL, &c)); /* for inference */
    assert_int_equal(graft_program_n_statistics(p), 1);
    forward(p);
    assert_int_equal(graft_program_statistics(p, 0).count, N * AREA);
    graft_program_free(p);
    net_free(n);
    n = net_new(15);
    net_output(n, net_node(n, "BatchNormalization", "a", NULL,
                           net_input(n, "x", NET_DIMS(-1, C)),
                           net_positive(n, "scale", C),
                           net_random(n, "bias", NET_DIMS(C)),
                           net_random(n, "mean", NET_DIMS(C)),
                           net_positive(n, "var", C)));
    c.model = n->m;
    assert_ok(graft_program_new(&p, NULL, &c));
    int64_t size;
    real was[2 * C], *running = graft_program_running(p, &size);
    memcpy(was, running, sizeof was);
    net_fill(p, 0, N);
    assert_ok(graft_program_forward(p, 1));
    graft_program_absorb(p);
    assert_memory_equal(running, was, sizeof was);
    assert_ok(graft_program_forward(p, 2));
    graft_program_absorb(p);
    assert_memory_not_equal(running, was, sizeof was);
    graft_program_free(p);
    net_free(n);
}

/* Statistics that two share could not follow both. */
TEST(program_statistics__shared_ones_are_refused)
{
    struct net *n = net_new(15);
    int x = net_input(n, "x", NET_DIMS(-1, C, 4, 4));
    int scale = net_positive(n, "scale", C);
    int bias = net_random(n, "bias", NET_DIMS(C));
    int mean = net_random(n, "mean", NET_DIMS(C));
    int var = net_positive(n, "var", C);
    int a = net_node(n, "BatchNormalization", "a", NULL, x, scale, bias, mean,
                     var);
    net_output(n, net_node(n, "BatchNormalization", "b", NULL, a, scale, bias,
                           mean, var));
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = N,
                              .bn = GRAFT_BN_BATCH};
    assert_fails(graft_program_new(&p, NULL, &c), GRAFT_EUNSUPPORTED,
                 "also another's");
    net_free(n);
}
