/* Winograd: weights transformed and packed, [panel][set][input channel][width].
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/pool.h"
#include "kernels/kernels.h"
#include "tensor/view.h"

enum {
    WIDTH = 32,    /* most output channels of a panel */
    CHANNELS = 16, /* input channels of a task */
    PIECE = 256,   /* weights of an output channel read at once */
    PITCH = PIECE + 16, /* channels lie in cache sets of their own */
    SOME = 4,      /* channels transformed before they are written */
    FAR = 4 << 20, /* bytes of weights: more are written past the cache */
    SETS = GRAFT_WINOGRAD_SLOTS * GRAFT_WINOGRAD_SLOTS /* at most */
};

struct job {
    real *dst;
    const struct graft_view *src;
    const real *scale;
    const struct graft_block_packing *p;
    struct graft_winograd_plan plan;
    const struct graft_winograd_kernels *k;
    int64_t width, channels; /* of a panel: outputs, inputs */
    int64_t shares;          /* tasks of a panel */
};

/* Weights of input channels first .. first + n - 1 of this panel. */
static void read_piece(const struct job *j, int64_t panel, int64_t first,
                       int64_t n, real piece[WIDTH][PITCH])
{
    const struct graft_conv *g = &j->p->g;
    int64_t area = g->kernel[1] * g->kernel[2];
    struct graft_block_panel p = graft_block_panel(g, j->width, panel);
    for (int64_t o = 0; o < j->width; o++) {
        int64_t m = p.first + o;
        if (m < p.end)
            graft_block_read(piece[o], j->p, j->src, j->scale, m,
                             first * area, n * area);
        else
            memset(piece[o], 0, (size_t)(n * area) * sizeof(real));
    }
}

/* [tap of rows][of columns][width] of channel `c` of the piece; over depth,
 * of the pixel (row, column) among 2x2, zero beyond the kernel. */
static void gather(const struct job *j, const real piece[WIDTH][PITCH],
                   int64_t c, int64_t row, int64_t column, real *w)
{
    const struct graft_conv *g = &j->p->g;
    const struct graft_winograd_family *f = j->plan.axis[0].family;
    int64_t step = f->depth ? 2 : 1, width = j->width;
    const real *at = piece[0] + c * g->kernel[1] * g->kernel[2];
    for (int64_t a = 0; a < f->taps; a++)
        for (int64_t b = 0; b < f->taps; b++, w += width) {
            int64_t y = a * step + row, x = b * step + column;
            const real *from = at + y * g->kernel[2] + x;
            bool inside = y < g->kernel[1] && x < g->kernel[2];
            for (int64_t o = 0; inside && o < width; o++)
                w[o] = from[o * PITCH];
            for (int64_t o = 0; !inside && o < width; o++)
                w[o] = 0;
        }
}

static void panel_share(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    const struct graft_winograd_family *rows = j->plan.axis[0].family;
    const struct graft_winograd_family *columns = j->plan.axis[1].family;
    real piece[WIDTH][PITCH], u[SETS * SOME * WIDTH];
    real w[GRAFT_WINOGRAD_TAPS * GRAFT_WINOGRAD_TAPS * WIDTH];
    int64_t panel = i / j->shares, first = i % j->shares * CHANNELS;
    int64_t rest = j->channels - first, n = rest < CHANNELS ? rest : CHANNELS;
    int64_t pixels = rows->depth ? 4 : 1, depth = j->channels * pixels;
    int64_t width = j->width, sets = (int64_t)rows->sets * columns->sets;
    real *dst = j->dst + panel * sets * depth * width;
    (void)worker;
    read_piece(j, panel, first, n, piece);
    for (int64_t k = 0; k < pixels * n; k++) {
        int64_t q = k / n, c = k % n, at = c % SOME;
        gather(j, piece, c, q / 2, q % 2, w);
        j->k->weights(rows, columns, (int)width, w, u + at * width,
                      SOME * width);
        if (at == SOME - 1 || c == n - 1)
            j->k->spread(u, SOME * width,
                         dst + (q * j->channels + first + c - at) * width,
                         depth * width, sets, (at + 1) * width,
                         j->p->cut.pack_bytes > FAR);
    }
}

void graft_winograd_pack(void *dst, const struct graft_view *src,
                         const real *scale,
                         const struct graft_block_packing *packing,
                         struct graft_pool *pool)
{
    const struct graft_conv *g = &packing->g;
    struct job j = {dst, src, scale, packing,
                    graft_winograd_plan(&packing->cut),
                    graft_winograd_kernels(&packing->cut),
                    graft_block_width(g, graft_winograd_set(&packing->cut)),
                    g->c / g->group, 0};
    j.shares = (j.channels + CHANNELS - 1) / CHANNELS;
    graft_pool_for(pool, graft_block_panels(g, j.width) * j.shares,
                   panel_share, &j);
}
