/* Add, Sub, Mul, Div, Pow, Sum, Max, Min: broadcasting, integers, gradients.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/op_case.h"

TEST(ops_arith__broadcasts_both_ways)
{
    op_case(.op = "Add", .opset = 7,
            .in = {OP_X(OP_DIMS(2, 1, 3), OP_REALS(1, 2, 3, 4, 5, 6)),
                   OP_P(OP_DIMS(2, 1), OP_REALS(10, 20))},
            .out = {OP_Y(OP_DIMS(2, 2, 3),
                         OP_REALS(11, 12, 13, 21, 22, 23, 14, 15, 16, 24, 25,
                                  26))},
            .n_max = 2);
    op_case(.op = "Sub", .opset = 13,
            .in = {OP_P(OP_DIMS(3), OP_REALS(1, 2, 3)),
                   OP_X(OP_DIMS(2, 3), OP_REALS(1, 1, 1, 5, 5, 5))},
            .out = {OP_Y(OP_DIMS(2, 3), OP_REALS(0, 1, 2, -4, -3, -2))},
            .n_max = 2);
    op_case(.op = "Mul", .opset = 14,
            .in = {OP_X(OP_DIMS(2, 2, 2), OP_REALS(1, 2, 3, 4, 5, 6, 7, 8)),
                   OP_X(OP_DIMS(2, 2, 1), OP_REALS(1, 10, 100, 1000))},
            .out = {OP_Y(OP_DIMS(2, 2, 2),
                         OP_REALS(1, 2, 30, 40, 500, 600, 7000, 8000))},
            .n_max = 2);
    op_case(.op = "Div", .opset = 7,
            .in = {OP_X(OP_DIMS(1, 4), OP_REALS(1, 2, 3, 4)),
                   OP_P(.rank = 0, OP_REALS(4))},
            .out = {OP_Y(OP_DIMS(1, 4), OP_REALS(0.25, 0.5, 0.75, 1))});
    op_case(.op = "Pow", .opset = 13,
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(1, 2, 3)),
                   OP_P(.rank = 0, OP_REALS(2))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_REALS(1, 4, 9))});
    op_case(.op = "Pow", .opset = 7,
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(4, 9, 0.25)),
                   OP_P(OP_DIMS(3), OP_REALS(0.5, -0.5, 3))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_REALS(2, 1.0 / 3, 0.015625))});
}

TEST(ops_arith__takes_any_number_of_inputs)
{
    op_case(.op = "Sum", .opset = 13,
            .in = {OP_X(OP_DIMS(1, 2), OP_REALS(1, 2)),
                   OP_X(OP_DIMS(1, 2), OP_REALS(10, 20)),
                   OP_P(.rank = 0, OP_REALS(100))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(111, 122))});
    op_case(.op = "Sum", .opset = 8,
            .in = {OP_X(OP_DIMS(1, 2), OP_REALS(1, 2))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(1, 2))});
    op_case(.op = "Max", .opset = 13,
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(1, 5, NAN)),
                   OP_X(OP_DIMS(1, 3), OP_REALS(2, 4, 1)),
                   OP_P(OP_DIMS(1), OP_REALS(3))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_REALS(3, 5, NAN))});
    op_case(.op = "Min", .opset = 8,
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(1, 5, 0)),
                   OP_X(OP_DIMS(1, 3), OP_REALS(2, 4, NAN))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_REALS(1, 4, NAN))});
}

TEST(ops_arith__integers_truncate_and_never_trap)
{
    op_case(.op = "Div", .opset = 13,
            .in = {OP_F(OP_DIMS(4), OP_INTS(7, -7, 5, INT64_MIN)),
                   OP_F(OP_DIMS(4), OP_INTS(2, 2, 0, -1))},
            .out = {OP_Y(OP_DIMS(4), OP_INTS(3, -3, 0, INT64_MIN))});
    op_case(.op = "Mul", .opset = 7,
            .in = {OP_F(OP_DIMS(2), OP_INTS(3, INT64_MAX)),
                   OP_F(OP_DIMS(1), OP_INTS(2))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(6, -2))});
    op_case_fails(GRAFT_EFORMAT, "division by zero", .op = "Div", .opset = 7,
                  .in = {OP_F(OP_DIMS(1), OP_INTS(1)),
                         OP_H(OP_DIMS(1), OP_INTS(0))},
                  .out = {OP_Y(OP_DIMS(1), OP_INTS(0))});
}

TEST(ops_arith__pow_mixes_types)
{
    op_case(.op = "Pow", .opset = 13,
            .in = {OP_F(OP_DIMS(4), OP_INTS(2, -3, 1, 7)),
                   OP_F(OP_DIMS(4), OP_INTS(10, 3, -5, -1))},
            .out = {OP_Y(OP_DIMS(4), OP_INTS(1024, -27, 1, 0))});
    op_case(.op = "Pow", .opset = 12,
            .in = {OP_F(OP_DIMS(2), OP_INTS(4, 9)),
                   OP_P(OP_DIMS(2), OP_REALS(0.5, 1.6))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(2, 33))});
    op_case(.op = "Pow", .opset = 12, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1.5, -2)),
                   OP_F(.rank = 0, OP_INTS(3))},
            .out = {OP_Y(OP_DIMS(2, 1), OP_REALS(3.375, -8))});
}

TEST(ops_arith__gradient_of_integer_powers)
{
    op_case_gradient(.op = "Pow", .opset = 12,
                     .in = {OP_F(OP_DIMS(2, 2), OP_REALS(1.5, -2, 0.5, 1)),
                            OP_F(OP_DIMS(2), OP_INTS(3, 2))},
                     .out = {OP_Y(OP_DIMS(2, 2))});
    op_case_gradient(.op = "Pow", .opset = 12,
                     .in = {OP_F(OP_DIMS(2, 2), OP_REALS(1.5, -2, 0.5, 1)),
                            OP_F(.rank = 0, OP_INTS(2))},
                     .out = {OP_Y(OP_DIMS(2, 2))});
}

TEST(ops_arith__refuses_what_does_not_fit)
{
    op_case_fails(GRAFT_ESHAPE, "[2,3] and [2]", .op = "Add", .opset = 7,
                  .in = {OP_X(OP_DIMS(2, 3)), OP_X(OP_DIMS(2))},
                  .out = {OP_Y(OP_DIMS(2, 3))});
    op_case_fails(GRAFT_ESHAPE, "float", .op = "Add", .opset = 7,
                  .in = {OP_X(OP_DIMS(2)), OP_X(OP_DIMS(2), OP_INTS(1, 2))},
                  .out = {OP_Y(OP_DIMS(2))});
    op_case_fails(GRAFT_EUNSUPPORTED, "'axis' is not known", .op = "Add",
                  .opset = 7, .attr = OP_ATTRS(OP_INT("axis", 1)),
                  .in = {OP_X(OP_DIMS(2)), OP_X(OP_DIMS(2))},
                  .out = {OP_Y(OP_DIMS(2))});
    op_case_fails(GRAFT_EUNSUPPORTED, "7 and later", .op = "Add", .opset = 6,
                  .in = {OP_X(OP_DIMS(2)), OP_X(OP_DIMS(2))},
                  .out = {OP_Y(OP_DIMS(2))});
}

TEST(ops_arith__knows_when_images_mix)
{
    /* a parameter with a row for each image of the full batch */
    op_case(.op = "Add", .opset = 7, .n_max = 2, .whole_batch = true,
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_P(OP_DIMS(2, 1), OP_REALS(10, 20))},
            .out = {OP_Y(OP_DIMS(2, 1), OP_REALS(11, 22))});
    /* the batch moves to dimension 1 */
    op_case(.op = "Add", .opset = 7, .n_max = 2, .whole_batch = true,
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_P(OP_DIMS(1, 1, 1), OP_REALS(10))},
            .out = {OP_Y(OP_DIMS(1, 2, 1), OP_REALS(11, 12))});
}

/* More than one task, and runs that end inside one. */
static void add_channels(const struct op_case *c, const double *const *in,
                         double *const *out)
{
    int64_t area = c->in[0].dim[2], channels = c->in[0].dim[1];
    for (int64_t i = 0; i < c->in[0].dim[0] * channels * area; i++)
        out[0][i] = in[0][i] + in[1][i / area % channels];
}

TEST(ops_arith__adds_channels_of_large_values)
{
    op_case(.op = "Add", .opset = 7, .n_max = 3, .reference = add_channels,
            .in = {OP_X(OP_DIMS(3, 70, 197)), OP_P(OP_DIMS(70, 1))},
            .out = {OP_Y(OP_DIMS(3, 70, 197))});
}

static void gradients(const char *op)
{
    struct op_case equal = {
        .op = op, .opset = 13,
        .in = {OP_X(OP_DIMS(2, 3, 4), .low = 0.5, .high = 2),
               OP_X(OP_DIMS(2, 3, 4), .low = 0.5, .high = 2)},
        .out = {OP_Y(OP_DIMS(2, 3, 4))}, .n_max = 2};
    struct op_case channels = equal, rows = equal, scalar = equal,
                   outer = equal;
    channels.in[1] = (struct op_value)OP_P(OP_DIMS(3, 1), .low = 0.5,
                                           .high = 2);
    rows.in[1] = (struct op_value)OP_P(OP_DIMS(4), .low = 0.5, .high = 2);
    scalar.in[1] = (struct op_value)OP_P(.rank = 0, .low = 0.5, .high = 2);
    outer.in[0] = (struct op_value)OP_X(OP_DIMS(2, 1, 4), .low = 0.5,
                                        .high = 2);
    outer.in[1] = (struct op_value)OP_X(OP_DIMS(2, 3, 1), .low = 0.5,
                                        .high = 2);
    op_case_gradient_at(__FILE__, __LINE__, &equal);
    op_case_gradient_at(__FILE__, __LINE__, &channels);
    op_case_gradient_at(__FILE__, __LINE__, &rows);
    op_case_gradient_at(__FILE__, __LINE__, &scalar);
    op_case_gradient_at(__FILE__, __LINE__, &outer);
}

TEST(ops_arith__gradient_sums_over_broadcasts)
{
    gradients("Add");
    gradients("Sub");
    gradients("Mul");
    gradients("Div");
    gradients("Pow");
    gradients("Sum");
}
