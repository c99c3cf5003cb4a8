/* A convolution over blocked channels beside plain loops in double, for the
 * tests of block.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TESTS_KERNELS_BLOCK_CASE_H
#define GRAFT_TESTS_KERNELS_BLOCK_CASE_H

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"
#include "kernels/kernels.h"
#include "tensor/view.h"
#include "test.h"

struct block_case {
    struct graft_conv g;
    int64_t n;
    int64_t weights;          /* of an output channel */
    int64_t x_step, y_step;   /* larger than an image */
    real *x, *w, *bias, *residual; /* as block.h has them; w as ONNX */
    double *z;                /* sums alone, laid out as y */
};

static inline void *block_get(int64_t n, size_t size)
{
    void *p = graft_alloc_aligned((size_t)n * size);
    assert_non_null(p);
    return p;
}

static inline real *block_numbers(int64_t n, uint64_t seed)
{
    real *p = block_get(n, sizeof *p);
    struct graft_rng_key key = graft_rng_key(seed, 7);
    for (int64_t i = 0; i < n; i++)
        p[i] = (real)(2 * graft_rng_unit(key, (uint64_t)i) - 1);
    return p;
}

/* n images of C16 numbers with `channels` lanes used; NaN behind each. */
static inline real *block_images(int64_t n, int64_t step, int64_t channels,
                                 int64_t plane, uint64_t seed)
{
    real *p = block_numbers(n * step, seed);
    int64_t used = (channels + GRAFT_BLOCK - 1) / GRAFT_BLOCK * GRAFT_BLOCK;
    for (int64_t i = 0; i < n * step; i++) {
        int64_t at = i % step, c = at / GRAFT_BLOCK / plane * GRAFT_BLOCK +
                                   at % GRAFT_BLOCK;
        if (at >= used * plane)
            p[i] = (real)NAN;
        else if (c >= channels)
            p[i] = 0;
    }
    return p;
}

static inline double block_sum(const struct block_case *d, int64_t image,
                               int64_t o, int64_t h, int64_t w)
{
    const struct graft_conv *g = &d->g;
    int64_t per = g->c / g->group, first = o / (g->m / g->group) * per;
    const real *k = d->w + o * d->weights, *x = d->x + image * d->x_step;
    double sum = 0;
    for (int64_t c = first; c < first + per; c++)
        for (int64_t i = 0; i < g->kernel[1]; i++)
            for (int64_t j = 0; j < g->kernel[2]; j++, k++) {
                int64_t y = h * g->stride[1] + i * g->dilation[1] - g->pad[1];
                int64_t e = w * g->stride[2] + j * g->dilation[2] - g->pad[2];
                if (y < 0 || y >= g->in[1] || e < 0 || e >= g->in[2])
                    continue;
                int64_t pixel = y * g->in[2] + e;
                int64_t at = (c / GRAFT_BLOCK * g->in[1] * g->in[2] + pixel) *
                                 GRAFT_BLOCK + c % GRAFT_BLOCK;
                if (g->image)
                    at = pixel * g->c + c;
                sum += (double)*k * (double)x[at];
            }
    return sum;
}

static inline int64_t block_plane(const struct graft_conv *g)
{
    return g->out[1] * g->out[2];
}

static inline void block_make(struct block_case *d, const struct graft_conv *g,
                              int64_t n)
{
    *d = (struct block_case){.g = *g, .n = n};
    int64_t in = g->in[1] * g->in[2], out = block_plane(g);
    int64_t in_blocks = (g->c + GRAFT_BLOCK - 1) / GRAFT_BLOCK;
    int64_t out_blocks = (g->m + GRAFT_BLOCK - 1) / GRAFT_BLOCK;
    d->weights = g->c / g->group * g->kernel[1] * g->kernel[2];
    d->x_step = (in_blocks * in + 3) * GRAFT_BLOCK;
    d->y_step = (out_blocks + 1) * out * GRAFT_BLOCK;
    if (g->image)
        d->x = block_numbers(n * d->x_step, 1);
    else
        d->x = block_images(n, d->x_step, g->c, in, 1);
    d->w = block_numbers(g->m * d->weights, 2);
    d->bias = block_images(1, out_blocks * GRAFT_BLOCK, g->m, 1, 3);
    d->residual = block_images(n, d->y_step, g->m, out, 4);
    d->z = block_get(n * d->y_step, sizeof *d->z);
    for (int64_t i = 0; i < n * d->y_step; i++) {
        int64_t at = i % d->y_step, q = at / GRAFT_BLOCK % out;
        int64_t o = at / GRAFT_BLOCK / out * GRAFT_BLOCK + at % GRAFT_BLOCK;
        d->z[i] = o < g->m ? block_sum(d, i / d->y_step, o, q / g->out[2],
                                       q % g->out[2])
                           : 0;
    }
}

static inline void block_drop(struct block_case *d)
{
    graft_free(d->x);
    graft_free(d->w);
    graft_free(d->bias);
    graft_free(d->residual);
    graft_free(d->z);
}

/* Images first .. first+n-1 into y, by `cut`, with `threads` threads. */
static inline void block_go(const struct block_case *d,
                            const struct graft_block_cut *cut,
                            const struct graft_kernels *k, real *y,
                            int64_t first, int64_t n, int threads,
                            const struct graft_finish *f)
{
    struct graft_pool *pool = NULL;
    assert_ok(graft_pool_new(&pool, threads));
    struct graft_block_packing p = graft_block_packing(&d->g, cut, k);
    struct graft_view v = {d->w, {2, {d->g.m, d->weights}},
                           {.dtype = GRAFT_REAL}};
    real *packed = block_get((int64_t)cut->pack_bytes, 1);
    char *scratch = block_get((int64_t)cut->scratch * threads, 1);
    char *shared = block_get((int64_t)cut->shared, 1);
    memset(packed, 0xff, cut->pack_bytes); /* NaN */
    memset(scratch, 0xff, cut->scratch * (size_t)threads);
    memset(shared, 0xff, cut->shared);
    graft_block_pack(packed, &v, NULL, &p, pool);
    struct graft_block_run r = {
        .g = &d->g, .cut = cut, .k = k, .n = n,
        .x = d->x + first * d->x_step, .x_step = d->x_step, .y = y,
        .y_step = d->y_step, .w = packed, .finish = *f};
    if (f->residual)
        r.finish.residual += first * d->y_step;
    graft_block_run(&r, pool, scratch, cut->scratch, shared);
    graft_free(scratch);
    graft_free(shared);
    graft_free(packed);
    graft_pool_free(pool);
}

static inline double block_activated(double v, const struct graft_act *a)
{
    double h = fmin(fmax(v / 6 + 0.5, 0), 1);
    const double y[GRAFT_ACT_COUNT] = {
        [GRAFT_ACT_NONE] = v,
        [GRAFT_ACT_RELU] = fmax(v, 0),
        [GRAFT_ACT_CLIP] = fmin(fmax(v, (double)a->a), (double)a->b),
        [GRAFT_ACT_SIGMOID] = 1 / (1 + exp(-v)),
        [GRAFT_ACT_HARDSIGMOID] =
            fmin(fmax((double)a->a * v + (double)a->b, 0), 1),
        [GRAFT_ACT_HARDSWISH] = v * h,
        [GRAFT_ACT_SWISH] = v / (1 + exp(-(double)a->a * v))};
    return y[a->kind];
}

/* tolerance: of a sum of `depth` products of numbers up to 1. Lanes beyond
 * the last channel are zero; what lies behind an image is untouched. */
static inline void block_compare(const struct block_case *d, const real *y,
                                 const struct graft_finish *f,
                                 double tolerance, const char *what)
{
    int64_t plane = block_plane(&d->g);
    int64_t used = (d->g.m + GRAFT_BLOCK - 1) / GRAFT_BLOCK * GRAFT_BLOCK;
    for (int64_t i = 0; i < d->n * d->y_step; i++) {
        int64_t at = i % d->y_step, c = at / GRAFT_BLOCK / plane * GRAFT_BLOCK
                                        + at % GRAFT_BLOCK;
        double z = d->z[i];
        if (at >= used * plane) {
            if (!isnan(y[i]))
                fail_msg("%s: wrote behind image %ld", what,
                         (long)(i / d->y_step));
            continue;
        }
        if (f->bias)
            z += (double)f->bias[c];
        if (f->residual)
            z += (double)f->residual[i];
        z = c < d->g.m ? block_activated(z, &f->act) : 0;
        if (!(fabs((double)y[i] - z) <= (c < d->g.m ? tolerance : 0)))
            fail_msg("%s: channel %ld, pixel %ld of image %ld is %.9g, "
                     "expected %.9g", what, (long)c,
                     (long)(at / GRAFT_BLOCK % plane),
                     (long)(i / d->y_step), (double)y[i], z);
    }
}

static inline int block_best_isa(void)
{
    struct graft_runtime *rt = graft_runtime_or_default(NULL);
    assert_non_null(rt);
    return (int)rt->isa;
}

static inline void block_name(char *out, size_t size, int isa,
                              const struct graft_conv *g, int64_t n)
{
    snprintf(out, size, "isa %d, %ldx[%ld,%ld,%ld] -> %ld, kernel %ldx%ld, "
             "stride %ld,%ld, dilation %ld,%ld, pad %ld,%ld, group %ld%s",
             isa, (long)n, (long)g->c, (long)g->in[1], (long)g->in[2],
             (long)g->m, (long)g->kernel[1], (long)g->kernel[2],
             (long)g->stride[1], (long)g->stride[2], (long)g->dilation[1],
             (long)g->dilation[2], (long)g->pad[1], (long)g->pad[2],
             (long)g->group, g->image ? ", image" : "");
}

/* A plane with pads `pad` at the beginning and `end` at the end. */
static inline struct graft_conv
block_conv(int64_t c, int64_t m, int64_t group, int64_t h, int64_t w,
           int64_t kernel, int64_t stride, int64_t dilation, int64_t pad,
           int64_t end)
{
    struct graft_conv g = {
        .c = c, .m = m, .group = group, .in = {1, h, w}, .out = {1, 1, 1},
        .kernel = {1, kernel, kernel}, .stride = {1, stride, stride},
        .dilation = {1, dilation, dilation}, .pad = {0, pad, pad}};
    for (int i = 1; i < 3; i++)
        g.out[i] = (g.in[i] + pad + end - (kernel - 1) * dilation - 1) /
                       stride + 1;
    return g;
}

#endif
