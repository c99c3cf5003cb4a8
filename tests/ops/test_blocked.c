/* Rows over C16 with channels that fill no whole number of blocks. op_case
 * runs every case in rows and in blocks; the cases here have the shapes that
 * blocks are for.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/op_case.h"

enum { N = 2, C = 22, AREA = 6 };
#define MAP OP_DIMS(N, C, 3, 2)

/* ---- one value ---------------------------------------------------------- */

static double hard_sigmoid(double x, double alpha)
{
    return fmin(1, fmax(0, alpha * x + 0.5));
}
static double relu(double x)
{
    return fmax(0, x);
}
static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
static double hard(double x)
{
    return hard_sigmoid(x, 0.2);
}
static double swish(double x)
{
    return x * hard_sigmoid(x, 1.0 / 6);
}
static double swish_of_one(double x)
{
    return x * sigmoid(x);
}
static double clip(double x)
{
    return fmin(0.75, fmax(0.25, x)); /* zero lanes would become 0.25 */
}

static const struct row {
    const char *op;
    int64_t opset;
    double (*fn)(double);
} rows[] = {{"Relu", 14, relu},         {"Sigmoid", 13, sigmoid},
            {"HardSigmoid", 6, hard},   {"HardSwish", 14, swish},
            {"Clip", 6, clip},          {"Clip", 11, clip},
            {"Clip", 13, clip},         {"Swish", 24, swish_of_one}};

static double (*fn_now)(double);

static void each(const struct op_case *c, const double *const *in,
                 double *const *out)
{
    (void)c;
    for (int i = 0; i < N * C * AREA; i++)
        out[0][i] = fn_now(in[0][i]);
}

TEST(ops_blocked__activations_keep_unused_lanes_zero)
{
    const struct graft_attr *bounds = OP_ATTRS(OP_FLOAT("min", 0.25f),
                                               OP_FLOAT("max", 0.75f));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool clips = !strcmp(rows[i].op, "Clip"), old = rows[i].opset < 11;
        struct op_case c = {
            .op = rows[i].op, .opset = rows[i].opset, .n_max = N,
            .reference = each, .attr = clips && old ? bounds : NULL,
            .in = {OP_X(MAP, .low = -4, .high = 4)}, .out = {OP_Y(MAP)}};
        struct op_value low = OP_H(.reals = (const double[]){0.25}, .n = 1);
        struct op_value high = OP_H(.reals = (const double[]){0.75}, .n = 1);
        if (clips && !old) {
            c.in[1] = low;
            c.in[2] = high;
        }
        fn_now = rows[i].fn;
        op_case_at(__FILE__, __LINE__, &c);
    }
}

/* ---- two values --------------------------------------------------------- */

static double apply(const char *op, double x, double y)
{
    return op[0] == 'A' ? x + y : op[0] == 'S' ? x - y
         : op[0] == 'M' ? x * y : x / y;
}

/* The second operand: a map, a number for each channel of each image, or of
 * all of them. */
static void both(const struct op_case *c, const double *const *in,
                 double *const *out)
{
    const int64_t *d = c->in[1].dim;
    for (int64_t i = 0; i < N * C * AREA; i++) {
        int64_t n = i / (C * AREA), ch = i / AREA % C;
        int64_t at = d[2] > 1 ? i : (d[0] > 1 ? n * C : 0) + ch;
        out[0][i] = apply(c->op, in[0][i], in[1][at]);
    }
}

TEST(ops_blocked__arithmetic_with_maps_and_channels)
{
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        op_case(.op = ops[i], .opset = 14, .n_max = N, .reference = both,
                .in = {OP_X(MAP), OP_X(MAP, .low = 0.5, .high = 2)},
                .out = {OP_Y(MAP)});
        op_case(.op = ops[i], .opset = 14, .n_max = N, .reference = both,
                .in = {OP_X(MAP),
                       OP_X(OP_DIMS(N, C, 1, 1), .low = 0.5, .high = 2)},
                .out = {OP_Y(MAP)});
        op_case(.op = ops[i], .opset = 14, .n_max = N, .reference = both,
                .in = {OP_X(MAP),
                       OP_P(OP_DIMS(1, C, 1, 1), .low = 0.5, .high = 2)},
                .out = {OP_Y(MAP)});
    }
}

/* ---- pieces ------------------------------------------------------------- */

/* Outputs are the channels from `first` on, one after the other. */
static int64_t first_channel;

static void pieces(const struct op_case *c, const double *const *in,
                   double *const *out)
{
    int64_t from = first_channel;
    for (int k = 0; c->out[k].from != OP_END; k++) {
        int64_t n = c->out[k].dim[1];
        for (int64_t i = 0; i < N * n * AREA; i++)
            out[k][i] = in[0][i / (n * AREA) * C * AREA + from * AREA +
                              i % (n * AREA)];
        from += n;
    }
}

TEST(ops_blocked__pieces_begin_in_the_middle_of_blocks)
{
#define PART(n) OP_Y(OP_DIMS(N, n, 3, 2))
    first_channel = 0;
    op_case(.op = "Split", .opset = 2, .n_max = N, .reference = pieces,
            .attr = OP_ATTRS(OP_INT("axis", 1), OP_INT_LIST("split", 5, 17)),
            .in = {OP_X(MAP)}, .out = {PART(5), PART(17)});
    op_case(.op = "Split", .opset = 13, .n_max = N, .reference = pieces,
            .attr = OP_ATTRS(OP_INT("axis", 1)),
            .in = {OP_X(MAP), OP_H(OP_DIMS(3), OP_INTS(16, 5, 1))},
            .out = {PART(16), PART(5), PART(1)});
    op_case(.op = "Split", .opset = 18, .n_max = N, .reference = pieces,
            .attr = OP_ATTRS(OP_INT("axis", 1), OP_INT("num_outputs", 2)),
            .in = {OP_X(MAP)}, .out = {PART(11), PART(11)});
    first_channel = 3;
    op_case(.op = "Slice", .opset = 9, .n_max = N, .reference = pieces,
            .attr = OP_ATTRS(OP_INT_LIST("starts", 3),
                             OP_INT_LIST("ends", 21), OP_INT_LIST("axes", 1)),
            .in = {OP_X(MAP)}, .out = {PART(18)});
    op_case(.op = "Slice", .opset = 13, .n_max = N, .reference = pieces,
            .in = {OP_X(MAP), OP_H(OP_DIMS(1), OP_INTS(3)),
                   OP_H(OP_DIMS(1), OP_INTS(21)), OP_H(OP_DIMS(1),
                                                       OP_INTS(1))},
            .out = {PART(18)});
#undef PART
}
