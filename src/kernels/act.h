/* Activations that kernels can apply while storing a result (epilogues), and
 * that pointwise kernels compute alone.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_ACT_H
#define GRAFT_KERNELS_ACT_H

#include <stdbool.h>

#include "tensor/real.h"

/* name, formula */
#define GRAFT_ACT_LIST(X)                                                   \
    X(GRAFT_ACT_NONE, "none")                                               \
    X(GRAFT_ACT_RELU, "relu")               /* max(x, 0) */                 \
    X(GRAFT_ACT_CLIP, "clip")               /* min(max(x, a), b) */         \
    X(GRAFT_ACT_SIGMOID, "sigmoid")         /* 1 / (1 + exp(-x)) */         \
    X(GRAFT_ACT_HARDSIGMOID, "hardsigmoid") /* clip(a x + b, 0, 1) */       \
    X(GRAFT_ACT_HARDSWISH, "hardswish")     /* x clip(x/6 + 1/2, 0, 1) */   \
    X(GRAFT_ACT_SWISH, "swish")             /* x / (1 + exp(-a x)) */
#define GRAFT_ACT_ENUM(code, name) code,
enum graft_act_kind { GRAFT_ACT_LIST(GRAFT_ACT_ENUM) GRAFT_ACT_COUNT };
#undef GRAFT_ACT_ENUM

struct graft_act {
    enum graft_act_kind kind;
    real a, b;
};
/* In `a` of HardSwish: its gradient at -3 and 3 is that beyond them, 0 and 1,
 * as of the operators that it is made of; else -1/2 and 3/2, see
 * act_back_hardswish. */
enum { GRAFT_ACT_OPEN = 1 };

/* Whether the gradient is computed from the input x; otherwise from the
 * output y. */
static inline bool graft_act_from_input(enum graft_act_kind kind)
{
    return kind == GRAFT_ACT_CLIP || kind == GRAFT_ACT_HARDSWISH ||
           kind == GRAFT_ACT_SWISH;
}

/* Whether the output y would do in place of x: Relu6 has no gradient at its
 * bounds, so it does not matter where beyond them x was. */
static inline bool graft_act_from_output(struct graft_act act)
{
    return !graft_act_from_input(act.kind) ||
           (act.kind == GRAFT_ACT_CLIP && act.a == 0 && act.b == 6);
}

#endif
