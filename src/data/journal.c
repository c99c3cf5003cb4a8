/* Append-only files shared by processes (see journal.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/io.h"

static void switch_off(struct graft_journal *j, const char *why)
{
    if (!j->off && !j->quiet)
        graft_log(j->rt, GRAFT_LOG_WARNING, "the cache '%s' is not written "
                  "any more: %s; the run goes on without it", j->path, why);
    j->off = true;
}

/* ---- opening ------------------------------------------------------------- */

static bool is_plain_file(int fd)
{
    struct stat st;
    return graft_io_fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Does it begin as we do, be it cut short? If not, somebody keeps a file of
 * his own under this name. */
static bool is_ours(struct graft_journal *j, int fd)
{
    uint8_t have[64];
    ssize_t n = graft_io_pread(fd, have, j->own_bytes, 0);
    if (n >= 0 && !memcmp(have, j->header, (size_t)n))
        return true;
    if (n < 0) {
        switch_off(j, strerror(errno));
        return false;
    }
    j->foreign = true;
    switch_off(j, "it is not a file of Graft's");
    return false;
}

/* Read and write, else read only, else -1. */
static int open_file(struct graft_journal *j)
{
    const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = j->off ? -1 : graft_io_open(j->path, O_RDWR | O_CREAT | flags);
    if (fd < 0 && !j->off)
        switch_off(j, strerror(errno));
    if (fd < 0)
        fd = graft_io_open(j->path, O_RDONLY | flags);
    if (fd >= 0 && !is_plain_file(fd)) {
        switch_off(j, "it is not a regular file");
        graft_io_close(fd);
        fd = -1;
    }
    if (fd >= 0 && !is_ours(j, fd)) {
        graft_io_close(fd);
        fd = -1;
    }
    return fd;
}

int graft_journal_open(struct graft_journal *j, const char *name)
{
    j->fd = -1;
    j->path = graft_path_join(j->rt->cache_dir, name);
    if (!j->path)
        return GRAFT_EMEM;
    int status = graft_folder_make(j->rt->cache_dir);
    if (status == GRAFT_EMEM)
        return status;
    if (status)
        switch_off(j, graft_error_message());
    j->fd = open_file(j);
    return GRAFT_OK;
}

void graft_journal_close(struct graft_journal *j)
{
    if (j->path && j->fd >= 0)
        graft_io_close(j->fd);
    graft_free(j->path);
    j->path = NULL;
    j->fd = -1;
}

/* ---- reading ------------------------------------------------------------- */

bool graft_journal_read(const struct graft_journal *j, uint64_t at, void *dst,
                        uint64_t n)
{
    return j->fd >= 0 && graft_io_pread(j->fd, dst, n, at) == (ssize_t)n;
}

/* Whole records and the header; 0: no header of ours. -1: it cannot be read,
 * which says nothing of what is there. */
static int64_t measure(const struct graft_journal *j)
{
    uint8_t have[512];
    struct stat st;
    ssize_t n = -1;
    if (j->fd >= 0 && j->header_bytes <= sizeof have &&
        graft_io_fstat(j->fd, &st) == 0)
        n = graft_io_pread(j->fd, have, j->header_bytes, 0);
    if (n < 0)
        return -1;
    if ((uint64_t)n < j->header_bytes ||
        memcmp(have, j->header, j->same_bytes))
        return 0;
    uint64_t bytes = (uint64_t)st.st_size;
    return (int64_t)(bytes - (bytes - j->header_bytes) % j->record_bytes);
}

uint64_t graft_journal_size(const struct graft_journal *j)
{
    int64_t bytes = measure(j);
    return bytes > 0 ? (uint64_t)bytes : 0;
}

/* ---- writing ------------------------------------------------------------- */

/* Is what is open still what the path names? */
static bool still_there(const struct graft_journal *j)
{
    struct stat mine, named;
    return graft_io_fstat(j->fd, &mine) == 0 &&
           graft_io_lstat(j->path, &named) == 0 &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

static bool begin(struct graft_journal *j)
{
    return is_ours(j, j->fd) && graft_io_truncate(j->fd, 0) == 0 &&
           graft_io_pwrite(j->fd, j->header, j->header_bytes, 0) == 0;
}

bool graft_journal_lock(struct graft_journal *j, bool *anew)
{
    *anew = false;
    while (!j->off && j->fd >= 0) {
        if (graft_io_lock(j->fd)) {
            switch_off(j, strerror(errno));
            return false;
        }
        if (still_there(j))
            break;
        graft_io_close(j->fd);
        *anew = true;
        j->fd = open_file(j);
    }
    if (j->off || j->fd < 0)
        return false;
    int64_t bytes = measure(j);
    *anew = *anew || bytes == 0;
    if (bytes < 0 || (bytes == 0 && !begin(j))) {
        switch_off(j, strerror(errno)); /* says no more if not ours */
        graft_journal_unlock(j);
        return false;
    }
    if (*anew)
        j->seen = 0;
    return true;
}

bool graft_journal_append(struct graft_journal *j, const void *records,
                          uint64_t n)
{
    uint64_t end = graft_journal_size(j);
    if (!end) { /* at 0 the records would stand where the header does */
        switch_off(j, "it cannot be read");
        return false;
    }
    if (end + n > j->max_bytes) {
        switch_off(j, "it has reached its largest size");
        return false;
    }
    if (graft_io_pwrite(j->fd, records, n, end) == 0)
        return true;
    switch_off(j, strerror(errno));
    if (graft_io_truncate(j->fd, end)) {
        /* What is left is a torn tail, cut off by the next writer. */
        return false;
    }
    return false;
}

void graft_journal_empty(struct graft_journal *j)
{
    if (graft_io_truncate(j->fd, j->header_bytes))
        switch_off(j, strerror(errno));
    j->seen = 0;
}

int graft_journal_gather(struct graft_str *pending, size_t before)
{
    int status = graft_str_ok(pending);
    if (status) {
        pending->n = before;
        pending->failed = 0;
    }
    return status;
}

void graft_journal_unlock(struct graft_journal *j)
{
    graft_io_unlock(j->fd);
}
