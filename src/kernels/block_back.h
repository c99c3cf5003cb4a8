/* Gradients of convolution over blocked channels (block.h).
 *
 * To data: what comes back to the input is itself a convolution of dy, with
 * channels exchanged and the kernel turned around; along an axis of stride s
 * the input positions i of each remainder i mod s are one (a phase), with
 * every s-th element of the kernel:
 *   i = s q + r, k = k0 + s j, k0 = (r + pad) mod s, e = (r + pad - k0) / s
 *   dx[i] = sum over j of dy[q + e - j] w[k0 + s j]
 * so whatever makes convolution fast serves here too.
 *
 * To weights: outer products of x and dy, summed over pixels in registers,
 * over bands of pixels in a buffer, and over fixed ranges of images at the
 * end; who sums what depends on shape and n_max only.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_BLOCK_BACK_H
#define GRAFT_KERNELS_BLOCK_BACK_H

#include "kernels/winograd.h"

enum { GRAFT_BLOCK_PHASES = 9 }; /* strides up to 3 */

struct graft_block_phase {
    struct graft_conv g;   /* from dy to the pixels of this phase */
    struct graft_block_cut cut;
    struct graft_block_packing packing;
    size_t pack;           /* where in the pack it begins, bytes */
    int64_t row, column;   /* its first pixel */
};

/* dx of a convolution. */
struct graft_block_back {
    struct graft_conv g;
    int phases;            /* 0: not offered */
    struct graft_block_phase phase[GRAFT_BLOCK_PHASES];
    size_t pack_bytes;     /* of the packed weights of all phases */
    size_t scratch;        /* bytes for each worker */
    size_t shared;         /* bytes for all of them together */
    size_t map;            /* of these: a phase's pixels, where strided */
};
/* Not offered for images, dilated strides, and padding beyond the kernel.
 * varies: weights are others in each run. */
void graft_block_back_cut(struct graft_block_back *out,
                          const struct graft_conv *g, int64_t n_max,
                          bool exact, bool varies,
                          const struct graft_kernels *k);
void graft_block_back_pack(void *dst, const struct graft_view *src,
                           const real *scale, const void *back,
                           struct graft_pool *pool);

struct graft_block_back_run {
    const struct graft_block_back *back;
    const struct graft_kernels *k;
    int64_t n;
    const real *dy, *w;    /* w: packed */
    int64_t dy_step, dx_step;
    real *dx;
    bool add;
};
void graft_block_back_data(const struct graft_block_back_run *r,
                           struct graft_pool *pool, void *scratch,
                           size_t scratch_step, void *shared);

/* ---- weights ------------------------------------------------------------- */

/* How dw is cut. */
struct graft_block_grad_cut {
    bool depthwise, winograd;
    struct graft_block_cut cut; /* winograd: its plan */
    int64_t width;         /* output channels of a panel */
    int64_t panels;        /* depthwise: blocks */
    int64_t rows;          /* of a block's sums: numbers of x that meet dy */
    int64_t parts;         /* ranges of images, summed apart */
    int64_t shares, share; /* tasks of a panel; blocks of input of a task */
    int64_t images, lines; /* of a band: images, rows of output */
    int64_t d_panels;      /* winograd: panels of dy and blocks of x that are */
    int64_t v_blocks;      /* transformed at a time */
    size_t scratch;        /* bytes for each worker */
    size_t shared;         /* bytes for all of them together */
};
/* g->image: x is an IMAGE of few channels. */
void graft_block_grad_cut(struct graft_block_grad_cut *out,
                          const struct graft_conv *g, int64_t n_max,
                          bool exact, const struct graft_kernels *k);

struct graft_block_grad_run {
    const struct graft_conv *g;
    const struct graft_block_grad_cut *cut;
    const struct graft_kernels *k;
    int64_t n, n_max;
    const real *x, *dy;
    int64_t x_step, dy_step;
    real *dw;              /* as ONNX has it: [m][c / group][kernel] */
    bool add;
};
void graft_block_grad(const struct graft_block_grad_run *r,
                      struct graft_pool *pool, void *scratch,
                      size_t scratch_step, void *shared);

/* Channels of x in a block's sums, [taps][lanes][width]: 16, those of an
 * IMAGE, or 1 where depthwise. */
int64_t graft_block_grad_lanes(const struct graft_conv *g,
                               const struct graft_block_grad_cut *cut);
/* The sums of a panel and blocks first .. end - 1 of its input to dw; those
 * of further parts lie `part` reals apart (block_grad_write.c). */
void graft_block_grad_write(const struct graft_block_grad_run *r,
                            int64_t panel, int64_t first, int64_t end,
                            const real *sums, int64_t part);
/* dw = row, or dw += row. */
void graft_block_grad_row(real *restrict dw, const real *restrict row,
                          int64_t n, bool add);

/* By Winograd (winograd_grad.c), where that pays; else c is as it was. */
bool graft_winograd_grad_cut(struct graft_block_grad_cut *c,
                             const struct graft_conv *g, int64_t n_max,
                             const struct graft_kernels *k);
/* By a certain plan, for tests. */
bool graft_winograd_grad_cut_as(struct graft_block_grad_cut *c,
                                const struct graft_conv *g, int64_t n_max,
                                const struct graft_kernels *k,
                                const struct graft_winograd_plan *plan);
void graft_winograd_grad(const struct graft_block_grad_run *r,
                         struct graft_pool *pool, void *scratch,
                         size_t scratch_step, void *shared);

#endif
