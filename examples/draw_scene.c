/* Backdrops of the drawing program: skies, land, water, rooms and streets,
   each with its own light. Soft and a little pale, so that what stands in
   front of them stays easy to see. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

/* The frame of the whole picture: its height is 1. */
void screen(Pic *p)
{
    p->f = (Frame){ 0.0f, 0.0f, 1.0f, 0.0f, (float)p->h, 1.0f };
}

static float wide(const Pic *p)
{
    return (float)p->w / (float)p->h;
}

void sky(Pic *p, Rgb top, Rgb low)
{
    for (int y = 0; y < p->h; y++) {
        float t = ((float)y + 0.5f) / (float)p->h / fmaxf(p->horizon, 0.2f);
        Rgb c = mixc(top, low, clampf(t, 0.0f, 1.0f));

        for (int x = 0; x < p->w; x++) {
            p->px[(size_t)y * (size_t)p->w + (size_t)x] = c;
        }
    }
}

/* Ground from the horizon down; the noise grows towards the viewer. */
void land(Pic *p, Rgb far_c, Rgb near_c, float rough)
{
    uint32_t seed = random_bits(&p->rng);
    float hf = (float)p->h, h0 = p->horizon * hf;

    for (int y = (int)h0; y < p->h; y++) {
        float t = ((float)y + 0.5f - h0) / fmaxf(hf - h0, 1.0f);
        float deep = 14.0f / (0.15f + t);
        Rgb c = mixc(far_c, near_c, clampf(t, 0.0f, 1.0f));

        for (int x = 0; x < p->w; x++) {
            float u = ((float)x / (float)p->w - 0.5f) * deep;
            float n = fbm(u, deep * 2.2f, seed, 3) - 0.5f;
            float cover = clampf((float)y + 1.0f - h0, 0.0f, 1.0f);
            size_t i = (size_t)y * (size_t)p->w + (size_t)x;

            p->px[i] = mixc(p->px[i], scalec(c, 1.0f + rough * n), cover);
        }
    }
}

/* A far line of hills or mountains with a wandering edge. */
void ridge(Pic *p, float y0, float high, float freq, Rgb c, float haze)
{
    uint32_t seed = random_bits(&p->rng);
    Rgb pale = { 0.80f, 0.86f, 0.92f };
    float hf = (float)p->h;

    for (int x = 0; x < p->w; x++) {
        float n = fbm((float)x / hf * freq, 0.5f, seed, 4);
        float top = (y0 - high * n) * hf;

        for (int y = (int)fmaxf(top, 0.0f); y < p->h; y++) {
            size_t i = (size_t)y * (size_t)p->w + (size_t)x;
            float t = clampf(((float)y - top) / (high * hf), 0.0f, 1.0f);
            float cover = clampf((float)y + 1.0f - top, 0.0f, 1.0f);

            p->px[i] = mixc(p->px[i],
                            mixc(c, pale, haze * (0.5f + 0.5f * t)), cover);
        }
    }
}

void clouds(Pic *p, int n, Rgb c)
{
    screen(p);
    for (int i = 0; i < n; i++) {
        float x = range(&p->rng, 0.0f, wide(p));
        float y = range(&p->rng, 0.02f, p->horizon * 0.8f);
        float k = range(&p->rng, 0.04f, 0.10f);
        Shape s = shape(k * 0.6f);
        Paint m = glow(c, k * 0.9f, range(&p->rng, 0.5f, 0.95f));

        for (int j = 0; j < 5; j++) {
            float r = k * range(&p->rng, 0.4f, 1.0f);

            oval(&s, x + k * ((float)j - 2.0f) * 0.9f, y - r * 0.4f,
                 r * 1.3f, r * 0.8f, 0.0f);
        }
        fill(p, &s, &m);
    }
}

/* n blades of grass whose feet are near the line y. */
void grass(Pic *p, float y, int n, float high, Rgb c)
{
    screen(p);
    for (int i = 0; i < n; i++) {
        float x = range(&p->rng, -0.05f, wide(p) + 0.05f);
        float y1 = y + range(&p->rng, -0.02f, 0.03f);
        float l = high * range(&p->rng, 0.5f, 1.2f);
        float lean = l * range(&p->rng, -0.6f, 0.6f);

        arc(p, (Vec){ x, y1 }, (Vec){ x + lean * 0.2f, y1 - l * 0.7f },
            (Vec){ x + lean, y1 - l }, 0.008f, 0.001f,
            vary(&p->rng, c, 0.25f));
    }
}

void tree_at(Pic *p, float x, float y, float high, Rgb leaf_c)
{
    Shape s = shape(high * 0.1f);
    Paint m = solid(leaf_c, high * 0.22f);
    Rgb bark = vary(&p->rng, rgb(0x6a4a32), 0.2f);

    stroke(p, x, y, x, y - high * 0.5f, high * 0.045f, bark);
    for (int i = 0; i < 6; i++) {
        float a = 1.047f * (float)i;
        float r = high * range(&p->rng, 0.16f, 0.24f);

        oval(&s, x + high * 0.20f * cosf(a),
             y - high * 0.66f + high * 0.16f * sinf(a), r, r * 0.9f, 0.0f);
    }
    m.fur = high * 0.05f;
    m.grain = 0.25f;
    fill(p, &s, &m);
}

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

/* Blurred leaves in the distance. */
void foliage(Pic *p, int n, Rgb c)
{
    screen(p);
    for (int i = 0; i < n; i++) {
        float x = range(&p->rng, -0.1f, wide(p) + 0.1f);
        float y = range(&p->rng, -0.1f, 0.9f);
        float l = range(&p->rng, 0.06f, 0.2f);
        float a = range(&p->rng, 0.0f, 6.283f);
        Shape s = shape(0.0f);
        Paint m = flat(scalec(c, range(&p->rng, 0.55f, 1.5f)));

        leaf(&s, x, y, x + l * cosf(a), y + l * sinf(a),
             l * range(&p->rng, 0.12f, 0.25f));
        m.soft = 0.012f;
        m.alpha = 0.75f;
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

        spot(p, range(&p->rng, 0.0f, wide(p)), y, r, r * 0.8f, c);
    }
}

static void blue_sky(Pic *p)
{
    static const int tops[] = { 0x5a9bd5, 0x7fb2dc, 0x9fb4c7, 0x4f86c6,
                                0xe0a983, 0xb9c6d2 };
    static const int lows[] = { 0xd6e8f5, 0xeef3ee, 0xdfe4e8, 0xf3e6d2,
                                0xfbe3bd, 0xe9ecee };
    int i = pick(&p->rng, 6);

    sky(p, vary(&p->rng, rgb(tops[i]), 0.1f), rgb(lows[i]));
    clouds(p, pick(&p->rng, 4), rgb(0xfbfaf7));
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
        tree_at(p, range(&p->rng, 0.0f, wide(p)), p->horizon + 0.05f,
                range(&p->rng, 0.15f, 0.35f), mixc(g, rgb(0x2f5d3a), 0.5f));
    }
}

static void jungle(Pic *p)
{
    Rgb g = vary(&p->rng, rgb(0x3f7a3c), 0.2f);

    sky(p, scalec(g, 0.55f), mixc(g, rgb(0xd8e8a0), 0.45f));
    foliage(p, 40, g);
    screen(p);
    for (int i = pick(&p->rng, 4); i > 0; i--) {
        float x = range(&p->rng, 0.0f, wide(p));

        stroke(p, x, -0.1f, x + range(&p->rng, -0.1f, 0.1f),
               p->horizon + 0.1f, range(&p->rng, 0.01f, 0.04f),
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
        float x = range(&p->rng, 0.0f, wide(p)), y = p->horizon + 0.03f;
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
        pine_at(p, range(&p->rng, 0.0f, wide(p)), p->horizon + 0.04f,
                range(&p->rng, 0.2f, 0.5f), rgb(0x47695a), true);
    }
    land(p, rgb(0xeef3f8), rgb(0xd8e2ee), 0.12f);
}

static void window_at(Pic *p, float x, float y, float w, float h)
{
    Shape out = shape(0.0f), in = shape(0.0f);
    Paint m = flat(rgb(0xf3efe6));

    box(&out, x, y, w, h, 0.0f, 0.005f);
    fill(p, &out, &m);
    m = flat(vary(&p->rng, rgb(0xa9d0ea), 0.15f));
    box(&in, x, y, w - 0.015f, h - 0.015f, 0.0f, 0.003f);
    fill(p, &in, &m);
    stroke(p, x, y - h, x, y + h, 0.006f, rgb(0xf3efe6));
    stroke(p, x - w, y, x + w, y, 0.006f, rgb(0xf3efe6));
}

static void sofa(Pic *p, float x, Rgb c)
{
    Shape s = shape(0.02f);
    Paint m = solid(c, 0.05f);
    float y = p->horizon;

    box(&s, x, y - 0.08f, 0.42f, 0.16f, 0.0f, 0.05f);
    fill(p, &s, &m);
    s = shape(0.02f);
    box(&s, x, y + 0.06f, 0.44f, 0.07f, 0.0f, 0.04f);
    box(&s, x - 0.43f, y + 0.02f, 0.06f, 0.12f, 0.0f, 0.05f);
    box(&s, x + 0.43f, y + 0.02f, 0.06f, 0.12f, 0.0f, 0.05f);
    fill(p, &s, &m);
}

static void room(Pic *p)
{
    static const int walls[] = { 0xe6d8c3, 0xc9d6cf, 0xd9b8a3, 0xb7c4d4,
                                 0xe3dfd6, 0x9fb09a };
    Rgb wall = vary(&p->rng, rgb(walls[pick(&p->rng, 6)]), 0.06f);
    Rgb floor_c = vary(&p->rng, rgb(chance(&p->rng, 0.6f) ? 0xa87b52
                                                         : 0xb9a58f), 0.15f);
    float x = range(&p->rng, 0.2f, wide(p) - 0.2f);

    sky(p, wall, scalec(wall, 0.9f));
    screen(p);
    if (chance(&p->rng, 0.4f)) {
        for (float u = 0.05f; u < wide(p); u += 0.09f) {
            stroke(p, u, 0.0f, u, 1.0f, 0.016f, scalec(wall, 0.94f));
        }
    }
    if (chance(&p->rng, 0.6f)) {
        window_at(p, x, 0.22f, 0.17f, 0.2f);
    }
    land(p, floor_c, scalec(floor_c, 0.9f), 0.12f);
    screen(p);
    stroke(p, 0.0f, p->horizon, wide(p), p->horizon, 0.012f, rgb(0xf4f0e8));
    if (chance(&p->rng, 0.5f)) {
        sofa(p, range(&p->rng, 0.1f, wide(p)),
             vary(&p->rng, rgb(walls[pick(&p->rng, 6)] & 0xc0a0b0), 0.2f));
    }
    if (chance(&p->rng, 0.6f)) {
        spot(p, wide(p) * 0.5f, 0.92f, 0.55f, 0.12f,
             vary(&p->rng, rgb(walls[pick(&p->rng, 6)] & 0xd0c0c0), 0.15f));
    }
}

static void night(Pic *p)
{
    float x = range(&p->rng, 0.1f, wide(p) - 0.1f);
    float y = range(&p->rng, 0.08f, 0.25f);

    sky(p, rgb(0x1a2550), rgb(0x54689c));
    screen(p);
    for (int i = 0; i < 40; i++) {
        float r = range(&p->rng, 0.002f, 0.005f);

        spot(p, range(&p->rng, 0.0f, wide(p)), range(&p->rng, 0.0f, 0.6f),
             r, r, rgb(0xf5f2d8));
    }
    shadow(p, x, y, 0.0f + 0.09f, 0.09f, 0.0f);
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
    box(&s, wide(p) * 0.5f, sea + 0.3f, wide(p), 0.3f, 0.0f, 0.0f);
    fill(p, &s, &m);
    for (int i = 0; i < 8; i++) {
        float x = range(&p->rng, 0.0f, wide(p));
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
        float x = range(&p->rng, 0.0f, wide(p));
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
        float x = range(&p->rng, 0.0f, wide(p));
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
        float x = range(&p->rng, 0.0f, wide(p));
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

        spot(p, range(&p->rng, 0.0f, wide(p)), range(&p->rng, 0.0f, 0.8f),
             r, r, mixc(c, rgb(0xffffff), 0.5f));
    }
}

static void street(Pic *p)
{
    static const int walls[] = { 0xc98b6b, 0xd8c09a, 0xa8b0b8, 0xb5675a,
                                 0x93a58c };
    float x = range(&p->rng, -0.2f, 0.0f);

    blue_sky(p);
    screen(p);
    while (x < wide(p)) {
        float w = range(&p->rng, 0.25f, 0.5f);
        float top = p->horizon - range(&p->rng, 0.2f, 0.5f);
        Rgb c = vary(&p->rng, rgb(walls[pick(&p->rng, 5)]), 0.1f);
        Shape s = shape(0.0f);
        Paint m = flat(c);

        box(&s, x + w * 0.5f, top + 0.4f, w * 0.49f, 0.4f, 0.0f, 0.0f);
        fill(p, &s, &m);
        for (float u = x + 0.06f; u < x + w - 0.05f; u += 0.09f) {
            for (float v = top + 0.06f; v < p->horizon - 0.06f; v += 0.12f) {
                spot(p, u, v, 0.022f, 0.032f, scalec(c, 0.55f));
            }
        }
        x += w;
    }
    land(p, rgb(0xb5b2ac), rgb(0x8f8d8a), 0.12f);
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

        ball(p, range(&p->rng, 0.0f, wide(p)), p->horizon + 0.06f, k * 1.4f,
             k, vary(&p->rng, c, 0.15f));
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
