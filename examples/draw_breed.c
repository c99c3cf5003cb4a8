/* The table of four-legged breeds, a row of measures each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <stddef.h>
#include <string.h>

#define BIG_CAT \
    .poses = POSE_ALL, .len = 1.15f, .deep = 0.33f, .leg = 0.40f, \
    .legw = 0.115f, .neck = 0.24f, .lift = 0.35f, .head = 0.31f, \
    .tail = 0.85f, .tailw = 0.055f, .tipw = 0.05f, .curl = 0.7f, \
    .wide = 1.02f, .tall = 0.92f, .ear = EAR_ROUND, .ear_w = 0.27f, \
    .ear_h = 0.27f, .ear_x = 0.70f, .ear_y = -0.70f, .muz_w = 0.42f, \
    .muz_h = 0.32f, .muz_y = 0.46f, .nose = 0.15f, .eyes = EYE_ROUND, \
    .eye = 0.14f, .eye_x = 0.38f, .eye_y = -0.10f, .whiskers = true

#define HORSE_LIKE \
    .poses = POSE_SIDE | POSE_FACE, .len = 0.95f, .deep = 0.30f, \
    .leg = 0.66f, .legw = 0.068f, .neck = 0.52f, .lift = 0.95f, \
    .head = 0.20f, .tail = 0.7f, .tailw = 0.06f, .tipw = 0.05f, \
    .curl = 0.0f, .wide = 0.78f, .tall = 0.95f, .ear = EAR_POINT, \
    .ear_w = 0.2f, .ear_h = 0.5f, .ear_x = 0.45f, .ear_y = -0.75f, \
    .muz_w = 0.5f, .muz_h = 0.55f, .muz_y = 1.15f, .eyes = EYE_DARK, \
    .eye = 0.13f, .eye_x = 0.58f, .eye_y = -0.12f, .snout = 1.15f, \
    .hoof = true, .tuft = true, .over = forelock, .profile = mane_side

static const Breed breeds[] = {
    { .name = "cat", .dress = dress_cat, .poses = POSE_ALL, .len = 0.85f,
      .deep = 0.26f, .leg = 0.38f, .legw = 0.072f, .neck = 0.2f,
      .lift = 0.8f, .head = 0.27f, .tail = 0.8f, .tailw = 0.058f,
      .tipw = 0.045f, .curl = 1.0f, .wide = 1.02f, .tall = 0.86f,
      .cheek = 0.06f, .ear = EAR_POINT, .ear_w = 0.33f, .ear_h = 0.58f,
      .ear_x = 0.58f, .ear_y = -0.52f, .muz_w = 0.32f, .muz_h = 0.22f,
      .muz_y = 0.40f, .nose = 0.09f, .eyes = EYE_SLIT, .eye = 0.17f,
      .eye_x = 0.42f, .eye_y = -0.06f, .fur = 0.02f, .whiskers = true },
    { .name = "tiger", .dress = dress_tiger, BIG_CAT, .cheek = 0.2f,
      .fur = 0.025f },
    { .name = "lion", .dress = dress_lion, BIG_CAT, .fur = 0.02f,
      .tuft = true, .behind = lion_mane },
    { .name = "leopard", .dress = dress_leopard, BIG_CAT, .fur = 0.015f },
    { .name = "dog", .dress = dress_dog, .poses = POSE_ALL, .len = 0.85f,
      .deep = 0.26f, .leg = 0.48f, .legw = 0.075f, .neck = 0.26f,
      .lift = 0.75f, .head = 0.25f, .tail = 0.55f, .tailw = 0.05f,
      .tipw = 0.035f, .curl = 1.1f, .wide = 0.88f, .tall = 0.86f,
      .ear = EAR_FLOP, .ear_w = 0.26f, .ear_h = 0.52f, .ear_x = 0.72f,
      .ear_y = -0.5f, .muz_w = 0.44f, .muz_h = 0.42f, .muz_y = 0.48f,
      .nose = 0.17f, .eyes = EYE_DARK, .eye = 0.13f, .eye_x = 0.36f,
      .eye_y = -0.1f, .snout = 0.75f, .fur = 0.015f, .over = dog_blaze },
    { .name = "fox", .dress = dress_fox, .poses = POSE_ALL, .len = 0.85f,
      .deep = 0.22f, .leg = 0.40f, .legw = 0.058f, .neck = 0.24f,
      .lift = 0.6f, .head = 0.24f, .tail = 0.85f, .tailw = 0.09f,
      .tipw = 0.11f, .curl = 0.25f, .wide = 0.98f, .tall = 0.78f,
      .cheek = 0.22f, .ear = EAR_POINT, .ear_w = 0.32f, .ear_h = 0.8f,
      .ear_x = 0.56f, .ear_y = -0.45f, .muz_w = 0.26f, .muz_h = 0.3f,
      .muz_y = 0.55f, .nose = 0.12f, .eyes = EYE_SLIT, .eye = 0.12f,
      .eye_x = 0.38f, .eye_y = -0.04f, .snout = 0.85f, .fur = 0.03f,
      .over = fox_cheeks },
    { .name = "bear", .dress = dress_bear, .poses = POSE_ALL, .len = 0.95f,
      .deep = 0.40f, .leg = 0.34f, .legw = 0.13f, .neck = 0.25f,
      .lift = 0.3f, .head = 0.30f, .tail = 0.1f, .tailw = 0.07f,
      .tipw = 0.06f, .curl = 0.2f, .wide = 0.98f, .tall = 0.92f,
      .ear = EAR_ROUND, .ear_w = 0.28f, .ear_h = 0.28f, .ear_x = 0.74f,
      .ear_y = -0.66f, .muz_w = 0.42f, .muz_h = 0.36f, .muz_y = 0.42f,
      .nose = 0.18f, .eyes = EYE_BEAD, .eye = 0.085f, .eye_x = 0.34f,
      .eye_y = -0.1f, .snout = 0.55f, .fur = 0.035f },
    { .name = "panda", .dress = dress_panda, .poses = POSE_ALL, .len = 0.8f,
      .deep = 0.40f, .leg = 0.28f, .legw = 0.13f, .neck = 0.2f,
      .lift = 0.35f, .head = 0.34f, .tail = 0.08f, .tailw = 0.06f,
      .tipw = 0.06f, .wide = 1.08f, .tall = 0.92f, .ear = EAR_ROUND,
      .ear_w = 0.28f, .ear_h = 0.28f, .ear_x = 0.78f, .ear_y = -0.68f,
      .muz_w = 0.34f, .muz_h = 0.28f, .muz_y = 0.4f, .nose = 0.13f,
      .eyes = EYE_BEAD, .eye = 0.1f, .eye_x = 0.38f, .eye_y = -0.04f,
      .fur = 0.025f, .over = panda_eyes },
    { .name = "raccoon", .dress = dress_raccoon, .poses = POSE_ALL,
      .len = 0.75f, .deep = 0.28f, .leg = 0.26f, .legw = 0.065f,
      .neck = 0.2f, .lift = 0.5f, .head = 0.26f, .tail = 0.65f,
      .tailw = 0.09f, .tipw = 0.08f, .curl = 0.3f, .wide = 1.0f,
      .tall = 0.8f, .cheek = 0.2f, .ear = EAR_ROUND, .ear_w = 0.22f,
      .ear_h = 0.26f, .ear_x = 0.68f, .ear_y = -0.62f, .muz_w = 0.28f,
      .muz_h = 0.26f, .muz_y = 0.45f, .nose = 0.13f, .eyes = EYE_BEAD,
      .eye = 0.1f, .eye_x = 0.38f, .eye_y = 0.04f, .fur = 0.035f,
      .over = raccoon_mask },
    { .name = "rabbit", .dress = dress_rabbit, .poses = POSE_ALL,
      .len = 0.5f, .deep = 0.30f, .leg = 0.16f, .legw = 0.06f,
      .neck = 0.2f, .lift = 0.8f, .head = 0.24f, .tail = 0.1f,
      .tailw = 0.09f, .tipw = 0.1f, .curl = 0.5f, .wide = 0.88f,
      .tall = 0.9f, .ear = EAR_LONG, .ear_w = 0.22f, .ear_h = 0.85f,
      .ear_x = 0.34f, .ear_y = -0.65f, .muz_w = 0.3f, .muz_h = 0.24f,
      .muz_y = 0.38f, .nose = 0.09f, .eyes = EYE_DARK, .eye = 0.15f,
      .eye_x = 0.48f, .eye_y = -0.1f, .snout = 0.25f, .fur = 0.02f,
      .whiskers = true, .over = rabbit_teeth },
    { .name = "mouse", .dress = dress_mouse, .poses = POSE_ALL,
      .len = 0.5f, .deep = 0.26f, .leg = 0.08f, .legw = 0.035f,
      .neck = 0.18f, .lift = 0.2f, .head = 0.22f, .tail = 0.9f,
      .tailw = 0.025f, .tipw = 0.012f, .curl = 0.5f, .wide = 0.85f,
      .tall = 0.82f, .ear = EAR_ROUND, .ear_w = 0.5f, .ear_h = 0.5f,
      .ear_x = 0.78f, .ear_y = -0.72f, .muz_w = 0.24f, .muz_h = 0.2f,
      .muz_y = 0.42f, .nose = 0.1f, .eyes = EYE_BEAD, .eye = 0.12f,
      .eye_x = 0.34f, .eye_y = -0.04f, .snout = 0.6f, .fur = 0.01f,
      .whiskers = true },
    { .name = "pig", .dress = dress_pig, .poses = POSE_ALL, .len = 0.85f,
      .deep = 0.36f, .leg = 0.24f, .legw = 0.08f, .neck = 0.2f,
      .lift = 0.15f, .head = 0.29f, .tail = 0.16f, .tailw = 0.025f,
      .tipw = 0.02f, .curl = 1.2f, .wide = 0.95f, .tall = 0.86f,
      .ear = EAR_POINT, .ear_w = 0.28f, .ear_h = 0.45f, .ear_x = 0.58f,
      .ear_y = -0.55f, .muz_w = 0.42f, .muz_h = 0.32f, .muz_y = 0.38f,
      .eyes = EYE_BEAD, .eye = 0.09f, .eye_x = 0.42f, .eye_y = -0.12f,
      .snout = 0.5f, .hoof = true, .over = pig_snout,
      .profile = pig_snout_side },
    { .name = "cow", .dress = dress_cow, .poses = POSE_SIDE | POSE_LIE |
      POSE_FACE, .len = 1.0f, .deep = 0.36f, .leg = 0.42f, .legw = 0.075f,
      .neck = 0.34f, .lift = 0.4f, .head = 0.24f, .tail = 0.6f,
      .tailw = 0.025f, .tipw = 0.03f, .wide = 0.8f, .tall = 0.9f,
      .ear = EAR_LEAF, .ear_w = 0.18f, .ear_h = 0.7f, .ear_x = 0.7f,
      .ear_y = -0.4f, .muz_w = 0.56f, .muz_h = 0.46f, .muz_y = 0.86f,
      .eyes = EYE_DARK, .eye = 0.12f, .eye_x = 0.5f, .eye_y = -0.1f,
      .snout = 0.85f, .hoof = true, .tuft = true, .behind = cow_horns,
      .over = nostrils, .profile = cow_horn_side },
    { .name = "horse", .dress = dress_horse, HORSE_LIKE },
    { .name = "zebra", .dress = dress_zebra, HORSE_LIKE },
    { .name = "sheep", .dress = dress_sheep, .poses = POSE_SIDE | POSE_LIE |
      POSE_FACE, .len = 0.75f, .deep = 0.38f, .leg = 0.30f, .legw = 0.055f,
      .neck = 0.22f, .lift = 0.5f, .head = 0.22f, .tail = 0.1f,
      .tailw = 0.08f, .tipw = 0.07f, .wide = 0.72f, .tall = 0.92f,
      .ear = EAR_LEAF, .ear_w = 0.16f, .ear_h = 0.65f, .ear_x = 0.6f,
      .ear_y = -0.25f, .muz_w = 0.36f, .muz_h = 0.36f, .muz_y = 0.6f,
      .nose = 0.1f, .eyes = EYE_DARK, .eye = 0.11f, .eye_x = 0.42f,
      .eye_y = -0.1f, .snout = 0.5f, .fur = 0.035f, .hoof = true,
      .over = sheep_cap, .profile = sheep_cap },
    { .name = "deer", .dress = dress_deer, .poses = POSE_SIDE | POSE_LIE |
      POSE_FACE, .len = 0.8f, .deep = 0.25f, .leg = 0.60f, .legw = 0.048f,
      .neck = 0.46f, .lift = 1.0f, .head = 0.18f, .tail = 0.15f,
      .tailw = 0.05f, .tipw = 0.05f, .curl = 0.6f, .wide = 0.76f,
      .tall = 0.86f, .ear = EAR_LEAF, .ear_w = 0.22f, .ear_h = 0.85f,
      .ear_x = 0.5f, .ear_y = -0.5f, .muz_w = 0.34f, .muz_h = 0.42f,
      .muz_y = 0.72f, .nose = 0.16f, .eyes = EYE_DARK, .eye = 0.15f,
      .eye_x = 0.5f, .eye_y = -0.1f, .snout = 0.8f, .fur = 0.01f,
      .hoof = true, .behind = antlers, .profile = antlers },
    { .name = "giraffe", .dress = dress_giraffe, .poses = POSE_SIDE |
      POSE_FACE, .len = 0.7f, .deep = 0.27f, .leg = 0.85f, .legw = 0.06f,
      .neck = 1.15f, .lift = 1.15f, .head = 0.18f, .tail = 0.5f,
      .tailw = 0.025f, .tipw = 0.03f, .wide = 0.76f, .tall = 0.9f,
      .ear = EAR_LEAF, .ear_w = 0.17f, .ear_h = 0.8f, .ear_x = 0.6f,
      .ear_y = -0.45f, .muz_w = 0.42f, .muz_h = 0.48f, .muz_y = 0.95f,
      .eyes = EYE_DARK, .eye = 0.15f, .eye_x = 0.52f, .eye_y = -0.15f,
      .snout = 0.95f, .hoof = true, .tuft = true, .behind = giraffe_horns,
      .over = nostrils, .profile = giraffe_horns },
    { .name = "elephant", .dress = dress_elephant, .poses = POSE_SIDE |
      POSE_FACE, .len = 0.8f, .deep = 0.44f, .leg = 0.42f, .legw = 0.12f,
      .neck = 0.2f, .lift = 0.5f, .head = 0.32f, .tail = 0.4f,
      .tailw = 0.03f, .tipw = 0.025f, .wide = 0.85f, .tall = 0.95f,
      .ear = EAR_FAN, .ear_w = 0.62f, .ear_h = 0.85f, .ear_x = 0.85f,
      .ear_y = -0.2f, .muz_w = 0.3f, .muz_h = 0.2f, .muz_y = 0.2f,
      .eyes = EYE_BEAD, .eye = 0.08f, .eye_x = 0.45f, .eye_y = 0.0f,
      .tuft = true, .over = trunk },
};

const Breed *breed_named(const char *name)
{
    for (size_t i = 0; i < sizeof breeds / sizeof breeds[0]; i++) {
        if (strcmp(breeds[i].name, name) == 0) {
            return &breeds[i];
        }
    }
    return NULL;
}
