/* Parameters at run time: aligned masters of what is trainable, packed forms
 * of everything, shared by all programs of a model; and selections.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_STORE_H
#define GRAFT_PROGRAM_STORE_H

#include "graph/op.h"

struct graft_store; /* owns packs, keyed (parameters, kind, key, isa) */
int graft_store_new(struct graft_store **out, const struct graft_model *m,
                    struct graft_runtime *rt);
void graft_store_free(struct graft_store *s);
int64_t graft_store_bytes(const struct graft_store *s);
/* Packs held, for tests. Not for several threads at once: programs of one
 * store are compiled one after the other. */
int graft_store_packs(const struct graft_store *s);
struct graft_packs *graft_store_shared(struct graft_store *s);
const struct graft_model *graft_store_model(const struct graft_store *s);

/* Which parameters are trained, and where each lies in the flat vectors
 * (weights, gradient, optimizer state), in ONNX's own layout. */
struct graft_selection {
    struct graft_store *store;      /* borrowed; must outlive this */
    struct graft_selected {
        graft_value_id value;       /* an initializer */
        int64_t offset, count;      /* in elements of flat vectors; offsets
                                       are multiples of 16 */
        int group;                  /* for rate and decay */
        bool scale;                 /* not the elements of `value` are
                                       trained but one factor for each of its
                                       slices of dim 0, from 1 on; every
                                       reader sees factor times element */
        struct graft_view was;      /* scale: the elements */
        bool as_held;               /* scale: readers see what the elements'
                                       type holds of the products */
    } *at;
    int n;
    int64_t size;                   /* elements of a flat vector */
    real *master;                   /* the trainable values; aligned */
};
/* Selects initializers by id (float, readable); masters are filled from the
 * file. Free with _free. */
int graft_selection_new(struct graft_selection **out, struct graft_store *s,
                        const graft_value_id *values, int n);
/* The same; where scale[i] is set (scale NULL: nowhere), factors. */
int graft_selection_scaled(struct graft_selection **out,
                           struct graft_store *s,
                           const graft_value_id *values, const bool *scale,
                           int n);
void graft_selection_free(struct graft_selection *s);
/* As the file has parameter k's shape; of factors [count]. */
struct graft_shape graft_selected_shape(const struct graft_selection *s,
                                        int k);

#endif
