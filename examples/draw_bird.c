/* Birds: a penguin, an owl, a duck and a parrot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

static void round_eye(Pic *p, float x, float y, float r, Rgb iris)
{
    spot(p, x, y, r, r, iris);
    spot(p, x, y, r * 0.55f, r * 0.55f, rgb(0x0c0a0a));
    spot(p, x - r * 0.25f, y - r * 0.3f, r * 0.22f, r * 0.22f,
         rgb(0xffffff));
}

void paint_penguin(Pic *p)
{
    Rgb coat = vary(&p->rng, rgb(0x2c3038), 0.2f);
    Rgb bill = rgb(chance(&p->rng, 0.5f) ? 0xe8923a : 0x3a3a3e);
    Shape s = shape(0.15f);
    Paint m = solid(coat, 0.35f);
    float wing = range(&p->rng, 0.1f, 0.6f);
    float look = range(&p->rng, -0.1f, 0.1f);

    place(p, (Bounds){ -0.75f, -1.45f, 0.75f, 0.75f }, 0.7f, 1.0f);
    shadow(p, 0.0f, 0.72f, 0.6f, 0.08f, 0.5f);
    ball(p, -0.2f, 0.7f, 0.2f, 0.08f, rgb(0xe8923a));
    ball(p, 0.2f, 0.7f, 0.2f, 0.08f, rgb(0xe8923a));
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        Shape f = shape(0.0f);

        leaf(&f, side * 0.32f, -0.55f, side * (0.5f + wing * 0.6f),
             0.35f - wing * 0.4f, 0.13f);
        fill(p, &f, &m);
    }
    oval(&s, 0.0f, 0.0f, 0.5f, 0.75f, 0.0f);
    oval(&s, look, -0.9f, 0.34f, 0.36f, 0.0f);
    fill(p, &s, &m);
    s = shape(0.1f);
    m = solid(rgb(0xf6f3ec), 0.4f);
    m.soft = 0.05f;
    oval(&s, look * 0.5f, 0.08f, 0.36f, 0.62f, 0.0f);
    oval(&s, look - 0.13f, -0.86f, 0.14f, 0.19f, 0.0f);
    oval(&s, look + 0.13f, -0.86f, 0.14f, 0.19f, 0.0f);
    fill(p, &s, &m);
    s = shape(0.03f);
    m = solid(bill, 0.08f);
    tri(&s, (Vec){ look - 0.1f, -0.84f }, (Vec){ look + 0.1f, -0.84f },
        (Vec){ look * 1.6f, -0.66f }, 0.02f);
    fill(p, &s, &m);
    round_eye(p, look - 0.14f, -0.95f, 0.05f, rgb(0x1a1614));
    round_eye(p, look + 0.14f, -0.95f, 0.05f, rgb(0x1a1614));
}

static void owl_face(Pic *p, float look, Rgb pale, Rgb iris)
{
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        float x = look + side * 0.2f;

        ball(p, x, -0.62f, 0.25f, 0.26f, pale);
        round_eye(p, x + look * 0.2f, -0.62f, 0.14f, iris);
    }
    arc(p, (Vec){ look, -0.62f }, (Vec){ look + 0.02f, -0.5f },
        (Vec){ look, -0.42f }, 0.06f, 0.01f, rgb(0xcaa04a));
}

void paint_owl(Pic *p)
{
    static const int mains[] = { 0x8a6a4a, 0x9a8f80, 0xe8e4da, 0x6b5038 };
    Rgb main = vary(&p->rng, rgb(mains[pick(&p->rng, 4)]), 0.12f);
    Rgb pale = mixc(main, rgb(0xf6eddc), 0.7f);
    float look = range(&p->rng, -0.12f, 0.12f);
    Coat coat = coat_of(&p->rng, coat_rosettes, pale, main, pale);
    Shape s = shape(0.12f);
    Paint m = solid(main, 0.35f);

    place(p, (Bounds){ -0.8f, -1.25f, 0.8f, 0.95f }, 0.75f, 1.0f);
    stroke(p, -2.5f, 0.86f, 2.5f, 0.80f, 0.09f, rgb(0x5f4a38));
    m.fur = 0.03f;
    m.grain = 0.15f;
    oval(&s, 0.0f, 0.1f, 0.52f, 0.75f, 0.0f);
    oval(&s, look * 0.6f, -0.6f, 0.5f, 0.42f, 0.0f);
    tri(&s, (Vec){ -0.5f, -0.7f }, (Vec){ -0.2f, -0.9f },
        (Vec){ -0.46f, -1.2f }, 0.03f);
    tri(&s, (Vec){ 0.5f, -0.7f }, (Vec){ 0.2f, -0.9f },
        (Vec){ 0.46f, -1.2f }, 0.03f);
    fill(p, &s, &m);
    coat.scale = 6.0f;
    s = shape(0.0f);
    m = furry(&coat, 0.4f, 0.02f);
    oval(&s, 0.0f, 0.25f, 0.36f, 0.52f, 0.0f);
    fill(p, &s, &m);
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        Shape wing = shape(0.0f);

        m = solid(scalec(main, 0.82f), 0.2f);
        m.grain = 0.3f;
        oval(&wing, side * 0.47f, 0.12f, 0.17f, 0.58f, side * 0.12f);
        fill(p, &wing, &m);
        ball(p, side * 0.17f, 0.82f, 0.1f, 0.06f, rgb(0xcaa04a));
    }
    owl_face(p, look, pale, rgb(chance(&p->rng, 0.7f) ? 0xf0b429
                                                     : 0x5a3a22));
}

void paint_duck(Pic *p)
{
    bool drake = chance(&p->rng, 0.4f), white = chance(&p->rng, 0.5f);
    Rgb main = drake ? rgb(0xb9b4aa) : rgb(white ? 0xf6f2e6 : 0xf2cf4f);
    Rgb head = drake ? rgb(0x2a6a4a) : main;
    Shape s = shape(0.2f);
    Paint m = solid(vary(&p->rng, main, 0.08f), 0.35f);

    place(p, (Bounds){ -1.0f, -1.0f, 1.0f, 0.5f }, 0.65f, 0.95f);
    shadow(p, 0.0f, 0.42f, 0.9f, 0.1f, 0.4f);
    oval(&s, -0.1f, 0.08f, 0.72f, 0.38f, 0.0f);
    cone(&s, -0.5f, -0.02f, 0.2f, -0.9f, -0.25f, 0.04f);
    cone(&s, 0.38f, 0.0f, 0.24f, 0.5f, -0.5f, 0.15f);
    fill(p, &s, &m);
    s = shape(0.05f);
    m = solid(scalec(main, 0.86f), 0.2f);
    m.grain = 0.2f;
    leaf(&s, 0.25f, 0.02f, -0.65f, -0.02f, 0.22f);
    fill(p, &s, &m);
    s = shape(0.05f);
    m = solid(rgb(0xe8932f), 0.1f);
    cone(&s, 0.7f, -0.58f, 0.09f, 0.95f, -0.53f, 0.06f);
    fill(p, &s, &m);
    ball(p, 0.52f, -0.65f, 0.27f, 0.26f, head);
    round_eye(p, 0.62f, -0.72f, 0.055f, rgb(0x1c1512));
    for (int i = 0; i < 4; i++) {
        float y = 0.4f + 0.05f * (float)i, w = 1.0f - 0.12f * (float)i;

        stroke(p, -w, y, w, y, 0.012f, rgb(0xd8e9ee));
    }
}

void paint_parrot(Pic *p)
{
    static const int mains[] = { 0xd23b32, 0x2f9e56, 0x2f7fd0, 0xf0b92d };
    static const int wings[] = { 0x2f6fc8, 0xe2c23a, 0xf0c93a, 0x2f8f6a };
    int i = pick(&p->rng, 4);
    Rgb main = vary(&p->rng, rgb(mains[i]), 0.1f), wing = rgb(wings[i]);
    Shape s = shape(0.15f);
    Paint m = solid(main, 0.3f);

    place(p, (Bounds){ -0.8f, -1.1f, 0.8f, 1.45f }, 0.8f, 1.05f);
    arc(p, (Vec){ -0.1f, 0.5f }, (Vec){ -0.3f, 1.0f },
        (Vec){ -0.45f, 1.5f }, 0.16f, 0.05f, scalec(wing, 0.9f));
    arc(p, (Vec){ 0.0f, 0.5f }, (Vec){ -0.15f, 1.0f },
        (Vec){ -0.25f, 1.4f }, 0.14f, 0.04f, main);
    stroke(p, -2.5f, 0.72f, 2.5f, 0.66f, 0.08f, rgb(0x6a5138));
    oval(&s, 0.0f, 0.05f, 0.4f, 0.68f, 0.12f);
    oval(&s, 0.12f, -0.68f, 0.34f, 0.34f, 0.0f);
    m.grain = 0.15f;
    fill(p, &s, &m);
    s = shape(0.0f);
    m = solid(wing, 0.2f);
    m.grain = 0.3f;
    leaf(&s, 0.0f, -0.4f, -0.35f, 0.8f, 0.25f);
    fill(p, &s, &m);
    ball(p, 0.24f, -0.72f, 0.18f, 0.17f, rgb(0xf6efe2));
    s = shape(0.03f);
    m = solid(rgb(0x3a3436), 0.1f);
    curve(&s, (Vec){ 0.42f, -0.75f }, (Vec){ 0.68f, -0.72f },
          (Vec){ 0.52f, -0.4f }, 0.13f, 0.02f);
    fill(p, &s, &m);
    round_eye(p, 0.22f, -0.75f, 0.065f, rgb(0xe8d24a));
    ball(p, -0.08f, 0.68f, 0.1f, 0.07f, rgb(0x6a6266));
    ball(p, 0.14f, 0.67f, 0.1f, 0.07f, rgb(0x6a6266));
}
