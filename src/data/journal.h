/* An append-only file of checked records that several processes share: the
 * side index and each store of the feature cache are one.
 *
 * Writers append whole records under flock; a writer that was killed leaves
 * at most a torn tail, which readers ignore and the next writer cuts off. A
 * file of ours that is not what its name says, or that somebody removed, is
 * begun anew; one that is not ours is left alone. That, or trouble with the
 * disk, switches writing off, with one warning.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_JOURNAL_H
#define GRAFT_DATA_JOURNAL_H

#include "base/hash.h"
#include "base/runtime.h"
#include "base/str.h"

struct graft_journal {
    struct graft_runtime *rt;
    char *path;
    const void *header;      /* what the file begins with */
    uint64_t header_bytes, record_bytes, max_bytes;
    uint64_t same_bytes;     /* of the header; they tell what is in it */
    uint64_t own_bytes;      /* of the header; they tell that it is ours */
    bool quiet;              /* no warning: nobody will miss it */
    int fd;                  /* -1: there is no file that can be read */
    bool off;                /* no writing any more */
    bool foreign;            /* somebody else's file has its name */
    uint64_t seen;           /* bytes that the owner has read so far */
};

/* j's header, sizes and rt are set; takes `name` in the cache folder, which
 * is made. Only lack of memory fails. */
int graft_journal_open(struct graft_journal *j, const char *name);
void graft_journal_close(struct graft_journal *j);

/* Bytes of header and whole records now in the file; 0: none of ours. */
uint64_t graft_journal_size(const struct graft_journal *j);
/* true: all n bytes at `at` were there. */
bool graft_journal_read(const struct graft_journal *j, uint64_t at, void *dst,
                        uint64_t n);

/* Locks the file for appending; false: writing is off. *anew: it is another
 * file than before, nothing of what was seen is in it. */
bool graft_journal_lock(struct graft_journal *j, bool *anew);
/* false: writing is off from now on, nothing was appended. */
bool graft_journal_append(struct graft_journal *j, const void *records,
                          uint64_t n);
/* Between lock and unlock: throws all records away. */
void graft_journal_empty(struct graft_journal *j);
void graft_journal_unlock(struct graft_journal *j);
/* Ends adding a record to `pending`: either it is whole, or memory ran out
 * (GRAFT_EMEM) and the `before` bytes that were there are all there is. */
int graft_journal_gather(struct graft_str *pending, size_t before);

/* A map from hashes to numbers. */
struct graft_hashmap {
    struct graft_hashmap_slot *slot;
    uint64_t n, cap;
};
int graft_hashmap_put(struct graft_hashmap *m, struct graft_hash key,
                      int64_t value);
bool graft_hashmap_get(const struct graft_hashmap *m, struct graft_hash key,
                       int64_t *value);
void graft_hashmap_release(struct graft_hashmap *m);

#endif
