/* The objective of logistic regression, its gradient, and answers.
 *
 * With two classes there is one unit (as in scikit-learn):
 *     f(w, b) = 1/S sum_i s_i log(1 + exp(-y_i z_i)) + l2/2 |w|^2,
 *     z_i = w.x_i + b, y_i = -1 for class 0, +1 for class 1;
 * with C > 2 there are C units, softmax over them:
 *     f(W, b) = 1/S sum_i s_i (log sum_c exp z_ic - z_i,label) + l2/2 |W|^2.
 * S is the sum of the sample weights s_i. Biases are not penalised. In terms
 * of scikit-learn's C: C = 1 / (S l2).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_LOGISTIC_H
#define GRAFT_TRAIN_LOGISTIC_H

#include <stdint.h>

struct graft_logistic {
    const double *x;        /* [n][d] */
    int64_t n, d;
    const int32_t *label;   /* [n], 0 .. classes-1 */
    int classes;
    const double *weight;   /* [n] of each sample; NULL: all 1 */
    double l2;
    double *score;          /* 2 [n][units] scratch; after a value call it
                               begins with the scores of every sample with
                               weight, and of all when all_scores is set */
    int all_scores;
};

/* Units for so many classes: 1 for 2, else the classes. */
int graft_logistic_units(int classes);

/* f at v [units][d + 1] (each unit's bias is last); gradient into g, NULL:
 * not wanted. */
double graft_logistic_value(const struct graft_logistic *p, const double *v,
                            double *g);

/* Class probabilities p [classes] from one sample's scores [units]. */
void graft_logistic_answer(int classes, const double *score, double *p);

#endif
