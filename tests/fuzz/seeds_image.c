/* Pictures to begin with: every kind that is read, as small as can be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/status.h"
#include "seeds.h"
#include "test.h"
#include "data/photo.h"

#ifdef GRAFT_HAVE_TURBOJPEG
#include <turbojpeg.h>
#endif

static void put(const char *name, const struct graft_str *s)
{
    seed_ok(graft_str_ok(s));
    seed_put("image", name, s->at, s->n);
}

/* With an EXIF block that turns it, behind the first marker. */
static void turned(const char *name, const struct graft_str *jpeg)
{
    static const uint8_t app1[] = {
        0xff, 0xe1, 0, 36, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, '*',
        0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0,
        0, 0, 0, 0};
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addn(&s, jpeg->at, 2);
    graft_str_addn(&s, app1, sizeof app1);
    graft_str_addn(&s, jpeg->at + 2, jpeg->n - 2);
    put(name, &s);
    graft_str_release(&s);
}

static void jpeg_plain(const uint8_t *rgb)
{
    struct graft_str s;
    graft_str_init(&s);
    stbi_write_jpg_to_func(photo_add, &s, 17, 9, 3, rgb, 60);
    put("plain.jpg", &s);
    turned("turned.jpg", &s);
    graft_str_clear(&s);
    stbi_write_jpg_to_func(photo_add, &s, 17, 9, 1, rgb, 95);
    put("fine.jpg", &s);
    graft_str_release(&s);
}

#ifdef GRAFT_HAVE_TURBOJPEG
static void jpeg_rare(const uint8_t *rgb)
{
    static const struct {
        const char *name;
        int format, sampling, flags;
    } rows[] = {
        {"progressive.jpg", TJPF_RGB, TJSAMP_420, TJFLAG_PROGRESSIVE},
        {"grey.jpg", TJPF_GRAY, TJSAMP_GRAY, 0},
        {"cmyk.jpg", TJPF_CMYK, TJSAMP_444, 0},
        {"cmyk-progressive.jpg", TJPF_CMYK, TJSAMP_422, TJFLAG_PROGRESSIVE},
        {"411.jpg", TJPF_RGB, TJSAMP_411, 0},
        {"440.jpg", TJPF_RGB, TJSAMP_440, 0}};
    tjhandle tj = tjInitCompress();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char *out = NULL;
        unsigned long n = 0;
        if (tj && !tjCompress2(tj, rgb, 12, 0, 10, rows[i].format, &out, &n,
                               rows[i].sampling, 70, rows[i].flags))
            seed_put("image", rows[i].name, out, n);
        tjFree(out);
    }
    if (tj)
        tjDestroy(tj);
}
#else
static void jpeg_rare(const uint8_t *rgb)
{
    (void)rgb;
}
#endif

static void png(const uint8_t *rgb)
{
    static const struct {
        const char *name;
        int depth, colour, row; /* bytes of a row of 8 pixels */
    } rows[] = {{"deep.png", 16, 2, 48}, {"grey1.png", 1, 0, 1},
                {"grey-alpha.png", 8, 4, 16}, {"deep-alpha.png", 16, 6, 64},
                {"palette.png", 4, 3, 4}, {"palette8.png", 8, 3, 8}};
    struct graft_str s;
    graft_str_init(&s);
    photo_png(&s, rgb, 9, 7, 3);
    put("plain.png", &s);
    photo_png(&s, rgb, 5, 4, 4);
    put("alpha.png", &s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t data[5 * 65] = {0};
        size_t row = (size_t)rows[i].row + 1;
        for (size_t k = 0; k < 5 * row; k++)
            data[k] = k % row ? rgb[k] : (uint8_t)(k / row);
        photo_png_start(&s, 8, 5, rows[i].depth, rows[i].colour);
        if (rows[i].colour == 3) {
            photo_chunk(&s, "PLTE", rgb, 48);
            photo_chunk(&s, "tRNS", rgb, 5);
        }
        photo_png_end(&s, data, 5 * row);
        put(rows[i].name, &s);
    }
    graft_str_release(&s);
}

void seed_pictures(void)
{
    static const char *const words[] = {
        "\xff\xd8\xff", "\xff\xc0", "\xff\xc2", "\xff\xc4", "\xff\xda",
        "\xff\xdb", "\xff\xdd", "\xff\xd9", "\xff\xe1", "\xff\xee", "Adobe",
        "Exif", "JFIF", "\x89PNG\r\n\x1a\n", "IHDR", "IDAT", "IEND", "PLTE",
        "tRNS", "eXIf", "CgBI", "BM", NULL};
    struct graft_str s;
    uint8_t *rgb = photo_draw(32, 32);
    graft_str_init(&s);
    if (!rgb)
        seed_ok(GRAFT_EMEM);
    jpeg_plain(rgb);
    jpeg_rare(rgb);
    png(rgb);
    photo_bmp(&s, rgb, 7, 5);
    put("plain.bmp", &s);
    graft_str_release(&s);
    graft_free(rgb);
    seed_words("image", words);
}
