/* Internal rows: steps that passes insert and no file contains.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/blocked.h"
#include "ops/common.h"
#include "program/compiler.h"

/* ---- copy --------------------------------------------------------------- */

enum { COPY_PIECE = 1 << 16 }; /* elements of one task */

struct copying {
    const real *from;
    real *to;
    int64_t n;
    bool add;
};

static void copy_piece(void *ctx, int64_t task, int worker)
{
    const struct copying *x = ctx;
    int64_t first = task * COPY_PIECE;
    int64_t n = x->n - first < COPY_PIECE ? x->n - first : COPY_PIECE;
    (void)worker;
    if (!x->add) {
        memcpy(x->to + first, x->from + first, (size_t)n * sizeof *x->to);
        return;
    }
    for (int64_t i = first; i < first + n; i++)
        x->to[i] += x->from[i];
}

static void copy(struct graft_pool *pool, const real *from, real *to,
                 int64_t n, bool add)
{
    struct copying x = {from, to, n, add};
    graft_pool_for(pool, (n + COPY_PIECE - 1) / COPY_PIECE, copy_piece, &x);
}

/* Bytes that only keep their shape may lie in any layout. */
static int copy_plan(struct graft_plan *p)
{
    return graft_shape_equal(&p->in[0].shape, &p->out[0].shape)
               ? graft_plan_follow(p)
               : GRAFT_OK;
}

static void copy_forward(const struct graft_call *c)
{
    copy(c->pool, graft_reals(&c->in[0]), graft_reals(&c->out[0]),
         graft_physical_count(&c->out[0]), false);
}

static void copy_backward(const struct graft_call *c)
{
    if (c->dmode[0] != GRAFT_SKIP)
        copy(c->pool, graft_reals(&c->dout[0]), graft_reals(&c->din[0]),
             graft_physical_count(&c->din[0]), c->dmode[0] == GRAFT_ADD);
}

const struct graft_op graft_row_copy = {
    .name = "Copy", .domain = "graft", .since = 1, .arity = {1, 1, 1, 1},
    .flags = GRAFT_OP_VIEW | GRAFT_OP_BACK_BLOCKED, .grad_in = 1,
    .plan = copy_plan,
    .forward = copy_forward, .backward = copy_backward};

/* ---- reorder between layouts -------------------------------------------- */

/* Where channel c of pixel p of an image lies:
 * (c / 16) block + (c % 16) lane + p pixel. */
struct place {
    int64_t block, lane, pixel, image;
};

static struct place place_of(const struct graft_view *v)
{
    int64_t area = graft_shape_span(&v->shape, 2, v->shape.rank);
    struct place p = {16 * area, area, 1, graft_image_step(v)};
    if (v->fmt.layout == GRAFT_C16) {
        p.lane = 1;
        p.pixel = 16;
    } else if (v->fmt.layout == GRAFT_IMAGE) {
        p.block = 16;
        p.lane = 1;
        p.pixel = v->shape.dim[1];
    }
    return p;
}

struct reordering {
    const real *from;
    real *to;
    struct place at, into;
    int64_t channels, pixels;
    bool blocked, add;
};

enum { REORDER_TILE = 16 }; /* pixels at a time: their lines stay in L1 */

/* One block of 16 channels of one image. */
static void reorder_block(void *ctx, int64_t task, int worker)
{
    const struct reordering *x = ctx;
    int64_t blocks = (x->channels + 15) / 16, b = task % blocks;
    int64_t left = x->channels - 16 * b, lanes = left < 16 ? left : 16;
    const real *from = x->from + task / blocks * x->at.image +
                       b * x->at.block;
    real *to = x->to + task / blocks * x->into.image + b * x->into.block;
    (void)worker;
    for (int64_t first = 0; first < x->pixels; first += REORDER_TILE) {
        int64_t end = first + REORDER_TILE < x->pixels ? first + REORDER_TILE
                                                       : x->pixels;
        for (int64_t l = 0; l < lanes; l++)
            for (int64_t p = first; p < end; p++) {
                real v = from[l * x->at.lane + p * x->at.pixel];
                real *y = &to[l * x->into.lane + p * x->into.pixel];
                *y = x->add ? *y + v : v;
            }
        for (int64_t l = lanes; x->blocked && l < 16; l++)
            for (int64_t p = first; p < end; p++)
                to[l + p * x->into.pixel] = 0;
    }
}

static void reorder(struct graft_pool *pool, const struct graft_view *from,
                    const struct graft_view *to, bool add)
{
    const struct graft_shape *s = &from->shape;
    struct reordering x = {graft_reals(from), graft_reals(to),
                           place_of(from), place_of(to), s->dim[1],
                           graft_shape_span(s, 2, s->rank),
                           to->fmt.layout == GRAFT_C16, add};
    graft_pool_for(pool, s->dim[0] * ((s->dim[1] + 15) / 16), reorder_block,
                   &x);
}

static void reorder_forward(const struct graft_call *c)
{
    reorder(c->pool, &c->in[0], &c->out[0], false);
}

static void reorder_backward(const struct graft_call *c)
{
    if (c->dmode[0] != GRAFT_SKIP)
        reorder(c->pool, &c->dout[0], &c->din[0], c->dmode[0] == GRAFT_ADD);
}

const struct graft_op graft_row_reorder = {
    .name = "Reorder", .domain = "graft", .since = 1, .arity = {1, 1, 1, 1},
    .flags = GRAFT_OP_STRIDED,
    .grad_in = 1, .forward = reorder_forward, .backward = reorder_backward};
