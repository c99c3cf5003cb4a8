/* Whole-model conversions: edits that need to compile or run to prove
 * themselves. Each is done in full, or has changed nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_CONVERT_H
#define GRAFT_TASK_CONVERT_H

#include "graft/convert.h"

/* See graft_model_set_batch. */
int graft_set_batch(struct graft_model *m, int64_t batch,
                    struct graft_batch_change *change);

/* See graft_model_to_float16. */
int graft_to_float16(struct graft_model *m,
                     struct graft_float16_change *change);

/* See graft_compare. */
int graft_compare_models(struct graft_comparison *out,
                         const struct graft_model *a,
                         const struct graft_model *b, const char *photos,
                         const struct graft_classify_options *o);

#endif
