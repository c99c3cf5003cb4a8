/* Backdrops of the drawing program: skies, land, water, rooms and streets,
   each with its own light. Soft and a little pale, so that what stands in
   front of them stays easy to see. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

static void pine_at(Pic *p, float x, float y, float high, Rgb c, bool snowy)
{
    Paint m = flat(c);

    stroke(p, x, y, x, y - high * 0.3f, high * 0.03f, rgb(0x4a382a));
    for (int i = 0; i < 4; i++) {
        float t = (float)i / 4.0f, half = high * 0.26f * (1.0f - t * 0.75f);
        float y1 = y - high * (0.12f + 0.72f * t);
        Shape s = shape(0.0f);

        m.base = mixc(scalec(c, 0.85f + 0.1f * (float)i), rgb(0xffffff),
                      snowy ? 0.25f + 0.12f * (float)i : 0.0f);
        m.fur = high * 0.02f;
        tri(&s, (Vec){ x - half, y1 }, (Vec){ x + half, y1 },
            (Vec){ x, y1 - high * 0.34f }, 0.0f);
        fill(p, &s, &m);
    }
}

static void flowers(Pic *p, int n)
{
    static const int colours[] = { 0xf4d03f, 0xf7f4ea, 0xd96aa0, 0xe2574c,
                                   0x8e6bc4 };
    Rgb c = rgb(colours[pick(&p->rng, 5)]);

    screen(p);
    for (int i = 0; i < n; i++) {
        float t = unit(&p->rng);
        float y = lerp(p->horizon + 0.04f, 1.0f, t);
        float r = lerp(0.004f, 0.011f, t);

        spot(p, range(&p->rng, 0.0f, aspect(p)), y, r, r * 0.8f, c);
    }
}

static Rgb green(Pic *p)
{
    static const int greens[] = { 0x6d9a3f, 0x88a84a, 0x4f8a45, 0x9aa653,
                                  0x5f9152 };

    return vary(&p->rng, rgb(greens[pick(&p->rng, 5)]), 0.15f);
}

static void meadow(Pic *p)
{
    Rgb g = green(p);

    blue_sky(p);
    ridge(p, p->horizon + 0.03f, 0.18f, 3.0f, scalec(g, 0.8f), 0.45f);
    land(p, mixc(g, rgb(0xdfe6b0), 0.3f), scalec(g, 0.8f), 0.35f);
    if (chance(&p->rng, 0.6f)) {
        flowers(p, 30);
    }
}

static void hills(Pic *p)
{
    Rgb g = green(p);

    blue_sky(p);
    ridge(p, p->horizon, 0.35f, 2.0f, rgb(0x6f86a0), 0.55f);
    ridge(p, p->horizon + 0.05f, 0.25f, 2.6f, scalec(g, 0.8f), 0.25f);
    land(p, g, scalec(g, 0.75f), 0.4f);
    screen(p);
    for (int i = pick(&p->rng, 4); i > 0; i--) {
        float x = range(&p->rng, 0.0f, aspect(p));

        tree_at(p, x, p->horizon + 0.05f, range(&p->rng, 0.15f, 0.35f),
                mixc(g, rgb(0x2f5d3a), 0.5f));
    }
}

static void jungle(Pic *p)
{
    Rgb g = vary(&p->rng, rgb(0x3f7a3c), 0.2f);

    sky(p, scalec(g, 0.55f), mixc(g, rgb(0xd8e8a0), 0.45f));
    foliage(p, 40, g);
    screen(p);
    for (int i = pick(&p->rng, 4); i > 0; i--) {
        float x = range(&p->rng, 0.0f, aspect(p));
        float lean = range(&p->rng, -0.1f, 0.1f);
        float r = range(&p->rng, 0.01f, 0.04f);

        stroke(p, x, -0.1f, x + lean, p->horizon + 0.1f, r,
               vary(&p->rng, rgb(0x4a4030), 0.2f));
    }
    land(p, mixc(g, rgb(0x8a7a4a), 0.4f), scalec(rgb(0x5a5a34), 0.9f), 0.5f);
    foliage(p, 12, scalec(g, 1.1f));
}

static void savanna(Pic *p)
{
    Rgb dry = vary(&p->rng, rgb(0xcfae62), 0.12f);

    sky(p, rgb(chance(&p->rng, 0.5f) ? 0x8fbfe0 : 0xf0b27a), rgb(0xfbeac8));
    ridge(p, p->horizon + 0.01f, 0.12f, 2.0f, rgb(0x9a8a78), 0.5f);
    screen(p);
    for (int i = pick(&p->rng, 3); i > 0; i--) {
        float x = range(&p->rng, 0.0f, aspect(p)), y = p->horizon + 0.03f;
        float h = range(&p->rng, 0.2f, 0.35f);
        Rgb top = vary(&p->rng, rgb(0x7d8a45), 0.15f);

        stroke(p, x, y, x + 0.02f, y - h * 0.8f, 0.012f, rgb(0x6a5138));
        ball(p, x + 0.02f, y - h, h * 0.7f, h * 0.22f, top);
    }
    land(p, dry, scalec(dry, 0.8f), 0.35f);
    grass(p, p->horizon + 0.1f, 25, 0.08f, scalec(dry, 0.85f));
}

static void snow(Pic *p)
{
    sky(p, vary(&p->rng, rgb(0x9fb9d3), 0.12f), rgb(0xeaf0f5));
    ridge(p, p->horizon, 0.4f, 2.2f, rgb(0xa9bccd), 0.4f);
    screen(p);
    for (int i = 2 + pick(&p->rng, 5); i > 0; i--) {
        float x = range(&p->rng, 0.0f, aspect(p));

        pine_at(p, x, p->horizon + 0.04f, range(&p->rng, 0.2f, 0.5f),
                rgb(0x47695a), true);
    }
    land(p, rgb(0xeef3f8), rgb(0xd8e2ee), 0.12f);
}

static void night(Pic *p)
{
    float x = range(&p->rng, 0.1f, aspect(p) - 0.1f);
    float y = range(&p->rng, 0.08f, 0.25f);

    sky(p, rgb(0x1a2550), rgb(0x54689c));
    screen(p);
    for (int i = 0; i < 40; i++) {
        float r = range(&p->rng, 0.002f, 0.005f);
        float u = range(&p->rng, 0.0f, aspect(p));

        spot(p, u, range(&p->rng, 0.0f, 0.6f), r, r, rgb(0xf5f2d8));
    }
    spot(p, x, y, 0.05f, 0.05f, rgb(0xfdf6d8));
    ridge(p, p->horizon + 0.03f, 0.25f, 2.5f, rgb(0x33436b), 0.1f);
    land(p, rgb(0x4a6470), rgb(0x35504a), 0.4f);
    p->tint = (Rgb){ 0.66f, 0.74f, 0.98f };
}

static void beach(Pic *p)
{
    float sea = p->horizon * 0.75f;
    Rgb water = vary(&p->rng, rgb(0x3f9fb8), 0.15f);
    Shape s = shape(0.0f);
    Paint m = flat(water);

    blue_sky(p);
    screen(p);
    box(&s, aspect(p) * 0.5f, sea + 0.3f, aspect(p), 0.3f, 0.0f, 0.0f);
    fill(p, &s, &m);
    for (int i = 0; i < 8; i++) {
        float x = range(&p->rng, 0.0f, aspect(p));
        float y = range(&p->rng, sea + 0.02f, p->horizon);

        stroke(p, x, y, x + 0.15f, y, 0.003f, mixc(water, rgb(0xffffff),
                                                   0.6f));
    }
    land(p, rgb(0xf0e2bf), rgb(0xdcc594), 0.15f);
}

static void forest(Pic *p)
{
    Rgb g = vary(&p->rng, rgb(chance(&p->rng, 0.7f) ? 0x6f9a58 : 0xc98f45),
                 0.15f);

    sky(p, mixc(g, rgb(0xf4f6dc), 0.35f), mixc(g, rgb(0xf4f6dc), 0.65f));
    foliage(p, 25, mixc(g, rgb(0xe8eecb), 0.35f));
    screen(p);
    for (int i = 5 + pick(&p->rng, 5); i > 0; i--) {
        float x = range(&p->rng, 0.0f, aspect(p));
        float r = range(&p->rng, 0.012f, 0.045f);
        Rgb bark = mixc(rgb(0x6b5340), rgb(0xcfd6bd),
                        0.6f - clampf(r * 14.0f, 0.0f, 0.6f));

        stroke(p, x, -0.1f, x, p->horizon + r * 1.5f, r, bark);
    }
    land(p, mixc(g, rgb(0x9a8250), 0.5f), mixc(g, rgb(0x5a4a30), 0.55f),
         0.5f);
}

static void pond(Pic *p)
{
    Rgb water = vary(&p->rng, rgb(0x5d93a6), 0.15f);

    blue_sky(p);
    ridge(p, p->horizon + 0.02f, 0.2f, 3.0f, green(p), 0.25f);
    land(p, mixc(water, rgb(0xd5e8ee), 0.4f), water, 0.25f);
    screen(p);
    for (int i = 3 + pick(&p->rng, 5); i > 0; i--) {
        float x = range(&p->rng, 0.0f, aspect(p));
        float y = range(&p->rng, p->horizon + 0.1f, 1.0f);

        ball(p, x, y, 0.08f, 0.025f, vary(&p->rng, rgb(0x5f9a4a), 0.2f));
    }
    grass(p, p->horizon + 0.05f, 24, 0.2f, rgb(0x5f8a44));
}

static void open_sky(Pic *p)
{
    p->horizon = 1.0f;
    blue_sky(p);
    clouds(p, 2, rgb(0xfdfcfa));
}

static void deep(Pic *p)
{
    Rgb c = vary(&p->rng, rgb(0x2f86b0), 0.2f);

    sky(p, mixc(c, rgb(0xbfeaf0), 0.55f), scalec(c, 0.6f));
    screen(p);
    for (int i = 0; i < 5; i++) {
        float x = range(&p->rng, 0.0f, aspect(p));
        Shape s = shape(0.0f);
        Paint m = glow(rgb(0xe8fbff), 0.03f, 0.13f);

        tri(&s, (Vec){ x, -0.1f }, (Vec){ x - 0.3f, 0.9f },
            (Vec){ x - 0.16f, 0.9f }, 0.0f);
        fill(p, &s, &m);
    }
    land(p, mixc(c, rgb(0xd9cba0), 0.45f), mixc(c, rgb(0xcbb98a), 0.6f),
         0.25f);
    grass(p, 1.0f, 14, 0.4f, rgb(0x3f8a62));
    for (int i = 0; i < 8; i++) {
        float r = range(&p->rng, 0.006f, 0.018f);
        float x = range(&p->rng, 0.0f, aspect(p));

        spot(p, x, range(&p->rng, 0.0f, 0.8f), r, r,
             mixc(c, rgb(0xffffff), 0.5f));
    }
}

static void rocks(Pic *p)
{
    Rgb c = vary(&p->rng, rgb(0x9a9188), 0.12f);

    blue_sky(p);
    ridge(p, p->horizon, 0.5f, 2.5f, scalec(c, 0.85f), 0.35f);
    land(p, c, scalec(c, 0.85f), 0.5f);
    screen(p);
    for (int i = 4; i > 0; i--) {
        float k = range(&p->rng, 0.06f, 0.16f);
        float x = range(&p->rng, 0.0f, aspect(p));

        ball(p, x, p->horizon + 0.06f, k * 1.4f, k,
             vary(&p->rng, c, 0.15f));
    }
}

static const struct { int where; Backdrop paint; } backdrops[] = {
    { AT_MEADOW, meadow }, { AT_HILLS, hills }, { AT_JUNGLE, jungle },
    { AT_SAVANNA, savanna }, { AT_SNOW, snow }, { AT_ROOM, room },
    { AT_NIGHT, night }, { AT_BEACH, beach }, { AT_FOREST, forest },
    { AT_POND, pond }, { AT_SKY, open_sky }, { AT_DEEP, deep },
    { AT_STREET, street }, { AT_ROCKS, rocks },
};

enum { BACKDROPS = (int)(sizeof backdrops / sizeof backdrops[0]) };

/* Draws one of the backdrops whose bits are in where, picked at random. */
void backdrop(Pic *p, int where)
{
    int n = 0, i = 0, left;

    for (i = 0; i < BACKDROPS; i++) {
        n += (where & backdrops[i].where) != 0;
    }
    left = pick(&p->rng, n);
    for (i = 0; i < BACKDROPS; i++) {
        if ((where & backdrops[i].where) != 0 && left-- == 0) {
            break;
        }
    }
    p->horizon = range(&p->rng, 0.42f, 0.64f);
    p->where = backdrops[i].where;
    backdrops[i].paint(p);
    screen(p);
}
