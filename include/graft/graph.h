/* Walking a model: everything that an ONNX file says, as plain structs.
 *
 *     graft_model *m = NULL;
 *     struct graft_model_info *x = NULL;
 *     int status = graft_model_open(&m, NULL, "net.onnx");
 *     if (!status)
 *         status = graft_model_info_new(&x, m);
 *     if (status)
 *         puts(graft_error_message());
 *     else
 *         for (int i = 0; i < x->graph.n_nodes; i++)
 *             printf("%s %s\n", x->graph.nodes[i].op_type,
 *                    x->graph.nodes[i].name);
 *     graft_model_info_free(x);
 *     graft_model_free(m);
 *
 * Rules
 * - The structs are a picture of the model at the time they were made: later
 *   edits (graft/edit.h) do not show in it. It is freed as a whole; before
 *   that, weights are read from the model, which therefore has to live as
 *   long.
 * - A list is a pointer and n_...; all is in the order of the file.
 * - Texts are never NULL: "" where the file says nothing. Exceptions are
 *   said at the member. A domain "" is ai.onnx.
 * - Names of values tie the graph together: a node reads by `inputs` what
 *   another one, an initializer or a graph input of that name provides. In
 *   a subgraph, names of the graphs around it are visible too.
 * - What is only in the file and not understood (unknown fields, several
 *   devices) does not show, and is kept when the model is saved.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_GRAPH_H
#define GRAFT_GRAPH_H

#include "graft/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes; a zero byte follows, which is not counted. */
struct graft_string {
    const char *at;
    uint64_t n;
};

struct graft_entry_info {
    const char *key, *value;
};

/* ---- types ---------------------------------------------------------------
 */

struct graft_dim_info {
    int64_t value;          /* -1: not a number */
    const char *symbol;     /* equal symbols are equal sizes; NULL: none */
    const char *denotation; /* what it stands for, e.g. "DATA_BATCH" */
};

/* Numbers as in TypeProto. */
enum graft_type_kind {
    GRAFT_TYPE_NONE = 0, GRAFT_TYPE_TENSOR = 1, GRAFT_TYPE_SEQUENCE = 4,
    GRAFT_TYPE_MAP = 5, GRAFT_TYPE_OPAQUE = 7, GRAFT_TYPE_SPARSE_TENSOR = 8,
    GRAFT_TYPE_OPTIONAL = 9
};
struct graft_type_info {
    enum graft_type_kind kind;
    int dtype;              /* of tensors' elements, of a map's keys: ONNX's
                               number (TensorProto.DataType); 0: not said */
    const char *dtype_name; /* "float32", "int64", ... */
    int rank;               /* of tensors; -1: not said */
    const struct graft_dim_info *dims;
    const struct graft_type_info *element; /* of sequence and optional, a
                                              map's values; else NULL */
    const char *domain, *name;             /* of an opaque type */
    const char *denotation;                /* e.g. "IMAGE" */
};

/* A value as inputs, outputs and value infos state it. */
struct graft_value_info {
    const char *name, *doc;
    struct graft_type_info type;
    const struct graft_entry_info *metadata;
    int n_metadata;
};

/* ---- tensors -------------------------------------------------------------
 */

struct graft_tensor_info {
    const char *name, *doc;
    int dtype;                  /* ONNX's number; 1 is float32 */
    const char *dtype_name;
    int rank;
    const int64_t *dims;
    int64_t count;              /* of elements; -1: more than 2^63 */
    /* The elements: row-major, little-endian, types below 8 bits packed from
     * the lowest bit. They stand at any address: read them with memcpy or
     * the functions below. NULL: `why`. */
    const void *data;
    uint64_t bytes;
    const struct graft_string *strings; /* of dtype string (8): `count` of
                                           them, data is then NULL */
    const char *why;            /* why elements cannot be read; NULL: they
                                   can */
    const char *location;       /* file of the external data; NULL: inside */
    const struct graft_entry_info *metadata;
    int n_metadata;
};

/* Elements first .. first+n-1 as doubles: every type of integers, floats
 * and bools down to 2 bits. 64-bit integers are rounded, complex numbers
 * refused. GRAFT_EUNSUPPORTED with `why`; GRAFT_EARG outside the tensor. */
GRAFT_API int graft_tensor_read(const struct graft_tensor_info *t,
                                int64_t first, int64_t n, double *to);
/* The same, exactly, for integers and bools; a uint64 above 2^63-1 wraps. */
GRAFT_API int graft_tensor_read_ints(const struct graft_tensor_info *t,
                                     int64_t first, int64_t n, int64_t *to);

/* Elements that are not zero, and where. */
struct graft_sparse_info {
    struct graft_tensor_info values;  /* its name is the tensor's */
    struct graft_tensor_info indices; /* [n] into the flattened tensor, or
                                         [n, rank] */
    int rank;
    const int64_t *dims;
};

/* ---- nodes ---------------------------------------------------------------
 */

/* Numbers as in AttributeProto. */
enum graft_attribute_kind {
    GRAFT_ATTRIBUTE_UNDEFINED, GRAFT_ATTRIBUTE_FLOAT, GRAFT_ATTRIBUTE_INT,
    GRAFT_ATTRIBUTE_STRING, GRAFT_ATTRIBUTE_TENSOR, GRAFT_ATTRIBUTE_GRAPH,
    GRAFT_ATTRIBUTE_FLOATS, GRAFT_ATTRIBUTE_INTS, GRAFT_ATTRIBUTE_STRINGS,
    GRAFT_ATTRIBUTE_TENSORS, GRAFT_ATTRIBUTE_GRAPHS,
    GRAFT_ATTRIBUTE_SPARSE_TENSOR, GRAFT_ATTRIBUTE_SPARSE_TENSORS,
    GRAFT_ATTRIBUTE_TYPE, GRAFT_ATTRIBUTE_TYPES
};
struct graft_graph_info;
/* An attribute. The list that `kind` names has n elements, a single value is
 * a list of one; the other lists are NULL. */
struct graft_attribute_info {
    const char *name, *doc;
    const char *reference; /* inside a function: this attribute of the node
                              that calls it, instead of a value; NULL: no */
    enum graft_attribute_kind kind;
    int n;
    const float *floats;
    const int64_t *ints;
    const struct graft_string *strings;
    const struct graft_tensor_info *tensors;
    const struct graft_graph_info *graphs;
    const struct graft_sparse_info *sparse_tensors;
    const struct graft_type_info *types;
};

struct graft_node_info {
    const char *name, *op_type, *domain, *overload, *doc;
    const char *const *inputs;  /* "" where an optional one is left out */
    const char *const *outputs;
    int n_inputs, n_outputs;
    const struct graft_attribute_info *attributes;
    int n_attributes;
    const struct graft_entry_info *metadata;
    int n_metadata;
};

/* ---- graphs --------------------------------------------------------------
 */

/* Names of the scale and zero point that quantise a value, and more. */
struct graft_annotation_info {
    const char *value;
    const struct graft_entry_info *entries;
    int n_entries;
};

struct graft_graph_info {
    const char *name, *doc;
    const struct graft_node_info *nodes; /* each after those that it reads */
    const struct graft_value_info *inputs, *outputs;
    const struct graft_value_info *values; /* in between, as far as stated */
    const struct graft_tensor_info *initializers;
    const struct graft_sparse_info *sparse_initializers;
    const struct graft_annotation_info *annotations;
    const struct graft_entry_info *metadata;
    int n_nodes, n_inputs, n_outputs, n_values, n_initializers;
    int n_sparse_initializers, n_annotations, n_metadata;
};

/* ---- the model -----------------------------------------------------------
 */

struct graft_opset_info {
    const char *domain;
    int64_t version;
};

/* An operator that the model itself defines. */
struct graft_function_info {
    const char *name, *domain, *overload, *doc;
    const char *const *inputs;
    const char *const *outputs;
    const char *const *attributes; /* names of those without a default */
    const struct graft_attribute_info *defaults; /* those with one */
    const struct graft_node_info *nodes;
    const struct graft_value_info *values;
    const struct graft_opset_info *opsets;
    const struct graft_entry_info *metadata;
    int n_inputs, n_outputs, n_attributes, n_defaults, n_nodes, n_values;
    int n_opsets, n_metadata;
};

/* Training as graphs of its own; bindings say which initializer (key) is set
 * to which of their outputs (value). */
struct graft_training_info {
    struct graft_graph_info initialization, algorithm;
    const struct graft_entry_info *initialization_bindings, *update_bindings;
    int n_initialization_bindings, n_update_bindings;
};

struct graft_model_info {
    int64_t ir_version, model_version;
    const char *producer_name, *producer_version, *domain, *doc;
    struct graft_graph_info graph;
    const struct graft_opset_info *opsets;
    const struct graft_entry_info *metadata;
    const struct graft_function_info *functions;
    const struct graft_training_info *training;
    int n_opsets, n_metadata, n_functions, n_training;
};

/* Free with graft_model_info_free (NULL is fine), before the model. */
GRAFT_API int graft_model_info_new(struct graft_model_info **out,
                                   const graft_model *m);
GRAFT_API void graft_model_info_free(struct graft_model_info *x);

#ifdef __cplusplus
}
#endif
#endif
