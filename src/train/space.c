/* Standardisation and the turn onto principal axes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/space.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "kernels/gemm.h"

/* The eigenvectors of a matrix of this side take some seconds; beyond it the
 * features are used as they are. */
enum { MAX_SIDE = 2048 };

/* Axes shorter than this part of the longest are rounding (squares). */
#define RANK_TOLERANCE 1e-13

static double *doubles(int64_t a, int64_t b)
{
    return graft_calloc((size_t)a, (size_t)b * sizeof(double));
}

/* Mean and standard deviation (divisor n) of column j. */
static int column(struct graft_space *s, const float *x, int64_t j)
{
    double low = INFINITY, high = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < s->n; i++) {
        double value = x[i * s->d + j];
        if (!isfinite(value))
            return graft_fail(GRAFT_EDATA, "feature %lld of sample %lld is "
                              "%g; nothing can be learnt from it",
                              (long long)j, (long long)i, value);
        sum += value;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    double mean = low == high ? low : sum / (double)s->n;
    for (int64_t i = 0; i < s->n; i++)
        squares += (x[i * s->d + j] - mean) * (x[i * s->d + j] - mean);
    double std = sqrt(squares / (double)s->n);
    s->mean[j] = mean;
    s->constant[j] = low == high || !(std > 0);
    s->std[j] = s->constant[j] ? 1 : std;
    return GRAFT_OK;
}

static int standardise(struct graft_space *s, const float *x)
{
    for (int64_t j = 0; j < s->d; j++) {
        int status = column(s, x, j);
        if (status)
            return status;
    }
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < s->d; j++)
            s->standard[i * s->d + j] =
                (x[i * s->d + j] - s->mean[j]) / s->std[j];
    return GRAFT_OK;
}

/* Keeps the axes that are longer than rounding, longest first. */
static int keep_axes(struct graft_space *s, double *vectors,
                     const double *values, int64_t side)
{
    double top = values[side - 1];
    int64_t r = 0;
    while (r < side && values[side - 1 - r] > top * RANK_TOLERANCE)
        r++;
    s->r = r;
    s->axis = doubles(r ? r : 1, side);
    s->size = doubles(r ? r : 1, 1);
    s->coordinate = doubles(s->n, r ? r : 1);
    if (!s->axis || !s->size || !s->coordinate)
        return GRAFT_EMEM;
    for (int64_t k = 0; k < r; k++) {
        s->size[k] = values[side - 1 - k];
        memcpy(s->axis + k * side, vectors + (side - 1 - k) * side,
               (size_t)side * sizeof(double));
    }
    return GRAFT_OK;
}

/* Samples as rows X = U S V^T. Few samples: X X^T = U S^2 U^T, coordinates
 * X V = U S. Few features: X^T X = V S^2 V^T, coordinates X V. */
static void coordinates(struct graft_space *s)
{
    if (!s->per_sample) {
        struct graft_gemm g = {.tb = true, .m = s->n, .n = s->r, .k = s->d,
                               .alpha = 1, .lda = s->d, .ldb = s->d,
                               .ldc = s->r};
        graft_dgemm(&g, s->standard, s->axis, s->coordinate);
        return;
    }
    for (int64_t k = 0; k < s->r; k++)
        for (int64_t i = 0; i < s->n; i++)
            s->coordinate[i * s->r + k] =
                s->axis[k * s->n + i] * sqrt(s->size[k]);
}

static int turn(struct graft_space *s)
{
    int64_t side = s->d > s->n ? s->n : s->d;
    s->per_sample = s->d > s->n;
    double *square = doubles(side, side), *values = doubles(side, 1);
    int status = square && values ? GRAFT_OK : GRAFT_EMEM;
    if (!status) {
        struct graft_gemm g = {
            .ta = !s->per_sample, .tb = s->per_sample, .m = side, .n = side,
            .k = s->per_sample ? s->d : s->n, .alpha = 1, .lda = s->d,
            .ldb = s->d, .ldc = side};
        graft_dgemm(&g, s->standard, s->standard, square);
        status = graft_symmetric_eigen(side, square, values);
    }
    if (!status)
        status = keep_axes(s, square, values, side);
    if (!status && s->r)
        coordinates(s);
    graft_free(square);
    graft_free(values);
    return status;
}

/* Too large to turn: every standardised feature has n as sum of squares. */
static int stay(struct graft_space *s)
{
    s->r = s->d;
    s->coordinate = s->standard;
    s->size = doubles(s->r, 1);
    if (!s->size)
        return GRAFT_EMEM;
    for (int64_t k = 0; k < s->r; k++)
        s->size[k] = (double)s->n;
    return GRAFT_OK;
}

int graft_space_new(struct graft_space **out, const float *x, int64_t n,
                    int64_t d)
{
    if (n < 1 || d < 1)
        return graft_fail(GRAFT_EDATA, "%lld samples of %lld features",
                          (long long)n, (long long)d);
    struct graft_space *s = graft_calloc(1, sizeof *s);
    if (!s)
        return GRAFT_EMEM;
    s->n = n;
    s->d = d;
    s->mean = doubles(d, 1);
    s->std = doubles(d, 1);
    s->standard = doubles(n, d);
    s->constant = graft_calloc((size_t)d, sizeof *s->constant);
    int status = s->mean && s->std && s->constant && s->standard ? GRAFT_OK
                                                               : GRAFT_EMEM;
    if (!status)
        status = standardise(s, x);
    if (!status)
        status = (n < d ? n : d) <= MAX_SIDE ? turn(s) : stay(s);
    if (status) {
        graft_space_free(s);
        return status;
    }
    *out = s;
    return GRAFT_OK;
}

void graft_space_free(struct graft_space *s)
{
    if (!s)
        return;
    if (s->coordinate != s->standard)
        graft_free(s->coordinate);
    graft_free(s->standard);
    graft_free(s->mean);
    graft_free(s->std);
    graft_free(s->constant);
    graft_free(s->axis);
    graft_free(s->size);
    graft_free(s);
}

static void over_features(const struct graft_space *s, const double *v,
                          double *w)
{
    for (int64_t k = 0; k < s->r; k++)
        for (int64_t j = 0; j < s->d; j++)
            w[j] += v[k] * s->axis[k * s->d + j];
}

/* w = X^T U S^-1 v */
static void over_samples(const struct graft_space *s, const double *v,
                         double *w)
{
    for (int64_t i = 0; i < s->n; i++) {
        double a = 0;
        for (int64_t k = 0; k < s->r; k++)
            a += s->axis[k * s->n + i] / sqrt(s->size[k]) * v[k];
        for (int64_t j = 0; j < s->d; j++)
            w[j] += a * s->standard[i * s->d + j];
    }
}

void graft_space_back(const struct graft_space *s, const double *v,
                      double *w)
{
    memset(w, 0, (size_t)s->d * sizeof *w);
    if (!s->axis)
        memcpy(w, v, (size_t)s->d * sizeof *w);
    else if (s->per_sample)
        over_samples(s, v, w);
    else
        over_features(s, v, w);
    for (int64_t j = 0; j < s->d; j++)
        if (s->constant[j])
            w[j] = 0;
}
