/* The tree of tree.h: reading, writing, and moving fields about.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <string.h>

#include "onnx.pb-c.h"

struct field *tree_new(struct tree *t, uint32_t number, int wire)
{
    if (t->used == TREE_FIELDS)
        return NULL;
    struct field *f = &t->pool[t->used++];
    memset(f, 0, sizeof *f);
    f->number = number;
    f->wire = wire;
    return f;
}

uint8_t *tree_room(struct tree *t, size_t n)
{
    if (n > TREE_BYTES - t->bytes)
        return NULL;
    t->bytes += n;
    return t->text + t->bytes - n;
}

bool tree_set_text(struct tree *t, struct field *f, const char *text)
{
    size_t n = strlen(text);
    uint8_t *at = tree_room(t, n);
    if (!at)
        return false;
    memcpy(at, text, n);
    f->at = at;
    f->n = n;
    return true;
}

void tree_describe(struct field *f, const ProtobufCMessageDescriptor *parent)
{
    f->say = parent ? protobuf_c_message_descriptor_get_field(parent,
                                                              f->number)
                    : NULL;
    bool message = f->say && f->say->type == PROTOBUF_C_TYPE_MESSAGE &&
                   f->wire == 2;
    f->type = message ? f->say->descriptor : NULL;
}

/* ---- reading ------------------------------------------------------------- */

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; shift < 70 && *p < end; shift += 7) {
        uint8_t b = *(*p)++;
        if (shift < 64)
            *out |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return true;
    }
    return false;
}

static uint64_t fixed(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* The next field; NULL: there is none that can be read. */
static struct field *read_field(struct tree *t, const uint8_t **p,
                                const uint8_t *end)
{
    uint64_t tag, n = 0;
    if (!varint(p, end, &tag) || tag >> 32 || !(tag >> 3))
        return NULL;
    struct field *f = tree_new(t, (uint32_t)(tag >> 3), (int)(tag & 7));
    if (!f)
        return NULL;
    if (f->wire == 0)
        return varint(p, end, &f->value) ? f : NULL;
    if (f->wire == 1 || f->wire == 5) {
        n = f->wire == 1 ? 8 : 4;
        if ((uint64_t)(end - *p) < n)
            return NULL;
        f->value = fixed(*p, (int)n);
    } else if (f->wire != 2 || !varint(p, end, &n) ||
               n > (uint64_t)(end - *p)) {
        return NULL;
    }
    f->at = *p;
    f->n = (size_t)n;
    *p += n;
    return f;
}

static bool read_message(struct tree *t, struct field *m, int depth)
{
    const uint8_t *p = m->at, *end = p + m->n;
    struct field *last = NULL;
    while (p < end) {
        struct field *f = read_field(t, &p, end);
        if (!f)
            return false;
        tree_describe(f, m->type);
        tree_put(m, last, f);
        last = f;
        if (!f->type)
            continue;
        /* What cannot be read as a message stays a leaf. */
        if (depth == TREE_DEPTH || !read_message(t, f, depth + 1)) {
            f->type = NULL;
            f->child = NULL;
        }
    }
    return true;
}

static void list(struct tree *t, const struct field *m)
{
    for (struct field *f = m->child; f; f = f->next) {
        if (t->n == TREE_LIST)
            return;
        t->list[t->n++] = f;
        list(t, f);
    }
}

void tree_list(struct tree *t)
{
    t->n = 0;
    list(t, t->root);
}

bool tree_parse(struct tree *t, const uint8_t *data, size_t size)
{
    t->used = 0;
    t->bytes = 0;
    t->root = tree_new(t, 0, 2);
    t->root->type = &onnx__model_proto__descriptor;
    t->root->at = data;
    t->root->n = size;
    if (!read_message(t, t->root, 0))
        return false;
    tree_list(t);
    return t->n > 0;
}

/* ---- writing ------------------------------------------------------------- */

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >>= 7)
        n++;
    return n;
}

/* Bytes of the whole field; a message's n is set on the way. */
static size_t measure(struct field *f)
{
    size_t head = varint_size((uint64_t)f->number << 3);
    if (f->wire == 0)
        return head + varint_size(f->value);
    if (f->wire != 2)
        return head + (f->wire == 1 ? 8 : 4);
    if (f->type) {
        f->n = 0;
        for (struct field *c = f->child; c; c = c->next)
            f->n += measure(c);
    }
    return head + varint_size(f->n) + f->n;
}

static uint8_t *put_varint(uint8_t *out, uint64_t v)
{
    for (; v >> 7; v >>= 7)
        *out++ = (uint8_t)(v | 0x80);
    *out++ = (uint8_t)v;
    return out;
}

static uint8_t *put(uint8_t *out, const struct field *f)
{
    out = put_varint(out, (uint64_t)f->number << 3 | (unsigned)f->wire);
    if (f->wire == 0)
        return put_varint(out, f->value);
    if (f->wire != 2) {
        for (int i = 0; i < (f->wire == 1 ? 8 : 4); i++)
            *out++ = (uint8_t)(f->value >> (8 * i));
        return out;
    }
    out = put_varint(out, f->n);
    for (struct field *c = f->child; f->type && c; c = c->next)
        out = put(out, c);
    if (!f->type && f->n) {
        memcpy(out, f->at, f->n);
        out += f->n;
    }
    return out;
}

size_t tree_write(struct tree *t, uint8_t *out, size_t max)
{
    uint8_t *end = out;
    measure(t->root);
    if (t->root->n > max)
        return 0;
    for (struct field *c = t->root->child; c; c = c->next)
        end = put(end, c);
    return (size_t)(end - out);
}

/* ---- moving -------------------------------------------------------------- */

static struct field *clone(struct tree *t, const struct field *f, int depth)
{
    struct field *copy = tree_new(t, f->number, f->wire), *last = NULL;
    if (!copy || depth == 4 * TREE_DEPTH)
        return NULL;
    *copy = *f;
    copy->parent = copy->child = copy->next = NULL;
    for (const struct field *c = f->child; c; c = c->next) {
        struct field *d = clone(t, c, depth + 1);
        if (!d)
            return NULL;
        tree_put(copy, last, d);
        last = d;
    }
    return copy;
}

struct field *tree_clone(struct tree *t, const struct field *f)
{
    return clone(t, f, 0);
}

void tree_put(struct field *parent, struct field *after, struct field *f)
{
    struct field **at = after ? &after->next : &parent->child;
    f->parent = parent;
    f->next = *at;
    *at = f;
}

void tree_cut(struct field *f)
{
    struct field **at = &f->parent->child;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    f->next = NULL;
}

struct field *tree_child(const struct field *f, uint32_t number)
{
    struct field *c = f->child;
    while (c && c->number != number)
        c = c->next;
    return c;
}
