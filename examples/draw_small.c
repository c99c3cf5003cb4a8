/* What creeps and buzzes: snake, butterfly, bee, ladybird and snail. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>

static const int brights[] = { 0xf08a3c, 0xe2574c, 0xf2c544, 0x4f9ed9,
                               0x8e6bc4, 0x52b788, 0xe87ba4 };

Rgb bright(Rng *r)
{
    return vary(r, rgb(brights[pick(r, 7)]), 0.12f);
}

void bead(Pic *p, float x, float y, float r)
{
    spot(p, x, y, r, r, rgb(0xfaf8f2));
    spot(p, x, y, r * 0.62f, r * 0.62f, rgb(0x14100f));
    spot(p, x - r * 0.25f, y - r * 0.3f, r * 0.22f, r * 0.22f,
         rgb(0xffffff));
}

void paint_snake(Pic *p)
{
    static const int mains[] = { 0x5f9a3c, 0xc9a04a, 0x8a5a3a, 0x3f7f6a,
                                 0xd0603a };
    Rgb main = vary(&p->rng, rgb(mains[pick(&p->rng, 5)]), 0.1f);
    Coat coat = coat_of(&p->rng, chance(&p->rng, 0.5f) ? coat_tiles
                                                       : coat_bands,
                        scalec(main, 0.55f), main, rgb(0xf0e6c8));
    float r = range(&p->rng, 0.11f, 0.15f), wave = range(&p->rng, 0.5f, 0.9f);
    Shape s = shape(0.03f);
    Paint m = furry(&coat, r, 0.0f);

    coat.scale = 8.0f;
    place(p, (Bounds){ -1.15f, -0.75f, 1.15f, 0.4f }, 0.75f, 1.0f);
    shadow(p, 0.0f, 0.32f, 1.0f, 0.12f, 0.45f);
    curve(&s, (Vec){ -1.1f, 0.3f }, (Vec){ -0.85f, 0.25f - wave },
          (Vec){ -0.5f, 0.15f }, 0.02f, r);
    curve(&s, (Vec){ -0.5f, 0.15f }, (Vec){ -0.2f, 0.2f + wave * 0.5f },
          (Vec){ 0.1f, 0.15f }, r, r * 1.1f);
    curve(&s, (Vec){ 0.1f, 0.15f }, (Vec){ 0.45f, -0.1f - wave * 0.2f },
          (Vec){ 0.75f, 0.2f }, r * 1.1f, r);
    fill(p, &s, &m);
    s = shape(0.05f);
    curve(&s, (Vec){ 0.75f, 0.2f }, (Vec){ 1.15f, 0.1f },
          (Vec){ 0.75f, -0.45f }, r, r * 0.8f);
    cone(&s, 0.75f, -0.47f, r * 1.15f, 0.98f, -0.42f, r * 0.8f);
    fill(p, &s, &m);
    stroke(p, 1.05f, -0.38f, 1.2f, -0.34f, 0.014f, rgb(0xc8323a));
    stroke(p, 1.2f, -0.34f, 1.28f, -0.38f, 0.01f, rgb(0xc8323a));
    stroke(p, 1.2f, -0.34f, 1.27f, -0.29f, 0.01f, rgb(0xc8323a));
    bead(p, 0.85f, -0.53f, 0.05f);
}

static void wing(Pic *p, float side, Rgb main, Rgb edge, Rgb dots)
{
    for (int i = 0; i < 2; i++) {
        float y = i == 0 ? -0.38f : 0.36f, r = i == 0 ? 0.5f : 0.36f;
        float x = side * (i == 0 ? 0.5f : 0.4f);
        float turn = side * (i == 0 ? -0.6f : 0.7f);
        Shape out = shape(0.0f), in = shape(0.0f);
        Paint m = flat(edge);

        oval(&out, x, y, r, r * 0.72f, turn);
        fill(p, &out, &m);
        m = solid(main, r * 0.7f);
        m.soft = 0.04f;
        oval(&in, x * 0.96f, y * 0.98f, r * 0.82f, r * 0.56f, turn);
        fill(p, &in, &m);
        spot(p, x * 1.25f, y * 1.1f, r * 0.17f, r * 0.17f, dots);
        spot(p, x * 0.9f, y * 1.25f, r * 0.11f, r * 0.11f, dots);
        stroke(p, 0.0f, y * 0.2f, x * 1.3f, y * 1.1f, 0.01f, edge);
    }
}

void paint_butterfly(Pic *p)
{
    Rgb main = bright(&p->rng), dots = bright(&p->rng);
    Rgb edge = mixc(scalec(main, 0.25f), rgb(0x1c1718), 0.6f);

    hover(p, 1.0f, 0.75f, 1.05f, 0.7f);
    wing(p, -1.0f, main, edge, dots);
    wing(p, 1.0f, main, edge, dots);
    ball(p, 0.0f, 0.05f, 0.07f, 0.42f, rgb(0x2a2220));
    ball(p, 0.0f, -0.4f, 0.09f, 0.09f, rgb(0x2a2220));
    arc(p, (Vec){ 0.02f, -0.45f }, (Vec){ 0.08f, -0.7f },
        (Vec){ 0.24f, -0.8f }, 0.015f, 0.02f, rgb(0x2a2220));
    arc(p, (Vec){ -0.02f, -0.45f }, (Vec){ -0.08f, -0.7f },
        (Vec){ -0.24f, -0.8f }, 0.015f, 0.02f, rgb(0x2a2220));
}

void paint_bee(Pic *p)
{
    Coat coat = coat_of(&p->rng, coat_bands, vary(&p->rng, rgb(0xf0b92f),
                                                  0.1f),
                        rgb(0x2a211c), rgb(0xf0b92f));
    Shape s = shape(0.08f);
    Paint m;

    hover(p, 1.0f, 0.6f, 0.95f, 0.5f);
    coat.scale = 3.6f;
    coat.amount = 0.45f;
    for (float x = 0.12f; x > -0.3f; x -= 0.26f) {
        m = glow(rgb(0xeaf3fa), 0.03f, 0.75f);
        s = shape(0.0f);
        oval(&s, x - 0.15f, -0.52f, 0.2f, 0.46f, x * 1.6f - 0.3f);
        fill(p, &s, &m);
    }
    tri(&s, (Vec){ -0.7f, -0.05f }, (Vec){ -0.7f, 0.1f },
        (Vec){ -0.92f, 0.05f }, 0.01f);
    m = flat(rgb(0x2a211c));
    s = shape(0.0f);
    tri(&s, (Vec){ -0.68f, -0.06f }, (Vec){ -0.68f, 0.12f },
        (Vec){ -0.95f, 0.05f }, 0.01f);
    fill(p, &s, &m);
    s = shape(0.1f);
    m = furry(&coat, 0.36f, 0.03f);
    oval(&s, -0.1f, 0.05f, 0.66f, 0.4f, 0.0f);
    fill(p, &s, &m);
    ball(p, 0.6f, 0.0f, 0.28f, 0.27f, rgb(0x332822));
    bead(p, 0.68f, -0.06f, 0.1f);
    for (float x = -0.2f; x < 0.4f; x += 0.2f) {
        stroke(p, x, 0.38f, x + 0.06f, 0.62f, 0.025f, rgb(0x2a211c));
    }
    arc(p, (Vec){ 0.66f, -0.22f }, (Vec){ 0.72f, -0.5f },
        (Vec){ 0.92f, -0.52f }, 0.02f, 0.03f, rgb(0x2a211c));
}

void paint_ladybird(Pic *p)
{
    Rgb red = vary(&p->rng, rgb(chance(&p->rng, 0.75f) ? 0xd8352a
                                                       : 0xf0a52f), 0.1f);
    Shape s = shape(0.0f);
    Paint m = solid(rgb(0x4f8a3a), 0.3f);
    float dots = range(&p->rng, 0.09f, 0.14f);

    hover(p, 1.0f, 0.7f, 1.0f, 0.5f);
    leaf(&s, -2.2f, 0.55f, 2.2f, 0.35f, 0.6f);
    fill(p, &s, &m);
    for (float x = -0.35f; x < 0.5f; x += 0.3f) {
        stroke(p, x, 0.2f, x - 0.05f, 0.55f, 0.04f, rgb(0x1d1819));
    }
    ball(p, 0.6f, 0.05f, 0.28f, 0.26f, rgb(0x1d1819));
    spot(p, 0.68f, -0.06f, 0.08f, 0.07f, rgb(0xf6f2ea));
    s = shape(0.0f);
    m = solid(red, 0.5f);
    m.gloss = 0.7f;
    oval(&s, -0.05f, 0.0f, 0.66f, 0.5f, 0.0f);
    fill(p, &s, &m);
    stroke(p, -0.7f, 0.02f, 0.6f, -0.1f, 0.02f, rgb(0x1d1819));
    for (int i = 0; i < 3; i++) {
        float x = -0.42f + 0.34f * (float)i;

        spot(p, x, -0.27f + 0.02f * (float)i, dots, dots * 0.8f,
             rgb(0x1d1819));
        spot(p, x + 0.08f, 0.25f, dots, dots * 0.9f, rgb(0x1d1819));
    }
    arc(p, (Vec){ 0.75f, -0.1f }, (Vec){ 0.85f, -0.3f },
        (Vec){ 1.0f, -0.3f }, 0.02f, 0.03f, rgb(0x1d1819));
}

void paint_snail(Pic *p)
{
    static const int shells[] = { 0xb5763f, 0xd9a55a, 0x8a5a6a, 0xc98f7a };
    Rgb body = vary(&p->rng, rgb(0xc9b08a), 0.15f);
    Rgb shell = vary(&p->rng, rgb(shells[pick(&p->rng, 4)]), 0.1f);
    Shape s = shape(0.1f);
    Paint m = solid(body, 0.15f);
    float r = 0.5f, x = -0.15f, y = -0.2f;

    place(p, (Bounds){ -1.0f, -0.85f, 1.05f, 0.42f }, 0.75f, 1.0f);
    shadow(p, 0.0f, 0.4f, 0.95f, 0.08f, 0.45f);
    cone(&s, -0.95f, 0.36f, 0.03f, 0.5f, 0.26f, 0.15f);
    cone(&s, 0.5f, 0.26f, 0.15f, 0.78f, -0.12f, 0.13f);
    fill(p, &s, &m);
    for (float side = 0.0f; side < 2.0f; side += 1.0f) {
        float tx = 0.72f + side * 0.25f;

        stroke(p, 0.78f, -0.2f, tx, -0.55f, 0.025f, body);
        ball(p, tx, -0.57f, 0.05f, 0.05f, rgb(0x2a2220));
    }
    s = shape(0.0f);
    m = solid(shell, 0.45f);
    m.gloss = 0.3f;
    m.grain = 0.12f;
    oval(&s, x, y, r * 1.05f, r, 0.0f);
    fill(p, &s, &m);
    for (float a = 0.0f; a < 14.0f; a += 0.3f) {
        float k0 = r * 0.92f * (1.0f - a / 15.0f);
        float k1 = r * 0.92f * (1.0f - (a + 0.3f) / 15.0f);

        stroke(p, x + k0 * cosf(a), y + k0 * sinf(a),
               x + k1 * cosf(a + 0.3f), y + k1 * sinf(a + 0.3f), 0.025f,
               scalec(shell, 0.55f));
    }
}
