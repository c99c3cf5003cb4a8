/* Frozen layers' results as the inputs of a learner: what a row of each photo
 * and view holds (features.h) goes into the values that cross (crossing.h).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_TUPLES_H
#define GRAFT_TRAIN_TUPLES_H

#include "program/crossing.h"
#include "train/learner.h"

struct graft_tuples {
    const struct graft_crossing *crossing;
    const float *row;          /* [photos][views][crossing->floats] */
    const int32_t *label;      /* [photos] */
    int views;                 /* rows of a photo, 1 or more; the first is the
                                  photo itself */
    uint64_t seed;             /* which of them an epoch takes */
    double smoothing;          /* of labels; needs a loss on rows */
    const double *class_weight; /* [classes]; NULL: all 1 */
};
/* The row of a photo in an epoch: with several views each is as likely. */
int64_t graft_tuples_row(const struct graft_tuples *t, int64_t photo,
                         int64_t epoch);
/* graft_fill_fn; ctx is the tuples. Who judges gets photos themselves and
 * their plain labels. */
int graft_tuples_fill(void *ctx, const struct graft_shard *s);
/* Targets and weights of a shard alone; label and class_weight as above. Who
 * judges wants smoothing 0. */
void graft_targets_fill(const struct graft_shard *s, const int32_t *label,
                        double smoothing, const double *class_weight);

#endif
