/* make bench-kernels: GF/s of convolution over blocked channels, for each
 * instruction set and shape, beside the row kernels in the same minute; and
 * beside the peak, measured too. One thread is measured in processor time,
 * which other work on the machine disturbs less. GRAFT_ISA leaves one set.
 *   bench_kernels [threads [images [pattern]]]
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "kernels/kernels.h"

enum { PLAIN, IMAGE, ADD }; /* IMAGE: interleaved input; ADD: a residual */

struct layer {
    const char *name;
    int64_t c, m, size, kernel, stride, group;
    int kind;
};

static const struct layer layers[] = {
    {"stem 7x7/2 3-64 224", 3, 64, 224, 7, 2, 1, IMAGE},
    {"stem 3x3/2 3-32 224", 3, 32, 224, 3, 2, 1, IMAGE},
    {"stem 3x3 3-64 224", 3, 64, 224, 3, 1, 1, IMAGE},
    {"1x1 64-64 56", 64, 64, 56, 1, 1, 1, PLAIN},
    {"1x1 64-256 56", 64, 256, 56, 1, 1, 1, PLAIN},
    {"1x1 64-256 56 +", 64, 256, 56, 1, 1, 1, ADD},
    {"1x1 256-64 56", 256, 64, 56, 1, 1, 1, PLAIN},
    {"1x1 512-128 28", 512, 128, 28, 1, 1, 1, PLAIN},
    {"1x1 256-1024 14", 256, 1024, 14, 1, 1, 1, PLAIN},
    {"1x1 256-1024 14 +", 256, 1024, 14, 1, 1, 1, ADD},
    {"1x1 128-512 28 +", 128, 512, 28, 1, 1, 1, ADD},
    {"1x1 512-2048 7 +", 512, 2048, 7, 1, 1, 1, ADD},
    {"1x1 2048-512 7", 2048, 512, 7, 1, 1, 1, PLAIN},
    {"1x1/2 256-512 56", 256, 512, 56, 1, 2, 1, PLAIN},
    {"1x1/2 512-1024 28", 512, 1024, 28, 1, 2, 1, PLAIN},
    {"1x1/2 1024-2048 14", 1024, 2048, 14, 1, 2, 1, PLAIN},
    {"1x1 32-16 112", 32, 16, 112, 1, 1, 1, PLAIN},
    {"1x1 16-96 112", 16, 96, 112, 1, 1, 1, PLAIN},
    {"1x1 96-24 56", 96, 24, 56, 1, 1, 1, PLAIN},
    {"1x1 24-144 56", 24, 144, 56, 1, 1, 1, PLAIN},
    {"1x1 144-32 28", 144, 32, 28, 1, 1, 1, PLAIN},
    {"1x1 144-32 28 +", 144, 32, 28, 1, 1, 1, ADD},
    {"1x1 64-384 14", 64, 384, 14, 1, 1, 1, PLAIN},
    {"1x1 576-160 7", 576, 160, 7, 1, 1, 1, PLAIN},
    {"1x1 576-160 7 +", 576, 160, 7, 1, 1, 1, ADD},
    {"1x1 320-1280 7", 320, 1280, 7, 1, 1, 1, PLAIN},
    {"1x1 160-160 14", 160, 160, 14, 1, 1, 1, PLAIN},
    {"1x1 400-400 7", 400, 400, 7, 1, 1, 1, PLAIN},
    {"1x1 480-20 1", 480, 20, 1, 1, 1, 1, PLAIN},
    {"3x3 64-64 56", 64, 64, 56, 3, 1, 1, PLAIN},
    {"3x3 128-128 28", 128, 128, 28, 3, 1, 1, PLAIN},
    {"3x3 256-256 14", 256, 256, 14, 3, 1, 1, PLAIN},
    {"3x3 512-512 7", 512, 512, 7, 3, 1, 1, PLAIN},
    {"3x3/2 64-128 56", 64, 128, 56, 3, 2, 1, PLAIN},
    {"3x3/2 128-128 56", 128, 128, 56, 3, 2, 1, PLAIN},
    {"3x3/2 256-512 14", 256, 512, 14, 3, 2, 1, PLAIN},
    {"5x5 32-64 28", 32, 64, 28, 5, 1, 1, PLAIN},
    {"3x3 g 64-64 56 by 16", 64, 64, 56, 3, 1, 4, PLAIN},
    {"3x3 g 160-160 14 by 16", 160, 160, 14, 3, 1, 10, PLAIN},
    {"3x3 g 400-400 7 by 16", 400, 400, 7, 3, 1, 25, PLAIN},
    {"3x3/2 g 160-160 28 by 16", 160, 160, 28, 3, 2, 10, PLAIN},
    {"3x3/2 g 400-400 14 by 16", 400, 400, 14, 3, 2, 25, PLAIN},
    {"3x3 g 96-96 28 by 24", 96, 96, 28, 3, 1, 4, PLAIN},
    {"3x3 g 128-128 28 by 8", 128, 128, 28, 3, 1, 16, PLAIN},
    {"3x3 g 128-128 56 by 4", 128, 128, 56, 3, 1, 32, PLAIN},
    {"dw 3x3 32 112", 32, 32, 112, 3, 1, 32, PLAIN},
    {"dw 3x3/2 96 112", 96, 96, 112, 3, 2, 96, PLAIN},
    {"dw 3x3 144 56", 144, 144, 56, 3, 1, 144, PLAIN},
    {"dw 3x3/2 144 56", 144, 144, 56, 3, 2, 144, PLAIN},
    {"dw 3x3 192 28", 192, 192, 28, 3, 1, 192, PLAIN},
    {"dw 3x3 384 14", 384, 384, 14, 3, 1, 384, PLAIN},
    {"dw 3x3/2 576 14", 576, 576, 14, 3, 2, 576, PLAIN},
    {"dw 3x3 960 7", 960, 960, 7, 3, 1, 960, PLAIN},
    {"dw 5x5 240 28", 240, 240, 28, 5, 1, 240, PLAIN},
    {"dw 5x5/2 144 56", 144, 144, 56, 5, 2, 144, PLAIN},
    {"dw 5x5 672 14", 672, 672, 14, 5, 1, 672, PLAIN},
    {"dw 7x7 96 56", 96, 96, 56, 7, 1, 96, PLAIN},
};

static const char *const ways[] = {"none", "point", "direct", "stem",
                                   "depthwise", "winograd"};
#define NAME(code, name) name,
static const char *const sets[] = {GRAFT_ISA_LIST(NAME)};
#undef NAME
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

static void *bytes(size_t n)
{
    void *p = graft_alloc_aligned(n);
    if (!p)
        exit(1);
    memset(p, 0, n);
    return p;
}

/* One shape, both kinds of kernels on the same numbers. */
struct bench {
    struct graft_conv g;
    struct graft_pool *pool;
    struct graft_block_run block;
    struct graft_conv_run row;
    struct graft_block_cut block_cut, exact_cut;
    struct graft_conv_cut row_cut;
    char *scratch, *shared;
    size_t step;
};

static void run_block(struct bench *b)
{
    graft_block_run(&b->block, b->pool, b->scratch, b->step, b->shared);
}

static void run_row(struct bench *b)
{
    graft_conv_run(&b->row, b->pool, b->scratch, b->step);
}

static double best_of(struct bench *b, void (*run)(struct bench *))
{
    double best = 1e9, spent = 0;
    for (int i = 0; i < 200 && (i < 3 || spent < 0.12); i++) {
        double t = now();
        run(b);
        t = now() - t;
        spent += t;
        best = t < best ? t : best;
    }
    return best;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int64_t rounded(int64_t c)
{
    return (c + GRAFT_BLOCK - 1) / GRAFT_BLOCK * GRAFT_BLOCK;
}

static void measure(const struct layer *l, int64_t n,
                    struct graft_pool *pool, const struct graft_kernels *k,
                    double top)
{
    int64_t out = (l->size - 1) / l->stride + 1, pad = l->kernel / 2;
    struct bench b = {.pool = pool};
    struct graft_conv *g = &b.g;
    *g = (struct graft_conv){
        .c = l->c, .m = l->m, .group = l->group,
        .in = {1, l->size, l->size}, .out = {1, out, out},
        .kernel = {1, l->kernel, l->kernel},
        .stride = {1, l->stride, l->stride}, .dilation = {1, 1, 1},
        .pad = {0, pad, pad}, .image = l->kind == IMAGE};
    double flops = 2e-9 * (double)(n * l->m * out * out * l->kernel *
                                   l->kernel * l->c / l->group);
    graft_block_cut(&b.block_cut, g, n, false, k);
    graft_block_cut(&b.exact_cut, g, n, true, k);
    graft_conv_cut(&b.row_cut, g, n, k);
    int64_t in = rounded(l->c) * l->size * l->size;
    real *x = numbers(n * in), *y = numbers(n * rounded(l->m) * out * out);
    real *w = numbers((int64_t)(larger(b.row_cut.pack_bytes,
                                       larger(b.block_cut.pack_bytes,
                                              b.exact_cut.pack_bytes)) /
                                sizeof(real)));
    real *bias = numbers(rounded(l->m));
    real *add = l->kind == ADD ? numbers(n * rounded(l->m) * out * out) : NULL;
    struct graft_finish f = {.bias = bias, .residual = add,
                             .residual_step = rounded(l->m) * out * out,
                             .act = {GRAFT_ACT_RELU, 0, 0}};
    b.step = larger(b.row_cut.scratch, larger(b.block_cut.scratch,
                                              b.exact_cut.scratch));
    b.scratch = bytes(b.step * (size_t)graft_pool_threads(pool));
    b.shared = bytes(b.block_cut.shared);
    b.block = (struct graft_block_run){
        .g = g, .cut = &b.block_cut, .k = k, .n = n, .x = x, .x_step = in,
        .y = y, .y_step = rounded(l->m) * out * out, .w = w, .finish = f};
    b.row = (struct graft_conv_run){
        .g = g, .cut = &b.row_cut, .k = k, .n = n, .x = x,
        .x_step = l->c * l->size * l->size, .y = y,
        .y_step = l->m * out * out, .w = w, .finish = f};
    double row = flops / best_of(&b, run_row), exact = 0, block = 0;
    if (b.exact_cut.way) {
        b.block.cut = &b.exact_cut;
        exact = flops / best_of(&b, run_block);
    }
    if (b.block_cut.way == GRAFT_BLOCK_WINOGRAD) {
        b.block.cut = &b.block_cut;
        block = flops / best_of(&b, run_block);
    }
    printf("%-24s %7.1f  %-9s %7.1f %4.0f %%", l->name, row,
           ways[b.exact_cut.way], exact, 100 * exact / top);
    printf(block > 0 ? "  %-9s %7.1f\n" : "\n", ways[b.block_cut.way], block);
    graft_free(x);
    graft_free(y);
    graft_free(w);
    graft_free(bias);
    graft_free(add);
    graft_free(b.scratch);
    graft_free(b.shared);
}

/* GF/s of multiply-adds whose operands are in registers and L1. */
static double peak(const struct graft_kernels *k)
{
    enum { DEPTH = 256, TIMES = 5000 };
    int64_t width = k->block.width, rows = k->block.rows;
    real *x = numbers(rows * DEPTH), *w = numbers(width * DEPTH);
    real *y = numbers(rows * width);
    struct graft_block_piece piece = {0, 0, DEPTH};
    struct graft_block_tile t = {
        .rows = rows, .blocks = width / GRAFT_BLOCK, .x = x,
        .x_step = DEPTH, .piece = &piece, .pieces = 1, .w = w,
        .width = width, .y = y, .y_step = width, .y_block = GRAFT_BLOCK};
    double best = 0;
    for (int i = 0; i < 7; i++) {
        double from = now();
        for (int j = 0; j < TIMES; j++)
            k->block.tile(&t);
        double f = 2e-9 * (double)(rows * width * DEPTH) * TIMES /
                   (now() - from);
        best = f > best ? f : best;
    }
    graft_free(x);
    graft_free(w);
    graft_free(y);
    return best;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
    int64_t n = argc > 2 ? strtol(argv[2], NULL, 10) : 4;
    int most = (int)graft_runtime_or_default(NULL)->isa;
    int least = getenv("GRAFT_ISA") ? most : 0;
    struct graft_pool *pool;
    if (threads == 1)
        watch = CLOCK_PROCESS_CPUTIME_ID;
    if (graft_pool_new(&pool, threads))
        return 1;
    for (int isa = most; isa >= least; isa--) {
        const struct graft_kernels *k = graft_kernels_for(
            (enum graft_isa)isa);
        double top = peak(k) * threads;
        printf("\n%s, %d threads, %d images; a tile in L1 makes %.0f GF/s "
               "with all threads\n%-24s %7s  %-9s %7s\n", sets[isa], threads,
               (int)n, top, "GF/s", "row", "blocked", "");
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
            if (argc < 4 || strstr(layers[i].name, argv[3]))
                measure(&layers[i], n, pool, k, top);
    }
    graft_pool_free(pool);
    return 0;
}
