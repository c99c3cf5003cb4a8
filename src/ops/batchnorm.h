/* BatchNormalization: what its row for given statistics and the internal one
 * for those of the batch share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_BATCHNORM_H
#define GRAFT_OPS_BATCHNORM_H

#include "graph/op.h"

enum { GRAFT_BN_X, GRAFT_BN_SCALE, GRAFT_BN_BIAS, GRAFT_BN_MEAN, GRAFT_BN_VAR };

struct graft_batchnorm {
    float epsilon, momentum;
};

/* Room for numbers of whole blocks of channels. */
static inline int64_t graft_batchnorm_room(int64_t channels)
{
    return (channels + 15) / 16 * 16;
}

/* Normalises by mean and variance (divided by the count, as ONNX has it) of
 * the images of this call, or by call->running; inputs MEAN and VAR are not
 * read. `saved`, and `found` where there is none, begins with the means and,
 * graft_batchnorm_room further on, the variances. */
extern const struct graft_op graft_row_batchnorm_train;

#endif
