/* The border: bytes to model and back. The only user of protobuf-c.
 *
 * Import first walks the wire format itself (bounded depth, counts and
 * sizes), records spans, and hands protobuf-c a skeleton without the weights.
 * Export writes the spans of everything untouched, in file order, and encodes
 * only what edits added: import then export is byte-identical.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_ONNX_H
#define GRAFT_ONNX_ONNX_H

#include "graph/model.h"

/* Opens a file with its external data. On failure *out is untouched. */
int graft_onnx_open(struct graft_model **out, struct graft_runtime *rt,
                    const char *path);

/* The same from memory (copied); external data is refused unless `folder` is
 * given. `name` stands in messages. */
int graft_onnx_parse(struct graft_model **out, struct graft_runtime *rt,
                     const void *data, uint64_t size, const char *name,
                     const char *folder);

struct graft_onnx_save {
    bool replace;       /* an existing file may be replaced */
    bool external;      /* weights into "NAME.onnx.data" beside NAME.onnx (or,
                           if that stands with other contents and may be
                           replaced, "NAME.onnx.HASH.data": a data file is
                           never changed); so also above 1.9 GB */
    bool embed;         /* weights into the one file, also those that came as
                           external data (default: an untouched model keeps
                           its form, its data files are copied beside it
                           under their own names) */
    uint64_t inside_max; /* bytes; 0: the 1.9 GB. For tests */
    char **data_path;    /* where there is a data file, its path (graft_free);
                            NULL: nobody asks */
};
/* Writes the model (and its data file) atomically. Refuses to overwrite the
 * file or data file the model was read from. */
int graft_onnx_save(const struct graft_model *m, const char *path,
                    const struct graft_onnx_save *options);

/* The same, but the files appear with the others of `set`, when that is
 * committed: the model last, so add other files after it. */
struct graft_writers;
int graft_onnx_save_into(struct graft_writers *set,
                         const struct graft_model *m, const char *path,
                         const struct graft_onnx_save *options);

/* The model as one message in memory (graft_free), weights inside. */
int graft_onnx_encode(uint8_t **out, uint64_t *size,
                      const struct graft_model *m);

/* The model as the structs of graft/graph.h; the model must outlive them. */
struct graft_model_info;
int graft_onnx_describe(struct graft_model_info **out,
                        const struct graft_model *m);
void graft_onnx_describe_free(struct graft_model_info *x);

/* ---- what edits ask ------------------------------------------------------ */

/* Whether a subgraph or training graph uses `name` for something of its own,
 * so that a value of the main graph may not be called so. */
int graft_onnx_mentions(bool *out, const struct graft_model *m,
                        const char *name);

/* The file says how to train the model, in graphs that name its values. */
bool graft_onnx_has_training(const struct graft_model *m);

/* How much m->strip leaves out. */
struct graft_onnx_part {
    int64_t n;
    uint64_t bytes; /* with tag and length */
};
int graft_onnx_stripped(struct graft_onnx_part *doc,
                        struct graft_onnx_part *value_info,
                        struct graft_onnx_part *metadata,
                        const struct graft_model *m);

/* The value has a stated type, one that is no tensor's included. */
bool graft_onnx_states_type(const struct graft_model *m, graft_value_id id);

#endif
