/* Random numbers, noise, colours and frames for the drawing program. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>

/* The finisher of SplitMix64: every bit of x reaches every bit of it. */
uint64_t mix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint32_t random_bits(Rng *r)
{
    r->n++;
    return (uint32_t)(mix64(r->key ^ mix64(r->n)) >> 32);
}

float unit(Rng *r)
{
    return (float)(random_bits(r) >> 8) * (1.0f / 16777216.0f);
}

float range(Rng *r, float lo, float hi)
{
    return lo + (hi - lo) * unit(r);
}

int pick(Rng *r, int n)
{
    return (int)(unit(r) * (float)n);
}

bool chance(Rng *r, float p)
{
    return unit(r) < p;
}

float clampf(float x, float lo, float hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

float lerp(float a, float b, float t)
{
    return a + (b - a) * t;
}

float step01(float lo, float hi, float x)
{
    float t = clampf((x - lo) / (hi - lo), 0.0f, 1.0f);

    return t * t * (3.0f - 2.0f * t);
}

/* A cheap 32-bit hash of a grid point; noise asks for it very often. */
static uint32_t grid(int x, int y, uint32_t seed)
{
    uint32_t h = (uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u ^
                 seed * 0xcb1ab31fu;

    h = (h ^ (h >> 15)) * 0x2c1b3c6du;
    h = (h ^ (h >> 12)) * 0x297a2d39u;
    return h ^ (h >> 15);
}

static float gridf(int x, int y, uint32_t seed)
{
    return (float)(grid(x, y, seed) >> 8) * (1.0f / 16777216.0f);
}

static int floori(float x)
{
    int i = (int)x;

    return (float)i > x ? i - 1 : i;
}

/* Smooth value noise, 0 to 1. */
float noise(float x, float y, uint32_t seed)
{
    int ix = floori(x), iy = floori(y);
    float u = x - (float)ix, v = y - (float)iy;

    u = u * u * (3.0f - 2.0f * u);
    v = v * v * (3.0f - 2.0f * v);
    return lerp(lerp(gridf(ix, iy, seed), gridf(ix + 1, iy, seed), u),
                lerp(gridf(ix, iy + 1, seed), gridf(ix + 1, iy + 1, seed), u),
                v);
}

float fbm(float x, float y, uint32_t seed, int octaves)
{
    float sum = 0.0f, size = 0.5f;

    for (int i = 0; i < octaves; i++) {
        sum += size * noise(x, y, seed + (uint32_t)i);
        x *= 2.03f;
        y *= 2.03f;
        size *= 0.5f;
    }
    return sum / (1.0f - 2.0f * size * 0.5f);
}

/* Distances to the nearest (x) and second nearest (y) of jittered points. */
Vec cells(float x, float y, uint32_t seed)
{
    int ix = floori(x), iy = floori(y);
    Vec best = { 9.0f, 9.0f };

    for (int j = iy - 1; j <= iy + 1; j++) {
        for (int i = ix - 1; i <= ix + 1; i++) {
            uint32_t h = grid(i, j, seed);
            float dx = (float)i + 0.15f +
                       0.7f * (float)(h & 1023u) / 1024.0f - x;
            float dy = (float)j + 0.15f +
                       0.7f * (float)((h >> 10) & 1023u) / 1024.0f - y;
            float d = dx * dx + dy * dy;

            if (d < best.x) {
                best.y = best.x;
                best.x = d;
            } else if (d < best.y) {
                best.y = d;
            }
        }
    }
    best.x = sqrtf(best.x);
    best.y = sqrtf(best.y);
    return best;
}

Rgb rgb(int hex)
{
    return (Rgb){ (float)((hex >> 16) & 255) / 255.0f,
                  (float)((hex >> 8) & 255) / 255.0f,
                  (float)(hex & 255) / 255.0f };
}

Rgb mixc(Rgb a, Rgb b, float t)
{
    return (Rgb){ lerp(a.r, b.r, t), lerp(a.g, b.g, t), lerp(a.b, b.b, t) };
}

Rgb scalec(Rgb a, float k)
{
    return (Rgb){ a.r * k, a.g * k, a.b * k };
}

/* The same colour a little lighter or darker, warmer or cooler. */
Rgb vary(Rng *r, Rgb a, float amount)
{
    float k = 1.0f + range(r, -amount, amount);
    float warm = range(r, -0.4f, 0.4f) * amount;

    return (Rgb){ clampf(a.r * (k + warm), 0.0f, 1.0f),
                  clampf(a.g * k, 0.0f, 1.0f),
                  clampf(a.b * (k - warm), 0.0f, 1.0f) };
}

/* A frame inside f: at (x, y), k times as large, turned clockwise. */
Frame frame_in(const Frame *f, float x, float y, float k, float turn)
{
    Frame g = *f;
    Vec o = to_pixel(f, x, y);
    float c = cosf(turn), s = sinf(turn) * f->flip;

    g.ox = o.x;
    g.oy = o.y;
    g.k = f->k * k;
    g.c = f->c * c - f->s * s;
    g.s = f->s * c + f->c * s;
    return g;
}

Vec to_pixel(const Frame *f, float x, float y)
{
    x *= f->flip;
    return (Vec){ f->ox + f->k * (f->c * x - f->s * y),
                  f->oy + f->k * (f->s * x + f->c * y) };
}

Vec to_local(const Frame *f, float x, float y)
{
    float dx = (x - f->ox) / f->k, dy = (y - f->oy) / f->k;

    return (Vec){ f->flip * (f->c * dx + f->s * dy),
                  -f->s * dx + f->c * dy };
}
