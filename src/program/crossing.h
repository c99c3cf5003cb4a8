/* The cut between what is frozen and what is trained: the values that cross
 * it. The frozen program computes them once for each photo and view, the
 * trainable one begins at them:
 *
 *     struct graft_crossing x = {0};
 *     struct graft_compile c = {.model = m, .n_max = 16, .outputs = &logits,
 *                               .n_outputs = 1, .train = selection};
 *     status = graft_crossing_find(&x, rt, &c);
 *     frozen:    c.outputs = x.value, c.n_outputs = x.n, c.train = NULL
 *     trainable: c.feeds = x.value, c.n_feeds = x.n
 *     graft_crossing_release(&x);
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_CROSSING_H
#define GRAFT_PROGRAM_CROSSING_H

#include "program/program.h"

struct graft_crossing {
    graft_value_id *value;   /* the model's inputs first, then in the order of
                                the nodes */
    struct graft_shape *shape; /* at n_max */
    int64_t *count;          /* elements for one image */
    int n;
    int64_t floats;          /* of all counts together */
    bool inputs_only;        /* nothing is frozen in front of them: all are
                                inputs of the model */
};

/* Values that do not depend on c->train, but on the model's inputs, and that
 * nodes read that do depend on it (or that are outputs). A value that costs
 * no multiplication and follows from others of them is left out: it is
 * computed again. Needs c's model, n_max, inputs, outputs, train, find_op. */
int graft_crossing_find(struct graft_crossing *out, struct graft_runtime *rt,
                        const struct graft_compile *c);
void graft_crossing_release(struct graft_crossing *x); /* all zero is fine */

#endif
