/* A small random network with stages, a normalisation and a skip connection,
 * for fine-tuning on the little world's pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_LITTLE_DEEP_H
#define GRAFT_TEST_LITTLE_DEEP_H

#include "base/runtime.h"

/* image [N,3,16,16] - c1 - Relu (r1) - MaxPool - c2 - norm - Relu (r2) - c3,
 * plus the pool's output, Relu - GlobalAveragePool - Flatten: 8 features, no
 * head. Weights c1.weight, c2.weight, c3.weight [8,.,3,3], norm.scale, .bias,
 * .mean, .var [8]. c3 alone: the pool and r2 cross into it. */
void little_deep_model(struct graft_runtime *rt, const char *path);

#endif
