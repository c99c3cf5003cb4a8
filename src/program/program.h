/* A program: a model compiled for one purpose (these outputs, this largest
 * batch, these parameters trainable). Everything that can fail fails while
 * compiling; a run allocates nothing and cannot fail.
 *
 *     struct graft_compile c = {.model = m, .n_max = 16,
 *                               .outputs = &cut, .n_outputs = 1};
 *     status = graft_program_new(&p, rt, &c);
 *     graft_program_params(p);                    once per parameter version
 *     memcpy(graft_program_input(p, 0).data, ...) n images
 *     graft_program_forward(p, n);
 *     ... graft_program_output(p, 0).data ...
 *     graft_program_free(p);
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_PROGRAM_H
#define GRAFT_PROGRAM_PROGRAM_H

#include "base/str.h"

#include "graph/op.h"
#include "program/store.h"

/* A loss compiled in on one output (scores x [N, C]), with target row t_i and
 * weight w_i for each image; p is the softmax, s the logistic function of x:
 *   SOFTMAX_CE  L = sum_i w_i sum_c -t_ic log p_ic
 *   SIGMOID_CE  L = sum_i w_i/C sum_c -t_ic log s_ic - (1 - t_ic) log(1 - s_ic)
 *   NLL         L = sum_i w_i sum_c -t_ic x_ic, for x that are log p already
 * The first and last take a class index for each image, or with `soft` any
 * row: label smoothing, mixup. The second is for several labels at once and
 * takes rows always. Weights are 1/n unless `weighted`. */
enum graft_loss_kind {
    GRAFT_LOSS_NONE, GRAFT_LOSS_SOFTMAX_CE, GRAFT_LOSS_SIGMOID_CE,
    GRAFT_LOSS_NLL
};
struct graft_loss {
    enum graft_loss_kind kind;
    graft_value_id logits; /* one of the outputs */
    bool soft;             /* targets are rows, not indices */
    bool weighted;         /* the caller writes graft_program_weights */
};

struct graft_input_dims { /* overrides what the file states for an input */
    graft_value_id value;
    struct graft_shape shape; /* for one image: dim[0] is replaced by n_max */
};

/* BatchNormalization normalises by the file's statistics, or by those of the
 * images of each run (graft_program_statistics). */
enum graft_bn { GRAFT_BN_FROZEN, GRAFT_BN_BATCH };

/* Looks an operator up; graft_op_find unless a test brings rows of its own. */
typedef const struct graft_op *graft_find_op(const char *domain,
                                             const char *name,
                                             int64_t opset);

struct graft_compile {
    const struct graft_model *model; /* borrowed for the program's life */
    struct graft_store *store;       /* NULL: the program makes its own */
    int n_max;                       /* largest batch, >= 1 */
    const struct graft_input_dims *inputs;
    int n_inputs;
    const graft_value_id *outputs;   /* NULL: the model's outputs */
    int n_outputs;
    const graft_value_id *want_grad; /* activations whose gradient is asked */
    int n_want_grad;
    const struct graft_selection *train; /* NULL: inference */
    const struct graft_loss *loss;       /* NULL: the caller seeds dout */
    bool exact;
    uint64_t skip_passes;            /* graft_pass_bit()s, for tests and for
                                        bits that must not depend on layout */
    graft_find_op *find_op;          /* for tests; NULL: graft_op_find */
    int segment_images;              /* for tests: images that a segment
                                        takes at a time; 0: all */
    bool plan_only;                  /* to be described, not run: what only
                                        parameters give is not computed */
    const graft_value_id *feeds;     /* further inputs: values that the caller
                                        writes, whatever computes them in the
                                        model (crossing.h). Their shapes
                                        follow from the model's inputs */
    int n_feeds;
    enum graft_bn bn;
    bool dropout;                    /* Dropout draws masks
                                        (graft_program_random); else it
                                        hands its input on */
};
/* Bit of a pass that can be switched off ("tidy", "fold", "fuse", "layout",
 * "segment") for skip_passes; 0: no pass of that name. */
uint64_t graft_pass_bit(const char *name);

struct graft_program;
int graft_program_new(struct graft_program **out, struct graft_runtime *rt,
                      const struct graft_compile *c);
void graft_program_free(struct graft_program *p);

/* Section 1: whatever depends on trainable parameters only. Call it after
 * each change of the selection's masters (the first call is made by _new). */
void graft_program_params(struct graft_program *p);
/* Until the next forward its activations take no room; what they were is
 * forgotten. */
void graft_program_rest(struct graft_program *p);

/* Section 2 for n images, 0 <= n <= n_max. Where values depend on the whole
 * batch, a file that states n_max computes that many and returns the first n;
 * with any other file n must be n_max then (GRAFT_ESHAPE). */
int graft_program_forward(struct graft_program *p, int n);

/* With GRAFT_BN_BATCH, after forward and until backward: what normalisation i
 * found; those are normalisations that depend on what is trained (without
 * `train`: all). */
struct graft_statistics {
    graft_value_id mean, var; /* the file's */
    int64_t channels, count;  /* count: elements of a channel */
    float momentum;
    const real *batch_mean, *batch_var; /* [channels] */
    int64_t offset;           /* of the mean in graft_program_running; the
                                 variance stands behind it */
};
int graft_program_n_statistics(const struct graft_program *p);
struct graft_statistics
graft_program_statistics(const struct graft_program *p, int i);

/* By what forward normalises then: by the batch, for training; by the running
 * statistics, for judging; by these while the batch's are found as well, for
 * estimating them. It begins with the first. */
enum graft_norm_by { GRAFT_NORM_BATCH, GRAFT_NORM_RUNNING, GRAFT_NORM_BOTH };
void graft_program_norm(struct graft_program *p, enum graft_norm_by by);
/* The running statistics, the file's at first; the caller may write them. Of
 * each normalisation the means, then the variances; NULL: there is none. */
real *graft_program_running(const struct graft_program *p, int64_t *size);
/* After forward by the batch and before backward, ONNX's rule:
 *   running = momentum running + (1 - momentum) batch
 * with the file's momentum, and a variance divided by the count. PyTorch's
 * rule has count / (count - 1) times that variance, and calls 1 - momentum
 * momentum. A batch of one element a channel says nothing and is left out. */
void graft_program_absorb(struct graft_program *p);

/* Before forward: what the following runs draw at random. Image i of a run
 * draws by (key, first + i), so a batch may be run in parts. */
void graft_program_random(struct graft_program *p, struct graft_rng_key key,
                          int64_t first);

/* Section 3: from the outputs' gradients (seeded by the loss, or written by
 * the caller into graft_program_dout). Follows a forward of the same n. */
void graft_program_backward(struct graft_program *p);

/* Section 4: writes (STORE) the flat gradient of the selection. */
void graft_program_finish(struct graft_program *p, real *flat);

/* Images of a shard where nobody says: 4 to 16, fewer where activations are
 * large beside the weights. A function of the model and of what is trained,
 * since the arithmetic depends on it. */
int graft_shard_images(int *out, struct graft_runtime *rt,
                       const struct graft_model *m,
                       const struct graft_selection *train);

/* Section 3 for one of several shards, each after its forward, whose
 * gradients add up in the order of the calls; and after the `last` one
 * section 4. Of a program with a loss; n > 0. */
void graft_program_accumulate(struct graft_program *p, real *flat, bool first,
                              bool last);

/* Views with dim[0] at n_max, valid for the program's life; ROW unless
 * graft_program_input says IMAGE. Inputs are those of the model that the
 * outputs need, in the model's order, then the feeds in theirs. */
int graft_program_n_inputs(const struct graft_program *p);
int graft_program_n_outputs(const struct graft_program *p);
struct graft_view graft_program_input(const struct graft_program *p, int i);
/* The first n images of input i from dense rows as ONNX has them, whatever
 * the layout. */
void graft_program_put(struct graft_program *p, int i, const float *rows,
                       int n);
/* The same for images first .. first+n-1. */
void graft_program_put_at(struct graft_program *p, int i, const float *rows,
                          int first, int n);
graft_value_id graft_program_input_id(const struct graft_program *p, int i);
struct graft_view graft_program_output(const struct graft_program *p, int i);
/* Gradients: of output i, to be written before backward (data NULL: nothing
 * needs it; with a compiled-in loss that writes it), and of want_grad[i],
 * valid from backward to the next forward. */
struct graft_view graft_program_dout(struct graft_program *p, int i);
struct graft_view graft_program_din(struct graft_program *p, int i);
/* Whether a seeded gradient reaches parameter k of the selection; where none
 * does, it stays 0. */
bool graft_program_reaches(const struct graft_program *p, int k);
/* Rows of output i's dim 0 for each image; 0: not by image. */
int64_t graft_program_output_rows(const struct graft_program *p, int i);

/* With a compiled-in loss, to be filled before forward, for n_max images: the
 * class index of each (NULL: rows are), or its row of C targets (NULL: indices
 * are), and where the loss is `weighted`, its weight (NULL: it is not). */
int32_t *graft_program_targets(struct graft_program *p);
real *graft_program_target_rows(struct graft_program *p);
double *graft_program_weights(struct graft_program *p);
/* L of the last forward, and each image's own loss in it, without weight. */
double graft_program_loss(const struct graft_program *p);
const double *graft_program_losses(const struct graft_program *p);
int64_t graft_program_classes(const struct graft_program *p); /* C; 0: none */
int graft_program_scores(const struct graft_program *p); /* the output it is
                                                            on; 0: none */

int graft_program_n_max(const struct graft_program *p);
/* 0, or the batch that the file fixes (its Reshape constants allow no other);
 * then n_max equals it. */
int graft_model_fixed_batch(const struct graft_model *m);

struct graft_memory {
    int64_t block_bytes;     /* the activation block as planned */
    int64_t live_bytes;      /* largest sum of bytes live at one step */
    int64_t scratch_bytes;   /* per call and per worker, all workers */
    int64_t pack_bytes;      /* packed parameters of this program */
    int64_t param_bytes;     /* plain copies and folded vectors */
    int steps, segments, folded, fused;
};
void graft_program_memory(const struct graft_program *p,
                          struct graft_memory *out);
/* The plan as text, a line a step (inspect --plan). */
int graft_program_describe(const struct graft_program *p,
                           struct graft_str *out);

#endif
