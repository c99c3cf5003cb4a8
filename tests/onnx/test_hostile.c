/* Files made to do harm: each is refused with a sentence, quickly, within the
 * memory that was promised.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "craft.h"
#include "support/build_model.h"

static struct graft_str empty(void)
{
    struct graft_str s;
    graft_str_init(&s);
    return s;
}

/* x -> Relu -> y, to be spoilt. */
static struct graft_str small_graph(void)
{
    struct graft_str g = empty();
    craft_node(&g, "Relu", "x", "y");
    craft_value(&g, 11, "x");
    craft_value(&g, 12, "y");
    return g;
}

/* The file made of this graph is refused so. */
static void refused(struct graft_str *graph, int code, const char *part)
{
    struct graft_model *m = NULL;
    struct graft_str file = craft_file(graph, 8, 13);
    assert_fails(craft_parse(&m, &file), code, part);
    assert_null(m);
}

TEST(onnx_hostile__small_graph_itself_is_read)
{
    struct graft_model *m = NULL;
    struct graft_str g = small_graph(), file = craft_file(&g, 8, 13);
    assert_ok(craft_parse(&m, &file));
    assert_int_equal(m->node.n, 1);
    graft_graph_free(m);
}

/* An If in an If in an If ...: three messages for each level. */
static struct graft_str nested(int levels)
{
    struct graft_str inner = empty();
    for (int i = 0; i < levels; i++) {
        struct graft_str attr = empty(), node = empty(), graph = empty();
        craft_put(&attr, 6, &inner);
        craft_put(&node, 5, &attr);
        craft_put(&graph, 1, &node);
        inner = graph;
    }
    return inner;
}

TEST(onnx_hostile__nesting_is_bounded)
{
    const int levels[] = {33, 64, 1000, 3000};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        struct graft_str g = nested(levels[i]);
        refused(&g, GRAFT_EFORMAT, "nested over 64 levels");
    }
}

/* 100,000 levels, built from lengths known beforehand: field 6 in field 5 in
 * field 1, each length five bytes long. */
TEST(onnx_hostile__nesting_100000_deep)
{
    enum { LEVELS = 100000, HEAD = 6 };
    struct graft_str g = empty();
    const uint8_t fields[] = {1, 5, 6};
    for (int i = 0; i < LEVELS; i++) {
        uint64_t n = (uint64_t)(LEVELS - 1 - i) * HEAD;
        uint8_t head[HEAD] = {(uint8_t)(fields[i % 3] << 3 | 2)};
        for (int k = 1; k < HEAD; k++, n >>= 7)
            head[k] = (uint8_t)((n & 0x7f) | (k < HEAD - 1 ? 0x80 : 0));
        graft_str_addn(&g, head, HEAD);
    }
    refused(&g, GRAFT_EFORMAT, "nested over 64 levels");
}

TEST(onnx_hostile__repeated_graph)
{
    struct graft_model *m = NULL;
    struct graft_str g = small_graph(), file = craft_file(&g, 8, 13);
    g = small_graph();
    craft_put(&file, 7, &g);
    assert_fails(craft_parse(&m, &file), GRAFT_EFORMAT, "graph stands there "
                 "twice");
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* `n` bytes of one empty element after the other, given by its tag. */
static void bomb(uint8_t tag, size_t n, int code, const char *part)
{
    struct graft_str g = empty();
    const uint8_t element[] = {tag, 0};
    for (size_t i = 0; i < n / 2; i++)
        graft_str_addn(&g, element, 2);
    uint64_t before = graft_alloc_stats().peak_bytes;
    double start = cpu_seconds();
    refused(&g, code, part);
    assert_true(cpu_seconds() - start < 2);
    /* twice the file for the test's own copies, then what was promised */
    assert_true(graft_alloc_stats().peak_bytes <=
                before + 2 * n + 8 * n + (UINT64_C(64) << 20));
}

TEST(onnx_hostile__bombs_of_empty_elements)
{
    const size_t n = 10 << 20;
    bomb(1 << 3 | 2, 20000000, GRAFT_ELIMIT, "small elements up to byte ");
    bomb(1 << 3 | 2, n, GRAFT_ELIMIT, "small elements");
    bomb(5 << 3 | 2, n, GRAFT_ELIMIT, "small elements");
    bomb(11 << 3 | 2, n, GRAFT_ELIMIT, "small elements");
    bomb(13 << 3 | 2, n, GRAFT_ELIMIT, "small elements");
    bomb(1 << 3 | 2, 2000, GRAFT_EFORMAT, "has no operator");
}

/* Nodes as small as a valid one can be, each with a name of its own. */
TEST(onnx_hostile__memory_of_many_small_nodes)
{
    struct graft_str g = empty();
    char from[16] = "x", to[16];
    for (int i = 0; i < 200000; i++) {
        snprintf(to, sizeof to, "%x", i);
        craft_node(&g, "R", from, to);
        memcpy(from, to, sizeof from);
    }
    craft_value(&g, 11, "x");
    craft_value(&g, 12, to);
    struct graft_str file = craft_file(&g, 8, 13);
    uint64_t before = graft_alloc_stats().peak_bytes, n = file.n;
    struct graft_model *m = NULL;
    int status = craft_parse(&m, &file);
    assert_true(status == GRAFT_OK || status == GRAFT_ELIMIT);
    assert_true(graft_alloc_stats().peak_bytes <=
                before + 8 * n + (UINT64_C(64) << 20));
    graft_graph_free(m);
}

TEST(onnx_hostile__wire_types_and_groups)
{
    struct graft_str g = small_graph();
    graft_put_int(&g, 1, 7); /* node as a number */
    refused(&g, GRAFT_EFORMAT, "GraphProto.node has the wrong wire type");
    g = small_graph();
    graft_put_varint(&g, 1 << 3 | 3);
    refused(&g, GRAFT_EFORMAT, "groups");
    g = small_graph();
    graft_put_varint(&g, 2 << 3 | 2);
    graft_put_varint(&g, 1000); /* a name longer than the graph */
    refused(&g, GRAFT_EFORMAT, "wants 1000 bytes, 0 are left");
    g = small_graph();
    graft_put_varint(&g, 0);
    refused(&g, GRAFT_EFORMAT, "number 0");
    g = small_graph();
    graft_put_varint(&g, 1 << 3 | 7);
    refused(&g, GRAFT_EFORMAT, "no such wire type");
    g = small_graph();
    graft_put_bytes(&g, 2, "a\0b", 3);
    refused(&g, GRAFT_EFORMAT, "zero byte");
    g = small_graph();
    graft_str_addn(&g, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 11);
    refused(&g, GRAFT_EFORMAT, "tag");
}

TEST(onnx_hostile__graphs_that_are_none)
{
    struct graft_str g = small_graph();
    craft_node(&g, "Relu", "x", "y");
    refused(&g, GRAFT_EFORMAT, "'y', which another node computes too");
    g = small_graph();
    craft_node(&g, "Relu", "y", "x");
    refused(&g, GRAFT_EFORMAT, "'x', which is a graph input");
    g = small_graph();
    craft_node(&g, "Relu", "nowhere", "z");
    refused(&g, GRAFT_EFORMAT, "'nowhere', which nothing computes");
    g = small_graph();
    craft_node(&g, "Relu", "z", "z");
    refused(&g, GRAFT_EFORMAT, "a cycle");
    g = small_graph();
    craft_node(&g, "Relu", "b", "a");
    craft_node(&g, "Exp", "a", "b");
    refused(&g, GRAFT_EFORMAT, "a cycle, or nodes out of order");
    g = small_graph();
    craft_value(&g, 11, "x");
    refused(&g, GRAFT_EFORMAT, "two inputs are called 'x'");
    g = small_graph();
    craft_value(&g, 12, "z");
    refused(&g, GRAFT_EFORMAT, "nothing computes the output 'z'");
    g = small_graph();
    craft_node(&g, NULL, "x", "z");
    refused(&g, GRAFT_EFORMAT, "has no operator");
}

TEST(onnx_hostile__versions_outside)
{
    const struct { int64_t ir, opset; const char *part; } cases[] = {
        {2, 13, "IR version 2"}, {15, 13, "IR version 15"},
        {-1, 13, "IR version -1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct graft_model *m = NULL;
        struct graft_str g = small_graph();
        struct graft_str f = craft_file(&g, cases[i].ir, cases[i].opset);
        assert_fails(craft_parse(&m, &f), GRAFT_EUNSUPPORTED, cases[i].part);
    }
}

TEST(onnx_hostile__opset_imports)
{
    const struct { const char *domain; int64_t version; int fails; } more[] = {
        {"ai.onnx", 13, 0}, {"", 13, 0}, {"", 12, 1}, {"ai.onnx", 14, 1},
        {"other", 0, 1}, {"other", -1, 1}, {"other", 99, 0}};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        struct graft_model *m = NULL;
        struct graft_opset o = {more[i].domain, more[i].version,
                                GRAFT_NO_SPAN};
        struct graft_str g = small_graph(), f = craft_file(&g, 8, 13), s;
        graft_str_init(&s);
        graft_encode_opset(&s, &o);
        craft_put(&f, 8, &s);
        assert_int_equal(craft_parse(&m, &f),
                         more[i].fails ? GRAFT_EFORMAT : GRAFT_OK);
        graft_graph_free(m);
    }
}

/* Any byte changed: never a crash, and what is read can be written. */
TEST(onnx_hostile__every_byte_changed)
{
    struct graft_model *m = NULL;
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    assert_ok(test_build_model(&m, 8, 13));
    assert_ok(graft_edit_metadata(m, "graft", "{}"));
    assert_ok(graft_onnx_encode(&bytes, &n, m));
    graft_graph_free(m);
    const uint8_t change[] = {0x01, 0x80, 0xff, 0x08};
    for (uint64_t i = 0; i < 4 * n; i++) {
        uint8_t kept = bytes[i / 4];
        bytes[i / 4] ^= change[i % 4];
        m = NULL;
        if (graft_onnx_parse(&m, NULL, bytes, n, "changed", NULL) == 0) {
            uint8_t *again = NULL;
            uint64_t size = 0;
            graft_value_id y = m->output.n ? m->output.at[0] : -1;
            if (graft_edit_outputs(m, &y, 1) == 0 &&
                graft_onnx_encode(&again, &size, m) == 0)
                graft_free(again);
        }
        graft_graph_free(m);
        bytes[i / 4] = kept;
    }
    graft_free(bytes);
}

/* Unknown fields of the model cost a note each: 100 MB of them would take
 * gigabytes. */
TEST(onnx_hostile__flood_of_unknown_fields)
{
    enum { FIELDS = 8000000 };
    struct graft_model *m = NULL;
    struct graft_str g = small_graph(), file = craft_file(&g, 8, 13);
    const uint8_t field[] = {0x78, 0}; /* number 15, a varint */
    for (int i = 0; i < FIELDS; i++)
        graft_str_addn(&file, field, sizeof field);
    assert_fails(craft_parse(&m, &file), GRAFT_ELIMIT, "small elements");
    assert_null(m);
}
