/* Results that lie where what they are added to lay: shortcuts of residual
 * networks. Who else reads a shortcut must still find it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "graft/runtime.h"
#include "support/net.h"

enum { N_MAX = 3, CHANNELS = 32, SIDE = 8, OUT = 4,
       MAP = N_MAX * CHANNELS * SIDE * SIDE * (int)sizeof(real) };

struct result {
    real y[N_MAX * OUT * SIDE * SIDE];
    struct graft_memory memory;
};

static void compute(struct net *n, const char *without, struct result *r)
{
    struct graft_runtime *rt = net_runtime(2);
    struct graft_program *p = NULL;
    struct graft_compile c = {
        .model = n->m, .n_max = N_MAX,
        .skip_passes = graft_pass_bit("segment") |
                       (without ? graft_pass_bit(without) : 0)};
    assert_ok(graft_program_new(&p, rt, &c));
    net_fill(p, 0, N_MAX);
    assert_ok(graft_program_forward(p, N_MAX));
    struct graft_view y = graft_program_output(p, 0);
    assert_int_equal(graft_count(&y), (int64_t)(sizeof r->y / sizeof *r->y));
    memcpy(r->y, y.data, sizeof r->y);
    graft_program_memory(p, &r->memory);
    graft_program_free(p);
    graft_runtime_free(rt);
}

/* Blocks x -> relu(x + b(a(x))); `late`: the first block's input is added
 * once more at the end. */
static struct net *blocks(int64_t kernel, bool late)
{
    static const char *const name[][4] = {{"a0", "b0", "s0", "r0"},
                                          {"a1", "b1", "s1", "r1"},
                                          {"a2", "b2", "s2", "r2"}};
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, SIDE, SIDE));
    int first = net_conv(n, "stem", x, 3, CHANNELS, 3, true, true);
    int at = first;
    for (int i = 0; i < 3; i++) {
        int a = net_conv(n, name[i][0], at, CHANNELS, CHANNELS, 3, true,
                         true);
        int b = net_conv(n, name[i][1], a, CHANNELS, CHANNELS, kernel, true,
                         false);
        int sum = net_node(n, "Add", name[i][2], NULL, b, at);
        at = net_node(n, "Relu", name[i][3], NULL, sum);
    }
    if (late)
        at = net_node(n, "Add", "late", NULL, at, first);
    net_output(n, net_conv(n, "y", at, CHANNELS, OUT, 1, false, false));
    return n;
}

static void check(struct net *n, int maps)
{
    struct result r, plain;
    compute(n, NULL, &r);
    compute(n, "fuse", &plain);
    double top = 0;
    for (size_t i = 0; i < sizeof r.y / sizeof *r.y; i++)
        top = fmax(top, fabs((double)plain.y[i]));
    for (size_t i = 0; i < sizeof r.y / sizeof *r.y; i++)
        assert_near(r.y[i], plain.y[i], 1e-5 * top);
    /* besides the input and the output, whose block is not full */
    int64_t rest = r.memory.live_bytes - (int64_t)maps * MAP;
    assert_true(rest >= 0 && rest < MAP);
    net_free(n);
}

TEST(program_in_place__shortcuts_are_overwritten)
{
    check(blocks(1, false), 2); /* a block's input and its middle */
    check(blocks(3, false), 2);
}

TEST(program_in_place__not_what_is_read_later)
{
    check(blocks(1, true), 3);
    check(blocks(3, true), 3);
}
