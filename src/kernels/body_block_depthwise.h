/* Depthwise convolution over blocked channels: lines of output by the strips
 * of body_block_strip.h, the ones at the borders by strips of their own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/body_block_strip.h"

/* The sliding strips that fit g, or NULL. */
static const struct block_slides *block_find_slides(const struct graft_conv *g)
{
    int64_t k = g->kernel[2], s = g->stride[2];
    if ((k != 3 && k != 5) || s > 2 || g->dilation[2] > 1)
        return NULL;
    return &block_slides[k == 5][s - 1];
}

static void block_strip_next(struct block_strip *p, int64_t n,
                             const struct graft_conv *g)
{
    p->at += n * g->stride[2];
    p->y += n * GRAFT_BLOCK;
    p->residual = p->residual ? p->residual + n * GRAFT_BLOCK : NULL;
}

/* Output columns w .. end-1, tap by tap. */
static void block_taps_lines(const struct graft_conv *g,
                             struct block_strip *p, int64_t w, int64_t end)
{
    p->strips = 1;
    for (int64_t n; w < end; w += n) {
        int64_t stop = w + BLOCK_COLUMNS < end ? w + BLOCK_COLUMNS : end;
        n = graft_block_span(g, 2, w, stop, &p->lo, &p->hi) - w;
        block_taps_fns[n](p);
        block_strip_next(p, n, g);
    }
}

/* The strip's function; p says what lies outside. */
static block_strip_fn *block_find_slide(const struct block_slides *f,
                                        int64_t k, int64_t n, int64_t columns,
                                        const struct block_strip *p)
{
    int64_t over = columns > p->hi ? columns - p->hi : 0;
    bool same = (p->lo == 0 || p->lo == k / 2) &&
                (over == 0 || over == k / 2);
    if (n < BLOCK_COLUMNS - 1 || !same)
        return f->any[n];
    return f->same[(p->lo ? BLOCK_LEFT : 0) + (over ? BLOCK_RIGHT : 0)]
                  [n == BLOCK_COLUMNS];
}

static void block_slide_lines(const struct block_slides *f,
                              const struct graft_conv *g,
                              struct block_strip *p)
{
    int64_t k = g->kernel[2], s = g->stride[2];
    /* 7, 14 and 28 columns are sevens */
    int64_t most = g->out[2] % 7 || g->out[2] > 28 ? BLOCK_COLUMNS : 7;
    for (int64_t w = 0, n; w < g->out[2]; w += n) {
        int64_t left = g->out[2] - w;
        n = left < most ? left : most;
        int64_t columns = (n - 1) * s + k;
        p->lo = p->at < 0 ? -p->at : 0;
        p->hi = p->in - p->at;
        p->strips = 1;
        if (p->lo >= k || p->hi + k <= columns) {
            block_taps_lines(g, p, w, w + n);
            continue;
        }
        if (n == most && !p->lo && p->hi >= columns) {
            int64_t fit = (p->hi - columns) / (n * s) + 1;
            p->strips = left / n < fit ? left / n : fit;
        }
        block_find_slide(f, k, n, columns, p)(p);
        n *= p->strips;
        block_strip_next(p, n, g);
    }
}

/* Rows first .. end-1 of a block: y, residual and x are its row 0. Lines
 * that share kernel rows go together, as many as stay in L1. */
static void block_depthwise_rows(const struct graft_conv *g,
                                 const struct block_strip *block,
                                 int64_t first, int64_t end)
{
    const struct block_slides *slides = block_find_slides(g);
    int64_t in_row = g->in[2] * GRAFT_BLOCK;
    int64_t most = BLOCK_L1 / (in_row * g->stride[1]);
    for (int64_t h = first, lo, hi; h < end;) {
        struct block_strip p = *block;
        int64_t stop = most > 1 && h + most < end ? h + most
                       : most > 1                 ? end
                                                  : h + 1;
        p.lines = graft_block_span(g, 1, h, stop, &lo, &hi) - h;
        p.rows = hi - lo;
        if (lo < hi)
            p.x += (h * g->stride[1] - g->pad[1] + lo * g->dilation[1]) *
                   in_row;
        p.w += lo * p.w_row;
        p.y += h * p.y_line;
        p.residual = p.residual ? p.residual + h * p.y_line : NULL;
        p.at = -g->pad[2];
        if (slides)
            block_slide_lines(slides, g, &p);
        else
            block_taps_lines(g, &p, 0, g->out[2]);
        h += p.lines;
    }
}

static void block_depthwise(const struct graft_block_run *r, int64_t image,
                            int64_t block, int64_t row, int64_t end)
{
    const struct graft_conv *g = r->g;
    const struct graft_finish *f = &r->finish;
    int64_t in_row = g->in[2] * GRAFT_BLOCK, out_row = g->out[2] * GRAFT_BLOCK;
    int64_t left = g->m - block * GRAFT_BLOCK;
    int64_t to = block * g->out[1] * out_row;
    struct block_strip p = {
        .x = r->x + image * r->x_step + block * g->in[1] * in_row,
        .x_line = g->stride[1] * in_row, .x_row = g->dilation[1] * in_row,
        .x_tap = g->dilation[2] * GRAFT_BLOCK,
        .x_step = g->stride[2] * GRAFT_BLOCK, .in = g->in[2],
        .w = r->w + block * g->kernel[1] * g->kernel[2] * GRAFT_BLOCK,
        .w_row = g->kernel[2] * GRAFT_BLOCK,
        .bias = f->bias ? f->bias + block * GRAFT_BLOCK : NULL,
        .y = r->y + image * r->y_step + to, .y_line = out_row,
        .act = &f->act, .lanes = left < GRAFT_BLOCK ? left : GRAFT_BLOCK};
    if (f->residual)
        p.residual = f->residual + image * f->residual_step + to;
    block_depthwise_rows(g, &p, row, end);
}
