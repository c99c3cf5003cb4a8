/* Bodies of convolution, compiled once for each instruction set: packed
 * panels of MR output channels times strips of NR pixels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/body_conv_vec.h"
#include "kernels/body_conv_tile.h"
#include "kernels/body_conv_pack.h"
#include "kernels/body_conv_window.h"

static void conv_strips_begin(struct conv_strips *s,
                              const struct graft_conv_run *r, int64_t block,
                              real *scratch)
{
    const struct graft_conv *g = r->g;
    const struct graft_conv_cut *cut = r->cut;
    int64_t plane = g->out[0] * g->out[1] * g->out[2];
    int64_t pixels = cut->strips * CONV_NR, all = r->n * plane;
    *s = (struct conv_strips){.g = g, .cut = cut, .plane = plane};
    s->p0 = block * pixels;
    s->p1 = s->p0 + pixels < all ? s->p0 + pixels : all;
    s->stride = cut->channels * cut->taps * CONV_NR + CONV_VL;
    s->ws = g->image ? g->c : 1;
    s->hs = s->ws * g->in[2];
    s->ds = s->hs * g->in[1];
    s->cs = g->image ? 1 : s->ds * g->in[0];
    s->strip = scratch;
    char *at = (char *)(scratch + cut->strips * s->stride);
    if (cut->way == GRAFT_CONV_ANY) {
        s->place = (struct conv_place *)at;
        conv_plan_any(s);
        return;
    }
    s->span = (struct conv_span *)at;
    at += (size_t)pixels * sizeof *s->span;
    if (cut->way == GRAFT_CONV_POINT) {
        conv_plan_point(s, r->x_step);
        return;
    }
    s->segment = (struct conv_segment *)at;
    s->band = (real *)(at + (size_t)cut->segments * sizeof *s->segment);
    conv_plan_band(s);
}

static void conv_strips_fill(const struct conv_strips *s,
                             const struct graft_conv_run *r, int64_t first,
                             int64_t n)
{
    for (int64_t c = 0; c < n; c++) {
        real *strip = s->strip + c * s->cut->taps * CONV_NR;
        if (s->cut->way == GRAFT_CONV_POINT)
            conv_pack_point(s, r->x + (first + c) * s->cs,
                            (s->g->c - 1 - first - c) * s->cs < CONV_VL, strip);
        else if (s->cut->way == GRAFT_CONV_BAND)
            conv_pack_band(s, r->x, r->x_step, first + c, strip);
        else
            conv_pack_any(s, r->x, r->x_step, first + c, strip);
    }
}

/* What all tiles of a block of k share. */
struct conv_block {
    const struct graft_conv_run *r;
    const struct conv_strips *s;
    int64_t group, k0, k;
    bool first, last;
};

/* A tile that hangs over the last channel, the last pixel or an image's edge
 * goes by way of a buffer. */
static void conv_tile_edge(const struct conv_block *b, const real *a,
                           int64_t o, int64_t p, int64_t rows, int64_t cols)
{
    const struct graft_conv_run *r = b->r;
    const struct graft_finish *f = &r->finish;
    real tile[CONV_MR][CONV_NR], res[CONV_MR][CONV_NR], bias[CONV_MR] = {0};
    struct conv_tile t = {tile[0], CONV_NR, b->first, b->last, NULL, NULL,
                          NULL, CONV_NR, f};
    int64_t plane = b->s->plane;
    memset(tile, 0, sizeof tile);
    memset(res, 0, sizeof res);
    for (int64_t j = 0; j < cols;) { /* images that the tile touches */
        int64_t image = (p + j) / plane, q = (p + j) % plane;
        int64_t len = plane - q < cols - j ? plane - q : cols - j;
        size_t bytes = (size_t)len * sizeof(real);
        for (int64_t i = 0; i < rows; i++) {
            int64_t at = (o + i) * plane + q;
            if (!b->first)
                memcpy(tile[i] + j, r->y + image * r->y_step + at, bytes);
            if (b->last && f->residual)
                memcpy(res[i] + j,
                       f->residual + image * f->residual_step + at, bytes);
        }
        j += len;
    }
    if (f->residual)
        t.residual = res[0];
    if (f->bias) {
        memcpy(bias, f->bias + o, (size_t)rows * sizeof(real));
        t.row_bias = bias;
    }
    conv_panel[(cols + CONV_VL - 1) / CONV_VL](
        b->k, a, b->s->strip + (p - b->s->p0) / CONV_NR * b->s->stride, &t);
    for (int64_t j = 0; j < cols;) {
        int64_t image = (p + j) / plane, q = (p + j) % plane;
        int64_t len = plane - q < cols - j ? plane - q : cols - j;
        for (int64_t i = 0; i < rows; i++)
            memcpy(r->y + image * r->y_step + (o + i) * plane + q,
                   tile[i] + j, (size_t)len * sizeof(real));
        j += len;
    }
}

/* Output channels of one panel times all strips. */
static void conv_panel_row(const struct conv_block *b, int64_t panel)
{
    const struct graft_conv_run *r = b->r;
    const struct graft_finish *f = &r->finish;
    const struct conv_strips *s = b->s;
    int64_t in_group = r->g->m / r->g->group;
    int64_t o = b->group * in_group + panel * CONV_MR;
    int64_t rows = in_group - panel * CONV_MR;
    const real *a = r->w + ((b->group * r->cut->panels + panel) *
                            r->cut->depth + b->k0) * CONV_MR;
    for (int64_t p = s->p0, j = 0; p < s->p1; p += CONV_NR, j++) {
        int64_t q = p % s->plane, image = p / s->plane;
        if (rows < CONV_MR || q + CONV_NR > s->plane || p + CONV_NR > s->p1) {
            int64_t cols = s->p1 - p;
            conv_tile_edge(b, a, o, p, rows < CONV_MR ? rows : CONV_MR,
                           cols < CONV_NR ? cols : CONV_NR);
            continue;
        }
        int64_t at = o * s->plane + q;
        struct conv_tile t = {
            r->y + image * r->y_step + at, s->plane, b->first, b->last,
            f->bias ? f->bias + o : NULL, NULL,
            f->residual ? f->residual + image * f->residual_step + at : NULL,
            s->plane, f};
        conv_panel[CONV_NV](b->k, a, s->strip + j * s->stride, &t);
    }
}

/* Task: (block of pixels, group, block of panels). */
static void conv_strips_task(const struct graft_conv_run *r, int64_t task,
                             real *scratch)
{
    const struct graft_conv_cut *cut = r->cut;
    int64_t mb = task % r->m_blocks;
    int64_t group = task / r->m_blocks % r->g->group;
    int64_t per_group = r->g->c / r->g->group;
    struct conv_strips s;
    conv_strips_begin(&s, r, task / r->m_blocks / r->g->group, scratch);
    int64_t end = (mb + 1) * r->m_panels;
    if (end > cut->panels)
        end = cut->panels;
    for (int64_t c = 0; c < per_group; c += cut->channels) {
        int64_t n = per_group - c < cut->channels ? per_group - c
                                                  : cut->channels;
        conv_strips_fill(&s, r, group * per_group + c, n);
        struct conv_block b = {r, &s, group, c * cut->taps, n * cut->taps,
                               c == 0, c + n == per_group};
        for (int64_t panel = mb * r->m_panels; panel < end; panel++)
            conv_panel_row(&b, panel);
    }
}

#define GRAFT_CONV_KERNELS                                                  \
    {                                                                       \
        .mr = CONV_MR, .nr = CONV_NR, .lanes = CONV_VL,                     \
        .strips = conv_strips_task, .depthwise = conv_depthwise,            \
        .window = conv_window, .product = conv_product, .sum = conv_sum,    \
        .affine = conv_affine                                               \
    }
