/* Mutations of messages, whatever they mean.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "mutate.h"

static bool is_number(const struct field *f) { return f->wire != 2; }
static bool is_leaf(const struct field *f) { return f->wire == 2 && !f->type; }

static bool remove_field(struct tree *t, rng *r)
{
    struct field *f = fuzz_choose(t, r, NULL);
    tree_cut(f);
    return true;
}

static bool repeat_field(struct tree *t, rng *r)
{
    struct field *f = fuzz_choose(t, r, NULL);
    size_t n = fuzz_below(r, 8) ? 1 : 1 + fuzz_below(r, 200);
    for (; n; n--) {
        struct field *copy = tree_clone(t, f);
        if (!copy)
            return false;
        tree_put(f->parent, f, copy);
    }
    return true;
}

static bool move_field(struct tree *t, rng *r)
{
    struct field *f = fuzz_choose(t, r, NULL);
    tree_cut(f);
    tree_put(f->parent, fuzz_behind(f->parent, r), f);
    return true;
}

/* To another message of the same type, or in place of another one's child. */
static bool copy_field(struct tree *t, rng *r)
{
    struct field *f = fuzz_choose(t, r, NULL);
    for (int tries = 0; tries < 50; tries++) {
        struct field *to = fuzz_choose(t, r, fuzz_is_message);
        if (!to || to->type != f->parent->type)
            continue;
        struct field *copy = tree_clone(t, f);
        if (!copy)
            return false;
        struct field *old = fuzz_below(r, 2) ? tree_child(to, f->number)
                                             : NULL;
        tree_put(to, old ? old : fuzz_behind(to, r), copy);
        if (old)
            tree_cut(old);
        return true;
    }
    return false;
}

static bool change_number(struct tree *t, rng *r)
{
    static const uint32_t reals[] = {0, 0x3f800000, 0xbf800000, 0x7f800000,
                                     0xff800000, 0x7fc00000, 1, 0x7f7fffff};
    struct field *f = fuzz_choose(t, r, is_number);
    if (!f)
        return false;
    if (f->wire == 5)
        f->value = reals[fuzz_below(r, 8)];
    else if (fuzz_below(r, 4) == 0)
        f->value += fuzz_below(r, 2) ? 1 : UINT64_MAX;
    else
        f->value = fuzz_boundary(r);
    return true;
}

/* A field that the type knows, made up. */
static bool add_field(struct tree *t, rng *r)
{
    static const int wires[] = {[PROTOBUF_C_TYPE_FLOAT] = 5,
                                [PROTOBUF_C_TYPE_DOUBLE] = 1,
                                [PROTOBUF_C_TYPE_STRING] = 2,
                                [PROTOBUF_C_TYPE_BYTES] = 2,
                                [PROTOBUF_C_TYPE_MESSAGE] = 2};
    struct field *to = fuzz_choose(t, r, fuzz_is_message);
    if (!to || !to->type->n_fields)
        return false;
    const ProtobufCFieldDescriptor *d =
        &to->type->fields[fuzz_below(r, to->type->n_fields)];
    struct field *f = tree_new(t, d->id, wires[d->type]);
    if (!f)
        return false;
    f->value = fuzz_boundary(r);
    tree_describe(f, to->type);
    struct field *like = fuzz_is_text(f) ? fuzz_choose(t, r, fuzz_is_text)
                                         : NULL;
    if (like) {
        f->at = like->at;
        f->n = like->n;
    }
    tree_put(to, fuzz_behind(to, r), f);
    return true;
}

/* libFuzzer's own mutation of one text or one piece of bytes. */
static bool change_bytes(struct tree *t, rng *r)
{
    struct field *f = fuzz_choose(t, r, is_leaf);
    if (!f)
        return false;
    size_t max = f->n + 16;
    uint8_t *at = tree_room(t, max);
    if (!at)
        return false;
    if (f->n)
        memcpy(at, f->at, f->n);
    f->n = LLVMFuzzerMutate(at, f->n, max);
    f->at = at;
    return true;
}

static bool resize_bytes(struct tree *t, rng *r)
{
    struct field *f = fuzz_choose(t, r, is_leaf);
    if (!f)
        return false;
    size_t n = fuzz_below(r, 2 * f->n + 9);
    uint8_t *at = tree_room(t, n);
    if (!at)
        return false;
    for (size_t i = 0; i < n; i++)
        at[i] = f->n ? f->at[i % f->n] : 0;
    f->at = at;
    f->n = n;
    return true;
}

/* A wrong tag: another number, another wire type. */
static bool change_tag(struct tree *t, rng *r)
{
    static const int wires[] = {0, 1, 2, 5};
    struct field *f = fuzz_choose(t, r, NULL);
    if (fuzz_below(r, 2)) {
        f->number = 1 + (uint32_t)fuzz_below(r, 30);
    } else if (!f->type) {
        f->wire = wires[fuzz_below(r, 4)];
        f->n = f->at ? f->n : 0;
    }
    return true;
}

/* The useful ones more than once. */
mutation *const fuzz_wire_mutations[] = {
    remove_field, remove_field, repeat_field, repeat_field, move_field,
    copy_field, copy_field, change_number, change_number, change_number,
    add_field, add_field, change_bytes, change_bytes, resize_bytes,
    change_tag, NULL};
