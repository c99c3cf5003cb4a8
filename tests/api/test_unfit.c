/* Valid files whose graphs cannot run: inspection says why, in one sentence
 * that names the node, the parameter or the input.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/model.h"
#include "support/sentence.h"
#include "support/worst.h"
#include "test.h"

static void unfit(const char *in_graph, const char *said)
{
    struct graft_str s, all;
    graft_model *m = NULL;
    struct graft_inspection *x = NULL;
    graft_str_init(&s);
    graft_str_init(&all);
    graft_str_addf(&all, "1=10 8{1'' 2=20} 7{11{1'x' 2{1{1=1 2{1{2'N'} 1{1=2}"
                   "}}}} %s 12{1'z'}}", in_graph);
    worst_put(&s, all.at, 0);
    assert_ok(graft_model_parse(&m, NULL, s.at, s.n));
    assert_ok(graft_inspect(&x, m, 1));
    assert_false(x->has_plan);
    if (strcmp(x->why_no_plan, said))
        fail_msg("%.300s\n  does not run: %s\n  expected:     %s", in_graph,
                 x->why_no_plan, said);
    test_sentence(x->why_no_plan);
    graft_inspection_free(x);
    graft_model_free(m);
    graft_str_release(&all);
    graft_str_release(&s);
}

struct reason {
    const char *graph, *said;
};

static void all_unfit(const struct reason *r, int n)
{
    for (int i = 0; i < n; i++)
        unfit(r[i].graph, r[i].said);
}
#define ALL_UNFIT(rows) all_unfit(rows, (int)(sizeof(rows) / sizeof *(rows)))

TEST(api_unfit__parameters_of_a_wrong_type_or_size)
{
    static const struct reason rows[] = {
        {"5{1=2 2=7 8's' 7=4 7=4} 1{1'x' 1's' 2'z' 4'Conv' 3'c'}",
         "Conv 'c': input 1 holds int64; only floating-point numbers are "
         "supported"},
        {"5{1=2 2=7 8's' 9*16} 1{1'x' 1's' 2'z' 4'Add' 3'c'}",
         "Add 'c': input 0 holds float32, input 1 int64"},
        {"5{1=2 2=8 8's' 6'a' 6'b'} 1{1'x' 1's' 2'z' 4'Add' 3'c'}",
         "parameter 's': elements of type string are not read"},
        {"5{1=1 2=10 8's' 9*2} 1{1'x' 1's' 2'z' 4'Reshape' 3'c'}",
         "Reshape 'c': shape (input 1) has type float16, expected integers"},
        {"5{1=3 1=3 2=1 8's' 9*36} 1{1'x' 1's' 2'z' 4'MatMul' 3'c'}",
         "MatMul 'c': [1,2] times [3,3] is not possible"},
        {"5{1=2 2=7 8's' 7=3037000500 7=3037000500} "
         "1{1'x' 1's' 2'z' 4'Expand' 3'c'}",
         "Expand 'c': shape [3037000500,3037000500] is negative or too "
         "large"},
        {"5{1=1 2=7 8's' 7=-3} 1{1's' 2'z' 4'ConstantOfShape' 3'c'}",
         "ConstantOfShape 'c': shape [-3] is negative or too large"},
        {"5{1=1 2=7 8's' 7=9223372036854775807} "
         "1{1's' 2'z' 4'ConstantOfShape' 3'c'}",
         "ConstantOfShape 'c': 9223372036854775807 elements"},
        {"1{1'x' 2'z' 4'Transpose' 3'c' 5{1'perm' 8=5 20=7}}",
         "Transpose 'c': perm has 1 entries, the value 2 dimensions"},
    };
    ALL_UNFIT(rows);
}

TEST(api_unfit__nodes_and_inputs)
{
    static const struct reason rows[] = {
        {"1{1'x' 2'z' 4'Add' 3'c'}", "Add 'c' has 1 inputs"},
        {"1{1'' 2'z' 4'Relu' 3'c'}", "Relu 'c': input 0 is left out"},
        {"1{1'x' 2'z' 2'u' 4'Relu' 3'c'}", "Relu 'c' has 2 outputs"},
        {"1{1'x' 2'z' 4'Relu' 3'c' 5{1'a' 3=1 20=2}}",
         "Relu 'c': attribute 'a' is not known in opset version 20"},
        {"1{1'x' 2'z' 4'Wonder' 3'c' 7'land'}",
         "node 'c' of domain land: operator land.Wonder is not supported"},
        {"11{1'u' 2{1{1=1 2{1{2'N'} 1{1=4611686018427387904}}}}} "
         "1{1'u' 2'z' 4'Relu' 3'c'}", "input 'u' is too large"},
        {"11{1'u' 2{1{1=8 2{1{2'N'} 1{1=4}}}}} 1{1'u' 2'z' 4'Relu' 3'c'}",
         "input 'u' has type string; only float inputs can be fed"},
        {"11{1'u' 2{4{1{1{1=1}}}}} 1{1'u' 2'z' 4'Relu' 3'c'}",
         "the file does not state the shape of input 'u'"},
    };
    ALL_UNFIT(rows);
}

/* Limits that keep inspection short. */
TEST(api_unfit__longer_than_any_network)
{
    static const struct worst chain = {
        .name = "chain", .path = {7}, .each = "1{1'%p' 2'%n' 4'Relu'}",
        .graph = "12{1'%n'}"};
    struct graft_str s = worst_make(&chain, 400000);
    graft_model *m = NULL;
    struct graft_inspection *x = NULL;
    assert_ok(graft_model_parse(&m, NULL, s.at, s.n));
    assert_ok(graft_inspect(&x, m, 1));
    assert_non_null(x->why_no_plan);
    assert_string_equal(x->why_no_plan, "'(memory)' computes its outputs in "
                        "over 16384 steps; longer ones are not compiled");
    graft_inspection_free(x);
    graft_model_free(m);
    graft_str_release(&s);
}

TEST(api_unfit__more_inputs_than_any_node)
{
    struct graft_str graph;
    graft_str_init(&graph);
    graft_str_add(&graph, "1{2'z' 4'Sum' 3'c' ");
    for (int i = 0; i < 4097; i++)
        graft_str_add(&graph, "1'x' ");
    graft_str_add(&graph, "}");
    unfit(graph.at, "Sum 'c' has 4097 inputs and 1 outputs; at most 4096 are "
                    "computed with");
    graft_str_release(&graph);
}

/* One after the other they would take 10 GB. */
TEST(api_unfit__constants_share_a_budget)
{
    struct graft_str graph;
    graft_str_init(&graph);
    graft_str_add(&graph, "5{1=2 2=7 7=500000 7=2 8's'} "
                  "1{1'x' 2'v0' 4'Relu'} ");
    for (int i = 0; i < 17; i++)
        graft_str_addf(&graph, "1{1's' 2'k%d' 3'make%d' 4'ConstantOfShape'} "
                       "1{1'v%d' 1'k%d' 2'v%d' 4'Add'} ", i, i, i, i, i + 1);
    graft_str_add(&graph, "1{1'v17' 2'z' 4'Relu'}");
    unfit(graph.at, "ConstantOfShape 'make16': 1000000 elements more, known "
                    "while compiling, are too many");
    graft_str_release(&graph);
}
