/* What the files of the drawing program share: random numbers, noise, soft
   shapes given by their distance, paints and coats, and the painters that the
   table of classes in draw.c names. Lengths are floats in the units of the
   current frame; y points down, as in the picture. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DRAW_H
#define GRAFT_DRAW_H

#include <stdbool.h>
#include <stdint.h>

typedef struct { float r, g, b; } Rgb;
typedef struct { float x, y; } Vec;

/* Counter-based random numbers: number n of key k is a hash of the two, so a
   picture depends on nothing but the seed, its class and its index. */
typedef struct { uint64_t key, n; } Rng;

/* From local units to pixels: flip, turn, scale, move. */
typedef struct { float ox, oy, c, s, k, flip; } Frame;

typedef struct {
    int w, h;
    Rgb *px;
    float *dist;            /* distances of the shape being filled */
    Frame f;
    float lx, ly, lz;       /* unit vector towards the light */
    float horizon;          /* where land begins, of the height */
    int where;              /* the backdrop drawn, one of AT_* */
    Rgb tint;               /* mood of the light, applied at the end */
    Rng rng;
} Pic;

enum { PART_MAX = 64 };
typedef struct { int kind; float a[8]; } Part;
typedef struct { int n; float blend; Part part[PART_MAX]; } Shape;

typedef struct Coat Coat;
typedef Rgb (*Pattern)(const Coat *c, Vec p, Vec n);
struct Coat {
    Pattern pattern;
    Rgb main, mark, pale;
    float scale, amount, belly;
    float ax, ay;           /* direction along which stripes follow */
    uint32_t seed;
};

/* How a shape is filled. round is the depth at which the swelling surface
   becomes flat (0: flat all over); fur frays the edge; soft widens it. */
typedef struct {
    Rgb base;
    const Coat *coat;
    float round, fur, soft, grain, alpha, gloss;
} Paint;

/* --- draw_core.c --- */
uint64_t mix64(uint64_t x);
uint32_t random_bits(Rng *r);
float unit(Rng *r);
float range(Rng *r, float lo, float hi);
int pick(Rng *r, int n);
bool chance(Rng *r, float p);
float clampf(float x, float lo, float hi);
float lerp(float a, float b, float t);
float step01(float lo, float hi, float x);
float noise(float x, float y, uint32_t seed);
float fbm(float x, float y, uint32_t seed, int octaves);
Vec cells(float x, float y, uint32_t seed);
Rgb rgb(int hex);
Rgb mixc(Rgb a, Rgb b, float t);
Rgb scalec(Rgb a, float k);
Rgb vary(Rng *r, Rgb a, float amount);
Frame frame_in(const Frame *f, float x, float y, float k, float turn);
Vec to_local(const Frame *f, float x, float y);
Vec to_pixel(const Frame *f, float x, float y);

/* --- draw_shape.c --- */
Shape shape(float blend);
void cone(Shape *s, float ax, float ay, float ra, float bx, float by,
          float rb);
void oval(Shape *s, float cx, float cy, float rx, float ry, float turn);
void box(Shape *s, float cx, float cy, float hx, float hy, float turn,
         float round);
void tri(Shape *s, Vec a, Vec b, Vec c, float round);
void curve(Shape *s, Vec a, Vec b, Vec c, float ra, float rb);
void leaf(Shape *s, float ax, float ay, float bx, float by, float r);
float far_shape(const Shape *s, Vec p);
float reach(const Part *q, Vec *c);

/* --- draw_fill.c --- */
void fill(Pic *p, const Shape *s, const Paint *m);
Paint flat(Rgb c);
Paint solid(Rgb c, float round);
Paint furry(const Coat *c, float round, float fur);
Paint glow(Rgb c, float soft, float alpha);
void spot(Pic *p, float x, float y, float rx, float ry, Rgb c);
void ball(Pic *p, float x, float y, float rx, float ry, Rgb c);
void stroke(Pic *p, float ax, float ay, float bx, float by, float r, Rgb c);
void arc(Pic *p, Vec a, Vec b, Vec c, float ra, float rb, Rgb col);
void shadow(Pic *p, float x, float y, float rx, float ry, float alpha);

/* --- draw_place.c --- */
typedef struct { float x0, y0, x1, y1; } Bounds;
void place(Pic *p, Bounds q, float low, float high);
void hover(Pic *p, float reach, float low, float high, float tilt);

/* --- draw_scene.c --- */
typedef void (*Backdrop)(Pic *p);
enum {
    AT_MEADOW = 1, AT_HILLS = 2, AT_JUNGLE = 4, AT_SAVANNA = 8, AT_SNOW = 16,
    AT_ROOM = 32, AT_NIGHT = 64, AT_BEACH = 128, AT_FOREST = 256,
    AT_POND = 512, AT_SKY = 1024, AT_DEEP = 2048, AT_STREET = 4096,
    AT_ROCKS = 8192,
    AT_LAND = AT_MEADOW | AT_HILLS | AT_FOREST | AT_NIGHT,
    AT_WILD = AT_LAND | AT_JUNGLE | AT_SAVANNA | AT_SNOW | AT_ROCKS
};
void backdrop(Pic *p, int where);

/* --- draw_sky.c --- */
void screen(Pic *p);
float aspect(const Pic *p);
void sky(Pic *p, Rgb top, Rgb low);
void land(Pic *p, Rgb far_c, Rgb near_c, float rough);
void ridge(Pic *p, float y0, float high, float freq, Rgb c, float haze);
void clouds(Pic *p, int n, Rgb c);
void blue_sky(Pic *p);
void grass(Pic *p, float y, int n, float high, Rgb c);
void tree_at(Pic *p, float x, float y, float high, Rgb leaf_c);
void foliage(Pic *p, int n, Rgb c);

/* --- draw_town.c --- */
void room(Pic *p);
void street(Pic *p);

/* --- draw_fore.c --- */
void foreground(Pic *p);
void finish(Pic *p);

/* --- draw_coat.c --- */
Rgb coat_plain(const Coat *c, Vec p, Vec n);
Rgb coat_stripes(const Coat *c, Vec p, Vec n);
Rgb coat_bands(const Coat *c, Vec p, Vec n);
Rgb coat_face(const Coat *c, Vec p, Vec n);
Rgb coat_rosettes(const Coat *c, Vec p, Vec n);
Rgb coat_patches(const Coat *c, Vec p, Vec n);
Rgb coat_calico(const Coat *c, Vec p, Vec n);
Rgb coat_tiles(const Coat *c, Vec p, Vec n);
Rgb coat_points(const Coat *c, Vec p, Vec n);
Rgb coat_wool(const Coat *c, Vec p, Vec n);
Coat coat_of(Rng *r, Pattern f, Rgb main, Rgb mark, Rgb pale);

/* --- beasts: draw_beast.c, draw_head.c, draw_breed.c --- */
typedef enum { EAR_POINT, EAR_ROUND, EAR_FLOP, EAR_LONG, EAR_LEAF, EAR_FAN }
    EarKind;
typedef enum { EYE_DARK, EYE_SLIT, EYE_ROUND, EYE_BEAD } EyeKind;
typedef struct {
    Coat body, leg, head, tail;
    Rgb ear, inner, muzzle, nose, iris, paw, chest, tip, mane;
} Look;
typedef struct Breed Breed;
typedef struct {
    float turn;             /* where the face looks, -1 .. 1 */
    float lid;              /* how far the eyes are shut */
    bool open;              /* the mouth */
} Mien;
typedef void (*Dress)(Rng *r, Look *k);
typedef void (*HeadArt)(Pic *p, const Breed *b, const Look *k, float turn);
struct Breed {
    const char *name;
    Dress dress;
    int poses;              /* a sum of POSE_* */
    /* body: length, depth, leg length and width, neck, head size */
    float len, deep, leg, legw, neck, lift, head;
    float tail, tailw, tipw, curl;
    /* head, in head radii */
    float wide, tall, cheek;
    EarKind ear;
    float ear_w, ear_h, ear_x, ear_y;
    float muz_w, muz_h, muz_y, nose;
    EyeKind eyes;
    float eye, eye_x, eye_y;
    float snout;            /* length in profile; 0: never in profile */
    float fur;
    bool whiskers, hoof, tuft;
    HeadArt behind, over, profile;
};
enum { POSE_SIDE = 1, POSE_SIT = 2, POSE_LIE = 4, POSE_FACE = 8,
       POSE_ALL = 15 };
void paint_beast(Pic *p, const Breed *b);
void head_front(Pic *p, const Breed *b, const Look *k, Mien m);
void head_side(Pic *p, const Breed *b, const Look *k, Mien m);
const Breed *breed_named(const char *name);

/* --- draw_dress.c, draw_hoof.c: the colours an animal may have --- */
void wear(Rng *r, Look *k, Pattern f, Rgb main, Rgb mark, Rgb pale,
          float belly);
void wear_stripes(Look *k, float scale, float amount, float bands);
void dress_cat(Rng *r, Look *k);
void dress_tiger(Rng *r, Look *k);
void dress_lion(Rng *r, Look *k);
void dress_leopard(Rng *r, Look *k);
void dress_dog(Rng *r, Look *k);
void dress_fox(Rng *r, Look *k);
void dress_bear(Rng *r, Look *k);
void dress_panda(Rng *r, Look *k);
void dress_raccoon(Rng *r, Look *k);
void dress_rabbit(Rng *r, Look *k);
void dress_mouse(Rng *r, Look *k);
void dress_pig(Rng *r, Look *k);
void dress_cow(Rng *r, Look *k);
void dress_horse(Rng *r, Look *k);
void dress_zebra(Rng *r, Look *k);
void dress_sheep(Rng *r, Look *k);
void dress_deer(Rng *r, Look *k);
void dress_giraffe(Rng *r, Look *k);
void dress_elephant(Rng *r, Look *k);

/* --- draw_crest.c: what animals wear on the head --- */
void lion_mane(Pic *p, const Breed *b, const Look *k, float turn);
void fox_cheeks(Pic *p, const Breed *b, const Look *k, float turn);
void panda_eyes(Pic *p, const Breed *b, const Look *k, float turn);
void raccoon_mask(Pic *p, const Breed *b, const Look *k, float turn);
void dog_blaze(Pic *p, const Breed *b, const Look *k, float turn);
void pig_snout(Pic *p, const Breed *b, const Look *k, float turn);
void pig_snout_side(Pic *p, const Breed *b, const Look *k, float turn);
void cow_horns(Pic *p, const Breed *b, const Look *k, float turn);
void cow_horn_side(Pic *p, const Breed *b, const Look *k, float turn);
void forelock(Pic *p, const Breed *b, const Look *k, float turn);
void nostrils(Pic *p, const Breed *b, const Look *k, float turn);
void mane_side(Pic *p, const Breed *b, const Look *k, float turn);
void sheep_cap(Pic *p, const Breed *b, const Look *k, float turn);
void antlers(Pic *p, const Breed *b, const Look *k, float turn);
void giraffe_horns(Pic *p, const Breed *b, const Look *k, float turn);
void trunk(Pic *p, const Breed *b, const Look *k, float turn);
void rabbit_teeth(Pic *p, const Breed *b, const Look *k, float turn);

/* --- draw_small.c: shared with draw_water.c --- */
Rgb bright(Rng *r);
void bead(Pic *p, float x, float y, float r);

/* --- painters of the rest: draw_bird.c, draw_small.c, draw_water.c,
       draw_thing.c, draw_view.c; each paints on the backdrop --- */
void paint_penguin(Pic *p);
void paint_owl(Pic *p);
void paint_duck(Pic *p);
void paint_parrot(Pic *p);
void paint_fish(Pic *p);
void paint_whale(Pic *p);
void paint_snake(Pic *p);
void paint_turtle(Pic *p);
void paint_frog(Pic *p);
void paint_butterfly(Pic *p);
void paint_bee(Pic *p);
void paint_ladybird(Pic *p);
void paint_snail(Pic *p);
void paint_house(Pic *p);
void paint_boat(Pic *p);
void paint_car(Pic *p);
void paint_balloon(Pic *p);
void paint_flower(Pic *p);
void paint_cactus(Pic *p);
void paint_mushroom(Pic *p);
void paint_tree(Pic *p);
void paint_mountain(Pic *p);
void paint_sunset(Pic *p);
void paint_city(Pic *p);

#endif
