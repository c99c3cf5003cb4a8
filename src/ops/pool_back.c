/* Gradients of pooling, over C16 and in rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/pool_back.h"

#include <string.h>

#include "ops/blocked.h"

struct job {
    const struct graft_call *c;
    const struct graft_lane_window *w;
    real factor;
};

/* ---- windows ------------------------------------------------------------- */

static void block_back(const void *ctx, int64_t i, int64_t b)
{
    const struct job *j = ctx;
    const struct graft_call *c = j->c;
    const real *x = j->w->max ? graft_block_at(&c->in[0], i, b) : NULL;
    const real *y = j->w->max ? graft_block_at(&c->out[0], i, b) : NULL;
    c->k->lanes.window_back(j->w, graft_block_at(&c->din[0], i, b), x, y,
                            graft_block_at(&c->dout[0], i, b),
                            c->dmode[0] == GRAFT_ADD);
}

struct range {
    int64_t first, end, step; /* elements of one axis inside the input */
};

static struct range inside(const struct graft_conv *g, int i, int64_t o)
{
    int64_t at = o * g->stride[i] - g->pad[i], d = g->dilation[i];
    int64_t end = at + g->kernel[i] * d;
    struct range r = {at < 0 ? at + (-at + d - 1) / d * d : at,
                      end < g->in[i] ? end : g->in[i], d};
    return r;
}

/* dy of one window, given to its first maximum or in equal shares to all. */
static void window_back(const struct graft_conv *g, const struct range r[3],
                        real *dx, const real *x, real y, real dy)
{
    for (int64_t a = r[0].first; a < r[0].end; a += r[0].step)
        for (int64_t b = r[1].first; b < r[1].end; b += r[1].step)
            for (int64_t c = r[2].first; c < r[2].end; c += r[2].step) {
                int64_t at = (a * g->in[1] + b) * g->in[2] + c;
                if (!x) {
                    dx[at] += dy;
                } else if (x[at] == y) {
                    dx[at] += dy;
                    return;
                }
            }
}

/* One channel of one image in rows. */
static void plane_back(void *ctx, int64_t plane, int worker)
{
    const struct job *j = ctx;
    const struct graft_call *c = j->c;
    const struct graft_lane_window *w = j->w;
    const struct graft_conv *g = w->g;
    int64_t in = g->in[0] * g->in[1] * g->in[2];
    int64_t out = g->out[0] * g->out[1] * g->out[2], o = plane * out;
    const real *x = w->max ? graft_reals(&c->in[0]) + plane * in : NULL;
    real *dx = graft_reals(&c->din[0]) + plane * in;
    (void)worker;
    if (c->dmode[0] == GRAFT_STORE)
        memset(dx, 0, (size_t)in * sizeof *dx);
    for (int64_t a = 0; a < g->out[0]; a++)
        for (int64_t b = 0; b < g->out[1]; b++)
            for (int64_t e = 0; e < g->out[2]; e++, o++) {
                struct range r[3] = {inside(g, 0, a), inside(g, 1, b),
                                     inside(g, 2, e)};
                real dy = graft_reals(&c->dout[0])[o];
                if (!x)
                    dy /= w->count[0][a] * w->count[1][b] * w->count[2][e];
                window_back(g, r, dx, x,
                            x ? graft_reals(&c->out[0])[o] : 0, dy);
            }
}

void graft_pool_backward(const struct graft_call *c,
                         const struct graft_lane_window *w)
{
    struct job j = {c, w, 0};
    const struct graft_shape *s = &c->dout[0].shape;
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    if (graft_is_c16(&c->dout[0]))
        graft_each_lane_block(c->pool, &c->din[0], block_back, &j);
    else
        graft_pool_for(c->pool, s->dim[0] * s->dim[1], plane_back, &j);
}

/* ---- whole planes -------------------------------------------------------- */

static void spread_block(const void *ctx, int64_t i, int64_t b)
{
    const struct job *j = ctx;
    const struct graft_call *c = j->c;
    const struct graft_view *dx = &c->din[0], *dy = &c->dout[0];
    int64_t left = dx->shape.dim[1] - 16 * b, used = left < 16 ? left : 16;
    const real *from = graft_reals(dy) + i * graft_image_step(dy) + 16 * b;
    real v[16] = {0};
    for (int64_t l = 0; l < used; l++)
        v[l] = j->factor * from[l];
    c->k->lanes.spread(graft_block_at(dx, i, b), v, graft_area_of(dx),
                       c->dmode[0] == GRAFT_ADD);
}

static void spread_plane(void *ctx, int64_t plane, int worker)
{
    const struct job *j = ctx;
    const struct graft_view *dx = &j->c->din[0];
    int64_t area = graft_area_of(dx);
    real *to = graft_reals(dx) + plane * area;
    real v = j->factor * graft_reals(&j->c->dout[0])[plane];
    bool add = j->c->dmode[0] == GRAFT_ADD;
    (void)worker;
    for (int64_t i = 0; i < area; i++)
        to[i] = add ? to[i] + v : v;
}

void graft_pool_spread(const struct graft_call *c, double factor)
{
    struct job j = {c, NULL, (real)factor};
    const struct graft_shape *s = &c->din[0].shape;
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    if (graft_is_c16(&c->din[0]))
        graft_each_lane_block(c->pool, &c->din[0], spread_block, &j);
    else
        graft_pool_for(c->pool, s->dim[0] * s->dim[1], spread_plane, &j);
}
