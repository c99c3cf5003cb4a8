/* A small network, its data and a learner on it, for tests of fine-tuning's
 * engine.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_SCHOOL_H
#define GRAFT_TEST_SCHOOL_H

#include "support/net.h"
#include "train/learner.h"

enum { SCHOOL_IMAGES = 37, SCHOOL_IN = 6, SCHOOL_CLASSES = 3 };

/* Linear - Relu - Linear: parameters w1, b1, w2, b2. */
struct school {
    struct graft_runtime *rt;
    struct net *net;
    struct graft_store *store;
    struct graft_selection *s;
    struct graft_program *p;
    struct graft_learner *l;
    float x[SCHOOL_IMAGES][SCHOOL_IN];
    int32_t label[SCHOOL_IMAGES];
    int calls;             /* shards that were filled */
    double loss[200];      /* of each step */
    int spoil;             /* the step whose inputs are no numbers, -1 */
};

/* Without a learner; close frees that too. */
void school_open(struct school *s, int threads, int shard);
void school_close(struct school *s);
/* 5 epochs of 3 steps. */
struct graft_learner_options school_recipe(struct school *s);
void school_attend(struct school *s, const struct graft_learner_options *o);
void school_learn_to(struct school *s, int64_t step);

/* Each of them, for school_optimize. */
enum { SCHOOL_OPTIMIZERS = 3 };
extern const struct graft_optimizer_options
    school_optimizers[SCHOOL_OPTIMIZERS];
/* Opened, in shards of 4, with averages and clipping. */
void school_optimize(struct school *s, int threads,
                     const struct graft_optimizer_options *q);
/* All that goes on from here. */
void school_same_state(const struct school *a, const struct school *b);

#endif
