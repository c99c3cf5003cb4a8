/* The probe from samples to a head's weights.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/probe.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "train/path.h"

static int check(const struct graft_probe_samples *s)
{
    if (s->classes < 2)
        return graft_fail(GRAFT_EDATA, "%d class; a classifier needs at "
                          "least 2", s->classes);
    for (int64_t i = 0; i < s->n; i++)
        if (s->label[i] < 0 || s->label[i] >= s->classes)
            return graft_fail(GRAFT_EARG, "sample %lld has class %d of %d",
                              (long long)i, (int)s->label[i], s->classes);
    for (int k = 0; k < s->classes; k++) {
        int64_t i = 0;
        while (i < s->n && s->label[i] != k)
            i++;
        if (i == s->n)
            return graft_fail(GRAFT_EDATA, "class %d of %d has no sample to "
                              "learn from", k, s->classes);
    }
    return GRAFT_OK;
}

static int allocate(struct graft_probe *p)
{
    size_t d = (size_t)p->d, units =
        (size_t)graft_logistic_units(p->classes);
    p->weight = graft_calloc((size_t)p->classes * d, sizeof *p->weight);
    p->bias = graft_calloc((size_t)p->classes, sizeof *p->bias);
    p->standard_weight = graft_calloc(units * (d + 1), sizeof(double));
    p->mean = graft_calloc(d, sizeof(double));
    p->std = graft_calloc(d, sizeof(double));
    return p->weight && p->bias && p->standard_weight && p->mean && p->std
               ? GRAFT_OK : GRAFT_EMEM;
}

/* W' = W / std and b' = b - W'.mean for class k with weights w [d + 1] times
 * `sign`. */
static void fold_scaling(struct graft_probe *p, int k, const double *w,
                         double sign)
{
    double bias = w[p->d];
    for (int64_t j = 0; j < p->d; j++) {
        double raw = w[j] / p->std[j];
        p->weight[k * p->d + j] = (float)(sign * raw);
        bias -= raw * p->mean[j];
    }
    p->bias[k] = (float)(sign * bias);
}

/* One unit becomes two logits, -z/2 and z/2: their softmax is its sigmoid. */
static void fold_all(struct graft_probe *p)
{
    if (p->classes == 2) {
        fold_scaling(p, 0, p->standard_weight, -0.5);
        fold_scaling(p, 1, p->standard_weight, 0.5);
        return;
    }
    for (int k = 0; k < p->classes; k++)
        fold_scaling(p, k, p->standard_weight + k * (p->d + 1), 1);
}

/* The head at p->l2, on all samples. */
static int solve(struct graft_probe *p, const struct graft_space *s,
                 const struct graft_probe_samples *samples)
{
    struct graft_axis_problem a;
    int status = graft_axis_problem_init(&a, s, samples, NULL);
    /* A detour over a stronger l2 shortens the way to a weak one. */
    for (double l2 = 1; !status && l2 > 3 * p->l2 && l2 > 1e-7;
         l2 /= 10)
        status = graft_axis_problem_solve(&a, l2, 1e-2);
    if (!status)
        status = graft_axis_problem_solve(&a, p->l2, 0);
    int units = graft_logistic_units(p->classes);
    for (int u = 0; !status && u < units; u++) {
        double *w = p->standard_weight + u * (p->d + 1);
        graft_space_back(s, a.v + u * (s->r + 1), w);
        w[p->d] = a.v[u * (s->r + 1) + s->r];
    }
    p->objective = a.value;
    p->iterations = a.iterations;
    graft_axis_problem_release(&a);
    return status;
}

static int choose_l2(struct graft_probe *p, struct graft_runtime *rt,
                     const struct graft_space *s,
                     const struct graft_probe_samples *samples,
                     const struct graft_probe_options *o)
{
    p->l2 = o->l2;
    if (o->l2 >= 0)
        return GRAFT_OK;
    int status = graft_probe_cross_validate(p, rt, s, samples, o->seed);
    p->l2 = p->folds ? p->path[p->chosen].l2 : GRAFT_PROBE_L2_FALLBACK;
    return status;
}

int graft_probe_fit(struct graft_probe **out, struct graft_runtime *rt,
                    const struct graft_probe_samples *samples,
                    const struct graft_probe_options *options)
{
    struct graft_space *s = NULL;
    struct graft_probe *p = graft_calloc(1, sizeof *p);
    if (!p)
        return GRAFT_EMEM;
    p->classes = samples->classes;
    p->d = samples->d;
    int status = check(samples);
    if (!status)
        status = allocate(p);
    if (!status)
        status = graft_space_new(&s, samples->x, samples->n, samples->d);
    if (!status)
        status = choose_l2(p, rt, s, samples, options);
    if (!status)
        status = solve(p, s, samples);
    if (!status) {
        memcpy(p->mean, s->mean, (size_t)p->d * sizeof(double));
        memcpy(p->std, s->std, (size_t)p->d * sizeof(double));
        fold_all(p);
    }
    graft_space_free(s);
    if (status) {
        graft_probe_free(p);
        return status;
    }
    *out = p;
    return GRAFT_OK;
}

void graft_probe_free(struct graft_probe *p)
{
    if (!p)
        return;
    graft_free(p->weight);
    graft_free(p->bias);
    graft_free(p->standard_weight);
    graft_free(p->mean);
    graft_free(p->std);
    graft_free(p);
}
