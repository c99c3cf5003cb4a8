/* Dropout, as rows of files (which hand their input on) and as the internal
 * row that draws masks.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_DROPOUT_H
#define GRAFT_OPS_DROPOUT_H

#include "graph/op.h"

struct graft_dropout {
    float attribute; /* ratio before version 12 */
    double ratio;    /* of elements that become zero, 0 <= ratio < 1 */
    uint64_t stream; /* which of a program's dropouts this is */
};

/* y = x / (1 - ratio) or 0, by call->key and call->first: an image's mask
 * depends on the key, the stream and the number of the image, on nothing
 * else. Takes the args of a file's row. */
extern const struct graft_op graft_row_dropout;

#endif
