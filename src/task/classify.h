/* The parts of the classification task.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_CLASSIFY_H
#define GRAFT_TASK_CLASSIFY_H

#include "base/file.h"
#include "base/str.h"
#include "task/card.h"
#include "task/task.h"
#include "train/features.h"
#include "train/probe.h"

int graft_classify_train(struct graft_report **out, struct graft_runtime *rt,
                         const struct graft_train_options *o);
int graft_classify_predict(struct graft_runtime *rt, const char *model,
                           const char *const *paths, int n_paths,
                           const struct graft_classify_options *o,
                           graft_prediction_fn *answer, void *ctx);
int graft_classify_evaluate(struct graft_report **out,
                            struct graft_runtime *rt, const char *model,
                            const char *data,
                            const struct graft_classify_options *o);
int graft_classify_verify(struct graft_report **out, struct graft_runtime *rt,
                          const char *model, const char *data,
                          const struct graft_classify_options *o);

/* ---- setup.c ------------------------------------------------------------- */

/* How photos become the model's input: what `o` gives, over the model's own
 * card (NULL: none), else over the preset "imagenet" at the input's size. A
 * sentence about where it came from is added to `source`. */
int graft_choose_preprocess(struct graft_preprocess *out,
                            struct graft_str *source,
                            const struct graft_model *m,
                            const struct graft_card *card,
                            const struct graft_preprocess_options *o);
/* "fast" (NULL too) or "exact". */
int graft_choose_decode(bool *exact, const char *name);
/* Sets r->preprocess and r->preprocess_source. */
int graft_report_preprocess(struct graft_report *r,
                            const struct graft_preprocess *p,
                            const char *source);
/* Things not photos, of `part` or of all parts (-1). */
int graft_report_dataset_skips(struct graft_report *r,
                               const struct graft_dataset *d, int part);
/* Items that failed; with `strict` the first is an error. */
int graft_report_item_skips(struct graft_report *r,
                            const struct graft_load_item *items, int n,
                            bool strict);
double graft_clock(void); /* seconds, from any start */

/* ---- backbone.c ---------------------------------------------------------- */

/* Finds the cut (`name`, NULL: by structure), makes features [N, floats] of
 * it, pooled and flattened where it is 4-D, and leaves the model with them as
 * its only output. */
struct graft_trunk {
    graft_value_id features;
    int64_t floats;
    char *cut;               /* name of the value cut at; graft_free */
};
int graft_trunk_make(struct graft_trunk *out, struct graft_model *m,
                     struct graft_runtime *rt, const char *name);

/* ---- head.c -------------------------------------------------------------- */

/* Gemm and, unless logits, Softmax behind `features`; their answer becomes
 * the model's only output. */
int graft_head_append(struct graft_model *m, graft_value_id features,
                      const struct graft_probe *probe, bool logits);
/* Class probabilities p [n][classes] of features x [n][d], by the same nodes
 * as in the exported file, run by the same operators. */
int graft_head_answer(double *p, struct graft_runtime *rt,
                      const struct graft_probe *probe, int64_t opset,
                      const float *x, int64_t n);

/* ---- output.c ------------------------------------------------------------ */

/* Names of what is written for -o NAME.onnx. */
struct graft_outputs {
    char *model, *card, *labels, *report, *data; /* data: external weights */
    enum graft_write_mode mode;
    bool external;
};
/* "a/tigers.onnx" and ".json" -> "a/tigers.json"; graft_free it. */
char *graft_path_beside(const char *path, const char *end);
int graft_outputs_init(struct graft_outputs *f, const char *path,
                       bool replace, bool external);
void graft_outputs_release(struct graft_outputs *f);
/* That all can be written, tried before the long work: nothing is over the
 * model itself, over existing files only with replace, folder writable. */
int graft_outputs_check(const struct graft_outputs *f,
                        const struct graft_model *m);
/* All or none appear (each atomically). r->output is set. */
int graft_outputs_write(const struct graft_outputs *f, struct graft_model *m,
                        struct graft_report *r, const char *card);

#endif
