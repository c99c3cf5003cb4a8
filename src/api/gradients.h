/* What a public computation of gradients contains.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_API_GRADIENTS_H
#define GRAFT_API_GRADIENTS_H

#include "base/runtime.h"
#include "graft/finetune.h"
#include "program/program.h"

/* An output, a gradient, a parameter: as the caller sees it. */
struct graft_shown {
    graft_value_id value;
    struct graft_shape shape;
    float *data;
    int at; /* number in the program: of outputs, of wanted gradients, of the
               selection */
    bool parameter;
};

struct graft_gradients {
    const struct graft_model *model;
    struct graft_runtime *rt;
    struct graft_store *store;
    struct graft_selection *selection;
    struct graft_program *program;
    struct graft_input_dims *in; /* of each of the model's inputs */
    int *array;                  /* which of the caller's arrays it reads */
    int n_in, images;
    struct graft_shown *out, *wanted;
    int n_out, n_wanted;
    real *flat;
    bool ran;                    /* forward has */
};

const char *graft_gradients_name(const graft_gradients *g, graft_value_id v);
/* Which array each input reads; they are matched as for sessions. */
int graft_gradients_match(const graft_gradients *g,
                          const struct graft_array *a, int n);

#endif
