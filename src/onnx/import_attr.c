/* AttributeProto to struct graft_attr: scalars through protobuf-c, lists and
 * tensors straight from the wire.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/import.h"

enum { TENSOR = 5, FLOATS = 7, INTS = 8, STRINGS = 9 };

static int copy_bytes(struct graft_bytes *out, struct graft_import *im,
                      const uint8_t *at, uint64_t n)
{
    const char *copy = graft_arena_strndup(&im->m->arena, (const char *)at,
                                           (size_t)n);
    *out = (struct graft_bytes){(const uint8_t *)copy, n};
    return copy ? GRAFT_OK : GRAFT_EMEM;
}

/* Room for a list of n elements; an empty list stays NULL. */
static int list_room(void **out, int *n_out, struct graft_import *im,
                     int64_t n, size_t size)
{
    if (n < 0)
        return (int)n;
    if (n > INT32_MAX)
        return graft_fail(GRAFT_ELIMIT, "'%s': an attribute has %lld elements",
                          im->file, (long long)n);
    if (n == 0)
        return GRAFT_OK;
    *out = graft_arena_array(&im->m->arena, (size_t)n, size);
    *n_out = (int)n;
    return *out ? GRAFT_OK : GRAFT_EMEM;
}

static int read_ints(struct graft_attr *a, struct graft_import *im,
                     struct graft_wire w)
{
    struct graft_numbers it = {.message = w, .number = INTS,
                               .type = GRAFT_WIRE_VARINT};
    void *room = NULL;
    uint64_t bits;
    int status = list_room(&room, &a->n, im, graft_numbers_count(it),
                           sizeof *a->ints);
    int64_t *to = room;
    if (status || !to)
        return status;
    a->ints = to;
    while (graft_numbers_next(&it, &bits) > 0)
        *to++ = (int64_t)bits;
    return GRAFT_OK;
}

static int read_floats(struct graft_attr *a, struct graft_import *im,
                       struct graft_wire w)
{
    struct graft_numbers it = {.message = w, .number = FLOATS,
                               .type = GRAFT_WIRE_32};
    void *room = NULL;
    uint64_t bits;
    int status = list_room(&room, &a->n, im, graft_numbers_count(it),
                           sizeof *a->floats);
    float *to = room;
    if (status || !to)
        return status;
    a->floats = to;
    while (graft_numbers_next(&it, &bits) > 0) {
        uint32_t low = (uint32_t)bits;
        memcpy(to++, &low, sizeof low);
    }
    return GRAFT_OK;
}

static int read_strings(struct graft_attr *a, struct graft_import *im,
                        struct graft_wire w)
{
    struct graft_wire again = w;
    struct graft_field f;
    int64_t n = 0;
    void *room = NULL;
    while (graft_wire_next(&w, &f) > 0)
        n += f.number == STRINGS;
    int status = list_room(&room, &a->n, im, n, sizeof *a->strings);
    struct graft_bytes *to = room;
    a->strings = to ? to : a->strings;
    while (to && !status && graft_wire_next(&again, &f) > 0)
        if (f.number == STRINGS)
            status = copy_bytes(to++, im, again.data + f.payload, f.length);
    return status;
}

static int read_tensor(struct graft_attr *a, struct graft_import *im,
                       struct graft_wire w)
{
    struct graft_field f;
    while (graft_wire_next(&w, &f) > 0) {
        if (f.number != TENSOR)
            continue;
        struct graft_tensor *t = graft_arena_alloc(&im->m->arena, sizeof *t);
        if (!t)
            return GRAFT_EMEM;
        a->tensor = t;
        return graft_import_tensor(
            t, im, (struct graft_span){0, f.payload, f.length});
    }
    return GRAFT_OK;
}

static int fill(struct graft_attr *a, struct graft_import *im,
                const Onnx__AttributeProto *p, struct graft_span span)
{
    struct graft_wire w = graft_import_wire(im, span);
    *a = (struct graft_attr){.name = graft_import_text(im, p->name),
                             .type = (int)p->type, .f = p->f, .i = p->i};
    int status = a->name ? GRAFT_OK : GRAFT_EMEM;
    if (!status && p->ref_attr_name && *p->ref_attr_name) {
        a->ref_name = graft_import_text(im, p->ref_attr_name);
        status = a->ref_name ? GRAFT_OK : GRAFT_EMEM;
    }
    if (!status)
        status = copy_bytes(&a->s, im, p->has_s ? p->s.data
                                                : (const uint8_t *)"",
                            p->has_s ? p->s.len : 0);
    /* One list at most: `n` counts the one that the type says. */
    if (!status && a->type == GRAFT_ATTR_INTS)
        status = read_ints(a, im, w);
    if (!status && a->type == GRAFT_ATTR_FLOATS)
        status = read_floats(a, im, w);
    if (!status && a->type == GRAFT_ATTR_STRINGS)
        status = read_strings(a, im, w);
    return status ? status : read_tensor(a, im, w);
}

int graft_import_attr(struct graft_attr *out, struct graft_import *im,
                      struct graft_span span, const char *node)
{
    const uint64_t large =
        GRAFT_FIELD(TENSOR) | GRAFT_FIELD(6) | GRAFT_FIELD(FLOATS) |
        GRAFT_FIELD(INTS) | GRAFT_FIELD(STRINGS) | GRAFT_FIELD(10) |
        GRAFT_FIELD(11) | GRAFT_FIELD(13) | GRAFT_FIELD(14) | GRAFT_FIELD(15) |
        GRAFT_FIELD(22) | GRAFT_FIELD(23);
    Onnx__AttributeProto *p = NULL;
    int status = graft_unpack(&p, im, &onnx__attribute_proto__descriptor,
                              span, large);
    if (!status)
        status = fill(out, im, p, span);
    graft_unpack_free(im, p);
    if (status)
        return status;
    if (!*out->name)
        return graft_fail(GRAFT_EFORMAT, "'%s': %s has an attribute without "
                          "name", im->file, node);
    if (out->type == GRAFT_ATTR_TENSOR && !out->tensor && !out->ref_name)
        return graft_fail(GRAFT_EFORMAT, "'%s': %s: attribute '%.180s' should "
                          "be a tensor and holds none", im->file, node,
                          out->name);
    return GRAFT_OK;
}
