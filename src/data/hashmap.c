/* A map from 128-bit hashes to numbers, open addressing: the hashes are
 * taken for what they are hashes of.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "data/journal.h"

struct graft_hashmap_slot {
    struct graft_hash key;
    int64_t value;
    bool used;
};

static struct graft_hashmap_slot *find(const struct graft_hashmap *m,
                                       struct graft_hash key)
{
    uint64_t i = (key.lo ^ key.hi) & (m->cap - 1);
    while (m->slot[i].used && !graft_hash_equal(m->slot[i].key, key))
        i = (i + 1) & (m->cap - 1);
    return &m->slot[i];
}

static int grow(struct graft_hashmap *m)
{
    struct graft_hashmap bigger = {.cap = m->cap ? 2 * m->cap : 64,
                                   .n = m->n};
    bigger.slot = graft_calloc(bigger.cap, sizeof *bigger.slot);
    if (!bigger.slot)
        return GRAFT_EMEM;
    for (uint64_t i = 0; i < m->cap; i++)
        if (m->slot[i].used)
            *find(&bigger, m->slot[i].key) = m->slot[i];
    graft_free(m->slot);
    *m = bigger;
    return GRAFT_OK;
}

int graft_hashmap_put(struct graft_hashmap *m, struct graft_hash key,
                      int64_t value)
{
    if (2 * (m->n + 1) > m->cap && grow(m))
        return GRAFT_EMEM;
    struct graft_hashmap_slot *s = find(m, key);
    m->n += !s->used;
    *s = (struct graft_hashmap_slot){key, value, true};
    return GRAFT_OK;
}

bool graft_hashmap_get(const struct graft_hashmap *m, struct graft_hash key,
                       int64_t *value)
{
    const struct graft_hashmap_slot *s = m->cap ? find(m, key) : NULL;
    if (!s || !s->used)
        return false;
    *value = s->value;
    return true;
}

void graft_hashmap_release(struct graft_hashmap *m)
{
    graft_free(m->slot);
    *m = (struct graft_hashmap){0};
}
