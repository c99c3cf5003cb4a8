/* Tensors whose elements stand in a file of their own: read once, beneath the
 * model's folder, offsets and lengths checked.
 * SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "base/file.h"
#include "base/runtime.h"
#include "base/sha1.h"
#include "base/status.h"
#include "onnx/import.h"

struct place {
    const char *location, *offset, *length, *checksum;
};

static int bad(const struct graft_tensor *t, const struct graft_import *im,
               const char *what, const char *value)
{
    return graft_fail(GRAFT_EFORMAT, "'%s': %s: external data: %s "
                      "'%.180s'", im->file, graft_tensor_text(t), what, value);
}

/* "basepath" is where a tool of onnx found the file once: never followed.
 * ONNX Runtime keeps rearranged copies under keys "prepacked...". */
static bool is_idle(const char *key)
{
    return !strcmp(key, "basepath") || !strncmp(key, "prepacked", 9);
}

static int read_entries(struct place *out, const struct graft_tensor *t,
                        const struct graft_import *im,
                        const Onnx__TensorProto *p)
{
    struct place x = {0};
    const struct { const char *key; const char **to; } keys[] = {
        {"location", &x.location}, {"offset", &x.offset},
        {"length", &x.length}, {"checksum", &x.checksum}};
    const size_t n_keys = sizeof keys / sizeof *keys;
    for (size_t i = 0; i < p->n_external_data; i++) {
        const Onnx__StringStringEntryProto *e = p->external_data[i];
        const char *key = e->key ? e->key : "";
        size_t k = 0;
        while (k < n_keys && strcmp(keys[k].key, key))
            k++;
        if (k == n_keys && is_idle(key))
            continue;
        if (k == n_keys)
            return bad(t, im, "unknown key", key);
        if (*keys[k].to)
            return bad(t, im, "twice the key", key);
        *keys[k].to = e->value ? e->value : "";
    }
    if (!x.location || !*x.location)
        return bad(t, im, "no", "location");
    *out = x;
    return GRAFT_OK;
}

/* Plain decimal digits, nothing else. */
static bool parse_number(uint64_t *out, const char *s)
{
    uint64_t x = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        uint64_t digit = (uint64_t)(*s - '0');
        if (*s < '0' || *s > '9' || x > (INT64_MAX - digit) / 10)
            return false;
        x = x * 10 + digit;
    }
    *out = x;
    return true;
}

/* A new blob, which takes over `plain`. */
static int read_blob(int32_t *out, struct graft_import *im, char *plain)
{
    struct graft_model *m = im->m;
    struct graft_blob *b = graft_push(&m->blob);
    if (!b) {
        graft_free(plain);
        return GRAFT_EMEM;
    }
    b->name = plain;
    int status = graft_file_read_linked(&b->data, &b->size, im->folder, plain,
                                        m->rt ? m->rt->links_root : NULL,
                                        graft_import_max(m->rt));
    if (!status)
        *out = m->blob.n - 1;
    return status;
}

/* Index of the blob that holds the file at `location`, read when new. */
static int load(int32_t *out, struct graft_import *im, const char *location)
{
    struct graft_model *m = im->m;
    char *plain = NULL;
    int status = graft_path_plain(&plain, location);
    for (int32_t i = 1; !status && i < m->blob.n; i++)
        if (strcmp(m->blob.at[i].name, plain) == 0) {
            graft_free(plain);
            *out = i;
            return GRAFT_OK;
        }
    if (status)
        return status;
    if (im->folder)
        return read_blob(out, im, plain);
    graft_free(plain);
    return graft_fail(GRAFT_EARG, "its weights are in the file '%.180s', and "
                      "a model in memory has no folder to find it in",
                      location);
}

/* SHA-1 of the whole file, as the model has noted it: the pair may have been
 * torn apart, and wrong weights of the right size look like right ones. */
static int check_sum(const struct graft_tensor *t, struct graft_import *im,
                     const char *sum, struct graft_blob *b)
{
    struct graft_sha1 s;
    char hex[GRAFT_SHA1_HEX];
    if (strlen(sum) != GRAFT_SHA1_HEX - 1 ||
        sum[strspn(sum, "0123456789abcdefABCDEF")])
        return bad(t, im, "a checksum that is no SHA-1", sum);
    if (!b->checksum) {
        graft_sha1_init(&s);
        graft_sha1_add(&s, b->data, b->size);
        graft_sha1_hex(hex, &s);
        b->checksum = graft_import_text(im, hex);
        if (!b->checksum)
            return GRAFT_EMEM;
    }
    if (strcasecmp(b->checksum, sum) == 0)
        return GRAFT_OK;
    return graft_fail(GRAFT_EFORMAT, "'%s': %s: '%.180s' has other "
                      "contents (SHA-1 %s) than when the model was written "
                      "(%s); copy both files anew from where they came",
                      im->file, graft_tensor_text(t), b->name, b->checksum,
                      sum);
}

/* Offset and length of a tensor's elements in the blob. */
static int measure(uint64_t *offset, uint64_t *length,
                   const struct graft_tensor *t,
                   const struct graft_import *im,
                   const struct graft_need *need, const struct place *x,
                   const struct graft_blob *b)
{
    *offset = 0;
    if (x->offset && !parse_number(offset, x->offset))
        return bad(t, im, "bad offset", x->offset);
    if (*offset > b->size)
        return graft_fail(GRAFT_EFORMAT, "'%s': %s begins at byte "
                          "%llu of '%.180s', which has %llu", im->file,
                          graft_tensor_text(t), (unsigned long long)*offset,
                          b->name, (unsigned long long)b->size);
    /* Without a length the shape says it. */
    *length = need->known ? (uint64_t)need->bytes : b->size - *offset;
    if (x->length && !parse_number(length, x->length))
        return bad(t, im, "bad length", x->length);
    if (*length > b->size - *offset)
        return graft_fail(GRAFT_EFORMAT, "'%s': %s wants %llu bytes "
                          "from byte %llu of '%.180s', which has only %llu",
                          im->file, graft_tensor_text(t),
                          (unsigned long long)*length,
                          (unsigned long long)*offset, b->name,
                          (unsigned long long)b->size);
    int status = graft_tensor_need(t, need, *length);
    return status ? graft_fail_in(status, "'%s', external data '%.180s'",
                                  im->file, b->name)
                  : GRAFT_OK;
}

/* Export finds the elements by the place of the tensor's message. */
static int note(struct graft_import *im, const struct graft_tensor *t)
{
    int i = graft_items_external(im->items, t->span.offset);
    struct graft_external *e = &im->items->external.at[i];
    if (i == im->items->external.n || e->offset != t->span.offset)
        return graft_fail(GRAFT_EFORMAT, "'%s' is damaged: two scans differ "
                          "at byte %llu", im->file,
                          (unsigned long long)t->span.offset);
    e->data = t->data;
    e->bytes = t->bytes;
    return GRAFT_OK;
}

int graft_import_external(struct graft_tensor *t, struct graft_import *im,
                          const struct graft_need *need,
                          const Onnx__TensorProto *p)
{
    struct place x = {0};
    uint64_t offset = 0, length = 0;
    int32_t blob = -1;
    int status = read_entries(&x, t, im, p);
    if (status)
        return status;
    if (t->dtype == GRAFT_STRING)
        return bad(t, im, "strings cannot be in", x.location);
    status = load(&blob, im, x.location);
    if (status)
        return graft_fail_in(status, "'%s': %s: external data",
                             im->file, graft_tensor_text(t));
    struct graft_blob *b = &im->m->blob.at[blob];
    status = measure(&offset, &length, t, im, need, &x, b);
    if (!status && x.checksum)
        status = check_sum(t, im, x.checksum, b);
    if (status)
        return status;
    t->external = true;
    t->data = b->data + offset;
    t->bytes = length;
    return note(im, t);
}

int graft_import_far_external(struct graft_import *im)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i < im->items->external.n; i++) {
        const struct graft_external *e = &im->items->external.at[i];
        struct graft_tensor t;
        if (!e->data)
            status = graft_import_tensor(
                &t, im, (struct graft_span){0, e->offset, e->length});
    }
    return status;
}
