/* Gradients of small networks against central differences.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/gradient.h"

#define TRANS_B NET_ATTRS(NET_INT("transB", 1))

TEST(program_gradient__two_layers_and_cross_entropy)
{
    struct gradient_check k = {.net = net_new(13), .n_train = 5, .loss = true};
    struct net *n = k.net;
    int x = net_input(n, "x", NET_DIMS(-1, 6));
    int w1 = k.train[0] = net_random(n, "w1", NET_DIMS(6, 5));
    int b1 = k.train[1] = net_random(n, "b1", NET_DIMS(5));
    int b2 = k.train[2] = net_random(n, "b2", NET_DIMS(1, 5));
    int w2 = k.train[3] = net_random(n, "w2", NET_DIMS(3, 5));
    int b3 = k.train[4] = net_random(n, "b3", NET_DIMS(3));
    int h = net_node(n, "Gemm", "h", NULL, x, w1, b1);
    h = net_node(n, "Relu", "r", NULL, net_node(n, "Add", "a", NULL, h, b2));
    net_output(n, net_node(n, "Gemm", "y", TRANS_B, h, w2, b3));
    gradient_check_all(&k);
}

/* One matrix in two layers, a residual that fans out, a value used twice by
 * one node, an input whose gradient is wanted. */
TEST(program_gradient__shared_weights_and_residuals)
{
    struct gradient_check k = {.net = net_new(13), .n_train = 2, .n_want = 2};
    struct net *n = k.net;
    int x = k.want[0] = net_input(n, "x", NET_DIMS(-1, 5));
    int w = k.train[0] = net_random(n, "w", NET_DIMS(5, 5));
    int b = k.train[1] = net_random(n, "b", NET_DIMS(5));
    int h = net_node(n, "Gemm", "h1", NULL, x, w, b);
    int r = net_node(n, "Sigmoid", "r1", NULL, h);
    int g = k.want[1] = net_node(n, "Gemm", "h2", TRANS_B, r, w, b);
    int sum = net_node(n, "Relu", "join", NULL,
                       net_node(n, "Add", "sum", NULL, g, h));
    int twice = net_node(n, "Mul", "twice", NULL, sum, sum);
    net_output(n, net_node(n, "Add", "y", NULL, twice, r));
    gradient_check_all(&k);
}

/* y = relu(x W + b + r): addition, residual and activation in one epilogue,
 * which backward undoes; also where the caller seeds the fused result. */
TEST(program_gradient__undoes_epilogues)
{
    for (int seeded = 0; seeded < 2; seeded++) {
        struct gradient_check k = {.net = net_new(13), .n_train = 4};
        struct net *n = k.net;
        int x = net_input(n, "x", NET_DIMS(-1, 4));
        int w = k.train[0] = net_random(n, "w", NET_DIMS(4, 4));
        int b = k.train[1] = net_random(n, "b", NET_DIMS(4));
        int v = k.train[2] = net_random(n, "v", NET_DIMS(4, 4));
        int c = k.train[3] = net_random(n, "c", NET_DIMS(1, 4));
        int r = net_node(n, "Gemm", "h", NULL, x, v);
        r = net_node(n, "Sigmoid", "r", NULL, r);
        int g = net_node(n, "Gemm", "g", NULL, r, w, b);
        g = net_node(n, "Add", "biased", NULL, c, g);
        g = net_node(n, "Add", "sum", NULL, r, g);
        g = net_node(n, "Relu", "y", NULL, g);
        if (!seeded)
            g = net_node(n, "Mul", "last", NULL, g, b);
        net_output(n, g);
        assert_int_equal(gradient_fused(&k), 4);
        gradient_check_all(&k);
    }
}

/* Reshaped values share gradients with what they reshape, except where the
 * caller wants to see one of the two. */
TEST(program_gradient__through_reshapes)
{
    for (int wanted = 0; wanted < 3; wanted++) {
        struct gradient_check k = {.net = net_new(13), .n_train = 2};
        struct net *n = k.net;
        int x = net_input(n, "x", NET_DIMS(-1, 2, 3));
        int w = k.train[0] = net_random(n, "w", NET_DIMS(2, 3));
        int w2 = k.train[1] = net_random(n, "w2", NET_DIMS(6, 4));
        int a = net_node(n, "Add", "a", NULL, x, w);
        int f = net_node(n, "Flatten", "f", NULL, a);
        int shape = net_ints(n, "s", (const int64_t[]){0, 2, 3}, 3);
        int u = net_node(n, "Reshape", "u", NULL, f, shape);
        int m = net_node(n, "Mul", "m", NULL, u, a);
        int g = net_node(n, "Flatten", "g", NULL, m);
        int y = net_node(n, "Gemm", "y", NULL, g, w2);
        const graft_value_id wants[] = {-1, f, a};
        k.want[0] = wants[wanted];
        k.n_want = wanted > 0;
        int z = net_node(n, "MatMul", "z", NULL, f, w2);
        net_output(n, net_node(n, "Add", "sum", NULL, y, z));
        gradient_check_all(&k);
    }
}

/* Weights that are computed from trained ones: sections 1 and 4. */
TEST(program_gradient__weights_that_depend_on_weights)
{
    struct gradient_check k = {.net = net_new(13), .n_train = 3, .loss = true};
    struct net *n = k.net;
    int x = net_input(n, "x", NET_DIMS(-1, 4));
    int w = k.train[0] = net_random(n, "w", NET_DIMS(4, 3));
    int s = k.train[1] = net_random(n, "s", NET_DIMS(4, 1));
    int v = k.train[2] = net_random(n, "v", NET_DIMS(12));
    int scaled = net_node(n, "Mul", "scaled", NULL, w, s);
    int h = net_node(n, "Gemm", "h", NULL, x, scaled);
    int shape = net_ints(n, "shape", (const int64_t[]){4, 3}, 2);
    int square = net_node(n, "Reshape", "square", NULL, v, shape);
    int g = net_node(n, "Gemm", "g", NULL, x, square);
    int e = net_node(n, "MatMul", "e", NULL, x, scaled);
    h = net_node(n, "Add", "hg", NULL, h, g);
    net_output(n, net_node(n, "Add", "y", NULL, h, e));
    gradient_check_all(&k);
}

/* A program without anything selected can still be asked for gradients. */
TEST(program_gradient__of_activations_only)
{
    struct gradient_check k = {.net = net_new(13), .n_want = 1};
    struct net *n = k.net;
    int x = k.want[0] = net_input(n, "x", NET_DIMS(-1, 4));
    int w = net_random(n, "w", NET_DIMS(4, 3));
    int b = net_random(n, "b", NET_DIMS(3));
    int h = net_node(n, "Gemm", "h", NULL, x, w, b);
    net_output(n, net_node(n, "HardSwish", "y", NULL, h));
    n->m->opset.at[0].version = 14;
    gradient_check_all(&k);
}

/* What pass 5 makes one step of, where gradients flow: Swish, a shuffle with
 * the concatenation before and the split behind it. */
TEST(program_gradient__through_what_is_recognised)
{
    struct gradient_check k = {.net = net_new(13), .n_train = 4,
                               .loss = true};
    struct net *n = k.net;
    const struct graft_attr *axis = NET_ATTRS(NET_INT("axis", 1));
    int x = net_input(n, "x", NET_DIMS(-1, 3, 5, 5));
    int a = net_conv(n, "a", x, 3, 18, 3, false, false);
    a = net_node(n, "Mul", "swish", NULL, a,
                 net_node(n, "Sigmoid", "gate", NULL, a));
    int b = net_conv(n, "b", a, 18, 18, 1, false, true);
    int both = net_node(n, "Concat", "both", axis, a, b);
    int five = net_ints(n, "five", (const int64_t[]){0, 2, 18, 5, 5}, 5);
    int four = net_ints(n, "four", (const int64_t[]){0, 36, 5, 5}, 4);
    int y = net_node(n, "Transpose", "swapped",
                     NET_ATTRS(NET_INTS("perm", 0, 2, 1, 3, 4)),
                     net_node(n, "Reshape", "grouped", NULL, both, five));
    y = net_node(n, "Reshape", "joined", NULL, y, four);
    y = net_conv(n, "c", y, 36, 17, 1, false, false);
    y = net_node(n, "Flatten", "flat", NULL,
                 net_node(n, "GlobalAveragePool", "pool", NULL, y));
    net_output(n, net_node(n, "Gemm", "scores", NULL, y,
                           net_random(n, "fc.w", NET_DIMS(17, 3)),
                           net_random(n, "fc.b", NET_DIMS(3))));
    k.train[0] = graft_value_find(n->m, "a.w");
    k.train[1] = graft_value_find(n->m, "b.b");
    k.train[2] = graft_value_find(n->m, "c.w");
    k.train[3] = graft_value_find(n->m, "fc.w");
    struct gradient_check without = k;
    without.skip = graft_pass_bit("recognise");
    gradient_check(&without);
    gradient_check_all(&k);
}
