/* What a model would do if it ran: shapes of all values, which nodes can run
 * and why not, parameters and multiply-adds, head and cuts. Never fails for
 * what the model contains: an unknown operator only leaves shapes unknown.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_SURVEY_H
#define GRAFT_PROGRAM_SURVEY_H

#include "graph/op.h"

struct graft_survey {
    struct graft_arena arena;
    struct graft_vinfo *value; /* per value; .present: shape is known */
    const char **why_not;      /* per node: NULL = runs, else the reason */
    int64_t *macs;             /* per node, for one image; 0: none/unknown */
    int64_t total_macs;        /* for one image, of nodes the outputs need */
    int unsupported;           /* nodes that cannot run */
    /* Cuts: single values through which everything from the inputs to the
     * outputs passes, in order from the input; `features` is their size for
     * one image. */
    struct graft_cut {
        graft_value_id value;
        int64_t features;      /* elements for one image */
        int64_t pooled;        /* after GlobalAveragePool when rank is 4 */
        int64_t macs_before, params_behind;
    } *cut;
    int n_cuts;
    /* The head found by structure: the last Gemm, MatMul(+Add) or 1x1 Conv
     * before the output with only activation, pooling and reshaping behind
     * it; features enter it at `head_input`. */
    int head_node;             /* -1: none, then the output is the features */
    graft_value_id head_input; /* the cut that training uses by default */
    int64_t head_features, head_classes;
};
int graft_survey_new(struct graft_survey **out, const struct graft_model *m,
                     struct graft_runtime *rt);
void graft_survey_free(struct graft_survey *s);

#endif
