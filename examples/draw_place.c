/* Where a subject goes in the picture: on the ground or in the air, how
   large, which way it looks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>

/* A frame in which the bounds fill a part (low to high) of the picture, feet
   on the ground; mirrored half the time, a little tilted, off the middle. */
void place(Pic *p, Bounds q, float low, float high)
{
    float w = (float)p->w, h = (float)p->h;
    float foot = h * range(&p->rng, 0.84f, 0.97f);
    float part = range(&p->rng, low, high);
    float k = fminf(part * w / (q.x1 - q.x0),
                    part * (foot - 0.02f * h) / (q.y1 - q.y0));
    float slack = 0.5f * (w - k * (q.x1 - q.x0));
    float flip = chance(&p->rng, 0.5f) ? -1.0f : 1.0f;
    float a = range(&p->rng, -0.04f, 0.04f);
    float mid = 0.5f * w + range(&p->rng, -0.7f, 0.7f) * slack;

    p->f = (Frame){ mid - flip * k * 0.5f * (q.x0 + q.x1), foot - k * q.y1,
                    cosf(a), sinf(a), k, flip };
}

/* A frame somewhere near the middle for what swims or flies: a circle of
   radius reach fills a part of the picture, tilted by up to tilt. */
void hover(Pic *p, float reach, float low, float high, float tilt)
{
    float w = (float)p->w, h = (float)p->h;
    float k = 0.5f * fminf(w, h) * range(&p->rng, low, high) / reach;
    float a = range(&p->rng, -tilt, tilt);
    float flip = chance(&p->rng, 0.5f) ? -1.0f : 1.0f;
    float x = w * range(&p->rng, 0.4f, 0.6f);
    float y = h * range(&p->rng, 0.42f, 0.58f);

    p->f = (Frame){ x, y, cosf(a), sinf(a), k, flip };
}
