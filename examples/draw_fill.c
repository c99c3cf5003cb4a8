/* Filling: shapes get antialiased edges and are shaded as if they swelled. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

typedef struct { int x0, y0, x1, y1; } Area;

static Area area_of(const Pic *p, const Shape *s, float margin)
{
    float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;

    for (int i = 0; i < s->n; i++) {
        Vec c;
        float r = (reach(&s->part[i], &c) + margin) * p->f.k + 2.0f;
        Vec q = to_pixel(&p->f, c.x, c.y);

        x0 = fminf(x0, q.x - r);
        x1 = fmaxf(x1, q.x + r);
        y0 = fminf(y0, q.y - r);
        y1 = fmaxf(y1, q.y + r);
    }
    return (Area){ (int)clampf(x0, 0.0f, (float)p->w),
                   (int)clampf(y0, 0.0f, (float)p->h),
                   (int)clampf(x1 + 1.0f, 0.0f, (float)p->w),
                   (int)clampf(y1 + 1.0f, 0.0f, (float)p->h) };
}

static void measure(Pic *p, const Shape *s, Area a)
{
    for (int y = a.y0; y < a.y1; y++) {
        float *row = p->dist + (size_t)y * (size_t)p->w;

        for (int x = a.x0; x < a.x1; x++) {
            Vec q = to_local(&p->f, (float)x + 0.5f, (float)y + 0.5f);

            row[x] = far_shape(s, q) * p->f.k;
        }
    }
}

static Vec slope(const Pic *p, Area a, int x, int y)
{
    const float *d = p->dist + (size_t)y * (size_t)p->w + x;
    float gx = (x + 1 < a.x1 ? d[1] : d[0]) - (x > a.x0 ? d[-1] : d[0]);
    float gy = (y + 1 < a.y1 ? d[p->w] : d[0]) -
               (y > a.y0 ? d[-p->w] : d[0]);
    float len = sqrtf(gx * gx + gy * gy);

    if (len < 1e-6f) {
        return (Vec){ 0.0f, 0.0f };
    }
    return (Vec){ gx / len, gy / len };
}

/* The colour of one pixel inside a shape, lit on its swelling surface. */
static Rgb surface(const Pic *p, const Paint *m, Area a, int x, int y)
{
    float d = p->dist[(size_t)y * (size_t)p->w + (size_t)x];
    float t = 1.0f, lit = 1.0f;
    Vec q = to_local(&p->f, (float)x + 0.5f, (float)y + 0.5f);
    Vec n = { 0.0f, 0.0f };
    Rgb c = m->base;

    if (m->round > 0.0f) {
        t = clampf(-d / (m->round * p->f.k), 0.0f, 1.0f);
        n = slope(p, a, x, y);
        n.x *= 1.0f - t;
        n.y *= 1.0f - t;
        lit = n.x * p->lx + n.y * p->ly +
              sqrtf(t * (2.0f - t)) * p->lz;
        lit = 0.52f + 0.75f * fmaxf(lit, -0.15f);
    }
    if (m->coat != NULL) {
        c = m->coat->pattern(m->coat, q, n);
    }
    if (m->grain > 0.0f) {
        lit += m->grain * (noise(q.x * 22.0f, q.y * 31.0f, 7u) +
                           noise((float)x * 0.9f, (float)y * 0.45f, 3u) -
                           1.0f);
    }
    c = scalec(c, lit);
    if (m->gloss > 0.0f) {
        float g = m->gloss * step01(0.95f, 1.15f, lit);

        c = mixc(c, (Rgb){ 1.0f, 1.0f, 1.0f }, g);
    }
    return c;
}

/* How much of a pixel the shape covers. Fur frays this edge only, not the
   surface: a frayed surface would be lit like gravel. */
static float coverage(const Pic *p, const Paint *m, int x, int y)
{
    float d = p->dist[(size_t)y * (size_t)p->w + (size_t)x];
    float edge = fmaxf(1.0f, m->soft * p->f.k), fray = m->fur * p->f.k;
    float cover;

    if (fray > 0.0f && fabsf(d) < 2.0f * fray + 1.0f) {
        float f = 105.0f / (float)p->h;

        d += fray * 1.2f * (noise((float)x * f, (float)y * f,
                                  (uint32_t)p->rng.n) - 0.5f);
    }
    cover = clampf(0.5f - d / edge, 0.0f, 1.0f);
    return m->soft > 0.0f ? cover * cover * (3.0f - 2.0f * cover) : cover;
}

void fill(Pic *p, const Shape *s, const Paint *m)
{
    Area a = area_of(p, s, m->fur + m->soft);

    measure(p, s, a);
    for (int y = a.y0; y < a.y1; y++) {
        for (int x = a.x0; x < a.x1; x++) {
            size_t i = (size_t)y * (size_t)p->w + (size_t)x;
            float cover = coverage(p, m, x, y);

            if (cover > 0.0f) {
                p->px[i] = mixc(p->px[i], surface(p, m, a, x, y),
                                cover * m->alpha);
            }
        }
    }
}

Paint flat(Rgb c)
{
    return (Paint){ .base = c, .alpha = 1.0f };
}

Paint solid(Rgb c, float round)
{
    return (Paint){ .base = c, .alpha = 1.0f, .round = round };
}

Paint furry(const Coat *c, float round, float fur)
{
    return (Paint){ .coat = c, .alpha = 1.0f, .round = round, .fur = fur,
                    .grain = 0.09f };
}

Paint glow(Rgb c, float soft, float alpha)
{
    return (Paint){ .base = c, .alpha = alpha, .soft = soft };
}

void spot(Pic *p, float x, float y, float rx, float ry, Rgb c)
{
    Shape s = shape(0.0f);
    Paint m = flat(c);

    oval(&s, x, y, rx, ry, 0.0f);
    fill(p, &s, &m);
}

void ball(Pic *p, float x, float y, float rx, float ry, Rgb c)
{
    Shape s = shape(0.0f);
    Paint m = solid(c, fminf(rx, ry));

    oval(&s, x, y, rx, ry, 0.0f);
    fill(p, &s, &m);
}

void stroke(Pic *p, float ax, float ay, float bx, float by, float r, Rgb c)
{
    Shape s = shape(0.0f);
    Paint m = flat(c);

    cone(&s, ax, ay, r, bx, by, r);
    fill(p, &s, &m);
}

void arc(Pic *p, Vec a, Vec b, Vec c, float ra, float rb, Rgb col)
{
    Shape s = shape(0.0f);
    Paint m = flat(col);

    curve(&s, a, b, c, ra, rb);
    fill(p, &s, &m);
}

/* A soft dark oval: where something stands on, or in front of, another. */
void shadow(Pic *p, float x, float y, float rx, float ry, float alpha)
{
    Shape s = shape(0.0f);
    Paint m = glow((Rgb){ 0.04f, 0.04f, 0.07f }, fminf(rx, ry) * 1.2f,
                   alpha);

    oval(&s, x, y, rx, ry, 0.0f);
    fill(p, &s, &m);
}
