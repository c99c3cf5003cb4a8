/* Reading a file that a model names: by a plain name beneath one folder, and
 * whatever stands there is looked at (O_PATH) before it is opened, so that no
 * link is followed, no FIFO waited for, no device touched.
 *
 * Each part of the name is opened in the folder before it. With neither ".."
 * nor links that is as safe as openat2(RESOLVE_BENEATH), on any kernel.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/io.h"
#include "base/status.h"

/* ---- names --------------------------------------------------------------- */

static int refuse_name(const char *name, const char *why)
{
    return graft_fail(GRAFT_EARG, "'%s' %s; a model may name only files in "
                      "its own folder, by relative names", name, why);
}

int graft_path_plain(char **out, const char *name)
{
    size_t n = strlen(name), to = 0;
    if (!n)
        return refuse_name(name, "is no name");
    if (*name == '/')
        return refuse_name(name, "is an absolute path");
    if (strchr(name, '\\'))
        return refuse_name(name, "has a backslash in it");
    char *plain = graft_malloc(n + 1);
    if (!plain)
        return GRAFT_EMEM;
    const char *why = name[n - 1] == '/' ? "names a folder" : NULL;
    for (const char *s = name; *s && !why;) {
        size_t part = strcspn(s, "/");
        bool here = part == 0 || (part == 1 && *s == '.');
        if (part == 2 && !memcmp(s, "..", 2))
            why = "leads out of its folder";
        if (here && !s[part])
            why = "names a folder";
        if (to && !here)
            plain[to++] = '/';
        memcpy(plain + to, s, here ? 0 : part);
        to += here ? 0 : part;
        s += part + (s[part] == '/');
    }
    plain[to] = '\0';
    if (why) {
        graft_free(plain);
        return refuse_name(name, why);
    }
    *out = plain;
    return GRAFT_OK;
}

/* ---- what stands there --------------------------------------------------- */

struct place {
    const char *folder, *name; /* for messages */
    bool links;                /* the user vouches for links */
};

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISLNK(mode)  ? "a symbolic link"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
           : S_ISREG(mode)  ? "a file"
                            : "a device";
}

static int refuse(const struct place *p, const char *part, mode_t mode,
                  bool last)
{
    if (S_ISLNK(mode))
        return graft_fail(GRAFT_EARG, "'%s' in folder '%s': '%s' is a "
                          "symbolic link; copy the real file there, or allow "
                          "links with --follow-links ROOT", p->name,
                          p->folder, part);
    return graft_fail(GRAFT_EARG, "'%s' in folder '%s': '%s' is %s, not a "
                      "%s", p->name, p->folder, part, kind_of(mode),
                      last ? "regular file" : "folder");
}

static int absent(const struct place *p)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return graft_fail(GRAFT_ENOTFOUND, "'%s' is not in folder '%s'; it "
                          "belongs to the model: copy it there", p->name,
                          p->folder);
    return graft_fail(GRAFT_EIO, "'%s' in folder '%s' cannot be opened: %s",
                      p->name, p->folder, strerror(errno));
}

static int examine(struct stat *st, int fd, const struct place *p)
{
    return graft_io_fstat(fd, st)
               ? graft_fail(GRAFT_EIO, "'%s' in folder '%s' cannot be "
                            "examined: %s", p->name, p->folder,
                            strerror(errno))
               : GRAFT_OK;
}

/* ---- opening ------------------------------------------------------------- */

/* *out is the part, not opened for reading: of the wanted kind. */
static int step(int *out, struct stat *st, int folder, const char *part,
                bool last, const struct place *p)
{
    int fd = graft_io_openat(folder, part, O_PATH | O_NOFOLLOW);
    if (fd < 0)
        return absent(p);
    int status = examine(st, fd, p);
    if (!status && !(last ? S_ISREG(st->st_mode) : S_ISDIR(st->st_mode)))
        status = refuse(p, part, st->st_mode, last);
    if (!status && last && st->st_nlink > 1 && !p->links)
        status = graft_fail(GRAFT_EARG, "'%s' in folder '%s' has %llu hard "
                            "links, so it may be a file from elsewhere; copy "
                            "it, or allow links with --follow-links ROOT",
                            p->name, p->folder,
                            (unsigned long long)st->st_nlink);
    if (status) {
        graft_io_close(fd);
        return status;
    }
    *out = fd;
    return GRAFT_OK;
}

/* What was looked at is what is opened, or nothing is. */
static int open_last(int *out, int folder, const char *part,
                     const struct stat *seen, const struct place *p)
{
    struct stat st;
    int fd = graft_io_openat(folder, part, O_RDONLY | O_NOFOLLOW |
                                               O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return absent(p);
    int status = examine(&st, fd, p);
    if (!status && (st.st_dev != seen->st_dev || st.st_ino != seen->st_ino))
        status = graft_fail(GRAFT_EIO, "'%s' in folder '%s' was exchanged "
                            "while it was opened", p->name, p->folder);
    if (status) {
        graft_io_close(fd);
        return status;
    }
    *out = fd;
    return GRAFT_OK;
}

/* `plain` is cut into its parts. */
static int open_plain(int *out, const char *folder, char *plain,
                      const struct place *p)
{
    struct stat st;
    int next = -1, status = GRAFT_OK;
    int fd = graft_io_open(folder, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return graft_fail(errno == ENOENT ? GRAFT_ENOTFOUND : GRAFT_EIO,
                          "folder '%s' cannot be opened: %s", folder,
                          strerror(errno));
    for (char *part = plain, *rest; !status && part; part = rest) {
        rest = strchr(part, '/');
        if (rest)
            *rest++ = '\0';
        status = step(&next, &st, fd, part, !rest, p);
        if (!status && !rest) {
            graft_io_close(next);
            status = open_last(&next, fd, part, &st, p);
        }
        if (!status) {
            graft_io_close(fd);
            fd = next;
        }
    }
    if (status)
        graft_io_close(fd);
    else
        *out = fd;
    return status;
}

/* ---- through links, beneath a root --------------------------------------- */

/* The real place of the file as `root` (its real path) and what follows. */
static int follow(char root[PATH_MAX], char **plain, const char *links,
                  const struct place *p)
{
    char real[PATH_MAX];
    if (!graft_io_realpath(links, root))
        return graft_fail(GRAFT_EARG, "links are to be followed beneath '%s': "
                          "%s", links, strerror(errno));
    char *path = graft_path_join(p->folder, *plain);
    if (!path)
        return GRAFT_EMEM;
    int status = graft_io_realpath(path, real) ? GRAFT_OK : absent(p);
    graft_free(path);
    if (status)
        return status;
    size_t n = strlen(root);
    n -= n == 1; /* "/" */
    if (strncmp(real, root, n) || real[n] != '/')
        return graft_fail(GRAFT_EARG, "'%s' in folder '%s' is in truth '%s', "
                          "which is not beneath '%s'", p->name, p->folder,
                          real, root);
    char *rest = graft_strdup(real + n + 1);
    if (!rest)
        return GRAFT_EMEM;
    graft_free(*plain);
    *plain = rest;
    return GRAFT_OK;
}

int graft_file_read_linked(uint8_t **out, uint64_t *size, const char *folder,
                           const char *name, const char *links, uint64_t max)
{
    char *plain = NULL, root[PATH_MAX];
    struct place p = {folder, name, links != NULL};
    int fd = -1, status = graft_path_plain(&plain, name);
    if (!status && links)
        status = follow(root, &plain, links, &p);
    if (!status)
        status = open_plain(&fd, links ? root : folder, plain, &p);
    if (!status) {
        status = graft_file_read_fd(out, size, fd, name, max);
        graft_io_close(fd);
    }
    graft_free(plain);
    return status;
}

int graft_file_read_beneath(uint8_t **out, uint64_t *size, const char *folder,
                            const char *name, uint64_t max)
{
    return graft_file_read_linked(out, size, folder, name, NULL, max);
}
