/* Softmax and LogSoftmax. Before version 13 a value counts as a matrix
 * [dims before axis, axis and all after it], normalised along its rows; since
 * then along one axis.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/common.h"

struct args {
    int64_t given;
    int axis;
    bool log;
};

static int parse(struct graft_parse *p, bool is_log)
{
    struct args *a = p->args;
    a->log = is_log;
    return graft_attr_int(p, "axis", p->opset < 13 ? 1 : -1, &a->given);
}

static int parse_softmax(struct graft_parse *p)
{
    return parse(p, false);
}

static int parse_log_softmax(struct graft_parse *p)
{
    return parse(p, true);
}

static int infer(struct graft_infer *f)
{
    struct args *a = f->args;
    int status = graft_infer_real(f, 0);
    if (!status)
        status = graft_infer_axis(f, a->given, f->in[0].shape.rank, &a->axis);
    return status ? status
                  : graft_infer_apart(f, 0, &f->in[0].shape, a->axis != 0);
}

/* ---- run: [outer, n, inner], normalised along n -------------------------- */

struct job {
    const struct graft_call *c;
    bool log;
    int64_t n, inner;
    const real *x; /* forward; backward: y */
    const real *dy;
    real *y;       /* forward; backward: dx */
};

enum { ROOM = 512 };

/* A row in one piece. Gradients to be added go through `room` if they fit,
 * else element by element. */
static void back_row(const struct job *j, const real *y, const real *dy,
                     real *dx)
{
    const struct graft_pointwise_kernels *k = &j->c->k->pointwise;
    if (j->c->dmode[0] == GRAFT_STORE) {
        if (j->log)
            k->log_softmax_back(j->n, y, dy, dx);
        else
            k->softmax_back(j->n, y, dy, dx);
        return;
    }
    real d = (real)(j->log ? k->sum(j->n, dy) : k->dot(j->n, y, dy));
    for (int64_t i = 0; i < j->n; i += ROOM) {
        real e[ROOM];
        int64_t n = j->n - i < ROOM ? j->n - i : ROOM;
        if (j->log)
            k->unary[GRAFT_EXP](n, y + i, e);
        for (int64_t q = 0; q < n; q++)
            dx[i + q] += j->log ? dy[i + q] - e[q] * d
                                : y[i + q] * (dy[i + q] - d);
    }
}

static void forward_row(void *ctx, int64_t row, int worker)
{
    const struct job *j = ctx;
    const struct graft_pointwise_kernels *k = &j->c->k->pointwise;
    (void)worker;
    (j->log ? k->log_softmax : k->softmax)(j->n, j->x + row * j->n,
                                           j->y + row * j->n);
}

static void backward_row(void *ctx, int64_t row, int worker)
{
    const struct job *j = ctx;
    int64_t at = row * j->n;
    (void)worker;
    back_row(j, j->x + at, j->dy + at, j->y + at);
}

/* Columns: `m` <= ROOM neighbours at a time, element i of each at i * inner. */
static void forward_columns(const struct job *j, int64_t at, int64_t m)
{
    const struct graft_pointwise_kernels *k = &j->c->k->pointwise;
    const real *x = j->x + at;
    real largest[ROOM], sum[ROOM] = {0}, e[ROOM];
    memcpy(largest, x, (size_t)m * sizeof *x);
    for (int64_t i = 1; i < j->n; i++)
        k->binary[GRAFT_MAX2](m, (struct graft_operand){largest, false},
                              (struct graft_operand){x + i * j->inner, false},
                              largest);
    for (int64_t i = 0; i < j->n; i++) {
        real *y = j->y + at + i * j->inner;
        k->binary[GRAFT_SUB2](
            m, (struct graft_operand){x + i * j->inner, false},
            (struct graft_operand){largest, false}, y);
        k->unary[GRAFT_EXP](m, y, j->log ? e : y);
        k->add(m, j->log ? e : y, sum);
    }
    if (j->log)
        k->unary[GRAFT_LOG](m, sum, sum);
    for (int64_t i = 0; i < j->n; i++) {
        real *y = j->y + at + i * j->inner;
        k->binary[j->log ? GRAFT_SUB2 : GRAFT_DIV2](
            m, (struct graft_operand){y, false},
            (struct graft_operand){sum, false}, y);
    }
}

static void backward_columns(const struct job *j, int64_t at, int64_t m)
{
    const struct graft_pointwise_kernels *k = &j->c->k->pointwise;
    bool add = j->c->dmode[0] == GRAFT_ADD;
    real d[ROOM] = {0}, e[ROOM];
    for (int64_t i = 0; i < j->n; i++)
        for (int64_t q = 0; q < m; q++) {
            int64_t p = at + i * j->inner + q;
            d[q] += j->log ? j->dy[p] : j->x[p] * j->dy[p];
        }
    for (int64_t i = 0; i < j->n; i++) {
        int64_t p = at + i * j->inner;
        if (j->log)
            k->unary[GRAFT_EXP](m, j->x + p, e);
        for (int64_t q = 0; q < m; q++) {
            real g = j->log ? j->dy[p + q] - e[q] * d[q]
                            : j->x[p + q] * (j->dy[p + q] - d[q]);
            j->y[p + q] = add ? j->y[p + q] + g : g;
        }
    }
}

static void column_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    int64_t pieces = (j->inner + ROOM - 1) / ROOM;
    int64_t first = task % pieces * ROOM, m = j->inner - first;
    int64_t at = task / pieces * j->n * j->inner + first;
    (void)worker;
    (j->dy ? backward_columns : forward_columns)(j, at, m < ROOM ? m : ROOM);
}

static void run(struct job *j)
{
    const struct args *a = j->c->args;
    const struct graft_shape *s = &j->c->out[0].shape;
    int64_t outer = graft_shape_span(s, 0, a->axis);
    if (!graft_count(&j->c->out[0]))
        return;
    if (j->inner == 1)
        graft_pool_for(j->c->pool, outer, j->dy ? backward_row : forward_row,
                       j);
    else
        graft_pool_for(j->c->pool, outer * ((j->inner + ROOM - 1) / ROOM),
                       column_task, j);
}

/* `flat`: everything from the axis on is one row. */
static struct job job_of(const struct graft_call *c, bool flat)
{
    const struct args *a = c->args;
    const struct graft_shape *s = &c->out[0].shape;
    int end = flat ? s->rank : a->axis + 1;
    return (struct job){.c = c, .log = a->log,
                        .n = graft_shape_span(s, a->axis, end),
                        .inner = graft_shape_span(s, end, s->rank)};
}

static void forward_as(const struct graft_call *c, bool flat)
{
    struct job j = job_of(c, flat);
    j.x = graft_reals(&c->in[0]);
    j.y = graft_reals(&c->out[0]);
    run(&j);
}

static void backward_as(const struct graft_call *c, bool flat)
{
    struct job j = job_of(c, flat);
    j.x = graft_reals(&c->out[0]);
    j.dy = graft_reals(&c->dout[0]);
    j.y = graft_reals(&c->din[0]);
    if (c->dmode[0] != GRAFT_SKIP)
        run(&j);
}

static void forward_flat(const struct graft_call *c)
{
    forward_as(c, true);
}
static void backward_flat(const struct graft_call *c)
{
    backward_as(c, true);
}
static void forward_axis(const struct graft_call *c)
{
    forward_as(c, false);
}
static void backward_axis(const struct graft_call *c)
{
    backward_as(c, false);
}

#define SOFTMAX .domain = "", .arity = {1, 1, 1, 1}, .grad_in = 1,          \
    .flags = GRAFT_OP_INPLACE, .saves_out = 1, .infer = infer,              \
    .args_size = sizeof(struct args)
#define FLAT .since = 1, .until = 12, .forward = forward_flat,              \
    .backward = backward_flat
#define AXIS .since = 13, .forward = forward_axis, .backward = backward_axis

const struct graft_op graft_op_softmax[] = {
    {.name = "Softmax", SOFTMAX, FLAT, .parse = parse_softmax},
    {.name = "Softmax", SOFTMAX, AXIS, .parse = parse_softmax},
    {.name = "LogSoftmax", SOFTMAX, FLAT, .parse = parse_log_softmax},
    {.name = "LogSoftmax", SOFTMAX, AXIS, .parse = parse_log_softmax},
    {.name = NULL},
};
