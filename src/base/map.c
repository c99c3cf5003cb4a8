/* String map with linear probing. The names come from files, so the hash is
 * one that their author cannot foresee.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/status.h"

struct graft_map_slot {
    const char *key; /* NULL: free */
    int value;
};

void graft_map_init(struct graft_map *m)
{
    *m = (struct graft_map){0};
}

void graft_map_release(struct graft_map *m)
{
    graft_free(m->slot);
    *m = (struct graft_map){0};
}

static struct graft_map_slot *find(const struct graft_map *m, const char *key)
{
    uint32_t mask = (uint32_t)m->cap - 1;
    uint32_t i = (uint32_t)graft_hash_secret(key, strlen(key)) & mask;
    while (m->slot[i].key && strcmp(m->slot[i].key, key))
        i = (i + 1) & mask;
    return &m->slot[i];
}

int graft_map_get(const struct graft_map *m, const char *key)
{
    if (!m->cap)
        return -1;
    const struct graft_map_slot *s = find(m, key);
    return s->key ? s->value : -1;
}

static int grow(struct graft_map *m)
{
    if (m->cap > INT_MAX / 2)
        return graft_fail(GRAFT_ELIMIT, "a map outgrew %d names", m->n);
    struct graft_map bigger = {.n = m->n, .cap = m->cap ? m->cap * 2 : 64};
    bigger.slot = graft_calloc((size_t)bigger.cap, sizeof *bigger.slot);
    if (!bigger.slot)
        return GRAFT_EMEM;
    for (int i = 0; i < m->cap; i++)
        if (m->slot[i].key)
            *find(&bigger, m->slot[i].key) = m->slot[i];
    graft_free(m->slot);
    *m = bigger;
    return GRAFT_OK;
}

int graft_map_put(struct graft_map *m, const char *key, int value)
{
    if (2 * (m->n + 1) > m->cap) {
        int status = grow(m);
        if (status)
            return status;
    }
    struct graft_map_slot *s = find(m, key);
    if (!s->key)
        m->n++;
    s->key = key;
    s->value = value;
    return GRAFT_OK;
}

void graft_map_forget(struct graft_map *m, const char *key)
{
    struct graft_map_slot *s = m->cap ? find(m, key) : NULL;
    if (s && s->key)
        s->value = -1;
}
