/* Tasks: what a new head is for. A row for each in src/task/task_*.c; the
 * Makefile makes the table of them. Today there is one, "classify": which
 * class a photo belongs to.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_TASK_H
#define GRAFT_TASK_TASK_H

#include "graft/classifier.h"

struct graft_task {
    const char *name, *about;
    int (*train)(struct graft_report **out, struct graft_runtime *rt,
                 const struct graft_train_options *o);
    int (*predict)(struct graft_runtime *rt, const char *model,
                   const char *const *paths, int n_paths,
                   const struct graft_classify_options *o,
                   graft_prediction_fn *answer, void *ctx);
    int (*evaluate)(struct graft_report **out, struct graft_runtime *rt,
                    const char *model, const char *data,
                    const struct graft_classify_options *o);
    int (*verify)(struct graft_report **out, struct graft_runtime *rt,
                  const char *model, const char *data,
                  const struct graft_classify_options *o);
};
extern const struct graft_task *const graft_task_table[]; /* NULL ends */
extern const struct graft_task graft_task_classify;

#endif
