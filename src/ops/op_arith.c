/* Arithmetic of two (or, for Sum, Max, Min, any number of) values with
 * numpy's broadcasting. args: struct args.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ops/arith_blocked.h"
#include "ops/common.h"
#include "ops/walk.h"

struct args {
    enum graft_binary kind;
};

static int set(struct graft_parse *p, enum graft_binary kind)
{
    ((struct args *)p->args)->kind = kind;
    return GRAFT_OK;
}

static int parse_add(struct graft_parse *p) { return set(p, GRAFT_ADD2); }
static int parse_sub(struct graft_parse *p) { return set(p, GRAFT_SUB2); }
static int parse_mul(struct graft_parse *p) { return set(p, GRAFT_MUL2); }
static int parse_div(struct graft_parse *p) { return set(p, GRAFT_DIV2); }
static int parse_max(struct graft_parse *p) { return set(p, GRAFT_MAX2); }
static int parse_min(struct graft_parse *p) { return set(p, GRAFT_MIN2); }
static int parse_pow(struct graft_parse *p) { return set(p, GRAFT_POW2); }

/* Base and exponent may have different types; the base's is the result's. */
static int infer_pow(struct graft_infer *f)
{
    return graft_infer_broadcast(f);
}

static int infer_reals(struct graft_infer *f)
{
    for (int i = 0; i < f->n_in; i++) {
        int status = graft_infer_real(f, i);
        if (status)
            return status;
    }
    return graft_infer_broadcast(f);
}

/* All integers or all reals. An integer division by a known zero has no
 * answer. */
static int infer_any(struct graft_infer *f)
{
    const struct args *args = f->args;
    bool ints = graft_dtype_is_int((int)f->in[0].dtype);
    for (int i = 0; i < f->n_in; i++)
        if (ints != graft_dtype_is_int((int)f->in[i].dtype))
            return graft_infer_fail(f, GRAFT_ESHAPE, "input 0 holds %s, "
                                    "input %d %s",
                                    graft_dtype_name((int)f->in[0].dtype), i,
                                    graft_dtype_name((int)f->in[i].dtype));
    const struct graft_host *by = f->n_in == 2 ? f->in[1].host : NULL;
    int64_t n = by ? graft_shape_count(&by->shape) : 0;
    for (int64_t i = 0; i < n; i++)
        if (args->kind == GRAFT_DIV2 && by->ints && by->ints[i] == 0)
            return graft_infer_fail(f, GRAFT_EFORMAT, "integer division by "
                                    "zero (input 1, element %lld)",
                                    (long long)i);
    return graft_infer_broadcast(f);
}

/* ---- integers -------------------------------------------------------- */

/* Two's complement arithmetic throughout: no overflow traps. */
static int64_t ints_of(enum graft_binary kind, int64_t a, int64_t b)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (kind) {
    case GRAFT_ADD2: return (int64_t)(x + y);
    case GRAFT_SUB2: return (int64_t)(x - y);
    case GRAFT_MUL2: return (int64_t)(x * y);
    case GRAFT_MAX2: return a > b ? a : b;
    case GRAFT_MIN2: return a < b ? a : b;
    case GRAFT_DIV2: /* truncates; by zero: 0; by -1 never overflows */
        return b == 0 ? 0 : b == -1 ? (int64_t)(0 - x) : a / b;
    default: return 0;
    }
}

struct job {
    const struct graft_call *c;
    enum graft_binary kind;
    struct graft_walk walk; /* a, b */
    const void *a, *b;
    void *y;
};

static void int_piece(const void *ctx, int64_t n, int64_t at,
                      const int64_t *offset)
{
    const struct job *j = ctx;
    int last = j->walk.rank - 1;
    int64_t sa = j->walk.stride[0][last], sb = j->walk.stride[1][last];
    const int64_t *a = (const int64_t *)j->a + offset[0];
    const int64_t *b = (const int64_t *)j->b + offset[1];
    int64_t *y = (int64_t *)j->y + at;
    for (int64_t i = 0; i < n; i++)
        y[i] = ints_of(j->kind, a[i * sa], b[i * sb]);
}

/* ---- reals ----------------------------------------------------------- */

static void real_piece(const void *ctx, int64_t n, int64_t at,
                       const int64_t *offset)
{
    const struct job *j = ctx;
    int last = j->walk.rank - 1;
    struct graft_operand a = {(const real *)j->a + offset[0],
                              j->walk.stride[0][last] == 0};
    struct graft_operand b = {(const real *)j->b + offset[1],
                              j->walk.stride[1][last] == 0};
    j->c->k->pointwise.binary[j->kind](n, a, b, (real *)j->y + at);
}

static void equal_block(const void *ctx, int64_t first, int64_t n)
{
    const struct job *j = ctx;
    struct graft_operand a = {(const real *)j->a + first, false};
    struct graft_operand b = {(const real *)j->b + first, false};
    j->c->k->pointwise.binary[j->kind](n, a, b, (real *)j->y + first);
}

/* y = a op b, y shaped like the output */
static void apply(const struct graft_call *c, const struct graft_view *a,
                  const struct graft_view *b)
{
    const struct graft_view *y = &c->out[0];
    bool ints = y->fmt.dtype != GRAFT_REAL;
    struct job j = {.c = c, .kind = ((const struct args *)c->args)->kind,
                    .a = a->data, .b = b->data, .y = y->data};
    if (!ints && graft_shape_equal(&a->shape, &y->shape) &&
        graft_shape_equal(&b->shape, &y->shape)) {
        graft_each_block(c->pool, graft_count(y), equal_block, &j);
        return;
    }
    graft_walk_init(&j.walk, &y->shape);
    graft_walk_add_broadcast(&j.walk, &a->shape);
    graft_walk_add_broadcast(&j.walk, &b->shape);
    graft_walk_merge(&j.walk);
    graft_walk_each(&j.walk, c->pool, ints ? int_piece : real_piece, &j);
}

static void forward(const struct graft_call *c)
{
    if (c->out[0].fmt.layout == GRAFT_C16)
        graft_binary_blocked(c, ((const struct args *)c->args)->kind);
    else
        apply(c, &c->in[0], &c->in[1]);
}

static void broadcast_first(const struct graft_call *c)
{
    struct graft_move m = {
        .size = graft_dtype_size((int)c->out[0].fmt.dtype),
        .dst = c->out[0].data, .src = c->in[0].data};
    int64_t dense[GRAFT_MAX_RANK];
    graft_walk_init(&m.walk, &c->out[0].shape);
    graft_dense_strides(dense, &c->out[0].shape);
    graft_walk_add(&m.walk, dense);
    graft_walk_add_broadcast(&m.walk, &c->in[0].shape);
    graft_walk_merge(&m.walk);
    graft_move_run(&m, c->pool);
}

/* Any number of inputs: the output takes them up one by one. */
static void forward_many(const struct graft_call *c)
{
    if (c->n_in == 1) {
        broadcast_first(c);
        return;
    }
    apply(c, &c->in[0], &c->in[1]);
    for (int i = 2; i < c->n_in; i++)
        apply(c, &c->out[0], &c->in[i]);
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

static void pow_piece(const void *ctx, int64_t n, int64_t at,
                      const int64_t *offset)
{
    const struct job *j = ctx;
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
    struct job j = {.c = c, .a = a->data, .b = b->data, .y = c->out[0].data};
    if (a->fmt.dtype == GRAFT_REAL && b->fmt.dtype == GRAFT_REAL) {
        forward(c);
        return;
    }
    graft_walk_init(&j.walk, &c->out[0].shape);
    graft_walk_add_broadcast(&j.walk, &a->shape);
    graft_walk_add_broadcast(&j.walk, &b->shape);
    graft_walk_merge(&j.walk);
    graft_walk_each(&j.walk, c->pool, pow_piece, &j);
}

/* ---- backward -------------------------------------------------------- */

struct back {
    const struct graft_call *c;
    enum graft_binary kind;
    int which; /* the input whose gradient this is */
};

static const real *terms(const struct graft_fold *f, int64_t n, int64_t at,
                         const int64_t *offset, real *room)
{
    const struct back *b = f->ctx;
    int last = f->walk.rank - 1;
    struct graft_operand x[2] = {{NULL, false}, {NULL, false}};
    real exponent[GRAFT_FOLD_ROOM];
    for (int i = 0; i < 2; i++) {
        const struct graft_view *in = &b->c->in[i];
        if (!in->data)
            continue;
        x[i].one = f->walk.stride[1 + i][last] == 0;
        x[i].at = graft_reals(in) + offset[1 + i];
        if (in->fmt.dtype == GRAFT_REAL)
            continue;
        for (int64_t k = 0; k < (x[i].one ? 1 : n); k++)
            exponent[k] = (real)graft_ints(in)[offset[1 + i] + k];
        x[i].at = exponent;
    }
    f->k->pointwise.binary_back[b->kind][b->which](
        n, graft_reals(&b->c->dout[0]) + at, x[0], x[1], room);
    return room;
}

/* One input's gradient: the terms, summed where it was broadcast. */
static void back_one(const struct graft_call *c, enum graft_binary kind,
                     int which, const struct graft_view *din, uint8_t dmode)
{
    struct back b = {c, kind, which};
    struct graft_fold f = {.terms = terms, .ctx = &b, .factor = 1,
                           .target = graft_reals(din),
                           .add = dmode == GRAFT_ADD, .k = c->k};
    if (dmode == GRAFT_SKIP)
        return;
    graft_walk_init(&f.walk, &c->dout[0].shape);
    graft_walk_add_broadcast(&f.walk, &din->shape);
    for (int i = 0; i < 2; i++)
        graft_walk_add_broadcast(&f.walk, &c->in[i].shape);
    graft_walk_merge(&f.walk);
    graft_fold_run(&f, c->pool);
}

static void backward(const struct graft_call *c)
{
    enum graft_binary kind = ((const struct args *)c->args)->kind;
    bool linear = kind == GRAFT_ADD2;
    for (int i = 0; i < 2; i++)
        if (linear && graft_shape_equal(&c->in[i].shape, &c->dout[0].shape) &&
            c->dmode[i] != GRAFT_SKIP)
            graft_copy_gradient(c, graft_reals(&c->din[i]),
                                graft_reals(&c->dout[0]),
                                graft_physical_count(&c->dout[0]),
                                c->dmode[i]);
        else
            back_one(c, kind, i, &c->din[i], c->dmode[i]);
}

static const real *dout_itself(const struct graft_fold *f, int64_t n,
                               int64_t at, const int64_t *offset, real *room)
{
    const struct graft_call *c = f->ctx;
    (void)n, (void)offset, (void)room;
    return graft_reals(&c->dout[0]) + at;
}

/* Sum: every input gets dy, summed where it was broadcast. */
static void backward_sum(const struct graft_call *c)
{
    for (int i = 0; i < c->n_in; i++) {
        struct graft_fold f = {.terms = dout_itself, .ctx = c, .factor = 1,
                               .target = graft_reals(&c->din[i]),
                               .add = c->dmode[i] == GRAFT_ADD, .k = c->k};
        if (c->dmode[i] == GRAFT_SKIP)
            continue;
        graft_walk_init(&f.walk, &c->dout[0].shape);
        graft_walk_add_broadcast(&f.walk, &c->in[i].shape);
        graft_walk_merge(&f.walk);
        graft_fold_run(&f, c->pool);
    }
}

/* ---- rows ------------------------------------------------------------ */

enum { ANY = -1, IN_PLACE = GRAFT_OP_INPLACE | GRAFT_OP_HOST };
#define TWO .domain = "", .arity = {2, 2, 1, 1},                            \
    .args_size = sizeof(struct args), .plan = graft_plan_binary,            \
    .forward = forward
#define MANY .domain = "", .arity = {1, ANY, 1, 1},                         \
    .args_size = sizeof(struct args), .forward = forward_many

const struct graft_op graft_op_arith[] = {
    {.name = "Add", .since = 7, TWO, .flags = IN_PLACE | GRAFT_OP_RESIDUAL,
     .parse = parse_add, .infer = infer_any, .grad_in = 3,
     .backward = backward},
    {.name = "Sub", .since = 7, TWO, .flags = IN_PLACE, .parse = parse_sub,
     .infer = infer_any, .grad_in = 3, .backward = backward},
    {.name = "Mul", .since = 7, TWO, .flags = IN_PLACE, .parse = parse_mul,
     .infer = infer_any, .saves_in = 3, .grad_in = 3, .backward = backward},
    {.name = "Div", .since = 7, TWO, .flags = IN_PLACE, .parse = parse_div,
     .infer = infer_any, .saves_in = 3, .grad_in = 3, .backward = backward},
    {.name = "Pow", .since = 7, .domain = "", .arity = {2, 2, 1, 1},
     .args_size = sizeof(struct args), .flags = IN_PLACE,
     .parse = parse_pow, .infer = infer_pow, .saves_in = 3, .grad_in = 1,
     .forward = forward_pow, .backward = backward},
    {.name = "Sum", .since = 8, MANY, .parse = parse_add,
     .infer = infer_reals, .grad_in = UINT32_MAX, .backward = backward_sum},
    {.name = "Max", .since = 8, MANY, .flags = GRAFT_OP_HOST,
     .parse = parse_max, .infer = infer_any},
    {.name = "Min", .since = 8, MANY, .flags = GRAFT_OP_HOST,
     .parse = parse_min, .infer = infer_any},
    {.name = NULL},
};
