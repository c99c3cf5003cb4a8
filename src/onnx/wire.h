/* Protobuf's wire format, one field at a time, without trust.
 *
 *     struct graft_wire w = {.data = d, .pos = first, .end = last, .file = f};
 *     struct graft_field f;
 *     while ((got = graft_wire_next(&w, &f)) > 0) ...f.number, f.type...
 *     if (got < 0) return got;
 *
 * Positions are offsets into `data`, so that messages can say where.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_ONNX_WIRE_H
#define GRAFT_ONNX_WIRE_H

#include <stdbool.h>
#include <stdint.h>

enum { GRAFT_WIRE_VARINT, GRAFT_WIRE_64, GRAFT_WIRE_BYTES, GRAFT_WIRE_32 = 5 };

struct graft_wire {
    const uint8_t *data;
    uint64_t pos, end; /* what is left of the message */
    const char *file;  /* for messages */
};

struct graft_field {
    uint32_t number;
    int type;         /* GRAFT_WIRE_... */
    uint64_t offset;  /* of the tag */
    uint64_t payload; /* first byte after tag and length */
    uint64_t length;  /* of the payload */
    uint64_t value;   /* VARINT: the number */
};

/* 1: *f is the next field and pos stands behind it; 0: the end; negative: a
 * status, the message names file and byte. */
int graft_wire_next(struct graft_wire *w, struct graft_field *f);

/* A varint of at most `most` bytes; false: cut off or too long. */
bool graft_wire_varint(struct graft_wire *w, int most, uint64_t *out);

/* The payload of a BYTES field as a message of its own. */
static inline struct graft_wire graft_wire_into(const struct graft_wire *w,
                                                const struct graft_field *f)
{
    return (struct graft_wire){w->data, f->payload, f->payload + f->length,
                               w->file};
}

#endif
