/* The graph's fields: which are kept, which an edit changed, and what edits
 * added.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/encode.h"
#include "onnx/export.h"

/* ---- the graph's fields, one function for each kind ---------------------- */

typedef int giver(struct graft_emit *w, const struct graft_item *item);

static int node(struct graft_emit *w, const struct graft_item *item)
{
    return w->x->m->node.at[item->index].removed ? GRAFT_OK
                                                 : graft_emit_node(w, item);
}

static int initializer(struct graft_emit *w, const struct graft_item *item)
{
    const struct graft_export *x = w->x;
    const struct graft_tensor *t = &x->m->tensor.at[item->index];
    bool outside = x->data && x->data->tensor[item->index] != UINT64_MAX;
    if (t->removed)
        return GRAFT_OK;
    if (outside || t->external || t->replaced)
        return graft_emit_tensor(w, item->index);
    return graft_emit_message(w, item, item->number, GRAFT_MSG_INITIALIZER,
                              NULL, 0);
}

static int sparse(struct graft_emit *w, const struct graft_item *item)
{
    return w->x->m->tensor.at[item->index].removed
               ? GRAFT_OK
               : graft_emit_message(w, item, item->number,
                              GRAFT_MSG_SPARSE_INITIALIZER, NULL, 0);
}

static int input(struct graft_emit *w, const struct graft_item *item)
{
    const struct graft_value *v = &w->x->m->value.at[item->index];
    return v->is_input && !v->remade ? graft_emit_value(w, item, item->number)
                                     : GRAFT_OK;
}

/* The file's outputs stay where they are as far as the list of outputs
 * follows their order; the others come behind. */
static int output(struct graft_emit *w, const struct graft_item *item)
{
    const struct graft_model *m = w->x->m;
    if (m->outputs_changed) {
        if (w->next_output == m->output.n ||
            m->output.at[w->next_output] != item->index ||
            m->value.at[item->index].made)
            return GRAFT_OK;
        w->next_output++;
    }
    return graft_emit_value(w, item, item->number);
}

/* Whether what the file says about a value still holds. */
static bool holds(const struct graft_model *m, const struct graft_item *item)
{
    if (item->index >= 0)
        return graft_value_defined(&m->value.at[item->index]) &&
               !m->value.at[item->index].remade;
    if (!m->edited)
        return true;
    /* It was about nothing; an edit may have made something of that name. */
    struct graft_wire in = {m->blob.at[0].data, item->offset + item->head,
                            item->offset + item->head + item->length,
                            m->path};
    struct graft_field f;
    while (graft_wire_next(&in, &f) > 0) {
        char name[256];
        if (f.number != 1 || f.length >= sizeof name)
            continue;
        memcpy(name, in.data + f.payload, (size_t)f.length);
        name[f.length] = '\0';
        graft_value_id id = graft_value_find(m, name);
        return id < 0 || !graft_value_defined(&m->value.at[id]);
    }
    return true;
}

/* An output states its type in the list of outputs. */
static int value_info(struct graft_emit *w, const struct graft_item *item)
{
    bool moved = item->index >= 0 && w->said[item->index] >= 0 &&
                 &w->x->m->items->graph.at[w->said[item->index]] == item;
    if (moved || !holds(w->x->m, item) ||
        graft_rewrite_drops(&w->rewrite, GRAFT_MSG_GRAPH, item->number,
                            item->head + item->length))
        return GRAFT_OK;
    return graft_emit_value(w, item, item->number);
}

static int annotation(struct graft_emit *w, const struct graft_item *item)
{
    return holds(w->x->m, item)
               ? graft_emit_message(w, item, item->number, GRAFT_MSG_ANNOTATION,
                              NULL, 0)
               : GRAFT_OK;
}

static giver *const givers[32] = {
    [GRAFT_G_NODE] = node, [GRAFT_G_INITIALIZER] = initializer,
    [GRAFT_G_INPUT] = input, [GRAFT_G_OUTPUT] = output,
    [GRAFT_G_VALUE_INFO] = value_info, [GRAFT_G_QUANTIZATION] = annotation,
    [GRAFT_G_SPARSE] = sparse,
};

static int graph_item(struct graft_emit *w, const struct graft_item *item)
{
    giver *give = item->number < 32 ? givers[item->number] : NULL;
    if (give)
        return give(w, item);
    return graft_rewrite_drops(&w->rewrite, GRAFT_MSG_GRAPH, item->number,
                               item->head + item->length)
               ? GRAFT_OK
               : graft_emit_item(w, item);
}

/* ---- what edits added ---------------------------------------------------- */

static int new_nodes(struct graft_emit *w, bool first)
{
    const struct graft_model *m = w->x->m;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < m->node.n; i++) {
        const struct graft_node *n = &m->node.at[i];
        if (n->span.blob >= 0 || n->removed || n->first != first)
            continue;
        struct graft_str s;
        graft_str_init(&s);
        graft_encode_node(&s, m, n);
        status = graft_emit_built(w, GRAFT_G_NODE, i, &s);
    }
    return status;
}

static int new_value(struct graft_emit *w, uint32_t field, graft_value_id id)
{
    const struct graft_value *v = &w->x->m->value.at[id];
    if (!v->dtype)
        return graft_fail(GRAFT_EARG, "'%s' becomes an input or output of the "
                          "graph, and nothing states its type", v->name);
    struct graft_str s;
    graft_str_init(&s);
    graft_encode_value(&s, v);
    return graft_emit_built(w, field, id, &s);
}

static int new_output(struct graft_emit *w, graft_value_id id)
{
    const int said = w->said[id];
    return said < 0 ? new_value(w, GRAFT_G_OUTPUT, id)
                    : graft_emit_value(w, &w->x->m->items->graph.at[said],
                                 GRAFT_G_OUTPUT);
}

static int added(struct graft_emit *w)
{
    const struct graft_model *m = w->x->m;
    int status = new_nodes(w, false);
    for (int i = 0; !status && i < m->tensor.n; i++)
        if (m->tensor.at[i].span.blob < 0 && !m->tensor.at[i].removed)
            status = graft_emit_tensor(w, i);
    for (int i = 0; !status && i < m->input.n; i++)
        if (m->value.at[m->input.at[i]].made)
            status = new_value(w, GRAFT_G_INPUT, m->input.at[i]);
    for (int i = w->next_output;
         !status && m->outputs_changed && i < m->output.n; i++)
        status = new_output(w, m->output.at[i]);
    return status;
}

int graft_emit_graph(struct graft_emit *w, graft_element_fn *each, void *ctx)
{
    const struct graft_model *m = w->x->m;
    struct graft_str name;
    w->each = each;
    w->ctx = ctx;
    w->next_output = 0;
    int status = new_nodes(w, true);
    if (!status && !m->items) {
        graft_str_init(&name);
        graft_str_add(&name, *m->graph_name ? m->graph_name : "graph");
        status = graft_emit_built(w, GRAFT_G_NAME, -1, &name);
    }
    for (int i = 0; !status && m->items && i < m->items->graph.n; i++)
        status = graph_item(w, &m->items->graph.at[i]);
    return status ? status : added(w);
}
