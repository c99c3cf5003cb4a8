/* Steps that together are one thing: the same numbers with the pass and
 * without it, and fewer steps.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "graft/runtime.h"
#include "support/net.h"

enum { N_MAX = 3, SIDE = 5 };

static int shape(struct net *n, const char *name, int x, const int64_t *dim,
                 int rank)
{
    char ints[40];
    snprintf(ints, sizeof ints, "%s.shape", name);
    int s = net_ints(n, graft_arena_strdup(&n->m->arena, ints), dim, rank);
    return net_node(n, "Reshape", name, NULL, x, s);
}

/* Channels in `groups` groups, shuffled by a permutation of axes 1 and 2. */
static int swapped; /* what the Transpose gives */

static int shuffle(struct net *n, int x, int64_t channels, int64_t groups,
                   bool really)
{
    x = shape(n, "grouped", x,
              NET_DIMS(0, groups, channels / groups, SIDE, SIDE));
    const struct graft_attr *perm =
        really ? NET_ATTRS(NET_INTS("perm", 0, 2, 1, 3, 4))
               : NET_ATTRS(NET_INTS("perm", 0, 2, 1, 4, 3));
    swapped = net_node(n, "Transpose", "swapped", perm, x);
    return shape(n, "joined", swapped, NET_DIMS(0, channels, SIDE, SIDE));
}

/* Two convolutions side by side, shuffled, and a convolution behind. */
static struct net *shuffled(int64_t groups, bool really)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, SIDE, SIDE));
    int a = net_conv(n, "a", x, 3, 10, 3, false, true);
    int b = net_conv(n, "b", x, 3, 26, 3, false, true);
    int both = net_node(n, "Concat", "both", NET_ATTRS(NET_INT("axis", 1)),
                        a, b);
    int y = shuffle(n, both, 36, groups, really);
    y = net_conv(n, "c", y, 36, 7, 1, false, true);
    net_output(n, y);
    return n;
}

struct result {
    real at[N_MAX * 7 * SIDE * SIDE];
    int steps;
};

static void compute(struct net *n, const char *without, struct result *r)
{
    struct graft_runtime *rt = net_runtime(2);
    struct graft_program *p = NULL;
    struct graft_compile c = {
        .model = n->m, .n_max = N_MAX,
        .skip_passes = without ? graft_pass_bit(without) : 0};
    struct graft_memory m;
    assert_ok(graft_program_new(&p, rt, &c));
    net_fill(p, 0, N_MAX);
    assert_ok(graft_program_forward(p, N_MAX));
    struct graft_view y = graft_program_output(p, 0);
    memcpy(r->at, y.data, sizeof r->at);
    graft_program_memory(p, &m);
    r->steps = m.steps;
    graft_program_free(p);
    graft_runtime_free(rt);
}

static void check_same(const struct result *a, const struct result *b)
{
    for (size_t i = 0; i < sizeof a->at / sizeof *a->at; i++)
        assert_near(a->at[i], b->at[i], 1e-5);
}

TEST(program_recognise__shuffles_of_any_number_of_groups)
{
    static const int64_t groups[] = {2, 3, 6, 18, 36};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        struct net *n = shuffled(groups[i], true);
        struct result with, without, rows;
        compute(n, NULL, &with);
        compute(n, "recognise", &without);
        compute(n, "layout", &rows);
        check_same(&with, &without);
        check_same(&with, &rows);
        /* Concat, Transpose, two Reshapes and the reorders around them */
        assert_true(with.steps <= without.steps - 3);
        net_free(n);
    }
}

TEST(program_recognise__other_transpositions_stay)
{
    struct net *n = shuffled(6, false);
    struct result with, without;
    compute(n, NULL, &with);
    compute(n, "recognise", &without);
    check_same(&with, &without);
    assert_int_equal(with.steps, without.steps);
    net_free(n);
}

/* Sigmoid(x) x, on either side, is fused into the convolution before it. */
TEST(program_recognise__swish)
{
    for (int side = 0; side < 2; side++) {
        struct net *n = net_new(13);
        int x = net_input(n, "x", NET_DIMS(-1, 3, SIDE, SIDE));
        x = net_conv(n, "a", x, 3, 7, 3, false, false);
        int gate = net_node(n, "Sigmoid", "gate", NULL, x);
        int y = side ? net_node(n, "Mul", "y", NULL, x, gate)
                     : net_node(n, "Mul", "y", NULL, gate, x);
        struct result with, without;
        net_output(n, y);
        compute(n, NULL, &with);
        compute(n, "recognise", &without);
        check_same(&with, &without);
        assert_int_equal(with.steps, without.steps - 2);
        net_free(n);
    }
}

/* What lies between is an output too: nothing may vanish. */
TEST(program_recognise__visible_values_stay)
{
    struct net *n = shuffled(2, true);
    int seen[2] = {swapped, n->m->output.at[0]};
    struct graft_runtime *rt = net_runtime(2);
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = N_MAX,
                              .outputs = seen, .n_outputs = 2};
    assert_ok(graft_program_new(&p, rt, &c));
    net_fill(p, 0, N_MAX);
    assert_ok(graft_program_forward(p, N_MAX));
    struct graft_view y = graft_program_output(p, 0);
    assert_int_equal(y.shape.rank, 5);
    assert_int_equal(y.shape.dim[1], 18);
    graft_program_free(p);
    graft_runtime_free(rt);
    net_free(n);
}
