/* Which part of a photo a view shows: a random crop and a flip, drawn as
 * torchvision's RandomResizedCrop does (ten tries, then the middle), from
 * counter-based random numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/rng.h"
#include "data/data.h"

#define LEAST_AREA 0.35
#define MOST_ASPECT (4.0 / 3.0)
enum { TRIES = 10, DRAWS = 2, COUNTER_PLACE = 100, COUNTER_FLIP = 102 };

struct box {
    int64_t w, h;
};

/* The largest box in the middle with an allowed aspect. */
static struct box middle(int width, int height)
{
    struct box b = {width, height};
    if (width > MOST_ASPECT * height)
        b.w = lround(height * MOST_ASPECT);
    else if (height > MOST_ASPECT * width)
        b.h = lround(width * MOST_ASPECT);
    return b;
}

struct graft_geometry graft_view_geometry(uint64_t seed, int view,
                                          struct graft_hash image,
                                          int width, int height)
{
    struct graft_geometry g = {.plain = view == 0, .width = 1, .height = 1};
    if (view == 0)
        return g;
    struct graft_rng_key key = graft_rng_key(
        seed, graft_hash_add(image, &view, sizeof view).lo);
    struct box b = {0, 0};
    for (uint64_t t = 0; t < TRIES && b.w == 0; t++) {
        double area = (double)width * height *
                      (LEAST_AREA + (1 - LEAST_AREA) *
                                    graft_rng_unit(key, DRAWS * t));
        double aspect = exp(log(MOST_ASPECT) *
                            (2 * graft_rng_unit(key, DRAWS * t + 1) - 1));
        int64_t w = lround(sqrt(area * aspect));
        int64_t h = lround(sqrt(area / aspect));
        if (w > 0 && h > 0 && w <= width && h <= height)
            b = (struct box){w, h};
    }
    bool found = b.w != 0;
    if (!found)
        b = middle(width, height);
    double x = (double)(width - b.w) / 2, y = (double)(height - b.h) / 2;
    if (found) {
        x = (double)graft_rng_below(key, COUNTER_PLACE,
                                    (uint64_t)(width - b.w + 1));
        y = (double)graft_rng_below(key, COUNTER_PLACE + 1,
                                    (uint64_t)(height - b.h + 1));
    }
    g.x = x / width;
    g.y = y / height;
    g.width = (double)b.w / width;
    g.height = (double)b.h / height;
    g.flip = graft_rng_unit(key, COUNTER_FLIP) < 0.5;
    return g;
}

uint64_t graft_view_recipe(uint64_t seed, int view)
{
    if (view == 0)
        return 0;
    uint64_t of[2] = {seed, (uint64_t)view};
    return graft_hash(of, sizeof of).lo | 1; /* never a plain view's */
}
