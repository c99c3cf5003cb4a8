/* Export's inner parts. A walk gives the fields of the model as they are now,
 * untouched ones as they lie in the file; writing counts and copies them,
 * describing (describe.c) reads them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_EXPORT_H
#define GRAFT_ONNX_EXPORT_H

#include "base/file.h"
#include "base/sha1.h"
#include "base/str.h"
#include "onnx/rewrite.h"
#include "onnx/scan.h"

enum { GRAFT_OUTSIDE_FROM = 1024 }; /* bytes: smaller tensors stay inside */

/* Fields of ModelProto and GraphProto, by their numbers. */
enum { GRAFT_M_IR_VERSION = 1, GRAFT_M_DOC = 6, GRAFT_M_GRAPH = 7,
       GRAFT_M_OPSET = 8, GRAFT_M_METADATA = 14, GRAFT_M_FUNCTION = 25 };
enum { GRAFT_G_NODE = 1, GRAFT_G_NAME = 2, GRAFT_G_INITIALIZER = 5,
       GRAFT_G_INPUT = 11, GRAFT_G_OUTPUT = 12, GRAFT_G_VALUE_INFO = 13,
       GRAFT_G_QUANTIZATION = 14, GRAFT_G_SPARSE = 15 };

/* Where bytes go: a file, a block of memory, or (both NULL) nowhere, which
 * still counts them. */
struct graft_sink {
    struct graft_writer *file;
    uint8_t *memory;
    uint64_t n;
    const struct graft_runtime *rt; /* may be cancelled; NULL: nobody can */
};
/* Many bytes into a file, until the runtime is cancelled (NULL: never). */
int graft_put_file(struct graft_writer *w, const struct graft_runtime *rt,
                   const void *at, uint64_t n);

/* A data file: which elements it holds, and where. */
struct graft_data_file {
    const char *name;  /* what the model calls it */
    char checksum[GRAFT_SHA1_HEX];
    uint64_t *tensor;  /* offset for each of m->tensor; UINT64_MAX: inside */
    uint64_t *far;     /* the same for each of m->items->external that is part
                          of a node, function or the like */
    uint64_t bytes;
};
/* Decides what goes outside, and the checksum; release also after a failure.
 */
int graft_data_file_plan(struct graft_data_file *d,
                         const struct graft_model *m);
void graft_data_file_release(struct graft_data_file *d);
/* Gives the file's bytes in order, gaps included. */
typedef int graft_bytes_fn(void *ctx, const void *at, uint64_t n);
int graft_data_file_walk(const struct graft_data_file *d,
                         const struct graft_model *m, graft_bytes_fn *each,
                         void *ctx);

/* What stands where a data file is to be. A link is something else. */
enum graft_stands { GRAFT_STANDS_NOTHING, GRAFT_STANDS_SAME,
                    GRAFT_STANDS_OTHER };
int graft_data_file_stands(enum graft_stands *out, const char *path,
                           const struct graft_data_file *d);
int graft_data_blob_stands(enum graft_stands *out, const char *path,
                           const struct graft_blob *b);

struct graft_export {
    const struct graft_model *m;
    struct graft_sink sink;
    const struct graft_data_file *data; /* NULL: all weights inside */
    bool gathers; /* what lies in other files comes into these ones; false:
                     it is named as the file names it */
};

/* The whole ModelProto into x->sink. */
int graft_export_model(struct graft_export *x);
/* Bytes graft_export_model would write. */
int graft_export_size(uint64_t *out, const struct graft_export *x);

int graft_sink_put(struct graft_sink *s, const void *at, uint64_t n);

/* ---- the walk ------------------------------------------------------------ */

struct graft_element {
    uint32_t field;
    int32_t index;        /* node, tensor or value in the model; -1: none */
    const uint8_t *head;  /* tag and length as the file has them; NULL: the */
    uint64_t n_head;      /* payload is a message made anew */
    const struct graft_piece *piece; /* the payload */
    int n_piece;
    uint64_t n;           /* its length */
};
typedef int graft_element_fn(void *ctx, const struct graft_element *e);

struct graft_emit {
    const struct graft_export *x; /* model, and where its weights go */
    struct graft_rewrite rewrite;
    struct graft_pieces pieces;
    int32_t *said;   /* for each value: the graph's item that states its type
                        and makes it an output; -1: none */
    int next_output; /* of m->output, not given yet */
    graft_element_fn *each;
    void *ctx;
};
/* *w is for graft_emit_model and _graph; release also after a failure. */
int graft_emit_init(struct graft_emit *w, const struct graft_export *x);
void graft_emit_release(struct graft_emit *w);
/* Gives the model's fields in order; its graph without any bytes. */
int graft_emit_model(struct graft_emit *w, graft_element_fn *each, void *ctx);
/* The same for the fields of the graph. */
int graft_emit_graph(struct graft_emit *w, graft_element_fn *each, void *ctx);

/* The ValueInfo states a type, in the file or by an edit. */
bool graft_item_states_type(const struct graft_model *m,
                            const struct graft_item *item);

/* Inside the walk: gives the pieces gathered as one field; a message made by
 * a builder (released) the same way. */
int graft_emit_give(struct graft_emit *w, uint32_t field, int32_t index);
int graft_emit_built(struct graft_emit *w, uint32_t field, int32_t index,
                     struct graft_str *message);
/* A field as it lies in the file. */
int graft_emit_item(struct graft_emit *w, const struct graft_item *item);
/* The same with names and patches applied, perhaps under another number. */
int graft_emit_message(struct graft_emit *w, const struct graft_item *item,
                       uint32_t field, enum graft_message kind,
                       struct graft_patch *patch, int n_patch);
/* Items that edits change inside: a node; what is stated of a value; an
 * initializer, which may also be a new one. */
int graft_emit_node(struct graft_emit *w, const struct graft_item *item);
int graft_emit_value(struct graft_emit *w, const struct graft_item *item,
                     uint32_t field);
int graft_emit_tensor(struct graft_emit *w, int32_t index);
/* A tensor somewhere in a message, number `i` of items->external: appended to
 * w->out with its elements inside, or with their new place. */
int graft_rewrite_far(struct graft_rewrite *w, struct graft_wire in,
                      enum graft_message kind, int i);
/* A message of the file with the model's names and with patches: in pieces,
 * which are its own bytes where nothing changes. */
int graft_emit_rewrite(struct graft_emit *w, const struct graft_wire *in,
                       enum graft_message kind, struct graft_patch *patch,
                       int n_patch, bool *changed);

#endif
