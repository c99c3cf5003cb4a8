/* Parameters selected by words, in tests.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_UNFROZEN_H
#define GRAFT_TEST_UNFROZEN_H

#include "program/unfreeze.h"

/* Has to succeed; graft_unfrozen_release it. */
struct graft_unfrozen unfrozen_by(const struct graft_model *m,
                                  const char *words, const char *freeze);

#endif
