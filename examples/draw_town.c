/* Backdrops that people built: a room and a street. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

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

void room(Pic *p)
{
    static const int walls[] = { 0xe6d8c3, 0xc9d6cf, 0xd9b8a3, 0xb7c4d4,
                                 0xe3dfd6, 0x9fb09a };
    Rgb wall = vary(&p->rng, rgb(walls[pick(&p->rng, 6)]), 0.06f);
    Rgb floor_c = vary(&p->rng, rgb(chance(&p->rng, 0.6f) ? 0xa87b52
                                                         : 0xb9a58f), 0.15f);
    float x = range(&p->rng, 0.2f, aspect(p) - 0.2f);

    sky(p, wall, scalec(wall, 0.9f));
    screen(p);
    if (chance(&p->rng, 0.4f)) {
        for (float u = 0.05f; u < aspect(p); u += 0.09f) {
            stroke(p, u, 0.0f, u, 1.0f, 0.016f, scalec(wall, 0.94f));
        }
    }
    if (chance(&p->rng, 0.6f)) {
        window_at(p, x, 0.22f, 0.17f, 0.2f);
    }
    land(p, floor_c, scalec(floor_c, 0.9f), 0.12f);
    screen(p);
    stroke(p, 0.0f, p->horizon, aspect(p), p->horizon, 0.012f, rgb(0xf4f0e8));
    if (chance(&p->rng, 0.5f)) {
        x = range(&p->rng, 0.1f, aspect(p));
        sofa(p, x, vary(&p->rng, rgb(walls[pick(&p->rng, 6)] & 0xc0a0b0),
                        0.2f));
    }
    if (chance(&p->rng, 0.6f)) {
        spot(p, aspect(p) * 0.5f, 0.92f, 0.55f, 0.12f,
             vary(&p->rng, rgb(walls[pick(&p->rng, 6)] & 0xd0c0c0), 0.15f));
    }
}

void street(Pic *p)
{
    static const int walls[] = { 0xc98b6b, 0xd8c09a, 0xa8b0b8, 0xb5675a,
                                 0x93a58c };
    float x = range(&p->rng, -0.2f, 0.0f);

    blue_sky(p);
    screen(p);
    while (x < aspect(p)) {
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
