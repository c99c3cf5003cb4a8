/* What the parts of the learner share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_LEARNER_IMPL_H
#define GRAFT_TRAIN_LEARNER_IMPL_H

#include "train/learner.h"

/* All that the result depends on, lines "name value"; graft_free it. */
int graft_learner_describe(char **out, const struct graft_learner *l);

#endif
