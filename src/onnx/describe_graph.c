/* Nodes, graphs, functions, training.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/describe.h"

#define AT(type, member) offsetof(struct graft_##type##_info, member)
#define TEXT(field, type, member)                                           \
    {.number = field, .how = GRAFT_SLOT_TEXT, .at = AT(type, member)}
#define TEXTS(field, type, member)                                          \
    {.number = field, .how = GRAFT_SLOT_TEXTS, .at = AT(type, member),      \
     .count = AT(type, n_##member)}
#define LIST(field, type, member, reader)                                   \
    {.number = field, .how = GRAFT_SLOT_LIST, .at = AT(type, member),       \
     .count = AT(type, n_##member),                                         \
     .size = sizeof *((struct graft_##type##_info *)0)->member,             \
     .each = reader}

int graft_describe_node(struct graft_describe *d, void *out,
                        const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        TEXTS(1, node, inputs), TEXTS(2, node, outputs),
        TEXT(3, node, name), TEXT(4, node, op_type),
        LIST(5, node, attributes, graft_describe_attribute),
        TEXT(6, node, doc),
        {.number = 7, .how = GRAFT_SLOT_DOMAIN, .at = AT(node, domain)},
        TEXT(8, node, overload),
        LIST(9, node, metadata, graft_describe_entry), {0}};
    return graft_describe_slots(d, out, graft_source_of(f->wire), slots);
}

/* A node of the main graph: what import has read of tensors in other files
 * is in the model. Attributes stand there in the same order. */
static int describe_main_node(struct graft_describe *d, void *out,
                              const struct graft_gathered *f)
{
    struct graft_node_info *node = out;
    const struct graft_node *n = &d->m->node.at[f->index];
    int status = graft_describe_node(d, node, f);
    for (int i = 0; !status && i < node->n_attributes && i < n->n_attr; i++) {
        const struct graft_attribute_info *a = &node->attributes[i];
        const struct graft_tensor *t = n->attr[i].tensor;
        if (a->kind == GRAFT_ATTRIBUTE_TENSOR && a->n == 1 && t &&
            t->external)
            graft_describe_contents(
                (struct graft_tensor_info *)(uintptr_t)a->tensors, t);
    }
    return status;
}

static int describe_annotation(struct graft_describe *d, void *out,
                               const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        TEXT(1, annotation, value),
        LIST(2, annotation, entries, graft_describe_entry), {0}};
    return graft_describe_slots(d, out, graft_source_of(f->wire), slots);
}

/* ---- graphs -------------------------------------------------------------- */

#define GRAPH_SLOTS(node_reader, tensor_reader) {                           \
    LIST(1, graph, nodes, node_reader), TEXT(2, graph, name),               \
    LIST(5, graph, initializers, tensor_reader), TEXT(10, graph, doc),      \
    LIST(11, graph, inputs, graft_describe_value),                          \
    LIST(12, graph, outputs, graft_describe_value),                         \
    LIST(13, graph, values, graft_describe_value),                          \
    LIST(14, graph, annotations, describe_annotation),                      \
    LIST(15, graph, sparse_initializers, graft_describe_sparse),            \
    LIST(16, graph, metadata, graft_describe_entry), {0}}

int graft_describe_graph_from(struct graft_describe *d,
                              struct graft_graph_info *out,
                              struct graft_source from, bool main)
{
    static const struct graft_slot slots[2][11] = {
        GRAPH_SLOTS(graft_describe_node, graft_describe_tensor),
        GRAPH_SLOTS(describe_main_node, graft_describe_initializer)};
    return graft_describe_slots(d, out, from, slots[main]);
}

int graft_describe_graph(struct graft_describe *d, void *out,
                         const struct graft_gathered *f)
{
    return graft_describe_graph_from(d, out, graft_source_of(f->wire), false);
}

/* ---- functions and training ---------------------------------------------- */

int graft_describe_function(struct graft_describe *d, void *out,
                            const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        TEXT(1, function, name), TEXTS(4, function, inputs),
        TEXTS(5, function, outputs), TEXTS(6, function, attributes),
        LIST(7, function, nodes, graft_describe_node),
        TEXT(8, function, doc),
        LIST(9, function, opsets, graft_describe_opset),
        {.number = 10, .how = GRAFT_SLOT_DOMAIN, .at = AT(function, domain)},
        LIST(11, function, defaults, graft_describe_attribute),
        LIST(12, function, values, graft_describe_value),
        TEXT(13, function, overload),
        LIST(14, function, metadata, graft_describe_entry), {0}};
    return graft_describe_slots(d, out, graft_source_of(f->wire), slots);
}

int graft_describe_training(struct graft_describe *d, void *out,
                            const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 1, .how = GRAFT_SLOT_INSIDE,
         .at = AT(training, initialization), .each = graft_describe_graph},
        {.number = 2, .how = GRAFT_SLOT_INSIDE,
         .at = AT(training, algorithm), .each = graft_describe_graph},
        LIST(3, training, initialization_bindings, graft_describe_entry),
        LIST(4, training, update_bindings, graft_describe_entry), {0}};
    return graft_describe_slots(d, out, graft_source_of(f->wire), slots);
}
