/* NodeProto to struct graft_node, and what its subgraphs read from outside.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/import.h"

enum { ATTRIBUTE = 5, SUBGRAPH = 6, SUBGRAPHS = 11 };

/* Ids of names; "" is -1. */
static int intern_all(graft_value_id **out, int *n_out,
                      struct graft_import *im, char *const *name, size_t n)
{
    if (n > INT32_MAX)
        return graft_fail(GRAFT_ELIMIT, "'%s': a node with %zu values",
                          im->file, n);
    graft_value_id *id = graft_arena_array(&im->m->arena, n, sizeof *id);
    if (!id)
        return GRAFT_EMEM;
    for (size_t i = 0; i < n; i++) {
        id[i] = *name[i] ? graft_value_intern(im->m, name[i]) : -1;
        if (*name[i] && id[i] < 0)
            return id[i];
    }
    *out = id;
    *n_out = (int)n;
    return GRAFT_OK;
}

static int set_outputs(struct graft_import *im, const struct graft_node *node)
{
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] < 0)
            continue;
        struct graft_value *v = &im->m->value.at[node->out[i]];
        const char *other = v->node >= 0     ? "another node computes too"
                          : v->tensor >= 0 ? "is an initializer"
                          : v->is_input    ? "is a graph input"
                                           : NULL;
        if (other)
            return graft_fail(GRAFT_EFORMAT, "'%s': %s computes '%.180s', "
                              "which %s", im->file, graft_node_text(node),
                              v->name, other);
        v->node = im->m->node.n - 1;
    }
    return GRAFT_OK;
}

static int read_attrs(struct graft_node *node, struct graft_import *im)
{
    struct graft_wire w = graft_import_wire(im, node->span), count = w;
    struct graft_field f, g;
    size_t n = 0;
    while (graft_wire_next(&count, &f) > 0)
        n += f.number == ATTRIBUTE;
    node->attr = graft_arena_array(&im->m->arena, n, sizeof *node->attr);
    int status = node->attr ? GRAFT_OK : GRAFT_EMEM;
    while (!status && graft_wire_next(&w, &f) > 0) {
        if (f.number != ATTRIBUTE)
            continue;
        struct graft_wire in = graft_wire_into(&w, &f);
        while (graft_wire_next(&in, &g) > 0)
            if (g.number == SUBGRAPH || g.number == SUBGRAPHS)
                node->has_subgraph = true;
        status = graft_import_attr(
            &node->attr[node->n_attr++], im,
            (struct graft_span){0, f.payload, f.length},
            graft_node_text(node));
    }
    return status;
}

static int fill(struct graft_node *node, struct graft_import *im,
                const Onnx__NodeProto *p)
{
    const char *domain = p->domain ? p->domain : "";
    node->name = graft_import_text(im, p->name);
    node->op_type = graft_import_text(im, p->op_type);
    node->domain = graft_import_text(im, strcmp(domain, "ai.onnx") ? domain
                                                                   : "");
    if (!node->name || !node->op_type || !node->domain)
        return GRAFT_EMEM;
    if (!*node->op_type)
        return graft_fail(GRAFT_EFORMAT, "'%s': the node '%.180s' at byte %llu "
                          "has no operator", im->file, node->name,
                          (unsigned long long)node->span.offset);
    int status = intern_all(&node->in, &node->n_in, im, p->input, p->n_input);
    if (!status)
        status = intern_all(&node->out, &node->n_out, im, p->output,
                            p->n_output);
    if (!status)
        status = graft_name_take(im->m, node->name);
    return status ? status : read_attrs(node, im);
}

int graft_import_node(struct graft_import *im, struct graft_span span)
{
    const uint64_t large = GRAFT_FIELD(ATTRIBUTE) | GRAFT_FIELD(6) |
                           GRAFT_FIELD(9) | GRAFT_FIELD(10);
    struct graft_node node = {.span = span};
    Onnx__NodeProto *p = NULL;
    int status = graft_unpack(&p, im, &onnx__node_proto__descriptor, span,
                              large);
    if (!status)
        status = fill(&node, im, p);
    graft_unpack_free(im, p);
    if (status)
        return status;
    struct graft_node *at = graft_push(&im->m->node);
    if (!at)
        return GRAFT_EMEM;
    *at = node;
    return set_outputs(im, &node);
}

/* ---- subgraphs --------------------------------------------------------------
 *
 * Every name that a subgraph mentions is kept from being given to something
 * new, and every name that the outer graph has counts as read. That is more
 * than scoping rules would say, and never less.
 */

struct captures {
    struct graft_import *im;
    GRAFT_ARRAY(graft_value_id) id;
};

static int mention(struct captures *c, const uint8_t *at, uint64_t n)
{
    struct graft_model *m = c->im->m;
    char *name = graft_arena_strndup(&m->arena, (const char *)at, (size_t)n);
    if (!name)
        return GRAFT_EMEM;
    graft_value_id id = graft_value_find(m, name);
    if (id < 0)
        return graft_name_take(m, name);
    graft_value_id *to = graft_push(&c->id);
    if (!to)
        return GRAFT_EMEM;
    *to = id;
    return GRAFT_OK;
}

typedef const ProtobufCMessageDescriptor *message_type;

/* Which text fields are names of values or nodes. */
static uint64_t name_fields(message_type type)
{
    static const struct { message_type type; uint64_t fields; } rows[] = {
        {&onnx__node_proto__descriptor,
         GRAFT_FIELD(1) | GRAFT_FIELD(2) | GRAFT_FIELD(3)},
        {&onnx__value_info_proto__descriptor, GRAFT_FIELD(1)},
        {&onnx__tensor_proto__descriptor, GRAFT_FIELD(8)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].type == type)
            return rows[i].fields;
    return 0;
}

/* Depth is bounded: the scan refused more than GRAFT_ONNX_DEPTH levels. */
static int walk(struct captures *c, struct graft_wire w, message_type type,
                bool inside)
{
    struct graft_field f;
    int got, status = GRAFT_OK;
    while (!status && (got = graft_wire_next(&w, &f)) != 0) {
        if (got < 0)
            return got;
        const ProtobufCFieldDescriptor *t =
            protobuf_c_message_descriptor_get_field(type, f.number);
        if (!t)
            continue;
        if (inside && f.number < 64 && name_fields(type) >> f.number & 1 &&
            f.length)
            status = mention(c, w.data + f.payload, f.length);
        else if (t->type == PROTOBUF_C_TYPE_MESSAGE)
            status = walk(c, graft_wire_into(&w, &f), t->descriptor,
                          inside || t->descriptor ==
                                        &onnx__graph_proto__descriptor);
    }
    return status;
}

int graft_import_captures(struct graft_import *im, int32_t index)
{
    struct graft_node *node = &im->m->node.at[index];
    struct captures c = {.im = im};
    int status = walk(&c, graft_import_wire(im, node->span),
                      &onnx__node_proto__descriptor, false);
    if (!status && c.id.n) {
        node->capture = graft_arena_array(&im->m->arena, (size_t)c.id.n,
                                          sizeof *node->capture);
        status = node->capture ? GRAFT_OK : GRAFT_EMEM;
    }
    for (int i = 0; !status && i < c.id.n; i++) {
        const struct graft_value *v = &im->m->value.at[c.id.at[i]];
        /* What is computed later cannot be meant. */
        if (v->node < index && graft_value_defined(v))
            node->capture[node->n_capture++] = c.id.at[i];
    }
    graft_array_release(&c.id);
    return status;
}

/* ---- training ------------------------------------------------------------ */

int graft_import_tie(struct graft_import *im, graft_value_id of,
                     graft_value_id needs)
{
    if (needs < 0 || !graft_value_defined(&im->m->value.at[needs]))
        return GRAFT_OK;
    struct graft_tie *tie = graft_push(&im->m->tie);
    if (!tie)
        return GRAFT_EMEM;
    *tie = (struct graft_tie){of, needs};
    return GRAFT_OK;
}

/* Key and value of a binding are both names of values. */
static int mention_texts(struct captures *c, struct graft_wire w)
{
    struct graft_field f;
    int got, status = GRAFT_OK;
    while (!status && (got = graft_wire_next(&w, &f)) != 0) {
        if (got < 0)
            return got;
        if ((f.number == 1 || f.number == 2) && f.length)
            status = mention(c, w.data + f.payload, f.length);
    }
    return status;
}

int graft_import_training(struct graft_import *im, struct graft_span span)
{
    enum { INITIALIZATION = 1, ALGORITHM, INITIAL_BINDING, UPDATE_BINDING };
    struct graft_wire w = graft_import_wire(im, span);
    struct captures c = {.im = im};
    struct graft_field f;
    int got = 0, status = GRAFT_OK;
    while (!status && (got = graft_wire_next(&w, &f)) > 0) {
        struct graft_wire in = graft_wire_into(&w, &f);
        if (f.number == INITIALIZATION || f.number == ALGORITHM)
            status = walk(&c, in, &onnx__graph_proto__descriptor, true);
        else if (f.number == INITIAL_BINDING || f.number == UPDATE_BINDING)
            status = mention_texts(&c, in);
    }
    if (!status && got < 0)
        status = got;
    for (int i = 0; !status && i < c.id.n; i++)
        status = graft_import_tie(im, -1, c.id.at[i]);
    graft_array_release(&c.id);
    return status;
}
