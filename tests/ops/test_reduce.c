/* ReduceMean, ReduceSum, Softmax, LogSoftmax.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/op_case.h"

TEST(ops_reduce__axes_as_attribute_and_as_input)
{
    op_case(.op = "ReduceMean", .opset = 13, .n_max = 2,
            .attr = OP_ATTRS(OP_INT_LIST("axes", 2, -1)),
            .in = {OP_X(OP_DIMS(2, 1, 2, 2),
                        OP_REALS(1, 2, 3, 4, 5, 6, 7, 9))},
            .out = {OP_Y(OP_DIMS(2, 1, 1, 1), OP_REALS(2.5, 6.75))});
    op_case(.op = "ReduceMean", .opset = 1, .n_max = 2,
            .attr = OP_ATTRS(OP_INT_LIST("axes", 1), OP_INT("keepdims", 0)),
            .in = {OP_X(OP_DIMS(2, 2, 2),
                        OP_REALS(1, 2, 3, 4, 5, 6, 7, 9))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(2, 3, 6, 7.5))});
    op_case(.op = "ReduceMean", .opset = 18, .n_max = 2,
            .attr = OP_ATTRS(OP_INT("keepdims", 0)),
            .in = {OP_X(OP_DIMS(2, 1, 2, 2),
                        OP_REALS(1, 2, 3, 4, 5, 6, 7, 9)),
                   OP_H(OP_DIMS(2), OP_INTS(-1, -2))},
            .out = {OP_Y(OP_DIMS(2, 1), OP_REALS(2.5, 6.75))});
    op_case(.op = "ReduceMean", .opset = 18, .n_max = 2, .whole_batch = true,
            .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4))},
            .out = {OP_Y(OP_DIMS(1, 1), OP_REALS(2.5))});
    op_case(.op = "ReduceMean", .opset = 18,
            .attr = OP_ATTRS(OP_INT("noop_with_empty_axes", 1)),
            .in = {OP_X(OP_DIMS(1, 2), OP_REALS(1, 2)),
                   OP_H(OP_DIMS(0), OP_INTS(0))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(1, 2))});
    op_case(.op = "ReduceSum", .opset = 11, .whole_batch = true,
            .attr = OP_ATTRS(OP_INT_LIST("axes", 0), OP_INT("keepdims", 0)),
            .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4))},
            .out = {OP_Y(OP_DIMS(2), OP_REALS(4, 6))}, .n_max = 2);
    op_case(.op = "ReduceSum", .opset = 13, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4)),
                   OP_H(OP_DIMS(1), OP_INTS(1))},
            .out = {OP_Y(OP_DIMS(2, 1), OP_REALS(3, 7))});
    op_case_fails(GRAFT_ESHAPE, "axis 2", .op = "ReduceMean", .opset = 18,
                  .in = {OP_X(OP_DIMS(2, 2)), OP_H(OP_DIMS(1), OP_INTS(2))},
                  .out = {OP_Y(OP_DIMS(2, 1))});
}

static void middle_mean(const struct op_case *c, const double *const *in,
                        double *const *out)
{
    int64_t n = c->in[0].dim[0], m = c->in[0].dim[1], k = c->in[0].dim[2];
    for (int64_t i = 0; i < n * k; i++) {
        double sum = 0;
        for (int64_t j = 0; j < m; j++)
            sum += in[0][(i / k * m + j) * k + i % k];
        out[0][i] = sum / (double)m;
    }
}

TEST(ops_reduce__long_sums_stay_accurate)
{
    op_case(.op = "ReduceMean", .opset = 13, .n_max = 2,
            .reference = middle_mean, .tolerance = 1e-6,
            .attr = OP_ATTRS(OP_INT_LIST("axes", 1)),
            .in = {OP_X(OP_DIMS(2, 5003, 3), .low = 0, .high = 1)},
            .out = {OP_Y(OP_DIMS(2, 1, 3))});
    op_case(.op = "ReduceMean", .opset = 13, .n_max = 3,
            .reference = middle_mean, .tolerance = 1e-6,
            .attr = OP_ATTRS(OP_INT_LIST("axes", 1)),
            .in = {OP_X(OP_DIMS(3, 50021, 1), .low = 0, .high = 1)},
            .out = {OP_Y(OP_DIMS(3, 1, 1))});
    op_case(.op = "ReduceMean", .opset = 13, .n_max = 3,
            .reference = middle_mean, .tolerance = 1e-6,
            .attr = OP_ATTRS(OP_INT_LIST("axes", 1)),
            .in = {OP_X(OP_DIMS(3, 7, 2100), .low = 0, .high = 1)},
            .out = {OP_Y(OP_DIMS(3, 1, 2100))});
}

static void softmax(int64_t n, int64_t step, const double *x, double *y,
                    bool is_log)
{
    double m = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        m = fmax(m, x[i * step]);
    for (int64_t i = 0; i < n; i++)
        sum += exp(x[i * step] - m);
    for (int64_t i = 0; i < n; i++) {
        double v = x[i * step] - m;
        y[i * step] = is_log ? v - log(sum) : exp(v) / sum;
    }
}

/* [2, 3, 4], the axis from the attribute; flat: the axis and what follows */
static void softmax_reference(const struct op_case *c,
                              const double *const *in, double *const *out)
{
    int64_t axis = c->attr[0].i, n = 1, inner = 1, outer = 1;
    bool flat = c->opset < 13;
    for (int64_t d = 0; d < 3; d++)
        if (d < axis)
            outer *= c->in[0].dim[d];
        else if (d == axis || flat)
            n *= c->in[0].dim[d];
        else
            inner *= c->in[0].dim[d];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            softmax(n, inner, in[0] + o * n * inner + i,
                    out[0] + o * n * inner + i, c->op[0] == 'L');
}

static void softmax_cases(const char *op, int64_t opset, bool gradient)
{
    for (int64_t axis = 0; axis < 3; axis++) {
        struct op_case c = {
            .op = op, .opset = opset, .reference = softmax_reference,
            .attr = OP_ATTRS(OP_INT("axis", axis)), .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 3, 4), .low = -3, .high = 3)},
            .out = {OP_Y(OP_DIMS(2, 3, 4))}, .whole_batch = axis == 0};
        if (gradient)
            op_case_gradient_at(__FILE__, __LINE__, &c);
        else
            op_case_at(__FILE__, __LINE__, &c);
    }
}

TEST(ops_softmax__flattens_before_13_and_not_since)
{
    softmax_cases("Softmax", 11, false);
    softmax_cases("Softmax", 13, false);
    softmax_cases("LogSoftmax", 12, false);
    softmax_cases("LogSoftmax", 13, false);
    op_case(.op = "Softmax", .opset = 13, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1000, 1000, 0, -1000))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(0.5, 0.5, 1, 0))});
    /* the default axis was 1 */
    op_case(.op = "Softmax", .opset = 11, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1, 2), OP_REALS(0, 0, 5, 5))},
            .out = {OP_Y(OP_DIMS(2, 1, 2), OP_REALS(0.5, 0.5, 0.5, 0.5))});
}

/* Columns longer than one piece, rows longer than one block. */
TEST(ops_softmax__large_values)
{
    op_case(.op = "Softmax", .opset = 13, .reference = softmax_reference,
            .attr = OP_ATTRS(OP_INT("axis", 1)), .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 5, 1100), .low = -3, .high = 3)},
            .out = {OP_Y(OP_DIMS(2, 5, 1100))});
    op_case(.op = "LogSoftmax", .opset = 13, .reference = softmax_reference,
            .attr = OP_ATTRS(OP_INT("axis", 2)), .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1, 10001), .low = -3, .high = 3)},
            .out = {OP_Y(OP_DIMS(2, 1, 10001))});
}

TEST(ops_softmax__gradient)
{
    softmax_cases("Softmax", 11, true);
    softmax_cases("Softmax", 13, true);
    softmax_cases("LogSoftmax", 12, true);
    softmax_cases("LogSoftmax", 13, true);
}

/* Over all pixels: the sums that stay in C16. */
static void pixels(const char *op, int64_t opset, int64_t channels,
                   int64_t keep)
{
    struct op_case c = {
        .op = op, .opset = opset, .n_max = 2,
        .in = {OP_X(OP_DIMS(2, channels, 3, 5)),
               OP_H(OP_DIMS(2), OP_INTS(-1, 2))},
        .out = {OP_Y(OP_DIMS(2, channels, 1, 1))}};
    struct graft_attr attr[] = {OP_INT("keepdims", keep),
                                OP_INT_LIST("axes", 2, 3), {.name = NULL}};
    bool listed = opset < (op[6] == 'S' ? 13 : 18);
    if (listed)
        c.in[1].from = OP_END;
    else
        attr[1].name = NULL;
    c.attr = attr;
    c.out[0].rank = keep ? 4 : 2;
    op_case_gradient_at(__FILE__, __LINE__, &c);
}

TEST(ops_reduce__gradient_over_pixels)
{
    static const int64_t channels[] = {1, 16, 17, 40};
    for (int i = 0; i < 8; i++) {
        pixels("ReduceMean", 13, channels[i / 2], i % 2);
        pixels("ReduceMean", 18, channels[i / 2], i % 2);
        pixels("ReduceSum", 11, channels[i / 2], i % 2);
        pixels("ReduceSum", 13, channels[i / 2], i % 2);
    }
}

TEST(ops_reduce__gradient_spreads)
{
    op_case_gradient(.op = "ReduceMean", .opset = 13, .n_max = 2,
                     .attr = OP_ATTRS(OP_INT_LIST("axes", 2, 3)),
                     .in = {OP_X(OP_DIMS(2, 3, 2, 2))},
                     .out = {OP_Y(OP_DIMS(2, 3, 1, 1))});
    op_case_gradient(.op = "ReduceMean", .opset = 18,
                     .in = {OP_F(OP_DIMS(2, 3, 2)),
                            OP_H(OP_DIMS(2), OP_INTS(0, 2))},
                     .out = {OP_Y(OP_DIMS(1, 3, 1))});
    op_case_gradient(.op = "ReduceSum", .opset = 11,
                     .attr = OP_ATTRS(OP_INT("keepdims", 0)),
                     .in = {OP_F(OP_DIMS(2, 3))}, .out = {OP_Y(.rank = 0)});
    op_case_gradient(.op = "ReduceSum", .opset = 13,
                     .in = {OP_F(OP_DIMS(2, 3)),
                            OP_H(OP_DIMS(1), OP_INTS(0))},
                     .out = {OP_Y(OP_DIMS(1, 3))});
}
