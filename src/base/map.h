/* A map from strings to non-negative ints, open addressing.
 * Keys are borrowed: they must outlive the map.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_MAP_H
#define GRAFT_BASE_MAP_H

struct graft_map {
    struct graft_map_slot *slot;
    int n, cap; /* cap: power of two, at most half full */
};

void graft_map_init(struct graft_map *m); /* = {0} does as well */
void graft_map_release(struct graft_map *m);
int graft_map_get(const struct graft_map *m, const char *key); /* -1: none */
int graft_map_put(struct graft_map *m, const char *key, int value);
/* get gives -1 from now on; allocates nothing. */
void graft_map_forget(struct graft_map *m, const char *key);

#endif
