/* TensorProto to struct graft_tensor.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/status.h"
#include "onnx/import.h"

enum { RAW_DATA = 9 };

int graft_tensor_need(const struct graft_tensor *t, uint64_t have,
                      uint64_t *need)
{
    int64_t bytes, count = graft_shape_count(&t->shape);
    size_t size = graft_dtype_size(t->dtype);
    char text[GRAFT_SHAPE_TEXT];
    if (!graft_mul_size(&bytes, count, (int64_t)size))
        return graft_fail(GRAFT_EFORMAT, "tensor '%s': %s of %s has more than "
                          "2^63 bytes", t->name,
                          graft_shape_text(text, &t->shape),
                          graft_dtype_name(t->dtype));
    if ((uint64_t)bytes != have)
        return graft_fail(GRAFT_EFORMAT, "tensor '%s': %s of %s needs %lld "
                          "bytes, the file has %llu", t->name,
                          graft_shape_text(text, &t->shape),
                          graft_dtype_name(t->dtype), (long long)bytes,
                          (unsigned long long)have);
    *need = have;
    return GRAFT_OK;
}

static int set_shape(struct graft_tensor *t, struct graft_import *im,
                     const Onnx__TensorProto *p)
{
    for (size_t i = 0; i < p->n_dims; i++)
        if (p->dims[i] < 0)
            return graft_fail(GRAFT_EFORMAT, "'%s': tensor '%s' has dimension "
                              "%lld", im->file, t->name,
                              (long long)p->dims[i]);
    char text[80] = "";
    if (p->segment)
        snprintf(text, sizeof text, "it is one segment of a larger tensor");
    else if (!graft_dtype_size(t->dtype))
        snprintf(text, sizeof text, "elements of type %s are not read",
                 graft_dtype_name(t->dtype));
    else if (p->n_dims > GRAFT_MAX_RANK)
        snprintf(text, sizeof text, "it has rank %zu, at most %d is read",
                 p->n_dims, GRAFT_MAX_RANK);
    if (*text) {
        t->refusal = graft_import_text(im, text);
        return t->refusal ? GRAFT_OK : GRAFT_EMEM;
    }
    int status = graft_shape_set(&t->shape, p->dims, (int)p->n_dims);
    return status ? graft_fail_in(status, "'%s': tensor '%s'", im->file,
                                  t->name)
                  : GRAFT_OK;
}

/* The raw_data field; data NULL: there is none. */
static int find_raw(struct graft_tensor *t, const struct graft_import *im,
                    bool *found)
{
    struct graft_wire w = graft_import_wire(im, t->span);
    struct graft_field f;
    int got;
    while ((got = graft_wire_next(&w, &f)) > 0)
        if (f.number == RAW_DATA) {
            *found = true;
            t->data = w.data + f.payload;
            t->bytes = f.length;
        }
    return got;
}

static int set_data(struct graft_tensor *t, struct graft_import *im,
                    const Onnx__TensorProto *p)
{
    bool raw = false;
    int status = find_raw(t, im, &raw);
    if (status)
        return status;
    if (p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        if (raw && t->bytes)
            return graft_fail(GRAFT_EFORMAT, "'%s': tensor '%s' has its data "
                              "both inside and in another file", im->file,
                              t->name);
        return graft_import_external(t, im, p);
    }
    if (t->refusal)
        return GRAFT_OK;
    if (!raw)
        status = graft_import_typed(t, im);
    else
        status = graft_tensor_need(t, t->bytes, &t->bytes);
    return status == GRAFT_EFORMAT ? graft_fail_in(status, "'%s'", im->file)
                                   : status;
}

int graft_import_tensor(struct graft_tensor *out, struct graft_import *im,
                        struct graft_span span)
{
    const uint64_t large =
        GRAFT_FIELD(4) | GRAFT_FIELD(5) | GRAFT_FIELD(6) | GRAFT_FIELD(7) |
        GRAFT_FIELD(RAW_DATA) | GRAFT_FIELD(10) | GRAFT_FIELD(11) |
        GRAFT_FIELD(12) | GRAFT_FIELD(16);
    Onnx__TensorProto *p = NULL;
    int status = graft_unpack(&p, im, &onnx__tensor_proto__descriptor, span,
                              large);
    if (status)
        return status;
    struct graft_tensor t = {.name = graft_import_text(im, p->name),
                             .dtype = p->data_type, .span = span,
                             .value = -1};
    status = t.name ? set_shape(&t, im, p) : GRAFT_EMEM;
    if (!status)
        status = set_data(&t, im, p);
    graft_unpack_free(im, p);
    if (!status)
        *out = t;
    return status;
}
