/* From photos to rows of numbers: what a model makes of photos at one or
 * several of its values, from the cache where it is known. Used for features
 * (training), for what crosses into a trained part (crossing.h; a row is their
 * concatenation), and for answers (a classifier's output).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TRAIN_FEATURES_H
#define GRAFT_TRAIN_FEATURES_H

#include "data/data.h"
#include "program/program.h"

enum { GRAFT_BATCH_DEFAULT = 16 };

struct graft_extract {
    struct graft_runtime *rt;
    const struct graft_model *model; /* one input to be fed: the photos */
    graft_value_id value;
    int64_t floats;                  /* of a row: elements for one photo */
    struct graft_preprocess preprocess;
    int batch;                       /* 0: GRAFT_BATCH_DEFAULT; a file with a
                                        fixed batch overrules it */
    bool exact;                      /* full decode */
    struct graft_cache *cache;       /* NULL: none */
    graft_progress_fn *progress;     /* NULL: none */
    void *progress_ctx;
    const char *phase;
    uint64_t decoded;                /* photos and views read so far */
    const graft_value_id *values;    /* several, in place of `value`; NULL: */
    int n_values;                    /* that one. Borrowed */
    const struct graft_augment *augment; /* of views 1 and above; NULL: that
                                        of graft_view_geometry. Borrowed */
    bool raw;                        /* rows are the pixels as the model takes
                                        them, [C][H][W]; cache NULL */
    /* private: made when the first photo has to be computed */
    struct graft_program *program;
    float *pixels;
    int n_max;
};

/* Photos in a batch. */
int graft_extract_batch(struct graft_extract *x);
/* Under a memory limit, with no batch given: makes the program now, with half
 * the batch as often as it takes to fit. Rows depend on the batch, so call it
 * before the first use of graft_extract_batch and graft_features_key. */
int graft_extract_fit(struct graft_extract *x);

/* Makes the program, where that is not done yet; and with what it takes. */
int graft_extract_compile(struct graft_extract *x);
int graft_extract_size(int64_t *bytes, struct graft_extract *x);
/* Half the batch from now on, like graft_extract_fit; false: it cannot. */
bool graft_extract_halve(struct graft_extract *x);
/* Bytes that reading those photos takes beside the program, about; `views`:
 * crops of them, which are decoded larger. */
int64_t graft_extract_photos(struct graft_extract *x,
                             const struct graft_load_item *items, int n,
                             bool views);

/* Rows of items (root, file, view, seed given) into dst [n][floats]; a photo
 * that cannot be read has `failed` and `why` set, its row is zero. Cached
 * rows are taken without opening the photo; the program is compiled only when
 * one is missing. Computed rows are kept in the cache, also when this ends
 * with an error or GRAFT_ECANCELED. */
int graft_extract_rows(struct graft_extract *x, struct graft_load_item *items,
                       int n, float *dst);
void graft_extract_release(struct graft_extract *x);
/* Its program takes no room until the next rows. */
void graft_extract_rest(struct graft_extract *x);

/* Key of the rows' store: all that they depend on. Two models that agree up
 * to `value`, weights and names included, share it. */
int graft_features_key(struct graft_hash *out, struct graft_extract *x);

#endif
