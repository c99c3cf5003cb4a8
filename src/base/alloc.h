/* The one allocator: everything Graft allocates passes through here, so that
 * bytes can be counted, bounded and made to fail on request.
 *
 * On failure each function returns NULL *and* has set the GRAFT_EMEM message,
 * so callers write: if (!p) return GRAFT_EMEM;
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_ALLOC_H
#define GRAFT_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#define GRAFT_ALIGN 64 /* bytes: one cache line, one AVX-512 vector */

void *graft_malloc(size_t bytes);               /* 0 bytes: a valid pointer */
void *graft_calloc(size_t count, size_t size);  /* overflow: NULL, EMEM */
void *graft_realloc(void *p, size_t bytes);     /* on NULL, p stays valid */
void *graft_alloc_aligned(size_t bytes);        /* GRAFT_ALIGN, not cleared */
void graft_free(void *p);                       /* of any of the above */
/* Gives what was freed back to the system, as far as it can: between two large
 * pieces of work, so that the holes of the first do not add to the second. */
void graft_alloc_trim(void);
/* Forgets what stands in memory that is kept: it takes room again only where
 * it is written. */
void graft_alloc_forget(void *p, size_t bytes);
char *graft_strdup(const char *s);
char *graft_strndup(const char *s, size_t n);

/* Counters of the whole process, for tests and reports. */
struct graft_alloc_stats {
    uint64_t live_bytes, peak_bytes; /* held now, most held ever */
    uint64_t calls;                  /* allocations asked for so far */
};
struct graft_alloc_stats graft_alloc_stats(void);

/* peak_bytes is what is held now: for who measures one piece of work. */
void graft_alloc_peak_reset(void);

/* Allocations that would bring live_bytes over this fail; 0: none does. Of
 * the whole process: base/runtime.c sets it. */
void graft_alloc_limit(uint64_t bytes);

/* Makes allocation number `nth` from now fail (1: the next one), and with
 * `forever` all after it too; nth 0 switches this off. For tests. */
void graft_alloc_fail_at(uint64_t nth, int forever);

#endif
