/* Types of values that become outputs and that no file states.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_API_MODEL_TYPES_H
#define GRAFT_API_MODEL_TYPES_H

#include "graph/model.h"

/* What is stated of a value, to be put back. */
struct graft_stated {
    graft_value_id id;
    struct graft_value was;
};
struct graft_stated_list {
    struct graft_stated *at;
    int n;
};
/* States an inferred type of each of these values that has none; *list says
 * what was there before. GRAFT_ESHAPE: one cannot be inferred. After a
 * failure nothing has changed. */
int graft_state_types(struct graft_stated_list *list, struct graft_model *m,
                      const graft_value_id *values, int n);
/* Back to what was before. */
void graft_state_back(struct graft_model *m,
                      const struct graft_stated_list *list);
void graft_state_release(struct graft_stated_list *list);

#endif
