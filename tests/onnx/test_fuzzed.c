/* What fuzzing found in import, each as small as it could be made.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "craft.h"
#include "graft/graph.h"

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Each was compared with all before it: 16 s for 0.8 MB. */
TEST(onnx_fuzzed__many_operator_sets)
{
    struct graft_str g, file;
    struct graft_model *m = NULL;
    graft_str_init(&g);
    craft_node(&g, "Relu", "x", "y");
    craft_value(&g, 11, "x");
    craft_value(&g, 12, "y");
    file = craft_file(&g, 8, 13);
    for (int i = 0; i < 80000; i++) {
        char domain[16];
        struct graft_str o;
        snprintf(domain, sizeof domain, "%x", i);
        graft_str_init(&o);
        graft_encode_opset(&o, &(struct graft_opset){domain, 1,
                                                     GRAFT_NO_SPAN});
        craft_put(&file, 8, &o);
    }
    double start = cpu();
    assert_fails(craft_parse(&m, &file), GRAFT_ELIMIT, "operator sets");
    assert_true(cpu() - start < 2);
}

/* Its absent values and indices were read at NULL. */
TEST(onnx_fuzzed__empty_sparse_tensor_described)
{
    struct graft_str empty, g, training, file;
    struct graft_model *m = NULL;
    struct graft_model_info *x = NULL;
    graft_str_init(&empty);
    graft_str_init(&training);
    graft_str_init(&g);
    craft_put(&g, 15, &empty);
    craft_put(&training, 2, &g);
    graft_str_init(&g);
    craft_node(&g, "Relu", "x", "y");
    craft_value(&g, 11, "x");
    craft_value(&g, 12, "y");
    file = craft_file(&g, 8, 13);
    craft_put(&file, 20, &training);
    assert_ok(craft_parse(&m, &file));
    assert_ok(graft_onnx_describe(&x, m));
    assert_int_equal(x->n_training, 1);
    assert_int_equal(x->training[0].algorithm.n_sparse_initializers, 1);
    const struct graft_sparse_info *s =
        x->training[0].algorithm.sparse_initializers;
    assert_non_null(s->values.why);
    assert_non_null(s->indices.why);
    assert_string_equal(s->values.name, "");
    graft_onnx_describe_free(x);
    graft_graph_free(m);
}
