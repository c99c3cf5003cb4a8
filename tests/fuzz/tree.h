/* A message in protobuf's wire format as a tree that can be changed: for
 * mutations that keep the lengths around a change right. What is a message
 * inside comes from the descriptors that protoc-c generates.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_FUZZ_TREE_H
#define GRAFT_FUZZ_TREE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field {
    uint32_t number;
    int wire;            /* 0 varint, 1 64 bit, 2 bytes, 5 32 bit */
    uint64_t value;      /* of a number */
    const uint8_t *at;   /* of a leaf of bytes */
    size_t n;            /* its bytes; when written: of the payload */
    const ProtobufCFieldDescriptor *say;     /* NULL: unknown to us */
    const ProtobufCMessageDescriptor *type;  /* of a message; NULL: a leaf */
    struct field *parent, *child, *next;
};

enum { TREE_FIELDS = 1 << 16, TREE_LIST = 1 << 13, TREE_DEPTH = 70,
       TREE_BYTES = 1 << 20 };

struct tree {
    struct field *root;
    struct field *list[TREE_LIST]; /* all but the root, in file order */
    int n;
    int used;                      /* of pool */
    size_t bytes;                  /* of text */
    struct field pool[TREE_FIELDS];
    uint8_t text[TREE_BYTES];
};

/* false: not a ModelProto, or too large. Leaves point into `data`. */
bool tree_parse(struct tree *t, const uint8_t *data, size_t size);
/* Bytes written to out; 0: more than max. */
size_t tree_write(struct tree *t, uint8_t *out, size_t max);
/* Lists the fields anew, after a change. */
void tree_list(struct tree *t);

/* NULL: no room. */
struct field *tree_new(struct tree *t, uint32_t number, int wire);
struct field *tree_clone(struct tree *t, const struct field *f);
/* Room for n bytes that live as long as the tree; NULL: none is left. */
uint8_t *tree_room(struct tree *t, size_t n);
bool tree_set_text(struct tree *t, struct field *f, const char *text);

/* Puts f behind `after`, a child of `parent` (NULL: first). */
void tree_put(struct field *parent, struct field *after, struct field *f);
void tree_cut(struct field *f);
/* The first child of this number; NULL: none. */
struct field *tree_child(const struct field *f, uint32_t number);
/* Sets `say`, and `type` of a message, from the parent's type. */
void tree_describe(struct field *f, const ProtobufCMessageDescriptor *parent);

#endif
