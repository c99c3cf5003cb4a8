/* The network of the tests of fine-tuning (little_deep.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/little_deep.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
#include "task/little.h"
#include "test.h"

enum { SIDE = 16, WIDTH = 8 };

static graft_value_id random_tensor(struct graft_model *m, const char *name,
                                    const struct graft_shape *shape,
                                    float base, float spread)
{
    float w[WIDTH * WIDTH * 9];
    int64_t n = graft_shape_count(shape);
    struct graft_rng_key key = graft_rng_key(23, (uint64_t)m->tensor.n);
    for (int64_t i = 0; i < n; i++)
        w[i] = base + spread * (float)graft_rng_normal(key, (uint64_t)i);
    graft_value_id id = -1;
    assert_ok(graft_edit_tensor(&id, m, name, GRAFT_FLOAT, shape, w));
    return id;
}

static graft_value_id conv(struct graft_model *m, graft_value_id x,
                           int channels, const char *weight, const char *out)
{
    static const int64_t kernel[] = {3, 3}, pads[] = {1, 1, 1, 1};
    static const struct graft_attr attr[] = {
        {.name = "kernel_shape", .type = GRAFT_ATTR_INTS, .ints = kernel,
         .n = 2},
        {.name = "pads", .type = GRAFT_ATTR_INTS, .ints = pads, .n = 4},
        {0}};
    const struct graft_shape shape = {4, {WIDTH, channels, 3, 3}};
    const graft_value_id in[] = {x, random_tensor(m, weight, &shape, 0,
                                                  0.2f)};
    return little_node(m, "Conv", in, 2, out, attr);
}

static graft_value_id norm(struct graft_model *m, graft_value_id x)
{
    const struct graft_shape each = {1, {WIDTH}};
    const graft_value_id in[] = {
        x, random_tensor(m, "norm.scale", &each, 1, 0.1f),
        random_tensor(m, "norm.bias", &each, 0, 0.1f),
        random_tensor(m, "norm.mean", &each, 0, 0.1f),
        random_tensor(m, "norm.var", &each, 1, 0.01f)};
    return little_node(m, "BatchNormalization", in, 5, "norm", NULL);
}

void little_deep_model(struct graft_runtime *rt, const char *path)
{
    static const int64_t two[] = {2, 2};
    static const struct graft_attr pool[] = {
        {.name = "kernel_shape", .type = GRAFT_ATTR_INTS, .ints = two,
         .n = 2},
        {.name = "strides", .type = GRAFT_ATTR_INTS, .ints = two, .n = 2},
        {0}};
    const struct graft_dim in[4] = {{.value = -1, .param = "N"}, {.value = 3},
                                    {.value = SIDE}, {.value = SIDE}};
    const struct graft_dim out[2] = {{.value = -1, .param = "N"},
                                     {.value = WIDTH}};
    struct graft_model *m = NULL;
    graft_value_id x = -1, pair[2];
    assert_ok(graft_graph_new(&m, rt));
    m->ir_version = 8;
    assert_ok(graft_edit_opset(m, "", 13));
    assert_ok(graft_edit_input(&x, m, "image", GRAFT_FLOAT, in, 4));
    x = conv(m, x, 3, "c1.weight", "c1");
    x = little_node(m, "Relu", &x, 1, "r1", NULL);
    pair[1] = x = little_node(m, "MaxPool", &x, 1, "pool", pool);
    x = norm(m, conv(m, x, WIDTH, "c2.weight", "c2"));
    x = little_node(m, "Relu", &x, 1, "r2", NULL);
    pair[0] = conv(m, x, WIDTH, "c3.weight", "c3");
    x = little_node(m, "Add", pair, 2, "sum", NULL);
    x = little_node(m, "Relu", &x, 1, "r3", NULL);
    x = little_node(m, "GlobalAveragePool", &x, 1, "mean", NULL);
    x = little_node(m, "Flatten", &x, 1, "flat", NULL);
    assert_ok(graft_edit_value_type(m, x, GRAFT_FLOAT, out, 2));
    assert_ok(graft_edit_outputs(m, &x, 1));
    assert_ok(graft_onnx_save(m, path, NULL));
    graft_graph_free(m);
}

void deep_begin(struct deep_world *w, int threads, const char *unfreeze)
{
    memcpy(w->folder, test_folder(), sizeof w->folder);
    w->rt = little_runtime(threads, little_path(w->folder, "cache"));
    w->model = graft_strdup(little_path(w->folder, "backbone.onnx"));
    w->data = graft_strdup(little_path(w->folder, "data"));
    w->out = graft_strdup(little_path(w->folder, "out.onnx"));
    little_deep_model(w->rt, w->model);
    little_data(w->data);
    w->o = (struct graft_train_options)GRAFT_TRAIN_OPTIONS;
    w->o.model = w->model;
    w->o.data = w->data;
    w->o.output = w->out;
    w->o.l2 = 100;
    w->o.tune.unfreeze = unfreeze;
    w->o.tune.epochs = 3;
    w->o.tune.batch_size = 8;
    w->o.tune.learning_rate = 0.02;
}

void deep_end(struct deep_world *w)
{
    graft_free((void *)w->model);
    graft_free((void *)w->data);
    graft_free((void *)w->out);
    graft_runtime_free(w->rt);
}

struct graft_report *deep_train(const struct deep_world *w)
{
    struct graft_report *r = NULL;
    assert_ok(graft_train(&r, w->rt, &w->o));
    return r;
}

/* ---- stopping, and other threads ----------------------------------------- */

struct stop {
    int at, steps; /* of fine-tuning; at 0: never */
};

static int count_steps(void *ctx, const char *phase, const char *things,
                       uint64_t done, uint64_t total)
{
    struct stop *s = ctx;
    (void)things, (void)done, (void)total;
    return !strncmp(phase, "tuning", 6) && ++s->steps == s->at;
}

void deep_train_until(struct deep_world *w, int step)
{
    struct graft_report *r = NULL;
    struct stop s = {step, 0};
    w->o.progress = count_steps;
    w->o.progress_ctx = &s;
    assert_fails(graft_train(&r, w->rt, &w->o), GRAFT_ECANCELED, "");
    assert_null(r);
    w->o.progress = NULL;
}

int deep_train_counting(struct deep_world *w)
{
    struct stop s = {0, 0};
    w->o.progress = count_steps;
    w->o.progress_ctx = &s;
    graft_report_free(deep_train(w));
    w->o.progress = NULL;
    return s.steps;
}

void deep_threads(struct deep_world *w, int threads)
{
    graft_runtime_free(w->rt);
    w->rt = little_runtime(threads, little_path(w->folder, "cache"));
}

void deep_threads_change_nothing(struct deep_world *w)
{
    static const char *const name[] = {"2.onnx", "3.onnx"};
    for (int i = 0; i < 2; i++) {
        deep_threads(w, 2 + i);
        w->o.output = little_path(w->folder, name[i]);
        graft_report_free(deep_train(w));
        assert_true(little_same(w->out, w->o.output));
    }
}

/* ---- the network --------------------------------------------------------- */

TEST(task_little_deep__the_network_is_as_told)
{
    char folder[128];
    memcpy(folder, test_folder(), sizeof folder);
    struct graft_runtime *rt = little_runtime(1, folder);
    const char *path = little_path(folder, "a.onnx");
    struct graft_model *m = NULL;
    little_deep_model(rt, path);
    assert_ok(graft_onnx_open(&m, rt, path));
    assert_true(graft_value_find(m, "pool") >= 0);
    assert_true(graft_value_find(m, "r2") >= 0);
    graft_graph_free(m);
    graft_runtime_free(rt);
}

/* ---- val is away --------------------------------------------------------- */

struct door {
    const char *val, *away;
    bool closed, opened;
};

static int guard(void *ctx, const char *phase, const char *things,
                 uint64_t done, uint64_t total)
{
    struct door *d = ctx;
    (void)things, (void)done, (void)total;
    if (!d->closed && !strcmp(phase, "features")) {
        d->closed = true;
        assert_int_equal(rename(d->val, d->away), 0);
    }
    if (d->closed && !d->opened && !strcmp(phase, "val")) {
        d->opened = true;
        assert_int_equal(rename(d->away, d->val), 0);
    }
    return 0;
}

void deep_train_without_val(struct deep_world *w)
{
    struct door d = {little_path(w->data, "val"), little_path(w->folder,
                                                              "away"),
                     false, false};
    w->o.no_cache = true;
    w->o.progress = guard;
    w->o.progress_ctx = &d;
    struct graft_report *r = deep_train(w);
    assert_true(d.opened);
    assert_true(r->tuning->tuned);
    assert_int_equal(r->total, 10);
    graft_report_free(r);
}
