/* The wire scan. It is iterative, so that depth costs no stack; what a known
 * field must look like comes from the descriptors that protoc-c generates.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/scan.h"

#include "base/status.h"
#include "onnx.pb-c.h"

typedef unsigned long long ull;
typedef ProtobufCMessageDescriptor message_type;
typedef ProtobufCFieldDescriptor field_type;

/* Estimated memory of what becomes of a message, a string (it may name a new
 * value), a piece of bytes, each byte of numbers, and of the note that is
 * kept of each field of the model and its graph, known or not. A file of
 * empty messages would otherwise cost a hundred times its size. */
enum { MESSAGE_COST = 160, STRING_COST = 128, BYTES_COST = 32,
       NUMBER_COST = 8, NOTE_COST = 2 * sizeof(struct graft_item) };

struct level {
    const message_type *type;
    uint64_t begin, end;
    uint64_t seen; /* bit i: field i of the descriptor, if singular message */
};

struct scan {
    struct graft_wire wire;
    struct graft_items *items;
    struct level level[GRAFT_ONNX_DEPTH];
    int depth;            /* index of the innermost level */
    bool in_graph;        /* level 1 is the model's graph */
    uint64_t cost, limit;
};

void graft_items_free(struct graft_items *items)
{
    if (!items)
        return;
    graft_array_release(&items->model);
    graft_array_release(&items->graph);
    graft_array_release(&items->external);
    graft_free(items->folder);
    graft_free(items);
}

int graft_items_external(const struct graft_items *items, uint64_t offset)
{
    int low = 0, high = items->external.n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (items->external.at[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool graft_items_hold(const struct graft_items *items,
                      const struct graft_wire *in)
{
    int i = graft_items_external(items, in->pos);
    return i < items->external.n && items->external.at[i].offset < in->end;
}

/* Wire type of a protobuf type; every other one is a varint (0). */
static const uint8_t wire_type[PROTOBUF_C_TYPE_MESSAGE + 1] = {
    [PROTOBUF_C_TYPE_FLOAT] = GRAFT_WIRE_32,
    [PROTOBUF_C_TYPE_FIXED32] = GRAFT_WIRE_32,
    [PROTOBUF_C_TYPE_SFIXED32] = GRAFT_WIRE_32,
    [PROTOBUF_C_TYPE_DOUBLE] = GRAFT_WIRE_64,
    [PROTOBUF_C_TYPE_FIXED64] = GRAFT_WIRE_64,
    [PROTOBUF_C_TYPE_SFIXED64] = GRAFT_WIRE_64,
    [PROTOBUF_C_TYPE_STRING] = GRAFT_WIRE_BYTES,
    [PROTOBUF_C_TYPE_BYTES] = GRAFT_WIRE_BYTES,
    [PROTOBUF_C_TYPE_MESSAGE] = GRAFT_WIRE_BYTES,
};

static int refuse(const struct scan *s, const struct graft_field *f,
                  const field_type *t, const char *why)
{
    return graft_fail(GRAFT_EFORMAT, "'%s' is damaged at byte %llu: field "
                      "%s.%s %s", s->wire.file, (ull)f->offset,
                      s->level[s->depth].type->short_name, t->name, why);
}

static int check_field(const struct scan *s, const struct graft_field *f,
                       const field_type *t)
{
    int want = wire_type[t->type];
    bool packed = t->label == PROTOBUF_C_LABEL_REPEATED &&
                  f->type == GRAFT_WIRE_BYTES && want != GRAFT_WIRE_BYTES;
    if (f->type != want && !packed)
        return refuse(s, f, t, "has the wrong wire type");
    uint64_t unit = want == GRAFT_WIRE_64 ? 8 : want == GRAFT_WIRE_32 ? 4 : 1;
    if (packed && f->length % unit)
        return refuse(s, f, t, "is not a whole number of elements");
    const uint8_t *at = s->wire.data + f->payload;
    if (packed && unit == 1 && f->length && at[f->length - 1] & 0x80)
        return refuse(s, f, t, "ends inside a number");
    if (t->type == PROTOBUF_C_TYPE_STRING && memchr(at, 0, (size_t)f->length))
        return refuse(s, f, t, "is a text with a zero byte");
    return GRAFT_OK;
}

/* protobuf merges a repeated singular message, in quadratic time; nobody
 * writes one. */
static int check_once(struct scan *s, const struct graft_field *f,
                      const field_type *t)
{
    struct level *l = &s->level[s->depth];
    uint64_t bit = UINT64_C(1) << (t - l->type->fields);
    bool message = t->type == PROTOBUF_C_TYPE_MESSAGE;
    bool raw = l->type == &onnx__tensor_proto__descriptor &&
               t->type == PROTOBUF_C_TYPE_BYTES; /* raw_data */
    if (t->label == PROTOBUF_C_LABEL_REPEATED || (!message && !raw))
        return GRAFT_OK;
    if (l->seen & bit)
        return refuse(s, f, t, "stands there twice");
    l->seen |= bit;
    return GRAFT_OK;
}

static bool is_noted(const struct scan *s)
{
    return s->depth == 0 || (s->depth == 1 && s->in_graph);
}

static uint64_t cost_of(const struct graft_field *f, const field_type *t)
{
    if (!t)
        return 0;
    bool repeated = t->label == PROTOBUF_C_LABEL_REPEATED;
    if (t->type == PROTOBUF_C_TYPE_MESSAGE)
        return MESSAGE_COST;
    if (t->type == PROTOBUF_C_TYPE_STRING)
        return STRING_COST;
    if (t->type == PROTOBUF_C_TYPE_BYTES)
        return BYTES_COST;
    return repeated && wire_type[t->type] == GRAFT_WIRE_VARINT
               ? NUMBER_COST * f->length : 0;
}

static int add_cost(struct scan *s, const struct graft_field *f,
                    const field_type *t)
{
    s->cost += cost_of(f, t) + (is_noted(s) ? NOTE_COST : 0);
    if (s->cost <= s->limit)
        return GRAFT_OK;
    return graft_fail(GRAFT_ELIMIT, "'%s' has so many small elements up to "
                      "byte %llu that reading it would take over %llu MiB",
                      s->wire.file, (ull)f->offset, (ull)(s->limit >> 20));
}

/* ---- what is noted ----------------------------------------------------------
 */

static int note(struct scan *s, const struct graft_field *f)
{
    struct graft_item *item;
    if (!is_noted(s))
        return GRAFT_OK;
    item = s->depth == 0 ? graft_push(&s->items->model)
                         : graft_push(&s->items->graph);
    if (!item)
        return GRAFT_EMEM;
    *item = (struct graft_item){.offset = f->offset, .length = f->length,
                                .number = f->number, .index = -1,
                                .head = (uint8_t)(f->payload - f->offset)};
    return GRAFT_OK;
}

enum { EXTERNAL = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL };

/* A tensor's data_location, of which protobuf keeps 32 bits; of several the
 * last one counts. */
static int note_location(struct scan *s, uint32_t where)
{
    struct graft_items *items = s->items;
    const struct level *l = &s->level[s->depth];
    const int n = items->external.n;
    bool noted = n && items->external.at[n - 1].offset == l->begin;
    if (noted && where != EXTERNAL)
        items->external.n--;
    if (noted || where != EXTERNAL)
        return GRAFT_OK;
    struct graft_external *e = graft_push(&items->external);
    if (!e)
        return GRAFT_EMEM;
    e->offset = l->begin;
    e->length = l->end - l->begin;
    return GRAFT_OK;
}

static int enter(struct scan *s, const struct graft_field *f,
                 const message_type *type)
{
    if (s->depth + 1 == GRAFT_ONNX_DEPTH)
        return graft_fail(GRAFT_EFORMAT, "'%s': messages are nested over %d "
                          "levels deep at byte %llu", s->wire.file,
                          GRAFT_ONNX_DEPTH, (ull)f->offset);
    if (s->depth == 0)
        s->in_graph = type == &onnx__graph_proto__descriptor;
    s->wire.pos = f->payload;
    s->level[++s->depth] = (struct level){
        .type = type, .begin = f->payload, .end = f->payload + f->length};
    return GRAFT_OK;
}

static int take(struct scan *s, const struct graft_field *f)
{
    const message_type *type = s->level[s->depth].type;
    const field_type *t =
        protobuf_c_message_descriptor_get_field(type, f->number);
    int status = add_cost(s, f, t);
    if (!status)
        status = note(s, f);
    if (status || !t)
        return status;
    status = check_field(s, f, t);
    if (!status)
        status = check_once(s, f, t);
    if (status)
        return status;
    /* The only enum of a tensor is data_location. */
    if (type == &onnx__tensor_proto__descriptor &&
        t->type == PROTOBUF_C_TYPE_ENUM)
        return note_location(s, (uint32_t)f->value);
    if (t->type == PROTOBUF_C_TYPE_MESSAGE)
        return enter(s, f, t->descriptor);
    return GRAFT_OK;
}

static int walk(struct scan *s)
{
    while (s->depth >= 0) {
        struct graft_field f;
        s->wire.end = s->level[s->depth].end;
        int got = graft_wire_next(&s->wire, &f);
        if (got == 0)
            s->depth--;
        else if (got > 0)
            got = take(s, &f);
        if (got < 0)
            return got;
    }
    return GRAFT_OK;
}

int graft_scan(struct graft_items **out, const uint8_t *data, uint64_t size,
               const char *file)
{
    struct graft_items *items = graft_calloc(1, sizeof *items);
    if (!items)
        return GRAFT_EMEM;
    struct scan s = {
        .wire = {data, 0, size, file}, .items = items,
        .level = {{.type = &onnx__model_proto__descriptor, .end = size}},
        .limit = 8 * size + (UINT64_C(64) << 20)};
    int status = walk(&s);
    if (status) {
        graft_items_free(items);
        return status;
    }
    *out = items;
    return GRAFT_OK;
}
