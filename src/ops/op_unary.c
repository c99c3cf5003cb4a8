/* Unary arithmetic, element by element. args: struct args.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/blocked.h"
#include "ops/common.h"

struct args {
    enum graft_unary kind;
    float alpha; /* LeakyRelu */
};

static int set(struct graft_parse *p, enum graft_unary kind)
{
    ((struct args *)p->args)->kind = kind;
    return GRAFT_OK;
}

static int parse_neg(struct graft_parse *p) { return set(p, GRAFT_NEG); }
static int parse_abs(struct graft_parse *p) { return set(p, GRAFT_ABS); }
static int parse_sqrt(struct graft_parse *p) { return set(p, GRAFT_SQRT); }
static int parse_exp(struct graft_parse *p) { return set(p, GRAFT_EXP); }
static int parse_log(struct graft_parse *p) { return set(p, GRAFT_LOG); }
static int parse_erf(struct graft_parse *p) { return set(p, GRAFT_ERF); }
static int parse_tanh(struct graft_parse *p) { return set(p, GRAFT_TANH); }
static int parse_inverse(struct graft_parse *p)
{
    return set(p, GRAFT_RECIPROCAL);
}
static int parse_floor(struct graft_parse *p) { return set(p, GRAFT_FLOOR); }
static int parse_ceil(struct graft_parse *p) { return set(p, GRAFT_CEIL); }

static int parse_leaky(struct graft_parse *p)
{
    return graft_attr_float(p, "alpha", 0.01f,
                            &((struct args *)p->args)->alpha);
}

static int infer_real(struct graft_infer *f)
{
    int status = graft_infer_real(f, 0);
    return status ? status : graft_infer_like(f, 0, &f->in[0].shape);
}

static int infer_any(struct graft_infer *f)
{
    return graft_infer_like(f, 0, &f->in[0].shape);
}

/* ---- run --------------------------------------------------------------- */

struct job {
    const struct graft_call *c;
    const struct args *args;
    const real *s, *dy;
    real *y;
    void (*back)(const struct job *j, int64_t first, int64_t n, real *dx);
};

static void forward_block(const void *ctx, int64_t first, int64_t n)
{
    const struct job *j = ctx;
    j->c->k->pointwise.unary[j->args->kind](n, j->s + first, j->y + first);
}

static void leaky_block(const void *ctx, int64_t first, int64_t n)
{
    const struct job *j = ctx;
    const real alpha = (real)j->args->alpha;
    for (int64_t i = first; i < first + n; i++)
        j->y[i] = j->s[i] < 0 ? alpha * j->s[i] : j->s[i];
}

static struct job job_of(const struct graft_call *c)
{
    return (struct job){.c = c, .args = c->args, .s = graft_reals(&c->in[0]),
                        .y = graft_reals(&c->out[0])};
}

static void forward_leaky(const struct graft_call *c)
{
    struct job j = job_of(c);
    graft_each_block(c->pool, graft_physical_count(&c->in[0]), leaky_block,
                     &j);
}

static void forward(const struct graft_call *c)
{
    struct job j = job_of(c);
    graft_each_block(c->pool, graft_physical_count(&c->in[0]), forward_block,
                     &j);
    graft_mask_lanes(&c->out[0]);
}

/* -x and |x| of integers; the smallest one stays itself. */
static void forward_any(const struct graft_call *c)
{
    if (c->in[0].fmt.dtype == GRAFT_REAL) {
        forward(c);
        return;
    }
    bool only_negative = ((const struct args *)c->args)->kind == GRAFT_ABS;
    const int64_t *x = graft_ints(&c->in[0]);
    int64_t *y = graft_ints(&c->out[0]), n = graft_count(&c->in[0]);
    for (int64_t i = 0; i < n; i++)
        y[i] = only_negative && x[i] >= 0 ? x[i]
                                          : (int64_t)(0 - (uint64_t)x[i]);
}

static void back_unary(const struct job *j, int64_t first, int64_t n,
                       real *dx)
{
    j->c->k->pointwise.unary_back[j->args->kind](n, j->s + first,
                                                 j->dy + first, dx);
}

/* leaky_relu'(0) = alpha, as in PyTorch */
static void back_leaky(const struct job *j, int64_t first, int64_t n,
                       real *dx)
{
    const real alpha = (real)j->args->alpha;
    for (int64_t i = 0; i < n; i++)
        dx[i] = j->s[first + i] > 0 ? j->dy[first + i]
                                    : alpha * j->dy[first + i];
}

static void backward_block(const void *ctx, int64_t first, int64_t n)
{
    enum { ROOM = 1024 };
    const struct job *j = ctx;
    real dx[ROOM];
    if (j->c->dmode[0] == GRAFT_STORE) {
        j->back(j, first, n, j->y + first);
        return;
    }
    for (int64_t i = first; i < first + n; i += ROOM) {
        int64_t m = first + n - i < ROOM ? first + n - i : ROOM;
        j->back(j, i, m, dx);
        j->c->k->pointwise.add(m, dx, j->y + i);
    }
}

static void run_back(const struct graft_call *c, const struct graft_view *s,
                     void (*back)(const struct job *, int64_t, int64_t,
                                  real *))
{
    struct job j = {c, c->args, graft_reals(s), graft_reals(&c->dout[0]),
                    graft_reals(&c->din[0]), back};
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    graft_each_block(c->pool, graft_physical_count(s), backward_block, &j);
    graft_mask_lanes(&c->din[0]); /* 0 / 0 of Sqrt and Log */
}

/* Floor and Ceil are constant nearly everywhere: zero, as in PyTorch. */
static void zero_block(const void *ctx, int64_t first, int64_t n)
{
    memset((real *)(uintptr_t)ctx + first, 0, (size_t)n * sizeof(real));
}

static void backward_zero(const struct graft_call *c)
{
    if (c->dmode[0] == GRAFT_STORE)
        graft_each_block(c->pool, graft_physical_count(&c->din[0]),
                         zero_block, c->din[0].data);
}

static void backward_in(const struct graft_call *c)
{
    run_back(c, &c->in[0], back_unary);
}

static void backward_out(const struct graft_call *c)
{
    run_back(c, &c->out[0], back_unary);
}

static void backward_leaky(const struct graft_call *c)
{
    run_back(c, &c->in[0], back_leaky);
}

/* ---- rows -------------------------------------------------------------- */

enum {
    IN_PLACE = GRAFT_OP_POINTWISE | GRAFT_OP_INPLACE |
               GRAFT_OP_BACK_BLOCKED,
    KEEPING = IN_PLACE | GRAFT_OP_ZERO_KEEPING
};

#define COMMON .domain = "", .arity = {1, 1, 1, 1},                         \
    .args_size = sizeof(struct args), .plan = graft_plan_follow
#define FROM_IN .saves_in = 1, .grad_in = 1, .backward = backward_in
#define FROM_OUT .saves_out = 1, .grad_in = 1, .backward = backward_out
#define ZERO .grad_in = 1, .backward = backward_zero

const struct graft_op graft_op_unary[] = {
    {.name = "Neg", .since = 6, COMMON, FROM_OUT, .parse = parse_neg,
     .flags = KEEPING | GRAFT_OP_HOST, .infer = infer_any,
     .forward = forward_any},
    {.name = "Abs", .since = 6, COMMON, FROM_IN, .parse = parse_abs,
     .flags = KEEPING | GRAFT_OP_HOST | GRAFT_OP_GRAD_FROM_INPUT,
     .infer = infer_any, .forward = forward_any},
    {.name = "Sqrt", .since = 6, COMMON, FROM_OUT, .parse = parse_sqrt,
     .flags = KEEPING | GRAFT_OP_HOST, .infer = infer_real,
     .forward = forward},
    {.name = "Exp", .since = 6, COMMON, FROM_OUT, .parse = parse_exp,
     .flags = IN_PLACE, .infer = infer_real, .forward = forward},
    {.name = "Log", .since = 6, COMMON, FROM_IN, .parse = parse_log,
     .flags = IN_PLACE | GRAFT_OP_GRAD_FROM_INPUT, .infer = infer_real,
     .forward = forward},
    {.name = "Erf", .since = 9, COMMON, FROM_IN, .parse = parse_erf,
     .flags = KEEPING | GRAFT_OP_GRAD_FROM_INPUT, .infer = infer_real,
     .forward = forward},
    {.name = "Tanh", .since = 6, COMMON, FROM_OUT, .parse = parse_tanh,
     .flags = KEEPING, .infer = infer_real, .forward = forward},
    {.name = "Reciprocal", .since = 6, COMMON, FROM_OUT,
     .parse = parse_inverse, .flags = IN_PLACE, .infer = infer_real,
     .forward = forward},
    {.name = "Floor", .since = 6, COMMON, ZERO, .parse = parse_floor,
     .flags = KEEPING | GRAFT_OP_HOST, .infer = infer_real,
     .forward = forward},
    {.name = "Ceil", .since = 6, COMMON, ZERO, .parse = parse_ceil,
     .flags = KEEPING | GRAFT_OP_HOST, .infer = infer_real,
     .forward = forward},
    {.name = "LeakyRelu", .since = 6, COMMON, .parse = parse_leaky,
     .flags = KEEPING | GRAFT_OP_GRAD_FROM_INPUT, .infer = infer_real,
     .forward = forward_leaky, .saves_in = 1, .grad_in = 1,
     .backward = backward_leaky},
    {.name = NULL},
};
