/* Gradients of weights over blocked channels against plain loops in double:
 * directly, and by every family of Winograd's tiles; for each instruction set
 * of this machine, the same bits for any number of threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"
#include "kernels/block_back.h"
#include "kernels/kernels.h"
#include "test.h"

enum { BLOCK = GRAFT_BLOCK };

struct data {
    struct graft_conv g;
    int64_t n_max, n, x_step, dy_step, size; /* size: of dw */
    real *x, *dy, *dw;
    double *want;
};

static void *get(int64_t n, size_t size)
{
    void *p = graft_alloc_aligned((size_t)n * size);
    assert_non_null(p);
    memset(p, 0, (size_t)n * size);
    return p;
}

static int64_t padded(int64_t channels)
{
    return (channels + BLOCK - 1) / BLOCK * BLOCK;
}

static int64_t place(const struct graft_conv *g, bool of_x, int64_t c,
                     int64_t p)
{
    int64_t pixels = of_x ? g->in[1] * g->in[2] : g->out[1] * g->out[2];
    return of_x && g->image ? p * g->c + c
                            : (c / BLOCK * pixels + p) * BLOCK + c % BLOCK;
}

static void fill(const struct data *d, bool of_x)
{
    const struct graft_conv *g = &d->g;
    int64_t pixels = of_x ? g->in[1] * g->in[2] : g->out[1] * g->out[2];
    int64_t channels = of_x ? g->c : g->m;
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < channels * pixels; k++) {
            real v = (real)(2 * graft_rng_unit(graft_rng_key(5 + of_x, 1),
                                               (uint64_t)(i * channels *
                                                          pixels + k)) - 1);
            int64_t at = place(g, of_x, k / pixels, k % pixels);
            if (of_x)
                d->x[i * d->x_step + at] = v;
            else
                d->dy[i * d->dy_step + at] = v;
        }
}

/* dw[o][c][a][b], image by image. */
static double plain(const struct data *d, int64_t o, int64_t c, int64_t a,
                    int64_t b)
{
    const struct graft_conv *g = &d->g;
    int64_t ch = o / (g->m / g->group) * (g->c / g->group) + c;
    double sum = 0;
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t p = 0; p < g->out[1] * g->out[2]; p++) {
            int64_t y = p / g->out[2] * g->stride[1] - g->pad[1] + a;
            int64_t x = p % g->out[2] * g->stride[2] - g->pad[2] + b;
            if (y < 0 || y >= g->in[1] || x < 0 || x >= g->in[2])
                continue;
            sum += (double)d->dy[i * d->dy_step + place(g, false, o, p)] *
                   (double)d->x[i * d->x_step +
                                place(g, true, ch, y * g->in[2] + x)];
        }
    return sum;
}

static struct data make(const struct graft_conv *g, int64_t n_max, int64_t n)
{
    struct data d = {.g = *g, .n_max = n_max, .n = n};
    int64_t taps = g->kernel[1] * g->kernel[2], each = g->c / g->group;
    d.x_step = g->in[1] * g->in[2] * (g->image ? g->c : padded(g->c)) + 16;
    d.dy_step = g->out[1] * g->out[2] * padded(g->m) + 32;
    d.size = g->m * each * taps;
    d.x = get(n_max * d.x_step, sizeof *d.x);
    d.dy = get(n_max * d.dy_step, sizeof *d.dy);
    d.dw = get(d.size, sizeof *d.dw);
    d.want = get(d.size, sizeof *d.want);
    fill(&d, true);
    fill(&d, false);
    for (int64_t i = 0; i < d.size; i++)
        d.want[i] = plain(&d, i / taps / each, i / taps % each,
                          i % taps / g->kernel[2], i % g->kernel[2]);
    return d;
}

static void drop(struct data *d)
{
    graft_free(d->x);
    graft_free(d->dy);
    graft_free(d->dw);
    graft_free(d->want);
}

static void run(const struct data *d, const struct graft_block_grad_cut *cut,
                const struct graft_kernels *k, int threads, bool add)
{
    struct graft_pool *pool = NULL;
    assert_ok(graft_pool_new(&pool, threads));
    size_t workers = cut->scratch * (size_t)threads;
    char *scratch = get((int64_t)workers + 64, 1);
    char *shared = get((int64_t)cut->shared, 1);
    memset(scratch, 0xff, workers); /* NaN */
    memset(shared, 0xff, cut->shared);
    for (int64_t i = 0; !add && i < d->size; i++)
        d->dw[i] = (real)NAN;
    struct graft_block_grad_run r = {
        .g = &d->g, .cut = cut, .k = k, .n = d->n, .n_max = d->n_max,
        .x = d->x, .dy = d->dy, .x_step = d->x_step, .dy_step = d->dy_step,
        .dw = d->dw, .add = add};
    graft_block_grad(&r, pool, scratch, cut->scratch, shared);
    graft_free(scratch);
    graft_free(shared);
    graft_pool_free(pool);
}

static void check(const struct data *d, double factor, const char *what)
{
    double error = 0, sum = 0;
    for (int64_t i = 0; i < d->size; i++) {
        double e = (double)d->dw[i] - factor * d->want[i];
        error += e * e;
        sum += factor * factor * d->want[i] * d->want[i];
    }
    double rms = sqrt(error / sum);
    if (!(rms < 5e-6))
        fail_msg("%s, %ld to %ld channels, %ld x %ld: rms error %g", what,
                 (long)d->g.c, (long)d->g.m, (long)d->g.in[1],
                 (long)d->g.in[2], rms);
}

static void check_cut(const struct data *d,
                      const struct graft_block_grad_cut *cut,
                      const struct graft_kernels *k, const char *what)
{
    run(d, cut, k, 1, false);
    check(d, 1, what);
    real *first = get(d->size, sizeof *first);
    memcpy(first, d->dw, (size_t)d->size * sizeof *first);
    for (int threads = 2; threads < 8; threads += threads == 3 ? 4 : 1) {
        run(d, cut, k, threads, false);
        assert_memory_equal(first, d->dw, (size_t)d->size * sizeof *first);
    }
    run(d, cut, k, 2, true);
    check(d, 2, what);
    graft_free(first);
}

/* {c, m, rows, columns, kernel, stride, pad, group, image} */
struct shape {
    int64_t c, m, h, w, k, s, p, group;
    bool image;
    const char *family;
};

static struct graft_conv geometry(const struct shape *s)
{
    return (struct graft_conv){
        .c = s->c, .m = s->m, .group = s->group, .in = {1, s->h, s->w},
        .out = {1, (s->h + 2 * s->p - s->k) / s->s + 1,
                (s->w + 2 * s->p - s->k) / s->s + 1},
        .kernel = {1, s->k, s->k}, .stride = {1, s->s, s->s},
        .dilation = {1, 1, 1}, .pad = {0, s->p, s->p}, .image = s->image};
}

static int best_isa(void)
{
    return (int)graft_runtime_or_default(NULL)->isa;
}

static void check_shape(const struct shape *s, int64_t n_max, int64_t n)
{
    struct graft_conv g = geometry(s);
    struct data d = make(&g, n_max, n);
    for (int isa = 0; isa <= best_isa(); isa++) {
        const struct graft_kernels *k = graft_kernels_for(
            (enum graft_isa)isa);
        struct graft_block_grad_cut cut;
        graft_block_grad_cut(&cut, &g, n_max, true, k);
        assert_false(cut.winograd);
        check_cut(&d, &cut, k, "directly");
        for (int64_t bands = 1; s->family && bands < 100; bands += 5) {
            struct graft_winograd_plan p = {
                {graft_winograd_tile_axis(s->family, g.out[1]),
                 graft_winograd_tile_axis(s->family, g.out[2])}, bands};
            assert_true(graft_winograd_grad_cut_as(&cut, &g, n_max, k, &p));
            check_cut(&d, &cut, k, s->family);
            bands = bands == 1 ? 2 : bands == 7 ? 90 : bands;
        }
    }
    drop(&d);
}

TEST(kernels_block_grad__every_family)
{
    static const struct shape shapes[] = {
        {16, 32, 9, 7, 3, 1, 1, 1, false, "2"},
        {17, 33, 14, 11, 3, 1, 1, 1, false, "4"},
        {40, 16, 7, 7, 3, 1, 0, 1, false, "4"},
        {32, 48, 14, 14, 3, 1, 1, 1, false, "5"},
        {16, 17, 28, 10, 3, 1, 1, 1, false, "6"},
        {19, 32, 14, 15, 3, 2, 1, 1, false, "4/2"},
        {3, 40, 23, 30, 7, 2, 3, 1, true, "stem"},
        {3, 40, 23, 30, 7, 2, 3, 1, true, "stem 5"},
        {2, 16, 8, 8, 7, 2, 2, 1, true, "stem"}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(&shapes[i], 3, 3);
    check_shape(&shapes[1], 5, 2); /* a smaller batch */
}

/* Channels transformed some at a time: the same bits as all at once. */
TEST(kernels_block_grad__some_channels_at_a_time)
{
    const struct shape s = {70, 90, 7, 10, 3, 1, 1, 1, false, "4"};
    const struct graft_conv g = geometry(&s);
    const struct graft_kernels *k =
        graft_kernels_for((enum graft_isa)best_isa());
    const struct graft_winograd_plan p = {
        {graft_winograd_tile_axis(s.family, g.out[1]),
         graft_winograd_tile_axis(s.family, g.out[2])}, 90};
    struct data d = make(&g, 3, 3);
    struct graft_block_grad_cut cut;
    assert_true(graft_winograd_grad_cut_as(&cut, &g, 3, k, &p));
    assert_true(cut.d_panels == cut.panels && cut.v_blocks >= 4);
    check_cut(&d, &cut, k, "as it is cut");
    real *all = get(d.size, sizeof *all);
    run(&d, &cut, k, 1, false);
    memcpy(all, d.dw, (size_t)d.size * sizeof *all);
    for (cut.d_panels = 1; cut.d_panels < 3; cut.d_panels++)
        for (cut.v_blocks = 1; cut.v_blocks < 5; cut.v_blocks += 2) {
            check_cut(&d, &cut, k, "some");
            run(&d, &cut, k, 2, false);
            assert_memory_equal(all, d.dw, (size_t)d.size * sizeof *all);
        }
    graft_free(all);
    drop(&d);
}

TEST(kernels_block_grad__other_shapes)
{
    static const struct shape shapes[] = {
        {16, 16, 5, 5, 1, 1, 0, 1, false, NULL},
        {48, 33, 8, 7, 1, 2, 0, 1, false, NULL},
        {32, 64, 9, 9, 3, 2, 1, 2, false, NULL},
        {24, 48, 6, 6, 3, 1, 1, 3, false, NULL},
        {35, 35, 9, 12, 3, 1, 1, 35, false, NULL},
        {16, 16, 12, 9, 5, 2, 2, 16, false, NULL},
        {3, 24, 12, 19, 3, 2, 1, 1, true, NULL},
        {5, 7, 10, 10, 5, 1, 2, 1, false, NULL},
        {70, 390, 20, 13, 1, 1, 0, 1, false, NULL},
        {150, 400, 12, 15, 1, 2, 0, 1, false, NULL}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(&shapes[i], 9, i % 2 ? 9 : 4);
}

/* Many panels: a task sums all images and writes what they come to. */
TEST(kernels_block_grad__a_task_writes_its_own_sums)
{
    const struct graft_kernels *k =
        graft_kernels_for((enum graft_isa)best_isa());
    const struct shape s[] = {{150, 400, 12, 15, 1, 2, 0, 1, false, NULL},
                              {5, 7, 10, 10, 5, 1, 2, 1, false, NULL}};
    for (int i = 0; i < 2; i++) {
        const struct graft_conv g = geometry(&s[i]);
        struct graft_block_grad_cut cut;
        graft_block_grad_cut(&cut, &g, 4, true, k);
        assert_int_equal(cut.parts > 1, i);
        assert_int_equal(cut.scratch > 0, !i);
        assert_int_equal(cut.shared > 0, i);
    }
}
