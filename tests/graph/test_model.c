/* The model's own bookkeeping.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "graph/edit.h"
#include "test.h"

TEST(graph_model__names_are_interned_once)
{
    struct graft_model *m = NULL;
    char name[16];
    assert_ok(graft_graph_new(&m, NULL));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "v%d", i);
        assert_int_equal(graft_value_intern(m, name), i);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "v%d", i);
        assert_int_equal(graft_value_find(m, name), i);
        assert_int_equal(graft_value_intern(m, name), i);
    }
    assert_int_equal(graft_value_find(m, "v1000"), -1);
    assert_int_equal(m->value.n, 1000);
    assert_false(graft_value_defined(&m->value.at[0]));
    graft_graph_free(m);
    graft_graph_free(NULL);
}

TEST(graph_model__views_read_the_tensor)
{
    struct graft_model *m = NULL;
    const float x[] = {1, 2, 3, 4, 5, 6};
    const struct graft_shape shape = {.rank = 2, .dim = {2, 3}};
    graft_value_id id = -1;
    real two[2];
    assert_ok(graft_graph_new(&m, NULL));
    assert_ok(graft_edit_tensor(&id, m, "w", GRAFT_FLOAT, &shape, x));
    struct graft_view v = graft_tensor_view(&m->tensor.at[0]);
    assert_int_equal(v.fmt.layout, GRAFT_ROW);
    assert_true(graft_shape_equal(&v.shape, &shape));
    graft_view_read(&v, 3, 2, two);
    assert_near(two[0], 4, 0);
    assert_near(two[1], 5, 0);
    assert_int_equal(m->parameter_count, 6);
    graft_graph_free(m);
}

/* A node without a name is still told apart by operator and place. */
TEST(graph_model__node_texts)
{
    const struct graft_node a = {.name = "layer1.0", .op_type = "Conv"};
    struct graft_node b = {.name = "", .op_type = "Relu",
                           .span = GRAFT_NO_SPAN};
    const char *first = graft_node_text(&a), *second = graft_node_text(&b);
    assert_string_equal(first, "Conv 'layer1.0'");
    assert_string_equal(second, "Relu (a node without a name)");
    b.span = (struct graft_span){.offset = 77};
    assert_string_equal(graft_node_text(&b),
                        "Relu (a node without a name, at byte 77)");
}
