/* Export: the fields of the model and its graph in file order, each as its
 * bytes unless an edit touched it; what edits added follows at the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/export.h"

#include "base/status.h"
#include "onnx/encode.h"

enum { M_IR_VERSION = 1, M_GRAPH = 7, M_OPSET = 8, M_METADATA = 14 };
enum { G_NODE = 1, G_NAME = 2, G_INITIALIZER = 5, G_INPUT = 11, G_OUTPUT = 12,
       G_VALUE_INFO = 13, G_QUANTIZATION = 14, G_SPARSE = 15 };

/* ---- sink ---------------------------------------------------------------- */

int graft_sink_put(struct graft_sink *s, const void *at, uint64_t n)
{
    if (s->file) {
        int status = graft_writer_put(s->file, at, n);
        if (status)
            return status;
    } else if (s->memory && n) {
        memcpy(s->memory + s->n, at, (size_t)n);
    }
    s->n += n;
    return GRAFT_OK;
}

/* A message that was built, as a field; the builder is released. */
static int put_built(struct graft_export *x, uint32_t field,
                     struct graft_str *message)
{
    struct graft_str tag;
    graft_str_init(&tag);
    graft_put_head(&tag, field, message->n);
    int status = graft_str_ok(message);
    if (!status)
        status = graft_str_ok(&tag);
    if (!status)
        status = graft_sink_put(&x->sink, tag.at, tag.n);
    if (!status)
        status = graft_sink_put(&x->sink, message->at, message->n);
    graft_str_release(&tag);
    graft_str_release(message);
    return status;
}

static int put_item(struct graft_export *x, const struct graft_item *item)
{
    return graft_sink_put(&x->sink, x->m->blob.at[0].data + item->offset,
                          item->head + item->length);
}

/* ---- the graph ----------------------------------------------------------- */

static bool keep_node(const struct graft_model *m, int i)
{
    return !m->node.at[i].removed;
}

static bool keep_tensor(const struct graft_model *m, int i)
{
    return !m->tensor.at[i].removed;
}

static bool keep_input(const struct graft_model *m, int i)
{
    return m->value.at[i].is_input && !m->value.at[i].remade;
}

static bool keep_output(const struct graft_model *m, int i)
{
    (void)i;
    return !m->outputs_changed;
}

static bool keep_annotation(const struct graft_model *m, int i)
{
    return graft_value_defined(&m->value.at[i]) && !m->value.at[i].remade;
}

/* An output states its type in the list of outputs. */
static bool keep_value_info(const struct graft_model *m, int i)
{
    return keep_annotation(m, i) &&
           !(m->outputs_changed && m->value.at[i].is_output);
}

/* Fields that edits may remove, by the element that item->index names. */
static const struct {
    uint32_t number;
    bool (*keep)(const struct graft_model *m, int i);
} keepers[] = {
    {G_NODE, keep_node},           {G_INITIALIZER, keep_tensor},
    {G_SPARSE, keep_tensor},       {G_INPUT, keep_input},
    {G_OUTPUT, keep_output},       {G_VALUE_INFO, keep_value_info},
    {G_QUANTIZATION, keep_annotation},
};

static bool kept(const struct graft_model *m, const struct graft_item *item)
{
    for (size_t i = 0; i < sizeof keepers / sizeof *keepers; i++)
        if (keepers[i].number == item->number)
            return item->index < 0 || keepers[i].keep(m, item->index);
    return true;
}

static int put_graph_item(struct graft_export *x,
                          const struct graft_item *item)
{
    if (item->number == G_INITIALIZER) {
        const struct graft_tensor *t = &x->m->tensor.at[item->index];
        bool outside = x->data_name &&
                       x->data_offset[item->index] != UINT64_MAX;
        if (outside || t->external)
            return graft_export_tensor(x, item->index);
    }
    return put_item(x, item);
}

static int put_value(struct graft_export *x, uint32_t field,
                     graft_value_id id)
{
    const struct graft_value *v = &x->m->value.at[id];
    if (!v->dtype)
        return graft_fail(GRAFT_EARG, "'%s' becomes an input or output of the "
                          "graph, and nothing states its type", v->name);
    struct graft_str s;
    graft_str_init(&s);
    graft_encode_value(&s, v);
    return put_built(x, field, &s);
}

/* The file states this input's type already. */
static bool input_in_file(const struct graft_model *m, graft_value_id id)
{
    for (int i = 0; m->items && i < m->items->graph.n; i++) {
        const struct graft_item *item = &m->items->graph.at[i];
        if (item->number == G_INPUT && item->index == id)
            return !m->value.at[id].remade;
    }
    return false;
}

static int put_added(struct graft_export *x)
{
    const struct graft_model *m = x->m;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        if (node->span.blob >= 0 || node->removed)
            continue;
        struct graft_str s;
        graft_str_init(&s);
        graft_encode_node(&s, m, node);
        status = put_built(x, G_NODE, &s);
    }
    for (int i = 0; !status && i < m->tensor.n; i++)
        if (m->tensor.at[i].span.blob < 0 && !m->tensor.at[i].removed)
            status = graft_export_tensor(x, i);
    for (int i = 0; !status && i < m->input.n; i++)
        if (!input_in_file(m, m->input.at[i]))
            status = put_value(x, G_INPUT, m->input.at[i]);
    for (int i = 0; !status && m->outputs_changed && i < m->output.n; i++)
        status = put_value(x, G_OUTPUT, m->output.at[i]);
    return status;
}

static int put_graph(struct graft_export *x)
{
    const struct graft_model *m = x->m;
    int status = GRAFT_OK;
    struct graft_str name;
    if (!m->items) {
        graft_str_init(&name);
        graft_str_add(&name, *m->graph_name ? m->graph_name : "graph");
        status = put_built(x, G_NAME, &name);
    }
    for (int i = 0; !status && m->items && i < m->items->graph.n; i++)
        if (kept(m, &m->items->graph.at[i]))
            status = put_graph_item(x, &m->items->graph.at[i]);
    return status ? status : put_added(x);
}

static int put_framed_graph(struct graft_export *x)
{
    struct graft_export counter = *x;
    counter.sink = (struct graft_sink){0};
    int status = put_graph(&counter);
    if (status)
        return status;
    struct graft_str tag;
    graft_str_init(&tag);
    graft_put_head(&tag, M_GRAPH, counter.sink.n);
    status = graft_str_ok(&tag);
    if (!status)
        status = graft_sink_put(&x->sink, tag.at, tag.n);
    graft_str_release(&tag);
    return status ? status : put_graph(x);
}

/* ---- the model ----------------------------------------------------------- */

static int put_opset(struct graft_export *x, const struct graft_opset *o)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_encode_opset(&s, o);
    return put_built(x, M_OPSET, &s);
}

static int put_metadata(struct graft_export *x,
                        const struct graft_metadata *e)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_encode_entry(&s, e->key, e->value);
    return put_built(x, M_METADATA, &s);
}

static int put_model_item(struct graft_export *x,
                          const struct graft_item *item)
{
    const struct graft_model *m = x->m;
    if (item->number == M_GRAPH)
        return put_framed_graph(x);
    if (item->number == M_METADATA && m->metadata.at[item->index].removed)
        return GRAFT_OK;
    if (item->number == M_OPSET && m->opset.at[item->index].span.blob < 0)
        return put_opset(x, &m->opset.at[item->index]);
    return put_item(x, item);
}

/* A model that no file began. */
static int put_beginning(struct graft_export *x)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_put_int(&s, M_IR_VERSION, x->m->ir_version);
    int status = graft_str_ok(&s);
    if (!status)
        status = graft_sink_put(&x->sink, s.at, s.n);
    graft_str_release(&s);
    return status ? status : put_framed_graph(x);
}

int graft_export_model(struct graft_export *x)
{
    const struct graft_model *m = x->m;
    const struct graft_items *items = m->items;
    int status = items ? GRAFT_OK : put_beginning(x);
    for (int i = 0; !status && items && i < items->model.n; i++)
        status = put_model_item(x, &items->model.at[i]);
    for (int i = items ? items->n_opset : 0; !status && i < m->opset.n; i++)
        status = put_opset(x, &m->opset.at[i]);
    for (int i = 0; !status && i < m->metadata.n; i++)
        if (m->metadata.at[i].span.blob < 0 && !m->metadata.at[i].removed)
            status = put_metadata(x, &m->metadata.at[i]);
    return status;
}

int graft_export_size(uint64_t *out, const struct graft_export *x)
{
    struct graft_export counter = *x;
    counter.sink = (struct graft_sink){0};
    int status = graft_export_model(&counter);
    if (!status)
        *out = counter.sink.n;
    return status;
}
