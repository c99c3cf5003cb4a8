/* Transpose, and Expand: the same elements in another order, or repeated.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/common.h"
#include "ops/walk.h"

struct args {
    int perm[GRAFT_MAX_RANK];
    const int64_t *given; /* the attribute, NULL: reversed */
    int n;
};

static int parse_transpose(struct graft_parse *p)
{
    struct args *a = p->args;
    return graft_attr_ints(p, "perm", &a->given, &a->n);
}

static int infer_transpose(struct graft_infer *f)
{
    const struct graft_shape *in = &f->in[0].shape;
    struct args *a = f->args;
    struct graft_shape s = {.rank = in->rank};
    uint32_t seen = 0;
    if (a->given && a->n != in->rank)
        return graft_infer_fail(f, GRAFT_ESHAPE, "perm has %d entries, the "
                                "value %d dimensions", a->n, in->rank);
    for (int d = 0; d < in->rank; d++) {
        int64_t from = a->given ? a->given[d] : in->rank - 1 - d;
        if (from < 0 || from >= in->rank || seen >> from & 1)
            return graft_infer_fail(f, GRAFT_ESHAPE, "perm is no permutation "
                                    "of %d dimensions", in->rank);
        seen |= 1u << from;
        a->perm[d] = (int)from;
        s.dim[d] = in->dim[from];
    }
    return graft_infer_apart(f, 0, &s, !in->rank || a->perm[0] == 0);
}

/* A walk over the output: array 0 the output, array 1 the input. */
static void walk_transposed(struct graft_walk *w, const struct args *a,
                            const struct graft_shape *out,
                            const struct graft_shape *in)
{
    int64_t dense[GRAFT_MAX_RANK], stride[GRAFT_MAX_RANK];
    graft_walk_init(w, out);
    graft_dense_strides(dense, out);
    graft_walk_add(w, dense);
    graft_dense_strides(dense, in);
    for (int d = 0; d < out->rank; d++)
        stride[d] = dense[a->perm[d]];
    graft_walk_add(w, stride);
    graft_walk_merge(w);
}

static void forward_transpose(const struct graft_call *c)
{
    struct graft_move m = {
        .size = graft_dtype_size((int)c->in[0].fmt.dtype),
        .dst = c->out[0].data, .src = c->in[0].data};
    walk_transposed(&m.walk, c->args, &c->out[0].shape, &c->in[0].shape);
    graft_move_run(&m, c->pool);
}

/* The walk over the output too, the other way round. */
static void backward_transpose(const struct graft_call *c)
{
    struct graft_walk w;
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    walk_transposed(&w, c->args, &c->dout[0].shape, &c->din[0].shape);
    struct graft_move m = {.walk = w, .size = sizeof(real),
                           .dst = c->din[0].data, .src = c->dout[0].data,
                           .add = c->dmode[0] == GRAFT_ADD};
    memcpy(m.walk.stride[0], w.stride[1], sizeof w.stride[0]);
    memcpy(m.walk.stride[1], w.stride[0], sizeof w.stride[0]);
    graft_move_run(&m, c->pool);
}

/* ---- Expand ------------------------------------------------------------- */

static int infer_expand(struct graft_infer *f)
{
    const int64_t *want;
    struct graft_shape s, to;
    int n;
    int status = graft_infer_ints(f, 1, "shape", &want, &n);
    if (!status)
        status = graft_infer_shape(f, &to, want, n);
    if (status)
        return status;
    char a[GRAFT_SHAPE_TEXT], b[GRAFT_SHAPE_TEXT];
    if (!graft_shape_broadcast(&s, &f->in[0].shape, &to))
        return graft_infer_fail(f, GRAFT_ESHAPE, "%s does not expand to %s",
                                graft_shape_text(a, &f->in[0].shape),
                                graft_shape_text(b, &to));
    const struct graft_shape *in = &f->in[0].shape;
    return graft_infer_apart(f, 0, &s, s.rank == in->rank && s.rank &&
                                           s.dim[0] == in->dim[0]);
}

static void forward_expand(const struct graft_call *c)
{
    struct graft_move m = {
        .size = graft_dtype_size((int)c->in[0].fmt.dtype),
        .dst = c->out[0].data, .src = c->in[0].data};
    int64_t dense[GRAFT_MAX_RANK];
    graft_walk_init(&m.walk, &c->out[0].shape);
    graft_dense_strides(dense, &c->out[0].shape);
    graft_walk_add(&m.walk, dense);
    graft_walk_add_broadcast(&m.walk, &c->in[0].shape);
    graft_walk_merge(&m.walk);
    graft_move_run(&m, c->pool);
}

static const real *dout_itself(const struct graft_fold *f, int64_t n,
                               int64_t at, const int64_t *offset, real *room)
{
    const struct graft_call *c = f->ctx;
    (void)n, (void)offset, (void)room;
    return graft_reals(&c->dout[0]) + at;
}

static void backward_expand(const struct graft_call *c)
{
    struct graft_fold f = {.terms = dout_itself, .ctx = c, .factor = 1,
                           .target = graft_reals(&c->din[0]),
                           .add = c->dmode[0] == GRAFT_ADD, .k = c->k};
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    graft_walk_init(&f.walk, &c->dout[0].shape);
    graft_walk_add_broadcast(&f.walk, &c->din[0].shape);
    graft_walk_merge(&f.walk);
    graft_fold_run(&f, c->pool);
}

const struct graft_op graft_op_transpose[] = {
    {.name = "Transpose", .domain = "", .since = 1, .arity = {1, 1, 1, 1},
     .flags = GRAFT_OP_HOST, .grad_in = 1, .args_size = sizeof(struct args),
     .parse = parse_transpose, .infer = infer_transpose,
     .forward = forward_transpose, .backward = backward_transpose},
    {.name = "Expand", .domain = "", .since = 8, .arity = {2, 2, 1, 1},
     .flags = GRAFT_OP_HOST | GRAFT_OP_SHAPED, .host_in = 2, .grad_in = 1,
     .infer = infer_expand, .forward = forward_expand,
     .backward = backward_expand},
    {.name = NULL},
};
