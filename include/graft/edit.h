/* Editing models: other names, outputs and contents, less ballast.
 *
 *     graft_model *m = NULL;
 *     int status = graft_model_open(&m, NULL, "in.onnx");
 *     if (!status)
 *         status = graft_model_rename(m, "495", "logits");
 *     if (!status)
 *         status = graft_model_save(m, "out.onnx", NULL);
 *     if (status)
 *         puts(graft_error_message());
 *     graft_model_free(m);
 *
 * Rules
 * - An edit works on the model in memory; graft_model_save (graft/model.h)
 *   or graft_model_encode writes it. What no edit touched is written byte for
 *   byte as it was read, fields that Graft does not know included.
 * - An edit that fails or is refused has changed nothing.
 * - Names are those of the main graph, as they are after earlier edits. One
 *   that is not there is GRAFT_ENOTFOUND; the message says which is nearest.
 *   New names have to be UTF-8 and not empty.
 * - Everything handed in is copied.
 * - While a model is edited nobody else may use it: no other thread, and no
 *   session or description made from it before, except to free it.
 *   Descriptions (graft/graph.h) may still be read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_EDIT_H
#define GRAFT_EDIT_H

#include "graft/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What edits took away. Pass one that is all zero; several edits add up. */
struct graft_removed_part {
    int64_t n;
    uint64_t bytes; /* of initializers: of their elements; else of messages */
};
struct graft_removed {
    struct graft_removed_part nodes, initializers;
    struct graft_removed_part docs, value_infos, metadata;
};

/* ---- names ---------------------------------------------------------------
 */

/* Gives a value (input, output, initializer, or one in between) a new name.
 * All that read it follow: nodes, subgraphs, quantisation annotations,
 * training information, and Graft's own card if it names this output or
 * input. A name that another value has is refused, here or in a subgraph. */
GRAFT_API int graft_model_rename(graft_model *m, const char *value,
                                 const char *new_name);
/* The same for a node; nothing refers to nodes by name. A name that several
 * nodes have cannot be given to one of them. */
GRAFT_API int graft_model_rename_node(graft_model *m, const char *node,
                                      const char *new_name);

/* ---- outputs -------------------------------------------------------------
 */

/* Makes these values, in this order, the outputs, and removes what none of
 * them needs: nodes, and initializers that these left without a reader.
 * Inputs stay, and so does what training information or the quantisation
 * annotation of a value that stays names. A value without a stated type gets
 * the one that Graft infers, or is refused. `removed`: NULL, or what went. */
GRAFT_API int graft_model_set_outputs(graft_model *m,
                                      const char *const *values, int n,
                                      struct graft_removed *removed);
/* Appends to the outputs that are there. */
GRAFT_API int graft_model_add_outputs(graft_model *m,
                                      const char *const *values, int n);
/* Takes some away, and what only they needed; one has to remain. */
GRAFT_API int graft_model_remove_outputs(graft_model *m,
                                         const char *const *values, int n,
                                         struct graft_removed *removed);

/* ---- contents ------------------------------------------------------------
 */

/* New elements for an initializer of the same type and shape: `bytes` of
 * them, row-major and little-endian, as graft_tensor_info.data holds them.
 * One that came as external data is saved inside the model. */
GRAFT_API int graft_model_set_initializer(graft_model *m, const char *name,
                                          const void *data, uint64_t bytes);

/* Sets an entry of the model's metadata, replacing every one of this key;
 * value NULL: removes them. */
GRAFT_API int graft_model_set_metadata(graft_model *m, const char *key,
                                       const char *value);

/* Doc string of the model, and of a node; "": none. */
GRAFT_API int graft_model_set_doc(graft_model *m, const char *text);
GRAFT_API int graft_model_set_node_doc(graft_model *m, const char *node,
                                       const char *text);

/* ---- ballast -------------------------------------------------------------
 */

/* What no runtime needs. Metadata is that of nodes, values, tensors, graphs
 * and functions, where exporters leave paths and stack traces; the model's
 * own stays. Value infos are types of values between inputs and outputs. */
enum {
    GRAFT_BALLAST_DOCS = 1,
    GRAFT_BALLAST_VALUE_INFOS = 2,
    GRAFT_BALLAST_METADATA = 4,
    GRAFT_BALLAST_ALL = 7
};
/* Leaves these kinds out, subgraphs and functions included. `removed`: NULL,
 * or what went. */
GRAFT_API int graft_model_strip(graft_model *m, unsigned ballast,
                                struct graft_removed *removed);

/* ---- in memory -----------------------------------------------------------
 */

/* The model as the bytes of one ONNX file, external data inside; at most
 * 2 GiB. Free with graft_encoded_free (NULL is fine). */
GRAFT_API int graft_model_encode(void **out, uint64_t *size,
                                 const graft_model *m);
GRAFT_API void graft_encoded_free(void *bytes);

#ifdef __cplusplus
}
#endif
#endif
