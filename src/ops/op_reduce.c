/* ReduceMean and ReduceSum: sums over axes, in a fixed order.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/blocked.h"
#include "ops/common.h"
#include "ops/pool_back.h"
#include "ops/walk.h"

struct args {
    const int64_t *axes; /* attribute; NULL: an input, or all */
    int n_axes;
    int64_t keep_dims, noop;
    bool mean;
    uint32_t set;        /* bits of the axes that are summed over */
};

/* ---- parse and infer ----------------------------------------------------- */

static int parse_axes(struct graft_parse *p)
{
    struct args *a = p->args;
    int status = graft_attr_int(p, "keepdims", 1, &a->keep_dims);
    return status ? status : graft_attr_ints(p, "axes", &a->axes, &a->n_axes);
}

static int parse_input(struct graft_parse *p)
{
    struct args *a = p->args;
    int status = graft_attr_int(p, "keepdims", 1, &a->keep_dims);
    return status ? status
                  : graft_attr_int(p, "noop_with_empty_axes", 0, &a->noop);
}

static int infer(struct graft_infer *f, bool mean)
{
    const struct graft_shape *in = &f->in[0].shape;
    struct args *a = f->args;
    const int64_t *axes = a->axes;
    int n = a->n_axes;
    a->mean = mean;
    int status = graft_infer_real(f, 0);
    if (!status && !axes)
        status = graft_infer_ints(f, 1, "axes", &axes, &n);
    if (!status)
        status = graft_infer_axes(f, axes, n, in->rank, &a->set);
    if (status)
        return status;
    if (!n && !a->noop)
        a->set = (1u << in->rank) - 1;
    struct graft_shape s = {.rank = 0};
    for (int d = 0; d < in->rank; d++)
        if (!(a->set >> d & 1))
            s.dim[s.rank++] = in->dim[d];
        else if (a->keep_dims)
            s.dim[s.rank++] = 1;
    return graft_infer_apart(f, 0, &s, !(a->set & 1));
}

static int infer_mean(struct graft_infer *f)
{
    return infer(f, true);
}

static int infer_sum(struct graft_infer *f)
{
    return infer(f, false);
}

/* Over C16 a sum over all pixels stays in the block; without those axes the
 * result is [N, C] in ROW. */
static int plan(struct graft_plan *p)
{
    const struct args *a = p->args;
    int rank = p->in[0].shape.rank;
    if (!graft_plan_is_blocked(p, 0) || a->set != (1u << rank) - 4)
        return GRAFT_OK;
    p->in_layout[0] = GRAFT_C16;
    p->out_layout[0] = a->keep_dims ? GRAFT_C16 : GRAFT_ROW;
    return GRAFT_OK;
}

/* ---- run ----------------------------------------------------------------- */

/* The input's space with the output's strides in it: 0 along summed axes. */
static void walk_reduced(struct graft_walk *w, const struct args *a,
                         const struct graft_shape *in)
{
    int64_t stride[GRAFT_MAX_RANK] = {0}, step = 1;
    for (int d = in->rank - 1; d >= 0; d--)
        if (!(a->set >> d & 1)) {
            stride[d] = step;
            step *= in->dim[d];
        }
    graft_walk_init(w, in);
    graft_walk_add(w, stride);
    graft_walk_merge(w);
}

static double factor(const struct args *a, const struct graft_shape *in)
{
    int64_t n = 1;
    for (int d = 0; d < in->rank; d++)
        if (a->set >> d & 1)
            n *= in->dim[d];
    return a->mean ? 1 / (double)n : 1;
}

static const real *input_itself(const struct graft_fold *f, int64_t n,
                                int64_t at, const int64_t *offset, real *room)
{
    (void)n, (void)offset, (void)room;
    return (const real *)f->ctx + at;
}

static void blocked_sum(const void *ctx, int64_t i, int64_t b)
{
    const struct graft_call *c = ctx;
    const struct graft_view *x = &c->in[0], *y = &c->out[0];
    int64_t left = x->shape.dim[1] - 16 * b, lanes = left < 16 ? left : 16;
    real sum[16], *to = graft_reals(y) + i * graft_image_step(y) + 16 * b;
    c->k->lanes.sum(sum, graft_block_at(x, i, b), graft_area_of(x),
                    (real)factor(c->args, &x->shape));
    memcpy(to, sum, (size_t)(graft_is_c16(y) ? 16 : lanes) * sizeof *to);
}

static void forward(const struct graft_call *c)
{
    if (graft_is_c16(&c->in[0])) {
        graft_each_lane_block(c->pool, &c->in[0], blocked_sum, c);
        return;
    }
    struct graft_fold f = {.terms = input_itself, .ctx = c->in[0].data,
                           .factor = factor(c->args, &c->in[0].shape),
                           .target = graft_reals(&c->out[0]), .k = c->k};
    walk_reduced(&f.walk, c->args, &c->in[0].shape);
    graft_fold_run(&f, c->pool);
}

struct spread {
    const struct graft_call *c;
    struct graft_walk walk;
    real factor;
};

/* dx = factor dy, dy repeated along the summed axes */
static void spread_piece(const void *ctx, int64_t n, int64_t at,
                         const int64_t *offset)
{
    const struct spread *s = ctx;
    const struct graft_call *c = s->c;
    int64_t step = s->walk.stride[0][s->walk.rank - 1];
    const real *dy = graft_reals(&c->dout[0]) + offset[0];
    real *dx = graft_reals(&c->din[0]) + at;
    bool add = c->dmode[0] == GRAFT_ADD;
    for (int64_t i = 0; i < n; i++) {
        real g = s->factor * dy[i * step];
        dx[i] = add ? dx[i] + g : g;
    }
}

static void backward(const struct graft_call *c)
{
    struct spread s = {.c = c,
                       .factor = (real)factor(c->args, &c->in[0].shape)};
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    if (graft_is_c16(&c->din[0])) {
        graft_pool_spread(c, factor(c->args, &c->in[0].shape));
        return;
    }
    walk_reduced(&s.walk, c->args, &c->in[0].shape);
    graft_walk_each(&s.walk, c->pool, spread_piece, &s);
}

#define REDUCE .domain = "", .args_size = sizeof(struct args),              \
    .flags = GRAFT_OP_STRIDED | GRAFT_OP_BACK_BLOCKED, .grad_in = 1,        \
    .plan = plan, .forward = forward, .backward = backward

const struct graft_op graft_op_reduce[] = {
    {.name = "ReduceMean", .since = 1, .until = 17, REDUCE,
     .arity = {1, 1, 1, 1}, .parse = parse_axes, .infer = infer_mean},
    {.name = "ReduceMean", .since = 18, REDUCE, .arity = {1, 2, 1, 1},
     .host_in = 2, .parse = parse_input, .infer = infer_mean},
    {.name = "ReduceSum", .since = 1, .until = 12, REDUCE,
     .arity = {1, 1, 1, 1}, .parse = parse_axes, .infer = infer_sum},
    {.name = "ReduceSum", .since = 13, REDUCE, .arity = {1, 2, 1, 1},
     .host_in = 2, .parse = parse_input, .infer = infer_sum},
    {.name = NULL},
};
