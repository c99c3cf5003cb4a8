/* What was trained, written back into a model.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_MASTERS_H
#define GRAFT_TRAIN_MASTERS_H

#include "graph/model.h"

/* Makes `data`, of `shape`, the contents of initializer `tensor`, in the type
 * that it has there. Refused: another shape, a type without floats, a number
 * that the type cannot hold (GRAFT_EMISMATCH); nothing has changed then. */
int graft_master_store(struct graft_model *into, int32_t tensor,
                       const struct graft_shape *shape, const real *data);
/* Makes each of the numbers what it will be in that tensor's type. A type
 * without floats leaves them; GRAFT_EMISMATCH as above. */
int graft_master_round(const struct graft_tensor *t, real *data);

#endif
