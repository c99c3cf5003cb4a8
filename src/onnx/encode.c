/* Encoding of what edits added. Field numbers are proto/onnx.proto's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/encode.h"

#include "onnx/wire.h"

/* ---- the wire ---------------------------------------------------------------
 */

size_t graft_varint_bytes(uint8_t out[GRAFT_VARINT_MAX], uint64_t x)
{
    size_t n = 0;
    for (; x >= 0x80; x >>= 7)
        out[n++] = (uint8_t)(x | 0x80);
    out[n++] = (uint8_t)x;
    return n;
}

void graft_put_varint(struct graft_str *s, uint64_t x)
{
    uint8_t bytes[GRAFT_VARINT_MAX];
    graft_str_addn(s, bytes, graft_varint_bytes(bytes, x));
}

static void put_tag(struct graft_str *s, uint32_t field, int type)
{
    graft_put_varint(s, (uint64_t)field << 3 | (uint64_t)type);
}

void graft_put_int(struct graft_str *s, uint32_t field, int64_t x)
{
    put_tag(s, field, GRAFT_WIRE_VARINT);
    graft_put_varint(s, (uint64_t)x);
}

static void put_float(struct graft_str *s, uint32_t field, float x)
{
    put_tag(s, field, GRAFT_WIRE_32);
    graft_str_addn(s, &x, sizeof x);
}

void graft_put_head(struct graft_str *s, uint32_t field, uint64_t n)
{
    put_tag(s, field, GRAFT_WIRE_BYTES);
    graft_put_varint(s, n);
}

void graft_put_bytes(struct graft_str *s, uint32_t field, const void *at,
                     uint64_t n)
{
    graft_put_head(s, field, n);
    graft_str_addn(s, at, (size_t)n);
}

void graft_put_text(struct graft_str *s, uint32_t field, const char *text)
{
    graft_put_bytes(s, field, text, strlen(text));
}

/* Message `inner` as a field of s; inner is released. */
static void put_message(struct graft_str *s, uint32_t field,
                        struct graft_str *inner)
{
    graft_put_bytes(s, field, inner->at, inner->n);
    s->failed |= inner->failed;
    graft_str_release(inner);
}

/* ---- messages ---------------------------------------------------------------
 */

void graft_encode_entry(struct graft_str *s, const char *key,
                        const char *value)
{
    graft_put_text(s, 1, key);
    graft_put_text(s, 2, value);
}

void graft_encode_opset(struct graft_str *s, const struct graft_opset *o)
{
    graft_put_text(s, 1, o->domain);
    graft_put_int(s, 2, o->version);
}

void graft_encode_tensor_head(struct graft_str *s,
                              const struct graft_tensor *t)
{
    for (int i = 0; i < t->shape.rank; i++)
        graft_put_int(s, 1, t->shape.dim[i]);
    graft_put_int(s, 2, t->dtype);
    if (*t->name)
        graft_put_text(s, 8, t->name);
}

static void put_dim(struct graft_str *shape, const struct graft_dim *d)
{
    struct graft_str dim;
    graft_str_init(&dim);
    if (d->value >= 0)
        graft_put_int(&dim, 1, d->value);
    else if (d->param)
        graft_put_text(&dim, 2, d->param);
    put_message(shape, 1, &dim);
}

void graft_encode_type(struct graft_str *s, const struct graft_value *v)
{
    struct graft_str tensor, shape;
    graft_str_init(&tensor);
    graft_put_int(&tensor, 1, v->dtype);
    if (v->has_shape) {
        graft_str_init(&shape);
        for (int i = 0; i < v->rank; i++)
            put_dim(&shape, &v->dim[i]);
        put_message(&tensor, 2, &shape);
    }
    put_message(s, 1, &tensor);
}

void graft_encode_value(struct graft_str *s, const struct graft_value *v)
{
    struct graft_str type;
    graft_str_init(&type);
    graft_encode_type(&type, v);
    graft_put_text(s, 1, v->name);
    put_message(s, 2, &type);
}

/* One function for each kind of attribute that an edit can make. */

static void put_attr_float(struct graft_str *s, const struct graft_attr *a)
{
    put_float(s, 2, a->f);
}

static void put_attr_int(struct graft_str *s, const struct graft_attr *a)
{
    graft_put_int(s, 3, a->i);
}

static void put_attr_string(struct graft_str *s, const struct graft_attr *a)
{
    graft_put_bytes(s, 4, a->s.at ? a->s.at : (const uint8_t *)"", a->s.n);
}

static void put_attr_tensor(struct graft_str *s, const struct graft_attr *a)
{
    struct graft_str t;
    graft_str_init(&t);
    graft_encode_tensor_head(&t, a->tensor);
    graft_put_bytes(&t, 9, a->tensor->data, a->tensor->bytes);
    put_message(s, 5, &t);
}

static void put_attr_floats(struct graft_str *s, const struct graft_attr *a)
{
    for (int i = 0; i < a->n; i++)
        put_float(s, 7, a->floats[i]);
}

static void put_attr_ints(struct graft_str *s, const struct graft_attr *a)
{
    for (int i = 0; i < a->n; i++)
        graft_put_int(s, 8, a->ints[i]);
}

static void put_attr_strings(struct graft_str *s, const struct graft_attr *a)
{
    for (int i = 0; i < a->n; i++)
        graft_put_bytes(s, 9, a->strings[i].at, a->strings[i].n);
}

static void (*const put_attr_value[])(struct graft_str *,
                                      const struct graft_attr *) = {
    [GRAFT_ATTR_FLOAT] = put_attr_float,
    [GRAFT_ATTR_INT] = put_attr_int,
    [GRAFT_ATTR_STRING] = put_attr_string,
    [GRAFT_ATTR_TENSOR] = put_attr_tensor,
    [GRAFT_ATTR_FLOATS] = put_attr_floats,
    [GRAFT_ATTR_INTS] = put_attr_ints,
    [GRAFT_ATTR_STRINGS] = put_attr_strings,
};

void graft_encode_attr(struct graft_str *s, const struct graft_attr *a)
{
    graft_put_text(s, 1, a->name);
    put_attr_value[a->type](s, a); /* edits refuse other kinds */
    graft_put_int(s, 20, a->type);
}

static const char *name_of(const struct graft_model *m, graft_value_id id)
{
    return id < 0 ? "" : m->value.at[id].name;
}

void graft_encode_node(struct graft_str *s, const struct graft_model *m,
                       const struct graft_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        graft_put_text(s, 1, name_of(m, node->in[i]));
    for (int i = 0; i < node->n_out; i++)
        graft_put_text(s, 2, name_of(m, node->out[i]));
    if (*node->name)
        graft_put_text(s, 3, node->name);
    graft_put_text(s, 4, node->op_type);
    for (int i = 0; i < node->n_attr; i++) {
        struct graft_str a;
        graft_str_init(&a);
        graft_encode_attr(&a, &node->attr[i]);
        put_message(s, 5, &a);
    }
    if (node->doc && *node->doc)
        graft_put_text(s, 6, node->doc);
    if (*node->domain)
        graft_put_text(s, 7, node->domain);
}
