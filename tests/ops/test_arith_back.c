/* Gradients of arithmetic: by differences over shapes that broadcast, in rows
 * and C16; where arguments are equal, as PyTorch (tests/ops/oracle.py).
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_case.h"

#define RANGE .low = 0.5, .high = 2

/* The second operand of a map [n, c, h, w]: a map, a number for each channel
 * of each image, of all images (two forms), for each image, one for all. */
static struct op_value seconds(int form, const int64_t *x)
{
    struct op_value v[] = {
        OP_X(OP_DIMS(x[0], x[1], x[2], x[3]), RANGE),
        OP_X(OP_DIMS(x[0], x[1], 1, 1), RANGE),
        OP_P(OP_DIMS(1, x[1], 1, 1), RANGE), OP_P(OP_DIMS(x[1], 1, 1), RANGE),
        OP_X(OP_DIMS(x[0], 1, 1, 1), RANGE), OP_P(OP_DIMS(1), RANGE),
        OP_P(.rank = 0, RANGE), OP_P(OP_DIMS(x[2], 1), RANGE),
        OP_X(OP_DIMS(x[0], 1, x[2], x[3]), RANGE)};
    return v[form];
}
enum { FORMS = 9 };

static const int64_t shapes[][4] = {{1, 1, 1, 1}, {2, 16, 3, 2},
                                    {3, 17, 5, 1}, {2, 40, 3, 5},
                                    {0, 3, 2, 2}};

static void over_forms(const char *op, int64_t opset)
{
    for (int s = 0; s < 5; s++)
        for (int form = 0; form < FORMS; form++) {
            const int64_t *x = shapes[s];
            struct op_case c = {
                .op = op, .opset = opset, .n_max = x[0] ? (int)x[0] : 1,
                .in = {OP_X(OP_DIMS(x[0], x[1], x[2], x[3]), RANGE)},
                .out = {OP_Y(OP_DIMS(x[0], x[1], x[2], x[3]))}};
            c.in[1] = seconds(form, x);
            op_case_gradient_at(__FILE__, __LINE__, &c);
            c.in[1] = c.in[0];
            c.in[0] = seconds(form, x);
            op_case_gradient_at(__FILE__, __LINE__, &c);
        }
}

TEST(ops_arith_back__maps_with_what_broadcasts)
{
    over_forms("Add", 14);
    over_forms("Sub", 7);
    over_forms("Mul", 13);
    over_forms("Div", 14);
    over_forms("Sum", 8);
}

/* Both operands broadcast: the result has no operand's shape. */
TEST(ops_arith_back__both_broadcast)
{
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div", "Pow",
                                      "Sum"};
    for (int i = 0; i < 6; i++)
        op_case_gradient(.op = ops[i], .opset = 13, .n_max = 2,
                         .in = {OP_X(OP_DIMS(2, 1, 3, 1), RANGE),
                                OP_X(OP_DIMS(2, 18, 1, 2), RANGE)},
                         .out = {OP_Y(OP_DIMS(2, 18, 3, 2))});
}

TEST(ops_arith_back__powers)
{
    op_case_gradient(.op = "Pow", .opset = 15, .n_max = 2,
                     .in = {OP_X(OP_DIMS(2, 3, 5), RANGE),
                            OP_X(OP_DIMS(2, 3, 5), .low = -2, .high = 3)},
                     .out = {OP_Y(OP_DIMS(2, 3, 5))});
    op_case_gradient(.op = "Pow", .opset = 7, .n_max = 2,
                     .in = {OP_X(OP_DIMS(2, 3, 5), RANGE),
                            OP_P(.rank = 0, OP_REALS(2))},
                     .out = {OP_Y(OP_DIMS(2, 3, 5))});
    op_case_gradient(.op = "Pow", .opset = 13,
                     .in = {OP_F(OP_DIMS(4), OP_REALS(0, 0, 2, 0.5),
                                 OP_GRAD(0, 0, 36, -16)),
                            OP_F(OP_DIMS(4), OP_REALS(0, 2, 3, -1),
                                 OP_GRAD(0, 0, 16.635532333438686,
                                         -5.545177444479562))},
                     .out = {OP_Y(OP_DIMS(4), OP_GRAD(1, 2, 3, 4))});
}

/* ---- Max and Min --------------------------------------------------------- */

/* Numbers of input k, none of them near one of another input. */
static const double *apart(int k)
{
    enum { MOST = 6163 }; /* a prime */
    static double x[3][MOST];
    for (int i = 0; i < MOST; i++)
        x[k][i] = (double)((i * 389 + k * 700) % MOST * 3 + k) /
                      (1.5 * MOST) - 1;
    return x[k];
}

static void extremes(const char *op, const int64_t *x, int form)
{
    int64_t n = x[0] * x[1] * x[2] * x[3];
    struct op_value map = OP_X(OP_DIMS(x[0], x[1], x[2], x[3]));
    struct op_value third[] = {map, OP_X(OP_DIMS(x[0], x[1], 1, 1)),
                               OP_P(.rank = 0)};
    int64_t counts[] = {n, x[0] * x[1], 1};
    struct op_case c = {.op = op, .opset = 13, .step = 1e-5,
                        .n_max = x[0] ? (int)x[0] : 1,
                        .in = {map, map, third[form]}, .out = {map}};
    for (int k = 0; k < 3; k++) {
        c.in[k].reals = apart(k);
        c.in[k].n = k < 2 ? n : counts[form];
    }
    op_case_gradient_at(__FILE__, __LINE__, &c);
}

TEST(ops_arith_back__largest_and_smallest)
{
    for (int s = 0; s < 5; s++)
        for (int form = 0; form < 3; form++) {
            extremes("Max", shapes[s], form);
            extremes("Min", shapes[s], form);
            extremes("Sum", shapes[s], form);
        }
    op_case_gradient(.op = "Max", .opset = 8,
                     .in = {OP_F(OP_DIMS(2, 3))},
                     .out = {OP_Y(OP_DIMS(2, 3))});
}

TEST(ops_arith_back__equal_maxima_share_as_pytorch)
{
    op_case_gradient(.op = "Max", .opset = 13,
                     .in = {OP_X(OP_DIMS(1, 3, 1), OP_REALS(1, 2, 3),
                                 OP_GRAD(0.5, 0, 3)),
                            OP_X(OP_DIMS(1, 3, 1), OP_REALS(1, 3, 2),
                                 OP_GRAD(0.5, 2, 0))},
                     .out = {OP_Y(OP_DIMS(1, 3, 1), OP_GRAD(1, 2, 3))});
    op_case_gradient(.op = "Min", .opset = 13,
                     .in = {OP_X(OP_DIMS(1, 3, 1), OP_REALS(1, 2, 3),
                                 OP_GRAD(0.5, 2, 0)),
                            OP_X(OP_DIMS(1, 3, 1), OP_REALS(1, 3, 2),
                                 OP_GRAD(0.5, 0, 3))},
                     .out = {OP_Y(OP_DIMS(1, 3, 1), OP_GRAD(1, 2, 3))});
    op_case_gradient(.op = "Max", .opset = 8,
                     .in = {OP_F(OP_DIMS(3), OP_REALS(1, 5, 2),
                                 OP_GRAD(1.0 / 3, 1, 0)),
                            OP_F(OP_DIMS(3), OP_REALS(1, 5, 3),
                                 OP_GRAD(1.0 / 3, 1, 1.5)),
                            OP_F(OP_DIMS(3), OP_REALS(1, 4, 3),
                                 OP_GRAD(1.0 / 3, 0, 1.5))},
                     .out = {OP_Y(OP_DIMS(3), OP_GRAD(1, 2, 3))});
}

TEST(ops_arith_back__where)
{
    op_case_gradient(.op = "Where", .opset = 9, .n_max = 2,
                     .in = {OP_X(OP_DIMS(2, 3), OP_INTS(1, 0, 1, 0, 0, 2)),
                            OP_X(OP_DIMS(2, 3)), OP_P(OP_DIMS(3))},
                     .out = {OP_Y(OP_DIMS(2, 3))});
    op_case_gradient(.op = "Where", .opset = 16,
                     .in = {OP_F(OP_DIMS(2, 1), OP_INTS(1, 0)),
                            OP_F(.rank = 0), OP_F(OP_DIMS(2, 2, 3))},
                     .out = {OP_Y(OP_DIMS(2, 2, 3))});
}
