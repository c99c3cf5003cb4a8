/* What the runtime handle contains.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_RUNTIME_H
#define GRAFT_BASE_RUNTIME_H

#include <stdbool.h>

#include "base/pool.h"
#include "base/status.h"
#include "graft/runtime.h"

/* Instruction sets that kernels are built for, weakest first. */
#define GRAFT_ISA_LIST(X)                                                   \
    X(GRAFT_ISA_GENERIC, "generic")                                         \
    X(GRAFT_ISA_AVX2, "avx2")                                               \
    X(GRAFT_ISA_AVX512, "avx512")
#define GRAFT_ISA_ENUM(code, name) code,
enum graft_isa { GRAFT_ISA_LIST(GRAFT_ISA_ENUM) GRAFT_ISA_COUNT };
#undef GRAFT_ISA_ENUM

struct graft_runtime {
    struct graft_pool *pool;
    enum graft_isa isa;
    uint64_t memory_limit; /* 0: none */
    uint64_t cache_max;
    char *cache_dir;       /* never NULL; may not exist yet */
    graft_log_fn *log;
    void *log_ctx;
    char *links_root;      /* NULL: a model's data files may not be links */
    bool exact;            /* no kernels that round more than need be */
    _Atomic int cancel;
    struct graft_runtime *next_limited; /* see runtime.c */
};

/* rt itself, or for NULL the shared default (made on first use; NULL with the
 * message set when that fails). */
struct graft_runtime *graft_runtime_or_default(struct graft_runtime *rt);

/* GRAFT_ECANCELED once graft_runtime_cancel() was called. */
int graft_runtime_check(const struct graft_runtime *rt);

/* GRAFT_ELIMIT when `bytes` for `what` would pass the memory limit, counted
 * on top of what the process's allocator now holds. */
int graft_runtime_reserve(const struct graft_runtime *rt, uint64_t bytes,
                          const char *what);

/* What the process takes at this moment, in memory that it has used
 * (graft_peak_memory: at most, so far). process.c */
uint64_t graft_memory_now(void);

/* A line for the log sink, without newline. */
void graft_log(const struct graft_runtime *rt, enum graft_log_level level,
               const char *fmt, ...) GRAFT_PRINTF(3, 4);

#endif
