/* Add, Sub, Mul, Div, Pow. args: struct graft_arith.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ops/arith.h"
#include "ops/arith_blocked.h"
#include "ops/common.h"
#include "ops/walk.h"

static int parse_add(struct graft_parse *p)
{
    return graft_arith_set(p, GRAFT_ADD2);
}
static int parse_sub(struct graft_parse *p)
{
    return graft_arith_set(p, GRAFT_SUB2);
}
static int parse_mul(struct graft_parse *p)
{
    return graft_arith_set(p, GRAFT_MUL2);
}
static int parse_div(struct graft_parse *p)
{
    return graft_arith_set(p, GRAFT_DIV2);
}
static int parse_pow(struct graft_parse *p)
{
    return graft_arith_set(p, GRAFT_POW2);
}

/* Base and exponent may have different types; the base's is the result's. */
static int infer_pow(struct graft_infer *f)
{
    return graft_infer_broadcast(f);
}

/* ---- Pow with integers --------------------------------------------------- */

static int64_t int_power(int64_t base, int64_t n)
{
    uint64_t x = (uint64_t)base, y = 1;
    if (n < 0)
        return base == 1 ? 1 : base == -1 ? (n % 2 ? -1 : 1) : 0;
    for (; n; n >>= 1, x *= x)
        y = n & 1 ? y * x : y;
    return (int64_t)y;
}

static int64_t truncate(double x)
{
    return x >= 0x1p63 ? INT64_MAX : x >= -0x1p63 ? (int64_t)x : INT64_MIN;
}

struct powers {
    const struct graft_call *c;
    struct graft_walk walk; /* a, b */
    const void *a, *b;
    void *y;
};

static void pow_piece(const void *ctx, int64_t n, int64_t at,
                      const int64_t *offset)
{
    const struct powers *j = ctx;
    int last = j->walk.rank - 1;
    bool a_int = j->c->in[0].fmt.dtype != GRAFT_REAL;
    bool b_int = j->c->in[1].fmt.dtype != GRAFT_REAL;
    for (int64_t i = 0; i < n; i++) {
        int64_t p = offset[0] + i * j->walk.stride[0][last];
        int64_t q = offset[1] + i * j->walk.stride[1][last];
        const int64_t *m = j->a, *k = j->b;
        if (a_int && b_int) {
            ((int64_t *)j->y)[at + i] = int_power(m[p], k[q]);
            continue;
        }
        double e = b_int ? (double)k[q] : (double)((const real *)j->b)[q];
        if (a_int)
            ((int64_t *)j->y)[at + i] = truncate(pow((double)m[p], e));
        else
            ((real *)j->y)[at + i] =
                (real)pow((double)((const real *)j->a)[p], e);
    }
}

static void forward_pow(const struct graft_call *c)
{
    const struct graft_view *a = &c->in[0], *b = &c->in[1];
    struct powers j = {.c = c, .a = a->data, .b = b->data,
                       .y = c->out[0].data};
    if (a->fmt.dtype == GRAFT_REAL && b->fmt.dtype == GRAFT_REAL) {
        graft_arith_apply(c, a, b);
        return;
    }
    graft_walk_init(&j.walk, &c->out[0].shape);
    graft_walk_add_broadcast(&j.walk, &a->shape);
    graft_walk_add_broadcast(&j.walk, &b->shape);
    graft_walk_merge(&j.walk);
    graft_walk_each(&j.walk, c->pool, pow_piece, &j);
}

/* ---- rows ------------------------------------------------------------ */

enum { IN_PLACE = GRAFT_OP_INPLACE | GRAFT_OP_HOST };
#define TWO .since = 7, .domain = "", .arity = {2, 2, 1, 1},                \
    .args_size = sizeof(struct graft_arith), .plan = graft_plan_binary,     \
    .infer = graft_arith_infer, .forward = graft_arith_forward,             \
    .backward = graft_arith_backward, .grad_in = 3
enum { FLAGS = IN_PLACE | GRAFT_OP_BACK_BLOCKED };

const struct graft_op graft_op_arith[] = {
    {.name = "Add", TWO, .flags = FLAGS | GRAFT_OP_RESIDUAL,
     .parse = parse_add},
    {.name = "Sub", TWO, .flags = FLAGS, .parse = parse_sub},
    {.name = "Mul", TWO, .flags = FLAGS, .parse = parse_mul, .saves_in = 3,
     .saves_for = {2, 1}},
    {.name = "Div", TWO, .flags = FLAGS, .parse = parse_div, .saves_in = 3,
     .saves_for = {2}},
    {.name = "Pow", .since = 7, .domain = "", .arity = {2, 2, 1, 1},
     .args_size = sizeof(struct graft_arith), .flags = IN_PLACE,
     .parse = parse_pow, .infer = infer_pow, .saves_in = 3, .grad_in = 3,
     .forward = forward_pow, .backward = graft_arith_backward},
    {.name = NULL},
};
