/* Optimizers: from a gradient to new values of the selected parameters. Each
 * is a row of a table; formulas are PyTorch's (torch.optim), in the
 * precision of the parameters, so the same steps give the same training.
 *
 *     struct graft_optimizer *o;
 *     struct graft_optimizer_options q = GRAFT_SGD;
 *     status = graft_optimizer_new(&o, pool, selection, &q);
 *     graft_optimizer_step(o, gradient, rate);      once per step
 *     graft_optimizer_free(o);
 *
 * Everything is element by element, so no number of threads changes a bit.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_OPTIMIZER_H
#define GRAFT_TRAIN_OPTIMIZER_H

#include "program/store.h"

enum { GRAFT_STATES_MAX = 2 }; /* vectors that a row keeps */

/* What a row gets for elements 0 .. n-1 of one parameter. */
struct graft_update {
    real *w;             /* the parameter's, changed in place */
    const real *g;       /* the gradient's */
    real *state[GRAFT_STATES_MAX];
    int64_t n;
    int64_t step;        /* 1 for the first */
    double rate, decay;  /* learning rate and weight decay of this group */
    const struct graft_optimizer_options *options;
};

struct graft_optimizer_row {
    const char *name, *about;
    const char *state[GRAFT_STATES_MAX]; /* names of the vectors; NULL: none */
    void (*update)(const struct graft_update *u);
};
extern const struct graft_optimizer_row graft_optimizer_table[]; /* name NULL
                                                                    ends it */
/* NULL: none, and the message lists those there are. */
const struct graft_optimizer_row *graft_optimizer_find(const char *name);

/* Rate and decay of a group are multiples of those of all. */
struct graft_group {
    double rate, decay;
};

struct graft_optimizer_options {
    const char *name;        /* "sgd", "adam", "adamw" */
    double momentum;         /* sgd */
    bool nesterov;           /* sgd */
    double beta1, beta2, epsilon; /* adam, adamw */
    double weight_decay;
    bool decay_all;          /* biases and normalisations (parameters of one
                                dimension) too, as PyTorch does if not told
                                otherwise */
    const struct graft_group *group; /* per selected->group; NULL: all 1 */
    int n_groups;
};
#define GRAFT_SGD                                                           \
    {"sgd", 0.9, false, 0.9, 0.999, 1e-8, 0, true, NULL, 0}

struct graft_optimizer {
    const struct graft_optimizer_row *row;
    struct graft_optimizer_options options; /* group copied */
    const struct graft_selection *selection;
    struct graft_pool *pool;
    real *state[GRAFT_STATES_MAX]; /* flat vectors like the masters */
    double *rate, *decay;          /* factors of each selected parameter */
    struct graft_span_task *task;  /* ranges of parameters */
    int64_t n_tasks;
    int64_t step;                  /* steps done */
};

int graft_optimizer_new(struct graft_optimizer **out, struct graft_pool *pool,
                        const struct graft_selection *s,
                        const struct graft_optimizer_options *options);
void graft_optimizer_free(struct graft_optimizer *o);
/* One step of all masters along `gradient` (flat) at this learning rate. */
void graft_optimizer_step(struct graft_optimizer *o, const real *gradient,
                          double rate);
int64_t graft_optimizer_bytes(const struct graft_optimizer *o);

/* ---- on flat vectors ----------------------------------------------------- */

/* Euclidean norm of n elements: sums of ranges of a fixed size, then these in
 * order, in double. Not finite where an element is not. */
double graft_flat_norm(struct graft_pool *pool, const real *x, int64_t n);
void graft_flat_scale(struct graft_pool *pool, real *x, int64_t n, double by);
/* to = decay to + (1 - decay) x: exponential moving average. */
void graft_flat_average(struct graft_pool *pool, real *to, const real *x,
                        int64_t n, double decay);

#endif
