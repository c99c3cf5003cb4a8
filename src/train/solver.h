/* A solver minimises a smooth function of many variables. Rows live in
 * src/train/solver_*.c; the Makefile makes the table of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_SOLVER_H
#define GRAFT_TRAIN_SOLVER_H

#include <stdint.h>

/* Value at x [n], and the gradient into g [n]. Pure: called again and again
 * with different x. */
typedef double graft_objective_fn(void *ctx, const double *x, double *g);

struct graft_minimise {
    int64_t n;
    graft_objective_fn *objective;
    void *ctx;
    double tolerance;   /* stop at |g| < tolerance * max(1, |x|) */
    double relative;    /* or once the value has fallen by less than this
                           part of itself over 4 iterations; 0: never */
    int max_iterations; /* 0: no bound */
    /* filled: */
    double value;
    int iterations;
};

struct graft_solver {
    const char *name, *about;
    /* From x [n] to the minimum, in place. Ends without error where rounding
     * allows no further descent. */
    int (*minimise)(struct graft_minimise *m, double *x);
};
extern const struct graft_solver *const graft_solver_table[]; /* NULL ends */
extern const struct graft_solver graft_solver_lbfgs;

#endif
