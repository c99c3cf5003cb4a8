/* Kernels that turn 8-bit pixels into a model's input: the two passes of a
 * resize, and normalisation. All integer up to the last step, so every
 * instruction set gives the same bits.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_IMAGE_H
#define GRAFT_KERNELS_IMAGE_H

#include <stdint.h>

/* Weights of one axis: output i is the sum over k < count[i] of
 * weight[i * most + k] * input[first[i] + k], in units of 2^-22. */
enum { GRAFT_TAP_BITS = 22, GRAFT_TAP_ROWS = 16 };
struct graft_taps {
    int n, most;
    const int32_t *first, *count, *weight;
};

/* x = (level - mean) / std; output channel c is made of input channel
 * from[c]. */
struct graft_norm {
    int channels; /* 1 or 3 */
    int from[3];
    float mean[3], std[3];
};

struct graft_image_kernels {
    /* Resizes `rows` <= GRAFT_TAP_ROWS rows of interleaved pixels across.
     * tile: room for (span + t->n) * channels * GRAFT_TAP_ROWS bytes, span =
     * pixels of src that are read. */
    void (*across)(uint8_t *dst, int64_t dst_stride, const uint8_t *src,
                   int64_t src_stride, int rows, int span, int channels,
                   const struct graft_taps *t, uint8_t *tile);
    /* One output row of n bytes from `count` rows below each other. */
    void (*down)(uint8_t *dst, const uint8_t *src, int64_t stride, int n,
                 const int32_t *weight, int count);
    /* n pixels to planes `plane` floats apart, or interleaved. */
    void (*planar)(float *dst, int64_t plane, const uint8_t *src, int n,
                   const struct graft_norm *norm);
    void (*interleaved)(float *dst, const uint8_t *src, int n,
                        const struct graft_norm *norm);
};

#endif
