/* Solving the probe in its space, once or along a path of l2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_PATH_H
#define GRAFT_TRAIN_PATH_H

#include "train/logistic.h"
#include "train/probe.h"
#include "train/space.h"

/* One problem over a space's coordinates. Variables are u = s v, with s the
 * square root of the objective's curvature along each axis near v = 0: for
 * those, L-BFGS starts with nearly the true curvature, and every l2 takes
 * few steps. */
struct graft_axis_problem {
    struct graft_logistic f; /* f.x: coordinates */
    const struct graft_space *space;
    double *scale;           /* [units][r + 1] */
    double *v, *g;           /* [units][r + 1] scratch */
    double *u;               /* [units][r + 1] the solution, scaled */
    double value;
    int iterations;
};
int graft_axis_problem_init(struct graft_axis_problem *p,
                            const struct graft_space *s,
                            const struct graft_probe_samples *samples,
                            const double *weight);
void graft_axis_problem_release(struct graft_axis_problem *p);
/* From where it stands to the minimum for l2, or (relative > 0) until further
 * steps would change the value by hardly more than that part of it. The
 * solution is in p->v. */
int graft_axis_problem_solve(struct graft_axis_problem *p, double l2,
                             double relative);

/* Cross-validation: fills folds, judged, path and chosen of `probe`. Leaves
 * folds 0 where nothing can be held out. */
int graft_probe_cross_validate(struct graft_probe *probe,
                               struct graft_runtime *rt,
                               const struct graft_space *s,
                               const struct graft_probe_samples *samples,
                               uint64_t seed);

#endif
