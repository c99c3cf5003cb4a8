/* Folds of a cross-validation.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_FOLDS_H
#define GRAFT_TRAIN_FOLDS_H

#include <stdint.h>

#include "base/hash.h"

/* Gives each of n samples a fold 0 .. *folds-1, every class spread evenly
 * over them. A photo's fold is drawn from (seed, its content) among those of
 * its class: neither the order of files nor the number of views matters, and
 * all views of a photo, and byte-equal copies, share it. The only photo of a
 * class is never held out (fold -1); a class of k < 5 photos appears in k
 * folds. *folds: in, the number wanted; out, the number made: 0 when no two
 * classes have two photos, so that nothing can be held out. */
int graft_folds(int *fold, int *folds, const int32_t *label,
                const struct graft_hash *photo, int64_t n,
                uint64_t seed);

#endif
