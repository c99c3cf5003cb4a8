/* Edits of a model: cut, splice, name. What an edit does not touch keeps its
 * bytes. A failed edit leaves the model unfit for export, fit for freeing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_GRAPH_EDIT_H
#define GRAFT_GRAPH_EDIT_H

#include "graph/model.h"

/* A name that no value and no node of the model has: base, base_1, ... */
const char *graft_unique_name(struct graft_model *m, const char *base);

/* A new initializer, its bytes copied into the arena (or, with borrow, used
 * where they are: they must outlive the model). With ir_version < 4 it also
 * becomes a graph input, as that version demands. Returns the value's id in
 * *out. */
int graft_edit_tensor(graft_value_id *out, struct graft_model *m,
                      const char *name, int dtype,
                      const struct graft_shape *shape, const void *data);

/* Attributes of a new node, ended by one with name NULL:
 *     {{.name = "transB", .type = GRAFT_ATTR_INT, .i = 1}, {0}} */
struct graft_node_spec {
    const char *op_type, *domain, *name; /* domain NULL: ai.onnx */
    const graft_value_id *in;            /* must exist; -1: left out */
    int n_in;
    const char *out_name;                /* one new output of this name */
    const struct graft_attr *attr;       /* NULL: none; copied */
};
int graft_edit_node(graft_value_id *out, struct graft_model *m,
                    const struct graft_node_spec *spec);

/* Makes values[0..n-1] the graph's outputs, with the stated dtype and shape
 * of each value (graft_edit_value_type sets those), and removes what none of
 * them needs: nodes, then initializers that these left without a reader (and
 * their IR 3 inputs), value infos and quantisation annotations of removed
 * values. */
int graft_edit_outputs(struct graft_model *m, const graft_value_id *values,
                       int n);
int graft_edit_value_type(struct graft_model *m, graft_value_id v, int dtype,
                          const struct graft_dim *dim, int rank);

/* For graphs built from nothing (tests): a graph input to be fed, and an
 * imported opset. */
int graft_edit_input(graft_value_id *out, struct graft_model *m,
                     const char *name, int dtype,
                     const struct graft_dim *dim, int rank);
int graft_edit_opset(struct graft_model *m, const char *domain,
                     int64_t version);

/* Sets metadata_props[key], replacing every old entry of that key. */
int graft_edit_metadata(struct graft_model *m, const char *key,
                        const char *value);

#endif
