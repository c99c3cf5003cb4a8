/* Import's inner parts; nobody else includes this.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_IMPORT_H
#define GRAFT_ONNX_IMPORT_H

#include "graph/model.h"
#include "onnx.pb-c.h"
#include "onnx/scan.h"

/* What one import works with. Blob 0 of the model is the file. */
struct graft_import {
    struct graft_model *m;
    struct graft_items *items;
    const char *file;     /* for messages */
    const char *folder;   /* of external data; NULL: refused */
    uint8_t *scratch;     /* a message without its large fields */
    size_t scratch_cap;
    ProtobufCAllocator alloc;
    uint64_t budget;      /* bytes protobuf-c may still take */
    int failed;           /* why protobuf-c got no memory; 0: it did */
    int n_external;       /* tensors read from external data so far */
};

/* ---- reading messages ---------------------------------------------------- */

struct graft_span graft_item_span(const struct graft_item *item);
struct graft_wire graft_import_wire(const struct graft_import *im,
                                    struct graft_span span);

/* Bit of a field number, for `skip`. */
#define GRAFT_FIELD(number) (UINT64_C(1) << (number))

/* Hands protobuf-c the message in `span` without the fields in `skip`. Free
 * with graft_unpack_free(); *out is a pointer to the message's struct. */
int graft_unpack(void *out, struct graft_import *im,
                 const ProtobufCMessageDescriptor *type,
                 struct graft_span span, uint64_t skip);
void graft_unpack_free(struct graft_import *im, void *message);

/* A copy in the model's arena; NULL gives "". */
const char *graft_import_text(struct graft_import *im, const char *text);

/* The numbers of a repeated field, packed or not, one after the other.
 * it = {.message = graft_import_wire(...), .number = n, .type = its wire type};
 * graft_numbers_next gives 1 and the bits, 0 at the end, or a status. */
struct graft_numbers {
    struct graft_wire message, packed;
    uint32_t number;
    int type;
};
int graft_numbers_next(struct graft_numbers *it, uint64_t *bits);
/* How many there are; negative: a status. */
int64_t graft_numbers_count(struct graft_numbers it);

/* ---- the parts ----------------------------------------------------------- */

/* What a file that is not ONNX looks like: sets the message and fails; 0 when
 * nothing speaks against ONNX. */
int graft_sniff(const uint8_t *data, uint64_t size, const char *file);

/* The largest file that is read: what the memory limit leaves. */
uint64_t graft_import_max(const struct graft_runtime *rt);

/* *out from a TensorProto; nothing of it is owned by the caller. */
int graft_import_tensor(struct graft_tensor *out, struct graft_import *im,
                        struct graft_span span);
/* Elements from the typed fields; t's dtype and shape are set. */
int graft_import_typed(struct graft_tensor *t, struct graft_import *im);
/* Elements from a file beneath the folder. */
int graft_import_external(struct graft_tensor *t, struct graft_import *im,
                          const Onnx__TensorProto *p);
/* GRAFT_EFORMAT "tensor 'name': ..." unless `have` is what the shape needs. */
int graft_tensor_need(const struct graft_tensor *t, uint64_t have,
                      uint64_t *need);

/* A ValueInfoProto: the value's id, its stated type noted. */
int graft_import_value(graft_value_id *out, struct graft_import *im,
                       struct graft_span span);

/* All of GraphProto, checked: names, order, types. */
int graft_import_graph(struct graft_import *im);

/* A NodeProto, appended to the model. */
int graft_import_node(struct graft_import *im, struct graft_span span);
int graft_import_attr(struct graft_attr *out, struct graft_import *im,
                      struct graft_span span, const char *node);

/* Once all values are known: node->capture, and names taken by subgraphs. */
int graft_import_captures(struct graft_import *im, int32_t node);

#endif
