/* Heads and cuts, found by structure.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/survey.h"

#include "onnx/onnx.h"
#include "support/net.h"

static struct graft_survey *survey(const struct graft_model *m)
{
    struct graft_survey *s = NULL;
    assert_ok(graft_survey_new(&s, m, NULL));
    return s;
}

static bool has_cut(const struct graft_survey *s, graft_value_id v)
{
    for (int i = 0; i < s->n_cuts; i++)
        if (s->cut[i].value == v)
            return true;
    return false;
}

TEST(program_survey__residual_network)
{
    struct net *n = net_residual();
    struct graft_survey *s = survey(n->m);
    assert_int_equal(s->unsupported, 0);
    assert_int_equal(s->head_features, 24);
    assert_int_equal(s->head_classes, 5);
    assert_string_equal(n->m->node.at[s->head_node].op_type, "Gemm");
    assert_string_equal(n->m->value.at[s->head_input].name, "flat");
    static const char *const yes[] = {"stem.relu", "join1", "join2", "same",
                                      "pool", "flat", "scores"};
    static const char *const no[] = {"b1.relu", "b2.norm", "skip.conv", "x",
                                     "shape", "fc.w"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!has_cut(s, graft_value_find(n->m, yes[i])))
            fail_msg("'%s' is no cut", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (has_cut(s, graft_value_find(n->m, no[i])))
            fail_msg("'%s' is a cut", no[i]);
    const struct graft_cut *last = &s->cut[s->n_cuts - 1], *first = s->cut;
    assert_int_equal(last->params_behind, 0);
    assert_true(first->params_behind > 24 * 24 * 9);
    assert_int_equal(first->macs_before, 12 * 12 * 16 * 27);
    assert_int_equal(first->features, 16 * 12 * 12);
    assert_int_equal(last->macs_before, s->total_macs);
    graft_survey_free(s);
    net_free(n);
}

TEST(program_survey__unknown_operator_leaves_the_rest_known)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3));
    int a = net_node(n, "Relu", "a", NULL, x);
    int b = net_node(n, "FancyThing", "b", NULL, a);
    net_output(n, net_node(n, "Relu", "c", NULL, b));
    struct graft_survey *s = survey(n->m);
    assert_int_equal(s->unsupported, 1);
    assert_null(s->why_not[0]);
    assert_non_null(strstr(s->why_not[1], "FancyThing"));
    assert_null(s->why_not[2]);
    assert_true(s->value[a].present && !s->value[b].present);
    assert_int_equal(s->head_node, -1);
    graft_survey_free(s);
    net_free(n);
}

/* Conv 1x1 and pooling: a head only with as many channels as only classes
 * are, when a hidden activation follows. */
TEST(program_survey__convolution_as_head)
{
    static const struct {
        int64_t channels;
        bool norm, relu, head;
    } cases[] = {{10, false, true, true},   {10, false, false, true},
                 {32, false, true, false},  {32, false, false, true},
                 {10, true, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net *n = net_new(13);
        int x = net_input(n, "x", NET_DIMS(-1, 3, 4, 4));
        int y = net_conv(n, "a", x, 3, 8, 3, false, true);
        int h = net_node(n, "Dropout", "drop", NULL, y);
        h = net_conv(n, "b", h, 8, cases[i].channels, 1, cases[i].norm,
                     cases[i].relu);
        h = net_node(n, "GlobalAveragePool", "p", NULL, h);
        net_output(n, net_node(n, "Flatten", "f", NULL, h));
        struct graft_survey *s = survey(n->m);
        assert_int_equal(s->head_node >= 0, cases[i].head);
        assert_int_equal(s->head_input,
                         cases[i].head ? y : n->m->output.at[0]);
        assert_int_equal(s->head_features,
                         cases[i].head ? 8 : cases[i].channels);
        graft_survey_free(s);
        net_free(n);
    }
}

TEST(program_survey__convolution_for_each_pixel_is_no_head)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, 4, 4));
    net_output(n, net_conv(n, "a", x, 3, 10, 1, false, false));
    struct graft_survey *s = survey(n->m);
    assert_int_equal(s->head_node, -1);
    graft_survey_free(s);
    net_free(n);
}

TEST(program_survey__matrix_product_and_bias_as_head)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 6));
    int w = net_random(n, "w", NET_DIMS(6, 3));
    int b = net_random(n, "b", NET_DIMS(3));
    int y = net_node(n, "MatMul", "m", NULL, x, w);
    y = net_node(n, "Add", "a", NULL, b, y);
    net_output(n, net_node(n, "Softmax", "s", NULL, y));
    struct graft_survey *s = survey(n->m);
    assert_int_equal(s->head_input, x);
    assert_int_equal(s->head_classes, 3);
    graft_survey_free(s);
    net_free(n);
}

TEST(program_survey__heads_of_real_networks)
{
    static const struct {
        const char *file;
        int64_t features, classes; /* classes 0: no head */
        int batch, unsupported;
    } cases[] = {
        {"models/squeezenet1.1_imagenet.onnx", 512, 1000, 0, 0},
        {"models/external/squeezenet_torch215.onnx", 512, 1000, 1, 0},
        {"models/mobilenetv2_imagenet_gemm.onnx", 1280, 1001, 0, 0},
        {"models/mobilenetv2_bn_backbone.onnx", 1280, 0, 0, 0},
        {"models/mobilenetv3_small_dequant.onnx", 1024, 1000, 0, 0},
        {"models/resnet50v2_stage3_backbone.onnx", 1024, 0, 0, 0},
        {"models/resnet20_cifar10.onnx", 64, 10, 0, 0},
        {"models/external/shufflenet_v2_x0_5_torch215.onnx", 1024, 1000, 0,
         0},
        {"models/external/mnist_cnn_cntk.onnx", 256, 10, 1, 0},
        {"models/external/resnet20_cifar10_pytorch16.onnx", 64, 10, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        NEED_SHARED(path, cases[i].file);
        struct graft_model *m = NULL;
        assert_ok(graft_onnx_open(&m, NULL, path));
        struct graft_survey *s = survey(m);
        if (s->head_features != cases[i].features ||
            s->head_classes != cases[i].classes ||
            (s->head_node >= 0) != (cases[i].classes > 0) ||
            s->unsupported != cases[i].unsupported ||
            graft_model_fixed_batch(m) != cases[i].batch)
            fail_msg("%s: features %lld, classes %lld, node %d, %d "
                     "unsupported, batch %d", cases[i].file,
                     (long long)s->head_features,
                     (long long)s->head_classes, s->head_node,
                     s->unsupported, graft_model_fixed_batch(m));
        assert_true(s->n_cuts > 3 && s->total_macs > 0);
        graft_survey_free(s);
        graft_graph_free(m);
    }
}

TEST(program_survey__survives_every_failed_allocation)
{
    struct net *n = net_residual();
    uint64_t before = graft_alloc_stats().live_bytes;
    int status = GRAFT_EMEM;
    for (uint64_t nth = 1; status; nth++) {
        struct graft_survey *s = NULL;
        graft_alloc_fail_at(nth, 0);
        status = graft_survey_new(&s, n->m, NULL);
        graft_alloc_fail_at(0, 0);
        assert_true(status == GRAFT_OK || status == GRAFT_EMEM);
        graft_survey_free(s);
        assert_int_equal(graft_alloc_stats().live_bytes, before);
    }
    net_free(n);
}

/* A convolution that leaves its first output out is no head, and no crash. */
TEST(program_survey__head_without_first_output)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, 8, 8));
    int w = net_random(n, "w", NET_DIMS(10, 3, 1, 1));
    int b = net_random(n, "b", NET_DIMS(10));
    int y = net_node(n, "Conv", "y", NULL, x, w, b);
    struct graft_node *conv = &n->m->node.at[n->m->value.at[y].node];
    graft_value_id outs[] = {-1, y};
    net_output(n, y);
    conv->out = outs;
    conv->n_out = 2;
    struct graft_survey *s = survey(n->m);
    assert_int_equal(s->head_node, -1);
    assert_int_equal(s->unsupported, 1);
    graft_survey_free(s);
    net_free(n);
}
