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

struct graft_items {
    GRAFT_ARRAY(struct graft_item) model;
    GRAFT_ARRAY(struct graft_item) graph;
    int n_opset;       /* entries of model->opset that came from the file */
    int n_external;    /* tensors anywhere that say data_location EXTERNAL */
    char *folder;      /* where external data was read; NULL: nowhere */
};

void graft_items_free(struct graft_items *items);

/* Refuses (GRAFT_EFORMAT, GRAFT_ELIMIT) what is truncated, nested too deep,
 * of a wrong wire type, repeated though singular, or would need more than
 * 8 * size + 64 MiB of memory. */
int graft_scan(struct graft_items **out, const uint8_t *data, uint64_t size,
               const char *file);

#endif
