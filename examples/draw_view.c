/* Views: a mountain, a sunset over the sea, a city at night. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

static void peak(Pic *p, float x, float top, float half, Rgb rock)
{
    float base = p->horizon + 0.05f;
    float cap = lerp(top, base, range(&p->rng, 0.25f, 0.45f));
    Shape s = shape(0.0f), shade = shape(0.0f), snow = shape(0.0f);
    Paint m = flat(rock);
    float t = (cap - top) / (base - top);

    m.fur = 0.012f;
    m.grain = 0.2f;
    tri(&s, (Vec){ x - half, base }, (Vec){ x + half, base },
        (Vec){ x, top }, 0.0f);
    fill(p, &s, &m);
    tri(&snow, (Vec){ x - half * t, cap }, (Vec){ x + half * t, cap },
        (Vec){ x, top }, 0.0f);
    m.base = rgb(0xf4f6fa);
    m.fur = 0.03f;
    fill(p, &snow, &m);
    tri(&shade, (Vec){ x, top }, (Vec){ x + half, base },
        (Vec){ x + half * 0.25f, base }, 0.0f);
    m = glow(rgb(0x2a3a5a), 0.02f, 0.35f);
    fill(p, &shade, &m);
}

void paint_mountain(Pic *p)
{
    Rgb rock = vary(&p->rng, rgb(0x7a7f8f), 0.15f);
    Rgb field = vary(&p->rng, rgb(0x6f9a58), 0.2f);
    bool lake = chance(&p->rng, 0.4f), dawn = chance(&p->rng, 0.3f);
    int n = 1 + pick(&p->rng, 3);

    p->horizon = range(&p->rng, 0.6f, 0.78f);
    sky(p, vary(&p->rng, rgb(0x6fa3d8), 0.15f),
        rgb(dawn ? 0xf8d8b8 : 0xe4eef6));
    clouds(p, pick(&p->rng, 4), rgb(0xfbfbfa));
    screen(p);
    for (int i = 0; i < n; i++) {
        float x = aspect(p) * (i == 0 ? range(&p->rng, 0.35f, 0.65f)
                                    : range(&p->rng, 0.0f, 1.0f));
        float top = range(&p->rng, 0.06f, 0.22f) + (i > 0 ? 0.1f : 0.0f);

        peak(p, x, top, range(&p->rng, 0.4f, 0.7f),
             scalec(rock, 1.0f - 0.08f * (float)i));
    }
    if (lake) {
        land(p, rgb(0x9fc0d4), rgb(0x4f86a8), 0.25f);
    } else {
        land(p, mixc(field, rgb(0x3f5f4a), 0.4f), field, 0.4f);
    }
    p->where = AT_HILLS;
}

void paint_sunset(Pic *p)
{
    static const int tops[] = { 0x4a4a8a, 0x7a4a7f, 0x2f5a8a, 0x8a5a6a };
    Rgb top = vary(&p->rng, rgb(tops[pick(&p->rng, 4)]), 0.15f);
    Rgb low = vary(&p->rng, rgb(0xf8a850), 0.1f);
    float x, y, r = range(&p->rng, 0.07f, 0.13f);
    Shape s = shape(0.0f);
    Paint m = glow(rgb(0xffe8a8), r * 3.0f, 0.7f);

    sky(p, top, low);
    clouds(p, 1 + pick(&p->rng, 4), mixc(top, rgb(0xf88a6a), 0.6f));
    screen(p);
    x = range(&p->rng, 0.25f, 0.75f) * aspect(p);
    y = p->horizon - range(&p->rng, -0.02f, 0.2f);
    oval(&s, x, y, r, r, 0.0f);
    fill(p, &s, &m);
    spot(p, x, y, r, r, rgb(0xfff2c0));
    land(p, mixc(low, rgb(0x6a5a8a), 0.45f), mixc(top, rgb(0x1a2a4a), 0.5f),
         0.4f);
    screen(p);
    for (int i = 0; i < 26; i++) {
        float v = lerp(p->horizon + 0.01f, 1.0f, unit(&p->rng));
        float w = (v - p->horizon) * 0.25f + 0.03f;
        float u = x + range(&p->rng, -w, w);

        stroke(p, u - w * 0.6f, v, u + w * 0.6f, v, 0.004f, rgb(0xffd890));
    }
    if (chance(&p->rng, 0.5f)) {
        ridge(p, p->horizon + 0.005f, 0.14f, 2.5f, rgb(0x3a3050), 0.0f);
        land(p, mixc(low, rgb(0x6a5a8a), 0.5f), rgb(0x2f3558), 0.4f);
    }
    p->where = AT_BEACH;
}

static void tower(Pic *p, float x, float half, float top, Rgb wall)
{
    Shape s = shape(0.0f);
    Paint m = flat(wall);
    Rgb lit = rgb(chance(&p->rng, 0.7f) ? 0xf8d878 : 0xd8ecf8);

    box(&s, x, (top + 1.0f) * 0.5f, half, (1.0f - top) * 0.5f, 0.0f, 0.0f);
    fill(p, &s, &m);
    for (float u = x - half + 0.02f; u < x + half - 0.01f; u += 0.032f) {
        for (float v = top + 0.03f; v < 0.92f; v += 0.045f) {
            if (chance(&p->rng, 0.45f)) {
                spot(p, u, v, 0.010f, 0.014f, lit);
            }
        }
    }
}

void paint_city(Pic *p)
{
    Rgb top = vary(&p->rng, rgb(0x141c3c), 0.2f);

    p->horizon = 0.8f;
    sky(p, top, mixc(top, rgb(0xc8708a), range(&p->rng, 0.1f, 0.6f)));
    screen(p);
    for (int i = 0; i < 30; i++) {
        float x = range(&p->rng, 0.0f, aspect(p));

        spot(p, x, range(&p->rng, 0.0f, 0.5f), 0.003f, 0.003f,
             rgb(0xf4f2e0));
    }
    if (chance(&p->rng, 0.5f)) {
        spot(p, range(&p->rng, 0.1f, 0.9f) * aspect(p), 0.14f, 0.05f, 0.05f,
             rgb(0xfbf4d8));
    }
    for (int row = 0; row < 2; row++) {
        float x = range(&p->rng, -0.1f, 0.05f);

        while (x < aspect(p)) {
            float half = range(&p->rng, 0.05f, 0.11f);
            float high = range(&p->rng, 0.2f, 0.6f) + 0.15f * (float)row;

            tower(p, x + half, half, high,
                  vary(&p->rng, rgb(row == 0 ? 0x2f3a5c : 0x1f2740), 0.2f));
            x += 2.0f * half + range(&p->rng, 0.0f, 0.04f);
        }
    }
    p->where = AT_STREET;
}
