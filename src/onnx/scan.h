/* The wire scan: walks a whole file before anything is allocated for its
 * contents, and notes where the model's and the graph's fields are.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_SCAN_H
#define GRAFT_ONNX_SCAN_H

#include "base/array.h"
#include "onnx/wire.h"

enum { GRAFT_ONNX_DEPTH = 64 }; /* levels of messages; real files: 12 */

/* A field of ModelProto or of its GraphProto, in file order. */
struct graft_item {
    uint64_t offset;  /* of the tag */
    uint64_t length;  /* of the payload */
    uint32_t number;  /* field number */
    int32_t index;    /* what it became: a node, tensor, value, ...; -1 */
    uint8_t head;     /* bytes of tag and length prefix */
};

/* A tensor anywhere in the file whose elements lie in another one. */
struct graft_external {
    uint64_t offset, length; /* of the TensorProto */
    const uint8_t *data;     /* its elements in a blob; NULL: not read yet */
    uint64_t bytes;
};

struct graft_items {
    GRAFT_ARRAY(struct graft_item) model;
    GRAFT_ARRAY(struct graft_item) graph;
    int n_opset;       /* entries of model->opset that came from the file */
    GRAFT_ARRAY(struct graft_external) external; /* by offset */
    char *folder;      /* where external data was read; NULL: nowhere */
};

void graft_items_free(struct graft_items *items);

/* Index of the first external tensor at or behind an offset of the file. */
int graft_items_external(const struct graft_items *items, uint64_t offset);
/* Whether one lies in what is left of a message of the file. */
bool graft_items_hold(const struct graft_items *items,
                      const struct graft_wire *in);

/* Refuses (GRAFT_EFORMAT, GRAFT_ELIMIT) what is truncated, nested too deep,
 * of a wrong wire type, repeated though singular, or would need more than
 * 8 * size + 64 MiB of memory. */
int graft_scan(struct graft_items **out, const uint8_t *data, uint64_t size,
               const char *file);

#endif
