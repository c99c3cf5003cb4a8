/* Photos in class folders: DIR/train|val|test/CLASS/... or DIR/CLASS/...
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/io.h"
#include "base/status.h"
#include "data/tree.h"

static const struct {
    const char *name;
    enum graft_part part;
} parts[] = {
    {"train", GRAFT_TRAIN}, {"val", GRAFT_VAL},   {"valid", GRAFT_VAL},
    {"validation", GRAFT_VAL}, {"test", GRAFT_TEST},
};
enum { N_PARTS = sizeof parts / sizeof *parts };

static int part_of(const char *name)
{
    for (int i = 0; i < N_PARTS; i++)
        if (!strcmp(parts[i].name, name))
            return (int)parts[i].part;
    return -1;
}

static int has_folders(bool *out, const char *folder, const char *name)
{
    struct graft_names n = {0};
    char *path = graft_path_join(folder, name);
    int status = path ? graft_names_read(&n, path) : GRAFT_EMEM;
    *out = n.folder.n > 0;
    graft_names_release(&n);
    graft_free(path);
    return status;
}

/* A folder of parts holds nothing but parts, or a train with folders in it:
 * otherwise "test" or "train" may well be the name of a class. */
static int has_parts(bool *out, const struct graft_names *n,
                     const char *folder)
{
    int found = 0, status = GRAFT_OK;
    bool train = false;
    for (int i = 0; !status && i < n->folder.n; i++) {
        int part = part_of(n->folder.at[i]);
        found += part >= 0;
        if (part == GRAFT_TRAIN)
            status = has_folders(&train, folder, n->folder.at[i]);
    }
    *out = train || (found > 0 && found == n->folder.n);
    return status;
}

/* ---- classes ------------------------------------------------------------- */

static int label_of(const struct graft_dataset *d, const char *name)
{
    for (int i = 0; i < d->n_classes; i++)
        if (!strcmp(d->label[i], name))
            return i;
    return -1;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the folders' names to the classes, which stay in byte order. */
static int add_classes(struct graft_dataset *d, const struct graft_names *n)
{
    size_t room = (size_t)d->n_classes + (size_t)n->folder.n;
    char **label = graft_realloc(d->label, room * sizeof *label);
    if (!label)
        return GRAFT_EMEM;
    d->label = label;
    int known = d->n_classes;
    for (int i = 0; i < n->folder.n; i++) {
        if (known && bsearch(&n->folder.at[i], label, (size_t)known,
                             sizeof *label, by_bytes))
            continue;
        if (!(label[d->n_classes] = graft_strdup(n->folder.at[i])))
            return GRAFT_EMEM;
        d->n_classes++;
    }
    if (d->n_classes)
        qsort(label, (size_t)d->n_classes, sizeof *label, by_bytes);
    return GRAFT_OK;
}

/* ---- photos ----------------------------------------------------------------
 */

struct place {
    struct graft_dataset *d;
    enum graft_part part;
    int label;
};

static int found(void *ctx, const char *file, const char *why)
{
    const struct place *p = ctx;
    return why ? graft_dataset_skip(p->d, file, why, p->part)
               : graft_dataset_add(p->d, file, p->label, p->part);
}

/* Files that lie where only class folders should: photos are told about. */
static int skip_loose(struct graft_dataset *d, const struct graft_names *n,
                      const char *below, enum graft_part part)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i < n->file.n; i++) {
        if (!graft_name_like_photo(n->file.at[i]))
            continue;
        char *file = graft_path_join(below, n->file.at[i]);
        status = file ? graft_dataset_skip(d, file, "it lies beside the class "
                                           "folders, so it has no class",
                                           part) : GRAFT_EMEM;
        graft_free(file);
    }
    return status;
}

/* Class folders `n` in root/below ("" or a part's name). */
static int list_classes(struct graft_dataset *d, const struct graft_names *n,
                        const char *below, enum graft_part part)
{
    struct place p = {d, part, 0};
    int status = skip_loose(d, n, below, part);
    for (int i = 0; !status && i < n->folder.n; i++) {
        char *file = graft_path_join(below, n->folder.at[i]);
        p.label = label_of(d, n->folder.at[i]);
        status = file ? graft_tree_walk(d->root, file, found, &p)
                      : GRAFT_EMEM;
        graft_free(file);
    }
    return status;
}

static int no_class_folders(const struct graft_names *n, const char *folder)
{
    int photos = 0;
    for (int i = 0; i < n->file.n; i++)
        photos += graft_name_like_photo(n->file.at[i]);
    if (photos)
        return graft_fail(GRAFT_EDATA, "'%s' holds %d photo%s but no class "
                          "folders; expected is a folder for each class: "
                          "%s/CLASS/photo.jpg", folder, photos,
                          photos == 1 ? "" : "s", folder);
    return graft_fail(GRAFT_EDATA, "'%s' holds no photos and no folders; "
                      "expected is a folder for each class: "
                      "%s/CLASS/photo.jpg", folder, folder);
}

/* ---- the two forms ---------------------------------------------------------
 */

static int read_part(struct graft_names *n, const char *folder,
                     const char *name)
{
    char *path = graft_path_join(folder, name);
    int status = path ? graft_names_read(n, path) : GRAFT_EMEM;
    if (!status && !n->folder.n)
        status = no_class_folders(n, path);
    graft_free(path);
    return status;
}

static int list_parts(struct graft_dataset *d, const char *folder,
                      const struct graft_names *top)
{
    struct graft_names *n = graft_calloc((size_t)top->folder.n, sizeof *n);
    int status = n ? skip_loose(d, top, "", GRAFT_TRAIN) : GRAFT_EMEM;
    bool has[GRAFT_TEST + 1] = {false};
    for (int i = 0; !status && i < top->folder.n; i++) {
        int part = part_of(top->folder.at[i]);
        if (part < 0) { /* "old", "unsorted", ...: not of the data set */
            status = graft_dataset_skip(d, top->folder.at[i], "a folder "
                                        "beside train/: not used",
                                        GRAFT_TRAIN);
            continue;
        }
        has[part] = true;
        status = read_part(&n[i], folder, top->folder.at[i]);
        if (!status)
            status = add_classes(d, &n[i]);
    }
    for (int i = 0; !status && i < top->folder.n; i++)
        if (part_of(top->folder.at[i]) >= 0)
            status = list_classes(d, &n[i], top->folder.at[i],
                                  (enum graft_part)part_of(
                                      top->folder.at[i]));
    d->split = has[GRAFT_TRAIN] && !has[GRAFT_VAL];
    for (int i = 0; n && i < top->folder.n; i++)
        graft_names_release(&n[i]);
    graft_free(n);
    return status;
}

static int list(struct graft_dataset *d, const char *folder)
{
    struct graft_names top = {0};
    int status = graft_names_read(&top, folder);
    if (!status && !top.folder.n)
        status = no_class_folders(&top, folder);
    bool parts_there = false;
    if (!status)
        status = has_parts(&parts_there, &top, folder);
    if (!status && parts_there) {
        status = list_parts(d, folder, &top);
    } else if (!status) {
        d->split = true;
        status = add_classes(d, &top);
        if (!status)
            status = list_classes(d, &top, "", GRAFT_TRAIN);
    }
    graft_names_release(&top);
    return status;
}

static bool looks_like(const char *folder)
{
    struct stat st;
    return graft_io_stat(folder, &st) == 0 && S_ISDIR(st.st_mode);
}

extern const struct graft_ds graft_ds_folder;
const struct graft_ds graft_ds_folder = {
    .name = "folder",
    .about = "a folder of photos for each class, with train/ and val/ or not",
    .looks_like = looks_like,
    .list = list,
};
