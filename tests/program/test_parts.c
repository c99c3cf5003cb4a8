/* Values that lie inside others: dense blocks, splits, channel counts that
 * fill blocks and that do not. Whatever lies where, the bits are the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "graft/runtime.h"
#include "support/net.h"

enum { N_MAX = 5, SIDE = 6, OUT = 9 };

static int join(struct net *n, const char *name, const int *in, int n_in)
{
    return net_node_of(n, "Concat", name, NET_ATTRS(NET_INT("axis", 1)), in,
                       n_in);
}

/* As DenseNet is written: each layer reads all values before it, joined. */
static struct net *dense(int64_t first, int64_t growth)
{
    static const char *const layer[] = {"l0", "l1", "l2"};
    static const char *const joined[] = {"j0", "j1", "j2"};
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, SIDE, SIDE));
    int at[4] = {net_conv(n, "stem", x, 3, first, 3, true, true)};
    int all = at[0];
    int64_t channels = first;
    for (int i = 0; i < 3; i++) {
        at[i + 1] = net_conv(n, layer[i], all, channels, growth, 3, true,
                             true);
        channels += growth;
        all = join(n, joined[i], at, i + 2);
    }
    net_output(n, net_conv(n, "y", all, channels, OUT, 1, false, false));
    return n;
}

struct result {
    real y[N_MAX * OUT * SIDE * SIDE];
    struct graft_memory memory;
    bool shares; /* the plan says so */
};

static void compute(struct net *n, const char *without, int threads,
                    struct result *r)
{
    struct graft_runtime *rt = net_runtime(threads);
    struct graft_program *p = NULL;
    struct graft_str plan = {0};
    uint64_t skip = 0;
    for (; without && *without; without += strlen(without) + 1)
        skip |= graft_pass_bit(without);
    struct graft_compile c = {.model = n->m, .n_max = N_MAX,
                              .skip_passes = skip};
    assert_ok(graft_program_new(&p, rt, &c));
    net_fill(p, 0, N_MAX);
    assert_ok(graft_program_forward(p, N_MAX));
    struct graft_view y = graft_program_output(p, 0);
    assert_int_equal(graft_count(&y), (int64_t)(sizeof r->y / sizeof *r->y));
    memcpy(r->y, y.data, sizeof r->y);
    graft_program_memory(p, &r->memory);
    assert_ok(graft_program_describe(p, &plan));
    r->shares = strstr(plan.at, " (part)") != NULL;
    graft_str_release(&plan);
    graft_program_free(p);
    graft_runtime_free(rt);
}

static void check(struct net *n, bool shares)
{
    struct result alone, r;
    static const char *const ways[] = {"\0", "segment\0"};
    compute(n, "tidy\0", 1, &alone); /* nobody lies in anybody */
    assert_false(alone.shares);
    for (int i = 0; i < 2; i++)
        for (int threads = 1; threads <= 3; threads++) {
            compute(n, ways[i], threads, &r);
            assert_int_equal(r.shares, shares);
            assert_memory_equal(r.y, alone.y, sizeof r.y);
        }
    compute(n, "layout\0", 1, &r);
    for (size_t i = 0; i < sizeof r.y / sizeof *r.y; i++)
        assert_near(r.y[i], alone.y[i], 1e-4);
    net_free(n);
}

TEST(program_parts__dense_blocks_copy_nothing)
{
    struct net *n = dense(32, 16);
    struct result with, without;
    compute(n, "segment\0", 1, &with);
    compute(n, "segment\0tidy\0", 1, &without);
    /* three concatenations in one value */
    assert_true(with.memory.block_bytes < without.memory.block_bytes);
    check(n, true);
}

TEST(program_parts__channels_that_fill_no_blocks)
{
    check(dense(16, 10), true);  /* the first begins and ends at blocks */
    check(dense(24, 16), false); /* none but the whole does */
    check(dense(7, 3), false);
}

/* A value that is read by a step which takes dense images only, is the
 * caller's, or is joined twice. */
TEST(program_parts__some_values_stay_where_they_are)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, SIDE, SIDE));
    int a = net_conv(n, "a", x, 3, 16, 3, false, false);
    int b = net_conv(n, "b", x, 3, 16, 3, false, true);
    int t = net_node(n, "Tanh", "t", NULL, a);
    int both[] = {b, a, b, t};
    int all = join(n, "all", both, 4);
    net_output(n, net_conv(n, "y", all, 64, OUT, 1, false, false));
    check(n, true);
}
