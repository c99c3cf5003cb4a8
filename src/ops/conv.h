/* What Conv's forward (op_conv.c) and backward (conv_back.c) share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_CONV_H
#define GRAFT_OPS_CONV_H

#include "kernels/block_back.h"
#include "ops/common.h"
#include "ops/spatial.h"

struct graft_conv_args {
    struct graft_spatial s;
    int64_t group;
    struct graft_conv g;
};

/* What plan decided. */
struct graft_conv_chosen {
    struct graft_conv g;
    struct graft_conv_cut cut;
    struct graft_conv_packing packing;
    bool packed;
    struct graft_block_cut block; /* way NONE: over rows */
    struct graft_block_packing block_packing;
    int64_t n_max;
    struct graft_block_back back; /* over C16 */
    struct graft_block_grad_cut grad;
};

static inline size_t graft_conv_weights(const struct graft_conv *g)
{
    return (size_t)(g->m * (g->c / g->group) * g->kernel[0] * g->kernel[1] *
                    g->kernel[2]);
}

/* Decides how backward is done over C16: false where it cannot be. Adds its
 * packs and scratch to the plan. */
bool graft_conv_plan_back(struct graft_plan *p, struct graft_conv_chosen *ch);
/* The same over rows, where it always can. */
void graft_conv_plan_back_rows(struct graft_plan *p,
                               struct graft_conv_chosen *ch);
void graft_conv_backward(const struct graft_call *c);

#endif
