/* Gemm: numbers, attributes, gradients; and rows that do not depend on how
 * many there are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/runtime.h"
#include "support/op_run.h"

static const struct graft_attr *attr(const struct op_case *c,
                                     const char *name)
{
    for (const struct graft_attr *a = c->attr; a && a->name; a++)
        if (!strcmp(a->name, name))
            return a;
    return NULL;
}

static void naive(const struct op_case *c, const double *const *in,
                  double *const *out)
{
    bool ta = attr(c, "transA") && attr(c, "transA")->i;
    bool tb = attr(c, "transB") && attr(c, "transB")->i;
    double alpha = attr(c, "alpha") ? (double)attr(c, "alpha")->f : 1;
    double beta = attr(c, "beta") ? (double)attr(c, "beta")->f : 1;
    const struct op_value *s = &c->in[2];
    int64_t m = c->out[0].dim[0], n = c->out[0].dim[1];
    int64_t k = c->in[0].dim[!ta];
    for (int64_t i = 0; i < m * n; i++) {
        int64_t row = i / n, col = i % n;
        double sum = 0;
        for (int64_t l = 0; l < k; l++)
            sum += in[0][ta ? l * m + row : row * k + l] *
                   in[1][tb ? col * k + l : l * n + col];
        out[0][i] = alpha * sum;
        if (s->from <= OP_ABSENT)
            continue;
        int64_t wide = s->rank ? s->dim[s->rank - 1] : 1;
        int64_t high = s->rank == 2 ? s->dim[0] : 1;
        out[0][i] += beta * in[2][(high > 1 ? row * wide : 0) +
                                  (wide > 1 ? col : 0)];
    }
}

TEST(ops_gemm__numbers)
{
    static const int rows[] = {7, 9, 11, 13};
    for (int i = 0; i < 4; i++)
        op_case(.op = "Gemm", .opset = rows[i], .n_max = 2,
                .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1, 2, 3, 4)),
                       OP_P(OP_DIMS(2, 3), OP_REALS(1, 0, 2, 0, 1, 3)),
                       OP_P(OP_DIMS(3), OP_REALS(10, 20, 30))},
                .out = {OP_Y(OP_DIMS(2, 3),
                             OP_REALS(11, 22, 38, 13, 24, 48))});
}

#define GRID(A, B, C, n, k, wb, ...)                                        \
    op_case(.op = "Gemm", .opset = 13, .n_max = 5,                          \
            .attr = OP_ATTRS(__VA_ARGS__), .in = {A, B, C},                 \
            .out = {OP_Y(OP_DIMS(5, n))}, .whole_batch = wb,                \
            .reference = naive)

TEST(ops_gemm__attributes)
{
    GRID(OP_X(OP_DIMS(5, 37)), OP_P(OP_DIMS(37, 61)), OP_NONE, 61, 37, false,
         OP_FLOAT("alpha", 0.5f));
    GRID(OP_X(OP_DIMS(5, 37)), OP_P(OP_DIMS(61, 37)), OP_P(OP_DIMS(61)), 61,
         37, false, OP_INT("transB", 1), OP_FLOAT("beta", -2));
    GRID(OP_X(OP_DIMS(5, 1300)), OP_P(OP_DIMS(10, 1300)), OP_P(OP_DIMS()),
         10, 1300, false, OP_INT("transB", 1), OP_FLOAT("alpha", 0.03f));
    GRID(OP_X(OP_DIMS(5, 7)), OP_F(OP_DIMS(100, 7)), OP_P(OP_DIMS(1, 100)),
         100, 7, false, OP_INT("transB", 1));
    GRID(OP_X(OP_DIMS(5, 7)), OP_F(OP_DIMS(7, 100)), OP_X(OP_DIMS(5, 1)),
         100, 7, false, OP_FLOAT("beta", 0.25f));
    GRID(OP_F(OP_DIMS(7, 5)), OP_P(OP_DIMS(7, 9)), OP_F(OP_DIMS(5, 9)), 9, 7,
         false, OP_INT("transA", 1));
    GRID(OP_X(OP_DIMS(5, 3)), OP_P(OP_DIMS(3, 9)), OP_F(OP_DIMS(5, 9)), 9, 3,
         true, OP_FLOAT("beta", 1)); /* row i of C belongs to image i */
    GRID(OP_X(OP_DIMS(5, 5)), OP_X(OP_DIMS(5, 9)), OP_NONE, 9, 5, true,
         OP_INT("transA", 1));
}

TEST(ops_gemm__epilogue)
{
    const double bias[] = {1, -100}, res[] = {0, 1, 2, 200};
    op_case(.op = "Gemm", .opset = 13, .n_max = 2, .bias = bias,
            .residual = res, .act = {GRAFT_ACT_RELU, 0, 0},
            .in = {OP_X(OP_DIMS(2, 1), OP_REALS(1, 2)),
                   OP_P(OP_DIMS(1, 2), OP_REALS(3, 4)),
                   OP_P(OP_DIMS(2), OP_REALS(0.5, 0.25))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(4.5, 0, 9.5, 108.25))});
}

#define GRADIENT(A, B, C, m, n, ...)                                        \
    op_case_gradient(.op = "Gemm", .opset = 13,                             \
                     .attr = OP_ATTRS(OP_FLOAT("alpha", 0.5f),              \
                                      OP_FLOAT("beta", 1.5f),               \
                                      __VA_ARGS__),                         \
                     .in = {A, B, C}, .out = {OP_Y(OP_DIMS(m, n))})

TEST(ops_gemm__gradients)
{
    static const int rows[] = {7, 9, 11, 13};
    for (int i = 0; i < 4; i++)
        op_case_gradient(.op = "Gemm", .opset = rows[i],
                         .in = {OP_X(OP_DIMS(3, 4)), OP_P(OP_DIMS(4, 5)),
                                OP_P(OP_DIMS(5))},
                         .out = {OP_Y(OP_DIMS(3, 5))});
    for (int ta = 0; ta < 2; ta++)
        for (int tb = 0; tb < 2; tb++) {
            int64_t a0 = ta ? 4 : 3, a1 = ta ? 3 : 4;
            int64_t b0 = tb ? 50 : 4, b1 = tb ? 4 : 50;
            GRADIENT(OP_F(.rank = 2, .dim = {a0, a1}),
                     OP_P(.rank = 2, .dim = {b0, b1}), OP_P(OP_DIMS(3, 1)),
                     3, 50, OP_INT("transA", ta), OP_INT("transB", tb));
            GRADIENT(OP_F(.rank = 2, .dim = {a0, a1}),
                     OP_F(.rank = 2, .dim = {b0, b1}), OP_F(OP_DIMS()), 3,
                     50, OP_INT("transA", ta), OP_INT("transB", tb));
        }
}

/* One row, five and sixteen: the same bits for the same row. */
static void same_rows(enum graft_isa isa, bool packed)
{
    struct op_case c = {
        .op = "Gemm", .opset = 13, .n_max = 16,
        .attr = OP_ATTRS(OP_INT("transB", 1)),
        .in = {OP_X(OP_DIMS(16, 700)),
               {.from = packed ? OP_PARAM : OP_FIXED, OP_DIMS(53, 700)},
               OP_P(OP_DIMS(53))},
        .out = {OP_Y(OP_DIMS(16, 53))}};
    struct op_run r = {.file = __FILE__, .line = __LINE__, .c = &c};
    assert_ok(op_run_infer(&r, &c));
    op_run_plan(&r, isa, 2, false);
    op_run_forward(&r, 16);
    real all[16 * 53];
    memcpy(all, r.vout[0].data, sizeof all);
    const int counts[] = {1, 5, 9};
    for (int i = 0; i < 3; i++) {
        op_run_forward(&r, counts[i]);
        assert_memory_equal(all, r.vout[0].data,
                            (size_t)counts[i] * 53 * sizeof(real));
    }
    op_run_release(&r);
}

TEST(ops_gemm__rows_do_not_depend_on_their_number)
{
    struct graft_runtime *rt = graft_runtime_or_default(NULL);
    for (int isa = 0; isa <= (int)rt->isa; isa++) {
        same_rows((enum graft_isa)isa, true);
        same_rows((enum graft_isa)isa, false);
    }
}

TEST(ops_gemm__refusals)
{
    op_case_fails(GRAFT_ESHAPE, "[2,3] times [2,3] is not possible",
                  .op = "Gemm", .opset = 13,
                  .in = {OP_X(OP_DIMS(2, 3)), OP_P(OP_DIMS(2, 3))},
                  .out = {OP_Y(OP_DIMS(2, 3))});
    op_case_fails(GRAFT_ESHAPE, "does not broadcast", .op = "Gemm",
                  .opset = 13,
                  .in = {OP_X(OP_DIMS(2, 3)), OP_P(OP_DIMS(3, 4)),
                         OP_P(OP_DIMS(3))},
                  .out = {OP_Y(OP_DIMS(2, 4))});
}
