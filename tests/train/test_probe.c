/* The probe reaches scikit-learn's optimum, chooses l2 the same way for any
 * number of threads, and folds the scaling into its weights.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "test.h"
#include "train/logistic.h"
#include "train/probe.h"

struct reached {
    double l2, objective;
};
struct problem {
    const float *x;
    const int32_t *label;
    int n, d, classes;
    const struct reached *reached;
    int n_reached;
};
#include "probe_vectors.h"

static struct graft_runtime *runtime(int threads)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt = NULL;
    o.threads = threads;
    assert_ok(graft_runtime_new(&rt, &o));
    return rt;
}

/* Content hashes that differ: of the sample's number. */
static struct graft_hash *photos(int64_t n)
{
    struct graft_hash *h = graft_calloc((size_t)n, sizeof *h);
    assert_non_null(h);
    for (int64_t i = 0; i < n; i++)
        h[i] = graft_hash(&i, sizeof i);
    return h;
}

static struct graft_probe *fit(const struct problem *q, double l2,
                               int threads)
{
    struct graft_runtime *rt = runtime(threads);
    struct graft_hash *photo = photos(q->n);
    struct graft_probe_samples s = {.x = q->x, .n = q->n, .d = q->d,
                                    .label = q->label,
                                    .classes = q->classes, .photo = photo};
    struct graft_probe_options o = {.l2 = l2, .seed = 7};
    struct graft_probe *p = NULL;
    assert_ok(graft_probe_fit(&p, rt, &s, &o));
    graft_free(photo);
    graft_runtime_free(rt);
    return p;
}

/* The objective at the probe's weights, on standardised features, not in the
 * space it was solved in. */
static double objective(const struct problem *q, const struct graft_probe *p)
{
    double *x = graft_calloc((size_t)q->n, (size_t)q->d * sizeof *x);
    double *score = graft_calloc((size_t)q->n * 2,
                                 (size_t)q->classes * sizeof *score);
    assert_true(x && score);
    for (int i = 0; i < q->n; i++)
        for (int j = 0; j < q->d; j++)
            x[i * q->d + j] = (q->x[i * q->d + j] - p->mean[j]) / p->std[j];
    struct graft_logistic f = {.x = x, .n = q->n, .d = q->d,
                               .label = q->label, .classes = q->classes,
                               .l2 = p->l2, .score = score};
    double value = graft_logistic_value(&f, p->standard_weight, NULL);
    graft_free(x);
    graft_free(score);
    return value;
}

static void reaches(const struct problem *q)
{
    for (int i = 0; i < q->n_reached; i++) {
        struct graft_probe *p = fit(q, q->reached[i].l2, 1);
        double ours = objective(q, p);
        if (!(ours <= q->reached[i].objective + 1e-6))
            fail_msg("l2 %g: objective %.12f, scikit-learn %.12f", p->l2,
                     ours, q->reached[i].objective);
        assert_near(ours, q->reached[i].objective, 1e-6);
        assert_near(ours, p->objective, 1e-9);
        graft_probe_free(p);
    }
}

TEST(train_probe__reaches_scikit_learns_optimum_with_two_classes)
{
    reaches(&wide);
}

TEST(train_probe__reaches_scikit_learns_optimum_with_three_classes)
{
    reaches(&tall);
}

/* W'x + b' of raw features = W (x - mean) / std + b, within float32. */
static void same_logits(const struct problem *q)
{
    struct graft_probe *p = fit(q, 0.01, 1);
    for (int i = 0; i < q->n; i++)
        for (int c = 0; c < q->classes; c++) {
            int unit = q->classes == 2 ? 0 : c;
            const double *w = p->standard_weight + unit * (q->d + 1);
            double raw = p->bias[c], standard = w[q->d];
            for (int j = 0; j < q->d; j++) {
                double x = q->x[i * q->d + j];
                raw += p->weight[c * q->d + j] * x;
                standard += w[j] * (x - p->mean[j]) / p->std[j];
            }
            double sign = q->classes > 2 ? 1 : c ? 0.5 : -0.5;
            assert_near(raw, sign * standard, 2e-5);
        }
    assert_near(p->weight[4], 0, 0); /* the constant feature */
    graft_probe_free(p);
}

TEST(train_probe__scaling_folds_into_the_weights)
{
    same_logits(&wide);
    same_logits(&tall);
}

static void same_bits(const struct problem *q)
{
    struct graft_probe *one = fit(q, -1, 1);
    assert_int_equal(one->folds, 5);
    assert_int_equal(one->judged, q->n);
    assert_true(one->l2 == one->path[one->chosen].l2);
    for (int k = 0; k < GRAFT_PROBE_PATH; k++) {
        assert_true(isfinite(one->path[k].log_loss));
        assert_true(one->path[k].log_loss + 1e-3 >=
                    one->path[one->chosen].log_loss);
    }
    for (int threads = 2; threads <= 7; threads++) {
        struct graft_probe *p = fit(q, -1, threads);
        assert_memory_equal(p->path, one->path, sizeof p->path);
        assert_memory_equal(p->weight, one->weight,
                            (size_t)(q->classes * q->d) * sizeof(float));
        assert_memory_equal(p->bias, one->bias,
                            (size_t)q->classes * sizeof(float));
        graft_probe_free(p);
    }
    graft_probe_free(one);
}

TEST(train_probe__cross_validation_is_the_same_for_any_threads)
{
    same_bits(&wide);
    same_bits(&tall);
}

/* Labels drawn at random, 60 noisy features: the least held-out loss is at
 * a strong l2, and it is no better than guessing. */
TEST(train_probe__noise_is_held_back_strongly)
{
    enum { N = 80, D = 60 };
    static float x[N * D];
    static int32_t label[N];
    struct graft_rng_key key = graft_rng_key(1, 5);
    for (int i = 0; i < N * D; i++)
        x[i] = (float)graft_rng_normal(key, (uint64_t)i);
    for (int i = 0; i < N; i++)
        label[i] = i & 1;
    struct problem q = {x, label, N, D, 2, NULL, 0};
    struct graft_probe *p = fit(&q, -1, 2);
    assert_true(p->l2 >= 0.3);
    assert_true(p->path[p->chosen].log_loss > 0.6);
    assert_true(p->path[GRAFT_PROBE_PATH - 1].log_loss > 1);
    graft_probe_free(p);
}

TEST(train_probe__few_photos_need_no_cross_validation)
{
    static const float x[] = {0, 1, 2, 5, 1, 0, 3, 3};
    static const int32_t label[] = {0, 0, 0, 1};
    struct problem q = {x, label, 4, 2, 2, NULL, 0};
    struct graft_probe *p = fit(&q, -1, 1);
    assert_int_equal(p->folds, 0);
    assert_near(p->l2, GRAFT_PROBE_L2_FALLBACK, 0);
    graft_probe_free(p);
}

TEST(train_probe__says_what_cannot_be_learnt)
{
    struct graft_runtime *rt = runtime(1);
    float x[] = {0, 1, 2, NAN};
    int32_t label[] = {0, 1};
    struct graft_hash *photo = photos(2);
    struct graft_probe_samples s = {.x = x, .n = 2, .d = 2, .label = label,
                                    .classes = 2, .photo = photo};
    struct graft_probe_options o = {.l2 = -1};
    struct graft_probe *p = NULL;
    assert_fails(graft_probe_fit(&p, rt, &s, &o), GRAFT_EDATA, "feature 1");
    s.classes = 3;
    assert_fails(graft_probe_fit(&p, rt, &s, &o), GRAFT_EDATA, "class 2");
    s.classes = 1;
    assert_fails(graft_probe_fit(&p, rt, &s, &o), GRAFT_EDATA, "1 class");
    x[3] = 0;
    s.classes = 2;
    graft_runtime_cancel(rt);
    s.n = 2;
    assert_ok(graft_probe_fit(&p, rt, &s, &o)); /* nothing long to cancel */
    graft_probe_free(p);
    graft_free(photo);
    graft_runtime_free(rt);
}

TEST(train_probe__every_failed_allocation_is_survived)
{
    struct graft_runtime *rt = runtime(1);
    struct graft_hash *photo = photos(wide.n);
    struct graft_probe_samples s = {.x = wide.x, .n = wide.n, .d = wide.d,
                                    .label = wide.label, .classes = 2,
                                    .photo = photo};
    struct graft_probe_options o = {.l2 = -1};
    struct graft_probe *p = NULL;
    int status = GRAFT_EMEM;
    uint64_t before = graft_alloc_stats().live_bytes, nth = 0;
    while (status) {
        graft_alloc_fail_at(++nth, 0);
        status = graft_probe_fit(&p, rt, &s, &o);
        graft_alloc_fail_at(0, 0);
        if (!status)
            break;
        assert_int_equal(status, GRAFT_EMEM);
        assert_null(p);
        assert_true(graft_alloc_stats().live_bytes == before);
        assert_true(nth < 100000); /* or something else is wrong */
    }
    assert_true(nth > 20); /* there were that many to fail */
    graft_probe_free(p);
    graft_free(photo);
    graft_runtime_free(rt);
}
