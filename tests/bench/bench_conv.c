/* GF/s of the layers of ResNet-50 and MobileNetV2: prints a line a shape.
 * One thread is measured in processor time, which other work on the machine
 * disturbs less.
 *   bench_conv [threads [images [isa]]]
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "kernels/kernels.h"

struct layer {
    const char *name;
    int64_t c, m, size, kernel, stride, group;
};

static const struct layer layers[] = {
    {"stem 7x7/2 3-64 224", 3, 64, 224, 7, 2, 1},
    {"1x1 64-64 56", 64, 64, 56, 1, 1, 1},
    {"3x3 64-64 56", 64, 64, 56, 3, 1, 1},
    {"1x1 64-256 56", 64, 256, 56, 1, 1, 1},
    {"1x1 256-64 56", 256, 64, 56, 1, 1, 1},
    {"1x1 256-128 56", 256, 128, 56, 1, 1, 1},
    {"3x3/2 128-128 56", 128, 128, 56, 3, 2, 1},
    {"1x1/2 256-512 56", 256, 512, 56, 1, 2, 1},
    {"1x1 128-512 28", 128, 512, 28, 1, 1, 1},
    {"1x1 512-128 28", 512, 128, 28, 1, 1, 1},
    {"3x3 128-128 28", 128, 128, 28, 3, 1, 1},
    {"3x3/2 256-256 28", 256, 256, 28, 3, 2, 1},
    {"1x1 256-1024 14", 256, 1024, 14, 1, 1, 1},
    {"1x1 1024-256 14", 1024, 256, 14, 1, 1, 1},
    {"3x3 256-256 14", 256, 256, 14, 3, 1, 1},
    {"3x3 512-512 7", 512, 512, 7, 3, 1, 1},
    {"1x1 2048-512 7", 2048, 512, 7, 1, 1, 1},
    {"1x1 16-96 112", 16, 96, 112, 1, 1, 1},
    {"1x1 144-32 28", 144, 32, 28, 1, 1, 1},
    {"dw 3x3 32 112", 32, 32, 112, 3, 1, 32},
    {"dw 3x3/2 96 112", 96, 96, 112, 3, 2, 96},
    {"dw 3x3 144 56", 144, 144, 56, 3, 1, 144},
    {"dw 3x3 384 14", 384, 384, 14, 3, 1, 384},
    {"dw 3x3 960 7", 960, 960, 7, 3, 1, 960},
};

static clockid_t watch = CLOCK_MONOTONIC;

static double now(void)
{
    struct timespec t;
    clock_gettime(watch, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static real *numbers(int64_t n)
{
    real *p = graft_alloc_aligned((size_t)n * sizeof *p);
    if (!p)
        exit(1);
    uint32_t s = 1;
    for (int64_t i = 0; i < n; i++) {
        s = s * 1664525 + 1013904223;
        p[i] = (real)(s >> 8) / (real)(1 << 23) - 1;
    }
    return p;
}

static double measure(const struct layer *l, int64_t n,
                      struct graft_pool *pool, const struct graft_kernels *k)
{
    int64_t out = (l->size - 1) / l->stride + 1, pad = l->kernel / 2;
    struct graft_conv g = {
        .c = l->c, .m = l->m, .group = l->group,
        .in = {1, l->size, l->size}, .out = {1, out, out},
        .kernel = {1, l->kernel, l->kernel},
        .stride = {1, l->stride, l->stride}, .dilation = {1, 1, 1},
        .pad = {0, pad, pad}};
    struct graft_conv_cut cut;
    graft_conv_cut(&cut, &g, n, k);
    real *x = numbers(n * g.c * l->size * l->size);
    real *y = numbers(n * g.m * out * out);
    real *w = numbers((int64_t)(cut.pack_bytes / sizeof(real)));
    real *bias = numbers(g.m);
    char *scratch = graft_alloc_aligned(cut.scratch *
                                        (size_t)graft_pool_threads(pool));
    struct graft_conv_run r = {
        .g = &g, .cut = &cut, .k = k, .n = n, .x = x,
        .x_step = g.c * l->size * l->size, .y = y, .y_step = g.m * out * out,
        .w = w, .finish = {.bias = bias, .act = {GRAFT_ACT_RELU, 0, 0}}};
    double best = 1e9, spent = 0;
    for (int i = 0; i < 50 && (i < 3 || spent < 0.3); i++) {
        double t = now();
        graft_conv_run(&r, pool, scratch, cut.scratch);
        t = now() - t;
        spent += t;
        best = t < best ? t : best;
    }
    graft_free(x);
    graft_free(y);
    graft_free(w);
    graft_free(bias);
    graft_free(scratch);
    return best;
}

/* GF/s of multiply-adds whose operands are in registers and L1. */
static double peak(const struct graft_kernels *k)
{
    enum { DEPTH = 64, TIMES = 20000 };
    int64_t mr = k->conv.mr, nr = k->conv.nr;
    real *a = numbers(mr * DEPTH), *b = numbers(nr * DEPTH);
    real *c = numbers(mr * nr);
    struct graft_product p = {.m = mr, .n = nr, .k = DEPTH, .a = a,
                              .lda = DEPTH, .b = b, .c = c, .ldc = nr};
    double best = 0;
    for (int i = 0; i < 7; i++) {
        double t = now();
        for (int j = 0; j < TIMES; j++)
            k->conv.product(&p, 0);
        double f = 2e-9 * (double)(mr * nr * DEPTH) * TIMES / (now() - t);
        best = f > best ? f : best;
    }
    graft_free(a);
    graft_free(b);
    graft_free(c);
    return best;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2;
    int64_t n = argc > 2 ? strtol(argv[2], NULL, 10) : 16;
    int isa = argc > 3 ? (int)strtol(argv[3], NULL, 10)
                       : (int)graft_runtime_or_default(NULL)->isa;
    const struct graft_kernels *k = graft_kernels_for((enum graft_isa)isa);
    struct graft_pool *pool;
    if (threads == 1)
        watch = CLOCK_PROCESS_CPUTIME_ID;
    if (graft_pool_new(&pool, threads))
        return 1;
    printf("isa %d, %d threads, %d images; one tile in L1: %.0f GF/s of one "
           "thread\n", isa, threads, (int)n, peak(k));
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const struct layer *l = &layers[i];
        double t = measure(l, n, pool, k);
        int64_t out = (l->size - 1) / l->stride + 1;
        double flops = 2.0 * (double)(n * l->m * out * out * l->kernel *
                                      l->kernel * l->c / l->group);
        printf("%-22s %8.3f ms %7.1f GF/s\n", l->name, 1e3 * t,
               1e-9 * flops / t);
    }
    graft_pool_free(pool);
    return 0;
}
