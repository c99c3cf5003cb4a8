/* What the files of the cache folder begin with, for those who read them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_CACHE_STORE_H
#define GRAFT_DATA_CACHE_STORE_H

#include "base/hash.h"
#include "base/runtime.h"

#define GRAFT_STORE_SUFFIX ".feat"
#define GRAFT_STORE_MAGIC "GRAFTFT1"
#define GRAFT_INDEX_NAME "files.idx"
#define GRAFT_INDEX_MAGIC "graft files "
enum { GRAFT_STORE_HEADER = 512, GRAFT_STORE_ABOUT = 464 };

struct graft_store_header {
    char magic[8];
    struct graft_hash key;
    int64_t floats;
    uint64_t record_bytes, check; /* check: of all else */
    char about[GRAFT_STORE_ABOUT]; /* NUL-terminated */
};

/* In the file: this, then the floats. */
struct graft_store_record {
    struct graft_hash image;
    uint64_t recipe, check; /* of image, recipe and floats */
};

uint64_t graft_store_check(const struct graft_store_header *h);

/* Removes the stores used longest ago, `open` (a path) never, until the
 * folder holds at most rt->cache_max bytes. */
int graft_stores_trim(struct graft_runtime *rt, const char *open);

#endif
