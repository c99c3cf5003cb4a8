/* Converting models: for another batch, with smaller weights.
 *
 *     graft_model *m = NULL;
 *     int status = graft_model_open(&m, NULL, "from-pytorch.onnx");
 *     if (!status)
 *         status = graft_model_set_batch(m, GRAFT_BATCH_DYNAMIC, NULL);
 *     if (!status)
 *         status = graft_model_save(m, "any-batch.onnx", NULL);
 *     if (status)
 *         puts(graft_error_message());
 *     graft_model_free(m);
 *
 * The rules of graft/edit.h hold: what a conversion does not touch keeps its
 * bytes, and one that fails or is refused has changed nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_CONVERT_H
#define GRAFT_CONVERT_H

#include "graft/classifier.h"
#include "graft/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the batch -----------------------------------------------------------
 */

enum { GRAFT_BATCH_DYNAMIC = 0, GRAFT_BATCH_MAX = 4096 };

struct graft_batch_change {
    int before, after; /* GRAFT_BATCH_DYNAMIC: a symbol in the file */
    int constants;     /* shapes and ends of slices that fixed the batch */
    int types;         /* inputs, outputs and value infos that state it */
};
/* Makes dimension 0 of the inputs, and of all that grows with it, `batch`, or
 * a symbol: the file's own if it has one, else a new one. Constants that fix
 * the batch (shapes of Reshape and Expand, ends of Slice) become such that
 * leave it open; one that others read too is split off.
 *
 * What was done is then tried: three random images, each alone in the model
 * as it was, give the same bits in batches of 1, 2 and 3 in the bytes that
 * would be saved. A model that cannot do without its batch, that mixes the
 * images of a batch, or that Graft cannot run is GRAFT_EUNSUPPORTED; the
 * message names the node, its operator and the reason. Graft's own card
 * follows. A model that has this batch already is left alone. change: NULL,
 * or what was done. */
GRAFT_API int graft_model_set_batch(graft_model *m, int64_t batch,
                                    struct graft_batch_change *change);

/* ---- smaller weights -----------------------------------------------------
 */

struct graft_float16_change {
    int tensors;            /* stored as float16 now */
    uint64_t bytes_before, bytes_after; /* of their elements */
    double largest;         /* rounding error of one weight; NaN and */
    const char *worst;      /* infinities apart. worst: whose, NULL: none */
    double relative;        /* error of all together: the root of the sum of
                               its squares, of that of the weights' squares */
    int64_t lost;           /* weights too small: 0 now */
    int too_large_count;    /* tensors that keep float32, as one weight or */
    const char *too_large;  /* more is beyond 65504; the first one's name */
};
/* Stores the weights as float16: float32 initializers and Constants of two
 * dimensions and 1024 elements or more, rounded to nearest, ties to even. A
 * Cast in front gives their readers the float32 that they had; computing
 * stays float32. Biases, normalisations and shapes stay as they are, and so
 * do a tensor that does not fit, an output, and an input with a default.
 * Names are borrowed from the model. Opset 6 is the first that knows such a
 * Cast; a file that says how to train it is refused. change: NULL, or what
 * was done. */
GRAFT_API int graft_model_to_float16(graft_model *m,
                                     struct graft_float16_change *change);

struct graft_comparison {
    int photos, skipped;    /* compared; could not be read */
    int64_t values;         /* elements of output 0, all photos */
    double largest, mean;   /* differences, without their signs */
    double scale;           /* largest element of a's answers, likewise */
    int classes;            /* elements for a photo; 0: other shapes */
    int changed;            /* photos with another best class */
};
/* Runs two models on the photos of a folder (or one photo) and compares
 * their first outputs. Preprocessing: a's card, or what the options say. Of
 * the options, preprocess, batch, strict, decode and progress count; NULL:
 * defaults. No photo at all is GRAFT_EDATA. */
GRAFT_API int graft_compare(struct graft_comparison *out,
                            const graft_model *a, const graft_model *b,
                            const char *photos,
                            const struct graft_classify_options *options);

#ifdef __cplusplus
}
#endif
#endif
