/* BatchNormalization with given statistics.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ops/batchnorm.h"
#include "support/op_case.h"

#define PARAMETERS                                                          \
    OP_P(OP_DIMS(2), OP_REALS(1, 1.5)), OP_P(OP_DIMS(2), OP_REALS(0, 1)),   \
        OP_P(OP_DIMS(2), OP_REALS(0, 3)), OP_P(OP_DIMS(2), OP_REALS(1, 0.25))
#define INPUT OP_X(OP_DIMS(1, 2, 1, 3), OP_REALS(-1, 0, 1, 2, 3, 4))

TEST(ops_batchnorm__numbers)
{
    static const int rows[] = {7, 9, 14, 15};
    for (int i = 0; i < 4; i++)
        op_case(.op = "BatchNormalization", .opset = rows[i],
                .attr = OP_ATTRS(OP_FLOAT("epsilon", 0),
                                 OP_FLOAT("momentum", 0.9f)),
                .in = {INPUT, PARAMETERS},
                .out = {OP_Y(OP_DIMS(1, 2, 1, 3),
                             OP_REALS(-1, 0, 1, -2, 1, 4))});
}

static void naive(const struct op_case *c, const double *const *in,
                  double *const *out)
{
    const struct op_value *x = &c->in[0];
    int64_t area = 1;
    for (int i = 2; i < x->rank; i++)
        area *= x->dim[i];
    for (int64_t i = 0; i < x->dim[0] * x->dim[1] * area; i++) {
        int64_t ch = i / area % x->dim[1];
        out[0][i] = in[1][ch] * (in[0][i] - in[3][ch]) /
                        sqrt(in[4][ch] + 1e-5) + in[2][ch];
    }
}

TEST(ops_batchnorm__shapes)
{
    op_case(.op = "BatchNormalization", .opset = 15, .n_max = 3,
            .in = {OP_X(OP_DIMS(3, 5, 7, 9)), OP_P(OP_DIMS(5)),
                   OP_P(OP_DIMS(5)), OP_P(OP_DIMS(5)),
                   OP_P(OP_DIMS(5), .low = 0.1, .high = 2)},
            .out = {OP_Y(OP_DIMS(3, 5, 7, 9))}, .reference = naive);
    op_case(.op = "BatchNormalization", .opset = 15, .n_max = 3,
            .in = {OP_X(OP_DIMS(3, 20)), OP_P(OP_DIMS(20)),
                   OP_P(OP_DIMS(20)), OP_P(OP_DIMS(20)),
                   OP_P(OP_DIMS(20), .low = 0.1, .high = 2)},
            .out = {OP_Y(OP_DIMS(3, 20))}, .reference = naive);
}

TEST(ops_batchnorm__epilogue)
{
    const double res[] = {0, 0, 10, 0, 0, -5};
    op_case(.op = "BatchNormalization", .opset = 15, .residual = res,
            .act = {GRAFT_ACT_RELU, 0, 0},
            .attr = OP_ATTRS(OP_FLOAT("epsilon", 0)),
            .in = {INPUT, PARAMETERS},
            .out = {OP_Y(OP_DIMS(1, 2, 1, 3), OP_REALS(0, 0, 11, 0, 1, 0))});
}

TEST(ops_batchnorm__affine_is_the_same_map)
{
    const struct graft_op *op = graft_op_find("", "BatchNormalization", 15);
    const float epsilon = 0;
    const real g[] = {1, (real)1.5}, b[] = {0, 1}, mean[] = {0, 3};
    const real var[] = {1, (real)0.25};
    const real *params[] = {g, b, mean, var};
    real scale[2], shift[2];
    assert_non_null(op);
    op->affine(&epsilon, params, 2, scale, shift);
    assert_near(scale[1], 3, 1e-6);
    assert_near(shift[1], -8, 1e-6);
}

/* Statistics stay what they are; scale and shift may be parameters or not. */
TEST(ops_batchnorm__gradients_by_differences)
{
    static const int rows[] = {7, 9, 14, 15};
    static const int64_t shape[][4] = {
        {1, 1, 1, 1}, {2, 16, 5, 7}, {3, 17, 7, 3}, {2, 40, 1, 2},
        {1, 3, 29, 31}};
    for (int i = 0; i < 5; i++) {
        const int64_t *x = shape[i], c = x[1];
        op_case_gradient(.op = "BatchNormalization", .opset = rows[i % 4],
                         .n_max = (int)x[0],
                         .attr = OP_ATTRS(OP_FLOAT("epsilon", 0.125f)),
                         .in = {OP_X(OP_DIMS(x[0], c, x[2], x[3])),
                                OP_P(OP_DIMS(c)), OP_P(OP_DIMS(c)),
                                OP_P(OP_DIMS(c)),
                                OP_P(OP_DIMS(c), .low = 0.1, .high = 2)},
                         .out = {OP_Y(OP_DIMS(x[0], c, x[2], x[3]))});
    }
    op_case_gradient(.op = "BatchNormalization", .opset = 15, .n_max = 3,
                     .in = {OP_X(OP_DIMS(3, 20)), OP_F(OP_DIMS(20)),
                            OP_F(OP_DIMS(20)), OP_F(OP_DIMS(20)),
                            OP_F(OP_DIMS(20), .low = 0.1, .high = 2)},
                     .out = {OP_Y(OP_DIMS(3, 20))});
    op_case_gradient(.op = "BatchNormalization", .opset = 15, .n_max = 2,
                     .in = {OP_X(OP_DIMS(2, 18, 7)), OP_P(OP_DIMS(18)),
                            OP_P(OP_DIMS(18)), OP_P(OP_DIMS(18)),
                            OP_P(OP_DIMS(18), .low = 0.1, .high = 2)},
                     .out = {OP_Y(OP_DIMS(2, 18, 7))});
}

/* ---- statistics of the batch --------------------------------------------- */

static void of_batch(const struct op_case *c, const double *const *in,
                     double *const *out)
{
    const int64_t *d = c->in[0].dim;
    int64_t area = c->in[0].rank > 3 ? d[2] * d[3] : 1, n = d[0] * area;
    for (int64_t ch = 0; ch < d[1]; ch++) {
        double mean = 0, var = 0;
        for (int64_t i = 0; i < n; i++)
            mean += in[0][(i / area * d[1] + ch) * area + i % area];
        mean /= (double)n;
        for (int64_t i = 0; i < n; i++) {
            double x = in[0][(i / area * d[1] + ch) * area + i % area];
            var += (x - mean) * (x - mean) / (double)n;
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t at = (i / area * d[1] + ch) * area + i % area;
            out[0][at] = in[1][ch] * (in[0][at] - mean) / sqrt(var + 0.125) +
                         in[2][ch];
        }
    }
}

TEST(ops_batchnorm__statistics_of_the_batch)
{
    static const int64_t shape[][4] = {
        {1, 1, 1, 1}, {2, 16, 5, 7}, {3, 17, 7, 3}, {5, 40, 1, 2},
        {2, 3, 23, 11}};
    struct graft_batchnorm args = {0.125f, 0.9f};
    for (int i = 0; i < 5; i++) {
        const int64_t *x = shape[i], ch = x[1];
        struct op_case c = {
            .op = "BatchNormalization", .row = &graft_row_batchnorm_train,
            .args = &args, .n_max = (int)x[0], .reference = of_batch,
            .in = {OP_X(OP_DIMS(x[0], ch, x[2], x[3]), .low = -1, .high = 3),
                   OP_P(OP_DIMS(ch)), OP_P(OP_DIMS(ch)), OP_P(OP_DIMS(ch)),
                   OP_P(OP_DIMS(ch))},
            .out = {OP_Y(OP_DIMS(x[0], ch, x[2], x[3]))}};
        op_case_at(__FILE__, __LINE__, &c);
        op_case_gradient_at(__FILE__, __LINE__, &c);
    }
    op_case_gradient(.op = "BatchNormalization",
                     .row = &graft_row_batchnorm_train, .args = &args,
                     .n_max = 6,
                     .in = {OP_X(OP_DIMS(6, 5)), OP_P(OP_DIMS(5)),
                            OP_P(OP_DIMS(5)), OP_P(OP_DIMS(5)),
                            OP_P(OP_DIMS(5))},
                     .out = {OP_Y(OP_DIMS(6, 5))});
}

TEST(ops_batchnorm__refusals)
{
    op_case_fails(GRAFT_EUNSUPPORTED, "training_mode",
                  .op = "BatchNormalization", .opset = 15,
                  .attr = OP_ATTRS(OP_INT("training_mode", 1)),
                  .in = {INPUT, PARAMETERS},
                  .out = {OP_Y(OP_DIMS(1, 2, 1, 3))});
    op_case_fails(GRAFT_EUNSUPPORTED, "spatial 0",
                  .op = "BatchNormalization", .opset = 7,
                  .attr = OP_ATTRS(OP_INT("spatial", 0)),
                  .in = {INPUT, PARAMETERS},
                  .out = {OP_Y(OP_DIMS(1, 2, 1, 3))});
    op_case_fails(GRAFT_EUNSUPPORTED, "output 1 is used",
                  .op = "BatchNormalization", .opset = 15,
                  .in = {INPUT, PARAMETERS},
                  .out = {OP_Y(OP_DIMS(1, 2, 1, 3)), OP_Y(OP_DIMS(2))});
    op_case_fails(GRAFT_ESHAPE, "has 3 elements for 2 channels",
                  .op = "BatchNormalization", .opset = 15,
                  .in = {INPUT, OP_P(OP_DIMS(3)), OP_P(OP_DIMS(2)),
                         OP_P(OP_DIMS(2)), OP_P(OP_DIMS(2))},
                  .out = {OP_Y(OP_DIMS(1, 2, 1, 3))});
}
