/* Export's inner parts; nobody else includes this.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_EXPORT_H
#define GRAFT_ONNX_EXPORT_H

#include "base/file.h"
#include "graph/model.h"
#include "onnx/scan.h"

enum { GRAFT_OUTSIDE_FROM = 1024 }; /* bytes: smaller tensors stay inside */

/* Where bytes go: a file, a block of memory, or (both NULL) nowhere, which
 * still counts them. */
struct graft_sink {
    struct graft_writer *file;
    uint8_t *memory;
    uint64_t n;
};

struct graft_export {
    const struct graft_model *m;
    struct graft_sink sink;
    /* Weights in a data file, NULL: all inside the model. */
    const char *data_name;
    uint64_t *data_offset; /* for each tensor; UINT64_MAX: inside */
};

/* The whole ModelProto into x->sink. */
int graft_export_model(struct graft_export *x);
/* Bytes graft_export_model would write. */
int graft_export_size(uint64_t *out, const struct graft_export *x);

int graft_sink_put(struct graft_sink *s, const void *at, uint64_t n);

/* An initializer as a field of GraphProto. */
int graft_export_tensor(struct graft_export *x, int index);

#endif
