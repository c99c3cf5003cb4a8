/* What fuzzing found in import, each as small as it could be made.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "craft.h"

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
