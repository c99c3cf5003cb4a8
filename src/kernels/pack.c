/* Weights and matrices rearranged into the panels and strips that the
 * micro-kernel reads.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/pool.h"
#include "kernels/kernels.h"
#include "tensor/view.h"

enum { PIECE = 256 }; /* elements converted at a time */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Calls to graft_view_read in pieces: dst[i * step] = factor * src[first+i]. */
static void scatter(real *dst, int64_t step, const struct graft_view *src,
                    int64_t first, int64_t n, real factor)
{
    real piece[PIECE];
    for (int64_t i = 0; i < n; i += PIECE) {
        int64_t len = n - i < PIECE ? n - i : PIECE;
        graft_view_read(src, first + i, len, piece);
        for (int64_t j = 0; j < len; j++)
            dst[(i + j) * step] = factor * piece[j];
    }
}

struct job {
    real *dst;
    const struct graft_view *src;
    const real *scale;
    const void *packing;
};

/* ---- convolutions -------------------------------------------------------- */

struct graft_conv_packing
graft_conv_packing(const struct graft_conv *g, const struct graft_conv_cut *c,
                   const struct graft_kernels *k)
{
    bool plain = c->way == GRAFT_CONV_DEPTHWISE;
    return (struct graft_conv_packing){g->m, plain ? 1 : g->group, c->depth,
                                       plain ? 1 : k->conv.mr};
}

/* Task: one panel of mr output channels, [k][mr]. */
static void conv_panel(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    const struct graft_conv_packing *p = j->packing;
    (void)worker;
    int64_t in_group = p->m / p->group, panels = ceil_div(in_group, p->mr);
    int64_t first = i % panels * p->mr;
    real *dst = j->dst + i * p->depth * p->mr;
    if (first + p->mr > in_group)
        memset(dst, 0, (size_t)(p->depth * p->mr) * sizeof *dst);
    for (int64_t r = 0; r < p->mr && first + r < in_group; r++) {
        int64_t o = i / panels * in_group + first + r;
        scatter(dst + r, p->mr, j->src, o * p->depth, p->depth,
                j->scale ? j->scale[o] : 1);
    }
}

void graft_conv_pack(void *dst, const struct graft_view *src,
                     const real *scale, const void *packing,
                     struct graft_pool *pool)
{
    const struct graft_conv_packing *p = packing;
    struct job j = {dst, src, scale, packing};
    graft_pool_for(pool, p->group * ceil_div(p->m / p->group, p->mr),
                   conv_panel, &j);
}

/* ---- products ------------------------------------------------------------ */

size_t graft_product_bytes(const struct graft_product_packing *p)
{
    return (size_t)(ceil_div(p->n, p->nr) * p->nr * p->k) * sizeof(real);
}

/* Task: one strip of nr columns, [k][nr]. */
static void product_strip(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    const struct graft_product_packing *p = j->packing;
    (void)worker;
    int64_t first = i * p->nr;
    int64_t n = p->n - first < p->nr ? p->n - first : p->nr;
    real *dst = j->dst + i * p->k * p->nr, alpha = (real)p->alpha;
    if (n < p->nr)
        memset(dst, 0, (size_t)(p->k * p->nr) * sizeof *dst);
    if (p->transposed)
        for (int64_t c = 0; c < n; c++)
            scatter(dst + c, p->nr, j->src, (first + c) * p->k, p->k,
                    j->scale ? alpha * j->scale[first + c] : alpha);
    else
        for (int64_t r = 0; r < p->k; r++)
            scatter(dst + r * p->nr, 1, j->src, r * p->n + first, n,
                    j->scale ? alpha * j->scale[r] : alpha);
}

void graft_product_pack(void *dst, const struct graft_view *src,
                        const real *scale, const void *packing,
                        struct graft_pool *pool)
{
    const struct graft_product_packing *p = packing;
    struct job j = {dst, src, scale, packing};
    graft_pool_for(pool, ceil_div(p->n, p->nr), product_strip, &j);
}

void graft_product_unpack(real *dst, const void *packed, const void *packing)
{
    const struct graft_product_packing *p = packing;
    const real *src = packed;
    real alpha = (real)p->alpha;
    for (int64_t c = 0; c < p->n; c++)
        for (int64_t r = 0; r < p->k; r++) {
            int64_t to = p->transposed ? c * p->k + r : r * p->n + c;
            dst[to] = alpha * src[(c / p->nr * p->k + r) * p->nr + c % p->nr];
        }
}

enum { ROWS = 512 }; /* of a task */

struct product {
    const struct graft_product *p;
    const struct graft_kernels *k;
    int64_t strips;
};

static void product_task(void *ctx, int64_t i, int worker)
{
    const struct product *j = ctx;
    struct graft_product part = *j->p;
    (void)worker;
    int64_t first = i / j->strips * ROWS;
    part.m = part.m - first < ROWS ? part.m - first : ROWS;
    part.a += first * part.lda;
    part.c += first * part.ldc;
    if (part.finish.residual)
        part.finish.residual += first * part.finish.residual_step;
    j->k->conv.product(&part, i % j->strips);
}

void graft_product_run(const struct graft_product *p,
                       const struct graft_kernels *k, struct graft_pool *pool)
{
    struct product j = {p, k, ceil_div(p->n, k->conv.nr)};
    graft_pool_for(pool, j.strips * ceil_div(p->m, ROWS), product_task, &j);
}
