/* A collection of packed parameters: each found by what it was made of.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_PACKS_H
#define GRAFT_PROGRAM_PACKS_H

#include "base/hash.h"
#include "base/runtime.h"
#include "graph/op.h"

struct graft_pack_key {
    graft_value_id value;      /* the parameter */
    const char *kind;          /* pack kind's name, "row" for plain copies */
    uint64_t key;              /* of its spec */
    enum graft_isa isa;
    struct graft_hash scale;   /* of factors folded in; zero: none */
    struct graft_hash shape;   /* as read: a view may see it reshaped */
};

struct graft_pack {
    struct graft_pack_key key;
    void *data;                /* aligned */
    size_t bytes;
};

struct graft_packs {
    GRAFT_ARRAY(struct graft_pack) pack;
    int64_t bytes;
};

/* Finds the pack or makes room for it: *fresh says that the caller must fill
 * it (nothing can fail in between). */
int graft_packs_get(struct graft_packs *p, const struct graft_pack_key *key,
                    size_t bytes, void **data, bool *fresh);
void graft_packs_release(struct graft_packs *p);

/* A dense ROW view of any float dtype, as reals, its dim-0 slices multiplied
 * by scale (NULL: not). */
void graft_pack_plain(real *dst, const struct graft_view *src,
                      const real *scale);

#endif
