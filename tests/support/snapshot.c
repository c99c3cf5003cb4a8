/* Folders as a whole. Plain C library calls: nothing here may be counted or
 * made to fail.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/snapshot.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

enum { PATH_BYTES = 600 };

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

static void read_one(struct snapshot *s, const char *path, const char *name,
                     size_t n)
{
    s->file = need(realloc(s->file, (size_t)(s->n + 1) * sizeof *s->file));
    struct snapshot_file *f = &s->file[s->n++];
    *f = (struct snapshot_file){need(strdup(name)), need(malloc(n + 1)), n};
    FILE *in = need(fopen(path, "rb"));
    assert_int_equal(fread(f->data, 1, n, in), n);
    fclose(in);
}

static void walk(struct snapshot *s, const char *folder, const char *below,
                 const char *skip)
{
    char path[PATH_BYTES], name[PATH_BYTES];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, below);
    DIR *d = need(opendir(path));
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        snprintf(name, sizeof name, "%s%s%s", below, *below ? "/" : "",
                 e->d_name);
        snprintf(path, sizeof path, "%.250s/%.300s", folder, name);
        if (lstat(path, &st) || (skip && !strcmp(name, skip)))
            continue;
        if (S_ISDIR(st.st_mode))
            walk(s, folder, name, skip);
        else
            read_one(s, path, name, (size_t)st.st_size);
    }
    closedir(d);
}

void snapshot_take(struct snapshot *s, const char *folder, const char *skip)
{
    *s = (struct snapshot){0};
    walk(s, folder, "", skip);
}

void snapshot_release(struct snapshot *s)
{
    for (int i = 0; i < s->n; i++) {
        free(s->file[i].name);
        free(s->file[i].data);
    }
    free(s->file);
    *s = (struct snapshot){0};
}

const struct snapshot_file *snapshot_find(const struct snapshot *s,
                                          const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->file[i].name, name))
            return &s->file[i];
    return NULL;
}

bool snapshot_same(const struct snapshot_file *a,
                   const struct snapshot_file *b)
{
    return a && b && a->n == b->n && !memcmp(a->data, b->data, a->n);
}

static void write_one(const char *path, const struct snapshot_file *f)
{
    FILE *out = need(fopen(path, "wb"));
    assert_int_equal(fwrite(f->data, 1, f->n, out), f->n);
    assert_int_equal(fclose(out), 0);
}

static void empty(const char *folder)
{
    struct snapshot s;
    char path[PATH_BYTES];
    if (access(folder, F_OK))
        return;
    snapshot_take(&s, folder, NULL);
    for (int i = 0; i < s.n; i++) {
        snprintf(path, sizeof path, "%.250s/%.300s", folder, s.file[i].name);
        assert_int_equal(unlink(path), 0);
    }
    snapshot_release(&s);
}

void snapshot_restore(const struct snapshot *s, const char *folder,
                      const char *skip)
{
    struct snapshot now;
    char path[PATH_BYTES];
    snapshot_take(&now, folder, skip);
    for (int i = 0; i < now.n; i++) {
        snprintf(path, sizeof path, "%.250s/%.300s", folder,
                 now.file[i].name);
        if (!snapshot_find(s, now.file[i].name))
            assert_int_equal(unlink(path), 0);
    }
    for (int i = 0; i < s->n; i++) {
        const struct snapshot_file *f = &s->file[i];
        snprintf(path, sizeof path, "%.250s/%.300s", folder, f->name);
        if (!snapshot_same(f, snapshot_find(&now, f->name)))
            write_one(path, f);
    }
    snapshot_release(&now);
    if (skip) {
        snprintf(path, sizeof path, "%.250s/%.300s", folder, skip);
        empty(path);
    }
}
