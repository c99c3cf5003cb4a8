/* Tensors: what they are from the message, their elements by import's reader
 * or, of initializers, from the model that has read them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/describe.h"

#define AT(type, member) offsetof(struct graft_##type##_info, member)

enum { DIMS = 1, STRING_DATA = 6, EXTERNAL = 13 };

static const struct graft_slot tensor_slots[] = {
    {.number = 2, .how = GRAFT_SLOT_INT, .at = AT(tensor, dtype)},
    {.number = 8, .how = GRAFT_SLOT_TEXT, .at = AT(tensor, name)},
    {.number = 12, .how = GRAFT_SLOT_TEXT, .at = AT(tensor, doc)},
    {.number = 16, .how = GRAFT_SLOT_LIST, .at = AT(tensor, metadata),
     .count = AT(tensor, n_metadata),
     .size = sizeof(struct graft_entry_info), .each = graft_describe_entry},
    {0}};

static int set_dims(struct graft_describe *d, const int64_t **dims, int *rank,
                    struct graft_wire w, uint32_t number)
{
    struct graft_numbers it = {.message = w, .number = number,
                               .type = GRAFT_WIRE_VARINT};
    void *room;
    uint64_t bits;
    int status = graft_describe_room(&room, rank, d, graft_numbers_count(it),
                                     sizeof **dims);
    int64_t *to = room;
    *dims = to;
    while (!status && to && graft_numbers_next(&it, &bits) > 0)
        *to++ = (int64_t)bits;
    return status;
}

static void set_count(struct graft_tensor_info *t)
{
    bool empty = false;
    t->count = 1;
    for (int i = 0; i < t->rank; i++)
        empty |= t->dims[i] == 0;
    for (int i = 0; i < t->rank && t->count >= 0; i++)
        if (!graft_mul_size(&t->count, t->count, empty ? 0 : t->dims[i]))
            t->count = -1;
}

static int set_location(struct graft_describe *d, struct graft_tensor_info *t,
                        struct graft_wire w)
{
    struct graft_source from = graft_source_of(w);
    struct graft_gathered f;
    while (graft_source_next(&from, &f)) {
        struct graft_entry_info e = {0};
        if (f.number != EXTERNAL)
            continue;
        int status = graft_describe_entry(d, &e, &f);
        if (status)
            return status;
        if (strcmp(e.key, "location") == 0)
            t->location = e.value;
    }
    return GRAFT_OK;
}

static int set_strings(struct graft_describe *d, struct graft_tensor_info *t,
                       struct graft_wire w)
{
    struct graft_source from = graft_source_of(w), count = from;
    struct graft_gathered f;
    int64_t n = 0;
    int length;
    void *room;
    while (graft_source_next(&count, &f))
        n += f.number == STRING_DATA;
    if (n != t->count) {
        t->why = "it does not have as many strings as its shape says";
        return GRAFT_OK;
    }
    int status = graft_describe_room(&room, &length, d, n,
                                     sizeof *t->strings);
    struct graft_string *to = room;
    t->strings = to;
    while (!status && to && graft_source_next(&from, &f))
        if (f.number == STRING_DATA) {
            to->at = graft_describe_text(d, &f);
            to->n = f.wire.end - f.wire.pos;
            status = to++->at ? GRAFT_OK : GRAFT_EMEM;
        }
    return status;
}

/* Bytes of `count` packed elements; -1: of no fixed size. */
static int64_t packed_bytes(const struct graft_tensor_info *t)
{
    const int bits = graft_dtype_bits(t->dtype);
    int64_t bytes;
    if (!bits || t->count < 0 ||
        !graft_mul_size(&bytes, t->count / 8, bits))
        return -1;
    return bytes + (t->count % 8 * bits + 7) / 8;
}

void graft_describe_contents(struct graft_tensor_info *out,
                             const struct graft_tensor *t)
{
    const int64_t bytes = packed_bytes(out);
    if (bytes >= 0 && (uint64_t)bytes == t->bytes && (t->data || !bytes)) {
        out->data = t->data ? t->data : (const uint8_t *)"";
        out->bytes = t->bytes;
        out->why = NULL;
    } else {
        out->why = t->refusal ? t->refusal
                              : "its size does not fit its shape";
    }
}

/* The elements of a tensor that nobody read yet. */
static int read_contents(struct graft_describe *d,
                         struct graft_tensor_info *out, struct graft_wire w)
{
    struct graft_tensor t = {0};
    char before[GRAFT_MESSAGE_MAX];
    struct graft_blob *blob = &d->shell->blob.at[0];
    blob->data = (uint8_t *)(uintptr_t)w.data; /* only read */
    blob->size = w.end;
    graft_message_save(before);
    int status = graft_import_tensor(
        &t, &d->im, (struct graft_span){0, w.pos, w.end - w.pos});
    if (status == GRAFT_EMEM)
        return status;
    if (status) { /* the file says so: that is no failure of ours */
        out->why = graft_arena_strdup(&d->shell->arena,
                                      graft_error_message());
        graft_message_restore(before);
        return out->why ? GRAFT_OK : GRAFT_EMEM;
    }
    graft_describe_contents(out, &t);
    return GRAFT_OK;
}

static int name_dtype(struct graft_describe *d, struct graft_tensor_info *t)
{
    t->dtype_name = graft_arena_strdup(&d->shell->arena,
                                       graft_dtype_name(t->dtype));
    return t->dtype_name ? GRAFT_OK : GRAFT_EMEM;
}

/* All but the elements. */
static int describe_head(struct graft_describe *d,
                         struct graft_tensor_info *t, struct graft_wire w)
{
    int status = graft_describe_slots(d, t, graft_source_of(w), tensor_slots);
    if (!status)
        status = set_dims(d, &t->dims, &t->rank, w, DIMS);
    if (!status)
        status = set_location(d, t, w);
    if (!status)
        status = name_dtype(d, t);
    if (!status)
        set_count(t);
    return status;
}

int graft_describe_tensor(struct graft_describe *d, void *out,
                          const struct graft_gathered *f)
{
    struct graft_tensor_info *t = out;
    int status = describe_head(d, t, f->wire);
    if (!status && t->dtype == GRAFT_STRING && !t->location)
        return set_strings(d, t, f->wire);
    return status ? status : read_contents(d, t, f->wire);
}

/* ---- initializers of the main graph -------------------------------------- */

/* What edits say of it goes before what stands in the file. */
static int amend(struct graft_describe *d, struct graft_tensor_info *out,
                 const struct graft_tensor *t)
{
    out->name = t->name;
    if (d->m->strip & GRAFT_STRIP_DOC)
        out->doc = "";
    if (d->m->strip & GRAFT_STRIP_METADATA)
        out->n_metadata = 0;
    if (t->replaced)
        out->location = NULL;
    if (t->span.blob >= 0 && !t->reshaped)
        return GRAFT_OK;
    void *dims;
    out->dtype = t->dtype;
    int status = graft_describe_room(&dims, &out->rank, d, t->shape.rank,
                                     sizeof *out->dims);
    if (!status && dims)
        memcpy(dims, t->shape.dim, (size_t)out->rank * sizeof *out->dims);
    out->dims = dims;
    set_count(out);
    return status ? status : name_dtype(d, out);
}

int graft_describe_initializer(struct graft_describe *d, void *out,
                               const struct graft_gathered *f)
{
    struct graft_tensor_info *info = out;
    const struct graft_tensor *t = &d->m->tensor.at[f->index];
    struct graft_wire w = {.file = d->im.file};
    if (t->span.blob >= 0)
        w = (struct graft_wire){d->m->blob.at[t->span.blob].data,
                                t->span.offset,
                                t->span.offset + t->span.length, d->im.file};
    int status = describe_head(d, info, w);
    if (!status)
        status = amend(d, info, t);
    if (!status && info->dtype == GRAFT_STRING && !info->location)
        return set_strings(d, info, w);
    if (!status)
        graft_describe_contents(info, t);
    return status;
}

/* ---- sparse -------------------------------------------------------------- */

int graft_describe_sparse(struct graft_describe *d, void *out,
                          const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 1, .how = GRAFT_SLOT_INSIDE, .at = AT(sparse, values),
         .each = graft_describe_tensor},
        {.number = 2, .how = GRAFT_SLOT_INSIDE, .at = AT(sparse, indices),
         .each = graft_describe_tensor},
        {0}};
    struct graft_sparse_info *s = out;
    int status = graft_describe_slots(d, s, graft_source_of(f->wire), slots);
    return status ? status : set_dims(d, &s->dims, &s->rank, f->wire, 3);
}
