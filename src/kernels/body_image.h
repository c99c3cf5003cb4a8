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

/* GRAFT_TAP_ROWS rows lie side by side in `tile`, [pixel][channel][row], so
 * that one weight meets contiguous bytes. */
static void image_tile(uint8_t *tile, const uint8_t *src, int64_t stride,
                       int rows, int64_t n)
{
    if (rows < GRAFT_TAP_ROWS)
        memset(tile, 0, (size_t)n * GRAFT_TAP_ROWS);
    for (int r = 0; r < rows; r++) {
        const uint8_t *s = src + r * stride;
        for (int64_t j = 0; j < n; j++)
            tile[j * GRAFT_TAP_ROWS + r] = s[j];
    }
}

static inline __attribute__((always_inline)) void
image_across_n(uint8_t *dst, int64_t dst_stride, int rows, const int channels,
               const struct graft_taps *t, const uint8_t *tile)
{
    enum { R = GRAFT_TAP_ROWS };
    const int lanes = channels * R;
    for (int x = 0; x < t->n; x++) {
        const int32_t *w = t->weight + (int64_t)x * t->most;
        const uint8_t *s = tile + (int64_t)t->first[x] * lanes;
        int32_t sum[3 * R];
        for (int j = 0; j < lanes; j++)
            sum[j] = IMAGE_HALF;
        for (int k = 0; k < t->count[x]; k++, s += lanes)
            for (int j = 0; j < lanes; j++)
                sum[j] += w[k] * s[j];
        uint8_t out[3 * R];
        for (int j = 0; j < lanes; j++)
            out[j] = image_level(sum[j]);
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < channels; c++)
                dst[r * dst_stride + x * channels + c] = out[c * R + r];
    }
}

static void image_across(uint8_t *dst, int64_t dst_stride, const uint8_t *src,
                         int64_t src_stride, int rows, int span,
                         int channels, const struct graft_taps *t,
                         uint8_t *tile)
{
    image_tile(tile, src, src_stride, rows, (int64_t)span * channels);
    if (channels == 3)
        image_across_n(dst, dst_stride, rows, 3, t, tile);
    else
        image_across_n(dst, dst_stride, rows, 1, t, tile);
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
