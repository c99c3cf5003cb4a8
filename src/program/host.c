/* Values known while compiling (host.h). Shape, Gather, Concat, ... chains
 * are run here by the rows' own forward functions, under a budget.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/host.h"

#include "kernels/kernels.h"

static int spend(struct graft_facts *f, int64_t count, const char *what)
{
    if (count < 0 || count > GRAFT_HOST_MAX || count > f->host_left)
        return graft_fail(GRAFT_ELIMIT, "%s: evaluating %lld elements "
                          "while compiling is too much (at most %lld, %lld "
                          "in all)", what, (long long)count,
                          (long long)GRAFT_HOST_MAX,
                          (long long)GRAFT_HOST_ALL);
    f->host_left -= count;
    return GRAFT_OK;
}

/* A host value of this type and shape with room for its elements. */
static int new_host(struct graft_facts *f, struct graft_host **out,
                    enum graft_dtype dtype, const struct graft_shape *shape,
                    const char *what)
{
    int64_t count = graft_shape_count(shape);
    int status = spend(f, count, what);
    if (status)
        return status;
    struct graft_host *h = graft_arena_alloc(f->arena, sizeof *h);
    if (!h)
        return GRAFT_EMEM;
    h->dtype = dtype;
    h->shape = *shape;
    bool is_float = graft_dtype_is_float((int)dtype);
    void *data = graft_arena_array(f->arena, (size_t)count + 1,
                                   is_float ? sizeof(real) : sizeof(int64_t));
    if (!data)
        return GRAFT_EMEM;
    if (is_float)
        h->reals = data;
    else
        h->ints = data;
    *out = h;
    return GRAFT_OK;
}

int graft_host_of_tensor(struct graft_facts *f, const struct graft_host **out,
                         const struct graft_tensor *t, const char *name)
{
    struct graft_host *h;
    int status = new_host(f, &h, (enum graft_dtype)t->dtype, &t->shape, name);
    if (status)
        return status;
    struct graft_view view = graft_tensor_view(t);
    int64_t count = graft_shape_count(&t->shape);
    if (h->reals)
        graft_view_read(&view, 0, count, h->reals);
    else
        graft_view_read_ints(&view, 0, count, h->ints);
    *out = h;
    return GRAFT_OK;
}

static struct graft_view host_view(const struct graft_host *h)
{
    return (struct graft_view){
        .data = h->reals ? (void *)h->reals : (void *)h->ints,
        .shape = h->shape,
        .fmt.dtype = h->reals ? GRAFT_REAL : GRAFT_INT64};
}

static bool all_outputs_known(const struct graft_infer *x)
{
    for (int k = 0; k < x->n_out; k++)
        if (x->node->out[k] >= 0 && !x->out[k].host)
            return false;
    return true;
}

static bool can_evaluate(const struct graft_infer *x)
{
    if (!(x->op->flags & GRAFT_OP_HOST))
        return false;
    for (int i = 0; i < x->n_in; i++)
        if (x->in[i].present && !x->in[i].host)
            return false;
    return true;
}

/* Floats that happen to be known are not worth it above this many elements:
 * they are parameters. */
static bool worthwhile(const struct graft_infer *x)
{
    for (int k = 0; k < x->n_out; k++)
        if (graft_dtype_is_float((int)x->out[k].dtype) &&
            graft_shape_count(&x->out[k].shape) > GRAFT_HOST_MAX)
            return false;
    return true;
}

int graft_host_views(struct graft_facts *f, const struct graft_infer *x,
                     struct graft_view **in, struct graft_view **out)
{
    *in = graft_arena_array(f->arena, (size_t)x->n_in + 1, sizeof **in);
    *out = graft_arena_array(f->arena, (size_t)x->n_out + 1, sizeof **out);
    if (!*in || !*out)
        return GRAFT_EMEM;
    for (int i = 0; i < x->n_in; i++)
        if (x->in[i].present && !(i < 32 && x->op->host_in >> i & 1))
            (*in)[i] = host_view(x->in[i].host);
    for (int k = 0; k < x->n_out; k++)
        if (x->node->out[k] >= 0)
            (*out)[k] = host_view(x->out[k].host);
    return GRAFT_OK;
}

void graft_host_run(const struct graft_infer *x, const struct graft_view *in,
                    const struct graft_view *out)
{
    struct graft_call call = {.args = x->args, .n = 1, .n_in = x->n_in,
                              .n_out = x->n_out, .in = in, .out = out,
                              .k = graft_kernels_for(GRAFT_ISA_GENERIC)};
    x->op->forward(&call);
}

int graft_host_evaluate(struct graft_facts *f, struct graft_infer *x,
                        bool *constant)
{
    struct graft_view *in, *out;
    *constant = all_outputs_known(x);
    if (*constant || !can_evaluate(x) || !worthwhile(x))
        return GRAFT_OK;
    for (int k = 0; k < x->n_out; k++) {
        struct graft_host *h;
        int status = x->node->out[k] < 0
                         ? GRAFT_OK
                         : new_host(f, &h, x->out[k].dtype,
                                    &x->out[k].shape,
                                    graft_node_text(x->node));
        if (status)
            return status;
        if (x->node->out[k] >= 0)
            x->out[k].host = h;
    }
    int status = graft_host_views(f, x, &in, &out);
    if (status)
        return status;
    graft_host_run(x, in, out);
    *constant = true;
    return GRAFT_OK;
}
