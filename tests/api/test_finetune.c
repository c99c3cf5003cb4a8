/* Trainers by the public interface: against PyTorch, against differences, with
 * threads, by names and words.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "api/finetune_vectors.h"
#include "base/runtime.h"
#include "support/lesson.h"

enum { STEPS = 50 };

static void set_waves(graft_trainer *t)
{
    static const char *const name[] = {"1.weight", "1.bias", "2.weight",
                                       "2.bias"};
    for (int k = 0; k < 4; k++) {
        struct graft_array a;
        float w[LESSON_HIDDEN * LESSON_IN];
        assert_ok(graft_trainer_parameter(&a, t, name[k]));
        int64_t n = a.dim[0] * (a.rank > 1 ? a.dim[1] : 1);
        for (int64_t i = 0; i < n; i++)
            w[i] = lesson_wave(i, 2 * k, 0.5);
        assert_ok(graft_trainer_set(t, name[k], w));
    }
}

/* ---- PyTorch ------------------------------------------------------------- */

static void like_torch(const struct graft_trainer_options *o,
                       const double *want)
{
    struct net *n = lesson_net();
    graft_trainer *t = NULL;
    struct lesson d;
    lesson_begin(&d);
    assert_ok(graft_trainer_new(&t, n->m, o));
    assert_int_equal(graft_trainer_n_parameters(t), 4);
    set_waves(t);
    for (int step = 0; step < STEPS; step++) {
        double loss;
        lesson_part(&d, 12 * (step % 2), 12);
        assert_ok(graft_trainer_step(t, &d.batch, &loss));
        if (!(fabs(loss - want[step]) <= 2e-5 * want[step]))
            fail_msg("%s, step %d: loss %.8g, PyTorch's %.8g", o->optimizer,
                     step, loss, want[step]);
    }
    assert_int_equal(graft_trainer_steps(t), STEPS);
    graft_trainer_free(t);
    net_free(n);
}

TEST(api_finetune__fifty_steps_as_pytorch)
{
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    o.learning_rate = 0.1;
    o.weight_decay = 1e-3;
    like_torch(&o, torch_sgd);
    o.shard = 5; /* 12 images are 5 + 5 + 2 */
    like_torch(&o, torch_sgd);
    o.weight_decay = 0;
    o.nesterov = true;
    o.label_smoothing = 0.1;
    like_torch(&o, torch_nesterov);
    o = (struct graft_trainer_options)GRAFT_TRAINER_OPTIONS;
    o.optimizer = "adam";
    o.learning_rate = 0.02;
    o.weight_decay = 1e-2;
    like_torch(&o, torch_adam);
    o.optimizer = "adamw";
    o.weight_decay = 0.1;
    o.clip_norm = 0.3;
    like_torch(&o, torch_adamw);
}

/* ---- gradients ----------------------------------------------------------- */

static double loss_of(graft_trainer *t, const struct graft_train_batch *b)
{
    double loss;
    assert_ok(graft_trainer_loss(t, b, &loss, NULL));
    return loss;
}

static void check_gradient(graft_trainer *t, const struct graft_train_batch *b,
                           const char *name)
{
    struct graft_array a;
    float g[256], w[256];
    assert_ok(graft_trainer_parameter(&a, t, name));
    int64_t n = a.dim[0] * (a.rank > 1 ? a.dim[1] : 1);
    memcpy(w, a.data, (size_t)n * sizeof *w);
    assert_ok(graft_trainer_gradients(t, b, NULL));
    assert_ok(graft_trainer_gradient(&a, t, name));
    memcpy(g, a.data, (size_t)n * sizeof *g);
    for (int64_t i = 0; i < n; i += 3) {
        const float h = 1e-2f;
        assert_ok(graft_trainer_set_element(t, name, i, w[i] + h));
        double up = loss_of(t, b);
        assert_ok(graft_trainer_set_element(t, name, i, w[i] - h));
        double down = loss_of(t, b);
        assert_ok(graft_trainer_set_element(t, name, i, w[i]));
        assert_near(g[i], (up - down) / (2 * (double)h), 2e-3);
    }
}

TEST(api_finetune__gradients_by_name)
{
    struct net *n = lesson_net();
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    static const char *const only[] = {"2.*", "1.weight"};
    graft_trainer *t = NULL;
    struct lesson d;
    lesson_begin(&d);
    o.parameters = only;
    o.n_parameters = 2;
    o.label_smoothing = 0.2;
    o.shard = 7;
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_int_equal(graft_trainer_n_parameters(t), 3);
    assert_string_equal(graft_trainer_name(t, 0), "1.weight");
    assert_null(graft_trainer_name(t, 3));
    float weight[LESSON_IMAGES];
    for (int i = 0; i < LESSON_IMAGES; i++)
        weight[i] = (float)(i % 4) / 2;
    d.batch.weights = weight;
    check_gradient(t, &d.batch, "1.weight");
    check_gradient(t, &d.batch, "2.weight");
    check_gradient(t, &d.batch, "2.bias");
    graft_trainer_free(t);
    net_free(n);
}

/* Convolutions that are frozen, a head that is not. */
TEST(api_finetune__a_head_on_frozen_layers)
{
    enum { EACH = 3 * 12 * 12, N = 9 };
    static float x[N * EACH];
    static const char *const head[] = {"fc.*"};
    struct net *n = net_residual();
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    struct graft_trainer_memory memory;
    graft_trainer *t = NULL;
    int32_t label[N];
    for (int i = 0; i < N * EACH; i++)
        x[i] = lesson_wave(i, 3, 1);
    for (int i = 0; i < N; i++)
        label[i] = i % 5;
    struct graft_array a = {.data = x, .rank = 4, .dim = {N, 3, 12, 12}};
    struct graft_train_batch b = {&a, 1, label, NULL, NULL};
    o.parameters = head;
    o.n_parameters = 1;
    o.shard = 4;
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_int_equal(graft_trainer_classes(t), 5);
    graft_trainer_memory(t, &memory);
    assert_true(memory.steps <= 2 && memory.frozen_steps > 6);
    check_gradient(t, &b, "fc.w");
    check_gradient(t, &b, "fc.b");
    double first = loss_of(t, &b), loss = first;
    for (int i = 0; i < 30; i++)
        assert_ok(graft_trainer_step(t, &b, &loss));
    assert_true(loss < first);
    graft_trainer_free(t);
    net_free(n);
}

/* ---- whole networks ------------------------------------------------------ */

enum { EACH = 3 * 12 * 12, SEEN = 9 };

/* Convolutions, normalisations, skip connections: all of it is trained, or
 * what lies behind a cut that two values cross. */
static graft_trainer *residual(struct net **n, struct graft_runtime *rt,
                               const char *pattern, int shard)
{
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    *n = net_residual();
    (*n)->m->rt = rt;
    o.parameters = &pattern;
    o.n_parameters = 1;
    o.shard = shard;
    assert_ok(graft_trainer_new(&t, (*n)->m, &o));
    return t;
}

static void residual_batch(struct graft_train_batch *b,
                           struct graft_array *a)
{
    static float x[SEEN * EACH];
    static int32_t label[SEEN];
    for (int i = 0; i < SEEN * EACH; i++)
        x[i] = lesson_wave(i, 3, 1);
    for (int i = 0; i < SEEN; i++)
        label[i] = i % 5;
    *a = (struct graft_array){.data = x, .rank = 4,
                              .dim = {SEEN, 3, 12, 12}};
    *b = (struct graft_train_batch){a, 1, label, NULL, NULL};
}

TEST(api_finetune__gradients_of_a_whole_network)
{
    static const char *const name[] = {"stem.w",   "stem.b",  "stem.scale",
                                       "b1.shift", "skip.b",  "c2.scale",
                                       "c1.b",     "fc.b"};
    struct net *n;
    struct graft_array a;
    struct graft_train_batch b;
    graft_trainer *t = residual(&n, NULL, "*", 4);
    residual_batch(&b, &a);
    for (int k = 0; k < graft_trainer_n_parameters(t); k++) {
        const char *ends = strrchr(graft_trainer_name(t, k), '.');
        assert_true(strcmp(ends, ".mean") && strcmp(ends, ".var"));
    }
    for (int k = 1; k < 8; k++)
        check_gradient(t, &b, name[k]);
    graft_trainer_free(t);
    net_free(n);
}

TEST(api_finetune__same_bits_for_any_threads)
{
    static const char *const pattern[] = {"*", "c*", "*.scale"};
    for (int p = 0; p < 3; p++) {
        struct graft_array first, a;
        struct graft_train_batch b;
        struct net *n, *m;
        struct graft_runtime *alone = net_runtime(1);
        graft_trainer *one = residual(&n, alone, pattern[p], 4);
        residual_batch(&b, &a);
        for (int threads = 2; threads <= 7; threads += 5) {
            struct graft_runtime *rt = net_runtime(threads);
            graft_trainer *t = residual(&m, rt, pattern[p], 4);
            for (int i = 0; i < 3; i++) {
                if (threads == 2)
                    assert_ok(graft_trainer_step(one, &b, NULL));
                assert_ok(graft_trainer_step(t, &b, NULL));
            }
            for (int k = 0; k < graft_trainer_n_parameters(t); k++) {
                const char *name = graft_trainer_name(t, k);
                assert_ok(graft_trainer_parameter(&first, one, name));
                int64_t count = 1;
                for (int d = 0; d < first.rank; d++)
                    count *= first.dim[d];
                assert_ok(graft_trainer_parameter(&a, t, name));
                assert_memory_equal(first.data, a.data, (size_t)count * 4);
            }
            residual_batch(&b, &a);
            graft_trainer_free(t);
            net_free(m);
            graft_runtime_free(rt);
        }
        graft_trainer_free(one);
        net_free(n);
        graft_runtime_free(alone);
    }
}

TEST(api_finetune__parameters_in_words)
{
    static const struct {
        const char *unfreeze, *freeze, *first;
        int n;
    } words[] = {{"from:join1", NULL, "c1.w", 0},
                 {"norm", NULL, "stem.scale", 12},
                 {"all", "name:fc.*", "stem.w", 0},
                 {"scale-shift", NULL, "stem.scale", 12},
                 {"scale-shift,name:fc.*", "norm", "fc.w", 2},
                 {"name:fc.*", NULL, "fc.w", 2}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct net *n = net_residual();
        struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
        struct graft_array a;
        struct graft_train_batch b;
        graft_trainer *t = NULL;
        residual_batch(&b, &a);
        o.unfreeze = words[i].unfreeze;
        o.freeze = words[i].freeze;
        assert_ok(graft_trainer_new(&t, n->m, &o));
        if (words[i].n)
            assert_int_equal(graft_trainer_n_parameters(t), words[i].n);
        if (words[i].first)
            assert_string_equal(graft_trainer_name(t, 0), words[i].first);
        double before = loss_of(t, &b), after;
        for (int k = 0; k < 3; k++)
            assert_ok(graft_trainer_step(t, &b, &after));
        assert_true(after < before);
        graft_trainer_free(t);
        net_free(n);
    }
}
