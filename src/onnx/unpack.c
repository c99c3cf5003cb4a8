/* Messages through protobuf-c, one at a time: without their large fields, and
 * within a budget of memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/import.h"

struct graft_span graft_item_span(const struct graft_item *item)
{
    return (struct graft_span){0, item->offset + item->head, item->length};
}

struct graft_wire graft_import_wire(const struct graft_import *im,
                                    struct graft_span span)
{
    return (struct graft_wire){.data = im->m->blob.at[span.blob].data,
                               .pos = span.offset,
                               .end = span.offset + span.length,
                               .file = im->file};
}

const char *graft_import_text(struct graft_import *im, const char *text)
{
    return graft_arena_strdup(&im->m->arena, text ? text : "");
}

/* ---- protobuf-c ---------------------------------------------------------- */

static void *budgeted_alloc(void *ctx, size_t bytes)
{
    struct graft_import *im = ctx;
    if (bytes > im->budget) {
        im->failed = graft_fail(GRAFT_ELIMIT, "'%s': one element would take "
                                "more memory than 8 times the file + 64 MiB",
                                im->file);
        return NULL;
    }
    im->budget -= bytes;
    void *p = graft_malloc(bytes);
    if (!p)
        im->failed = GRAFT_EMEM;
    return p;
}

static void budgeted_free(void *ctx, void *p)
{
    (void)ctx;
    graft_free(p);
}

static int grow_scratch(struct graft_import *im, uint64_t bytes)
{
    if (bytes <= im->scratch_cap)
        return GRAFT_OK;
    graft_free(im->scratch);
    im->scratch_cap = 0;
    im->scratch = graft_malloc((size_t)bytes);
    if (!im->scratch)
        return GRAFT_EMEM;
    im->scratch_cap = (size_t)bytes;
    return GRAFT_OK;
}

static bool skipped(const struct graft_field *f, uint64_t skip)
{
    return f->number < 64 && skip >> f->number & 1;
}

/* How long the message is without the fields in `skip`. */
static int measure(uint64_t *out, struct graft_wire w, uint64_t skip)
{
    struct graft_field f;
    uint64_t kept = 0;
    int got;
    while ((got = graft_wire_next(&w, &f)) > 0)
        if (!skipped(&f, skip))
            kept += w.pos - f.offset;
    *out = kept;
    return got;
}

static void copy_kept(uint8_t *to, struct graft_wire w, uint64_t skip)
{
    struct graft_field f;
    while (graft_wire_next(&w, &f) > 0)
        if (!skipped(&f, skip)) {
            memcpy(to, w.data + f.offset, (size_t)(w.pos - f.offset));
            to += w.pos - f.offset;
        }
}

/* The message without skipped fields; in place where there are none. */
static int skeleton(const uint8_t **at, uint64_t *n, struct graft_import *im,
                    struct graft_span span, uint64_t skip)
{
    struct graft_wire w = graft_import_wire(im, span);
    *at = w.data + w.pos;
    int status = measure(n, w, skip);
    if (status || *n == span.length)
        return status;
    status = grow_scratch(im, *n);
    if (status)
        return status;
    copy_kept(im->scratch, w, skip);
    *at = im->scratch;
    return GRAFT_OK;
}

int graft_unpack(void *out, struct graft_import *im,
                 const ProtobufCMessageDescriptor *type,
                 struct graft_span span, uint64_t skip)
{
    const uint8_t *at;
    uint64_t n;
    int status = skeleton(&at, &n, im, span, skip);
    if (status)
        return status;
    im->alloc = (ProtobufCAllocator){budgeted_alloc, budgeted_free, im};
    im->budget = 8 * im->m->blob.at[0].size + (UINT64_C(64) << 20);
    im->failed = GRAFT_OK;
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &im->alloc,
                                                    (size_t)n, at);
    if (im->failed) { /* protobuf-c may go on without what it did not get */
        graft_unpack_free(im, m);
        return im->failed;
    }
    if (!m)
        return graft_fail(GRAFT_EFORMAT, "'%s' is damaged: the %s at byte "
                          "%llu cannot be read", im->file, type->short_name,
                          (unsigned long long)span.offset);
    memcpy(out, &m, sizeof m);
    return GRAFT_OK;
}

void graft_unpack_free(struct graft_import *im, void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, &im->alloc);
}

/* ---- repeated numbers ---------------------------------------------------- */

static int one_number(struct graft_wire *w, int type, uint64_t *bits)
{
    size_t n = type == GRAFT_WIRE_64 ? 8 : 4;
    if (type == GRAFT_WIRE_VARINT) {
        if (graft_wire_varint(w, 10, bits))
            return 1;
    } else if (w->end - w->pos >= n) {
        *bits = 0;
        memcpy(bits, w->data + w->pos, n); /* little-endian machines only */
        w->pos += n;
        return 1;
    }
    return graft_fail(GRAFT_EFORMAT, "'%s' is damaged at byte %llu: a list of "
                      "numbers ends inside one", w->file,
                      (unsigned long long)w->pos);
}

int graft_numbers_next(struct graft_numbers *it, uint64_t *bits)
{
    struct graft_field f;
    while (it->packed.pos == it->packed.end) {
        int got = graft_wire_next(&it->message, &f);
        if (got <= 0)
            return got;
        if (f.number != it->number)
            continue;
        it->packed = graft_wire_into(&it->message, &f);
    }
    return one_number(&it->packed, it->type, bits);
}

int64_t graft_numbers_count(struct graft_numbers it)
{
    uint64_t bits;
    int64_t n = 0;
    int got;
    while ((got = graft_numbers_next(&it, &bits)) > 0)
        n++;
    return got < 0 ? got : n;
}
