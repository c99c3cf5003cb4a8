/* Heads of four-legged animals, from the front and in profile. Lengths are
   in radii of the head; the face looks along +x in profile. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

static void ear_shape(Shape *s, const Breed *b, float side, float k)
{
    float x = side * b->ear_x, y = b->ear_y;
    float w = b->ear_w * k, h = b->ear_h * k;

    switch (b->ear) {
    case EAR_POINT:
        tri(s, (Vec){ x - w, y + 0.1f }, (Vec){ x + w, y + 0.1f },
            (Vec){ x + side * w * 0.55f, y - h }, 0.04f * k);
        break;
    case EAR_ROUND:
        oval(s, x, y, w, h, 0.0f);
        break;
    case EAR_FLOP:
        oval(s, x + side * w * 0.4f, y + h * 0.75f, w, h, -side * 0.28f);
        break;
    case EAR_LONG:
        oval(s, x + side * h * 0.12f, y - h * 0.85f, w, h, side * 0.16f);
        break;
    case EAR_LEAF:
        leaf(s, x, y, x + side * h, y - h * 0.35f, w);
        break;
    case EAR_FAN:
        oval(s, x + side * w * 0.5f, y + h * 0.25f, w, h, side * 0.15f);
        break;
    }
}

static void ears(Pic *p, const Breed *b, const Look *k, float turn)
{
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        Frame keep = p->f;
        Shape s = shape(0.05f), in = shape(0.0f);
        Paint m = solid(k->ear, b->ear_w * 0.7f);

        p->f = frame_in(&keep, turn * 0.12f, 0.0f, 1.0f, 0.0f);
        ear_shape(&s, b, side, 1.0f);
        m.fur = b->fur * 0.5f;
        m.grain = 0.08f;
        fill(p, &s, &m);
        if (b->ear != EAR_FLOP) {
            ear_shape(&in, b, side, 0.62f);
            m = solid(k->inner, b->ear_w * 0.5f);
            m.soft = 0.05f;
            fill(p, &in, &m);
        }
        p->f = keep;
    }
}

static void skull(Pic *p, const Breed *b, const Look *k, float turn)
{
    Shape s = shape(0.28f);
    Paint m = furry(&k->head, 0.85f, b->fur);

    oval(&s, 0.0f, 0.0f, b->wide, b->tall, 0.0f);
    if (b->cheek > 0.0f) {
        for (float side = -1.0f; side < 2.0f; side += 2.0f) {
            tri(&s, (Vec){ side * b->wide * 0.55f, -0.05f },
                (Vec){ side * (b->wide * 0.78f + b->cheek), 0.52f },
                (Vec){ side * 0.25f, 0.82f }, 0.08f);
        }
    }
    if (b->muz_h > 0.45f) {
        oval(&s, turn * 0.25f, b->muz_y * 0.6f, b->muz_w * 0.95f,
             b->muz_h * 1.1f, 0.0f);
    }
    fill(p, &s, &m);
}

static void muzzle(Pic *p, const Breed *b, const Look *k, float x)
{
    Shape s = shape(0.12f);
    Paint m = solid(k->muzzle, b->muz_h * 0.9f);

    if (b->whiskers) {
        oval(&s, x - b->muz_w * 0.45f, b->muz_y, b->muz_w * 0.58f,
             b->muz_h * 0.85f, 0.1f);
        oval(&s, x + b->muz_w * 0.45f, b->muz_y, b->muz_w * 0.58f,
             b->muz_h * 0.85f, -0.1f);
        oval(&s, x, b->muz_y + b->muz_h * 0.75f, b->muz_w * 0.42f,
             b->muz_h * 0.5f, 0.0f);
    } else {
        oval(&s, x, b->muz_y, b->muz_w, b->muz_h, 0.0f);
    }
    m.soft = 0.05f;
    m.grain = 0.05f;
    fill(p, &s, &m);
}

static void eye_at(Pic *p, const Breed *b, const Look *k, float x, float y,
                   Mien f)
{
    float r = b->eye, glint = r * 0.28f;
    float gaze = f.turn * r * 0.2f, tall = r * (1.0f - 0.55f * f.lid);

    if (b->eyes == EYE_BEAD) {
        spot(p, x, y, r, tall, rgb(0x17120f));
    } else if (b->eyes == EYE_DARK) {
        spot(p, x, y, r * 1.2f, tall * 1.15f, scalec(k->head.main, 0.45f));
        spot(p, x, y, r, tall, rgb(0x2a1a10));
        spot(p, x + gaze, y, r * 0.6f, tall * 0.65f, rgb(0x0a0706));
    } else {
        spot(p, x, y, r * 1.28f, tall * 1.25f, rgb(0x1b1410));
        ball(p, x, y, r, tall, k->iris);
        spot(p, x + gaze, y, r * (b->eyes == EYE_ROUND ? 0.45f : 0.32f),
             tall * (b->eyes == EYE_ROUND ? 0.5f : 0.85f), rgb(0x0d0a08));
    }
    spot(p, x - r * 0.3f, y - tall * 0.35f, glint, glint, rgb(0xffffff));
}

static void mouth(Pic *p, const Breed *b, const Look *k, float x, Mien f)
{
    float y = b->muz_y + b->muz_h * 0.12f, w = b->muz_w * 0.55f;
    float n = b->nose, top = b->muz_y - b->muz_h * 0.45f;
    Rgb line = scalec(k->muzzle, 0.35f);
    Shape s = shape(0.03f);
    Paint m = solid(k->nose, n * 0.5f);

    if (f.open) {
        ball(p, x, y + b->muz_h * 0.55f, w * 0.75f, b->muz_h * 0.42f,
             rgb(0x5d1f22));
        ball(p, x, y + b->muz_h * 0.75f, w * 0.45f, b->muz_h * 0.22f,
             rgb(0xd97f86));
    }
    stroke(p, x, top, x, y + 0.02f, 0.018f, line);
    arc(p, (Vec){ x, y }, (Vec){ x + w * 0.5f, y + w * 0.5f },
        (Vec){ x + w, y + w * 0.1f }, 0.028f, 0.012f, line);
    arc(p, (Vec){ x, y }, (Vec){ x - w * 0.5f, y + w * 0.5f },
        (Vec){ x - w, y + w * 0.1f }, 0.028f, 0.012f, line);
    tri(&s, (Vec){ x - n, top - n * 0.5f }, (Vec){ x + n, top - n * 0.5f },
        (Vec){ x, top + n * 0.55f }, n * 0.3f);
    m.gloss = 0.5f;
    fill(p, &s, &m);
}

static void whisker_lines(Pic *p, const Breed *b, float x)
{
    Rgb c = rgb(0xf4f0ea);

    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        for (float i = -1.0f; i < 1.5f; i += 1.0f) {
            float y = b->muz_y + i * 0.09f;
            float x0 = x + side * b->muz_w * 0.6f;

            arc(p, (Vec){ x0, y }, (Vec){ x0 + side * 0.45f, y + i * 0.05f },
                (Vec){ x0 + side * 0.95f, y + i * 0.2f + 0.1f }, 0.011f,
                0.004f, c);
        }
    }
}

void head_front(Pic *p, const Breed *b, const Look *k, Mien f)
{
    float x = f.turn * 0.24f;

    if (b->behind != NULL) {
        b->behind(p, b, k, f.turn);
    }
    ears(p, b, k, f.turn);
    skull(p, b, k, f.turn);
    muzzle(p, b, k, x);
    if (b->over != NULL) {
        b->over(p, b, k, f.turn);
    }
    eye_at(p, b, k, -b->eye_x + f.turn * 0.17f, b->eye_y, f);
    eye_at(p, b, k, b->eye_x + f.turn * 0.17f, b->eye_y, f);
    if (b->nose > 0.0f) {
        mouth(p, b, k, x, f);
    }
    if (b->whiskers) {
        whisker_lines(p, b, x);
    }
}

/* The ear in profile is the front one's right ear moved to the back. */
static void side_ear(Pic *p, const Breed *b, const Look *k, float x,
                     float dark)
{
    Frame keep = p->f;
    Shape s = shape(0.0f);
    Paint m = solid(scalec(k->ear, dark), b->ear_w * 0.7f);
    float turn = b->ear == EAR_LEAF ? -0.9f : -0.25f;

    p->f = frame_in(&keep, x, b->ear == EAR_FLOP ? -0.45f : -0.55f, 1.0f,
                    turn);
    if (b->ear == EAR_FLOP) {
        oval(&s, 0.0f, b->ear_h * 0.8f, b->ear_w, b->ear_h, 0.2f);
    } else if (b->ear == EAR_ROUND || b->ear == EAR_FAN) {
        oval(&s, -0.1f, -b->ear_h * 0.2f, b->ear_w, b->ear_h, 0.0f);
    } else if (b->ear == EAR_LEAF) {
        leaf(&s, 0.0f, 0.0f, b->ear_h, -b->ear_h * 0.3f, b->ear_w);
    } else if (b->ear == EAR_LONG) {
        oval(&s, -0.1f, -b->ear_h * 0.9f, b->ear_w, b->ear_h, -0.1f);
    } else {
        tri(&s, (Vec){ -b->ear_w * 0.8f, 0.1f },
            (Vec){ b->ear_w * 0.7f, 0.0f },
            (Vec){ 0.0f, -b->ear_h }, 0.04f);
    }
    fill(p, &s, &m);
    p->f = keep;
}

void head_side(Pic *p, const Breed *b, const Look *k, Mien f)
{
    Shape s = shape(0.3f);
    Paint m = furry(&k->head, 0.75f, b->fur);
    float tip = 0.35f + b->snout, r = b->muz_w * 0.62f;
    float ty = 0.38f + 0.12f * b->snout;

    side_ear(p, b, k, -0.15f, 0.75f);
    oval(&s, 0.0f, 0.0f, 0.88f, b->tall * 0.92f, 0.0f);
    cone(&s, 0.25f, 0.12f, 0.55f, tip, ty, r);
    fill(p, &s, &m);
    s = shape(0.1f);
    m = solid(k->muzzle, r);
    m.soft = 0.15f;
    oval(&s, tip + 0.02f, ty + r * 0.1f, r * 0.98f, r * 0.9f, 0.0f);
    cone(&s, tip, ty + r * 0.35f, r * 0.5f, 0.35f, ty + r * 0.35f,
         r * 0.3f);
    fill(p, &s, &m);
    arc(p, (Vec){ tip + r * 0.7f, ty + r * 0.35f },
        (Vec){ tip - 0.1f, ty + r * 0.65f },
        (Vec){ tip - b->snout * 0.6f, ty + r * 0.3f }, 0.03f, 0.02f,
        scalec(k->muzzle, 0.4f));
    ball(p, tip + r * 0.85f, ty - r * 0.45f, b->nose * 0.8f, b->nose * 0.7f,
         k->nose);
    if (b->profile != NULL) {
        b->profile(p, b, k, 0.0f);
    }
    side_ear(p, b, k, -0.32f, 1.0f);
    eye_at(p, b, k, 0.34f, b->eye_y * 0.9f, f);
}
