/* What lives in and by the water: fish, whale, turtle and frog. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

static void one_fish(Pic *p, Rgb main, Rgb mark, Pattern pattern)
{
    Coat coat = coat_of(&p->rng, pattern, main, mark,
                        mixc(main, rgb(0xffffff), 0.6f));
    Shape s = shape(0.1f);
    Paint m = solid(mark, 0.25f);
    float high = range(&p->rng, 0.32f, 0.52f);

    coat.scale = pattern == coat_tiles ? 7.0f : 3.0f;
    coat.amount = 0.35f;
    coat.belly = 0.8f;
    tri(&s, (Vec){ -0.55f, 0.0f }, (Vec){ -1.0f, -0.38f },
        (Vec){ -1.0f, 0.38f }, 0.05f);
    m.grain = 0.2f;
    fill(p, &s, &m);
    s = shape(0.05f);
    tri(&s, (Vec){ -0.35f, -high * 0.6f }, (Vec){ 0.3f, -high * 0.7f },
        (Vec){ -0.3f, -high * 1.45f }, 0.04f);
    tri(&s, (Vec){ -0.2f, high * 0.7f }, (Vec){ 0.15f, high * 0.7f },
        (Vec){ -0.25f, high * 1.35f }, 0.03f);
    fill(p, &s, &m);
    s = shape(0.1f);
    m = furry(&coat, high * 0.9f, 0.0f);
    m.gloss = 0.25f;
    oval(&s, 0.05f, 0.0f, 0.72f, high, 0.0f);
    cone(&s, -0.2f, 0.0f, high * 0.6f, -0.65f, 0.0f, 0.09f);
    fill(p, &s, &m);
    leaf(&s, 0.1f, 0.1f, -0.3f, 0.25f, 0.1f);
    bead(p, 0.48f, -0.1f, 0.1f);
    arc(p, (Vec){ 0.3f, -high * 0.6f }, (Vec){ 0.2f, 0.0f },
        (Vec){ 0.3f, high * 0.6f }, 0.015f, 0.015f, scalec(main, 0.6f));
    arc(p, (Vec){ 0.75f, 0.06f }, (Vec){ 0.68f, 0.14f },
        (Vec){ 0.6f, 0.12f }, 0.02f, 0.015f, scalec(main, 0.45f));
}

void paint_fish(Pic *p)
{
    static const Pattern patterns[] = { coat_plain, coat_bands, coat_tiles,
                                        coat_patches };
    Rgb main = bright(&p->rng), mark = bright(&p->rng);
    Pattern f = patterns[pick(&p->rng, 4)];

    if (chance(&p->rng, 0.3f)) {
        hover(p, 1.0f, 0.3f, 0.45f, 0.2f);
        p->f.ox = (float)p->w * range(&p->rng, 0.15f, 0.3f);
        p->f.oy = (float)p->h * range(&p->rng, 0.15f, 0.3f);
        one_fish(p, main, mark, f);
    }
    hover(p, 1.0f, 0.75f, 1.1f, 0.25f);
    one_fish(p, main, mark, f);
}

void paint_whale(Pic *p)
{
    Rgb main = vary(&p->rng, rgb(0x4a6a8c), 0.2f);
    Rgb pale = rgb(0xe4ecf0);
    Shape s = shape(0.15f);
    Paint m = solid(main, 0.4f);

    hover(p, 1.0f, 0.9f, 1.25f, 0.2f);
    cone(&s, -0.4f, 0.0f, 0.2f, -0.95f, -0.3f, 0.06f);
    oval(&s, -1.05f, -0.42f, 0.2f, 0.07f, 0.6f);
    oval(&s, -0.85f, -0.42f, 0.2f, 0.07f, -0.5f);
    oval(&s, 0.25f, 0.0f, 0.72f, 0.42f, 0.0f);
    cone(&s, 0.0f, 0.0f, 0.36f, -0.5f, -0.02f, 0.16f);
    fill(p, &s, &m);
    s = shape(0.0f);
    m = glow(pale, 0.08f, 0.95f);
    oval(&s, 0.38f, 0.26f, 0.5f, 0.15f, -0.08f);
    fill(p, &s, &m);
    for (int i = 0; i < 4; i++) {
        float y = 0.2f + 0.05f * (float)i;

        stroke(p, 0.05f + 0.08f * (float)i, y, 0.8f - 0.05f * (float)i,
               y - 0.02f, 0.01f, scalec(pale, 0.7f));
    }
    s = shape(0.0f);
    m = solid(scalec(main, 0.85f), 0.1f);
    leaf(&s, 0.15f, 0.22f, -0.2f, 0.68f, 0.13f);
    fill(p, &s, &m);
    bead(p, 0.68f, 0.02f, 0.055f);
    arc(p, (Vec){ 0.95f, 0.1f }, (Vec){ 0.8f, 0.2f }, (Vec){ 0.6f, 0.14f },
        0.018f, 0.012f, scalec(main, 0.5f));
}

void paint_turtle(Pic *p)
{
    Rgb skin = vary(&p->rng, rgb(0x86a555), 0.2f);
    Rgb shell = vary(&p->rng, rgb(0x7a6034), 0.25f);
    Coat coat = coat_of(&p->rng, coat_tiles, scalec(shell, 0.5f), shell,
                        shell);
    Shape s = shape(0.05f);
    Paint m = solid(scalec(skin, 0.8f), 0.12f);

    coat.scale = 3.6f;
    place(p, (Bounds){ -0.95f, -0.7f, 1.15f, 0.42f }, 0.75f, 1.0f);
    shadow(p, 0.0f, 0.4f, 0.9f, 0.1f, 0.5f);
    oval(&s, -0.5f, 0.28f, 0.17f, 0.16f, 0.3f);
    oval(&s, 0.45f, 0.28f, 0.17f, 0.16f, -0.3f);
    cone(&s, -0.75f, 0.15f, 0.06f, -0.95f, 0.22f, 0.015f);
    fill(p, &s, &m);
    s = shape(0.1f);
    m = solid(skin, 0.16f);
    m.grain = 0.1f;
    cone(&s, 0.55f, 0.1f, 0.12f, 0.85f, -0.12f, 0.13f);
    oval(&s, 0.92f, -0.16f, 0.2f, 0.17f, 0.1f);
    fill(p, &s, &m);
    s = shape(0.05f);
    m = furry(&coat, 0.4f, 0.0f);
    m.gloss = 0.2f;
    oval(&s, 0.0f, -0.10f, 0.78f, 0.50f, 0.0f);
    fill(p, &s, &m);
    s = shape(0.0f);
    m = solid(mixc(shell, rgb(0xe8d9a8), 0.5f), 0.1f);
    box(&s, 0.0f, 0.24f, 0.74f, 0.10f, 0.0f, 0.1f);
    fill(p, &s, &m);
    s = shape(0.05f);
    m = solid(skin, 0.12f);
    cone(&s, -0.35f, 0.3f, 0.13f, -0.42f, 0.38f, 0.11f);
    cone(&s, 0.32f, 0.3f, 0.13f, 0.4f, 0.38f, 0.11f);
    fill(p, &s, &m);
    bead(p, 0.98f, -0.2f, 0.045f);
}

void paint_frog(Pic *p)
{
    static const int mains[] = { 0x5fa83c, 0x8ab83a, 0x3f9a6a, 0xc9803a };
    Rgb main = vary(&p->rng, rgb(mains[pick(&p->rng, 4)]), 0.12f);
    Rgb pale = mixc(main, rgb(0xf4f0cc), 0.7f);
    Shape s = shape(0.1f);
    Paint m = solid(scalec(main, 0.9f), 0.2f);

    place(p, (Bounds){ -0.95f, -0.85f, 0.95f, 0.5f }, 0.75f, 1.0f);
    shadow(p, 0.0f, 0.47f, 0.85f, 0.09f, 0.5f);
    oval(&s, -0.62f, 0.2f, 0.28f, 0.26f, 0.4f);
    oval(&s, 0.62f, 0.2f, 0.28f, 0.26f, -0.4f);
    cone(&s, -0.6f, 0.43f, 0.07f, -0.9f, 0.45f, 0.05f);
    cone(&s, 0.6f, 0.43f, 0.07f, 0.9f, 0.45f, 0.05f);
    fill(p, &s, &m);
    s = shape(0.15f);
    m = solid(main, 0.4f);
    m.gloss = 0.3f;
    m.grain = 0.08f;
    oval(&s, 0.0f, 0.08f, 0.56f, 0.42f, 0.0f);
    oval(&s, 0.0f, -0.3f, 0.52f, 0.32f, 0.0f);
    oval(&s, -0.3f, -0.58f, 0.18f, 0.18f, 0.0f);
    oval(&s, 0.3f, -0.58f, 0.18f, 0.18f, 0.0f);
    fill(p, &s, &m);
    s = shape(0.0f);
    m = glow(pale, 0.1f, 0.95f);
    oval(&s, 0.0f, 0.18f, 0.38f, 0.28f, 0.0f);
    fill(p, &s, &m);
    arc(p, (Vec){ -0.42f, -0.24f }, (Vec){ 0.0f, 0.02f },
        (Vec){ 0.42f, -0.24f }, 0.022f, 0.022f, scalec(main, 0.4f));
    bead(p, -0.3f, -0.6f, 0.125f);
    bead(p, 0.3f, -0.6f, 0.125f);
    s = shape(0.05f);
    m = solid(main, 0.08f);
    cone(&s, -0.3f, 0.2f, 0.1f, -0.28f, 0.44f, 0.08f);
    cone(&s, 0.3f, 0.2f, 0.1f, 0.28f, 0.44f, 0.08f);
    fill(p, &s, &m);
}
