/* Things: house, boat, car, balloon, flower, cactus, mushroom, tree. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

static const int paints[] = { 0xc8453a, 0x3f78b8, 0xe2b13c, 0x4f9a6a,
                              0xe9e4da, 0x55585f, 0x8a5aa0 };

static Rgb painted(Rng *r)
{
    return vary(r, rgb(paints[pick(r, 7)]), 0.12f);
}

static void block(Pic *p, float x, float y, float hx, float hy, float round,
                  Rgb c)
{
    Shape s = shape(0.0f);
    Paint m = flat(c);

    box(&s, x, y, hx, hy, 0.0f, round);
    m.grain = 0.06f;
    fill(p, &s, &m);
}

void paint_house(Pic *p)
{
    static const int walls[] = { 0xf0e4cc, 0xd98f6a, 0xe8e8e4, 0xb5c4c9,
                                 0xe6c98a };
    Rgb wall = vary(&p->rng, rgb(walls[pick(&p->rng, 5)]), 0.06f);
    Rgb roof = vary(&p->rng, rgb(chance(&p->rng, 0.5f) ? 0xa8483a
                                                       : 0x5a5560), 0.15f);
    Rgb pane = rgb(chance(&p->rng, 0.4f) ? 0xf6d98a : 0x8fb8d0);
    float w = range(&p->rng, 0.7f, 0.95f), top = range(&p->rng, 0.5f, 0.8f);
    Shape s = shape(0.0f);
    Paint m = flat(roof);

    place(p, (Bounds){ -1.1f, -1.1f, 1.1f, 0.5f }, 0.7f, 1.0f);
    shadow(p, 0.0f, 0.5f, 1.1f, 0.08f, 0.5f);
    block(p, 0.45f, -top, 0.09f, 0.25f, 0.0f, scalec(wall, 0.7f));
    block(p, 0.0f, 0.1f, w, 0.4f, 0.0f, wall);
    block(p, w * 0.75f, 0.1f, w * 0.25f, 0.4f, 0.0f, scalec(wall, 0.85f));
    tri(&s, (Vec){ -w - 0.12f, -0.28f }, (Vec){ w + 0.12f, -0.28f },
        (Vec){ 0.0f, -0.3f - top }, 0.02f);
    m.grain = 0.25f;
    fill(p, &s, &m);
    block(p, 0.0f, 0.25f, 0.13f, 0.25f, 0.02f, painted(&p->rng));
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        block(p, side * w * 0.6f, 0.06f, 0.16f, 0.15f, 0.0f,
              rgb(0xf8f4ea));
        block(p, side * w * 0.6f, 0.06f, 0.13f, 0.12f, 0.0f, pane);
        stroke(p, side * w * 0.6f, -0.06f, side * w * 0.6f, 0.18f, 0.012f,
               rgb(0xf8f4ea));
    }
    spot(p, 0.0f, -0.52f, 0.1f, 0.1f, pane);
}

void paint_boat(Pic *p)
{
    Rgb water = vary(&p->rng, rgb(0x3f7fa8), 0.2f), hull = painted(&p->rng);
    Rgb sail = chance(&p->rng, 0.6f) ? rgb(0xf6f0e2) : painted(&p->rng);
    Shape s = shape(0.05f);
    Paint m = solid(hull, 0.2f);
    Rgb low = rgb(chance(&p->rng, 0.3f) ? 0xf6cfa0 : 0xdcebf4);

    sky(p, vary(&p->rng, rgb(0x6fa8d8), 0.15f), low);
    clouds(p, pick(&p->rng, 4), rgb(0xfbfaf6));
    land(p, mixc(water, low, 0.4f), water, 0.35f);
    place(p, (Bounds){ -1.0f, -1.7f, 1.0f, 0.35f }, 0.65f, 0.95f);
    stroke(p, 0.0f, 0.0f, 0.0f, -1.65f, 0.03f, rgb(0x6a4a32));
    cone(&s, -0.6f, 0.0f, 0.2f, 0.7f, 0.0f, 0.2f);
    tri(&s, (Vec){ -0.8f, -0.18f }, (Vec){ 1.0f, -0.2f },
        (Vec){ 0.5f, 0.2f }, 0.02f);
    fill(p, &s, &m);
    stroke(p, -0.8f, -0.13f, 0.95f, -0.15f, 0.03f, rgb(0xf4efe4));
    s = shape(0.0f);
    m = solid(sail, 0.5f);
    tri(&s, (Vec){ 0.06f, -1.55f }, (Vec){ 0.06f, -0.32f },
        (Vec){ 0.85f, -0.32f }, 0.01f);
    fill(p, &s, &m);
    s = shape(0.0f);
    m.base = scalec(sail, 0.88f);
    tri(&s, (Vec){ -0.06f, -1.3f }, (Vec){ -0.06f, -0.32f },
        (Vec){ -0.65f, -0.32f }, 0.01f);
    fill(p, &s, &m);
    for (int i = 0; i < 6; i++) {
        float x = range(&p->rng, -1.0f, 0.6f), y = 0.2f + 0.05f * (float)i;

        stroke(p, x, y, x + 0.5f, y, 0.014f, mixc(water, low, 0.7f));
    }
}

void paint_car(Pic *p)
{
    Rgb c = painted(&p->rng), glass = rgb(0xa9c9d9);
    float tall = range(&p->rng, 0.42f, 0.62f);
    float back = range(&p->rng, 0.45f, 0.85f);
    Shape s = shape(0.12f);
    Paint m = solid(c, 0.22f);

    place(p, (Bounds){ -1.15f, -0.75f, 1.15f, 0.42f }, 0.75f, 1.0f);
    shadow(p, 0.0f, 0.4f, 1.1f, 0.09f, 0.65f);
    box(&s, 0.0f, 0.05f, 1.08f, 0.22f, 0.0f, 0.14f);
    box(&s, -0.12f, -tall * 0.45f, back * 0.75f, tall * 0.45f, 0.0f, 0.2f);
    m.gloss = 0.5f;
    fill(p, &s, &m);
    block(p, -0.12f - back * 0.34f, -tall * 0.45f, back * 0.28f,
          tall * 0.26f, 0.06f, glass);
    block(p, -0.12f + back * 0.34f, -tall * 0.45f, back * 0.28f,
          tall * 0.26f, 0.06f, glass);
    stroke(p, -1.0f, 0.1f, 1.0f, 0.1f, 0.012f, scalec(c, 0.6f));
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        ball(p, side * 0.62f, 0.22f, 0.22f, 0.22f, rgb(0x2a2a2c));
        ball(p, side * 0.62f, 0.22f, 0.11f, 0.11f, rgb(0xc9ccd0));
    }
    spot(p, 1.02f, 0.0f, 0.06f, 0.07f, rgb(0xfbeeb0));
    spot(p, -1.04f, 0.0f, 0.04f, 0.06f, rgb(0xc8322a));
}

void paint_balloon(Pic *p)
{
    Rgb a = painted(&p->rng), b = painted(&p->rng);
    Shape s = shape(0.1f);
    Coat coat = coat_of(&p->rng, coat_bands, a, b, a);
    Paint m = furry(&coat, 0.6f, 0.0f);

    hover(p, 1.1f, 0.8f, 1.05f, 0.12f);
    coat.scale = range(&p->rng, 2.0f, 3.5f);
    if (chance(&p->rng, 0.4f)) {
        coat.ax = 0.0f;
        coat.ay = 1.0f;
    }
    m.grain = 0.0f;
    stroke(p, -0.4f, 0.3f, -0.12f, 0.85f, 0.012f, rgb(0x5a4a3a));
    stroke(p, 0.4f, 0.3f, 0.12f, 0.85f, 0.012f, rgb(0x5a4a3a));
    oval(&s, 0.0f, -0.35f, 0.68f, 0.68f, 0.0f);
    cone(&s, 0.0f, -0.05f, 0.5f, 0.0f, 0.5f, 0.14f);
    fill(p, &s, &m);
    block(p, 0.0f, 0.95f, 0.16f, 0.12f, 0.04f, rgb(0x9a6f42));
    stroke(p, -0.16f, 0.85f, 0.16f, 0.85f, 0.025f, rgb(0x6f4c2c));
}

static void bloom(Pic *p, float x, float y, float r, Rgb c, int petals)
{
    for (int i = 0; i < petals; i++) {
        float a = 6.2832f * (float)i / (float)petals;
        Shape s = shape(0.0f);
        Paint m = solid(scalec(c, i % 2 == 0 ? 1.0f : 0.9f), r * 0.3f);

        oval(&s, x + r * 0.62f * cosf(a), y + r * 0.62f * sinf(a), r * 0.45f,
             r * 2.0f / (float)petals, a);
        fill(p, &s, &m);
    }
    ball(p, x, y, r * 0.34f, r * 0.34f, rgb(0xe8b83a));
}

void paint_flower(Pic *p)
{
    static const int colours[] = { 0xf6f2ea, 0xe2574c, 0xe87ba4, 0xf4c53a,
                                   0x8e6bc4, 0x6f8fe0 };
    Rgb c = vary(&p->rng, rgb(colours[pick(&p->rng, 6)]), 0.1f);
    Rgb stem = vary(&p->rng, rgb(0x4f8a3c), 0.15f);
    int petals = 5 + pick(&p->rng, 6), n = 1 + pick(&p->rng, 3);

    place(p, (Bounds){ -0.8f, -1.1f, 0.8f, 1.1f }, 0.85f, 1.05f);
    for (int i = 0; i < n; i++) {
        float x = n == 1 ? 0.0f : -0.5f + 1.0f * (float)i / (float)(n - 1);
        float y = range(&p->rng, -0.7f, -0.3f);
        float r = n == 1 ? 0.6f : range(&p->rng, 0.35f, 0.48f);
        Shape s = shape(0.0f);
        Paint m = solid(stem, 0.06f);

        arc(p, (Vec){ x * 0.3f, 1.1f }, (Vec){ x * 0.4f, 0.3f },
            (Vec){ x, y }, 0.05f, 0.035f, stem);
        leaf(&s, x * 0.35f, 0.75f, x * 0.35f + (i % 2 ? 0.5f : -0.5f), 0.4f,
             0.11f);
        fill(p, &s, &m);
        bloom(p, x, y, r, c, petals);
    }
}

void paint_cactus(Pic *p)
{
    Rgb g = vary(&p->rng, rgb(0x4f8f57), 0.2f);
    float l = range(&p->rng, -0.2f, 0.25f), r = range(&p->rng, -0.3f, 0.2f);
    Shape s = shape(0.08f);
    Paint m = solid(g, 0.17f);

    place(p, (Bounds){ -0.8f, -1.1f, 0.8f, 1.0f }, 0.8f, 1.0f);
    shadow(p, 0.0f, 0.98f, 0.6f, 0.08f, 0.5f);
    cone(&s, 0.0f, 0.9f, 0.2f, 0.0f, -0.85f, 0.19f);
    cone(&s, 0.0f, 0.3f + l, 0.12f, -0.5f, 0.2f + l, 0.12f);
    cone(&s, -0.5f, 0.2f + l, 0.12f, -0.52f, -0.35f + l, 0.11f);
    cone(&s, 0.0f, 0.2f + r, 0.12f, 0.5f, 0.1f + r, 0.12f);
    cone(&s, 0.5f, 0.1f + r, 0.12f, 0.52f, -0.5f + r, 0.11f);
    fill(p, &s, &m);
    for (float x = -0.1f; x < 0.15f; x += 0.1f) {
        stroke(p, x, 0.9f, x, -0.9f, 0.012f, scalec(g, 0.7f));
    }
    for (int i = 0; i < 26; i++) {
        float y = range(&p->rng, -0.9f, 0.85f), x = range(&p->rng, -0.18f,
                                                          0.18f);

        stroke(p, x, y, x + 0.04f, y - 0.03f, 0.009f, rgb(0xf2ecd0));
    }
    if (chance(&p->rng, 0.5f)) {
        bloom(p, 0.0f, -1.05f, 0.16f, rgb(0xe87ba4), 6);
    }
}

static void cap(Pic *p, float x, float y, float k, Rgb c, bool dotted)
{
    Shape s = shape(0.05f * k);
    Paint m = solid(rgb(0xf2e9d6), 0.15f * k);

    cone(&s, x, y - 0.1f * k, 0.15f * k, x, y - 0.75f * k, 0.12f * k);
    fill(p, &s, &m);
    spot(p, x, y - 0.66f * k, 0.5f * k, 0.14f * k, rgb(0xd9c7a4));
    s = shape(0.1f * k);
    m = solid(c, 0.4f * k);
    m.gloss = 0.3f;
    oval(&s, x, y - 0.88f * k, 0.55f * k, 0.24f * k, 0.0f);
    oval(&s, x, y - 1.0f * k, 0.42f * k, 0.3f * k, 0.0f);
    fill(p, &s, &m);
    for (int i = 0; dotted && i < 6; i++) {
        float u = x + k * range(&p->rng, -0.4f, 0.4f);

        spot(p, u, y - k * range(&p->rng, 0.82f, 1.2f), 0.07f * k,
             0.055f * k, rgb(0xfaf5ea));
    }
}

void paint_mushroom(Pic *p)
{
    static const int caps[] = { 0xc8352c, 0xc8352c, 0x9a6a42, 0xe0b070,
                                0x8a6a8a };
    int i = pick(&p->rng, 5);
    Rgb c = vary(&p->rng, rgb(caps[i]), 0.1f);

    place(p, (Bounds){ -0.8f, -1.3f, 0.8f, 0.1f }, 0.75f, 1.0f);
    shadow(p, 0.0f, 0.0f, 0.6f, 0.07f, 0.5f);
    if (chance(&p->rng, 0.7f)) {
        cap(p, -0.5f, 0.0f, range(&p->rng, 0.4f, 0.65f), c, i < 2);
    }
    cap(p, 0.1f, 0.02f, 1.0f, c, i < 2);
    if (chance(&p->rng, 0.4f)) {
        cap(p, 0.6f, 0.04f, range(&p->rng, 0.3f, 0.5f), c, i < 2);
    }
}

void paint_tree(Pic *p)
{
    static const int greens[] = { 0x4f8a3c, 0x6f9a3a, 0xd08a35, 0xc85a30,
                                  0x3f7a4a, 0xe8a8b8 };
    Rgb c = vary(&p->rng, rgb(greens[pick(&p->rng, 6)]), 0.15f);
    Rgb bark = vary(&p->rng, rgb(0x6f4f36), 0.2f);
    Shape s = shape(0.08f);
    Paint m = solid(bark, 0.12f);

    place(p, (Bounds){ -0.9f, -1.35f, 0.9f, 0.65f }, 0.8f, 1.05f);
    shadow(p, 0.0f, 0.64f, 0.8f, 0.07f, 0.5f);
    cone(&s, 0.0f, 0.6f, 0.17f, 0.0f, -0.3f, 0.11f);
    cone(&s, 0.0f, 0.0f, 0.09f, 0.4f, -0.5f, 0.05f);
    cone(&s, 0.0f, -0.05f, 0.08f, -0.4f, -0.5f, 0.05f);
    m.grain = 0.25f;
    fill(p, &s, &m);
    for (int i = 0; i < 9; i++) {
        float a = 0.7f * (float)i, q = i == 8 ? 0.0f : 0.45f;
        float r = range(&p->rng, 0.28f, 0.4f);

        s = shape(0.05f);
        m = solid(scalec(c, 0.85f + 0.035f * (float)i), r * 0.9f);
        m.fur = 0.06f;
        m.grain = 0.3f;
        oval(&s, q * 1.1f * cosf(a), -0.65f + q * 0.8f * sinf(a), r,
             r * 0.85f, 0.0f);
        fill(p, &s, &m);
    }
    for (int i = 0; chance(&p->rng, 0.4f) && i < 12; i++) {
        float x = range(&p->rng, -0.6f, 0.6f);

        ball(p, x, range(&p->rng, -1.1f, -0.3f), 0.055f, 0.055f,
             rgb(0xd03a30));
    }
}
