/* An opened classifier, ours or any other.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_CLASSIFY_USE_H
#define GRAFT_TASK_CLASSIFY_USE_H

#include "task/classify.h"

struct graft_classifier {
    struct graft_model *model;
    struct graft_card *card;   /* NULL: not made by Graft */
    struct graft_extract extract; /* of the output */
    struct graft_str source;   /* of the preprocessing */
    int classes;
    char **label;              /* [classes] */
    int n_labels;
    bool numbered;             /* the model has no labels: their numbers */
};
int graft_classifier_open(struct graft_classifier **out,
                          struct graft_runtime *rt, const char *path,
                          const struct graft_classify_options *o);
void graft_classifier_free(struct graft_classifier *c);

/* Class probabilities from a row of the output. */
void graft_classifier_answer(const struct graft_classifier *c,
                             const float *row, double *p);

#endif
