/* Activations that may be fused into other steps: Relu, Clip, Sigmoid,
 * HardSigmoid, HardSwish, Swish. args: struct graft_act.
 * SPDX-License-Identifier: Apache-2.0 */
#include <float.h>

#include "ops/blocked.h"
#include "ops/common.h"

/* ---- parse and infer --------------------------------------------------- */

static int parse_relu(struct graft_parse *p)
{
    ((struct graft_act *)p->args)->kind = GRAFT_ACT_RELU;
    return GRAFT_OK;
}

static int parse_sigmoid(struct graft_parse *p)
{
    ((struct graft_act *)p->args)->kind = GRAFT_ACT_SIGMOID;
    return GRAFT_OK;
}

static int parse_hardswish(struct graft_parse *p)
{
    ((struct graft_act *)p->args)->kind = GRAFT_ACT_HARDSWISH;
    return GRAFT_OK;
}

static int parse_swish(struct graft_parse *p)
{
    float alpha;
    int status = graft_attr_float(p, "alpha", 1, &alpha);
    if (!status)
        *(struct graft_act *)p->args =
            (struct graft_act){GRAFT_ACT_SWISH, alpha, 0};
    return status;
}

static int read_two(struct graft_parse *p, enum graft_act_kind kind,
                    const char *name_a, float fallback_a, const char *name_b,
                    float fallback_b)
{
    float a, b;
    int status = graft_attr_float(p, name_a, fallback_a, &a);
    if (!status)
        status = graft_attr_float(p, name_b, fallback_b, &b);
    if (!status)
        *(struct graft_act *)p->args = (struct graft_act){kind, a, b};
    return status;
}

static int parse_hardsigmoid(struct graft_parse *p)
{
    return read_two(p, GRAFT_ACT_HARDSIGMOID, "alpha", 0.2f, "beta", 0.5f);
}

static int parse_clip(struct graft_parse *p)
{
    return read_two(p, GRAFT_ACT_CLIP, "min", -FLT_MAX, "max", FLT_MAX);
}

static int parse_clip_inputs(struct graft_parse *p)
{
    ((struct graft_act *)p->args)->kind = GRAFT_ACT_CLIP;
    return GRAFT_OK;
}

static int infer_act(struct graft_infer *f)
{
    int status = graft_infer_real(f, 0);
    return status ? status : graft_infer_like(f, 0, &f->in[0].shape);
}

static int infer_clip(struct graft_infer *f)
{
    struct graft_act *act = f->args;
    double low, high;
    int status = graft_infer_scalar(f, 1, "min", -FLT_MAX, &low);
    if (!status)
        status = graft_infer_scalar(f, 2, "max", FLT_MAX, &high);
    if (status)
        return status;
    act->a = (real)low;
    act->b = (real)high;
    return infer_act(f);
}

static struct graft_act act_of(const void *args)
{
    return *(const struct graft_act *)args;
}

/* ---- run --------------------------------------------------------------- */

struct job {
    const struct graft_call *c;
    const real *s, *dy;
    real *y;
};

static void forward_block(const void *ctx, int64_t first, int64_t n)
{
    const struct job *j = ctx;
    struct graft_act act = act_of(j->c->args);
    j->c->k->pointwise.act[act.kind](act, n, j->s + first, j->y + first);
}

static void forward(const struct graft_call *c)
{
    struct job j = {c, graft_reals(&c->in[0]), NULL, graft_reals(&c->out[0])};
    graft_each_block(c->pool, graft_physical_count(&c->in[0]), forward_block,
                     &j);
    if (act_of(c->args).kind != GRAFT_ACT_RELU &&
        act_of(c->args).kind != GRAFT_ACT_HARDSWISH &&
        act_of(c->args).kind != GRAFT_ACT_SWISH)
        graft_mask_lanes(&c->out[0]);
}

static void backward_block(const void *ctx, int64_t first, int64_t n)
{
    const struct job *j = ctx;
    const struct graft_pointwise_kernels *k = &j->c->k->pointwise;
    struct graft_act act = act_of(j->c->args);
    if (j->c->dmode[0] == GRAFT_STORE) {
        k->act_back[act.kind](act, n, j->s + first, j->dy + first,
                              j->y + first);
        return;
    }
    enum { ROOM = 1024 };
    real dx[ROOM];
    for (int64_t i = first; i < first + n; i += ROOM) {
        int64_t m = first + n - i < ROOM ? first + n - i : ROOM;
        k->act_back[act.kind](act, m, j->s + i, j->dy + i, dx);
        k->add(m, dx, j->y + i);
    }
}

/* Unused lanes stay zero: dy is zero there, and no factor is infinite. */
static void backward(const struct graft_call *c)
{
    bool from_input = graft_act_from_input(act_of(c->args).kind);
    const struct graft_view *s = from_input ? &c->in[0] : &c->out[0];
    struct job j = {c, graft_reals(s), graft_reals(&c->dout[0]),
                    graft_reals(&c->din[0])};
    if (c->dmode[0] != GRAFT_SKIP)
        graft_each_block(c->pool, graft_physical_count(s), backward_block,
                         &j);
}

/* ---- rows -------------------------------------------------------------- */

enum {
    IN_PLACE = GRAFT_OP_POINTWISE | GRAFT_OP_INPLACE | GRAFT_OP_BACK_BLOCKED
};

const struct graft_op graft_op_act[] = {
    {.name = "Relu", .domain = "", .since = 6, .arity = {1, 1, 1, 1},
     .flags = IN_PLACE | GRAFT_OP_ZERO_KEEPING, .saves_out = 1, .grad_in = 1,
     .args_size = sizeof(struct graft_act), .parse = parse_relu,
     .infer = infer_act, .plan = graft_plan_follow, .forward = forward,
     .backward = backward, .act = act_of},
    {.name = "Sigmoid", .domain = "", .since = 6, .arity = {1, 1, 1, 1},
     .flags = IN_PLACE, .saves_out = 1, .grad_in = 1,
     .args_size = sizeof(struct graft_act), .parse = parse_sigmoid,
     .infer = infer_act, .plan = graft_plan_follow, .forward = forward,
     .backward = backward, .act = act_of},
    {.name = "HardSigmoid", .domain = "", .since = 6, .arity = {1, 1, 1, 1},
     .flags = IN_PLACE, .saves_out = 1, .grad_in = 1,
     .args_size = sizeof(struct graft_act), .parse = parse_hardsigmoid,
     .infer = infer_act, .plan = graft_plan_follow, .forward = forward,
     .backward = backward, .act = act_of},
    {.name = "HardSwish", .domain = "", .since = 14, .arity = {1, 1, 1, 1},
     .flags = IN_PLACE | GRAFT_OP_ZERO_KEEPING | GRAFT_OP_GRAD_FROM_INPUT,
     .saves_in = 1, .grad_in = 1, .args_size = sizeof(struct graft_act),
     .parse = parse_hardswish, .infer = infer_act,
     .plan = graft_plan_follow, .forward = forward, .backward = backward,
     .act = act_of},
    {.name = "Swish", .domain = "", .since = 24, .arity = {1, 1, 1, 1},
     .flags = IN_PLACE | GRAFT_OP_ZERO_KEEPING | GRAFT_OP_GRAD_FROM_INPUT,
     .saves_in = 1, .grad_in = 1, .args_size = sizeof(struct graft_act),
     .parse = parse_swish, .infer = infer_act, .plan = graft_plan_follow,
     .forward = forward, .backward = backward, .act = act_of},
    {.name = "Clip", .domain = "", .since = 6, .until = 10,
     .arity = {1, 1, 1, 1}, .flags = IN_PLACE | GRAFT_OP_GRAD_FROM_INPUT,
     .saves_in = 1, .grad_in = 1, .args_size = sizeof(struct graft_act),
     .parse = parse_clip, .infer = infer_act, .plan = graft_plan_follow,
     .forward = forward, .backward = backward, .act = act_of},
    {.name = "Clip", .domain = "", .since = 11, .arity = {1, 3, 1, 1},
     .flags = IN_PLACE | GRAFT_OP_GRAD_FROM_INPUT, .saves_in = 1,
     .host_in = 6, .grad_in = 1, .args_size = sizeof(struct graft_act),
     .parse = parse_clip_inputs, .infer = infer_clip,
     .plan = graft_plan_follow, .forward = forward, .backward = backward,
     .act = act_of},
    {.name = NULL},
};
