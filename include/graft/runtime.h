/* The runtime: what a process gives to Graft (threads, memory, a folder for
 * the cache) and hears from it (log). Handed to every call that works;
 * NULL everywhere means one shared default runtime.
 *
 *     graft_runtime *rt;
 *     struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
 *     o.threads = 4;
 *     if (graft_runtime_new(&rt, &o)) puts(graft_error_message());
 *     ...
 *     graft_runtime_free(rt);     after everything made with it
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_RUNTIME_H
#define GRAFT_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graft/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_runtime graft_runtime;

enum graft_log_level { GRAFT_LOG_INFO, GRAFT_LOG_WARNING };
typedef void graft_log_fn(void *ctx, enum graft_log_level, const char *text);

/* Progress of long work. May come from any thread of the runtime; `done` of
 * `total` things named by `what` ("photos"), in the phase `phase`. A value
 * other than 0 asks for cancellation: the work ends soon with
 * GRAFT_ECANCELED, keeping what can be kept. */
typedef int graft_progress_fn(void *ctx, const char *phase, const char *what,
                              uint64_t done, uint64_t total);

struct graft_runtime_options {
    int threads;           /* 0: one for each processor we may use */
    const char *isa;       /* NULL or "": the best this machine has; "generic",
                              "avx2", "avx512" force one (GRAFT_ISA too) */
    uint64_t memory_limit; /* bytes that the library may hold in this process
                              (of several runtimes the smallest limit counts);
                              what needs more fails. 0: no limit */
    const char *cache_dir; /* NULL: $GRAFT_CACHE, else $XDG_CACHE_HOME/graft,
                              else ~/.cache/graft */
    uint64_t cache_max;    /* bytes the cache may hold; 0: 8 GiB */
    graft_log_fn *log;     /* NULL: silence */
    void *log_ctx;
    const char *links_root; /* a folder: data files that a model names may be
                              links (symbolic or hard), if the real file lies
                              beneath it. For caches that keep models so.
                              NULL: such links are refused */
    bool exact;            /* convolutions are plain sums of products: none of
                              the faster ways that round a little more (3x3
                              by Winograd's). Both stay the same for any
                              number of threads and any batch */
};
#define GRAFT_RUNTIME_OPTIONS {0, NULL, 0, NULL, 0, NULL, NULL, NULL, false}

/* options NULL: defaults. The runtime is the caller's; free it last. */
GRAFT_API int graft_runtime_new(graft_runtime **out,
                                const struct graft_runtime_options *options);
GRAFT_API void graft_runtime_free(graft_runtime *rt);

/* Threads in use, and the instruction set chosen, e.g. "avx512". */
GRAFT_API int graft_runtime_threads(const graft_runtime *rt);
GRAFT_API const char *graft_runtime_isa(const graft_runtime *rt);

/* Asks everything now running on `rt` (not NULL) to end with
 * GRAFT_ECANCELED. Only sets an atomic flag: safe in a signal handler. Stays
 * set until graft_runtime_reset(). */
GRAFT_API void graft_runtime_cancel(graft_runtime *rt);
GRAFT_API void graft_runtime_reset(graft_runtime *rt);

/* Most memory this process has held so far, in bytes (VmHWM). */
GRAFT_API uint64_t graft_peak_memory(void);

/* "0.1.0" */
GRAFT_API const char *graft_version(void);

#ifdef __cplusplus
}
#endif
#endif
