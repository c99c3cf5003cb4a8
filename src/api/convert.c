/* Conversions: the public doors to task/convert.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/convert.h"

#include "task/convert.h"

int graft_model_set_batch(graft_model *m, int64_t batch,
                          struct graft_batch_change *change)
{
    return graft_set_batch(m, batch, change);
}
