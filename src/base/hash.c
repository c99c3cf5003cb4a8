/* Hashing by xxHash; the only user of its header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct graft_hash graft_hash(const void *data, size_t bytes)
{
    XXH128_hash_t h = XXH3_128bits(data, bytes);
    return (struct graft_hash){.lo = h.low64, .hi = h.high64};
}

struct graft_hash graft_hash_mix(struct graft_hash a, struct graft_hash b)
{
    uint64_t four[4] = {a.lo, a.hi, b.lo, b.hi};
    return graft_hash(four, sizeof four);
}

struct graft_hash graft_hash_add(struct graft_hash a, const void *data,
                                 size_t bytes)
{
    return graft_hash_mix(a, graft_hash(data, bytes));
}

bool graft_hash_equal(struct graft_hash a, struct graft_hash b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

void graft_hash_hex(char out[GRAFT_HASH_HEX], struct graft_hash h)
{
    snprintf(out, GRAFT_HASH_HEX, "%016" PRIx64 "%016" PRIx64, h.hi, h.lo);
}
