/* Conv backward against differences, over rows and over blocks of channels:
 * a grid of attributes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_case.h"

struct grid {
    int64_t n, c, h, w, m, kh, kw, stride, pad, dilation, group;
};

static int64_t out_size(int64_t in, int64_t k, const struct grid *g)
{
    return (in + 2 * g->pad - (k - 1) * g->dilation - 1) / g->stride + 1;
}

static void check(const struct grid *g, int opset, bool bias,
                  uint32_t unwanted)
{
    struct graft_attr attr[] = {
        OP_INT_LIST("strides", g->stride, g->stride),
        OP_INT_LIST("pads", g->pad, g->pad, g->pad, g->pad),
        OP_INT_LIST("dilations", g->dilation, g->dilation),
        OP_INT("group", g->group), {.name = NULL}};
    struct op_case c = {
        .op = "Conv", .opset = opset, .n_max = (int)g->n, .attr = attr,
        .in = {OP_X(OP_DIMS(g->n, g->c, g->h, g->w)),
               OP_P(OP_DIMS(g->m, g->c / g->group, g->kh, g->kw))},
        .out = {OP_Y(OP_DIMS(g->n, g->m, out_size(g->h, g->kh, g),
                             out_size(g->w, g->kw, g)))}};
    if (bias)
        c.in[2] = (struct op_value)OP_P(OP_DIMS(g->m));
    c.unwanted = unwanted;
    op_case_gradient_at(__FILE__, __LINE__, &c);
}

TEST(ops_conv_gradient__each_row)
{
    static const struct grid g = {2, 3, 5, 6, 4, 3, 3, 1, 1, 1, 1};
    check(&g, 7, true, 0);
    check(&g, 11, false, 0);
    check(&g, 22, true, 0);
}

/* Kernels, strides, padding; channels within, at and beyond a block. */
TEST(ops_conv_gradient__kernels_and_strides)
{
    static const struct grid grid[] = {
        {2, 16, 7, 5, 16, 1, 1, 1, 0, 1, 1},
        {3, 17, 6, 6, 33, 1, 1, 2, 0, 1, 1},
        {2, 16, 5, 5, 40, 3, 3, 1, 1, 1, 1},
        {2, 20, 7, 9, 18, 3, 3, 2, 1, 1, 1},
        {2, 18, 8, 8, 16, 3, 3, 2, 0, 1, 1},
        {1, 16, 9, 8, 16, 3, 3, 1, 2, 2, 1},
        {1, 16, 9, 8, 16, 3, 3, 2, 2, 2, 1}, /* over rows */
        {2, 5, 6, 7, 19, 5, 5, 1, 2, 1, 1},
        {1, 3, 13, 11, 16, 7, 7, 2, 3, 1, 1},
        {1, 16, 10, 9, 17, 4, 2, 3, 1, 1, 1},
        {1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1},
        {2, 16, 1, 1, 32, 3, 3, 1, 1, 1, 1},
        {1, 16, 4, 4, 16, 1, 1, 1, 1, 1, 1}, /* padding beyond the kernel */
        {1, 2, 6, 6, 3, 2, 2, 2, 1, 1, 1},
        {18, 32, 4, 3, 16, 3, 3, 1, 1, 1, 1},
        {2, 16, 14, 14, 32, 3, 3, 1, 1, 1, 1}, /* by Winograd */
        {2, 16, 13, 29, 16, 3, 3, 1, 0, 1, 1}};
    for (size_t i = 0; i < sizeof grid / sizeof *grid; i++)
        check(&grid[i], 11, i % 2, 0);
}

TEST(ops_conv_gradient__groups)
{
    static const struct grid grid[] = {
        {2, 32, 5, 5, 32, 3, 3, 1, 1, 1, 2},
        {2, 48, 6, 5, 48, 3, 3, 2, 1, 1, 3},
        {2, 24, 5, 5, 48, 3, 3, 1, 1, 1, 3},
        {2, 6, 5, 7, 9, 3, 3, 1, 1, 1, 3},
        {2, 64, 4, 4, 32, 1, 1, 1, 0, 1, 2},
        {1, 6, 5, 5, 12, 3, 3, 1, 1, 1, 6},
        /* depthwise */
        {2, 16, 7, 9, 16, 3, 3, 1, 1, 1, 16},
        {2, 19, 7, 8, 19, 3, 3, 2, 1, 1, 19},
        {2, 35, 9, 9, 35, 5, 5, 1, 2, 1, 35},
        {1, 16, 8, 11, 16, 5, 5, 2, 2, 1, 16},
        {1, 16, 9, 7, 16, 3, 3, 1, 2, 2, 16},
        {1, 16, 3, 3, 16, 7, 7, 1, 3, 1, 16},
        {3, 16, 1, 1, 16, 3, 3, 1, 1, 1, 16}};
    for (size_t i = 0; i < sizeof grid / sizeof *grid; i++)
        check(&grid[i], 11, i % 2, 0);
}

TEST(ops_conv_gradient__one_and_three_axes)
{
    op_case_gradient(.op = "Conv", .opset = 11, .n_max = 2,
                     .attr = OP_ATTRS(OP_INT_LIST("pads", 1, 0),
                                      OP_INT_LIST("strides", 2)),
                     .in = {OP_X(OP_DIMS(2, 3, 7)), OP_P(OP_DIMS(4, 3, 2)),
                            OP_P(OP_DIMS(4))},
                     .out = {OP_Y(OP_DIMS(2, 4, 4))});
    op_case_gradient(.op = "Conv", .opset = 11,
                     .attr = OP_ATTRS(OP_INT_LIST("strides", 1, 2, 1)),
                     .in = {OP_X(OP_DIMS(1, 2, 3, 4, 3)),
                            OP_P(OP_DIMS(3, 2, 2, 2, 2))},
                     .out = {OP_Y(OP_DIMS(1, 3, 2, 2, 2))});
}

/* Stems read pictures as they are, since nobody asks for dx. */
TEST(ops_conv_gradient__stems)
{
    static const struct grid grid[] = {
        {3, 3, 13, 17, 20, 7, 7, 2, 3, 1, 1},
        {2, 3, 9, 8, 16, 3, 3, 1, 1, 1, 1},
        {2, 3, 9, 8, 32, 3, 3, 2, 0, 1, 1},
        {1, 2, 8, 9, 5, 3, 3, 1, 2, 2, 1},
        {1, 3, 5, 5, 16, 7, 7, 1, 3, 1, 1},
        {2, 4, 8, 8, 33, 2, 2, 2, 0, 1, 1}};
    for (size_t i = 0; i < sizeof grid / sizeof *grid; i++)
        check(&grid[i], 11, i % 2, 1);
}

/* A weight that the images make, and one that is the same for all. */
TEST(ops_conv_gradient__computed_weights)
{
    op_case_gradient(.op = "Conv", .opset = 11,
                     .in = {OP_X(OP_DIMS(1, 2, 4, 4)),
                            OP_X(OP_DIMS(3, 2, 3, 3))},
                     .out = {OP_Y(OP_DIMS(1, 3, 2, 2))},
                     .whole_batch = true);
    op_case_gradient(.op = "Conv", .opset = 11, .n_max = 2,
                     .in = {OP_X(OP_DIMS(2, 2, 4, 4)),
                            OP_F(OP_DIMS(3, 2, 3, 3)), OP_F(OP_DIMS(3))},
                     .out = {OP_Y(OP_DIMS(2, 3, 2, 2))});
}
