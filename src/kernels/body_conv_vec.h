/* Vectors of reals for the bodies of convolution: the widest that the
 * instruction set has, through the compilers' vector extension; and the
 * activations of epilogues.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { CONV_VB = 64, CONV_MR = 8, CONV_NV = 3 };
#elif defined(__AVX2__)
enum { CONV_VB = 32, CONV_MR = 4, CONV_NV = 3 };
#elif defined(__aarch64__)
enum { CONV_VB = 16, CONV_MR = 8, CONV_NV = 3 };
#else
enum { CONV_VB = 16, CONV_MR = 4, CONV_NV = 2 };
#endif
enum { CONV_VL = CONV_VB / (int)sizeof(real), CONV_NR = CONV_VL * CONV_NV };

#define CONV_INLINE static inline __attribute__((always_inline))
/* Bounds are often constants of the caller. Clang compiles what it will
 * inline beforehand, and its plain "unroll" would there unroll by some number
 * of turns and be used up: arrays then stay in memory. */
#ifdef __clang__
#define CONV_UNROLL _Pragma("clang loop unroll(full)")
#else
#define CONV_UNROLL _Pragma("GCC unroll 16")
#endif

#ifdef GRAFT_REAL_DOUBLE
typedef int64_t conv_bits;
#else
typedef int32_t conv_bits;
#endif
typedef real conv_vec __attribute__((vector_size(CONV_VB)));
typedef conv_bits conv_mask __attribute__((vector_size(CONV_VB)));
/* at any real's address */
typedef real conv_vec_at
    __attribute__((vector_size(CONV_VB), aligned(sizeof(real)), may_alias));

CONV_INLINE conv_vec conv_load(const real *p)
{
    return *(const conv_vec_at *)p;
}

CONV_INLINE void conv_store(real *p, conv_vec v)
{
    *(conv_vec_at *)p = v;
}

/* Past the cache, to an address that is a multiple of CONV_VB; seen by other
 * threads after conv_stream_end. */
CONV_INLINE void conv_stream(real *p, conv_vec v)
{
#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
    _mm512_stream_ps(p, (__m512)v);
#elif defined(__AVX2__) && !defined(GRAFT_REAL_DOUBLE)
    _mm256_stream_ps(p, (__m256)v);
#else
    conv_store(p, v);
#endif
}

CONV_INLINE void conv_stream_end(void)
{
#if defined(__AVX2__)
    _mm_sfence();
#endif
}

CONV_INLINE conv_vec conv_splat(real x)
{
    return (conv_vec){0} + x;
}

/* ---- activations --------------------------------------------------------- */

/* where mask: a, else b */
CONV_INLINE conv_vec conv_select(conv_mask mask, conv_vec a, conv_vec b)
{
    return (conv_vec)(((conv_mask)a & mask) | ((conv_mask)b & ~mask));
}

/* min(max(v, lo), hi); NaN stays. */
CONV_INLINE conv_vec conv_clip(conv_vec v, real lo, real hi)
{
    conv_vec l = conv_splat(lo), h = conv_splat(hi);
#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
    /* where one operand is NaN the instructions give the second */
    return (conv_vec)_mm512_min_ps((__m512)h,
                                   _mm512_max_ps((__m512)l, (__m512)v));
#else
    v = conv_select(v < l, l, v);
    return conv_select(v > h, h, v);
#endif
}

#ifdef GRAFT_REAL_DOUBLE
CONV_INLINE conv_vec conv_exp(conv_vec x)
{
    for (int i = 0; i < CONV_VL; i++)
        x[i] = exp(x[i]);
    return x;
}
#else
/* e^x = 2^n e^r with |r| <= ln(2)/2 and e^r by its series to r^7/7!; ln 2 in
 * two parts, the first with few enough bits that n times it is exact. */
CONV_INLINE conv_vec conv_exp(conv_vec x)
{
#ifdef __AVX512F__
    x = conv_clip(x, -104.0f, 89.0f);
    conv_vec n = (conv_vec)_mm512_roundscale_ps((__m512)(x * 1.44269504f),
                                                _MM_FROUND_TO_NEAREST_INT);
#else
    const float round = 0x1.8p23f;
    x = conv_clip(x, -87.0f, 88.0f);
    conv_vec n = (x * 1.44269504f + round) - round;
#endif
    conv_vec r = x - n * 0x1.62ep-1f;
    r -= n * 0x1.0bfbe8p-15f;
    conv_vec p = conv_splat(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
#ifdef __AVX512F__
    return (conv_vec)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    conv_mask e = __builtin_convertvector(
        conv_select(n == n, n, (conv_vec){0}), conv_mask);
    return p * (conv_vec)((e + 127) << 23);
#endif
}
#endif

CONV_INLINE conv_vec conv_act(conv_vec v, const struct graft_finish *f)
{
    if (f->act.kind == GRAFT_ACT_NONE)
        return v;
    if (f->act.kind == GRAFT_ACT_RELU)
        return conv_select(v < (conv_vec){0}, (conv_vec){0}, v);
    if (f->act.kind == GRAFT_ACT_CLIP)
        return conv_clip(v, f->act.a, f->act.b);
    if (f->act.kind == GRAFT_ACT_SIGMOID)
        return 1 / (1 + conv_exp(-v));
    if (f->act.kind == GRAFT_ACT_HARDSIGMOID)
        return conv_clip(v * f->act.a + f->act.b, 0, 1);
    if (f->act.kind == GRAFT_ACT_SWISH)
        return v / (1 + conv_exp(v * -f->act.a));
    return v * conv_clip(v * (real)(1.0 / 6) + (real)0.5, 0, 1);
}

/* ---- copies -------------------------------------------------------------- */

typedef real conv_four_at
    __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)),
                   may_alias));

/* n elements and none beside them: a tail is a last piece that overlaps. */
CONV_INLINE void conv_copy(real *dst, const real *src, int64_t n)
{
    int64_t i = 0;
    for (; i + CONV_VL <= n; i += CONV_VL)
        conv_store(dst + i, conv_load(src + i));
    if (i == n)
        return;
    if (n >= CONV_VL) {
        conv_store(dst + n - CONV_VL, conv_load(src + n - CONV_VL));
        return;
    }
    for (; i + 4 <= n; i += 4)
        *(conv_four_at *)(dst + i) = *(const conv_four_at *)(src + i);
    if (n >= 4)
        *(conv_four_at *)(dst + n - 4) = *(const conv_four_at *)(src + n - 4);
    else
        for (; i < n; i++)
            dst[i] = src[i];
}

#if defined(GRAFT_REAL_DOUBLE)
#define CONV_EVEN(a, b) ((a) + (b)) /* never reached */
enum { CONV_SHUFFLES = 0 };
#elif defined(__AVX512F__)
#define CONV_EVEN(a, b)                                                     \
    __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20,    \
                            22, 24, 26, 28, 30)
enum { CONV_SHUFFLES = 1 };
#elif defined(__AVX2__)
#define CONV_EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
enum { CONV_SHUFFLES = 1 };
#else
#define CONV_EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
enum { CONV_SHUFFLES = 1 };
#endif

/* dst[i] = src[i * step] */
static void conv_copy_strided(real *dst, const real *src, int64_t n,
                              int64_t step)
{
    int64_t i = 0;
    if (step == 1) {
        conv_copy(dst, src, n);
        return;
    }
    if (step == 2 && CONV_SHUFFLES) /* reads src[2 (i + VL) - 1] at most */
        for (; i + CONV_VL < n; i += CONV_VL) {
            conv_vec a = conv_load(src + 2 * i);
            conv_vec b = conv_load(src + 2 * i + CONV_VL);
            conv_store(dst + i, CONV_EVEN(a, b));
        }
    for (; i < n; i++)
        dst[i] = src[i * step];
}

/* ---- rows ---------------------------------------------------------------- */

/* y = act(z + bias + residual) over n elements of one channel. */
static void conv_finish_row(real *y, const real *z, int64_t n, real bias,
                            const real *res, const struct graft_finish *f)
{
    int64_t i = 0;
    for (; i + CONV_VL <= n; i += CONV_VL) {
        conv_vec v = conv_load(z + i) + bias;
        if (res)
            v += conv_load(res + i);
        conv_store(y + i, conv_act(v, f));
    }
    if (i == n)
        return;
    real tail[CONV_VL] = {0}, more[CONV_VL] = {0};
    size_t bytes = (size_t)(n - i) * sizeof(real);
    memcpy(tail, z + i, bytes);
    conv_vec v = conv_load(tail) + bias;
    if (res) {
        memcpy(more, res + i, bytes);
        v += conv_load(more);
    }
    conv_store(tail, conv_act(v, f));
    memcpy(y + i, tail, bytes);
}
