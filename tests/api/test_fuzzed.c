/* What fuzzing found in inspection, each as small as it could be made.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "graft/model.h"
#include "onnx/craft.h"

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Each was looked for from the first one on, several times. */
TEST(api_fuzzed__many_inputs)
{
    enum { INPUTS = 40000 };
    struct graft_str g;
    struct graft_model *m = NULL;
    struct graft_inspection *x = NULL;
    graft_str_init(&g);
    craft_node(&g, "Relu", "0", "y");
    craft_value(&g, 12, "y");
    for (int i = 0; i < INPUTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%x", i);
        craft_value(&g, 11, name);
    }
    struct graft_str file = craft_file(&g, 8, 13);
    assert_ok(craft_parse(&m, &file));
    double start = cpu();
    assert_ok(graft_inspect(&x, m, 1));
    assert_true(cpu() - start < 1);
    assert_int_equal(x->n_inputs, INPUTS);
    graft_inspection_free(x);
    graft_graph_free(m);
}

/* The one in the middle was read all the same: a crash. */
TEST(api_fuzzed__one_of_many_inputs_left_out)
{
    static const char *const ops[] = {"Max", "Min", "Sum", "Concat"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        struct graft_str g, node;
        struct graft_model *m = NULL;
        struct graft_inspection *x = NULL;
        graft_str_init(&g);
        graft_str_init(&node);
        graft_put_text(&node, 1, "x");
        graft_put_text(&node, 1, "");
        graft_put_text(&node, 1, "x");
        graft_put_text(&node, 2, "y");
        graft_put_text(&node, 4, ops[i]);
        craft_put(&g, 1, &node);
        craft_value(&g, 11, "x");
        craft_value(&g, 12, "y");
        struct graft_str file = craft_file(&g, 8, 13);
        assert_ok(craft_parse(&m, &file));
        assert_ok(graft_inspect(&x, m, 1));
        assert_false(x->has_plan);
        if (strcmp(ops[i], "Concat")) /* which lacks its axis before */
            assert_non_null(strstr(x->why_no_plan, "input 1 is left out"));
        graft_inspection_free(x);
        graft_graph_free(m);
    }
}
