/* The walk over the model as it is now: the file's fields in their order,
 * without what edits removed, with what they changed; then what they added.
 * Here its means and the model's own fields; export_graph.c has the graph's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/encode.h"
#include "onnx/export.h"

bool graft_item_states_type(const struct graft_model *m,
                            const struct graft_item *item)
{
    const uint64_t at = item->offset + item->head;
    struct graft_wire in = {m->blob.at[0].data, at, at + item->length,
                            m->path};
    struct graft_field f;
    while (graft_wire_next(&in, &f) > 0)
        if (f.number == 2 && f.length)
            return true;
    return m->value.at[item->index].retyped;
}

int graft_emit_init(struct graft_emit *w, const struct graft_export *x)
{
    const struct graft_model *m = x->m;
    *w = (struct graft_emit){.x = x};
    int status = graft_rewrite_init(&w->rewrite, m, &w->pieces);
    w->rewrite.gathers = x->gathers ? x : NULL;
    w->said = status ? NULL : graft_calloc((size_t)m->value.n,
                                           sizeof *w->said);
    if (!w->said)
        return GRAFT_EMEM;
    for (int i = 0; i < m->value.n; i++)
        w->said[i] = -1;
    if (!m->outputs_changed || !m->items)
        return GRAFT_OK;
    /* What says most about an output comes last here. */
    static const uint32_t order[] = {GRAFT_G_INPUT, GRAFT_G_VALUE_INFO,
                                     GRAFT_G_OUTPUT};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < m->items->graph.n; i++) {
            const struct graft_item *item = &m->items->graph.at[i];
            if (item->number == order[k] && item->index >= 0 &&
                m->value.at[item->index].is_output &&
                !m->value.at[item->index].made &&
                graft_item_states_type(m, item))
                w->said[item->index] = i;
        }
    return GRAFT_OK;
}

void graft_emit_release(struct graft_emit *w)
{
    graft_rewrite_release(&w->rewrite);
    graft_pieces_release(&w->pieces);
    graft_free(w->said);
    w->said = NULL;
}

/* ---- giving -------------------------------------------------------------- */

int graft_emit_give(struct graft_emit *w, uint32_t field, int32_t index)
{
    struct graft_element e = {
        .field = field, .index = index, .piece = w->pieces.list.at,
        .n_piece = w->pieces.list.n, .n = w->pieces.n};
    int status = w->each(w->ctx, &e);
    graft_pieces_clear(&w->pieces);
    return status;
}

int graft_emit_built(struct graft_emit *w, uint32_t field, int32_t index,
                     struct graft_str *message)
{
    int status = graft_str_ok(message);
    if (!status)
        status = graft_pieces_add(&w->pieces, message->at, message->n);
    if (!status)
        status = graft_emit_give(w, field, index);
    graft_str_release(message);
    return status;
}

/* A field as it lies in the file. */
int graft_emit_item(struct graft_emit *w, const struct graft_item *item)
{
    const uint8_t *at = w->x->m->blob.at[0].data + item->offset;
    struct graft_piece payload = {at + item->head, item->length};
    struct graft_element e = {
        .field = item->number, .index = item->index, .head = at,
        .n_head = item->head, .piece = &payload, .n_piece = 1,
        .n = item->length};
    return w->each(w->ctx, &e);
}

int graft_emit_rewrite(struct graft_emit *w, const struct graft_wire *in,
                       enum graft_message kind, struct graft_patch *patch,
                       int n_patch, bool *changed)
{
    const int before = w->pieces.list.n;
    w->rewrite.functions = kind == GRAFT_MSG_FUNCTION;
    int status = graft_rewrite(&w->rewrite, *in, kind, patch, n_patch,
                               changed);
    if (!status && !*changed && before == w->pieces.list.n)
        status = graft_pieces_add(&w->pieces, in->data + in->pos,
                                  in->end - in->pos);
    return status;
}

/* The message of an item, under a field number that may be another one. */
int graft_emit_message(struct graft_emit *w, const struct graft_item *item,
                        uint32_t field, enum graft_message kind,
                        struct graft_patch *patch, int n_patch)
{
    const struct graft_model *m = w->x->m;
    const uint64_t at = item->offset + item->head;
    const struct graft_wire in = {m->blob.at[0].data, at, at + item->length,
                                  m->path};
    bool changed = false;
    bool nothing = !n_patch && !m->renamed.n && !m->strip &&
                   !(w->x->gathers && graft_items_hold(m->items, &in));
    int status = nothing ? GRAFT_OK
                         : graft_emit_rewrite(w, &in, kind, patch, n_patch,
                                              &changed);
    if (status)
        return status;
    if (!changed && field == item->number) {
        graft_pieces_clear(&w->pieces);
        return graft_emit_item(w, item);
    }
    if (nothing)
        status = graft_pieces_add(&w->pieces, in.data + in.pos,
                                  in.end - in.pos);
    return status ? status : graft_emit_give(w, field, item->index);
}

/* ---- the model's fields -------------------------------------------------- */

static int put_opset(struct graft_emit *w, const struct graft_opset *o)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_encode_opset(&s, o);
    return graft_emit_built(w, GRAFT_M_OPSET, -1, &s);
}

static int put_metadata(struct graft_emit *w, const struct graft_metadata *e)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_encode_entry(&s, e->key, e->value);
    return graft_emit_built(w, GRAFT_M_METADATA, -1, &s);
}

static int put_doc(struct graft_emit *w)
{
    struct graft_str s;
    if (!w->x->m->doc || !*w->x->m->doc)
        return GRAFT_OK;
    graft_str_init(&s);
    graft_str_add(&s, w->x->m->doc);
    return graft_emit_built(w, GRAFT_M_DOC, -1, &s);
}

/* Without pieces: who wants the graph walks it. */
static int put_graph(struct graft_emit *w)
{
    const struct graft_element e = {.field = GRAFT_M_GRAPH, .index = -1};
    return w->each(w->ctx, &e);
}

static int model_item(struct graft_emit *w, const struct graft_item *item)
{
    const struct graft_model *m = w->x->m;
    if (item->number == GRAFT_M_GRAPH)
        return put_graph(w);
    if (item->number == GRAFT_M_METADATA)
        return m->metadata.at[item->index].removed
                   ? GRAFT_OK : graft_emit_item(w, item);
    if (item->number == GRAFT_M_OPSET &&
        m->opset.at[item->index].span.blob < 0)
        return put_opset(w, &m->opset.at[item->index]);
    if (item->number == GRAFT_M_DOC && m->doc)
        return GRAFT_OK;
    if (graft_rewrite_drops(&w->rewrite, GRAFT_MSG_MODEL, item->number,
                            item->head + item->length))
        return GRAFT_OK;
    enum graft_message kind = graft_message_of(GRAFT_MSG_MODEL,
                                               item->number);
    return kind == GRAFT_MSG_OTHER
               ? graft_emit_item(w, item)
               : graft_emit_message(w, item, item->number, kind, NULL, 0);
}

/* A model that no file began. */
static int put_beginning(struct graft_emit *w)
{
    static const uint8_t tag[] = {GRAFT_M_IR_VERSION << 3};
    uint8_t number[GRAFT_VARINT_MAX];
    const size_t n = graft_varint_bytes(number,
                                        (uint64_t)w->x->m->ir_version);
    const struct graft_piece payload = {number, n};
    const struct graft_element e = {
        .field = GRAFT_M_IR_VERSION, .index = -1, .head = tag, .n_head = 1,
        .piece = &payload, .n_piece = 1, .n = n};
    int status = w->each(w->ctx, &e);
    return status ? status : put_graph(w);
}

int graft_emit_model(struct graft_emit *w, graft_element_fn *each, void *ctx)
{
    const struct graft_model *m = w->x->m;
    const struct graft_items *items = m->items;
    w->each = each;
    w->ctx = ctx;
    int status = items ? GRAFT_OK : put_beginning(w);
    for (int i = 0; !status && items && i < items->model.n; i++)
        status = model_item(w, &items->model.at[i]);
    if (!status)
        status = put_doc(w);
    for (int i = items ? items->n_opset : 0; !status && i < m->opset.n; i++)
        status = put_opset(w, &m->opset.at[i]);
    for (int i = 0; !status && i < m->metadata.n; i++)
        if (m->metadata.at[i].span.blob < 0 && !m->metadata.at[i].removed)
            status = put_metadata(w, &m->metadata.at[i]);
    return status;
}
