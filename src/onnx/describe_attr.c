/* Attributes: one list, of the kind that the attribute says.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/describe.h"

#define AT(member) offsetof(struct graft_attribute_info, member)

struct kind;
typedef int reader(struct graft_describe *d, struct graft_attribute_info *a,
                   struct graft_wire w, const struct kind *k);
/* Where a kind's elements stand, in the message and in the struct. */
struct kind {
    reader *read;
    uint32_t number;
    size_t at, size;
    graft_describe_fn *each;
};

/* ---- numbers ------------------------------------------------------------- */

static int read_numbers(struct graft_describe *d,
                        struct graft_attribute_info *a, struct graft_wire w,
                        const struct kind *k)
{
    struct graft_numbers it = {
        .message = w, .number = k->number,
        .type = k->size == sizeof(float) ? GRAFT_WIRE_32
                                         : GRAFT_WIRE_VARINT};
    void *room;
    uint64_t bits;
    int status = graft_describe_room(&room, &a->n, d,
                                     graft_numbers_count(it), k->size);
    char *to = room;
    memcpy((char *)a + k->at, &room, sizeof room);
    while (!status && to && graft_numbers_next(&it, &bits) > 0) {
        memcpy(to, &bits, k->size); /* little-endian machines only */
        to += k->size;
    }
    return status;
}

/* A single number is written as a field of its own, not packed; one that is
 * left out is 0. */
static int read_number(struct graft_describe *d,
                       struct graft_attribute_info *a, struct graft_wire w,
                       const struct kind *k)
{
    void *room;
    struct graft_field f;
    int status = graft_describe_room(&room, &a->n, d, 1, k->size);
    memcpy((char *)a + k->at, &room, sizeof room);
    while (!status && graft_wire_next(&w, &f) > 0)
        if (f.number == k->number)
            memcpy(room, f.type == GRAFT_WIRE_VARINT
                             ? (const void *)&f.value
                             : w.data + f.payload, k->size);
    return status;
}

/* ---- all else ------------------------------------------------------------ */

static int read_string(struct graft_describe *d, void *out,
                       const struct graft_gathered *f)
{
    struct graft_string *s = out;
    s->at = graft_describe_text(d, f);
    s->n = f->wire.end - f->wire.pos;
    return s->at ? GRAFT_OK : GRAFT_EMEM;
}

static int read_list(struct graft_describe *d,
                     struct graft_attribute_info *a, struct graft_wire w,
                     const struct kind *k)
{
    const struct graft_slot slots[] = {
        {.number = k->number, .how = GRAFT_SLOT_LIST, .at = k->at,
         .count = AT(n), .size = k->size, .each = k->each},
        {0}};
    return graft_describe_slots(d, a, graft_source_of(w), slots);
}

#define NUMBERS(number, member) {read_numbers, number, AT(member),          \
    sizeof *((struct graft_attribute_info *)0)->member, NULL}
#define NUMBER(number, member) {read_number, number, AT(member),            \
    sizeof *((struct graft_attribute_info *)0)->member, NULL}
#define LIST(number, member, each) {read_list, number, AT(member),          \
    sizeof *((struct graft_attribute_info *)0)->member, each}
static const struct kind kinds[] = {
    [GRAFT_ATTRIBUTE_FLOAT] = NUMBER(2, floats),
    [GRAFT_ATTRIBUTE_INT] = NUMBER(3, ints),
    [GRAFT_ATTRIBUTE_STRING] = LIST(4, strings, read_string),
    [GRAFT_ATTRIBUTE_TENSOR] = LIST(5, tensors, graft_describe_tensor),
    [GRAFT_ATTRIBUTE_GRAPH] = LIST(6, graphs, graft_describe_graph),
    [GRAFT_ATTRIBUTE_FLOATS] = NUMBERS(7, floats),
    [GRAFT_ATTRIBUTE_INTS] = NUMBERS(8, ints),
    [GRAFT_ATTRIBUTE_STRINGS] = LIST(9, strings, read_string),
    [GRAFT_ATTRIBUTE_TENSORS] = LIST(10, tensors, graft_describe_tensor),
    [GRAFT_ATTRIBUTE_GRAPHS] = LIST(11, graphs, graft_describe_graph),
    [GRAFT_ATTRIBUTE_SPARSE_TENSOR] = LIST(22, sparse_tensors,
                                           graft_describe_sparse),
    [GRAFT_ATTRIBUTE_SPARSE_TENSORS] = LIST(23, sparse_tensors,
                                            graft_describe_sparse),
    [GRAFT_ATTRIBUTE_TYPE] = LIST(14, types, graft_describe_type),
    [GRAFT_ATTRIBUTE_TYPES] = LIST(15, types, graft_describe_type),
};

int graft_describe_attribute(struct graft_describe *d, void *out,
                             const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 1, .how = GRAFT_SLOT_TEXT, .at = AT(name)},
        {.number = 13, .how = GRAFT_SLOT_TEXT, .at = AT(doc)},
        {.number = 21, .how = GRAFT_SLOT_TEXT, .at = AT(reference)},
        {0}};
    struct graft_attribute_info *a = out;
    struct graft_source from = graft_source_of(f->wire);
    struct graft_gathered g;
    int status = graft_describe_slots(d, a, from, slots);
    while (graft_source_next(&from, &g))
        if (g.number == 20)
            a->kind = g.value < sizeof kinds / sizeof *kinds
                          ? (enum graft_attribute_kind)g.value
                          : GRAFT_ATTRIBUTE_UNDEFINED;
    if (status)
        return status;
    if (*a->reference)
        return GRAFT_OK;
    a->reference = NULL;
    const struct kind *k = &kinds[a->kind];
    return k->read ? k->read(d, a, f->wire, k) : GRAFT_OK;
}
