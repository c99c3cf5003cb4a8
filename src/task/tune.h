/* Fine-tuning inside a training, after the probe.
 *
 *     status = graft_tune_check(o);            before any work
 *     status = graft_tune_new(&u, t);          model, selection
 *     status = graft_tune_features(u);         what crosses, and features
 *     the probe is solved
 *     status = graft_tune_run(u);              try, decide, perhaps all photos
 *     if (u->tuned) graft_tune_answer, graft_tune_store
 *     graft_tune_free(u);
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_TUNE_H
#define GRAFT_TASK_TUNE_H

#include "task/training.h"
#include "task/tunable.h"
#include "task/tune_policy.h"
#include "train/learner.h"

enum { GRAFT_EPOCHS_MAX = 100000 };

/* How a run goes on from its folder; in checkpoints by number. */
enum graft_tune_way { GRAFT_TUNE_WORDS, GRAFT_TUNE_AUTO, GRAFT_TUNE_SCRATCH,
                      GRAFT_TUNE_WAYS };

/* What checkpoints hold beside the learner's state; behind it in memory
 * stand the log-losses of the held-out photos: the probe's, and the best
 * epoch's. */
struct graft_tune_state {
    int64_t planned;        /* epochs of the schedule */
    int64_t judged;         /* epochs of the try that were judged */
    int64_t best_epoch;     /* 0: none yet */
    double best;            /* mean log-loss then */
    double epoch_loss;      /* of the last epoch's steps */
    double seconds, images; /* of steps so far */
    double elapsed;         /* of runs before this one, until their end */
    int64_t log_bytes, csv_bytes; /* of the run's files */
    int64_t probe_errors, best_errors; /* on the held-out photos */
    int32_t stages;         /* of the network; 0: not known yet */
    int32_t runs;           /* short runs that ended (--unfreeze auto) */
    int64_t way;            /* graft_tune_way */
    struct graft_short_run run[GRAFT_TRIES_MAX];
};

/* Bytes at the height of it all, as far as they are known beforehand. */
struct graft_tune_plan {
    int64_t total;          /* of the process */
    int64_t counted;        /* of base/alloc.c, which a limit is about */
    int64_t step;           /* the trained program: activations, packs */
    int64_t vectors;        /* gradients, optimizer, average */
    int64_t rows;           /* kept between epochs */
    int64_t frozen, photos; /* the frozen program, photos being read */
    bool keep;              /* rows fit */
};

struct graft_tune {
    struct graft_training *t;
    struct graft_tune_options o;  /* nothing left open */
    struct graft_tunable u;
    struct graft_extract extract;
    struct graft_load_item *item; /* of training photos and views, those that
                                     can be read */
    int32_t *label;               /* [n] */
    int n;
    bool fresh;                   /* each epoch sees views of its own */
    struct graft_tune_plan plan;
    int64_t most;                 /* largest total of any plan */
    float *x;                     /* [n][u.floats]; NULL: computed or read again
                                     whenever they are needed */
    int64_t *row_of;              /* place in x of each item's row, where only
                                     those held out are kept; NULL: its own */
    float *rows;                  /* of a shard, and behind them of partners
                                     in other shards */
    int *fold, folds;             /* of each; -1: never held out */
    int64_t *all, *rest, *held;   /* places in item */
    int n_rest, n_held;
    int64_t near_copies;          /* photos and views that are another's */
    int64_t *place;               /* of the images of a shard */
    int64_t *subset;              /* of the learner's images; one of those */
    real *start;                  /* the selection as the file has it */
    real *start_running;          /* and the running statistics; NULL: none */
    enum graft_norms norms;
    struct graft_tune_state *state;
    double *probe_loss, *best_loss; /* [n_held] of [n], behind state */
    uint64_t state_bytes;
    struct graft_learner *learner;
    const char *part;             /* "try", "final"; "try-N" */
    char *folder;                 /* NAME.run; NULL: none */
    int log, csv;                 /* descriptors; -1: none */
    bool logging;                 /* they were opened, or tried to */
    double kept, keeping;         /* when a checkpoint was written, and how
                                     long that took */
    double before;                /* seconds of the runs before this one */
    bool tried;                   /* nothing is left of other parts'
                                     checkpoints */
    bool warned;                  /* of files that cannot be written */
    bool tuned;                   /* is better than the probe */
    bool automatic;               /* --unfreeze auto */
    bool diverged;                /* the last run's numbers were not finite */
    int depth;                    /* opened, of those tried; -1: none */
    char words[24], name[24];     /* its words; the run's part */
    double photo_seconds[GRAFT_DEPTHS]; /* of a step of each depth, for one
                                     photo; 0: not known */
    uint64_t decoded;             /* photos, for depths that were closed */
};

bool graft_tune_wanted(const struct graft_tune_options *o);
bool graft_tune_is_auto(const struct graft_tune_options *o);
int graft_tune_check(const struct graft_tune_options *o);
/* With defaults for what the user left open. */
struct graft_tune_options graft_tune_choose(
    const struct graft_tune_options *o);
int graft_tune_new(struct graft_tune **out, struct graft_training *t);
void graft_tune_free(struct graft_tune *u);
/* Photos, folds, state: what graft_tune_run begins with. */
int graft_tune_prepare(struct graft_tune *u);
/* Does it compute the features on the way to what crosses? u may be NULL. */
bool graft_tune_gives_features(const struct graft_tune *u);
/* Holds out that fold. */
void graft_tune_hold_out(struct graft_tune *u, int fold);
/* Photos that were read. */
uint64_t graft_tune_decoded(const struct graft_tune *u);
/* Fills t->train.x, and keeps what crosses where it fits. */
int graft_tune_features(struct graft_tune *u);
int graft_tune_run(struct graft_tune *u);
/* The tuned parameters and the head into `m`, the training's own model whose
 * features are `features`; probabilities or logits become its output. */
int graft_tune_store(struct graft_tune *u, struct graft_model *m,
                     graft_value_id features);

/* ---- tune_open.c --------------------------------------------------------- */

/* Opens the model with u->o.unfreeze; graft_tune_shut undoes it. */
int graft_tune_begin(struct graft_tune *u);
void graft_tune_shut(struct graft_tune *u);
/* Before auto begins: what was asked for beside it can be done. */
int graft_tune_check_auto(struct graft_tune *u);
/* The selection as the file has it, for every start. */
int graft_tune_note_start(struct graft_tune *u);

/* ---- tune_scratch.c ------------------------------------------------------ */

int graft_tune_check_scratch(const struct graft_tune_options *o,
                             enum graft_norms norms);
/* By whether the network has normalisations. */
void graft_tune_begin_scratch(struct graft_tune *u);
/* The head that a training from scratch begins with, in the probe's place. */
int graft_tune_scratch_head(struct graft_probe **out,
                            const struct graft_training *t);
int graft_tune_scratch(struct graft_tune *u);
/* ---- tune_run.c ---------------------------------------------------------- */

/* The backbone of the file, and this head. */
void graft_tune_start(struct graft_tune *u, const struct graft_probe *head);
/* From the probe of the photos that are not held out; log-losses of it. */
int graft_tune_start_rest(struct graft_tune *u);
/* Steps on those photos from where the parameters are, or from where a
 * stopped run left them. What is left in the masters is what was trained. */
int graft_tune_part(struct graft_tune *u, const char *part, int64_t *subset,
                    int n, bool go_on);
/* On all photos, from t->probe, rounded to what the file can hold. */
int graft_tune_final(struct graft_tune *u, bool go_on);
/* u->state->planned: with a time limit, as many epochs as fit. */
int graft_tune_epochs(struct graft_tune *u);
/* Seconds of a step for one photo, measured. */
int graft_tune_speed(struct graft_tune *u, double *seconds);

/* ---- tune_auto.c --------------------------------------------------------- */

/* Tries depths and rates, decides, and trains on all photos. */
int graft_tune_auto(struct graft_tune *u);

/* ---- tune_tried.c -------------------------------------------------------- */

/* Words of a depth in a network of so many stages. */
void graft_auto_words(char words[24], int depth, int stages);
double graft_auto_rate(const struct graft_tune *u, int rate);
struct graft_policy graft_auto_policy(const struct graft_tune *u);
const char *graft_auto_untried(int why);
/* Sets u->tuned, which candidate is the best, and what is reported. */
int graft_auto_decide(struct graft_tune *u, int *depth, int *rate);

/* ---- tune_rows.c --------------------------------------------------------- */

int graft_tune_open_rows(struct graft_tune *u);
/* After the photos that cannot be read were left out of item: the rows move
 * with them; pixels are read where they are what crosses. */
int graft_tune_keep_rows(struct graft_tune *u);
/* Fresh views are never asked for again: only the rows of what is held out
 * are kept. */
int graft_tune_keep_held(struct graft_tune *u);
/* Rows of those items into u->rows; view 0: as they stand in item, else that
 * view of each of them. */
int graft_tune_fetch(struct graft_tune *u, const int64_t *at, int n,
                     int view);
/* Rows of all photos that can be read, for a depth opened later. */
int graft_tune_compute_rows(struct graft_tune *u);
/* Class probabilities p [n][classes] of the network as it is now for these
 * places in item. */
int graft_tune_known(struct graft_tune *u, double *p, const int64_t *at,
                     int n);
/* The same for other photos; those that cannot be read have `failed` set and
 * no probabilities. */
int graft_tune_answer(struct graft_tune *u, double *p,
                      struct graft_load_item *items, int n);

/* ---- tune_plan.c --------------------------------------------------------- */

/* Sets u->plan and announces it, with u's programs there and nothing else yet;
 * `rows`: bytes of all rows. GRAFT_ELIMIT, naming both numbers, where it does
 * not fit. */
int graft_tune_memory(struct graft_tune *u, int64_t rows);
/* Nothing is learnt any more: what only that needed is given back. */
void graft_tune_rest(struct graft_tune *u);

/* ---- tune_fill.c --------------------------------------------------------- */

/* What a shard may need beside its own photos: partners of its first and its
 * last one. */
enum { GRAFT_TUNE_PARTNERS = 2 };
graft_fill_fn graft_tune_fill;

/* ---- tune_judge.c -------------------------------------------------------- */

/* Log-loss of each held-out photo with the parameters as they are, and for
 * how many another class is likelier. */
int graft_tune_held(struct graft_tune *u, double *loss, int64_t *errors);
double graft_tune_probe_mean(const struct graft_tune *u);
/* An epoch of the try is worth its mean log-loss on the held-out photos. */
int graft_tune_judge(struct graft_tune *u);
/* Does the epoch that just ended have to be judged? A short run is only worth
 * what its end is. */
bool graft_tune_judges(const struct graft_tune *u);
/* Better than the probe: the mean of the paired differences is larger than
 * its standard error. */
void graft_tune_decide(struct graft_tune *u);

/* ---- tune_state.c -------------------------------------------------------- */

/* What the result depends on beside the learner's options. */
int graft_tune_recipe(struct graft_str *s, const struct graft_tune *u);
/* Before any work: is there a run's folder that nobody spoke of? */
int graft_tune_check_folder(const struct graft_training *t);
/* Opens the folder; with resume *found says which part goes on, NULL: none. */
int graft_tune_folder(struct graft_tune *u, const char **found);
/* The learner's state back from the newest checkpoint of u->part. */
int graft_tune_restore(struct graft_tune *u);
/* Writes one, if it is time or `now`. What the disk refuses is a warning. */
int graft_tune_keep(struct graft_tune *u, bool now);
/* The result is written: checkpoints go, the logs stay. */
void graft_tune_done(struct graft_tune *u);
void graft_tune_close(struct graft_tune *u);

/* ---- tune_log.c ---------------------------------------------------------- */

int graft_tune_open_log(struct graft_tune *u);
void graft_tune_log_step(struct graft_tune *u,
                         const struct graft_step_record *r);
/* After an epoch; held NaN: it was not judged. */
void graft_tune_log_epoch(struct graft_tune *u, double held);
double graft_tune_elapsed(const struct graft_tune *u);
void graft_tune_warn(struct graft_tune *u); /* once, of the last error */

#endif
