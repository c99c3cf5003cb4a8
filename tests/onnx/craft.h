/* ONNX files made byte by byte, to be right or wrong on purpose.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_CRAFT_H
#define GRAFT_TEST_CRAFT_H

#include "base/str.h"
#include "onnx/encode.h"
#include "onnx/onnx.h"
#include "test.h"

/* `inner` as a field of `outer`; inner is empty afterwards. */
static inline void craft_put(struct graft_str *outer, uint32_t field,
                             struct graft_str *inner)
{
    graft_put_bytes(outer, field, inner->at, inner->n);
    graft_str_release(inner);
}

/* A node with one input and one output; NULL: none. */
static inline void craft_node(struct graft_str *graph, const char *op,
                              const char *in, const char *out)
{
    struct graft_str s;
    graft_str_init(&s);
    if (in)
        graft_put_text(&s, 1, in);
    if (out)
        graft_put_text(&s, 2, out);
    if (op)
        graft_put_text(&s, 4, op);
    craft_put(graph, 1, &s);
}

/* A graph input (field 11) or output (12) of float32 [1]. */
static inline void craft_value(struct graft_str *graph, uint32_t field,
                               const char *name)
{
    struct graft_dim dim = {1, NULL};
    struct graft_value v = {.name = name, .dtype = GRAFT_FLOAT,
                            .has_shape = true, .dim = &dim, .rank = 1};
    struct graft_str s;
    graft_str_init(&s);
    graft_encode_value(&s, &v);
    craft_put(graph, field, &s);
}

/* The file around a graph (released), IR version and opset as given. */
static inline struct graft_str craft_file(struct graft_str *graph, int64_t ir,
                                          int64_t opset)
{
    struct graft_str s, o;
    struct graft_opset imported = {"", opset, GRAFT_NO_SPAN};
    graft_str_init(&s);
    graft_str_init(&o);
    graft_put_int(&s, 1, ir);
    graft_encode_opset(&o, &imported);
    craft_put(&s, 8, &o);
    craft_put(&s, 7, graph);
    return s;
}

static inline void craft_entry(struct graft_str *t, const char *key,
                               const char *value)
{
    struct graft_str e;
    graft_str_init(&e);
    graft_encode_entry(&e, key, value);
    craft_put(t, 13, &e);
}

/* Tensor `name`, two floats, whose elements are at this place; NULL: key left
 * out. */
static inline struct graft_str craft_outside(const char *name,
                                             const char *location,
                                             const char *offset,
                                             const char *length)
{
    struct graft_str t;
    graft_str_init(&t);
    graft_put_int(&t, 1, 2);
    graft_put_int(&t, 2, GRAFT_FLOAT);
    graft_put_text(&t, 8, name);
    if (location)
        craft_entry(&t, "location", location);
    if (offset)
        craft_entry(&t, "offset", offset);
    if (length)
        craft_entry(&t, "length", length);
    graft_put_int(&t, 14, 1);
    return t;
}

/* A model with this initializer "w" (released): w -> Relu -> y. */
static inline struct graft_str craft_around(struct graft_str *w)
{
    struct graft_str g;
    graft_str_init(&g);
    craft_value(&g, 11, "x");
    craft_node(&g, "Relu", "w", "y");
    craft_value(&g, 12, "y");
    craft_put(&g, 5, w);
    return craft_file(&g, 10, 20);
}

/* Parses and releases the file. */
static inline int craft_parse(struct graft_model **out, struct graft_str *file)
{
    int status = graft_onnx_parse(out, NULL, file->at, file->n, "crafted",
                                  NULL);
    graft_str_release(file);
    return status;
}

#endif
