/* Conv backward: dx, dw and db, over blocked channels (kernels/block_back.h)
 * or over rows (kernels/conv_back.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "kernels/conv_back.h"
#include "ops/blocked.h"
#include "ops/conv.h"

/* ---- plan ---------------------------------------------------------------- */

static const struct graft_pack_kind back_kind = {"block back",
                                                 graft_block_back_pack, NULL};

static void raise(size_t *most, size_t bytes)
{
    if (bytes > *most)
        *most = bytes;
}

bool graft_conv_plan_back(struct graft_plan *p, struct graft_conv_chosen *ch)
{
    int64_t n_max = p->in[0].shape.dim[0];
    ch->n_max = n_max;
    if (p->in[0].marked) {
        graft_block_back_cut(&ch->back, &ch->g, n_max, p->exact,
                             p->in[1].marked, p->k);
        if (!ch->back.phases)
            return false;
        p->back_pack[1] = (struct graft_pack_request){
            .kind = &back_kind, .spec = &ch->back,
            .key = graft_hash(&ch->back, sizeof ch->back).lo,
            .bytes = ch->back.pack_bytes};
        raise(&p->task_scratch, ch->back.scratch);
        raise(&p->scratch, ch->back.shared);
    }
    if (p->in[1].marked) {
        graft_block_grad_cut(&ch->grad, &ch->g, n_max, p->exact, p->k);
        raise(&p->task_scratch, ch->grad.scratch);
        raise(&p->scratch, ch->grad.shared);
    }
    return true;
}

static void pack_plain(void *dst, const struct graft_view *src,
                       const real *scale, const void *spec,
                       struct graft_pool *pool)
{
    const struct graft_conv_packing *p = spec;
    real *w = dst;
    (void)pool;
    for (int64_t m = 0; m < p->m; m++, w += p->depth) {
        graft_view_read(src, m * p->depth, p->depth, w);
        for (int64_t i = 0; scale && i < p->depth; i++)
            w[i] *= scale[m];
    }
}

static const struct graft_pack_kind plain_kind = {"conv plain", pack_plain,
                                                  NULL};

void graft_conv_plan_back_rows(struct graft_plan *p,
                               struct graft_conv_chosen *ch)
{
    if (!p->training)
        return;
    p->scratch = (size_t)graft_conv_back_scratch(&ch->g);
    if (ch->packed && p->in[0].marked)
        p->back_pack[1] = (struct graft_pack_request){
            .kind = &plain_kind, .spec = &ch->packing,
            .key = graft_hash(&ch->packing, sizeof ch->packing).lo,
            .bytes = graft_conv_weights(&ch->g) * sizeof(real)};
}

/* ---- run ----------------------------------------------------------------- */

/* Where dw goes: NULL where nobody asks. */
static real *dw_of(const struct graft_call *c)
{
    if (c->dmode[1] == GRAFT_SKIP)
        return NULL;
    return c->dpack[1] ? c->dpack[1] : graft_reals(&c->din[1]);
}

static void backward_blocked(const struct graft_call *c)
{
    const struct graft_conv_chosen *ch = c->chosen;
    int64_t n = c->dout[0].shape.dim[0];
    struct graft_block_grad_run w = {
        .g = &ch->g, .cut = &ch->grad, .k = c->k, .n = n,
        .n_max = ch->n_max, .x = graft_reals(&c->in[0]),
        .dy = graft_reals(&c->dout[0]), .x_step = graft_image_step(&c->in[0]),
        .dy_step = graft_image_step(&c->dout[0]), .dw = dw_of(c),
        .add = c->dmode[1] == GRAFT_ADD};
    if (w.dw)
        graft_block_grad(&w, c->pool, c->task_scratch, c->task_stride,
                         c->scratch);
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    struct graft_block_back_run x = {
        .back = &ch->back, .k = c->k, .n = n, .dy = w.dy,
        .w = c->back_pack[1], .dy_step = w.dy_step,
        .dx_step = graft_image_step(&c->din[0]),
        .dx = graft_reals(&c->din[0]), .add = c->dmode[0] == GRAFT_ADD};
    graft_block_back_data(&x, c->pool, c->task_scratch, c->task_stride,
                          c->scratch);
}

static void backward_rows(const struct graft_call *c)
{
    const struct graft_conv_chosen *ch = c->chosen;
    bool to_data = c->dmode[0] != GRAFT_SKIP;
    struct graft_conv_back b = {
        .g = &ch->g, .n = c->dout[0].shape.dim[0],
        .x = graft_reals(&c->in[0]), .dy = graft_reals(&c->dout[0]),
        .x_step = graft_image_step(&c->in[0]),
        .dy_step = graft_image_step(&c->dout[0]), .dw = dw_of(c),
        .add_dw = c->dmode[1] == GRAFT_ADD,
        .add_dx = c->dmode[0] == GRAFT_ADD};
    if (to_data) {
        b.w = ch->packed ? c->back_pack[1] : graft_reals(&c->in[1]);
        b.dx = graft_reals(&c->din[0]);
    }
    graft_conv_back_run(&b, c->scratch);
}

void graft_conv_backward(const struct graft_call *c)
{
    const struct graft_conv_chosen *ch = c->chosen;
    if (c->n_in > 2 && c->dmode[2] != GRAFT_SKIP)
        graft_sum_channels(graft_reals(&c->din[2]), &c->dout[0],
                           c->dmode[2] == GRAFT_ADD, c->k, c->pool);
    if (c->dmode[0] == GRAFT_SKIP && c->dmode[1] == GRAFT_SKIP)
        return;
    if (ch->block.way != GRAFT_BLOCK_NONE)
        backward_blocked(c);
    else
        backward_rows(c);
}
