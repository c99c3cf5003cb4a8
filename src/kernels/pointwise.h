/* Kernels that work element by element or row by row: activations, unary and
 * binary arithmetic, sums, softmax. One thread, plain arrays; the operators
 * cut the work.
 *
 * An output may be the very array of an input (never a shifted overlap).
 * NaN stays NaN everywhere.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_POINTWISE_H
#define GRAFT_KERNELS_POINTWISE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/act.h"

/* code, whether its gradient is computed from the input (else the output),
 * formula */
#define GRAFT_UNARY_LIST(X)                                                 \
    X(GRAFT_NEG, 0, "-x")                                                   \
    X(GRAFT_ABS, 1, "|x|")                                                  \
    X(GRAFT_SQRT, 0, "sqrt(x)")                                             \
    X(GRAFT_EXP, 0, "exp(x)")                                               \
    X(GRAFT_LOG, 1, "log(x)")                                               \
    X(GRAFT_ERF, 1, "erf(x)")                                               \
    X(GRAFT_TANH, 0, "tanh(x)")                                             \
    X(GRAFT_RECIPROCAL, 0, "1 / x")                                         \
    X(GRAFT_FLOOR, 0, "largest integer <= x")                               \
    X(GRAFT_CEIL, 0, "smallest integer >= x")
#define GRAFT_UNARY_ENUM(code, from_input, text) code,
enum graft_unary { GRAFT_UNARY_LIST(GRAFT_UNARY_ENUM) GRAFT_UNARY_COUNT };
#undef GRAFT_UNARY_ENUM

#define GRAFT_BINARY_LIST(X)                                                \
    X(GRAFT_ADD2, "a + b")                                                  \
    X(GRAFT_SUB2, "a - b")                                                  \
    X(GRAFT_MUL2, "a b")                                                    \
    X(GRAFT_DIV2, "a / b")                                                  \
    X(GRAFT_MAX2, "max(a, b)")                                              \
    X(GRAFT_MIN2, "min(a, b)")                                              \
    X(GRAFT_POW2, "a to the power b")
#define GRAFT_BINARY_ENUM(code, text) code,
enum graft_binary { GRAFT_BINARY_LIST(GRAFT_BINARY_ENUM) GRAFT_BINARY_COUNT };
#undef GRAFT_BINARY_ENUM

/* y[i] = f(x[i]) */
typedef void graft_act_fn(struct graft_act act, int64_t n, const real *x,
                          real *y);
/* dx[i] = f'(.) dy[i]; s is x or y: graft_act_from_input, GRAFT_UNARY_LIST.
 * dx may be dy. */
typedef void graft_act_back_fn(struct graft_act act, int64_t n, const real *s,
                               const real *dy, real *dx);
typedef void graft_unary_fn(int64_t n, const real *x, real *y);
typedef void graft_unary_back_fn(int64_t n, const real *s, const real *dy,
                                 real *dx);
/* An operand: its elements, or one number for all of them. */
struct graft_operand {
    const real *at;
    bool one; /* at[0] for every i */
};
typedef void graft_binary_fn(int64_t n, struct graft_operand a,
                             struct graft_operand b, real *y);
/* g[i] = dy[i] times the derivative by a[i] (or b[i]) */
typedef void graft_binary_back_fn(int64_t n, const real *dy,
                                  struct graft_operand a,
                                  struct graft_operand b, real *g);

struct graft_pointwise_kernels {
    graft_act_fn *act[GRAFT_ACT_COUNT];           /* NONE copies */
    graft_act_back_fn *act_back[GRAFT_ACT_COUNT];
    graft_unary_fn *unary[GRAFT_UNARY_COUNT];
    graft_unary_back_fn *unary_back[GRAFT_UNARY_COUNT]; /* NULL: zero */
    graft_binary_fn *binary[GRAFT_BINARY_COUNT];
    graft_binary_back_fn *binary_back[GRAFT_BINARY_COUNT][2]; /* NULL: none */
    void (*add)(int64_t n, const real *x, real *y);           /* y += x */
    void (*scale)(int64_t n, real s, const real *x, real *y); /* y = s x */
    void (*axpy)(int64_t n, real s, const real *x, real *y);  /* y += s x */
    /* 16 partial sums over blocks of 4096, the blocks in double. */
    double (*sum)(int64_t n, const real *x);
    double (*dot)(int64_t n, const real *x, const real *y);
    real (*largest)(int64_t n, const real *x); /* n 0: -inf; ignores NaN */
    /* y = exp(x - max) / sum, x - max - log(sum) */
    void (*softmax)(int64_t n, const real *x, real *y);
    void (*log_softmax)(int64_t n, const real *x, real *y);
    /* dx = y (dy - <y, dy>), dx = dy - exp(y) sum(dy); dx may be dy */
    void (*softmax_back)(int64_t n, const real *y, const real *dy, real *dx);
    void (*log_softmax_back)(int64_t n, const real *y, const real *dy,
                             real *dx);
};

#endif
