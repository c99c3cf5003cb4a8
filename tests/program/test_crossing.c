/* Where the frozen part ends: the values that cross, and programs that begin
 * at them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/crossing.h"
#include "support/net.h"

#define TRANS_B NET_ATTRS(NET_INT("transB", 1))

enum { N = 3 };

/* x -> h1 -> r1 -> h2 -> + r1 -> r2 -> y */
static struct net *skip_net(void)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 5));
    int h = net_node(n, "Gemm", "h1", NULL, x,
                     net_random(n, "w1", NET_DIMS(5, 5)));
    int r = net_node(n, "Relu", "r1", NULL, h);
    int g = net_node(n, "Gemm", "h2", NULL, r,
                     net_random(n, "w2", NET_DIMS(5, 5)));
    int s = net_node(n, "Add", "sum", NULL, g, r);
    s = net_node(n, "Sigmoid", "r2", NULL, s);
    net_output(n, net_node(n, "Gemm", "y", TRANS_B, s,
                           net_random(n, "w3", NET_DIMS(4, 5))));
    return n;
}

static graft_value_id named(const struct net *n, const char *name)
{
    graft_value_id v = graft_value_find(n->m, name);
    assert_true(v >= 0);
    return v;
}

struct pair {
    struct graft_store *store;
    struct graft_selection *s;
    struct graft_crossing x;
    struct graft_program *whole, *frozen, *trained;
};

static void pair_open(struct pair *p, const struct net *n,
                      const char *const *train, int n_train)
{
    graft_value_id id[8];
    for (int i = 0; i < n_train; i++)
        id[i] = named(n, train[i]);
    *p = (struct pair){0};
    assert_ok(graft_store_new(&p->store, n->m, NULL));
    assert_ok(graft_selection_new(&p->s, p->store, id, n_train));
    struct graft_compile c = {.model = n->m, .n_max = N, .store = p->store,
                              .train = p->s};
    assert_ok(graft_crossing_find(&p->x, NULL, &c));
    assert_ok(graft_program_new(&p->whole, NULL, &c));
    c.feeds = p->x.value;
    c.n_feeds = p->x.n;
    assert_ok(graft_program_new(&p->trained, NULL, &c));
    c.feeds = NULL;
    c.n_feeds = 0;
    c.train = NULL;
    c.outputs = p->x.value;
    c.n_outputs = p->x.n;
    assert_ok(graft_program_new(&p->frozen, NULL, &c));
}

static void pair_close(struct pair *p)
{
    graft_program_free(p->whole);
    graft_program_free(p->frozen);
    graft_program_free(p->trained);
    graft_crossing_release(&p->x);
    graft_selection_free(p->s);
    graft_store_free(p->store);
}

static void seed_and_finish(struct graft_program *p, int n, real *flat)
{
    struct graft_view d = graft_program_dout(p, 0);
    for (int64_t i = 0; i < graft_count(&d); i++)
        graft_reals(&d)[i] = (real)(i % 5) - (real)1.5;
    (void)n;
    graft_program_backward(p);
    graft_program_finish(p, flat);
}

/* Frozen, then trained, gives what the whole gives: values and gradients. */
static void pair_agrees(struct pair *p, int n)
{
    net_fill(p->whole, 0, n);
    net_fill(p->frozen, 0, n);
    assert_ok(graft_program_forward(p->whole, n));
    assert_ok(graft_program_forward(p->frozen, n));
    assert_int_equal(graft_program_n_inputs(p->trained), p->x.n);
    for (int i = 0; i < p->x.n; i++) {
        struct graft_view v = graft_program_output(p->frozen, i);
        float row[4096];
        assert_int_equal(graft_program_input_id(p->trained, i),
                         p->x.value[i]);
        assert_true(n * p->x.count[i] <= 4096);
        for (int64_t e = 0; e < n * p->x.count[i]; e++)
            row[e] = (float)graft_reals(&v)[e];
        graft_program_put(p->trained, i, row, n);
    }
    assert_ok(graft_program_forward(p->trained, n));
    struct graft_view a = graft_program_output(p->whole, 0);
    struct graft_view b = graft_program_output(p->trained, 0);
    int64_t count = n * graft_shape_span(&a.shape, 1, a.shape.rank);
    for (int64_t e = 0; e < count; e++)
        assert_near(graft_reals(&a)[e], graft_reals(&b)[e], 1e-6);
    real *whole = graft_calloc((size_t)p->s->size + 1, sizeof *whole);
    real *cut = graft_calloc((size_t)p->s->size + 1, sizeof *cut);
    assert_true(whole && cut);
    seed_and_finish(p->whole, n, whole);
    seed_and_finish(p->trained, n, cut);
    for (int64_t e = 0; e < p->s->size; e++)
        assert_near(whole[e], cut[e], 1e-5);
    graft_free(whole);
    graft_free(cut);
}

TEST(program_crossing__a_skip_connection_crosses_too)
{
    struct net *n = skip_net();
    struct pair p;
    pair_open(&p, n, (const char *const[]){"w2", "w3"}, 2);
    assert_int_equal(p.x.n, 1); /* read by h2 and by the addition */
    assert_int_equal(p.x.value[0], named(n, "r1"));
    pair_agrees(&p, N);
    pair_agrees(&p, 2);
    pair_close(&p);
    pair_open(&p, n, (const char *const[]){"w3"}, 1);
    assert_int_equal(p.x.n, 1);
    assert_int_equal(p.x.value[0], named(n, "r2"));
    assert_false(p.x.inputs_only);
    pair_agrees(&p, N);
    pair_close(&p);
    pair_open(&p, n, (const char *const[]){"w1"}, 1);
    assert_true(p.x.inputs_only);
    pair_agrees(&p, N);
    pair_close(&p);
    net_free(n);
}

/* Two values cross, and a third that follows from them is computed again. */
TEST(program_crossing__several_values)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 4));
    int a = net_node(n, "Gemm", "a", NULL, x,
                     net_random(n, "wa", NET_DIMS(4, 3)));
    int b = net_node(n, "Gemm", "b", NULL, x,
                     net_random(n, "wb", NET_DIMS(4, 3)));
    int j = net_node(n, "Concat", "j", NET_ATTRS(NET_INT("axis", 1)), a, b);
    int h = net_node(n, "Gemm", "h", NULL, j,
                     net_random(n, "wh", NET_DIMS(6, 3)));
    int s = net_node(n, "Add", "s", NULL, h, a);
    net_output(n, net_node(n, "Mul", "y", NULL, s, b));
    struct pair p;
    pair_open(&p, n, (const char *const[]){"wh"}, 1);
    assert_int_equal(p.x.n, 2);
    assert_int_equal(p.x.value[0], a);
    assert_int_equal(p.x.value[1], b);
    assert_int_equal(p.x.floats, 6);
    pair_agrees(&p, N);
    pair_close(&p);
    net_free(n);
}

/* Integer chains from shapes, convolutions before the cut. */
TEST(program_crossing__the_head_of_a_residual_network)
{
    struct net *n = net_residual();
    struct pair p;
    pair_open(&p, n, (const char *const[]){"fc.w", "fc.b"}, 2);
    assert_int_equal(p.x.n, 1);
    assert_int_equal(p.x.count[0], 24);
    struct graft_memory whole, cut;
    graft_program_memory(p.whole, &whole);
    graft_program_memory(p.trained, &cut);
    assert_true(cut.steps < whole.steps && cut.steps <= 2);
    pair_agrees(&p, N);
    pair_close(&p);
    net_free(n);
}

TEST(program_crossing__refuses_what_cannot_be_fed)
{
    struct net *n = net_residual();
    struct graft_program *p = NULL;
    graft_value_id feed = named(n, "shape");
    struct graft_compile c = {.model = n->m, .n_max = N, .feeds = &feed,
                              .n_feeds = 1};
    assert_fails(graft_program_new(&p, NULL, &c), GRAFT_EUNSUPPORTED,
                 "'shape'");
    feed = named(n, "fc.w");
    assert_fails(graft_program_new(&p, NULL, &c), GRAFT_EUNSUPPORTED,
                 "'fc.w'");
    feed = 100000;
    assert_fails(graft_program_new(&p, NULL, &c), GRAFT_EARG, "100000");
    struct graft_crossing x = {0};
    c.n_max = 0;
    assert_fails(graft_crossing_find(&x, NULL, &c), GRAFT_EARG, "0");
    net_free(n);
}
