/* Three files of about 2 KB that have little in common.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_SMALL_MODELS_H
#define GRAFT_TEST_SMALL_MODELS_H

#include "base/str.h"

enum { TEST_SMALL_MODELS = 3 };

/* 0: something of everything, which does not run (rich_model.h);
 * 1: a network of convolutions with a head, which does;
 * 2: shapes computed by nodes, weights of 16 bits, which does too.
 * Release with graft_str_release. */
struct graft_str test_small_model(int which);
const char *test_small_model_name(int which);

#endif
