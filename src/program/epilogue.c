/* Undoing an epilogue y = act(z + bias[c] + residual) before a step's own
 * backward sees its result's gradient:
 *   dz = act'(.) dy   written from y, in place of dy where nobody sees it
 *   db[c] += sum dz   over images and positions
 *   dr += dz
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

enum { PIECE = 1 << 15 }; /* elements of one task */

struct undoing {
    struct graft_act act;
    const real *y, *dy;
    real *dz;
    int64_t n;
};

/* Factor of dy, from the activation's output y. */
typedef real slope_fn(const struct graft_act *a, real y);

static real slope_one(const struct graft_act *a, real y)
{
    (void)a, (void)y;
    return 1;
}
static real slope_relu(const struct graft_act *a, real y)
{
    (void)a;
    return y > 0;
}
static real slope_sigmoid(const struct graft_act *a, real y)
{
    (void)a;
    return y * (1 - y);
}
static real slope_hardsigmoid(const struct graft_act *a, real y)
{
    return y > 0 && y < 1 ? a->a : 0;
}

/* The others need their input and are never fused where this runs. */
static slope_fn *const slopes[GRAFT_ACT_COUNT] = {
    [GRAFT_ACT_NONE] = slope_one,
    [GRAFT_ACT_RELU] = slope_relu,
    [GRAFT_ACT_CLIP] = slope_one,
    [GRAFT_ACT_SIGMOID] = slope_sigmoid,
    [GRAFT_ACT_HARDSIGMOID] = slope_hardsigmoid,
    [GRAFT_ACT_HARDSWISH] = slope_one,
    [GRAFT_ACT_SWISH] = slope_one};

static void undo_piece(void *ctx, int64_t task, int worker)
{
    const struct undoing *u = ctx;
    slope_fn *slope = slopes[u->act.kind];
    int64_t last = (task + 1) * PIECE < u->n ? (task + 1) * PIECE : u->n;
    (void)worker;
    for (int64_t i = task * PIECE; i < last; i++)
        u->dz[i] = u->dy[i] * slope(&u->act, u->y[i]);
}

struct summing {
    const real *dz;
    real *db;
    int64_t outer, channels, inner; /* dz: [outer, channels, inner] */
    bool add;
};

/* A channel is one task: the order of its sum does not depend on threads. */
static void sum_channel(void *ctx, int64_t c, int worker)
{
    const struct summing *x = ctx;
    double sum = 0;
    (void)worker;
    for (int64_t o = 0; o < x->outer; o++)
        for (int64_t i = 0; i < x->inner; i++)
            sum += (double)x->dz[(o * x->channels + c) * x->inner + i];
    x->db[c] = (real)(x->add ? (double)x->db[c] + sum : sum);
}

static void sum_bias(struct graft_program *p, const struct graft_step *s,
                     const struct graft_view *dz)
{
    struct graft_view db = graft_gradient_view(p, s->fuse.bias);
    int rank = dz->shape.rank, channel = rank >= 3 ? 1 : rank - 1;
    struct summing x = {graft_reals(dz), graft_reals(&db),
                        graft_shape_span(&dz->shape, 0, channel),
                        dz->shape.dim[channel],
                        graft_shape_span(&dz->shape, channel + 1, rank),
                        s->fuse.dbias_mode == GRAFT_ADD};
    if (dz->fmt.layout == GRAFT_IMAGE) { /* [N, H, W, C] */
        x.outer *= x.inner;
        x.inner = 1;
    }
    graft_pool_for(p->rt->pool, x.channels, sum_channel, &x);
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
        struct undoing u = {s->fuse.act, graft_reals(&s->rout[0]),
                            graft_reals(dout), graft_reals(dout),
                            graft_count(dout)};
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
