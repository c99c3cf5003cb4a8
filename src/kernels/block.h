/* Convolution over blocked channels, C16: N, C/16, H, W, 16. A block is 16
 * channels side by side, so that a vector of output channels is made of one
 * number of the input, broadcast, and a row of packed weights: one
 * micro-kernel, rows times 16 or 32 output channels, serves all ways below;
 * rows are pixels, tiles or images.
 *
 * The unused lanes of the last block are zero in what is read and are written
 * as zero (also where the activation maps zero to something else).
 *
 * As in conv.h the cut depends on shape, n_max and instruction set only, and
 * an image's result depends on nothing but that image.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_BLOCK_H
#define GRAFT_KERNELS_BLOCK_H

#include "base/runtime.h"
#include "kernels/conv.h"

enum { GRAFT_BLOCK = 16 }; /* channels of a block */

enum graft_block_way {
    GRAFT_BLOCK_NONE,      /* not offered: stay with conv.h */
    GRAFT_BLOCK_POINT,     /* 1x1, any stride */
    GRAFT_BLOCK_DIRECT,    /* any 2-D kernel, stride, dilation, pads, groups
                              of whole blocks */
    GRAFT_BLOCK_STEM,      /* few channels, read from IMAGE (g->image) */
    GRAFT_BLOCK_DEPTHWISE, /* one input channel per group */
    GRAFT_BLOCK_WINOGRAD   /* 3x3, groups of whole blocks; 7x7 stem */
};

/* How a convolution is cut; a value, made once while compiling. */
struct graft_block_cut {
    enum graft_block_way way;
    int64_t in_blocks, out_blocks;
    size_t pack_bytes;     /* of the packed weights */
    size_t scratch;        /* bytes for each worker */
    size_t shared;         /* bytes for all of them together */
    int64_t detail[8];     /* of the way: graft_block_detail, or winograd.c */
    bool late;             /* WINOGRAD: the pack holds weights as they are,
                              which each run transforms where it needs them */
};

/* exact: no way that rounds more than a sum of products (no Winograd), and
 * long sums in short chains. */
void graft_block_cut(struct graft_block_cut *out, const struct graft_conv *g,
                     int64_t n_max, bool exact,
                     const struct graft_kernels *k);

/* Weights seen from behind (block_back.h): those of a convolution `of` with
 * channels exchanged, and of each kernel axis (rows, columns) every step-th
 * element, the last one, first + step (count - 1), before the others. */
enum { GRAFT_BLOCK_TAPS = 121 }; /* most elements of such a kernel */
struct graft_block_turned {
    bool is;               /* false: weights are read as they are */
    int64_t c, m, group;   /* of the other convolution */
    int64_t kernel[2], first[2], step[2];
};

/* Weights as the way reads them: a graft_pack_kind's spec and function. */
struct graft_block_packing {
    struct graft_conv g;
    struct graft_block_cut cut;
    enum graft_isa isa;    /* for which it was cut */
    int64_t width;         /* output channels of a packed panel */
    struct graft_block_turned turned;
};
struct graft_block_packing
graft_block_packing(const struct graft_conv *g,
                    const struct graft_block_cut *cut,
                    const struct graft_kernels *k);
void graft_block_pack(void *dst, const struct graft_view *src,
                      const real *scale, const void *packing,
                      struct graft_pool *pool);

/* Weights first .. first + n - 1 of output channel o, scaled. */
void graft_block_read(real *dst, const struct graft_block_packing *p,
                      const struct graft_view *src, const real *scale,
                      int64_t o, int64_t first, int64_t n);
/* Elements of a kernel where it is read, and where in it those of
 * p->g.kernel lie. */
int64_t graft_block_kernel(const struct graft_block_packing *p);
void graft_block_taps(const struct graft_block_packing *p,
                      int64_t tap[GRAFT_BLOCK_TAPS]);

/* One run. x is C16 (STEM: IMAGE), y and the residual are C16; steps count
 * elements from image to image and may be larger than an image (views into
 * a concatenation). finish.bias: out_blocks * 16 numbers, zero beyond g->m;
 * NULL: none. */
struct graft_block_run {
    const struct graft_conv *g;
    const struct graft_block_cut *cut;
    const struct graft_kernels *k;
    int64_t n;
    const real *x;
    int64_t x_step;
    real *y;
    int64_t y_step;
    const real *w;
    struct graft_finish finish;
};
void graft_block_run(struct graft_block_run *r, struct graft_pool *pool,
                     void *scratch, size_t scratch_step, void *shared);

/* ---- between the cut and the kernels ------------------------------------ */

/* detail[] of POINT, DIRECT, STEM; of DEPTHWISE rows and share. A task is a
 * band of output rows and columns of some images, times some panels. */
enum graft_block_detail {
    GRAFT_BLOCK_ROWS,    /* of a band */
    GRAFT_BLOCK_COLUMNS,
    GRAFT_BLOCK_IMAGES,  /* of a task */
    GRAFT_BLOCK_SHARE,   /* panels (DEPTHWISE: blocks) of a task */
    GRAFT_BLOCK_PANELS,
    GRAFT_BLOCK_WIDTH,   /* output channels of a panel */
    GRAFT_BLOCK_DEPTH,   /* rows of k of a packed panel */
    GRAFT_BLOCK_CHAIN    /* of a tile */
};

/* Output channels first .. end-1 and the input channels that they read. A
 * panel never reaches from one group into the next where groups are whole
 * blocks; else weights are zero between strangers. */
struct graft_block_panel {
    int64_t first, end, in_first, in_end;
};
struct graft_block_panel graft_block_panel(const struct graft_conv *g,
                                           int64_t width, int64_t index);
int64_t graft_block_panels(const struct graft_conv *g, int64_t width);
/* Blocks of input that a panel reads. */
static inline int64_t graft_block_panel_blocks(
    const struct graft_block_panel *p)
{
    return (p->in_end + GRAFT_BLOCK - 1) / GRAFT_BLOCK -
           p->in_first / GRAFT_BLOCK;
}
enum {
    GRAFT_BLOCK_WIDEST = 2 * GRAFT_BLOCK, /* channels of a panel, at most */
    GRAFT_BLOCK_READ = 256 /* weights of one of them read at once, at most */
};

/* Scaled weights of a panel of one group for input channels first ..
 * first + n - 1 of the group, to[channel][kernel as it is read][width]; zero
 * beyond the panel's end. n * kernel <= GRAFT_BLOCK_READ. */
struct graft_block_reader {
    const struct graft_block_packing *p;
    const struct graft_view *src;
    const real *scale;     /* NULL: none */
};
void graft_block_read_panel(const struct graft_block_reader *r,
                            const struct graft_block_panel *panel,
                            int64_t first, int64_t n, real *to);
/* Channels of a panel. */
int64_t graft_block_width(const struct graft_conv *g,
                          const struct graft_kernels *k);

/* n numbers of a row of input, beginning x reals behind the row, meet n rows
 * of weights, beginning at w. */
struct graft_block_piece {
    int64_t x, w, n;
};

/* Rows (pixels, tiles or images) times the channels of a panel:
 * y[i] = act(bias + sum over pieces of x[i] w + residual[i]). Steps count
 * reals from row to row and may be anything. The order of summation is the
 * list's for each element, whatever else the tile holds. */
struct graft_block_tile {
    int64_t rows, blocks;        /* blocks: of the panel, 1 or 2 */
    const real *x;
    int64_t x_step;
    int64_t ahead;               /* reals from what is read to what to fetch
                                    from memory meanwhile; 0: nothing */
    const struct graft_block_piece *piece;
    int64_t pieces;
    const real *w;               /* [k][width], at pieces' offsets */
    const real *next, *stop;     /* weights to fetch from memory meanwhile,
                                    GRAFT_BLOCK_FETCH reals with each piece
                                    of a tile; from stop on: none */
    int64_t width;
    const real *bias;            /* [blocks * 16], NULL: none */
    real *y;
    int64_t y_step, y_block;     /* y_block: from block to block */
    const real *residual;        /* NULL: none; blocks as those of y */
    int64_t residual_step;
    const struct graft_act *act; /* NULL: the sums as they are, all lanes */
    int64_t lanes;               /* channels of the last block; the others
                                    are stored as zero */
    int64_t chain;               /* numbers added up one after the other, more
                                    are sums of such sums; 0: any number */
};

enum { GRAFT_BLOCK_FETCH = 16 * 64 / sizeof(real) };

/* The geometry that POINT works on: all output pixels in one row. Where there
 * are strides, a task gathers the pixels that it reads. */
struct graft_conv graft_block_flat(const struct graft_conv *g,
                                   const struct graft_block_cut *cut);
size_t graft_block_gathered(const struct graft_conv *g,
                            const struct graft_block_cut *cut); /* bytes */
/* The end of the run of output indices from `o` on, below `end`, whose kernel
 * elements lo .. hi-1 along `axis` are the ones inside the input. */
int64_t graft_block_span(const struct graft_conv *g, int axis, int64_t o,
                         int64_t end, int64_t *lo, int64_t *hi);

/* Sums over pixels of products of x and dy, added to `sum`: for gradients of
 * weights. Steps count reals. */
struct graft_block_outer {
    int64_t images, rows, columns;
    const real *x;
    int64_t x_image, x_row, x_column;
    int64_t x_tap;               /* depthwise: to the next kernel element */
    const real *dy;
    int64_t dy_image, dy_row, dy_column, dy_block;
    int64_t x_ahead, dy_ahead;   /* from what is read to what to fetch from
                                    memory meanwhile; 0: nothing */
    int64_t numbers;             /* of x, side by side; depthwise: kernel
                                    elements */
    int64_t blocks;              /* of dy, 1 or 2 */
    real *sum;                   /* [numbers][width] */
    int64_t width;
};

struct graft_block_kernels {
    int rows;                    /* of the micro-kernel */
    int width;                   /* output channels of a panel: 16 or 32 */
    void (*tile)(const struct graft_block_tile *t);
    /* output rows row .. end-1 of one block of one image */
    void (*depthwise)(const struct graft_block_run *r, int64_t image,
                      int64_t block, int64_t row, int64_t end);
    void (*outer)(const struct graft_block_outer *o);
    void (*outer_depthwise)(const struct graft_block_outer *o);
};

#endif
