/* MatMul: numbers, broadcasting, gradients.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_case.h"

TEST(ops_matmul__numbers)
{
    static const int rows[] = {7, 9, 13};
    for (int i = 0; i < 3; i++)
        op_case(.op = "MatMul", .opset = rows[i], .n_max = 2,
                .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4)),
                       OP_P(OP_DIMS(2, 3), OP_REALS(1, 0, 2, 0, 1, 3))},
                .out = {OP_Y(OP_DIMS(2, 3), OP_REALS(1, 2, 8, 3, 4, 18))});
}

TEST(ops_matmul__vectors)
{
    op_case(.op = "MatMul", .opset = 13,
            .in = {OP_F(OP_DIMS(2), OP_REALS(1, 2)),
                   OP_P(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4))},
            .out = {OP_Y(OP_DIMS(2), OP_REALS(7, 10))});
    op_case(.op = "MatMul", .opset = 13, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4)),
                   OP_P(OP_DIMS(2), OP_REALS(1, 10))},
            .out = {OP_Y(OP_DIMS(2), OP_REALS(21, 43))});
    op_case(.op = "MatMul", .opset = 13,
            .in = {OP_F(OP_DIMS(2), OP_REALS(1, 2)),
                   OP_F(OP_DIMS(2), OP_REALS(3, 4))},
            .out = {{.from = OP_COMPUTED, .rank = 0, OP_REALS(11)}});
}

/* By broadcast indices of up to two leading dimensions. */
static void naive(const struct op_case *c, const double *const *in,
                  double *const *out)
{
    int64_t d[3][4]; /* a, b, y with four dimensions */
    const struct op_value *v[3] = {&c->in[0], &c->in[1], &c->out[0]};
    for (int t = 0; t < 3; t++)
        for (int i = 0; i < 4; i++) {
            int j = i - (4 - v[t]->rank);
            d[t][i] = j >= 0 ? v[t]->dim[j] : 1;
        }
    int64_t m = d[2][2], n = d[2][3], k = d[0][3];
    for (int64_t i = 0; i < d[2][0] * d[2][1] * m * n; i++) {
        int64_t p = i / n / m % d[2][1], q = i / n / m / d[2][1];
        int64_t at[2];
        for (int t = 0; t < 2; t++)
            at[t] = ((d[t][0] > 1 ? q : 0) * d[t][1] +
                     (d[t][1] > 1 ? p : 0)) * d[t][2] * d[t][3];
        out[0][i] = 0;
        for (int64_t l = 0; l < k; l++)
            out[0][i] += in[0][at[0] + i / n % m * k + l] *
                         in[1][at[1] + l * n + i % n];
    }
}

TEST(ops_matmul__broadcast)
{
    op_case(.op = "MatMul", .opset = 13, .n_max = 3,
            .in = {OP_X(OP_DIMS(3, 7, 20)), OP_P(OP_DIMS(20, 70))},
            .out = {OP_Y(OP_DIMS(3, 7, 70))}, .reference = naive);
    op_case(.op = "MatMul", .opset = 13, .n_max = 3,
            .in = {OP_X(OP_DIMS(3, 7, 20)), OP_F(OP_DIMS(20, 5))},
            .out = {OP_Y(OP_DIMS(3, 7, 5))}, .reference = naive);
    op_case(.op = "MatMul", .opset = 13, .n_max = 3,
            .in = {OP_X(OP_DIMS(3, 4, 7, 9)), OP_X(OP_DIMS(3, 4, 9, 11))},
            .out = {OP_Y(OP_DIMS(3, 4, 7, 11))}, .reference = naive);
    op_case(.op = "MatMul", .opset = 13, .n_max = 3,
            .in = {OP_X(OP_DIMS(3, 1, 7, 9)), OP_P(OP_DIMS(4, 9, 11))},
            .out = {OP_Y(OP_DIMS(3, 4, 7, 11))}, .reference = naive);
    op_case(.op = "MatMul", .opset = 13, .n_max = 2,
            .in = {OP_P(OP_DIMS(5, 9)), OP_X(OP_DIMS(2, 4, 9, 11))},
            .out = {OP_Y(OP_DIMS(2, 4, 5, 11))}, .reference = naive);
    op_case(.op = "MatMul", .opset = 13, .n_max = 3,
            .in = {OP_F(OP_DIMS(5, 3)), OP_X(OP_DIMS(3, 11))},
            .out = {OP_Y(OP_DIMS(5, 11))}, .reference = naive,
            .whole_batch = true); /* images are summed over */
}

TEST(ops_matmul__gradients)
{
    static const int rows[] = {7, 9, 13};
    for (int i = 0; i < 3; i++)
        op_case_gradient(.op = "MatMul", .opset = rows[i],
                         .in = {OP_F(OP_DIMS(3, 4)), OP_P(OP_DIMS(4, 5))},
                         .out = {OP_Y(OP_DIMS(3, 5))});
    op_case_gradient(.op = "MatMul", .opset = 13,
                     .in = {OP_F(OP_DIMS(2, 3, 4)), OP_F(OP_DIMS(4, 5))},
                     .out = {OP_Y(OP_DIMS(2, 3, 5))});
    op_case_gradient(.op = "MatMul", .opset = 13,
                     .in = {OP_F(OP_DIMS(2, 1, 3, 4)),
                            OP_F(OP_DIMS(3, 4, 5))},
                     .out = {OP_Y(OP_DIMS(2, 3, 3, 5))});
    op_case_gradient(.op = "MatMul", .opset = 13,
                     .in = {OP_F(OP_DIMS(4)), OP_F(OP_DIMS(4, 5))},
                     .out = {OP_Y(OP_DIMS(5))});
}

TEST(ops_matmul__refusals)
{
    op_case_fails(GRAFT_ESHAPE, "[2,3] times [2,3] is not possible",
                  .op = "MatMul", .opset = 13,
                  .in = {OP_F(OP_DIMS(2, 3)), OP_F(OP_DIMS(2, 3))},
                  .out = {OP_Y(OP_DIMS(2, 3))});
    op_case_fails(GRAFT_ESHAPE, "is not possible", .op = "MatMul",
                  .opset = 13,
                  .in = {OP_F(OP_DIMS(2, 2, 3)), OP_F(OP_DIMS(3, 3, 3))},
                  .out = {OP_Y(OP_DIMS(2, 2, 3))});
}
