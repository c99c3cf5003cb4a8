/* Losses compiled in: values by hand and gradients by differences.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/net.h"

enum { N = 4, C = 3 };

struct scored {
    struct net *net;
    struct graft_store *store;
    struct graft_selection *s;
    struct graft_program *p;
    real flat[16 + C * C];
};

/* y = x W, W the identity and trained: the gradient of y is that of W's
 * row for a unit input. */
static void scored_open(struct scored *x, struct graft_loss loss)
{
    *x = (struct scored){.net = net_new(13)};
    int in = net_input(x->net, "x", NET_DIMS(-1, C));
    graft_value_id w = net_random(x->net, "w", NET_DIMS(C, C));
    net_output(x->net, net_node(x->net, "Gemm", "y", NULL, in, w));
    loss.logits = x->net->m->output.at[0];
    struct graft_compile c = {.model = x->net->m, .n_max = N, .loss = &loss};
    assert_ok(graft_store_new(&x->store, x->net->m, NULL));
    assert_ok(graft_selection_new(&x->s, x->store, &w, 1));
    c.store = x->store;
    c.train = x->s;
    assert_ok(graft_program_new(&x->p, NULL, &c));
    net_fill(x->p, 0, N);
}

static void scored_close(struct scored *x)
{
    graft_program_free(x->p);
    graft_selection_free(x->s);
    graft_store_free(x->store);
    net_free(x->net);
}

static double run(struct scored *x, int n)
{
    graft_program_params(x->p);
    assert_ok(graft_program_forward(x->p, n));
    return graft_program_loss(x->p);
}

#ifdef GRAFT_REAL_DOUBLE
static const double STEP = 1e-5, TOLERANCE = 1e-8;
#else
static const double STEP = 1e-2, TOLERANCE = 1e-3;
#endif

static void check_gradient(struct scored *x, int n)
{
    run(x, n);
    graft_program_backward(x->p);
    graft_program_finish(x->p, x->flat);
    for (int i = 0; i < C * C; i++) {
        real *w = &x->s->master[i], keep = *w;
        *w = keep + (real)STEP;
        double up = run(x, n);
        *w = keep - (real)STEP;
        double down = run(x, n);
        *w = keep;
        assert_near(x->flat[i], (up - down) / (2 * STEP), TOLERANCE);
    }
}

static double score(struct scored *x, int i, int c)
{
    struct graft_view y = graft_program_output(x->p, 0);
    return (double)graft_reals(&y)[i * C + c];
}

static double log_softmax(struct scored *x, int i, int c)
{
    double sum = 0;
    for (int k = 0; k < C; k++)
        sum += exp(score(x, i, k));
    return score(x, i, c) - log(sum);
}

TEST(program_loss__gradient_of_weighted_indices)
{
    struct scored x;
    scored_open(&x, (struct graft_loss){.kind = GRAFT_LOSS_SOFTMAX_CE,
                                        .weighted = true});
    assert_null(graft_program_target_rows(x.p));
    assert_int_equal(graft_program_classes(x.p), C);
    const double w[N] = {0.5, 0, 2, 0.25};
    for (int i = 0; i < N; i++) {
        graft_program_targets(x.p)[i] = i % C;
        graft_program_weights(x.p)[i] = w[i];
    }
    double want = 0, got = run(&x, N);
    for (int i = 0; i < N; i++) {
        assert_near(graft_program_losses(x.p)[i],
                    -log_softmax(&x, i, i % C), 1e-5);
        want -= w[i] * log_softmax(&x, i, i % C);
    }
    assert_near(got, want, 1e-5);
    check_gradient(&x, N);
    check_gradient(&x, 2);
    scored_close(&x);
}

TEST(program_loss__gradient_of_soft_targets)
{
    struct scored x;
    scored_open(&x, (struct graft_loss){.kind = GRAFT_LOSS_SOFTMAX_CE,
                                        .soft = true});
    assert_null(graft_program_targets(x.p));
    assert_null(graft_program_weights(x.p));
    real *t = graft_program_target_rows(x.p);
    for (int i = 0; i < N * C; i++)
        t[i] = (real)(i * 7 % 5) / 4; /* rows need not add up to 1 */
    double want = 0, got = run(&x, 3);
    for (int i = 0; i < 3 * C; i++)
        want -= (double)t[i] * log_softmax(&x, i / C, i % C) / 3;
    assert_near(got, want, 1e-5);
    check_gradient(&x, 3);
    scored_close(&x);
}

TEST(program_loss__gradient_of_several_labels)
{
    struct scored x;
    scored_open(&x, (struct graft_loss){.kind = GRAFT_LOSS_SIGMOID_CE});
    assert_null(graft_program_targets(x.p));
    real *t = graft_program_target_rows(x.p);
    for (int i = 0; i < N * C; i++)
        t[i] = (real)(i % 2);
    double want = 0, got = run(&x, N);
    for (int i = 0; i < N * C; i++) {
        double p = 1 / (1 + exp(-score(&x, i / C, i % C)));
        want -= log(i % 2 ? p : 1 - p) / (N * C);
    }
    assert_near(got, want, 1e-5);
    check_gradient(&x, N);
    scored_close(&x);
}

/* A row that is 1 at one class is that index, to the bit in the gradient. */
TEST(program_loss__hard_rows_are_indices)
{
    struct scored a, b;
    scored_open(&a, (struct graft_loss){.kind = GRAFT_LOSS_SOFTMAX_CE});
    scored_open(&b, (struct graft_loss){.kind = GRAFT_LOSS_SOFTMAX_CE,
                                        .soft = true});
    for (int i = 0; i < N; i++) {
        graft_program_targets(a.p)[i] = i % C;
        graft_program_target_rows(b.p)[i * C + i % C] = 1;
    }
    assert_true(run(&a, N) == run(&b, N));
    graft_program_backward(a.p);
    graft_program_finish(a.p, a.flat);
    graft_program_backward(b.p);
    graft_program_finish(b.p, b.flat);
    assert_memory_equal(a.flat, b.flat, sizeof(real) * C * C);
    scored_close(&a);
    scored_close(&b);
}

TEST(program_loss__no_overflow_at_large_scores)
{
    struct scored x;
    scored_open(&x, (struct graft_loss){.kind = GRAFT_LOSS_SIGMOID_CE});
    for (int i = 0; i < C * C; i++)
        x.s->master[i] = (real)(i % 2 ? 900 : -900);
    assert_true(isfinite(run(&x, N)));
    graft_program_backward(x.p);
    graft_program_finish(x.p, x.flat);
    for (int i = 0; i < C * C; i++)
        assert_true(isfinite((double)x.flat[i]));
    scored_close(&x);
}

/* An output that the loss does not depend on, read from a convolution's
 * blocks in another layout: it gets no gradient, and the rest gets the same
 * as without it. */
static void run_beside(bool beside, real *flat)
{
    struct net *n = net_new(13);
    struct graft_store *store = NULL;
    struct graft_selection *s = NULL;
    struct graft_program *p = NULL;
    int x = net_input(n, "x", NET_DIMS(-1, 3, 4, 4));
    graft_value_id w = net_random(n, "w", NET_DIMS(16, 3, 3, 3));
    const struct graft_attr *pads = NET_ATTRS(NET_INTS("pads", 1, 1, 1, 1));
    int h = net_node(n, "Conv", "conv", pads, x, w);
    int y = net_node(n, "GlobalAveragePool", "pool", NULL, h);
    y = net_node(n, "Flatten", "flat", NULL, y);
    int v = net_random(n, "v", NET_DIMS(16, C));
    int shape = net_ints(n, "shape", (const int64_t[]){0, -1}, 2);
    const graft_value_id out[] = {
        net_node(n, "Gemm", "y", NULL, y, v),
        net_node(n, "Reshape", "rows", NULL, h, shape)};
    struct graft_loss loss = {.kind = GRAFT_LOSS_SOFTMAX_CE,
                              .logits = out[0]};
    struct graft_compile c = {.model = n->m, .n_max = N, .loss = &loss,
                              .outputs = out, .n_outputs = 1 + beside};
    assert_ok(graft_store_new(&store, n->m, NULL));
    assert_ok(graft_selection_new(&s, store, &w, 1));
    c.store = store;
    c.train = s;
    assert_ok(graft_program_new(&p, NULL, &c));
    net_fill(p, 0, N);
    for (int i = 0; i < N; i++)
        graft_program_targets(p)[i] = i % C;
    graft_program_params(p);
    assert_ok(graft_program_forward(p, N));
    graft_program_backward(p);
    graft_program_finish(p, flat);
    graft_program_free(p);
    graft_selection_free(s);
    graft_store_free(store);
    net_free(n);
}

TEST(program_loss__an_output_beside_it)
{
    enum { SIZE = 16 * 3 * 9 };
    real alone[SIZE], both[SIZE];
    run_beside(false, alone);
    run_beside(true, both);
    assert_memory_equal(alone, both, sizeof alone);
}
