/* Selecting parameters: what its parts share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_UNFREEZE_IMPL_H
#define GRAFT_PROGRAM_UNFREEZE_IMPL_H

#include "program/trainable.h"
#include "program/unfreeze.h"

struct graft_choosing {
    const struct graft_model *m;
    struct graft_survey *survey;
    struct graft_trainables all;
    int32_t *level;      /* per value: smallest plane on the way, pixels */
    int32_t *stage;      /* levels in use, large to small */
    int n_stages;
    bool *below;         /* per value: depends on something */
    bool *chosen;        /* per trainable */
    bool *scaled;        /* the same: factors of it */
    const char *word;    /* being read, for messages */
};

/* Parts of unfreeze.c that know the graph (unfreeze_stage.c). Each adds to
 * `chosen`. */
int graft_find_stages(struct graft_choosing *x);
int graft_choose_stages(struct graft_choosing *x, int64_t n);
void graft_choose_from(struct graft_choosing *x, graft_value_id v);
/* scale-shift; marks `scaled` too (unfreeze_scale.c). */
void graft_choose_scales(struct graft_choosing *x);

#endif
