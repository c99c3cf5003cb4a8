/* Gradients of pooling.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_POOL_BACK_H
#define GRAFT_OPS_POOL_BACK_H

#include "graph/op.h"
#include "kernels/kernels.h"

/* din[0] from dout[0]; maxima are found again in in[0] and out[0]: both are
 * kept for the neighbours' gradients anyway (Relu's output, Conv's input),
 * while indices would have to be written by every forward. The first of equal
 * elements gets the gradient, as in PyTorch. */
void graft_pool_backward(const struct graft_call *c,
                         const struct graft_lane_window *w);
/* din[0] (+)= factor dout[0], the same for all pixels of a channel; dout[0]
 * is [N, C, 1..] in C16 or in rows. */
void graft_pool_spread(const struct graft_call *c, double factor);

#endif
