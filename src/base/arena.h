/* An arena: many small allocations that die together.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_ARENA_H
#define GRAFT_BASE_ARENA_H

#include <stddef.h>

struct graft_arena_block;
struct graft_arena {
    struct graft_arena_block *blocks; /* newest first */
};

void graft_arena_init(struct graft_arena *a); /* = {0} does as well */
void graft_arena_release(struct graft_arena *a);

/* Zeroed, aligned for any scalar type; NULL (EMEM message set) on failure.
 * _array refuses count * size overflow the same way. */
void *graft_arena_alloc(struct graft_arena *a, size_t bytes);
void *graft_arena_array(struct graft_arena *a, size_t count, size_t size);
char *graft_arena_strndup(struct graft_arena *a, const char *s, size_t n);
char *graft_arena_strdup(struct graft_arena *a, const char *s);

#endif
