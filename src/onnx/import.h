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
/* How many elements a tensor has, and how many bytes they take as raw data,
 * where elements of less than a byte are packed. */
struct graft_need {
    int64_t count, bytes;
    int bits;   /* of an element; 0: no fixed size */
    bool known; /* `bytes` is what there must be */
};
/* GRAFT_EFORMAT "tensor 'name': ..." unless `have` bytes are as many. */
int graft_tensor_need(const struct graft_tensor *t,
                      const struct graft_need *need, uint64_t have);
/* Elements from the typed fields; t's dtype and shape are set. */
int graft_import_typed(struct graft_tensor *t, struct graft_import *im,
                       const struct graft_need *need);
/* Every typed field but number `own` must be empty. */
int graft_import_other_data(const struct graft_tensor *t,
                            const struct graft_import *im, uint32_t own);
/* Elements from a file beneath the folder. */
int graft_import_external(struct graft_tensor *t, struct graft_import *im,
                          const struct graft_need *need,
                          const Onnx__TensorProto *p);
/* The same for tensors that are part of no element of the model: inside
 * subgraphs, functions, training, sparse tensors. */
int graft_import_far_external(struct graft_import *im);

/* A ValueInfoProto: the value's id, its stated type noted. */
int graft_import_value(graft_value_id *out, struct graft_import *im,
                       struct graft_span span);

/* All of GraphProto, checked: names, order, types. */
int graft_import_graph(struct graft_import *im);

/* A NodeProto, appended to the model. */
int graft_import_node(struct graft_import *im, struct graft_span span);
int graft_import_attr(struct graft_attr *out, struct graft_import *im,
                      struct graft_span span, const char *node);

/* Notes that `needs` (-1: nothing) is named by an annotation of `of`, or by
 * training (-1). */
int graft_import_tie(struct graft_import *im, graft_value_id of,
                     graft_value_id needs);
/* A TrainingInfoProto, once all values are known: what it names is needed,
 * and not to be had by something new. */
enum { GRAFT_M_TRAINING = 20 };
int graft_import_training(struct graft_import *im, struct graft_span span);

/* Once all values are known: node->capture, and names taken by subgraphs. */
int graft_import_captures(struct graft_import *im, int32_t node);

#endif
