/* Soft shapes: unions of cones, ovals, boxes and triangles given by their
   distance, filled with antialiased edges and shaded as if they swelled. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

enum { PART_CONE, PART_OVAL, PART_BOX, PART_TRI };

typedef struct { int x0, y0, x1, y1; } Area;

Shape shape(float blend)
{
    Shape s;

    s.n = 0;
    s.blend = blend;
    return s;
}

static float *part(Shape *s, int kind)
{
    Part *q = &s->part[s->n < PART_MAX ? s->n : PART_MAX - 1];

    if (s->n < PART_MAX) {
        s->n++;
    }
    q->kind = kind;
    return q->a;
}

void cone(Shape *s, float ax, float ay, float ra, float bx, float by,
          float rb)
{
    float *a = part(s, PART_CONE);
    float dx = bx - ax, dy = by - ay;

    a[0] = ax;
    a[1] = ay;
    a[2] = dx;
    a[3] = dy;
    a[4] = ra;
    a[5] = rb - ra;
    a[6] = 1.0f / fmaxf(dx * dx + dy * dy, 1e-9f);
}

void oval(Shape *s, float cx, float cy, float rx, float ry, float turn)
{
    float *a = part(s, PART_OVAL);

    a[0] = cx;
    a[1] = cy;
    a[2] = 1.0f / rx;
    a[3] = 1.0f / ry;
    a[4] = cosf(turn);
    a[5] = sinf(turn);
    a[6] = fmaxf(rx, ry);
}

void box(Shape *s, float cx, float cy, float hx, float hy, float turn,
         float round)
{
    float *a = part(s, PART_BOX);

    a[0] = cx;
    a[1] = cy;
    a[2] = fmaxf(hx - round, 0.0f);
    a[3] = fmaxf(hy - round, 0.0f);
    a[4] = cosf(turn);
    a[5] = sinf(turn);
    a[6] = round;
}

void tri(Shape *s, Vec a, Vec b, Vec c, float round)
{
    float *q = part(s, PART_TRI);

    q[0] = a.x;
    q[1] = a.y;
    q[2] = b.x;
    q[3] = b.y;
    q[4] = c.x;
    q[5] = c.y;
    q[6] = round;
}

/* A quadratic bezier as eight tapering cones. */
void curve(Shape *s, Vec a, Vec b, Vec c, float ra, float rb)
{
    enum { STEPS = 8 };
    Vec last = a;

    for (int i = 1; i <= STEPS; i++) {
        float t = (float)i / (float)STEPS, u = 1.0f - t;
        Vec q = { u * u * a.x + 2.0f * u * t * b.x + t * t * c.x,
                  u * u * a.y + 2.0f * u * t * b.y + t * t * c.y };

        cone(s, last.x, last.y,
             lerp(ra, rb, (float)(i - 1) / (float)STEPS), q.x, q.y,
             lerp(ra, rb, t));
        last = q;
    }
}

/* Pointed at both ends, r wide in the middle. */
void leaf(Shape *s, float ax, float ay, float bx, float by, float r)
{
    float mx = (ax + bx) * 0.5f, my = (ay + by) * 0.5f;

    cone(s, ax, ay, 0.0f, mx, my, r);
    cone(s, bx, by, 0.0f, mx, my, r);
}

static float far_cone(const float *a, float x, float y)
{
    float px = x - a[0], py = y - a[1];
    float h = clampf((px * a[2] + py * a[3]) * a[6], 0.0f, 1.0f);

    px -= a[2] * h;
    py -= a[3] * h;
    return sqrtf(px * px + py * py) - (a[4] + a[5] * h);
}

static float far_oval(const float *a, float x, float y)
{
    float dx = x - a[0], dy = y - a[1];
    float u = (a[4] * dx + a[5] * dy) * a[2];
    float v = (-a[5] * dx + a[4] * dy) * a[3];
    float k0 = sqrtf(u * u + v * v), k1;

    u *= a[2];
    v *= a[3];
    k1 = sqrtf(u * u + v * v);
    return k1 > 1e-6f ? k0 * (k0 - 1.0f) / k1
                      : -1.0f / fmaxf(a[2], a[3]);
}

static float far_box(const float *a, float x, float y)
{
    float dx = x - a[0], dy = y - a[1];
    float u = fabsf(a[4] * dx + a[5] * dy) - a[2];
    float v = fabsf(-a[5] * dx + a[4] * dy) - a[3];
    float mu = fmaxf(u, 0.0f), mv = fmaxf(v, 0.0f);

    return sqrtf(mu * mu + mv * mv) + fminf(fmaxf(u, v), 0.0f) - a[6];
}

static float far_tri(const float *a, float x, float y)
{
    float best = 1e9f, in_a = 1.0f, in_b = 1.0f;

    for (int i = 0; i < 3; i++) {
        const float *p = a + 2 * i, *q = a + 2 * ((i + 1) % 3);
        float ex = q[0] - p[0], ey = q[1] - p[1];
        float wx = x - p[0], wy = y - p[1];
        float t = clampf((wx * ex + wy * ey) / (ex * ex + ey * ey + 1e-9f),
                         0.0f, 1.0f);
        float side = ex * wy - ey * wx;
        float dx = wx - ex * t, dy = wy - ey * t;

        best = fminf(best, dx * dx + dy * dy);
        in_a = side < 0.0f ? -1.0f : in_a;
        in_b = side > 0.0f ? -1.0f : in_b;
    }
    best = sqrtf(best);
    return (in_a > 0.0f || in_b > 0.0f ? -best : best) - a[6];
}

static float (*const far_part[])(const float *, float, float) = {
    far_cone, far_oval, far_box, far_tri
};

static float far_shape(const Shape *s, Vec p)
{
    float d = 1e9f, k = s->blend;

    for (int i = 0; i < s->n; i++) {
        float e = far_part[s->part[i].kind](s->part[i].a, p.x, p.y);

        if (k > 0.0f) {
            float h = fmaxf(k - fabsf(d - e), 0.0f) / k;

            d = fminf(d, e) - h * h * k * 0.25f;
        } else {
            d = fminf(d, e);
        }
    }
    return d;
}

/* Centre and reach of a part, for the area that a fill must visit. */
static float reach(const Part *q, Vec *c)
{
    const float *a = q->a;

    *c = (Vec){ a[0], a[1] };
    if (q->kind == PART_CONE) {
        *c = (Vec){ a[0] + a[2] * 0.5f, a[1] + a[3] * 0.5f };
        return 0.5f * sqrtf(a[2] * a[2] + a[3] * a[3]) +
               fmaxf(a[4], a[4] + a[5]);
    }
    if (q->kind == PART_OVAL) {
        return a[6];
    }
    if (q->kind == PART_BOX) {
        return sqrtf(a[2] * a[2] + a[3] * a[3]) + a[6];
    }
    *c = (Vec){ (a[0] + a[2] + a[4]) / 3.0f, (a[1] + a[3] + a[5]) / 3.0f };
    return a[6] + fmaxf(hypotf(a[0] - c->x, a[1] - c->y),
                        fmaxf(hypotf(a[2] - c->x, a[3] - c->y),
                              hypotf(a[4] - c->x, a[5] - c->y)));
}

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
