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
    return (struct graft_block_packing){.g = *g, .cut = *cut,
                                        .width = k->block.width};
}

/* ---- reading ------------------------------------------------------------- */

/* Where the elements of a turned kernel lie in the other one's. */
static void turned_taps(const struct graft_block_packing *p,
                        int64_t tap[GRAFT_BLOCK_TAPS])
{
    const struct graft_block_turned *t = &p->turned;
    const int64_t *count = p->g.kernel + 1;
    for (int64_t a = 0; a < count[0]; a++)
        for (int64_t b = 0; b < count[1]; b++)
            tap[a * count[1] + b] =
                (t->first[0] + (count[0] - 1 - a) * t->step[0]) *
                    t->kernel[1] +
                t->first[1] + (count[1] - 1 - b) * t->step[1];
}

static void read_taps(real *restrict dst, const real *restrict w,
                      const int64_t *restrict tap, int64_t n, real factor)
{
    for (int64_t i = 0; i < n; i++)
        dst[i] = w[tap[i]] * factor;
}

/* From behind: o is the other convolution's input channel. */
static void read_turned(real *dst, const struct graft_block_packing *p,
                        const struct graft_view *src, const real *scale,
                        int64_t o, int64_t first, int64_t n)
{
    const struct graft_block_turned *t = &p->turned;
    int64_t taps = p->g.kernel[1] * p->g.kernel[2], each = t->c / t->group;
    int64_t m = o / each * (t->m / t->group) + first / taps;
    int64_t kernel = t->kernel[0] * t->kernel[1], tap[GRAFT_BLOCK_TAPS];
    bool near = src->fmt.dtype == GRAFT_REAL &&
                (uintptr_t)src->data % sizeof(real) == 0;
    turned_taps(p, tap);
    for (int64_t i = 0, k = first % taps, some; i < n; i += some, k = 0, m++) {
        int64_t at = (m * each + o % each) * kernel;
        real factor = scale ? scale[m] : 1;
        some = taps - k < n - i ? taps - k : n - i;
        if (near)
            read_taps(dst + i, graft_reals(src) + at, tap + k, some, factor);
        for (int64_t l = 0; !near && l < some; l++) {
            graft_view_read(src, at + tap[k + l], 1, dst + i + l);
            dst[i + l] *= factor;
        }
    }
}

void graft_block_read(real *dst, const struct graft_block_packing *p,
                      const struct graft_view *src, const real *scale,
                      int64_t o, int64_t first, int64_t n)
{
    int64_t depth = p->g.c / p->g.group * p->g.kernel[1] * p->g.kernel[2];
    if (p->turned.is) {
        read_turned(dst, p, src, scale, o, first, n);
        return;
    }
    graft_view_read(src, o * depth + first, n, dst);
    for (int64_t i = 0; scale && i < n; i++)
        dst[i] *= scale[o];
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
    struct graft_block_panel p = graft_block_panel(g, width, index);
    real *dst = j->dst + index * size;
    (void)worker;
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
