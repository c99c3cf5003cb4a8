/* Initializers on their way out: copied, or with their data moved.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/status.h"
#include "onnx/encode.h"
#include "onnx/export.h"

/* Fields of TensorProto that say where the elements are: typed data,
 * raw_data, external_data, data_location. */
static bool is_data(uint32_t number)
{
    const uint32_t mask = 1u << 4 | 1u << 5 | 1u << 7 | 1u << 9 | 1u << 10 |
                          1u << 11 | 1u << 13 | 1u << 14;
    return number < 32 && mask >> number & 1;
}

static int put_head(struct graft_str *s, const struct graft_model *m,
                    const struct graft_tensor *t)
{
    if (t->span.blob < 0) {
        graft_encode_tensor_head(s, t);
        return GRAFT_OK;
    }
    struct graft_wire w = {m->blob.at[t->span.blob].data, t->span.offset,
                           t->span.offset + t->span.length, m->path};
    struct graft_field f;
    int got;
    while ((got = graft_wire_next(&w, &f)) > 0)
        if (!is_data(f.number))
            graft_str_addn(s, w.data + f.offset, (size_t)(w.pos - f.offset));
    return got;
}

static void put_entry(struct graft_str *s, const char *key, const char *value)
{
    struct graft_str e;
    graft_str_init(&e);
    graft_encode_entry(&e, key, value);
    graft_put_bytes(s, 13, e.at, e.n);
    s->failed |= e.failed;
    graft_str_release(&e);
}

static void put_place(struct graft_str *s, const char *file, uint64_t offset,
                      uint64_t length)
{
    char number[24];
    put_entry(s, "location", file);
    snprintf(number, sizeof number, "%llu", (unsigned long long)offset);
    put_entry(s, "offset", number);
    snprintf(number, sizeof number, "%llu", (unsigned long long)length);
    put_entry(s, "length", number);
    graft_put_int(s, 14, 1);
}

/* Message head in s; the elements follow when they stay inside. */
static int put_message(struct graft_export *x, struct graft_str *s,
                       const struct graft_tensor *t, bool inside)
{
    struct graft_str tag;
    graft_str_init(&tag);
    graft_put_head(&tag, 5, s->n + (inside ? t->bytes : 0));
    int status = graft_str_ok(s);
    if (!status)
        status = graft_str_ok(&tag);
    if (!status)
        status = graft_sink_put(&x->sink, tag.at, tag.n);
    if (!status)
        status = graft_sink_put(&x->sink, s->at, s->n);
    if (!status && inside)
        status = graft_sink_put(&x->sink, t->data, t->bytes);
    graft_str_release(&tag);
    return status;
}

int graft_export_tensor(struct graft_export *x, int index)
{
    const struct graft_tensor *t = &x->m->tensor.at[index];
    bool inside = !x->data_name || x->data_offset[index] == UINT64_MAX;
    struct graft_str s;
    graft_str_init(&s);
    int status = put_head(&s, x->m, t);
    if (!status && inside)
        graft_put_head(&s, 9, t->bytes);
    else if (!status)
        put_place(&s, x->data_name, x->data_offset[index], t->bytes);
    if (!status)
        status = put_message(x, &s, t, inside);
    graft_str_release(&s);
    return status;
}
