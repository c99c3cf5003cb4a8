/* Kernels of convolution, pooling and products with a packed matrix.
 *
 * All of them are cut into tasks that the caller hands to the pool; each
 * output element is one chain of multiply-adds in the order of k, whatever
 * the cut, the batch and the number of threads, so the bits never depend on
 * those. Space has three axes everywhere; 1-D and 2-D have leading ones.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_CONV_H
#define GRAFT_KERNELS_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/act.h"
#include "tensor/real.h"

/* y = act(z + bias[c] + residual). NaN passes through every activation. */
struct graft_finish {
    const real *bias;     /* per output channel or column, NULL: none */
    const real *residual; /* laid out as y, NULL: none */
    int64_t residual_step; /* elements from image to image (row to row) */
    struct graft_act act;
};

/* Geometry of a convolution or pooling. */
struct graft_conv {
    int64_t c, m, group; /* channels in and out; weights [m][c/group][...] */
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3];
    int64_t pad[3];      /* at the beginning; the end follows from `out` */
    bool image;          /* input interleaved: N, H, W, C */
};

/* How a convolution is cut; by shape and instruction set only. */
enum graft_conv_way {
    GRAFT_CONV_POINT,     /* 1x1, stride 1, no padding: reads planes */
    GRAFT_CONV_BAND,      /* 2-D: strips by way of padded rows */
    GRAFT_CONV_ANY,       /* 3-D: strips element by element */
    GRAFT_CONV_DEPTHWISE  /* 2-D, one input channel per group */
};
struct graft_conv_cut {
    enum graft_conv_way way;
    int64_t taps, depth;  /* kernel elements; taps * c / group */
    int64_t panels;       /* of mr output channels per group */
    int64_t channels;     /* input channels in a block of k */
    int64_t strips;       /* of nr pixels in a task; windows: planes */
    int64_t columns;      /* BAND, windows: reals of a phase of a row */
    int64_t rows;         /* BAND: most padded rows; windows: output rows at
                             a time */
    int64_t segments;     /* BAND: most images in a task */
    size_t pack_bytes;    /* of the packed weights */
    size_t scratch;       /* bytes for each worker */
};

struct graft_kernels;
void graft_conv_cut(struct graft_conv_cut *out, const struct graft_conv *g,
                    int64_t n_max, const struct graft_kernels *k);

/* Weights as the kernels read them. src: a dense ROW view of [m][depth],
 * scale: [m] factors or NULL. */
struct graft_conv_packing {
    int64_t m, group, depth;
    int64_t mr;           /* 1: as they are */
};
struct graft_conv_packing
graft_conv_packing(const struct graft_conv *g, const struct graft_conv_cut *c,
                   const struct graft_kernels *k);
struct graft_pool;
struct graft_view;
void graft_conv_pack(void *dst, const struct graft_view *src,
                     const real *scale, const void *packing,
                     struct graft_pool *pool);

/* One run. Steps count elements from image to image. */
struct graft_conv_run {
    const struct graft_conv *g;
    const struct graft_conv_cut *cut;
    const struct graft_kernels *k;
    int64_t n;
    const real *x;
    int64_t x_step;
    real *y;
    int64_t y_step;
    const real *w; /* packed; POINT, BAND, ANY: [group][panel][depth][mr] with
                      zero rows at the end, DEPTHWISE: [m][taps] */
    struct graft_finish finish;
    int64_t m_blocks, m_panels; /* set by graft_conv_run: panels are shared
                                   among tasks when pixels are few */
};
/* `scratch`: cut->scratch bytes for each worker, `scratch_step` apart. */
void graft_conv_run(struct graft_conv_run *r, struct graft_pool *pool,
                    void *scratch, size_t scratch_step);

/* C[m][n] (+)= A B with B packed in strips of nr columns:
 * [strip][k][nr], the last one padded with zeros. */
struct graft_product {
    int64_t m, n, k;
    const real *a;
    int64_t lda;
    const real *b;
    real *c;
    int64_t ldc;
    bool add;                   /* C holds a summand */
    struct graft_finish finish; /* bias per column */
};

/* alpha op(B) in strips; op transposes: src is [n][k] then, else [k][n].
 * scale: [dim 0 of src] factors or NULL. */
struct graft_product_packing {
    int64_t k, n;
    int64_t nr;
    double alpha;
    bool transposed;
};
size_t graft_product_bytes(const struct graft_product_packing *p);
void graft_product_pack(void *dst, const struct graft_view *src,
                        const real *scale, const void *packing,
                        struct graft_pool *pool);
/* The transposed map, for gradients of packed matrices: dst ROW like src. */
void graft_product_unpack(real *dst, const void *packed,
                          const void *packing);
/* The strips of a product are its tasks. */
void graft_product_run(const struct graft_product *p,
                       const struct graft_kernels *k,
                       struct graft_pool *pool);

/* Pooling over a plane: m = c = group channels. */
struct graft_window {
    const struct graft_conv *g;
    const struct graft_conv_cut *cut; /* graft_window_cut */
    const struct graft_kernels *k;
    int64_t n;
    const real *x;
    int64_t x_step;
    real *y;
    int64_t y_step;
    bool max;             /* largest element; else the mean */
    const real *count[3]; /* mean: elements counted per output index */
};
void graft_window_cut(struct graft_conv_cut *out, const struct graft_conv *g,
                      const struct graft_kernels *k);
void graft_window_run(const struct graft_window *w, struct graft_pool *pool,
                      void *scratch, size_t scratch_step);

struct graft_conv_kernels {
    int mr, nr, lanes; /* micro-tile; reals in a vector */
    void (*strips)(const struct graft_conv_run *, int64_t task, real *scratch);
    void (*depthwise)(const struct graft_conv_run *, int64_t task,
                      real *scratch);
    void (*window)(const struct graft_window *, int64_t task, real *scratch);
    /* strip `strip` of all rows */
    void (*product)(const struct graft_product *, int64_t strip);
    real (*sum)(const real *x, int64_t n);
    /* y = act(s x + t + residual); f says which activation */
    void (*affine)(real *y, const real *x, int64_t n, real s, real t,
                   const real *residual, const struct graft_finish *f);
};

#endif
