/* Weights of which factors for their channels are trained (scale-shift), and
 * parameters that do not lie in initializers of their own.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "onnx/onnx.h"
#include "support/gradient.h"
#include "support/unfrozen.h"
#include "train/masters.h"

/* A tensor in a Constant node. */
static int constant(struct net *n, const char *name, const int64_t *dim,
                    int rank)
{
    int w = net_random(n, "tmp", dim, rank);
    const struct graft_tensor *t = graft_parameter(n->m, w);
    const struct graft_attr value = {.name = "value", .tensor = t,
                                     .type = GRAFT_ATTR_TENSOR};
    graft_edit_rename(n->m, w, graft_unique_name(n->m, "unused"));
    return net_node_of(n, "Constant", name, NET_ATTRS(value), NULL, 0);
}

/* Two resolutions; one convolution without a bias, one depthwise, one whose
 * bias is an addition, one with its normalisation, one that a sum is made of
 * and whose weights two convolutions share. */
static struct net *net_folded(void)
{
    struct net *n = net_new(13);
    const struct graft_attr *pad = NET_ATTRS(
        NET_INTS("kernel_shape", 3, 3), NET_INTS("pads", 1, 1, 1, 1));
    const struct graft_attr *groups = NET_ATTRS(
        NET_INTS("kernel_shape", 3, 3), NET_INTS("pads", 1, 1, 1, 1),
        NET_INT("group", 20));
    int x = net_input(n, "x", NET_DIMS(-1, 3, 6, 6));
    int b = net_random(n, "stem.b", NET_DIMS(20));
    int a = net_node(n, "Conv", "stem", pad, x,
                     net_random(n, "stem.w", NET_DIMS(20, 3, 3, 3)), b);
    a = net_node(n, "Relu", "r1", NULL, a);
    a = net_node(n, "Conv", "dw", groups, a,
                 net_random(n, "dw.w", NET_DIMS(20, 1, 3, 3)));
    int w = net_random(n, "same.w", NET_DIMS(20, 20, 1, 1));
    int c = net_node(n, "Conv", "same1", NULL, a, w);
    c = net_node(n, "Add", "added", NULL, c,
                 net_random(n, "same.b", NET_DIMS(20, 1, 1)));
    c = net_node(n, "Conv", "same2", NULL, net_node(n, "Relu", "r2", NULL, c),
                 w);
    a = net_node(n, "Add", "sum", NULL, a, c);
    a = net_conv(n, "kept", a, 20, 8, 1, true, true);
    a = net_node(n, "Flatten", "flat", NULL,
                 net_node(n, "GlobalAveragePool", "pool", NULL, a));
    net_output(n, net_node(n, "Gemm", "scores", NULL, a,
                           net_random(n, "fc.w", NET_DIMS(8, 3)),
                           net_random(n, "fc.b", NET_DIMS(3))));
    return n;
}

static void expect(const struct graft_model *m, const char *words,
                   const char *freeze, const char *names)
{
    struct graft_unfrozen u = unfrozen_by(m, words, freeze);
    char got[1024] = "";
    for (int i = 0; i < u.n; i++) {
        strncat(got, u.scale[i] ? " *" : " ", 3);
        strncat(got, m->value.at[u.value[i]].name, 100);
    }
    assert_string_equal(got, names);
    graft_unfrozen_release(&u);
}

TEST(program_scale__the_word_selects)
{
    struct net *n = net_folded();
    struct graft_unfrozen u = unfrozen_by(n->m, "scale-shift", NULL);
    assert_int_equal(u.elements, 20 + 20 + 20 + 20 + 20 + 8 + 8);
    graft_unfrozen_release(&u);
    expect(n->m, "scale-shift", NULL, " *stem.w stem.b *dw.w *same.w same.b "
           "kept.scale kept.shift");
    expect(n->m, "scale-shift,name:dw.*", NULL, " *stem.w stem.b dw.w *same.w"
           " same.b kept.scale kept.shift");
    expect(n->m, "scale-shift", "name:s*", " *dw.w kept.scale kept.shift");
    expect(n->m, "name:stem.*,name:dw.w", "scale-shift", " stem.w dw.w");
    expect(n->m, "all", "scale-shift", " stem.w dw.w same.w kept.w kept.b "
           "fc.w fc.b");
    net_free(n);
}

TEST(program_scale__gradients)
{
    struct gradient_check k = {.net = net_folded(), .loss = true};
    struct graft_unfrozen u = unfrozen_by(k.net->m, "scale-shift",
                                          "name:kept.*");
    k.n_train = u.n;
    for (int i = 0; i < u.n; i++) {
        k.train[i] = u.value[i];
        k.scale[i] = u.scale[i];
    }
    graft_unfrozen_release(&u);
    gradient_check_all(&k);
}

/* Weights that arrive by way of other nodes, and a normalisation that is
 * folded behind factors. */
TEST(program_scale__gradients_behind_other_nodes)
{
    struct gradient_check k = {.net = net_new(13), .n_train = 3, .loss = true,
                               .scale = {true, true, true}};
    struct net *n = k.net;
    int x = net_input(n, "x", NET_DIMS(-1, 3, 5, 5));
    int w = k.train[0] = constant(n, "w", NET_DIMS(17, 3, 1, 1));
    int v = k.train[1] = net_random(n, "v", NET_DIMS(17, 18, 1, 1));
    int a = net_node(n, "Conv", "a", NULL, x,
                     net_node(n, "Identity", "w.same", NULL, w));
    a = net_node(n, "Sigmoid", "s", NULL, a);
    int t = net_node(n, "Transpose", "v.t",
                     NET_ATTRS(NET_INTS("perm", 1, 0, 2, 3)), v);
    a = net_node(n, "Relu", "r", NULL, net_node(n, "Conv", "b", NULL, a, t));
    a = net_conv(n, "kept", a, 18, 8, 1, true, true);
    k.train[2] = graft_value_find(n->m, "kept.w");
    a = net_node(n, "Flatten", "flat", NULL,
                 net_node(n, "GlobalAveragePool", "pool", NULL, a));
    net_output(n, net_node(n, "Gemm", "scores", NULL, a,
                           net_random(n, "fc.w", NET_DIMS(8, 3)),
                           net_random(n, "fc.b", NET_DIMS(3))));
    gradient_check_all(&k);
}

/* ---- what is written ----------------------------------------------------- */

enum { N = 2 };

static void scores(float *out, const struct graft_model *m,
                   struct graft_store *store, struct graft_selection *s)
{
    struct graft_compile c = {.model = m, .n_max = N, .store = store,
                              .train = s, .exact = true};
    struct graft_program *p = NULL;
    assert_ok(graft_program_new(&p, NULL, &c));
    net_fill(p, 0, N);
    assert_ok(graft_program_forward(p, N));
    struct graft_view v = graft_program_output(p, 0);
    for (int64_t i = 0; i < graft_count(&v); i++)
        out[i] = (float)graft_reals(&v)[i];
    graft_program_free(p);
}

/* The file computes what the trained program does, twice stored or once. */
TEST(program_scale__what_is_stored_computes_the_same)
{
    struct net *n = net_folded();
    struct graft_unfrozen u = unfrozen_by(n->m, "scale-shift", NULL);
    struct graft_store *store = NULL;
    struct graft_selection *s = NULL;
    float before[N * 3], trained[N * 3], stored[N * 3];
    assert_ok(graft_store_new(&store, n->m, NULL));
    assert_ok(graft_selection_scaled(&s, store, u.value, u.scale, u.n));
    scores(before, n->m, store, s);
    for (int64_t i = 0; i < s->size; i++)
        s->master[i] *= (real)(1 + 0.25 * sin((double)i));
    scores(trained, n->m, store, s);
    for (int twice = 0; twice < 2; twice++)
        for (int k = 0; k < s->n; k++)
            assert_ok(graft_master_store_selected(n->m, s->at[k].value, s, k,
                                                  s->master));
    scores(stored, n->m, NULL, NULL);
    double moved = 0;
    for (int i = 0; i < N * 3; i++) {
        assert_near(trained[i], stored[i], 1e-5);
        moved += fabs((double)trained[i] - (double)before[i]);
    }
    assert_true(moved > 0.01);
    graft_selection_free(s);
    graft_store_free(store);
    graft_unfrozen_release(&u);
    net_free(n);
}
