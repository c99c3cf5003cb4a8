/* Winograd convolution against plain loops in double: every family of tiles
 * over a grid of shapes, for each instruction set of this machine; the same
 * bits for any number of threads and any company in the batch.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"
#include "kernels/kernels.h"
#include "tensor/view.h"
#include "test.h"

enum { BLOCK = GRAFT_BLOCK };

struct data {
    struct graft_conv g;
    int64_t n, x_step, y_step;  /* a little more than an image */
    real *x, *w, *scale, *bias, *residual;
    double *z;                  /* sums of products, [n][m][pixels] */
};

static void *get(int64_t n, size_t size)
{
    void *p = graft_alloc_aligned((size_t)n * size);
    assert_non_null(p);
    return p;
}

/* About N(0, 1): a sum of twelve uniform numbers. */
static real normal(uint64_t seed, int64_t i)
{
    struct graft_rng_key key = graft_rng_key(seed, 7);
    double sum = -6;
    for (int j = 0; j < 12; j++)
        sum += graft_rng_unit(key, (uint64_t)(i * 12 + j));
    return (real)sum;
}

static int64_t blocks(int64_t channels)
{
    return (channels + BLOCK - 1) / BLOCK;
}

/* Place of channel c, pixel p in C16. */
static int64_t place(int64_t c, int64_t p, int64_t pixels)
{
    return (c / BLOCK * pixels + p) * BLOCK + c % BLOCK;
}

static real x_at(const struct data *d, int64_t i, int64_t c, int64_t p)
{
    const struct graft_conv *g = &d->g;
    return d->x[i * d->x_step + (g->image ? p * g->c + c :
                                 place(c, p, g->in[1] * g->in[2]))];
}

/* One plane of sums of products, a tap at a time. */
static void plane(const struct data *d, int64_t i, int64_t o, double *z)
{
    const struct graft_conv *g = &d->g;
    int64_t channels = g->c / g->group, s = g->stride[1];
    int64_t first = o / (g->m / g->group) * channels;
    const real *w = d->w + o * channels * g->kernel[1] * g->kernel[2];
    memset(z, 0, (size_t)(g->out[1] * g->out[2]) * sizeof *z);
    for (int64_t c = first; c < first + channels; c++)
        for (int64_t a = 0; a < g->kernel[1]; a++)
            for (int64_t b = 0; b < g->kernel[2]; b++, w++)
                for (int64_t y = 0; y < g->out[1]; y++)
                    for (int64_t x = 0; x < g->out[2]; x++) {
                        int64_t p = y * s + a - g->pad[1];
                        int64_t q = x * s + b - g->pad[2];
                        if (p < 0 || p >= g->in[1] || q < 0 ||
                            q >= g->in[2])
                            continue;
                        z[y * g->out[2] + x] += (double)(*w * d->scale[o]) *
                            (double)x_at(d, i, c, p * g->in[2] + q);
                    }
}

/* Inputs max(0, N(0, 1)), weights of variance 2 / depth (He), half of it
 * where a residual is added. Lanes beyond the channels are zero. */
static void make(struct data *d, const struct graft_conv *g, int64_t n)
{
    int64_t pixels = g->in[1] * g->in[2], size = g->out[1] * g->out[2];
    int64_t lanes = g->image ? g->c : blocks(g->c) * BLOCK;
    int64_t depth = g->c / g->group * g->kernel[1] * g->kernel[2];
    int64_t m = blocks(g->m) * BLOCK;
    *d = (struct data){.g = *g, .n = n, .x_step = pixels * lanes + 48,
                       .y_step = size * m + 32};
    d->x = get(n * d->x_step, sizeof *d->x);
    memset(d->x, 0, (size_t)(n * d->x_step) * sizeof *d->x);
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < g->c; c++)
            for (int64_t p = 0; p < pixels; p++) {
                real v = normal(1, (i * g->c + c) * pixels + p);
                d->x[i * d->x_step + (g->image ? p * g->c + c :
                                      place(c, p, pixels))] = v > 0 ? v : 0;
            }
    d->w = get(g->m * depth, sizeof *d->w);
    for (int64_t i = 0; i < g->m * depth; i++)
        d->w[i] = normal(2, i) * (real)sqrt(2.0 / (double)depth);
    d->scale = get(m, sizeof *d->scale);
    d->bias = get(m, sizeof *d->bias);
    for (int64_t o = 0; o < m; o++) {
        d->scale[o] = o % 3 ? 1 : (real)0.75;
        d->bias[o] = o < g->m ? normal(3, o) / 4 : 0;
    }
    d->residual = get(n * d->y_step, sizeof *d->residual);
    for (int64_t i = 0; i < n * d->y_step; i++)
        d->residual[i] = i % d->y_step / size / BLOCK == g->m / BLOCK &&
                         i % BLOCK >= g->m % BLOCK ? 0 : normal(4, i) / 2;
    d->z = get(n * g->m * size, sizeof *d->z);
    for (int64_t i = 0; i < n * g->m; i++)
        plane(d, i / g->m, i % g->m, d->z + i * size);
}

static void drop(struct data *d)
{
    void *all[] = {d->x, d->w, d->scale, d->bias, d->residual, d->z};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        graft_free(all[i]);
}

/* Images first .. first + n - 1 by `plan` made for all. */
static void run(const struct data *d, const struct graft_kernels *k,
                const struct graft_winograd_plan *plan, real *y,
                int64_t first, int64_t n, int threads, bool full)
{
    const struct graft_conv *g = &d->g;
    struct graft_pool *pool = NULL;
    struct graft_block_cut cut;
    assert_ok(graft_pool_new(&pool, threads));
    assert_true(graft_winograd_cut_as(&cut, g, d->n, k, plan));
    struct graft_block_packing p = graft_block_packing(g, &cut, k);
    real *packed = get((int64_t)cut.pack_bytes, 1);
    memset(packed, 0xff, cut.pack_bytes); /* NaN */
    struct graft_view v = {d->w,
                           {2, {g->m, g->c / g->group * g->kernel[1] *
                                          g->kernel[2]}},
                           {.dtype = GRAFT_REAL}};
    graft_winograd_pack(packed, &v, d->scale, &p, pool);
    char *scratch = get((int64_t)cut.scratch * threads, 1);
    char *shared = get((int64_t)cut.shared, 1);
    memset(scratch, 0xff, cut.scratch * (size_t)threads);
    memset(shared, 0xff, cut.shared);
    for (int64_t i = 0; i < n * d->y_step; i++)
        y[i] = (real)NAN;
    struct graft_block_run r = {
        .g = g, .cut = &cut, .k = k, .n = n, .x = d->x + first * d->x_step,
        .x_step = d->x_step, .y = y, .y_step = d->y_step, .w = packed};
    if (full)
        r.finish = (struct graft_finish){
            .bias = d->bias, .residual = d->residual + first * d->y_step,
            .residual_step = d->y_step, .act = {GRAFT_ACT_SIGMOID, 0, 0}};
    graft_winograd_run(&r, pool, scratch, cut.scratch, shared);
    graft_free(shared);
    graft_free(scratch);
    graft_free(packed);
    graft_pool_free(pool);
}

/* rms of the error over rms of what is expected; whatever is no output stays
 * NaN, lanes beyond the last channel are zero. */
static double error_of(const struct data *d, const real *y, bool full,
                       const char *what)
{
    const struct graft_conv *g = &d->g;
    int64_t size = g->out[1] * g->out[2], m = blocks(g->m) * BLOCK;
    double error = 0, sum = 0;
    for (int64_t i = 0; i < d->n; i++) {
        const real *image = y + i * d->y_step;
        for (int64_t o = 0; o < m; o++)
            for (int64_t p = 0; p < size; p++) {
                int64_t at = place(o, p, size);
                double z = 0;
                if (o < g->m)
                    z = d->z[(i * g->m + o) * size + p];
                if (full && o < g->m) {
                    z += (double)d->bias[o] +
                         (double)d->residual[i * d->y_step + at];
                    z = 1 / (1 + exp(-z));
                }
                if (o >= g->m ? image[at] != 0 : isnan(image[at]))
                    fail_msg("%s: image %ld, channel %ld, pixel %ld is %g, "
                             "expected %g", what, (long)i, (long)o, (long)p,
                             (double)image[at], z);
                error += (z - (double)image[at]) * (z - (double)image[at]);
                sum += z * z;
            }
        for (int64_t p = size * m; p < d->y_step; p++)
            assert_true(isnan(image[p]));
    }
    return sqrt(error / (sum > 0 ? sum : 1));
}

static int best_isa(void)
{
    struct graft_runtime *rt = graft_runtime_or_default(NULL);
    assert_non_null(rt);
    return (int)rt->isa;
}

static void check(const struct data *d, const char *rows, const char *columns,
                  int64_t bands)
{
    const double bound = sizeof(real) == sizeof(double) ? 1e-13 : 5e-6;
    const struct graft_conv *g = &d->g;
    struct graft_winograd_plan plan = {
        {graft_winograd_tile_axis(rows, g->out[1]),
         graft_winograd_tile_axis(columns, g->out[2])}, bands};
    real *y = get(d->n * d->y_step, sizeof *y);
    real *other = get(d->n * d->y_step, sizeof *other);
    size_t image = (size_t)d->y_step * sizeof *y;
    for (int isa = 0; isa <= best_isa(); isa++) {
        const struct graft_kernels *k = graft_kernels_for(
            (enum graft_isa)isa);
        char what[200];
        snprintf(what, sizeof what, "isa %d, %ldx[%ld,%ld,%ld] -> [%ld,%ld,"
                 "%ld], pad %ld,%ld, tiles %s,%s, %ld bands", isa,
                 (long)d->n, (long)g->c, (long)g->in[1], (long)g->in[2],
                 (long)g->m, (long)g->out[1], (long)g->out[2],
                 (long)g->pad[1], (long)g->pad[2], rows, columns,
                 (long)bands);
        for (int full = 0; full <= 1; full++) {
            run(d, k, &plan, y, 0, d->n, 1 + full, full);
            double error = error_of(d, y, full, what);
            if (!(error <= bound))
                fail_msg("%s: rms relative error %.2g", what, error);
        }
        for (int threads = 3; threads <= 7; threads += 4) {
            run(d, k, &plan, other, 0, d->n, threads, true);
            assert_memory_equal(y, other, (size_t)d->n * image);
        }
        run(d, k, &plan, other, d->n - 1, 1, 1, true); /* alone */
        assert_memory_equal(y + (d->n - 1) * d->y_step, other, image);
    }
    graft_free(other);
    graft_free(y);
}

/* Output sizes from padding at both ends. */
static struct graft_conv conv(int64_t c, int64_t m, int64_t h, int64_t w,
                              int64_t kernel, int64_t stride, int64_t pad,
                              int64_t end)
{
    return (struct graft_conv){
        .c = c, .m = m, .group = 1, .in = {1, h, w},
        .out = {1, (h + pad + end - kernel) / stride + 1,
                (w + pad + end - kernel) / stride + 1},
        .kernel = {1, kernel, kernel}, .stride = {1, stride, stride},
        .dilation = {1, 1, 1}, .pad = {0, pad, pad}};
}

static const char *const families[] = {"2", "4", "5", "6"};

static void all_families(int64_t n, int64_t c, int64_t m, int64_t h,
                         int64_t w, int64_t pad, int64_t end)
{
    struct graft_conv g = conv(c, m, h, w, 3, 1, pad, end);
    struct data d;
    make(&d, &g, n);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        check(&d, families[i], families[i], 1 + 3 * (int64_t)i);
    drop(&d);
}

TEST(kernels_winograd__tiles_cover_maps_of_any_size)
{
    for (int64_t size = 3; size <= 19; size++)
        all_families(2, 16, 16, size, 22 - size, 1, 1);
}

TEST(kernels_winograd__channels)
{
    all_families(1, 24, 48, 9, 8, 1, 1);
    all_families(2, 48, 24, 6, 7, 1, 1);
    all_families(5, 32, 96, 5, 5, 1, 1);
    all_families(2, 96, 64, 7, 7, 1, 1);
    all_families(1, 64, 128, 4, 10, 1, 1);
    all_families(1, 1, 1, 7, 7, 1, 1);
    all_families(3, 32, 272, 6, 6, 1, 1); /* panels shared out */
    all_families(2, 17, 37, 7, 6, 1, 1);
}

TEST(kernels_winograd__pads)
{
    for (int64_t pad = 0; pad <= 3; pad++)
        for (int64_t end = 0; end <= 2; end++)
            all_families(1, 20, 16, 7, 9, pad, end);
}

TEST(kernels_winograd__maps_of_networks)
{
    all_families(2, 64, 64, 14, 14, 1, 1);
    all_families(5, 128, 32, 7, 7, 1, 1);
    all_families(1, 16, 32, 28, 28, 1, 1);
    all_families(1, 16, 16, 57, 56, 1, 1);
    all_families(1, 16, 16, 3, 150, 1, 1); /* columns in several chunks */
}

TEST(kernels_winograd__families_differ_between_axes)
{
    struct graft_conv g = conv(32, 32, 7, 14, 3, 1, 1, 1);
    struct data d;
    make(&d, &g, 3);
    check(&d, "4", "5", 2);
    check(&d, "6", "2", 9);
    drop(&d);
}

TEST(kernels_winograd__stride_two)
{
    for (int64_t size = 3; size <= 17; size++)
        for (int64_t pad = 0; pad <= 1; pad++) {
            struct graft_conv g = conv(24, 40, size, 21 - size, 3, 2, pad,
                                       1);
            struct data d;
            make(&d, &g, 2);
            check(&d, "4/2", "4/2", 1 + size % 3);
            drop(&d);
        }
}

/* Groups of whole blocks: of one, of several, more out than in; panels that
 * end inside a group's width. */
TEST(kernels_winograd__groups)
{
    static const int64_t shapes[][6] = {
        /* images, group, in and out channels of a group, height, width */
        {3, 2, 16, 16, 14, 14}, {5, 3, 16, 16, 7, 7}, {1, 2, 32, 32, 9, 8},
        {2, 2, 16, 48, 6, 11},  {2, 3, 48, 16, 5, 7}, {9, 2, 16, 16, 3, 3}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int64_t stride = 1; stride <= 2; stride++) {
            const int64_t *s = shapes[i];
            struct graft_conv g = conv(s[1] * s[2], s[1] * s[3], s[4], s[5],
                                       3, stride, 1, 1);
            struct data d;
            g.group = s[1];
            make(&d, &g, s[0]);
            for (size_t f = 0; f < sizeof families / sizeof *families &&
                               stride == 1; f++)
                check(&d, families[f], families[f], 1 + 5 * (int64_t)f);
            if (stride == 2)
                check(&d, "4/2", "4/2", 3);
            drop(&d);
        }
}

TEST(kernels_winograd__stem)
{
    for (int64_t size = 7; size <= 40; size += 11)
        for (int64_t channels = 1; channels <= 4; channels++) {
            struct graft_conv g = conv(channels, 40, size, 47 - size, 7, 2,
                                       3, size % 4);
            g.image = true;
            struct data d;
            make(&d, &g, 2);
            check(&d, "stem", "stem", channels);
            check(&d, "stem 5", "stem 5", channels);
            check(&d, "stem", "stem 5", 3);
            drop(&d);
        }
}
