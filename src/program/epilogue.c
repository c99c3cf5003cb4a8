/* Undoing an epilogue y = act(z + bias[c] + residual) before a step's own
 * backward sees its result's gradient:
 *   dz = act'(.) dy   written from y, in place of dy where nobody sees it
 *   db[c] += sum dz   over images and positions
 *   dr += dz
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/blocked.h"
#include "ops/common.h"
#include "program/program_impl.h"

enum { PIECE = 1 << 15 }; /* elements of one task */

struct undoing {
    struct graft_act act;
    graft_act_back_fn *back;
    const real *y, *dy;
    real *dz;
    int64_t n;
};

static void undo_piece(void *ctx, int64_t task, int worker)
{
    const struct undoing *u = ctx;
    int64_t at = task * PIECE, n = u->n - at < PIECE ? u->n - at : PIECE;
    (void)worker;
    u->back(u->act, n, u->y + at, u->dy + at, u->dz + at);
}

static void sum_bias(struct graft_program *p, const struct graft_step *s,
                     const struct graft_view *dz)
{
    struct graft_view db = graft_gradient_view(p, s->fuse.bias);
    uint8_t mode = p->more ? s->fuse.dbias_more : s->fuse.dbias_mode;
    graft_sum_channels(graft_reals(&db), dz, mode == GRAFT_ADD,
                       p->c.kernels, p->rt->pool);
}

static void pass_residual(struct graft_program *p, struct graft_step *s,
                          const struct graft_view *dz, int n)
{
    int r = s->fuse.residual;
    struct graft_view dr = graft_image_range(p, r, graft_gradient_view(p, r),
                                             0, n);
    struct graft_call copy = {.n = n, .n_in = 1, .n_out = 1, .din = &dr,
                              .dout = dz, .dmode = &s->fuse.dresidual_mode,
                              .pool = p->rt->pool};
    graft_row_copy.backward(&copy);
}

void graft_epilogue_undo(struct graft_program *p, struct graft_step *s,
                         int n)
{
    struct graft_view *dout = &s->rdout[0];
    if (s->fuse.act.kind != GRAFT_ACT_NONE) {
        struct undoing u = {
            s->fuse.act, p->c.kernels->pointwise.act_back[s->fuse.act.kind],
            graft_reals(&s->rout[0]), graft_reals(dout), graft_reals(dout),
            graft_physical_count(dout)};
        if (s->dz >= 0)
            u.dz = (real *)(void *)(p->block +
                                    p->c.buffer.at[s->dz].offset);
        graft_pool_for(p->rt->pool, (u.n + PIECE - 1) / PIECE, undo_piece,
                       &u);
        dout->data = u.dz;
    }
    if (s->fuse.dbias_mode != GRAFT_SKIP && s->fuse.bias >= 0)
        sum_bias(p, s, dout);
    if (s->fuse.residual >= 0)
        pass_residual(p, s, dout, n);
}
