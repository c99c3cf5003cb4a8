/* draw: a program that draws labelled pictures of animals and scenes with
   arithmetic alone, for the demo and for the backbone in pretrained/. The
   same seed gives the same pictures. This file holds the command line, the
   table of classes and the writing of files. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#endif
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb/stb_image_write.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

enum { EXIT_USAGE = 2, PATH_SIZE = 4096 };
enum { IN_PRETRAIN = 1, IN_TARGET = 2 };

/* A class without a painter of its own is the breed of the same name. */
typedef struct {
    const char *name;
    int sets;
    void (*paint)(Pic *p);
    int where;              /* backdrops; 0: the painter draws its own */
} Class;

static const Class classes[] = {
    { "cat", IN_PRETRAIN | IN_TARGET, NULL,
      AT_LAND | AT_ROOM | AT_SNOW | AT_JUNGLE | AT_ROCKS | AT_SAVANNA },
    { "tiger", IN_TARGET, NULL, AT_WILD | AT_ROOM },
    { "lion", IN_PRETRAIN, NULL, AT_SAVANNA | AT_MEADOW | AT_ROCKS |
      AT_NIGHT | AT_JUNGLE },
    { "leopard", IN_PRETRAIN, NULL, AT_WILD },
    { "dog", IN_PRETRAIN, NULL, AT_LAND | AT_ROOM | AT_SNOW | AT_BEACH |
      AT_STREET },
    { "fox", IN_PRETRAIN, NULL, AT_LAND | AT_SNOW | AT_ROCKS },
    { "bear", IN_PRETRAIN, NULL, AT_LAND | AT_SNOW | AT_ROCKS },
    { "panda", IN_PRETRAIN, NULL, AT_JUNGLE | AT_FOREST | AT_SNOW |
      AT_MEADOW },
    { "raccoon", IN_PRETRAIN, NULL, AT_LAND | AT_STREET | AT_SNOW },
    { "rabbit", IN_PRETRAIN, NULL, AT_LAND | AT_ROOM | AT_SNOW },
    { "mouse", IN_PRETRAIN, NULL, AT_LAND | AT_ROOM },
    { "pig", IN_PRETRAIN, NULL, AT_LAND | AT_STREET },
    { "cow", IN_PRETRAIN, NULL, AT_LAND | AT_BEACH },
    { "horse", IN_PRETRAIN, NULL, AT_LAND | AT_SAVANNA | AT_BEACH |
      AT_SNOW },
    { "zebra", IN_PRETRAIN, NULL, AT_SAVANNA | AT_MEADOW | AT_HILLS |
      AT_ROCKS },
    { "sheep", IN_PRETRAIN, NULL, AT_LAND | AT_SNOW | AT_ROCKS },
    { "deer", IN_PRETRAIN, NULL, AT_LAND | AT_SNOW },
    { "giraffe", IN_PRETRAIN, NULL, AT_SAVANNA | AT_MEADOW | AT_HILLS },
    { "elephant", IN_PRETRAIN, NULL, AT_SAVANNA | AT_JUNGLE | AT_MEADOW |
      AT_POND },
    { "penguin", IN_PRETRAIN, paint_penguin, AT_SNOW | AT_BEACH | AT_ROCKS },
    { "owl", IN_PRETRAIN, paint_owl, AT_NIGHT | AT_FOREST | AT_SNOW |
      AT_HILLS },
    { "duck", IN_PRETRAIN, paint_duck, AT_POND },
    { "parrot", IN_PRETRAIN, paint_parrot, AT_JUNGLE | AT_FOREST |
      AT_ROOM },
    { "fish", IN_PRETRAIN, paint_fish, AT_DEEP },
    { "whale", IN_PRETRAIN, paint_whale, AT_DEEP },
    { "snake", IN_PRETRAIN, paint_snake, AT_WILD },
    { "turtle", IN_PRETRAIN, paint_turtle, AT_BEACH | AT_MEADOW | AT_DEEP |
      AT_ROCKS },
    { "frog", IN_PRETRAIN, paint_frog, AT_POND | AT_JUNGLE | AT_MEADOW },
    { "butterfly", IN_PRETRAIN, paint_butterfly, AT_MEADOW | AT_JUNGLE |
      AT_FOREST | AT_SKY },
    { "bee", IN_PRETRAIN, paint_bee, AT_MEADOW | AT_SKY | AT_HILLS },
    { "ladybird", IN_PRETRAIN, paint_ladybird, AT_MEADOW | AT_JUNGLE |
      AT_FOREST },
    { "snail", IN_PRETRAIN, paint_snail, AT_MEADOW | AT_FOREST |
      AT_ROCKS },
    { "house", IN_PRETRAIN, paint_house, AT_LAND | AT_SNOW | AT_BEACH },
    { "boat", IN_PRETRAIN, paint_boat, 0 },
    { "car", IN_PRETRAIN, paint_car, AT_STREET | AT_HILLS | AT_SNOW |
      AT_BEACH },
    { "balloon", IN_PRETRAIN, paint_balloon, AT_SKY | AT_HILLS },
    { "flower", IN_PRETRAIN, paint_flower, AT_MEADOW | AT_ROOM |
      AT_FOREST | AT_HILLS },
    { "cactus", IN_PRETRAIN, paint_cactus, AT_SAVANNA | AT_ROCKS |
      AT_ROOM },
    { "mushroom", IN_PRETRAIN, paint_mushroom, AT_FOREST | AT_MEADOW },
    { "tree", IN_PRETRAIN, paint_tree, AT_LAND | AT_SNOW | AT_SAVANNA },
    { "mountain", IN_PRETRAIN, paint_mountain, 0 },
    { "sunset", IN_PRETRAIN, paint_sunset, 0 },
    { "city", IN_PRETRAIN, paint_city, 0 },
};

enum { CLASSES = (int)(sizeof classes / sizeof classes[0]) };

typedef struct {
    const char *out;
    uint64_t seed;
    int sets, size, per_class, val;
    bool list, help;
} Order;

static const char usage[] =
    "usage: draw --set pretrain|target [--seed N] [--size PX]\n"
    "            [--per-class N] [--val N] OUT_DIR\n"
    "       draw --list | --help\n"
    "Draws labelled pictures into OUT_DIR/train/CLASS and OUT_DIR/val/CLASS.\n"
    "  --set NAME      pretrain: many animals and things; target: cat, tiger\n"
    "  --per-class N   pictures of each class in train/ (100)\n"
    "  --val N         pictures of each class in val/ (0)\n"
    "  --size PX       about how long the longer side is, 48 to 1024 (160)\n"
    "  --seed N        another seed draws other pictures (1)\n"
    "  --list          print the classes of both sets and stop\n";

static uint64_t hash_text(uint64_t h, const char *s)
{
    while (*s != '\0') {
        h = mix64(h ^ (uint64_t)(unsigned char)*s++);
    }
    return h;
}

static bool start_picture(Pic *p, int size)
{
    static const float shapes[] = { 0.75f, 0.8f, 0.8f, 1.0f, 0.67f };
    float longer = (float)size * range(&p->rng, 0.9f, 1.1f);
    float other = longer * shapes[pick(&p->rng, 5)];
    bool upright = chance(&p->rng, 0.15f);
    float lean = range(&p->rng, 0.6f, 0.8f);
    float side = chance(&p->rng, 0.5f) ? -1.0f : 1.0f;
    size_t n;

    p->w = (int)(upright ? other : longer);
    p->h = (int)(upright ? longer : other);
    p->lx = side * range(&p->rng, 0.2f, 0.5f);
    p->ly = -lean;
    p->lz = sqrtf(fmaxf(1.0f - p->lx * p->lx - lean * lean, 0.2f));
    p->tint = (Rgb){ 1.0f, 1.0f, 1.0f };
    n = (size_t)p->w * (size_t)p->h;
    p->px = calloc(n, sizeof *p->px);
    p->dist = calloc(n, sizeof *p->dist);
    return p->px != NULL && p->dist != NULL;
}

static void draw_class(Pic *p, const Class *c)
{
    if (c->where != 0) {
        backdrop(p, c->where);
    } else {
        p->horizon = range(&p->rng, 0.45f, 0.65f);
        screen(p);
    }
    if (c->paint != NULL) {
        c->paint(p);
    } else {
        paint_beast(p, breed_named(c->name));
    }
    foreground(p);
    finish(p);
}

static bool save(const Pic *p, const char *path, bool png)
{
    size_t n = (size_t)p->w * (size_t)p->h;
    unsigned char *bytes = malloc(n * 3);
    int ok;

    if (bytes == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const float v[3] = { p->px[i].r, p->px[i].g, p->px[i].b };

        for (size_t j = 0; j < 3; j++) {
            bytes[3 * i + j] =
                (unsigned char)(clampf(v[j], 0.0f, 1.0f) * 255.0f + 0.5f);
        }
    }
    ok = png ? stbi_write_png(path, p->w, p->h, 3, bytes, p->w * 3)
             : stbi_write_jpg(path, p->w, p->h, 3, bytes, 90);
    free(bytes);
    return ok != 0;
}

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) {
        return true;
    }
    fprintf(stderr, "draw: cannot make the folder %s: %s\n", path,
            strerror(errno));
    return false;
}

/* Picture number i of a class: its random numbers depend on the seed, the
   part, the class and i, so more pictures never change the earlier ones. */
static bool draw_one(const Order *o, const Class *c, const char *part,
                     const char *folder, int i)
{
    Pic p = { 0 };
    char path[PATH_SIZE];
    bool png, ok = false;

    p.rng.key = hash_text(hash_text(mix64(o->seed), part), c->name) +
                (uint64_t)i * 0x2545f4914f6cdd1du;
    png = chance(&p.rng, 0.05f);
    if (start_picture(&p, o->size)) {
        draw_class(&p, c);
        if (snprintf(path, sizeof path, "%s/%04d.%s", folder, i,
                     png ? "png" : "jpg") < (int)sizeof path) {
            ok = save(&p, path, png);
        }
    }
    free(p.px);
    free(p.dist);
    if (!ok) {
        fprintf(stderr, "draw: cannot write picture %d in %s\n", i, folder);
    }
    return ok;
}

static bool draw_part(const Order *o, const char *part, int count)
{
    char path[PATH_SIZE];

    if (count == 0) {
        return true;
    }
    if (snprintf(path, sizeof path, "%s/%s", o->out, part) >= PATH_SIZE) {
        fputs("draw: the name of the folder is too long\n", stderr);
        return false;
    }
    if (!make_folder(o->out) || !make_folder(path)) {
        return false;
    }
    for (int c = 0; c < CLASSES; c++) {
        if ((classes[c].sets & o->sets) == 0) {
            continue;
        }
        if (snprintf(path, sizeof path, "%s/%s/%s", o->out, part,
                     classes[c].name) >= PATH_SIZE || !make_folder(path)) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            if (!draw_one(o, &classes[c], part, path, i)) {
                return false;
            }
        }
    }
    return true;
}

static bool number(const char *text, long lo, long hi, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *out >= lo &&
           *out <= hi;
}

static bool set_option(Order *o, const char *name, const char *value)
{
    static const struct { const char *name; long lo, hi; } options[] = {
        { "--seed", 0, 2147483647L }, { "--size", 48, 1024 },
        { "--per-class", 0, 9999 }, { "--val", 0, 9999 },
    };
    long v = 0;

    if (strcmp(name, "--set") == 0) {
        o->sets = strcmp(value, "pretrain") == 0 ? IN_PRETRAIN
                : strcmp(value, "target") == 0 ? IN_TARGET : 0;
        if (o->sets == 0) {
            fprintf(stderr, "draw: --set wants pretrain or target, not %s\n",
                    value);
        }
        return o->sets != 0;
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(name, options[i].name) != 0) {
            continue;
        }
        if (!number(value, options[i].lo, options[i].hi, &v)) {
            fprintf(stderr, "draw: %s wants a number from %ld to %ld, not "
                    "%s\n", name, options[i].lo, options[i].hi, value);
            return false;
        }
        o->seed = i == 0 ? (uint64_t)v : o->seed;
        o->size = i == 1 ? (int)v : o->size;
        o->per_class = i == 2 ? (int)v : o->per_class;
        o->val = i == 3 ? (int)v : o->val;
        return true;
    }
    fprintf(stderr, "draw: unknown option %s\n", name);
    return false;
}

static bool read_order(Order *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            o->help = true;
        } else if (strcmp(argv[i], "--list") == 0) {
            o->list = true;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (i + 1 >= argc) {
                fprintf(stderr, "draw: %s is unknown or wants a value\n",
                        argv[i]);
                return false;
            }
            if (!set_option(o, argv[i], argv[i + 1])) {
                return false;
            }
            i++;
        } else if (o->out == NULL) {
            o->out = argv[i];
        } else {
            fprintf(stderr, "draw: one OUT_DIR is enough: %s\n", argv[i]);
            return false;
        }
    }
    if (!o->help && !o->list && (o->out == NULL || o->sets == 0)) {
        fputs("draw: --set and OUT_DIR are needed\n", stderr);
        return false;
    }
    return true;
}

static void list_classes(void)
{
    static const struct { int bit; const char *name; } sets[] = {
        { IN_PRETRAIN, "pretrain" }, { IN_TARGET, "target" },
    };

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        for (int c = 0; c < CLASSES; c++) {
            if ((classes[c].sets & sets[i].bit) != 0) {
                printf("%s %s\n", sets[i].name, classes[c].name);
            }
        }
    }
}

int main(int argc, char **argv)
{
    Order o = { .seed = 1, .size = 160, .per_class = 100 };

    if (!read_order(&o, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (o.help) {
        fputs(usage, stdout);
    } else if (o.list) {
        list_classes();
    } else if (!draw_part(&o, "train", o.per_class) ||
               !draw_part(&o, "val", o.val)) {
        return EXIT_FAILURE;
    }
    if (fflush(stdout) != 0) {
        fputs("draw: cannot write the answer\n", stderr);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
