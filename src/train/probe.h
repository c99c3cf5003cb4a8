/* The probe: multinomial logistic regression on features, solved to its
 * optimum; how strongly weights are held back (l2) chosen by cross-validation
 * inside the training samples. The objective is logistic.h's, on standardised
 * features, all samples alike. No learning rate, no epochs; the same samples
 * and seed give the same bits for any number of threads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_PROBE_H
#define GRAFT_TRAIN_PROBE_H

#include "base/hash.h"
#include "base/runtime.h"

/* Tried from strong to weak: 1000, 316, 100, ... 1e-6. */
enum { GRAFT_PROBE_PATH = 19, GRAFT_PROBE_FOLDS = 5 };
/* l2 where nothing can be held out (fewer than two classes have two photos).
 */
#define GRAFT_PROBE_L2_FALLBACK 0.01

struct graft_probe_samples {
    const float *x;                 /* [n][d] features */
    int64_t n, d;
    const int32_t *label;           /* [n], 0 .. classes-1 */
    int classes;                    /* >= 2 */
    const struct graft_hash *photo; /* [n] content: samples of one photo stay
                                       in one fold */
    const int *view;                /* [n]; only view 0 is judged in a
                                       cross-validation. NULL: all are 0 */
};
struct graft_probe_options {
    double l2;     /* < 0: by cross-validation */
    uint64_t seed; /* of the folds */
};

struct graft_probe {
    int classes;
    int64_t d;
    float *weight;       /* [classes][d]: of raw features, the scaling folded
                            in: W' = W / std, b' = b - W'.mean */
    float *bias;         /* [classes] */
    double l2, objective; /* the objective's value reached at l2 */
    int iterations;
    double *standard_weight; /* [units][d + 1], on standardised features */
    double *mean, *std;      /* [d] */
    int folds;           /* 0: no cross-validation was made */
    int judged;          /* samples held out, over all folds */
    int chosen;          /* path[chosen] is l2: the strongest of those whose
                            log_loss is within 0.001 of the least */
    struct graft_probe_step {
        double l2, log_loss, accuracy;
    } path[GRAFT_PROBE_PATH];
};

int graft_probe_fit(struct graft_probe **out, struct graft_runtime *rt,
                    const struct graft_probe_samples *samples,
                    const struct graft_probe_options *options);
void graft_probe_free(struct graft_probe *p);

#endif
