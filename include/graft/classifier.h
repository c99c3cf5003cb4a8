/* Using a classifier: predicting photos, evaluating a folder, verifying that
 * a file keeps what it claims.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_CLASSIFIER_H
#define GRAFT_CLASSIFIER_H

#include "graft/train.h"

#ifdef __cplusplus
extern "C" {
#endif

struct graft_classify_options {
    struct graft_preprocess_options preprocess; /* overrides the file's own */
    const char *labels; /* file with one label a line; NULL: the model's */
    int top;            /* best classes to report; 0: 1 */
    int batch;          /* 0: chosen */
    bool strict;
    const char *decode; /* NULL: what the file says, else "fast" */
    graft_progress_fn *progress;
    void *progress_ctx;
};
#define GRAFT_CLASSIFY_OPTIONS                                              \
    {GRAFT_PREPROCESS_OPTIONS, NULL, 0, 0, false, NULL, NULL, NULL}

/* One photo's answer. `why` not NULL: it could not be read, and that is why;
 * the rest is then empty. Valid during the callback only. */
struct graft_prediction {
    const char *file;
    const char *why;
    int n;                     /* classes reported, best first */
    const int *class_index;
    const char *const *label;  /* the index as text where there is none */
    const double *probability;
};
typedef void graft_prediction_fn(void *ctx, const struct graft_prediction *);

/* Predicts photos and folders of photos (recursively, in byte order);
 * answers arrive in that order, on the calling thread; after them come the
 * files that are no photos by their first bytes, with the reason, and the
 * paths that do not exist. */
GRAFT_API int graft_predict(graft_runtime *rt, const char *model,
                            const char *const *paths, int n_paths,
                            const struct graft_classify_options *options,
                            graft_prediction_fn *answer, void *ctx);

/* Accuracy of a classifier on a folder: on val/CLASS if it is there, else on
 * test/CLASS. Of plain class folders, on the part that the training split off
 * if the file's card says that it did, by the card's seed. Else, and where
 * there is only train/CLASS, on all photos, with a warning that the model may
 * have learnt from them. Classes are matched to the model's labels by name;
 * photos of a class that the model does not have count as mistakes. An
 * output whose rows add up to 1 is taken for probabilities, any other for
 * logits, unless the file's card says which. */
GRAFT_API int graft_evaluate(struct graft_report **out, graft_runtime *rt,
                             const char *model, const char *data,
                             const struct graft_classify_options *options);

/* Reloads a file that Graft made, evaluates it on the same val photos as its
 * metadata says (val folder, or the part that its seed splits off), decoded
 * as they were then, and compares correct, total and log loss (to 0.1 % or
 * 0.0001), and the accuracy with correct / total: GRAFT_OK, or
 * GRAFT_EMISMATCH with the report still given. A file without Graft's
 * metadata, or a folder without such a part, is GRAFT_EDATA. */
GRAFT_API int graft_verify(struct graft_report **out, graft_runtime *rt,
                           const char *model, const char *data,
                           const struct graft_classify_options *options);

#ifdef __cplusplus
}
#endif
#endif
