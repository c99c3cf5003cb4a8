/* What some animals wear on the head: manes, horns, masks, a trunk. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

void lion_mane(Pic *p, const Breed *b, const Look *k, float turn)
{
    Shape s = shape(0.2f);
    Paint m = solid(k->mane, 0.6f);

    (void)b;
    if (k->mane.r < 0.0f) {
        return;
    }
    oval(&s, -turn * 0.08f, 0.12f, 1.5f, 1.45f, 0.0f);
    oval(&s, 0.0f, 0.75f, 1.15f, 1.25f, 0.0f);
    m.fur = 0.16f;
    m.grain = 0.3f;
    fill(p, &s, &m);
    s = shape(0.0f);
    m = glow(scalec(k->mane, 1.35f), 0.25f, 0.8f);
    oval(&s, -turn * 0.05f, 0.08f, 1.12f, 1.12f, 0.0f);
    fill(p, &s, &m);
}

void fox_cheeks(Pic *p, const Breed *b, const Look *k, float turn)
{
    Paint m = glow(k->muzzle, 0.08f, 1.0f);

    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        Shape s = shape(0.05f);

        tri(&s, (Vec){ turn * 0.2f + side * 0.12f, 0.3f },
            (Vec){ side * b->wide * 0.98f, 0.4f },
            (Vec){ turn * 0.15f + side * 0.2f, 0.78f }, 0.06f);
        fill(p, &s, &m);
    }
}

void panda_eyes(Pic *p, const Breed *b, const Look *k, float turn)
{
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        Shape s = shape(0.0f);
        Paint m = glow(k->ear, 0.04f, 1.0f);

        oval(&s, side * (b->eye_x + 0.05f) + turn * 0.17f, b->eye_y + 0.06f,
             0.2f, 0.3f, side * 0.6f);
        fill(p, &s, &m);
    }
}

void raccoon_mask(Pic *p, const Breed *b, const Look *k, float turn)
{
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        Shape brow = shape(0.0f), s = shape(0.0f);
        Paint m = glow(k->muzzle, 0.06f, 0.95f);
        float x = side * b->eye_x + turn * 0.17f;

        leaf(&brow, x - side * 0.3f, -0.35f, x + side * 0.5f, -0.25f, 0.14f);
        fill(p, &brow, &m);
        m.base = rgb(0x262223);
        leaf(&s, x - side * 0.32f, -0.1f, x + side * 0.6f, 0.28f, 0.25f);
        fill(p, &s, &m);
    }
}

void dog_blaze(Pic *p, const Breed *b, const Look *k, float turn)
{
    Shape s = shape(0.1f);
    Paint m = glow(k->muzzle, 0.08f, 0.9f);

    leaf(&s, turn * 0.1f, -b->tall * 0.9f, turn * 0.22f, b->muz_y, 0.17f);
    fill(p, &s, &m);
}

void pig_snout(Pic *p, const Breed *b, const Look *k, float turn)
{
    float x = turn * 0.26f, y = b->muz_y;

    ball(p, x, y - 0.04f, 0.4f, 0.3f, scalec(k->muzzle, 1.05f));
    spot(p, x - 0.14f, y - 0.04f, 0.07f, 0.11f, scalec(k->muzzle, 0.5f));
    spot(p, x + 0.14f, y - 0.04f, 0.07f, 0.11f, scalec(k->muzzle, 0.5f));
}

void pig_snout_side(Pic *p, const Breed *b, const Look *k, float turn)
{
    float tip = 0.4f + b->snout, y = 0.36f + 0.12f * b->snout;

    (void)turn;
    ball(p, tip + 0.3f, y, 0.13f, 0.34f, scalec(k->muzzle, 1.05f));
    spot(p, tip + 0.33f, y - 0.05f, 0.035f, 0.08f, scalec(k->muzzle, 0.5f));
}

void cow_horns(Pic *p, const Breed *b, const Look *k, float turn)
{
    (void)turn;
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        arc(p, (Vec){ side * b->wide * 0.5f, -0.7f },
            (Vec){ side * 1.15f, -0.85f }, (Vec){ side * 0.95f, -1.5f },
            0.15f, 0.03f, k->mane);
    }
}

void cow_horn_side(Pic *p, const Breed *b, const Look *k, float turn)
{
    (void)b;
    (void)turn;
    arc(p, (Vec){ 0.0f, -0.7f }, (Vec){ 0.35f, -0.95f },
        (Vec){ 0.25f, -1.4f }, 0.14f, 0.03f, k->mane);
}

void nostrils(Pic *p, const Breed *b, const Look *k, float turn)
{
    float x = turn * 0.25f, y = b->muz_y;

    spot(p, x - b->muz_w * 0.45f, y, 0.08f, 0.11f, k->nose);
    spot(p, x + b->muz_w * 0.45f, y, 0.08f, 0.11f, k->nose);
    arc(p, (Vec){ x - b->muz_w * 0.5f, y + b->muz_h * 0.5f },
        (Vec){ x, y + b->muz_h * 0.75f },
        (Vec){ x + b->muz_w * 0.5f, y + b->muz_h * 0.5f }, 0.025f, 0.025f,
        scalec(k->muzzle, 0.5f));
}

void forelock(Pic *p, const Breed *b, const Look *k, float turn)
{
    Shape s = shape(0.05f);
    Paint m = solid(k->mane, 0.2f);

    leaf(&s, 0.0f, -b->tall * 1.2f, turn * 0.1f, -0.1f, 0.2f);
    leaf(&s, -0.1f, -b->tall * 1.15f, turn * 0.1f - 0.22f, -0.3f, 0.15f);
    m.fur = 0.05f;
    m.grain = 0.25f;
    fill(p, &s, &m);
    nostrils(p, b, k, turn);
}

void mane_side(Pic *p, const Breed *b, const Look *k, float turn)
{
    Shape s = shape(0.1f);
    Paint m = solid(k->mane, 0.25f);

    (void)b;
    (void)turn;
    curve(&s, (Vec){ 0.25f, -0.8f }, (Vec){ -0.9f, -0.7f },
          (Vec){ -1.25f, 1.1f }, 0.16f, 0.3f);
    m.fur = 0.07f;
    m.grain = 0.3f;
    fill(p, &s, &m);
}

void sheep_cap(Pic *p, const Breed *b, const Look *k, float turn)
{
    Coat wool = k->body;
    Shape s = shape(0.12f);
    Paint m = furry(&wool, 0.4f, 0.06f);

    wool.scale = 2.8f;
    for (float x = -0.5f; x < 0.6f; x += 0.25f) {
        oval(&s, x + turn * 0.1f, -b->tall * 0.85f + x * x * 0.5f, 0.3f,
             0.28f, 0.0f);
    }
    fill(p, &s, &m);
}

void antlers(Pic *p, const Breed *b, const Look *k, float turn)
{
    if (k->mane.r < 0.0f) {
        return;
    }
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        float x = side * 0.4f - turn * 0.05f, y = -b->tall * 0.8f;

        arc(p, (Vec){ x, y }, (Vec){ x + side * 1.1f, y - 0.6f },
            (Vec){ x + side * 0.6f, y - 1.6f }, 0.09f, 0.04f, k->mane);
        stroke(p, x + side * 0.45f, y - 0.4f, x + side * 0.15f, y - 1.1f,
               0.05f, k->mane);
        stroke(p, x + side * 0.7f, y - 0.9f, x + side * 1.2f, y - 1.4f,
               0.05f, k->mane);
    }
}

void giraffe_horns(Pic *p, const Breed *b, const Look *k, float turn)
{
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        float x = side * 0.35f + turn * 0.05f, y = -b->tall * 1.45f;

        stroke(p, x * 0.8f, -b->tall * 0.7f, x, y, 0.1f, k->head.main);
        ball(p, x, y, 0.16f, 0.16f, rgb(0x4a3526));
    }
}

void trunk(Pic *p, const Breed *b, const Look *k, float turn)
{
    Shape s = shape(0.2f);
    Paint m = furry(&k->head, 0.3f, 0.0f);
    float x = turn * 0.2f;

    (void)b;
    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        arc(p, (Vec){ x + side * 0.38f, 0.5f },
            (Vec){ x + side * 0.5f, 1.05f },
            (Vec){ x + side * 0.75f, 1.25f }, 0.11f, 0.03f, k->mane);
    }
    curve(&s, (Vec){ x, 0.15f }, (Vec){ x - 0.1f, 1.3f },
          (Vec){ x + 0.5f + turn * 0.3f, 2.1f }, 0.42f, 0.17f);
    fill(p, &s, &m);
    for (float y = 0.5f; y < 1.6f; y += 0.22f) {
        stroke(p, x - 0.2f, y, x + 0.2f, y + 0.04f, 0.018f,
               scalec(k->head.main, 0.7f));
    }
}

void rabbit_teeth(Pic *p, const Breed *b, const Look *k, float turn)
{
    (void)k;
    spot(p, turn * 0.24f, b->muz_y + b->muz_h * 0.75f, 0.08f, 0.1f,
         rgb(0xfbf8f0));
}
