/* Mutations that know ONNX: fields are removed, doubled, moved and made up,
 * numbers go to their bounds, names and operators change places; lengths
 * around a change are always right.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "graph/op.h"
#include "onnx.pb-c.h"
#include "tree.h"

extern const struct graft_op *const graft_op_files[];

static struct tree tree, other;

typedef struct fuzz_random rng;

/* ---- choosing ------------------------------------------------------------ */

typedef bool fits(const struct field *f);

/* A field for which `fits`, all the same likely; NULL: there is none. */
static struct field *choose(const struct tree *t, rng *r, fits *fit)
{
    for (int tries = 0; tries < 32 && t->n; tries++) {
        struct field *f = t->list[fuzz_below(r, (size_t)t->n)];
        if (!fit || fit(f))
            return f;
    }
    size_t start = fuzz_below(r, (size_t)t->n);
    for (int i = 0; i < t->n; i++) {
        struct field *f = t->list[(start + (size_t)i) % (size_t)t->n];
        if (!fit || fit(f))
            return f;
    }
    return NULL;
}

static bool is_message(const struct field *f) { return f->type; }
static bool is_number(const struct field *f) { return f->wire != 2; }
static bool is_leaf(const struct field *f) { return f->wire == 2 && !f->type; }
static bool is_text(const struct field *f)
{
    return is_leaf(f) && f->say && f->say->type == PROTOBUF_C_TYPE_STRING;
}
static bool is_node(const struct field *f)
{
    return f->type == &onnx__node_proto__descriptor;
}
static bool is_attribute(const struct field *f)
{
    return f->type == &onnx__attribute_proto__descriptor;
}
static bool is_graph(const struct field *f)
{
    return f->type == &onnx__graph_proto__descriptor;
}
static bool is_tensor(const struct field *f)
{
    return f->type == &onnx__tensor_proto__descriptor;
}

static struct field *behind(struct field *parent, rng *r)
{
    size_t n = 0;
    for (struct field *c = parent->child; c; c = c->next)
        n++;
    n = fuzz_below(r, n + 1);
    struct field *c = n ? parent->child : NULL;
    while (n > 1 && c) {
        c = c->next;
        n--;
    }
    return c;
}

static uint64_t boundary(rng *r)
{
    static const uint64_t bounds[] = {
        0, 1, 2, 3, 4, 7, 8, 16, 64, 127, 128, 255, 256, 4096, 65535, 65536,
        1 << 20, INT32_MAX, UINT64_C(1) << 31, UINT32_MAX,
        UINT64_C(1) << 32, UINT64_C(1) << 40, UINT64_C(1) << 62, INT64_MAX,
        UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 2,
        (uint64_t)INT32_MIN};
    if (fuzz_below(r, 3) == 0)
        return fuzz_below(r, 10);
    return bounds[fuzz_below(r, sizeof bounds / sizeof *bounds)];
}

/* ---- anywhere ------------------------------------------------------------ */

static bool remove_field(struct tree *t, rng *r)
{
    struct field *f = choose(t, r, NULL);
    tree_cut(f);
    return true;
}

static bool repeat_field(struct tree *t, rng *r)
{
    struct field *f = choose(t, r, NULL);
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
    struct field *f = choose(t, r, NULL);
    tree_cut(f);
    tree_put(f->parent, behind(f->parent, r), f);
    return true;
}

/* To another message of the same type, or in place of another one's child. */
static bool copy_field(struct tree *t, rng *r)
{
    struct field *f = choose(t, r, NULL);
    for (int tries = 0; tries < 50; tries++) {
        struct field *to = choose(t, r, is_message);
        if (!to || to->type != f->parent->type)
            continue;
        struct field *copy = tree_clone(t, f);
        if (!copy)
            return false;
        struct field *old = fuzz_below(r, 2) ? tree_child(to, f->number)
                                             : NULL;
        tree_put(to, old ? old : behind(to, r), copy);
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
    struct field *f = choose(t, r, is_number);
    if (!f)
        return false;
    if (f->wire == 5)
        f->value = reals[fuzz_below(r, 8)];
    else if (fuzz_below(r, 4) == 0)
        f->value += fuzz_below(r, 2) ? 1 : UINT64_MAX;
    else
        f->value = boundary(r);
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
    struct field *to = choose(t, r, is_message);
    if (!to || !to->type->n_fields)
        return false;
    const ProtobufCFieldDescriptor *d =
        &to->type->fields[fuzz_below(r, to->type->n_fields)];
    struct field *f = tree_new(t, d->id, wires[d->type]);
    if (!f)
        return false;
    f->value = boundary(r);
    tree_describe(f, to->type);
    struct field *like = is_text(f) ? choose(t, r, is_text) : NULL;
    if (like) {
        f->at = like->at;
        f->n = like->n;
    }
    tree_put(to, behind(to, r), f);
    return true;
}

/* libFuzzer's own mutation of one text or one piece of bytes. */
static bool change_bytes(struct tree *t, rng *r)
{
    struct field *f = choose(t, r, is_leaf);
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
    struct field *f = choose(t, r, is_leaf);
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
    struct field *f = choose(t, r, NULL);
    if (fuzz_below(r, 2)) {
        f->number = 1 + (uint32_t)fuzz_below(r, 30);
    } else if (!f->type) {
        f->wire = wires[fuzz_below(r, 4)];
        f->n = f->at ? f->n : 0;
    }
    return true;
}

/* ---- what ONNX means ---------------------------------------------------- */

static bool swap_names(struct tree *t, rng *r)
{
    struct field *f = choose(t, r, is_text), *g = choose(t, r, is_text);
    if (!f || !g)
        return false;
    const uint8_t *at = f->at;
    size_t n = f->n;
    f->at = g->at;
    f->n = g->n;
    if (fuzz_below(r, 2)) {
        g->at = at;
        g->n = n;
    }
    return true;
}

static const struct graft_op *any_op(rng *r)
{
    size_t files = 0, rows = 0;
    while (graft_op_files[files])
        files++;
    const struct graft_op *op = graft_op_files[fuzz_below(r, files)];
    while (op[rows].name)
        rows++;
    return rows ? &op[fuzz_below(r, rows)] : NULL;
}

static bool change_operator(struct tree *t, rng *r)
{
    struct field *f = choose(t, r, is_node);
    const struct graft_op *op = any_op(r);
    f = f ? tree_child(f, 4) : NULL;
    return f && op && tree_set_text(t, f, op->name);
}

static bool change_attribute(struct tree *t, rng *r)
{
    static const char *const names[] = {
        "axis", "axes", "pads", "strides", "dilations", "kernel_shape",
        "group", "auto_pad", "ceil_mode", "count_include_pad", "alpha",
        "beta", "transA", "transB", "perm", "to", "value", "epsilon",
        "momentum", "mode", "keepdims", "noop_with_empty_axes", "split",
        "starts", "ends", "min", "max", "shape", "num_outputs", "allowzero",
        "largest", "sorted", "select_last_index", "value_int", "value_ints",
        "value_float", "value_floats", "then_branch", "else_branch", "body",
        "output_shape", "output_padding", "approximate", "training_mode"};
    struct field *a = choose(t, r, is_attribute);
    if (!a)
        return false;
    struct field *name = tree_child(a, 1), *type = tree_child(a, 20);
    if (fuzz_below(r, 3) == 0 && type)
        type->value = fuzz_below(r, 16);
    else if (name)
        return tree_set_text(t, name, names[fuzz_below(
            r, sizeof names / sizeof *names)]);
    return true;
}

/* Dimensions, element type: small ones as well as any. */
static bool change_tensor(struct tree *t, rng *r)
{
    struct field *m = choose(t, r, is_tensor);
    struct field *f = m ? tree_child(m, fuzz_below(r, 3) ? 1 : 2) : NULL;
    if (!f)
        return false;
    f->value = f->number == 2 ? fuzz_below(r, 30)
               : fuzz_below(r, 2) ? fuzz_below(r, 9) : boundary(r);
    return true;
}

/* The graph around an attribute, into it. */
static bool nest(struct tree *t, rng *r)
{
    struct field *a = choose(t, r, is_attribute);
    struct field *g = a ? a->parent : NULL;
    while (g && !is_graph(g))
        g = g->parent;
    struct field *copy = g ? tree_clone(t, g) : NULL;
    if (!copy)
        return false;
    copy->number = fuzz_below(r, 4) ? 6 : 11;
    tree_describe(copy, a->type);
    tree_put(a, behind(a, r), copy);
    return true;
}

/* The node again and again, each reading what the one before computes. */
static bool chain(struct tree *t, rng *r)
{
    struct field *last = choose(t, r, is_node);
    size_t n = fuzz_below(r, 4) ? 1 + fuzz_below(r, 4) : fuzz_below(r, 500);
    for (; last && n; n--) {
        struct field *copy = tree_clone(t, last);
        struct field *from = tree_child(last, 2);
        struct field *in = copy ? tree_child(copy, 1) : NULL;
        struct field *out = copy ? tree_child(copy, 2) : NULL;
        char name[16];
        snprintf(name, sizeof name, "%llx",
                 (unsigned long long)(fuzz_next(r) & 0xffffff));
        if (!in || !out || !from || !tree_set_text(t, out, name))
            return false;
        in->at = from->at;
        in->n = from->n;
        tree_put(last->parent, last, copy);
        last = copy;
    }
    return last != NULL;
}

/* ---- all ----------------------------------------------------------------- */

static bool (*const mutations[])(struct tree *, rng *) = {
    remove_field, remove_field, repeat_field, repeat_field, move_field,
    copy_field, copy_field, change_number, change_number, change_number,
    add_field, add_field, change_bytes, change_bytes, resize_bytes,
    change_tag, swap_names, swap_names, swap_names, change_operator,
    change_operator, change_attribute, change_attribute, change_tensor,
    change_tensor, nest, chain};

size_t fuzz_mutate_onnx(uint8_t *data, size_t size, size_t max,
                        unsigned seed)
{
    rng r = {seed};
    if (!tree_parse(&tree, data, size))
        return 0;
    int done = 0, wanted = 1 + (int)fuzz_below(&r, 4);
    for (int tries = 0; done < wanted && tries < 20 && tree.n; tries++) {
        done += mutations[fuzz_below(&r, sizeof mutations /
                                     sizeof *mutations)](&tree, &r);
        tree_list(&tree);
    }
    /* Leaves point into data, so the new bytes are gathered elsewhere. */
    static uint8_t out[TREE_BYTES];
    size_t n = tree_write(&tree, out, max < sizeof out ? max : sizeof out);
    memcpy(data, out, n);
    return n;
}

size_t fuzz_cross_onnx(const uint8_t *a, size_t n_a, const uint8_t *b,
                       size_t n_b, uint8_t *out, size_t max, unsigned seed)
{
    rng r = {seed};
    if (!tree_parse(&tree, a, n_a) || !tree_parse(&other, b, n_b))
        return 0;
    for (size_t n = 1 + fuzz_below(&r, 4); n; n--) {
        struct field *f = choose(&other, &r, NULL);
        struct field *to = &tree.pool[0];
        for (int tries = 0; tries < 50 && to->type != f->parent->type;
             tries++)
            to = tree.list[fuzz_below(&r, (size_t)tree.n)];
        struct field *copy = tree_clone(&tree, f);
        if (to->type == f->parent->type && copy)
            tree_put(to, behind(to, &r), copy);
    }
    return tree_write(&tree, out, max);
}
