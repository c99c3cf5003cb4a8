/* Which parameters of a model can be trained.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_TRAINABLE_H
#define GRAFT_PROGRAM_TRAINABLE_H

#include "program/program.h"

struct graft_trainables {
    graft_value_id *value; /* in the order of the nodes that read them */
    int n;
};
/* Float initializers, and tensors in Constant nodes, of more than one element
 * that c's outputs depend on through gradients alone: statistics of
 * normalisations, bounds and shapes are none. A row without a gradient hides
 * what lies behind it. Needs c's model, n_max, inputs, outputs, find_op. */
int graft_trainables_find(struct graft_trainables *out,
                          struct graft_runtime *rt,
                          const struct graft_compile *c);
void graft_trainables_release(struct graft_trainables *x);

#endif
