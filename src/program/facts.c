/* Facts of feeds, initializers and nodes (facts.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/facts.h"

#include <string.h>

#include "program/host.h"

int graft_facts_init(struct graft_facts *f, const struct graft_model *m,
                     struct graft_arena *arena, int n_max)
{
    size_t n = (size_t)m->value.n;
    *f = (struct graft_facts){.model = m, .arena = arena, .n_max = n_max,
                              .find = graft_op_find,
                              .host_left = GRAFT_HOST_ALL};
    f->value = graft_arena_array(arena, n + 1, sizeof *f->value);
    f->tensor = graft_arena_array(arena, n + 1, sizeof *f->tensor);
    f->wanted = graft_arena_array(arena, n + 1, sizeof *f->wanted);
    f->order = graft_arena_array(arena, (size_t)m->node.n + 1,
                                 sizeof *f->order);
    if (!f->value || !f->tensor || !f->wanted || !f->order)
        return GRAFT_EMEM;
    int at = 0; /* what edits put before the file's nodes stands last */
    for (int first = 1; first >= 0; first--)
        for (int i = 0; i < m->node.n; i++)
            if (m->node.at[i].first == first)
                f->order[at++] = i;
    return GRAFT_OK;
}

/* ---- feeds -------------------------------------------------------------- */

static int check_given(const struct graft_value *v,
                       const struct graft_shape *given)
{
    char text[GRAFT_SHAPE_TEXT];
    if (given->rank < 1)
        return graft_fail(GRAFT_ESHAPE, "input '%s' needs a batch dimension",
                          v->name);
    if (v->has_shape && v->rank != given->rank)
        return graft_fail(GRAFT_ESHAPE, "input '%s' has %d dimensions, %d "
                          "were given", v->name, v->rank, given->rank);
    for (int i = 1; v->has_shape && i < v->rank; i++)
        if (v->dim[i].value >= 0 && v->dim[i].value != given->dim[i])
            return graft_fail(GRAFT_ESHAPE, "input '%s' has size %lld in "
                              "dimension %d, %s was given", v->name,
                              (long long)v->dim[i].value, i,
                              graft_shape_text(text, given));
    return GRAFT_OK;
}

static int stated_shape(const struct graft_value *v, struct graft_shape *out)
{
    if (!v->has_shape || v->rank < 1)
        return graft_fail(GRAFT_ESHAPE, "the file does not state the shape "
                          "of input '%s'%s", v->name,
                          v->has_shape ? " with a batch dimension" : "");
    if (v->rank > GRAFT_MAX_RANK)
        return graft_fail(GRAFT_ELIMIT, "input '%s' has %d dimensions, at "
                          "most %d are possible", v->name, v->rank,
                          (int)GRAFT_MAX_RANK);
    out->rank = v->rank;
    for (int i = 1; i < v->rank; i++) {
        if (v->dim[i].value < 0)
            return graft_fail(GRAFT_ESHAPE, "the file leaves dimension %d "
                              "('%s') of input '%s' open: its size must be "
                              "given", i,
                              v->dim[i].param ? v->dim[i].param : "?",
                              v->name);
        out->dim[i] = v->dim[i].value;
    }
    return GRAFT_OK;
}

int graft_facts_feed(struct graft_facts *f, graft_value_id id,
                     const struct graft_shape *given)
{
    const struct graft_value *v = &f->model->value.at[id];
    struct graft_vinfo *info = &f->value[id];
    struct graft_shape shape = {0};
    int status = given ? check_given(v, given) : stated_shape(v, &shape);
    if (status)
        return status;
    if (given)
        shape = *given;
    shape.dim[0] = f->n_max;
    if (!graft_dtype_is_float(v->dtype))
        return graft_fail(GRAFT_EUNSUPPORTED, "input '%s' has type %s; only "
                          "float inputs can be fed", v->name,
                          graft_dtype_name(v->dtype));
    struct graft_format fmt = {.dtype = GRAFT_REAL};
    if (graft_format_bytes(&fmt, &shape) < 0)
        return graft_fail(GRAFT_ELIMIT, "input '%s' is too large", v->name);
    bool stated = v->has_shape && v->dim[0].value == f->n_max;
    f->batch_varies |= f->n_max > 1 && !stated;
    info->present = true;
    info->shape = shape;
    info->dtype = GRAFT_REAL;
    info->per_image = 1;
    return GRAFT_OK;
}

/* ---- parameters --------------------------------------------------------- */

static bool is_selected(const struct graft_facts *f, graft_value_id v)
{
    for (int i = 0; f->train && i < f->train->n; i++)
        if (f->train->at[i].value == v)
            return true;
    return false;
}

/* Value `v` is the tensor `t`. */
static int know_tensor(struct graft_facts *f, graft_value_id v,
                       const struct graft_tensor *t)
{
    struct graft_vinfo *info = &f->value[v];
    const char *name = f->model->value.at[v].name;
    if (t->refusal)
        return graft_fail(GRAFT_EUNSUPPORTED, "parameter '%.180s': %s", name,
                          t->refusal);
    bool is_int = graft_dtype_is_int(t->dtype);
    if (!is_int && !graft_dtype_is_float(t->dtype))
        return graft_fail(GRAFT_EUNSUPPORTED, "parameter '%.180s' has type %s",
                          name, graft_dtype_name(t->dtype));
    int64_t count = graft_shape_count(&t->shape);
    if (is_int && count > GRAFT_HOST_MAX)
        return graft_fail(GRAFT_ELIMIT, "parameter '%.180s' has %lld integers, "
                          "at most %lld are read", name, (long long)count,
                          (long long)GRAFT_HOST_MAX);
    if (is_int || (count <= GRAFT_HOST_REALS && !is_selected(f, v))) {
        int status = graft_host_of_tensor(f, &info->host, t, name);
        if (status)
            return status;
    }
    info->present = true;
    info->shape = t->shape;
    info->dtype = is_int ? GRAFT_INT64 : (enum graft_dtype)t->dtype;
    info->is_param = true;
    if (!is_int)
        f->tensor[v] = t;
    return GRAFT_OK;
}

int graft_facts_initializer(struct graft_facts *f, graft_value_id v)
{
    const struct graft_value *value = &f->model->value.at[v];
    if (value->tensor < 0 || f->value[v].present)
        return GRAFT_OK;
    return know_tensor(f, v, &f->model->tensor.at[value->tensor]);
}

/* A node without inputs whose attribute "value" is a tensor is that tensor
 * (Constant); NULL: it is not. */
static const struct graft_tensor *literal(const struct graft_node *node)
{
    const struct graft_attr *a = node->attr;
    bool is = node->n_in == 0 && node->n_out == 1 && node->n_attr == 1 &&
              a->type == GRAFT_ATTR_TENSOR && a->tensor &&
              strcmp(a->name, "value") == 0;
    return is ? a->tensor : NULL;
}

/* ---- nodes -------------------------------------------------------------- */

enum { ENDS_MAX = 4096 }; /* inputs or outputs of a node that is run */

static int check_arity(const struct graft_op *op,
                       const struct graft_node *node)
{
    const struct graft_arity *a = &op->arity;
    if (node->n_in > ENDS_MAX || node->n_out > ENDS_MAX)
        return graft_fail(GRAFT_ELIMIT, "%s has %d inputs and %d outputs; at "
                          "most %d are computed with", graft_node_text(node),
                          node->n_in, node->n_out, ENDS_MAX);
    if (node->n_in < a->in_min || (a->in_max >= 0 && node->n_in > a->in_max))
        return graft_fail(GRAFT_EFORMAT, "%s has %d inputs",
                          graft_node_text(node), node->n_in);
    if (node->n_out < a->out_min ||
        (a->out_max >= 0 && node->n_out > a->out_max))
        return graft_fail(GRAFT_EFORMAT, "%s has %d outputs",
                          graft_node_text(node), node->n_out);
    /* Of any number of inputs (Sum, Concat) none may be left out. */
    int needed = a->in_max < 0 ? node->n_in : a->in_min;
    for (int i = 0; i < needed; i++)
        if (node->in[i] < 0)
            return graft_fail(GRAFT_EFORMAT, "%s: input %d is left out",
                              graft_node_text(node), i);
    return GRAFT_OK;
}

/* ai.onnx's versions whose meaning is known: up to onnx 1.23; before 7,
 * broadcasting and much else went otherwise. */
enum { OPSET_MIN = 7, OPSET_MAX = 28 };

int graft_facts_parse(struct graft_facts *f, struct graft_fact *out,
                      const struct graft_node *node)
{
    *out = (struct graft_fact){.n_in = node->n_in};
    out->opset = graft_opset_of(f->model, node->domain);
    if (!*node->domain && out->opset &&
        (out->opset < OPSET_MIN || out->opset > OPSET_MAX))
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: the model uses opset %lld; "
                          "Graft runs opset %d to %d", graft_node_text(node),
                          (long long)out->opset, OPSET_MIN, OPSET_MAX);
    out->op = f->find(node->domain, node->op_type, out->opset);
    if (!out->op)
        return graft_fail_in(GRAFT_EUNSUPPORTED, "node '%.180s'%s%.60s",
                             node->name[0] || node->n_out == 0 ||
                                     node->out[0] < 0
                                 ? node->name
                                 : f->model->value.at[node->out[0]].name,
                             node->domain[0] ? " of domain " : "",
                             node->domain);
    int status = check_arity(out->op, node);
    if (status)
        return status;
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0 && (i == 0 || f->wanted[node->out[i]]))
            out->n_out = i + 1;
    out->args = graft_arena_alloc(f->arena, out->op->args_size + 1);
    if (!out->args)
        return GRAFT_EMEM;
    struct graft_parse p = {.model = f->model, .node = node,
                            .opset = out->opset, .args = out->args,
                            .arena = f->arena};
    if (out->op->parse)
        status = out->op->parse(&p);
    return status ? status : graft_attrs_check(&p);
}

/* Facts of a node's inputs, an absent one for each that is left out. */
static struct graft_vinfo *gather(struct graft_facts *f,
                                  const struct graft_node *node)
{
    struct graft_vinfo *in = graft_arena_array(f->arena,
                                               (size_t)node->n_in + 1,
                                               sizeof *in);
    for (int i = 0; in && i < node->n_in; i++)
        if (node->in[i] >= 0) {
            in[i] = f->value[node->in[i]];
            in[i].fmt.dtype = in[i].dtype;
        }
    return in;
}

/* What infer must have said of an output, and what follows from it. */
static int settle(struct graft_facts *f, const struct graft_node *node,
                  struct graft_vinfo *out, bool params)
{
    struct graft_format fmt = {.dtype = GRAFT_REAL};
    if (!out->present || graft_format_bytes(&fmt, &out->shape) < 0)
        return graft_fail(GRAFT_ELIMIT, "%s: an output is too large",
                          graft_node_text(node));
    if (out->per_image &&
        (out->shape.rank < 1 ||
         out->shape.dim[0] != out->per_image * f->n_max))
        return graft_fail(GRAFT_ESHAPE, "%s: %lld rows for each of %d images "
                          "do not make dimension 0", graft_node_text(node),
                          (long long)out->per_image, f->n_max);
    if (!graft_dtype_is_float((int)out->dtype) && !out->host)
        return graft_fail(GRAFT_EUNSUPPORTED, "%s computes %s from data, "
                          "which is only possible for constants",
                          graft_node_text(node),
                          graft_dtype_name((int)out->dtype));
    if (graft_dtype_is_float((int)out->dtype))
        out->dtype = GRAFT_REAL;
    out->fmt = (struct graft_format){.dtype = out->dtype};
    out->is_param = params;
    return GRAFT_OK;
}

/* A parameter in another float type is that parameter: packed from the bytes
 * in the file, not by way of a copy. */
static bool is_retyped(const struct graft_facts *f,
                       const struct graft_infer *x)
{
    graft_value_id v = x->n_in ? x->node->in[0] : -1;
    return x->op->flags & GRAFT_OP_RETYPES && v >= 0 && f->tensor[v] &&
           x->node->out[0] >= 0 && !is_selected(f, v) &&
           graft_dtype_is_float((int)x->out[0].dtype);
}

int graft_facts_infer(struct graft_facts *f, struct graft_fact *fact,
                      const struct graft_node *node)
{
    const struct graft_tensor *t = literal(node);
    if (t && node->out[0] >= 0) {
        fact->constant = true;
        return know_tensor(f, node->out[0], t);
    }
    struct graft_infer x = {.op = fact->op, .model = f->model, .node = node,
                            .opset = fact->opset, .n_max = f->n_max,
                            .args = fact->args, .arena = f->arena,
                            .n_in = fact->n_in, .n_out = fact->n_out,
                            .known_left = &f->host_left};
    struct graft_vinfo *in = gather(f, node);
    x.in = in;
    x.out = graft_arena_array(f->arena, (size_t)fact->n_out + 1,
                              sizeof *x.out);
    if (!in || !x.out)
        return GRAFT_EMEM;
    int status = fact->op->infer(&x);
    if (!status)
        status = graft_host_evaluate(f, &x, &fact->constant);
    if (!status && f->batch_varies)
        status = graft_number_follow(f, &x, fact->constant);
    if (!status && !fact->constant && is_retyped(f, &x)) {
        f->tensor[node->out[0]] = f->tensor[node->in[0]];
        fact->constant = true;
    }
    bool params = !(fact->op->flags & GRAFT_OP_RANDOM);
    for (int i = 0; i < x.n_in; i++)
        params &= !in[i].present || in[i].is_param || in[i].host;
    for (int k = 0; !status && k < x.n_out; k++) {
        bool named = node->out[k] >= 0;
        if (k && (!named || !f->wanted[node->out[k]]))
            continue;
        if (!named && fact->constant)
            continue;
        status = settle(f, node, &x.out[k], params);
        *(named ? &f->value[node->out[k]] : &fact->left_out) = x.out[k];
    }
    if (!status && fact->op->macs)
        fact->macs = fact->op->macs(&x);
    return status;
}
