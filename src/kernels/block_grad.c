/* Gradients of weights over blocked channels (block_back.h): each task sums,
 * for one panel of output channels, some blocks of input and one range of
 * images, band by band of pixels that stay in the cache while all kernel
 * elements meet them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "kernels/block_back.h"
#include "kernels/kernels.h"

enum { MOST_ROWS = 16 }; /* numbers of x of an outer product */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t taps_of(const struct graft_conv *g)
{
    return g->kernel[1] * g->kernel[2];
}

/* ---- one task ------------------------------------------------------------ */

struct job {
    const struct graft_block_grad_run *r;
    void *scratch;   /* one part: a task's sums, [block][row][width] */
    size_t step;
    real *sums;      /* several: those of [part][panel][share] */
};

/* Those of a share of a part. */
static real *sums_of(const struct job *j, int64_t part, int64_t panel,
                     int64_t share)
{
    const struct graft_block_grad_cut *c = j->r->cut;
    return j->sums + ((part * c->panels + panel) * c->shares + share) *
                         c->share * c->rows * c->width;
}

/* Output positions along axis i whose kernel element k lies inside, among
 * first .. end - 1. */
struct range {
    int64_t first, end;
};

static struct range inside(const struct graft_conv *g, int i, int64_t k,
                           struct range o)
{
    int64_t s = g->stride[i], from = g->pad[i] - k * g->dilation[i];
    int64_t first = from > 0 ? ceil_div(from, s) : 0; /* o s - from >= 0 */
    int64_t last = g->in[i] - 1 + from;               /* o s <= last */
    int64_t end = last < 0 ? 0 : last / s + 1;
    if (o.first < first)
        o.first = first;
    if (o.end > end)
        o.end = end;
    return o;
}

/* A band of images and rows of output, and how far the next one is. */
struct band {
    struct range image, line;
    int64_t x_next, dy_next;
};

/* dy's first pixel of kernel element (a, columns) in the band, x's under it.
 * False: nothing of it lies inside. */
static bool place(const struct job *j, const struct band *b, int64_t a,
                  int64_t tap, struct range columns, int64_t x_lanes,
                  const real *x, const real *dy, struct graft_block_outer *o)
{
    const struct graft_block_grad_run *r = j->r;
    const struct graft_conv *g = r->g;
    struct range rows = inside(g, 1, a, b->line);
    o->images = b->image.end - b->image.first;
    o->rows = rows.end - rows.first;
    o->columns = columns.end - columns.first;
    if (o->rows <= 0 || o->columns <= 0)
        return false;
    int64_t line = g->in[2] * x_lanes;
    int64_t y = rows.first * g->stride[1] - g->pad[1] + a * g->dilation[1];
    int64_t at = columns.first * g->stride[2] - g->pad[2] +
                 tap * g->dilation[2];
    o->x = x + b->image.first * r->x_step + y * line + at * x_lanes;
    o->x_image = r->x_step;
    o->x_row = g->stride[1] * line;
    o->x_column = g->stride[2] * x_lanes;
    o->x_tap = g->dilation[2] * x_lanes;
    o->dy = dy + b->image.first * r->dy_step +
            (rows.first * g->out[2] + columns.first) * GRAFT_BLOCK;
    o->dy_image = r->dy_step;
    o->dy_row = g->out[2] * GRAFT_BLOCK;
    o->dy_column = GRAFT_BLOCK;
    o->dy_block = g->out[1] * o->dy_row;
    return true;
}

/* Kernel row a of what reads contiguous elements (IMAGE: pixels; depthwise:
 * rows of the kernel): columns that see all of it together, others element by
 * element. `each`: numbers of x of an element; n: most at a time. */
static void row_of_taps(const struct job *j, const struct band *b, int64_t a,
                        int64_t lanes, int64_t each, const real *x,
                        const real *dy, real *sum,
                        struct graft_block_outer *o)
{
    const struct graft_block_kernels *k = &j->r->k->block;
    const struct graft_conv *g = j->r->g;
    struct range all = {0, g->out[2]};
    struct range left = inside(g, 2, 0, all);
    struct range whole = inside(g, 2, g->kernel[2] - 1, left);
    bool image = g->image, apart = image && g->dilation[2] > 1;
    void (*run)(const struct graft_block_outer *) =
        image ? k->outer : k->outer_depthwise;
    if (whole.end < whole.first || apart)
        whole.end = whole.first = 0;
    int64_t numbers = image ? g->kernel[2] * g->c : g->kernel[2];
    int64_t most = image ? MOST_ROWS : numbers;
    for (int64_t i = 0; i < numbers; i += most) {
        if (!place(j, b, a, 0, whole, lanes, x, dy, o))
            break;
        o->x += i;
        o->numbers = least(most, numbers - i);
        o->sum = sum + (a * numbers + i) * o->width;
        run(o);
    }
    for (int64_t t = 0; t < g->kernel[2]; t++) {
        struct range r = inside(g, 2, t, all), part[2] = {r, r};
        bool some = whole.end > whole.first;
        part[0].end = some ? least(r.end, whole.first) : r.end;
        part[1].first = some && r.first < whole.end ? whole.end : r.first;
        for (int i = 0; i < 1 + some; i++) {
            if (!place(j, b, a, t, part[i], lanes, x, dy, o))
                continue;
            o->numbers = each;
            o->sum = sum + (a * g->kernel[2] + t) * each * o->width;
            run(o);
        }
    }
}

/* All kernel elements of one block of input, `channels` of it. */
static void block_of_taps(const struct job *j, const struct band *b,
                          int64_t channels, const real *x, const real *dy,
                          real *sum, struct graft_block_outer *o)
{
    const struct graft_conv *g = j->r->g;
    for (int64_t t = 0; t < taps_of(g); t++) {
        struct range all = {0, g->out[2]};
        struct range columns = inside(g, 2, t % g->kernel[2], all);
        if (!place(j, b, t / g->kernel[2], t % g->kernel[2], columns,
                   GRAFT_BLOCK, x, dy, o))
            continue;
        o->numbers = channels;
        o->sum = sum + t * GRAFT_BLOCK * o->width;
        j->r->k->block.outer(o);
    }
}

static void panel_band(const struct job *j, const struct band *b,
                       int64_t index, int64_t share, real *sum)
{
    const struct graft_block_grad_run *r = j->r;
    const struct graft_conv *g = r->g;
    const struct graft_block_grad_cut *c = r->cut;
    int64_t plane = g->in[1] * g->in[2] * GRAFT_BLOCK;
    int64_t map = g->out[1] * g->out[2] * GRAFT_BLOCK;
    struct graft_block_outer o = {.width = c->width, .blocks = 1};
    if (c->depthwise) {
        for (int64_t a = 0; a < g->kernel[1]; a++)
            row_of_taps(j, b, a, GRAFT_BLOCK, 1, r->x + index * plane,
                        r->dy + index * map, sum, &o);
        return;
    }
    struct graft_block_panel p = graft_block_panel(g, c->width, index);
    const real *dy = r->dy + p.first / GRAFT_BLOCK * map;
    o.blocks = ceil_div(p.end - p.first, GRAFT_BLOCK);
    for (int64_t a = 0; g->image && a < g->kernel[1]; a++)
        row_of_taps(j, b, a, g->c, g->c, r->x, dy, sum, &o);
    int64_t first = p.in_first / GRAFT_BLOCK, i = share * c->share;
    int64_t end = least(i + c->share, graft_block_panel_blocks(&p));
    int64_t back = end - 1 - i;
    int64_t each = c->rows * c->width;
    for (; !g->image && i < end; i++, sum += each) {
        bool last = i + 1 == end;
        o.x_ahead = !last ? plane : b->x_next ? b->x_next - back * plane : 0;
        o.dy_ahead = last ? b->dy_next : 0;
        block_of_taps(j, b, least(GRAFT_BLOCK, g->c - (first + i) *
                                                          GRAFT_BLOCK),
                      r->x + (first + i) * plane, dy, sum, &o);
    }
}

/* Blocks of input of a share; depthwise and image: one. */
static void write_share(const struct job *j, int64_t panel, int64_t share,
                        const real *sum)
{
    const struct graft_block_grad_cut *c = j->r->cut;
    int64_t part = c->panels * c->shares * c->share * c->rows * c->width;
    int64_t blocks = 1, first = share * c->share;
    if (!c->depthwise && !j->r->g->image) {
        struct graft_block_panel p = graft_block_panel(j->r->g, c->width,
                                                       panel);
        blocks = graft_block_panel_blocks(&p);
    }
    graft_block_grad_write(j->r, panel, first, least(first + c->share, blocks),
                           sum, part);
}

/* Band `at` of the images of a range. */
static struct band band_at(const struct graft_block_grad_run *r,
                           struct range images, int64_t at)
{
    const struct graft_block_grad_cut *c = r->cut;
    int64_t per = ceil_div(r->g->out[1], c->lines);
    int64_t image = images.first + at / per * c->images;
    int64_t line = at % per * c->lines;
    return (struct band){
        .image = {image, least(image + c->images, images.end)},
        .line = {line, least(line + c->lines, r->g->out[1])}};
}

/* Panel and share, all bands of a range of images. */
static void sum_bands(const struct job *j, int64_t panel, int64_t share,
                      struct range images, real *sum)
{
    const struct graft_block_grad_run *r = j->r;
    const struct graft_conv *g = r->g;
    int64_t bands = ceil_div(images.end - images.first, r->cut->images) *
                    ceil_div(g->out[1], r->cut->lines);
    for (int64_t i = 0; i < bands; i++) {
        struct band b = band_at(r, images, i), next = b;
        if (i + 1 < bands)
            next = band_at(r, images, i + 1);
        int64_t skip = next.image.first - b.image.first;
        int64_t down = next.line.first - b.line.first;
        b.x_next = skip * r->x_step +
                   down * g->stride[1] * g->in[2] * GRAFT_BLOCK;
        b.dy_next = skip * r->dy_step + down * g->out[2] * GRAFT_BLOCK;
        panel_band(j, &b, panel, share, sum);
    }
}

static void sum_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct graft_block_grad_run *r = j->r;
    const struct graft_block_grad_cut *c = r->cut;
    int64_t share = task % c->shares, panel = task / c->shares % c->panels;
    int64_t part = task / c->shares / c->panels;
    int64_t per = ceil_div(r->n_max, c->parts);
    struct range images = {part * per, least((part + 1) * per, r->n)};
    real *sum = (real *)(void *)((char *)j->scratch +
                                 (size_t)worker * j->step);
    if (c->parts > 1)
        sum = sums_of(j, part, panel, share);
    memset(sum, 0, (size_t)(c->share * c->rows * c->width) * sizeof *sum);
    if (images.first < images.end)
        sum_bands(j, panel, share, images, sum);
    if (c->parts == 1)
        write_share(j, panel, share, sum);
}

static void write_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    int64_t panel = task / j->r->cut->shares;
    int64_t share = task % j->r->cut->shares;
    (void)worker;
    write_share(j, panel, share, sums_of(j, 0, panel, share));
}

void graft_block_grad(const struct graft_block_grad_run *r,
                      struct graft_pool *pool, void *scratch,
                      size_t scratch_step, void *shared)
{
    struct job j = {r, scratch, scratch_step, shared};
    const struct graft_block_grad_cut *c = r->cut;
    if (c->winograd) {
        graft_winograd_grad(r, pool, scratch, scratch_step, shared);
        return;
    }
    graft_pool_for(pool, c->parts * c->panels * c->shares, sum_task, &j);
    if (c->parts > 1)
        graft_pool_for(pool, c->panels * c->shares, write_task, &j);
}
