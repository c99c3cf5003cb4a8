/* One operator row of a case: its numbers, parse and infer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_run.h"

/* ---- parse and infer ----------------------------------------------------- */

static int count_values(const struct op_value *v)
{
    int n = 0;
    while (n < OP_CASE_MAX && v[n].from != OP_END)
        n++;
    return n;
}

/* The numbers of value v, given or random. */
static double *numbers(struct op_run *r, const struct op_value *v, int stream)
{
    struct graft_shape s = {.rank = v->rank};
    memcpy(s.dim, v->dim, sizeof s.dim);
    int64_t n = graft_shape_count(&s);
    if (n < 0 || ((v->reals || v->ints) && v->n != n && n > 0))
        op_run_fail(r, "value %d: %lld numbers are given for a shape of %lld",
                    stream, (long long)v->n, (long long)n);
    double *x = graft_arena_array(&r->arena, (size_t)n + 1, sizeof *x);
    double low = v->low, high = v->high;
    if (low == 0 && high == 0)
        low = -1, high = 1;
    struct graft_rng_key key = graft_rng_key(42, (uint64_t)stream);
    for (int64_t i = 0; i < n; i++)
        x[i] = v->reals  ? v->reals[i]
               : v->ints ? (double)v->ints[i]
                         : low + (high - low) *
                                     graft_rng_unit(key, (uint64_t)i);
    return x;
}

static const struct graft_host *host_of(struct op_run *r,
                                        const struct op_value *v,
                                        const struct graft_vinfo *info,
                                        const double *x)
{
    struct graft_host *h = graft_arena_alloc(&r->arena, sizeof *h);
    size_t n = (size_t)graft_shape_count(&info->shape);
    h->dtype = (enum graft_dtype)(v->dtype ? v->dtype : GRAFT_REAL);
    h->shape = info->shape;
    h->ints = graft_arena_array(&r->arena, n + 1, sizeof *h->ints);
    h->reals = graft_arena_array(&r->arena, n + 1, sizeof *h->reals);
    for (size_t i = 0; i < n; i++)
        if (graft_dtype_is_int(v->dtype))
            h->ints[i] = v->ints ? v->ints[i] : (int64_t)x[i];
        else
            h->reals[i] = (real)x[i];
    if (graft_dtype_is_int(v->dtype))
        h->reals = NULL;
    else
        h->ints = NULL;
    return h;
}

static void describe(struct op_run *r, int i)
{
    const struct op_value *v = &r->c->in[i];
    struct graft_vinfo *in = &r->in[i];
    if (v->from == OP_ABSENT)
        return;
    in->present = true;
    in->shape.rank = v->rank;
    memcpy(in->shape.dim, v->dim, sizeof in->shape.dim);
    in->dtype = graft_dtype_is_int(v->dtype) ? GRAFT_INT64 : GRAFT_REAL;
    in->is_param = v->from == OP_PARAM || v->from == OP_HOST;
    in->fmt.dtype = in->dtype;
    if (v->from == OP_COMPUTED && v->rank && v->dim[0] % r->n_max == 0)
        in->per_image = v->dim[0] / r->n_max;
    r->given[i] = numbers(r, v, i);
    if (v->from == OP_HOST)
        in->host = host_of(r, v, in, r->given[i]);
}

static int parse(struct op_run *r)
{
    struct graft_parse p = {.model = &r->model, .node = &r->node,
                            .opset = r->c->opset, .args = r->args,
                            .arena = &r->arena};
    int status = r->op->parse ? r->op->parse(&p) : GRAFT_OK;
    return status ? status : graft_attrs_check(&p);
}

static int infer(struct op_run *r)
{
    struct graft_infer f = {
        .op = r->op, .model = &r->model, .node = &r->node,
        .opset = r->c->opset, .n_max = r->n_max, .args = r->args,
        .arena = &r->arena, .in = r->in, .n_in = r->n_in, .out = r->out,
        .n_out = r->n_out};
    return r->op->infer(&f);
}

/* Internal rows infer nothing: passes know the shapes. */
static int shape_outputs(struct op_run *r)
{
    for (int k = 0; k < r->n_out; k++) {
        const struct op_value *v = &r->c->out[k];
        struct graft_vinfo *out = &r->out[k];
        if (v->from == OP_ABSENT)
            continue;
        *out = r->in[0];
        out->shape.rank = v->rank;
        memcpy(out->shape.dim, v->dim, sizeof out->shape.dim);
    }
    return GRAFT_OK;
}

static void describe_node(struct op_run *r)
{
    const struct op_case *c = r->c;
    size_t max = OP_CASE_MAX;
    r->node = (struct graft_node){.name = "case", .op_type = c->op,
                                  .domain = c->domain ? c->domain : "",
                                  .n_in = r->n_in, .n_out = r->n_out};
    r->node.in = graft_arena_array(&r->arena, max, sizeof *r->node.in);
    r->node.out = graft_arena_array(&r->arena, max, sizeof *r->node.out);
    for (int i = 0; i < r->n_in; i++)
        r->node.in[i] = c->in[i].from == OP_ABSENT ? -1 : i;
    for (int i = 0; i < r->n_out; i++)
        r->node.out[i] = c->out[i].from == OP_ABSENT ? -1 : OP_CASE_MAX + i;
    while (c->attr && c->attr[r->node.n_attr].name)
        r->node.n_attr++;
    size_t bytes = (size_t)r->node.n_attr * sizeof *c->attr;
    r->node.attr = graft_arena_alloc(&r->arena, bytes + 1);
    if (bytes)
        memcpy(r->node.attr, c->attr, bytes);
}

int op_run_infer(struct op_run *r, const struct op_case *c)
{
    r->c = c;
    r->n_max = c->n_max ? c->n_max : 1;
    r->n_in = count_values(c->in);
    r->n_out = count_values(c->out);
    describe_node(r);
    while (r->n_out > 1 && c->out[r->n_out - 1].from == OP_ABSENT)
        r->n_out--; /* as programs do */
    r->op = c->row ? c->row
                   : graft_op_find(r->node.domain, c->op, c->opset);
    if (!r->op)
        return GRAFT_EUNSUPPORTED;
    const struct graft_arity *a = &r->op->arity;
    if (r->n_in < a->in_min || (a->in_max >= 0 && r->n_in > a->in_max) ||
        r->n_out < a->out_min || (a->out_max >= 0 && r->n_out > a->out_max))
        return graft_fail(GRAFT_EFORMAT, "%d inputs, %d outputs", r->n_in,
                          r->n_out);
    r->args = c->row ? c->args
                     : graft_arena_alloc(&r->arena, r->op->args_size + 1);
    for (int i = 0; i < r->n_in; i++)
        describe(r, i);
    if (c->row)
        return shape_outputs(r);
    int status = parse(r);
    return status ? status : infer(r);
}
