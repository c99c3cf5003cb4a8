/* The whole model as plain structs: what the walk of export gives, read.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/describe.h"

#include "base/status.h"
#include "onnx/export.h"
#include "onnx/onnx.h"

#define AT(member) offsetof(struct graft_model_info, member)
#define TEXT(field, member)                                                 \
    {.number = field, .how = GRAFT_SLOT_TEXT, .at = AT(member)}
#define LIST(field, member, reader)                                         \
    {.number = field, .how = GRAFT_SLOT_LIST, .at = AT(member),             \
     .count = AT(n_##member),                                               \
     .size = sizeof *((struct graft_model_info *)0)->member,                \
     .each = reader}

static const struct graft_slot model_slots[] = {
    {.number = 1, .how = GRAFT_SLOT_INT64, .at = AT(ir_version)},
    TEXT(2, producer_name), TEXT(3, producer_version), TEXT(4, domain),
    {.number = 5, .how = GRAFT_SLOT_INT64, .at = AT(model_version)},
    TEXT(6, doc), LIST(8, opsets, graft_describe_opset),
    LIST(14, metadata, graft_describe_entry),
    LIST(20, training, graft_describe_training),
    LIST(25, functions, graft_describe_function), {0}};

/* What the caller holds. */
struct described {
    struct graft_model_info x; /* first */
    struct graft_model *shell;
};

/* ---- gathering ----------------------------------------------------------- */

struct gather {
    struct graft_describe *d;
    GRAFT_ARRAY(struct graft_gathered) list;
};

/* A payload in one piece where it lies; made anew, it is copied. Weights are
 * not: the model has them. */
static int gather(void *ctx, const struct graft_element *e)
{
    struct gather *g = ctx;
    struct graft_gathered *f = graft_push(&g->list);
    const char *file = g->d->im.file;
    if (!f)
        return GRAFT_EMEM;
    *f = (struct graft_gathered){.number = e->field, .index = e->index,
                                 .wire = {.file = file}};
    if (e->head && e->n_piece == 1) {
        f->wire = (struct graft_wire){e->piece[0].at, 0, e->n, file};
        /* The wire type stands in the tag; of a number the payload is it. */
        struct graft_wire number = f->wire;
        if ((e->head[0] & 7) == GRAFT_WIRE_VARINT)
            graft_wire_varint(&number, 10, &f->value);
        return GRAFT_OK;
    }
    if (e->field == GRAFT_G_INITIALIZER && e->index >= 0)
        return GRAFT_OK;
    const struct graft_pieces pieces = {
        .list = {(struct graft_piece *)(uintptr_t)e->piece, e->n_piece, 0},
        .n = e->n};
    f->wire.data = graft_pieces_flat(&pieces, &g->d->shell->arena);
    f->wire.end = e->n;
    return f->wire.data ? GRAFT_OK : GRAFT_EMEM;
}

typedef int walker(struct graft_emit *w, graft_element_fn *each, void *ctx);

static int gather_all(struct gather *g, walker *walk)
{
    const struct graft_export x = {.m = g->d->m};
    struct graft_emit w;
    int status = graft_emit_init(&w, &x);
    if (!status)
        status = walk(&w, gather, g);
    graft_emit_release(&w);
    return status;
}

static int describe_model(struct graft_describe *d,
                          struct graft_model_info *out)
{
    struct gather model = {.d = d}, graph = {.d = d};
    int status = gather_all(&model, graft_emit_model);
    if (!status)
        status = gather_all(&graph, graft_emit_graph);
    const struct graft_source of_model = {.list = model.list.at,
                                          .n = model.list.n};
    const struct graft_source of_graph = {.list = graph.list.at,
                                          .n = graph.list.n};
    if (!status)
        status = graft_describe_slots(d, out, of_model, model_slots);
    if (!status)
        status = graft_describe_graph_from(d, &out->graph, of_graph, true);
    graft_array_release(&model.list);
    graft_array_release(&graph.list);
    return status;
}

/* ---- entry --------------------------------------------------------------- */

/* The shell's one blob is lent to import's readers, message by message. */
static int new_shell(struct graft_describe *d)
{
    int status = graft_graph_new(&d->shell, d->m->rt);
    if (status)
        return status;
    struct graft_blob *b = graft_push(&d->shell->blob);
    if (!b)
        return GRAFT_EMEM;
    d->im = (struct graft_import){.m = d->shell, .file = d->m->path};
    return GRAFT_OK;
}

static void free_shell(struct graft_model *shell)
{
    if (shell && shell->blob.n)
        shell->blob.at[0].data = NULL; /* somebody else's */
    graft_graph_free(shell);
}

int graft_onnx_describe(struct graft_model_info **out,
                        const struct graft_model *m)
{
    struct graft_describe d = {.m = m};
    struct described *x = graft_calloc(1, sizeof *x);
    int status = x ? new_shell(&d) : GRAFT_EMEM;
    if (!status)
        status = describe_model(&d, &x->x);
    graft_free(d.im.scratch);
    if (status) {
        free_shell(d.shell);
        graft_free(x);
        return status;
    }
    x->shell = d.shell;
    *out = &x->x;
    return GRAFT_OK;
}

void graft_onnx_describe_free(struct graft_model_info *out)
{
    struct described *x = (struct described *)out;
    if (x)
        free_shell(x->shell);
    graft_free(x);
}
