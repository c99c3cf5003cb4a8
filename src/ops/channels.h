/* Rows that only move channels, over C16.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_CHANNELS_H
#define GRAFT_OPS_CHANNELS_H

#include "graph/op.h"
#include "kernels/kernels.h"

/* Channel c of the result: which value holds it (NULL: nobody, zero), and
 * where in that value. */
typedef const struct graft_view *graft_channel_fn(const void *ctx, int64_t c,
                                                  int64_t *channel);
/* y, in C16, made of channels of other values in C16. */
void graft_move_channels(const struct graft_call *c,
                         const struct graft_view *y, graft_channel_fn *from,
                         const void *ctx);
/* The same for a gradient, stored or added as `dmode` says. */
void graft_move_gradient(const struct graft_call *c,
                         const struct graft_view *y, graft_channel_fn *from,
                         const void *ctx, uint8_t dmode);
/* All inputs and outputs in C16, if one input lies so and all of them are
 * reals with channels and pixels. */
int graft_plan_channels(struct graft_plan *p);

#endif
