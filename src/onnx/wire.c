/* Reading protobuf's wire format with every length checked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/wire.h"

#include "base/status.h"

typedef unsigned long long ull;

bool graft_wire_varint(struct graft_wire *w, int most, uint64_t *out)
{
    uint64_t value = 0;
    for (int i = 0; i < most && w->pos < w->end; i++) {
        uint8_t byte = w->data[w->pos++];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}

static int damaged(const struct graft_wire *w, const struct graft_field *f,
                   const char *why)
{
    return graft_fail(GRAFT_EFORMAT, "'%s' is damaged at byte %llu: %s",
                      w->file, (ull)f->offset, why);
}

static int cut_off(const struct graft_wire *w, const struct graft_field *f,
                   uint64_t wanted)
{
    return graft_fail(GRAFT_EFORMAT, "'%s' is damaged or cut off: field %u at "
                      "byte %llu wants %llu bytes, %llu are left", w->file,
                      f->number, (ull)f->offset, (ull)wanted,
                      (ull)(w->end - w->pos));
}

/* The bytes of a field's payload, pos standing behind tag and length. */
static int payload(struct graft_wire *w, struct graft_field *f)
{
    uint64_t length = f->type == GRAFT_WIRE_64 ? 8 : 4;
    /* Longer prefixes could only say what five bytes can, or over 32 bits,
     * which no protobuf reader takes. */
    if (f->type == GRAFT_WIRE_BYTES && !graft_wire_varint(w, 5, &length))
        return damaged(w, f, "a length is cut off or too long");
    if (length > w->end - w->pos)
        return cut_off(w, f, length);
    f->payload = w->pos;
    f->length = length;
    w->pos += length;
    return 1;
}

int graft_wire_next(struct graft_wire *w, struct graft_field *f)
{
    uint64_t tag;
    if (w->pos == w->end)
        return 0;
    *f = (struct graft_field){.offset = w->pos};
    if (!graft_wire_varint(w, 5, &tag) || tag >> 32)
        return damaged(w, f, "a field's tag is cut off or too long");
    f->number = (uint32_t)(tag >> 3);
    f->type = (int)(tag & 7);
    if (f->number == 0)
        return damaged(w, f, "a field has number 0");
    if (f->type == GRAFT_WIRE_VARINT) {
        f->payload = w->pos;
        if (!graft_wire_varint(w, 10, &f->value))
            return damaged(w, f, "a number is cut off or too long");
        f->length = w->pos - f->payload;
        return 1;
    }
    if (f->type == GRAFT_WIRE_64 || f->type == GRAFT_WIRE_BYTES ||
        f->type == GRAFT_WIRE_32)
        return payload(w, f);
    return damaged(w, f, f->type < 5 ? "groups are not part of ONNX"
                                     : "no such wire type");
}
