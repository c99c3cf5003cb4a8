/* The feature cache: one journal of fixed-size records for each store.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/cache_store.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "data/data.h"
#include "data/journal.h"

#define FLUSH_BYTES GRAFT_CACHE_WAITING

struct graft_cache {
    struct graft_store_header header;
    struct graft_journal journal;
    struct graft_hashmap map; /* (image, recipe) -> record; see below */
    struct graft_str pending; /* records not yet in the file */
    struct graft_files *files;
};

/* Values of the map: number of a record in the file; or DAMAGED; or, below
 * it, number n of a pending one as DAMAGED - 1 - n. */
enum { DAMAGED = -1 };

_Static_assert(sizeof(struct graft_store_header) == GRAFT_STORE_HEADER,
               "the header has a fixed size");

uint64_t graft_store_check(const struct graft_store_header *h)
{
    struct graft_store_header copy = *h;
    copy.check = 0;
    return graft_hash(&copy, sizeof copy).lo;
}

static struct graft_hash key_of(struct graft_hash image, uint64_t recipe)
{
    return graft_hash_add(image, &recipe, sizeof recipe);
}

/* The store's key is mixed in: a record is nobody else's. */
static uint64_t check_of(const struct graft_cache *c,
                         const struct graft_store_record *r,
                         const float *floats)
{
    struct graft_hash h = graft_hash_add(
        c->header.key, r, offsetof(struct graft_store_record, check));
    return graft_hash_add(h, floats,
                          (size_t)c->header.floats * sizeof *floats).lo;
}

/* ---- opening ------------------------------------------------------------- */

/* Puts the records that the file has got since into the map. */
static int refresh(struct graft_cache *c)
{
    struct graft_journal *j = &c->journal;
    uint64_t end = graft_journal_size(j), bytes = c->header.record_bytes;
    uint64_t at = j->seen ? j->seen : GRAFT_STORE_HEADER;
    for (; at < end; at += bytes) {
        struct graft_store_record r;
        if (!graft_journal_read(j, at, &r, sizeof r))
            break;
        int64_t number = (int64_t)((at - GRAFT_STORE_HEADER) / bytes);
        if (graft_hashmap_put(&c->map, key_of(r.image, r.recipe), number))
            return GRAFT_EMEM;
    }
    if (end)
        j->seen = end;
    return GRAFT_OK;
}

static int fill_header(struct graft_store_header *h,
                       const struct graft_cache_key *key)
{
    const int64_t most = INT64_C(1) << 31;
    if (key->floats < 1 || key->floats > most)
        return graft_fail(GRAFT_ELIMIT, "features of %lld numbers for each "
                          "photo cannot be cached; at most %lld",
                          (long long)key->floats, (long long)most);
    memcpy(h->magic, GRAFT_STORE_MAGIC, sizeof h->magic);
    h->key = key->hash;
    h->floats = key->floats;
    h->record_bytes = sizeof(struct graft_store_record) +
                      (uint64_t)key->floats * sizeof(float);
    snprintf(h->about, sizeof h->about, "%s", key->about ? key->about : "");
    h->check = graft_store_check(h);
    return GRAFT_OK;
}

static int open_store(struct graft_cache *c, struct graft_runtime *rt,
                      const struct graft_cache_key *key)
{
    char name[GRAFT_HASH_HEX + sizeof GRAFT_STORE_SUFFIX];
    int status = fill_header(&c->header, key);
    if (status)
        return status;
    graft_hash_hex(name, key->hash);
    memcpy(name + GRAFT_HASH_HEX - 1, GRAFT_STORE_SUFFIX,
           sizeof GRAFT_STORE_SUFFIX);
    c->journal = (struct graft_journal){
        .rt = rt, .header = &c->header, .header_bytes = GRAFT_STORE_HEADER,
        .same_bytes = offsetof(struct graft_store_header, check),
        .own_bytes = sizeof c->header.magic,
        .record_bytes = c->header.record_bytes, .max_bytes = rt->cache_max,
        .fd = -1};
    status = graft_journal_open(&c->journal, name);
    if (!status)
        status = refresh(c);
    if (!status && c->journal.fd >= 0 && !c->journal.off)
        graft_io_touch(c->journal.fd); /* last used: now */
    return status ? status : graft_files_open(&c->files, rt);
}

int graft_cache_open(struct graft_cache **out, struct graft_runtime *rt,
                     const struct graft_cache_key *key)
{
    rt = graft_runtime_or_default(rt);
    struct graft_cache *c = rt ? graft_calloc(1, sizeof *c) : NULL;
    if (!c)
        return GRAFT_EMEM;
    graft_str_init(&c->pending);
    int status = open_store(c, rt, key);
    if (status)
        graft_cache_close(c);
    else
        *out = c;
    return status;
}

void graft_cache_close(struct graft_cache *c)
{
    if (!c)
        return;
    if (c->journal.path)
        graft_cache_flush(c);
    graft_files_close(c->files);
    graft_journal_close(&c->journal);
    graft_hashmap_release(&c->map);
    graft_str_release(&c->pending);
    graft_free(c);
}

/* ---- records ------------------------------------------------------------- */

static bool read_record(struct graft_cache *c, struct graft_store_record *r,
                        float *dst, int64_t number)
{
    uint64_t bytes = c->header.record_bytes, body = bytes - sizeof *r;
    if (number < DAMAGED) {
        const char *p = c->pending.at + (uint64_t)(DAMAGED - 1 - number) *
                                            bytes;
        memcpy(r, p, sizeof *r);
        memcpy(dst, p + sizeof *r, body);
        return true;
    }
    uint64_t at = GRAFT_STORE_HEADER + (uint64_t)number * bytes;
    return graft_journal_read(&c->journal, at, r, sizeof *r) &&
           graft_journal_read(&c->journal, at + sizeof *r, dst, body);
}

bool graft_cache_get(struct graft_cache *c, struct graft_hash image,
                     uint64_t recipe, float *dst)
{
    struct graft_store_record r;
    struct graft_hash key = key_of(image, recipe);
    int64_t number;
    if (!graft_hashmap_get(&c->map, key, &number) || number == DAMAGED)
        return false;
    if (read_record(c, &r, dst, number) && r.recipe == recipe &&
        graft_hash_equal(r.image, image) && r.check == check_of(c, &r, dst))
        return true;
    graft_hashmap_put(&c->map, key, DAMAGED); /* replaces: needs no memory */
    return false;
}

int graft_cache_put(struct graft_cache *c, struct graft_hash image,
                    uint64_t recipe, const float *features)
{
    struct graft_store_record r = {.image = image, .recipe = recipe};
    struct graft_hash key = key_of(image, recipe);
    int64_t number;
    bool known = graft_hashmap_get(&c->map, key, &number);
    if (c->journal.off || c->journal.fd < 0 || (known && number != DAMAGED))
        return GRAFT_OK;
    size_t before = c->pending.n;
    number = (int64_t)(before / c->header.record_bytes);
    r.check = check_of(c, &r, features);
    graft_str_addn(&c->pending, &r, sizeof r);
    graft_str_addn(&c->pending, features,
                   c->header.record_bytes - sizeof r);
    int status = graft_journal_gather(&c->pending, before);
    if (!status)
        status = graft_hashmap_put(&c->map, key, DAMAGED - 1 - number);
    if (!status && c->pending.n >= FLUSH_BYTES)
        status = graft_cache_flush(c);
    return status;
}

/* Appends what is pending, less what another process has added meanwhile. */
static bool append_pending(struct graft_cache *c)
{
    uint64_t bytes = c->header.record_bytes, kept = 0;
    for (uint64_t at = 0; at < c->pending.n; at += bytes) {
        struct graft_store_record r;
        int64_t number;
        memcpy(&r, c->pending.at + at, sizeof r);
        if (graft_hashmap_get(&c->map, key_of(r.image, r.recipe), &number) &&
            number >= 0)
            continue;
        memmove(c->pending.at + kept, c->pending.at + at, bytes);
        kept += bytes;
    }
    return !kept || graft_journal_append(&c->journal, c->pending.at, kept);
}

/* What could not be written is forgotten. */
static void forget_pending(struct graft_cache *c)
{
    for (uint64_t at = 0; at < c->pending.n; at += c->header.record_bytes) {
        struct graft_store_record r;
        int64_t number;
        memcpy(&r, c->pending.at + at, sizeof r);
        struct graft_hash key = key_of(r.image, r.recipe);
        if (graft_hashmap_get(&c->map, key, &number) && number < DAMAGED)
            graft_hashmap_put(&c->map, key, DAMAGED);
    }
    graft_str_release(&c->pending); /* megabytes, which others need now */
    graft_str_init(&c->pending);
}

int graft_cache_flush(struct graft_cache *c)
{
    bool anew;
    int status = GRAFT_OK;
    if (c->pending.n && graft_journal_lock(&c->journal, &anew)) {
        if (anew)
            graft_hashmap_release(&c->map);
        status = refresh(c);
        if (!status && append_pending(c))
            status = refresh(c);
        graft_journal_unlock(&c->journal);
    }
    forget_pending(c);
    int index = c->files ? graft_files_flush(c->files) : GRAFT_OK;
    return status ? status : index;
}

/* ---- the side index, by path --------------------------------------------- */

bool graft_cache_file_hash(struct graft_cache *c, const char *path,
                           struct graft_hash *out)
{
    struct graft_file_id id;
    return graft_file_id(&id, path) &&
           graft_files_look(c->files, &id, out, NULL) == GRAFT_IS_PHOTO;
}

int graft_cache_note_file(struct graft_cache *c, const char *path,
                          struct graft_hash hash)
{
    struct graft_file_id id;
    return graft_file_id(&id, path)
               ? graft_files_note(c->files, &id, hash, NULL) : GRAFT_OK;
}

int graft_cache_note_item(struct graft_cache *c,
                          const struct graft_load_item *item)
{
    if (item->failed && !item->by_content)
        return GRAFT_OK; /* may be different next time */
    return graft_files_note(c->files, &item->id, item->hash,
                            item->failed ? item->why : NULL);
}

bool graft_cache_file_failure(struct graft_cache *c, const char *path,
                              char *why)
{
    struct graft_file_id id;
    return graft_file_id(&id, path) &&
           graft_files_look(c->files, &id, NULL, why) == GRAFT_NO_PHOTO;
}

int graft_cache_note_failure(struct graft_cache *c, const char *path,
                             const char *why)
{
    struct graft_file_id id;
    return graft_file_id(&id, path)
               ? graft_files_note(c->files, &id, (struct graft_hash){0},
                                  why) : GRAFT_OK;
}

int graft_cache_trim(struct graft_cache *c)
{
    return graft_stores_trim(c->journal.rt, c->journal.path);
}
