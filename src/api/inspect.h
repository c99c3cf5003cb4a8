/* What the parts of inspection share: the handle that owns all of it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_API_INSPECT_H
#define GRAFT_API_INSPECT_H

#include "base/arena.h"
#include "graft/model.h"

struct graft_inspected {
    struct graft_inspection x; /* first: what the caller holds */
    struct graft_arena arena;  /* owns what x points to */
};

/* What the model's card says, and the pixels that training would assume. */
int graft_inspect_card(struct graft_inspected *t, const struct graft_model *m);
/* Sets x.json from the rest of x. */
int graft_inspect_json(struct graft_inspected *t);

#endif
