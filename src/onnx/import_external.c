/* Tensors whose elements stand in a file of their own: read once, beneath the
 * model's folder, offsets and lengths checked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/runtime.h"
#include "base/status.h"
#include "onnx/import.h"

struct place {
    const char *location, *offset, *length, *checksum;
};

static int bad(const struct graft_tensor *t, const struct graft_import *im,
               const char *what, const char *value)
{
    return graft_fail(GRAFT_EFORMAT, "'%s': tensor '%s': external data: %s "
                      "'%s'", im->file, t->name, what, value);
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

/* Index of the blob that holds file `name`, read when new. */
static int load(int32_t *out, struct graft_import *im, const char *name)
{
    struct graft_model *m = im->m;
    for (int32_t i = 1; i < m->blob.n; i++)
        if (strcmp(m->blob.at[i].name, name) == 0) {
            *out = i;
            return GRAFT_OK;
        }
    if (!im->folder)
        return graft_fail(GRAFT_EARG, "its weights are in the file '%s', and "
                          "a model in memory has no folder to find it in",
                          name);
    struct graft_blob *b = graft_push(&m->blob);
    if (!b)
        return GRAFT_EMEM;
    b->name = graft_strdup(name);
    if (!b->name)
        return GRAFT_EMEM;
    int status = graft_file_read_beneath(&b->data, &b->size, im->folder, name,
                                         graft_import_max(m->rt));
    if (!status)
        *out = m->blob.n - 1;
    return status;
}

static int set_span(struct graft_tensor *t, struct graft_import *im,
                    const struct place *x, int32_t blob)
{
    const struct graft_blob *b = &im->m->blob.at[blob];
    uint64_t offset = 0, length;
    if (x->offset && !parse_number(&offset, x->offset))
        return bad(t, im, "bad offset", x->offset);
    if (offset > b->size)
        return graft_fail(GRAFT_EFORMAT, "'%s': tensor '%s' begins at byte "
                          "%llu of '%s', which has %llu", im->file, t->name,
                          (unsigned long long)offset, b->name,
                          (unsigned long long)b->size);
    length = b->size - offset;
    if (x->length && !parse_number(&length, x->length))
        return bad(t, im, "bad length", x->length);
    /* Without a length the shape says it. */
    if (!x->length && !t->refusal) {
        int64_t n;
        if (!graft_mul_size(&n, graft_shape_count(&t->shape),
                            (int64_t)graft_dtype_size(t->dtype)))
            return bad(t, im, "too large", t->name);
        length = (uint64_t)n;
    }
    if (length > b->size - offset)
        return graft_fail(GRAFT_EFORMAT, "'%s': tensor '%s' wants %llu bytes "
                          "from byte %llu of '%s', which has only %llu",
                          im->file, t->name, (unsigned long long)length,
                          (unsigned long long)offset, b->name,
                          (unsigned long long)b->size);
    t->data = b->data + offset;
    t->bytes = length;
    if (t->refusal)
        return GRAFT_OK;
    int status = graft_tensor_need(t, length, &t->bytes);
    return status ? graft_fail_in(status, "'%s', external data '%s'",
                                  im->file, b->name)
                  : GRAFT_OK;
}

int graft_import_external(struct graft_tensor *t, struct graft_import *im,
                          const Onnx__TensorProto *p)
{
    struct place x = {0};
    int32_t blob = -1;
    int status = read_entries(&x, t, im, p);
    if (status)
        return status;
    status = load(&blob, im, x.location);
    if (status)
        return graft_fail_in(status, "'%s': tensor '%s': external data",
                             im->file, t->name);
    t->external = true;
    im->n_external++;
    return set_span(t, im, &x, blob);
}
