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
