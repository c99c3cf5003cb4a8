/* Mutations that know what ONNX means: names, operators, attributes, tensors,
 * graphs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "graph/op.h"
#include "mutate.h"
#include "onnx.pb-c.h"

extern const struct graft_op *const graft_op_files[];

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
static bool is_input(const struct field *f)
{
    return f->number == 11 && f->parent->type == &onnx__graph_proto__descriptor;
}

static bool swap_names(struct tree *t, rng *r)
{
    struct field *f = fuzz_choose(t, r, fuzz_is_text);
    struct field *g = fuzz_choose(t, r, fuzz_is_text);
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
    struct field *f = fuzz_choose(t, r, is_node);
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
    struct field *a = fuzz_choose(t, r, is_attribute);
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
    struct field *m = fuzz_choose(t, r, is_tensor);
    struct field *f = m ? tree_child(m, fuzz_below(r, 3) ? 1 : 2) : NULL;
    if (!f)
        return false;
    f->value = f->number == 2 ? fuzz_below(r, 30)
               : fuzz_below(r, 2) ? fuzz_below(r, 9) : fuzz_boundary(r);
    return true;
}

/* The graph around an attribute, into it. */
static bool nest(struct tree *t, rng *r)
{
    struct field *a = fuzz_choose(t, r, is_attribute);
    struct field *g = a ? a->parent : NULL;
    while (g && !is_graph(g))
        g = g->parent;
    struct field *copy = g ? tree_clone(t, g) : NULL;
    if (!copy)
        return false;
    copy->number = fuzz_below(r, 4) ? 6 : 11;
    tree_describe(copy, a->type);
    tree_put(a, fuzz_behind(a, r), copy);
    return true;
}

/* The node again and again, each reading what the one before computes. */
static bool chain(struct tree *t, rng *r)
{
    struct field *last = fuzz_choose(t, r, is_node);
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

static bool make_weight(struct tree *t, rng *r)
{
    return fuzz_make_weight(t, fuzz_choose(t, r, is_input), r);
}

mutation *const fuzz_onnx_mutations[] = {
    swap_names, swap_names, swap_names, change_operator, change_operator,
    change_attribute, change_attribute, change_tensor, change_tensor, nest,
    chain, make_weight, make_weight, NULL};
