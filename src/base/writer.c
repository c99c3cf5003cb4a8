/* Atomic writes: a temporary file in the same folder, flushed, then renamed;
 * RELIABILITY.md's protocol without the lock (writers of one path are rare
 * and the last one wins whole).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/io.h"
#include "base/status.h"
#include "base/str.h"

enum { GATHER = 64 * 1024 };

/* How the file came to its name, which says how to undo it. ALONE: nothing
 * was there. EXCHANGED: what was there has the temporary's name now. OVER: it
 * is lost, for this file system cannot exchange. */
enum placed { NOT_PLACED, ALONE, EXCHANGED, OVER };

struct graft_writer {
    char *path, *temp;
    enum graft_write_mode mode;
    int fd;
    int folder;        /* open from before the renaming until its flush */
    bool temp_there;   /* the temporary exists, be it what was replaced */
    enum placed placed;
    uint64_t size;
    size_t held;
    uint8_t buffer[GATHER];
};

static int failed(const struct graft_writer *w, const char *what)
{
    return graft_fail(GRAFT_EIO, "'%s': %s failed: %s", w->path, what,
                      strerror(errno));
}

static int refuse_existing(const char *path)
{
    return graft_fail(GRAFT_EEXIST, "'%s' exists already", path);
}

static int check_target(const char *path, enum graft_write_mode mode)
{
    struct stat st;
    if (!*path)
        return graft_fail(GRAFT_EARG, "the output file has no name");
    if (graft_io_lstat(path, &st))
        return GRAFT_OK; /* absent; other trouble shows when opening */
    if (S_ISDIR(st.st_mode))
        return graft_fail(GRAFT_EARG, "'%s' is a folder; name a file", path);
    /* A link is replaced and its target stays; a device would be lost. */
    if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return graft_fail(GRAFT_EARG, "'%s' is a device, pipe or socket; name "
                          "a file", path);
    return mode == GRAFT_WRITE_NEW ? refuse_existing(path) : GRAFT_OK;
}

/* A name that no other process or thread uses: pid and a counter. */
static char *temp_name(const char *path)
{
    static _Atomic unsigned counter;
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addn(&s, path, (size_t)(graft_path_base(path) - path));
    graft_str_addf(&s, ".%s.%ld.%u.tmp", graft_path_base(path),
                   (long)getpid(), atomic_fetch_add(&counter, 1));
    return graft_str_take(&s);
}

/* The temporary file could not be made: mostly its folder is to blame. */
static int cannot_create(const char *path)
{
    const char *why = errno == ENOENT    ? "its folder does not exist"
                      : errno == ENOTDIR ? "its folder is a file"
                                         : strerror(errno);
    return graft_fail(GRAFT_EIO, "'%s' cannot be written: %s", path, why);
}

int graft_writer_new(struct graft_writer **out, const char *path,
                     enum graft_write_mode mode)
{
    int status = check_target(path, mode);
    if (status)
        return status;
    struct graft_writer *w = graft_calloc(1, sizeof *w);
    if (!w)
        return GRAFT_EMEM;
    w->fd = w->folder = -1;
    w->mode = mode;
    w->path = graft_strdup(path);
    w->temp = temp_name(path);
    if (!w->path || !w->temp) {
        status = GRAFT_EMEM;
    } else {
        w->fd = graft_io_open(w->temp, O_WRONLY | O_CREAT | O_EXCL);
        w->temp_there = w->fd >= 0;
        if (w->fd < 0)
            status = cannot_create(path);
    }
    if (status) {
        graft_writer_free(w);
        return status;
    }
    *out = w;
    return GRAFT_OK;
}

static int write_fully(struct graft_writer *w, const uint8_t *data, uint64_t n)
{
    return graft_io_write(w->fd, data, (size_t)n) ? failed(w, "writing")
                                                  : GRAFT_OK;
}

static int flush_buffer(struct graft_writer *w)
{
    size_t n = w->held;
    w->held = 0;
    return write_fully(w, w->buffer, n);
}

int graft_writer_put(struct graft_writer *w, const void *data, uint64_t n)
{
    w->size += n;
    if (n <= GATHER - w->held) {
        memcpy(w->buffer + w->held, data, (size_t)n);
        w->held += (size_t)n;
        return GRAFT_OK;
    }
    int status = flush_buffer(w);
    return status ? status : write_fully(w, data, n);
}

uint64_t graft_writer_size(const struct graft_writer *w)
{
    return w->size;
}

int graft_writer_finish(struct graft_writer *w)
{
    if (w->fd < 0)
        return GRAFT_OK;
    int status = flush_buffer(w);
    if (!status && graft_io_fsync(w->fd))
        status = failed(w, "flushing to the disk");
    int fd = w->fd;
    w->fd = -1;
    if (graft_io_close(fd) && !status)
        status = failed(w, "closing");
    return status;
}

/* ---- placing ---------------------------------------------------------------
 */

/* Some folders cannot be opened (no permission to list them) or flushed: then
 * there is nothing to do. Opened before the renaming, for what fails after it
 * has to be undone. */
static int open_folder(struct graft_writer *w)
{
    char *folder = graft_path_folder(w->path);
    if (!folder)
        return GRAFT_EMEM;
    w->folder = graft_io_open(folder, O_RDONLY | O_DIRECTORY);
    graft_free(folder);
    return w->folder < 0 && errno != EACCES
               ? failed(w, "opening its folder") : GRAFT_OK;
}

static void close_folder(struct graft_writer *w)
{
    if (w->folder >= 0)
        graft_io_close(w->folder);
    w->folder = -1;
}

static int flush_folder(const struct graft_writer *w)
{
    return w->folder >= 0 && graft_io_fsync(w->folder) && errno != EINVAL &&
                   errno != EROFS
               ? failed(w, "flushing its folder") : GRAFT_OK;
}

/* The file system or the kernel knows no flags of rename. */
static bool no_flags(void)
{
    return errno == EINVAL || errno == ENOSYS || errno == ENOTSUP;
}

static void remove_temp(struct graft_writer *w)
{
    if (w->temp_there && graft_io_unlink(w->temp) == 0)
        w->temp_there = false;
}

static int placed(struct graft_writer *w, enum placed how)
{
    w->placed = how;
    w->temp_there = how == EXCHANGED;
    return GRAFT_OK;
}

/* Where rename() always replaces, link() does not; where there are no links
 * either, the check of existence has to do. */
static int place_alone(struct graft_writer *w)
{
    if (graft_io_rename_with(w->temp, w->path, RENAME_NOREPLACE) == 0)
        return placed(w, ALONE);
    if (errno == EEXIST)
        return refuse_existing(w->path);
    if (!no_flags())
        return failed(w, "renaming");
    if (graft_io_link(w->temp, w->path) == 0) {
        w->placed = ALONE;
        remove_temp(w);
        return GRAFT_OK;
    }
    if (errno == EEXIST || graft_file_exists(w->path))
        return refuse_existing(w->path);
    return graft_io_rename(w->temp, w->path) ? failed(w, "renaming")
                                             : placed(w, ALONE);
}

static int place(struct graft_writer *w)
{
    int status = check_target(w->path, w->mode);
    if (!status)
        status = open_folder(w);
    if (status)
        return status;
    if (w->mode == GRAFT_WRITE_NEW)
        return place_alone(w);
    if (graft_io_rename_with(w->temp, w->path, RENAME_EXCHANGE) == 0)
        return placed(w, EXCHANGED);
    if (errno == ENOENT)
        return place_alone(w);
    if (!no_flags())
        return failed(w, "renaming");
    return graft_io_rename(w->temp, w->path) ? failed(w, "renaming")
                                             : placed(w, OVER);
}

/* What was there before is there again. If even that fails, the old file
 * stays under the temporary's name, and the message says so. */
static void undo(struct graft_writer *w, int status)
{
    if (w->placed == ALONE)
        graft_io_unlink(w->path);
    if (w->placed == EXCHANGED) {
        if (graft_io_rename(w->temp, w->path))
            graft_fail_in(status, "the file that was '%s' is now '%s'",
                          w->path, w->temp);
        w->temp_there = false;
    }
    w->placed = NOT_PLACED;
}

/* All files, or none. */
static int commit_all(struct graft_writer *const *w, int n)
{
    int status = GRAFT_OK, first = n;
    for (int i = 0; !status && i < n; i++)
        status = graft_writer_finish(w[i]);
    while (!status && first > 0)
        status = place(w[--first]);
    for (int i = 0; !status && i < n; i++)
        status = flush_folder(w[i]);
    for (int i = first; status && i < n; i++)
        undo(w[i], status);
    for (int i = 0; i < n; i++) {
        close_folder(w[i]);
        remove_temp(w[i]);
    }
    return status;
}

int graft_writer_commit(struct graft_writer *w)
{
    return commit_all(&w, 1);
}

void graft_writer_free(struct graft_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        graft_io_close(w->fd);
    remove_temp(w);
    graft_free(w->path);
    graft_free(w->temp);
    graft_free(w);
}

/* ---- sets ------------------------------------------------------------------
 */

int graft_writers_add(struct graft_writer **out, struct graft_writers *set,
                      const char *path, enum graft_write_mode mode)
{
    struct graft_writer **w = graft_push(&set->file);
    int status = w ? graft_writer_new(w, path, mode) : GRAFT_EMEM;
    if (status && w)
        set->file.n--;
    if (!status)
        *out = *w;
    return status;
}

int graft_writers_commit(struct graft_writers *set)
{
    return commit_all(set->file.at, set->file.n);
}

void graft_writers_release(struct graft_writers *set)
{
    for (int i = 0; i < set->file.n; i++)
        graft_writer_free(set->file.at[i]);
    graft_array_release(&set->file);
}

int graft_file_write(const char *path, const void *data, uint64_t n,
                     enum graft_write_mode mode)
{
    struct graft_writer *w = NULL;
    int status = graft_writer_new(&w, path, mode);
    if (!status)
        status = graft_writer_put(w, data, n);
    if (!status)
        status = graft_writer_commit(w);
    graft_writer_free(w);
    return status;
}
