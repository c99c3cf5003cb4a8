/* What backdrops are made of: sky, land, ridges, clouds, grass, trees. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

/* The frame of the whole picture: its height is 1. */
void screen(Pic *p)
{
    p->f = (Frame){ 0.0f, 0.0f, 1.0f, 0.0f, (float)p->h, 1.0f };
}

float aspect(const Pic *p)
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
        float x = range(&p->rng, 0.0f, aspect(p));
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
        float x = range(&p->rng, -0.05f, aspect(p) + 0.05f);
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

/* Blurred leaves in the distance. */
void foliage(Pic *p, int n, Rgb c)
{
    screen(p);
    for (int i = 0; i < n; i++) {
        float x = range(&p->rng, -0.1f, aspect(p) + 0.1f);
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

void blue_sky(Pic *p)
{
    static const int tops[] = { 0x5a9bd5, 0x7fb2dc, 0x9fb4c7, 0x4f86c6,
                                0xe0a983, 0xb9c6d2 };
    static const int lows[] = { 0xd6e8f5, 0xeef3ee, 0xdfe4e8, 0xf3e6d2,
                                0xfbe3bd, 0xe9ecee };
    int i = pick(&p->rng, 6);

    sky(p, vary(&p->rng, rgb(tops[i]), 0.1f), rgb(lows[i]));
    clouds(p, pick(&p->rng, 4), rgb(0xfbfaf7));
}
