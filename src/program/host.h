/* Values known while compiling: read from tensors, evaluated by rows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_HOST_H
#define GRAFT_PROGRAM_HOST_H

#include "program/facts.h"

int graft_host_of_tensor(struct graft_facts *f, const struct graft_host **out,
                         const struct graft_tensor *t, const char *name);

/* After infer: if the row works on the host and knows all its inputs, runs
 * it and sets the outputs' host values. *constant: all outputs are known. */
int graft_host_evaluate(struct graft_facts *f, struct graft_infer *x,
                        bool *constant);
/* A node's inputs and outputs, all known, as its row's forward takes them;
 * and that forward. */
int graft_host_views(struct graft_facts *f, const struct graft_infer *x,
                     struct graft_view **in, struct graft_view **out);
void graft_host_run(const struct graft_infer *x, const struct graft_view *in,
                    const struct graft_view *out);

/* Then, where the batch varies: which of the outputs' known numbers follow
 * the batch, and how; outputs that such numbers enter as data, or whose
 * shapes they change otherwise than dimension 0, become whole_batch. */
int graft_number_follow(struct graft_facts *f, struct graft_infer *x,
                        bool constant);

#endif
