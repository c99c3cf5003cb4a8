/* What an edit keeps and what it takes away, field by field.
 * SPDX-License-Identifier: Apache-2.0 */
#include "craft.h"
#include "graph/edit.h"
#include "onnx/scan.h"

static void put_annotation(struct graft_str *g, const char *value)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_put_text(&s, 1, value);
    craft_put(g, 14, &s);
}

static void put_tensor(struct graft_str *g, uint32_t field, const char *name)
{
    const float one = 1;
    struct graft_str s, sparse;
    graft_str_init(&s);
    graft_str_init(&sparse);
    graft_put_int(&s, 1, 1);
    graft_put_int(&s, 2, GRAFT_FLOAT);
    graft_put_text(&s, 8, name);
    graft_put_bytes(&s, 9, &one, sizeof one);
    if (field == 15)
        craft_put(&sparse, 1, &s);
    craft_put(g, field, field == 15 ? &sparse : &s);
}

/* x -> Add kept -> mid -> Add gone -> y, each value with what can be said
 * about it; IR 3 style inputs for the initializers. */
static struct graft_str file(void)
{
    struct graft_str g;
    const char *names[] = {"kept", "gone", "mid", "y", "nowhere"};
    graft_str_init(&g);
    craft_value(&g, 11, "x");
    craft_value(&g, 11, "kept");
    craft_value(&g, 11, "gone");
    craft_node(&g, "Add", "kept", "mid");
    craft_node(&g, "Add", "gone", "tail");
    craft_node(&g, "Sub", "tail", "y");
    craft_node(&g, "Sub", "mid", "used");
    craft_value(&g, 12, "y");
    put_tensor(&g, 5, "kept");
    put_tensor(&g, 5, "gone");
    put_tensor(&g, 15, "sparse");
    for (int i = 0; i < 5; i++) {
        put_annotation(&g, names[i]);
        if (i >= 2)
            craft_value(&g, 13, names[i]);
    }
    graft_put_text(&g, 2, "the graph");
    return craft_file(&g, 3, 9);
}

/* Fields of this number in the model's graph. */
static int count(const struct graft_model *m, uint32_t number)
{
    int n = 0;
    for (int i = 0; i < m->items->graph.n; i++)
        n += m->items->graph.at[i].number == number;
    return n;
}

static struct graft_model *reopened(const struct graft_model *m)
{
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    struct graft_model *r = NULL;
    assert_ok(graft_onnx_encode(&bytes, &n, m));
    assert_ok(graft_onnx_parse(&r, NULL, bytes, n, "again", NULL));
    graft_free(bytes);
    return r;
}

TEST(onnx_keep__cut_takes_what_is_about_the_dead)
{
    struct graft_str f = file();
    struct graft_model *m = NULL;
    assert_ok(craft_parse(&m, &f));
    assert_non_null(strstr(m->tensor.at[2].refusal, "sparse"));
    graft_value_id mid = graft_value_find(m, "used");
    const struct graft_dim one = {1, NULL};
    assert_ok(graft_edit_value_type(m, mid, GRAFT_FLOAT, &one, 1));
    assert_ok(graft_edit_outputs(m, &mid, 1));
    struct graft_model *r = reopened(m);
    assert_int_equal(r->node.n, 2);
    assert_int_equal(r->tensor.n, 2); /* the sparse one had no reader before */
    assert_int_equal(r->input.n, 2); /* x, though unused, and kept */
    assert_string_equal(r->graph_name, "the graph");
    assert_int_equal(count(r, 14), 3); /* kept, mid, nowhere */
    assert_int_equal(count(r, 13), 2); /* mid, nowhere */
    graft_graph_free(r);
    graft_graph_free(m);
}

/* A name that was cut off and is made again owes nothing to the file. */
TEST(onnx_keep__made_again_under_an_old_name)
{
    struct graft_str f = file();
    struct graft_model *m = NULL;
    assert_ok(craft_parse(&m, &f));
    graft_value_id mid = graft_value_find(m, "mid"), y = -1;
    assert_ok(graft_edit_outputs(m, &mid, 1));
    struct graft_node_spec spec = {.op_type = "Relu", .in = &mid, .n_in = 1,
                                   .out_name = "y"};
    const struct graft_dim two[] = {{-1, "N"}, {7, NULL}};
    assert_ok(graft_edit_node(&y, m, &spec));
    assert_ok(graft_edit_value_type(m, y, GRAFT_FLOAT16, two, 2));
    assert_ok(graft_edit_outputs(m, &y, 1));
    struct graft_model *r = reopened(m);
    const struct graft_value *v = &r->value.at[graft_value_find(r, "y")];
    assert_int_equal(v->dtype, GRAFT_FLOAT16);
    assert_int_equal(v->rank, 2);
    assert_string_equal(v->dim[0].param, "N");
    assert_int_equal(v->dim[0].value, -1);
    assert_int_equal(v->dim[1].value, 7);
    assert_int_equal(count(r, 13), 2);
    graft_graph_free(r);
    graft_graph_free(m);
}

TEST(onnx_keep__opsets_and_metadata)
{
    struct graft_str f = file(), e;
    struct graft_model *m = NULL;
    for (int i = 0; i < 2; i++) {
        graft_str_init(&e);
        graft_encode_entry(&e, i ? "graft" : "author", "old");
        craft_put(&f, 14, &e);
    }
    assert_ok(craft_parse(&m, &f));
    assert_ok(graft_edit_opset(m, "", 10));
    assert_ok(graft_edit_opset(m, "ai.onnx.ml", 2));
    assert_ok(graft_edit_metadata(m, "graft", "new"));
    struct graft_model *r = reopened(m);
    assert_int_equal(r->opset.n, 2);
    assert_int_equal(graft_opset_of(r, ""), 10);
    assert_int_equal(graft_opset_of(r, "ai.onnx.ml"), 2);
    assert_int_equal(r->metadata.n, 2);
    assert_string_equal(graft_metadata_get(r, "author"), "old");
    assert_string_equal(graft_metadata_get(r, "graft"), "new");
    graft_graph_free(r);
    graft_graph_free(m);
}

/* A large constant of a node is read in place as well. */
TEST(onnx_keep__large_constants_are_held_once)
{
    enum { BYTES = 32 << 20 };
    struct graft_str g, t, a, node;
    struct graft_model *m = NULL;
    uint8_t *zero = graft_calloc(1, BYTES);
    assert_non_null(zero);
    graft_str_init(&g);
    graft_str_init(&t);
    graft_str_init(&a);
    graft_str_init(&node);
    graft_put_int(&t, 1, BYTES);
    graft_put_int(&t, 2, GRAFT_INT8);
    graft_put_bytes(&t, 9, zero, BYTES);
    graft_free(zero);
    graft_put_text(&a, 1, "value");
    graft_put_int(&a, 20, GRAFT_ATTR_TENSOR);
    craft_put(&a, 5, &t);
    graft_put_text(&node, 2, "y");
    graft_put_text(&node, 4, "Constant");
    craft_put(&node, 5, &a);
    craft_put(&g, 1, &node);
    craft_value(&g, 12, "y");
    struct graft_str f = craft_file(&g, 8, 13);
    uint64_t live = graft_alloc_stats().live_bytes;
    assert_ok(graft_onnx_parse(&m, NULL, f.at, f.n, "f", NULL));
    assert_int_equal(m->node.at[0].attr[0].tensor->bytes, BYTES);
    assert_true(graft_alloc_stats().live_bytes - live < f.n + (1 << 20));
    graft_graph_free(m);
    graft_str_release(&f);
}

/* ---- named, but read by no node ------------------------------------------ */

static void put_scale(struct graft_str *g, const char *value,
                      const char *scale)
{
    struct graft_str s, entry;
    graft_str_init(&s);
    graft_str_init(&entry);
    graft_put_text(&s, 1, value);
    graft_encode_entry(&entry, "SCALE_TENSOR", scale);
    craft_put(&s, 2, &entry);
    craft_put(g, 14, &s);
}

/* x -> mid -> out -> y, cut at mid, which takes away the nodes that read the
 * scales. mid's annotation names scale, whose own names chain; out's names
 * scale2. */
static struct graft_model *annotated(void)
{
    static const char *const tensors[] = {"scale", "scale2", "chain"};
    static const char *const outputs[] = {"y", "a", "b", "c"};
    struct graft_model *m = NULL;
    struct graft_str g, f;
    graft_str_init(&g);
    craft_value(&g, 11, "x");
    craft_node(&g, "Relu", "x", "mid");
    craft_node(&g, "Relu", "mid", "out");
    craft_node(&g, "Relu", "out", "y");
    for (int i = 0; i < 3; i++) {
        craft_node(&g, "Relu", tensors[i], outputs[1 + i]);
        put_tensor(&g, 5, tensors[i]);
    }
    put_scale(&g, "scale", "chain");
    put_scale(&g, "mid", "scale");
    put_scale(&g, "out", "scale2");
    put_scale(&g, "y", "nowhere");
    for (int i = 0; i < 4; i++)
        craft_value(&g, 12, outputs[i]);
    craft_value(&g, 13, "mid");
    f = craft_file(&g, 8, 13);
    assert_ok(craft_parse(&m, &f));
    return m;
}

TEST(onnx_keep__scales_of_what_stays)
{
    struct graft_model *m = annotated();
    graft_value_id mid = graft_value_find(m, "mid");
    assert_ok(graft_edit_outputs(m, &mid, 1));
    struct graft_model *r = reopened(m);
    assert_int_equal(r->tensor.n, 2);
    assert_string_equal(r->tensor.at[0].name, "scale");
    assert_string_equal(r->tensor.at[1].name, "chain");
    assert_int_equal(count(r, 14), 2);
    graft_graph_free(r);
    graft_graph_free(m);
}

/* Training reads y, and writes w. */
static struct graft_model *trained(void)
{
    struct graft_model *m = NULL;
    struct graft_str g, s, f, algorithm, entry;
    graft_str_init(&g);
    graft_str_init(&s);
    graft_str_init(&algorithm);
    graft_str_init(&entry);
    craft_value(&g, 11, "x");
    craft_node(&g, "Relu", "x", "mid");
    craft_node(&g, "Relu", "mid", "y");
    craft_node(&g, "Relu", "mid", "z");
    craft_node(&g, "Relu", "w", "v");
    put_tensor(&g, 5, "w");
    craft_value(&g, 12, "z");
    craft_value(&g, 12, "v");
    craft_value(&g, 13, "mid");
    f = craft_file(&g, 8, 13);
    craft_node(&algorithm, "Neg", "y", "w_new");
    craft_value(&algorithm, 12, "w_new");
    craft_put(&s, 2, &algorithm);
    graft_encode_entry(&entry, "w", "w_new");
    craft_put(&s, 4, &entry);
    craft_put(&f, 20, &s);
    assert_ok(craft_parse(&m, &f));
    return m;
}

TEST(onnx_keep__what_training_names)
{
    struct graft_model *m = trained();
    graft_value_id mid = graft_value_find(m, "mid");
    assert_ok(graft_edit_outputs(m, &mid, 1));
    struct graft_model *r = reopened(m);
    assert_int_equal(r->node.n, 2);
    assert_int_equal(r->value.at[graft_value_find(r, "y")].node, 1);
    assert_true(r->value.at[graft_value_find(r, "w")].tensor >= 0);
    assert_int_equal(graft_value_find(r, "z"), -1);
    assert_string_equal(graft_unique_name(r, "w_new"), "w_new_1");
    graft_graph_free(r);
    graft_graph_free(m);
}
