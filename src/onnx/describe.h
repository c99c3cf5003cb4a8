/* Describing: messages into the public structs of graft/graph.h. Which field
 * goes where stands in tables; nobody outside src/onnx includes this.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_DESCRIBE_H
#define GRAFT_ONNX_DESCRIBE_H

#include "graft/graph.h"
#include "onnx/import.h"

/* What one description works with. The shell is a model without contents: its
 * arena owns the description, and import's readers take it for the model. */
struct graft_describe {
    const struct graft_model *m;
    struct graft_model *shell;
    struct graft_import im;
};

/* Fields of a message: of its bytes, or gathered by the walk over the model
 * as it is now. */
struct graft_gathered {
    uint32_t number;
    int32_t index;          /* as in struct graft_element */
    uint64_t value;         /* of a number */
    struct graft_wire wire; /* of a message or text */
};
struct graft_source {
    struct graft_wire wire;
    const struct graft_gathered *list; /* NULL: the bytes */
    int n, next;
};
struct graft_source graft_source_of(struct graft_wire w);
bool graft_source_next(struct graft_source *s, struct graft_gathered *f);

/* How a field is read into a member. */
enum graft_slot_how {
    GRAFT_SLOT_TEXT,    /* const char *; "" when absent */
    GRAFT_SLOT_DOMAIN,  /* the same; "ai.onnx" becomes "" */
    GRAFT_SLOT_INT,     /* int */
    GRAFT_SLOT_INT64,
    GRAFT_SLOT_TEXTS,   /* const char *const *, and how many in `count` */
    GRAFT_SLOT_LIST,    /* structs of `size` bytes, and how many */
    GRAFT_SLOT_INSIDE,  /* a struct in the struct */
    GRAFT_SLOT_ONE      /* a pointer to a struct of `size` bytes, or NULL */
};
typedef int graft_describe_fn(struct graft_describe *d, void *out,
                              const struct graft_gathered *f);
struct graft_slot {
    uint32_t number; /* 0 ends a table */
    enum graft_slot_how how;
    size_t at, count, size;
    graft_describe_fn *each;
};
/* Fills the members of *out, which is zeroed, that the table names. */
int graft_describe_slots(struct graft_describe *d, void *out,
                         struct graft_source from,
                         const struct graft_slot *slots);

/* A text of the message; NULL: EMEM. */
const char *graft_describe_text(struct graft_describe *d,
                                const struct graft_gathered *f);
/* Room for n elements; an empty list gives NULL, which is no failure. */
int graft_describe_room(void **out, int *n_out, struct graft_describe *d,
                        int64_t n, size_t size);

/* ---- one for each kind of message; *out is zeroed ------------------------ */

graft_describe_fn graft_describe_entry;      /* struct graft_entry_info */
graft_describe_fn graft_describe_value;      /* struct graft_value_info */
graft_describe_fn graft_describe_type;       /* struct graft_type_info */
graft_describe_fn graft_describe_tensor;     /* struct graft_tensor_info */
graft_describe_fn graft_describe_initializer; /* of the main graph */
graft_describe_fn graft_describe_sparse;     /* struct graft_sparse_info */
graft_describe_fn graft_describe_attribute;
graft_describe_fn graft_describe_node;
graft_describe_fn graft_describe_graph;
graft_describe_fn graft_describe_function;
graft_describe_fn graft_describe_training;
graft_describe_fn graft_describe_opset;

/* The fields of a graph, from wherever they come. */
int graft_describe_graph_from(struct graft_describe *d,
                              struct graft_graph_info *out,
                              struct graft_source from, bool main);

/* Elements where struct graft_tensor has them. */
void graft_describe_contents(struct graft_tensor_info *out,
                             const struct graft_tensor *t);

#endif
