/* How views of a training photo differ from it: a recipe, and what one draw
 * from it came out as. Geometry stands apart from colour, so that boxes and
 * masks can follow. Every number is a pure function of (seed, view, content of
 * the photo): nothing depends on threads, order or history.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_AUGMENT_H
#define GRAFT_DATA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/rng.h"

/* ---- the recipe ---------------------------------------------------------- */

/* All zero changes nothing. Laws and defaults are torchvision's. */
struct graft_augment {
    bool crop;            /* RandomResizedCrop; false: preprocess's own fit */
    double scale[2];      /* share of the area that the crop shows */
    double ratio[2];      /* of the crop's width to its height */
    double flip;          /* probability */
    /* ColorJitter: a factor within 1 - s .. 1 + s, not below 0; for hue a
     * turn within -s .. s of the circle. The four come in random order. */
    double brightness, contrast, saturation, hue;
    double erase;         /* RandomErasing: probability */
    double erase_scale[2], erase_ratio[2];
    bool erase_noise;     /* normal noise; false: the mean colour (0) */
};

/* By name: none; flip; standard (crop, flip, a little colour); strong (more
 * colour, erasing). GRAFT_EARG naming the known ones. */
int graft_augment_named(struct graft_augment *out, const char *name);
/* GRAFT_EARG for a number out of its range. */
int graft_augment_check(const struct graft_augment *a);
/* Whether some view differs from the plain one. */
bool graft_augment_changes(const struct graft_augment *a);
/* "crop 8 to 100 % of the area, flip 50 %, brightness 20 %" */
struct graft_str;
void graft_augment_words(const struct graft_augment *a,
                         struct graft_str *out);
/* The feature cache's recipe of a view: 0 for the plain one, whatever the
 * seed. a NULL: graft_view_recipe. */
uint64_t graft_augment_recipe(const struct graft_augment *a, uint64_t seed,
                              int view);

/* ---- one draw ------------------------------------------------------------ */

/* Which part of the photo is shown. */
struct graft_geometry {
    bool plain;                 /* preprocess's own fit */
    bool flip;
    double x, y, width, height; /* cropped box, fractions of the photo */
};

/* Factors 1, 1, 1 and turn 0 leave the colours alone. */
enum { GRAFT_BRIGHTNESS, GRAFT_CONTRAST, GRAFT_SATURATION, GRAFT_HUE,
       GRAFT_COLOUR_CHANGES };
struct graft_colour {
    float by[GRAFT_COLOUR_CHANGES];
    uint8_t order[GRAFT_COLOUR_CHANGES];
};

/* A box of the finished input, in its pixels; width 0: none. */
struct graft_erase {
    int x, y, width, height;
    bool noise;
    struct graft_rng_key key; /* of the noise */
};

struct graft_draw {
    struct graft_geometry geometry;
    struct graft_colour colour;
    struct graft_erase erase;
};

/* View 0 is the plain one that evaluation uses; 1 .. K are K fixed views, and
 * 1 + epoch is the fresh view of an epoch. */
struct graft_rng_key graft_augment_key(uint64_t seed, int view,
                                       struct graft_hash image);
/* width, height: of the photo, upright. */
struct graft_geometry graft_augment_geometry(const struct graft_augment *a,
                                             struct graft_rng_key key,
                                             int width, int height);
struct graft_colour graft_augment_colour(const struct graft_augment *a,
                                         struct graft_rng_key key);
/* width, height: of the model's input. */
struct graft_erase graft_augment_erase(const struct graft_augment *a,
                                       struct graft_rng_key key, int width,
                                       int height);
struct graft_draw graft_draw_plain(void);

/* ---- beside the recipe --------------------------------------------------- */

/* Erases in a finished input: planes [C,H,W], or interleaved [H,W,C]. */
void graft_erase_box(float *dst, bool planar, int channels, int width,
                     int height, const struct graft_erase *e);

/* Mixup: lambda from Beta(alpha, alpha), then of two inputs of n floats each
 * a' = lambda a + (1 - lambda) b and b' = lambda b + (1 - lambda) a; targets
 * are to be mixed alike. `pair` counts pairs over the whole training. alpha
 * is usually 0.2; 0 mixes nothing. */
double graft_mixup_lambda(uint64_t seed, uint64_t pair, double alpha);
double graft_mixup(float *a, float *b, int64_t n, uint64_t seed,
                   uint64_t pair, double alpha);

#endif
