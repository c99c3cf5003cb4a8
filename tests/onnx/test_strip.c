/* Stripping leaves out what it says, counts it, and touches nothing else.
 * SPDX-License-Identifier: Apache-2.0 */
#include "craft.h"
#include "graph/edit.h"
#include "spans.h"
#include "support/rich_model.h"

static struct graft_model *parsed(const struct graft_str *f)
{
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_parse(&m, NULL, f->at, f->n, "rich", NULL));
    return m;
}

static int occurrences(const uint8_t *at, uint64_t n, const char *word)
{
    const size_t length = strlen(word);
    int found = 0;
    for (uint64_t i = 0; i + length <= n; i++)
        found += !memcmp(at + i, word, length);
    return found;
}

/* What remains of a message after stripping, by the same walk. */
struct parts {
    struct graft_onnx_part doc, value_info, metadata;
};

static struct parts count(const struct graft_model *m)
{
    struct parts p;
    assert_ok(graft_onnx_stripped(&p.doc, &p.value_info, &p.metadata, m));
    return p;
}

TEST(onnx_strip__everything_that_is_ballast)
{
    struct graft_str f = test_rich_file();
    struct graft_model *m = parsed(&f), *again = NULL;
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    struct parts p = count(m);
    assert_int_equal(p.doc.n + p.value_info.n + p.metadata.n, 0);
    graft_edit_strip(m, GRAFT_STRIP_DOC | GRAFT_STRIP_VALUE_INFO |
                            GRAFT_STRIP_METADATA);
    p = count(m);
    assert_ok(graft_onnx_encode(&bytes, &n, m));
    assert_int_equal(occurrences(bytes, n, "secret"), 0);
    assert_int_equal(occurrences((uint8_t *)f.at, f.n, "a value"), 5);
    /* model, graph, node mm, x and out, then, inner, else's attribute, w,
     * tensor t, function and its node, w_new; h goes as a value info */
    assert_int_equal(p.doc.n, 13);
    assert_int_equal(p.value_info.n, 4); /* h, a, else's h, the function's */
    /* graph, then, mm, x, out, w, tensor t, function, w_new */
    assert_int_equal(p.metadata.n, 9);
    /* What was counted is what is missing, but for lengths in front of it:
     * at most three bytes shorter for each message around. */
    uint64_t left_out = p.doc.bytes + p.value_info.bytes + p.metadata.bytes;
    assert_true(f.n - n >= left_out && f.n - n < left_out + 60);
    assert_ok(graft_onnx_parse(&again, NULL, bytes, n, "again", NULL));
    p = count(again);
    graft_edit_strip(again, 7);
    p = count(again);
    assert_int_equal(p.doc.n + p.value_info.n + p.metadata.n, 0);
    assert_string_equal(graft_metadata_get(again, "author"), "somebody");
    graft_graph_free(again);
    graft_free(bytes);
    graft_graph_free(m);
    graft_str_release(&f);
}

/* One kind at a time: elements that hold none of it are the same bytes. */
TEST(onnx_strip__one_kind_at_a_time)
{
    const struct { unsigned what; int nodes, graph, model; } cases[] = {
        /* nodes mm, if, foo change; so do x, out, h, w and the graph's doc */
        {GRAFT_STRIP_DOC, 3, 5, 3},
        /* of else's h: node if. h and a; the function's */
        {GRAFT_STRIP_VALUE_INFO, 1, 2, 1},
        {GRAFT_STRIP_METADATA, 3, 5, 2}};
    for (int i = 0; i < 3; i++) {
        struct graft_str f = test_rich_file();
        struct graft_model *m = parsed(&f);
        struct span_diff d;
        uint8_t *bytes = NULL;
        uint64_t n = 0;
        graft_edit_strip(m, cases[i].what);
        assert_ok(graft_onnx_encode(&bytes, &n, m));
        span_compare(&d, span_wire(f.at, f.n), span_wire(bytes, n));
        assert_int_equal(span_count(&d.gone, SPAN_GRAPH, 1), cases[i].nodes);
        assert_int_equal(span_count(&d.made, SPAN_GRAPH, 1), cases[i].nodes);
        int graph = 0, model = 0;
        for (int k = 0; k < d.gone.of.n; k++) {
            graph += d.gone.of.at[k].level == SPAN_GRAPH &&
                     d.gone.of.at[k].number != 1;
            model += d.gone.of.at[k].level == SPAN_MODEL;
        }
        assert_int_equal(graph, cases[i].graph);
        assert_int_equal(model, cases[i].model);
        span_release(&d);
        graft_free(bytes);
        graft_graph_free(m);
        graft_str_release(&f);
    }
}

/* With names: both are done in one pass over each message. */
TEST(onnx_strip__together_with_names_and_a_cut)
{
    struct graft_str f = test_rich_file();
    struct graft_model *m = parsed(&f), *again = NULL;
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    graft_value_id a = graft_value_find(m, "a");
    assert_ok(graft_edit_outputs(m, &a, 1));
    assert_ok(graft_edit_rename(m, a, "features"));
    assert_ok(graft_edit_rename(m, graft_value_find(m, "x"), "image"));
    graft_edit_strip(m, 7);
    assert_ok(graft_edit_doc(m, -1, "set after stripping"));
    assert_ok(graft_onnx_encode(&bytes, &n, m));
    assert_int_equal(occurrences(bytes, n, "secret"), 0);
    assert_int_equal(occurrences(bytes, n, "set after stripping"), 1);
    assert_ok(graft_onnx_parse(&again, NULL, bytes, n, "again", NULL));
    assert_int_equal(again->node.n, 2);
    assert_string_equal(again->value.at[again->output.at[0]].name,
                        "features");
    /* its type was in the value info, which was left out */
    assert_int_equal(again->value.at[again->output.at[0]].dtype,
                     GRAFT_FLOAT);
    assert_string_equal(again->value.at[again->input.at[0]].name, "image");
    graft_graph_free(again);
    graft_free(bytes);
    graft_graph_free(m);
    graft_str_release(&f);
}

/* A large constant in a node that loses its doc string is not copied. */
TEST(onnx_strip__large_constants_are_pointed_at)
{
    enum { BYTES = 8 << 20 };
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
    graft_put_text(&t, 12, "a doc string");
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
    assert_ok(craft_parse(&m, &f));
    graft_edit_strip(m, GRAFT_STRIP_DOC);
    uint64_t calls = graft_alloc_stats().calls;
    uint64_t live = graft_alloc_stats().live_bytes;
    struct parts p = count(m);
    assert_int_equal(p.doc.n, 1);
    assert_true(graft_alloc_stats().calls - calls < 40);
    assert_int_equal(graft_alloc_stats().live_bytes, live);
    graft_graph_free(m);
}
