/* Walking folders that may hold anything: FIFOs, loops of links, names of any
 * bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/io.h"
#include "base/status.h"

enum { DEPTH_MAX = 64 };

struct walk {
    graft_tree_fn *fn;
    void *ctx;
    const char *root, *top; /* of the data set, of this walk; as paths */
    int depth;
    struct {
        dev_t device;
        ino_t inode;
    } above[DEPTH_MAX]; /* the folders that we are in */
};

static bool is_left_out(const char *name)
{
    return name[0] == '.' || !strcmp(name, "__MACOSX");
}

/* Is `inner` the folder `outer` or in it? Without links in their paths. */
static bool holds(const char *outer, const char *inner)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (!graft_io_realpath(outer, a) || !graft_io_realpath(inner, b))
        return true; /* what cannot be told is not entered */
    size_t n = strlen(a);
    return !strncmp(a, b, n) && (n == 1 || !b[n] || b[n] == '/');
}

/* A link out of the data set may lead to photos kept elsewhere, but not to
 * what the link itself is part of: that holds other classes' photos. */
static int leads_around(bool *out, const struct walk *w, const char *path)
{
    struct stat st;
    *out = false;
    if (!w->depth || graft_io_lstat(path, &st) || !S_ISLNK(st.st_mode))
        return GRAFT_OK;
    char *in = graft_path_folder(path);
    if (!in)
        return GRAFT_EMEM;
    *out = holds(path, in) || (*w->root && holds(path, w->root)) ||
           (strcmp(path, w->top) && holds(path, w->top));
    graft_free(in);
    return GRAFT_OK;
}

static const char *why_not(const struct walk *w, const struct stat *st)
{
    if (w->depth == DEPTH_MAX)
        return "its folders are nested too deep";
    for (int i = 0; i < w->depth; i++)
        if (w->above[i].device == st->st_dev &&
            w->above[i].inode == st->st_ino)
            return "it is a link back to a folder that it is in";
    return NULL;
}

static int walk_folder(struct walk *w, const char *path, const char *file);

static int walk_one(struct walk *w, const char *path, const char *file)
{
    struct stat st;
    char why[GRAFT_WHY_MAX];
    if (graft_io_stat(path, &st)) {
        snprintf(why, sizeof why, "it cannot be opened: %s",
                 strerror(errno));
        return w->fn(w->ctx, file, why);
    }
    if (S_ISREG(st.st_mode))
        return w->fn(w->ctx, file, NULL);
    if (!S_ISDIR(st.st_mode))
        return w->fn(w->ctx, file, "it is a pipe, socket or device, not a "
                                   "file");
    bool around;
    int status = leads_around(&around, w, path);
    if (status)
        return status;
    const char *reason = around ? "a link to a folder around it"
                                : why_not(w, &st);
    if (reason)
        return w->fn(w->ctx, file, reason);
    w->above[w->depth].device = st.st_dev;
    w->above[w->depth++].inode = st.st_ino;
    status = walk_folder(w, path, file);
    w->depth--;
    return status;
}

/* Half a folder would be another data set. */
static int cannot_list(const char *folder)
{
    return graft_fail(GRAFT_EIO, "folder '%s' cannot be listed: %s", folder,
                      strerror(errno));
}

static int walk_folder(struct walk *w, const char *path, const char *file)
{
    char why[GRAFT_WHY_MAX];
    DIR *d = graft_io_opendir(path);
    if (!d) {
        snprintf(why, sizeof why, "the folder cannot be opened: %s",
                 strerror(errno));
        return w->fn(w->ctx, file, why);
    }
    int status = GRAFT_OK, got = 0;
    const char *name;
    while (!status && (got = graft_io_readdir(d, &name)) > 0) {
        if (is_left_out(name))
            continue;
        char *p = graft_path_join(path, name);
        char *f = graft_path_join(file, name);
        status = p && f ? walk_one(w, p, f) : GRAFT_EMEM;
        graft_free(f);
        graft_free(p);
    }
    if (got < 0)
        status = cannot_list(path);
    graft_io_closedir(d);
    return status;
}

int graft_tree_walk(const char *root, const char *below, graft_tree_fn *fn,
                    void *ctx)
{
    char *path = graft_path_join(root, below);
    struct walk w = {.fn = fn, .ctx = ctx, .root = root, .top = path};
    struct stat st;
    if (*root && graft_io_stat(root, &st) == 0) {
        w.above[0].device = st.st_dev;
        w.above[w.depth++].inode = st.st_ino;
    }
    int status = path ? walk_one(&w, path, below) : GRAFT_EMEM;
    graft_free(path);
    return status;
}

/* ---- names --------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct graft_names *n, const char *folder,
                    const char *name)
{
    struct stat st;
    char *path = graft_path_join(folder, name), *copy = graft_strdup(name);
    int status = GRAFT_EMEM;
    if (path && copy) {
        bool is_folder = graft_io_stat(path, &st) == 0 && S_ISDIR(st.st_mode);
        char **slot = is_folder ? graft_push(&n->folder)
                                : graft_push(&n->file);
        if (slot) {
            *slot = copy;
            copy = NULL;
            status = GRAFT_OK;
        }
    }
    graft_free(copy);
    graft_free(path);
    return status;
}

int graft_names_read(struct graft_names *out, const char *folder)
{
    DIR *d = graft_io_opendir(folder);
    if (!d)
        return graft_fail(errno == ENOENT ? GRAFT_ENOTFOUND : GRAFT_EIO,
                          "folder '%s' cannot be opened: %s", folder,
                          strerror(errno));
    int status = GRAFT_OK, got = 0;
    const char *name;
    while (!status && (got = graft_io_readdir(d, &name)) > 0)
        if (!is_left_out(name))
            status = add_name(out, folder, name);
    if (got < 0)
        status = cannot_list(folder);
    graft_io_closedir(d);
    if (out->folder.n)
        qsort(out->folder.at, (size_t)out->folder.n, sizeof(char *),
              by_bytes);
    if (out->file.n)
        qsort(out->file.at, (size_t)out->file.n, sizeof(char *), by_bytes);
    return status;
}

void graft_names_release(struct graft_names *n)
{
    for (int i = 0; i < n->folder.n; i++)
        graft_free(n->folder.at[i]);
    for (int i = 0; i < n->file.n; i++)
        graft_free(n->file.at[i]);
    graft_array_release(&n->folder);
    graft_array_release(&n->file);
}

bool graft_name_like_photo(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".bmp"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot, endings[i]))
            return true;
    return false;
}
