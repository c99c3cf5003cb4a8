/* Pictures from bytes to RGB: caps, stb_image behind a memory budget, and the
 * rules for grey, alpha and depth. The only user of stb_image.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/decode.h"

#include <limits.h>

#include "base/status.h"

/* ---- stb_image behind a budget ---------------------------------------------
 * A compressed stream can ask for any amount; what a picture of the announced
 * size can need is known before. Each block carries its size in front. */

enum { PREFIX = 16 }; /* keeps malloc's alignment */
static _Thread_local struct {
    uint64_t left;
    bool over, no_memory;
} budget;

static void *budget_realloc(void *p, size_t old, size_t bytes)
{
    (void)old;
    uint64_t had = 0;
    uint8_t *block = p ? (uint8_t *)p - PREFIX : NULL;
    if (block)
        memcpy(&had, block, sizeof had);
    if (bytes > budget.left + had) {
        budget.over = true;
        return NULL;
    }
    block = graft_realloc(block, bytes + PREFIX);
    if (!block) {
        budget.no_memory = true;
        return NULL;
    }
    budget.left = budget.left + had - bytes;
    had = bytes;
    memcpy(block, &had, sizeof had);
    return block + PREFIX;
}

/* Small blocks are cleared: stb_image 2.27 keeps Huffman tables in one, and
 * uses them even where a file has defined none. */
static void *budget_malloc(size_t bytes)
{
    void *p = budget_realloc(NULL, 0, bytes);
    return p && bytes <= 65536 ? memset(p, 0, bytes) : p;
}

static void budget_free(void *p)
{
    if (!p)
        return;
    uint64_t had;
    uint8_t *block = (uint8_t *)p - PREFIX;
    memcpy(&had, block, sizeof had);
    budget.left += had;
    graft_free(block);
}

/* GIF's functions are declared though not compiled. Not popped: gcc asks at
 * the end of the file. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 32768
#define STBI_FAILURE_USERMSG
#define STBI_ASSERT(x) ((void)sizeof(x)) /* a bad file must not abort */
#define STBI_MALLOC(n) budget_malloc(n)
#define STBI_REALLOC_SIZED(p, old, n) budget_realloc(p, old, n)
#define STBI_REALLOC(p, n) budget_realloc(p, 0, n)
#define STBI_FREE(p) budget_free(p)
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

/* ---- to RGB -------------------------------------------------------------- */

static uint8_t over_white(unsigned level, unsigned alpha)
{
    return (uint8_t)((level * alpha + 255 * (255 - alpha) + 127) / 255);
}

static void to_rgb(uint8_t *rgb, const uint8_t *p, int64_t pixels, int comps)
{
    const int colours = comps >= 3 ? 3 : 1, alpha = comps == 2 || comps == 4;
    for (int64_t i = 0; i < pixels; i++, p += comps, rgb += 3)
        for (int c = 0; c < 3; c++) {
            uint8_t v = p[colours == 3 ? c : 0];
            rgb[c] = alpha ? over_white(v, p[comps - 1]) : v;
        }
}

static int stb_failed(void)
{
    if (budget.no_memory)
        return GRAFT_EMEM; /* the message is graft_malloc's */
    if (budget.over)
        return graft_fail(GRAFT_EFORMAT, "it is damaged: unpacking it takes "
                          "more memory than a picture of its size can");
    return graft_fail(GRAFT_EFORMAT, "it is damaged: %s",
                      stbi_failure_reason());
}

int graft_stb_decode(struct graft_image *out, const uint8_t *b, uint64_t n,
                     const struct graft_image_head *head,
                     const struct graft_decode_options *o)
{
    if (n > INT_MAX)
        return graft_fail(GRAFT_ELIMIT, "it has %llu bytes; at most %d are "
                          "decoded", (unsigned long long)n, INT_MAX);
    budget.left = 4 * (uint64_t)(head->width * head->height) *
                  (uint64_t)(head->channels * head->sample_bytes) +
                  2 * n + (16u << 20);
    budget.over = budget.no_memory = false;
    int w, h, comps, status = GRAFT_OK;
    uint8_t *p = stbi_load_from_memory(b, (int)n, &w, &h, &comps, 0);
    uint8_t *rgb = NULL;
    if (!p)
        status = stb_failed();
    else if (w != head->width || h != head->height)
        status = graft_fail(GRAFT_EFORMAT, "it is damaged: two sizes, "
                            "%lldx%lld and %dx%d", (long long)head->width,
                            (long long)head->height, w, h);
    else if (!(rgb = graft_pixels_room(o->pixels, 0,
                                       (size_t)w * (size_t)h * 3)))
        status = GRAFT_EMEM;
    if (!status) {
        to_rgb(rgb, p, (int64_t)w * h, comps);
        *out = (struct graft_image){rgb, w, h};
    }
    budget_free(p);
    return status;
}

/* ---- memory -------------------------------------------------------------- */

uint8_t *graft_pixels_room(struct graft_pixels *p, int which, size_t bytes)
{
    if (bytes > p->bytes[which]) {
        graft_free(p->at[which]);
        p->at[which] = graft_malloc(bytes);
        p->bytes[which] = p->at[which] ? bytes : 0;
    }
    return p->at[which];
}

void graft_pixels_release(struct graft_pixels *p)
{
    graft_free(p->at[0]);
    graft_free(p->at[1]);
    *p = (struct graft_pixels){0};
}

/* ---- the whole ----------------------------------------------------------- */

/* By enum graft_kind. */
static const struct {
    int (*head)(struct graft_image_head *, const uint8_t *, uint64_t);
    int (*decode)(struct graft_image *, const uint8_t *, uint64_t,
                  const struct graft_image_head *,
                  const struct graft_decode_options *);
} readers[] = {
    [GRAFT_JPEG] = {graft_jpeg_head, graft_jpeg_decode},
    [GRAFT_PNG] = {graft_png_head, graft_stb_decode},
    [GRAFT_BMP] = {graft_bmp_head, graft_stb_decode},
};

static int check_size(const struct graft_image_head *h, uint64_t max_pixels)
{
    if (h->width <= 0 || h->height <= 0)
        return graft_fail(GRAFT_EFORMAT, "it is damaged: a picture of "
                          "%lldx%lld pixels", (long long)h->width,
                          (long long)h->height);
    if (h->width > GRAFT_MAX_SIDE || h->height > GRAFT_MAX_SIDE)
        return graft_fail(GRAFT_ELIMIT, "it has %lldx%lld pixels; a side may "
                          "have %d", (long long)h->width,
                          (long long)h->height, GRAFT_MAX_SIDE);
    uint64_t pixels = (uint64_t)(h->width * h->height);
    uint64_t max = max_pixels ? max_pixels : GRAFT_MAX_PIXELS;
    if (pixels > max)
        return graft_fail(GRAFT_ELIMIT, "it has %lldx%lld pixels, %llu in "
                          "all; at most %llu are decoded",
                          (long long)h->width, (long long)h->height,
                          (unsigned long long)pixels,
                          (unsigned long long)max);
    return GRAFT_OK;
}

static int read_head(struct graft_image_head *out, enum graft_kind *kind,
                     const uint8_t *bytes, uint64_t n, uint64_t max_pixels)
{
    int status;
    *kind = graft_image_kind(bytes, n, &status);
    if (!status)
        status = readers[*kind].head(out, bytes, n);
    return status ? status : check_size(out, max_pixels);
}

/* Orientations 5 to 8 lay the picture on its side (EXIF 2.3, tag 274). */
int graft_image_size(int *width, int *height, const uint8_t *bytes,
                     uint64_t n, const struct graft_decode_options *o)
{
    struct graft_image_head h;
    enum graft_kind kind;
    int status = read_head(&h, &kind, bytes, n, o ? o->max_pixels : 0);
    if (status)
        return status;
    bool lies = graft_exif_orientation(h.exif, h.exif_bytes) >= 5;
    *width = (int)(lies ? h.height : h.width);
    *height = (int)(lies ? h.width : h.height);
    return GRAFT_OK;
}

int graft_image_decode(struct graft_image *out, const uint8_t *bytes,
                       uint64_t n, const struct graft_decode_options *o)
{
    struct graft_decode_options d = {.exact = true};
    struct graft_pixels own = {0};
    struct graft_image_head head;
    struct graft_image image = {0};
    enum graft_kind kind;
    if (o)
        d = *o;
    if (!d.pixels)
        d.pixels = &own;
    int status = read_head(&head, &kind, bytes, n, d.max_pixels);
    if (!status)
        status = readers[kind].decode(&image, bytes, n, &head, &d);
    if (!status)
        status = graft_image_orient(&image, graft_exif_orientation(
                                        head.exif, head.exif_bytes),
                                    d.pixels);
    if (!status) {
        own.at[0] = NULL; /* now the caller's */
        *out = image;
    }
    graft_pixels_release(&own);
    return status;
}
