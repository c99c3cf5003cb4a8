/* What comes between the viewer and the subject: leaves, grass, fences, snow,
   dappled shade; then the mood of the light and the grain of the film. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

/* A spray of large leaves reaching in from a corner. */
static void branch(Pic *p)
{
    float side = chance(&p->rng, 0.5f) ? 0.0f : aspect(p);
    float inward = side > 0.0f ? -1.0f : 1.0f;
    float y = chance(&p->rng, 0.6f) ? range(&p->rng, 0.75f, 1.05f)
                                    : range(&p->rng, -0.05f, 0.2f);
    Rgb c = vary(&p->rng, rgb(0x4f8038), 0.3f);

    for (int i = 4 + pick(&p->rng, 5); i > 0; i--) {
        float a = range(&p->rng, -1.4f, 1.4f);
        float l = range(&p->rng, 0.15f, 0.32f);
        float x1 = side + inward * l * cosf(a), y1 = y + l * sinf(a);
        Shape s = shape(0.0f);
        Paint m = solid(scalec(c, range(&p->rng, 0.7f, 1.25f)), 0.03f);

        leaf(&s, side - inward * 0.03f, y, x1, y1, l * 0.17f);
        fill(p, &s, &m);
        stroke(p, side, y, lerp(side, x1, 0.85f), lerp(y, y1, 0.85f),
               0.002f, scalec(c, 1.5f));
    }
}

static void fence(Pic *p)
{
    Rgb c = vary(&p->rng, rgb(chance(&p->rng, 0.5f) ? 0x9a7b58 : 0xe9e4da),
                 0.12f);
    float step = range(&p->rng, 0.28f, 0.45f);
    float x = range(&p->rng, 0.0f, step);
    float y = range(&p->rng, 0.68f, 0.85f);
    Paint m = solid(c, 0.02f);
    Shape s = shape(0.0f);

    box(&s, aspect(p) * 0.5f, y, aspect(p), 0.018f, 0.0f, 0.005f);
    for (; x < aspect(p); x += step) {
        box(&s, x, 0.84f, 0.022f, 0.24f, 0.0f, 0.01f);
    }
    fill(p, &s, &m);
}

static void flakes(Pic *p)
{
    for (int i = 20 + pick(&p->rng, 50); i > 0; i--) {
        float r = range(&p->rng, 0.004f, 0.012f);
        float x = range(&p->rng, 0.0f, aspect(p)), y = unit(&p->rng);
        Shape s = shape(0.0f);
        Paint m = glow(rgb(0xffffff), r, 0.85f);

        oval(&s, x, y, r, r, 0.0f);
        fill(p, &s, &m);
    }
}

/* The shade of leaves that are out of the picture. */
static void dapple(Pic *p)
{
    uint32_t seed = random_bits(&p->rng);
    float freq = range(&p->rng, 3.0f, 7.0f) / (float)p->h;
    float dark = range(&p->rng, 0.25f, 0.45f);
    float lean = range(&p->rng, -1.0f, 1.0f);

    for (int y = 0; y < p->h; y++) {
        for (int x = 0; x < p->w; x++) {
            float u = (float)x + lean * (float)y;
            float n = fbm(u * freq, (float)y * freq * 0.7f, seed, 2);
            size_t i = (size_t)y * (size_t)p->w + (size_t)x;

            p->px[i] = scalec(p->px[i],
                              1.0f - dark * step01(0.38f, 0.68f, n));
        }
    }
}

/* One side of the picture in the shade of something large. */
static void half_shade(Pic *p)
{
    float a = range(&p->rng, 0.0f, 6.283f), off = range(&p->rng, 0.1f, 0.5f);
    float dark = range(&p->rng, 0.2f, 0.4f), cx = cosf(a), cy = sinf(a);

    for (int y = 0; y < p->h; y++) {
        for (int x = 0; x < p->w; x++) {
            float u = ((float)x / (float)p->w - 0.5f) * cx +
                      ((float)y / (float)p->h - 0.5f) * cy;
            size_t i = (size_t)y * (size_t)p->w + (size_t)x;

            p->px[i] = scalec(p->px[i],
                              1.0f - dark * step01(off - 0.1f, off + 0.1f,
                                                   u + 0.3f));
        }
    }
}

void foreground(Pic *p)
{
    int outdoors = AT_WILD | AT_POND;

    screen(p);
    if ((p->where & outdoors) != 0 && p->where != AT_SNOW) {
        if (chance(&p->rng, 0.45f)) {
            Rgb c = vary(&p->rng, rgb(p->where == AT_SAVANNA ? 0xb8974f
                                                             : 0x5d8a3c),
                         0.15f);
            int n = 14 + pick(&p->rng, 40);

            grass(p, 1.03f, n, range(&p->rng, 0.1f, 0.26f), c);
        }
        if (chance(&p->rng, p->where == AT_JUNGLE ? 0.6f : 0.2f)) {
            branch(p);
        }
        if (chance(&p->rng, 0.07f)) {
            fence(p);
        }
    }
    if (p->where == AT_SNOW && chance(&p->rng, 0.6f)) {
        flakes(p);
    }
    if ((p->where & outdoors & ~AT_SNOW) != 0 && chance(&p->rng, 0.17f)) {
        dapple(p);
    } else if (chance(&p->rng, 0.12f)) {
        half_shade(p);
    }
}

/* A lens slightly out of focus: each row, then each column, averaged. */
static void blur(Pic *p, float k)
{
    int w = p->w, h = p->h;

    for (int y = 0; y < h; y++) {
        Rgb *row = p->px + (size_t)y * (size_t)w;

        for (int x = 0; x + 1 < w; x++) {
            row[x] = mixc(row[x], row[x + 1], k);
        }
    }
    for (int y = 0; y + 1 < h; y++) {
        Rgb *row = p->px + (size_t)y * (size_t)w;

        for (int x = 0; x < w; x++) {
            row[x] = mixc(row[x], row[x + w], k);
        }
    }
}

static float tone(float v, float gain, float contrast)
{
    return clampf(0.5f + (v * gain - 0.5f) * contrast, 0.0f, 1.0f);
}

/* Tint, exposure, contrast, dark corners and grain. */
void finish(Pic *p)
{
    static const Rgb moods[] = {
        { 1.0f, 1.0f, 1.0f }, { 1.0f, 1.0f, 1.0f }, { 1.07f, 0.97f, 0.84f },
        { 0.93f, 0.99f, 1.06f }, { 1.03f, 1.0f, 0.93f },
        { 1.06f, 0.94f, 0.84f },
    };
    Rgb mood = moods[pick(&p->rng, 6)];
    float gain = range(&p->rng, 0.82f, 1.12f);
    float contrast = range(&p->rng, 0.9f, 1.15f);
    float grain = range(&p->rng, 0.004f, 0.030f);
    float dark = range(&p->rng, 0.0f, 0.35f);

    if (chance(&p->rng, 0.3f)) {
        blur(p, range(&p->rng, 0.2f, 0.5f));
    }
    for (int y = 0; y < p->h; y++) {
        float v = (float)y / (float)p->h - 0.5f;

        for (int x = 0; x < p->w; x++) {
            Rgb *c = p->px + (size_t)y * (size_t)p->w + (size_t)x;
            float u = (float)x / (float)p->w - 0.5f;
            float k = gain * (1.0f - dark * 2.0f * (u * u + v * v));
            float n = grain * (unit(&p->rng) + unit(&p->rng) - 1.0f);

            c->r = tone(c->r * p->tint.r * mood.r, k, contrast) + n;
            c->g = tone(c->g * p->tint.g * mood.g, k, contrast) + n;
            c->b = tone(c->b * p->tint.b * mood.b, k, contrast) + n;
        }
    }
}
