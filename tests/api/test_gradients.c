/* Gradients of any values by the public interface, against differences.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "graft/finetune.h"
#include "support/faults.h"
#include "support/net.h"

enum { N = 3, PIXELS = 3 * 12 * 12, CLASSES = 5 };

struct data {
    float x[N * PIXELS], seed[2][N * 2304];
    struct graft_array input, seeds[2];
};

static void fill(struct data *d)
{
    for (int i = 0; i < N * PIXELS; i++)
        d->x[i] = (float)sin(1.7 * i + 1);
    for (int i = 0; i < 2 * N * 2304; i++)
        d->seed[i / (N * 2304)][i % (N * 2304)] = (float)cos(0.9 * i);
    d->input = (struct graft_array){.name = "x", .data = d->x, .rank = 4,
                                    .dim = {N, 3, 12, 12}};
}

static int64_t count(const struct graft_array *a)
{
    int64_t n = 1;
    for (int d = 0; d < a->rank; d++)
        n *= a->dim[d];
    return n;
}

/* L = sum of seed * output over both. */
static double objective(graft_gradients *g, struct data *d,
                        const char *const *outputs)
{
    double sum = 0;
    assert_ok(graft_gradients_forward(g, &d->input, 1));
    for (int k = 0; k < 2; k++) {
        struct graft_array y;
        assert_ok(graft_gradients_output(&y, g, outputs[k]));
        assert_true(count(&y) <= N * 2304);
        for (int64_t i = 0; i < count(&y); i++)
            sum += (double)y.data[i] * (double)d->seed[k][i];
        d->seeds[k] = y;
        d->seeds[k].data = d->seed[k];
    }
    return sum;
}

static void compare(double got, double up, double down, double step,
                    const char *what)
{
    double want = (up - down) / step;
    if (!(fabs(got - want) <= 0.02 * (1 + fabs(want))))
        fail_msg("%s: gradient %g, difference %g", what, got, want);
}

/* Every so many elements of the input, or of a parameter. */
static void by_differences(graft_gradients *g, struct data *d,
                           const char *const *outputs, const char *name,
                           const float *start)
{
    struct graft_array a;
    static float got[4096], w[4096];
    objective(g, d, outputs);
    assert_ok(graft_gradients_backward(g, d->seeds, 2));
    assert_ok(graft_gradients_get(&a, g, name));
    const int64_t n = count(&a);
    assert_true(n <= 4096);
    memcpy(got, a.data, (size_t)n * sizeof *got);
    memcpy(w, start ? start : d->x, (size_t)n * sizeof *w);
    double sum = 0;
    for (int64_t i = 0; i < n; i += 1 + n / 40) {
        float *at = start ? &w[i] : &d->x[i], keep = *at;
        double l[2];
        for (int side = 0; side < 2; side++) {
            *at = keep + (side ? -1e-2f : 1e-2f);
            if (start)
                assert_ok(graft_gradients_set(g, name, w));
            l[side] = objective(g, d, outputs);
        }
        *at = keep;
        compare((double)got[i], l[0], l[1], 2e-2, name);
        sum += fabs((double)got[i]);
    }
    assert_true(sum > 0);
    if (start)
        assert_ok(graft_gradients_set(g, name, w));
}

static const float *elements(const struct net *n, const char *name)
{
    return (const void *)graft_parameter(
               n->m, graft_value_find(n->m, name))->data;
}

/* Without kinks, which differences step over. */
static struct net *net_smooth(void)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, 12, 12));
    int a = net_conv(n, "stem", x, 3, 16, 3, true, false);
    a = net_node(n, "Sigmoid", "join1", NULL, a);
    a = net_node(n, "Tanh", "t", NULL,
                 net_conv(n, "c1", a, 16, 24, 3, true, false));
    a = net_node(n, "Flatten", "flat", NULL,
                 net_node(n, "GlobalAveragePool", "pool", NULL, a));
    net_output(n, net_node(n, "Gemm", "scores", NULL, a,
                           net_random(n, "fc.w", NET_DIMS(24, CLASSES)),
                           net_random(n, "fc.b", NET_DIMS(CLASSES))));
    return n;
}

/* Two outputs, one an activation half-way; the input, parameters. */
TEST(api_gradients__of_inputs_and_parameters)
{
    static const char *const wanted[] = {"x", "stem.w", "stem.scale", "fc.b",
                                         "join1"};
    static const char *const both[] = {"scores", "join1"};
    struct net *n = net_smooth();
    struct data d;
    graft_gradients *g = NULL;
    fill(&d);
    struct graft_gradients_options o = {&d.input, 1, both, 2, wanted, 5};
    assert_ok(graft_gradients_new(&g, n->m, &o));
    by_differences(g, &d, both, "x", NULL);
    for (int k = 1; k < 4; k++)
        by_differences(g, &d, both, wanted[k], elements(n, wanted[k]));
    graft_gradients_free(g);
    net_free(n);
}

/* dL/d(value) of an activation: what the same value, seeded with it alone,
 * hands on to the input. */
TEST(api_gradients__chain_through_an_activation)
{
    static const char *const wanted[] = {"x", "join1"}, *join[] = {"join1"};
    struct net *n = net_residual();
    struct data d;
    graft_gradients *g = NULL, *h = NULL;
    struct graft_array y, whole, middle, part;
    fill(&d);
    struct graft_gradients_options o = {&d.input, 1, NULL, 0, wanted, 2};
    assert_ok(graft_gradients_new(&g, n->m, &o));
    o = (struct graft_gradients_options){&d.input, 1, join, 1, wanted, 1};
    assert_ok(graft_gradients_new(&h, n->m, &o));
    assert_ok(graft_gradients_forward(g, &d.input, 1));
    assert_ok(graft_gradients_output(&y, g, "scores"));
    y.name = NULL;
    y.data = d.seed[0];
    assert_ok(graft_gradients_backward(g, &y, 1));
    assert_ok(graft_gradients_get(&whole, g, "x"));
    assert_ok(graft_gradients_get(&middle, g, "join1"));
    assert_ok(graft_gradients_forward(h, &d.input, 1));
    assert_ok(graft_gradients_backward(h, &middle, 1));
    assert_ok(graft_gradients_get(&part, h, "x"));
    assert_int_equal(whole.rank, 4);
    assert_int_equal(count(&part), N * PIXELS);
    for (int i = 0; i < N * PIXELS; i++)
        assert_near(whole.data[i], part.data[i], 1e-5);
    graft_gradients_free(g);
    graft_gradients_free(h);
    net_free(n);
}

TEST(api_gradients__what_is_wrong_is_said)
{
    static const char *const wanted[][2] = {
        {"x", "nothing"}, {"x", "x"}, {"stem.mean", "x"}, {"fc.w", "fc.b"},
        {"x", "fc.w"}};
    static const char *const join[] = {"join1"};
    static const struct {
        const char *why;
        int status;
    } want[] = {{"'nothing'", GRAFT_ENOTFOUND},
                {"asked for twice", GRAFT_EARG},
                {"no gradient for its input 'stem.mean'",
                 GRAFT_EUNSUPPORTED},
                {"depends on what is to be", GRAFT_EARG},
                {"no output's gradient reaches 'fc.w'", GRAFT_EARG}};
    struct net *n = net_residual();
    struct data d;
    graft_gradients *g = NULL;
    fill(&d);
    for (int k = 0; k < 5; k++) {
        struct graft_gradients_options o = {&d.input, 1, join, 1, wanted[k],
                                            2};
        assert_fails(graft_gradients_new(&g, n->m, &o), want[k].status,
                     want[k].why);
        o.n_wanted = 0;
        assert_fails(graft_gradients_new(&g, n->m, &o), GRAFT_EARG,
                     "no gradient is asked for");
        assert_null(g);
    }
    struct graft_gradients_options o = {&d.input, 1, join, 1, wanted[0], 1};
    assert_ok(graft_gradients_new(&g, n->m, &o));
    struct graft_array seed = {.name = "join", .data = d.x, .rank = 1,
                               .dim = {N}}, y;
    assert_fails(graft_gradients_backward(g, NULL, 0), GRAFT_EARG,
                 "follows a forward");
    d.input.dim[0] = N - 1;
    assert_fails(graft_gradients_forward(g, &d.input, 1), GRAFT_ESHAPE, "'x'");
    assert_fails(graft_gradients_forward(g, NULL, 0), GRAFT_ENOTFOUND, "'x'");
    d.input.dim[0] = N;
    assert_ok(graft_gradients_forward(g, &d.input, 1));
    assert_fails(graft_gradients_backward(g, &seed, 1), GRAFT_ENOTFOUND,
                 "seed 1, join");
    seed.name = "join1";
    assert_fails(graft_gradients_backward(g, &seed, 1), GRAFT_ESHAPE,
                 "'join1'");
    assert_ok(graft_gradients_backward(g, NULL, 0));
    assert_ok(graft_gradients_get(&y, g, "x"));
    for (int i = 0; i < N * PIXELS; i++)
        assert_true(y.data[i] == 0);
    assert_fails(graft_gradients_get(&y, g, "fc.w"), GRAFT_ENOTFOUND, "fc.w");
    assert_fails(graft_gradients_set(g, "x", d.x), GRAFT_ENOTFOUND, "'x'");
    graft_gradients_free(g);
    net_free(n);
}

/* ---- faults -------------------------------------------------------------- */

static int live(void *ctx)
{
    static const char *const wanted[] = {"x", "stem.w"};
    const struct net *n = ctx;
    static struct data made, *d = &made;
    graft_gradients *g = NULL;
    fill(d);
    struct graft_gradients_options o = {&d->input, 1, NULL, 0, wanted, 2};
    int status = graft_gradients_new(&g, n->m, &o);
    if (!status)
        status = graft_gradients_forward(g, &d->input, 1);
    if (!status)
        status = graft_gradients_backward(g, NULL, 0);
    graft_gradients_free(g);
    return status;
}

TEST(api_gradients__survives_every_fault)
{
    struct net *n = net_smooth();
    struct fault_work w = {.name = "gradients", .run = live, .ctx = n,
                           .folder = test_folder_in_memory()};
    fault_every_point(&w);
    net_free(n);
}

/* ---- a trainer's scores -------------------------------------------------- */

/* Targets of -B dL/d(score) make "nll" any loss of the scores: here half the
 * sum of their squares. */
TEST(api_gradients__any_loss_by_a_trainer)
{
    static const char *const wanted[] = {"fc.w"};
    struct net *n = net_smooth();
    struct data d;
    graft_gradients *g = NULL;
    graft_trainer *t = NULL;
    struct graft_array y, want, got;
    float scores[N * CLASSES], target[N * CLASSES] = {0};
    fill(&d);
    struct graft_gradients_options o = {&d.input, 1, NULL, 0, wanted, 1};
    assert_ok(graft_gradients_new(&g, n->m, &o));
    assert_ok(graft_gradients_forward(g, &d.input, 1));
    assert_ok(graft_gradients_output(&y, g, "scores"));
    memcpy(d.seed[0], y.data, sizeof scores);
    y.data = d.seed[0];
    assert_ok(graft_gradients_backward(g, &y, 1));
    assert_ok(graft_gradients_get(&want, g, "fc.w"));
    struct graft_trainer_options q = GRAFT_TRAINER_OPTIONS;
    struct graft_train_batch b = {.inputs = &d.input, .n_inputs = 1,
                                  .targets = target};
    q.loss = "nll";
    q.shard = 2;
    assert_ok(graft_trainer_new(&t, n->m, &q));
    assert_ok(graft_trainer_loss(t, &b, NULL, scores));
    for (int i = 0; i < N * CLASSES; i++)
        target[i] = -N * scores[i];
    assert_ok(graft_trainer_gradients(t, &b, NULL));
    assert_ok(graft_trainer_gradient(&got, t, "fc.w"));
    assert_int_equal(count(&got), count(&want));
    for (int64_t i = 0; i < count(&got); i++)
        assert_near(got.data[i], want.data[i], 1e-5);
    graft_trainer_free(t);
    graft_gradients_free(g);
    net_free(n);
}
