/* Coats of the animals: patterns as functions of the place on the body and of
   the way the surface faces (so that bellies can be pale). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>

Coat coat_of(Rng *r, Pattern f, Rgb main, Rgb mark, Rgb pale)
{
    return (Coat){ .pattern = f, .main = main, .mark = mark, .pale = pale,
                   .scale = 1.0f, .amount = 0.5f, .belly = 0.0f, .ax = 1.0f,
                   .ay = 0.0f, .seed = random_bits(r) };
}

/* Tufts of fur: the main colour a little lighter and darker. */
Rgb coat_plain(const Coat *c, Vec p, Vec n)
{
    float tuft = fbm(p.x * 5.0f, p.y * 8.0f, c->seed, 2) - 0.5f;
    Rgb base = scalec(c->main, 1.0f + 0.16f * tuft);

    return mixc(base, c->pale,
                c->belly * step01(0.15f, 0.65f, n.y + 0.25f * tuft));
}

/* How dark a tapering stripe is at distance u along the body. */
static float stripe(const Coat *c, float u, float v)
{
    float bend = fbm(u * 1.1f, v * 2.2f, c->seed + 5u, 2) - 0.5f;
    float t = u * c->scale + 1.3f * bend;
    float cell = floorf(t);
    float off = fabsf(t - cell - 0.5f) * 2.0f;
    float wide = c->amount *
                 (0.55f + 0.9f * noise(cell * 7.3f, v * 3.5f, c->seed));

    return step01(wide + 0.13f, wide - 0.13f, off);
}

Rgb coat_stripes(const Coat *c, Vec p, Vec n)
{
    float u = p.x * c->ax + p.y * c->ay, v = p.y * c->ax - p.x * c->ay;
    Rgb base = coat_plain(c, p, n);

    return mixc(base, c->mark, stripe(c, u, v));
}

/* Bands across legs and tails: stripes that stay parallel. */
Rgb coat_bands(const Coat *c, Vec p, Vec n)
{
    float t = (p.x * c->ax + p.y * c->ay) * c->scale +
              0.6f * noise(p.x * 4.0f, p.y * 4.0f, c->seed);
    float off = fabsf(t - floorf(t) - 0.5f) * 2.0f;
    float k = step01(c->amount + 0.15f, c->amount - 0.15f, off);

    return mixc(coat_plain(c, p, n), c->mark, k);
}

/* A striped face in head units: lines on the brow, rays on the cheeks. */
Rgb coat_face(const Coat *c, Vec p, Vec n)
{
    float x = fabsf(p.x), r = sqrtf(x * x + p.y * p.y);
    float a = atan2f(p.y - 0.15f, x);
    float brow = step01(0.5f, 0.3f, x) * step01(-0.15f, -0.35f, p.y);
    float t = brow > 0.5f ? x * 5.5f + 0.5f : a * 3.4f + 0.2f;
    float off = fabsf(t - floorf(t) - 0.5f) * 2.0f;
    float wide = c->amount * (brow > 0.5f ? 0.9f
                                          : 1.3f * step01(0.5f, 1.1f, r));
    float ruff = step01(0.25f, 0.5f, p.y) * step01(0.3f, 0.55f, x);
    float lids = step01(0.30f, 0.18f, hypotf(x - 0.45f,
                                             (p.y + 0.42f) * 1.5f));
    Rgb base = mixc(coat_plain(c, p, n), c->pale,
                    c->belly * fmaxf(ruff, lids));

    wide += 0.25f * (noise(p.x * 6.0f, p.y * 6.0f, c->seed) - 0.5f) *
            step01(0.4f, 0.7f, r);
    return mixc(base, c->mark, step01(wide + 0.14f, wide - 0.14f, off));
}

/* Rings broken into rosettes, a leopard's; solid dots where small. */
Rgb coat_rosettes(const Coat *c, Vec p, Vec n)
{
    Vec d = cells(p.x * c->scale, p.y * c->scale, c->seed);
    float gap = noise(p.x * c->scale * 3.0f, p.y * c->scale * 3.0f,
                      c->seed + 1u);
    float ring = step01(0.13f, 0.06f, fabsf(d.x - 0.30f) -
                                      0.08f * (gap - 0.3f));
    float inner = step01(0.3f, 0.2f, d.x);
    Rgb base = coat_plain(c, p, n);

    base = mixc(base, scalec(c->main, 0.72f), 0.6f * inner);
    return mixc(base, c->mark, ring * step01(0.2f, 0.45f, gap + 0.15f));
}

/* Large islands of a second colour. */
Rgb coat_patches(const Coat *c, Vec p, Vec n)
{
    float v = fbm(p.x * c->scale, p.y * c->scale, c->seed, 2);

    return mixc(coat_plain(c, p, n), c->mark,
                step01(c->amount - 0.02f, c->amount + 0.02f, v));
}

/* Islands of two colours on a third. */
Rgb coat_calico(const Coat *c, Vec p, Vec n)
{
    float v = fbm(p.x * c->scale, p.y * c->scale, c->seed, 2);
    float w = fbm(p.x * c->scale, p.y * c->scale, c->seed + 9u, 2);
    Rgb base = mixc(coat_plain(c, p, n), c->mark,
                    step01(0.50f, 0.54f, v));

    return mixc(base, c->pale, step01(0.54f, 0.58f, w));
}

/* Dark tiles with pale joints, a giraffe's. */
Rgb coat_tiles(const Coat *c, Vec p, Vec n)
{
    Vec d = cells(p.x * c->scale, p.y * c->scale, c->seed);

    return mixc(coat_plain(c, p, n), c->mark,
                step01(0.06f, 0.16f, d.y - d.x));
}

/* Dark towards the middle of the face, as on a Siamese cat. */
Rgb coat_points(const Coat *c, Vec p, Vec n)
{
    float r = hypotf(p.x, p.y - 0.25f);

    return mixc(coat_plain(c, p, n), c->mark, step01(0.85f, 0.35f, r));
}

Rgb coat_wool(const Coat *c, Vec p, Vec n)
{
    Vec d = cells(p.x * c->scale, p.y * c->scale, c->seed);
    Rgb base = coat_plain(c, p, n);

    return mixc(base, c->mark, 0.55f * step01(0.35f, 0.8f, d.x));
}
