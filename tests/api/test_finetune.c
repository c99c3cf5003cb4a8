/* Trainers by the public interface: against PyTorch, against differences,
 * saved and gone on with, stored into a model.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "api/finetune_vectors.h"
#include "base/file.h"
#include "base/runtime.h"
#include "graft/edit.h"
#include "graft/finetune.h"
#include "onnx/onnx.h"
#include "support/faults.h"
#include "support/net.h"

enum { IMAGES = 24, IN = 6, HIDDEN = 8, CLASSES = 3, STEPS = 50 };

static float wave(int64_t i, int phase_times_2, double scale)
{
    return (float)(scale * sin(1.7 * (double)i + 0.5 * phase_times_2));
}

/* The network of make_finetune_vectors.py. */
static struct net *linear_net(void)
{
    struct net *n = net_new(13);
    const struct graft_attr *b = NET_ATTRS(NET_INT("transB", 1));
    int x = net_input(n, "x", NET_DIMS(-1, IN));
    int w1 = net_random(n, "1.weight", NET_DIMS(HIDDEN, IN));
    int b1 = net_random(n, "1.bias", NET_DIMS(HIDDEN));
    int w2 = net_random(n, "2.weight", NET_DIMS(CLASSES, HIDDEN));
    int b2 = net_random(n, "2.bias", NET_DIMS(CLASSES));
    int h = net_node(n, "Gemm", "h", b, x, w1, b1);
    h = net_node(n, "Relu", "r", NULL, h);
    h = net_node(n, "Gemm", "scores", b, h, w2, b2);
    h = net_node(n, "Softmax", "y", NET_ATTRS(NET_INT("axis", 1)), h);
    const struct graft_dim dim[] = {{-1, "N"}, {CLASSES, NULL}};
    assert_ok(graft_edit_value_type(n->m, h, GRAFT_FLOAT, dim, 2));
    net_output(n, h);
    return n;
}

struct data {
    float x[IMAGES * IN];
    int32_t label[IMAGES];
    struct graft_array array;
    struct graft_train_batch batch;
};

static void data_part(struct data *d, int first, int n)
{
    d->array = (struct graft_array){.name = "x", .data = d->x + first * IN,
                                    .rank = 2, .dim = {n, IN}};
    d->batch = (struct graft_train_batch){.inputs = &d->array, .n_inputs = 1,
                                          .classes = d->label + first};
}

static void data_init(struct data *d)
{
    for (int i = 0; i < IMAGES * IN; i++)
        d->x[i] = wave(i, 1, 1);
    for (int i = 0; i < IMAGES; i++)
        d->label[i] = i % CLASSES;
    data_part(d, 0, IMAGES);
}

static void set_waves(graft_trainer *t)
{
    static const char *const name[] = {"1.weight", "1.bias", "2.weight",
                                       "2.bias"};
    for (int k = 0; k < 4; k++) {
        struct graft_array a;
        float w[HIDDEN * IN];
        assert_ok(graft_trainer_parameter(&a, t, name[k]));
        int64_t n = a.dim[0] * (a.rank > 1 ? a.dim[1] : 1);
        for (int64_t i = 0; i < n; i++)
            w[i] = wave(i, 2 * k, 0.5);
        assert_ok(graft_trainer_set(t, name[k], w));
    }
}

/* ---- PyTorch ------------------------------------------------------------- */

static void like_torch(const struct graft_trainer_options *o,
                       const double *want)
{
    struct net *n = linear_net();
    graft_trainer *t = NULL;
    struct data d;
    data_init(&d);
    assert_ok(graft_trainer_new(&t, n->m, o));
    assert_int_equal(graft_trainer_n_parameters(t), 4);
    set_waves(t);
    for (int step = 0; step < STEPS; step++) {
        double loss;
        data_part(&d, 12 * (step % 2), 12);
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
    struct net *n = linear_net();
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    static const char *const only[] = {"2.*", "1.weight"};
    graft_trainer *t = NULL;
    struct data d;
    data_init(&d);
    o.parameters = only;
    o.n_parameters = 2;
    o.label_smoothing = 0.2;
    o.shard = 7;
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_int_equal(graft_trainer_n_parameters(t), 3);
    assert_string_equal(graft_trainer_name(t, 0), "1.weight");
    assert_null(graft_trainer_name(t, 3));
    float weight[IMAGES];
    for (int i = 0; i < IMAGES; i++)
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
        x[i] = wave(i, 3, 1);
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
        x[i] = wave(i, 3, 1);
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

/* ---- state and results --------------------------------------------------- */

static graft_trainer *trained(struct net *n, const char *optimizer, int steps,
                              const char *load)
{
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    struct data d;
    data_init(&d);
    o.optimizer = optimizer;
    o.ema_decay = 0.99;
    o.schedule = "cosine";
    o.total_steps = 20;
    o.warmup_steps = 3;
    o.layer_decay = 0.8;
    assert_ok(graft_trainer_new(&t, n->m, &o));
    if (load)
        assert_ok(graft_trainer_load(t, load));
    while (graft_trainer_steps(t) < steps)
        assert_ok(graft_trainer_step(t, &d.batch, NULL));
    return t;
}

TEST(api_finetune__goes_on_as_if_never_stopped)
{
    static const char *const optimizer[] = {"sgd", "adam", "adamw"};
    char path[4200];
    snprintf(path, sizeof path, "%s/t.state", test_folder_in_memory());
    for (int k = 0; k < 3; k++) {
        struct net *n = linear_net();
        graft_trainer *a = trained(n, optimizer[k], 20, NULL);
        graft_trainer *b = trained(n, optimizer[k], 11, NULL);
        assert_ok(graft_trainer_save(b, path));
        graft_trainer_free(b);
        b = trained(n, optimizer[k], 20, path);
        for (int p = 0; p < 4; p++) {
            struct graft_array x, y;
            const char *name = graft_trainer_name(a, p);
            assert_ok(graft_trainer_parameter(&x, a, name));
            assert_ok(graft_trainer_parameter(&y, b, name));
            int64_t count = x.dim[0] * (x.rank > 1 ? x.dim[1] : 1);
            assert_memory_equal(x.data, y.data, (size_t)count * 4);
        }
        graft_trainer_free(a);
        graft_trainer_free(b);
        net_free(n);
    }
}

TEST(api_finetune__another_training_is_named)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/t.state", test_folder_in_memory());
    struct net *n = linear_net();
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_ok(graft_trainer_save(t, path));
    graft_trainer_free(t);
    o.loss = "nll";
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_fails(graft_trainer_load(t, path), GRAFT_EMISMATCH,
                 "'loss softmax', now it is 'loss nll'");
    assert_fails(graft_trainer_load(t, "/nowhere/x"), GRAFT_ENOTFOUND,
                 "/nowhere/x");
    graft_trainer_free(t);
    net_free(n);
}

/* What was trained comes out of the exported model; what was not has its
 * bytes. */
TEST(api_finetune__stored_into_the_model)
{
    struct net *n = linear_net();
    graft_trainer *t = NULL;
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    static const char *const only[] = {"2.*"};
    float scores[IMAGES * CLASSES], frozen[HIDDEN * IN];
    struct data d;
    void *bytes = NULL;
    uint64_t size = 0;
    graft_model *back = NULL;
    graft_session *s = NULL;
    const char *out = "scores";
    data_init(&d);
    o.parameters = only;
    o.n_parameters = 1;
    const struct graft_tensor *w1 =
        &n->m->tensor.at[n->m->value.at[graft_value_find(n->m, "1.weight")]
                             .tensor];
    memcpy(frozen, w1->data, sizeof frozen);
    assert_ok(graft_trainer_new(&t, n->m, &o));
    for (int i = 0; i < 5; i++)
        assert_ok(graft_trainer_step(t, &d.batch, NULL));
    assert_ok(graft_trainer_loss(t, &d.batch, NULL, scores));
    assert_fails(graft_trainer_store(t, n->m, true), GRAFT_EARG,
                 "ema_decay");
    assert_ok(graft_trainer_store(t, n->m, false));
    /* the trainer goes on as before */
    float again[IMAGES * CLASSES];
    assert_ok(graft_trainer_loss(t, &d.batch, NULL, again));
    assert_memory_equal(scores, again, sizeof scores);
    assert_ok(graft_model_encode(&bytes, &size, n->m));
    assert_ok(graft_model_parse(&back, NULL, bytes, size));
    w1 = &back->tensor.at[back->value.at[graft_value_find(back, "1.weight")]
                              .tensor];
    assert_memory_equal(frozen, w1->data, sizeof frozen);
    assert_ok(graft_session_new(&s, back, &d.array, 1, &out, 1));
    assert_ok(graft_session_run(s, &d.array, 1));
    struct graft_array y = graft_session_output(s, 0);
    for (int i = 0; i < IMAGES * CLASSES; i++)
        assert_near(y.data[i], scores[i], 1e-5);
    graft_session_free(s);
    graft_model_free(back);
    graft_encoded_free(bytes);
    graft_trainer_free(t);
    net_free(n);
}

/* ---- faults -------------------------------------------------------------- */

struct life {
    struct net *net;
    const char *state;
};

/* Made, gone on with from a checkpoint, stepped, saved. */
static int live(void *ctx)
{
    const struct life *life = ctx;
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    struct data d;
    data_init(&d);
    o.optimizer = "adamw";
    o.ema_decay = 0.9;
    o.shard = 7;
    int status = graft_trainer_new(&t, life->net->m, &o);
    if (!status && graft_file_exists(life->state))
        status = graft_trainer_load(t, life->state);
    while (!status && graft_trainer_steps(t) < 6)
        status = graft_trainer_step(t, &d.batch, NULL);
    if (!status)
        status = graft_trainer_save(t, life->state);
    graft_trainer_free(t);
    return status;
}

TEST(api_finetune__survives_every_fault)
{
    char path[4200];
    const char *folder = test_folder_in_memory();
    snprintf(path, sizeof path, "%s/t.state", folder);
    struct life life = {linear_net(), path};
    graft_trainer *t = trained(life.net, "adamw", 0, NULL);
    graft_trainer_free(t); /* what is made once is there */
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    struct data d;
    data_init(&d);
    o.optimizer = "adamw";
    o.ema_decay = 0.9;
    o.shard = 7;
    assert_ok(graft_trainer_new(&t, life.net->m, &o));
    for (int i = 0; i < 3; i++)
        assert_ok(graft_trainer_step(t, &d.batch, NULL));
    assert_ok(graft_trainer_save(t, path));
    graft_trainer_free(t);
    struct fault_work w = {.name = "trainer", .folder = folder, .run = live,
                           .ctx = &life};
    fault_every_point(&w);
    net_free(life.net);
}

/* ---- refusals ------------------------------------------------------------ */

static void refused(struct net *n, const struct graft_trainer_options *o,
                    int status, const char *part)
{
    graft_trainer *t = NULL;
    assert_fails(graft_trainer_new(&t, n->m, o), status, part);
    assert_null(t);
}

TEST(api_finetune__wrong_options_are_refused)
{
    struct net *n = linear_net();
    const struct graft_trainer_options plain = GRAFT_TRAINER_OPTIONS;
    struct graft_trainer_options o = plain;
    const char *name[] = {"2.weigth"};
    o.parameters = name;
    o.n_parameters = 1;
    refused(n, &o, GRAFT_ENOTFOUND, "the nearest is '2.weight'");
    name[0] = "3.*";
    refused(n, &o, GRAFT_ENOTFOUND, "'3.*'");
    o = plain;
    o.loss = "hinge";
    refused(n, &o, GRAFT_EARG, "softmax, sigmoid, nll");
    o = plain;
    o.optimizer = "sdg";
    refused(n, &o, GRAFT_EARG, "sgd, adam, adamw");
    o = plain;
    o.schedule = "cosine";
    refused(n, &o, GRAFT_EARG, "needs more steps");
    o = plain;
    o.learning_rate = NAN;
    refused(n, &o, GRAFT_EARG, "learning rate");
    o = plain;
    o.layer_decay = 0;
    refused(n, &o, GRAFT_EARG, "layers");
    o = plain;
    o.scores = "x";
    refused(n, &o, GRAFT_EUNSUPPORTED, "no parameters");
    net_free(n);
}

TEST(api_finetune__wrong_batches_are_refused)
{
    struct net *n = linear_net();
    graft_trainer *t = NULL;
    struct data d;
    assert_ok(graft_trainer_new(&t, n->m, NULL));
    data_init(&d);
    d.label[3] = CLASSES;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_EARG,
                 "image 3 has class 3");
    data_init(&d);
    d.array.dim[1] = 5;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_ESHAPE,
                 "input 'x' needs 6 numbers");
    data_init(&d);
    d.array.dim[0] = 0;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_ESHAPE, "0");
    data_init(&d);
    d.array.name = "z";
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_ENOTFOUND,
                 "'x'");
    data_init(&d);
    d.batch.classes = NULL;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_EARG,
                 "classes or targets");
    data_init(&d);
    d.x[7] = NAN;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_EMISMATCH,
                 "step 0");
    assert_int_equal(graft_trainer_steps(t), 0);
    graft_trainer_free(t);
    net_free(n);
}
