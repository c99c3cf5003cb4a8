/* Rows that take pieces or put them together: Concat, Split, Slice, Gather,
 * Pad.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_case.h"

TEST(ops_concat__joins_along_any_axis)
{
    op_case(.op = "Concat", .opset = 4, .n_max = 2,
            .attr = OP_ATTRS(OP_INT("axis", 1)),
            .in = {OP_X(OP_DIMS(2, 1, 2), OP_REALS(1, 2, 5, 6)),
                   OP_X(OP_DIMS(2, 2, 2), OP_REALS(3, 4, 0, 0, 7, 8, 9, 9))},
            .out = {OP_Y(OP_DIMS(2, 3, 2),
                         OP_REALS(1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 9, 9))});
    op_case(.op = "Concat", .opset = 13,
            .attr = OP_ATTRS(OP_INT("axis", -1)),
            .in = {OP_F(OP_DIMS(1), OP_INTS(1)),
                   OP_F(OP_DIMS(0), OP_INTS(0)),
                   OP_F(OP_DIMS(2), OP_INTS(2, INT64_MAX))},
            .out = {OP_Y(OP_DIMS(3), OP_INTS(1, 2, INT64_MAX))});
    op_case(.op = "Concat", .opset = 13, .n_max = 2, .whole_batch = true,
            .attr = OP_ATTRS(OP_INT("axis", 0)),
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_P(OP_DIMS(1, 1), OP_REALS(3))},
            .out = {OP_Y(OP_DIMS(3, 1), OP_REALS(1, 2, 3))});
    /* a parameter with as many rows as the batch has images */
    op_case(.op = "Concat", .opset = 13, .n_max = 2, .whole_batch = true,
            .attr = OP_ATTRS(OP_INT("axis", 1)),
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_P(OP_DIMS(2, 1), OP_REALS(3, 4))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(1, 3, 2, 4))});
    op_case_fails(GRAFT_ESHAPE, "does not join", .op = "Concat",
                  .opset = 13, .attr = OP_ATTRS(OP_INT("axis", 1)),
                  .in = {OP_X(OP_DIMS(2, 1)), OP_X(OP_DIMS(3, 1))},
                  .out = {OP_Y(OP_DIMS(2, 2))});
    op_case_fails(GRAFT_EFORMAT, "'axis' is missing", .op = "Concat",
                  .opset = 13, .in = {OP_X(OP_DIMS(2, 1))},
                  .out = {OP_Y(OP_DIMS(2, 1))});
}

TEST(ops_split__by_attribute_input_and_number)
{
    op_case(.op = "Split", .opset = 11, .n_max = 1,
            .attr = OP_ATTRS(OP_INT("axis", 1),
                             OP_INT_LIST("split", 1, 2)),
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(1, 2, 3))},
            .out = {OP_Y(OP_DIMS(1, 1), OP_REALS(1)),
                    OP_Y(OP_DIMS(1, 2), OP_REALS(2, 3))});
    op_case(.op = "Split", .opset = 13, .n_max = 2,
            .attr = OP_ATTRS(OP_INT("axis", -1)),
            .in = {OP_X(OP_DIMS(2, 3), OP_REALS(1, 2, 3, 4, 5, 6)),
                   OP_H(OP_DIMS(2), OP_INTS(2, 1))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(1, 2, 4, 5)),
                    OP_Y(OP_DIMS(2, 1), OP_REALS(3, 6))});
    op_case(.op = "Split", .opset = 13,
            .in = {OP_F(OP_DIMS(4), OP_INTS(1, 2, 3, 4))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(1, 2)),
                    OP_Y(OP_DIMS(2), OP_INTS(3, 4))});
    op_case(.op = "Split", .opset = 18,
            .attr = OP_ATTRS(OP_INT("num_outputs", 3)),
            .in = {OP_F(OP_DIMS(7), OP_REALS(1, 2, 3, 4, 5, 6, 7))},
            .out = {OP_Y(OP_DIMS(3), OP_REALS(1, 2, 3)),
                    OP_Y(OP_DIMS(3), OP_REALS(4, 5, 6)),
                    OP_Y(OP_DIMS(1), OP_REALS(7))});
    op_case_fails(GRAFT_ESHAPE, "3 do not split into 2", .op = "Split",
                  .opset = 13, .in = {OP_F(OP_DIMS(3))},
                  .out = {OP_Y(OP_DIMS(1)), OP_Y(OP_DIMS(2))});
    op_case_fails(GRAFT_ESHAPE, "4 elements in all for 3", .op = "Split",
                  .opset = 13,
                  .in = {OP_F(OP_DIMS(3)), OP_H(OP_DIMS(2), OP_INTS(2, 2))},
                  .out = {OP_Y(OP_DIMS(2)), OP_Y(OP_DIMS(2))});
}

TEST(ops_split__parts_that_nobody_reads_count)
{
    op_case(.op = "Split", .opset = 13,
            .in = {OP_F(OP_DIMS(6), OP_REALS(1, 2, 3, 4, 5, 6)),
                   OP_H(OP_DIMS(3), OP_INTS(1, 2, 3))},
            .out = {OP_Y(OP_DIMS(1), OP_REALS(1)), OP_NONE,
                    OP_Y(OP_DIMS(3), OP_REALS(4, 5, 6))});
    op_case(.op = "Split", .opset = 13,
            .in = {OP_F(OP_DIMS(6), OP_REALS(1, 2, 3, 4, 5, 6)),
                   OP_H(OP_DIMS(3), OP_INTS(1, 2, 3))},
            .out = {OP_NONE, OP_Y(OP_DIMS(2), OP_REALS(2, 3)), OP_NONE});
    op_case(.op = "Split", .opset = 11,
            .in = {OP_F(OP_DIMS(6), OP_REALS(1, 2, 3, 4, 5, 6))},
            .out = {OP_Y(OP_DIMS(2), OP_REALS(1, 2)), OP_NONE, OP_NONE});
    op_case(.op = "Split", .opset = 18,
            .attr = OP_ATTRS(OP_INT("num_outputs", 4)),
            .in = {OP_F(OP_DIMS(7), OP_REALS(1, 2, 3, 4, 5, 6, 7))},
            .out = {OP_NONE, OP_Y(OP_DIMS(2), OP_REALS(3, 4)), OP_NONE,
                    OP_NONE});
}

TEST(ops_slice__steps_ends_and_signs)
{
    op_case(.op = "Slice", .opset = 9, .n_max = 2,
            .attr = OP_ATTRS(OP_INT_LIST("starts", 1),
                             OP_INT_LIST("ends", INT64_MAX),
                             OP_INT_LIST("axes", 1)),
            .in = {OP_X(OP_DIMS(2, 3), OP_REALS(1, 2, 3, 4, 5, 6))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(2, 3, 5, 6))});
    op_case(.op = "Slice", .opset = 10,
            .in = {OP_F(OP_DIMS(4), OP_REALS(0, 1, 2, 3)),
                   OP_H(OP_DIMS(1), OP_INTS(-1)),
                   OP_H(OP_DIMS(1), OP_INTS(INT64_MIN)),
                   OP_H(OP_DIMS(1), OP_INTS(-1)),
                   OP_H(OP_DIMS(1), OP_INTS(-1))},
            .out = {OP_Y(OP_DIMS(4), OP_REALS(3, 2, 1, 0))});
    op_case(.op = "Slice", .opset = 13,
            .in = {OP_F(OP_DIMS(5), OP_INTS(0, 1, 2, 3, 4)),
                   OP_H(OP_DIMS(1), OP_INTS(3)),
                   OP_H(OP_DIMS(1), OP_INTS(-100)), OP_NONE,
                   OP_H(OP_DIMS(1), OP_INTS(-2))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(3, 1))});
    op_case(.op = "Slice", .opset = 13,
            .in = {OP_F(OP_DIMS(2, 3), OP_REALS(1, 2, 3, 4, 5, 6)),
                   OP_H(OP_DIMS(2), OP_INTS(0, -100)),
                   OP_H(OP_DIMS(2), OP_INTS(100, 100)), OP_NONE,
                   OP_H(OP_DIMS(2), OP_INTS(INT64_MAX, 2))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(1, 3))});
    op_case(.op = "Slice", .opset = 13,
            .in = {OP_F(OP_DIMS(3), OP_REALS(1, 2, 3)),
                   OP_H(OP_DIMS(1), OP_INTS(2)),
                   OP_H(OP_DIMS(1), OP_INTS(1)),
                   OP_H(OP_DIMS(1), OP_INTS(0))},
            .out = {OP_Y(OP_DIMS(0))});
    op_case(.op = "Slice", .opset = 13, .n_max = 2, .whole_batch = true,
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_H(OP_DIMS(1), OP_INTS(1)),
                   OP_H(OP_DIMS(1), OP_INTS(2))},
            .out = {OP_Y(OP_DIMS(1, 1), OP_REALS(2))});
    op_case_fails(GRAFT_EFORMAT, "step of 0", .op = "Slice", .opset = 13,
                  .in = {OP_F(OP_DIMS(3)), OP_H(OP_DIMS(1), OP_INTS(0)),
                         OP_H(OP_DIMS(1), OP_INTS(1)),
                         OP_H(OP_DIMS(1), OP_INTS(0)),
                         OP_H(OP_DIMS(1), OP_INTS(0))},
                  .out = {OP_Y(OP_DIMS(1))});
    op_case_fails(GRAFT_ESHAPE, "1 starts, 2 ends", .op = "Slice",
                  .opset = 13,
                  .in = {OP_F(OP_DIMS(3)), OP_H(OP_DIMS(1), OP_INTS(0)),
                         OP_H(OP_DIMS(2), OP_INTS(1, 1))},
                  .out = {OP_Y(OP_DIMS(1))});
}

TEST(ops_gather__known_indices)
{
    op_case(.op = "Gather", .opset = 13, .n_max = 2,
            .attr = OP_ATTRS(OP_INT("axis", 1)),
            .in = {OP_X(OP_DIMS(2, 3), OP_REALS(1, 2, 3, 4, 5, 6)),
                   OP_H(OP_DIMS(2, 2), OP_INTS(-1, 0, 0, 1))},
            .out = {OP_Y(OP_DIMS(2, 2, 2),
                         OP_REALS(3, 1, 1, 2, 6, 4, 4, 5))});
    op_case(.op = "Gather", .opset = 1,
            .in = {OP_F(OP_DIMS(3), OP_INTS(7, 8, 9)),
                   OP_H(.rank = 0, OP_INTS(1))},
            .out = {OP_Y(.rank = 0, OP_INTS(8))});
    op_case(.op = "Gather", .opset = 13, .n_max = 2, .whole_batch = true,
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_H(OP_DIMS(2), OP_INTS(1, 0))},
            .out = {OP_Y(OP_DIMS(2, 1), OP_REALS(2, 1))});
    op_case_fails(GRAFT_ESHAPE, "index 3 in a dimension of 3",
                  .op = "Gather", .opset = 13,
                  .in = {OP_F(OP_DIMS(3)), OP_H(.rank = 0, OP_INTS(3))},
                  .out = {OP_Y(.rank = 0)});
}

TEST(ops_pad__modes_forms_and_crops)
{
    op_case(.op = "Pad", .opset = 2, .n_max = 2,
            .attr = OP_ATTRS(OP_INT_LIST("pads", 0, 1, 0, 2),
                             OP_FLOAT("value", 9)),
            .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4))},
            .out = {OP_Y(OP_DIMS(2, 5),
                         OP_REALS(9, 1, 2, 9, 9, 9, 3, 4, 9, 9))});
    op_case(.op = "Pad", .opset = 11,
            .attr = OP_ATTRS(OP_STRING("mode", "reflect")),
            .in = {OP_F(OP_DIMS(3), OP_REALS(1, 2, 3)),
                   OP_H(OP_DIMS(2), OP_INTS(2, 1))},
            .out = {OP_Y(OP_DIMS(6), OP_REALS(3, 2, 1, 2, 3, 2))});
    op_case(.op = "Pad", .opset = 13,
            .attr = OP_ATTRS(OP_STRING("mode", "edge")),
            .in = {OP_F(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4)),
                   OP_H(OP_DIMS(4), OP_INTS(1, 0, 0, 1))},
            .out = {OP_Y(OP_DIMS(3, 3),
                         OP_REALS(1, 2, 2, 1, 2, 2, 3, 4, 4))});
    op_case(.op = "Pad", .opset = 13,
            .in = {OP_F(OP_DIMS(4), OP_REALS(1, 2, 3, 4)),
                   OP_H(OP_DIMS(2), OP_INTS(-1, 1)),
                   OP_H(.rank = 0, OP_REALS(5))},
            .out = {OP_Y(OP_DIMS(4), OP_REALS(2, 3, 4, 5))});
    op_case(.op = "Pad", .opset = 18, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1, 1), OP_REALS(1, 2)),
                   OP_H(OP_DIMS(2), OP_INTS(1, 0)), OP_NONE,
                   OP_H(OP_DIMS(1), OP_INTS(-1))},
            .out = {OP_Y(OP_DIMS(2, 1, 2), OP_REALS(0, 1, 0, 2))});
    op_case(.op = "Pad", .opset = 19,
            .attr = OP_ATTRS(OP_STRING("mode", "wrap")),
            .in = {OP_F(OP_DIMS(3), OP_REALS(1, 2, 3)),
                   OP_H(OP_DIMS(2), OP_INTS(1, 2))},
            .out = {OP_Y(OP_DIMS(6), OP_REALS(3, 1, 2, 3, 1, 2))});
    op_case(.op = "Pad", .opset = 13,
            .in = {OP_F(OP_DIMS(1, 2), OP_INTS(1, INT64_MAX)),
                   OP_H(OP_DIMS(4), OP_INTS(0, 1, 1, 0)),
                   OP_H(.rank = 0, OP_INTS(-4))},
            .out = {OP_Y(OP_DIMS(2, 3),
                         OP_INTS(-4, 1, INT64_MAX, -4, -4, -4))});
    op_case_fails(GRAFT_EUNSUPPORTED, "mode 'wrap' is not known",
                  .op = "Pad", .opset = 18,
                  .attr = OP_ATTRS(OP_STRING("mode", "wrap")),
                  .in = {OP_F(OP_DIMS(3)), OP_H(OP_DIMS(2), OP_INTS(1, 2))},
                  .out = {OP_Y(OP_DIMS(6))});
    op_case_fails(GRAFT_ESHAPE, "pads -2 and -2", .op = "Pad", .opset = 13,
                  .in = {OP_F(OP_DIMS(3)),
                         OP_H(OP_DIMS(2), OP_INTS(-2, -2))},
                  .out = {OP_Y(OP_DIMS(0))});
    op_case_fails(GRAFT_ESHAPE, "3 pads for 1 axes", .op = "Pad",
                  .opset = 13,
                  .in = {OP_F(OP_DIMS(3)),
                         OP_H(OP_DIMS(3), OP_INTS(1, 2, 3))},
                  .out = {OP_Y(OP_DIMS(6))});
}

TEST(ops_pieces__gradient_reaches_every_piece)
{
    op_case_gradient(.op = "Concat", .opset = 13, .n_max = 2,
                     .attr = OP_ATTRS(OP_INT("axis", 1)),
                     .in = {OP_X(OP_DIMS(2, 1, 2)), OP_X(OP_DIMS(2, 2, 2)),
                            OP_X(OP_DIMS(2, 1, 2))},
                     .out = {OP_Y(OP_DIMS(2, 4, 2))});
    op_case_gradient(.op = "Split", .opset = 12,
                     .attr = OP_ATTRS(OP_INT("axis", 1)),
                     .in = {OP_F(OP_DIMS(2, 4))},
                     .out = {OP_Y(OP_DIMS(2, 2)), OP_Y(OP_DIMS(2, 2))});
    op_case_gradient(.op = "Split", .opset = 13,
                     .in = {OP_F(OP_DIMS(3)), OP_H(OP_DIMS(2), OP_INTS(1, 2))},
                     .out = {OP_NONE, OP_Y(OP_DIMS(2))});
    op_case_gradient(.op = "Split", .opset = 13,
                     .in = {OP_F(OP_DIMS(6)),
                            OP_H(OP_DIMS(3), OP_INTS(1, 2, 3))},
                     .out = {OP_NONE, OP_Y(OP_DIMS(2)), OP_NONE});
    op_case_gradient(.op = "Split", .opset = 18,
                     .in = {OP_F(OP_DIMS(3))},
                     .out = {OP_Y(OP_DIMS(2)), OP_Y(OP_DIMS(1))});
    op_case_gradient(.op = "Slice", .opset = 9,
                     .attr = OP_ATTRS(OP_INT_LIST("starts", 1, 0),
                                      OP_INT_LIST("ends", 3, 2)),
                     .in = {OP_F(OP_DIMS(3, 3))},
                     .out = {OP_Y(OP_DIMS(2, 2))});
    op_case_gradient(.op = "Slice", .opset = 13,
                     .in = {OP_F(OP_DIMS(5, 2)),
                            OP_H(OP_DIMS(1), OP_INTS(-1)),
                            OP_H(OP_DIMS(1), OP_INTS(INT64_MIN)), OP_NONE,
                            OP_H(OP_DIMS(1), OP_INTS(-2))},
                     .out = {OP_Y(OP_DIMS(3, 2))});
    op_case_gradient(.op = "Gather", .opset = 13,
                     .attr = OP_ATTRS(OP_INT("axis", 1)),
                     .in = {OP_F(OP_DIMS(2, 3, 2)),
                            OP_H(OP_DIMS(3), OP_INTS(2, 0, 2))},
                     .out = {OP_Y(OP_DIMS(2, 3, 2))});
}

TEST(ops_pad__gradient_of_each_mode)
{
    static const int64_t shape[][2] = {{5, 6}, {5, 6}, {5, 6}, {5, 6}};
    const struct graft_attr mode[] = {
        OP_STRING("mode", "constant"), OP_STRING("mode", "reflect"),
        OP_STRING("mode", "edge"), OP_STRING("mode", "wrap")};
    for (int i = 0; i < 4; i++) {
        struct op_case c = {
            .op = "Pad", .opset = 19, .attr = OP_ATTRS(mode[i]),
            .in = {OP_F(OP_DIMS(3, 4)),
                   OP_H(OP_DIMS(4), OP_INTS(1, 3, 1, -1))},
            .out = {OP_Y(OP_DIMS(shape[i][0], shape[i][1]))}};
        op_case_gradient_at(__FILE__, __LINE__, &c);
    }
    op_case_gradient(.op = "Pad", .opset = 10,
                     .attr = OP_ATTRS(OP_INT_LIST("pads", 0, 1, 0, 1)),
                     .in = {OP_F(OP_DIMS(2, 2))},
                     .out = {OP_Y(OP_DIMS(2, 4))});
    op_case_gradient(.op = "Pad", .opset = 11,
                     .in = {OP_F(OP_DIMS(3)), OP_H(OP_DIMS(2), OP_INTS(1, 1))},
                     .out = {OP_Y(OP_DIMS(5))});
}
