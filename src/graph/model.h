/* The model: what an ONNX file says, with nothing thrown away.
 *
 * Values are numbered; nodes stand in file order, which import has proven to
 * be a topological order. Every element that came from a file keeps its span
 * (where its bytes are), so that export copies what nobody touched. The
 * bytes of files are held once, in blobs; weights are read from there.
 *
 * Elements are never moved or freed before the model; edits (edit.h) mark
 * them removed or append new ones.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_GRAPH_MODEL_H
#define GRAFT_GRAPH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/map.h"
#include "tensor/view.h"

struct graft_runtime;

typedef int32_t graft_value_id; /* index into model->value; -1: none */

/* Bytes offset .. offset+length-1 of blob `blob`; blob -1: not in a file. */
struct graft_span {
    int32_t blob;
    uint64_t offset, length;
};
#define GRAFT_NO_SPAN ((struct graft_span){.blob = -1})

/* A file (or the caller's memory) held by the model. Blob 0 is the model
 * file, further ones are external data. */
struct graft_blob {
    char *name;    /* its path relative to the model's folder */
    uint8_t *data; /* graft_malloc'ed */
    uint64_t size;
    const char *checksum; /* SHA-1 in hex, where one was asked for */
};

struct graft_bytes {
    const uint8_t *at; /* NUL follows, not counted */
    uint64_t n;
};

/* A dense tensor: initializer, or tensor attribute. */
struct graft_tensor {
    const char *name;
    int dtype;                /* ONNX number, perhaps one unknown to us */
    struct graft_shape shape; /* valid when `refusal` is NULL */
    const char *refusal;      /* why the contents cannot be read (strings,
                                 rank 9, unknown type); NULL: readable */
    const uint8_t *data;      /* little-endian elements, any alignment: in a
                                 blob, or decoded into the arena (typed
                                 fields that are varints) */
    uint64_t bytes;           /* of data: count * element size, checked */
    struct graft_span span;   /* the whole TensorProto message; blob -1: made
                                 by an edit */
    graft_value_id value;     /* initializer of; -1 for attributes */
    bool external;            /* its bytes lie in an external-data file */
    bool removed;
    bool replaced;            /* an edit gave it new contents; what else the
                                 file says of it stands in the span */
    bool reshaped;            /* the edit also changed dtype or shape */
};

/* Numbers as in AttributeProto.AttributeType. */
enum graft_attr_type {
    GRAFT_ATTR_FLOAT = 1, GRAFT_ATTR_INT, GRAFT_ATTR_STRING,
    GRAFT_ATTR_TENSOR, GRAFT_ATTR_GRAPH, GRAFT_ATTR_FLOATS, GRAFT_ATTR_INTS,
    GRAFT_ATTR_STRINGS, GRAFT_ATTR_TENSORS, GRAFT_ATTR_GRAPHS,
    GRAFT_ATTR_SPARSE_TENSOR, GRAFT_ATTR_SPARSE_TENSORS,
    GRAFT_ATTR_TYPE_PROTO, GRAFT_ATTR_TYPE_PROTOS
};

struct graft_attr {
    const char *name;
    const char *ref_name;  /* refers to a function's attribute; NULL: no */
    int type;              /* enum graft_attr_type */
    float f;
    int64_t i;
    struct graft_bytes s;
    const float *floats;
    const int64_t *ints;
    const struct graft_bytes *strings;
    int n;                 /* of floats, ints, strings */
    const struct graft_tensor *tensor;
    bool edited;           /* set by an edit: encoded anew */
};

struct graft_node {
    const char *name, *op_type, *domain; /* never NULL; domain "" = ai.onnx */
    graft_value_id *in, *out;            /* -1: an optional one left out */
    int n_in, n_out;
    struct graft_attr *attr;
    int n_attr;
    bool has_subgraph;
    struct graft_span span;  /* the NodeProto message; blob -1: new */
    bool removed;
    graft_value_id *capture; /* values of this graph that subgraphs of the */
    int n_capture;           /* node read by name; they count as uses */
    bool renamed;            /* `name` is an edit's, not the file's */
    const char *doc;         /* its doc string set by an edit; NULL: the
                                file's own, not read */
    bool first;              /* new, and written before all other nodes: it
                                reads initializers only */
    const graft_value_id *in_file; /* the file's inputs, where an edit gave
                                      the node others; NULL: `in` is */
};

/* A dimension as a file states it. */
struct graft_dim {
    int64_t value;     /* >= 0; -1: symbolic or unknown */
    const char *param; /* the symbol, NULL: none */
};

struct graft_value {
    const char *name;
    int dtype;             /* stated type, 0: not stated */
    bool has_shape;
    struct graft_dim *dim; /* stated shape, rank entries */
    int rank;
    int32_t node;          /* producer: index into model->node; -1: none */
    int32_t tensor;        /* initializer: index into model->tensor; -1 */
    int n_uses;            /* inputs and captures of live nodes */
    bool is_input, is_output; /* in the graph's lists */
    bool remade;           /* cut off, then defined anew by an edit: what the
                              file says about it is void */
    bool made;             /* defined by an edit: no name in the file is its */
    bool renamed;          /* listed in model->renamed */
    bool retyped;          /* an edit changed the stated type */
};

struct graft_opset {
    const char *domain; /* "" = ai.onnx */
    int64_t version;
    struct graft_span span; /* blob -1: set by an edit */
};

struct graft_metadata {
    const char *key, *value;
    struct graft_span span;
    bool removed;
};

/* A value that the file calls by another name than we do. */
struct graft_renamed {
    const char *from; /* in the file; in the model it is the value's name */
    graft_value_id value;
};

/* `needs` is named by something that no node reads: an annotation of value
 * `of`, or what the file says of its training (of -1). */
struct graft_tie {
    graft_value_id of, needs;
};

/* What export leaves out (model->strip). */
enum { GRAFT_STRIP_DOC = 1, GRAFT_STRIP_VALUE_INFO = 2,
       GRAFT_STRIP_METADATA = 4 };

struct graft_items; /* import's record for export, private to src/onnx */

struct graft_model {
    struct graft_runtime *rt; /* borrowed */
    struct graft_arena arena; /* owns every name and small array below */
    char *path;               /* as given; "(memory)" */
    GRAFT_ARRAY(struct graft_blob) blob;
    int64_t ir_version;
    const char *producer_name, *producer_version, *graph_name;
    GRAFT_ARRAY(struct graft_opset) opset;
    GRAFT_ARRAY(struct graft_value) value;
    GRAFT_ARRAY(struct graft_node) node;
    GRAFT_ARRAY(struct graft_tensor) tensor;
    GRAFT_ARRAY(struct graft_metadata) metadata;
    GRAFT_ARRAY(graft_value_id) input;  /* IR 3: initializers among them */
    GRAFT_ARRAY(graft_value_id) output;
    struct graft_map name;    /* value name -> id */
    struct graft_items *items;
    void (*items_free)(struct graft_items *);
    bool outputs_changed;     /* an edit replaced the output list */
    uint64_t parameter_count; /* elements of live float initializers */
    struct graft_map taken;   /* names that are no value's but must not be
                                 given to new ones: nodes', subgraphs' */
    bool edited;              /* something differs from the file */
    GRAFT_ARRAY(struct graft_renamed) renamed;
    struct graft_map renamed_at; /* `from` -> index into renamed */
    const char *doc;          /* doc string set by an edit; NULL: the file's */
    unsigned strip;           /* GRAFT_STRIP_... */
    GRAFT_ARRAY(struct graft_tie) tie;
};

/* An empty model (for import, and for tests that build graphs by edits). */
int graft_graph_new(struct graft_model **out, struct graft_runtime *rt);
void graft_graph_free(struct graft_model *m);

graft_value_id graft_value_find(const struct graft_model *m,
                                const char *name); /* -1: none */
/* Id of the value `name`, made when new; negative: a status. */
graft_value_id graft_value_intern(struct graft_model *m, const char *name);

/* Keeps `name` (which lives as long as the model) from being given to
 * something new. */
int graft_name_take(struct graft_model *m, const char *name);

/* Recounts n_uses of every value and parameter_count. */
void graft_model_recount(struct graft_model *m);

/* The value is computed, an initializer or an input: somebody defines it. */
bool graft_value_defined(const struct graft_value *v);

/* Version of a domain the model imports; 0: not imported. */
int64_t graft_opset_of(const struct graft_model *m, const char *domain);

/* Metadata value of a key, NULL: none. */
const char *graft_metadata_get(const struct graft_model *m, const char *key);

/* A graph input that a caller must feed (no initializer): k-th such value, or
 * -1. */
graft_value_id graft_model_feed(const struct graft_model *m, int k);
/* All of them, one after the other, as that takes time by k:
 *     for (int at = 0; (v = graft_feed_next(m, &at)) >= 0;) */
graft_value_id graft_feed_next(const struct graft_model *m, int *at);

/* Dense ROW view of a readable tensor's bytes, at the file's alignment. */
struct graft_view graft_tensor_view(const struct graft_tensor *t);

/* The tensor that value v is: an initializer, or what a Constant node says in
 * its attribute `value`; NULL: neither. */
const struct graft_tensor *graft_parameter(const struct graft_model *m,
                                           graft_value_id v);

/* Marks in `live` (bool per node, zeroed by the caller) the nodes that the
 * values want[0..n-1] depend on. */
void graft_mark_ancestors(const struct graft_model *m,
                          const graft_value_id *want, int n, bool *live);

/* "Conv 'features.0'" for messages; borrowed until the next two calls on this
 * thread. */
const char *graft_node_text(const struct graft_node *n);
/* The same of a tensor, "tensor 'w'". */
const char *graft_tensor_text(const struct graft_tensor *t);

#endif
