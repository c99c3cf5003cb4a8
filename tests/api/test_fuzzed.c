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
