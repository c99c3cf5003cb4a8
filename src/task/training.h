/* A training on its way: what its steps share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_TRAINING_H
#define GRAFT_TASK_TRAINING_H

#include "task/classify.h"

struct graft_rows {
    struct graft_load_item *item;
    float *x;    /* [n][floats] */
    int *label;  /* [n] */
    int n;
};

struct graft_tune;
struct graft_training {
    struct graft_runtime *rt;
    const struct graft_train_options *o;
    struct graft_model *model;
    struct graft_card *card;  /* of the model, NULL: none */
    struct graft_trunk trunk;
    struct graft_undo *narrow; /* gives the model its fixed batch back; NULL:
                                  it has none, or cannot do without */
    struct graft_outputs out;
    struct graft_str source;  /* of the preprocessing */
    struct graft_dataset *data;
    struct graft_extract extract;
    struct graft_probe *probe;
    struct graft_report *report;
    struct graft_rows train, val;
    struct graft_tune *tune;  /* NULL: only the head is trained */
    struct graft_augment augment; /* of the views, where a recipe is named */
    int adapted;              /* normalisations, to the training photos */
    double started, phase;
    int64_t base;             /* bytes of the process that Graft does not
                                 count, before it began */
};

/* The steps, in order. Only the last opens val, after everything was chosen.
 */
int graft_training_open(struct graft_training *t);
int graft_training_list(struct graft_training *t);
/* Adapts to the photos, if wanted, and opens a batch that the file fixes. */
int graft_training_ready(struct graft_training *t);
int graft_training_features(struct graft_training *t);
int graft_training_solve(struct graft_training *t);
int graft_training_tune(struct graft_training *t); /* where it was asked for */
int graft_training_val(struct graft_training *t);
/* All but the report. */
void graft_training_release(struct graft_training *t);

#endif
