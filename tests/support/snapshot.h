/* What a folder holds: taken, compared, put back.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_SNAPSHOT_H
#define GRAFT_TEST_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

struct snapshot_file {
    char *name; /* relative to the folder */
    char *data;
    size_t n;
};
struct snapshot {
    struct snapshot_file *file;
    int n;
};

/* All regular files beneath `folder` but those in folder/skip (NULL: all). */
void snapshot_take(struct snapshot *s, const char *folder, const char *skip);
void snapshot_release(struct snapshot *s);
const struct snapshot_file *snapshot_find(const struct snapshot *s,
                                          const char *name);
bool snapshot_same(const struct snapshot_file *a,
                   const struct snapshot_file *b);
/* The folder holds these files again, and no other but in skip, which is
 * emptied. */
void snapshot_restore(const struct snapshot *s, const char *folder,
                      const char *skip);

#endif
