/* A program at rest: its activations take no room, and what it computes then
 * is what it computed before, values of parameters included.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/runtime.h"
#include "support/net.h"

enum { N = 4, SIDE = 64, CHANNELS = 64 };

/* Weights that lie in the block: only parameters depend on them. */
static struct net *computed_weights(void)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, SIDE, SIDE));
    int w = net_node(n, "Transpose", "w.t",
                     NET_ATTRS(NET_INTS("perm", 1, 0, 2, 3)),
                     net_random(n, "w", NET_DIMS(3, CHANNELS, 1, 1)));
    int b = net_node(n, "Mul", "b.twice", NULL,
                     net_random(n, "b", NET_DIMS(CHANNELS, 1, 1)),
                     net_random(n, "two", NET_DIMS(1)));
    int a = net_node(n, "Conv", "a", NULL, x, w);
    a = net_node(n, "Sigmoid", "s", NULL, net_node(n, "Mul", "m", NULL, a, b));
    a = net_node(n, "Flatten", "flat", NULL,
                 net_node(n, "GlobalAveragePool", "pool", NULL, a));
    net_output(n, net_node(n, "Gemm", "scores", NULL, a,
                           net_random(n, "fc.w", NET_DIMS(CHANNELS, 3)),
                           net_random(n, "fc.b", NET_DIMS(3))));
    return n;
}

static void forward(real *out, struct graft_program *p)
{
    net_fill(p, 0, N);
    assert_ok(graft_program_forward(p, N));
    struct graft_view v = graft_program_output(p, 0);
    memcpy(out, v.data, (size_t)graft_count(&v) * sizeof *out);
}

static void rests(bool training)
{
    struct net *n = computed_weights();
    graft_value_id w = graft_value_find(n->m, "w");
    struct graft_store *store = NULL;
    struct graft_selection *s = NULL;
    struct graft_program *p = NULL;
    real before[N * 3], after[N * 3];
    assert_ok(graft_store_new(&store, n->m, NULL));
    assert_ok(graft_selection_new(&s, store, &w, 1));
    struct graft_compile c = {.model = n->m, .n_max = N, .store = store,
                              .train = training ? s : NULL};
    assert_ok(graft_program_new(&p, NULL, &c));
    if (training) { /* other weights than the file's */
        for (int64_t i = 0; i < s->size; i++)
            s->master[i] *= (real)1.5;
        graft_program_params(p);
    }
    forward(before, p);
    graft_program_rest(p);
    graft_program_rest(p);
    forward(after, p);
    assert_memory_equal(before, after, sizeof before);
    graft_program_free(p);
    graft_selection_free(s);
    graft_store_free(store);
    net_free(n);
}

TEST(program_rest__changes_no_bit)
{
    rests(false);
    rests(true);
}

TEST(program_rest__takes_no_room)
{
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* builds that look at everything fill what rests */
#endif
    struct net *n = computed_weights();
    struct graft_compile c = {.model = n->m, .n_max = 16, .skip_passes = ~0u};
    struct graft_program *p = NULL;
    struct graft_memory m;
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_memory(p, &m);
    assert_true(m.block_bytes > 8 << 20);
    net_fill(p, 0, 16);
    assert_ok(graft_program_forward(p, 16));
    const int64_t awake = (int64_t)graft_memory_now();
    graft_program_rest(p);
    assert_true(awake - (int64_t)graft_memory_now() > m.block_bytes / 2);
    assert_true(graft_peak_memory() + (1 << 20) >= (uint64_t)awake);
    graft_program_free(p);
    net_free(n);
}
