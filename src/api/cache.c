/* The cache folder, as the public headers promise it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/data.h"

int graft_cache_list(graft_runtime *rt, graft_cache_fn *each, void *ctx)
{
    rt = graft_runtime_or_default(rt);
    if (!rt)
        return GRAFT_EMEM;
    if (!each)
        return graft_fail(GRAFT_EARG, "graft_cache_list: no callback");
    return graft_cache_each(rt, each, ctx);
}

int graft_cache_clear(graft_runtime *rt, uint64_t *bytes)
{
    rt = graft_runtime_or_default(rt);
    uint64_t removed = 0;
    int status = rt ? graft_cache_remove_all(rt, &removed) : GRAFT_EMEM;
    if (!status && bytes)
        *bytes = removed;
    return status;
}

const char *graft_cache_folder(graft_runtime *rt)
{
    rt = graft_runtime_or_default(rt);
    return rt ? rt->cache_dir : "";
}
