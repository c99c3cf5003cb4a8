/* Bodies of the kernels of image.h, compiled once per ISA by the including
 * isa_*.c; loops of fixed length for the compiler's vectoriser.
 * SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

/* Sums start at one half, so that the shift rounds to nearest. */
#define IMAGE_HALF (1 << (GRAFT_TAP_BITS - 1))

static inline uint8_t image_level(int32_t sum)
{
    int32_t v = sum >> GRAFT_TAP_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

typedef uint8_t image_bytes __attribute__((vector_size(GRAFT_TAP_ROWS)));

/* to = from, rotated by one bit in (row, byte) taken as one number of eight
 * bits: four such steps exchange row and byte. */
static inline __attribute__((always_inline)) void
image_turn(image_bytes to[16], const image_bytes from[16])
{
    for (int i = 0; i < 8; i++) {
        to[2 * i] = TURN_LOW_16(from[i], from[i + 8]);
        to[2 * i + 1] = TURN_HIGH_16(from[i], from[i + 8]);
    }
}

static inline __attribute__((always_inline)) void
image_transpose(image_bytes a[16])
{
    image_bytes b[16];
    image_turn(b, a);
    image_turn(a, b);
    image_turn(b, a);
    image_turn(a, b);
}

/* GRAFT_TAP_ROWS rows lie side by side in `tile`, [pixel][channel][row], so
 * that one weight meets contiguous bytes. Missing rows repeat the last. */
static void image_tile(uint8_t *tile, const uint8_t *src, int64_t stride,
                       int rows, int64_t n)
{
    enum { R = GRAFT_TAP_ROWS };
    int64_t j = 0;
    for (; j + R <= n; j += R) {
        image_bytes a[R];
        for (int r = 0; r < R; r++)
            memcpy(&a[r], src + (r < rows ? r : rows - 1) * stride + j, R);
        image_transpose(a);
        memcpy(tile + j * R, a, sizeof a);
    }
    for (int r = 0; r < R; r++) {
        const uint8_t *s = src + (r < rows ? r : rows - 1) * stride;
        for (int64_t k = j; k < n; k++)
            tile[k * R + r] = s[k];
    }
}

/* The way back. */
static void image_untile(uint8_t *dst, int64_t stride, int rows, int64_t n,
                         const uint8_t *tile)
{
    enum { R = GRAFT_TAP_ROWS };
    int64_t j = 0;
    for (; j + R <= n; j += R) {
        image_bytes a[R];
        memcpy(a, tile + j * R, sizeof a);
        image_transpose(a);
        for (int r = 0; r < rows; r++)
            memcpy(dst + r * stride + j, &a[r], R);
    }
    for (int r = 0; r < rows; r++)
        for (int64_t k = j; k < n; k++)
            dst[r * stride + k] = tile[k * R + r];
}

/* A vector of sums, and bytes widened to one. */
#if defined(__AVX512F__)
#include <immintrin.h>
enum { IMAGE_LANES = 16 };
typedef int32_t image_sums __attribute__((vector_size(64)));
#define IMAGE_WIDEN(p)                                                      \
    (image_sums)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(p)))
#elif defined(__AVX2__)
#include <immintrin.h>
enum { IMAGE_LANES = 8 };
typedef int32_t image_sums __attribute__((vector_size(32)));
#define IMAGE_WIDEN(p)                                                      \
    (image_sums)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(p)))
#else
enum { IMAGE_LANES = 4 };
typedef int32_t image_sums __attribute__((vector_size(16)));
#define IMAGE_WIDEN(p) ((image_sums){(p)[0], (p)[1], (p)[2], (p)[3]})
#endif

/* image_level of each; a mask of a comparison is 0 or -1. */
static inline image_sums image_levels(image_sums sum)
{
    image_sums v = sum >> GRAFT_TAP_BITS;
    v &= v > 0;
    v |= v > 255;
    return v & 255;
}

static inline __attribute__((always_inline)) void
image_across_n(uint8_t *out, const int channels, const struct graft_taps *t,
               const uint8_t *tile)
{
    enum { R = GRAFT_TAP_ROWS, L = IMAGE_LANES };
    const int lanes = channels * R;
    for (int x = 0; x < t->n; x++, out += lanes) {
        const int32_t *w = t->weight + (int64_t)x * t->most;
        const uint8_t *s = tile + (int64_t)t->first[x] * lanes;
        image_sums sum[3 * R / L];
        for (int v = 0; v < lanes / L; v++)
            sum[v] = (image_sums){0} + IMAGE_HALF;
        for (int k = 0; k < t->count[x]; k++, s += lanes)
            for (int v = 0; v < lanes / L; v++)
                sum[v] += w[k] * IMAGE_WIDEN(s + v * L);
        int32_t level[3 * R];
        for (int v = 0; v < lanes / L; v++)
            sum[v] = image_levels(sum[v]);
        memcpy(level, sum, (size_t)lanes * sizeof *level);
        for (int j = 0; j < lanes; j++)
            out[j] = (uint8_t)level[j];
    }
}

static void image_across(uint8_t *dst, int64_t dst_stride, const uint8_t *src,
                         int64_t src_stride, int rows, int span,
                         int channels, const struct graft_taps *t,
                         uint8_t *tile)
{
    int64_t n = (int64_t)span * channels;
    uint8_t *out = tile + n * GRAFT_TAP_ROWS;
    image_tile(tile, src, src_stride, rows, n);
    if (channels == 3)
        image_across_n(out, 3, t, tile);
    else
        image_across_n(out, 1, t, tile);
    image_untile(dst, dst_stride, rows, (int64_t)t->n * channels, out);
}

static inline void image_down_block(uint8_t *dst, const uint8_t *src,
                                    int64_t stride, const int32_t *weight,
                                    int count)
{
    int32_t sum[64];
    for (int j = 0; j < 64; j++)
        sum[j] = IMAGE_HALF;
    for (int k = 0; k < count; k++)
        for (int j = 0; j < 64; j++)
            sum[j] += weight[k] * src[k * stride + j];
    for (int j = 0; j < 64; j++)
        dst[j] = image_level(sum[j]);
}

static void image_down(uint8_t *dst, const uint8_t *src, int64_t stride,
                       int n, const int32_t *weight, int count)
{
    int j = 0;
    for (; j + 64 <= n; j += 64)
        image_down_block(dst + j, src + j, stride, weight, count);
    for (; j < n; j++) {
        int32_t sum = IMAGE_HALF;
        for (int k = 0; k < count; k++)
            sum += weight[k] * src[k * stride + j];
        dst[j] = image_level(sum);
    }
}

/* A difference and a quotient, nothing that could be contracted. */
static void image_planar(float *dst, int64_t plane, const uint8_t *src, int n,
                         const struct graft_norm *norm)
{
    for (int c = 0; c < norm->channels; c++) {
        const float mean = norm->mean[c], std = norm->std[c];
        const uint8_t *s = src + norm->from[c];
        float *d = dst + c * plane;
        if (norm->channels == 3)
            for (int x = 0; x < n; x++)
                d[x] = ((float)s[3 * x] - mean) / std;
        else
            for (int x = 0; x < n; x++)
                d[x] = ((float)s[x] - mean) / std;
    }
}

static void image_interleaved(float *dst, const uint8_t *src, int n,
                              const struct graft_norm *norm)
{
    const int channels = norm->channels;
    for (int c = 0; c < channels; c++) {
        const float mean = norm->mean[c], std = norm->std[c];
        const uint8_t *s = src + norm->from[c];
        for (int x = 0; x < n; x++)
            dst[channels * x + c] = ((float)s[channels * x] - mean) / std;
    }
}

#define GRAFT_IMAGE_KERNELS                                                 \
    {image_across, image_down, image_planar, image_interleaved}
