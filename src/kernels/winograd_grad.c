/* Winograd: gradients of weights. A block of bands goes through three steps
 * that all workers share: D from dy, V from x, and for each pair of a block of
 * input and a panel of output channels the products of their slots, summed
 * over tiles; the sums of the last block become gradients at once. Sums of all
 * pairs are many times what x and dy are where channels are many and maps are
 * small: there one block has all bands, a pair's sums never leave the cache,
 * and D and V are made of some of the channels at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "kernels/block_back.h"
#include "kernels/kernels.h"

/* Cycles, with vectors of 16 reals: of a pixel or tile in an outer product of
 * 16 by 32, of a slot's sums, of a slot of the input or output, of a set's
 * way to gradients. */
enum { OUTER = 16, SUMS = 120, TRANSFORM = 8, TAPS_OF = 140 };
enum {
    NEAR = 6 << 20,   /* bytes of V and D in a block of bands; */
    PANEL = 2 << 20,  /* all bands where a panel's D has no more, */
    GROUP = 11 << 20, /* then bytes of D at a time, */
    INPUTS = 4,       /* blocks of x in V, */
    PAIRS = 16,       /* but pairs enough to share out */
    SHARE = 4         /* blocks of channels in a task */
};
enum {
    WIDTH = GRAFT_BLOCK_WIDEST,
    USED = GRAFT_WINOGRAD_TAPS * GRAFT_WINOGRAD_TAPS,
    GAP = GRAFT_TURN_GAP
};

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static size_t padded(int64_t bytes)
{
    return (size_t)ceil_div(bytes, GRAFT_ALIGN) * GRAFT_ALIGN;
}

/* ---- the cut ------------------------------------------------------------- */

static int64_t axis_slots(const struct graft_winograd_axis *a)
{
    const enum graft_winograd_tile *tile = a->family->tile;
    return a->big * graft_winograd_slots[tile[0]] +
           a->small * graft_winograd_slots[tile[1]];
}

static int64_t all_slots(const struct graft_winograd_plan *p)
{
    return (int64_t)graft_winograd_slots[p->axis[0].family->tile[0]] *
           graft_winograd_slots[p->axis[1].family->tile[0]];
}

static int64_t sets_of(const struct graft_winograd_plan *p)
{
    return (int64_t)p->axis[0].family->sets * p->axis[1].family->sets;
}

static int64_t tiles_of(const struct graft_winograd_axis *a)
{
    return a->big + a->small;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t in_blocks(const struct graft_conv *g)
{
    return ceil_div(g->image ? 4 * g->c : g->c, GRAFT_BLOCK);
}

static int64_t pairs_of(const struct graft_block_grad_cut *c,
                        const struct graft_conv *g)
{
    return c->panels * in_blocks(g);
}

static bool pays(const struct graft_block_grad_cut *c,
                 const struct graft_conv *g, int64_t n_max,
                 const struct graft_winograd_plan *p)
{
    int64_t pairs = pairs_of(c, g), taps = g->kernel[1] * g->kernel[2];
    int64_t blocks = ceil_div(n_max * tiles_of(&p->axis[0]), p->bands);
    int64_t products = n_max * axis_slots(&p->axis[0]) *
                       axis_slots(&p->axis[1]);
    int64_t numbers = g->image ? g->c : GRAFT_BLOCK; /* of x, directly */
    double direct = (double)pairs * (double)(n_max * g->out[1] * g->out[2]) *
                    (double)(taps * OUTER * numbers) / GRAFT_BLOCK;
    double fast = (double)pairs * ((double)products * OUTER +
                                   (double)(all_slots(p) * blocks * SUMS) +
                                   (double)(sets_of(p) * TAPS_OF)) +
                  (double)products * TRANSFORM *
                      (double)(ceil_div(g->c, GRAFT_BLOCK) +
                               ceil_div(g->m, GRAFT_BLOCK));
    return fast < direct;
}

/* An odd number of vectors: slots then differ in their cache set. */
static int64_t slot_of(const struct graft_winograd_block *b)
{
    return (b->group[4] | 1) * GRAFT_BLOCK;
}

/* V or D of some blocks of channels, for the largest block of bands. */
static size_t map_bytes(const struct graft_winograd_block *b, int64_t blocks)
{
    return padded(all_slots(&b->plan) * slot_of(b) * blocks *
                  (int64_t)sizeof(real));
}

static int64_t sums_of(const struct graft_winograd_plan *p, int64_t width)
{
    return sets_of(p) * GRAFT_BLOCK * width;
}

bool graft_winograd_grad_cut(struct graft_block_grad_cut *c,
                             const struct graft_conv *g, int64_t n_max,
                             const struct graft_kernels *k)
{
    if (g->group > 1 || !graft_winograd_cut(&c->cut, g, n_max, k))
        return false;
    struct graft_winograd_plan p = graft_winograd_plan(&c->cut);
    int64_t blocks = in_blocks(g) + ceil_div(g->m, GRAFT_BLOCK);
    int64_t all = n_max * tiles_of(&p.axis[0]);
    int64_t band = all_slots(&p) * tiles_of(&p.axis[1]) * GRAFT_BLOCK *
                   (int64_t)sizeof(real);
    p.bands = NEAR / (band * blocks) > 0 ? NEAR / (band * blocks) : 1;
    p.bands = ceil_div(all, ceil_div(all, p.bands));
    if (all * band * k->block.width / GRAFT_BLOCK <= PANEL)
        p.bands = all;
    return pays(c, g, n_max, &p) &&
           graft_winograd_grad_cut_as(c, g, n_max, k, &p);
}

/* What is transformed at a time. */
static void cut_channels(struct graft_block_grad_cut *c,
                         const struct graft_conv *g,
                         const struct graft_winograd_block *b, bool whole)
{
    c->d_panels = c->panels;
    c->v_blocks = in_blocks(g);
    if (!whole)
        return;
    int64_t d = (int64_t)map_bytes(b, ceil_div(g->m, GRAFT_BLOCK));
    c->d_panels = ceil_div(c->panels, ceil_div(d, GROUP));
    int64_t most = ceil_div(PAIRS, c->d_panels);
    c->v_blocks = least(c->v_blocks, most > INPUTS ? most : INPUTS);
}

bool graft_winograd_grad_cut_as(struct graft_block_grad_cut *c,
                                const struct graft_conv *g, int64_t n_max,
                                const struct graft_kernels *k,
                                const struct graft_winograd_plan *plan)
{
    struct graft_winograd_plan p = *plan;
    int64_t all = n_max * tiles_of(&p.axis[0]);
    if (g->group > 1 || !graft_winograd_cut_as(&c->cut, g, n_max, k, &p))
        return false;
    struct graft_winograd_block b;
    c->width = k->block.width;
    c->panels = ceil_div(g->m, c->width);
    graft_winograd_begin(&b, &p, g, k, 0, p.bands);
    cut_channels(c, g, &b, all <= p.bands);
    c->winograd = true;
    c->parts = c->shares = 1;
    c->shared = map_bytes(&b, c->v_blocks) +
                map_bytes(&b, c->d_panels * c->width / GRAFT_BLOCK);
    c->scratch = graft_winograd_in_scratch(&p);
    size_t sums = padded(sums_of(&p, c->width) * (int64_t)sizeof(real));
    if (all > p.bands)
        c->shared += (size_t)pairs_of(c, g) * sums;
    else
        c->scratch += sums;
    return true;
}

/* ---- the run ------------------------------------------------------------- */

struct job {
    struct graft_winograd_grad d;
    const struct graft_block_grad_run *r;
    const struct graft_winograd_kernels *k;
    int64_t panel;         /* the first one of D */
    int64_t panels, d_blocks; /* in D */
    int64_t all_in;        /* blocks of x */
    real *sums;            /* of all pairs; NULL: in each worker's scratch */
    char *scratch;
    size_t step;
    bool first, last;      /* block */
};

static void share_out(int64_t all, int64_t share, int64_t shares,
                      int64_t *first, int64_t *n)
{
    *first = all * share / shares;
    *n = all * (share + 1) / shares - *first;
}

static void in_task(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    const struct graft_winograd_block *b = &j->d.block;
    int64_t first, n, shares = ceil_div(b->in_blocks, SHARE);
    share_out(b->in_blocks, i % shares, shares, &first, &n);
    j->k->in(b, b->first + i / shares, b->x_block + first, n,
             (real *)(void *)(j->scratch + (size_t)worker * j->step));
}

static void dy_task(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    int64_t first, n, shares = ceil_div(j->d_blocks, SHARE);
    (void)worker;
    share_out(j->d_blocks, i % shares, shares, &first, &n);
    j->k->dy(&j->d, j->d.block.first + i / shares, j->d.first + first, n);
}

/* Over depth, where numbers of x are channels of each pixel of 2x2: where each
 * tap of number `channel` stands in an output's gradients, -1: nowhere. */
static void places_of(int64_t *place, const struct graft_conv *g,
                      const struct graft_winograd_family *f, int64_t channel)
{
    const int64_t pixel = channel / g->c;
    for (int64_t k = 0; k < f->taps * f->taps; k++) {
        int64_t y = k / f->taps * 2 + pixel / 2;
        int64_t x = k % f->taps * 2 + pixel % 2;
        place[k] = y < g->kernel[1] && x < g->kernel[2]
                       ? (channel % g->c * g->kernel[1] + y) * g->kernel[2] + x
                       : -1;
    }
}

/* w [count][taps][width] of numbers first .. of x, all of a panel, to dw:
 * output by output, where theirs lie side by side. */
static void write_numbers(const struct job *j, int64_t panel, int64_t first,
                          int64_t count, const real *w)
{
    const struct graft_conv *g = j->r->g;
    const struct graft_winograd_family *f = j->d.block.plan.axis[0].family;
    const int64_t width = j->r->cut->width, taps = f->taps * f->taps;
    const int64_t each = g->c * g->kernel[1] * g->kernel[2], n = count * taps;
    const bool add = j->r->add;
    int64_t place[GRAFT_BLOCK * USED];
    real rows[WIDTH * (GRAFT_BLOCK * USED + GAP)];
    j->r->k->turn(rows, n + GAP, w, width, n, width);
    for (int64_t i = 0; f->depth && i < count; i++)
        places_of(place + i * taps, g, f, first + i);
    for (int64_t o = 0; o < width && panel * width + o < g->m; o++) {
        const real *row = rows + o * (n + GAP);
        real *dw = j->r->dw + (panel * width + o) * each;
        if (!f->depth)
            graft_block_grad_row(dw + first * taps, row, n, add);
        for (int64_t k = 0; f->depth && k < n; k++)
            if (place[k] >= 0)
                dw[place[k]] = row[k] + (add ? dw[place[k]] : 0);
    }
}

/* What the sums of input block `in` and a panel come to. */
static void gradients(const struct job *j, int64_t panel, int64_t in,
                      const real *sum)
{
    const struct graft_winograd_axis *a = j->d.block.plan.axis;
    const int64_t width = j->r->cut->width, first = in * GRAFT_BLOCK;
    const int64_t taps = a[0].family->taps * a[1].family->taps;
    const int64_t left = j->d.block.k - first;
    const int64_t n = left < GRAFT_BLOCK ? left : GRAFT_BLOCK;
    real w[GRAFT_BLOCK * USED * WIDTH + GAP];
    int64_t i = 0;
    do
        j->k->taps(a[0].family, a[1].family, sum + i * width,
                   GRAFT_BLOCK * width, w + i * taps * width);
    while (++i < n);
    write_numbers(j, panel, first, n, w);
}

static void pair_task(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    const struct graft_winograd_block *b = &j->d.block;
    int64_t panel = j->panel + i / b->in_blocks;
    int64_t in = b->x_block + i % b->in_blocks;
    int64_t width = j->r->cut->width, size = sums_of(&b->plan, width);
    size_t before = graft_winograd_in_scratch(&b->plan);
    real *sum = j->sums ? j->sums + (panel * j->all_in + in) * size
                        : (real *)(void *)(j->scratch +
                                           (size_t)worker * j->step + before);
    if (j->first)
        memset(sum, 0, (size_t)size * sizeof *sum);
    j->k->outer(&j->d, panel, in, sum);
    if (j->last)
        gradients(j, panel, in, sum);
}

/* A block of bands: some panels of dy, and for them all of x, some at a
 * time. */
static void work(struct job *j, struct graft_pool *pool)
{
    const struct graft_block_grad_cut *c = j->r->cut;
    const int64_t per = c->width / GRAFT_BLOCK;
    struct graft_winograd_block *b = &j->d.block;
    for (j->panel = 0; j->panel < c->panels; j->panel += j->panels) {
        j->panels = least(c->d_panels, c->panels - j->panel);
        j->d.first = j->panel * per;
        j->d_blocks = least(j->panels * per, j->d.out_blocks - j->d.first);
        graft_pool_for(pool, b->bands * ceil_div(j->d_blocks, SHARE), dy_task,
                       j);
        for (int64_t in = 0; in < j->all_in; in += b->in_blocks) {
            b->x_block = in;
            b->in_blocks = least(c->v_blocks, j->all_in - in);
            graft_pool_for(pool, b->bands * ceil_div(b->in_blocks, SHARE),
                           in_task, j);
            graft_pool_for(pool, j->panels * b->in_blocks, pair_task, j);
        }
    }
}

void graft_winograd_grad(const struct graft_block_grad_run *r,
                         struct graft_pool *pool, void *scratch,
                         size_t scratch_step, void *shared)
{
    const struct graft_conv *g = r->g;
    struct graft_winograd_plan p = graft_winograd_plan(&r->cut->cut);
    struct graft_block_run x = {.g = g, .cut = &r->cut->cut, .k = r->k,
                                .n = r->n, .x = r->x, .x_step = r->x_step};
    struct job j = {.d = {.dy = r->dy, .dy_step = r->dy_step,
                          .out_blocks = ceil_div(g->m, GRAFT_BLOCK)},
                    .r = r, .k = graft_winograd_kernels(&r->cut->cut),
                    .all_in = in_blocks(g), .scratch = scratch,
                    .step = scratch_step};
    struct graft_winograd_block *b = &j.d.block;
    int64_t per = tiles_of(&p.axis[0]), bands = r->n * per;
    int64_t blocks = ceil_div(bands, p.bands);
    size_t weights = (size_t)(g->m * g->c * g->kernel[1] * g->kernel[2]);
    if (!blocks && !r->add)
        memset(r->dw, 0, weights * sizeof *r->dw);
    b->r = &x;
    graft_winograd_begin(b, &p, g, r->k, 0, p.bands);
    char *d = (char *)shared + map_bytes(b, r->cut->v_blocks);
    if (r->n_max * per > p.bands)
        j.sums = (real *)(void *)(d + map_bytes(b, r->cut->d_panels *
                                                       r->cut->width /
                                                       GRAFT_BLOCK));
    b->v = shared;
    j.d.d = (real *)(void *)d;
    for (int64_t i = 0; i < blocks; i++) {
        int64_t first = bands * i / blocks, end = bands * (i + 1) / blocks;
        graft_winograd_begin(b, &p, g, r->k, first, end - first);
        j.d.d_slot = b->v_slot = slot_of(b);
        j.d.d_block = b->v_block = all_slots(&p) * slot_of(b);
        j.first = i == 0;
        j.last = i == blocks - 1;
        work(&j, pool);
    }
}
