/* Arithmetic of two values with numpy's broadcasting.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/arith.h"

#include "ops/arith_blocked.h"
#include "ops/common.h"
#include "ops/walk.h"

/* All integers or all reals. An integer division by a known zero has no
 * answer. */
int graft_arith_infer(struct graft_infer *f)
{
    const struct graft_arith *args = f->args;
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
void graft_arith_apply(const struct graft_call *c, const struct graft_view *a,
                       const struct graft_view *b)
{
    const struct graft_view *y = &c->out[0];
    bool ints = y->fmt.dtype != GRAFT_REAL;
    struct job j = {.c = c, .kind = graft_arith_kind(c),
                    .a = a->data, .b = b->data, .y = y->data};
    if (!ints && graft_shape_equal(&a->shape, &y->shape) &&
        graft_shape_equal(&b->shape, &y->shape)) {
        graft_each_block(c->pool, graft_physical_count(y), equal_block, &j);
        return;
    }
    graft_walk_init(&j.walk, &y->shape);
    graft_walk_add_broadcast(&j.walk, &a->shape);
    graft_walk_add_broadcast(&j.walk, &b->shape);
    graft_walk_merge(&j.walk);
    graft_walk_each(&j.walk, c->pool, ints ? int_piece : real_piece, &j);
}

void graft_arith_forward(const struct graft_call *c)
{
    if (c->out[0].fmt.layout == GRAFT_C16)
        graft_binary_blocked(c, graft_arith_kind(c));
    else
        graft_arith_apply(c, &c->in[0], &c->in[1]);
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
    static const real nothing; /* in place of what was not kept */
    struct graft_operand x[2] = {{&nothing, true}, {&nothing, true}};
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
    graft_walk_init(&f.walk, &c->dout[0].shape);
    graft_walk_add_broadcast(&f.walk, &din->shape);
    for (int i = 0; i < 2; i++)
        graft_walk_add_broadcast(&f.walk, &c->in[i].shape);
    graft_walk_merge(&f.walk);
    graft_fold_run(&f, c->pool);
}

/* A sum's gradient is that of each summand. */
static bool only_copies(const struct graft_call *c)
{
    return graft_arith_kind(c) == GRAFT_ADD2 &&
           graft_shape_equal(&c->in[0].shape, &c->dout[0].shape) &&
           graft_shape_equal(&c->in[1].shape, &c->dout[0].shape);
}

void graft_arith_backward(const struct graft_call *c)
{
    enum graft_binary kind = graft_arith_kind(c);
    if (c->dout[0].fmt.layout == GRAFT_C16 && !only_copies(c)) {
        graft_binary_blocked_back(c, kind);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (c->dmode[i] == GRAFT_SKIP)
            continue;
        else if (kind == GRAFT_ADD2 &&
                 graft_shape_equal(&c->in[i].shape, &c->dout[0].shape))
            graft_copy_gradient(c, graft_reals(&c->din[i]),
                                graft_reals(&c->dout[0]),
                                graft_physical_count(&c->dout[0]),
                                c->dmode[i]);
        else
            back_one(c, kind, i, &c->din[i], c->dmode[i]);
}
