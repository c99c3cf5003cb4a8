/* What comes back to the input of a convolution over blocked channels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/block_back.h"

#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "kernels/kernels.h"
#include "tensor/view.h"

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static size_t padded(size_t bytes)
{
    return (bytes + GRAFT_ALIGN - 1) / GRAFT_ALIGN * GRAFT_ALIGN;
}

/* ---- phases -------------------------------------------------------------- */

/* Axis i of the convolution that gives remainder r; false: nothing does. */
static bool phase_axis(const struct graft_conv *g, int i, int64_t r,
                       struct graft_block_phase *p)
{
    struct graft_block_turned *t = &p->packing.turned;
    int64_t s = g->stride[i], first = (r + g->pad[i]) % s;
    int64_t taps = first < g->kernel[i] ? ceil_div(g->kernel[i] - first, s)
                                        : 0;
    p->g.in[i] = g->out[i];
    p->g.out[i] = ceil_div(g->in[i] - r, s);
    p->g.kernel[i] = taps;
    p->g.stride[i] = 1;
    p->g.dilation[i] = g->dilation[i];
    p->g.pad[i] = (taps - 1) * g->dilation[i] -
                  (r + g->pad[i] - first) / s;
    if (i > 0) {
        t->kernel[i - 1] = g->kernel[i];
        t->first[i - 1] = first;
        t->step[i - 1] = s;
    }
    return taps > 0 && r < g->in[i];
}

static bool is_offered(const struct graft_conv *g)
{
    for (int i = 0; i < 3; i++)
        if (g->stride[i] > 3 || (g->stride[i] > 1 && g->dilation[i] > 1) ||
            g->pad[i] > (g->kernel[i] - 1) * g->dilation[i])
            return false;
    return !g->image && g->in[0] == 1 && g->out[0] == 1 &&
           g->kernel[1] * g->kernel[2] <= GRAFT_BLOCK_TAPS;
}

static bool add_phase(struct graft_block_back *b, int64_t row, int64_t column,
                      int64_t n_max, bool exact, bool varies,
                      const struct graft_kernels *k)
{
    const struct graft_conv *g = &b->g;
    struct graft_block_phase p = {
        .g = {.c = g->m, .m = g->c, .group = g->group},
        .pack = b->pack_bytes, .row = row, .column = column};
    struct graft_block_turned turned;
    phase_axis(g, 0, 0, &p);
    bool some = phase_axis(g, 1, row, &p);
    if (!phase_axis(g, 2, column, &p) || !some)
        return true;
    graft_block_cut(&p.cut, &p.g, n_max, exact, k);
    if (p.cut.way == GRAFT_BLOCK_NONE)
        return false;
    if (varies)
        graft_winograd_late(&p.cut, &p.g, k);
    turned = p.packing.turned;
    p.packing = graft_block_packing(&p.g, &p.cut, k);
    p.packing.turned = turned;
    p.packing.turned.is = true;
    p.packing.turned.c = g->c;
    p.packing.turned.m = g->m;
    p.packing.turned.group = g->group;
    b->phase[b->phases++] = p;
    b->pack_bytes += padded(p.cut.pack_bytes);
    b->scratch = p.cut.scratch > b->scratch ? p.cut.scratch : b->scratch;
    b->shared = p.cut.shared > b->shared ? p.cut.shared : b->shared;
    return true;
}

static bool is_strided(const struct graft_conv *g)
{
    return g->stride[1] > 1 || g->stride[2] > 1;
}

void graft_block_back_cut(struct graft_block_back *out,
                          const struct graft_conv *g, int64_t n_max,
                          bool exact, bool varies,
                          const struct graft_kernels *k)
{
    *out = (struct graft_block_back){.g = *g};
    bool good = is_offered(g);
    for (int64_t r = 0; good && r < g->stride[1]; r++)
        for (int64_t c = 0; good && c < g->stride[2]; c++)
            good = add_phase(out, r, c, n_max, exact, varies, k);
    if (!good)
        out->phases = 0;
    if (!out->phases || !is_strided(g))
        return;
    out->map = padded((size_t)(n_max * ceil_div(g->in[1], g->stride[1]) *
                               ceil_div(g->in[2], g->stride[2]) *
                               ceil_div(g->c, GRAFT_BLOCK) * GRAFT_BLOCK) *
                      sizeof(real));
    out->shared += out->map;
}

void graft_block_back_pack(void *dst, const struct graft_view *src,
                           const real *scale, const void *back,
                           struct graft_pool *pool)
{
    const struct graft_block_back *b = back;
    for (int i = 0; i < b->phases; i++)
        graft_block_pack((char *)dst + b->phase[i].pack, src, scale,
                         &b->phase[i].packing, pool);
}

/* ---- run ----------------------------------------------------------------- */

static void run_phase(const struct graft_block_back_run *r,
                      const struct graft_block_phase *p, real *y,
                      int64_t y_step, bool add, struct graft_pool *pool,
                      void *scratch, size_t scratch_step, void *shared)
{
    struct graft_block_run run = {
        .g = &p->g, .cut = &p->cut, .k = r->k, .n = r->n, .x = r->dy,
        .x_step = r->dy_step, .y = y, .y_step = y_step,
        .w = (const real *)(const void *)((const char *)r->w + p->pack)};
    if (add) {
        run.finish.residual = y;
        run.finish.residual_step = y_step;
    }
    graft_block_run(&run, pool, scratch, scratch_step, shared);
}

/* Pixels of a phase to where they belong. */
struct spreading {
    const struct graft_block_back_run *r;
    const struct graft_block_phase *p;
    const real *from;
    int64_t step, blocks;
};

static void spread_block(void *ctx, int64_t task, int worker)
{
    const struct spreading *s = ctx;
    const struct graft_conv *g = &s->r->back->g;
    int64_t rows = s->p->g.out[1], columns = s->p->g.out[2];
    int64_t image = task / s->blocks, block = task % s->blocks;
    int64_t line = g->in[2] * GRAFT_BLOCK;
    const real *from = s->from + image * s->step +
                       block * rows * columns * GRAFT_BLOCK;
    real *to = s->r->dx + image * s->r->dx_step + block * g->in[1] * line +
               s->p->row * line + s->p->column * GRAFT_BLOCK;
    (void)worker;
    for (int64_t h = 0; h < rows; h++, to += g->stride[1] * line)
        for (int64_t w = 0; w < columns; w++, from += GRAFT_BLOCK) {
            real *pixel = to + w * g->stride[2] * GRAFT_BLOCK;
            if (!s->r->add)
                memcpy(pixel, from, GRAFT_BLOCK * sizeof *pixel);
            else
                for (int i = 0; i < GRAFT_BLOCK; i++)
                    pixel[i] += from[i];
        }
}

/* Pixels that no kernel element reaches. */
static bool is_covered(const struct graft_block_back *b)
{
    return b->phases == b->g.stride[1] * b->g.stride[2];
}

static void clear_image(void *ctx, int64_t image, int worker)
{
    const struct graft_block_back_run *r = ctx;
    const struct graft_conv *g = &r->back->g;
    (void)worker;
    memset(r->dx + image * r->dx_step, 0,
           (size_t)(ceil_div(g->c, GRAFT_BLOCK) * GRAFT_BLOCK * g->in[1] *
                    g->in[2]) * sizeof *r->dx);
}

void graft_block_back_data(const struct graft_block_back_run *r,
                           struct graft_pool *pool, void *scratch,
                           size_t scratch_step, void *shared)
{
    const struct graft_block_back *b = r->back;
    if (!is_strided(&b->g)) {
        run_phase(r, &b->phase[0], r->dx, r->dx_step, r->add, pool, scratch,
                  scratch_step, shared);
        return;
    }
    if (!r->add && !is_covered(b))
        graft_pool_for(pool, r->n, clear_image, (void *)r);
    int64_t blocks = ceil_div(b->g.c, GRAFT_BLOCK);
    for (int i = 0; i < b->phases; i++) {
        const struct graft_block_phase *p = &b->phase[i];
        struct spreading s = {r, p, shared, p->g.out[1] * p->g.out[2] *
                                                blocks * GRAFT_BLOCK,
                              blocks};
        run_phase(r, p, shared, s.step, false, pool, scratch, scratch_step,
                  (char *)shared + b->map);
        graft_pool_for(pool, r->n * blocks, spread_block, &s);
    }
}
