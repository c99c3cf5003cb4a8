/* The model's own bookkeeping: names, uses, ancestors.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph/model.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/status.h"

int graft_graph_new(struct graft_model **out, struct graft_runtime *rt)
{
    struct graft_model *m = graft_calloc(1, sizeof *m);
    if (!m)
        return GRAFT_EMEM;
    m->rt = rt;
    m->producer_name = m->producer_version = m->graph_name = "";
    m->ir_version = 8; /* a graph built from nothing: opset 13 to 17's IR */
    m->path = graft_strdup("(memory)");
    if (!m->path) {
        graft_graph_free(m);
        return GRAFT_EMEM;
    }
    *out = m;
    return GRAFT_OK;
}

void graft_graph_free(struct graft_model *m)
{
    if (!m)
        return;
    if (m->items_free)
        m->items_free(m->items);
    for (int i = 0; i < m->blob.n; i++) {
        graft_free(m->blob.at[i].name);
        graft_free(m->blob.at[i].data);
    }
    graft_array_release(&m->blob);
    graft_array_release(&m->opset);
    graft_array_release(&m->value);
    graft_array_release(&m->node);
    graft_array_release(&m->tensor);
    graft_array_release(&m->metadata);
    graft_array_release(&m->input);
    graft_array_release(&m->output);
    graft_map_release(&m->name);
    graft_map_release(&m->taken);
    graft_array_release(&m->renamed);
    graft_map_release(&m->renamed_at);
    graft_array_release(&m->tie);
    graft_arena_release(&m->arena);
    graft_free(m->path);
    graft_free(m);
}

/* ---- names --------------------------------------------------------------- */

graft_value_id graft_value_find(const struct graft_model *m, const char *name)
{
    return graft_map_get(&m->name, name);
}

graft_value_id graft_value_intern(struct graft_model *m, const char *name)
{
    int id = graft_map_get(&m->name, name);
    if (id >= 0)
        return id;
    char *kept = graft_arena_strdup(&m->arena, name);
    if (!kept)
        return GRAFT_EMEM;
    struct graft_value *v = graft_push(&m->value);
    if (!v)
        return GRAFT_EMEM;
    v->name = kept;
    v->node = v->tensor = -1;
    id = m->value.n - 1;
    int status = graft_map_put(&m->name, kept, id);
    if (status) {
        m->value.n--;
        return status;
    }
    return id;
}

int graft_name_take(struct graft_model *m, const char *name)
{
    return *name ? graft_map_put(&m->taken, name, 1) : GRAFT_OK;
}

int64_t graft_opset_of(const struct graft_model *m, const char *domain)
{
    if (strcmp(domain, "ai.onnx") == 0)
        domain = "";
    for (int i = 0; i < m->opset.n; i++)
        if (strcmp(m->opset.at[i].domain, domain) == 0)
            return m->opset.at[i].version;
    return 0;
}

const char *graft_metadata_get(const struct graft_model *m, const char *key)
{
    for (int i = 0; i < m->metadata.n; i++)
        if (!m->metadata.at[i].removed &&
            strcmp(m->metadata.at[i].key, key) == 0)
            return m->metadata.at[i].value;
    return NULL;
}

/* ---- values -------------------------------------------------------------- */

bool graft_value_defined(const struct graft_value *v)
{
    return v->node >= 0 || v->tensor >= 0 || v->is_input;
}

graft_value_id graft_feed_next(const struct graft_model *m, int *at)
{
    while (*at < m->input.n) {
        graft_value_id id = m->input.at[(*at)++];
        if (m->value.at[id].tensor < 0)
            return id;
    }
    return -1;
}

graft_value_id graft_model_feed(const struct graft_model *m, int k)
{
    graft_value_id id;
    for (int at = 0; (id = graft_feed_next(m, &at)) >= 0;)
        if (k-- == 0)
            return id;
    return -1;
}

struct graft_view graft_tensor_view(const struct graft_tensor *t)
{
    return (struct graft_view){
        .data = (void *)(uintptr_t)t->data, /* read only, by contract */
        .shape = t->shape,
        .fmt = {.dtype = (enum graft_dtype)t->dtype, .layout = GRAFT_ROW},
    };
}

const struct graft_tensor *graft_parameter(const struct graft_model *m,
                                           graft_value_id v)
{
    const struct graft_value *value = &m->value.at[v];
    if (value->tensor >= 0)
        return &m->tensor.at[value->tensor];
    const struct graft_node *node =
        value->node >= 0 ? &m->node.at[value->node] : NULL;
    bool is = node && !node->removed && !*node->domain && node->n_in == 0 &&
              node->n_attr == 1 && !strcmp(node->op_type, "Constant") &&
              node->attr[0].type == GRAFT_ATTR_TENSOR &&
              !strcmp(node->attr[0].name, "value");
    return is ? node->attr[0].tensor : NULL;
}

static void count_uses(struct graft_model *m, const graft_value_id *id, int n)
{
    for (int i = 0; i < n; i++)
        if (id[i] >= 0)
            m->value.at[id[i]].n_uses++;
}

void graft_model_recount(struct graft_model *m)
{
    for (int i = 0; i < m->value.n; i++)
        m->value.at[i].n_uses = 0;
    for (int i = 0; i < m->node.n; i++) {
        const struct graft_node *n = &m->node.at[i];
        if (n->removed)
            continue;
        count_uses(m, n->in, n->n_in);
        count_uses(m, n->capture, n->n_capture);
    }
    m->parameter_count = 0;
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *t = &m->tensor.at[i];
        if (!t->removed && !t->refusal && graft_dtype_is_float(t->dtype))
            m->parameter_count += (uint64_t)graft_shape_count(&t->shape);
    }
}

/* ---- nodes --------------------------------------------------------------- */

static void mark_producers(const struct graft_model *m,
                           const graft_value_id *id, int n, bool *live)
{
    for (int i = 0; i < n; i++)
        if (id[i] >= 0 && m->value.at[id[i]].node >= 0)
            live[m->value.at[id[i]].node] = true;
}

/* Producers stand before their readers, so one pass backwards sees all. */
void graft_mark_ancestors(const struct graft_model *m,
                          const graft_value_id *want, int n, bool *live)
{
    mark_producers(m, want, n, live);
    for (int i = m->node.n - 1; i >= 0; i--) {
        const struct graft_node *node = &m->node.at[i];
        if (!live[i])
            continue;
        mark_producers(m, node->in, node->n_in, live);
        mark_producers(m, node->capture, node->n_capture, live);
    }
}

const char *graft_node_text(const struct graft_node *n)
{
    static _Thread_local char text[2][256];
    static _Thread_local int turn;
    char *at = text[turn ^= 1];
    if (*n->name)
        snprintf(at, sizeof text[0], "%.60s '%.180s'", n->op_type, n->name);
    else if (n->span.blob < 0)
        snprintf(at, sizeof text[0], "%.60s (a node without a name)",
                 n->op_type);
    else
        snprintf(at, sizeof text[0], "%.60s (a node without a name, at byte "
                 "%llu)", n->op_type, (unsigned long long)n->span.offset);
    return at;
}

const char *graft_tensor_text(const struct graft_tensor *t)
{
    static _Thread_local char text[256];
    if (*t->name || t->span.blob < 0)
        snprintf(text, sizeof text, "tensor '%.180s'", t->name);
    else
        snprintf(text, sizeof text, "tensor without a name, at byte %llu",
                 (unsigned long long)t->span.offset);
    return text;
}
