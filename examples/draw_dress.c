/* The colours that an animal of each breed may have: one function a breed
   draws one animal's coat, ears, eyes and paws. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

/* One pattern all over, a plain head, and the usual small parts; what is
   special about a breed changes these afterwards. */
void wear(Rng *r, Look *k, Pattern f, Rgb main, Rgb mark, Rgb pale,
                 float belly)
{
    main = vary(r, main, 0.10f);
    k->body = coat_of(r, f, main, mark, pale);
    k->body.belly = belly;
    k->leg = k->body;
    k->head = coat_of(r, coat_plain, main, mark, pale);
    k->head.belly = belly * 0.4f;
    k->tail = coat_of(r, coat_plain, main, mark, pale);
    k->ear = scalec(main, 0.88f);
    k->inner = mixc(main, rgb(0xe0a8a4), 0.6f);
    k->muzzle = pale;
    k->nose = rgb(0xb86f70);
    k->iris = rgb(0xd8a93c);
    k->paw = main;
    k->chest = main;
    k->tip = main;
    k->mane = mark;
}

/* Stripes across the body, bands down the legs and the tail, a striped
   face: a tabby's and a tiger's differ in measure and colour. */
void wear_stripes(Look *k, float scale, float amount, float bands)
{
    k->body.pattern = coat_stripes;
    k->body.scale = scale;
    k->body.amount = amount;
    k->leg = k->body;
    k->leg.pattern = coat_bands;
    k->leg.ax = 0.25f;
    k->leg.ay = 1.0f;
    k->leg.scale = bands;
    k->leg.amount = amount * 0.85f;
    k->tail.mark = k->body.mark;
    k->tail.pattern = coat_bands;
    k->tail.ax = 0.75f;
    k->tail.ay = 0.6f;
    k->tail.scale = bands;
    k->tail.amount = amount;
    k->tail.belly = 0.0f;
    k->head.pattern = coat_face;
    k->head.amount = amount;
}

static void cat_tabby(Rng *r, Look *k)
{
    static const int mains[] = { 0xa98a66, 0x9a9184, 0xd99a55, 0xe0a765,
                                 0xb9a083 };
    static const int marks[] = { 0x4a3827, 0x3f3c39, 0xb06a2c, 0xbf7733,
                                 0x5a4632 };
    int i = pick(r, 5);
    float apart = range(r, 6.0f, 8.5f);
    Rgb main = rgb(mains[i]);

    wear(r, k, coat_stripes, main, vary(r, rgb(marks[i]), 0.15f),
         mixc(main, rgb(0xf6ece0), 0.65f), 0.6f);
    wear_stripes(k, apart, range(r, 0.26f, 0.42f), 9.0f);
    k->head.belly = 0.45f;
    k->tip = k->body.mark;
    k->chest = chance(r, 0.4f) ? rgb(0xf6f0e6) : k->body.main;
    k->paw = chance(r, 0.4f) ? rgb(0xf6f0e6) : k->body.main;
}

static void cat_plain(Rng *r, Look *k)
{
    static const int mains[] = { 0x2b2a2d, 0x8b8f98, 0xf1ece4, 0xdc9c58,
                                 0x6b4f3c, 0xd8c3a5 };
    Rgb main = rgb(mains[pick(r, 6)]);

    wear(r, k, coat_plain, main, main, mixc(main, rgb(0xffffff), 0.15f),
         0.4f);
}

static void cat_tuxedo(Rng *r, Look *k)
{
    static const int mains[] = { 0x2a292c, 0x7d8088, 0xd99852 };
    Rgb main = rgb(mains[pick(r, 3)]), white = rgb(0xf5f1ea);

    wear(r, k, coat_plain, main, main, white, 1.0f);
    k->chest = white;
    k->paw = white;
    k->muzzle = white;
    k->tip = chance(r, 0.5f) ? white : main;
}

static void cat_calico(Rng *r, Look *k)
{
    Rgb white = rgb(0xf3eee6);

    wear(r, k, coat_calico, white, rgb(0x33302f), rgb(0xd08a47), 0.0f);
    k->body.scale = k->leg.scale = range(r, 2.2f, 3.4f);
    k->head.pattern = coat_calico;
    k->head.scale = 1.7f;
    k->muzzle = white;
    k->tail.main = k->tip = rgb(0xd08a47);
    k->ear = rgb(0x3a3532);
}

static void cat_siamese(Rng *r, Look *k)
{
    Rgb cream = rgb(0xe6d8c2), dark = vary(r, rgb(0x54402f), 0.2f);

    wear(r, k, coat_plain, cream, dark, rgb(0xf2e8d8), 0.5f);
    k->head.pattern = coat_points;
    k->leg.main = mixc(cream, dark, 0.35f);
    k->tail.main = k->tip = k->ear = k->paw = dark;
    k->muzzle = scalec(dark, 1.1f);
    k->iris = rgb(0x7fb4dc);
    k->nose = rgb(0x3a2a22);
}

void dress_cat(Rng *r, Look *k)
{
    static const Dress coats[] = { cat_tabby, cat_tabby, cat_tabby,
                                   cat_plain, cat_plain, cat_tuxedo,
                                   cat_calico, cat_siamese };
    static const int eyes[] = { 0xd9b33f, 0x9dbb4f, 0xc98a36, 0x6fae7c };
    Dress dress = coats[pick(r, 8)];

    dress(r, k);
    if (dress != cat_siamese) {
        k->iris = rgb(eyes[pick(r, 4)]);
    }
}

void dress_tiger(Rng *r, Look *k)
{
    static const int mains[] = { 0xe08a32, 0xd97f2e, 0xe59a45, 0xcf8038 };
    bool white = chance(r, 0.08f);
    float apart = range(r, 4.6f, 6.2f);
    Rgb pale = rgb(0xf8f1e4);
    Rgb main = white ? rgb(0xeee9df) : rgb(mains[pick(r, 4)]);

    wear(r, k, coat_stripes, main, rgb(white ? 0x3d3733 : 0x1f1712), pale,
         1.0f);
    wear_stripes(k, apart, range(r, 0.30f, 0.44f), 6.5f);
    k->head.belly = 1.0f;
    k->head.amount = range(r, 0.36f, 0.46f);
    k->muzzle = pale;
    k->ear = rgb(0x2a201a);
    k->inner = pale;
    k->nose = rgb(0xc77a70);
    k->iris = rgb(white ? 0x8fb8d0 : 0xd9a52f);
    k->chest = pale;
    k->tip = rgb(0x1f1712);
}

void dress_lion(Rng *r, Look *k)
{
    static const int manes[] = { 0x8a5a2b, 0x6b4424, 0xa8713a, 0x4f3420 };
    Rgb main = rgb(0xd2a45c);

    wear(r, k, coat_plain, main, main, rgb(0xf0dcb4), 0.8f);
    k->mane = rgb(manes[pick(r, 4)]);
    if (chance(r, 0.25f)) {
        k->mane.r = -1.0f;      /* a lioness */
    }
    k->tip = rgb(0x5a3d22);
    k->nose = rgb(0x5f3f36);
}

void dress_leopard(Rng *r, Look *k)
{
    Rgb main = rgb(0xdcae62), dark = rgb(0x2b2018);

    wear(r, k, coat_rosettes, main, dark, rgb(0xf7ecd6), 0.9f);
    k->body.scale = k->leg.scale = range(r, 6.5f, 8.5f);
    k->tail = k->body;
    k->head.pattern = coat_rosettes;
    k->head.scale = range(r, 3.6f, 4.6f);
    k->tip = dark;
    k->nose = rgb(0xa8655c);
    k->chest = rgb(0xf7ecd6);
    k->iris = rgb(0xb9b55a);
}

void dress_dog(Rng *r, Look *k)
{
    static const int mains[] = { 0xc79a5f, 0x6a4a33, 0x2d2a29, 0xefe6d6,
                                 0xa0683a, 0x8d8a86 };
    Rgb main = rgb(mains[pick(r, 6)]), white = rgb(0xf4efe6);
    bool patched = chance(r, 0.4f);

    wear(r, k, patched ? coat_patches : coat_plain, patched ? white : main,
         main, white, chance(r, 0.5f) ? 0.8f : 0.2f);
    k->body.scale = k->leg.scale = range(r, 1.6f, 2.6f);
    k->ear = scalec(main, 0.75f);
    k->muzzle = chance(r, 0.5f) ? white : mixc(main, white, 0.25f);
    k->head.main = main;
    k->tail.main = main;
    k->tip = chance(r, 0.4f) ? white : main;
    k->paw = chance(r, 0.5f) ? white : main;
    k->chest = chance(r, 0.5f) ? white : k->body.main;
    k->nose = rgb(0x1d1715);
}

void dress_fox(Rng *r, Look *k)
{
    bool arctic = chance(r, 0.12f);
    Rgb main = rgb(arctic ? 0xe8e6e2 : 0xcb6427), dark = rgb(0x33241d);

    wear(r, k, coat_plain, main, dark, rgb(0xf8f1e6), 0.9f);
    k->leg.main = arctic ? main : mixc(main, dark, 0.75f);
    k->leg.belly = 0.0f;
    k->paw = arctic ? main : dark;
    k->ear = arctic ? main : mixc(main, dark, 0.4f);
    k->inner = rgb(0xf2e4d4);
    k->tip = k->chest = k->muzzle = rgb(0xf8f1e6);
    k->nose = rgb(0x17110f);
    k->iris = rgb(0xb87a2c);
}

void dress_bear(Rng *r, Look *k)
{
    static const int mains[] = { 0x6a4529, 0x4d3524, 0x8a5f38, 0x2c2624,
                                 0xf0ebde };
    Rgb main = rgb(mains[pick(r, 5)]);

    wear(r, k, coat_plain, main, main, mixc(main, rgb(0xd9b98c), 0.3f),
         0.3f);
    k->muzzle = mixc(main, rgb(0xe0c8a0), 0.5f);
    k->nose = rgb(0x15110f);
}

void dress_panda(Rng *r, Look *k)
{
    Rgb white = rgb(0xf3efe6), black = rgb(0x242226);

    wear(r, k, coat_plain, white, black, white, 0.0f);
    k->leg.main = k->leg.pale = black;
    k->paw = k->ear = k->inner = black;
    k->nose = rgb(0x17141a);
}

void dress_raccoon(Rng *r, Look *k)
{
    Rgb main = rgb(0x8a857d), dark = rgb(0x2f2b2a);

    wear(r, k, coat_plain, main, dark, rgb(0xc9c2b6), 0.5f);
    k->tail.pattern = coat_bands;
    k->tail.ax = 0.9f;
    k->tail.ay = 0.5f;
    k->tail.scale = 7.0f;
    k->tip = k->paw = dark;
    k->leg.main = scalec(main, 0.7f);
    k->ear = rgb(0x4a4643);
    k->inner = rgb(0xd8d2c6);
    k->muzzle = rgb(0xece7dc);
    k->nose = rgb(0x151212);
}

void dress_rabbit(Rng *r, Look *k)
{
    static const int mains[] = { 0xa98a68, 0xe9e2d6, 0x8d8b8b, 0x5f4a3a,
                                 0xd6b98f };
    Rgb main = rgb(mains[pick(r, 5)]);

    wear(r, k, coat_plain, main, main, rgb(0xf5f0e8), 0.7f);
    k->inner = rgb(0xe3b0ac);
    k->tip = k->tail.main = rgb(0xf7f4ee);
    k->muzzle = mixc(main, rgb(0xf5f0e8), 0.6f);
}

void dress_mouse(Rng *r, Look *k)
{
    static const int mains[] = { 0x97928e, 0xb08a66, 0xe6e0da };
    Rgb main = rgb(mains[pick(r, 3)]), skin = rgb(0xe0aaa4);

    wear(r, k, coat_plain, main, main, rgb(0xefe9e2), 0.7f);
    k->tail.main = k->tail.pale = k->tip = skin;
    k->inner = k->paw = k->nose = skin;
}
