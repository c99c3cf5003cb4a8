/* System calls on files: repeated when interrupted, carried on when short,
 * failing when a test wants them to.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- faults on request --------------------------------------------------- */

enum call { OPEN, CREATE, READ, WRITE, FSYNC, TRUNCATE, LOCK, CLOSE, STAT,
            RENAME, LINK, UNLINK, MKDIR, LIST, LOOK, CALLS };

#define CAN(name) (1u << GRAFT_IO_##name)
static const unsigned can[CALLS] = {
    [OPEN] = CAN(EIO) | CAN(EMFILE) | CAN(EAGAIN) | CAN(EINTR),
    [CREATE] = CAN(EIO) | CAN(EMFILE) | CAN(EAGAIN) | CAN(EINTR) |
               CAN(ENOSPC),
    [READ] = CAN(EIO) | CAN(EINTR) | CAN(SHORT),
    [WRITE] = CAN(EIO) | CAN(EINTR) | CAN(SHORT) | CAN(ENOSPC),
    [FSYNC] = CAN(EIO) | CAN(EINTR) | CAN(ENOSPC),
    [TRUNCATE] = CAN(EIO) | CAN(EINTR),
    [LOCK] = CAN(EIO) | CAN(EINTR),
    [CLOSE] = CAN(EIO) | CAN(EINTR) | CAN(ENOSPC),
    [STAT] = CAN(EIO),
    [RENAME] = CAN(EIO) | CAN(ENOSPC),
    [LINK] = CAN(EIO) | CAN(ENOSPC),
    [UNLINK] = CAN(EIO),
    [MKDIR] = CAN(EIO) | CAN(ENOSPC),
    [LIST] = CAN(EIO) | CAN(EMFILE),
    [LOOK] = CAN(EIO),
};
static const int errors[GRAFT_IO_FAULTS] = {
    [GRAFT_IO_EIO] = EIO, [GRAFT_IO_ENOSPC] = ENOSPC,
    [GRAFT_IO_EMFILE] = EMFILE, [GRAFT_IO_EAGAIN] = EAGAIN,
    [GRAFT_IO_EINTR] = EINTR,
};

static _Atomic int fault, fail_forever, unlink_failed;
static _Atomic uint64_t fail_at, calls;

static bool befalls(enum call c)
{
    int f = atomic_load(&fault);
    if (!f || !(can[c] >> f & 1))
        return false;
    uint64_t now = atomic_fetch_add(&calls, 1) + 1;
    uint64_t at = atomic_load(&fail_at);
    if (!at || now < at || (now > at && !atomic_load(&fail_forever)))
        return false;
    return f != GRAFT_IO_EINTR || (now - at) % 2 == 0;
}

static bool fails(enum call c)
{
    int f = atomic_load(&fault);
    if (f == GRAFT_IO_SHORT || !befalls(c))
        return false;
    if (c == UNLINK)
        atomic_store(&unlink_failed, 1);
    errno = errors[f];
    return true;
}

/* How much of n bytes is moved at once: one byte, or half for ever. */
static size_t moved(enum call c, size_t n)
{
    const size_t most = 1u << 30; /* Linux moves no more than 2 GiB */
    if (atomic_load(&fault) == GRAFT_IO_SHORT && befalls(c))
        return atomic_load(&fail_forever) ? (n + 1) / 2 : 1;
    return n < most ? n : most;
}

void graft_io_fail_at(enum graft_io_fault f, uint64_t nth, int forever)
{
    atomic_store(&fault, GRAFT_IO_NONE);
    atomic_store(&fail_at, nth);
    atomic_store(&fail_forever, forever);
    atomic_store(&unlink_failed, 0);
    atomic_store(&calls, 0);
    atomic_store(&fault, (int)f);
}

struct graft_io_stats graft_io_stats(void)
{
    return (struct graft_io_stats){.calls = atomic_load(&calls),
                                   .unlink_failed =
                                       atomic_load(&unlink_failed)};
}

/* ---- descriptors --------------------------------------------------------- */

/* `r` is what `work` gives, repeated while it is interrupted. */
#define REPEAT(r, c, work)                                                  \
    do                                                                      \
        r = fails(c) ? -1 : (work);                                         \
    while (r < 0 && errno == EINTR)

static enum call open_or_create(int flags)
{
    return flags & O_CREAT ? CREATE : OPEN;
}

int graft_io_openat(int folder, const char *name, int flags)
{
    int fd;
    REPEAT(fd, open_or_create(flags),
           openat(folder, name, flags | O_CLOEXEC, 0666));
    return fd;
}

int graft_io_open(const char *path, int flags)
{
    return graft_io_openat(AT_FDCWD, path, flags);
}

int graft_io_openat2(int folder, const char *name, int flags,
                     uint64_t resolve)
{
    struct open_how how = {.flags = (uint32_t)(flags | O_CLOEXEC),
                           .mode = flags & O_CREAT ? 0666 : 0,
                           .resolve = resolve};
    long fd;
    REPEAT(fd, open_or_create(flags),
           syscall(SYS_openat2, folder, name, &how, sizeof how));
    return (int)fd;
}

/* Never repeated: Linux has let go of the descriptor even when interrupted. */
int graft_io_close(int fd)
{
    int r = close(fd);
    if (fails(CLOSE))
        r = -1;
    return r < 0 && errno == EINTR ? 0 : r;
}

ssize_t graft_io_read(int fd, void *to, size_t n)
{
    uint8_t *at = to;
    size_t have = 0;
    while (have < n) {
        ssize_t got;
        REPEAT(got, READ, read(fd, at + have, moved(READ, n - have)));
        if (got < 0)
            return got;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

ssize_t graft_io_pread(int fd, void *to, size_t n, uint64_t from)
{
    uint8_t *at = to;
    size_t have = 0;
    while (have < n) {
        ssize_t got;
        REPEAT(got, READ, pread(fd, at + have, moved(READ, n - have),
                                (off_t)(from + have)));
        if (got < 0)
            return got;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* A write that moves nothing says no reason, and would be repeated for ever.
 */
static int stuck(ssize_t put)
{
    if (put == 0)
        errno = EIO;
    return -1;
}

int graft_io_write(int fd, const void *from, size_t n)
{
    const uint8_t *at = from;
    while (n) {
        ssize_t put;
        REPEAT(put, WRITE, write(fd, at, moved(WRITE, n)));
        if (put <= 0)
            return stuck(put);
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

int graft_io_pwrite(int fd, const void *from, size_t n, uint64_t to)
{
    const uint8_t *at = from;
    while (n) {
        ssize_t put;
        REPEAT(put, WRITE, pwrite(fd, at, moved(WRITE, n), (off_t)to));
        if (put <= 0)
            return stuck(put);
        at += put;
        to += (uint64_t)put;
        n -= (size_t)put;
    }
    return 0;
}

int graft_io_fsync(int fd)
{
    int r;
    REPEAT(r, FSYNC, fsync(fd));
    return r;
}

int graft_io_truncate(int fd, uint64_t size)
{
    int r;
    REPEAT(r, TRUNCATE, ftruncate(fd, (off_t)size));
    return r;
}

int graft_io_lock(int fd)
{
    int r;
    REPEAT(r, LOCK, flock(fd, LOCK_EX));
    return r;
}

int graft_io_unlock(int fd)
{
    return flock(fd, LOCK_UN);
}

int graft_io_touch(int fd)
{
    return fails(LOOK) ? -1 : futimens(fd, NULL);
}

/* ---- names --------------------------------------------------------------- */

int graft_io_stat(const char *path, struct stat *st)
{
    return fails(STAT) ? -1 : stat(path, st);
}

int graft_io_lstat(const char *path, struct stat *st)
{
    return fails(STAT) ? -1 : lstat(path, st);
}

int graft_io_fstat(int fd, struct stat *st)
{
    return fails(STAT) ? -1 : fstat(fd, st);
}

int graft_io_rename(const char *from, const char *to)
{
    return fails(RENAME) ? -1 : rename(from, to);
}

int graft_io_rename_with(const char *from, const char *to, unsigned flags)
{
    return fails(RENAME) ? -1
                         : (int)syscall(SYS_renameat2, AT_FDCWD, from,
                                        AT_FDCWD, to, flags);
}

int graft_io_link(const char *from, const char *to)
{
    return fails(LINK) ? -1 : link(from, to);
}

int graft_io_unlink(const char *path)
{
    return fails(UNLINK) ? -1 : unlink(path);
}
int graft_io_rmdir(const char *path)
{
    return fails(UNLINK) ? -1 : rmdir(path);
}

int graft_io_mkdir(const char *path)
{
    return fails(MKDIR) ? -1 : mkdir(path, 0777);
}

char *graft_io_realpath(const char *path, char *to)
{
    return fails(LOOK) ? NULL : realpath(path, to);
}

DIR *graft_io_opendir(const char *path)
{
    return fails(LIST) ? NULL : opendir(path);
}

int graft_io_readdir(DIR *d, const char **name)
{
    if (fails(LOOK))
        return -1;
    errno = 0; /* the only way to tell the end from an error */
    struct dirent *e = readdir(d);
    if (!e)
        return errno ? -1 : 0;
    *name = e->d_name;
    return 1;
}

void graft_io_closedir(DIR *d)
{
    closedir(d);
}
