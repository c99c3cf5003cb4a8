/* Near-copies among photos: the same picture rescaled, recompressed, a little
 * cropped. Who holds photos out keeps them on one side.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_COPIES_H
#define GRAFT_TRAIN_COPIES_H

#include <stdint.h>

#include "base/hash.h"

/* Features x [n][d] of samples with their classes, and of each the content of
 * its photo: near-copies of one class get the content of their first one.
 * They are photos whose standardised features form a cosine over 0.95 (of a
 * ResNet-20 and a MobileNetV2 on 298 photos near-copies have 0.96 or more,
 * other pairs at most 0.92). Nothing is changed where that means little (fewer
 * than 32 features, or over a tenth of a class alike) or would take long.
 * *found: photos that became another's copy. GRAFT_EMEM. */
int graft_near_copies(struct graft_hash *photo, int64_t *found,
                      const float *x, const int32_t *label, int64_t n,
                      int64_t d);

#endif
