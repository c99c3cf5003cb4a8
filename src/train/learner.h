/* The engine of fine-tuning: steps of an optimizer on a program with a loss.
 *
 *     struct graft_learner_options o = GRAFT_LEARNER;
 *     o.n_images = 100; o.batch_size = 32; o.epochs = 10; o.fill = fill;
 *     status = graft_learner_new(&l, rt, program, selection, &o);
 *     while (!status && !graft_learner_done(l))
 *         status = graft_learner_step(l);
 *     graft_learner_free(l);
 *
 * A step of B images runs as shards of the program's n_max images, one after
 * the other, all threads inside a shard; their gradients add up in that order.
 * Which images a step takes is a pure function of (seed, epoch, position), so
 * neither threads nor stopping and going on change a bit.
 *
 * Where the program normalises by the batch, that batch is a shard ("ghost
 * batch normalization", Hoffer, Hubara and Soudry 2017): statistics depend on
 * the shard's size, which the model fixes, and on nothing else. A step's last
 * shards share its images evenly then, so that none is left with few.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_LEARNER_H
#define GRAFT_TRAIN_LEARNER_H

#include "base/hash.h"
#include "program/program.h"
#include "train/checkpoint.h"
#include "train/schedule.h"

/* What is asked of whoever makes the inputs: those of images index[0..n-1] for
 * the first n images of the program's inputs, and their targets. Weights are
 * 1/n_batch already where the loss is weighted; class weights multiply them.
 * index points into batch, all of the step's images, for who mixes images. */
struct graft_shard {
    struct graft_program *program;
    int64_t epoch, step;    /* from 0 */
    const int64_t *index;
    int n;
    const int64_t *batch;
    int n_batch;
    bool judging;           /* nothing is learnt from it: no augmentation, no
                               smoothing, and what epoch and step are means
                               nothing */
};
typedef int graft_fill_fn(void *ctx, const struct graft_shard *s);

struct graft_step_record {
    int64_t step, epoch;    /* of this step, from 0 */
    int images;
    double loss;            /* before the update */
    double learning_rate, gradient_norm; /* before clipping */
    double seconds;         /* of this step */
    bool epoch_ended;
    double epoch_loss;      /* mean over its images, if it did */
};
/* After each step; other than 0 asks for the end (GRAFT_ECANCELED), the step
 * stays done. */
typedef int graft_step_fn(void *ctx, const struct graft_step_record *r);

struct graft_learner_options {
    struct graft_optimizer_options optimizer;
    struct graft_schedule schedule;
    double clip_norm;       /* largest norm of the gradient; 0: any */
    double ema_decay;       /* of the averaged parameters; 0: none. At step t
                               (from 1) at most (1 + t) / (10 + t) */
    uint64_t seed;
    int64_t n_images;       /* 0: batches are given by hand */
    int batch_size;
    int64_t epochs;
    graft_fill_fn *fill;
    void *fill_ctx;
    graft_step_fn *told;    /* NULL: nobody */
    void *told_ctx;
    const char *recipe;     /* lines "name value" of what else the result
                               depends on (augmentation, data); NULL: none */
    void *extra;            /* bytes of the owner's that are saved with the
                               rest and come back with it; NULL: none */
    uint64_t extra_bytes;
};
#define GRAFT_LEARNER                                                       \
    {GRAFT_SGD, GRAFT_SCHEDULE, 0, 0, 0, 0, 32, 1, NULL, NULL, NULL, NULL,  \
     NULL, NULL, 0}

struct graft_learner {
    struct graft_learner_options options;
    struct graft_runtime *rt;
    struct graft_program *program;     /* borrowed, like the next */
    struct graft_selection *selection;
    struct graft_view scores;          /* the output that the loss is on */
    struct graft_optimizer *optimizer;
    real *gradient, *ema;              /* flat; ema NULL: none */
    real *running;                     /* the program's statistics, NULL: it
                                          has none; every shard learnt from
                                          moves them */
    real *running_ema;                 /* averaged like the parameters */
    int64_t running_size;
    int64_t *order;                    /* of images in epoch order_of */
    int64_t order_of;
    int64_t step, epoch, at;           /* steps done, images done in epoch */
    double epoch_sum;                  /* of losses of those images */
    double best;                       /* lowest so far, see _judge */
    int64_t best_step;                 /* -1: none yet */
    double loss, norm;                 /* of the last gradient */
    char *text;                        /* options, lines "name value" */
};

/* The program has n_max = shard, a weighted loss, and trains `selection`. */
int graft_learner_new(struct graft_learner **out, struct graft_runtime *rt,
                      struct graft_program *program,
                      struct graft_selection *selection,
                      const struct graft_learner_options *options);
void graft_learner_free(struct graft_learner *l);
/* Bytes of gradients, optimizer and average. */
int64_t graft_learner_bytes(const struct graft_learner *l);

/* ---- one step ------------------------------------------------------------ */

/* Loss and gradient of these images at the parameters as they are. Not finite:
 * GRAFT_EMISMATCH, naming the step and the first parameter. */
int graft_learner_gradient(struct graft_learner *l, const int64_t *index,
                           int n);
/* Clips that gradient and steps along it, then runs section 1 anew. */
int graft_learner_apply(struct graft_learner *l);

/* What the parameters say of images, which need not be those of training. */
struct graft_evaluation {
    double loss;    /* sum of weight * own loss; as it comes, finite or not */
    double *each;   /* own loss of each; NULL: not asked for */
    float *scores;  /* [n][classes]; NULL: not asked for */
};
int graft_learner_evaluate(struct graft_learner *l, const int64_t *index,
                           int n, struct graft_evaluation *out);

/* ---- epochs -------------------------------------------------------------- */

int64_t graft_learner_steps(const struct graft_learner *l); /* of all epochs */
bool graft_learner_done(const struct graft_learner *l);
/* One step of the next images; cancelled by the runtime or `told`. */
int graft_learner_step(struct graft_learner *l);
/* Order of n images in an epoch: a permutation. */
void graft_epoch_order(int64_t *order, int64_t n, uint64_t seed,
                       int64_t epoch);
/* Notes what the parameters are worth (lower is better) and says whether that
 * is the best so far. */
bool graft_learner_judge(struct graft_learner *l, double value);
/* Exchanges parameters and their average, for judging and for export; again
 * before the next step. */
void graft_learner_swap(struct graft_learner *l);
/* One line of JSON, without newline, for log.jsonl. */
void graft_step_record_line(struct graft_str *out,
                            const struct graft_step_record *r);

/* ---- state --------------------------------------------------------------- */

int graft_learner_save(struct graft_learner *l, const char *path);
/* As graft_checkpoint_keep, after that many steps. */
int graft_learner_keep(struct graft_learner *l, const char *folder,
                       bool best);
/* Goes on from there. With other options than it was saved with (epochs and
 * total_steps may differ): GRAFT_EMISMATCH naming the first that differs,
 * nothing changed. */
int graft_learner_restore(struct graft_learner *l,
                          const struct graft_checkpoint *c);
/* Largest file that can hold this learner's state. */
uint64_t graft_learner_state_max(const struct graft_learner *l);

#endif
