/* L-BFGS with the More-Thuente line search, by liblbfgs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <lbfgs.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "train/solver.h"

/* liblbfgs built for SSE wants vectors of a multiple of 8 variables; those
 * added have no influence and stay 0. */
enum { LANES = 8, HISTORY = 12, PAST = 4 };

static double evaluate(void *instance, const double *x, double *g,
                       const int n, const double step)
{
    struct graft_minimise *m = instance;
    (void)step;
    for (int64_t i = m->n; i < n; i++)
        g[i] = 0;
    return m->objective(m->ctx, x, g);
}

static int count(void *instance, const double *x, const double *g,
                 const double fx, const double xnorm, const double gnorm,
                 const double step, int n, int k, int ls)
{
    struct graft_minimise *m = instance;
    (void)x, (void)g, (void)fx, (void)xnorm, (void)gnorm, (void)step;
    (void)n, (void)k, (void)ls;
    m->iterations++;
    return 0;
}

/* What liblbfgs returns when the line search finds no lower point: on convex
 * functions that is the minimum within rounding, and x is the best point. */
static int is_rounding_end(int code)
{
    static const int ends[] = {
        LBFGSERR_ROUNDING_ERROR,  LBFGSERR_MINIMUMSTEP,
        LBFGSERR_MAXIMUMLINESEARCH, LBFGSERR_WIDTHTOOSMALL,
        LBFGSERR_OUTOFINTERVAL,   LBFGSERR_INCORRECT_TMINMAX,
        LBFGSERR_INCREASEGRADIENT, LBFGSERR_MAXIMUMITERATION,
        LBFGSERR_MAXIMUMSTEP};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (code == ends[i])
            return 1;
    return 0;
}

static int descend(struct graft_minimise *m, double *x, int n)
{
    lbfgs_parameter_t p;
    lbfgs_parameter_init(&p);
    p.m = HISTORY;
    p.epsilon = m->tolerance;
    p.past = m->relative > 0 ? PAST : 0;
    p.delta = m->relative;
    p.max_iterations = m->max_iterations;
    int code = lbfgs(n, x, &m->value, evaluate, count, m, &p);
    /* A history spoilt by rounding may stop it early: once more without. */
    if (is_rounding_end(code) && code != LBFGSERR_MAXIMUMITERATION)
        code = lbfgs(n, x, &m->value, evaluate, count, m, &p);
    if (code == LBFGSERR_OUTOFMEMORY)
        return graft_fail_mem((unsigned long long)n * sizeof(double) *
                              (2 * HISTORY + 4));
    if (code < 0 && !is_rounding_end(code))
        return graft_fail(GRAFT_EDATA, "L-BFGS ended with error %d", code);
    if (!isfinite(m->value))
        return graft_fail(GRAFT_EDATA, "L-BFGS: the objective is not finite");
    return GRAFT_OK;
}

static int minimise(struct graft_minimise *m, double *x)
{
    if (m->n < 1 || m->n > INT_MAX - LANES)
        return graft_fail(GRAFT_ELIMIT, "L-BFGS over %lld variables; 1 to %d "
                          "are possible", (long long)m->n, INT_MAX - LANES);
    int n = (int)((m->n + LANES - 1) / LANES * LANES);
    double *padded = graft_alloc_aligned((size_t)n * sizeof *padded);
    if (!padded)
        return GRAFT_EMEM;
    memset(padded, 0, (size_t)n * sizeof *padded);
    memcpy(padded, x, (size_t)m->n * sizeof *x);
    m->iterations = 0;
    int status = descend(m, padded, n);
    if (!status)
        memcpy(x, padded, (size_t)m->n * sizeof *x);
    graft_free(padded);
    return status;
}

const struct graft_solver graft_solver_lbfgs = {
    .name = "lbfgs",
    .about = "limited-memory BFGS in double precision",
    .minimise = minimise,
};
