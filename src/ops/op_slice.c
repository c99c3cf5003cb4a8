/* Slice: y[i..] = x[start + i step..] along some axes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/blocked.h"
#include "ops/channels.h"
#include "ops/common.h"
#include "ops/walk.h"

struct list {
    const int64_t *at; /* NULL: not given */
    int n;
};

struct args {
    struct list starts, ends, axes, steps; /* attributes */
    int64_t start[GRAFT_MAX_RANK], step[GRAFT_MAX_RANK];
};

static int parse_attributes(struct graft_parse *p)
{
    struct args *a = p->args;
    int status = graft_attr_ints(p, "starts", &a->starts.at, &a->starts.n);
    if (!status)
        status = graft_attr_ints(p, "ends", &a->ends.at, &a->ends.n);
    if (!status)
        status = graft_attr_ints(p, "axes", &a->axes.at, &a->axes.n);
    if (!status && (!a->starts.at || !a->ends.at))
        return graft_fail(GRAFT_EFORMAT, "%s: attribute '%s' is missing",
                          graft_node_text(p->node),
                          a->starts.at ? "ends" : "starts");
    return status;
}

static int read_inputs(struct graft_infer *f)
{
    static const char *const name[] = {"starts", "ends", "axes", "steps"};
    struct args *a = f->args;
    struct list *const list[] = {&a->starts, &a->ends, &a->axes, &a->steps};
    for (int i = 0; i < 4; i++) {
        int status = graft_infer_ints(f, 1 + i, name[i], &list[i]->at,
                                      &list[i]->n);
        if (status)
            return status;
    }
    return GRAFT_OK;
}

/* A start or end counted from the end when negative, kept in [low, high]:
 * INT64_MAX and INT64_MIN, "to the very end", included. */
static int64_t bound(int64_t x, int64_t dim, int64_t low, int64_t high)
{
    if (x < 0)
        x = x < -dim ? INT64_MIN : x + dim;
    return x < low ? low : x > high ? high : x;
}

static void cut(struct args *a, struct graft_shape *s, int axis,
                int64_t start, int64_t end, int64_t step)
{
    int64_t dim = s->dim[axis], n = 0;
    if (step > 0) {
        start = bound(start, dim, 0, dim);
        end = bound(end, dim, 0, dim);
        if (end > start)
            n = (end - start - 1) / step + 1;
    } else {
        start = bound(start, dim, -1, dim - 1);
        end = bound(end, dim, -1, dim - 1);
        if (start > end)
            n = step == INT64_MIN ? 1 : (start - end - 1) / -step + 1;
    }
    a->start[axis] = n ? start : 0;
    a->step[axis] = n > 1 ? step : 1;
    s->dim[axis] = n;
}

static int infer(struct graft_infer *f)
{
    struct args *a = f->args;
    struct graft_shape s = f->in[0].shape;
    int n = a->starts.n;
    uint32_t set = 0;
    int64_t all[GRAFT_MAX_RANK];
    for (int d = 0; d < s.rank; d++) {
        all[d] = d;
        a->step[d] = 1;
    }
    if (n != a->ends.n || (a->axes.at && n != a->axes.n) ||
        (a->steps.at && n != a->steps.n) || n > s.rank)
        return graft_infer_fail(f, GRAFT_ESHAPE, "%d starts, %d ends, %d "
                                "axes, %d steps for %d dimensions", n,
                                a->ends.n, a->axes.at ? a->axes.n : n,
                                a->steps.at ? a->steps.n : n, s.rank);
    const int64_t *axes = a->axes.at ? a->axes.at : all;
    int status = graft_infer_axes(f, axes, n, s.rank, &set);
    if (status)
        return status;
    for (int i = 0; i < n; i++) {
        int64_t step = a->steps.at ? a->steps.at[i] : 1;
        if (step == 0)
            return graft_infer_fail(f, GRAFT_EFORMAT, "a step of 0");
        cut(a, &s, graft_axis(axes[i], s.rank), a->starts.at[i],
            a->ends.at[i], step);
    }
    bool whole = !(set & 1) || (s.dim[0] == f->in[0].shape.dim[0] &&
                                a->step[0] == 1);
    return graft_infer_apart(f, 0, &s, whole);
}

static int infer_inputs(struct graft_infer *f)
{
    int status = read_inputs(f);
    return status ? status : infer(f);
}

/* Over C16 only channels may be left out. */
static int plan(struct graft_plan *p)
{
    const struct graft_shape *x = &p->in[0].shape, *y = &p->out[0].shape;
    const struct args *a = p->args;
    bool channels = x->rank >= 3;
    for (int d = 0; d < x->rank; d++)
        channels = channels && (d == 1 || (x->dim[d] == y->dim[d] &&
                                           a->start[d] == 0));
    return channels ? graft_plan_channels(p) : GRAFT_OK;
}

/* ---- run ---------------------------------------------------------------- */

/* A walk over the slice: array 0 the slice, array 1 the whole, whose first
 * element is *first. */
static void walk_slice(struct graft_walk *w, const struct args *a,
                       const struct graft_shape *slice,
                       const struct graft_shape *whole, int64_t *first)
{
    int64_t stride[GRAFT_MAX_RANK];
    graft_walk_init(w, slice);
    graft_dense_strides(stride, slice);
    graft_walk_add(w, stride);
    graft_dense_strides(stride, whole);
    *first = 0;
    for (int d = 0; d < whole->rank; d++) {
        *first += a->start[d] * stride[d];
        stride[d] *= a->step[d];
    }
    graft_walk_add(w, stride);
    graft_walk_merge(w);
}

static const struct graft_view *sliced(const void *ctx, int64_t channel,
                                       int64_t *at)
{
    const struct graft_call *c = ctx;
    const struct args *a = c->args;
    *at = a->start[1] + channel * a->step[1];
    return &c->in[0];
}

static void forward(const struct graft_call *c)
{
    if (graft_is_c16(&c->out[0])) {
        graft_move_channels(c, &c->out[0], sliced, c);
        return;
    }
    struct graft_move m = {
        .size = graft_dtype_size((int)c->in[0].fmt.dtype),
        .dst = c->out[0].data};
    int64_t first;
    walk_slice(&m.walk, c->args, &c->out[0].shape, &c->in[0].shape, &first);
    m.src = (const char *)c->in[0].data + first * (int64_t)m.size;
    if (graft_count(&c->out[0]))
        graft_move_run(&m, c->pool);
}

static void zero_block(const void *ctx, int64_t first, int64_t n)
{
    memset((real *)(uintptr_t)ctx + first, 0, (size_t)n * sizeof(real));
}

/* Channel `channel` of the whole, if the slice has it. */
static const struct graft_view *in_slice(const void *ctx, int64_t channel,
                                         int64_t *at)
{
    const struct graft_call *c = ctx;
    const struct args *a = c->args;
    int64_t from = channel - a->start[1];
    *at = from / a->step[1];
    return from % a->step[1] == 0 && *at >= 0 &&
                   *at < c->dout[0].shape.dim[1]
               ? &c->dout[0]
               : NULL;
}

static void backward(const struct graft_call *c)
{
    struct graft_walk w;
    int64_t first;
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    if (graft_is_c16(&c->din[0])) {
        graft_move_gradient(c, &c->din[0], in_slice, c, c->dmode[0]);
        return;
    }
    if (c->dmode[0] == GRAFT_STORE)
        graft_each_block(c->pool, graft_count(&c->din[0]), zero_block,
                         c->din[0].data);
    walk_slice(&w, c->args, &c->dout[0].shape, &c->din[0].shape, &first);
    struct graft_move m = {.walk = w, .size = sizeof(real),
                           .dst = graft_reals(&c->din[0]) + first,
                           .src = c->dout[0].data,
                           .add = c->dmode[0] == GRAFT_ADD};
    memcpy(m.walk.stride[0], w.stride[1], sizeof w.stride[0]);
    memcpy(m.walk.stride[1], w.stride[0], sizeof w.stride[0]);
    if (graft_count(&c->dout[0]))
        graft_move_run(&m, c->pool);
}

#define SLICE .name = "Slice", .domain = "",                                \
    .flags = GRAFT_OP_HOST | GRAFT_OP_STRIDED | GRAFT_OP_BACK_BLOCKED,      \
    .grad_in = 1, .args_size = sizeof(struct args), .plan = plan,           \
    .forward = forward, .backward = backward

const struct graft_op graft_op_slice[] = {
    {SLICE, .since = 1, .until = 9, .arity = {1, 1, 1, 1},
     .parse = parse_attributes, .infer = infer},
    {SLICE, .since = 10, .arity = {3, 5, 1, 1}, .host_in = 30,
     .infer = infer_inputs},
    {.name = NULL},
};
