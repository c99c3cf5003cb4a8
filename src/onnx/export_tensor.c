/* Initializers on their way out: as they are, or with their data moved or
 * exchanged.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/status.h"
#include "onnx/encode.h"
#include "onnx/export.h"

enum { DIMS = 1, DATA_TYPE = 2, RAW_DATA = 9, EXTERNAL = 13, LOCATION = 14 };

/* Fields of TensorProto that say where the elements are: typed data,
 * raw_data, external_data, data_location. */
static const uint8_t data_fields[] = {4, 5, 6, 7, RAW_DATA, 10, 11, EXTERNAL,
                                      LOCATION};
enum { N_DATA = sizeof data_fields / sizeof *data_fields };

static int no_data(struct graft_patch *patch)
{
    for (int n = 0; n < N_DATA; n++)
        patch[n] = (struct graft_patch){.field = data_fields[n],
                                        .ordinal = -1};
    return N_DATA;
}

/* The file's message without its data, perhaps with another type; head is
 * used until the pieces are given. */
static int kept_head(struct graft_emit *w, const struct graft_tensor *t,
                     struct graft_str *head)
{
    const struct graft_model *m = w->x->m;
    struct graft_wire in = {m->blob.at[t->span.blob].data, t->span.offset,
                            t->span.offset + t->span.length, m->path};
    struct graft_patch patch[N_DATA + 2];
    int n = no_data(patch);
    if (t->reshaped) {
        for (int i = 0; i < t->shape.rank; i++)
            graft_put_int(head, DIMS, t->shape.dim[i]);
        const size_t dims = head->n;
        graft_put_int(head, DATA_TYPE, t->dtype);
        if (graft_str_ok(head))
            return GRAFT_EMEM;
        const uint8_t *at = (const uint8_t *)head->at;
        patch[n++] = (struct graft_patch){DIMS, -1, at, dims, false};
        patch[n++] = (struct graft_patch){DATA_TYPE, -1, at + dims,
                                          head->n - dims, false};
    }
    bool changed;
    return graft_emit_rewrite(w, &in, GRAFT_MSG_INITIALIZER, patch, n,
                              &changed);
}

static void put_entry(struct graft_str *s, const char *key, const char *value)
{
    struct graft_str e;
    graft_str_init(&e);
    graft_encode_entry(&e, key, value);
    graft_put_bytes(s, EXTERNAL, e.at, e.n);
    s->failed |= e.failed;
    graft_str_release(&e);
}

static void put_place(struct graft_str *s, const struct graft_data_file *d,
                      uint64_t offset, uint64_t length)
{
    char number[24];
    put_entry(s, "location", d->name);
    snprintf(number, sizeof number, "%llu", (unsigned long long)offset);
    put_entry(s, "offset", number);
    snprintf(number, sizeof number, "%llu", (unsigned long long)length);
    put_entry(s, "length", number);
    put_entry(s, "checksum", d->checksum);
    graft_put_int(s, LOCATION, 1);
}

/* Where the elements are: in the message, or (offset not UINT64_MAX) in the
 * data file. */
static int put_data(struct graft_pieces *p, const struct graft_data_file *d,
                    uint64_t offset, const uint8_t *at, uint64_t bytes)
{
    if (offset == UINT64_MAX) {
        int status = graft_pieces_head(p, RAW_DATA, bytes);
        return status ? status : graft_pieces_add(p, at, bytes);
    }
    struct graft_str s;
    graft_str_init(&s);
    put_place(&s, d, offset, bytes);
    int status = graft_str_ok(&s);
    if (!status)
        status = graft_pieces_copy(p, s.at, s.n);
    graft_str_release(&s);
    return status;
}

int graft_rewrite_far(struct graft_rewrite *w, struct graft_wire in,
                      enum graft_message kind, int i)
{
    const struct graft_external *e = &w->m->items->external.at[i];
    const struct graft_data_file *d = w->gathers->data;
    struct graft_patch patch[N_DATA];
    bool changed;
    int status = graft_rewrite(w, in, kind, patch, no_data(patch), &changed);
    return status ? status
                  : put_data(w->out, d, d ? d->far[i] : UINT64_MAX, e->data,
                             e->bytes);
}

int graft_emit_tensor(struct graft_emit *w, int32_t index)
{
    const struct graft_tensor *t = &w->x->m->tensor.at[index];
    struct graft_str head;
    graft_str_init(&head);
    int status = GRAFT_OK;
    if (t->span.blob < 0) {
        graft_encode_tensor_head(&head, t);
        status = graft_str_ok(&head);
        if (!status)
            status = graft_pieces_add(&w->pieces, head.at, head.n);
    } else {
        status = kept_head(w, t, &head);
    }
    const struct graft_data_file *d = w->x->data;
    if (!status)
        status = put_data(&w->pieces, d, d ? d->tensor[index] : UINT64_MAX,
                          t->data, t->bytes);
    if (!status)
        status = graft_emit_give(w, GRAFT_G_INITIALIZER, index);
    graft_str_release(&head);
    return status;
}
