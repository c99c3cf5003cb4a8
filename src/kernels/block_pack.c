/* Weights rearranged into the panels that convolution over blocked channels
 * reads: [panel][k][width], k as the pieces of block_conv.c have it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/pool.h"
#include "kernels/kernels.h"
#include "tensor/view.h"

enum {
    PIECE = 256, /* weights converted at a time, at most */
    FEW = 128    /* of a channel */
};

struct job {
    real *dst;
    const struct graft_view *src;
    const real *scale;
    const struct graft_block_packing *packing;
};

struct graft_block_packing
graft_block_packing(const struct graft_conv *g,
                    const struct graft_block_cut *cut,
                    const struct graft_kernels *k)
{
    return (struct graft_block_packing){.g = *g, .cut = *cut, .isa = k->isa,
                                        .width = graft_block_width(g, k)};
}

/* ---- packing ------------------------------------------------------------- */

/* Where the weights of input channel `in` lie: row `first` for kernel element
 * 0, `step` rows apart. */
static void rows_of(const struct graft_conv *g,
                    const struct graft_block_panel *panel, int64_t taps,
                    int64_t in, int64_t *first, int64_t *step)
{
    int64_t from = in / GRAFT_BLOCK * GRAFT_BLOCK; /* its block: from .. end */
    int64_t end = from + GRAFT_BLOCK;
    if (from < panel->in_first)
        from = panel->in_first;
    if (end > panel->in_end)
        end = panel->in_end;
    *step = g->image ? g->c : end - from;
    *first = g->image ? in : (from - panel->in_first) * taps + in - from;
}

/* Input channels c .. c + n - 1 of its group of output channel o, at dst. */
static void pack_channels(const struct job *j, real *dst, int64_t width,
                          const struct graft_block_panel *panel, int64_t o,
                          int64_t c, int64_t n)
{
    const struct graft_conv *g = &j->packing->g;
    int64_t taps = g->kernel[1] * g->kernel[2], in_group = g->c / g->group;
    int64_t begin = o / (g->m / g->group) * in_group, row, step;
    real piece[PIECE];
    for (int64_t t = 0, some; t < taps; t += some) {
        some = taps - t < PIECE ? taps - t : PIECE;
        graft_block_read(piece, j->packing, j->src, j->scale, o,
                         c * taps + t, n * some);
        rows_of(g, panel, taps, begin + c, &row, &step);
        for (int64_t i = 0; taps == 1 && i < n; i++)
            dst[(row + i) * width] = piece[i];
        for (int64_t i = 0; taps > 1 && i < n; i++) {
            rows_of(g, panel, taps, begin + c + i, &row, &step);
            for (int64_t k = 0; k < some; k++)
                dst[(row + (t + k) * step) * width] = piece[i * some + k];
        }
    }
}

/* A panel of one group: rows of weights at once. */
static void pack_rows(const struct job *j, real *dst,
                      const struct graft_block_panel *panel, int64_t few)
{
    const struct graft_conv *g = &j->packing->g;
    const struct graft_block_reader r = {j->packing, j->src, j->scale};
    int64_t taps = g->kernel[1] * g->kernel[2], all = g->c / g->group;
    int64_t width = j->packing->width, kernel = graft_block_kernel(j->packing);
    int64_t tap[GRAFT_BLOCK_TAPS], row, step;
    real from[GRAFT_BLOCK_READ * GRAFT_BLOCK_WIDEST];
    graft_block_taps(j->packing, tap);
    for (int64_t c = 0; c < all; c += few) {
        int64_t n = all - c < few ? all - c : few;
        graft_block_read_panel(&r, panel, c, n, from);
        for (int64_t i = 0; i < n; i++) {
            rows_of(g, panel, taps, panel->in_first + c + i, &row, &step);
            for (int64_t t = 0; t < taps; t++)
                memcpy(dst + (row + t * step) * width,
                       from + (i * kernel + tap[t]) * width,
                       (size_t)width * sizeof *dst);
        }
    }
}

/* A few input channels of all outputs, then the next: what is written stays
 * in the cache meanwhile. */
static void pack_panel(void *ctx, int64_t index, int worker)
{
    const struct job *j = ctx;
    const struct graft_conv *g = &j->packing->g;
    const int64_t *d = j->packing->cut.detail;
    int64_t width = d[GRAFT_BLOCK_WIDTH], size = d[GRAFT_BLOCK_DEPTH] * width;
    int64_t taps = g->kernel[1] * g->kernel[2], all = g->c / g->group;
    int64_t few = taps < FEW ? FEW / taps : 1;
    int64_t kernel = graft_block_kernel(j->packing);
    bool single = d[GRAFT_BLOCK_DEPTH] == taps * all; /* group in a panel */
    struct graft_block_panel p = graft_block_panel(g, width, index);
    real *dst = j->dst + index * size;
    (void)worker;
    if (single && kernel <= GRAFT_BLOCK_TAPS) {
        pack_rows(j, dst, &p, kernel < FEW ? FEW / kernel : 1);
        return;
    }
    if (p.end - p.first < width || g->group > 1)
        memset(dst, 0, (size_t)size * sizeof *dst);
    for (int64_t c = 0; c < all; c += few)
        for (int64_t o = p.first; o < p.end; o++)
            pack_channels(j, dst + o - p.first, width, &p, o, c,
                          all - c < few ? all - c : few);
}

/* Task: a block, [tap][16]. */
static void pack_depthwise(void *ctx, int64_t index, int worker)
{
    const struct job *j = ctx;
    const struct graft_conv *g = &j->packing->g;
    int64_t taps = g->kernel[1] * g->kernel[2];
    real *dst = j->dst + index * taps * GRAFT_BLOCK;
    (void)worker;
    memset(dst, 0, (size_t)(taps * GRAFT_BLOCK) * sizeof *dst);
    for (int64_t i = 0; i < GRAFT_BLOCK; i++) {
        int64_t o = index * GRAFT_BLOCK + i;
        for (int64_t t = 0; t < taps && o < g->m; t++) {
            graft_block_read(dst + t * GRAFT_BLOCK + i, j->packing, j->src,
                             j->scale, o, t, 1);
        }
    }
}

void graft_block_pack(void *dst, const struct graft_view *src,
                      const real *scale, const void *packing,
                      struct graft_pool *pool)
{
    const struct graft_block_packing *p = packing;
    struct job j = {dst, src, scale, p};
    if (p->cut.way == GRAFT_BLOCK_WINOGRAD)
        graft_winograd_pack(dst, src, scale, p, pool);
    else if (p->cut.way == GRAFT_BLOCK_DEPTHWISE)
        graft_pool_for(pool, p->cut.out_blocks, pack_depthwise, &j);
    else
        graft_pool_for(pool, p->cut.detail[GRAFT_BLOCK_PANELS], pack_panel,
                       &j);
}
