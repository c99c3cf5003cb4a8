/* Arithmetic of two values over C16.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_ARITH_BLOCKED_H
#define GRAFT_OPS_ARITH_BLOCKED_H

#include "graph/op.h"
#include "kernels/kernels.h"

/* A `plan`: C16 where an operand of the output's shape lies so. */
int graft_plan_binary(struct graft_plan *p);
/* Forward where the output lies in C16. */
void graft_binary_blocked(const struct graft_call *c,
                          enum graft_binary kind);
/* Its gradients; dout[0] lies in C16. */
void graft_binary_blocked_back(const struct graft_call *c,
                               enum graft_binary kind);

#endif
