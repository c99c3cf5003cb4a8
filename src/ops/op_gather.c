/* Gather: slices of a value at known indices along one axis.
 *   y[.., k.., ..] = x[.., indices[k..], ..]
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/common.h"

struct args {
    int64_t given;  /* axis as stated */
    int axis;
    int64_t *index; /* [n], in [0, dim) */
    int n;
};

static int parse(struct graft_parse *p)
{
    return graft_attr_int(p, "axis", 0, &((struct args *)p->args)->given);
}

static int resolve(struct graft_infer *f, const int64_t *index, int64_t dim)
{
    struct args *a = f->args;
    a->index = graft_arena_array(f->arena, (size_t)a->n + 1,
                                 sizeof *a->index);
    if (!a->index)
        return GRAFT_EMEM;
    for (int i = 0; i < a->n; i++) {
        if (index[i] < -dim || index[i] >= dim)
            return graft_infer_fail(f, GRAFT_ESHAPE, "index %lld in a "
                                    "dimension of %lld", (long long)index[i],
                                    (long long)dim);
        a->index[i] = index[i] < 0 ? index[i] + dim : index[i];
    }
    return GRAFT_OK;
}

static int infer(struct graft_infer *f)
{
    const struct graft_shape *in = &f->in[0].shape, *by = &f->in[1].shape;
    struct args *a = f->args;
    const int64_t *index;
    int status = graft_infer_axis(f, a->given, in->rank, &a->axis);
    if (!status)
        status = graft_infer_ints(f, 1, "indices", &index, &a->n);
    if (!status)
        status = resolve(f, index, in->dim[a->axis]);
    if (status)
        return status;
    struct graft_shape s = {.rank = in->rank - 1 + by->rank};
    if (s.rank > GRAFT_MAX_RANK)
        return graft_infer_fail(f, GRAFT_ELIMIT, "%d dimensions", s.rank);
    int d = 0;
    for (int i = 0; i < a->axis; i++)
        s.dim[d++] = in->dim[i];
    for (int i = 0; i < by->rank; i++)
        s.dim[d++] = by->dim[i];
    for (int i = a->axis + 1; i < in->rank; i++)
        s.dim[d++] = in->dim[i];
    return graft_infer_apart(f, 0, &s, a->axis != 0);
}

/* ---- run: x [outer, dim, inner], y [outer, n, inner] -------------------- */

struct job {
    const struct graft_call *c;
    const struct args *a;
    int64_t dim, inner, size;
    const struct graft_view *x, *y;
};

static struct job job_of(const struct graft_call *c,
                         const struct graft_view *x,
                         const struct graft_view *y)
{
    const struct args *a = c->args;
    const struct graft_shape *s = &c->in[0].shape;
    return (struct job){c, a, s->dim[a->axis],
                        graft_shape_span(s, a->axis + 1, s->rank),
                        (int64_t)graft_dtype_size((int)x->fmt.dtype), x, y};
}

static void forward_outer(void *ctx, int64_t outer, int worker)
{
    const struct job *j = ctx;
    int64_t bytes = j->inner * j->size;
    const char *x = (const char *)j->x->data + outer * j->dim * bytes;
    char *y = (char *)j->y->data + outer * j->a->n * bytes;
    (void)worker;
    for (int i = 0; i < j->a->n; i++)
        memcpy(y + i * bytes, x + j->a->index[i] * bytes, (size_t)bytes);
}

static void forward(const struct graft_call *c)
{
    struct job j = job_of(c, &c->in[0], &c->out[0]);
    int64_t outer = graft_shape_span(&c->in[0].shape, 0, j.a->axis);
    graft_pool_for(c->pool, outer, forward_outer, &j);
}

/* An index may come several times: its gradients add, in order. */
static void backward_outer(void *ctx, int64_t outer, int worker)
{
    const struct job *j = ctx;
    real *dx = graft_reals(j->x) + outer * j->dim * j->inner;
    const real *dy = graft_reals(j->y) + outer * j->a->n * j->inner;
    (void)worker;
    if (j->c->dmode[0] == GRAFT_STORE)
        memset(dx, 0, (size_t)(j->dim * j->inner) * sizeof *dx);
    for (int i = 0; i < j->a->n; i++)
        j->c->k->pointwise.add(j->inner, dy + i * j->inner,
                               dx + j->a->index[i] * j->inner);
}

static void backward(const struct graft_call *c)
{
    struct job j = job_of(c, &c->din[0], &c->dout[0]);
    if (c->dmode[0] != GRAFT_SKIP)
        graft_pool_for(c->pool,
                       graft_shape_span(&c->in[0].shape, 0, j.a->axis),
                       backward_outer, &j);
}

const struct graft_op graft_op_gather[] = {
    {.name = "Gather", .domain = "", .since = 1, .arity = {2, 2, 1, 1},
     .flags = GRAFT_OP_HOST, .host_in = 2, .grad_in = 1,
     .args_size = sizeof(struct args), .parse = parse, .infer = infer,
     .forward = forward, .backward = backward},
    {.name = NULL},
};
