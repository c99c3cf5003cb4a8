/* Questions that only the file's messages answer; edits of the public
 * interface ask them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/export.h"
#include "onnx/onnx.h"

static struct graft_wire wire_of(const struct graft_model *m,
                                 struct graft_span span)
{
    return (struct graft_wire){m->blob.at[span.blob].data, span.offset,
                               span.offset + span.length, m->path};
}

static int look(struct graft_rewrite *w, struct graft_span span,
                enum graft_message kind)
{
    bool changed;
    int status = graft_rewrite(w, wire_of(w->m, span), kind, NULL, 0,
                               &changed);
    graft_pieces_clear(w->out);
    return status;
}

bool graft_onnx_has_training(const struct graft_model *m)
{
    bool any = false;
    for (int i = 0; m->items && i < m->items->model.n; i++)
        any |= graft_message_of(GRAFT_MSG_MODEL,
                                m->items->model.at[i].number) ==
               GRAFT_MSG_TRAINING;
    return any;
}

int graft_onnx_mentions(bool *out, const struct graft_model *m,
                        const char *name)
{
    struct graft_pieces pieces = {0};
    struct graft_rewrite w;
    int status = graft_rewrite_init(&w, m, &pieces);
    w.wanted = name;
    for (int i = 0; !status && !w.found && i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        if (node->has_subgraph && !node->removed && node->span.blob >= 0)
            status = look(&w, node->span, GRAFT_MSG_NODE);
    }
    for (int i = 0; !status && m->items && i < m->items->model.n; i++) {
        const struct graft_item *item = &m->items->model.at[i];
        if (graft_message_of(GRAFT_MSG_MODEL, item->number) ==
            GRAFT_MSG_TRAINING)
            status = look(&w, (struct graft_span){
                0, item->offset + item->head, item->length},
                GRAFT_MSG_TRAINING);
    }
    if (!status)
        *out = w.found;
    graft_rewrite_release(&w);
    graft_pieces_release(&pieces);
    return status;
}

/* ---- what is left out ---------------------------------------------------- */

static int ignore(void *ctx, const struct graft_element *e)
{
    (void)ctx, (void)e;
    return GRAFT_OK;
}

static void add(struct graft_onnx_part *to, const struct graft_dropped *a,
                const struct graft_dropped *b)
{
    to->n = a->n + b->n;
    to->bytes = a->bytes + b->bytes;
}

int graft_onnx_stripped(struct graft_onnx_part *doc,
                        struct graft_onnx_part *value_info,
                        struct graft_onnx_part *metadata,
                        const struct graft_model *m)
{
    const struct graft_export x = {.m = m};
    struct graft_emit model = {0}, graph = {0};
    int status = graft_emit_init(&model, &x);
    if (!status)
        status = graft_emit_init(&graph, &x);
    if (!status)
        status = graft_emit_model(&model, ignore, NULL);
    if (!status)
        status = graft_emit_graph(&graph, ignore, NULL);
    if (!status) {
        const struct graft_rewrite *a = &model.rewrite, *b = &graph.rewrite;
        add(doc, &a->doc, &b->doc);
        add(value_info, &a->value_info, &b->value_info);
        add(metadata, &a->metadata, &b->metadata);
    }
    graft_emit_release(&graph);
    graft_emit_release(&model);
    return status;
}

/* ---- types --------------------------------------------------------------- */

bool graft_onnx_states_type(const struct graft_model *m, graft_value_id id)
{
    const struct graft_value *v = &m->value.at[id];
    if (v->dtype)
        return true;
    for (int i = 0; !v->made && m->items && i < m->items->graph.n; i++) {
        const struct graft_item *item = &m->items->graph.at[i];
        bool about = item->number == GRAFT_G_INPUT ||
                     item->number == GRAFT_G_OUTPUT ||
                     item->number == GRAFT_G_VALUE_INFO;
        if (about && item->index == id && graft_item_states_type(m, item))
            return true;
    }
    return false;
}
