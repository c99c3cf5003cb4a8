/* Conversions: the public doors to task/convert.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/convert.h"

#include "task/convert.h"

int graft_model_set_batch(graft_model *m, int64_t batch,
                          struct graft_batch_change *change)
{
    return graft_set_batch(m, batch, change);
}

int graft_model_to_float16(graft_model *m,
                           struct graft_float16_change *change)
{
    return graft_to_float16(m, change);
}

int graft_compare(struct graft_comparison *out, const graft_model *a,
                  const graft_model *b, const char *photos,
                  const struct graft_classify_options *options)
{
    static const struct graft_classify_options none = GRAFT_CLASSIFY_OPTIONS;
    return graft_compare_models(out, a, b, photos,
                                options ? options : &none);
}
