/* What was trained, written back into a model.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_MASTERS_H
#define GRAFT_TRAIN_MASTERS_H

#include "program/store.h"

/* Makes `data`, of `shape`, the contents of parameter `v`, an initializer or
 * the output of a Constant, in the type that it has there. Refused: another
 * shape, a type without floats, a number that the type cannot hold
 * (GRAFT_EMISMATCH); nothing has changed then. */
int graft_master_store(struct graft_model *into, graft_value_id v,
                       const struct graft_shape *shape, const real *data);
/* Makes entry k of a selection, as the flat vector has it, the contents of v:
 * where factors were trained, these times the elements that they began at. */
int graft_master_store_selected(struct graft_model *into, graft_value_id v,
                                const struct graft_selection *s, int k,
                                const real *flat);
/* Makes each of the numbers what it will be in that tensor's type. A type
 * without floats leaves them; GRAFT_EMISMATCH as above. */
int graft_master_round(const struct graft_tensor *t, real *data);

#endif
