/* Another batch for a model: the parts of graft_model_set_batch.
 *
 * What fixes the batch is found by inference with two batches, the one the
 * file states and one more: where a node's result does not grow with the
 * batch, the constant that says so is replaced by one that leaves the batch
 * open. The edited bytes are read again and run.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_BATCH_H
#define GRAFT_TASK_BATCH_H

#include "program/facts.h"

struct graft_undo;

/* A constant that has to be another one: input `input` of node `node`, which
 * is value `was`. */
struct graft_batch_patch {
    int32_t node;
    int input;
    graft_value_id was;
    int64_t *to;
    int n;
};

struct graft_batch_plan {
    const struct graft_model *m;
    struct graft_arena arena;
    int stated;           /* by the inputs; 0: a symbol */
    const char *symbol;   /* the file's own for its batch, or a free one */
    int n[2];             /* the two batches */
    struct graft_facts facts[2];
    struct graft_shape *given; /* per fed input: sizes of one image */
    int n_feeds;
    GRAFT_ARRAY(struct graft_batch_patch) patch;
};

/* Finds all that fixes the batch, or names the node that cannot do without;
 * nothing to do if the inputs state `batch` (0: a symbol) already. Nothing of
 * the model changes. */
int graft_batch_plan_make(struct graft_batch_plan *p,
                          const struct graft_model *m, int batch);
void graft_batch_plan_release(struct graft_batch_plan *p);
/* One constant that must not fix dimension 0 of output 0: tries what an
 * operator offers in its place. *done: some `to` does. (batch_follow.c) */
int graft_batch_follow(struct graft_batch_plan *p, struct graft_fact *fact,
                       int32_t node, bool *done);
/* Infers the node for the second batch. *grows: every output is as for the
 * first one, with dimension 0 in proportion. */
int graft_batch_try(struct graft_batch_plan *p, struct graft_fact *fact,
                    int32_t node, bool *grows);

/* Leaves the batch open until graft_undo_back: for computing with the model
 * as it is in memory, which inference alone vouches for, as it does for a
 * file that states a symbol. *out: how to go back. */
int graft_batch_open(struct graft_undo **out, struct graft_model *m);

/* Outputs for three random images, each alone as the model is now: to be
 * made before the edit, and compared after it. */
struct graft_batch_proof;
int graft_batch_proof_new(struct graft_batch_proof **out,
                          const struct graft_batch_plan *p,
                          struct graft_runtime *rt);
/* Runs the edited model's bytes, read again, with batches of 1, 2 and 3. */
int graft_batch_proof_check(const struct graft_batch_proof *proof,
                            const struct graft_model *edited);
void graft_batch_proof_free(struct graft_batch_proof *proof);

#endif
