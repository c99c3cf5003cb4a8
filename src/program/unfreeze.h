/* Which parameters are to be trained, said in words:
 *
 *   none            nothing
 *   all             every parameter that a gradient reaches
 *   last-stage      those of the last stage; stages:N: of the last N. A stage
 *                   is what works at one resolution; it begins at the last
 *                   single value before its resolution is reached, so that
 *                   whole blocks belong to it
 *   from:VALUE      those of nodes that depend on VALUE
 *   name:PATTERN    by name, with '*' and '?'
 *   bias            what is added to each channel or column
 *   norm            scale and bias of normalisations
 *   scale-shift     a factor for each output channel of every convolution's
 *                   weights, and its bias; where a normalisation follows in
 *                   the file, its scale and bias instead
 *
 * Words are joined by commas: each adds what it says.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_UNFREEZE_H
#define GRAFT_PROGRAM_UNFREEZE_H

#include "program/program.h"
#include "program/survey.h"

struct graft_unfrozen {
    graft_value_id *value; /* in the order of the nodes that read them */
    bool *scale;           /* of this one only factors (store.h) */
    int n;
    int trainable;         /* how many there are to choose from */
    int64_t elements, all; /* of these, of those */
    int stages;            /* that the model has */
};
/* c: model, n_max, inputs, outputs (those that training sees), find_op.
 * `freeze` (NULL: nothing) takes away, in the same words. A word that means
 * nothing here, and one that selects nothing, is refused. */
int graft_unfreeze(struct graft_unfrozen *out, struct graft_runtime *rt,
                   const struct graft_compile *c, const char *unfreeze,
                   const char *freeze);
void graft_unfrozen_release(struct graft_unfrozen *x);

#endif
