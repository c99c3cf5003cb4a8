/* Four-legged animals: standing or walking, sitting, lying, and a portrait,
   all from the measures in their row of the table of breeds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stddef.h>

/* Seen from the front, stripes run across the chest. */
static Coat from_front(const Coat *c)
{
    Coat d = *c;

    if (d.pattern == coat_stripes) {
        d.ax = 0.12f;
        d.ay = 1.0f;
    }
    return d;
}

static Coat darker(const Coat *c, float k)
{
    Coat d = *c;

    d.main = scalec(d.main, k);
    d.mark = scalec(d.mark, k);
    d.pale = scalec(d.pale, k);
    return d;
}

/* One leg from the hip to the foot; the knee bends back on hind legs. */
static void leg(Pic *p, const Breed *b, const Look *k, Vec hip, Vec foot,
                bool hind, float dark)
{
    float w = b->legw, len = foot.y - hip.y;
    float bend = (hind ? -0.16f : 0.05f) * len;
    Vec knee = { lerp(hip.x, foot.x, 0.55f) + bend, hip.y + len * 0.6f };
    Coat coat = darker(&k->leg, dark);
    Paint m = furry(&coat, w, b->fur * 0.3f);
    Shape s = shape(w * 0.9f);

    oval(&s, hip.x, hip.y + w * 0.6f, w * (hind ? 1.9f : 1.45f),
         w * (hind ? 2.3f : 2.0f), 0.0f);
    cone(&s, hip.x, hip.y + w, w * 1.3f, knee.x, knee.y, w * 0.85f);
    cone(&s, knee.x, knee.y, w * 0.85f, foot.x, foot.y - w * 0.6f,
         w * 0.72f);
    fill(p, &s, &m);
    s = shape(w * 0.3f);
    m = solid(scalec(k->paw, dark), w * 0.8f);
    if (b->hoof) {
        box(&s, foot.x + w * 0.1f, foot.y - w * 0.3f, w * 0.85f, w * 0.42f,
            0.0f, w * 0.15f);
    } else {
        oval(&s, foot.x + w * 0.4f, foot.y - w * 0.45f, w * 1.15f, w * 0.6f,
             0.0f);
    }
    fill(p, &s, &m);
}

static void tail(Pic *p, const Breed *b, const Look *k, Vec root, float up)
{
    Shape s = shape(b->tailw * 0.5f), end = shape(0.0f);
    Paint m = furry(&k->tail, b->tailw, b->fur * 0.5f);
    float l = b->tail;
    Vec mid = { root.x - l * 0.7f, root.y + l * 0.15f * (1.0f - up) };
    Vec tip = { root.x - l * (0.75f - 0.3f * up),
                root.y + l * (0.7f - 1.4f * up) };

    curve(&s, root, mid, tip, b->tailw, b->tipw);
    fill(p, &s, &m);
    m = solid(k->tip, b->tipw);
    if (b->tuft) {
        leaf(&end, lerp(mid.x, tip.x, 0.7f), lerp(mid.y, tip.y, 0.7f),
             tip.x + (tip.x - mid.x) * 0.3f, tip.y + (tip.y - mid.y) * 0.3f,
             b->tipw * 2.4f);
    } else {
        oval(&end, tip.x, tip.y, b->tipw * 1.05f, b->tipw * 1.05f, 0.0f);
    }
    m.fur = b->fur * 0.4f;
    fill(p, &end, &m);
}

static void torso(Pic *p, const Breed *b, const Look *k, Vec head)
{
    Shape s = shape(b->deep * 0.7f);
    Paint m = furry(&k->body, b->deep * 0.95f, b->fur);
    float x = b->len * 0.5f, d = b->deep;

    cone(&s, -x, -d * 0.02f, d * 0.88f, x, -d * 0.06f, d * 0.92f);
    oval(&s, -x, -d * 0.05f, d * 0.98f, d * 0.95f, 0.0f);
    cone(&s, x, -d * 0.3f, d * 0.66f, head.x - b->head * 0.15f,
         head.y + b->head * 0.25f, b->head * 0.62f);
    fill(p, &s, &m);
}

static Mien mien(Rng *r)
{
    Mien f = { .turn = range(r, -0.9f, 0.9f) };

    f.open = chance(r, 0.12f);
    f.lid = chance(r, 0.3f) ? range(r, 0.2f, 0.9f) : 0.0f;
    return f;
}

static void head_at(Pic *p, const Breed *b, const Look *k, Vec at,
                    bool side)
{
    Frame keep = p->f;
    Mien f = mien(&p->rng);

    if (b->snout > 0.0f && side) {
        p->f = frame_in(&keep, at.x, at.y, b->head,
                        range(&p->rng, -0.15f, 0.3f));
        head_side(p, b, k, f);
    } else {
        f.turn = range(&p->rng, -0.1f, 1.0f);
        shadow(p, at.x - b->head * 0.1f, at.y + b->head * 0.25f,
               b->head * 1.0f, b->head * 0.95f, 0.28f);
        p->f = frame_in(&keep, at.x, at.y, b->head,
                        range(&p->rng, -0.12f, 0.12f));
        head_front(p, b, k, f);
    }
    p->f = keep;
}

static void side_view(Pic *p, const Breed *b, const Look *k)
{
    float x = b->len * 0.5f, d = b->deep, g = d * 0.75f + b->leg;
    float lift = b->lift + range(&p->rng, -0.2f, 0.15f);
    Vec head = { x + d * 0.2f + b->neck * cosf(lift),
                 -d * 0.35f - b->neck * sinf(lift) - b->head * 0.2f };
    float swing = range(&p->rng, 0.0f, 0.32f) * b->leg;
    float hip = d * 0.25f;
    Bounds q = { -x - d - b->tail * 0.55f, head.y - b->head * 1.5f,
                 head.x + b->head * (1.1f + b->snout * 0.5f), g };
    bool side = chance(&p->rng, 0.7f);

    place(p, q, 0.72f, 1.0f);
    shadow(p, 0.0f, g - b->legw * 0.3f, x + d * 1.3f, b->leg * 0.12f + 0.02f,
           0.55f);
    leg(p, b, k, (Vec){ -x + d * 0.2f, hip },
        (Vec){ -x + d * 0.25f + swing, g - d * 0.08f }, true, 0.68f);
    leg(p, b, k, (Vec){ x + d * 0.1f, hip },
        (Vec){ x + d * 0.1f - swing, g - d * 0.08f }, false, 0.68f);
    tail(p, b, k, (Vec){ -x - d * 0.75f, -d * 0.35f },
         b->curl * range(&p->rng, 0.4f, 1.2f));
    torso(p, b, k, head);
    leg(p, b, k, (Vec){ -x - d * 0.15f, hip },
        (Vec){ -x - d * 0.2f - swing, g }, true, 1.0f);
    leg(p, b, k, (Vec){ x - d * 0.1f, hip },
        (Vec){ x - d * 0.1f + swing, g }, false, 1.0f);
    head_at(p, b, k, head, side);
}

static void folded_legs(Pic *p, const Breed *b, const Look *k, float g)
{
    float x = b->len * 0.5f, d = b->deep, w = b->legw;
    Shape s = shape(w);
    Paint m = furry(&k->leg, d * 0.5f, b->fur * 0.4f);

    oval(&s, -x, d * 0.3f, d * 0.75f, d * 0.62f, -0.3f);
    cone(&s, -x - d * 0.2f, g - w * 0.8f, w * 0.8f, -x + d * 0.9f,
         g - w * 0.7f, w * 0.75f);
    fill(p, &s, &m);
    s = shape(w);
    m.round = w;
    cone(&s, x - d * 0.2f, d * 0.35f, w * 1.3f, x, g - w, w);
    cone(&s, x, g - w, w, x + d * 1.2f, g - w * 0.7f, w * 0.75f);
    fill(p, &s, &m);
    ball(p, x + d * 1.3f, g - w * 0.65f, w * 1.0f, w * 0.65f, k->paw);
    ball(p, -x + d * 1.0f, g - w * 0.65f, w * 1.0f, w * 0.65f, k->paw);
}

static void lying(Pic *p, const Breed *b, const Look *k)
{
    float x = b->len * 0.5f, d = b->deep, g = d * 0.95f;
    float lift = fmaxf(b->lift, 0.3f) + range(&p->rng, -0.3f, 0.2f);
    Vec head = { x + d * 0.25f + b->neck * cosf(lift),
                 -d * 0.3f - b->neck * sinf(lift) };
    Bounds q = { -x - d - b->tail * 0.5f, head.y - b->head * 1.5f,
                 x + d * 1.5f, g };

    place(p, q, 0.75f, 1.0f);
    shadow(p, 0.0f, g, x + d * 1.5f, d * 0.18f, 0.55f);
    tail(p, b, k, (Vec){ -x - d * 0.7f, d * 0.3f },
         range(&p->rng, 0.0f, 0.3f));
    torso(p, b, k, head);
    folded_legs(p, b, k, g);
    head_at(p, b, k, head, false);
}

static void front_legs(Pic *p, const Breed *b, const Look *k, float top)
{
    float w = b->legw, gap = b->deep * 0.38f;

    for (float side = -1.0f; side < 2.0f; side += 2.0f) {
        Shape s = shape(w * 0.8f);
        Paint m = furry(&k->leg, w * 1.1f, b->fur * 0.3f);

        cone(&s, side * gap * 1.15f, top, w * 1.1f, side * gap, -w * 0.6f,
             w * 0.85f);
        fill(p, &s, &m);
        ball(p, side * gap * 1.05f, -w * 0.5f, w * 1.15f, w * 0.65f, k->paw);
    }
}

static void sitting(Pic *p, const Breed *b, const Look *k)
{
    float d = b->deep, up = b->len * 0.75f + d * 0.5f;
    float bow = range(&p->rng, 0.0f, 0.3f);
    Vec head = { range(&p->rng, -0.12f, 0.12f),
                 -up - b->head * 0.55f - b->neck * 0.35f };
    Bounds q = { -d * 1.6f - b->tail * bow, head.y - b->head * 1.5f,
                 d * 1.6f, 0.05f };
    Coat coat = from_front(&k->body);
    Shape s = shape(d * 0.6f);
    Paint m = furry(&coat, d * 0.9f, b->fur);

    place(p, q, 0.78f, 1.05f);
    shadow(p, 0.0f, 0.0f, d * 1.7f, d * 0.2f, 0.55f);
    tail(p, b, k, (Vec){ -d * 0.9f, -d * 0.3f }, bow);
    oval(&s, 0.0f, -d * 0.95f, d * 1.15f, d * 0.98f, 0.0f);
    cone(&s, 0.0f, -d, d * 0.95f, head.x * 0.5f, -up, d * 0.72f);
    cone(&s, head.x * 0.5f, -up, d * 0.6f, head.x, head.y, b->head * 0.6f);
    fill(p, &s, &m);
    s = shape(0.02f);
    m = furry(&k->leg, d * 0.5f, b->fur * 0.5f);
    oval(&s, -d * 0.92f, -d * 0.5f, d * 0.48f, d * 0.52f, 0.3f);
    oval(&s, d * 0.92f, -d * 0.5f, d * 0.48f, d * 0.52f, -0.3f);
    fill(p, &s, &m);
    ball(p, -d * 0.95f, -b->legw * 0.4f, b->legw * 1.4f, b->legw * 0.55f,
         k->paw);
    ball(p, d * 0.95f, -b->legw * 0.4f, b->legw * 1.4f, b->legw * 0.55f,
         k->paw);
    s = shape(0.0f);
    m = glow(k->chest, d * 0.25f, 0.9f);
    oval(&s, 0.0f, -up * 0.82f, d * 0.42f, up * 0.3f, 0.0f);
    fill(p, &s, &m);
    front_legs(p, b, k, -up * 0.75f);
    head_at(p, b, k, head, chance(&p->rng, 0.25f));
}

/* Head and shoulders. The body's frame is scaled so that its coat keeps the
   proportion that it has in the other poses. */
static void portrait(Pic *p, const Breed *b, const Look *k)
{
    Frame keep;
    Coat coat = from_front(&k->body);
    Shape s = shape(0.2f);
    Paint m = furry(&coat, b->head, b->fur);
    float h = b->head, ear = b->ear == EAR_LONG ? 1.9f * b->ear_h : 0.5f;
    Bounds q = { -1.35f * h, (-1.1f - ear) * h, 1.35f * h, 1.75f * h };

    place(p, q, 0.85f, 1.15f);
    keep = p->f;
    cone(&s, 0.0f, 0.2f * h, h * 0.75f, 0.0f, 2.4f * h, 1.35f * h);
    fill(p, &s, &m);
    s = shape(0.0f);
    m = glow(k->chest, 0.4f * h, 0.9f);
    oval(&s, 0.0f, 1.7f * h, 0.55f * h, 0.8f * h, 0.0f);
    fill(p, &s, &m);
    shadow(p, 0.0f, 0.35f * h, 0.95f * h, 0.9f * h, 0.3f);
    p->f = frame_in(&keep, 0.0f, 0.0f, h, range(&p->rng, -0.18f, 0.18f));
    head_front(p, b, k, mien(&p->rng));
    p->f = keep;
}

typedef void (*Pose)(Pic *p, const Breed *b, const Look *k);
static const struct { int bit; float share; Pose paint; } poses[] = {
    { POSE_SIDE, 0.42f, side_view }, { POSE_FACE, 0.26f, portrait },
    { POSE_SIT, 0.18f, sitting }, { POSE_LIE, 0.14f, lying },
};

void paint_beast(Pic *p, const Breed *b)
{
    Look k = { 0 };
    Breed own = *b;
    float u = 0.0f;
    Pose paint = side_view;

    b->dress(&p->rng, &k);
    own.head *= range(&p->rng, 0.92f, 1.1f);
    own.deep *= range(&p->rng, 0.9f, 1.12f);
    own.ear_h *= range(&p->rng, 0.85f, 1.15f);
    own.wide *= range(&p->rng, 0.94f, 1.06f);
    for (size_t i = 0; i < sizeof poses / sizeof poses[0]; i++) {
        u += (b->poses & poses[i].bit) != 0 ? poses[i].share : 0.0f;
    }
    u *= unit(&p->rng);
    for (size_t i = 0; i < sizeof poses / sizeof poses[0]; i++) {
        if ((b->poses & poses[i].bit) != 0) {
            paint = poses[i].paint;
            u -= poses[i].share;
            if (u < 0.0f) {
                break;
            }
        }
    }
    paint(p, &own, &k);
}
