/* Bodies of kernels over C16 that are not convolutions; compiled once for
 * each instruction set. After body_conv_vec.h.
 * SPDX-License-Identifier: Apache-2.0 */

#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
#include <immintrin.h>
#endif

/* Windows are unrolled where their bounds are constants of the caller; in the
 * copy for any bounds there is nothing to unroll, which Clang would mention. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

enum { LANES = 16, LANE_VECS = LANES / CONV_VL };

static void lanes_affine(real *y, const real *x, int64_t pixels,
                         const real *s, const real *t, const real *residual,
                         const struct graft_finish *f)
{
    for (int j = 0; j < LANE_VECS; j++) {
        conv_vec a = conv_load(s + j * CONV_VL), b = conv_load(t + j * CONV_VL);
        for (int64_t p = 0; p < pixels; p++) {
            int64_t at = p * LANES + j * CONV_VL;
            conv_vec v = a * conv_load(x + at) + b;
            if (residual)
                v += conv_load(residual + at);
            conv_store(y + at, conv_act(v, f));
        }
    }
}

static void lanes_sum(real *y, const real *x, int64_t pixels, real factor)
{
    enum { SUMS = 8 };
    for (int j = 0; j < LANE_VECS; j++) {
        conv_vec sum[SUMS];
        for (int i = 0; i < SUMS; i++)
            sum[i] = (conv_vec){0};
        const real *at = x + j * CONV_VL;
        int64_t p = 0;
        for (; p + SUMS <= pixels; p += SUMS)
            CONV_UNROLL
            for (int i = 0; i < SUMS; i++)
                sum[i] += conv_load(at + (p + i) * LANES);
        for (int i = 0; p + i < pixels; i++)
            sum[i] += conv_load(at + (p + i) * LANES);
        for (int n = SUMS / 2; n; n /= 2)
            for (int i = 0; i < n; i++)
                sum[i] += sum[i + n];
        conv_store(y + j * CONV_VL, sum[0] * factor);
    }
}

/* First and one past the last kernel index inside [0, in) on axis i. */
CONV_INLINE void lanes_inside(const struct graft_conv *g, int i, int64_t out,
                              int64_t *first, int64_t *end)
{
    int64_t at = out * g->stride[i] - g->pad[i], d = g->dilation[i];
    *first = at < 0 ? (-at + d - 1) / d : 0;
    *end = at < g->in[i] ? (g->in[i] - at + d - 1) / d : 0;
    if (*end > g->kernel[i])
        *end = g->kernel[i];
}

/* The larger of each lane; NaN replaces any number and stays. */
CONV_INLINE conv_vec lanes_larger(conv_vec v, conv_vec a)
{
    return conv_select((a > v) | (a != a), a, v);
}

/* The largest of n vectors, `step` reals apart. */
CONV_INLINE conv_vec lanes_largest(const real *x, int64_t step, int64_t n)
{
    conv_vec v = conv_load(x);
    for (int64_t i = 1; i < n; i++)
        v = lanes_larger(v, conv_load(x + i * step));
    return v;
}

/* The largest of `rows` rows for each of `columns` columns. */
static void lanes_down(real *y, const real *x, int64_t step, int64_t rows,
                       int64_t columns)
{
    for (int64_t i = 0; i < columns * LANES; i += CONV_VL)
        conv_store(y + i, rows == 3   ? lanes_largest(x + i, step, 3)
                          : rows == 2 ? lanes_largest(x + i, step, 2)
                                      : lanes_largest(x + i, step, rows));
}

enum { LANES_LINE = 128 }; /* columns looked at together */

/* Maxima of columns first, which windows side by side share. Elements of the
 * window's rows inside x: `rows`, the first of them in the row at x. */
static void lanes_max(const struct graft_conv *g, real *y, const real *x,
                      int64_t rows)
{
    real line[LANES_LINE * LANES];
    int64_t d = g->dilation[2], stride = g->stride[2], in = g->in[2];
    int64_t reach = (g->kernel[2] - 1) * d + 1;
    int64_t at_once = (LANES_LINE - reach) / stride + 1;
    for (int64_t o = 0, end; o < g->out[2]; o = end) {
        end = o + at_once < g->out[2] ? o + at_once : g->out[2];
        int64_t first = o * stride - g->pad[2];
        int64_t last = (end - 1) * stride - g->pad[2] + reach;
        first = first < 0 ? 0 : first;
        last = last > in ? in : last;
        lanes_down(line, x + first * LANES, g->dilation[1] * in * LANES, rows,
                   last - first);
        for (int64_t i = o; i < end; i++) {
            int64_t kx0, kx1;
            lanes_inside(g, 2, i, &kx0, &kx1);
            const real *at = line + (i * stride - g->pad[2] + kx0 * d -
                                     first) * LANES;
            for (int j = 0; j < LANES; j += CONV_VL)
                conv_store(y + i * LANES + j,
                           lanes_largest(at + j, d * LANES, kx1 - kx0));
        }
    }
}

/* Windows that lie inside x somewhat, and whose columns a line holds. */
static bool lanes_has_max(const struct graft_lane_window *w)
{
    const struct graft_conv *g = w->g;
    int64_t reach = (g->kernel[2] - 1) * g->dilation[2] + 1;
    bool meets = true;
    for (int i = 1; i < 3; i++)
        meets = meets && g->dilation[i] == 1 && g->pad[i] < g->kernel[i] &&
                (g->out[i] - 1) * g->stride[i] - g->pad[i] < g->in[i];
    return w->max && meets && reach <= LANES_LINE;
}

/* The part of a window that lies inside x, and its steps. */
struct lanes_taps {
    int64_t ky0, ky1, kx0, kx1, down, across;
};

/* For all windows of a row; the columns are still to be found. */
CONV_INLINE struct lanes_taps lanes_taps_of(const struct graft_conv *g,
                                            int64_t row)
{
    struct lanes_taps t = {.across = g->dilation[2] * LANES,
                           .down = g->dilation[1] * g->in[2] * LANES};
    lanes_inside(g, 1, row, &t.ky0, &t.ky1);
    return t;
}

CONV_INLINE bool lanes_has(const struct lanes_taps *t, int64_t height,
                           int64_t width)
{
    return t->ky0 == 0 && t->kx0 == 0 && t->ky1 == height && t->kx1 == width;
}

/* Does `work` with `taps`, whose bounds are constants, so that its loops
 * unroll, for whole windows of 3x3 and 2x2. */
#define LANES_TAPS(t, work)                                                 \
    do {                                                                    \
        if (lanes_has(&(t), 3, 3)) {                                        \
            const struct lanes_taps taps = {0, 3, 0, 3, (t).down,           \
                                            (t).across};                    \
            work;                                                           \
        } else if (lanes_has(&(t), 2, 2)) {                                 \
            const struct lanes_taps taps = {0, 2, 0, 2, (t).down,           \
                                            (t).across};                    \
            work;                                                           \
        } else {                                                            \
            const struct lanes_taps taps = (t);                             \
            work;                                                           \
        }                                                                   \
    } while (0)

/* The largest element; NaN replaces any number and stays. */
CONV_INLINE conv_vec lanes_most(const struct lanes_taps *t, const real *x)
{
    conv_vec v = conv_splat(-(real)INFINITY);
#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
    __mmask16 nan = 0;
    CONV_UNROLL
    for (int64_t ky = t->ky0; ky < t->ky1; ky++)
        CONV_UNROLL
        for (int64_t kx = t->kx0; kx < t->kx1; kx++) {
            __m512 a = _mm512_loadu_ps(x + ky * t->down + kx * t->across);
            nan |= _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
            v = (conv_vec)_mm512_max_ps(a, (__m512)v);
        }
    return (conv_vec)_mm512_mask_mov_ps((__m512)v, nan,
                                        _mm512_set1_ps(NAN));
#else
    CONV_UNROLL
    for (int64_t ky = t->ky0; ky < t->ky1; ky++)
        CONV_UNROLL
        for (int64_t kx = t->kx0; kx < t->kx1; kx++) {
            conv_vec a = conv_load(x + ky * t->down + kx * t->across);
            v = conv_select((a > v) | (a != a), a, v);
        }
    return v;
#endif
}

CONV_INLINE conv_vec lanes_total(const struct lanes_taps *t, const real *x)
{
    conv_vec v = (conv_vec){0};
    CONV_UNROLL
    for (int64_t ky = t->ky0; ky < t->ky1; ky++)
        CONV_UNROLL
        for (int64_t kx = t->kx0; kx < t->kx1; kx++)
            v += conv_load(x + ky * t->down + kx * t->across);
    return v;
}

CONV_INLINE void lanes_row(const struct graft_lane_window *w, real *y,
                           const real *x, int64_t row, bool max)
{
    const struct graft_conv *g = w->g;
    struct lanes_taps t = lanes_taps_of(g, row);
    const real *top = x + (row * g->stride[1] - g->pad[1]) * g->in[2] * LANES;
    if (max && lanes_has_max(w)) {
        lanes_max(g, y, top + t.ky0 * t.down, t.ky1 - t.ky0);
        return;
    }
    for (int64_t o = 0; o < g->out[2]; o++) {
        const real *left = top + (o * g->stride[2] - g->pad[2]) * LANES;
        lanes_inside(g, 2, o, &t.kx0, &t.kx1);
        for (int j = 0; j < LANE_VECS; j++) {
            const real *at = left + j * CONV_VL;
            conv_vec v;
            LANES_TAPS(t, v = max ? lanes_most(&taps, at)
                                  : lanes_total(&taps, at));
            if (!max)
                v /= w->count[1][row] * w->count[2][o];
            conv_store(y + o * LANES + j * CONV_VL, v);
        }
    }
}

static void lanes_window(const struct graft_lane_window *w, real *y,
                         const real *x, int64_t row)
{
    if (w->max)
        lanes_row(w, y, x, row, true);
    else
        lanes_row(w, y, x, row, false);
}

#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
/* The lanes of y by the block of x that they come from. */
struct lanes_source {
    const real *block;
    __mmask16 mask;
    int32_t lane[LANES];
};

static int lanes_sources(struct lanes_source *s, int most,
                         const real *const x[LANES], const real *const *base)
{
    int n = 0;
    for (int l = 0; l < LANES; l++) {
        int k = 0;
        if (!x[l])
            continue;
        while (k < n && s[k].block != base[l])
            k++;
        if (k == most)
            return 0;
        if (k == n)
            s[n++] = (struct lanes_source){.block = base[l]};
        s[k].mask |= (__mmask16)(1u << l);
        s[k].lane[l] = (int32_t)(x[l] - base[l]);
    }
    return n;
}

/* One permutation for each source block: concatenations and shuffles of
 * channels have two or three. */
CONV_INLINE bool lanes_permute(real *y, const real *const x[LANES],
                               const real *const *base, int64_t pixels,
                               bool add)
{
    enum { SOURCES = 4 };
    struct lanes_source s[SOURCES];
    int n = lanes_sources(s, SOURCES, x, base);
    __m512i lane[SOURCES];
    for (int k = 0; k < n; k++)
        lane[k] = _mm512_loadu_si512(s[k].lane);
    for (int64_t p = 0; n && p < pixels; p++) {
        __m512 v = _mm512_setzero_ps(), old = v;
        if (add)
            old = _mm512_loadu_ps(y + p * LANES);
        for (int k = 0; k < n; k++)
            v = _mm512_mask_permutexvar_ps(
                v, s[k].mask, lane[k],
                _mm512_loadu_ps(s[k].block + p * LANES));
        _mm512_storeu_ps(y + p * LANES, add ? _mm512_add_ps(old, v) : v);
    }
    return n > 0;
}
#else
static bool lanes_permute(real *y, const real *const x[LANES],
                          const real *const *base, int64_t pixels, bool add)
{
    (void)y, (void)x, (void)base, (void)pixels, (void)add;
    return false;
}
#endif

static bool lanes_is_whole(const real *const x[LANES])
{
    bool whole = x[0] != NULL;
    for (int l = 1; l < LANES; l++)
        whole = whole && x[l] == x[0] + l;
    return whole;
}

static void lanes_gather(real *y, const real *const x[LANES],
                         const real *const *base, int64_t pixels)
{
    if (lanes_is_whole(x)) {
        if (x[0] != y) /* it may lie there already */
            memcpy(y, x[0], (size_t)(pixels * LANES) * sizeof *y);
        return;
    }
    if (lanes_permute(y, x, base, pixels, false))
        return;
    for (int l = 0; l < LANES; l++) {
        const real *from = x[l];
        for (int64_t p = 0; p < pixels; p++)
            y[p * LANES + l] = from ? from[p * LANES] : 0;
    }
}

static void lanes_gather_add(real *y, const real *const x[LANES],
                             const real *const *base, int64_t pixels)
{
    if (lanes_is_whole(x)) {
        for (int64_t i = 0; i < pixels * LANES; i += CONV_VL)
            conv_store(y + i, conv_load(y + i) + conv_load(x[0] + i));
        return;
    }
    if (lanes_permute(y, x, base, pixels, true))
        return;
    for (int l = 0; l < LANES; l++) {
        const real *from = x[l];
        for (int64_t p = 0; from && p < pixels; p++)
            y[p * LANES + l] += from[p * LANES];
    }
}

static void lanes_repeat(real *to, const real *v, int64_t pixels)
{
    for (int64_t p = 0; p < pixels; p++)
        for (int j = 0; j < LANE_VECS; j++)
            conv_store(to + p * LANES + j * CONV_VL,
                       conv_load(v + j * CONV_VL));
}

#include "kernels/body_lanes_back.h"

#define GRAFT_LANE_KERNELS                                                  \
    {                                                                       \
        .affine = lanes_affine, .sum = lanes_sum, .window = lanes_window,   \
        .gather = lanes_gather, .gather_add = lanes_gather_add,             \
        .repeat = lanes_repeat, .spread = lanes_spread,                     \
        .scale = lanes_scale, .moments = lanes_moments,                     \
        .window_back = lanes_window_back                                    \
    }
