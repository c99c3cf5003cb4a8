/* Decoding: what is read and by which rule, what is refused and how.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/rng.h"
#include "photo.h"
#include "vectors.h"

static struct graft_image decode(const struct graft_str *s)
{
    struct graft_image image;
    assert_ok(graft_image_decode(&image, (const uint8_t *)s->at, s->n, NULL));
    return image;
}

static int refused(const void *bytes, size_t n)
{
    struct graft_image image = {0};
    uint64_t live = graft_alloc_stats().live_bytes;
    int status = graft_image_decode(&image, bytes, n, NULL);
    assert_null(image.rgb);
    assert_int_equal(graft_alloc_stats().live_bytes, live);
    return status;
}

static int worst(const uint8_t *a, const uint8_t *b, size_t n)
{
    int most = 0;
    for (size_t i = 0; i < n; i++)
        most = abs(a[i] - b[i]) > most ? abs(a[i] - b[i]) : most;
    return most;
}

enum { JPEG_W = 24, JPEG_H = 16, KINDS = 3 };

/* The picture as PNG, BMP; and a JPEG from vectors.h. */
static void encode(struct graft_str *s, int kind, const uint8_t *rgb, int w,
                   int h)
{
    if (kind == 0)
        photo_png(s, rgb, w, h, 3);
    if (kind == 1)
        photo_bmp(s, rgb, w, h);
    if (kind == 2) {
        graft_str_clear(s);
        graft_str_addn(s, plain_jpeg, sizeof plain_jpeg);
    }
}

TEST(data_decode__png_and_bmp)
{
    enum { W = 37, H = 23 };
    struct graft_str s;
    graft_str_init(&s);
    uint8_t *rgb = photo_draw(W, H);
    for (int kind = 0; kind < 2; kind++) {
        encode(&s, kind, rgb, W, H);
        struct graft_image image = decode(&s);
        assert_int_equal(image.width, W);
        assert_int_equal(image.height, H);
        assert_memory_equal(image.rgb, rgb, W * H * 3);
        graft_free(image.rgb);
    }
    graft_free(rgb);
    graft_str_release(&s);
}

/* ---- one rule each ------------------------------------------------------- */

/* One pixel: channels in, RGB out. */
static void check_pixel(const uint8_t *p, int channels, const uint8_t rgb[3])
{
    struct graft_str s;
    graft_str_init(&s);
    photo_png(&s, p, 1, 1, channels);
    struct graft_image image = decode(&s);
    assert_memory_equal(image.rgb, rgb, 3);
    graft_free(image.rgb);
    graft_str_release(&s);
}

TEST(data_decode__grey_and_alpha)
{
    check_pixel((const uint8_t[]){77}, 1, (const uint8_t[]){77, 77, 77});
    /* over white: 0 * a + 255 * (1 - a) */
    check_pixel((const uint8_t[]){0, 0}, 2,
                (const uint8_t[]){255, 255, 255});
    check_pixel((const uint8_t[]){10, 20, 30, 255}, 4,
                (const uint8_t[]){10, 20, 30});
    check_pixel((const uint8_t[]){0, 100, 255, 51}, 4,
                (const uint8_t[]){204, 224, 255});
}

TEST(data_decode__palette)
{
    static const uint8_t colours[] = {1, 2, 3, 250, 0, 9, 30, 20, 10};
    static const uint8_t rows[] = {0, 2, 1, 0, 0, 1}; /* 2 x 2 */
    static const uint8_t want[] = {30, 20, 10, 250, 0, 9,
                                   1, 2, 3, 250, 0, 9};
    struct graft_str s;
    graft_str_init(&s);
    photo_png_start(&s, 2, 2, 8, 3);
    photo_chunk(&s, "PLTE", colours, sizeof colours);
    photo_png_end(&s, rows, sizeof rows);
    struct graft_image image = decode(&s);
    assert_memory_equal(image.rgb, want, sizeof want);
    graft_free(image.rgb);
    graft_str_release(&s);
}

TEST(data_decode__sixteen_bits)
{
    /* high byte: 0x12ff -> 0x12, not rounded up */
    static const uint8_t row[] = {0, 0x12, 0xff, 0x80, 0x00, 0xfe, 0x01};
    struct graft_str s;
    graft_str_init(&s);
    photo_png_start(&s, 1, 1, 16, 2);
    photo_png_end(&s, row, sizeof row);
    struct graft_image image = decode(&s);
    assert_memory_equal(image.rgb, "\x12\x80\xfe", 3);
    graft_free(image.rgb);
    graft_str_release(&s);
}

/* Kinds of JPEG against Pillow's pixels; progressive is turned by EXIF 6. */
TEST(data_decode__jpeg_kinds)
{
    static const struct {
        const uint8_t *jpeg, *rgb;
        size_t n;
        int w, h;
    } kinds[] = {
        {plain_jpeg, plain_rgb, sizeof plain_jpeg, JPEG_W, JPEG_H},
        {cmyk_jpeg, cmyk_rgb, sizeof cmyk_jpeg, JPEG_W, JPEG_H},
        {grey_jpeg, grey_rgb, sizeof grey_jpeg, JPEG_W, JPEG_H},
        {progressive_jpeg, progressive_rgb, sizeof progressive_jpeg, JPEG_H,
         JPEG_W},
    };
    for (int k = 0; k < 4; k++) {
        struct graft_image image;
        assert_ok(graft_image_decode(&image, kinds[k].jpeg, kinds[k].n,
                                     NULL));
        assert_int_equal(image.width, kinds[k].w);
        assert_int_equal(image.height, kinds[k].h);
        /* libjpeg-turbo as in Pillow: equal; stb_image has its own IDCT */
        bool same = strstr(graft_image_numerics(), "turbojpeg") != NULL;
        assert_true(worst(image.rgb, kinds[k].rgb,
                          JPEG_W * JPEG_H * 3) <=
                    (same ? 0 : 8));
        graft_free(image.rgb);
    }
}

/* ---- orientation --------------------------------------------------------- */

static void exif(struct graft_str *out, int orientation, bool little)
{
    uint8_t v = (uint8_t)orientation;
    const uint8_t le[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 2, 0,
                          0x0f, 1, 2, 0, 1, 0, 0, 0, 'G', 0, 0, 0,
                          0x12, 1, 3, 0, 1, 0, 0, 0, v, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t be[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 2,
                          1, 0x0f, 0, 2, 0, 0, 0, 1, 'G', 0, 0, 0,
                          1, 0x12, 0, 3, 0, 0, 0, 1, 0, v, 0, 0, 0, 0, 0, 0};
    graft_str_clear(out);
    graft_str_addn(out, little ? le : be, sizeof le);
}

/* 3 x 2 pixels named a..f; how each orientation shows them. */
TEST(data_decode__exif_orientations)
{
    static const char *const upright[9] = {
        NULL, "abc|def", "cba|fed", "fed|cba", "def|abc",
        "ad|be|cf", "da|eb|fc", "fc|eb|da", "cf|be|ad"};
    const uint8_t rows[] = {0, 'a', 'b', 'c', 0, 'd', 'e', 'f'};
    struct graft_str s, x;
    graft_str_init(&s);
    graft_str_init(&x);
    for (int o = 1; o <= 8; o++) {
        photo_png_start(&s, 3, 2, 8, 0);
        exif(&x, o, o % 2);
        photo_chunk(&s, "eXIf", x.at, x.n);
        photo_png_end(&s, rows, sizeof rows);
        struct graft_image image = decode(&s);
        char seen[16] = {0};
        int n = 0;
        for (int y = 0; y < image.height; y++) {
            if (y)
                seen[n++] = '|';
            for (int i = 0; i < image.width; i++)
                seen[n++] = (char)image.rgb[(y * image.width + i) * 3];
        }
        assert_string_equal(seen, upright[o]);
        graft_free(image.rgb);
    }
    graft_str_release(&x);
    graft_str_release(&s);
}

/* A JPEG's APP1, both byte orders; nonsense in it is no orientation. */
TEST(data_decode__exif_in_jpeg)
{
    enum { W = JPEG_W, H = JPEG_H };
    struct graft_str s, x;
    graft_str_init(&s);
    graft_str_init(&x);
    for (int o = 0; o <= 9; o++) {
        exif(&x, o, o % 2 == 0);
        size_t size = 2 + 6 + x.n - (o == 9 ? 20 : 0); /* 9: cut off */
        uint8_t head[4] = {0xff, 0xe1, 0, (uint8_t)size};
        graft_str_clear(&s);
        graft_str_addn(&s, plain_jpeg, 2);
        graft_str_addn(&s, head, 4);
        graft_str_addn(&s, "Exif\0\0", 6);
        graft_str_addn(&s, x.at, size - 8);
        graft_str_addn(&s, plain_jpeg + 2, sizeof plain_jpeg - 2);
        struct graft_image image = decode(&s);
        bool turned = o >= 5 && o <= 8;
        assert_int_equal(image.width, turned ? H : W);
        /* the dark corner (0, 0) of the stored picture goes where it must */
        static const int corner[10] = {0, 0, 1, 3, 2, 0, 1, 3, 2, 0};
        const uint8_t *p = image.rgb +
            ((corner[o] & 2 ? image.height - 1 : 0) * image.width +
             (corner[o] & 1 ? image.width - 1 : 0)) * 3;
        assert_true(p[0] < 60 && p[1] < 60);
        graft_free(image.rgb);
    }
    graft_str_release(&x);
    graft_str_release(&s);
}

/* ---- refused ------------------------------------------------------------- */

TEST(data_decode__names_other_kinds)
{
    static const struct {
        const char *bytes;
        size_t n;
        int status;
        const char *says;
    } rows[] = {
        {"RIFF\x10\0\0\0WEBPVP8 ", 16, GRAFT_EUNSUPPORTED, "WebP"},
        {"GIF89a\1\0\1\0", 10, GRAFT_EUNSUPPORTED, "GIF"},
        {"\0\0\0\x18" "ftypheic", 12, GRAFT_EUNSUPPORTED, "HEIC"},
        {"\0\0\0\x18" "ftypavif", 12, GRAFT_EUNSUPPORTED, "AVIF"},
        {"\0\0\0\x18" "ftypisom", 12, GRAFT_EFORMAT, "video"},
        {"II*\0\x10\0\0\0CR\2\0", 12, GRAFT_EUNSUPPORTED, "CR2"},
        {"MM\0*\0\0\0\x08", 8, GRAFT_EUNSUPPORTED, "TIFF"},
        {"\xff\x0a..", 4, GRAFT_EUNSUPPORTED, "JPEG XL"},
        {"8BPS\0\1", 6, GRAFT_EUNSUPPORTED, "Photoshop"},
        {"%PDF-1.7", 8, GRAFT_EUNSUPPORTED, "PDF"},
        {"<svg xmlns", 10, GRAFT_EUNSUPPORTED, "SVG"},
        {"<!DOCTYPE html>", 15, GRAFT_EFORMAT, "web page"},
        {"just some words", 15, GRAFT_EFORMAT, "text"},
        {"", 0, GRAFT_EFORMAT, "empty"},
        {"\x01\x02\x03\x04", 4, GRAFT_EFORMAT, "01 02 03 04"},
        {"\xff", 1, GRAFT_EFORMAT, "first bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_fails(refused(rows[i].bytes, rows[i].n), rows[i].status,
                     rows[i].says);
        if (rows[i].status == GRAFT_EUNSUPPORTED)
            assert_non_null(strstr(graft_error_message(), "convert it"));
    }
}

TEST(data_decode__cut_short)
{
    enum { W = 64, H = 48 };
    struct graft_str s;
    graft_str_init(&s);
    uint8_t *rgb = photo_draw(W, H);
    for (int kind = 0; kind < KINDS; kind++) {
        encode(&s, kind, rgb, W, H);
        for (size_t n = 0; n < s.n; n += 1 + s.n / 97)
            assert_true(refused(s.at, n) < 0);
        assert_fails(refused(s.at, s.n / 2), GRAFT_EFORMAT, "cut short");
        assert_fails(refused(s.at, s.n - 1), GRAFT_EFORMAT, "cut short");
    }
    graft_free(rgb);
    graft_str_release(&s);
}

/* The end is there, but the middle is not: libjpeg-turbo and PNG's checksums
 * tell. */
TEST(data_decode__damaged)
{
    enum { W = 64, H = 48 };
    struct graft_str s;
    graft_str_init(&s);
    uint8_t *rgb = photo_draw(W, H);
    photo_png(&s, rgb, W, H, 3);
    s.at[s.n / 2] ^= 1;
    assert_fails(refused(s.at, s.n), GRAFT_EFORMAT, "checksum");
    if (strstr(graft_image_numerics(), "turbojpeg")) {
        encode(&s, 2, NULL, 0, 0);
        memmove(s.at + s.n - 42, s.at + s.n - 2, 2);
        assert_fails(refused(s.at, s.n - 40), GRAFT_EFORMAT, "damaged");
    }
    graft_free(rgb);
    graft_str_release(&s);
}

/* More symbols than there are, and codes that do not fit their lengths:
 * stb_image 2.27 would leave its tables. */
TEST(data_decode__huffman_tables)
{
    uint8_t file[512] = "\xff\xd8\xff\xc4\x01\x40"; /* table: 318 bytes */
    for (int kind = 0; kind < 2; kind++) {
        memset(file + 6, 0, sizeof file - 6);
        file[6 + (kind ? 2 : 16)] = kind ? 5 : 255;
        file[6 + 15] = kind ? 0 : 2;
        file[5] = kind ? 2 + 17 + 5 : 0x40;
        file[4] = !kind;
        assert_fails(refused(file, sizeof file), GRAFT_EFORMAT,
                     "Huffman table");
    }
}

TEST(data_decode__bombs)
{
    struct graft_str s;
    struct graft_decode_options o = {.exact = true, .max_pixels = 100};
    struct graft_image image;
    graft_str_init(&s);
    photo_png_start(&s, 100000, 100000, 8, 2);
    photo_png_end(&s, "", 0);
    assert_fails(refused(s.at, s.n), GRAFT_ELIMIT, "100000x100000");
    photo_png_start(&s, 32768, 32768, 8, 2);
    photo_png_end(&s, "", 0);
    assert_fails(refused(s.at, s.n), GRAFT_ELIMIT, "at most 134217728");
    photo_png_start(&s, 0, 5, 8, 2);
    photo_png_end(&s, "", 0);
    assert_fails(refused(s.at, s.n), GRAFT_EFORMAT, "0x5");
    uint8_t *rgb = photo_draw(11, 10);
    photo_png(&s, rgb, 11, 10, 3);
    assert_fails(graft_image_decode(&image, (uint8_t *)s.at, s.n, &o),
                 GRAFT_ELIMIT, "110 in all");
    graft_free(rgb);
    graft_str_release(&s);
}

/* 8x8 pixels whose data unpacks to 64 MiB. */
TEST(data_decode__unpacking_is_budgeted)
{
    enum { HUGE_BYTES = 64 << 20 };
    struct graft_str s;
    graft_str_init(&s);
    uint8_t *zeros = graft_calloc(HUGE_BYTES, 1);
    photo_png_start(&s, 8, 8, 8, 2);
    photo_png_end(&s, zeros, HUGE_BYTES);
    graft_free(zeros);
    assert_fails(refused(s.at, s.n), GRAFT_EFORMAT, "more memory");
    graft_str_release(&s);
}

/* Any byte may be anything. */
TEST(data_decode__mutations_do_not_crash)
{
    enum { W = 33, H = 17, ROUNDS = 400 };
    struct graft_rng_key key = graft_rng_key(1, 2);
    struct graft_str s;
    uint64_t counter = 0, live = 0;
    graft_str_init(&s);
    uint8_t *rgb = photo_draw(W, H);
    for (int kind = 0; kind < KINDS + 2; kind++) {
        graft_str_clear(&s);
        if (kind < KINDS)
            encode(&s, kind, rgb, W, H);
        if (kind == 3)
            graft_str_addn(&s, cmyk_jpeg, sizeof cmyk_jpeg);
        if (kind == 4)
            graft_str_addn(&s, progressive_jpeg, sizeof progressive_jpeg);
        uint8_t *copy = graft_malloc(s.n);
        live = graft_alloc_stats().live_bytes;
        for (int round = 0; round < ROUNDS; round++) {
            memcpy(copy, s.at, s.n);
            for (int hit = 0; hit <= round % 4; hit++, counter += 2)
                copy[graft_rng_below(key, counter, s.n)] =
                    (uint8_t)graft_rng_u64(key, counter + 1);
            if (kind == 0) /* past the checksums */
                photo_png_mend(copy, s.n);
            struct graft_image image = {0};
            struct graft_decode_options o = {.max_pixels = 1 << 20};
            graft_image_decode(&image, copy, s.n, &o);
            graft_free(image.rgb);
        }
        assert_int_equal(graft_alloc_stats().live_bytes, live);
        graft_free(copy);
    }
    graft_free(rgb);
    graft_str_release(&s);
}

TEST(data_decode__any_allocation_may_fail)
{
    enum { W = 33, H = 17 };
    struct graft_str s;
    graft_str_init(&s);
    uint8_t *rgb = photo_draw(W, H);
    for (int kind = 0; kind < KINDS; kind++) {
        encode(&s, kind, rgb, W, H);
        int status = GRAFT_EMEM;
        uint64_t live = graft_alloc_stats().live_bytes;
        for (uint64_t nth = 1; status == GRAFT_EMEM; nth++) {
            struct graft_image image = {0};
            graft_alloc_fail_at(nth, 0);
            status = graft_image_decode(&image, (uint8_t *)s.at, s.n, NULL);
            graft_alloc_fail_at(0, 0);
            assert_true(!status || status == GRAFT_EMEM);
            graft_free(image.rgb);
            assert_int_equal(graft_alloc_stats().live_bytes, live);
        }
    }
    graft_free(rgb);
    graft_str_release(&s);
}

/* Only when asked for, never below the side asked for, by powers of two. */
TEST(data_decode__reduced_scale)
{
    enum { W = 640, H = 400 };
    static const int height[] = {H, 100, 200, H, H}; /* by side / 100 */
    for (int exact = 0; exact < 2; exact++)
        for (int side = 0; side <= 400; side += 100) {
            struct graft_decode_options o = {.exact = exact != 0,
                                             .min_side = side};
            struct graft_image image;
            assert_ok(graft_image_decode(&image, large_jpeg,
                                         sizeof large_jpeg, &o));
            bool may = !exact && strstr(graft_image_numerics(), "turbojpeg");
            int h = may ? height[side / 100] : H;
            assert_int_equal(image.height, h);
            assert_int_equal(image.width, h * W / H);
            graft_free(image.rgb);
        }
}

static void same_in(struct graft_pixels *room, const void *bytes, size_t n)
{
    struct graft_decode_options o = {.exact = true, .pixels = room};
    struct graft_image alone, shared;
    assert_ok(graft_image_decode(&alone, bytes, n, NULL));
    assert_ok(graft_image_decode(&shared, bytes, n, &o));
    assert_ptr_equal(shared.rgb, room->at[0]);
    assert_int_equal(alone.width, shared.width);
    assert_int_equal(alone.height, shared.height);
    assert_memory_equal(alone.rgb, shared.rgb,
                        (size_t)alone.width * (size_t)alone.height * 3);
    graft_free(alone.rgb);
    assert_true(graft_image_decode(&shared, bytes, n / 2, &o) != GRAFT_OK);
}

/* The same memory for pictures of any kind, size and orientation, larger and
 * smaller ones in turns, with refused ones between. */
TEST(data_decode__one_after_another)
{
    enum { PICTURES = 3 * KINDS };
    struct graft_pixels room = {0};
    struct graft_str s;
    graft_str_init(&s);
    for (int i = 0; i < PICTURES; i++) {
        int w = 20 + 37 * i % 50, h = 20 + 11 * i % 40;
        uint8_t *rgb = photo_draw(w, h);
        encode(&s, i % KINDS, rgb, w, h);
        same_in(&room, s.at, s.n);
        same_in(&room, progressive_jpeg, sizeof progressive_jpeg); /* turned */
        graft_free(rgb);
    }
    graft_pixels_release(&room);
    assert_null(room.at[0]);
    graft_str_release(&s);
}

/* The size before decoding is that of the upright picture. */
TEST(data_decode__size_beforehand)
{
    static const struct {
        const uint8_t *bytes;
        uint64_t n;
    } file[] = {{plain_jpeg, sizeof plain_jpeg},
                {progressive_jpeg, sizeof progressive_jpeg}, /* lying */
                {large_jpeg, sizeof large_jpeg}};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        struct graft_image image;
        int w = 0, h = 0;
        assert_ok(graft_image_decode(&image, file[i].bytes, file[i].n, NULL));
        assert_ok(graft_image_size(&w, &h, file[i].bytes, file[i].n, NULL));
        assert_true(w == image.width && h == image.height);
        graft_free(image.rgb);
    }
    struct graft_decode_options o = {.max_pixels = 1000};
    int w, h;
    assert_fails(graft_image_size(&w, &h, large_jpeg, sizeof large_jpeg, &o),
                 GRAFT_ELIMIT, "at most 1000");
    assert_fails(graft_image_size(&w, &h, plain_jpeg, 100, NULL),
                 GRAFT_EFORMAT, "cut short");
}
