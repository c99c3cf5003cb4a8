/* The colours of the larger grazing animals, and of the pig. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

void dress_pig(Rng *r, Look *k)
{
    Rgb pink = rgb(0xe9aba4);
    bool spotted = chance(r, 0.3f);

    wear(r, k, spotted ? coat_patches : coat_plain, pink, rgb(0x4c4140),
         rgb(0xf3c8c0), 0.5f);
    k->body.amount = k->leg.amount = 0.6f;
    k->body.scale = k->leg.scale = 2.5f;
    k->muzzle = rgb(0xe08f8c);
    k->paw = rgb(0x8a5f58);
}

void dress_cow(Rng *r, Look *k)
{
    static const int marks[] = { 0x28262a, 0x8a5430, 0x5a4034 };
    Rgb white = rgb(0xf2ede4), mark = rgb(marks[pick(r, 3)]);
    bool plain = chance(r, 0.2f);

    wear(r, k, plain ? coat_plain : coat_patches, plain ? mark : white, mark,
         white, 0.0f);
    k->body.scale = k->leg.scale = range(r, 1.8f, 2.8f);
    k->body.amount = k->leg.amount = range(r, 0.45f, 0.55f);
    k->head.main = mark;
    k->ear = mark;
    k->muzzle = rgb(0xe3b5a6);
    k->nose = rgb(0x9a6a60);
    k->paw = rgb(0x4a3f38);
    k->tip = mark;
    k->mane = rgb(0xded2b8);
}

void dress_horse(Rng *r, Look *k)
{
    static const int mains[] = { 0x8a5532, 0x5f3b26, 0x2f2826, 0xe8e0d2,
                                 0xb98a55, 0x9a9893 };
    static const int manes[] = { 0x2a1e18, 0x241a16, 0x1a1616, 0xf2ecdf,
                                 0xf0e2c4, 0x55524f };
    int i = pick(r, 6);
    Rgb main = rgb(mains[i]);

    wear(r, k, coat_plain, main, main, scalec(main, 1.1f), 0.3f);
    k->mane = k->tail.main = k->tip = rgb(manes[i]);
    k->muzzle = scalec(main, 0.7f);
    k->nose = rgb(0x2a201d);
    k->paw = rgb(0x3a322c);
}

void dress_zebra(Rng *r, Look *k)
{
    Rgb white = rgb(0xf1ede4), black = rgb(0x211f21);

    wear(r, k, coat_stripes, white, black, white, 0.0f);
    wear_stripes(k, range(r, 6.5f, 8.5f), 0.46f, 9.0f);
    k->head.pattern = coat_bands;
    k->head.ax = 0.55f;
    k->head.ay = 0.8f;
    k->head.scale = 4.0f;
    k->head.amount = 0.45f;
    k->ear = white;
    k->muzzle = rgb(0x3a3636);
    k->nose = rgb(0x1a1818);
    k->mane = k->tip = k->paw = black;
}

void dress_sheep(Rng *r, Look *k)
{
    static const int faces[] = { 0x35302e, 0xe8ddca, 0x6b5a4c };
    Rgb wool = vary(r, rgb(0xeee6d6), 0.08f);
    Rgb face = rgb(faces[pick(r, 3)]);

    wear(r, k, coat_wool, wool, scalec(wool, 0.72f), wool, 0.0f);
    k->body.scale = 9.0f;
    k->head.main = k->head.pale = k->muzzle = face;
    k->leg.pattern = coat_plain;
    k->leg.main = k->leg.pale = k->ear = face;
    k->paw = rgb(0x35302c);
    k->tail = k->body;
    k->mane = wool;
    k->nose = scalec(face, 0.5f);
}

void dress_deer(Rng *r, Look *k)
{
    Rgb main = rgb(0xa8703f);

    wear(r, k, coat_plain, main, main, rgb(0xf0e0c6), 0.9f);
    k->leg.belly = 0.2f;
    k->inner = rgb(0xe8d0b8);
    k->nose = rgb(0x1e1714);
    k->paw = rgb(0x3a2c22);
    k->tip = rgb(0xf5ecdc);
    k->mane = rgb(0xcbb08a);
    k->chest = rgb(0xf0e0c6);
    if (chance(r, 0.3f)) {
        k->mane.r = -1.0f;      /* a doe */
    }
}

void dress_giraffe(Rng *r, Look *k)
{
    Rgb cream = rgb(0xf0ddb0), brown = vary(r, rgb(0xa9692f), 0.15f);

    wear(r, k, coat_tiles, cream, brown, cream, 0.0f);
    k->body.scale = range(r, 5.0f, 6.5f);
    k->leg.scale = 8.0f;
    k->head.main = mixc(cream, brown, 0.35f);
    k->muzzle = rgb(0xd9bd94);
    k->nose = rgb(0x5a4032);
    k->ear = cream;
    k->paw = rgb(0x4a382a);
    k->mane = brown;
    k->tip = rgb(0x2f221a);
}

void dress_elephant(Rng *r, Look *k)
{
    Rgb grey = rgb(0x8d8b8d);

    wear(r, k, coat_plain, grey, grey, rgb(0xa8a4a2), 0.3f);
    k->inner = rgb(0xb39a98);
    k->muzzle = grey;
    k->paw = scalec(grey, 0.85f);
    k->mane = rgb(0xf3ead6);
}
