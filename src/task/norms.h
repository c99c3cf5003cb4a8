/* What fine-tuning does with BatchNormalization, and a network whose weights
 * are drawn anew.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_NORMS_H
#define GRAFT_TASK_NORMS_H

#include "data/data.h"
#include "program/program.h"
#include "program/unfreeze.h"

/* FROZEN: statistics as the file has them, scale and bias trained where words
 * select them. STATS_FROZEN: as well wherever what is trained reaches them.
 * TRAIN: there statistics follow the batches too. ADAPT: all statistics are
 * first those of the training photos, then FROZEN. */
enum graft_norms {
    GRAFT_NORMS_FROZEN, GRAFT_NORMS_STATS_FROZEN, GRAFT_NORMS_TRAIN,
    GRAFT_NORMS_ADAPT
};
/* NULL is "frozen". */
int graft_norms_of(enum graft_norms *out, const char *word);
const char *graft_norms_name(enum graft_norms norms);
/* Normalisations that a file still has (exporters fold most away). */
int graft_norms_count(const struct graft_model *m);
bool graft_is_norm(const struct graft_node *node);
/* GRAFT_EARG: adapt finds nothing to do in the file `path`. */
int graft_norms_none(const char *path);

/* Adds scale and bias of normalisations that depend on x, those apart that
 * `freeze` (NULL: nothing) names. None that depends on it is refused: *n is
 * their number else. c as for graft_unfreeze. */
int graft_norms_select(struct graft_unfrozen *x, int *n,
                       struct graft_runtime *rt,
                       const struct graft_compile *c, const char *freeze);

/* Makes the running statistics of `p` the contents of `into`, by name. */
int graft_norms_store(struct graft_model *into,
                      const struct graft_program *p,
                      const struct graft_model *own);
/* Makes them what the file's types can hold. */
int graft_norms_round(struct graft_program *p, const struct graft_model *own);

/* ---- adapt.c ------------------------------------------------------------- */

struct graft_adapt {
    struct graft_runtime *rt;
    struct graft_model *model;       /* changed: its trunk, features its only
                                        output */
    const struct graft_preprocess *preprocess;
    bool exact;                      /* full decode */
    bool strict;                     /* a photo that cannot be read is an
                                        error */
    const struct graft_dataset *data;
    graft_progress_fn *progress;     /* NULL: none */
    void *progress_ctx;
    uint64_t room;                   /* bytes that photos may take, and again
                                        what they become; 0: an eighth of
                                        the memory each */
    int normalisations, photos;      /* out */
};
/* "Revisiting Batch Normalization For Practical Domain Adaptation" (Li, Wang,
 * Shi, Liu and Hou 2016): mean and variance of each normalisation's input
 * over all training photos that can be read, with all before it adapted. */
int graft_adapt(struct graft_adapt *a);

/* ---- scratch.c ----------------------------------------------------------- */

/* New weights for everything trainable that the outputs of `m` need: kernels
 * and matrices normal with variance 2 / fan-in (He, Zhang, Ren and Sun 2015)
 * from (seed, name), biases 0, normalisations the identity. Refused where a
 * parameter is used in a way that has no usual beginning. */
int graft_scratch(struct graft_model *m, struct graft_runtime *rt,
                  uint64_t seed);
/* The new head's weight [classes][d]. */
void graft_scratch_head(float *weight, int64_t classes, int64_t d,
                        uint64_t seed);
/* Float parameters of `from` that differ in `to`, into that by name. */
int graft_contents_follow(struct graft_model *to,
                          const struct graft_model *from);

#endif
