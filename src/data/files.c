/* The side index: what files were when they were read (see data.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "base/str.h"
#include "data/cache_store.h"
#include "data/data.h"
#include "data/journal.h"

#define INDEX_MAX (256ull << 20)
enum { UNIT = 64, RECORD_MARK = 0x31524647 };

/* In the file: one unit, then `why` padded to whole units. `hash` is the
 * content's, or for a failure that of the decoder that refused it: another
 * decoder may do better. */
struct record {
    uint32_t mark, why_bytes;
    struct graft_file_id id;
    struct graft_hash hash;
    uint64_t check; /* of all before it and of why */
};
_Static_assert(sizeof(struct record) == UNIT, "records are whole units");

struct entry {
    struct graft_file_id id;
    struct graft_hash hash;
    char *why; /* NULL: a photo */
};
struct graft_files {
    struct graft_journal journal;
    struct graft_hash decoder;
    struct graft_hashmap map; /* (device, inode) -> entry */
    GRAFT_ARRAY(struct entry) entry;
    struct graft_str pending; /* records not yet in the file */
};

static const char header[UNIT] = GRAFT_INDEX_MAGIC "1\n";

/* ---- entries ---------------------------------------------------------------
 */

static bool same_id(const struct graft_file_id *a,
                    const struct graft_file_id *b)
{
    return a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->mtime_ns == b->mtime_ns;
}

bool graft_file_id(struct graft_file_id *out, const char *path)
{
    struct stat st;
    if (graft_io_stat(path, &st))
        return false;
    out->device = (uint64_t)st.st_dev;
    out->inode = (uint64_t)st.st_ino;
    out->size = (uint64_t)st.st_size;
    out->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
                    st.st_mtim.tv_nsec;
    return true;
}

static struct graft_hash key_of(const struct graft_file_id *id)
{
    uint64_t k[2] = {id->device, id->inode};
    return graft_hash(k, sizeof k);
}

static uint64_t check_of(const struct record *r, const char *why)
{
    return graft_hash_add(graft_hash(r, offsetof(struct record, check)), why,
                          r->why_bytes).lo;
}

static uint64_t padded(uint64_t n)
{
    return (n + UNIT - 1) / UNIT * UNIT;
}

/* The newest word on a file counts. */
static int remember(struct graft_files *f, const struct record *r,
                    const char *why)
{
    struct entry e = {.id = r->id, .hash = r->hash};
    if (r->why_bytes && !(e.why = graft_strndup(why, r->why_bytes)))
        return GRAFT_EMEM;
    int64_t at;
    struct graft_hash key = key_of(&r->id);
    if (graft_hashmap_get(&f->map, key, &at)) {
        graft_free(f->entry.at[at].why);
        f->entry.at[at] = e;
        return GRAFT_OK;
    }
    struct entry *slot = graft_push(&f->entry);
    if (!slot || graft_hashmap_put(&f->map, key, f->entry.n - 1)) {
        f->entry.n -= slot != NULL;
        graft_free(e.why);
        return GRAFT_EMEM;
    }
    *slot = e;
    return GRAFT_OK;
}

/* ---- the file --------------------------------------------------------------
 */

/* Reads what others appended. Something damaged costs a unit at a time until
 * the next sound record. */
static int refresh(struct graft_files *f)
{
    struct graft_journal *j = &f->journal;
    uint64_t end = graft_journal_size(j);
    uint64_t from = j->seen ? j->seen : UNIT, n = end > from ? end - from : 0;
    uint8_t *b = n ? graft_malloc(n) : NULL;
    int status = n && !b ? GRAFT_EMEM : GRAFT_OK;
    if (n && b && !graft_journal_read(j, from, b, n))
        n = 0;
    for (uint64_t at = 0; !status && at + UNIT <= n;) {
        struct record r;
        memcpy(&r, b + at, UNIT);
        const char *why = (const char *)b + at + UNIT;
        bool sound = r.mark == RECORD_MARK && r.why_bytes < GRAFT_WHY_MAX &&
                     at + UNIT + r.why_bytes <= n &&
                     r.check == check_of(&r, why);
        if (sound)
            status = remember(f, &r, why);
        at += sound ? UNIT + padded(r.why_bytes) : UNIT;
    }
    graft_free(b);
    if (!status && end)
        j->seen = end;
    return status;
}

int graft_files_open(struct graft_files **out, struct graft_runtime *rt)
{
    rt = graft_runtime_or_default(rt);
    struct graft_files *f = rt ? graft_calloc(1, sizeof *f) : NULL;
    if (!f)
        return GRAFT_EMEM;
    const char *decoder = graft_image_numerics();
    graft_str_init(&f->pending);
    f->decoder = graft_hash(decoder, strlen(decoder));
    f->journal = (struct graft_journal){
        .rt = rt, .header = header, .header_bytes = UNIT,
        .same_bytes = UNIT, .own_bytes = sizeof GRAFT_INDEX_MAGIC - 1,
        .record_bytes = UNIT, .max_bytes = INDEX_MAX,
        .quiet = true, .fd = -1};
    int status = graft_journal_open(&f->journal, GRAFT_INDEX_NAME);
    if (!status)
        status = refresh(f);
    if (status)
        graft_files_close(f);
    else
        *out = f;
    return status;
}

const char *graft_files_foreign(const struct graft_files *f)
{
    return f->journal.foreign ? f->journal.path : NULL;
}

uint64_t graft_files_count(const struct graft_files *f)
{
    return (uint64_t)f->entry.n;
}

int graft_files_flush(struct graft_files *f)
{
    struct graft_journal *j = &f->journal;
    bool anew;
    if (!f->pending.n || !graft_journal_lock(j, &anew)) {
        graft_str_clear(&f->pending);
        return GRAFT_OK;
    }
    if (graft_journal_size(j) + f->pending.n > j->max_bytes)
        graft_journal_empty(j); /* what it knew can be learnt again */
    /* Appended first and read back with what others wrote: what is newest in
     * the file is what every process believes. */
    graft_journal_append(j, f->pending.at, f->pending.n);
    graft_journal_unlock(j);
    graft_str_clear(&f->pending);
    return refresh(f);
}

void graft_files_close(struct graft_files *f)
{
    if (!f)
        return;
    graft_files_flush(f);
    graft_journal_close(&f->journal);
    for (int i = 0; i < f->entry.n; i++)
        graft_free(f->entry.at[i].why);
    graft_array_release(&f->entry);
    graft_hashmap_release(&f->map);
    graft_str_release(&f->pending);
    graft_free(f);
}

/* ---- asking and telling ----------------------------------------------------
 */

enum graft_known graft_files_look(const struct graft_files *f,
                                  const struct graft_file_id *id,
                                  struct graft_hash *hash, char *why)
{
    int64_t at;
    if (!graft_hashmap_get(&f->map, key_of(id), &at))
        return GRAFT_UNKNOWN;
    const struct entry *e = &f->entry.at[at];
    if (!same_id(&e->id, id))
        return GRAFT_UNKNOWN;
    if (!e->why) {
        if (hash)
            *hash = e->hash;
        return GRAFT_IS_PHOTO;
    }
    if (!graft_hash_equal(e->hash, f->decoder))
        return GRAFT_UNKNOWN;
    if (why)
        snprintf(why, GRAFT_WHY_MAX, "%s", e->why);
    return GRAFT_NO_PHOTO;
}

/* A file whose last change is that young may change again without its time
 * showing it: the kernel's clock ticks every few milliseconds. */
static bool is_settled(const struct graft_file_id *id)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return ns - id->mtime_ns >= 50000000;
}

int graft_files_note(struct graft_files *f, const struct graft_file_id *id,
                     struct graft_hash hash, const char *why)
{
    static const char zeros[UNIT];
    struct graft_hash known;
    if (why && !*why)
        why = "it is not a photo"; /* no text would mean a photo */
    enum graft_known k = graft_files_look(f, id, &known, NULL);
    if (why ? k == GRAFT_NO_PHOTO
            : k == GRAFT_IS_PHOTO && graft_hash_equal(known, hash))
        return GRAFT_OK;
    if (!is_settled(id))
        return GRAFT_OK;
    size_t n = why ? strlen(why) : 0;
    n = n < GRAFT_WHY_MAX ? n : GRAFT_WHY_MAX - 1;
    struct record r = {.mark = RECORD_MARK, .why_bytes = (uint32_t)n,
                       .id = *id, .hash = why ? f->decoder : hash};
    r.check = check_of(&r, why ? why : "");
    int status = remember(f, &r, why);
    size_t before = f->pending.n;
    graft_str_addn(&f->pending, &r, sizeof r);
    graft_str_addn(&f->pending, why ? why : "", n);
    graft_str_addn(&f->pending, zeros, padded(n) - n);
    int gathered = graft_journal_gather(&f->pending, before);
    return status ? status : gathered;
}
