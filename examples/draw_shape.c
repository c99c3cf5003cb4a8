/* Soft shapes: unions of cones, ovals, boxes and triangles given by their
   distance. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>

enum { PART_CONE, PART_OVAL, PART_BOX, PART_TRI };

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

float far_shape(const Shape *s, Vec p)
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
float reach(const Part *q, Vec *c)
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
