/* Arena of growing blocks; a large request gets a block of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 256 * 1024 };

struct graft_arena_block {
    struct graft_arena_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

void graft_arena_init(struct graft_arena *a)
{
    a->blocks = NULL;
}

void graft_arena_release(struct graft_arena *a)
{
    for (struct graft_arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        graft_free(b);
    }
    a->blocks = NULL;
}

static struct graft_arena_block *add_block(struct graft_arena *a, size_t want)
{
    size_t size = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < want)
        size = want;
    struct graft_arena_block *b = graft_malloc(sizeof *b + size);
    if (!b)
        return NULL;
    b->used = 0;
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *graft_arena_alloc(struct graft_arena *a, size_t bytes)
{
    const size_t align = alignof(max_align_t);
    if (bytes > SIZE_MAX / 2) {
        graft_fail_mem(bytes);
        return NULL;
    }
    size_t want = (bytes + align - 1) / align * align;
    struct graft_arena_block *b = a->blocks;
    if (!b || b->size - b->used < want)
        b = add_block(a, want);
    if (!b)
        return NULL;
    void *p = b->data + b->used;
    b->used += want;
    return memset(p, 0, want);
}

void *graft_arena_array(struct graft_arena *a, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size) {
        graft_fail_mem(SIZE_MAX);
        return NULL;
    }
    return graft_arena_alloc(a, count * size);
}

char *graft_arena_strndup(struct graft_arena *a, const char *s, size_t n)
{
    if (n > SIZE_MAX / 2) {
        graft_fail_mem(n);
        return NULL;
    }
    char *p = graft_arena_alloc(a, n + 1);
    if (p && n) /* s may be NULL then */
        memcpy(p, s, n);
    return p;
}

char *graft_arena_strdup(struct graft_arena *a, const char *s)
{
    return graft_arena_strndup(a, s, strlen(s));
}
