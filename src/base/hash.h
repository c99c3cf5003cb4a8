/* 128-bit hashes (xxHash XXH3) of bytes: cache keys, file checks, maps.
 * Not cryptographic.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_HASH_H
#define GRAFT_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graft_hash {
    uint64_t lo, hi;
};

struct graft_hash graft_hash(const void *data, size_t bytes);

/* Order-dependent combination of two hashes. */
struct graft_hash graft_hash_mix(struct graft_hash a, struct graft_hash b);
struct graft_hash graft_hash_add(struct graft_hash a, const void *data,
                                 size_t bytes); /* mix(a, hash(data)) */

/* A hash that only this process gives: names of a hostile file cannot be
 * chosen so that they meet in one place of a table. For tables that do not
 * outlive the process, and whose order nobody sees. */
uint64_t graft_hash_secret(const void *data, size_t bytes);

bool graft_hash_equal(struct graft_hash a, struct graft_hash b);

#define GRAFT_HASH_HEX 33 /* bytes of the text form with its NUL */
void graft_hash_hex(char out[GRAFT_HASH_HEX], struct graft_hash h);

#endif
