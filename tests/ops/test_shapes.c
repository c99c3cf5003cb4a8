/* Rows that rename or move elements: Reshape, Flatten, Squeeze, Unsqueeze,
 * Identity, Dropout, Transpose, Expand.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_case.h"

TEST(ops_reshape__zero_copies_and_minus_one_fills)
{
    op_case(.op = "Reshape", .opset = 5, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 3, 2),
                        OP_REALS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
                   OP_H(OP_DIMS(2), OP_INTS(0, -1))},
            .out = {OP_Y(OP_DIMS(2, 6),
                         OP_REALS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))});
    op_case(.op = "Reshape", .opset = 14, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 4), OP_REALS(1, 2, 3, 4, 5, 6, 7, 8)),
                   OP_H(OP_DIMS(2), OP_INTS(-1, 2))},
            .out = {OP_Y(OP_DIMS(4, 2), OP_REALS(1, 2, 3, 4, 5, 6, 7, 8))});
    op_case(.op = "Reshape", .opset = 21,
            .attr = OP_ATTRS(OP_INT("allowzero", 1)),
            .in = {OP_F(OP_DIMS(0, 3)), OP_H(OP_DIMS(2), OP_INTS(3, 0))},
            .out = {OP_Y(OP_DIMS(3, 0))});
    op_case(.op = "Reshape", .opset = 13,
            .in = {OP_F(OP_DIMS(2), OP_INTS(1, INT64_MAX)),
                   OP_H(OP_DIMS(2), OP_INTS(1, 2))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_INTS(1, INT64_MAX))});
    /* 3 images cannot become 2 rows */
    op_case(.op = "Reshape", .opset = 13, .n_max = 3, .whole_batch = true,
            .in = {OP_X(OP_DIMS(3, 2), OP_REALS(1, 2, 3, 4, 5, 6)),
                   OP_H(OP_DIMS(2), OP_INTS(2, 3))},
            .out = {OP_Y(OP_DIMS(2, 3), OP_REALS(1, 2, 3, 4, 5, 6))});
}

TEST(ops_reshape__refuses_impossible_shapes)
{
    op_case_fails(GRAFT_ESHAPE, "[2,3] cannot become [4,1]",
                  .op = "Reshape", .opset = 13,
                  .in = {OP_X(OP_DIMS(2, 3)),
                         OP_H(OP_DIMS(2), OP_INTS(4, -1))},
                  .out = {OP_Y(OP_DIMS(4, 1))});
    op_case_fails(GRAFT_ESHAPE, "dimension 1 is -1", .op = "Reshape",
                  .opset = 13,
                  .in = {OP_X(OP_DIMS(2, 3)),
                         OP_H(OP_DIMS(2), OP_INTS(-1, -1))},
                  .out = {OP_Y(OP_DIMS(2, 3))});
    op_case_fails(GRAFT_ESHAPE, "allowzero with both", .op = "Reshape",
                  .opset = 14, .attr = OP_ATTRS(OP_INT("allowzero", 1)),
                  .in = {OP_X(OP_DIMS(2, 3)),
                         OP_H(OP_DIMS(2), OP_INTS(0, -1))},
                  .out = {OP_Y(OP_DIMS(2, 3))});
    op_case_fails(GRAFT_ESHAPE, "copied", .op = "Reshape", .opset = 13,
                  .in = {OP_X(OP_DIMS(6)),
                         OP_H(OP_DIMS(2), OP_INTS(6, 0))},
                  .out = {OP_Y(OP_DIMS(6, 1))});
    op_case_fails(GRAFT_EUNSUPPORTED, "at run time", .op = "Reshape",
                  .opset = 13,
                  .in = {OP_X(OP_DIMS(2, 3)),
                         OP_F(OP_DIMS(2), OP_INTS(3, 2))},
                  .out = {OP_Y(OP_DIMS(3, 2))});
    op_case_fails(GRAFT_EUNSUPPORTED, "'allowzero' is not known",
                  .op = "Reshape", .opset = 13,
                  .attr = OP_ATTRS(OP_INT("allowzero", 0)),
                  .in = {OP_X(OP_DIMS(2)), OP_H(OP_DIMS(1), OP_INTS(2))},
                  .out = {OP_Y(OP_DIMS(2))});
}

TEST(ops_reshape__flatten_cuts_anywhere)
{
    static const struct {
        int64_t axis, rows, columns;
    } cases[] = {{0, 1, 24}, {1, 2, 12}, {2, 6, 4}, {3, 24, 1}, {-1, 6, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct op_case c = {
            .op = "Flatten", .opset = 13,
            .attr = OP_ATTRS(OP_INT("axis", cases[i].axis)),
            .in = {OP_P(OP_DIMS(2, 3, 4))},
            .out = {OP_Y(OP_DIMS(cases[i].rows, cases[i].columns))}};
        op_case_at(__FILE__, __LINE__, &c);
    }
    op_case(.op = "Flatten", .opset = 9, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1, 2), OP_REALS(1, 2, 3, 4))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4))});
    op_case_fails(GRAFT_ESHAPE, "axis 4", .op = "Flatten", .opset = 13,
                  .attr = OP_ATTRS(OP_INT("axis", 4)),
                  .in = {OP_X(OP_DIMS(1, 1, 1))},
                  .out = {OP_Y(OP_DIMS(1, 1))});
}

TEST(ops_reshape__squeezes_and_unsqueezes_in_both_forms)
{
    op_case(.op = "Squeeze", .opset = 11,
            .attr = OP_ATTRS(OP_INT_LIST("axes", -1)),
            .in = {OP_X(OP_DIMS(1, 1, 2, 1), OP_REALS(1, 2))},
            .out = {OP_Y(OP_DIMS(1, 1, 2), OP_REALS(1, 2))});
    op_case(.op = "Squeeze", .opset = 1,
            .in = {OP_F(OP_DIMS(1, 2, 1), OP_REALS(1, 2))},
            .out = {OP_Y(OP_DIMS(2), OP_REALS(1, 2))});
    op_case(.op = "Squeeze", .opset = 13, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1, 1), OP_REALS(1, 2)),
                   OP_H(OP_DIMS(2), OP_INTS(2, -2))},
            .out = {OP_Y(OP_DIMS(2), OP_REALS(1, 2))});
    op_case(.op = "Unsqueeze", .opset = 11,
            .attr = OP_ATTRS(OP_INT_LIST("axes", 0, 2)),
            .in = {OP_F(OP_DIMS(2), OP_INTS(1, 2))},
            .out = {OP_Y(OP_DIMS(1, 2, 1), OP_INTS(1, 2))});
    op_case(.op = "Unsqueeze", .opset = 13, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_H(OP_DIMS(2), OP_INTS(-1, 1))},
            .out = {OP_Y(OP_DIMS(2, 1, 1, 1), OP_REALS(1, 2))});
    op_case_fails(GRAFT_ESHAPE, "dimension 1 is 2", .op = "Squeeze",
                  .opset = 13,
                  .in = {OP_X(OP_DIMS(1, 2)), OP_H(OP_DIMS(1), OP_INTS(1))},
                  .out = {OP_Y(OP_DIMS(1))});
    op_case_fails(GRAFT_ESHAPE, "named twice", .op = "Unsqueeze",
                  .opset = 13,
                  .in = {OP_X(OP_DIMS(2)), OP_H(OP_DIMS(2), OP_INTS(0, -3))},
                  .out = {OP_Y(OP_DIMS(1, 1, 2))});
}

TEST(ops_reshape__identity_and_dropout_change_nothing)
{
    op_case(.op = "Identity", .opset = 16,
            .in = {OP_X(OP_DIMS(1, 2), OP_REALS(1, 2))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(1, 2))});
    op_case(.op = "Dropout", .opset = 7,
            .attr = OP_ATTRS(OP_FLOAT("ratio", 0.9f)),
            .in = {OP_X(OP_DIMS(1, 2), OP_REALS(1, 2))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(1, 2))});
    op_case(.op = "Dropout", .opset = 13,
            .attr = OP_ATTRS(OP_INT("seed", 3)),
            .in = {OP_X(OP_DIMS(1, 2), OP_REALS(1, 2)),
                   OP_H(.rank = 0, OP_REALS(0.9)),
                   OP_H(.rank = 0, OP_INTS(0))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(1, 2))});
    op_case_fails(GRAFT_EUNSUPPORTED, "training", .op = "Dropout",
                  .opset = 13,
                  .in = {OP_X(OP_DIMS(1, 2)), OP_NONE,
                         OP_H(.rank = 0, OP_INTS(1))},
                  .out = {OP_Y(OP_DIMS(1, 2))});
}

TEST(ops_transpose__permutes)
{
    op_case(.op = "Transpose", .opset = 13, .n_max = 2,
            .attr = OP_ATTRS(OP_INT_LIST("perm", 0, 2, 1)),
            .in = {OP_X(OP_DIMS(2, 2, 3),
                        OP_REALS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))},
            .out = {OP_Y(OP_DIMS(2, 3, 2),
                         OP_REALS(1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12))});
    op_case(.op = "Transpose", .opset = 1, .n_max = 2, .whole_batch = true,
            .in = {OP_X(OP_DIMS(2, 3), OP_REALS(1, 2, 3, 4, 5, 6))},
            .out = {OP_Y(OP_DIMS(3, 2), OP_REALS(1, 4, 2, 5, 3, 6))});
    op_case(.op = "Transpose", .opset = 21,
            .in = {OP_F(OP_DIMS(2, 2), OP_INTS(1, 2, 3, 4))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_INTS(1, 3, 2, 4))});
    op_case_fails(GRAFT_ESHAPE, "no permutation", .op = "Transpose",
                  .opset = 13, .attr = OP_ATTRS(OP_INT_LIST("perm", 0, 0)),
                  .in = {OP_X(OP_DIMS(2, 2))}, .out = {OP_Y(OP_DIMS(2, 2))});
}

TEST(ops_transpose__expand_repeats)
{
    op_case(.op = "Expand", .opset = 13, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_H(OP_DIMS(2), OP_INTS(1, 3))},
            .out = {OP_Y(OP_DIMS(2, 3), OP_REALS(1, 1, 1, 2, 2, 2))});
    op_case(.op = "Expand", .opset = 8,
            .in = {OP_F(OP_DIMS(1), OP_INTS(7)),
                   OP_H(OP_DIMS(2), OP_INTS(2, 1))},
            .out = {OP_Y(OP_DIMS(2, 1), OP_INTS(7, 7))});
    op_case_fails(GRAFT_ESHAPE, "does not expand", .op = "Expand",
                  .opset = 8,
                  .in = {OP_X(OP_DIMS(2)), OP_H(OP_DIMS(1), OP_INTS(3))},
                  .out = {OP_Y(OP_DIMS(3))});
}

TEST(ops_reshape__gradient_is_renamed_too)
{
    op_case_gradient(.op = "Reshape", .opset = 13,
                     .in = {OP_X(OP_DIMS(2, 3, 2)),
                            OP_H(OP_DIMS(2), OP_INTS(0, -1))},
                     .out = {OP_Y(OP_DIMS(2, 6))}, .n_max = 2);
    op_case_gradient(.op = "Flatten", .opset = 13,
                     .in = {OP_X(OP_DIMS(2, 3, 2))},
                     .out = {OP_Y(OP_DIMS(2, 6))}, .n_max = 2);
    op_case_gradient(.op = "Identity", .opset = 13,
                     .in = {OP_X(OP_DIMS(2, 3))},
                     .out = {OP_Y(OP_DIMS(2, 3))});
    op_case_gradient(.op = "Squeeze", .opset = 12,
                     .in = {OP_F(OP_DIMS(1, 3))}, .out = {OP_Y(OP_DIMS(3))});
    op_case_gradient(.op = "Squeeze", .opset = 13,
                     .in = {OP_F(OP_DIMS(1, 3))}, .out = {OP_Y(OP_DIMS(3))});
    op_case_gradient(.op = "Unsqueeze", .opset = 12,
                     .attr = OP_ATTRS(OP_INT_LIST("axes", 0)),
                     .in = {OP_F(OP_DIMS(3))}, .out = {OP_Y(OP_DIMS(1, 3))});
    op_case_gradient(.op = "Unsqueeze", .opset = 13,
                     .in = {OP_F(OP_DIMS(3)), OP_H(OP_DIMS(1), OP_INTS(0))},
                     .out = {OP_Y(OP_DIMS(1, 3))});
    op_case_gradient(.op = "Dropout", .opset = 10,
                     .in = {OP_X(OP_DIMS(2, 3))},
                     .out = {OP_Y(OP_DIMS(2, 3))});
    op_case_gradient(.op = "Dropout", .opset = 13,
                     .in = {OP_X(OP_DIMS(2, 3))},
                     .out = {OP_Y(OP_DIMS(2, 3))});
}

TEST(ops_transpose__gradient_goes_back_and_sums)
{
    op_case_gradient(.op = "Transpose", .opset = 13,
                     .attr = OP_ATTRS(OP_INT_LIST("perm", 2, 0, 1)),
                     .in = {OP_F(OP_DIMS(2, 3, 4))},
                     .out = {OP_Y(OP_DIMS(4, 2, 3))});
    op_case_gradient(.op = "Expand", .opset = 13,
                     .in = {OP_F(OP_DIMS(2, 1, 3)),
                            OP_H(OP_DIMS(4), OP_INTS(2, 2, 4, 3))},
                     .out = {OP_Y(OP_DIMS(2, 2, 4, 3))});
}
