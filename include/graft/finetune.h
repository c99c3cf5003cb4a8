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
                             probabilities, or anything: with targets of
                             -B dL/d(score) it has the gradient of any L */
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

/* ---- gradients of anything -------------------------------------------------
 *
 * For losses of one's own, saliency, adversarial or trained inputs: the caller
 * says dL/d(output) of any outputs, and reads dL/d(value) of any values, the
 * inputs included, and of any parameters.
 *
 *     const char *const wanted[] = {"image", "conv1.weight"};
 *     struct graft_gradients_options o = {&x, 1, NULL, 0, wanted, 2};
 *     status = graft_gradients_new(&g, m, &o);
 *     status = graft_gradients_forward(g, &x, 1);
 *     status = graft_gradients_output(&y, g, "scores");
 *     ... seed: an array like y that holds dL/dy ...
 *     status = graft_gradients_backward(g, &seed, 1);
 *     status = graft_gradients_get(&dx, g, "image");
 *     graft_gradients_free(g);
 *
 * Normalisations keep the file's statistics, Dropout hands its input on. At
 * kinks gradients are PyTorch's. One thread at a time; the model is borrowed,
 * must outlive this, and is not edited meanwhile. */

typedef struct graft_gradients graft_gradients;

struct graft_gradients_options {
    const struct graft_array *inputs; /* shapes (not data) of all of the
                             model's inputs, matched as for sessions; dim 0:
                             the batch, the same for all. A file that fixes
                             its batch takes that one only */
    int n_inputs;
    const char *const *outputs; /* values to read and to seed; NULL: the
                             model's outputs */
    int n_outputs;
    const char *const *wanted; /* values, inputs, initializers, outputs of
                             Constant nodes, whose gradient is asked for: at
                             least one, each once */
    int n_wanted;
};
/* Compiles; memory for the whole batch is taken here. GRAFT_ENOTFOUND: a name
 * that the model does not have; GRAFT_EARG: no output depends on what is
 * asked for; GRAFT_EUNSUPPORTED: a node on the way, which is named, has no
 * gradient; GRAFT_ESHAPE, GRAFT_ELIMIT, GRAFT_EMEM. */
GRAFT_API int
graft_gradients_new(graft_gradients **out, const graft_model *m,
                    const struct graft_gradients_options *options);
GRAFT_API void graft_gradients_free(graft_gradients *g);
/* Computes the outputs of `inputs`, of the shapes given to _new. */
GRAFT_API int graft_gradients_forward(graft_gradients *g,
                                      const struct graft_array *inputs,
                                      int n_inputs);
/* An output of the last forward; borrowed until the next one. */
GRAFT_API int graft_gradients_output(struct graft_array *out,
                                     const graft_gradients *g,
                                     const char *name);
/* From dL/d(output), in units of L by units of the output and shaped like it:
 * matched to outputs by name, those with name NULL by position; outputs
 * without a seed have 0. Once after each forward (else GRAFT_EARG). */
GRAFT_API int graft_gradients_backward(graft_gradients *g,
                                       const struct graft_array *seeds,
                                       int n_seeds);
/* dL/d(`name`) of the last backward, shaped like the value: of a parameter
 * summed over the batch (so means are the seeds' business). Borrowed until
 * the next backward. */
GRAFT_API int graft_gradients_get(struct graft_array *out,
                                  const graft_gradients *g, const char *name);
/* Gives a parameter among `wanted` other values [as the file has its shape],
 * here only: the model keeps its own. A forward has to follow. */
GRAFT_API int graft_gradients_set(graft_gradients *g, const char *name,
                                  const float *data);

#ifdef __cplusplus
}
#endif
#endif
