/* The type that everything float is computed in: float; double in the
 * checking build (make test builds both), where gradients are proven by
 * differences.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TENSOR_REAL_H
#define GRAFT_TENSOR_REAL_H

#ifdef GRAFT_REAL_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
