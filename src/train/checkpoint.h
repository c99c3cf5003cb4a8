/* Checkpoints: named sections of bytes in one flat file.
 *
 *   8 bytes "GRAFTCKP", 4 version, 4 number of sections, then for each one
 *   24 bytes name, 8 size, 16 hash (XXH3), then 16 hash of all before, then
 *   the sections one after the other
 *
 * Numbers are little-endian. A file appears complete or not at all (base/file.h
 * writes it). Reading believes nothing: sizes have to add up to the file's,
 * hashes to agree.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_CHECKPOINT_H
#define GRAFT_TRAIN_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum { GRAFT_SECTION_NAME = 24, GRAFT_SECTIONS_MAX = 64 };

struct graft_section {
    char name[GRAFT_SECTION_NAME]; /* ends with NUL */
    const void *data;
    uint64_t bytes;
};

/* Replaces what is at `path`. */
int graft_checkpoint_write(const char *path, const struct graft_section *at,
                           int n);

struct graft_checkpoint {
    char *path;
    uint8_t *file;
    struct graft_section section[GRAFT_SECTIONS_MAX]; /* within file */
    int n;
};
/* GRAFT_EFORMAT with the reason for a file that is none or is damaged;
 * GRAFT_ELIMIT over `max` bytes. */
int graft_checkpoint_read(struct graft_checkpoint **out, const char *path,
                          uint64_t max);
void graft_checkpoint_free(struct graft_checkpoint *c);
/* NULL: it has none of that name. */
const struct graft_section *
graft_checkpoint_find(const struct graft_checkpoint *c, const char *name);
/* Copies section `name` of exactly `bytes` bytes; another size or none is
 * GRAFT_EMISMATCH. */
int graft_checkpoint_copy(const struct graft_checkpoint *c, const char *name,
                          void *to, uint64_t bytes);

/* ---- a folder of them ---------------------------------------------------- */

enum { GRAFT_CHECKPOINTS_KEPT = 3 };

/* Writes folder/step-NNNNNNNNNNNN.ckpt, and with `best` the same to
 * folder/best.ckpt; then removes all but the newest three of the former, and
 * what killed runs left half written. */
int graft_checkpoint_keep(const char *folder, int64_t step, bool best,
                          const struct graft_section *at, int n);
/* The newest that reads without error; older ones are tried after it.
 * GRAFT_ENOTFOUND: the folder has none; other codes: the newest one's. */
int graft_checkpoint_newest(struct graft_checkpoint **out, const char *folder,
                            uint64_t max);
/* Removes all that _keep left there, and the folder if it is empty then; one
 * that is not there is fine. */
int graft_checkpoint_clear(const char *folder);
/* How many there are to go on from, -1 where the folder cannot be read. */
int graft_checkpoint_count(const char *folder);

#endif
