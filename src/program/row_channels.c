/* The internal row Channels: each output is made of channels of the inputs,
 * taken from anywhere. What the recognise pass makes of Concat, Split and
 * channel shuffles in a row.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/blocked.h"
#include "ops/channels.h"
#include "program/compiler.h"

/* Where the channels of the inputs went: a list for each of them, since a
 * channel may be used several times. */
struct use {
    int32_t output, channel, next; /* next: of the same channel, -1: none */
};
struct inverse {
    struct use *use;
    int32_t **head;  /* [input][its channel], -1: nowhere */
    int *most;       /* [input] longest list */
};

static int add_uses(struct inverse *v, const struct graft_plan *p)
{
    const struct graft_channel_args *a = p->args;
    int32_t n = 0;
    for (int k = p->n_out - 1; k >= 0; k--)
        for (int64_t c = p->out[k].shape.dim[1] - 1; c >= 0; c--) {
            const struct graft_channel_source *s = &a->source[k][c];
            int32_t *head = &v->head[s->input][s->channel];
            v->use[n] = (struct use){(int32_t)k, (int32_t)c, *head};
            *head = n++;
        }
    for (int i = 0; i < p->n_in; i++)
        for (int64_t c = 0; c < p->in[i].shape.dim[1]; c++) {
            int length = 0;
            for (int32_t u = v->head[i][c]; u >= 0; u = v->use[u].next)
                length++;
            v->most[i] = length > v->most[i] ? length : v->most[i];
        }
    return GRAFT_OK;
}

static int invert(struct graft_plan *p)
{
    struct inverse *v = graft_arena_alloc(p->arena, sizeof *v);
    size_t uses = 0, inputs = (size_t)p->n_in;
    for (int k = 0; k < p->n_out; k++)
        uses += (size_t)p->out[k].shape.dim[1];
    if (!v)
        return GRAFT_EMEM;
    v->use = graft_arena_array(p->arena, uses + 1, sizeof *v->use);
    v->head = graft_arena_array(p->arena, inputs, sizeof *v->head);
    v->most = graft_arena_array(p->arena, inputs, sizeof *v->most);
    if (!v->use || !v->head || !v->most)
        return GRAFT_EMEM;
    for (size_t i = 0; i < inputs; i++) {
        size_t n = (size_t)p->in[i].shape.dim[1];
        v->head[i] = graft_arena_array(p->arena, n + 1, sizeof **v->head);
        if (!v->head[i])
            return GRAFT_EMEM;
        memset(v->head[i], 0xff, n * sizeof **v->head);
    }
    p->chosen = v;
    return add_uses(v, p);
}

static int plan(struct graft_plan *p)
{
    int status = graft_plan_channels(p);
    return status || !p->training ? status : invert(p);
}

/* One output of a run; of a gradient, one input. */
struct gathering {
    const struct graft_call *call;
    const struct graft_channel_source *source;
    const struct graft_view *y;
    int input, turn; /* gradient: use number `turn` of each channel */
};

static const struct graft_view *found_at(const void *ctx, int64_t c,
                                         int64_t *channel)
{
    const struct gathering *g = ctx;
    *channel = g->source[c].channel;
    return &g->call->in[g->source[c].input];
}

static void copy_plane(void *ctx, int64_t task, int worker)
{
    const struct gathering *g = ctx;
    int64_t channels = g->y->shape.dim[1], image = task / channels, from;
    const struct graft_view *x = found_at(g, task % channels, &from);
    int64_t area = graft_area_of(g->y);
    (void)worker;
    memcpy(graft_reals(g->y) + task * area,
           graft_reals(x) + (image * x->shape.dim[1] + from) * area,
           (size_t)area * sizeof(real));
}

static void forward(const struct graft_call *c)
{
    const struct graft_channel_args *a = c->args;
    for (int k = 0; k < c->n_out; k++) {
        const struct graft_view *y = &c->out[k];
        struct gathering g = {c, a->source[k], y, 0, 0};
        if (!y->data)
            continue;
        if (graft_is_c16(y))
            graft_move_channels(c, y, found_at, &g);
        else
            graft_pool_for(c->pool, y->shape.dim[0] * y->shape.dim[1],
                           copy_plane, &g);
    }
}

/* ---- backward ------------------------------------------------------------ */

/* Where channel c of an input went the turn-th time; outputs without gradient
 * do not count. */
static const struct graft_view *used_at(const void *ctx, int64_t c,
                                        int64_t *channel)
{
    const struct gathering *g = ctx;
    const struct inverse *v = g->call->chosen;
    int turn = g->turn;
    for (int32_t u = v->head[g->input][c]; u >= 0; u = v->use[u].next) {
        const struct graft_view *dy = &g->call->dout[v->use[u].output];
        if (!dy->data || turn--)
            continue;
        *channel = v->use[u].channel;
        return dy;
    }
    return NULL;
}

static void add_plane(void *ctx, int64_t task, int worker)
{
    const struct gathering *g = ctx;
    int64_t channels = g->y->shape.dim[1], image = task / channels, from;
    int64_t area = graft_area_of(g->y);
    const struct graft_view *dy = used_at(g, task % channels, &from);
    real *to = graft_reals(g->y) + task * area;
    bool add = g->turn || g->call->dmode[g->input] == GRAFT_ADD;
    (void)worker;
    if (!dy && !add)
        memset(to, 0, (size_t)area * sizeof *to);
    if (!dy)
        return;
    const real *x = graft_reals(dy) +
                    (image * dy->shape.dim[1] + from) * area;
    for (int64_t i = 0; i < area; i++)
        to[i] = add ? to[i] + x[i] : x[i];
}

static void backward(const struct graft_call *c)
{
    const struct inverse *v = c->chosen;
    for (int i = 0; i < c->n_in; i++) {
        struct gathering g = {c, NULL, &c->din[i], i, 0};
        const struct graft_shape *s = &c->din[i].shape;
        if (c->dmode[i] == GRAFT_SKIP)
            continue;
        do {
            if (graft_is_c16(g.y))
                graft_move_gradient(c, g.y, used_at, &g,
                                    g.turn ? GRAFT_ADD : c->dmode[i]);
            else
                graft_pool_for(c->pool, s->dim[0] * s->dim[1], add_plane,
                               &g);
        } while (++g.turn < v->most[i]);
    }
}

const struct graft_op graft_row_channels = {
    .name = "Channels", .domain = "graft", .since = 1,
    .arity = {1, -1, 1, -1},
    .flags = GRAFT_OP_STRIDED | GRAFT_OP_BACK_BLOCKED,
    .args_size = sizeof(struct graft_channel_args), .grad_in = UINT32_MAX,
    .plan = plan, .forward = forward, .backward = backward};
