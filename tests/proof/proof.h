/* What the programs of make proof share: a model with what is asked of it.
 * They end with a message and status 1 where anything fails.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TESTS_PROOF_H
#define GRAFT_TESTS_PROOF_H

#include <stdio.h>

#include "program/program.h"

void proof_need(int status);
_Noreturn void proof_stop(const char *what, const char *name);

/* A file of plain float32. Free `at` with graft_free. */
struct proof_numbers {
    float *at;
    int64_t n;
};
struct proof_numbers proof_numbers(const char *path);

/* Words of the command line:
 *     MODEL NAMES THREADS BATCH [exact] [batchnorm]
 * NAMES has a line for each initializer to train, or for each activation
 * whose gradient is wanted. */
struct proof {
    struct graft_runtime *rt;
    struct graft_model *m;
    struct graft_store *store;
    struct graft_selection *sel;
    graft_value_id *value, *train, *want; /* named; of them; of them */
    int n, n_train, n_want;
    struct graft_compile compile; /* n_max: BATCH */
};
void proof_open(struct proof *p, char **word, int n);
void proof_close(struct proof *p);

FILE *proof_create(const char *path);
void proof_put(FILE *f, const real *x, int64_t n);
/* Prints the names of the running statistics, in the order in which
 * graft_program_running has them:
 *     norm MEAN VAR CHANNELS COUNT
 * COUNT: elements of a channel in the last forward. */
void proof_tell_norms(const struct proof *p, const struct graft_program *q);

#endif
