/* Append-only files shared by processes (see journal.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

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
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Does it begin as we do, be it cut short? If not, somebody keeps a file of
 * his own under this name. */
static bool is_ours(struct graft_journal *j, int fd)
{
    uint8_t have[64];
    ssize_t n;
    do
        n = pread(fd, have, j->own_bytes, 0);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && !memcmp(have, j->header, (size_t)n))
        return true;
    j->foreign = true;
    switch_off(j, "it is not a file of Graft's");
    return false;
}

/* Read and write, else read only, else -1. */
static int open_file(struct graft_journal *j)
{
    const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = j->off ? -1 : open(j->path, O_RDWR | O_CREAT | flags, 0666);
    if (fd < 0 && !j->off)
        switch_off(j, strerror(errno));
    if (fd < 0)
        fd = open(j->path, O_RDONLY | flags);
    if (fd >= 0 && !is_plain_file(fd)) {
        switch_off(j, "it is not a regular file");
        close(fd);
        fd = -1;
    }
    if (fd >= 0 && !is_ours(j, fd)) {
        close(fd);
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
        close(j->fd);
    graft_free(j->path);
    j->path = NULL;
    j->fd = -1;
}

/* ---- reading ------------------------------------------------------------- */

bool graft_journal_read(const struct graft_journal *j, uint64_t at, void *dst,
                        uint64_t n)
{
    uint8_t *d = dst;
    while (j->fd >= 0 && n > 0) {
        ssize_t got = pread(j->fd, d, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        d += got;
        at += (uint64_t)got;
        n -= (uint64_t)got;
    }
    return n == 0;
}

static bool header_fits(const struct graft_journal *j)
{
    uint8_t have[512];
    return j->header_bytes <= sizeof have &&
           graft_journal_read(j, 0, have, j->header_bytes) &&
           !memcmp(have, j->header, j->same_bytes);
}

uint64_t graft_journal_size(const struct graft_journal *j)
{
    struct stat st;
    if (j->fd < 0 || fstat(j->fd, &st) || !header_fits(j))
        return 0;
    uint64_t bytes = (uint64_t)st.st_size;
    return bytes - (bytes - j->header_bytes) % j->record_bytes;
}

/* ---- writing ------------------------------------------------------------- */

static bool write_at(int fd, uint64_t at, const void *data, uint64_t n)
{
    const uint8_t *d = data;
    while (n > 0) {
        ssize_t put = pwrite(fd, d, n, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        d += put;
        at += (uint64_t)put;
        n -= (uint64_t)put;
    }
    return true;
}

/* Is what is open still what the path names? */
static bool still_there(const struct graft_journal *j)
{
    struct stat mine, named;
    return fstat(j->fd, &mine) == 0 && lstat(j->path, &named) == 0 &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

static bool lock(int fd)
{
    int status;
    do
        status = flock(fd, LOCK_EX);
    while (status && errno == EINTR);
    return status == 0;
}

bool graft_journal_lock(struct graft_journal *j, bool *anew)
{
    *anew = false;
    while (!j->off && j->fd >= 0) {
        if (!lock(j->fd)) {
            switch_off(j, strerror(errno));
            return false;
        }
        if (still_there(j))
            break;
        close(j->fd);
        *anew = true;
        j->fd = open_file(j);
    }
    if (j->off || j->fd < 0)
        return false;
    if (!graft_journal_size(j)) {
        *anew = true;
        bool ours = is_ours(j, j->fd);
        if (!ours || ftruncate(j->fd, 0) ||
            !write_at(j->fd, 0, j->header, j->header_bytes)) {
            switch_off(j, strerror(errno)); /* says no more if not ours */
            graft_journal_unlock(j);
            return false;
        }
    }
    if (*anew)
        j->seen = 0;
    return true;
}

bool graft_journal_append(struct graft_journal *j, const void *records,
                          uint64_t n)
{
    uint64_t end = graft_journal_size(j);
    if (end + n > j->max_bytes) {
        switch_off(j, "it has reached its largest size");
        return false;
    }
    if (write_at(j->fd, end, records, n))
        return true;
    switch_off(j, strerror(errno));
    if (ftruncate(j->fd, (off_t)end)) {
        /* What is left is a torn tail, cut off by the next writer. */
        return false;
    }
    return false;
}

void graft_journal_empty(struct graft_journal *j)
{
    if (ftruncate(j->fd, (off_t)j->header_bytes))
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
    flock(j->fd, LOCK_UN);
}
