/* What is known of a model's values before anything runs: shapes, batch,
 * parameters, and integers (or small reals) evaluated on the spot. Filled
 * node by node in the model's order, by the compiler and by the survey.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_FACTS_H
#define GRAFT_PROGRAM_FACTS_H

#include "graph/op.h"
#include "program/program.h"

/* Elements of one host value, and of all of them together. */
#define GRAFT_HOST_MAX ((int64_t)1 << 20)
#define GRAFT_HOST_ALL ((int64_t)16 << 20)
/* Float initializers of up to this many elements are known as host values
 * too (bounds of Clip, scales); larger ones are parameters only. */
enum { GRAFT_HOST_REALS = 64 };

struct graft_facts {
    const struct graft_model *model;
    struct graft_arena *arena;
    int n_max;
    const struct graft_selection *train; /* NULL: nothing is trained */
    graft_find_op *find;
    struct graft_vinfo *value;           /* per value id */
    const struct graft_tensor **tensor;  /* per value id: a parameter's
                                            bytes; NULL: none */
    bool *wanted;                        /* per value id: somebody reads it */
    int *order;                          /* the model's nodes, each behind
                                            those whose outputs it reads */
    int64_t host_left;
    bool batch_varies;                   /* other batches than n_max will
                                            run, or the file says another */
};

/* One node as the facts see it. */
struct graft_fact {
    const struct graft_op *op;
    void *args;
    int64_t opset, macs;
    int n_in, n_out;       /* outputs up to the last wanted one */
    bool constant;         /* its outputs are known: nothing to run */
    struct graft_vinfo left_out; /* output 0, where the node names none */
};

/* `wanted` is left all false. */
int graft_facts_init(struct graft_facts *f, const struct graft_model *m,
                     struct graft_arena *arena, int n_max);
/* Shape of a fed value; `given` NULL: what the file states. */
int graft_facts_feed(struct graft_facts *f, graft_value_id v,
                     const struct graft_shape *given);
/* Makes an initializer known, when it is one and is not yet. */
int graft_facts_initializer(struct graft_facts *f, graft_value_id v);
/* Row, arity and attributes of a node; needs no shapes. */
int graft_facts_parse(struct graft_facts *f, struct graft_fact *out,
                      const struct graft_node *node);
/* Then its outputs' facts; every input must be known. */
int graft_facts_infer(struct graft_facts *f, struct graft_fact *fact,
                      const struct graft_node *node);
/* Once all nodes are: an output that is a number of the batch's belongs to
 * this batch only. */
void graft_facts_outputs(struct graft_facts *f, const graft_value_id *out,
                         int n);

#endif
