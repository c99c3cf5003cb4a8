/* The runtime handle: threads, instruction set, limits, log.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "base/runtime.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

#define DEFAULT_CACHE_MAX (8ull << 30)

static const char *const isa_names[] = {
#define NAME(code, name) name,
    GRAFT_ISA_LIST(NAME)
#undef NAME
};

const char *graft_version(void)
{
    return "0.1.0";
}

static int processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

static enum graft_isa best_isa(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
        return GRAFT_ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return GRAFT_ISA_AVX2;
#endif
    return GRAFT_ISA_GENERIC;
}

static int choose_isa(enum graft_isa *out, const char *name)
{
    enum graft_isa best = best_isa();
    if (!name || !*name)
        name = getenv("GRAFT_ISA");
    if (!name || !*name) {
        *out = best;
        return GRAFT_OK;
    }
    for (int i = 0; i < GRAFT_ISA_COUNT; i++) {
        if (strcmp(name, isa_names[i]))
            continue;
        if (i > (int)best)
            return graft_fail(GRAFT_EUNSUPPORTED, "instruction set '%s' is "
                              "not on this machine; the best here is '%s'",
                              name, isa_names[best]);
        *out = (enum graft_isa)i;
        return GRAFT_OK;
    }
    return graft_fail(GRAFT_EARG, "instruction set '%s' is not known; there "
                      "are generic, avx2, avx512", name);
}

static char *default_cache_dir(void)
{
    const char *own = getenv("GRAFT_CACHE");
    if (own && *own)
        return graft_strdup(own);
    const char *xdg = getenv("XDG_CACHE_HOME");
    if (xdg && *xdg)
        return graft_path_join(xdg, "graft");
    const char *home = getenv("HOME");
    return graft_path_join(home && *home ? home : "/tmp", ".cache/graft");
}

static int fill(struct graft_runtime *rt,
                const struct graft_runtime_options *o)
{
    int status = choose_isa(&rt->isa, o->isa);
    if (status)
        return status;
    if (o->threads < 0)
        return graft_fail(GRAFT_EARG, "threads = %d; at least 1, or 0 for "
                          "all processors", o->threads);
    rt->cache_dir = o->cache_dir ? graft_strdup(o->cache_dir)
                                 : default_cache_dir();
    if (!rt->cache_dir)
        return GRAFT_EMEM;
    if (o->links_root) {
        rt->links_root = graft_strdup(o->links_root);
        if (!rt->links_root)
            return GRAFT_EMEM;
    }
    rt->memory_limit = o->memory_limit;
    rt->cache_max = o->cache_max ? o->cache_max : DEFAULT_CACHE_MAX;
    rt->exact = o->exact;
    rt->log = o->log;
    rt->log_ctx = o->log_ctx;
    return graft_pool_new(&rt->pool, o->threads ? o->threads : processors());
}

/* ---- the memory limit ------------------------------------------------------
 * The allocator counts for the whole process, so the smallest limit of the
 * runtimes that there are holds for all of them.
 */

static pthread_mutex_t limited_lock = PTHREAD_MUTEX_INITIALIZER;
static struct graft_runtime *limited; /* those with a limit */

static void set_smallest(void)
{
    uint64_t least = 0;
    for (const struct graft_runtime *r = limited; r; r = r->next_limited)
        if (!least || r->memory_limit < least)
            least = r->memory_limit;
    graft_alloc_limit(least);
}

static void add_limit(struct graft_runtime *rt)
{
    if (!rt->memory_limit)
        return;
    pthread_mutex_lock(&limited_lock);
    rt->next_limited = limited;
    limited = rt;
    set_smallest();
    pthread_mutex_unlock(&limited_lock);
}

static void remove_limit(struct graft_runtime *rt)
{
    pthread_mutex_lock(&limited_lock);
    struct graft_runtime **at = &limited;
    while (*at && *at != rt)
        at = &(*at)->next_limited;
    if (*at)
        *at = rt->next_limited;
    set_smallest();
    pthread_mutex_unlock(&limited_lock);
}

int graft_runtime_new(graft_runtime **out,
                      const struct graft_runtime_options *options)
{
    const struct graft_runtime_options none = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt = graft_calloc(1, sizeof *rt);
    if (!rt)
        return GRAFT_EMEM;
    int status = fill(rt, options ? options : &none);
    if (status) {
        graft_runtime_free(rt);
        return status;
    }
    add_limit(rt);
    *out = rt;
    return GRAFT_OK;
}

void graft_runtime_free(graft_runtime *rt)
{
    if (!rt)
        return;
    remove_limit(rt);
    graft_pool_free(rt->pool);
    graft_free(rt->cache_dir);
    graft_free(rt->links_root);
    graft_free(rt);
}

int graft_runtime_threads(const graft_runtime *rt)
{
    rt = graft_runtime_or_default((struct graft_runtime *)rt);
    return rt ? graft_pool_threads(rt->pool) : 0;
}

const char *graft_runtime_isa(const graft_runtime *rt)
{
    rt = graft_runtime_or_default((struct graft_runtime *)rt);
    return rt ? isa_names[rt->isa] : "";
}

void graft_runtime_cancel(graft_runtime *rt)
{
    atomic_store(&rt->cancel, 1);
}

void graft_runtime_reset(graft_runtime *rt)
{
    atomic_store(&rt->cancel, 0);
}

/* ---- the shared default ------------------------------------------------ */

static pthread_mutex_t default_lock = PTHREAD_MUTEX_INITIALIZER;
static struct graft_runtime *the_default;

static void free_default(void)
{
    graft_runtime_free(the_default);
    the_default = NULL;
}

struct graft_runtime *graft_runtime_or_default(struct graft_runtime *rt)
{
    if (rt)
        return rt;
    pthread_mutex_lock(&default_lock);
    if (!the_default && graft_runtime_new(&the_default, NULL) == GRAFT_OK)
        atexit(free_default);
    rt = the_default;
    pthread_mutex_unlock(&default_lock);
    return rt;
}

/* ---- services ----------------------------------------------------------- */

int graft_runtime_check(const struct graft_runtime *rt)
{
    if (atomic_load(&rt->cancel))
        return graft_fail(GRAFT_ECANCELED, "cancelled");
    return GRAFT_OK;
}

int graft_runtime_reserve(const struct graft_runtime *rt, uint64_t bytes,
                          const char *what)
{
    uint64_t held = graft_alloc_stats().live_bytes;
    if (!rt->memory_limit ||
        (held <= rt->memory_limit && bytes <= rt->memory_limit - held))
        return GRAFT_OK;
    return graft_fail(GRAFT_ELIMIT, "%s needs %llu bytes on top of the %llu "
                      "in use; the memory limit is %llu", what,
                      (unsigned long long)bytes, (unsigned long long)held,
                      (unsigned long long)rt->memory_limit);
}

void graft_log(const struct graft_runtime *rt, enum graft_log_level level,
               const char *fmt, ...)
{
    if (!rt->log)
        return;
    char text[GRAFT_MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    rt->log(rt->log_ctx, level, text);
}
