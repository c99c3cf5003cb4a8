/* Gradients of rows that move channels, over C16: pieces that begin and end
 * inside blocks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_case.h"

#define MAP(n, c) OP_X(OP_DIMS(n, c, 3, 2))
#define AXIS1 OP_ATTRS(OP_INT("axis", 1))

TEST(ops_moves_back__concat)
{
    op_case_gradient(.op = "Concat", .opset = 4, .n_max = 2, .attr = AXIS1,
                     .in = {MAP(2, 16), MAP(2, 32)}, .out = {MAP(2, 48)});
    op_case_gradient(.op = "Concat", .opset = 13, .n_max = 3, .attr = AXIS1,
                     .in = {MAP(3, 5), MAP(3, 17), MAP(3, 1), MAP(3, 16)},
                     .out = {MAP(3, 39)});
    op_case_gradient(.op = "Concat", .opset = 13, .n_max = 2, .attr = AXIS1,
                     .in = {OP_X(OP_DIMS(2, 3, 1)), OP_X(OP_DIMS(2, 40, 1))},
                     .out = {OP_Y(OP_DIMS(2, 43, 1))});
    op_case_gradient(.op = "Concat", .opset = 13, .n_max = 1,
                     .attr = OP_ATTRS(OP_INT("axis", 2)),
                     .in = {OP_X(OP_DIMS(1, 3, 2)), OP_X(OP_DIMS(1, 3, 5))},
                     .out = {OP_Y(OP_DIMS(1, 3, 7))});
}

TEST(ops_moves_back__split)
{
    op_case_gradient(.op = "Split", .opset = 2, .n_max = 2,
                     .attr = OP_ATTRS(OP_INT("axis", 1),
                                      OP_INT_LIST("split", 5, 17)),
                     .in = {MAP(2, 22)}, .out = {MAP(2, 5), MAP(2, 17)});
    op_case_gradient(.op = "Split", .opset = 13, .n_max = 2, .attr = AXIS1,
                     .in = {MAP(2, 40),
                            OP_H(OP_DIMS(4), OP_INTS(16, 5, 0, 19))},
                     .out = {MAP(2, 16), OP_NONE, MAP(2, 0), MAP(2, 19)});
    op_case_gradient(.op = "Split", .opset = 18, .n_max = 2,
                     .attr = OP_ATTRS(OP_INT("axis", 1),
                                      OP_INT("num_outputs", 2)),
                     .in = {MAP(2, 33)}, .out = {MAP(2, 17), MAP(2, 16)});
}

static void slice(int64_t start, int64_t end, int64_t step, int64_t left)
{
    op_case_gradient(.op = "Slice", .opset = 13, .n_max = 2,
                     .in = {MAP(2, 40), OP_H(OP_DIMS(1), OP_INTS(start)),
                            OP_H(OP_DIMS(1), OP_INTS(end)),
                            OP_H(OP_DIMS(1), OP_INTS(1)),
                            OP_H(OP_DIMS(1), OP_INTS(step))},
                     .out = {MAP(2, left)});
}

TEST(ops_moves_back__slice)
{
    slice(0, 16, 1, 16);
    slice(16, 48, 1, 24);
    slice(3, 38, 1, 35);
    slice(1, 40, 3, 13);
    slice(-1, INT64_MIN, -2, 20);
    slice(17, 17, 1, 0);
    op_case_gradient(.op = "Slice", .opset = 9, .n_max = 2,
                     .attr = OP_ATTRS(OP_INT_LIST("starts", 3),
                                      OP_INT_LIST("ends", 21),
                                      OP_INT_LIST("axes", 1)),
                     .in = {MAP(2, 22)}, .out = {MAP(2, 18)});
    op_case_gradient(.op = "Slice", .opset = 9, .n_max = 2,
                     .attr = OP_ATTRS(OP_INT_LIST("starts", 1, 0),
                                      OP_INT_LIST("ends", 3, 1),
                                      OP_INT_LIST("axes", 2, 3)),
                     .in = {MAP(2, 5)}, .out = {OP_Y(OP_DIMS(2, 5, 2, 1))});
}

TEST(ops_moves_back__no_images)
{
    op_case_gradient(.op = "Concat", .opset = 13, .attr = AXIS1,
                     .in = {MAP(0, 5), MAP(0, 17)}, .out = {MAP(0, 22)});
    op_case_gradient(.op = "Split", .opset = 18, .attr = AXIS1,
                     .in = {MAP(0, 6)}, .out = {MAP(0, 3), MAP(0, 3)});
}
