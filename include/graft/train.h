/* Training a new head, and judging it.
 *
 *     struct graft_train_options o = GRAFT_TRAIN_OPTIONS;
 *     struct graft_report *r;
 *     o.model = "resnet18.onnx"; o.data = "photos"; o.output = "tigers.onnx";
 *     if (graft_train(&r, rt, &o)) return complain(graft_error_message());
 *     printf("%d of %d\n", r->correct, r->total);
 *     graft_report_free(r);
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_H
#define GRAFT_TRAIN_H

#include <stdbool.h>

#include "graft/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How pixels become a model's input; NULL, 0, -1 mean: not given, take it
 * from the model's metadata, else from the preset "imagenet". */
struct graft_preprocess_options {
    const char *preset;  /* "imagenet" "tf" "raw255" "cifar" "bgr255" */
    int width, height;   /* 0: the model's */
    const char *fit;     /* "crop" (short side to size*256/224, centre crop),
                            "squash", "pad" */
    const float *mean;   /* 3 values, of pixels 0..255; x = (p - mean)/std */
    const float *std;
    int bgr;             /* 1: blue first; 0: red first; -1: not given */
};
#define GRAFT_PREPROCESS_OPTIONS {NULL, 0, 0, NULL, NULL, NULL, -1}

/* Fine-tuning: parameters of the backbone are trained too, from the head's
 * solution (the probe) on. One of five folds of the training photos decides,
 * by log-loss, how many epochs are best and whether they beat the probe by
 * more than one standard error; then all training photos are learnt from, or
 * the probe is written. val has no part in this.
 *
 * With unfreeze "auto", short runs choose the words (last-stage, all, and
 * stages:N half way) and the rate (0.001 of 32 photos for sgd, three times and
 * a third of it) on one fold, two below 300 photos. The best one is judged
 * beside the probe on the other folds, as many as there is time for, and has
 * to be better there by more than one standard error, with no more mistakes.
 * Where the probe makes no mistake in its cross-validation nothing is tried. */
struct graft_tune_options {
    const char *unfreeze; /* words joined by commas; each adds parameters:
                             all, last-stage, stages:N, from:VALUE,
                             name:PATTERN, bias, norm, scale-shift. NULL,
                             "none": only the head is trained. "auto", alone:
                             tries which */
    const char *freeze;   /* the same words take away; NULL: nothing */
    const char *optimizer; /* NULL or "sgd"; "adamw" */
    double learning_rate; /* highest; 0: chosen (README.md says how) */
    double momentum;      /* of sgd; < 0: 0.9 */
    double weight_decay;  /* of matrices and kernels; < 0: 1e-4 */
    const char *schedule; /* NULL or "cosine"; "linear", "constant" */
    double warmup;        /* epochs in which the rate grows; < 0: 1, fewer
                             where there are fewer than five */
    double layer_decay;   /* rate of each layer, as a factor of that of the
                             next one nearer the output; 0: 1 */
    int batch_size;       /* photos a step; 0: 32 */
    int epochs;           /* at most; 0: 15; of auto each run's, 0: 60 steps
                             and at least 5 epochs */
    double clip;          /* largest norm of the gradient; 0: any; < 0: 5 */
    double label_smoothing; /* 0 to 1 */
    double ema;           /* average of the parameters decays by this a step,
                             at step t by at most (1 + t) / (10 + t); 0: none
                             is kept */
    int patience;         /* epochs without a better log-loss on the held-out
                             photos before it ends; 0: 5; < 0: any. Not of
                             auto, whose runs go to their end */
    double seconds;       /* epochs are fewer when they would take longer, auto
                             tries less; 0: any time, of auto ten minutes */
    bool resume;          /* goes on from the checkpoints of a run that was
                             stopped */
    double mixup;         /* the photos of a step are mixed in pairs, their
                             labels alike, by a part drawn from Beta(mixup,
                             mixup) for each pair: their pixels where nothing
                             is frozen in front, else what crosses into the
                             trained layers (manifold mixup); 0: none, usual
                             is 0.2, at most 100 */
    const char *bn;       /* BatchNormalization: NULL, "frozen": statistics
                             stay, scale and bias are trained where words
                             select them; "stats-frozen": scale and bias
                             wherever what is trained reaches; "train": there
                             statistics of the batch, running ones written
                             back; "adapt": before all else mean and variance
                             of the training photos, then as frozen (the only
                             one that may stand without unfreeze) */
    bool from_scratch;    /* all weights are drawn anew from the seed, and all
                             photos learnt from; implies unfreeze "all", and
                             bn "train" where there is BatchNormalization */
};
#define GRAFT_TUNE_OPTIONS                                                  \
    {NULL, NULL, NULL, 0, -1, -1, NULL, -1, 0, 0, 0, -1, 0, 0, 0, 0, false, \
     0, NULL, false}

enum { GRAFT_VIEWS_FRESH = -1 };
struct graft_train_options {
    const char *model;  /* path of the backbone */
    const char *data;   /* folder: train/CLASS val/CLASS, or CLASS */
    const char *output; /* path of the file to write; NULL: only report */
    const char *cut;    /* value name; NULL: found by structure */
    struct graft_preprocess_options preprocess;
    uint64_t seed;      /* of splits, folds and views */
    int views;          /* further views of each training photo; 0: none;
                           GRAFT_VIEWS_FRESH: fine-tuning sees each photo as
                           a view drawn anew for every epoch, the head still
                           learns from the photos themselves */
    double l2;          /* < 0: by cross-validation */
    int batch;          /* photos at a time; 0: chosen */
    bool emit_logits;   /* the exported file gives logits */
    bool replace;       /* an existing output may be replaced */
    bool external_data; /* weights beside the file */
    bool strict;        /* a photo that cannot be read is an error */
    bool no_cache;
    const char *decode; /* NULL or "fast": a JPEG at 1/2, 1/4 or 1/8 of its
                           size while its short side stays at least twice
                           what is needed; "exact": every pixel */
    graft_progress_fn *progress;
    void *progress_ctx;
    struct graft_tune_options tune; /* beside the head */
    const char *augment; /* how views differ from their photo: "none", "flip",
                            "standard" (crop 8 to 100 % of the area, flip, a
                            little colour), "strong" (more colour, a box
                            erased in one of four); NULL: crop 35 to 100 %,
                            flip. What is judged is never changed */
};
#define GRAFT_TRAIN_OPTIONS                                                 \
    {NULL, NULL, NULL, NULL, GRAFT_PREPROCESS_OPTIONS, 0, 0, -1.0, 0,       \
     false, false, false, false, false, NULL, NULL, NULL, GRAFT_TUNE_OPTIONS,  \
     NULL}

struct graft_mistake {
    char *file;      /* relative to the data folder */
    int truth, said; /* class indices */
    double p_said, p_truth;
};
struct graft_skipped {
    char *file, *why;
};
/* What --unfreeze auto tried: runs of one candidate, together. */
struct graft_tried {
    char *unfreeze;            /* words */
    double learning_rate;
    int epochs;
    bool deciding;             /* on the folds that decide, not those that
                                  choose */
    int held_out;              /* photos that judged it; 0: none */
    int probe_errors, errors;  /* mistakes on them */
    double probe_log_loss, log_loss; /* on them, mean */
    double difference, standard_error; /* probe minus tuned, paired */
    const char *skipped;       /* why it has no figures; NULL: it has */
};
/* What fine-tuning came to. */
struct graft_tuning {
    char *unfreeze, *freeze;   /* words; freeze NULL: none */
    int parameters, head_parameters; /* trained, the head's among them */
    int64_t elements;          /* of them all */
    const char *optimizer;
    double learning_rate;
    int epochs;                /* tried on four of five folds */
    int best_epoch;            /* of them; 0: none was better than the probe */
    int held_out;              /* photos that decided */
    double probe_log_loss, tuned_log_loss; /* on them, mean; NaN: nothing
                                  could be held out */
    double difference, standard_error; /* probe minus tuned, paired */
    bool tuned;                /* what was written is the tuned one */
    double photos_per_second;  /* of steps */
    bool fresh_views;          /* each epoch saw views of its own */
    double mixup;              /* 0: none */
    const char *bn;            /* "frozen" and so on */
    int normalisations;        /* whose statistics changed, of the file's
                                  BatchNormalizations */
    bool from_scratch;         /* there was no probe to compare with */
    bool automatic;            /* --unfreeze auto; unfreeze, learning_rate and
                                  so on are then those of the chosen one, and
                                  held_out, the log-losses and the difference
                                  of the photos that decided */
    struct graft_tried *tried; /* [n_tried], in that order */
    int n_tried;
    const char *reason;        /* of automatic: why the probe stayed; NULL: it
                                  did not */
};
struct graft_phase {
    const char *name; /* "open", "list", "features", "solve", ... */
    double seconds;
};

/* What came of a training or an evaluation. Owns everything it points to. */
struct graft_report {
    int n_classes;
    char **labels;             /* [n_classes], byte order of folder names */
    int correct, total;        /* on val, opened once, at the end */
    double accuracy, wilson_low, wilson_high; /* 95 % interval */
    int *confusion;            /* [truth * n_classes + said] */
    double *precision, *recall; /* [n_classes]; NaN: nothing to divide by */
    double log_loss;           /* mean, natural logarithm */
    struct graft_mistake *mistakes; /* worst first */
    int n_mistakes;
    struct graft_skipped *skipped;
    int n_skipped;
    struct graft_phase *phases;
    int n_phases;
    double seconds;
    uint64_t peak_bytes;
    /* of a training: */
    int n_train, n_train_views, n_val;
    int split_from_train;      /* 1: val was split off by seed */
    char *cut;                 /* value name */
    int64_t features;
    double l2;                 /* chosen or given */
    double cv_log_loss, cv_accuracy; /* at the chosen l2; NaN: not done */
    uint64_t photos_decoded;   /* the rest came from the cache */
    char *preprocess;          /* in words */
    char *preprocess_source;   /* where it came from, in words */
    char *json;                /* the whole report (documented keys) */
    char *output;              /* paths of the files written, one a line,
                                  the model first; NULL: none */
    /* of each kind: */
    const char *kind;          /* "train", "evaluate", "verify" */
    char *model;               /* file name of the model, without folder */
    const char *part;          /* what was judged: "val", "test", "all" */
    int judged_without_label;  /* evaluate: photos whose class the model does
                                  not have; they count as mistakes */
    /* of a training: */
    uint64_t seed;
    int views;
    int cv_folds;              /* 0: no cross-validation was made */
    struct graft_cv_point {
        double l2, log_loss, accuracy;
    } *cv;                     /* every l2 tried, strong to weak */
    int n_cv;
    /* of a verification: */
    bool verified;             /* what was measured is what is claimed */
    int claimed_correct, claimed_total;
    char *verdict;             /* a sentence with both numbers */
    /* of a training: */
    struct graft_tuning *tuning; /* NULL: only the head was trained */
    char *augment;             /* recipe of the views; NULL: none was named */
    uint64_t planned_bytes;    /* of fine-tuning: what peak_bytes was expected
                                  to be; 0: nothing was */
};

GRAFT_API int graft_train(struct graft_report **out, graft_runtime *rt,
                          const struct graft_train_options *options);
GRAFT_API void graft_report_free(struct graft_report *r);

/* ---- what fine-tuning would cost -------------------------------------------
 */

struct graft_unfreezing {
    char **names;              /* [parameters] of initializers, in the order
                                  of the nodes; the new head's two are last */
    int parameters, head_parameters;
    int scaled;                /* of them, weights of which a factor for each
                                  output channel is trained (scale-shift) */
    int64_t elements;          /* that are trained: of those, the factors */
    int trainable, stages;     /* parameters and stages that there are */
    int64_t trainable_elements;
    char **crossing;           /* [n_crossing] values where training begins:
                                  what lies before is computed once a photo */
    int n_crossing;
    int64_t crossing_elements; /* of them, for one photo */
    int batch;                 /* photos a step */
    int64_t activation_bytes, scratch_bytes, packed_bytes;
    int64_t trained_bytes;     /* parameters, gradient, momentum and so on */
    double step_seconds;       /* measured: the fastest of three */
    char *json;                /* all of this */
    const char *optimizer, *bn;
    int normalisations;        /* BatchNormalizations in what is trained, of
                                  bn "stats-frozen" and "train"; else 0 */
};
/* What graft_train with these options would begin to train of the backbone,
 * with a head of ten classes, and what a step takes. Of the options these
 * count: model, cut, preprocess, and of tune unfreeze, freeze, bn, optimizer,
 * batch_size, ema, from_scratch; what is refused there is refused here. */
GRAFT_API int graft_inspect_train(struct graft_unfreezing **out,
                                  graft_runtime *rt,
                                  const struct graft_train_options *options);
/* The same for short: `freeze` NULL: nothing; `cut` NULL: by structure; a step
 * of `batch` photos, 0: 32. */
GRAFT_API int graft_inspect_unfreeze(struct graft_unfreezing **out,
                                     graft_runtime *rt, const char *model,
                                     const char *cut, const char *unfreeze,
                                     const char *freeze, int batch);
GRAFT_API void graft_unfreezing_free(struct graft_unfreezing *x);

/* ---- files beside the exported one -----------------------------------------
 *
 * graft_train writes NAME.onnx and, beside it, NAME.json (the card: the same
 * object as the metadata entry "graft" inside NAME.onnx), NAME.labels.txt
 * (a label a line, in the order of the outputs) and NAME.report.json. All
 * appear complete or not at all.
 *
 * With tune.unfreeze there is a folder NAME.run: log.jsonl (an object for each
 * step and each epoch), metrics.csv (a row for each epoch; `part` is "try" for
 * the steps that decide, "final" for those on all photos, "try-1", "try-2" ...
 * for the short runs of "auto"), and until all is written, checkpoints.
 *
 * The report, schema "graft-report/1" (also graft_report.json, and what
 * graft_evaluate and graft_verify give). A number that cannot be had (nothing
 * to divide by) is null. Keys:
 *
 *   schema, kind, graft (version), model (file name)
 *   classes[]            .label, .precision, .recall, .photos (of val)
 *   val.part             "val", "test" or "all"
 *   val.correct, val.total, val.accuracy
 *   val.wilson_low, val.wilson_high      95 % interval
 *   val.log_loss         mean, natural logarithm, p at least 1e-15
 *   val.confusion[][]    rows: truth, columns: said
 *   val.mistakes[]       .file, .truth, .said (labels; truth null: the model
 *                        has no such class), .p_said, .p_truth; worst first
 *   val.without_label    photos of classes that the model does not have
 *   train.photos, train.samples (photos and views), train.views,
 *   train.augment                        only where a recipe was named
 *   train.seed, train.split ("folder" or "seed"), train.cut,
 *   train.features, train.l2             only of a training
 *   tune.unfreeze, tune.freeze, tune.parameters, tune.head_parameters,
 *   tune.elements, tune.optimizer, tune.learning_rate, tune.epochs,
 *   tune.best_epoch, tune.held_out, tune.probe_log_loss,
 *   tune.tuned_log_loss, tune.difference, tune.standard_error,
 *   tune.chosen ("probe" or "tuned"), tune.bn, tune.normalisations (whose
 *   statistics changed), tune.from_scratch (true: nothing was held out, no
 *   probe was solved, train.l2 is null)  only with tune.unfreeze
 *   tune.views ("fresh"), tune.mixup     only where they were asked for
 *   tune.auto (true), tune.reason        of "auto", whose other keys are those
 *                        of the chosen candidate on the photos that decided;
 *                        reason: why the probe stayed, else null
 *   tune.tried[]         of "auto", a candidate each, in that order: .unfreeze,
 *                        .learning_rate, .epochs, .photos ("choose" or, once
 *                        more for the best one, "decide"), .held_out,
 *                        .probe_errors, .errors, .probe_log_loss, .log_loss,
 *                        .difference, .standard_error, .skipped (why it has no
 *                        figures, else null)
 *   cv.folds, cv.log_loss, cv.accuracy   at the l2 chosen
 *   cv.path[]            .l2, .log_loss, .accuracy
 *   claim.correct, claim.total, claim.verified, claim.verdict
 *                        only of a verification
 *   preprocess.words, preprocess.source
 *   skipped[]            .file, .why
 *   photos_decoded, seconds, phases[] (.name, .seconds), peak_bytes,
 *   planned_bytes (what fine-tuning announced, only there)
 *
 * No path of the machine, user, host or date is in any of them. Times,
 * peak_bytes and planned_bytes apart (which only the report has), same inputs
 * and seed give the same bytes. */

#ifdef __cplusplus
}
#endif
#endif
