/* Messages of the file that an edit changed inside: nodes and values.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/encode.h"
#include "onnx/export.h"

/* Fields of NodeProto. */
enum { N_INPUT = 1, N_NAME = 3, N_ATTRIBUTE = 5, N_DOC = 6 };

static bool other_input(const struct graft_node *node, int k)
{
    return node->in_file && node->in[k] != node->in_file[k];
}

static int count_patches(const struct graft_node *node)
{
    int n = node->renamed + (node->doc != NULL);
    for (int k = 0; k < node->n_in; k++)
        n += other_input(node, k);
    for (int i = 0; i < node->n_attr; i++)
        n += node->attr[i].edited;
    return n;
}

/* Attributes stand in the model in the order of the file. */
static void encode_patches(struct graft_str *s, uint64_t *end,
                           struct graft_patch *patch,
                           const struct graft_model *m,
                           const struct graft_node *node)
{
    int n = 0;
    for (int k = 0; k < node->n_in; k++) {
        if (!other_input(node, k))
            continue;
        graft_put_text(s, N_INPUT, m->value.at[node->in[k]].name);
        patch[n] = (struct graft_patch){.field = N_INPUT, .ordinal = k};
        end[n++] = s->n;
    }
    if (node->renamed) {
        graft_put_text(s, N_NAME, node->name);
        patch[n] = (struct graft_patch){.field = N_NAME, .ordinal = -1};
        end[n++] = s->n;
    }
    if (node->doc) {
        if (*node->doc)
            graft_put_text(s, N_DOC, node->doc);
        patch[n] = (struct graft_patch){.field = N_DOC, .ordinal = -1};
        end[n++] = s->n;
    }
    for (int i = 0; i < node->n_attr; i++) {
        struct graft_str a;
        if (!node->attr[i].edited)
            continue;
        graft_str_init(&a);
        graft_encode_attr(&a, &node->attr[i]);
        graft_put_bytes(s, N_ATTRIBUTE, a.at, a.n);
        s->failed |= a.failed;
        graft_str_release(&a);
        patch[n] = (struct graft_patch){.field = N_ATTRIBUTE, .ordinal = i};
        end[n++] = s->n;
    }
}

int graft_emit_node(struct graft_emit *w, const struct graft_item *item)
{
    const struct graft_node *node = &w->x->m->node.at[item->index];
    const int n = count_patches(node);
    if (!n)
        return graft_emit_message(w, item, GRAFT_G_NODE, GRAFT_MSG_NODE, NULL,
                                  0);
    struct graft_patch *patch = graft_calloc((size_t)n, sizeof *patch);
    uint64_t *end = graft_calloc((size_t)n, sizeof *end);
    struct graft_str s;
    graft_str_init(&s);
    int status = patch && end ? GRAFT_OK : GRAFT_EMEM;
    if (!status) {
        encode_patches(&s, end, patch, w->x->m, node);
        status = graft_str_ok(&s);
    }
    for (int i = 0; !status && i < n; i++) {
        uint64_t from = i ? end[i - 1] : 0;
        patch[i].bytes = (const uint8_t *)s.at + from;
        patch[i].n = end[i] - from;
    }
    if (!status)
        status = graft_emit_message(w, item, GRAFT_G_NODE, GRAFT_MSG_NODE,
                                    patch, n);
    graft_str_release(&s);
    graft_free(patch);
    graft_free(end);
    return status;
}

/* What the file states of a value, with the type that an edit gave it. */
int graft_emit_value(struct graft_emit *w, const struct graft_item *item,
                     uint32_t field)
{
    const struct graft_model *m = w->x->m;
    const struct graft_value *v =
        item->index < 0 ? NULL : &m->value.at[item->index];
    if (!v || !v->retyped)
        return graft_emit_message(w, item, field, GRAFT_MSG_VALUE, NULL, 0);
    struct graft_str type, s;
    graft_str_init(&type);
    graft_str_init(&s);
    graft_encode_type(&type, v);
    graft_put_bytes(&s, 2, type.at, type.n);
    s.failed |= type.failed;
    graft_str_release(&type);
    int status = graft_str_ok(&s);
    struct graft_patch patch = {2, -1, (const uint8_t *)s.at, s.n, false};
    if (!status)
        status = graft_emit_message(w, item, field, GRAFT_MSG_VALUE, &patch, 1);
    graft_str_release(&s);
    return status;
}
