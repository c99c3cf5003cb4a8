/* The task of classification.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/classify.h"

const struct graft_task graft_task_classify = {
    .name = "classify",
    .about = "which class a photo belongs to",
    .train = graft_classify_train,
    .predict = graft_classify_predict,
    .evaluate = graft_classify_evaluate,
    .verify = graft_classify_verify,
};
