/* Reading and writing files: whole reads with a cap, reads confined beneath a
 * folder, and writes that appear complete or not at all.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_FILE_H
#define GRAFT_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"

/* Reads a regular file whole into *out (graft_free it). A FIFO, device or
 * folder is refused without blocking; over `max` bytes: GRAFT_ELIMIT. */
int graft_file_read(uint8_t **out, uint64_t *size, const char *path,
                    uint64_t max);

/* The same of an open file, which stays open; `path` is for messages. */
int graft_file_read_fd(uint8_t **out, uint64_t *size, int fd,
                       const char *path, uint64_t max);

/* The same for `name`, relative, inside `folder`: no absolute path, "..",
 * symbolic link, hard link, FIFO or device on the way (confined.c). */
int graft_file_read_beneath(uint8_t **out, uint64_t *size, const char *folder,
                            const char *name, uint64_t max);
/* With `links` (a folder, NULL: none) links may be followed, hard ones too,
 * as long as the real file lies beneath it. */
int graft_file_read_linked(uint8_t **out, uint64_t *size, const char *folder,
                           const char *name, const char *links, uint64_t max);

/* A relative name without "." and doubled slashes, graft_free it. Refused:
 * "", absolute, "..", backslashes, what ends as a folder does. */
int graft_path_plain(char **out, const char *name);

bool graft_file_exists(const char *path);

/* Do both paths lead to one file? A path that leads nowhere: no. */
int graft_file_same(bool *out, const char *a, const char *b);

/* Last component of a path ("a/b.onnx" -> "b.onnx"), borrowed from it. */
const char *graft_path_base(const char *path);
/* Folder part of a path, "." when there is none; graft_free it. */
char *graft_path_folder(const char *path);
/* "folder/name", graft_free it. */
char *graft_path_join(const char *folder, const char *name);

/* A file being written beside its final place, renamed on commit.
 *
 *     struct graft_writer *w;
 *     status = graft_writer_new(&w, path, GRAFT_WRITE_NEW);
 *     if (!status) status = graft_writer_put(w, bytes, n);
 *     if (!status) status = graft_writer_commit(w);
 *     graft_writer_free(w);       removes the temporary if not committed
 *
 * put() may be called often; small pieces are gathered. commit() flushes to
 * the disk, renames, and flushes the folder; when it fails, what was there
 * before is there again. With GRAFT_WRITE_NEW an existing file is refused
 * (GRAFT_EEXIST) both at the start and by commit. */
enum graft_write_mode { GRAFT_WRITE_NEW, GRAFT_WRITE_REPLACE };
struct graft_writer;
int graft_writer_new(struct graft_writer **out, const char *path,
                     enum graft_write_mode mode);
int graft_writer_put(struct graft_writer *w, const void *data, uint64_t n);
uint64_t graft_writer_size(const struct graft_writer *w); /* put so far */
/* Ends the writing (flush, close) without the rename, so that several files
 * can be completed before the first one appears; commit() does it if needed. */
int graft_writer_finish(struct graft_writer *w);
int graft_writer_commit(struct graft_writer *w);
void graft_writer_free(struct graft_writer *w);

/* Files that appear together or not at all. The one added first appears last,
 * when all that it names are there: a model, then its data. */
struct graft_writers {
    GRAFT_ARRAY(struct graft_writer *) file;
};
/* *out belongs to the set. */
int graft_writers_add(struct graft_writer **out, struct graft_writers *set,
                      const char *path, enum graft_write_mode mode);
/* All files in place, or those that were there before (where the file system
 * can exchange two files; elsewhere a replaced one is lost when a later one
 * of the set fails). */
int graft_writers_commit(struct graft_writers *set);
void graft_writers_release(struct graft_writers *set);

/* writer_new, put, commit in one. */
int graft_file_write(const char *path, const void *data, uint64_t n,
                     enum graft_write_mode mode);

/* mkdir -p; GRAFT_EIO naming the folder that could not be made. */
int graft_folder_make(const char *path);

#endif
