/* Winograd: weights transformed and packed, [panel][set][input channel][width];
 * late ones as they are, [panel][input channel][tap][width].
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/pool.h"
#include "kernels/kernels.h"
#include "tensor/view.h"

enum {
    WIDTH = GRAFT_BLOCK_WIDEST,
    CHANNELS = 16, /* input channels read at once, at most */
    TASKS = 64,    /* enough to share out */
    SOME = 4,      /* channels transformed before they are written */
    SETS = GRAFT_WINOGRAD_SLOTS * GRAFT_WINOGRAD_SLOTS, /* at most */
    USED = GRAFT_WINOGRAD_TAPS * GRAFT_WINOGRAD_TAPS
};

struct job {
    real *dst;
    const struct graft_view *src;
    const real *scale;
    const struct graft_block_packing *p;
    struct graft_winograd_plan plan;
    const struct graft_kernels *k;
    int64_t width, channels; /* of a panel: outputs, inputs */
    int64_t kernel;          /* weights of an input channel in src */
    int64_t depth;           /* summands of a product */
    int64_t at_once, share;  /* channels: read at once, of a task */
    int64_t shares;          /* tasks of a panel */
};

/* ---- taps ---------------------------------------------------------------- */

/* Where the taps of the transform lie in a kernel; over depth, those of pixel
 * (row, column) among 2x2, and -1 beyond the kernel. */
static void find_taps(const struct job *j, int64_t row, int64_t column,
                      int64_t at[USED])
{
    const struct graft_winograd_family *f = j->plan.axis[0].family;
    const int64_t *size = j->p->g.kernel + 1, step = f->depth ? 2 : 1;
    int64_t tap[GRAFT_BLOCK_TAPS];
    graft_block_taps(j->p, tap);
    for (int64_t a = 0; a < f->taps; a++)
        for (int64_t b = 0; b < f->taps; b++) {
            int64_t y = a * step + row, x = b * step + column;
            bool inside = y < size[0] && x < size[1];
            at[a * f->taps + b] = inside ? tap[y * size[1] + x] : -1;
        }
}

/* [tap][width] of the channel whose kernel is at `from`: there, or in w. */
static const real *taps_of(const struct job *j, const real *from,
                           const int64_t at[USED], real *w)
{
    const struct graft_winograd_family *f = j->plan.axis[0].family;
    const int64_t n = f->taps * f->taps, width = j->width;
    size_t bytes = (size_t)width * sizeof *w;
    bool in_order = true;
    for (int64_t t = 0; t < n; t++)
        in_order = in_order && at[t] == t;
    if (in_order)
        return from;
    for (int64_t t = 0; t < n; t++) {
        if (at[t] >= 0)
            memcpy(w + t * width, from + at[t] * width, bytes);
        else
            memset(w + t * width, 0, bytes);
    }
    return w;
}

/* ---- packing ------------------------------------------------------------- */

/* n channels of a panel, from channel `first` of its depth on; the kernel of
 * each is at `from`. */
static void transform(const struct job *j, int64_t panel, int64_t first,
                      int64_t n, const real *from, const int64_t at[USED])
{
    const struct graft_winograd_family *rows = j->plan.axis[0].family;
    const struct graft_winograd_family *columns = j->plan.axis[1].family;
    const struct graft_winograd_kernels *k = &j->k->winograd;
    real w[USED * WIDTH], u[SETS * SOME * WIDTH];
    int64_t width = j->width, sets = (int64_t)rows->sets * columns->sets;
    int64_t each = rows->taps * columns->taps * width;
    bool far = j->p->cut.pack_bytes > GRAFT_WINOGRAD_FAR;
    for (int64_t c = 0; c < n; c++, from += j->kernel * width) {
        const real *taps = taps_of(j, from, at, w);
        int64_t slot = c % SOME;
        if (j->p->cut.late) {
            real *to = j->dst + (panel * j->depth + first + c) * each;
            k->spread(taps, each, to, each, 1, each, far);
            continue;
        }
        k->weights(rows, columns, (int)width, taps, u + slot * width,
                   SOME * width);
        if (slot == SOME - 1 || c == n - 1)
            k->spread(u, SOME * width,
                      j->dst + (panel * sets * j->depth + first + c - slot) *
                                   width,
                      j->depth * width, sets, (slot + 1) * width, far);
    }
}

/* Input channels first .. first + n - 1 of a panel; over depth they are
 * channels for each pixel of 2x2. */
static void pack_channels(const struct job *j, int64_t index, int64_t first,
                          int64_t n)
{
    struct graft_block_panel panel = graft_block_panel(&j->p->g, j->width,
                                                       index);
    const struct graft_block_reader r = {j->p, j->src, j->scale};
    real from[GRAFT_BLOCK_READ * WIDTH];
    int64_t at[USED];
    graft_block_read_panel(&r, &panel, first, n, from);
    for (int64_t q = 0; q < j->depth / j->channels; q++) {
        find_taps(j, q / 2, q % 2, at);
        transform(j, index, q * j->channels + first, n, from, at);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void panel_share(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    int64_t first = i % j->shares * j->share;
    int64_t end = least(first + j->share, j->channels);
    (void)worker;
    for (; first < end; first += j->at_once)
        pack_channels(j, i / j->shares, first,
                      least(j->at_once, end - first));
}

void graft_winograd_pack(void *dst, const struct graft_view *src,
                         const real *scale,
                         const struct graft_block_packing *packing,
                         struct graft_pool *pool)
{
    const struct graft_conv *g = &packing->g;
    const struct graft_kernels *k = graft_winograd_set(&packing->cut);
    struct job j = {.dst = dst, .src = src, .scale = scale, .p = packing,
                    .plan = graft_winograd_plan(&packing->cut), .k = k,
                    .width = packing->width,
                    .channels = g->c / g->group,
                    .kernel = graft_block_kernel(packing)};
    int64_t panels = graft_block_panels(g, j.width);
    j.depth = j.channels * (j.plan.axis[0].family->depth ? 4 : 1);
    j.at_once = least(CHANNELS, GRAFT_BLOCK_READ / j.kernel);
    int64_t pieces = (j.channels + j.at_once - 1) / j.at_once;
    int64_t wanted = least(pieces, (TASKS + panels - 1) / panels);
    j.share = (pieces + wanted - 1) / wanted * j.at_once;
    j.shares = (j.channels + j.share - 1) / j.share;
    graft_pool_for(pool, panels * j.shares, panel_share, &j);
}
