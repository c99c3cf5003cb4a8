/* A model made ready for fine-tuning: opened anew, cut, with a new head, its
 * parameters selected by words, and compiled to be trained from the values
 * that cross into them. Used by training and by whoever asks what it costs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_TUNABLE_H
#define GRAFT_TASK_TUNABLE_H

#include "program/crossing.h"
#include "task/classify.h"
#include "task/norms.h"

struct graft_tunable_options {
    const char *path, *cut;        /* cut NULL: by structure */
    const char *unfreeze, *freeze;
    const struct graft_preprocess *preprocess; /* of the input's size */
    const struct graft_probe *head;
    enum graft_norms norms;
    const struct graft_model *like; /* its changed contents are taken over;
                                       NULL: the file's stay */
    bool words_only;               /* finds out whether all of these can be
                                      done, and makes no program */
};

struct graft_tunable {
    struct graft_model *model;
    graft_value_id features;             /* what the head reads */
    graft_value_id logits, weight, bias; /* the head's */
    graft_value_id *rows;                /* the crossing values, and behind
                                            them the features */
    int64_t floats, feature_floats;      /* of a row of them all, of those */
    struct graft_store *store;
    struct graft_selection *selection; /* the head's two parameters last */
    struct graft_crossing crossing;
    struct graft_program *program;
    struct graft_input_dims dims;
    int head_parameters;            /* of the selection */
    int scaled;                     /* those that are trained by factors */
    int64_t elements;               /* of all selected */
    int trainable, stages;          /* that there are */
    int64_t all;                    /* elements of those */
    int normalisations;             /* BatchNormalizations in what is trained,
                                       where `norms` is about them; else 0 */
};

int graft_tunable_open(struct graft_tunable *out, struct graft_runtime *rt,
                       const struct graft_tunable_options *o);
void graft_tunable_release(struct graft_tunable *u); /* all zero is fine */
/* Rows of crossing values and features with the file's weights, so that each
 * photo passes through the network once. Where the input itself crosses, rows
 * are the pixels, without features. */
void graft_tunable_extract(const struct graft_tunable *u,
                           struct graft_extract *x);
/* Bytes of the program: activations, scratch, packed parameters. */
int64_t graft_tunable_bytes(const struct graft_tunable *u);
const char *graft_tunable_name(const struct graft_tunable *u, int k);
/* The first n images of the program's inputs, from rows `stride` apart whose
 * crossing values stand first. */
void graft_tunable_put(const struct graft_tunable *u, const float *rows,
                       int64_t stride, int n);

/* graft_inspect_train (tunable_cost.c). */
int graft_tunable_cost(struct graft_unfreezing **out,
                       struct graft_runtime *rt,
                       const struct graft_train_options *o);

#endif
