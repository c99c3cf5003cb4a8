/* malloc with counters and failure on request; the only caller of malloc.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

static _Atomic uint64_t live, peak, calls;
static _Atomic uint64_t fail_at; /* value of `calls` that fails; 0: none */
static _Atomic int fail_forever;

static int must_fail(void)
{
    uint64_t now = atomic_fetch_add(&calls, 1) + 1;
    uint64_t at = atomic_load(&fail_at);
    return at && (now == at || (now > at && atomic_load(&fail_forever)));
}

static void *count(void *p, size_t bytes)
{
    if (!p) {
        graft_fail_mem(bytes);
        return NULL;
    }
    uint64_t size = malloc_usable_size(p);
    uint64_t now = atomic_fetch_add(&live, size) + size;
    uint64_t old = atomic_load(&peak);
    while (now > old && !atomic_compare_exchange_weak(&peak, &old, now))
        ;
    return p;
}

void *graft_malloc(size_t bytes)
{
    return count(must_fail() ? NULL : malloc(bytes ? bytes : 1), bytes);
}

void *graft_calloc(size_t n, size_t size)
{
    return count(must_fail() ? NULL : calloc(n ? n : 1, size ? size : 1),
                 n * size);
}

void *graft_realloc(void *p, size_t bytes)
{
    uint64_t old = p ? malloc_usable_size(p) : 0;
    void *q = must_fail() ? NULL : realloc(p, bytes ? bytes : 1);
    if (q)
        atomic_fetch_sub(&live, old);
    return count(q, bytes);
}

void *graft_alloc_aligned(size_t bytes)
{
    void *p = NULL;
    if (must_fail() || posix_memalign(&p, GRAFT_ALIGN, bytes ? bytes : 1))
        p = NULL;
    return count(p, bytes);
}

void graft_free(void *p)
{
    if (!p)
        return;
    atomic_fetch_sub(&live, malloc_usable_size(p));
    free(p);
}

char *graft_strndup(const char *s, size_t n)
{
    char *p = graft_malloc(n + 1);
    if (!p)
        return NULL;
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *graft_strdup(const char *s)
{
    return graft_strndup(s, strlen(s));
}

struct graft_alloc_stats graft_alloc_stats(void)
{
    return (struct graft_alloc_stats){.live_bytes = atomic_load(&live),
                                      .peak_bytes = atomic_load(&peak),
                                      .calls = atomic_load(&calls)};
}

void graft_alloc_fail_at(uint64_t nth, int forever)
{
    atomic_store(&fail_forever, forever);
    atomic_store(&fail_at, nth ? atomic_load(&calls) + nth : 0);
}
