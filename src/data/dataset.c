/* Opening data sets: formats are tried in turn, then files are sorted out,
 * val split off, and what cannot be trained on refused with a sentence.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/io.h"
#include "base/status.h"
#include "data/tree.h"

/* Made from src/data/ds_*.c. */
extern const struct graft_ds *const graft_ds_table[];

/* ---- parts of the struct ------------------------------------------------- */

int graft_dataset_add(struct graft_dataset *d, const char *file, int label,
                      enum graft_part part)
{
    char *copy = graft_strdup(file);
    struct graft_photo *p = copy ? graft_push(&d->photo) : NULL;
    if (!p) {
        graft_free(copy);
        return GRAFT_EMEM;
    }
    *p = (struct graft_photo){copy, label, part};
    return GRAFT_OK;
}

int graft_dataset_skip(struct graft_dataset *d, const char *file,
                       const char *why, enum graft_part part)
{
    struct graft_skip s = {graft_strdup(file), graft_strdup(why), part};
    struct graft_skip *slot = s.file && s.why ? graft_push(&d->skipped)
                                              : NULL;
    if (!slot) {
        graft_free(s.file);
        graft_free(s.why);
        return GRAFT_EMEM;
    }
    *slot = s;
    return GRAFT_OK;
}

void graft_dataset_free(struct graft_dataset *d)
{
    if (!d)
        return;
    for (int i = 0; i < d->photo.n; i++)
        graft_free(d->photo.at[i].file);
    for (int i = 0; i < d->skipped.n; i++) {
        graft_free(d->skipped.at[i].file);
        graft_free(d->skipped.at[i].why);
    }
    for (int i = 0; i < d->n_classes; i++)
        graft_free(d->label[i]);
    graft_array_release(&d->photo);
    graft_array_release(&d->skipped);
    graft_free(d->label);
    graft_free(d->root);
    graft_free(d);
}

int graft_dataset_count(const struct graft_dataset *d, enum graft_part part)
{
    int n = 0;
    for (int i = 0; i < d->photo.n; i++)
        n += d->photo.at[i].part == part;
    return n;
}

static int photo_order(const void *a, const void *b)
{
    const struct graft_photo *x = a, *y = b;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return strcmp(x->file, y->file);
}

static int skip_order(const void *a, const void *b)
{
    const struct graft_skip *x = a, *y = b;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return strcmp(x->file, y->file);
}

static void sort(struct graft_dataset *d)
{
    if (d->photo.n)
        qsort(d->photo.at, (size_t)d->photo.n, sizeof *d->photo.at,
              photo_order);
    if (d->skipped.n)
        qsort(d->skipped.at, (size_t)d->skipped.n, sizeof *d->skipped.at,
              skip_order);
}

static int new_dataset(struct graft_dataset **out, const char *root)
{
    struct graft_dataset *d = graft_calloc(1, sizeof *d);
    if (d && !(d->root = graft_strdup(root))) {
        graft_free(d);
        d = NULL;
    }
    *out = d;
    return d ? GRAFT_OK : GRAFT_EMEM;
}

/* ---- sentences --------------------------------------------------------------
 */

static int not_a_folder(const char *path)
{
    struct stat st;
    if (graft_io_stat(path, &st))
        return graft_fail(errno == ENOENT ? GRAFT_ENOTFOUND : GRAFT_EIO,
                          "the photos' folder '%s' cannot be opened: %s",
                          path, strerror(errno));
    const char *dot = strrchr(path, '.');
    if (dot && !strcasecmp(dot, ".onnx"))
        return graft_fail(GRAFT_EDATA, "'%s' is given as the photos but is a "
                          "model; are MODEL and PHOTOS swapped? Expected is a "
                          "folder with a folder for each class", path);
    return graft_fail(GRAFT_EDATA, "'%s' is a file; expected is a folder with "
                      "a folder for each class: DIR/CLASS/photo.jpg", path);
}

static int no_photos(const struct graft_dataset *d)
{
    if (d->skipped.n)
        return graft_fail(GRAFT_EDATA, "'%s' holds no photo among %d file%s; "
                          "the first, '%s': %s", d->root, d->skipped.n,
                          d->skipped.n == 1 ? "" : "s",
                          d->skipped.at[0].file, d->skipped.at[0].why);
    return graft_fail(GRAFT_EDATA, "'%s': its %d class folder%s no photos",
                      d->root, d->n_classes,
                      d->n_classes == 1 ? " holds" : "s hold");
}

static int class_without_photos(const struct graft_dataset *d, int c)
{
    for (int i = 0; i < d->photo.n; i++) {
        const struct graft_photo *p = &d->photo.at[i];
        if (p->label == c)
            return graft_fail(GRAFT_EDATA, "'%s': class '%s' has photos to "
                              "check with ('%s') but none to train on; the "
                              "folders in train and val must have the same "
                              "names", d->root, d->label[c], p->file);
    }
    for (int i = 0; i < d->skipped.n; i++) {
        const struct graft_skip *s = &d->skipped.at[i];
        const char *at = strstr(s->file, d->label[c]);
        size_t n = strlen(d->label[c]);
        if (at && (at[n] == '/' || !at[n]) && (at == s->file || at[-1] == '/'))
            return graft_fail(GRAFT_EDATA, "'%s': class '%s' has no photos; "
                              "'%s' is none: %s", d->root, d->label[c],
                              s->file, s->why);
    }
    return graft_fail(GRAFT_EDATA, "'%s': class '%s' has no photos, its "
                      "folder is empty; put photos in or remove the folder",
                      d->root, d->label[c]);
}

/* Can a classifier be trained on this? */
static int check_training(const struct graft_dataset *d)
{
    if (!graft_dataset_count(d, GRAFT_TRAIN))
        return graft_fail(GRAFT_EDATA, "'%s' has nothing to train on, only "
                          "photos to check with; expected is "
                          "%s/train/CLASS/photo.jpg", d->root, d->root);
    bool *has = graft_calloc((size_t)d->n_classes, sizeof *has);
    if (!has)
        return GRAFT_EMEM;
    for (int i = 0; i < d->photo.n; i++)
        if (d->photo.at[i].part == GRAFT_TRAIN)
            has[d->photo.at[i].label] = true;
    int status = GRAFT_OK;
    for (int c = 0; !status && c < d->n_classes; c++)
        if (!has[c])
            status = class_without_photos(d, c);
    if (!status && d->n_classes < 2)
        status = graft_fail(GRAFT_EDATA, "'%s' holds one class only, '%s'; a "
                            "classifier needs at least two, each in its own "
                            "folder", d->root, d->label[0]);
    int n = graft_dataset_count(d, GRAFT_TRAIN);
    if (!status && d->split && !graft_dataset_count(d, GRAFT_VAL))
        status = graft_fail(GRAFT_EDATA, "'%s' holds too few photos: none of "
                            "%d fell to the part to judge by; add photos or "
                            "make val/", d->root, n);
    graft_free(has);
    return status;
}

/* ---- opening ------------------------------------------------------------- */

static const struct graft_ds *format_of(const char *folder)
{
    for (int i = 0; graft_ds_table[i]; i++)
        if (graft_ds_table[i]->looks_like(folder))
            return graft_ds_table[i];
    return NULL;
}

static int sift_and_split(struct graft_dataset *d, struct graft_runtime *rt,
                          const struct graft_dataset_options *o)
{
    struct graft_files *files = NULL;
    struct graft_hash *hashes = NULL;
    int status = o->no_index ? GRAFT_OK : graft_files_open(&files, rt);
    if (files && graft_files_foreign(files))
        graft_log(rt, GRAFT_LOG_WARNING, "'%s' is not a file of Graft's and "
                  "is left alone; the run goes on without an index of the "
                  "photos", graft_files_foreign(files));
    if (!status && d->split &&
        !(hashes = graft_calloc((size_t)d->photo.n, sizeof *hashes)))
        status = GRAFT_EMEM;
    if (!status)
        status = graft_dataset_sift(d, rt, files, hashes);
    if (!status && d->split)
        status = graft_dataset_split(d, hashes, o->seed);
    graft_free(hashes);
    graft_files_close(files);
    return status;
}

int graft_dataset_open_with(struct graft_dataset **out,
                            struct graft_runtime *rt, const char *folder,
                            const struct graft_dataset_options *o)
{
    struct graft_dataset *d = NULL;
    rt = graft_runtime_or_default(rt);
    if (!rt)
        return GRAFT_EMEM;
    const struct graft_ds *format = format_of(folder);
    if (!format)
        return not_a_folder(folder);
    int status = new_dataset(&d, folder);
    if (!status)
        status = format->list(d, folder);
    if (!status)
        sort(d); /* so that what follows sees one order on every disk */
    if (!status)
        status = sift_and_split(d, rt, o);
    if (!status) {
        sort(d);
        status = d->photo.n ? GRAFT_OK : no_photos(d);
    }
    if (!status && !o->any_use)
        status = check_training(d);
    if (!status && (!o->any_use || d->split))
        status = graft_dataset_warn_unjudged(d, rt);
    if (status)
        graft_dataset_free(d);
    else
        *out = d;
    return status;
}

int graft_dataset_open(struct graft_dataset **out, struct graft_runtime *rt,
                       const char *folder, uint64_t seed)
{
    struct graft_dataset_options o = {.seed = seed};
    return graft_dataset_open_with(out, rt, folder, &o);
}

/* ---- paths from a command line ------------------------------------------- */

static int found(void *ctx, const char *file, const char *why)
{
    return why ? graft_dataset_skip(ctx, file, why, GRAFT_TEST)
               : graft_dataset_add(ctx, file, -1, GRAFT_TEST);
}

static int add_path(struct graft_dataset *d, const char *path)
{
    int before = d->photo.n;
    if (!graft_file_exists(path))
        return graft_fail(GRAFT_ENOTFOUND, "'%s' does not exist; expected is "
                          "a photo or a folder of photos", path);
    int status = graft_tree_walk("", path, found, d);
    if (d->photo.n > before)
        qsort(d->photo.at + before, (size_t)(d->photo.n - before),
              sizeof *d->photo.at, photo_order);
    return status;
}

static int nothing_in(const char *first, int others)
{
    if (others)
        return graft_fail(GRAFT_EDATA, "no photos in '%s' and %d more",
                          first, others);
    return graft_fail(GRAFT_EDATA, "no photos in '%s'", first);
}

int graft_dataset_of_paths(struct graft_dataset **out,
                           struct graft_runtime *rt,
                           const char *const *paths, int n)
{
    struct graft_dataset *d = NULL;
    rt = graft_runtime_or_default(rt);
    int status = rt ? new_dataset(&d, "") : GRAFT_EMEM;
    for (int i = 0; !status && i < n; i++)
        status = add_path(d, paths[i]);
    if (!status && n > 0 && !d->photo.n && !d->skipped.n)
        status = nothing_in(paths[0], n - 1);
    if (!status)
        status = graft_dataset_sift(d, rt, NULL, NULL);
    if (status)
        graft_dataset_free(d);
    else
        *out = d;
    return status;
}
