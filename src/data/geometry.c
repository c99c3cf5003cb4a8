/* What one view of a photo is: draws from a recipe by torchvision's laws
 * (RandomResizedCrop, RandomHorizontalFlip, ColorJitter, RandomErasing), from
 * counter-based random numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "data/data.h"

/* Counters of one key: two for each try of a box, then its place. */
enum { TRIES = 10, DRAWS = 2, CROP = 0, PLACE = 100, FLIP = 102,
       COLOUR = 200, ORDER = 210, ERASE_OR_NOT = 299, ERASE = 300,
       ERASE_PLACE = 400, NOISE = 410 };

struct graft_rng_key graft_augment_key(uint64_t seed, int view,
                                       struct graft_hash image)
{
    return graft_rng_key(seed, graft_hash_add(image, &view, sizeof view).lo);
}

static double between(const double range[2], double unit)
{
    return range[0] + (range[1] - range[0]) * unit;
}

/* ---- boxes --------------------------------------------------------------- */

struct box {
    int64_t w, h;
};

/* One try: an area uniform in `scale` of the whole, an aspect log-uniform in
 * `ratio`. */
static struct box try_box(struct graft_rng_key key, uint64_t counter,
                          const double scale[2], const double ratio[2],
                          double whole)
{
    double area = whole * between(scale, graft_rng_unit(key, counter));
    double low = log(ratio[0]), high = log(ratio[1]);
    double aspect = exp((low + high) / 2 + (high - low) / 2 *
                        (2 * graft_rng_unit(key, counter + 1) - 1));
    return (struct box){lround(sqrt(area * aspect)),
                        lround(sqrt(area / aspect))};
}

static int64_t at_least_one(double x)
{
    return x < 1 ? 1 : lround(x);
}

/* The largest box in the middle with an allowed aspect. */
static struct box middle(int width, int height, const double ratio[2])
{
    struct box b = {width, height};
    if (width > ratio[1] * height)
        b.w = at_least_one(height * ratio[1]);
    else if (width < ratio[0] * height)
        b.h = at_least_one(width / ratio[0]);
    return b;
}

static void place(struct graft_geometry *g, const struct graft_augment *a,
                  struct graft_rng_key key, int width, int height)
{
    struct box b = {0, 0};
    for (uint64_t t = 0; t < TRIES && b.w == 0; t++) {
        b = try_box(key, CROP + DRAWS * t, a->scale, a->ratio,
                    (double)width * height);
        if (b.w < 1 || b.h < 1 || b.w > width || b.h > height)
            b.w = 0;
    }
    bool found = b.w != 0;
    if (!found)
        b = middle(width, height, a->ratio);
    uint64_t right = (uint64_t)(width - b.w), down = (uint64_t)(height - b.h);
    uint64_t x = right / 2, y = down / 2;
    if (found) {
        x = graft_rng_below(key, PLACE, right + 1);
        y = graft_rng_below(key, PLACE + 1, down + 1);
    }
    g->x = (double)x / width;
    g->y = (double)y / height;
    g->width = (double)b.w / width;
    g->height = (double)b.h / height;
}

/* ---- draws --------------------------------------------------------------- */

struct graft_geometry graft_augment_geometry(const struct graft_augment *a,
                                             struct graft_rng_key key,
                                             int width, int height)
{
    struct graft_geometry g = {.plain = !a->crop, .width = 1, .height = 1};
    if (a->crop)
        place(&g, a, key, width, height);
    g.flip = graft_rng_unit(key, FLIP) < a->flip;
    return g;
}

struct graft_colour graft_augment_colour(const struct graft_augment *a,
                                         struct graft_rng_key key)
{
    struct graft_colour c = graft_draw_plain().colour;
    const double strength[GRAFT_COLOUR_CHANGES] = {
        a->brightness, a->contrast, a->saturation, a->hue};
    for (int i = 0; i < GRAFT_COLOUR_CHANGES; i++) {
        double none = i == GRAFT_HUE ? 0 : 1, s = strength[i];
        double low = none - s < 0 && i != GRAFT_HUE ? 0 : none - s;
        double range[2] = {low, none + s};
        if (s > 0)
            c.by[i] = (float)between(range, graft_rng_unit(
                                         key, COLOUR + (uint64_t)i));
    }
    for (unsigned i = GRAFT_COLOUR_CHANGES - 1; i > 0; i--) {
        uint64_t k = graft_rng_below(key, ORDER + i, i + 1);
        uint8_t last = c.order[i];
        c.order[i] = c.order[k];
        c.order[k] = last;
    }
    return c;
}

/* torchvision's box is smaller than the picture both ways, and its aspect is
 * of height to width. */
struct graft_erase graft_augment_erase(const struct graft_augment *a,
                                       struct graft_rng_key key, int width,
                                       int height)
{
    struct graft_erase e = {.noise = a->erase_noise};
    if (graft_rng_unit(key, ERASE_OR_NOT) >= a->erase)
        return e;
    for (uint64_t t = 0; t < TRIES; t++) {
        struct box b = try_box(key, ERASE + DRAWS * t, a->erase_scale,
                               a->erase_ratio, (double)width * height);
        int64_t w = b.h, h = b.w;
        if (w < 1 || h < 1 || w >= width || h >= height)
            continue;
        e.width = (int)w;
        e.height = (int)h;
        e.x = (int)graft_rng_below(key, ERASE_PLACE,
                                   (uint64_t)(width - w + 1));
        e.y = (int)graft_rng_below(key, ERASE_PLACE + 1,
                                   (uint64_t)(height - h + 1));
        e.key = graft_rng_key(graft_rng_u64(key, NOISE),
                              graft_rng_u64(key, NOISE + 1));
        break;
    }
    return e;
}

struct graft_draw graft_draw_plain(void)
{
    return (struct graft_draw){
        .geometry = {.plain = true, .width = 1, .height = 1},
        .colour = {.by = {1, 1, 1, 0}, .order = {0, 1, 2, 3}}};
}

/* ---- the fixed views ----------------------------------------------------- */

/* At least 35 %: features of a view are kept, so each must be worth it. */
static const struct graft_augment views = {
    .crop = true, .scale = {0.35, 1}, .ratio = {3.0 / 4.0, 4.0 / 3.0},
    .flip = 0.5};

struct graft_geometry graft_view_geometry(uint64_t seed, int view,
                                          struct graft_hash image,
                                          int width, int height)
{
    if (view == 0)
        return graft_draw_plain().geometry;
    return graft_augment_geometry(&views, graft_augment_key(seed, view,
                                                            image),
                                  width, height);
}

uint64_t graft_view_recipe(uint64_t seed, int view)
{
    if (view == 0)
        return 0;
    uint64_t of[2] = {seed, (uint64_t)view};
    return graft_hash(of, sizeof of).lo | 1; /* never a plain view's */
}
