/* Logistic regression's objective: plain loops for the small problems of a
 * cross-validation (its folds run beside each other), BLAS for large ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/logistic.h"

#include <math.h>
#include <string.h>

#include "kernels/gemm.h"

/* Multiply-adds of one product from which BLAS, which takes turns, wins. */
#define BLAS_FROM 2000000

int graft_logistic_units(int classes)
{
    return classes == 2 ? 1 : classes;
}

/* Four sums keep four additions under way at a time. */
static double dot(const double *a, const double *b, int64_t n)
{
    double s[4] = {0, 0, 0, 0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            s[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static void add_scaled(double *y, const double *x, double f, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += f * x[i];
}

static int uses_blas(const struct graft_logistic *p)
{
    return p->n * p->d * graft_logistic_units(p->classes) >= BLAS_FROM;
}

static double weight_of(const struct graft_logistic *p, int64_t i)
{
    return p->weight ? p->weight[i] : 1.0;
}

static void scores(const struct graft_logistic *p, const double *v)
{
    int units = graft_logistic_units(p->classes);
    int64_t d = p->d;
    if (uses_blas(p)) {
        for (int64_t i = 0; i < p->n; i++)
            for (int u = 0; u < units; u++)
                p->score[i * units + u] = v[u * (d + 1) + d];
        struct graft_gemm g = {.tb = true, .m = p->n, .n = units, .k = d,
                               .alpha = 1, .beta = 1, .lda = d,
                               .ldb = d + 1, .ldc = units};
        graft_dgemm(&g, p->x, v, p->score);
        return;
    }
    for (int64_t i = 0; i < p->n; i++) {
        if (!p->all_scores && weight_of(p, i) == 0)
            continue;
        for (int u = 0; u < units; u++)
            p->score[i * units + u] =
                dot(p->x + i * d, v + u * (d + 1), d) + v[u * (d + 1) + d];
    }
}

/* log(1 + exp(t)) and 1 / (1 + exp(-t)) without overflow. */
static double softplus(double t)
{
    return t > 0 ? t + log1p(exp(-t)) : log1p(exp(t));
}
static double sigmoid(double t)
{
    return t >= 0 ? 1 / (1 + exp(-t)) : exp(t) / (1 + exp(t));
}

/* Loss of one sample, and its derivative by the scores. */
static double loss_and_slope(const struct graft_logistic *p, int64_t i,
                             double *slope)
{
    int units = graft_logistic_units(p->classes);
    const double *z = p->score + i * units;
    int label = p->label[i];
    if (units == 1) {
        double y = label ? 1 : -1;
        slope[0] = -y * sigmoid(-y * z[0]);
        return softplus(-y * z[0]);
    }
    double top = z[0], sum = 0;
    for (int u = 1; u < units; u++)
        top = fmax(top, z[u]);
    for (int u = 0; u < units; u++)
        sum += slope[u] = exp(z[u] - top);
    for (int u = 0; u < units; u++)
        slope[u] /= sum;
    slope[label] -= 1;
    return log(sum) + top - z[label];
}

static double total_weight(const struct graft_logistic *p)
{
    if (!p->weight)
        return (double)p->n;
    double sum = 0;
    for (int64_t i = 0; i < p->n; i++)
        sum += p->weight[i];
    return sum;
}

/* g = the data term's gradient from slopes [n][units] (in p->score's second
 * half). */
static void gather(const struct graft_logistic *p, const double *slope,
                   double *g)
{
    int units = graft_logistic_units(p->classes);
    int64_t d = p->d;
    memset(g, 0, (size_t)(units * (d + 1)) * sizeof *g);
    if (uses_blas(p)) {
        struct graft_gemm m = {.ta = true, .m = units, .n = d, .k = p->n,
                               .alpha = 1, .beta = 0, .lda = units,
                               .ldb = d, .ldc = d + 1};
        graft_dgemm(&m, slope, p->x, g);
    }
    for (int64_t i = 0; i < p->n; i++)
        for (int u = 0; u < units; u++) {
            double f = slope[i * units + u];
            if (f == 0)
                continue;
            g[u * (d + 1) + d] += f;
            if (!uses_blas(p))
                add_scaled(g + u * (d + 1), p->x + i * d, f, d);
        }
}

double graft_logistic_value(const struct graft_logistic *p, const double *v,
                            double *g)
{
    int units = graft_logistic_units(p->classes);
    int64_t d = p->d;
    double *slope = p->score + p->n * units;
    double total = total_weight(p), value = 0;
    scores(p, v);
    for (int64_t i = 0; i < p->n; i++) {
        double w = weight_of(p, i), *s = slope + i * units;
        if (w == 0) {
            memset(s, 0, (size_t)units * sizeof *s);
            continue;
        }
        value += w * loss_and_slope(p, i, s);
        for (int u = 0; u < units; u++)
            s[u] *= w / total;
    }
    value /= total;
    if (g)
        gather(p, slope, g);
    for (int u = 0; u < units; u++) {
        const double *w = v + u * (d + 1);
        value += 0.5 * p->l2 * dot(w, w, d);
        if (g)
            add_scaled(g + u * (d + 1), w, p->l2, d);
    }
    return value;
}

void graft_logistic_answer(int classes, const double *score, double *p)
{
    if (graft_logistic_units(classes) == 1) {
        p[1] = sigmoid(score[0]);
        p[0] = sigmoid(-score[0]);
        return;
    }
    double top = score[0], sum = 0;
    for (int c = 1; c < classes; c++)
        top = fmax(top, score[c]);
    for (int c = 0; c < classes; c++)
        sum += p[c] = exp(score[c] - top);
    for (int c = 0; c < classes; c++)
        p[c] /= sum;
}
