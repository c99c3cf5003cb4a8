/* Photos: from a folder to normalised pixels, and the cache of what frozen
 * layers made of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_DATA_H
#define GRAFT_DATA_DATA_H

#include "base/array.h"
#include "base/hash.h"
#include "base/runtime.h"
#include "data/augment.h"
#include "data/preprocess.h"
#include "graft/cache.h"
#include "tensor/view.h"

/* ---- data sets ----------------------------------------------------------- */

enum graft_part { GRAFT_TRAIN, GRAFT_VAL, GRAFT_TEST };

struct graft_photo {
    char *file;    /* relative to the data set's root, for people */
    int label;     /* class index; -1: none */
    enum graft_part part;
};
struct graft_skip {
    char *file, *why;     /* file: relative to the root */
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
/* Opens DIR/train|val|test/CLASS/..., or DIR/CLASS/... and splits 20 % of
 * each class off as val by a hash of (seed, content): adding photos never
 * moves another one, and equal files stay together. A class whose photos all
 * fell into val keeps them in train instead; no photo in val at all is an
 * error (unless any_use). Folders beside train/ are listed in skipped. What
 * was found instead of photos in class folders is said in the error.
 *
 * Links are followed, but not to a folder around the link or the data set.
 * Files are told by their first bytes. What the side index (graft_files)
 * knows is not opened again: a warm run opens no photo. */
int graft_dataset_open(struct graft_dataset **out, struct graft_runtime *rt,
                       const char *folder, uint64_t seed);
struct graft_dataset_options {
    uint64_t seed;
    bool no_index; /* neither read nor write the side index (--no-cache) */
    bool any_use;  /* not for training: one class, or no train, will do */
};
int graft_dataset_open_with(struct graft_dataset **out,
                            struct graft_runtime *rt, const char *folder,
                            const struct graft_dataset_options *o);
void graft_dataset_free(struct graft_dataset *d);
int graft_dataset_count(const struct graft_dataset *d, enum graft_part part);
/* A data-set format: rows in src/data/ds_*.c. `list` fills classes, photos
 * (every regular file) and skipped, opening no file; `split` says that there
 * is no val and it is to be split off. */
struct graft_ds {
    const char *name, *about;
    bool (*looks_like)(const char *folder);
    int (*list)(struct graft_dataset *d, const char *folder);
};

/* Photos and folders of photos as given on a command line: a data set
 * without classes (label -1, part GRAFT_TEST, root ""), paths in the order
 * given, inside a folder in byte order. Things that are not photos are listed
 * in `skipped` with the reason; a path that does not exist is an error, and
 * so is finding nothing at all, not even a thing that is no photo. */
int graft_dataset_of_paths(struct graft_dataset **out,
                           struct graft_runtime *rt,
                           const char *const *paths, int n);

/* ---- pixels -------------------------------------------------------------- */

struct graft_image {
    uint8_t *rgb;  /* height * width * 3, upright; graft_free */
    int width, height;
};
/* Decodes JPEG, PNG or BMP bytes (told by content) and applies the EXIF
 * orientation. One rule each: grey -> R = G = B; palette -> its colours;
 * alpha -> over white; 16 bit -> high byte; CMYK and YCCK -> (1-c)(1-k), ink
 * stored inverted as everybody does since Adobe.
 * A file cut short or damaged is refused, not half shown.
 *
 * Caps before decoding: sides and pixels, told from the header. Decoding
 * holds at most 4 x pixels x channels x bytes of a sample + 2 x file + 16 MiB
 * (4, not 2: a progressive JPEG keeps two bytes for each coefficient).
 *
 * Failure: GRAFT_EFORMAT (damaged, text, empty), GRAFT_EUNSUPPORTED with a
 * hint for WebP, HEIC, GIF, ..., GRAFT_ELIMIT; no file name in the message.
 * min_side > 0 allows a JPEG to be decoded at the smallest of 1/2, 1/4, 1/8
 * of its size whose short side is at least that (exact = false, libjpeg-turbo
 * only). */
struct graft_pixels;
struct graft_decode_options {
    bool exact;
    int min_side;
    uint64_t max_pixels; /* 0: GRAFT_MAX_PIXELS */
    struct graft_pixels *pixels; /* NULL: fresh memory for each picture */
};
/* Memory for one picture after another in one thread; starts as zero. A large
 * block comes from the system each time, and clearing its pages takes a third
 * of the time of decoding. A picture decoded into it is valid until the next
 * one and not to be freed. */
struct graft_pixels {
    uint8_t *at[2]; /* the picture, and room to turn it */
    size_t bytes[2];
};
void graft_pixels_release(struct graft_pixels *p);
#define GRAFT_MAX_PIXELS (128u << 20)
enum { GRAFT_MAX_SIDE = 32768 };
int graft_image_decode(struct graft_image *out, const uint8_t *bytes,
                       uint64_t n, const struct graft_decode_options *o);
/* Its size in full, upright, before decoding; fails for whatever the header
 * shows graft_image_decode would fail for. */
int graft_image_size(int *width, int *height, const uint8_t *bytes,
                     uint64_t n, const struct graft_decode_options *o);

/* Decoder and versions of what turns a file into pixels: part of the feature
 * cache's numerics id, with `exact`. */
const char *graft_image_numerics(void);
/* What the first bytes of a file are, in words ("a WebP image"), and whether
 * graft_image_decode reads it; not: the reason with a hint waits in
 * graft_error_message(), GRAFT_EUNSUPPORTED or GRAFT_EFORMAT is returned. 64
 * bytes are enough; n of a shorter file: all it has. */
int graft_image_sniff(const uint8_t *bytes, uint64_t n);

/* Geometry of a view, a pure function of (seed, view number, image hash) and
 * the photo's size. View 0 is the plain one that evaluation uses; the others
 * are a random crop (35 to 100 % of the area, aspect 3/4 to 4/3), flipped
 * with probability 1/2. */
struct graft_geometry graft_view_geometry(uint64_t seed, int view,
                                          struct graft_hash image,
                                          int width, int height);
/* The cache's recipe of a view: 0 for view 0, whatever the seed. */
uint64_t graft_view_recipe(uint64_t seed, int view);

/* Resize, crop, normalise in one pass into dst: planar [C,H,W] floats, or
 * interleaved [H,W,C] when layout is GRAFT_IMAGE. Scratch is allocated.
 * Antialiased bilinear with 8-bit rounding after each of two passes as
 * Pillow has it, sizes and offsets as torchvision's Resize and CenterCrop:
 * the same levels 0..255 on every instruction set. g NULL: plain. */
struct graft_kernels;
int graft_image_to_input(float *dst, enum graft_layout layout,
                         const struct graft_image *image,
                         const struct graft_preprocess *p,
                         const struct graft_geometry *g,
                         const struct graft_kernels *k);
/* The same as a draw from an augmentation has it: colours are changed before
 * normalisation, as floats between the resize's levels; then a box erased.
 * Nothing is coloured or drawn where preprocess pads. */
int graft_image_to_view(float *dst, enum graft_layout layout,
                        const struct graft_image *image,
                        const struct graft_preprocess *p,
                        const struct graft_draw *d,
                        const struct graft_kernels *k);

/* ---- files that are known ------------------------------------------------ */

/* The side index of the cache folder: which content, or which reason not to
 * be a photo, a file had when it was read, by what stat() says of it. So a
 * file that did not change need not be opened again. One append-only file,
 * safe among processes; without a writable folder it knows nothing and keeps
 * what it is told for the run only. Not for several threads at once. */
struct graft_files;
struct graft_file_id { /* as stat() gave it */
    uint64_t device, inode, size;
    int64_t mtime_ns;
};
/* false: no such file. */
bool graft_file_id(struct graft_file_id *out, const char *path);

enum graft_known { GRAFT_UNKNOWN, GRAFT_IS_PHOTO, GRAFT_NO_PHOTO };
enum { GRAFT_WHY_MAX = 160 };

int graft_files_open(struct graft_files **out, struct graft_runtime *rt);
/* Ends with a flush. */
void graft_files_close(struct graft_files *f);
/* GRAFT_IS_PHOTO: *hash is set; GRAFT_NO_PHOTO: why (of GRAFT_WHY_MAX bytes)
 * is. Either may be NULL. */
enum graft_known graft_files_look(const struct graft_files *f,
                                  const struct graft_file_id *id,
                                  struct graft_hash *hash, char *why);
/* `id` as it was before the file was read. why NULL: a photo with this hash;
 * otherwise not a photo, for that reason. A file changed within the last 50
 * milliseconds is not noted: its next change might not show. */
int graft_files_note(struct graft_files *f, const struct graft_file_id *id,
                     struct graft_hash hash, const char *why);
int graft_files_flush(struct graft_files *f);
/* Path of somebody else's file that has the index's name, or NULL. It is not
 * touched. */
const char *graft_files_foreign(const struct graft_files *f);
uint64_t graft_files_count(const struct graft_files *f); /* files it knows */

/* ---- loading ------------------------------------------------------------- */

/* Decodes and preprocesses a list of (photo, view) on the runtime's pool. A
 * photo that cannot be read gets a reason instead of pixels. Views of one
 * photo that stand side by side are decoded once. */
struct graft_load_item {
    const char *root, *file;  /* path = root/file */
    int view;                 /* 0: plain; for fresh ones 1 + epoch */
    uint64_t seed;
    /* filled: */
    struct graft_hash hash;   /* of the file's content */
    bool failed;
    char why[GRAFT_WHY_MAX];
    struct graft_file_id id;  /* of the file when it was read */
    bool by_content;          /* failed for what the bytes are: will again */
    int width, height;        /* of the upright photo as decoded */
};
struct graft_load_options {
    const struct graft_preprocess *preprocess;
    const struct graft_kernels *kernels;
    bool exact;
    enum graft_layout layout;
    const struct graft_augment *augment; /* of views 1 and above; NULL: that
                                          * of graft_view_geometry */
};
/* Loads n items into dst (n images, `stride` floats apart; a failed one's
 * slot is left undefined). Only resource errors and GRAFT_ECANCELED are
 * returned. exact: full decode; not exact: a large JPEG is decoded at 1/2, 1/4
 * or 1/8 of its size, its short side (of a crop, both sides) at least twice
 * what is needed. What a view is does not depend on the others. */
int graft_load(struct graft_runtime *rt, struct graft_load_item *items, int n,
               float *dst, int64_t stride,
               const struct graft_load_options *o);

/* Bytes that loading those takes at its height beside dst, about: by the
 * largest files, as many as there are threads. exact: every pixel, as close
 * crops need it. */
int64_t graft_load_room(struct graft_runtime *rt,
                        const struct graft_load_item *items, int n,
                        const struct graft_load_options *o);
/* 1, 2, 4 or 8: part of its size at which a photo that is shown whole is
 * decoded. */
int graft_load_shrink(const struct graft_preprocess *p, int width,
                      int height);

/* ---- the feature cache --------------------------------------------------- */

/* What is said of the cache holds for a killed process; a power cut may cost
 * or damage the last records, which their checksums show. Nothing about the
 * disk stops a run: a folder that cannot be written, a full disk or a store
 * over the runtime's cache_max give one warning, and what is put from then on
 * is forgotten. Not for several threads at once.
 *
 * One store: records of `floats` floats, keyed by (image hash, view recipe).
 * Key of the store = hash of (frozen subgraph and weights, preprocessing,
 * numerics id). Appending is safe from several processes at once; a killed
 * one leaves at most a torn last record, which is ignored. */
struct graft_cache;
enum { GRAFT_CACHE_WAITING = 4 << 20 }; /* bytes that are put together before
                                           they are written */
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
/* The same for an item that graft_load filled, failed or not: preferred, as
 * it knows what the file was when it was read. */
int graft_cache_note_item(struct graft_cache *c,
                          const struct graft_load_item *item);
/* Is it known that this file is not a photo? why: GRAFT_WHY_MAX bytes. */
bool graft_cache_file_failure(struct graft_cache *c, const char *path,
                              char *why);
int graft_cache_note_failure(struct graft_cache *c, const char *path,
                             const char *why);
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

/* Internals of graft_cache_list and graft_cache_clear. The fn may not remove
 * anything; a folder that does not exist is empty. */
int graft_cache_each(struct graft_runtime *rt, graft_cache_fn *fn, void *ctx);
int graft_cache_remove_all(struct graft_runtime *rt, uint64_t *bytes);

#endif
