/* Dropout in training: masks that depend on the key and the image only, and
 * the gradient through them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ops/dropout.h"
#include "support/net.h"
#include "support/op_case.h"

enum { IMAGES = 4, SIZE = 6 * 5 * 5 };

TEST(program_dropout__gradient)
{
    struct graft_dropout args = {.ratio = 0.3, .stream = 5};
    static const int64_t channels[] = {1, 16, 17, 40};
    for (int i = 0; i < 4; i++)
        op_case_gradient(.op = "Dropout", .row = &graft_row_dropout,
                         .args = &args, .n_max = 2,
                         .in = {OP_X(OP_DIMS(2, channels[i], 3, 2))},
                         .out = {OP_Y(OP_DIMS(2, channels[i], 3, 2))});
    op_case_gradient(.op = "Dropout", .row = &graft_row_dropout,
                     .args = &args, .n_max = 3,
                     .in = {OP_X(OP_DIMS(3, 7))}, .out = {OP_Y(OP_DIMS(3, 7))});
}

static struct graft_program *compile(struct net *n, bool dropout)
{
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = IMAGES,
                              .dropout = dropout};
    assert_ok(graft_program_new(&p, NULL, &c));
    return p;
}

/* Two dropouts in a row. */
static struct net *net_with(float ratio)
{
    struct net *n = net_new(11);
    int x = net_input(n, "x", NET_DIMS(-1, 6, 5, 5));
    int a = net_node(n, "Dropout", "a", NET_ATTRS(NET_FLOAT("ratio", ratio)),
                     x);
    net_output(n, net_node(n, "Dropout", "b",
                           NET_ATTRS(NET_FLOAT("ratio", ratio)), a));
    return n;
}

/* Images first .. of ones, drawn by `seed`. */
static void run(struct graft_program *p, uint64_t seed, int first, int n,
                real *y)
{
    real *x = graft_program_input(p, 0).data;
    for (int i = 0; i < n * SIZE; i++)
        x[i] = 1;
    graft_program_random(p, graft_rng_key(seed, 3), first);
    assert_ok(graft_program_forward(p, n));
    memcpy(y, graft_program_output(p, 0).data,
           (size_t)(n * SIZE) * sizeof *y);
}

TEST(program_dropout__masks_by_key_and_image)
{
    real all[IMAGES * SIZE], parts[IMAGES * SIZE], other[IMAGES * SIZE];
    struct net *n = net_with(0.25f);
    struct graft_program *p = compile(n, true);
    run(p, 1, 0, IMAGES, all);
    run(p, 1, 0, 1, parts);
    run(p, 1, 1, IMAGES - 1, parts + SIZE);
    assert_memory_equal(all, parts, sizeof all);
    run(p, 2, 0, IMAGES, other);
    assert_true(memcmp(all, other, sizeof all) != 0);
    assert_true(memcmp(all, all + SIZE, SIZE * sizeof *all) != 0);
    int kept = 0;
    for (int i = 0; i < IMAGES * SIZE; i++) {
        assert_true(all[i] == 0 || fabs((double)all[i] - 16.0 / 9) < 1e-6);
        kept += all[i] > 0;
    }
    /* 9/16 of 600: 337.5, standard deviation 12 */
    assert_in_range(kept, 290, 385);
    graft_program_free(p);
    net_free(n);
}

TEST(program_dropout__hands_on_when_not_asked)
{
    real y[IMAGES * SIZE];
    struct net *n = net_with(0.25f);
    struct graft_program *p = compile(n, false);
    run(p, 1, 0, IMAGES, y);
    for (int i = 0; i < IMAGES * SIZE; i++)
        assert_true(y[i] == 1);
    graft_program_free(p);
    net_free(n);
}
