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

#ifdef __cplusplus
}
#endif
#endif
