/* Messages written again with small changes: other names, some fields left
 * out or put in. What does not change is pointed at, never copied, so that a
 * node with a large constant costs a few bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_REWRITE_H
#define GRAFT_ONNX_REWRITE_H

#include "base/arena.h"
#include "base/array.h"
#include "graph/model.h"
#include "onnx/wire.h"

/* Bytes in pieces, one after the other. */
struct graft_piece {
    const uint8_t *at;
    uint64_t n;
};
struct graft_pieces {
    GRAFT_ARRAY(struct graft_piece) list;
    struct graft_arena arena; /* of bytes that were made */
    uint64_t n;               /* in all */
    bool made;                /* the arena holds something */
};
void graft_pieces_clear(struct graft_pieces *p);
void graft_pieces_release(struct graft_pieces *p);
int graft_pieces_add(struct graft_pieces *p, const void *at, uint64_t n);
int graft_pieces_copy(struct graft_pieces *p, const void *at, uint64_t n);
/* Tag and length of a message or text of n bytes. */
int graft_pieces_head(struct graft_pieces *p, uint32_t field, uint64_t n);
/* All of them in one block of the given arena. */
const uint8_t *graft_pieces_flat(const struct graft_pieces *p,
                                 struct graft_arena *a);

/* What a message is. The same message type may have several kinds: only an
 * initializer's name is the name of a value. */
enum graft_message {
    GRAFT_MSG_OTHER, /* nothing in it is changed */
    GRAFT_MSG_MODEL, GRAFT_MSG_GRAPH, GRAFT_MSG_NODE, GRAFT_MSG_ATTR,
    GRAFT_MSG_VALUE, GRAFT_MSG_TENSOR, GRAFT_MSG_INITIALIZER,
    GRAFT_MSG_SPARSE, GRAFT_MSG_SPARSE_INITIALIZER, GRAFT_MSG_ANNOTATION,
    GRAFT_MSG_QUANT_ENTRY, GRAFT_MSG_DEVICES, GRAFT_MSG_SHARDING,
    GRAFT_MSG_TRAINING, GRAFT_MSG_BINDING, GRAFT_MSG_FUNCTION,
    GRAFT_MSG_COUNT
};
/* The kind of a field's payload inside a message of kind `in`. */
enum graft_message graft_message_of(enum graft_message in, uint32_t field);

/* One field of the outermost message, told apart by its number and, unless
 * -1, by how many of that number stand before it. It becomes `bytes` (tag and
 * all; n 0: nothing); what is not there is put at the end. */
struct graft_patch {
    uint32_t field;
    int ordinal;
    const uint8_t *bytes;
    uint64_t n;
    bool used;
};

struct graft_dropped {
    int64_t n;
    uint64_t bytes; /* with tag and length */
};
struct graft_export;
struct graft_rewrite {
    const struct graft_model *m; /* its names and `strip` are applied */
    struct graft_pieces *out;
    int *hidden;         /* for each of m->renamed: graphs around us that
                            define the name for themselves */
    int depth;           /* graphs around us below the model's own */
    int functions;       /* around us: names in them are their own */
    const char *wanted;  /* a name looked for in nested graphs, and whether */
    bool found;          /* it stands there */
    /* Tensors whose elements lie in other files are changed as this export
     * wants them; NULL: they stay as they are. */
    const struct graft_export *gathers;
    /* What was left out: doc strings, value infos, metadata. */
    struct graft_dropped doc, value_info, metadata;
};
/* Zeroed *w with m and out set; release frees what _init made. */
int graft_rewrite_init(struct graft_rewrite *w, const struct graft_model *m,
                       struct graft_pieces *out);
void graft_rewrite_release(struct graft_rewrite *w);

/* Appends message `in` as it is now to w->out, or nothing when no byte of it
 * changes: *changed says which. */
int graft_rewrite(struct graft_rewrite *w, struct graft_wire in,
                  enum graft_message kind, struct graft_patch *patch,
                  int n_patch, bool *changed);

/* Whether export leaves this field of such a message out; counts it if so. */
bool graft_rewrite_drops(struct graft_rewrite *w, enum graft_message in,
                         uint32_t field, uint64_t bytes);

#endif
