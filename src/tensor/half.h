/* float16: 1 sign, 5 exponent, 10 mantissa bits (IEEE 754 binary16).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TENSOR_HALF_H
#define GRAFT_TENSOR_HALF_H

#include <stdint.h>

/* From here on a float rounds to infinity: half way between the largest
 * finite number, 65504, and 2^16. */
#define GRAFT_HALF_OVER 65520.0f

float graft_half_to_float(uint16_t h); /* exact */
/* Rounds to nearest, ties to even; a NaN stays one. */
uint16_t graft_half_of_float(float x);

#endif
