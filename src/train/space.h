/* Where the probe is solved: standardised features, turned onto their
 * principal axes. The turn is exact: an optimal weight vector lies in the
 * span of the samples, and lengths stay as they are, so objective and
 * penalty do too. With more features than samples it also makes the problem
 * small: r = rank <= n coordinates instead of d.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_SPACE_H
#define GRAFT_TRAIN_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct graft_space {
    int64_t n, d, r;
    double *mean, *std;  /* [d]; a constant feature has std 1 */
    bool *constant;      /* [d]; its weight is 0 */
    double *standard;    /* [n][d] (x - mean) / std */
    double *axis;        /* r axes: of length n (per_sample) or d; NULL: the
                            coordinates are the standardised features */
    int per_sample;      /* axes combine samples (d > n), else features */
    double *size;        /* [r] sum of squares along each axis */
    double *coordinate;  /* [n][r]; may be `standard` itself */
};

/* From features x [n][d] (finite, else GRAFT_EDATA). */
int graft_space_new(struct graft_space **out, const float *x, int64_t n,
                    int64_t d);
void graft_space_free(struct graft_space *s);

/* Weights over coordinates v [r] -> over standardised features w [d]. */
void graft_space_back(const struct graft_space *s, const double *v,
                      double *w);

#endif
