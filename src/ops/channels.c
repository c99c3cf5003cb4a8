/* Rows that only move channels, over C16: whole blocks are copied, others
 * lane by lane.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/channels.h"

#include "ops/blocked.h"

int graft_plan_channels(struct graft_plan *p)
{
    bool any = false;
    for (int i = 0; i < p->n_in; i++) {
        bool read = i >= 32 || !(p->op->host_in >> i & 1);
        if (!p->in[i].present || !read)
            continue;
        if (p->in[i].is_param || p->in[i].shape.rank < 3 ||
            p->in[i].dtype != GRAFT_REAL)
            return GRAFT_OK;
        any |= graft_plan_is_blocked(p, i);
    }
    if (!any)
        return GRAFT_OK;
    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].present && (i >= 32 || !(p->op->host_in >> i & 1)))
            p->in_layout[i] = GRAFT_C16;
    for (int k = 0; k < p->n_out; k++)
        p->out_layout[k] = GRAFT_C16;
    return GRAFT_OK;
}

struct job {
    const struct graft_call *c;
    const struct graft_view *y;
    graft_channel_fn *from;
    const void *ctx;
    bool add;
};

static void one_block(const void *ctx, int64_t image, int64_t b)
{
    const struct job *j = ctx;
    const real *lane[16], *base[16];
    for (int l = 0; l < 16; l++) {
        int64_t c = 16 * b + l, at;
        const struct graft_view *x =
            c < j->y->shape.dim[1] ? j->from(j->ctx, c, &at) : NULL;
        base[l] = x ? graft_block_at(x, image, at / 16) : NULL;
        lane[l] = x ? base[l] + at % 16 : NULL;
    }
    (j->add ? j->c->k->lanes.gather_add : j->c->k->lanes.gather)(
        graft_block_at(j->y, image, b), lane, base, graft_area_of(j->y));
}

void graft_move_channels(const struct graft_call *c,
                         const struct graft_view *y, graft_channel_fn *from,
                         const void *ctx)
{
    struct job j = {c, y, from, ctx, false};
    graft_each_lane_block(c->pool, y, one_block, &j);
}

void graft_move_gradient(const struct graft_call *c,
                         const struct graft_view *y, graft_channel_fn *from,
                         const void *ctx, uint8_t dmode)
{
    struct job j = {c, y, from, ctx, dmode == GRAFT_ADD};
    if (dmode != GRAFT_SKIP)
        graft_each_lane_block(c->pool, y, one_block, &j);
}
