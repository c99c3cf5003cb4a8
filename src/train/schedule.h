/* Schedules: the learning rate at each step, and factors of groups.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_SCHEDULE_H
#define GRAFT_TRAIN_SCHEDULE_H

#include "train/optimizer.h"

/* constant  rate
 * cosine    floor + (rate - floor) (1 + cos(pi k)) / 2, k from 0 at the end of
 *           the warm-up to 1 at total_steps
 * linear    rate + (floor - rate) k
 * each after warmup_steps in which it grows by rate / warmup_steps a step. */
struct graft_schedule {
    const char *name;         /* "constant", "cosine", "linear" */
    double learning_rate;
    double floor;             /* the last rate */
    int64_t warmup_steps, total_steps;
};
#define GRAFT_SCHEDULE {"constant", 0.01, 0, 0, 0}

int graft_schedule_check(const struct graft_schedule *s);
/* Rate of step 0, 1, 2, ... A checked schedule. */
double graft_schedule_rate(const struct graft_schedule *s, int64_t step);

/* Groups for layer-wise rate decay: sets s->at[].group to 0 for the selected
 * layer nearest the input, and so on to *n - 1. A layer begins at each node
 * that reads a selected matrix (or kernel); vectors belong to the layer at or
 * before the node that reads them. */
int graft_groups_by_layer(struct graft_selection *s, int *n);
/* group[k].rate = decay^(n-1-k), group[k].decay = 1. */
void graft_groups_decay(struct graft_group *group, int n, double decay);

#endif
