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

#endif
