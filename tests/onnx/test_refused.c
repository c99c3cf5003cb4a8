/* Every way of being no model that import looks for, with the whole sentence
 * that it is refused with: file, place, reason. (Damage is in
 * test_damaged.c, floods are in test_hostile.c and test_bounds.c, data files
 * in test_external.c and test_confine.c.)
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "onnx/craft.h"
#include "support/sentence.h"
#include "support/worst.h"
#include "test.h"

/* x -> Relu -> y, with this in its graph too (worst.h says how it is
 * written). It begins at byte 39 of the file. */
static struct graft_str model_with(const char *in_graph)
{
    struct graft_str s, all;
    graft_str_init(&s);
    graft_str_init(&all);
    graft_str_add(&all, "1=10 8{1'' 2=20} 7{"
                        "11{1'x' 2{1{1=1 2{1{1=1}}}}} 1{1'x' 2'y' 4'Relu'} ");
    graft_str_add(&all, in_graph);
    graft_str_add(&all, " 12{1'y' 2{1{1=1 2{1{1=1}}}}}}");
    assert_ok(graft_str_ok(&all));
    worst_put(&s, all.at, 0);
    graft_str_release(&all);
    return s;
}

struct refusal {
    const char *with, *said;
};

/* Refused with just this sentence after the file's name. */
static void refused(const struct refusal *r)
{
    struct graft_model *m = NULL;
    char want[600];
    struct graft_str s = model_with(r->with);
    uint64_t live = graft_alloc_stats().live_bytes;
    int status = graft_onnx_parse(&m, NULL, s.at, s.n, "m.onnx", NULL);
    snprintf(want, sizeof want, "'m.onnx'%s", r->said);
    if (status != GRAFT_EFORMAT || strcmp(graft_error_message(), want))
        fail_msg("%s\n  is %d, \"%s\"\n  not \"%s\"", r->with, status,
                 graft_error_message(), want);
    test_sentence_about("m.onnx", graft_error_message());
    assert_null(m);
    assert_int_equal(graft_alloc_stats().live_bytes, live);
    graft_str_release(&s);
}

static void all_refused(const struct refusal *r, int n)
{
    for (int i = 0; i < n; i++)
        refused(&r[i]);
    print_message("%d kinds of model are refused by their sentence\n", n);
}

#define ALL_REFUSED(rows)                                                   \
    all_refused(rows, (int)(sizeof(rows) / sizeof *(rows)))

#define NAMELESS "Relu (a node without a name, at byte 43)"

TEST(onnx_refused__cycles)
{
    static const struct refusal rows[] = {
        {"1{1'z' 2'z' 4'Relu' 3'self'}",
         ": Relu 'self' reads 'z', which is computed only later, by Relu "
         "'self': a cycle, or nodes out of order"},
        {"1{1'b' 2'a' 4'Relu'} 1{1'a' 2'b' 4'Exp'}",
         ": " NAMELESS " reads 'b', which is computed only later, by Exp (a "
         "node without a name, at byte 57): a cycle, or nodes out of order"},
        {"1{1'c' 2'a' 4'Relu' 3'one'} 1{1'a' 2'b' 4'Exp' 3'two'} "
         "1{1'b' 2'c' 4'Tanh' 3'three'}",
         ": Relu 'one' reads 'c', which is computed only later, by Tanh "
         "'three': a cycle, or nodes out of order"},
    };
    ALL_REFUSED(rows);
}

TEST(onnx_refused__duplicate_outputs)
{
    static const struct refusal rows[] = {
        {"1{1'x' 2'y' 4'Exp' 3'again'}",
         ": Exp 'again' computes 'y', which another node computes too"},
        {"1{1'x' 2'z' 2'z' 4'Split' 3'halves'}",
         ": Split 'halves' computes 'z', which another node computes too"},
        {"1{1'x' 2'x' 4'Relu'}",
         ": " NAMELESS " computes 'x', which is a graph input"},
        {"5{1=1 2=1 8'w' 9*4} 1{1'x' 2'w' 4'Relu' 3'r'}",
         ": Relu 'r' computes 'w', which is an initializer"},
        {"5{1=1 2=1 8'w' 9*4} 5{1=1 2=1 8'w' 9*4}",
         ": two initializers are called 'w'"},
        {"11{1'x'}", ": two inputs are called 'x'"},
    };
    ALL_REFUSED(rows);
}

TEST(onnx_refused__undefined_and_unnamed)
{
    static const struct refusal rows[] = {
        {"1{1'nowhere' 2'z' 4'Relu'}",
         ": " NAMELESS " reads 'nowhere', which nothing computes"},
        {"12{1'z'}", ": nothing computes the output 'z'"},
        {"11{2{1{1=1}}}", ": the value at byte 43 has no name"},
        {"12{1''}", ": the value at byte 43 has no name"},
        {"13{2{1{1=1}}}", ": the value at byte 43 has no name"},
        {"1{1'x' 2'z' 4''}", ": the node '' at byte 43 has no operator"},
        {"1{1'x' 2'z' 3'n'}", ": the node 'n' at byte 43 has no operator"},
        {"5{1=1 2=1 9*4}", ": the initializer at byte 41 has no name"},
        {"15{1{1=1 2=1 9*4}}", ": the initializer at byte 41 has no name"},
        {"1{1'x' 2'z' 4'Relu' 5{20=2}}",
         ": " NAMELESS " has an attribute without name"},
        {"1{1'x' 2'z' 4'Relu' 3'r' 5{1'a' 20=4}}",
         ": Relu 'r': attribute 'a' should be a tensor and holds none"},
    };
    ALL_REFUSED(rows);
}

TEST(onnx_refused__tensors_of_a_wrong_type)
{
    static const struct refusal rows[] = {
        {"5{1=1 2=1 8'w' 7=5}", ": tensor 'w' is float32 but has data in "
                                "field 7"},
        {"5{1=1 2=1 8'w' 9*4 4*4}", ": tensor 'w' is float32 but has data in "
                                    "field 4"},
        {"5{1=1 2=3 8'w' 5=500}", ": tensor 'w' is int8, but holds 500"},
        {"5{1=1 2=9 8'w' 5=2}", ": tensor 'w' is bool, but holds 2"},
        {"5{1=1 2=8 8'w' 9*3}", ": tensor 'w' is of strings, which cannot be "
                                "raw data"},
        {"5{1=1 2'1' 8'w' 9*4}", " is damaged at byte 45: field "
                                 "TensorProto.data_type has the wrong wire "
                                 "type"},
        {"5{1=1 2=1 8=7 9*4}", " is damaged at byte 47: field "
                               "TensorProto.name has the wrong wire type"},
    };
    ALL_REFUSED(rows);
}

TEST(onnx_refused__tensors_of_a_wrong_size)
{
    static const struct refusal rows[] = {
        {"5{1=2 2=1 8'w' 9*4}", ": tensor 'w': [2] of float32 needs 8 bytes, "
                                "the file has 4"},
        {"5{1=2 2=1 8'w' 9*12}", ": tensor 'w': [2] of float32 needs 8 "
                                 "bytes, the file has 12"},
        {"5{1=2 2=1 8'w'}", ": tensor 'w': [2] of float32 needs 8 bytes, the "
                            "file has 0"},
        {"5{1=0 2=1 8'w' 9*4}", ": tensor 'w': [0] of float32 needs 0 bytes, "
                                "the file has 4"},
        {"5{1=1 2=7 8'w' 9*4}", ": tensor 'w': [1] of int64 needs 8 bytes, "
                                "the file has 4"},
        {"5{1=3 2=8 8'w' 6'a' 6'b'}", ": tensor 'w' has 3 elements of "
                                      "string, the file has 2"},
        {"5{1=2 1=-1 2=1 8'w' 9*4}", ": tensor 'w' has dimension -1"},
        {"5{1=-9223372036854775808 2=1 8'w'}",
         ": tensor 'w' has dimension -9223372036854775808"},
        {"5{1=4611686018427387904 2=1 8'w' 9*4}",
         ": tensor 'w' of float32 has more than 2^63 elements or bytes"},
        {"5{1=9223372036854775807 1=9223372036854775807 2=3 8'w' 9*4}",
         ": tensor 'w' of int8 has more than 2^63 elements or bytes"},
        {"5{1=4294967296 1=4294967296 2=1 8'w'}",
         ": tensor 'w' of float32 has more than 2^63 elements or bytes"},
        {"5{1=1000000000000 2=1 8'w' 9*4}",
         ": tensor 'w': [1000000000000] of float32 needs 4000000000000 "
         "bytes, the file has 4"},
        {"1{2'z' 4'Constant' 5{1'value' 5{1=2 2=1 9*4} 20=4}}",
         ": tensor without a name, at byte 67: [2] of float32 needs 8 bytes, "
         "the file has 4"},
        {"1{2'z' 4'Constant' 5{1'value' 5{1=-2 2=1 9*4} 20=4}}",
         ": tensor without a name, at byte 67 has dimension -2"},
    };
    ALL_REFUSED(rows);
}

TEST(onnx_refused__what_stands_twice)
{
    static const struct refusal rows[] = {
        {"5{1=1 2=1 8'w' 9*4 9*4}", " is damaged at byte 56: field "
                                    "TensorProto.raw_data stands there "
                                    "twice"},
        {"13{1'v' 2{} 2{}}", " is damaged at byte 48: field "
                             "ValueInfoProto.type stands there twice"},
        {"1{2'z' 4'C' 5{1'value' 5{2=1 9*4} 5{2=1 9*4} 20=4}}",
         " is damaged at byte 68: field AttributeProto.t stands there "
         "twice"},
        {"} 7{", " is damaged at byte 41: field ModelProto.graph stands "
                 "there twice"},
    };
    ALL_REFUSED(rows);
}

/* Sequences of sequences ...: the model and its graph, a value, its type are
 * four messages, each sequence two more, the innermost tensor type another. */
static struct graft_str sequences(int n, const char *innermost)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_str_add(&s, "13{1'v' 2{");
    for (int i = 0; i < n; i++)
        graft_str_add(&s, "4{1{");
    graft_str_add(&s, innermost);
    for (int i = 0; i < n; i++)
        graft_str_add(&s, "}}");
    graft_str_add(&s, "}}");
    return s;
}

TEST(onnx_refused__one_message_too_deep)
{
    static const struct {
        int n;
        const char *innermost;
        bool is_read;
    } rows[] = {{14, "1{}", true},   /* 33 levels */
                {30, "", true},      /* 64 */
                {30, "1{}", false},  /* 65 */
                {500, "", false}}; /* 100,000: test_hostile.c */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct graft_model *m = NULL;
        struct graft_str in = sequences(rows[i].n, rows[i].innermost);
        struct graft_str s = model_with(in.at);
        int status = graft_onnx_parse(&m, NULL, s.at, s.n, "m.onnx", NULL);
        if (rows[i].is_read) {
            assert_ok(status);
        } else {
            assert_fails(status, GRAFT_EFORMAT, "'m.onnx': messages are "
                         "nested over 64 levels deep at byte ");
            test_sentence_about("m.onnx", graft_error_message());
        }
        graft_graph_free(m);
        graft_str_release(&in);
        graft_str_release(&s);
    }
}

/* A node that has this name, operator and input. */
static struct graft_str model_of_name(const char *name)
{
    struct graft_str g, n;
    graft_str_init(&g);
    graft_str_init(&n);
    graft_put_text(&n, 1, name);
    graft_put_text(&n, 2, "z");
    graft_put_text(&n, 3, name);
    graft_put_text(&n, 4, name);
    craft_value(&g, 11, "x");
    craft_put(&g, 1, &n);
    craft_value(&g, 12, "z");
    return craft_file(&g, 8, 13);
}

/* Whatever a name holds, the sentence keeps its reason and stays harmless. */
TEST(onnx_refused__names_of_any_kind)
{
    static const char *const names[] = {
        "\033[2J\033]0;title\007", "a\nb\rc\td", "%s%n%d", "'", "\177\001",
        "\303\244\342\202\254", "\377\376\200", NULL};
    char long_name[3000];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct graft_model *m = NULL;
        struct graft_str s = model_of_name(names[i] ? names[i] : long_name);
        int status = graft_onnx_parse(&m, NULL, s.at, s.n, "m.onnx", NULL);
        assert_fails(status, GRAFT_EFORMAT, "', which nothing computes");
        graft_str_release(&s);
        test_sentence_about("m.onnx", graft_error_message());
    }
}
