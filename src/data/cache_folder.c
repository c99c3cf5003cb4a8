/* The cache folder as a whole: listing, trimming, clearing. Ours are the
 * stores (32 hexadecimal digits and ".feat") and the side index, where their
 * first bytes are ours; nothing else is looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/io.h"
#include "data/cache_store.h"
#include "data/data.h"

struct ours {
    char *path;
    uint64_t bytes;
    struct timespec used;
    bool store;
};
struct folder {
    GRAFT_ARRAY(struct ours) file;
};

static bool is_store_name(const char *name)
{
    const size_t hex = GRAFT_HASH_HEX - 1;
    return strspn(name, "0123456789abcdef") == hex &&
           !strcmp(name + hex, GRAFT_STORE_SUFFIX);
}

/* Without following a link or waiting for a pipe; -1: it cannot be. */
static int open_plain(const char *path)
{
    return graft_io_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

/* Does it begin as one of ours? */
static bool is_signed(const char *path, const char *magic)
{
    char have[sizeof GRAFT_INDEX_MAGIC];
    size_t n = strlen(magic);
    int fd = open_plain(path);
    ssize_t got = fd >= 0 ? graft_io_read(fd, have, n) : -1;
    if (fd >= 0)
        graft_io_close(fd);
    return got == (ssize_t)n && !memcmp(have, magic, n);
}

static int newest_first(const void *a, const void *b)
{
    const struct ours *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? 1 : -1;
    if (x->used.tv_nsec != y->used.tv_nsec)
        return x->used.tv_nsec < y->used.tv_nsec ? 1 : -1;
    return strcmp(x->path, y->path);
}

static int add(struct folder *f, const char *folder, const char *name)
{
    struct stat st;
    bool store = is_store_name(name);
    if (!store && strcmp(name, GRAFT_INDEX_NAME))
        return GRAFT_OK;
    char *path = graft_path_join(folder, name);
    if (!path)
        return GRAFT_EMEM;
    if (graft_io_lstat(path, &st) || !S_ISREG(st.st_mode) ||
        !is_signed(path, store ? GRAFT_STORE_MAGIC : GRAFT_INDEX_MAGIC)) {
        graft_free(path);
        return GRAFT_OK;
    }
    struct ours *o = graft_push(&f->file);
    if (!o) {
        graft_free(path);
        return GRAFT_EMEM;
    }
    *o = (struct ours){path, (uint64_t)st.st_size, st.st_mtim, store};
    return GRAFT_OK;
}

static void folder_release(struct folder *f)
{
    for (int i = 0; i < f->file.n; i++)
        graft_free(f->file.at[i].path);
    graft_array_release(&f->file);
}

static int cannot_list(const char *path)
{
    return graft_fail(GRAFT_EIO, "the cache folder '%s' cannot be listed: %s",
                      path, strerror(errno));
}

static int folder_read(struct folder *f, const char *path)
{
    DIR *d = graft_io_opendir(path);
    int status = GRAFT_OK, got = 0;
    if (!d)
        return errno == ENOENT ? GRAFT_OK : cannot_list(path);
    const char *name;
    while (!status && (got = graft_io_readdir(d, &name)) > 0)
        status = add(f, path, name);
    if (got < 0)
        status = cannot_list(path);
    graft_io_closedir(d);
    if (f->file.n)
        qsort(f->file.at, (size_t)f->file.n, sizeof *f->file.at,
              newest_first);
    return status;
}

int graft_stores_trim(struct graft_runtime *rt, const char *open)
{
    struct folder f = {0};
    int status = folder_read(&f, rt->cache_dir);
    uint64_t total = 0;
    for (int i = 0; i < f.file.n; i++)
        total += f.file.at[i].bytes;
    for (int i = f.file.n - 1; i >= 0 && total > rt->cache_max; i--) {
        const struct ours *o = &f.file.at[i];
        if (o->store && strcmp(o->path, open) && graft_io_unlink(o->path) == 0)
            total -= o->bytes;
    }
    folder_release(&f);
    return status == GRAFT_EIO ? GRAFT_OK : status; /* next time, then */
}

/* ---- for the public functions ----------------------------------------------
 */

static bool read_header(struct graft_store_header *h, const char *path)
{
    int fd = open_plain(path);
    if (fd < 0)
        return false;
    ssize_t n = graft_io_read(fd, h, sizeof *h);
    graft_io_close(fd);
    return n == (ssize_t)sizeof *h &&
           !memcmp(h->magic, GRAFT_STORE_MAGIC, sizeof h->magic) &&
           h->check == graft_store_check(h) && h->record_bytes > 0 &&
           memchr(h->about, '\0', sizeof h->about);
}

static int index_count(uint64_t *out, struct graft_runtime *rt)
{
    struct graft_files *f = NULL;
    int status = graft_files_open(&f, rt);
    if (!status)
        *out = graft_files_count(f);
    graft_files_close(f);
    return status;
}

static int tell(struct graft_runtime *rt, const struct ours *o,
                graft_cache_fn *fn, void *ctx)
{
    int status = GRAFT_OK;
    struct graft_store_header h;
    struct graft_cache_entry e = {
        .name = graft_path_base(o->path), .about = "(not readable)",
        .bytes = o->bytes, .last_used = (int64_t)o->used.tv_sec};
    if (!o->store) {
        e.about = "which file has which content";
        status = index_count(&e.records, rt);
    } else if (read_header(&h, o->path)) {
        e.about = h.about;
        e.records = (o->bytes - sizeof h) / h.record_bytes;
    }
    if (!status)
        fn(ctx, &e);
    return status;
}

int graft_cache_each(struct graft_runtime *rt, graft_cache_fn *fn, void *ctx)
{
    struct folder f = {0};
    rt = graft_runtime_or_default(rt);
    int status = rt ? folder_read(&f, rt->cache_dir) : GRAFT_EMEM;
    for (int i = 0; !status && i < f.file.n; i++)
        status = tell(rt, &f.file.at[i], fn, ctx);
    folder_release(&f);
    return status;
}

int graft_cache_remove_all(struct graft_runtime *rt, uint64_t *bytes)
{
    struct folder f = {0};
    uint64_t total = 0;
    rt = graft_runtime_or_default(rt);
    int status = rt ? folder_read(&f, rt->cache_dir) : GRAFT_EMEM;
    for (int i = 0; !status && i < f.file.n; i++) {
        if (graft_io_unlink(f.file.at[i].path))
            status = graft_fail(GRAFT_EIO, "'%s' cannot be removed: %s",
                                f.file.at[i].path, strerror(errno));
        else
            total += f.file.at[i].bytes;
    }
    folder_release(&f);
    if (bytes)
        *bytes = total;
    return status;
}
