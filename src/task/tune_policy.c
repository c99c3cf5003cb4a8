/* Choosing depth and rate from short runs (tune_policy.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/tune_policy.h"

#include <math.h>
#include <stddef.h>

enum { CHOOSE_MIN = 60 }; /* photos that shall choose, where there are folds */

int graft_policy_choosing(int folds, int photos)
{
    return folds > 3 && photos / folds < CHOOSE_MIN ? 2 : 1;
}

/* ---- what runs came to --------------------------------------------------- */

static const struct graft_short_run *find(const struct graft_policy *p,
                                          int depth, int rate, int fold)
{
    for (int i = 0; i < p->n; i++)
        if (p->run[i].depth == depth && p->run[i].rate == rate &&
            p->run[i].fold == fold)
            return &p->run[i];
    return NULL;
}

void graft_policy_sum(struct graft_short_run *sum,
                      const struct graft_policy *p, int depth, int rate,
                      int first, int end)
{
    *sum = (struct graft_short_run){.depth = depth, .rate = rate,
                                    .fold = first};
    for (int f = first; f < end; f++) {
        const struct graft_short_run *r = find(p, depth, rate, f);
        if (!r)
            continue;
        sum->parameters = r->parameters;
        sum->head_parameters = r->head_parameters;
        sum->elements = r->elements;
        if (r->why) {
            sum->why = sum->why ? sum->why : r->why;
            continue;
        }
        sum->epochs = r->epochs;
        sum->held += r->held;
        sum->probe_errors += r->probe_errors;
        sum->errors += r->errors;
        sum->probe += r->probe;
        sum->tuned += r->tuned;
        sum->squares += r->squares;
    }
}

double graft_short_run_difference(const struct graft_short_run *r)
{
    return r->held ? (r->probe - r->tuned) / r->held : NAN;
}

double graft_short_run_error(const struct graft_short_run *r)
{
    const double n = r->held, mean = graft_short_run_difference(r);
    if (r->held < 2)
        return NAN;
    return sqrt(fmax(r->squares - n * mean * mean, 0) / (n - 1) / n);
}

bool graft_short_run_wins(const struct graft_short_run *r)
{
    return graft_short_run_difference(r) > graft_short_run_error(r) &&
           r->errors <= r->probe_errors; /* NaN: no */
}

/* ---- choosing ------------------------------------------------------------ */

/* What it is better by than the probe, less the standard error of that: a
 * gain that rests on a few photos counts for less. Without a result on each of
 * the folds that choose, minus infinity. */
static double worth(const struct graft_policy *p, int depth, int rate)
{
    struct graft_short_run sum;
    for (int f = 0; f < p->choosing; f++) {
        const struct graft_short_run *r = find(p, depth, rate, f);
        if (!r || r->why)
            return -INFINITY;
    }
    graft_policy_sum(&sum, p, depth, rate, 0, p->choosing);
    double margin = graft_short_run_difference(&sum) -
                    graft_short_run_error(&sum);
    return isfinite(margin) ? margin : -INFINITY;
}

bool graft_policy_best(int *depth, int *rate, const struct graft_policy *p)
{
    static const int order[GRAFT_RATES] = {GRAFT_RATE_MIDDLE,
                                           GRAFT_RATE_MIDDLE - 1,
                                           GRAFT_RATE_MIDDLE + 1};
    double best = -INFINITY;
    for (int d = 0; d < p->depths; d++)
        for (int i = 0; i < GRAFT_RATES; i++) {
            double w = worth(p, d, order[i]);
            if (!(w > best))
                continue;
            best = w;
            *depth = d;
            *rate = order[i];
        }
    return best > -INFINITY;
}

/* The first of these folds without a run, unless one before it could not be
 * made. */
static bool missing(struct graft_short_run *next,
                    const struct graft_policy *p, int depth, int rate,
                    int first, int end)
{
    for (int f = first; f < end; f++) {
        const struct graft_short_run *r = find(p, depth, rate, f);
        if (r && r->why)
            return false;
        if (r)
            continue;
        *next = (struct graft_short_run){.depth = depth, .rate = rate,
                                         .fold = f};
        return true;
    }
    return false;
}

static bool choose_rate(struct graft_short_run *next,
                        const struct graft_policy *p, int depth)
{
    const int middle = GRAFT_RATE_MIDDLE, end = p->choosing;
    if (missing(next, p, depth, middle + 1, 0, end))
        return true;
    if (worth(p, depth, middle + 1) > worth(p, depth, middle))
        return false;
    return missing(next, p, depth, middle - 1, 0, end);
}

/* While it is ahead, on the folds that are left. */
static bool decide(struct graft_short_run *next, const struct graft_policy *p,
                   int depth, int rate)
{
    struct graft_short_run sum;
    graft_policy_sum(&sum, p, depth, rate, 0, p->choosing);
    if (!(graft_short_run_difference(&sum) > 0))
        return false;
    graft_policy_sum(&sum, p, depth, rate, p->choosing, p->folds);
    if (sum.held && !(graft_short_run_difference(&sum) > 0))
        return false;
    return missing(next, p, depth, rate, p->choosing, p->folds);
}

bool graft_policy_next(struct graft_short_run *next,
                       const struct graft_policy *p)
{
    int depth = 0, rate = 0;
    if (p->n >= GRAFT_TRIES_MAX)
        return false;
    for (int d = 0; d < p->depths; d++)
        if (missing(next, p, d, GRAFT_RATE_MIDDLE, 0, p->choosing))
            return true;
    if (!graft_policy_best(&depth, &rate, p))
        return false;
    if (p->rates && choose_rate(next, p, depth))
        return true;
    graft_policy_best(&depth, &rate, p);
    return decide(next, p, depth, rate);
}
