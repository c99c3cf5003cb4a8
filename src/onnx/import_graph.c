/* The graph's fields. The order matters: initializers, inputs and outputs
 * first, then the nodes, so that each node can be checked against what is
 * defined already.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/import.h"

/* Field numbers of GraphProto. */
enum { G_NODE = 1, G_NAME = 2, G_INITIALIZER = 5, G_INPUT = 11, G_OUTPUT = 12,
       G_VALUE_INFO = 13, G_QUANTIZATION = 14, G_SPARSE = 15 };

/* What a field of the graph becomes; the item's index is set to it. */
typedef int reader(struct graft_import *im, struct graft_item *item);

static int place_tensor(struct graft_import *im, struct graft_item *item,
                        const struct graft_tensor *t)
{
    struct graft_model *m = im->m;
    if (!*t->name)
        return graft_fail(GRAFT_EFORMAT, "'%s': the initializer at byte %llu "
                          "has no name", im->file,
                          (unsigned long long)item->offset);
    graft_value_id id = graft_value_intern(m, t->name);
    if (id < 0)
        return id;
    struct graft_value *v = &m->value.at[id];
    if (v->tensor >= 0)
        return graft_fail(GRAFT_EFORMAT, "'%s': two initializers are called "
                          "'%.180s'", im->file, t->name);
    struct graft_tensor *at = graft_push(&m->tensor);
    if (!at)
        return GRAFT_EMEM;
    *at = *t;
    at->value = id;
    v->tensor = item->index = m->tensor.n - 1;
    return GRAFT_OK;
}

static int read_initializer(struct graft_import *im, struct graft_item *item)
{
    struct graft_tensor t;
    int status = graft_import_tensor(&t, im, graft_item_span(item));
    return status ? status : place_tensor(im, item, &t);
}

/* Known by its name and type only; the bytes travel on. */
static int read_sparse(struct graft_import *im, struct graft_item *item)
{
    struct graft_tensor t = {.refusal = "it is stored as a sparse tensor",
                             .name = "", .span = graft_item_span(item)};
    struct graft_wire w = graft_import_wire(im, t.span);
    struct graft_field f;
    while (graft_wire_next(&w, &f) > 0) {
        if (f.number != 1)
            continue;
        Onnx__TensorProto *p = NULL;
        int status = graft_unpack(
            &p, im, &onnx__tensor_proto__descriptor,
            (struct graft_span){0, f.payload, f.length},
            ~(GRAFT_FIELD(2) | GRAFT_FIELD(8)));
        if (status)
            return status;
        t.name = graft_import_text(im, p->name);
        t.dtype = p->data_type;
        graft_unpack_free(im, p);
        if (!t.name)
            return GRAFT_EMEM;
    }
    return place_tensor(im, item, &t);
}

static int push_id(struct graft_import *im, struct graft_item *item,
                   bool input)
{
    graft_value_id id = -1;
    int status = graft_import_value(&id, im, graft_item_span(item));
    if (status)
        return status;
    struct graft_model *m = im->m;
    graft_value_id *at = input ? graft_push(&m->input)
                               : graft_push(&m->output);
    if (!at)
        return GRAFT_EMEM;
    *at = id;
    item->index = id;
    return GRAFT_OK;
}

static int read_input(struct graft_import *im, struct graft_item *item)
{
    int status = push_id(im, item, true);
    if (status)
        return status;
    struct graft_value *v = &im->m->value.at[item->index];
    if (v->is_input)
        return graft_fail(GRAFT_EFORMAT, "'%s': two inputs are called '%.180s'",
                          im->file, v->name);
    v->is_input = true;
    return GRAFT_OK;
}

static int read_output(struct graft_import *im, struct graft_item *item)
{
    int status = push_id(im, item, false);
    if (!status)
        im->m->value.at[item->index].is_output = true;
    return status;
}

static int read_node(struct graft_import *im, struct graft_item *item)
{
    item->index = im->m->node.n;
    return graft_import_node(im, graft_item_span(item));
}

/* What is said about a value; one that is nowhere stays as it is. */
static void about(struct graft_import *im, struct graft_item *item,
                  graft_value_id id)
{
    if (id >= 0 && graft_value_defined(&im->m->value.at[id]))
        item->index = id;
}

static int read_value_info(struct graft_import *im, struct graft_item *item)
{
    graft_value_id id = -1;
    int status = graft_import_value(&id, im, graft_item_span(item));
    about(im, item, id);
    return status;
}

static int read_quantization(struct graft_import *im, struct graft_item *item)
{
    Onnx__TensorAnnotation *p = NULL;
    int status = graft_unpack(&p, im, &onnx__tensor_annotation__descriptor,
                              graft_item_span(item),
                              ~(GRAFT_FIELD(1) | GRAFT_FIELD(2)));
    if (!status && p->tensor_name)
        about(im, item, graft_value_find(im->m, p->tensor_name));
    for (size_t i = 0; !status && item->index >= 0 &&
                       i < p->n_quant_parameter_tensor_names; i++) {
        const char *name = p->quant_parameter_tensor_names[i]->value;
        status = graft_import_tie(im, item->index,
                                  name ? graft_value_find(im->m, name) : -1);
    }
    graft_unpack_free(im, p);
    return status;
}

static int read_name(struct graft_import *im, struct graft_item *item)
{
    struct graft_span span = graft_item_span(item);
    struct graft_wire w = graft_import_wire(im, span);
    im->m->graph_name = graft_arena_strndup(
        &im->m->arena, (const char *)w.data + w.pos, (size_t)span.length);
    return im->m->graph_name ? GRAFT_OK : GRAFT_EMEM;
}

/* In this order. */
static const struct { uint32_t number; reader *read; } graph_fields[] = {
    {G_NAME, read_name},
    {G_INITIALIZER, read_initializer},
    {G_SPARSE, read_sparse},
    {G_INPUT, read_input},
    {G_OUTPUT, read_output},
    {G_NODE, read_node},
    {G_VALUE_INFO, read_value_info},
    {G_QUANTIZATION, read_quantization},
};

static int read_graph(struct graft_import *im)
{
    int status = GRAFT_OK;
    for (size_t k = 0; k < sizeof graph_fields / sizeof *graph_fields; k++)
        for (int i = 0; !status && i < im->items->graph.n; i++)
            if (im->items->graph.at[i].number == graph_fields[k].number)
                status = graph_fields[k].read(im, &im->items->graph.at[i]);
    return status;
}

/* ---- checks of the whole ------------------------------------------------- */

static int check_order(const struct graft_import *im, int32_t i)
{
    const struct graft_model *m = im->m;
    const struct graft_node *node = &m->node.at[i];
    for (int k = 0; k < node->n_in; k++) {
        if (node->in[k] < 0)
            continue;
        const struct graft_value *v = &m->value.at[node->in[k]];
        if (!graft_value_defined(v))
            return graft_fail(GRAFT_EFORMAT, "'%s': %s reads '%.180s', which "
                              "nothing computes", im->file,
                              graft_node_text(node), v->name);
        if (v->node >= i)
            return graft_fail(GRAFT_EFORMAT, "'%s': %s reads '%.180s', which "
                              "is computed only later, by %s: a cycle, or "
                              "nodes out of order", im->file,
                              graft_node_text(node), v->name,
                              graft_node_text(&m->node.at[v->node]));
    }
    return GRAFT_OK;
}

/* An initializer's type and shape are known even where nobody states them. */
static int type_tensors(struct graft_import *im)
{
    struct graft_model *m = im->m;
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *t = &m->tensor.at[i];
        struct graft_value *v = &m->value.at[t->value];
        if (t->refusal)
            continue;
        v->dtype = t->dtype;
        v->dim = graft_arena_array(&m->arena, (size_t)t->shape.rank,
                                   sizeof *v->dim);
        if (!v->dim)
            return GRAFT_EMEM;
        v->has_shape = true;
        v->rank = t->shape.rank;
        for (int k = 0; k < v->rank; k++)
            v->dim[k].value = t->shape.dim[k];
    }
    return GRAFT_OK;
}

static int check_graph(struct graft_import *im)
{
    struct graft_model *m = im->m;
    int status = GRAFT_OK;
    for (int32_t i = 0; !status && i < m->node.n; i++) {
        status = check_order(im, i);
        if (!status && m->node.at[i].has_subgraph)
            status = graft_import_captures(im, i);
    }
    for (int i = 0; !status && i < m->output.n; i++) {
        const struct graft_value *v = &m->value.at[m->output.at[i]];
        if (!graft_value_defined(v))
            status = graft_fail(GRAFT_EFORMAT, "'%s': nothing computes the "
                                "output '%.180s'", im->file, v->name);
    }
    if (!status)
        status = type_tensors(im);
    if (!status)
        graft_model_recount(m);
    return status;
}

int graft_import_graph(struct graft_import *im)
{
    int status = read_graph(im);
    if (!status)
        status = graft_import_far_external(im);
    if (!status)
        status = check_graph(im);
    for (int i = 0; !status && i < im->items->model.n; i++)
        if (im->items->model.at[i].number == GRAFT_M_TRAINING)
            status = graft_import_training(
                im, graft_item_span(&im->items->model.at[i]));
    return status;
}
