/* Parameters selected by words.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/onnx.h"
#include "support/net.h"
#include "support/unfrozen.h"

/* Three resolutions: 8, 4, 2; the second stage is a residual block. */
static struct net *net_stages(void)
{
    struct net *n = net_new(13);
    const struct graft_attr *half = NET_ATTRS(
        NET_INTS("kernel_shape", 2, 2), NET_INTS("strides", 2, 2));
    int x = net_input(n, "x", NET_DIMS(-1, 3, 8, 8));
    int a = net_conv(n, "stem", x, 3, 4, 3, true, true);
    int p = net_node(n, "MaxPool", "p", half, a);
    int b = net_conv(n, "body", p, 4, 4, 3, true, false);
    b = net_node(n, "Add", "sum", NULL, b, p);
    b = net_node(n, "MaxPool", "q", half, b);
    b = net_conv(n, "top", b, 4, 6, 1, true, true);
    b = net_node(n, "GlobalAveragePool", "pool", NULL, b);
    b = net_node(n, "Flatten", "flat", NULL, b);
    int w = net_random(n, "fc.w", NET_DIMS(6, 2));
    int c = net_random(n, "fc.b", NET_DIMS(2));
    net_output(n, net_node(n, "Gemm", "scores", NULL, b, w, c));
    return n;
}

static void check(const struct graft_model *m, const char *words,
                  const char *freeze, const char *first, int n)
{
    struct graft_unfrozen u = unfrozen_by(m, words, freeze);
    if (u.n != n || (n && strcmp(m->value.at[u.value[0]].name, first)))
        fail_msg("%s: %d parameters from '%s' on, expected %d from '%s' on",
                 words, u.n, u.n ? m->value.at[u.value[0]].name : "-", n,
                 first);
    graft_unfrozen_release(&u);
}

TEST(program_unfreeze__by_words)
{
    struct net *n = net_stages();
    struct graft_unfrozen all = unfrozen_by(n->m, "all", NULL);
    assert_int_equal(all.n, all.trainable);
    assert_int_equal(all.stages, 3);
    assert_int_equal(all.elements, all.all);
    check(n->m, "none", NULL, "", 0);
    check(n->m, "last-stage", NULL, "top.w", 6);
    check(n->m, "stages:2", NULL, "body.w", 10);
    check(n->m, "stages:3", NULL, "stem.w", all.n);
    check(n->m, "from:pool", NULL, "fc.w", 2);
    check(n->m, "from:p", NULL, "body.w", 10);
    check(n->m, "name:fc.*", NULL, "fc.w", 2);
    check(n->m, "bias", NULL, "stem.b", 4);
    check(n->m, "norm", NULL, "stem.scale", 6);
    check(n->m, "norm,name:fc.*", NULL, "stem.scale", 8);
    check(n->m, "all", "norm,bias", "stem.w", 4);
    check(n->m, "last-stage", "all", "", 0);
    graft_unfrozen_release(&all);
    net_free(n);
}

/* As in files that keep their weights in float16. */
TEST(program_unfreeze__weights_behind_other_nodes)
{
    struct net *n = net_new(13);
    const struct graft_attr *half = NET_ATTRS(
        NET_INTS("kernel_shape", 2, 2), NET_INTS("strides", 2, 2));
    int x = net_input(n, "x", NET_DIMS(-1, 3, 8, 8));
    int w = net_random(n, "w", NET_DIMS(4, 3, 1, 1));
    w = net_node(n, "Cast", "w32", NET_ATTRS(NET_INT("to", GRAFT_FLOAT)), w);
    int a = net_node(n, "Conv", "a", NULL, x, w);
    a = net_node(n, "MaxPool", "p", half, a);
    w = net_random(n, "v", NET_DIMS(4, 4, 1, 1));
    w = net_node(n, "Cast", "v32", NET_ATTRS(NET_INT("to", GRAFT_FLOAT)), w);
    net_output(n, net_node(n, "Conv", "b", NULL, a, w));
    check(n->m, "stages:2", NULL, "w", 2);
    check(n->m, "last-stage", NULL, "v", 1);
    check(n->m, "from:p", NULL, "v", 1);
    net_free(n);
}

TEST(program_unfreeze__refuses)
{
    static const struct {
        const char *words, *why;
        int status;
    } bad[] = {{"most", "there are none, all, last-stage", GRAFT_EARG},
               {"all,", "'' is no word", GRAFT_EARG},
               {"stages:x", "'x' is no number", GRAFT_EARG},
               {"stages:4", "has 3 stages", GRAFT_EARG},
               {"stages:0", "has 3 stages", GRAFT_EARG},
               {"from:nowhere", "no value 'nowhere'", GRAFT_ENOTFOUND},
               {"from:fc.w", "is a parameter", GRAFT_EARG},
               {"from:scores", "selects no parameter", GRAFT_ENOTFOUND},
               {"name:*.gamma", "selects no parameter", GRAFT_ENOTFOUND}};
    struct net *n = net_stages();
    struct graft_compile c = {.model = n->m, .n_max = 1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct graft_unfrozen u = {0};
        assert_fails(graft_unfreeze(&u, NULL, &c, bad[i].words, NULL),
                     bad[i].status, bad[i].why);
        assert_null(u.value);
    }
    net_free(n);
}

TEST(program_unfreeze__real_networks)
{
    static const struct {
        const char *file, *words, *first;
        int n;
    } cases[] = {
        {"models/resnet20_cifar10.onnx", "last-stage",
         "layer3.0.conv1.weight", 21},
        {"models/resnet20_cifar10.onnx", "stages:2",
         "layer2.0.conv1.weight", 40},
        {"models/resnet20_cifar10.onnx", "norm", "bn1.weight", 38},
        {"models/squeezenet1.1_imagenet.onnx", "last-stage",
         "squeezenet0_conv13_weight", 26},
        {"models/mobilenetv2_bn_backbone.onnx", "last-stage",
         "mobilenetv20_features_linearbottleneck13_conv1_weight", 36}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct graft_model *m = NULL;
        NEED_SHARED(path, cases[i].file);
        assert_ok(graft_onnx_open(&m, NULL, path));
        check(m, cases[i].words, NULL, cases[i].first, cases[i].n);
        graft_graph_free(m);
    }
}
