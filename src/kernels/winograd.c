/* Winograd: how a map is tiled, cuts and runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/pool.h"
#include "kernels/kernels.h"
#include "kernels/winograd.h"

enum { APART = 8 * GRAFT_BLOCK }; /* reals between sets of late weights: they
                                     then differ in their cache sets */

/* ---- a plan ------------------------------------------------------------- */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* detail: family, big and small tiles of rows, of columns; bands; the
 * instruction set, whose kernels transform the weights too. */
struct graft_winograd_plan graft_winograd_plan(const struct graft_block_cut *c)
{
    const int64_t *d = c->detail;
    return (struct graft_winograd_plan){
        {{graft_winograd_families + d[0], d[1], d[2]},
         {graft_winograd_families + d[3], d[4], d[5]}}, d[6]};
}

const struct graft_kernels *graft_winograd_set(const struct graft_block_cut *c)
{
    return graft_kernels_for((enum graft_isa)c->detail[7]);
}

const struct graft_winograd_kernels *
graft_winograd_kernels(const struct graft_block_cut *c)
{
    return &graft_winograd_set(c)->winograd;
}

/* Bands first .. first + n - 1 of all images. */
static void begin(struct graft_winograd_block *b,
                  const struct graft_winograd_plan *p,
                  const struct graft_conv *g, const struct graft_kernels *k,
                  int64_t first, int64_t n)
{
    const struct graft_winograd_axis *row = &p->axis[0], *col = &p->axis[1];
    int64_t big = graft_winograd_big(row, first, first + n);
    const int64_t size[4] = {big * col->small, big * col->big,
                             (n - big) * col->big, (n - big) * col->small};
    b->plan = *p;
    b->first = first;
    b->bands = n;
    b->group[0] = 0;
    for (int i = 0; i < 4; i++)
        b->group[i + 1] = b->group[i] + size[i];
    b->width = graft_block_width(g, k);
    b->k = g->c / g->group * (row->family->depth ? 4 : 1);
    b->x_block = 0;
    b->in_blocks = ceil_div(b->k, GRAFT_BLOCK);
    /* an odd number of vectors: slots then differ in their cache set */
    b->v_slot = (b->in_blocks * b->group[4] | 1) * GRAFT_BLOCK;
    b->v_block = b->group[4] * GRAFT_BLOCK;
    b->m_slot = (b->group[4] * (b->width / GRAFT_BLOCK) | 1) * GRAFT_BLOCK;
    b->u_set = b->k * b->width + APART;
}

static int64_t slots_of(const struct graft_winograd_plan *p)
{
    return (int64_t)graft_winograd_slots[p->axis[0].family->tile[0]] *
           graft_winograd_slots[p->axis[1].family->tile[0]];
}

/* ---- a cut -------------------------------------------------------------- */

static size_t bytes_of(int64_t bytes)
{
    return (size_t)ceil_div(bytes, GRAFT_ALIGN) * GRAFT_ALIGN;
}

/* Lines of zeros, of the image, of transformed columns. */
static size_t in_scratch(const struct graft_winograd_plan *p)
{
    int64_t lines = 1 + GRAFT_WINOGRAD_SLOTS;
    if (p->axis[0].family->depth)
        lines += GRAFT_WINOGRAD_SLOTS;
    return bytes_of(lines * (GRAFT_WINOGRAD_CHUNK | 1) * GRAFT_BLOCK *
                    (int64_t)sizeof(real));
}

static size_t piece_bytes(const struct graft_winograd_block *b)
{
    return bytes_of(b->in_blocks *
                    (int64_t)sizeof(struct graft_block_piece));
}

static size_t m_bytes(const struct graft_winograd_block *b)
{
    return bytes_of(slots_of(&b->plan) * b->m_slot * (int64_t)sizeof(real));
}

/* Bytes of late weights of a panel. */
static size_t u_bytes(const struct graft_winograd_block *b)
{
    return bytes_of((int64_t)b->plan.axis[0].family->sets *
                    b->plan.axis[1].family->sets * b->u_set *
                    (int64_t)sizeof(real));
}

static size_t v_bytes(const struct graft_winograd_block *b)
{
    return bytes_of(slots_of(&b->plan) * b->v_slot * (int64_t)sizeof(real));
}

/* Where there are groups, or many blocks of a full batch, each task takes one
 * (of one group) through all steps. Else all take part in one block after the
 * other: V is shared, and tasks are rows of tiles, then panels; where panels
 * are few too M is shared, and tasks are rows of tiles, slots, panels. The
 * numbers are the same. */
enum {
    FEW_BLOCKS = GRAFT_WINOGRAD_FEW,
    SHARE = 4 /* input blocks of a task, then */
};

static bool fits(const struct graft_conv *g,
                 const struct graft_winograd_plan *p)
{
    bool ok = g->in[0] == 1 && g->out[0] == 1 && g->kernel[0] == 1 &&
              g->pad[0] == 0 &&
              (g->group == 1 || (g->c / g->group % GRAFT_BLOCK == 0 &&
                                 g->m / g->group % GRAFT_BLOCK == 0));
    for (int i = 0; i < 2; i++) {
        const struct graft_winograd_axis *a = &p->axis[i];
        const struct graft_winograd_family *f = a->family;
        ok = ok && f && g->kernel[i + 1] == f->kernel &&
             g->stride[i + 1] == f->stride && g->dilation[i + 1] == 1 &&
             g->image == f->depth &&
             a->big * graft_winograd_outputs[f->tile[0]] +
                     a->small * graft_winograd_outputs[f->tile[1]] >=
                 g->out[i + 1];
    }
    return ok && (!g->image || 4 * g->c <= GRAFT_BLOCK);
}

bool graft_winograd_cut_as(struct graft_block_cut *out,
                           const struct graft_conv *g, int64_t n_max,
                           const struct graft_kernels *k,
                           const struct graft_winograd_plan *plan)
{
    if (!fits(g, plan))
        return false;
    const struct graft_winograd_axis *a = plan->axis;
    struct graft_block_cut t = {
        .way = GRAFT_BLOCK_WINOGRAD,
        .in_blocks = ceil_div(g->c, GRAFT_BLOCK),
        .out_blocks = ceil_div(g->m, GRAFT_BLOCK),
        .detail = {a[0].family - graft_winograd_families, a[0].big,
                   a[0].small, a[1].family - graft_winograd_families,
                   a[1].big, a[1].small, plan->bands, k->isa}};
    int64_t width = graft_block_width(g, k);
    int64_t panels = graft_block_panels(g, width);
    int64_t per = a[0].big + a[0].small, all = n_max * per;
    int64_t bands = least(plan->bands, all);
    struct graft_winograd_block b;
    begin(&b, plan, g, k, 0, bands); /* the largest block */
    t.pack_bytes = bytes_of(panels * width * b.k * a[0].family->sets *
                            a[1].family->sets * (int64_t)sizeof(real));
    t.scratch = in_scratch(plan) + piece_bytes(&b);
    if (g->group > 1 || ceil_div(all, bands) >= FEW_BLOCKS)
        t.scratch += m_bytes(&b) + v_bytes(&b);
    else
        t.shared = v_bytes(&b);
    if (t.shared && panels < FEW_BLOCKS)
        t.shared += (size_t)panels * m_bytes(&b);
    else if (t.shared)
        t.scratch += m_bytes(&b);
    *out = t;
    return true;
}

void graft_winograd_late(struct graft_block_cut *cut,
                         const struct graft_conv *g,
                         const struct graft_kernels *k)
{
    int64_t panels = graft_block_panels(g, graft_block_width(g, k));
    if (cut->way != GRAFT_BLOCK_WINOGRAD || !cut->shared ||
        panels < FEW_BLOCKS || cut->pack_bytes <= GRAFT_WINOGRAD_FAR)
        return;
    struct graft_winograd_plan p = graft_winograd_plan(cut);
    struct graft_winograd_block b;
    begin(&b, &p, g, k, 0, 1);
    cut->late = true;
    cut->pack_bytes = bytes_of(panels * b.width * b.k *
                               p.axis[0].family->taps *
                               p.axis[1].family->taps *
                               (int64_t)sizeof(real));
    cut->scratch += u_bytes(&b);
}

/* ---- runs --------------------------------------------------------------- */

struct job {
    struct graft_winograd_block block;
    const struct graft_winograd_kernels *k;
    int64_t bands, blocks, panels;    /* of all images */
    int64_t in_shares, out_shares;    /* of input blocks, of bands */
    real *m;                          /* [panel] of shared M */
    char *scratch;
    size_t step;
};

static void block_begin(struct graft_winograd_block *b, const struct job *j,
                        int64_t i)
{
    int64_t first = j->bands * i / j->blocks;
    int64_t end = j->bands * (i + 1) / j->blocks;
    *b = j->block;
    begin(b, &j->block.plan, b->r->g, b->r->k, first, end - first);
}

/* A worker's scratch: what `in` needs, the pieces of k, M, and V where it is
 * not shared or else late weights. */
struct parts {
    real *in, *m, *more;
    struct graft_block_piece *piece;
};

static struct parts parts(const struct job *j, int worker,
                          const struct graft_winograd_block *b)
{
    char *at = j->scratch + (size_t)worker * j->step;
    char *piece = at + in_scratch(&b->plan), *m = piece + piece_bytes(b);
    return (struct parts){(real *)at, (real *)m, (real *)(m + m_bytes(b)),
                          (struct graft_block_piece *)piece};
}

/* All blocks of a group, then those of the next: its weights stay near. */
static void whole_block(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    struct graft_winograd_block b;
    int64_t group = i / j->blocks, panels = j->panels / j->block.r->g->group;
    block_begin(&b, j, i % j->blocks);
    struct parts p = parts(j, worker, &b);
    b.v = p.more;
    b.x_block = group * b.in_blocks;
    for (int64_t band = b.first; band < b.first + b.bands; band++)
        j->k->in(&b, band, b.x_block, b.in_blocks, p.in);
    for (int64_t q = 0; q < panels; q++) {
        int64_t panel = group * panels + q;
        j->k->multiply(&b, panel, 0, slots_of(&b.plan), p.piece, p.m);
        j->k->out(&b, panel, b.first, b.first + b.bands, p.m);
    }
}

static void block_in(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    const struct graft_winograd_block *b = &j->block;
    int64_t share = i % j->in_shares;
    int64_t first = b->in_blocks * share / j->in_shares;
    int64_t end = b->in_blocks * (share + 1) / j->in_shares;
    j->k->in(b, b->first + i / j->in_shares, first, end - first,
             parts(j, worker, b).in);
}

static real *panel_m(const struct job *j, int64_t panel)
{
    return (real *)((char *)j->m + (size_t)panel * m_bytes(&j->block));
}

/* The panels of one slot: their weights are read once, and what they have in
 * common, the slot's part of V, stays in cache. */
static void block_multiply(void *ctx, int64_t slot, int worker)
{
    const struct job *j = ctx;
    const struct graft_winograd_block *b = &j->block;
    struct parts p = parts(j, worker, b);
    for (int64_t panel = 0; panel < j->panels; panel++)
        j->k->multiply(b, panel, slot, slot + 1, p.piece, panel_m(j, panel));
}

static void block_out(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    const struct graft_winograd_block *b = &j->block;
    int64_t panel = i / j->out_shares, share = i % j->out_shares;
    (void)worker;
    j->k->out(b, panel, b->first + b->bands * share / j->out_shares,
              b->first + b->bands * (share + 1) / j->out_shares,
              panel_m(j, panel));
}

static void block_panel(void *ctx, int64_t panel, int worker)
{
    const struct job *j = ctx;
    const struct graft_winograd_block *b = &j->block;
    struct parts p = parts(j, worker, b);
    j->k->multiply(b, panel, 0, slots_of(&b->plan), p.piece, p.m);
    j->k->out(b, panel, b->first, b->first + b->bands, p.m);
}

static void late_panel(void *ctx, int64_t panel, int worker)
{
    const struct job *j = ctx;
    struct graft_winograd_block b = j->block;
    struct parts p = parts(j, worker, &b);
    b.u = p.more;
    j->k->transform(&b, panel, p.more);
    j->k->multiply(&b, panel, 0, slots_of(&b.plan), p.piece, p.m);
    j->k->out(&b, panel, b.first, b.first + b.bands, p.m);
}

void graft_winograd_run(struct graft_block_run *r, struct graft_pool *pool,
                        void *scratch, size_t scratch_step, void *shared)
{
    struct job j = {.k = graft_winograd_kernels(r->cut), .scratch = scratch,
                    .step = scratch_step};
    struct graft_winograd_block *b = &j.block;
    *b = (struct graft_winograd_block){
        .r = r, .plan = graft_winograd_plan(r->cut), .v = shared};
    j.panels = graft_block_panels(r->g, graft_block_width(r->g, r->k));
    j.bands = r->n * (b->plan.axis[0].big + b->plan.axis[0].small);
    j.blocks = ceil_div(j.bands, b->plan.bands);
    if (!r->cut->shared) {
        graft_pool_for(pool, r->g->group * j.blocks, whole_block, &j);
        return;
    }
    for (int64_t i = 0; i < j.blocks; i++) {
        block_begin(b, &j, i);
        j.m = (real *)((char *)shared + v_bytes(b));
        j.in_shares = ceil_div(b->in_blocks, SHARE);
        j.out_shares = least(b->bands, ceil_div(FEW_BLOCKS, j.panels));
        graft_pool_for(pool, b->bands * j.in_shares, block_in, &j);
        if (j.panels >= FEW_BLOCKS) {
            graft_pool_for(pool, j.panels,
                           r->cut->late ? late_panel : block_panel, &j);
            continue;
        }
        graft_pool_for(pool, slots_of(&b->plan), block_multiply, &j);
        graft_pool_for(pool, j.panels * j.out_shares, block_out, &j);
    }
}

/* ---- for gradients of weights (winograd_grad.c) -------------------------- */

void graft_winograd_begin(struct graft_winograd_block *b,
                          const struct graft_winograd_plan *p,
                          const struct graft_conv *g,
                          const struct graft_kernels *k, int64_t first,
                          int64_t n)
{
    begin(b, p, g, k, first, n);
}

size_t graft_winograd_in_scratch(const struct graft_winograd_plan *p)
{
    return in_scratch(p);
}
