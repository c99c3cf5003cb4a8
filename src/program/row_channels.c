/* The internal row Channels: each output is made of channels of the inputs,
 * taken from anywhere. What the recognise pass makes of Concat, Split and
 * channel shuffles in a row.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/blocked.h"
#include "ops/channels.h"
#include "program/compiler.h"

static int plan(struct graft_plan *p)
{
    return graft_plan_channels(p);
}

/* One output of a run. */
struct gathering {
    const struct graft_call *call;
    const struct graft_channel_source *source;
    const struct graft_view *y;
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
        struct gathering g = {c, a->source[k], y};
        if (graft_is_c16(y))
            graft_move_channels(c, y, found_at, &g);
        else
            graft_pool_for(c->pool, y->shape.dim[0] * y->shape.dim[1],
                           copy_plane, &g);
    }
}

const struct graft_op graft_row_channels = {
    .name = "Channels", .domain = "graft", .since = 1,
    .arity = {1, -1, 1, -1}, .flags = GRAFT_OP_STRIDED,
    .args_size = sizeof(struct graft_channel_args),
    .plan = plan, .forward = forward};
