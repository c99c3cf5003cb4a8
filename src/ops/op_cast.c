/* Cast, and the rows that compare and choose: Equal, Greater, Less, Not, And,
 * Or, Where. Truth values are integers 0 and 1.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ops/common.h"
#include "ops/walk.h"

/* ---- Cast ---------------------------------------------------------------- */

struct cast_args {
    int64_t to;
};

static int parse_cast(struct graft_parse *p)
{
    struct cast_args *a = p->args;
    int status = graft_attr_int(p, "to", 0, &a->to);
    if (status)
        return status;
    graft_attr_ignore(p, p->opset >= 19 ? "saturate" : "to");
    graft_attr_ignore(p, p->opset >= 24 ? "round_mode" : "to");
    if (a->to < 0 || a->to > INT32_MAX ||
        (!graft_dtype_is_float((int)a->to) && !graft_dtype_is_int((int)a->to)))
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: cast to %s",
                          graft_node_text(p->node),
                          graft_dtype_name(a->to < 0 || a->to > INT32_MAX
                                               ? -1 : (int)a->to));
    return GRAFT_OK;
}

static int infer_cast(struct graft_infer *f)
{
    int64_t to = ((const struct cast_args *)f->args)->to;
    int status = graft_infer_like(f, 0, &f->in[0].shape);
    f->out[0].dtype = graft_dtype_is_float((int)to) ? GRAFT_REAL
                                                    : GRAFT_INT64;
    return status;
}

/* Keeps the low bits that the type has, with its sign. */
static int64_t wrap(int64_t x, int to)
{
    int bits = graft_dtype_bits(to);
    if (to == GRAFT_BOOL)
        return x != 0;
    if (bits >= 64)
        return x;
    uint64_t mask = ((uint64_t)1 << bits) - 1, low = (uint64_t)x & mask;
    bool is_signed = to == GRAFT_INT8 || to == GRAFT_INT16 ||
                     to == GRAFT_INT32;
    if (is_signed && low >> (bits - 1))
        low |= ~mask;
    return (int64_t)low;
}

/* Truncates; what int64 cannot hold becomes its nearest end, NaN 0. */
static int64_t to_int(real x, int to)
{
    double v = (double)x;
    if (to == GRAFT_BOOL)
        return v != 0;
    if (isnan(v))
        return 0;
    int64_t i = v >= 0x1p63 ? INT64_MAX
                : v < -0x1p63 ? INT64_MIN : (int64_t)v;
    return wrap(i, to);
}

struct cast_job {
    struct graft_view x, y;
    int to;
};

static void cast_block(const void *ctx, int64_t first, int64_t n)
{
    const struct cast_job *j = ctx;
    bool from_real = j->x.fmt.dtype == GRAFT_REAL;
    bool to_real = j->y.fmt.dtype == GRAFT_REAL;
    for (int64_t i = first; i < first + n; i++)
        if (to_real)
            graft_reals(&j->y)[i] = (real)graft_ints(&j->x)[i];
        else
            graft_ints(&j->y)[i] =
                from_real ? to_int(graft_reals(&j->x)[i], j->to)
                          : wrap(graft_ints(&j->x)[i], j->to);
}

/* Between float types nothing is done: all are computed in one. */
static void forward_cast(const struct graft_call *c)
{
    struct cast_job j = {c->in[0], c->out[0],
                         (int)((const struct cast_args *)c->args)->to};
    if (j.x.fmt.dtype == GRAFT_REAL && j.y.fmt.dtype == GRAFT_REAL)
        graft_same_forward(c);
    else
        graft_each_block(c->pool, graft_count(&c->out[0]), cast_block, &j);
}

static void backward_cast(const struct graft_call *c)
{
    if (c->dout[0].data && c->dout[0].fmt.dtype == GRAFT_REAL)
        graft_same_backward(c);
}

/* ---- comparisons --------------------------------------------------------- */

struct test_args {
    bool (*ints)(int64_t a, int64_t b);
    bool (*reals)(real a, real b);
};

static bool i_equal(int64_t a, int64_t b) { return a == b; }
static bool r_equal(real a, real b) { return a == b; }
static bool i_greater(int64_t a, int64_t b) { return a > b; }
static bool r_greater(real a, real b) { return a > b; }
static bool i_less(int64_t a, int64_t b) { return a < b; }
static bool r_less(real a, real b) { return a < b; }
static bool i_and(int64_t a, int64_t b) { return a && b; }
static bool i_or(int64_t a, int64_t b) { return a || b; }

static int set(struct graft_parse *p, bool (*ints)(int64_t, int64_t),
               bool (*reals)(real, real))
{
    *(struct test_args *)p->args = (struct test_args){ints, reals};
    return GRAFT_OK;
}

static int parse_equal(struct graft_parse *p)
{
    return set(p, i_equal, r_equal);
}
static int parse_greater(struct graft_parse *p)
{
    return set(p, i_greater, r_greater);
}
static int parse_less(struct graft_parse *p) { return set(p, i_less, r_less); }
static int parse_and(struct graft_parse *p) { return set(p, i_and, NULL); }
static int parse_or(struct graft_parse *p) { return set(p, i_or, NULL); }

static int infer_test(struct graft_infer *f)
{
    const struct test_args *a = f->args;
    bool ints = graft_dtype_is_int((int)f->in[0].dtype);
    if (ints != graft_dtype_is_int((int)f->in[1].dtype) ||
        (!ints && !a->reals))
        return graft_infer_fail(f, GRAFT_ESHAPE, "types %s and %s",
                                graft_dtype_name((int)f->in[0].dtype),
                                graft_dtype_name((int)f->in[1].dtype));
    int status = graft_infer_broadcast(f);
    f->out[0].dtype = GRAFT_INT64;
    return status;
}

struct choice {
    const struct graft_call *c;
    struct graft_walk walk; /* one array for each input */
};

static void test_piece(const void *ctx, int64_t n, int64_t at,
                       const int64_t *offset)
{
    const struct choice *j = ctx;
    const struct test_args *a = j->c->args;
    int last = j->walk.rank - 1;
    int64_t sa = j->walk.stride[0][last], sb = j->walk.stride[1][last];
    const struct graft_view *in = j->c->in;
    int64_t *y = graft_ints(&j->c->out[0]) + at;
    for (int64_t i = 0; i < n; i++) {
        int64_t p = offset[0] + i * sa, q = offset[1] + i * sb;
        y[i] = in[0].fmt.dtype == GRAFT_REAL
                   ? a->reals(graft_reals(&in[0])[p], graft_reals(&in[1])[q])
                   : a->ints(graft_ints(&in[0])[p], graft_ints(&in[1])[q]);
    }
}

static void walk_inputs(struct choice *j, const struct graft_call *c)
{
    j->c = c;
    graft_walk_init(&j->walk, &c->out[0].shape);
    for (int i = 0; i < c->n_in; i++)
        graft_walk_add_broadcast(&j->walk, &c->in[i].shape);
    graft_walk_merge(&j->walk);
}

static void forward_test(const struct graft_call *c)
{
    struct choice j;
    walk_inputs(&j, c);
    graft_walk_each(&j.walk, c->pool, test_piece, &j);
}

static int infer_not(struct graft_infer *f)
{
    if (!graft_dtype_is_int((int)f->in[0].dtype))
        return graft_infer_fail(f, GRAFT_ESHAPE, "input 0 holds %s",
                                graft_dtype_name((int)f->in[0].dtype));
    return graft_infer_like(f, 0, &f->in[0].shape);
}

static void forward_not(const struct graft_call *c)
{
    int64_t n = graft_count(&c->in[0]);
    for (int64_t i = 0; i < n; i++)
        graft_ints(&c->out[0])[i] = !graft_ints(&c->in[0])[i];
}

/* ---- Where: y = condition ? a : b ---------------------------------------- */

static int infer_where(struct graft_infer *f)
{
    bool ints = graft_dtype_is_int((int)f->in[1].dtype);
    if (!graft_dtype_is_int((int)f->in[0].dtype) ||
        ints != graft_dtype_is_int((int)f->in[2].dtype))
        return graft_infer_fail(f, GRAFT_ESHAPE, "types %s, %s, %s",
                                graft_dtype_name((int)f->in[0].dtype),
                                graft_dtype_name((int)f->in[1].dtype),
                                graft_dtype_name((int)f->in[2].dtype));
    int status = graft_infer_broadcast(f);
    f->out[0].dtype = ints ? GRAFT_INT64 : GRAFT_REAL;
    return status;
}

static void where_piece(const void *ctx, int64_t n, int64_t at,
                        const int64_t *offset)
{
    const struct choice *j = ctx;
    const struct graft_call *c = j->c;
    int last = j->walk.rank - 1;
    const int64_t *condition = graft_ints(&c->in[0]) + offset[0];
    for (int64_t i = 0; i < n; i++) {
        int k = condition[i * j->walk.stride[0][last]] ? 1 : 2;
        int64_t from = offset[k] + i * j->walk.stride[k][last];
        if (c->out[0].fmt.dtype == GRAFT_REAL)
            graft_reals(&c->out[0])[at + i] = graft_reals(&c->in[k])[from];
        else
            graft_ints(&c->out[0])[at + i] = graft_ints(&c->in[k])[from];
    }
}

static void forward_where(const struct graft_call *c)
{
    struct choice j;
    walk_inputs(&j, c);
    graft_walk_each(&j.walk, c->pool, where_piece, &j);
}

/* dy goes where the value came from. */
static const real *where_terms(const struct graft_fold *f, int64_t n,
                               int64_t at, const int64_t *offset, real *room)
{
    const struct graft_call *c = f->ctx;
    int64_t step = f->walk.stride[1][f->walk.rank - 1];
    const int64_t *condition = graft_ints(&c->in[0]) + offset[1];
    const real *dy = graft_reals(&c->dout[0]) + at;
    bool first = f->target == graft_reals(&c->din[1]);
    for (int64_t i = 0; i < n; i++)
        room[i] = !condition[i * step] == !first ? dy[i] : 0;
    return room;
}

static void backward_where(const struct graft_call *c)
{
    for (int i = 1; i < 3; i++) {
        struct graft_fold f = {.terms = where_terms, .ctx = c, .factor = 1,
                               .target = graft_reals(&c->din[i]),
                               .add = c->dmode[i] == GRAFT_ADD, .k = c->k};
        if (c->dmode[i] == GRAFT_SKIP)
            continue;
        graft_walk_init(&f.walk, &c->dout[0].shape);
        graft_walk_add_broadcast(&f.walk, &c->din[i].shape);
        graft_walk_add_broadcast(&f.walk, &c->in[0].shape);
        graft_walk_merge(&f.walk);
        graft_fold_run(&f, c->pool);
    }
}

/* ---- rows ---------------------------------------------------------------- */

#define CAST .name = "Cast", .domain = "", .arity = {1, 1, 1, 1},           \
    .flags = GRAFT_OP_HOST | GRAFT_OP_RETYPES, .grad_in = 1,            \
    .args_size = sizeof(struct cast_args), .parse = parse_cast,             \
    .infer = infer_cast, .forward = forward_cast, .backward = backward_cast
#define TEST_ROW .domain = "", .arity = {2, 2, 1, 1},                       \
    .flags = GRAFT_OP_HOST, .args_size = sizeof(struct test_args),          \
    .infer = infer_test, .forward = forward_test

const struct graft_op graft_op_cast[] = {
    {CAST, .since = 6, .until = 18},
    {CAST, .since = 19},
    {.name = "Equal", .since = 7, TEST_ROW, .parse = parse_equal},
    {.name = "Greater", .since = 7, TEST_ROW, .parse = parse_greater},
    {.name = "Less", .since = 7, TEST_ROW, .parse = parse_less},
    {.name = "And", .since = 7, TEST_ROW, .parse = parse_and},
    {.name = "Or", .since = 7, TEST_ROW, .parse = parse_or},
    {.name = "Not", .domain = "", .since = 1, .arity = {1, 1, 1, 1},
     .flags = GRAFT_OP_HOST, .infer = infer_not, .forward = forward_not},
    {.name = "Where", .domain = "", .since = 9, .arity = {3, 3, 1, 1},
     .flags = GRAFT_OP_HOST, .infer = infer_where, .forward = forward_where,
     .saves_in = 1, .grad_in = 6, .backward = backward_where},
    {.name = NULL},
};
