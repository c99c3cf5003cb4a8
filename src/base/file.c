/* Files: whole reads, confined reads, atomic writes.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/status.h"

/* ---- paths --------------------------------------------------------------- */

const char *graft_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *graft_path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return graft_strdup(".");
    return graft_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

char *graft_path_join(const char *folder, const char *name)
{
    size_t n = strlen(folder), m = strlen(name);
    char *p = graft_malloc(n + m + 2);
    if (!p)
        return NULL;
    memcpy(p, folder, n);
    if (n && folder[n - 1] != '/')
        p[n++] = '/';
    memcpy(p + n, name, m + 1);
    return p;
}

bool graft_file_exists(const char *path)
{
    struct stat st;
    return graft_io_lstat(path, &st) == 0;
}

/* 1: *st is the file's, 0: there is none, or a status. */
static int look(struct stat *st, const char *path)
{
    if (graft_io_stat(path, st) == 0)
        return 1;
    if (errno == ENOENT || errno == ENOTDIR)
        return 0;
    return graft_fail(GRAFT_EIO, "'%s' cannot be examined: %s", path,
                      strerror(errno));
}

int graft_file_same(bool *out, const char *a, const char *b)
{
    struct stat x, y;
    int first = look(&x, a), second = first > 0 ? look(&y, b) : 0;
    if (first < 0 || second < 0)
        return first < 0 ? first : second;
    *out = first && second && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    return GRAFT_OK;
}

int graft_folder_make(const char *path)
{
    if (!*path)
        return graft_fail(GRAFT_EARG, "a folder without a name");
    char *p = graft_strdup(path);
    if (!p)
        return GRAFT_EMEM;
    int status = GRAFT_OK;
    for (char *s = p + 1; !status; s++) {
        if (*s != '/' && *s != '\0')
            continue;
        char kept = *s;
        *s = '\0';
        if (graft_io_mkdir(p) && errno != EEXIST)
            status = graft_fail(GRAFT_EIO, "folder '%s' cannot be made: %s",
                                p, strerror(errno));
        *s = kept;
        if (!kept)
            break;
    }
    graft_free(p);
    return status;
}

/* ---- reading ------------------------------------------------------------- */

static int read_fully(int fd, uint8_t *data, uint64_t size, const char *path)
{
    ssize_t n = graft_io_read(fd, data, (size_t)size);
    if (n < 0)
        return graft_fail(GRAFT_EIO, "'%s': reading failed: %s", path,
                          strerror(errno));
    if ((uint64_t)n < size)
        return graft_fail(GRAFT_EIO, "'%s' shrank while it was read", path);
    return GRAFT_OK;
}

int graft_file_read_fd(uint8_t **out, uint64_t *size, int fd,
                       const char *path, uint64_t max)
{
    struct stat st;
    if (graft_io_fstat(fd, &st))
        return graft_fail(GRAFT_EIO, "'%s' cannot be examined: %s", path,
                          strerror(errno));
    if (S_ISDIR(st.st_mode))
        return graft_fail(GRAFT_EARG, "'%s' is a folder, not a file", path);
    if (!S_ISREG(st.st_mode))
        return graft_fail(GRAFT_EARG, "'%s' is not a regular file", path);
    uint64_t bytes = (uint64_t)st.st_size;
    if (bytes > max)
        return graft_fail(GRAFT_ELIMIT, "'%s' has %llu bytes; at most %llu "
                          "are read", path, (unsigned long long)bytes,
                          (unsigned long long)max);
    uint8_t *data = graft_malloc((size_t)bytes);
    if (!data)
        return GRAFT_EMEM;
    int status = read_fully(fd, data, bytes, path);
    if (status) {
        graft_free(data);
        return status;
    }
    *out = data;
    *size = bytes;
    return GRAFT_OK;
}

static int cannot_open(const char *path)
{
    int code = errno == ENOENT ? GRAFT_ENOTFOUND : GRAFT_EIO;
    return graft_fail(code, "'%s' cannot be opened: %s", path,
                      strerror(errno));
}

int graft_file_read(uint8_t **out, uint64_t *size, const char *path,
                    uint64_t max)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = graft_io_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return cannot_open(path);
    int status = graft_file_read_fd(out, size, fd, path, max);
    graft_io_close(fd);
    return status;
}
