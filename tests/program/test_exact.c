/* What the runtime's `exact` forbids.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/runtime.h"
#include "base/runtime.h"
#include "support/net.h"

/* No Winograd for the exact, and hardly another result. */
TEST(program_exact__ways_of_convolution)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, 28, 28));
    x = net_conv(n, "a", x, 3, 64, 3, false, true);
    net_output(n, net_conv(n, "b", x, 64, 64, 3, false, true));
    struct graft_runtime *rt = net_runtime(1);
    real *y[2];
    for (int exact = 0; exact < 2; exact++) {
        struct graft_program *p = NULL;
        struct graft_compile c = {.model = n->m, .n_max = 1};
        struct graft_str plan = {0};
        rt->exact = exact;
        assert_ok(graft_program_new(&p, rt, &c));
        assert_ok(graft_program_describe(p, &plan));
        assert_int_equal(strstr(plan.at, "by winograd") == NULL, exact);
        net_fill(p, 0, 1);
        assert_ok(graft_program_forward(p, 1));
        struct graft_view v = graft_program_output(p, 0);
        size_t bytes = (size_t)graft_count(&v) * sizeof **y;
        y[exact] = memcpy(graft_malloc(bytes), v.data, bytes);
        graft_str_release(&plan);
        graft_program_free(p);
    }
    graft_runtime_free(rt);
    for (int i = 0; i < 64 * 28 * 28; i++)
        assert_near(y[0][i], y[1][i], 2e-5);
    assert_true(sizeof(real) > 4 || memcmp(y[0], y[1], 64 * 28 * 28 * 4));
    graft_free(y[0]);
    graft_free(y[1]);
    net_free(n);
}
