/* Photos: from a folder to normalised pixels, and the cache of what frozen
 * layers made of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_DATA_H
#define GRAFT_DATA_DATA_H

#include "base/array.h"
#include "base/hash.h"
#include "base/runtime.h"
#include "data/preprocess.h"
#include "tensor/view.h"

/* ---- data sets ------------------------------------------------------------ */

enum graft_part { GRAFT_TRAIN, GRAFT_VAL, GRAFT_TEST };

struct graft_photo {
    char *file;    /* relative to the data set's root, for people */
    int label;     /* class index; -1: none */
    enum graft_part part;
};
struct graft_dataset {
    char *root;
    char **label;             /* class names, byte order */
    int n_classes;
    GRAFT_ARRAY(struct graft_photo) photo; /* by part, class, file name */
    GRAFT_ARRAY(struct graft_skip) skipped; /* not photos, by their bytes */
    bool split;               /* val was split off train */
};
struct graft_skip {
    char *file, *why;
};
/* Opens DIR/train|val|test/CLASS/..., or DIR/CLASS/... and splits 20 % of
 * each class off as val by a hash of (seed, content): adding photos never
 * moves another one. What was found instead is said in the error. */
int graft_dataset_open(struct graft_dataset **out, struct graft_runtime *rt,
                       const char *folder, uint64_t seed);
void graft_dataset_free(struct graft_dataset *d);
int graft_dataset_count(const struct graft_dataset *d, enum graft_part part);
/* A data-set format: rows in src/data/ds_*.c. */
struct graft_ds {
    const char *name, *about;
    bool (*looks_like)(const char *folder);
    int (*open)(struct graft_dataset *d, struct graft_runtime *rt,
                const char *folder, uint64_t seed);
};

/* Photos and folders of photos as given on a command line: a data set
 * without classes (label -1), files in byte order. Things that are not
 * photos are listed in `skipped` with the reason. */
int graft_dataset_of_paths(struct graft_dataset **out,
                           struct graft_runtime *rt,
                           const char *const *paths, int n);

/* ---- pixels --------------------------------------------------------------- */

struct graft_image {
    uint8_t *rgb;  /* height * width * 3, upright; graft_free */
    int width, height;
};
/* Decodes JPEG, PNG or BMP bytes (told by content), applies EXIF orientation,
 * converts grey, palette, alpha (over white), 16 bit and CMYK to RGB.
 * Caps before decoding. Failure: GRAFT_EFORMAT, or GRAFT_EUNSUPPORTED with a
 * hint for WebP, HEIC, GIF, ...; no file name in the message. min_side > 0
 * allows a JPEG to be decoded at a reduced scale whose short side is at least
 * that (exact = false only). */
struct graft_decode_options {
    bool exact;
    int min_side;
};
int graft_image_decode(struct graft_image *out, const uint8_t *bytes,
                       uint64_t n, const struct graft_decode_options *o);

/* Geometry of a view, a pure function of (seed, view number, image hash).
 * View 0 is the plain one that evaluation uses. */
struct graft_geometry {
    bool plain;                 /* preprocess's own fit */
    bool flip;
    double x, y, width, height; /* cropped box, fractions of the photo */
};
struct graft_geometry graft_view_geometry(uint64_t seed, int view,
                                          struct graft_hash image);

/* Resize, crop, normalise in one pass into dst: planar [C,H,W] floats, or
 * interleaved [H,W,C] when layout is GRAFT_IMAGE. Scratch is allocated. */
struct graft_kernels;
int graft_image_to_input(float *dst, enum graft_layout layout,
                         const struct graft_image *image,
                         const struct graft_preprocess *p,
                         const struct graft_geometry *g,
                         const struct graft_kernels *k);

/* ---- loading --------------------------------------------------------------- */

/* Decodes and preprocesses a list of (photo, view) in order, in batches, on
 * the runtime's pool. A photo that cannot be read gets a reason instead of
 * pixels. */
struct graft_load_item {
    const char *root, *file;  /* path = root/file */
    int view;
    uint64_t seed;
    /* filled: */
    struct graft_hash hash;   /* of the file's content */
    bool failed;
    char why[160];
};
struct graft_load_options {
    const struct graft_preprocess *preprocess;
    const struct graft_kernels *kernels;
    bool exact;
    enum graft_layout layout;
};
/* Loads n items into dst (n images, `stride` floats apart; a failed one's
 * slot is left undefined). Only resource errors are returned. */
int graft_load(struct graft_runtime *rt, struct graft_load_item *items, int n,
               float *dst, int64_t stride,
               const struct graft_load_options *o);

/* ---- the feature cache ------------------------------------------------------ */

/* One store: records of `floats` floats, keyed by (image hash, view recipe).
 * Key of the store = hash of (frozen subgraph and weights, preprocessing,
 * numerics id). Appending is safe from several processes at once; a killed
 * one leaves at most a torn last record, which is ignored. */
struct graft_cache;
struct graft_cache_key {
    struct graft_hash hash; /* of all that determines the features */
    const char *about;      /* for `graft cache list` */
    int64_t floats;         /* of one record */
};
int graft_cache_open(struct graft_cache **out, struct graft_runtime *rt,
                     const struct graft_cache_key *key);
void graft_cache_close(struct graft_cache *c);
/* Content hash of a file known by (device, inode, size, mtime), without
 * opening it; false: not known. */
bool graft_cache_file_hash(struct graft_cache *c, const char *path,
                           struct graft_hash *out);
/* Tells the side index; call it after reading the file. */
int graft_cache_note_file(struct graft_cache *c, const char *path,
                          struct graft_hash hash);
/* Copies the record to dst; false: not there (or damaged). */
bool graft_cache_get(struct graft_cache *c, struct graft_hash image,
                     uint64_t recipe, float *dst);
int graft_cache_put(struct graft_cache *c, struct graft_hash image,
                    uint64_t recipe, const float *features);
/* Makes what was put durable and visible to others. */
int graft_cache_flush(struct graft_cache *c);
/* Removes least recently used stores until the folder holds at most the
 * runtime's cache_max; never the open one. */
int graft_cache_trim(struct graft_cache *c);

#endif
