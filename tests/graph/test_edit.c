/* Edits: what they add, what they remove, and what they refuse.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/build_model.h"
#include "test.h"

static struct graft_model *tiny(int64_t ir_version)
{
    struct graft_model *m = NULL;
    assert_ok(test_build_model(&m, ir_version, 13));
    return m;
}

TEST(graph_edit__builds_a_network)
{
    struct graft_model *m = tiny(8);
    assert_int_equal(m->node.n, 5);
    assert_int_equal(m->tensor.n, 4);
    assert_int_equal(m->input.n, 1);
    assert_int_equal(m->parameter_count, 4 * 27 + 4 + 20 + 5);
    const struct graft_value *v = &m->value.at[graft_value_find(m, "conv")];
    assert_int_equal(v->node, 0);
    assert_int_equal(v->n_uses, 1);
    assert_string_equal(graft_node_text(&m->node.at[0]), "Conv 'Conv'");
    assert_int_equal(m->node.at[0].attr[0].ints[3], 1);
    assert_int_equal(graft_opset_of(m, "ai.onnx"), 13);
    assert_int_equal(graft_opset_of(m, "else"), 0);
    graft_graph_free(m);
}

TEST(graph_edit__ir_3_wants_initializers_as_inputs)
{
    struct graft_model *m = tiny(3);
    assert_int_equal(m->input.n, 5);
    assert_int_equal(graft_model_feed(m, 0), graft_value_find(m, "x"));
    assert_int_equal(graft_model_feed(m, 1), -1);
    graft_value_id cut = graft_value_find(m, "features");
    assert_ok(graft_edit_outputs(m, &cut, 1));
    assert_int_equal(m->input.n, 3);
    graft_graph_free(m);
}

TEST(graph_edit__cut_removes_what_nobody_needs)
{
    struct graft_model *m = tiny(8);
    graft_value_id cut = graft_value_find(m, "relu");
    assert_ok(graft_edit_outputs(m, &cut, 1));
    const bool gone[] = {false, false, true, true, true};
    for (int i = 0; i < 5; i++)
        assert_int_equal(m->node.at[i].removed, gone[i]);
    assert_false(m->tensor.at[0].removed);
    assert_true(m->tensor.at[2].removed);
    assert_int_equal(m->parameter_count, 4 * 27 + 4);
    assert_true(m->value.at[cut].is_output);
    assert_int_equal(m->value.at[cut].n_uses, 0);
    assert_false(m->value.at[graft_value_find(m, "logits")].is_output);
    graft_graph_free(m);
}

TEST(graph_edit__tensor_shared_with_live_node_stays)
{
    struct graft_model *m = tiny(8);
    graft_value_id b = graft_value_find(m, "b.conv");
    graft_value_id y = test_build_node(m, "Exp", "other", &b, 1, NULL);
    assert_ok(graft_edit_outputs(m, &y, 1));
    assert_true(m->tensor.at[0].removed);
    assert_false(m->tensor.at[1].removed);
    assert_int_equal(m->input.n, 1); /* a true input is never taken away */
    graft_graph_free(m);
}

TEST(graph_edit__what_nobody_needed_before_stays)
{
    struct graft_model *m = tiny(8);
    struct graft_shape shape = {.rank = 1, .dim = {1}};
    graft_value_id idle, cut = graft_value_find(m, "relu");
    float one = 1;
    assert_ok(graft_edit_tensor(&idle, m, "idle", GRAFT_FLOAT, &shape, &one));
    assert_ok(graft_edit_outputs(m, &cut, 1));
    assert_false(m->tensor.at[m->value.at[idle].tensor].removed);
    graft_graph_free(m);
}

TEST(graph_edit__names_never_collide)
{
    struct graft_model *m = tiny(8);
    assert_string_equal(graft_unique_name(m, "fresh"), "fresh");
    assert_string_equal(graft_unique_name(m, "relu"), "relu_1");
    assert_string_equal(graft_unique_name(m, "Gemm"), "Gemm_1");
    assert_ok(graft_name_take(m, "relu_1"));
    assert_string_equal(graft_unique_name(m, "relu"), "relu_2");
    graft_graph_free(m);
}

TEST(graph_edit__refuses_what_makes_no_graph)
{
    struct graft_model *m = tiny(8);
    graft_value_id id = 5, none = 1000, x = graft_value_find(m, "x");
    struct graft_shape s = {.rank = 1, .dim = {1}};
    struct graft_node_spec spec = {.op_type = "Relu", .in = &none, .n_in = 1,
                                   .out_name = "new"};
    float one = 1;
    assert_fails(graft_edit_tensor(&id, m, "relu", GRAFT_FLOAT, &s, &one),
                 GRAFT_EARG, "relu");
    assert_fails(graft_edit_tensor(&id, m, "t", GRAFT_STRING, &s, &one),
                 GRAFT_EARG, "string");
    assert_fails(graft_edit_node(&id, m, &spec), GRAFT_EARG, "1000");
    spec.in = &x;
    spec.out_name = "conv";
    assert_fails(graft_edit_node(&id, m, &spec), GRAFT_EARG, "conv");
    assert_fails(graft_edit_outputs(m, &none, 1), GRAFT_EARG, "1000");
    assert_fails(graft_edit_outputs(m, NULL, 0), GRAFT_EARG, "output");
    graft_value_id twice[] = {x, x};
    assert_fails(graft_edit_outputs(m, twice, 2), GRAFT_EARG, "twice");
    assert_fails(graft_edit_opset(m, "", 0), GRAFT_EARG, "opset 0");
    const struct graft_attr graph[] = {
        {.name = "body", .type = GRAFT_ATTR_GRAPH}, {0}};
    spec.out_name = "new";
    spec.attr = graph;
    assert_fails(graft_edit_node(&id, m, &spec), GRAFT_EARG, "body");
    assert_int_equal(id, 5);
    graft_graph_free(m);
}

TEST(graph_edit__metadata_replaces_every_old_entry)
{
    struct graft_model *m = tiny(8);
    assert_null(graft_metadata_get(m, "graft"));
    assert_ok(graft_edit_metadata(m, "graft", "1"));
    assert_ok(graft_edit_metadata(m, "other", "2"));
    assert_ok(graft_edit_metadata(m, "graft", "3"));
    assert_string_equal(graft_metadata_get(m, "graft"), "3");
    int live = 0;
    for (int i = 0; i < m->metadata.n; i++)
        live += !m->metadata.at[i].removed;
    assert_int_equal(live, 2);
    graft_graph_free(m);
}

TEST(graph_edit__cut_off_name_can_be_used_again)
{
    struct graft_model *m = tiny(8);
    graft_value_id cut = graft_value_find(m, "features"), y;
    assert_ok(graft_edit_outputs(m, &cut, 1));
    y = test_build_node(m, "Relu", "logits", &cut, 1, NULL);
    assert_true(y >= 0);
    assert_int_equal(m->value.at[y].dtype, 0); /* the old type is void */
    graft_graph_free(m);
}

TEST(graph_edit__ancestors_by_nodes)
{
    struct graft_model *m = tiny(8);
    bool live[5] = {false};
    graft_value_id want = graft_value_find(m, "pool");
    graft_mark_ancestors(m, &want, 1, live);
    assert_true(live[0] && live[1] && live[2] && !live[3] && !live[4]);
    graft_graph_free(m);
}
