/* What the files of a data set share: walking folders, sorting out what is
 * no photo, splitting.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_TREE_H
#define GRAFT_DATA_TREE_H

#include "data/data.h"

/* Called for each thing below a folder: why NULL, a regular file; otherwise
 * something that is not looked at, for that reason. */
typedef int graft_tree_fn(void *ctx, const char *file, const char *why);

/* Everything below root/below, recursively; names starting with '.' and
 * __MACOSX are left out. Links are followed, loops are found. Nothing is
 * opened but folders. `file` is relative to root. */
int graft_tree_walk(const char *root, const char *below, graft_tree_fn *fn,
                    void *ctx);

/* Names in one folder, in byte order; the same are left out. */
struct graft_names {
    GRAFT_ARRAY(char *) folder;
    GRAFT_ARRAY(char *) file; /* all that are not folders */
};
int graft_names_read(struct graft_names *out, const char *folder);
void graft_names_release(struct graft_names *n);
bool graft_name_like_photo(const char *name); /* by its extension */

int graft_dataset_add(struct graft_dataset *d, const char *file, int label,
                      enum graft_part part);
int graft_dataset_skip(struct graft_dataset *d, const char *file,
                       const char *why, enum graft_part part);

/* The waiting message without the path that it begins with: whoever lists
 * the photo names it. Returns status. */
int graft_fail_unnamed(int status, const char *path);

/* Moves what is no photo to `skipped`, by the first bytes, or as `files` (may
 * be NULL) knows. hashes: NULL, or filled for the photos that stay. */
int graft_dataset_sift(struct graft_dataset *d, struct graft_runtime *rt,
                       struct graft_files *files, struct graft_hash *hashes);
/* Moves 20 % of each class from train to val. */
int graft_dataset_split(struct graft_dataset *d,
                        const struct graft_hash *hashes, uint64_t seed);
/* One warning for all classes that have photos to train on but none in val. */
int graft_dataset_warn_unjudged(const struct graft_dataset *d,
                                struct graft_runtime *rt);

#endif
