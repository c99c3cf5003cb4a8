/* Fine-tuning with a loop of one's own: any parameters of a model are trained
 * on batches that the caller makes.
 *
 *     struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
 *     graft_trainer *t = NULL;
 *     double loss;
 *     int status = graft_model_open(&m, NULL, "net.onnx");
 *     if (!status)
 *         status = graft_trainer_new(&t, m, &o);
 *     for (int i = 0; i < 100 && !status; i++) {
 *         struct graft_train_batch b = {&images, 1, classes, NULL, NULL};
 *         status = graft_trainer_step(t, &b, &loss);
 *     }
 *     if (!status)
 *         status = graft_trainer_store(t, m, false);
 *     if (!status)
 *         status = graft_model_save(m, "tuned.onnx", NULL);
 *     graft_trainer_free(t);
 *     graft_model_free(m);
 *
 * Rules
 * - What is not selected is frozen: its bytes, statistics of normalisations
 *   included, are those of the file after training too.
 * - A step of B images runs as shards of a fixed size, one after the other;
 *   their gradients add up in that order. So the number of threads changes no
 *   bit, and memory does not grow with B.
 * - Formulas, names of options and their meanings are PyTorch's.
 * - A loss or gradient that is not finite stops the step with
 *   GRAFT_EMISMATCH, naming the first parameter; nothing has changed then.
 * - A trainer is used by one thread at a time. It borrows the model, which
 *   must outlive it and, graft_trainer_store apart, is not edited meanwhile.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_FINETUNE_H
#define GRAFT_FINETUNE_H

#include "graft/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_trainer graft_trainer;

struct graft_trainer_options {
    const char *const *parameters; /* names of initializers and outputs of
                             Constant nodes, or patterns with '*' and '?';
                             NULL: all that can be trained */
    int n_parameters;
    const char *unfreeze; /* or in words, joined by commas, as `graft train
                             --unfreeze` takes them: "all", "last-stage",
                             "stages:2", "from:VALUE", "name:PATTERN", "bias",
                             "norm", "scale-shift"; NULL: `parameters` says
                             it */
    const char *freeze;   /* words for what is taken away again; NULL: none */
    const char *scores;   /* value with a row of scores for each image; NULL:
                             the first output, or what its Softmax, LogSoftmax
                             or Sigmoid reads */
    const char *loss;     /* "softmax" cross-entropy: one class an image;
                             "sigmoid" cross-entropy: several (the mean over
                             the classes); "nll": the scores are logarithms of
                             probabilities */
    double label_smoothing; /* of classes, 0 to 1 */
    const char *optimizer; /* "sgd", "adam", "adamw" */
    double learning_rate;
    double momentum;      /* sgd */
    bool nesterov;        /* sgd */
    double beta1, beta2, epsilon; /* adam, adamw */
    double weight_decay;
    bool decay_vectors;   /* biases and normalisations decay as well */
    double layer_decay;   /* rate of each layer, as a factor of that of the
                             next one nearer the output; 1: the same */
    const char *schedule; /* "constant", "cosine", "linear" */
    int64_t warmup_steps; /* in which the rate grows to learning_rate */
    int64_t total_steps;  /* cosine, linear: when it ends */
    double final_learning_rate; /* where it ends */
    double clip_norm;     /* largest norm of the gradient; 0: any */
    double ema_decay;     /* average of the parameters; 0: none. At step t at
                             most (1 + t) / (10 + t) */
    int shard;            /* images that run together; 0: 4, 8 or 16, by the
                             model. A file that fixes its batch overrules
                             it */
    const struct graft_array *inputs; /* shapes (not data) of inputs whose
                             sizes the file leaves open; dim 0: any */
    int n_inputs;
};
#define GRAFT_TRAINER_OPTIONS                                               \
    {NULL, 0, NULL, NULL, NULL, "softmax", 0, "sgd", 0.01, 0.9, false,      \
     0.9, 0.999, 1e-8, 0, true, 1, "constant", 0, 0, 0, 0, 0, 0, NULL, 0}

/* Selects parameters and compiles. What lies before them all is computed
 * forward only. Refuses what cannot be trained, naming the node. options NULL:
 * defaults. */
GRAFT_API int graft_trainer_new(graft_trainer **out, const graft_model *m,
                                const struct graft_trainer_options *options);
GRAFT_API void graft_trainer_free(graft_trainer *t);

/* ---- batches ---------------------------------------------------------------
 */

/* B images: dim 0 of every input. Inputs are matched as for sessions. */
struct graft_train_batch {
    const struct graft_array *inputs;
    int n_inputs;
    const int32_t *classes;  /* [B], 0 to classes - 1; or NULL, and */
    const float *targets;    /* [B][classes], a row for each image: any
                                numbers that the loss makes sense of */
    const float *weights;    /* [B], of images in the mean; NULL: all 1.
                                L = 1/B sum of weight * loss */
};
/* One step. *loss (may be NULL): before the step. */
GRAFT_API int graft_trainer_step(graft_trainer *t,
                                 const struct graft_train_batch *b,
                                 double *loss);
/* Loss and gradient, without a step. */
GRAFT_API int graft_trainer_gradients(graft_trainer *t,
                                      const struct graft_train_batch *b,
                                      double *loss);
/* The loss alone; and the scores [B][classes] where `scores` is not NULL. */
GRAFT_API int graft_trainer_loss(graft_trainer *t,
                                 const struct graft_train_batch *b,
                                 double *loss, float *scores);
GRAFT_API int64_t graft_trainer_classes(const graft_trainer *t);
GRAFT_API int64_t graft_trainer_steps(const graft_trainer *t); /* done */

/* ---- parameters ------------------------------------------------------------
 */

GRAFT_API int graft_trainer_n_parameters(const graft_trainer *t);
/* Name of the k-th one, borrowed; NULL: there is none. */
GRAFT_API const char *graft_trainer_name(const graft_trainer *t, int k);
/* Values and gradient of a selected parameter, as the file has its shape; of
 * weights that "scale-shift" selected, the factors [output channels], which
 * begin at 1. Borrowed, until the next call on this trainer. The gradient is
 * that of the last step (clipped if it was) or graft_trainer_gradients. */
GRAFT_API int graft_trainer_parameter(struct graft_array *out,
                                      graft_trainer *t, const char *name);
GRAFT_API int graft_trainer_gradient(struct graft_array *out,
                                     graft_trainer *t, const char *name);
/* Sets all of a parameter, or element `i` (row-major). */
GRAFT_API int graft_trainer_set(graft_trainer *t, const char *name,
                                const float *data);
GRAFT_API int graft_trainer_set_element(graft_trainer *t, const char *name,
                                        int64_t i, float value);

/* ---- state -----------------------------------------------------------------
 */

/* Writes all that going on needs (parameters, optimizer, average, steps) to a
 * file, atomically, replacing one that is there. */
GRAFT_API int graft_trainer_save(graft_trainer *t, const char *path);
/* Goes on from such a file, to the bit as if it had never stopped. One that is
 * damaged, or made with another model or other options (total_steps may
 * differ), is refused with the difference, and nothing has changed. */
GRAFT_API int graft_trainer_load(graft_trainer *t, const char *path);
/* Writes the parameters (their average, with `averaged`) into a model that has
 * them under the same names, in the types that they have there: the one that
 * is trained, or another. Factors are multiplied into the weights that the
 * trainer was made with. */
GRAFT_API int graft_trainer_store(graft_trainer *t, graft_model *into,
                                  bool averaged);

struct graft_trainer_memory {
    int64_t activation_bytes; /* planned, frozen part included */
    int64_t scratch_bytes;
    int64_t packed_bytes;     /* parameters as kernels read them */
    int64_t trained_bytes;    /* parameters, gradients, optimizer, average */
    int steps, frozen_steps;  /* of the plans */
};
GRAFT_API void graft_trainer_memory(const graft_trainer *t,
                                    struct graft_trainer_memory *out);

#ifdef __cplusplus
}
#endif
#endif
