/* Convolution kernels against plain loops in double, over a grid of
 * attributes, for each instruction set of this machine; and the same bits for
 * any number of threads and any company in the batch.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"
#include "kernels/kernels.h"
#include "tensor/view.h"
#include "test.h"

struct data {
    struct graft_conv g;
    struct graft_conv_cut cut;
    int64_t n, in, out, weights;
    real *x, *y, *w, *bias, *residual, *packed;
    double *z;
};

static void *get(int64_t n, size_t size)
{
    void *p = graft_alloc_aligned((size_t)n * size);
    assert_non_null(p);
    return p;
}

static real *numbers(int64_t n, uint64_t seed)
{
    real *p = get(n, sizeof *p);
    struct graft_rng_key key = graft_rng_key(seed, 7);
    for (int64_t i = 0; i < n; i++)
        p[i] = (real)(2 * graft_rng_unit(key, (uint64_t)i) - 1);
    return p;
}

/* Output sizes from padding at both ends. */
static void sizes(struct graft_conv *g, const int64_t end[3])
{
    for (int i = 0; i < 3; i++)
        g->out[i] = (g->in[i] + g->pad[i] + end[i] -
                     (g->kernel[i] - 1) * g->dilation[i] - 1) /
                        g->stride[i] + 1;
}

static double at(const struct data *d, int64_t image, int64_t o,
                 const int64_t q[3])
{
    const struct graft_conv *g = &d->g;
    int64_t per = g->c / g->group, first = o / (g->m / g->group) * per;
    const real *w = d->w + o * d->weights;
    double sum = 0;
    for (int64_t c = 0; c < per; c++)
        for (int64_t a = 0; a < g->kernel[0]; a++)
            for (int64_t b = 0; b < g->kernel[1]; b++)
                for (int64_t e = 0; e < g->kernel[2]; e++, w++) {
                    int64_t i = q[0] * g->stride[0] + a * g->dilation[0] -
                                g->pad[0];
                    int64_t j = q[1] * g->stride[1] + b * g->dilation[1] -
                                g->pad[1];
                    int64_t k = q[2] * g->stride[2] + e * g->dilation[2] -
                                g->pad[2];
                    if (i < 0 || i >= g->in[0] || j < 0 || j >= g->in[1] ||
                        k < 0 || k >= g->in[2])
                        continue;
                    int64_t pixel = (i * g->in[1] + j) * g->in[2] + k;
                    int64_t plane = g->in[0] * g->in[1] * g->in[2];
                    int64_t p = g->image ? pixel * g->c + first + c
                                         : (first + c) * plane + pixel;
                    sum += (double)*w * (double)d->x[image * d->in + p];
                }
    return sum;
}

static void expect(struct data *d)
{
    const struct graft_conv *g = &d->g;
    double *z = d->z;
    int64_t q[3];
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t o = 0; o < g->m; o++)
            for (q[0] = 0; q[0] < g->out[0]; q[0]++)
                for (q[1] = 0; q[1] < g->out[1]; q[1]++)
                    for (q[2] = 0; q[2] < g->out[2]; q[2]++)
                        *z++ = at(d, i, o, q);
}

static void make(struct data *d, const struct graft_conv *g, int64_t n)
{
    *d = (struct data){.g = *g, .n = n};
    d->in = g->c * g->in[0] * g->in[1] * g->in[2];
    d->out = g->m * g->out[0] * g->out[1] * g->out[2];
    d->weights = g->c / g->group * g->kernel[0] * g->kernel[1] *
                 g->kernel[2];
    d->x = numbers(n * d->in, 1);
    d->w = numbers(g->m * d->weights, 2);
    d->bias = numbers(g->m, 3);
    d->residual = numbers(n * d->out, 4);
    d->y = get(n * d->out, sizeof *d->y);
    d->z = get(n * d->out, sizeof *d->z);
    expect(d);
}

static void drop(struct data *d)
{
    graft_free(d->x);
    graft_free(d->w);
    graft_free(d->bias);
    graft_free(d->residual);
    graft_free(d->y);
    graft_free(d->z);
}

/* Images first .. first+n-1 into y, with `threads` threads. */
static void run(struct data *d, const struct graft_kernels *k, real *y,
                int64_t first, int64_t n, int threads,
                const struct graft_finish *f)
{
    struct graft_pool *pool = NULL;
    assert_ok(graft_pool_new(&pool, threads));
    graft_conv_cut(&d->cut, &d->g, d->n, k);
    struct graft_conv_packing p = graft_conv_packing(&d->g, &d->cut, k);
    real *packed = get((int64_t)d->cut.pack_bytes, 1);
    struct graft_view v = {d->w, {2, {d->g.m, d->weights}},
                           {.dtype = GRAFT_REAL}};
    graft_conv_pack(packed, &v, NULL, &p, pool);
    char *scratch = get((int64_t)d->cut.scratch * threads, 1);
    memset(scratch, 0xff, d->cut.scratch * (size_t)threads); /* NaN */
    struct graft_conv_run r = {
        .g = &d->g, .cut = &d->cut, .k = k, .n = n,
        .x = d->x + first * d->in, .x_step = d->in, .y = y,
        .y_step = d->out, .w = packed, .finish = *f};
    if (f->residual)
        r.finish.residual += first * d->out;
    graft_conv_run(&r, pool, scratch, d->cut.scratch);
    graft_free(scratch);
    graft_free(packed);
    graft_pool_free(pool);
}

static double activated(double v, const struct graft_act *a)
{
    double h = v / 6 + 0.5;
    const double y[GRAFT_ACT_COUNT] = {
        [GRAFT_ACT_NONE] = v,
        [GRAFT_ACT_RELU] = fmax(v, 0),
        [GRAFT_ACT_CLIP] = fmin(fmax(v, (double)a->a), (double)a->b),
        [GRAFT_ACT_SIGMOID] = 1 / (1 + exp(-v)),
        [GRAFT_ACT_HARDSIGMOID] =
            fmin(fmax((double)a->a * v + (double)a->b, 0), 1),
        [GRAFT_ACT_HARDSWISH] = v * fmin(fmax(h, 0), 1),
        [GRAFT_ACT_SWISH] = v / (1 + exp(-(double)a->a * v))};
    return y[a->kind];
}

static void compare(const struct data *d, const real *y, int64_t first,
                    int64_t n, const struct graft_finish *f,
                    const char *what)
{
    int64_t plane = d->out / d->g.m;
    double depth = (double)d->weights;
    for (int64_t i = 0; i < n * d->out; i++) {
        int64_t j = first * d->out + i;
        double z = d->z[j];
        if (f->bias)
            z += (double)f->bias[i / plane % d->g.m];
        if (f->residual)
            z += (double)f->residual[j];
        z = activated(z, &f->act);
        /* products of numbers up to 1, rounded `depth` times */
        if (!(fabs((double)y[i] - z) <= 2e-7 * (4 + depth)))
            fail_msg("%s: element %ld is %.9g, expected %.9g", what, (long)i,
                     (double)y[i], z);
    }
}

static int best_isa(void)
{
    struct graft_runtime *rt = graft_runtime_or_default(NULL);
    assert_non_null(rt);
    return (int)rt->isa;
}

static void check(const struct graft_conv *g, int64_t n)
{
    struct data d;
    make(&d, g, n);
    for (int isa = 0; isa <= best_isa(); isa++) {
        const struct graft_kernels *k = graft_kernels_for(
            (enum graft_isa)isa);
        char what[200];
        snprintf(what, sizeof what, "isa %d, %ldx[%ld,%ld,%ld,%ld] -> %ld, "
                 "kernel %ldx%ldx%ld, stride %ld,%ld, dilation %ld, pad %ld, "
                 "group %ld", isa, (long)n, (long)g->c, (long)g->in[0],
                 (long)g->in[1], (long)g->in[2], (long)g->m,
                 (long)g->kernel[0], (long)g->kernel[1], (long)g->kernel[2],
                 (long)g->stride[1], (long)g->stride[2],
                 (long)g->dilation[2], (long)g->pad[2], (long)g->group);
        struct graft_finish plain = {0};
        struct graft_finish full = {
            .bias = d.bias, .residual = d.residual, .residual_step = d.out,
            .act = {GRAFT_ACT_HARDSWISH, 0, 0}};
        memset(d.y, 0xff, (size_t)(n * d.out) * sizeof *d.y);
        run(&d, k, d.y, 0, n, 1, &plain);
        compare(&d, d.y, 0, n, &plain, what);
        memset(d.y, 0xff, (size_t)(n * d.out) * sizeof *d.y);
        run(&d, k, d.y, 0, n, 2, &full);
        compare(&d, d.y, 0, n, &full, what);
        real *other = get(n * d.out, sizeof *other);
        run(&d, k, other, 0, n, 3, &full);
        assert_memory_equal(d.y, other, (size_t)(n * d.out) * sizeof *d.y);
        run(&d, k, other, n - 1, 1, 1, &full); /* the last image alone */
        assert_memory_equal(d.y + (n - 1) * d.out, other,
                            (size_t)d.out * sizeof *d.y);
        graft_free(other);
    }
    drop(&d);
}

static void plane(int64_t n, int64_t c, int64_t m, int64_t group, int64_t h,
                  int64_t w, int64_t kh, int64_t kw, int64_t stride,
                  int64_t dilation, int64_t pad, int64_t end)
{
    struct graft_conv g = {
        .c = c, .m = m, .group = group, .in = {1, h, w},
        .kernel = {1, kh, kw}, .stride = {1, stride, stride},
        .dilation = {1, dilation, dilation}, .pad = {0, pad, pad}};
    sizes(&g, (int64_t[]){0, end, end});
    check(&g, n);
    if (group == 1 && c <= 4) {
        g.image = true;
        check(&g, n);
    }
}

TEST(kernels_conv__points)
{
    plane(3, 7, 5, 1, 13, 11, 1, 1, 1, 1, 0, 0);
    plane(2, 64, 24, 1, 7, 7, 1, 1, 1, 1, 0, 0);
    plane(17, 40, 33, 1, 1, 1, 1, 1, 1, 1, 0, 0);
    plane(2, 800, 9, 1, 5, 10, 1, 1, 1, 1, 0, 0); /* k in several blocks */
    plane(2, 12, 8, 4, 6, 9, 1, 1, 1, 1, 0, 0);
    plane(2, 5, 16, 1, 17, 19, 1, 1, 2, 1, 0, 0); /* strided */
    plane(1, 3, 130, 1, 2, 2, 1, 1, 1, 1, 0, 0);  /* panels shared out */
    plane(1, 3, 8, 1, 60, 61, 1, 1, 1, 1, 0, 0);
    plane(1, 3, 4, 1, 5, 5, 1, 1, 1, 1, 1, 2);    /* padded */
}

TEST(kernels_conv__kernels_strides_dilations_pads)
{
    for (int64_t kernel = 2; kernel <= 5; kernel++)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t dilation = 1; dilation <= 2; dilation++)
                for (int64_t pad = 0; pad <= 2; pad++)
                    plane(2, 3, 10, 1, 13, 17, kernel, kernel, stride,
                          dilation, pad, (pad + 1) % 3);
}

TEST(kernels_conv__odd_shapes)
{
    plane(2, 6, 7, 1, 1, 31, 1, 3, 1, 1, 0, 2);
    plane(2, 6, 7, 1, 31, 1, 3, 1, 1, 1, 0, 0);
    plane(2, 3, 9, 1, 47, 53, 7, 7, 2, 1, 3, 3);
    plane(1, 2, 3, 1, 9, 9, 9, 9, 1, 1, 0, 0);
    plane(2, 3, 4, 1, 4, 4, 3, 3, 1, 1, 5, 5); /* padding alone in places */
    plane(9, 50, 17, 1, 7, 7, 3, 3, 1, 1, 1, 1);
    plane(2, 100, 8, 1, 14, 14, 3, 3, 1, 1, 1, 1);
    plane(2, 3, 4, 1, 20, 20, 2, 2, 5, 3, 1, 0); /* stride over reach */
}

TEST(kernels_conv__groups)
{
    plane(2, 8, 12, 2, 9, 10, 3, 3, 1, 1, 1, 1);
    plane(2, 32, 32, 4, 7, 5, 3, 3, 2, 1, 1, 1);
    plane(2, 9, 3, 3, 8, 8, 2, 3, 1, 2, 1, 0);
}

TEST(kernels_conv__depthwise)
{
    for (int64_t kernel = 1; kernel <= 5; kernel += 2)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t dilation = 1; dilation <= 3; dilation++)
                plane(2, 6, 6, 6, 19, 23, kernel, kernel, stride, dilation,
                      kernel / 2, (kernel + 1) / 2);
    plane(2, 4, 8, 4, 9, 7, 3, 3, 1, 1, 1, 1); /* two outputs a channel */
    plane(3, 5, 5, 5, 1, 1, 3, 3, 1, 1, 1, 1);
    plane(1, 3, 3, 3, 90, 70, 3, 3, 2, 1, 0, 1);
}

TEST(kernels_conv__volumes)
{
    struct graft_conv g = {.c = 4, .m = 6, .group = 2, .in = {5, 6, 7},
                           .kernel = {2, 3, 2}, .stride = {2, 1, 2},
                           .dilation = {1, 2, 1}, .pad = {1, 0, 1}};
    sizes(&g, (int64_t[]){0, 2, 1});
    check(&g, 2);
    g.group = 1;
    g.c = 2;
    g.image = true;
    check(&g, 2);
    g = (struct graft_conv){.c = 4, .m = 4, .group = 4, .in = {5, 6, 7},
                            .kernel = {3, 3, 3}, .stride = {1, 1, 1},
                            .dilation = {1, 1, 1}, .pad = {1, 1, 1}};
    sizes(&g, g.pad);
    check(&g, 2);
}

TEST(kernels_conv__activations_keep_nan)
{
    static const struct graft_act acts[] = {
        {GRAFT_ACT_NONE, 0, 0}, {GRAFT_ACT_RELU, 0, 0},
        {GRAFT_ACT_CLIP, (real)-0.25, (real)0.5}, {GRAFT_ACT_SIGMOID, 0, 0},
        {GRAFT_ACT_HARDSIGMOID, (real)0.2, (real)0.5},
        {GRAFT_ACT_HARDSWISH, 0, 0}, {GRAFT_ACT_SWISH, 1, 0}};
    struct graft_conv g = {.c = 3, .m = 5, .group = 1, .in = {1, 9, 9},
                           .out = {1, 9, 9}, .kernel = {1, 1, 1},
                           .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        struct data d;
        make(&d, &g, 2);
        struct graft_finish f = {.bias = d.bias, .act = acts[i]};
        for (int isa = 0; isa <= best_isa(); isa++) {
            const struct graft_kernels *k = graft_kernels_for(
                (enum graft_isa)isa);
            run(&d, k, d.y, 0, 2, 1, &f);
            compare(&d, d.y, 0, 2, &f, "activation");
            real kept = d.bias[2];
            d.bias[2] = (real)NAN;
            run(&d, k, d.y, 0, 2, 1, &f);
            d.bias[2] = kept;
            for (int j = 0; j < 81; j++)
                assert_true(isnan(d.y[2 * 81 + j]) && !isnan(d.y[j]));
        }
        drop(&d);
    }
}
