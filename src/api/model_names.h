/* Names that callers give, found in a model or refused with a hint.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_API_MODEL_NAMES_H
#define GRAFT_API_MODEL_NAMES_H

#include "graph/model.h"

/* A value that something defines. */
int graft_find_value(graft_value_id *out, const struct graft_model *m,
                     const char *name);
/* The values of a list; *out is graft_free'd by the caller. */
int graft_find_values(graft_value_id **out, const struct graft_model *m,
                      const char *const *names, int n);
/* The one node of this name. */
int graft_find_node(int32_t *out, const struct graft_model *m,
                    const char *name);
/* A parameter: an initializer or the output of a Constant. */
int graft_find_parameter(graft_value_id *out, const struct graft_model *m,
                         const char *name);
/* An initializer: index into m->tensor. */
int graft_find_initializer(int32_t *out, const struct graft_model *m,
                           const char *name);

#endif
