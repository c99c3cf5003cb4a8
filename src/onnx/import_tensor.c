/* TensorProto to struct graft_tensor.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/status.h"
#include "onnx/import.h"

enum { RAW_DATA = 9, NO_FIELD = 0 };

/* ---- size ---------------------------------------------------------------- */

static int check_dims(const struct graft_tensor *t,
                      const struct graft_import *im,
                      const Onnx__TensorProto *p)
{
    for (size_t i = 0; i < p->n_dims; i++)
        if (p->dims[i] < 0)
            return graft_fail(GRAFT_EFORMAT, "'%s': %s has dimension "
                              "%lld", im->file, graft_tensor_text(t),
                              (long long)p->dims[i]);
    return GRAFT_OK;
}

static int set_need(struct graft_need *out, const struct graft_tensor *t,
                    const struct graft_import *im,
                    const Onnx__TensorProto *p)
{
    struct graft_need need = {.bits = graft_dtype_bits(t->dtype), .count = 1};
    bool fits = true;
    for (size_t i = 0; i < p->n_dims && need.count; i++)
        need.count = p->dims[i] ? need.count : 0;
    for (size_t i = 0; i < p->n_dims && need.count && fits; i++)
        fits = graft_mul_size(&need.count, need.count, p->dims[i]);
    /* Eight elements fill `bits` bytes. */
    const int64_t rest = (need.count % 8 * need.bits + 7) / 8;
    fits = fits && graft_mul_size(&need.bytes, need.count / 8, need.bits) &&
           graft_add_size(&need.bytes, need.bytes, rest);
    if (!fits)
        return graft_fail(GRAFT_EFORMAT, "'%s': %s of %s has more "
                          "than 2^63 elements or bytes", im->file,
                          graft_tensor_text(t), graft_dtype_name(t->dtype));
    need.known = need.bits && !p->segment;
    *out = need;
    return GRAFT_OK;
}

int graft_tensor_need(const struct graft_tensor *t,
                      const struct graft_need *need, uint64_t have)
{
    char text[GRAFT_SHAPE_TEXT];
    if (!need->known || have == (uint64_t)need->bytes)
        return GRAFT_OK;
    if (t->refusal) /* its shape is not kept */
        snprintf(text, sizeof text, "[%lld]", (long long)need->count);
    else
        graft_shape_text(text, &t->shape);
    return graft_fail(GRAFT_EFORMAT, "%s: %s of %s needs %lld bytes, "
                      "the file has %llu", graft_tensor_text(t), text,
                      graft_dtype_name(t->dtype), (long long)need->bytes,
                      (unsigned long long)have);
}

/* ---- what it is ---------------------------------------------------------- */

static int set_shape(struct graft_tensor *t, struct graft_import *im,
                     const Onnx__TensorProto *p)
{
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
    return status ? graft_fail_in(status, "'%s': %s", im->file,
                                  graft_tensor_text(t))
                  : GRAFT_OK;
}

/* ---- its elements -------------------------------------------------------- */

/* The raw_data field; data NULL: there is none. */
static int find_raw(struct graft_tensor *t, const struct graft_import *im)
{
    struct graft_wire w = graft_import_wire(im, t->span);
    struct graft_field f;
    int got;
    while ((got = graft_wire_next(&w, &f)) > 0)
        if (f.number == RAW_DATA) {
            t->data = w.data + f.payload;
            t->bytes = f.length;
        }
    return got;
}

static int set_data(struct graft_tensor *t, struct graft_import *im,
                    const struct graft_need *need,
                    const Onnx__TensorProto *p)
{
    bool outside =
        p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    int status = find_raw(t, im);
    if (!status && outside && t->bytes)
        return graft_fail(GRAFT_EFORMAT, "'%s': %s has its data both "
                          "inside and in another file", im->file,
                          graft_tensor_text(t));
    if (status)
        return status;
    if (outside)
        return graft_import_external(t, im, need, p);
    const bool raw = t->data != NULL;
    if (!raw)
        status = graft_import_typed(t, im, need);
    else if (t->dtype == GRAFT_STRING)
        return graft_fail(GRAFT_EFORMAT, "'%s': %s is of strings, "
                          "which cannot be raw data", im->file,
                          graft_tensor_text(t));
    else
        status = graft_tensor_need(t, need, t->bytes);
    if (!status && raw)
        status = graft_import_other_data(t, im, NO_FIELD);
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
    struct graft_need need = {0};
    Onnx__TensorProto *p = NULL;
    int status = graft_unpack(&p, im, &onnx__tensor_proto__descriptor, span,
                              large);
    if (status)
        return status;
    struct graft_tensor t = {.name = graft_import_text(im, p->name),
                             .dtype = p->data_type, .span = span,
                             .value = -1};
    status = t.name ? check_dims(&t, im, p) : GRAFT_EMEM;
    if (!status)
        status = set_need(&need, &t, im, p);
    if (!status)
        status = set_shape(&t, im, p);
    if (!status)
        status = set_data(&t, im, &need, p);
    graft_unpack_free(im, p);
    if (!status)
        *out = t;
    return status;
}
