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
    bool external;      /* weights into "NAME.onnx.data" beside NAME.onnx */
    bool embed;         /* weights into the one file, also those that came as
                           external data (default: an untouched model keeps
                           its form, its data files are copied beside it
                           under their own names) */
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

#endif
