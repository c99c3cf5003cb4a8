/* Conv: numbers of ONNX's own examples, an attribute grid against a plain
 * loop, epilogues, and what is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/op_case.h"

static int64_t ints_of(const struct op_case *c, const char *name, int i,
                       int64_t fallback)
{
    for (const struct graft_attr *a = c->attr; a && a->name; a++)
        if (!strcmp(a->name, name))
            return a->type == GRAFT_ATTR_INT ? a->i : a->ints[i];
    return fallback;
}

/* Two axes, padding as written. */
static void naive(const struct op_case *c, const double *const *in,
                  double *const *out)
{
    const int64_t *x = c->in[0].dim, *w = c->in[1].dim, *y = c->out[0].dim;
    int64_t group = ints_of(c, "group", 0, 1), per = w[1];
    for (int64_t i = 0; i < y[0] * y[1] * y[2] * y[3]; i++) {
        int64_t q = i % y[3], p = i / y[3] % y[2];
        int64_t o = i / y[3] / y[2] % y[1], n = i / y[3] / y[2] / y[1];
        double sum = c->in[2].from > OP_ABSENT ? in[2][o] : 0;
        for (int64_t k = 0; k < per * w[2] * w[3]; k++) {
            int64_t kw = k % w[3], kh = k / w[3] % w[2];
            int64_t ch = o / (y[1] / group) * per + k / w[3] / w[2];
            int64_t h = p * ints_of(c, "strides", 0, 1) -
                        ints_of(c, "pads", 0, 0) +
                        kh * ints_of(c, "dilations", 0, 1);
            int64_t v = q * ints_of(c, "strides", 1, 1) -
                        ints_of(c, "pads", 1, 0) +
                        kw * ints_of(c, "dilations", 1, 1);
            if (h >= 0 && h < x[2] && v >= 0 && v < x[3])
                sum += in[1][o * per * w[2] * w[3] + k] *
                       in[0][((n * x[1] + ch) * x[2] + h) * x[3] + v];
        }
        out[0][i] = sum;
    }
}

#define COUNT25                                                             \
    OP_REALS(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,  \
             18, 19, 20, 21, 22, 23, 24)
#define ONES9 OP_REALS(1, 1, 1, 1, 1, 1, 1, 1, 1)

/* test_basic_conv_with_padding, _without_padding, test_conv_with_autopad_same
 * of ONNX, for each row. */
TEST(ops_conv__onnx_examples)
{
    static const int opset[] = {7, 11, 22};
    for (int i = 0; i < 3; i++) {
        op_case(.op = "Conv", .opset = opset[i],
                .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 3, 3),
                                 OP_INT_LIST("pads", 1, 1, 1, 1)),
                .in = {OP_X(OP_DIMS(1, 1, 5, 5), COUNT25),
                       OP_P(OP_DIMS(1, 1, 3, 3), ONES9)},
                .out = {OP_Y(OP_DIMS(1, 1, 5, 5),
                             OP_REALS(12, 21, 27, 33, 24, 33, 54, 63, 72, 51,
                                      63, 99, 108, 117, 81, 93, 144, 153,
                                      162, 111, 72, 111, 117, 123, 84))});
        op_case(.op = "Conv", .opset = opset[i],
                .in = {OP_X(OP_DIMS(1, 1, 5, 5), COUNT25),
                       OP_X(OP_DIMS(1, 1, 3, 3), ONES9)},
                .out = {OP_Y(OP_DIMS(1, 1, 3, 3),
                             OP_REALS(54, 63, 72, 99, 108, 117, 144, 153,
                                      162))},
                .whole_batch = true); /* a weight made by the images */
        op_case(.op = "Conv", .opset = opset[i],
                .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 3, 3),
                                 OP_INT_LIST("strides", 2, 2),
                                 OP_STRING("auto_pad", "SAME_LOWER")),
                .in = {OP_X(OP_DIMS(1, 1, 5, 5), COUNT25),
                       OP_F(OP_DIMS(1, 1, 3, 3), ONES9)},
                .out = {OP_Y(OP_DIMS(1, 1, 3, 3),
                             OP_REALS(12, 27, 24, 63, 108, 81, 72, 117,
                                      84))});
    }
}

TEST(ops_conv__auto_pad)
{
    /* 4 elements by 2, kernel 3: one element of padding, at either end */
    op_case(.op = "Conv", .opset = 11,
            .attr = OP_ATTRS(OP_INT_LIST("strides", 2),
                             OP_STRING("auto_pad", "SAME_UPPER")),
            .in = {OP_X(OP_DIMS(1, 1, 4), OP_REALS(1, 2, 3, 4)),
                   OP_P(OP_DIMS(1, 1, 3), OP_REALS(1, 10, 100))},
            .out = {OP_Y(OP_DIMS(1, 1, 2), OP_REALS(321, 43))});
    op_case(.op = "Conv", .opset = 11,
            .attr = OP_ATTRS(OP_INT_LIST("strides", 2),
                             OP_STRING("auto_pad", "SAME_LOWER")),
            .in = {OP_X(OP_DIMS(1, 1, 4), OP_REALS(1, 2, 3, 4)),
                   OP_P(OP_DIMS(1, 1, 3), OP_REALS(1, 10, 100))},
            .out = {OP_Y(OP_DIMS(1, 1, 2), OP_REALS(210, 432))});
    op_case(.op = "Conv", .opset = 11,
            .attr = OP_ATTRS(OP_STRING("auto_pad", "VALID")),
            .in = {OP_X(OP_DIMS(1, 1, 4), OP_REALS(1, 2, 3, 4)),
                   OP_P(OP_DIMS(1, 1, 3), OP_REALS(1, 10, 100))},
            .out = {OP_Y(OP_DIMS(1, 1, 2), OP_REALS(321, 432))});
}

TEST(ops_conv__grid)
{
    op_case(.op = "Conv", .opset = 11, .n_max = 3,
            .in = {OP_X(OP_DIMS(3, 7, 9, 11)), OP_P(OP_DIMS(13, 7, 1, 1)),
                   OP_P(OP_DIMS(13))},
            .out = {OP_Y(OP_DIMS(3, 13, 9, 11))}, .reference = naive);
    op_case(.op = "Conv", .opset = 11, .n_max = 2,
            .attr = OP_ATTRS(OP_INT_LIST("strides", 2, 1),
                             OP_INT_LIST("pads", 0, 2, 1, 1),
                             OP_INT_LIST("dilations", 1, 2)),
            .in = {OP_X(OP_DIMS(2, 3, 13, 17)), OP_P(OP_DIMS(5, 3, 3, 5)),
                   OP_P(OP_DIMS(5))},
            .out = {OP_Y(OP_DIMS(2, 5, 6, 12))}, .reference = naive);
    op_case(.op = "Conv", .opset = 11, .n_max = 2,
            .attr = OP_ATTRS(OP_INT("group", 3),
                             OP_INT_LIST("pads", 1, 1, 1, 1)),
            .in = {OP_X(OP_DIMS(2, 6, 5, 7)), OP_P(OP_DIMS(9, 2, 3, 3)),
                   OP_NONE},
            .out = {OP_Y(OP_DIMS(2, 9, 5, 7))}, .reference = naive);
    op_case(.op = "Conv", .opset = 11, .n_max = 2,
            .attr = OP_ATTRS(OP_INT("group", 6),
                             OP_INT_LIST("strides", 2, 2),
                             OP_INT_LIST("pads", 0, 1, 1, 0)),
            .in = {OP_X(OP_DIMS(2, 6, 11, 7)), OP_P(OP_DIMS(12, 1, 3, 3)),
                   OP_F(OP_DIMS(12))},
            .out = {OP_Y(OP_DIMS(2, 12, 5, 3))}, .reference = naive);
    op_case(.op = "Conv", .opset = 22, .n_max = 16,
            .in = {OP_X(OP_DIMS(16, 24, 1, 1)), OP_P(OP_DIMS(8, 24, 1, 1))},
            .out = {OP_Y(OP_DIMS(16, 8, 1, 1))}, .reference = naive);
}

TEST(ops_conv__one_and_three_axes)
{
    op_case(.op = "Conv", .opset = 11, .n_max = 2,
            .attr = OP_ATTRS(OP_INT_LIST("pads", 1, 0)),
            .in = {OP_X(OP_DIMS(2, 1, 3), OP_REALS(1, 2, 3, 4, 5, 6)),
                   OP_P(OP_DIMS(1, 1, 2), OP_REALS(1, 10))},
            .out = {OP_Y(OP_DIMS(2, 1, 3),
                         OP_REALS(10, 21, 32, 40, 54, 65))});
    op_case(.op = "Conv", .opset = 11,
            .in = {OP_X(OP_DIMS(1, 1, 2, 2, 2),
                        OP_REALS(1, 2, 3, 4, 5, 6, 7, 8)),
                   OP_P(OP_DIMS(1, 1, 2, 1, 2), OP_REALS(1, 2, 3, 4))},
            .out = {OP_Y(OP_DIMS(1, 1, 1, 2, 1), OP_REALS(44, 64))});
}

TEST(ops_conv__epilogue)
{
    const double bias[] = {1, -1}, res[] = {0, 1, 0, 0, 0, 0, 0, 10};
    op_case(.op = "Conv", .opset = 11, .n_max = 2, .bias = bias,
            .residual = res, .act = {GRAFT_ACT_RELU, 0, 0},
            .in = {OP_X(OP_DIMS(2, 1, 1, 2), OP_REALS(1, 2, -3, 4)),
                   OP_P(OP_DIMS(2, 1, 1, 1), OP_REALS(1, -1)),
                   OP_P(OP_DIMS(2), OP_REALS(0.5, 2))},
            .out = {OP_Y(OP_DIMS(2, 2, 1, 2),
                         OP_REALS(2.5, 4.5, 0, 0, 0, 5.5, 4, 7))});
}

TEST(ops_conv__refusals)
{
    op_case_fails(GRAFT_ESHAPE, "does not fit input", .op = "Conv",
                  .opset = 11, .in = {OP_X(OP_DIMS(1, 3, 5, 5)),
                                      OP_P(OP_DIMS(4, 2, 3, 3))},
                  .out = {OP_Y(OP_DIMS(1, 4, 3, 3))});
    op_case_fails(GRAFT_ESHAPE, "does not fit a padded axis", .op = "Conv",
                  .opset = 11, .in = {OP_X(OP_DIMS(1, 3, 2, 5)),
                                      OP_P(OP_DIMS(4, 3, 3, 3))},
                  .out = {OP_Y(OP_DIMS(1, 4, 3, 3))});
    op_case_fails(GRAFT_EUNSUPPORTED, "strides has an entry 0", .op = "Conv",
                  .opset = 11, .attr = OP_ATTRS(OP_INT_LIST("strides", 0, 1)),
                  .in = {OP_X(OP_DIMS(1, 3, 5, 5)),
                         OP_P(OP_DIMS(4, 3, 3, 3))},
                  .out = {OP_Y(OP_DIMS(1, 4, 3, 3))});
    op_case_fails(GRAFT_EUNSUPPORTED, "pads has an entry -1", .op = "Conv",
                  .opset = 11,
                  .attr = OP_ATTRS(OP_INT_LIST("pads", -1, 0, 0, 0)),
                  .in = {OP_X(OP_DIMS(1, 3, 5, 5)),
                         OP_P(OP_DIMS(4, 3, 3, 3))},
                  .out = {OP_Y(OP_DIMS(1, 4, 3, 3))});
    op_case_fails(GRAFT_EUNSUPPORTED, "auto_pad 'FULL'", .op = "Conv",
                  .opset = 11, .attr = OP_ATTRS(OP_STRING("auto_pad", "FULL")),
                  .in = {OP_X(OP_DIMS(1, 3, 5, 5)),
                         OP_P(OP_DIMS(4, 3, 3, 3))},
                  .out = {OP_Y(OP_DIMS(1, 4, 3, 3))});
    op_case_fails(GRAFT_ESHAPE, "kernel_shape is not that", .op = "Conv",
                  .opset = 11,
                  .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 3, 5)),
                  .in = {OP_X(OP_DIMS(1, 3, 5, 5)),
                         OP_P(OP_DIMS(4, 3, 3, 3))},
                  .out = {OP_Y(OP_DIMS(1, 4, 3, 3))});
}
