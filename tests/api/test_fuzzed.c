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

/* A node by hand, with a list of numbers and SAME_UPPER. */
static void pool_node(struct graft_str *graph, const char *in,
                      const int64_t *kernel, int n)
{
    struct graft_str node, attr;
    graft_str_init(&node);
    graft_put_text(&node, 1, in);
    graft_put_text(&node, 2, "y");
    graft_put_text(&node, 4, "MaxPool");
    graft_str_init(&attr);
    graft_put_text(&attr, 1, "kernel_shape");
    for (int i = 0; i < n; i++)
        graft_put_int(&attr, 8, kernel[i]);
    graft_put_int(&attr, 20, 7);
    craft_put(&node, 5, &attr);
    graft_str_init(&attr);
    graft_put_text(&attr, 1, "auto_pad");
    graft_put_text(&attr, 4, "SAME_UPPER");
    graft_put_int(&attr, 20, 3);
    craft_put(&node, 5, &attr);
    craft_put(graph, 1, &node);
}

/* Inspection computed what parameters alone give, however much that was. */
TEST(api_fuzzed__inspection_computes_nothing)
{
    static const int64_t kernel[] = {16, 256, 256};
    static const int64_t dim[] = {1, 1, 8, 16, 16};
    static const float zeros[8 * 16 * 16];
    struct graft_str g, w;
    struct graft_model *m = NULL;
    struct graft_inspection *x = NULL;
    graft_str_init(&g);
    pool_node(&g, "w", kernel, 3);
    graft_str_init(&w);
    for (int i = 0; i < 5; i++)
        graft_put_int(&w, 1, dim[i]);
    graft_put_int(&w, 2, GRAFT_FLOAT);
    graft_put_text(&w, 8, "w");
    graft_put_bytes(&w, 9, zeros, sizeof zeros);
    craft_put(&g, 5, &w);
    craft_value(&g, 12, "y");
    struct graft_str file = craft_file(&g, 8, 13);
    assert_ok(craft_parse(&m, &file));
    double start = cpu();
    assert_ok(graft_inspect(&x, m, 1));
    assert_true(cpu() - start < 1);
    if (!x->has_plan)
        fail_msg("%s", x->why_no_plan);
    graft_inspection_free(x);
    graft_graph_free(m);
}
