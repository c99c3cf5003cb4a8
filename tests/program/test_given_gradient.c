/* A shortcut's gradient that lies where its sum's lies, instead of being
 * copied: where that may be, and that gradients are right either way.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"
#include "support/gradient.h"

enum { WIDTH = 5 };

static int times(struct gradient_check *k, const char *w, const char *y,
                 int x)
{
    int v = k->train[k->n_train++] = net_random(k->net, w,
                                                NET_DIMS(WIDTH, WIDTH));
    return net_node(k->net, "Gemm", y, NULL, x, v);
}

/* Do the gradients of values a and b of a training program share memory? */
static bool shared(const struct gradient_check *k, int a, int b)
{
    struct graft_store *store = NULL;
    struct graft_selection *s = NULL;
    struct graft_program *p = NULL;
    assert_ok(graft_store_new(&store, k->net->m, NULL));
    assert_ok(graft_selection_new(&s, store, k->train, k->n_train));
    struct graft_compile c = {.model = k->net->m, .n_max = 2, .store = store,
                              .train = s, .want_grad = k->want,
                              .n_want_grad = k->n_want};
    assert_ok(graft_program_new(&p, NULL, &c));
    bool is = p->c.value.at[a].grad >= 0 &&
              p->c.value.at[a].grad == p->c.value.at[b].grad;
    graft_program_free(p);
    graft_selection_free(s);
    graft_store_free(store);
    return is;
}

struct chain {
    struct gradient_check k;
    int h, r, q;   /* what the first block adds, and both blocks' results */
};

/* Two blocks relu(h + f2(sigmoid(f1(h)))), h = sigmoid(f(x)); `near`: the
 * first is relu(h + f2(h)); `late`: h is added to the result once more. */
static struct chain chain(bool near, bool late)
{
    struct chain c = {.k = {.net = net_new(13)}};
    struct net *n = c.k.net;
    int x = net_input(n, "x", NET_DIMS(-1, WIDTH));
    int f = c.h = net_node(n, "Sigmoid", "h", NULL, times(&c.k, "w", "f", x));
    if (!near)
        f = net_node(n, "Sigmoid", "m1", NULL, times(&c.k, "a1", "f1", f));
    f = net_node(n, "Add", "s1", NULL, times(&c.k, "b1", "g1", f), c.h);
    c.r = net_node(n, "Relu", "r", NULL, f);
    f = net_node(n, "Sigmoid", "m2", NULL, times(&c.k, "a2", "f2", c.r));
    f = net_node(n, "Add", "s2", NULL, times(&c.k, "b2", "g2", f), c.r);
    c.q = net_node(n, "Relu", "q", NULL, f);
    f = times(&c.k, "v", "last", c.q);
    net_output(n, late ? net_node(n, "Add", "y", NULL, f, c.h) : f);
    return c;
}

TEST(program_given_gradient__along_a_chain_of_blocks)
{
    struct chain c = chain(false, false);
    assert_true(shared(&c.k, c.h, c.r));
    assert_true(shared(&c.k, c.r, c.q));
    gradient_check_all(&c.k);
}

/* Its backward would write there while it reads. */
TEST(program_given_gradient__not_to_what_the_step_reads)
{
    struct chain c = chain(true, false);
    assert_false(shared(&c.k, c.h, c.r));
    assert_true(shared(&c.k, c.r, c.q));
    gradient_check_all(&c.k);
}

/* Somebody has written before. */
TEST(program_given_gradient__not_to_what_is_read_later)
{
    struct chain c = chain(false, true);
    assert_false(shared(&c.k, c.h, c.r));
    gradient_check_all(&c.k);
}

TEST(program_given_gradient__not_where_the_caller_looks)
{
    for (int i = 0; i < 2; i++) {
        struct chain c = chain(false, false);
        c.k.want[c.k.n_want++] = i ? c.h : c.r;
        assert_false(shared(&c.k, c.h, c.r));
        gradient_check_all(&c.k);
    }
}
