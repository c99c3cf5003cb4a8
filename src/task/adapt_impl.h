/* Adapting statistics: what its parts share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_ADAPT_IMPL_H
#define GRAFT_TASK_ADAPT_IMPL_H

#include "base/array.h"
#include "task/norms.h"
#include "train/features.h"

/* New contents of a normalisation's statistics. */
struct graft_adapted {
    graft_value_id mean, var;
    int64_t channels;
    real *at;              /* means, then variances */
};

struct graft_adapting {
    struct graft_adapt *a;
    struct graft_extract extract;  /* of pixels */
    struct graft_load_item *item;
    int n_items, n;        /* photos; of them those that can be read */
    graft_value_id at;     /* the value that photos have got to */
    int64_t floats;        /* of it, for one photo */
    float *x;              /* of n photos; NULL: pixels, read in every pass */
    float *batch;          /* of a batch, where they are read */
    GRAFT_ARRAY(struct graft_adapted) found;
};

/* GRAFT_EDATA for one of these that cannot be read, where that counts. */
int graft_adapt_check(const struct graft_adapting *x, int first, int n);

/* From x->at to `to`, `floats` of it for one photo; 0: it is the last
 * (adapt_piece.c). */
int graft_adapt_piece(struct graft_adapting *x, graft_value_id to,
                      int64_t floats);

#endif
