/* --unfreeze auto: which short run is made next, and what they came to. Pure
 * functions of the runs so far, so that a run that was stopped goes on alike.
 *
 * A candidate is a depth (which words) at a rate. The training photos lie in
 * folds that keep near-copies together; a run learns from all folds but one
 * and is judged on that one beside the probe of the same photos. The first
 * folds choose: every depth at the middle rate, then the best depth at the
 * higher rate and, if that is no better, at the lower one. The chosen one has
 * to beat the probe on the folds that are left, which had no part in the
 * choice: the best of several on one fold looks better than it is.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_TUNE_POLICY_H
#define GRAFT_TASK_TUNE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum { GRAFT_DEPTHS = 3, GRAFT_RATES = 3, GRAFT_RATE_MIDDLE = 1,
       GRAFT_TRIES_MAX = 32 };

/* Why a run was not made, or has no result. */
enum graft_untried { GRAFT_TRIED, GRAFT_NO_TIME, GRAFT_NO_MEMORY,
                     GRAFT_NOT_FINITE, GRAFT_NO_SUCH_DEPTH, GRAFT_UNTRIED_END };

struct graft_short_run {
    int32_t depth, rate, fold;
    int32_t why;               /* graft_untried */
    int32_t epochs, held;      /* photos that judged it */
    int32_t probe_errors, errors;
    int32_t parameters, head_parameters;
    int64_t elements;
    double probe, tuned;       /* sums of log-losses */
    double squares;            /* of their differences, photo by photo */
};

struct graft_policy {
    const struct graft_short_run *run;
    int n;
    int depths;                /* there are, cheapest first */
    int folds, choosing;       /* the first of them */
    bool rates;                /* the rate is open */
};

/* Folds that choose, of so many with so many photos to judge by in all: one,
 * two where that would be few photos. At least one is left to decide. */
int graft_policy_choosing(int folds, int photos);
/* False: nothing is left to try. Else depth, rate and fold of the next run. */
bool graft_policy_next(struct graft_short_run *next,
                       const struct graft_policy *p);
/* Which candidate is the best on the folds that choose, by what it is better
 * by than the probe less the standard error of that; false: none has been
 * judged on all of them. */
bool graft_policy_best(int *depth, int *rate, const struct graft_policy *p);
/* All runs of a candidate on folds first to end - 1 together; held 0: none. */
void graft_policy_sum(struct graft_short_run *sum,
                      const struct graft_policy *p, int depth, int rate,
                      int first, int end);
/* Probe minus tuned, the mean of the photos, and its standard error. */
double graft_short_run_difference(const struct graft_short_run *r);
double graft_short_run_error(const struct graft_short_run *r);
/* Is the difference larger than its standard error, without more mistakes? */
bool graft_short_run_wins(const struct graft_short_run *r);

#endif
