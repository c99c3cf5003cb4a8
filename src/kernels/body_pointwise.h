/* Bodies of the pointwise kernels, compiled once for each instruction set.
 * Loops are plain: the compiler vectorises them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

/* An output may be the very array of an input, which the compiler cannot
 * know; a shifted overlap is excluded (pointwise.h). */
#if defined(__clang__)
#define SAME_OR_APART _Pragma("clang loop vectorize(assume_safety)")
/* Loops around log, erf, pow stay scalar; that is no news. */
#pragma clang diagnostic ignored "-Wpass-failed"
#else
#define SAME_OR_APART _Pragma("GCC ivdep")
#endif
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* ---- exp ----------------------------------------------------------------- */

#ifdef GRAFT_REAL_DOUBLE
static ALWAYS_INLINE real exp_of(real x)
{
    return exp(x);
}
#else
/* exp(x) = 2^n e^r with n = round(x / ln 2), |r| <= ln(2)/2: e^r by its
 * Taylor polynomial of degree 7 (next term below 2^-27), 2^n by the exponent
 * field, in two factors so that results beyond 2^127 and below 2^-126 come
 * out right. ln 2 in two parts: n times the first one is exact (Cody-Waite).
 * Error below 2 units in the last place. */
static ALWAYS_INLINE real exp_of(real x)
{
    const float shifter = 0x1.8p23f; /* adding it rounds to an integer */
    x = x < -105.0f ? -105.0f : x;
    x = x > 89.0f ? 89.0f : x;
    float t = x * 0x1.715476p0f + shifter;
    float n = t - shifter;
    float r = x - n * 0x1.62e4p-1f;
    r = r - n * 0x1.7f7d1cp-20f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t bits;
    memcpy(&bits, &t, sizeof bits);
    int32_t k = (int32_t)((uint32_t)bits - 0x4b400000u), half = k >> 1;
    uint32_t first = ((uint32_t)half + 127) << 23;
    uint32_t second = ((uint32_t)k - (uint32_t)half + 127) << 23;
    float a, b;
    memcpy(&a, &first, sizeof a);
    memcpy(&b, &second, sizeof b);
    return p * a * b;
}
#endif

/* ---- activations --------------------------------------------------------- */

static void act_none(struct graft_act act, int64_t n, const real *x, real *y)
{
    (void)act;
    if (x != y)
        memcpy(y, x, (size_t)n * sizeof *y);
}

static void act_relu(struct graft_act act, int64_t n, const real *x, real *y)
{
    (void)act;
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static ALWAYS_INLINE real clip(real x, real low, real high)
{
    real t = x < low ? low : x;
    return t > high ? high : t;
}

static void act_clip(struct graft_act act, int64_t n, const real *x, real *y)
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = clip(x[i], act.a, act.b);
}

static void act_sigmoid(struct graft_act act, int64_t n, const real *x,
                        real *y)
{
    (void)act;
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = 1 / (1 + exp_of(-x[i]));
}

static void act_hardsigmoid(struct graft_act act, int64_t n, const real *x,
                            real *y)
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = clip(act.a * x[i] + act.b, 0, 1);
}

static void act_hardswish(struct graft_act act, int64_t n, const real *x,
                          real *y)
{
    const real sixth = (real)(1.0 / 6), half = (real)0.5;
    (void)act;
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * clip(x[i] * sixth + half, 0, 1);
}

static void act_swish(struct graft_act act, int64_t n, const real *x, real *y)
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] / (1 + exp_of(-act.a * x[i]));
}

static void act_back_none(struct graft_act act, int64_t n, const real *s,
                          const real *dy, real *dx)
{
    (void)s;
    act_none(act, n, dy, dx);
}

/* relu'(0) = 0 */
static void act_back_relu(struct graft_act act, int64_t n, const real *y,
                          const real *dy, real *dx)
{
    (void)act;
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        dx[i] = y[i] <= 0 ? 0 : dy[i];
}

/* At its bounds clip' = 1, as PyTorch's clamp has it, except for Relu6 (0 and
 * 6), where PyTorch's relu6 has 0. */
static void act_back_clip(struct graft_act act, int64_t n, const real *x,
                          const real *dy, real *dx)
{
    if (act.a == 0 && act.b == 6) {
        SAME_OR_APART
        for (int64_t i = 0; i < n; i++)
            dx[i] = ((x[i] <= 0) | (x[i] >= 6)) ? 0 : dy[i];
        return;
    }
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        dx[i] = ((x[i] < act.a) | (x[i] > act.b)) ? 0 : dy[i];
}

static void act_back_sigmoid(struct graft_act act, int64_t n, const real *y,
                             const real *dy, real *dx)
{
    (void)act;
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * y[i] * (1 - y[i]);
}

static void act_back_hardsigmoid(struct graft_act act, int64_t n,
                                 const real *y, const real *dy, real *dx)
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        dx[i] = ((y[i] <= 0) | (y[i] >= 1)) ? 0 : act.a * dy[i];
}

/* (2x + 3) / 6 inside [-3, 3], bounds included as in PyTorch, or not. */
static void act_back_hardswish(struct graft_act act, int64_t n, const real *x,
                               const real *dy, real *dx)
{
    const real third = (real)(1.0 / 3), half = (real)0.5;
    if (act.a == GRAFT_ACT_OPEN) {
        SAME_OR_APART
        for (int64_t i = 0; i < n; i++) {
            real inside = x[i] * third + half;
            real slope = x[i] >= 3 ? 1 : inside;
            dx[i] = x[i] <= -3 ? 0 : dy[i] * slope;
        }
        return;
    }
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++) {
        real inside = x[i] * third + half;
        real slope = x[i] > 3 ? 1 : inside;
        dx[i] = x[i] < -3 ? 0 : dy[i] * slope;
    }
}

/* s (1 + a x (1 - s)) with s = 1 / (1 + exp(-a x)) */
static void act_back_swish(struct graft_act act, int64_t n, const real *x,
                           const real *dy, real *dx)
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++) {
        real t = act.a * x[i], s = 1 / (1 + exp_of(-t));
        dx[i] = dy[i] * s * (1 + t * (1 - s));
    }
}

#include "kernels/body_pointwise_map.h"
#include "kernels/body_pointwise_row.h"

#define GRAFT_POINTWISE_KERNELS                                             \
    {                                                                       \
        .act = {[GRAFT_ACT_NONE] = act_none, [GRAFT_ACT_RELU] = act_relu,   \
                [GRAFT_ACT_CLIP] = act_clip,                                \
                [GRAFT_ACT_SIGMOID] = act_sigmoid,                          \
                [GRAFT_ACT_HARDSIGMOID] = act_hardsigmoid,                  \
                [GRAFT_ACT_HARDSWISH] = act_hardswish,                      \
                [GRAFT_ACT_SWISH] = act_swish},                             \
        .act_back = {[GRAFT_ACT_NONE] = act_back_none,                      \
                     [GRAFT_ACT_RELU] = act_back_relu,                      \
                     [GRAFT_ACT_CLIP] = act_back_clip,                      \
                     [GRAFT_ACT_SIGMOID] = act_back_sigmoid,                \
                     [GRAFT_ACT_HARDSIGMOID] = act_back_hardsigmoid,        \
                     [GRAFT_ACT_HARDSWISH] = act_back_hardswish,            \
                     [GRAFT_ACT_SWISH] = act_back_swish},                   \
        .unary = UNARY_FUNCTIONS, .unary_back = UNARY_BACK_FUNCTIONS,       \
        .binary = BINARY_FUNCTIONS, .binary_back = BINARY_BACK_FUNCTIONS,   \
        .add = row_add, .scale = row_scale, .axpy = row_axpy,               \
        .sum = row_sum, .dot = row_dot, .largest = row_largest,             \
        .softmax = row_softmax, .log_softmax = row_log_softmax,             \
        .softmax_back = row_softmax_back,                                   \
        .log_softmax_back = row_log_softmax_back,                           \
    }
