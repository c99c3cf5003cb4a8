/* Messages made by us: what edits added, in protobuf's wire format.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_ENCODE_H
#define GRAFT_ONNX_ENCODE_H

#include "base/str.h"
#include "graph/model.h"

/* A number's varint in `out`; gives its length. */
enum { GRAFT_VARINT_MAX = 10 };
size_t graft_varint_bytes(uint8_t out[GRAFT_VARINT_MAX], uint64_t x);

/* Appended to a builder; running out of memory is the builder's to tell. */
void graft_put_varint(struct graft_str *s, uint64_t x);
void graft_put_int(struct graft_str *s, uint32_t field, int64_t x);
void graft_put_bytes(struct graft_str *s, uint32_t field, const void *at,
                     uint64_t n);
void graft_put_text(struct graft_str *s, uint32_t field, const char *text);
/* Tag and length of a payload of n bytes that follows. */
void graft_put_head(struct graft_str *s, uint32_t field, uint64_t n);

/* Whole messages, without the tag that puts them into another one. */
void graft_encode_node(struct graft_str *s, const struct graft_model *m,
                       const struct graft_node *node);
void graft_encode_value(struct graft_str *s, const struct graft_value *v);
void graft_encode_type(struct graft_str *s, const struct graft_value *v);
void graft_encode_attr(struct graft_str *s, const struct graft_attr *a);
void graft_encode_entry(struct graft_str *s, const char *key,
                        const char *value);
void graft_encode_opset(struct graft_str *s, const struct graft_opset *o);
/* Name, type and dimensions of a tensor, its data left to the caller. */
void graft_encode_tensor_head(struct graft_str *s,
                              const struct graft_tensor *t);

#endif
