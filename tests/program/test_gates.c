/* x times a function of x is one step, in every form that exporters take it
 * apart to: the same numbers and gradients as of its parts, less memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/runtime.h"
#include "support/gradient.h"
#include "support/net.h"

enum { N = 3, CHANNELS = 18, SIDE = 5 };

enum form { SWISH, HARD, RELU6_DIV, RELU6_MUL, DIV_BEFORE, MUL_BEFORE, FORMS,
            OTHER_SLOPE = FORMS, OTHER_BOUND, OTHER_SUM, OTHER_X, ENDS };

static int number(struct net *n, const char *name, float x)
{
    const struct graft_shape one = {0, {0}};
    graft_value_id v;
    assert_ok(graft_edit_tensor(&v, n->m, name, GRAFT_FLOAT, &one, &x));
    return v;
}

static int relu6(struct net *n, int x, float bound)
{
    int low = number(n, "zero", 0), high = number(n, "six", bound);
    return net_node(n, "Clip", "clip", NULL, x, low, high);
}

/* x gated by `of` (x itself, or not). */
static int gate(struct net *n, enum form form, int x, int of)
{
    const float slope = form == OTHER_SLOPE ? 0.2f : (float)(1.0 / 6);
    const struct graft_attr *alpha = NET_ATTRS(NET_FLOAT("alpha", slope));
    if (form == SWISH)
        return net_node(n, "Mul", "y", NULL, x,
                        net_node(n, "Sigmoid", "gate", NULL, of));
    if (form == HARD || form == OTHER_SLOPE || form == OTHER_X)
        return net_node(n, "Mul", "y", NULL,
                        net_node(n, "HardSigmoid", "gate", alpha, of), x);
    int six = number(n, "by6", 6), sixth = number(n, "sixth", slope);
    int sum = net_node(n, "Add", "plus3", NULL, of,
                       number(n, "three", form == OTHER_SUM ? 4 : 3));
    int v = relu6(n, sum, form == OTHER_BOUND ? 5 : 6);
    if (form == DIV_BEFORE)
        return net_node(n, "Mul", "y", NULL, x,
                        net_node(n, "Div", "part", NULL, v, six));
    if (form == MUL_BEFORE)
        return net_node(n, "Mul", "y", NULL,
                        net_node(n, "Mul", "part", NULL, sixth, v), x);
    v = net_node(n, "Mul", "part", NULL, x, v);
    return form == RELU6_MUL ? net_node(n, "Mul", "y", NULL, v, sixth)
                             : net_node(n, "Div", "y", NULL, v, six);
}

static struct net *gated(enum form form)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, SIDE, SIDE));
    int big = net_node(n, "Mul", "big", NULL, x, number(n, "ten", 10));
    int a = net_conv(n, "a", big, 3, CHANNELS, 3, false, false);
    int other = net_conv(n, "o", big, 3, CHANNELS, 3, false, false);
    a = gate(n, form, a, form == OTHER_X ? other : a);
    a = net_conv(n, "b", a, CHANNELS, 17, 1, false, false);
    a = net_node(n, "Flatten", "flat", NULL,
                 net_node(n, "GlobalAveragePool", "pool", NULL, a));
    net_output(n, net_node(n, "Gemm", "scores", NULL, a,
                           net_random(n, "fc.w", NET_DIMS(17, 3)),
                           net_random(n, "fc.b", NET_DIMS(3))));
    return n;
}

struct result {
    real y[N * 3];
    struct graft_memory m;
};

static void compute(struct net *n, uint64_t skip, bool training,
                    struct result *r)
{
    graft_value_id w[2] = {graft_value_find(n->m, "a.w"),
                           graft_value_find(n->m, "b.w")};
    struct graft_store *store = NULL;
    struct graft_selection *s = NULL;
    struct graft_program *p = NULL;
    assert_ok(graft_store_new(&store, n->m, NULL));
    assert_ok(graft_selection_new(&s, store, w, 2));
    struct graft_compile c = {.model = n->m, .n_max = N, .store = store,
                              .skip_passes = skip,
                              .train = training ? s : NULL};
    assert_ok(graft_program_new(&p, NULL, &c));
    net_fill(p, 0, N);
    assert_ok(graft_program_forward(p, N));
    memcpy(r->y, graft_program_output(p, 0).data, sizeof r->y);
    graft_program_memory(p, &r->m);
    graft_program_free(p);
    graft_selection_free(s);
    graft_store_free(store);
}

TEST(program_gates__are_one_step)
{
    for (enum form f = 0; f < ENDS; f++)
        for (int training = 0; training < 2; training++) {
            struct net *n = gated(f);
            struct result one, parts;
            compute(n, 0, training, &one);
            compute(n, graft_pass_bit("recognise"), training, &parts);
            for (int i = 0; i < N * 3; i++)
                assert_near(one.y[i], parts.y[i], 1e-4);
            if (f >= FORMS)
                assert_int_equal(one.m.steps, parts.m.steps);
            else
                assert_true(one.m.steps < parts.m.steps);
            if (f < FORMS && training) /* one value of a's size at least */
                assert_true(one.m.block_bytes + N * SIDE * SIDE * CHANNELS *
                                (int64_t)sizeof(real) <=
                            parts.m.block_bytes);
            net_free(n);
        }
}

TEST(program_gates__have_the_gradient_of_their_parts)
{
    for (enum form f = 0; f < FORMS; f++) {
        struct gradient_check k = {.net = gated(f), .n_train = 2,
                                   .loss = true};
        k.train[0] = graft_value_find(k.net->m, "a.w");
        k.train[1] = graft_value_find(k.net->m, "b.w");
        struct gradient_check parts = k;
        parts.skip = graft_pass_bit("recognise");
        gradient_check(&parts);
        gradient_check_all(&k);
    }
}

/* ---- where there is no derivative ---------------------------------------- */

static void slopes(enum form form, uint64_t skip, real *out)
{
    static const real at[] = {-4, -3, 0, 3, 4};
    struct net *n = net_new(13);
    graft_value_id x = net_input(n, "x", NET_DIMS(-1, 5));
    struct graft_program *p = NULL;
    int y = gate(n, form, x, x);
    net_output(n, y);
    struct graft_compile c = {.model = n->m, .n_max = 1, .want_grad = &x,
                              .n_want_grad = 1, .skip_passes = skip};
    assert_ok(graft_program_new(&p, NULL, &c));
    memcpy(graft_program_input(p, 0).data, at, sizeof at);
    assert_ok(graft_program_forward(p, 1));
    struct graft_view seed = graft_program_dout(p, 0);
    for (int i = 0; i < 5; i++)
        graft_reals(&seed)[i] = 1;
    graft_program_backward(p);
    struct graft_view dx = graft_program_din(p, 0);
    memcpy(out, dx.data, sizeof at);
    graft_program_free(p);
    net_free(n);
}

TEST(program_gates__have_their_parts_kinks)
{
    static const double want[] = {0, 0, 0.5, 1, 1};
    real one[5], parts[5];
    for (enum form f = HARD; f < FORMS; f++) {
        slopes(f, 0, one);
        slopes(f, graft_pass_bit("recognise"), parts);
        for (int i = 0; i < 5; i++) {
            assert_near(one[i], want[i], 1e-6);
            assert_near(parts[i], want[i], 1e-6);
        }
    }
}

/* ---- threads ------------------------------------------------------------- */

enum { WEIGHTS = CHANNELS * 3 * 9 };

static void gradient_of(enum form form, int threads, real *flat)
{
    struct graft_runtime *rt = net_runtime(threads);
    struct net *n = gated(form);
    graft_value_id w = graft_value_find(n->m, "a.w");
    struct graft_store *store = NULL;
    struct graft_selection *s = NULL;
    struct graft_program *p = NULL;
    assert_ok(graft_store_new(&store, n->m, rt));
    assert_ok(graft_selection_new(&s, store, &w, 1));
    struct graft_compile c = {.model = n->m, .n_max = N, .store = store,
                              .train = s};
    assert_ok(graft_program_new(&p, rt, &c));
    net_fill(p, 0, N);
    assert_ok(graft_program_forward(p, N));
    struct graft_view seed = graft_program_dout(p, 0);
    for (int i = 0; i < N * 3; i++)
        graft_reals(&seed)[i] = (real)(i % 4 - 1);
    graft_program_backward(p);
    assert_int_equal(s->at[0].count, WEIGHTS);
    graft_program_finish(p, flat);
    graft_program_free(p);
    graft_selection_free(s);
    graft_store_free(store);
    net_free(n);
    graft_runtime_free(rt);
}

TEST(program_gates__give_the_same_bits_for_any_threads)
{
    static const int threads[] = {2, 3, 7};
    static real one[WEIGHTS + 64], more[WEIGHTS + 64];
    for (enum form f = 0; f < FORMS; f++) {
        gradient_of(f, 1, one);
        for (int i = 0; i < 3; i++) {
            gradient_of(f, threads[i], more);
            assert_memory_equal(one, more, WEIGHTS * sizeof *one);
        }
    }
}
