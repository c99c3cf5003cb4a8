/* Tensors whose elements stand in TensorProto's typed fields: floats where
 * they are, varints decoded into the arena.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/import.h"

enum { STRING_DATA = 6 };

/* Which field holds a dtype, how many of its numbers make one element, and
 * what values these may have (as a signed number). */
struct place {
    int dtype;
    uint32_t field;
    int per_element, wire_type;
    int64_t min, max;
};
#define ANY INT64_MIN, INT64_MAX
static const struct place places[] = {
    {GRAFT_FLOAT, 4, 1, GRAFT_WIRE_32, ANY},
    {GRAFT_COMPLEX64, 4, 2, GRAFT_WIRE_32, ANY},
    {GRAFT_DOUBLE, 10, 1, GRAFT_WIRE_64, ANY},
    {GRAFT_COMPLEX128, 10, 2, GRAFT_WIRE_64, ANY},
    {GRAFT_INT64, 7, 1, GRAFT_WIRE_VARINT, ANY},
    {GRAFT_UINT64, 11, 1, GRAFT_WIRE_VARINT, ANY},
    {GRAFT_UINT32, 11, 1, GRAFT_WIRE_VARINT, 0, UINT32_MAX},
    {GRAFT_INT32, 5, 1, GRAFT_WIRE_VARINT, INT32_MIN, INT32_MAX},
    {GRAFT_INT16, 5, 1, GRAFT_WIRE_VARINT, INT16_MIN, INT16_MAX},
    {GRAFT_INT8, 5, 1, GRAFT_WIRE_VARINT, INT8_MIN, INT8_MAX},
    {GRAFT_UINT16, 5, 1, GRAFT_WIRE_VARINT, 0, UINT16_MAX},
    {GRAFT_UINT8, 5, 1, GRAFT_WIRE_VARINT, 0, UINT8_MAX},
    {GRAFT_BOOL, 5, 1, GRAFT_WIRE_VARINT, 0, 1},
    {GRAFT_FLOAT16, 5, 1, GRAFT_WIRE_VARINT, 0, UINT16_MAX},
    {GRAFT_BFLOAT16, 5, 1, GRAFT_WIRE_VARINT, 0, UINT16_MAX},
    {GRAFT_FLOAT8E4M3FN, 5, 1, GRAFT_WIRE_VARINT, 0, UINT8_MAX},
    {GRAFT_FLOAT8E4M3FNUZ, 5, 1, GRAFT_WIRE_VARINT, 0, UINT8_MAX},
    {GRAFT_FLOAT8E5M2, 5, 1, GRAFT_WIRE_VARINT, 0, UINT8_MAX},
    {GRAFT_FLOAT8E5M2FNUZ, 5, 1, GRAFT_WIRE_VARINT, 0, UINT8_MAX},
    {GRAFT_FLOAT8E8M0, 5, 1, GRAFT_WIRE_VARINT, 0, UINT8_MAX},
    /* Packed as in raw data, a byte to a number. */
    {GRAFT_UINT4, 5, 1, GRAFT_WIRE_VARINT, INT8_MIN, UINT8_MAX},
    {GRAFT_INT4, 5, 1, GRAFT_WIRE_VARINT, INT8_MIN, UINT8_MAX},
    {GRAFT_FLOAT4E2M1, 5, 1, GRAFT_WIRE_VARINT, INT8_MIN, UINT8_MAX},
    {GRAFT_UINT2, 5, 1, GRAFT_WIRE_VARINT, INT8_MIN, UINT8_MAX},
    {GRAFT_INT2, 5, 1, GRAFT_WIRE_VARINT, INT8_MIN, UINT8_MAX},
};

static const struct place *place_of(int dtype)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].dtype == dtype)
            return &places[i];
    return NULL;
}

int graft_import_other_data(const struct graft_tensor *t,
                            const struct graft_import *im, uint32_t own)
{
    const uint64_t typed = GRAFT_FIELD(4) | GRAFT_FIELD(5) | GRAFT_FIELD(6) |
                           GRAFT_FIELD(7) | GRAFT_FIELD(10) | GRAFT_FIELD(11);
    struct graft_wire w = graft_import_wire(im, t->span);
    struct graft_field f;
    int got;
    while ((got = graft_wire_next(&w, &f)) > 0)
        if (f.number < 64 && typed >> f.number & 1 && f.number != own &&
            f.length)
            return graft_fail(GRAFT_EFORMAT, "%s is %s but has data "
                              "in field %u", graft_tensor_text(t),
                              graft_dtype_name(t->dtype), f.number);
    return got;
}

/* Bytes that one number becomes. */
static size_t unit(const struct place *p)
{
    size_t size = graft_dtype_size(p->dtype) / (size_t)p->per_element;
    return size ? size : 1;
}

/* One packed run of fixed-width numbers is used where it is. */
static const uint8_t *in_place(const struct graft_tensor *t,
                               const struct graft_import *im,
                               const struct place *p, uint64_t bytes)
{
    struct graft_wire w = graft_import_wire(im, t->span);
    struct graft_field f;
    if (p->wire_type == GRAFT_WIRE_VARINT)
        return NULL;
    while (graft_wire_next(&w, &f) > 0)
        if (f.number == p->field && f.length)
            return f.length == bytes ? w.data + f.payload : NULL;
    return NULL;
}

static int decode(uint8_t *to, struct graft_numbers it, const struct place *p,
                  const struct graft_tensor *t)
{
    const size_t size = unit(p);
    uint64_t bits;
    int got;
    for (; (got = graft_numbers_next(&it, &bits)) > 0; to += size) {
        if (p->field == 5) /* protobuf's int32 is its varint's low 32 bits */
            bits = (uint64_t)(int64_t)(int32_t)(uint32_t)bits;
        int64_t x = (int64_t)bits;
        if (x < p->min || x > p->max)
            return graft_fail(GRAFT_EFORMAT, "%s is %s, but holds "
                              "%lld", graft_tensor_text(t),
                              graft_dtype_name(t->dtype),
                              (long long)x);
        memcpy(to, &bits, size);
    }
    return got;
}

/* Types whose elements are counted and checked, and stay where they are: a
 * field of its own for text, and a number to an element for six bits. */
static int count_only(const struct graft_tensor *t,
                      const struct graft_import *im,
                      const struct graft_need *need)
{
    const bool text = t->dtype == GRAFT_STRING;
    struct graft_numbers it = {.message = graft_import_wire(im, t->span),
                               .number = 5, .type = GRAFT_WIRE_VARINT};
    struct graft_field f;
    uint64_t bits;
    int64_t n = 0;
    int got;
    while (text && graft_wire_next(&it.message, &f) > 0)
        n += f.number == STRING_DATA;
    while (!text && (got = graft_numbers_next(&it, &bits)) != 0) {
        if (got < 0)
            return got;
        if (bits >> 6)
            return graft_fail(GRAFT_EFORMAT, "%s is %s, but holds "
                              "%lld", graft_tensor_text(t),
                              graft_dtype_name(t->dtype),
                              (long long)bits);
        n++;
    }
    if (n == need->count)
        return GRAFT_OK;
    return graft_fail(GRAFT_EFORMAT, "%s has %lld elements of %s, "
                      "the file has %lld", graft_tensor_text(t),
                      (long long)need->count,
                      graft_dtype_name(t->dtype), (long long)n);
}

static int read_numbers(struct graft_tensor *t, struct graft_import *im,
                        const struct graft_need *need, const struct place *p)
{
    struct graft_numbers it = {.message = graft_import_wire(im, t->span),
                               .number = p->field, .type = p->wire_type};
    int64_t n = graft_numbers_count(it);
    if (n < 0)
        return (int)n;
    uint64_t have = (uint64_t)n * unit(p);
    int status = graft_tensor_need(t, need, have);
    if (status)
        return status;
    t->bytes = have;
    t->data = in_place(t, im, p, have);
    if (t->data)
        return GRAFT_OK;
    uint8_t *copy = graft_arena_alloc(&im->m->arena, (size_t)have);
    if (!copy)
        return GRAFT_EMEM;
    t->data = copy;
    return decode(copy, it, p, t);
}

int graft_import_typed(struct graft_tensor *t, struct graft_import *im,
                       const struct graft_need *need)
{
    static const uint32_t others[] = {[GRAFT_STRING] = STRING_DATA,
                                      [GRAFT_FLOAT6E2M3] = 5,
                                      [GRAFT_FLOAT6E3M2] = 5};
    const struct place *p = place_of(t->dtype);
    bool known = t->dtype > 0 && t->dtype < GRAFT_DTYPE_COUNT;
    if (!known || (t->refusal && !need->known && t->dtype != GRAFT_STRING))
        return GRAFT_OK;
    int status = graft_import_other_data(t, im, p ? p->field
                                                  : others[t->dtype]);
    if (status)
        return status;
    return p ? read_numbers(t, im, need, p) : count_only(t, im, need);
}
