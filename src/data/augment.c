/* Recipes of augmentation: by name, checked, in words, and as a number that
 * the feature cache knows a view by.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/augment.h"

#include <string.h>

#include "base/status.h"
#include "base/str.h"
#include "data/data.h"

/* ---- by name ------------------------------------------------------------- */

#define CROP .crop = true, .scale = {0.08, 1}, .ratio = {3.0 / 4, 4.0 / 3}
#define BOX .erase_scale = {0.02, 0.33}, .erase_ratio = {0.3, 3.3}

static const struct {
    const char *name;
    struct graft_augment recipe;
} recipes[] = {
    {"none", {.crop = false}},
    {"flip", {.flip = 0.5}},
    {"standard", {CROP, .flip = 0.5, .brightness = 0.2, .contrast = 0.2,
                  .saturation = 0.2, .hue = 0.02}},
    {"strong", {CROP, .flip = 0.5, .brightness = 0.4, .contrast = 0.4,
                .saturation = 0.4, .hue = 0.1, .erase = 0.25, BOX}},
};
enum { N_RECIPES = sizeof recipes / sizeof *recipes };

int graft_augment_named(struct graft_augment *out, const char *name)
{
    for (int i = 0; i < N_RECIPES; i++)
        if (!strcmp(name, recipes[i].name)) {
            *out = recipes[i].recipe;
            return GRAFT_OK;
        }
    return graft_fail(GRAFT_EARG, "augmentation '%s' is not known; there are "
                      "none, flip, standard, strong", name);
}

/* ---- its numbers --------------------------------------------------------- */

/* All but the flags, so that one loop checks them and another hashes them.
 * An aspect beyond 1000 shows one row or column of any photo. */
static const struct number {
    const char *name;
    size_t at;
    double low, high;
} numbers[] = {
#define NUMBER(words, member, low, high)                                    \
    {words, offsetof(struct graft_augment, member), low, high}
    NUMBER("flip", flip, 0, 1),
    NUMBER("brightness", brightness, 0, 100),
    NUMBER("contrast", contrast, 0, 100),
    NUMBER("saturation", saturation, 0, 100),
    NUMBER("hue", hue, 0, 0.5),
    NUMBER("erasing", erase, 0, 1),
};
static const struct number ranges[] = {
    NUMBER("crop scale", scale, 1e-6, 1),
    NUMBER("crop ratio", ratio, 1e-3, 1e3),
    NUMBER("erasing scale", erase_scale, 0, 1),
    NUMBER("erasing ratio", erase_ratio, 1e-3, 1e3),
};
enum { N_NUMBERS = sizeof numbers / sizeof *numbers,
       N_RANGES = sizeof ranges / sizeof *ranges };

static double number(const struct graft_augment *a, const struct number *n,
                     int i)
{
    double x;
    memcpy(&x, (const char *)a + n->at + (size_t)i * sizeof x, sizeof x);
    return x;
}

int graft_augment_check(const struct graft_augment *a)
{
    for (int i = 0; i < N_NUMBERS; i++) {
        const struct number *n = &numbers[i];
        double x = number(a, n, 0);
        if (!(x >= n->low && x <= n->high))
            return graft_fail(GRAFT_EARG, "augmentation: %s is %g; it may be "
                              "%g to %g", n->name, x, n->low, n->high);
    }
    const bool used[N_RANGES] = {a->crop, a->crop, a->erase > 0,
                                 a->erase > 0};
    for (int i = 0; i < N_RANGES; i++) {
        const struct number *n = &ranges[i];
        double low = number(a, n, 0), high = number(a, n, 1);
        if (used[i] && !(low >= n->low && low <= high && high <= n->high))
            return graft_fail(GRAFT_EARG, "augmentation: %s is %g to %g; it "
                              "may lie within %g to %g", n->name, low, high,
                              n->low, n->high);
    }
    return GRAFT_OK;
}

bool graft_augment_changes(const struct graft_augment *a)
{
    bool any = a->crop;
    for (int i = 0; i < N_NUMBERS; i++)
        any = any || number(a, &numbers[i], 0) > 0;
    return any;
}

uint64_t graft_augment_recipe(const struct graft_augment *a, uint64_t seed,
                              int view)
{
    double of[N_NUMBERS + 2 * N_RANGES + 2];
    int n = 0;
    if (!a || view == 0)
        return graft_view_recipe(seed, view);
    if (!graft_augment_changes(a))
        return 0;
    for (int i = 0; i < N_NUMBERS; i++)
        of[n++] = number(a, &numbers[i], 0);
    for (int i = 0; i < 2 * N_RANGES; i++)
        of[n++] = number(a, &ranges[i / 2], i % 2);
    of[n++] = a->crop;
    of[n++] = a->erase_noise;
    uint64_t view_of[2] = {seed, (uint64_t)view};
    return graft_hash_add(graft_hash(of, sizeof of), view_of,
                          sizeof view_of).lo | 1;
}

/* ---- in words ------------------------------------------------------------ */

void graft_augment_words(const struct graft_augment *a,
                         struct graft_str *out)
{
    const char *comma = "";
    if (!graft_augment_changes(a))
        graft_str_add(out, "none");
    if (a->crop) {
        graft_str_addf(out, "crop %.3g to %.3g %% of the area",
                       100 * a->scale[0], 100 * a->scale[1]);
        comma = ", ";
    }
    for (int i = 0; i < N_NUMBERS; i++) {
        double x = number(a, &numbers[i], 0);
        if (x > 0) {
            graft_str_addf(out, "%s%s %.3g %%", comma, numbers[i].name,
                           100 * x);
            comma = ", ";
        }
    }
}
