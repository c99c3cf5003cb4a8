/* Arithmetic of two values with numpy's broadcasting: what rows of two and of
 * any number of inputs share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_ARITH_H
#define GRAFT_OPS_ARITH_H

#include "graph/op.h"
#include "kernels/kernels.h"

struct graft_arith {
    enum graft_binary kind;
};

/* The args of a row (for parse). */
static inline int graft_arith_set(struct graft_parse *p,
                                  enum graft_binary kind)
{
    ((struct graft_arith *)p->args)->kind = kind;
    return GRAFT_OK;
}
static inline enum graft_binary graft_arith_kind(const struct graft_call *c)
{
    return ((const struct graft_arith *)c->args)->kind;
}

int graft_arith_infer(struct graft_infer *f);
/* out[0] = a op b, both shaped so that they broadcast to out[0]. */
void graft_arith_apply(const struct graft_call *c, const struct graft_view *a,
                       const struct graft_view *b);
void graft_arith_forward(const struct graft_call *c);
/* Of reals; an exponent may be integer. */
void graft_arith_backward(const struct graft_call *c);

#endif
