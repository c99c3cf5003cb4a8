/* Telling photos from other files by their first bytes, and photos from each
 * other by their hash; what the side index knows is not opened.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/io.h"
#include "base/status.h"
#include "data/tree.h"

#define FILE_MAX_BYTES (512ull << 20)
enum { FIRST_BYTES = 64 };

struct finding {
    struct graft_file_id id;
    enum graft_known known; /* UNKNOWN: could not be read */
    bool fresh;             /* found out just now, by content */
    int status;             /* resource error */
    struct graft_hash hash;
    char why[GRAFT_WHY_MAX];
};
struct sift {
    struct graft_runtime *rt;
    const struct graft_dataset *d;
    const struct graft_files *files;
    bool hash;
    struct finding *finding;
};

static void cannot_read(struct finding *f)
{
    snprintf(f->why, sizeof f->why, "it cannot be opened: %s",
             strerror(errno));
}

/* As much of the file as is asked for. */
static int read_some(uint8_t **bytes, uint64_t *n, const char *path,
                     bool whole, struct finding *f)
{
    if (whole) {
        int failed = graft_file_read(bytes, n, path, FILE_MAX_BYTES);
        return failed && failed != GRAFT_EMEM
                   ? graft_fail_unnamed(failed, path) : failed;
    }
    int fd = graft_io_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    uint8_t *b = graft_malloc(FIRST_BYTES);
    int status = b ? GRAFT_OK : GRAFT_EMEM;
    ssize_t got = -1;
    if (b && fd >= 0 && graft_io_fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        got = graft_io_read(fd, b, FIRST_BYTES);
    if (b && got < 0) {
        cannot_read(f);
        status = graft_fail(GRAFT_EIO, "%s", f->why);
    }
    if (fd >= 0)
        graft_io_close(fd);
    if (status) {
        graft_free(b);
        return status;
    }
    *bytes = b;
    *n = (uint64_t)got;
    return GRAFT_OK;
}

static int examine(const struct sift *s, struct finding *f, const char *path)
{
    uint8_t *bytes;
    uint64_t n;
    if (!graft_file_id(&f->id, path)) {
        cannot_read(f);
        return GRAFT_OK;
    }
    if (s->files)
        f->known = graft_files_look(s->files, &f->id, &f->hash, f->why);
    if (f->known != GRAFT_UNKNOWN)
        return GRAFT_OK;
    int status = read_some(&bytes, &n, path, s->hash, f);
    if (status == GRAFT_EMEM)
        return status;
    if (status) {
        snprintf(f->why, sizeof f->why, "%s", graft_error_message());
        return GRAFT_OK;
    }
    bool photo = graft_image_sniff(bytes, n) == GRAFT_OK;
    f->known = photo ? GRAFT_IS_PHOTO : GRAFT_NO_PHOTO;
    f->fresh = true;
    if (photo && s->hash)
        f->hash = graft_hash(bytes, (size_t)n);
    if (!photo)
        snprintf(f->why, sizeof f->why, "%s", graft_error_message());
    graft_free(bytes);
    return GRAFT_OK;
}

static void task(void *ctx, int64_t i, int worker)
{
    struct sift *s = ctx;
    struct finding *f = &s->finding[i];
    (void)worker;
    char *path = NULL;
    f->status = graft_runtime_check(s->rt);
    if (!f->status)
        path = graft_path_join(s->d->root, s->d->photo.at[i].file);
    if (!f->status)
        f->status = path ? examine(s, f, path) : GRAFT_EMEM;
    graft_free(path);
}

/* What was found out by content is told to the index: for a photo only with
 * its hash. */
static int note(struct graft_files *files, const struct sift *s,
                const struct finding *f)
{
    bool photo = f->known == GRAFT_IS_PHOTO;
    if (!files || !f->fresh || (photo && !s->hash))
        return GRAFT_OK;
    return graft_files_note(files, &f->id, f->hash, photo ? NULL : f->why);
}

static int settle(struct graft_dataset *d, const struct sift *s,
                  struct graft_files *files, struct graft_hash *hashes)
{
    int kept = 0, status = GRAFT_OK;
    for (int i = 0; i < d->photo.n; i++) {
        const struct finding *f = &s->finding[i];
        struct graft_photo p = d->photo.at[i];
        if (!status && f->status)
            status = graft_fail(f->status, "%s",
                                graft_status_text(f->status));
        if (!status)
            status = note(files, s, f);
        if (status || f->known == GRAFT_IS_PHOTO) {
            if (hashes)
                hashes[kept] = f->hash;
            d->photo.at[kept++] = p;
            continue;
        }
        status = graft_dataset_skip(d, p.file, f->why, p.part);
        graft_free(p.file);
    }
    d->photo.n = kept;
    return status;
}

int graft_dataset_sift(struct graft_dataset *d, struct graft_runtime *rt,
                       struct graft_files *files, struct graft_hash *hashes)
{
    struct sift s = {.rt = rt, .d = d, .files = files,
                     .hash = hashes != NULL};
    s.finding = graft_calloc((size_t)d->photo.n, sizeof *s.finding);
    if (!s.finding)
        return GRAFT_EMEM;
    graft_pool_for(rt->pool, d->photo.n, task, &s);
    int status = settle(d, &s, files, hashes);
    graft_free(s.finding);
    return status;
}
