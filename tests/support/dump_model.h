/* A model's description as text, a line for each thing in it, for comparing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_DUMP_MODEL_H
#define GRAFT_TEST_DUMP_MODEL_H

#include "base/str.h"
#include "graft/graph.h"

/* Release with graft_str_release. Weights appear by hash; where they are
 * stored (location) does not appear. */
struct graft_str test_dump_model(const struct graft_model_info *x);

#endif
