/* Optimizers, schedules, arithmetic on flat vectors; ONNX's own cases of
 * Momentum and Adam (Debian: libonnx-testdata).
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/runtime.h"
#include "onnx.pb-c.h"
#include "support/net.h"
#include "train/optimizer.h"
#include "train/schedule.h"

#define SUITE "/usr/share/libonnx-testdata/data/node"

/* ---- ONNX's cases -------------------------------------------------------- */

enum { PARTS = 12 };

struct suite_case {
    Onnx__ModelProto *model;
    Onnx__TensorProto *in[PARTS], *out[PARTS];
    int n_in, n_out;
};

static uint8_t *read_part(const char *name, const char *part, uint64_t *size)
{
    char path[400];
    uint8_t *data = NULL;
    snprintf(path, sizeof path, SUITE "/%s/%s", name, part);
    return graft_file_read(&data, size, path, 1 << 20) ? NULL : data;
}

static int read_tensors(Onnx__TensorProto **to, const char *name,
                        const char *kind)
{
    int n = 0;
    for (; n < PARTS; n++) {
        char part[80];
        uint64_t size;
        snprintf(part, sizeof part, "test_data_set_0/%s_%d.pb", kind, n);
        uint8_t *data = read_part(name, part, &size);
        if (!data)
            break;
        to[n] = onnx__tensor_proto__unpack(NULL, size, data);
        graft_free(data);
    }
    return n;
}

static bool case_open(struct suite_case *c, const char *name)
{
    uint64_t size;
    uint8_t *data = read_part(name, "model.onnx", &size);
    *c = (struct suite_case){0};
    if (!data)
        return false;
    c->model = onnx__model_proto__unpack(NULL, size, data);
    graft_free(data);
    c->n_in = read_tensors(c->in, name, "input");
    c->n_out = read_tensors(c->out, name, "output");
    return true;
}

static void case_close(struct suite_case *c)
{
    onnx__model_proto__free_unpacked(c->model, NULL);
    for (int i = 0; i < c->n_in; i++)
        onnx__tensor_proto__free_unpacked(c->in[i], NULL);
    for (int i = 0; i < c->n_out; i++)
        onnx__tensor_proto__free_unpacked(c->out[i], NULL);
}

static double attribute(const struct suite_case *c, const char *name,
                        double fallback)
{
    const Onnx__NodeProto *node = c->model->graph->node[0];
    for (size_t i = 0; i < node->n_attribute; i++)
        if (strcmp(node->attribute[i]->name, name) == 0)
            return (double)node->attribute[i]->f;
    return fallback;
}

static bool is_nesterov(const struct suite_case *c)
{
    const Onnx__NodeProto *node = c->model->graph->node[0];
    for (size_t i = 0; i < node->n_attribute; i++)
        if (strcmp(node->attribute[i]->name, "mode") == 0)
            return node->attribute[i]->s.data[0] == 'n'; /* or standard */
    return false;
}

static int64_t floats(const Onnx__TensorProto *t, float *to, int64_t max)
{
    int64_t n = (int64_t)(t->raw_data.len / sizeof *to);
    assert_true(n <= max);
    memcpy(to, t->raw_data.data, (size_t)n * sizeof *to);
    return n;
}

static void expect(const Onnx__TensorProto *t, const real *got, int64_t n)
{
    float want[64];
    assert_int_equal(floats(t, want, 64), n);
    for (int64_t i = 0; i < n; i++)
        assert_near(got[i], want[i], 1e-6 + 1e-4 * fabs((double)want[i]));
}

/* Inputs R, T, X..., G..., V..., (H...); outputs X..., V..., (H...). At update
 * 0 ONNX corrects no bias, so neither may we: 1 - beta^step is 1 for a step
 * beyond all. */
static void run_case(const char *name, const char *row, int states,
                     double epsilon)
{
    struct suite_case c;
    if (!case_open(&c, name)) {
        print_message("needs Debian's libonnx-testdata\n");
        skip();
    }
    int n = (c.n_in - 2) / (2 + states);
    float rate;
    assert_int_equal(floats(c.in[0], &rate, 1), 1);
    struct graft_optimizer_options o = GRAFT_SGD;
    o.momentum = o.beta1 = attribute(&c, "alpha", 0.9);
    o.beta2 = attribute(&c, "beta", 0.999);
    o.epsilon = attribute(&c, "epsilon", epsilon);
    o.nesterov = is_nesterov(&c);
    for (int k = 0; k < n; k++) {
        real x[64], g[64], s[2][64];
        float at[64];
        struct graft_update u = {.w = x, .g = g, .state = {s[0], s[1]},
                                 .step = 1 << 30, .rate = (double)rate,
                                 .decay = attribute(&c, "norm_coefficient",
                                                    0),
                                 .options = &o};
        real *part[4] = {x, g, s[0], s[1]};
        for (int p = 0; p < 2 + states; p++) {
            u.n = floats(c.in[2 + p * n + k], at, 64);
            for (int64_t i = 0; i < u.n; i++)
                part[p][i] = (real)at[i];
        }
        graft_optimizer_find(row)->update(&u);
        expect(c.out[k], x, u.n);
        for (int p = 0; p < states; p++)
            expect(c.out[(p + 1) * n + k], s[p], u.n);
    }
    case_close(&c);
}

TEST(train_optimizer__momentum_as_onnx_has_it)
{
    run_case("test_momentum", "sgd", 1, 0);
    run_case("test_momentum_multiple", "sgd", 1, 0);
    run_case("test_nesterov_momentum", "sgd", 1, 0);
}

TEST(train_optimizer__adam_as_onnx_has_it)
{
    run_case("test_adam", "adam", 2, 0);
    /* whose answers were made with an epsilon that its file does not say */
    run_case("test_adam_multiple", "adam", 2, 1e-2);
}

/* ---- whole selections ---------------------------------------------------- */

struct chosen {
    struct net *net;
    struct graft_store *store;
    struct graft_selection *s;
    real *g;
};

/* Two layers: a matrix over several tasks, vectors. */
static void choose(struct chosen *c)
{
    *c = (struct chosen){.net = net_new(13)};
    struct net *n = c->net;
    graft_value_id id[4];
    int x = net_input(n, "x", NET_DIMS(-1, 300));
    id[0] = net_random(n, "w1", NET_DIMS(300, 200));
    id[1] = net_random(n, "b1", NET_DIMS(200));
    id[2] = net_random(n, "w2", NET_DIMS(200, 3));
    id[3] = net_random(n, "b2", NET_DIMS(3));
    int h = net_node(n, "Gemm", "h", NULL, x, id[0], id[1]);
    net_output(n, net_node(n, "Gemm", "y", NULL, h, id[2], id[3]));
    assert_ok(graft_store_new(&c->store, n->m, NULL));
    assert_ok(graft_selection_new(&c->s, c->store, id, 4));
    c->g = graft_calloc((size_t)c->s->size, sizeof *c->g);
    assert_non_null(c->g);
    for (int k = 0; k < 4; k++)
        for (int64_t i = 0; i < c->s->at[k].count; i++)
            c->g[c->s->at[k].offset + i] = (real)sin((double)(i + k));
}

static void unchoose(struct chosen *c)
{
    graft_free(c->g);
    graft_selection_free(c->s);
    graft_store_free(c->store);
    net_free(c->net);
}

TEST(train_optimizer__groups_and_decay)
{
    struct chosen c;
    struct graft_optimizer *o = NULL;
    choose(&c);
    int n = 0;
    assert_ok(graft_groups_by_layer(c.s, &n));
    assert_int_equal(n, 2);
    for (int k = 0; k < 4; k++)
        assert_int_equal(c.s->at[k].group, k / 2);
    struct graft_group group[2];
    graft_groups_decay(group, 2, 0.5);
    assert_near(group[0].rate, 0.5, 0);
    assert_near(group[1].rate, 1, 0);
    group[1].rate = 0; /* frozen by its rate */
    struct graft_optimizer_options q = GRAFT_SGD;
    q.momentum = 0;
    q.weight_decay = 0.1;
    q.decay_all = false;
    q.group = group;
    q.n_groups = 2;
    assert_ok(graft_optimizer_new(&o, NULL, c.s, &q));
    real before[4];
    for (int k = 0; k < 4; k++)
        before[k] = c.s->master[c.s->at[k].offset + 1];
    graft_optimizer_step(o, c.g, 0.2);
    for (int k = 0; k < 4; k++) {
        const int64_t at = c.s->at[k].offset + 1;
        double w = (double)before[k], g = (double)c.g[at];
        double want = k == 0 ? w - 0.1 * (g + 0.1 * w)
                             : k == 1 ? w - 0.1 * g : w;
        assert_near(c.s->master[at], want, 1e-6);
    }
    graft_optimizer_free(o);
    unchoose(&c);
}

TEST(train_optimizer__same_bits_for_any_threads)
{
    static const char *const name[] = {"sgd", "adam", "adamw"};
    static const int threads[] = {1, 2, 3, 7};
    for (int r = 0; r < 3; r++) {
        real *first = NULL;
        double norm = 0;
        for (int t = 0; t < 4; t++) {
            struct graft_runtime *rt = net_runtime(threads[t]);
            struct graft_optimizer *o = NULL;
            struct chosen c;
            choose(&c);
            struct graft_optimizer_options q = GRAFT_SGD;
            q.name = name[r];
            q.weight_decay = 0.01;
            assert_ok(graft_optimizer_new(&o, rt->pool, c.s, &q));
            for (int i = 0; i < 3; i++)
                graft_optimizer_step(o, c.g, 0.05);
            double now = graft_flat_norm(rt->pool, c.s->master, c.s->size);
            size_t bytes = (size_t)c.s->size * sizeof(real);
            if (!first) {
                first = graft_malloc(bytes);
                assert_non_null(first);
                memcpy(first, c.s->master, bytes);
                norm = now;
            }
            assert_memory_equal(first, c.s->master, bytes);
            assert_true(now == norm);
            graft_optimizer_free(o);
            unchoose(&c);
            graft_runtime_free(rt);
        }
        graft_free(first);
    }
}

TEST(train_optimizer__norm_of_large_vectors)
{
    enum { N = 5000000 }; /* more ranges than fit at once */
    real *x = graft_malloc(N * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < N; i++)
        x[i] = (real)0.5;
    assert_near(graft_flat_norm(NULL, x, N), sqrt(N * 0.25), 1e-6);
    x[N - 1] = (real)NAN;
    assert_true(isnan(graft_flat_norm(NULL, x, N)));
    graft_free(x);
}

TEST(train_optimizer__refuses_what_is_wrong)
{
    struct chosen c;
    struct graft_optimizer *o = NULL;
    choose(&c);
    struct graft_optimizer_options q = GRAFT_SGD;
    q.name = "newton";
    assert_fails(graft_optimizer_new(&o, NULL, c.s, &q), GRAFT_EARG,
                 "sgd, adam, adamw");
    q.name = "sgd";
    q.momentum = 1;
    assert_fails(graft_optimizer_new(&o, NULL, c.s, &q), GRAFT_EARG,
                 "momentum");
    q.momentum = NAN;
    assert_fails(graft_optimizer_new(&o, NULL, c.s, &q), GRAFT_EARG,
                 "momentum");
    q.momentum = 0;
    q.nesterov = true;
    assert_fails(graft_optimizer_new(&o, NULL, c.s, &q), GRAFT_EARG,
                 "Nesterov");
    unchoose(&c);
}

/* ---- schedules ----------------------------------------------------------- */

TEST(train_schedule__warm_up_then_cosine)
{
    struct graft_schedule s = {"cosine", 0.4, 0.1, 4, 14};
    assert_ok(graft_schedule_check(&s));
    assert_near(graft_schedule_rate(&s, 0), 0.1, 1e-15);
    assert_near(graft_schedule_rate(&s, 3), 0.4, 1e-15);
    assert_near(graft_schedule_rate(&s, 4), 0.4, 1e-15);
    assert_near(graft_schedule_rate(&s, 9), 0.25, 1e-15);
    assert_near(graft_schedule_rate(&s, 14), 0.1, 1e-15);
    assert_near(graft_schedule_rate(&s, 99), 0.1, 1e-15);
    s.name = "linear";
    assert_near(graft_schedule_rate(&s, 9), 0.25, 1e-15);
    s.name = "constant";
    assert_near(graft_schedule_rate(&s, 99), 0.4, 0);
}

TEST(train_schedule__refuses_what_is_wrong)
{
    struct graft_schedule s = {"cosine", 0.4, 0, 4, 4};
    assert_fails(graft_schedule_check(&s), GRAFT_EARG, "4");
    s.name = "step";
    assert_fails(graft_schedule_check(&s), GRAFT_EARG, "'step'");
    s = (struct graft_schedule){"constant", -1, 0, 0, 0};
    assert_fails(graft_schedule_check(&s), GRAFT_EARG, "-1");
}
