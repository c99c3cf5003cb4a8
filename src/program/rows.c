/* Internal rows: steps that passes insert and no file contains.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

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

static void copy_forward(const struct graft_call *c)
{
    copy(c->pool, graft_reals(&c->in[0]), graft_reals(&c->out[0]),
         graft_count(&c->out[0]), false);
}

static void copy_backward(const struct graft_call *c)
{
    if (c->dmode[0] != GRAFT_SKIP)
        copy(c->pool, graft_reals(&c->dout[0]), graft_reals(&c->din[0]),
             graft_count(&c->din[0]), c->dmode[0] == GRAFT_ADD);
}

const struct graft_op graft_row_copy = {
    .name = "Copy", .domain = "graft", .since = 1, .arity = {1, 1, 1, 1},
    .flags = GRAFT_OP_VIEW, .grad_in = 1, .forward = copy_forward,
    .backward = copy_backward};

/* ---- reorder: ROW [N,C,H,W] <-> IMAGE [N,H,W,C] ------------------------- */

struct reordering {
    const real *from;
    real *to;
    int64_t channels, pixels;
    bool to_image, add;
};

static void reorder_image(void *ctx, int64_t n, int worker)
{
    const struct reordering *x = ctx;
    int64_t c_n = x->channels, p_n = x->pixels, base = n * c_n * p_n;
    (void)worker;
    for (int64_t c = 0; c < c_n; c++)
        for (int64_t p = 0; p < p_n; p++) {
            int64_t row = base + c * p_n + p, image = base + p * c_n + c;
            real v = x->from[x->to_image ? row : image];
            real *to = &x->to[x->to_image ? image : row];
            *to = x->add ? *to + v : v;
        }
}

static void reorder(struct graft_pool *pool, const struct graft_view *from,
                    const struct graft_view *to, bool add)
{
    const struct graft_shape *s = &from->shape;
    struct reordering x = {graft_reals(from), graft_reals(to), s->dim[1],
                           graft_shape_span(s, 2, s->rank),
                           to->fmt.layout == GRAFT_IMAGE, add};
    graft_pool_for(pool, s->dim[0], reorder_image, &x);
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
    .grad_in = 1, .forward = reorder_forward, .backward = reorder_backward};
