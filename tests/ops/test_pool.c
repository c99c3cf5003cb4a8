/* Pooling: numbers from ONNX Runtime 1.31 (tests of ceil_mode, padding,
 * dilation; torch agrees where it has the attribute), and a grid against a
 * plain loop.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/op_case.h"

#define X25                                                                 \
    OP_X(OP_DIMS(1, 1, 5, 5),                                               \
         OP_REALS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,    \
                  17, 18, 19, 20, 21, 22, 23, 24, 25))
#define POOL(op_name, version, attrs, size, ...)                            \
    op_case(.op = op_name, .opset = version, .attr = attrs, .in = {X25},    \
            .out = {OP_Y(OP_DIMS(1, 1, size, size), OP_REALS(__VA_ARGS__))})
#define KERNEL(k, s)                                                        \
    OP_INT_LIST("kernel_shape", k, k), OP_INT_LIST("strides", s, s)
#define PADS(p) OP_INT_LIST("pads", p, p, p, p)

TEST(ops_pool__max)
{
    static const int rows[] = {7, 8, 10, 11, 12, 22};
    for (int i = 0; i < 6; i++)
        POOL("MaxPool", rows[i], OP_ATTRS(KERNEL(2, 2)), 2, 7, 9, 17, 19);
    POOL("MaxPool", 12, OP_ATTRS(KERNEL(2, 2), PADS(1),
                                 OP_INT_LIST("dilations", 2, 2)),
         3, 7, 9, 9, 17, 19, 19, 17, 19, 19);
    POOL("MaxPool", 12, OP_ATTRS(KERNEL(2, 2), OP_INT("ceil_mode", 1),
                                 OP_STRING("auto_pad", "SAME_UPPER")),
         3, 7, 9, 10, 17, 19, 20, 22, 24, 25);
    POOL("MaxPool", 12, OP_ATTRS(KERNEL(2, 2), OP_INT("ceil_mode", 1),
                                 OP_INT("storage_order", 1)),
         3, 7, 9, 10, 17, 19, 20, 22, 24, 25);
    op_case(.op = "MaxPool", .opset = 12, /* padding is below every number */
            .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 2),
                             OP_INT_LIST("pads", 1, 1)),
            .in = {OP_X(OP_DIMS(1, 1, 2), OP_REALS(-5, -7))},
            .out = {OP_Y(OP_DIMS(1, 1, 3), OP_REALS(-5, -5, -7))});
    op_case(.op = "MaxPool", .opset = 12,
            .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 2)),
            .in = {OP_X(OP_DIMS(1, 1, 5), OP_REALS(1, NAN, 2, 3, -INFINITY))},
            .out = {OP_Y(OP_DIMS(1, 1, 4), OP_REALS(NAN, NAN, 3, 3))});
    op_case(.op = "MaxPool", .opset = 12, .attr = OP_ATTRS(KERNEL(2, 1)),
            .in = {OP_X(OP_DIMS(1, 1, 3, 4),
                        OP_REALS(1, 2, 3, NAN, -INFINITY, -INFINITY, 5, 4,
                                 -INFINITY, -INFINITY, NAN, 9))},
            .out = {OP_Y(OP_DIMS(1, 1, 2, 3),
                         OP_REALS(2, 5, NAN, -INFINITY, NAN, NAN))});
}

TEST(ops_pool__average)
{
    static const int rows[] = {7, 10, 11, 19, 22};
    for (int i = 0; i < 5; i++)
        POOL("AveragePool", rows[i], OP_ATTRS(KERNEL(3, 2), PADS(1)), 3, 4,
             5.5, 7, 11.5, 13, 14.5, 19, 20.5, 22);
    POOL("AveragePool", 22, OP_ATTRS(KERNEL(2, 2), OP_INT("ceil_mode", 1)),
         3, 4, 6, 7.5, 14, 16, 17.5, 21.5, 23.5, 25);
    POOL("AveragePool", 22, OP_ATTRS(KERNEL(2, 2), OP_INT("ceil_mode", 1),
                                     OP_INT("count_include_pad", 1)),
         3, 4, 6, 7.5, 14, 16, 17.5, 21.5, 23.5, 25);
    /* the third window would begin in the padding: there are two */
    POOL("AveragePool", 22, OP_ATTRS(KERNEL(3, 3), PADS(1),
                                     OP_INT("ceil_mode", 1),
                                     OP_INT("count_include_pad", 1)),
         2, 16.0 / 9, 13.0 / 3, 11, 19);
    POOL("AveragePool", 22, OP_ATTRS(KERNEL(3, 3), PADS(1),
                                     OP_INT("ceil_mode", 1)),
         2, 4, 6.5, 16.5, 19);
    POOL("AveragePool", 22, OP_ATTRS(KERNEL(2, 2),
                                     OP_STRING("auto_pad", "SAME_LOWER"),
                                     OP_INT("count_include_pad", 1)),
         3, 0.25, 1.25, 2.25, 4.25, 10, 12, 9.25, 20, 22);
    POOL("AveragePool", 22, OP_ATTRS(KERNEL(2, 2), PADS(1),
                                     OP_INT_LIST("dilations", 2, 2)),
         3, 7, 8, 9, 12, 13, 14, 17, 18, 19);
    POOL("AveragePool", 22, OP_ATTRS(KERNEL(2, 2), PADS(1),
                                     OP_INT_LIST("dilations", 2, 2),
                                     OP_INT("count_include_pad", 1)),
         3, 1.75, 4, 2.25, 6, 13, 7, 4.25, 9, 4.75);
}

static int64_t entry(const struct op_case *c, const char *name, int i,
                     int64_t fallback)
{
    for (const struct graft_attr *a = c->attr; a && a->name; a++)
        if (!strcmp(a->name, name))
            return a->ints[i];
    return fallback;
}

/* Two axes, padding as written and not counted. */
static void naive(const struct op_case *c, const double *const *in,
                  double *const *out)
{
    const int64_t *x = c->in[0].dim, *y = c->out[0].dim;
    int64_t kh = entry(c, "kernel_shape", 0, 1);
    int64_t kw = entry(c, "kernel_shape", 1, 1);
    bool max = !strcmp(c->op, "MaxPool");
    for (int64_t i = 0; i < y[0] * y[1] * y[2] * y[3]; i++) {
        double sum = 0, top = -INFINITY;
        int n = 0;
        const double *plane = in[0] + i / (y[2] * y[3]) * x[2] * x[3];
        for (int64_t k = 0; k < kh * kw; k++) {
            int64_t h = i / y[3] % y[2] * entry(c, "strides", 0, 1) -
                        entry(c, "pads", 0, 0) + k / kw;
            int64_t w = i % y[3] * entry(c, "strides", 1, 1) -
                        entry(c, "pads", 1, 0) + k % kw;
            if (h < 0 || h >= x[2] || w < 0 || w >= x[3])
                continue;
            sum += plane[h * x[3] + w];
            top = fmax(top, plane[h * x[3] + w]);
            n++;
        }
        out[0][i] = max ? top : sum / n;
    }
}

TEST(ops_pool__grid)
{
    static const char *const ops[] = {"MaxPool", "AveragePool"};
    for (int i = 0; i < 2; i++) {
        op_case(.op = ops[i], .opset = 11, .n_max = 3,
                .attr = OP_ATTRS(KERNEL(3, 2), PADS(1)),
                .in = {OP_X(OP_DIMS(3, 5, 27, 41))},
                .out = {OP_Y(OP_DIMS(3, 5, 14, 21))}, .reference = naive);
        op_case(.op = ops[i], .opset = 11, .n_max = 2,
                .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 3, 2),
                                 OP_INT_LIST("strides", 1, 3),
                                 OP_INT_LIST("pads", 2, 0, 1, 1)),
                .in = {OP_X(OP_DIMS(2, 70, 7, 8))},
                .out = {OP_Y(OP_DIMS(2, 70, 8, 3))}, .reference = naive);
        op_case(.op = ops[i], .opset = 11, .n_max = 1,
                .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 5, 5)),
                .in = {OP_X(OP_DIMS(1, 2, 80, 131))},
                .out = {OP_Y(OP_DIMS(1, 2, 76, 127))}, .reference = naive);
        op_case(.op = ops[i], .opset = 11, .n_max = 1,
                .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 1, 140)),
                .in = {OP_X(OP_DIMS(1, 2, 3, 150))},
                .out = {OP_Y(OP_DIMS(1, 2, 3, 11))}, .reference = naive);
    }
}

TEST(ops_pool__three_axes)
{
    op_case(.op = "MaxPool", .opset = 11,
            .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 2, 1, 2)),
            .in = {OP_X(OP_DIMS(1, 1, 2, 2, 2),
                        OP_REALS(1, 2, 3, 4, 5, 6, 9, 8))},
            .out = {OP_Y(OP_DIMS(1, 1, 1, 2, 1), OP_REALS(6, 9))});
    op_case(.op = "AveragePool", .opset = 11,
            .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 2, 1, 2)),
            .in = {OP_X(OP_DIMS(1, 1, 2, 2, 2),
                        OP_REALS(1, 2, 3, 4, 5, 6, 9, 8))},
            .out = {OP_Y(OP_DIMS(1, 1, 1, 2, 1), OP_REALS(3.5, 6))});
}

static void mean(const struct op_case *c, const double *const *in,
                 double *const *out)
{
    int64_t area = c->in[0].dim[2] * c->in[0].dim[3];
    for (int64_t i = 0; i < c->in[0].dim[0] * c->in[0].dim[1]; i++) {
        out[0][i] = 0;
        for (int64_t j = 0; j < area; j++)
            out[0][i] += in[0][i * area + j] / (double)area;
    }
}

TEST(ops_pool__global_average)
{
    op_case(.op = "GlobalAveragePool", .opset = 7, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 1, 2, 2),
                        OP_REALS(1, 2, 3, 6, -1, 1, -2, 2))},
            .out = {OP_Y(OP_DIMS(2, 1, 1, 1), OP_REALS(3, 0))});
    op_case(.op = "GlobalAveragePool", .opset = 22, .n_max = 3,
            .in = {OP_X(OP_DIMS(3, 67, 13, 17))},
            .out = {OP_Y(OP_DIMS(3, 67, 1, 1))}, .reference = mean);
    op_case_fails(GRAFT_ESHAPE, "has no mean", .op = "GlobalAveragePool",
                  .opset = 22, .in = {OP_X(OP_DIMS(1, 2, 0, 3))},
                  .out = {OP_Y(OP_DIMS(1, 2, 1, 1))});
}

TEST(ops_pool__sizes_from_strangers)
{
    POOL("MaxPool", 12, OP_ATTRS(KERNEL(2, 1 << 24)), 1, 7);
    op_case_fails(GRAFT_ELIMIT, "a kernel of more than", .op = "MaxPool",
                  .opset = 12, .in = {X25},
                  .attr = OP_ATTRS(KERNEL(1 << 22, 1), PADS(1 << 23)),
                  .out = {OP_Y(OP_DIMS(1, 1, 1, 1))});
}

TEST(ops_pool__refusals)
{
    op_case_fails(GRAFT_EUNSUPPORTED, "indices of maxima", .op = "MaxPool",
                  .opset = 12, .attr = OP_ATTRS(KERNEL(2, 2)), .in = {X25},
                  .out = {OP_Y(OP_DIMS(1, 1, 2, 2)),
                          OP_Y(OP_DIMS(1, 1, 2, 2))});
    op_case_fails(GRAFT_EFORMAT, "kernel_shape is missing", .op = "MaxPool",
                  .opset = 12, .in = {X25},
                  .out = {OP_Y(OP_DIMS(1, 1, 2, 2))});
    op_case_fails(GRAFT_ESHAPE, "kernel_shape has 1 entries",
                  .op = "AveragePool", .opset = 12, .in = {X25},
                  .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 2)),
                  .out = {OP_Y(OP_DIMS(1, 1, 2, 2))});
}
