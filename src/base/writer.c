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
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"

enum { GATHER = 64 * 1024 };

struct graft_writer {
    char *path, *temp;
    enum graft_write_mode mode;
    int fd;
    bool renamed;
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
    if (lstat(path, &st))
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
    w->fd = -1;
    w->mode = mode;
    w->path = graft_strdup(path);
    w->temp = temp_name(path);
    if (!w->path || !w->temp) {
        status = GRAFT_EMEM;
    } else {
        w->fd = open(w->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
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

static int write_fully(struct graft_writer *w, const uint8_t *data, size_t n)
{
    while (n) {
        ssize_t done = write(w->fd, data, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(w, "writing");
        data += done;
        n -= (size_t)done;
    }
    return GRAFT_OK;
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
    return status ? status : write_fully(w, data, (size_t)n);
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
    if (!status && fsync(w->fd))
        status = failed(w, "flushing to the disk");
    int fd = w->fd;
    w->fd = -1;
    if (close(fd) && !status)
        status = failed(w, "closing");
    return status;
}

static int flush_folder(const struct graft_writer *w)
{
    char *folder = graft_path_folder(w->path);
    if (!folder)
        return GRAFT_EMEM;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    graft_free(folder);
    /* Some file systems cannot flush a folder (EINVAL): nothing to do. */
    int bad = fd < 0 || (fsync(fd) && errno != EINVAL && errno != EROFS);
    if (fd >= 0)
        close(fd);
    return bad ? failed(w, "flushing its folder") : GRAFT_OK;
}

/* link() fails when the target exists, which rename() would replace. Where
 * links are not possible the check of existence has to do. */
static int place(struct graft_writer *w)
{
    if (w->mode == GRAFT_WRITE_NEW) {
        if (link(w->temp, w->path) == 0) {
            unlink(w->temp);
            return GRAFT_OK;
        }
        if (errno == EEXIST || graft_file_exists(w->path))
            return refuse_existing(w->path);
    }
    return rename(w->temp, w->path) ? failed(w, "renaming") : GRAFT_OK;
}

int graft_writer_commit(struct graft_writer *w)
{
    int status = graft_writer_finish(w);
    if (!status)
        status = place(w);
    if (status)
        return status;
    w->renamed = true;
    return flush_folder(w);
}

void graft_writer_free(struct graft_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    if (w->temp && !w->renamed)
        unlink(w->temp);
    graft_free(w->path);
    graft_free(w->temp);
    graft_free(w);
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
