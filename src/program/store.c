/* The parameter store: packed and plain forms of a model's parameters.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/store.h"

#include <string.h>

#include "program/packs.h"

/* ---- packs -------------------------------------------------------------- */

static bool same_key(const struct graft_pack_key *a,
                     const struct graft_pack_key *b)
{
    return a->value == b->value && a->key == b->key && a->isa == b->isa &&
           graft_hash_equal(a->scale, b->scale) &&
           graft_hash_equal(a->shape, b->shape) &&
           strcmp(a->kind, b->kind) == 0;
}

int graft_packs_get(struct graft_packs *p, const struct graft_pack_key *key,
                    size_t bytes, void **data, bool *fresh)
{
    *fresh = false;
    for (int i = 0; i < p->pack.n; i++)
        if (p->pack.at[i].bytes == bytes &&
            same_key(&p->pack.at[i].key, key)) {
            *data = p->pack.at[i].data;
            return GRAFT_OK;
        }
    struct graft_pack *pack = graft_push(&p->pack);
    if (!pack)
        return GRAFT_EMEM;
    pack->key = *key;
    pack->bytes = bytes;
    pack->data = graft_alloc_aligned(bytes);
    if (!pack->data) {
        p->pack.n--;
        return GRAFT_EMEM;
    }
    p->bytes += (int64_t)bytes;
    *data = pack->data;
    *fresh = true;
    return GRAFT_OK;
}

void graft_packs_release(struct graft_packs *p)
{
    for (int i = 0; i < p->pack.n; i++)
        graft_free(p->pack.at[i].data);
    graft_array_release(&p->pack);
    p->bytes = 0;
}

void graft_pack_plain(real *dst, const struct graft_view *src,
                      const real *scale)
{
    int64_t count = graft_count(src);
    graft_view_read(src, 0, count, dst);
    if (!scale || !count)
        return;
    int64_t slice = count / src->shape.dim[0];
    for (int64_t c = 0; c < src->shape.dim[0]; c++)
        for (int64_t i = 0; i < slice; i++)
            dst[c * slice + i] *= scale[c];
}

/* ---- the store ---------------------------------------------------------- */

struct graft_store {
    const struct graft_model *model;
    struct graft_packs packs;
};

int graft_store_new(struct graft_store **out, const struct graft_model *m,
                    struct graft_runtime *rt)
{
    (void)rt;
    struct graft_store *s = graft_calloc(1, sizeof *s);
    if (!s)
        return GRAFT_EMEM;
    s->model = m;
    *out = s;
    return GRAFT_OK;
}

void graft_store_free(struct graft_store *s)
{
    if (!s)
        return;
    graft_packs_release(&s->packs);
    graft_free(s);
}

int64_t graft_store_bytes(const struct graft_store *s)
{
    return s->packs.bytes;
}

int graft_store_packs(const struct graft_store *s)
{
    return s->packs.pack.n;
}

struct graft_packs *graft_store_shared(struct graft_store *s)
{
    return &s->packs;
}

const struct graft_model *graft_store_model(const struct graft_store *s)
{
    return s->model;
}
