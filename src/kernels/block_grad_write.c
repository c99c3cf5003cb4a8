/* Gradients of weights from the panels' layout to ONNX's (block_back.h):
 * turned in registers, some elements of the kernel at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/block_back.h"
#include "kernels/kernels.h"

enum {
    WIDTH = GRAFT_BLOCK_WIDEST,
    ROWS = 144, /* turned at a time: 9 elements of a block */
    STEP = ROWS + GRAFT_TURN_GAP
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t graft_block_grad_lanes(const struct graft_conv *g,
                               const struct graft_block_grad_cut *cut)
{
    return cut->depthwise ? 1 : g->image ? g->c : GRAFT_BLOCK;
}

void graft_block_grad_row(real *restrict dw, const real *restrict row,
                          int64_t n, bool add)
{
    if (!add)
        memcpy(dw, row, (size_t)n * sizeof *dw);
    for (int64_t k = 0; add && k < n; k++)
        dw[k] += row[k];
}

/* What parts come to, in order. */
static const real *add_parts(const struct graft_block_grad_cut *c,
                             const real *sums, int64_t part, int64_t rows,
                             real *all)
{
    if (c->parts == 1)
        return sums;
    memcpy(all, sums, (size_t)(rows * c->width) * sizeof *all);
    for (int64_t p = 1; p < c->parts; p++) {
        sums += part;
        for (int64_t i = 0; i < rows * c->width; i++)
            all[i] += sums[i];
    }
    return all;
}

/* Elements t .. t + n - 1 of output m: row[n][lanes], the first lane is
 * channel `first` of the input. */
static void write_taps(const struct graft_block_grad_run *r, int64_t m,
                       int64_t first, int64_t lanes, int64_t t, int64_t n,
                       const real *row)
{
    const struct graft_conv *g = r->g;
    int64_t each = g->c / g->group, taps = g->kernel[1] * g->kernel[2];
    int64_t group = m / (g->m / g->group) * each;
    int64_t from = first < group ? group : first;
    int64_t end = least(first + lanes, group + each);
    if (from >= end)
        return; /* all of other groups */
    real *dw = r->dw + (m * each + from - group) * taps + t;
    row += from - first;
    if (taps == 1) {
        graft_block_grad_row(dw, row, end - from, r->add);
        return;
    }
    for (; from < end; from++, dw += taps, row++)
        for (int64_t i = 0; i < n; i++)
            dw[i] = row[i * lanes] + (r->add ? dw[i] : 0);
}

/* A piece of a panel's sums: blocks of input of one element of the kernel, or
 * elements of one block. */
struct piece {
    int64_t block, blocks, tap, taps;
};

static void write_piece(const struct graft_block_grad_run *r, int64_t panel,
                        const struct piece *e, const real *sums, int64_t part)
{
    const struct graft_conv *g = r->g;
    const struct graft_block_grad_cut *c = r->cut;
    struct graft_block_panel p = {.first = panel * GRAFT_BLOCK};
    int64_t lanes = e->blocks * graft_block_grad_lanes(g, c);
    int64_t rows = e->taps * lanes;
    real all[ROWS * WIDTH], turned[STEP * WIDTH];
    p.end = least(p.first + GRAFT_BLOCK, g->m);
    if (!c->depthwise)
        p = graft_block_panel(g, c->width, panel);
    sums = add_parts(c, sums, part, rows, all);
    r->k->turn(turned, STEP, sums, c->width, rows, c->width);
    int64_t in = (p.in_first / GRAFT_BLOCK + e->block) * GRAFT_BLOCK;
    for (int64_t m = p.first; m < p.end; m++)
        write_taps(r, m, c->depthwise ? m : in, lanes, e->tap, e->taps,
                   turned + (m - p.first) * STEP);
}

void graft_block_grad_write(const struct graft_block_grad_run *r,
                            int64_t panel, int64_t first, int64_t end,
                            const real *sums, int64_t part)
{
    const struct graft_block_grad_cut *c = r->cut;
    int64_t taps = r->g->kernel[1] * r->g->kernel[2];
    int64_t some = ROWS / graft_block_grad_lanes(r->g, c);
    int64_t blocks = taps == 1 ? some : 1;
    for (int64_t b = first; b < end; b += blocks)
        for (int64_t t = 0; t < taps; t += some) {
            struct piece e = {b, least(blocks, end - b), t,
                              least(some, taps - t)};
            write_piece(r, panel, &e, sums, part);
            sums += e.blocks * e.taps * graft_block_grad_lanes(r->g, c) *
                    c->width;
        }
}
