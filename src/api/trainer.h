/* What a public trainer contains.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_API_TRAINER_H
#define GRAFT_API_TRAINER_H

#include "base/runtime.h"
#include "graft/finetune.h"
#include "program/crossing.h"
#include "train/learner.h"

struct graft_trainer {
    const struct graft_model *model;
    struct graft_runtime *rt;
    struct graft_store *store;
    struct graft_selection *selection;
    struct graft_crossing crossing;
    struct graft_program *frozen;     /* NULL: nothing lies before */
    struct graft_program *program;
    struct graft_learner *learner;
    double smoothing;
    struct graft_input_dims *dims;    /* given ones */
    int n_dims;
    graft_value_id *feed;             /* inputs of the model */
    int64_t *feed_count;              /* elements for one image, 0: not read */
    int n_feeds;
    const struct graft_train_batch *batch; /* while a call runs */
    int *array;                       /* which of its arrays each feed reads */
    int64_t *index;                   /* 0, 1, 2, ... */
    int n_index;
    float *row;                       /* crossing values on their way */
    float *shown;                     /* a parameter or gradient to look at */
};

/* Checks a batch and makes it the one that runs (trainer_batch.c); the number
 * of its images, or a status. */
int graft_trainer_take(graft_trainer *t, const struct graft_train_batch *b);
/* graft_fill_fn of the batch. */
int graft_trainer_fill(void *ctx, const struct graft_shard *s);

#endif
