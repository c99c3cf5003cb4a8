/* The one door to the file system: every system call on files that the
 * library makes passes through here, so that interruptions and short
 * transfers are dealt with once, and so that tests can make each call fail.
 *
 * What fails returns -1 (NULL) with errno set, as the calls themselves do.
 * EINTR never gets out. Folders opened for reading count as files.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_IO_H
#define GRAFT_BASE_IO_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Flags as for open(); O_CLOEXEC is added, new files get mode 0666. */
int graft_io_open(const char *path, int flags);
int graft_io_openat(int folder, const char *name, int flags);
/* openat2() with RESOLVE_... flags; ENOSYS where the kernel has none. */
int graft_io_openat2(int folder, const char *name, int flags,
                     uint64_t resolve);
int graft_io_close(int fd); /* the descriptor is gone whatever it returns */

/* Bytes read: fewer than n only at the end of the file. */
ssize_t graft_io_read(int fd, void *to, size_t n);
ssize_t graft_io_pread(int fd, void *to, size_t n, uint64_t at);
/* 0: all n bytes are written. */
int graft_io_write(int fd, const void *from, size_t n);
int graft_io_pwrite(int fd, const void *from, size_t n, uint64_t at);

int graft_io_fsync(int fd);
int graft_io_truncate(int fd, uint64_t size);
int graft_io_lock(int fd); /* exclusive, waits; ends with unlock or close */
int graft_io_unlock(int fd);
int graft_io_touch(int fd); /* its times are now */

int graft_io_stat(const char *path, struct stat *st);
int graft_io_lstat(const char *path, struct stat *st);
int graft_io_fstat(int fd, struct stat *st);

int graft_io_rename(const char *from, const char *to);
/* renameat2() with RENAME_EXCHANGE or RENAME_NOREPLACE; EINVAL or ENOSYS
 * where file system or kernel cannot. */
int graft_io_rename_with(const char *from, const char *to, unsigned flags);
int graft_io_link(const char *from, const char *to);
int graft_io_unlink(const char *path);
int graft_io_rmdir(const char *path); /* an empty folder */
int graft_io_mkdir(const char *path); /* mode 0777 */
/* Into `to` of PATH_MAX bytes; NULL: it failed. */
char *graft_io_realpath(const char *path, char *to);

DIR *graft_io_opendir(const char *path);
/* 1: *name is the next entry's (until the next call), 0: the end, -1. */
int graft_io_readdir(DIR *d, const char **name);
void graft_io_closedir(DIR *d);

/* ---- for tests ----------------------------------------------------------- */

/* SHORT: a transfer moves fewer bytes than asked for. Each fault befalls only
 * calls that it can befall in life: ENOSPC no read, EINTR no stat. */
enum graft_io_fault {
    GRAFT_IO_NONE, GRAFT_IO_EIO, GRAFT_IO_ENOSPC, GRAFT_IO_EMFILE,
    GRAFT_IO_EAGAIN, GRAFT_IO_EINTR, GRAFT_IO_SHORT, GRAFT_IO_FAULTS
};

/* `fault` befalls the nth call from now that it can befall (1: the next), and
 * with `forever` all after it too (EINTR: every second one, for who repeats a
 * call must get somewhere). nth 0: none; what it could befall is counted. */
void graft_io_fail_at(enum graft_io_fault fault, uint64_t nth, int forever);

/* Calls since then that the fault could befall, and whether one that it
 * befell was to remove a file. */
struct graft_io_stats {
    uint64_t calls;
    int unlink_failed;
};
struct graft_io_stats graft_io_stats(void);

#endif
