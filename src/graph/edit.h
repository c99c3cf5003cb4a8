/* Edits of a model: cut, splice, name. What an edit does not touch keeps its
 * bytes. A failed edit leaves the model unfit for export, fit for freeing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_GRAPH_EDIT_H
#define GRAFT_GRAPH_EDIT_H

#include "graph/model.h"

/* True for text that protobuf takes as a string. */
bool graft_utf8_valid(const char *text);

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
    bool first; /* written before all nodes of the file, so that these may
                   read its output; it reads initializers only */
};
int graft_edit_node(graft_value_id *out, struct graft_model *m,
                    const struct graft_node_spec *spec);

/* Makes values[0..n-1] the graph's outputs, with the stated dtype and shape
 * of each value (graft_edit_value_type sets those), and removes what none of
 * them needs: nodes, then initializers that these left without a reader (and
 * their IR 3 inputs), value infos and quantisation annotations of removed
 * values. What the file's training names is needed, and so is an initializer
 * that an annotation of a value that stays names. */
int graft_edit_outputs(struct graft_model *m, const graft_value_id *values,
                       int n);
/* Rank -1: no shape is stated. What the file states of the value (as input,
 * output or value info) changes with it. */
int graft_edit_value_type(struct graft_model *m, graft_value_id v, int dtype,
                          const struct graft_dim *dim, int rank);
/* The same for sizes that are all known. */
int graft_edit_shape(struct graft_model *m, graft_value_id v, int dtype,
                     const struct graft_shape *shape);

/* ---- changing what is there ----------------------------------------------
 * A failed one of these has changed nothing. */

/* Gives a value of the main graph a new name, everywhere: in its own graph,
 * in subgraphs, annotations and training. A name that another value has is
 * refused; whether a subgraph uses the new name for something of its own is
 * the caller's to ask (graft_onnx_mentions). */
int graft_edit_rename(struct graft_model *m, graft_value_id id,
                      const char *name);
int graft_edit_rename_node(struct graft_model *m, int32_t node,
                           const char *name);

/* New contents of initializer `tensor` (index into m->tensor), copied; dtype
 * and shape may differ from what it had. */
int graft_edit_contents(struct graft_model *m, int32_t tensor, int dtype,
                        const struct graft_shape *shape, const void *data);

/* Sets an attribute of a node, replacing the one of that name; copied. */
int graft_edit_attr(struct graft_model *m, int32_t node,
                    const struct graft_attr *attr);
/* Makes input `k` of a node (one it has) the value `v`; other readers of the
 * value it had keep that. */
int graft_edit_node_input(struct graft_model *m, int32_t node, int k,
                          graft_value_id v);
/* *attr's contents copied into the arena, for the edits above. */
int graft_edit_copy_attr(struct graft_attr *attr, struct graft_arena *a);

/* Doc string of a node, or with node -1 the model's; "": none. */
int graft_edit_doc(struct graft_model *m, int32_t node, const char *text);

/* What the file says and export leaves out from now on: GRAFT_STRIP_... Doc
 * strings set later stay. Metadata of the model itself is never left out. */
void graft_edit_strip(struct graft_model *m, unsigned what);

/* Stores parameter `v`, an initializer or the output of a Constant, as type
 * `to` (elements of the same shape, copied), and casts it back to `from` in
 * front of its readers, which keep their bytes. A failed one has to be
 * undone; after the last one graft_model_recount is the caller's. */
int graft_edit_recode(struct graft_model *m, graft_value_id v,
                      const struct graft_shape *shape, int to, int from,
                      const void *data);

/* ---- all or nothing ------------------------------------------------------
 * Several edits as one. Between _begin and the end of the undo nothing else
 * may edit the model. */

/* What the model is now; free with graft_undo_free. */
struct graft_undo;
int graft_undo_begin(struct graft_undo **out, struct graft_model *m);
/* Makes it what it was. Edits that graft_undo takes back: graft_edit_tensor,
 * _node, _node_input, _contents, _attr, _value_type, _metadata, _outputs,
 * _recode.
 */
void graft_undo_back(struct graft_undo *u);
void graft_undo_free(struct graft_undo *u);

/* For graphs built from nothing (tests): a graph input to be fed, and an
 * imported opset. */
int graft_edit_input(graft_value_id *out, struct graft_model *m,
                     const char *name, int dtype,
                     const struct graft_dim *dim, int rank);
int graft_edit_opset(struct graft_model *m, const char *domain,
                     int64_t version);

/* Sets metadata_props[key], replacing every old entry of that key; value
 * NULL removes them. */
int graft_edit_metadata(struct graft_model *m, const char *key,
                        const char *value);

#endif
