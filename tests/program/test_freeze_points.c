/* What is frozen costs nothing: at every freeze point of a network, the fewer
 * parameters are trained, the fewer steps and bytes are planned.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/runtime.h"
#include "onnx/onnx.h"
#include "program/crossing.h"
#include "program/trainable.h"
#include "program/unfreeze.h"
#include "support/net.h"

struct cost {
    int steps;
    int64_t bytes, floats;
};

/* Trains n of the values. */
static struct cost cost_of_these(const struct graft_compile *all,
                                 const graft_value_id *value, int n)
{
    struct graft_compile c = *all;
    struct graft_store *store = NULL;
    struct graft_selection *s = NULL;
    struct graft_crossing cut = {0};
    struct graft_program *p = NULL;
    struct graft_memory m;
    assert_ok(graft_store_new(&store, c.model, NULL));
    assert_ok(graft_selection_new(&s, store, value, n));
    c.store = store;
    c.train = s;
    assert_ok(graft_crossing_find(&cut, NULL, &c));
    c.feeds = cut.value;
    c.n_feeds = cut.n;
    c.plan_only = true;
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_memory(p, &m);
    struct cost cost = {m.steps, m.block_bytes, cut.floats};
    graft_program_free(p);
    graft_crossing_release(&cut);
    graft_selection_free(s);
    graft_store_free(store);
    return cost;
}

/* Trains all parameters from number k on, in the order of the nodes. */
static struct cost cost_of(const struct graft_compile *all,
                           const struct graft_trainables *x, int k)
{
    return cost_of_these(all, x->value + k, x->n - k);
}

static struct cost cost_of_words(const struct graft_model *m,
                                 const char *words)
{
    struct graft_loss loss = {.kind = GRAFT_LOSS_SOFTMAX_CE,
                              .logits = m->output.at[0], .weighted = true};
    struct graft_compile c = {.model = m, .n_max = 4, .loss = &loss,
                              .outputs = &loss.logits, .n_outputs = 1};
    struct graft_unfrozen u = {0};
    assert_ok(graft_unfreeze(&u, NULL, &c, words, NULL));
    struct cost cost = cost_of_these(&c, u.value, u.n);
    graft_unfrozen_release(&u);
    return cost;
}

/* At `points` places between training all and training the last one. What
 * crosses lies in the block as well, so a point may need as much more. */
static void check_points(const struct graft_model *m, int points)
{
    struct graft_trainables x = {0};
    struct graft_loss loss = {.kind = GRAFT_LOSS_SOFTMAX_CE,
                              .logits = m->output.at[0], .weighted = true};
    struct graft_compile c = {.model = m, .n_max = 4, .loss = &loss,
                              .outputs = &loss.logits, .n_outputs = 1};
    assert_ok(graft_trainables_find(&x, NULL, &c));
    assert_true(x.n >= points);
    struct cost first = cost_of(&c, &x, 0), before = first, now = first;
    for (int i = 1; i <= points; i++) {
        int k = (int)((int64_t)i * (x.n - 1) / points);
        now = cost_of(&c, &x, k);
        if (now.steps > before.steps ||
            now.bytes > before.bytes + (int64_t)sizeof(real) * 4 *
                                           now.floats)
            fail_msg("from '%s' on: %d steps, %lld bytes; earlier %d, %lld",
                     m->value.at[x.value[k]].name, now.steps,
                     (long long)now.bytes, before.steps,
                     (long long)before.bytes);
        before = now;
    }
    print_message("%d parameters: %d steps, %.1f MB; the last alone %d, "
                  "%.2f MB\n", x.n, first.steps, (double)first.bytes / 1e6,
                  now.steps, (double)now.bytes / 1e6);
    assert_true(now.steps <= 3 && now.bytes < first.bytes / 10);
    graft_trainables_release(&x);
}

TEST(program_freeze_points__of_a_small_network)
{
    struct net *n = net_residual();
    check_points(n->m, 12);
    net_free(n);
}

static void check_file(const char *path)
{
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_open(&m, graft_runtime_or_default(NULL), path));
    check_points(m, 20);
    graft_graph_free(m);
}

TEST(program_freeze_points__of_resnet20)
{
    NEED_SHARED(path, "models/resnet20_cifar10.onnx");
    check_file(path);
}

TEST(program_freeze_points__of_mobilenetv2)
{
    NEED_SHARED(path, "models/mobilenetv2_imagenet_gemm.onnx");
    check_file(path);
}

TEST(program_freeze_points__of_shufflenet)
{
    NEED_SHARED(path, "models/external/shufflenet_v2_x0_5_torch215.onnx");
    check_file(path);
}

/* ---- what frozen weights need no more ------------------------------------ */

enum { BLOCKS = 6, SIDE = 24, NARROW = 32, WIDE = 16 };

/* Blocks that end without an activation, as MobileNetV2's: their results are
 * read by the next weights' gradients alone. */
static struct net *net_linear_blocks(void)
{
    struct net *n = net_new(13);
    int a = net_input(n, "x", NET_DIMS(-1, NARROW, SIDE, SIDE));
    for (int i = 0; i < BLOCKS; i++) {
        char wide[] = "wide0", narrow[] = "narrow0";
        wide[4] = narrow[6] = (char)('0' + i);
        a = net_conv(n, wide, a, NARROW, WIDE, 1, false, true);
        a = net_conv(n, narrow, a, WIDE, NARROW, 1, false, false);
    }
    a = net_node(n, "Flatten", "flat", NULL,
                 net_node(n, "GlobalAveragePool", "pool", NULL, a));
    net_output(n, net_node(n, "Gemm", "scores", NULL, a,
                           net_random(n, "fc.w", NET_DIMS(NARROW, 3)),
                           net_random(n, "fc.b", NET_DIMS(3))));
    return n;
}

TEST(program_freeze_points__frozen_weights_keep_no_inputs)
{
    static const char *const words[] = {"bias", "name:wide0.w"};
    const int64_t each = 4 * NARROW * SIDE * SIDE * (int64_t)sizeof(real);
    struct net *n = net_linear_blocks();
    int64_t all = cost_of_words(n->m, "all").bytes;
    for (int i = 0; i < 2; i++) {
        struct cost c = cost_of_words(n->m, words[i]);
        if (c.bytes > all - (BLOCKS - 2) * each)
            fail_msg("%s: %lld bytes, all: %lld, one result %lld", words[i],
                     (long long)c.bytes, (long long)all, (long long)each);
    }
    net_free(n);
}

/* By at least so many percent less than all. */
static void check_words(const char *file, const char *words, int percent)
{
    struct graft_model *m = NULL;
    NEED_SHARED(path, file);
    assert_ok(graft_onnx_open(&m, graft_runtime_or_default(NULL), path));
    struct cost all = cost_of_words(m, "all"), some = cost_of_words(m, words);
    if (some.bytes > all.bytes - all.bytes * percent / 100 ||
        some.steps > all.steps)
        fail_msg("%s: %d steps, %lld bytes; all: %d, %lld", words, some.steps,
                 (long long)some.bytes, all.steps, (long long)all.bytes);
    graft_graph_free(m);
}

TEST(program_freeze_points__biases_of_mobilenetv2_alone)
{
    check_words("models/mobilenetv2_imagenet_gemm.onnx", "bias", 15);
}

TEST(program_freeze_points__norms_of_resnet20_alone)
{
    check_words("models/resnet20_cifar10.onnx", "norm", 5);
}

TEST(program_freeze_points__biases_of_shufflenet_alone)
{
    check_words("models/external/shufflenet_v2_x0_5_torch215.onnx", "bias",
                5);
}
