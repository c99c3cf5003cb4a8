/* What is frozen costs nothing: at every freeze point of a network, the fewer
 * parameters are trained, the fewer steps and bytes are planned.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/runtime.h"
#include "onnx/onnx.h"
#include "program/crossing.h"
#include "program/trainable.h"
#include "support/net.h"

struct cost {
    int steps;
    int64_t bytes, floats;
};

/* Trains all parameters from number k on, in the order of the nodes. */
static struct cost cost_of(const struct graft_compile *all,
                           const struct graft_trainables *x, int k)
{
    struct graft_compile c = *all;
    struct graft_store *store = NULL;
    struct graft_selection *s = NULL;
    struct graft_crossing cut = {0};
    struct graft_program *p = NULL;
    struct graft_memory m;
    assert_ok(graft_store_new(&store, c.model, NULL));
    assert_ok(graft_selection_new(&s, store, x->value + k, x->n - k));
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
