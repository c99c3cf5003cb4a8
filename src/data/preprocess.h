/* How a photo becomes a model's input: a value that travels with a model.
 * x = (pixel_0_to_255 - mean) / std for each channel.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_PREPROCESS_H
#define GRAFT_DATA_PREPROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "graft/train.h"

enum graft_fit { GRAFT_FIT_CROP, GRAFT_FIT_SQUASH, GRAFT_FIT_PAD };

struct graft_preprocess {
    int width, height;       /* of the model's input */
    int resize;              /* CROP: short side before the centre crop */
    enum graft_fit fit;
    bool bgr;                /* channel order of the input: blue first */
    int channels;            /* 3, or 1: grey (ITU-R 601 luma) */
    float mean[3], std[3];   /* in the order of the input's channels */
    float pad_value;         /* PAD: pixel value 0..255 around the photo */
};

/* Preset by name at a size; GRAFT_EARG naming the known ones. */
int graft_preprocess_preset(struct graft_preprocess *out, const char *name,
                            int width, int height);
/* `base` changed by what `o` gives. */
int graft_preprocess_apply(struct graft_preprocess *out,
                           const struct graft_preprocess *base,
                           const struct graft_preprocess_options *o);
/* "short side to 256, centre crop 224x224, RGB, (x - [..]) / [..]" */
struct graft_str;
void graft_preprocess_words(const struct graft_preprocess *p,
                            struct graft_str *out);
struct graft_hash graft_preprocess_hash(const struct graft_preprocess *p);

#endif
