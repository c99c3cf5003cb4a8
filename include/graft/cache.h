/* The feature cache: what frozen layers made of photos, kept on disk.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_CACHE_H
#define GRAFT_CACHE_H

#include "graft/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One store of features in the runtime's cache folder. */
struct graft_cache_entry {
    const char *name;      /* file name */
    const char *about;     /* what made it, e.g. "mobilenetv2 464 1280" */
    uint64_t records, bytes;
    int64_t last_used;     /* seconds since 1970 */
};
typedef void graft_cache_fn(void *ctx, const struct graft_cache_entry *);
GRAFT_API int graft_cache_list(graft_runtime *rt, graft_cache_fn *each,
                               void *ctx);
/* Removes everything of Graft's from the cache folder; *bytes (may be NULL):
 * how much that was. Other files are left alone. */
GRAFT_API int graft_cache_clear(graft_runtime *rt, uint64_t *bytes);
/* The folder, borrowed from the runtime. */
GRAFT_API const char *graft_cache_folder(graft_runtime *rt);

#ifdef __cplusplus
}
#endif
#endif
