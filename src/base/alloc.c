/* malloc with counters and failure on request; the only caller of malloc.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/status.h"

static _Atomic uint64_t live, peak, calls, limit;
static _Atomic uint64_t fail_at; /* value of `calls` that fails; 0: none */
static _Atomic int fail_forever;

static int must_fail(void)
{
    uint64_t now = atomic_fetch_add(&calls, 1) + 1;
    uint64_t at = atomic_load(&fail_at);
    return at && (now == at || (now > at && atomic_load(&fail_forever)));
}

/* ---- counting -------------------------------------------------------------
 * Room is taken before the memory is asked for, so that threads together stay
 * within the limit, and corrected to what malloc really gave.
 */

/* At most what malloc gives for so many bytes: pages when they are many. */
static uint64_t at_most(size_t bytes)
{
    return (uint64_t)bytes + (bytes < 65536 ? 64 : 8192);
}

static int take_room(size_t bytes)
{
    uint64_t room = at_most(bytes), most = atomic_load(&limit);
    if (must_fail() || bytes > SIZE_MAX / 2) {
        graft_fail_mem(bytes);
        return 0;
    }
    uint64_t now = atomic_fetch_add(&live, room) + room;
    if (!most || now <= most)
        return 1;
    atomic_fetch_sub(&live, room);
    graft_fail(GRAFT_EMEM, "out of memory: %llu bytes wanted on top of the "
               "%llu in use; the memory limit is %llu",
               (unsigned long long)bytes, (unsigned long long)(now - room),
               (unsigned long long)most);
    return 0;
}

/* Room for `bytes` was taken, for p; `before` was counted for what p was. */
static void *count(void *p, size_t bytes, uint64_t before)
{
    if (!p) {
        atomic_fetch_sub(&live, at_most(bytes));
        graft_fail_mem(bytes);
        return NULL;
    }
    uint64_t change = malloc_usable_size(p) - at_most(bytes) - before;
    uint64_t now = atomic_fetch_add(&live, change) + change;
    uint64_t old = atomic_load(&peak);
    while (now > old && !atomic_compare_exchange_weak(&peak, &old, now))
        ;
    return p;
}

void *graft_malloc(size_t bytes)
{
    return take_room(bytes) ? count(malloc(bytes ? bytes : 1), bytes, 0)
                            : NULL;
}

void *graft_calloc(size_t n, size_t size)
{
    size_t bytes = size && n > SIZE_MAX / size ? SIZE_MAX : n * size;
    return take_room(bytes) ? count(calloc(1, bytes ? bytes : 1), bytes, 0)
                            : NULL;
}

void *graft_realloc(void *p, size_t bytes)
{
    uint64_t before = p ? malloc_usable_size(p) : 0;
    return take_room(bytes) ? count(realloc(p, bytes ? bytes : 1), bytes,
                                    before)
                            : NULL;
}

void *graft_alloc_aligned(size_t bytes)
{
    void *p = NULL;
    if (!take_room(bytes))
        return NULL;
    if (posix_memalign(&p, GRAFT_ALIGN, bytes ? bytes : 1))
        p = NULL;
    return count(p, bytes, 0);
}

void graft_free(void *p)
{
    if (!p)
        return;
    atomic_fetch_sub(&live, malloc_usable_size(p));
    free(p);
}

void graft_alloc_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void graft_alloc_forget(void *p, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
    const uintptr_t to = ((uintptr_t)p + bytes) / page * page;
    if (p && from < to)
        madvise((char *)p + (from - (uintptr_t)p), to - from, MADV_DONTNEED);
}

void graft_alloc_limit(uint64_t bytes)
{
    atomic_store(&limit, bytes);
}

void graft_alloc_peak_reset(void)
{
    atomic_store(&peak, atomic_load(&live));
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
