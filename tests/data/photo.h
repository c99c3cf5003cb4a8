/* Pictures made by formula, and files made of them, for the tests of photos.
 * Include once in a test file.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DATA_PHOTO_H
#define TESTS_DATA_PHOTO_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/str.h"
#include "data/data.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

/* The same in make_vectors.py. */
static uint8_t photo_level(int x, int y, int c)
{
    unsigned u = (unsigned)x, v = (unsigned)y, w = (unsigned)c;
    return (uint8_t)(u * u * 3 + v * 7 * (w + 1) + u * v * (w + 2) +
                     (u ^ v) * 5);
}

static uint8_t *photo_draw(int w, int h)
{
    uint8_t *rgb = graft_malloc((size_t)w * (size_t)h * 3);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                rgb[(y * w + x) * 3 + c] = photo_level(x, y, c);
    return rgb;
}

/* Red to the right, green downwards; `seed` makes pictures differ. */
static uint8_t *photo_smooth(int w, int h, int seed)
{
    uint8_t *rgb = graft_malloc((size_t)w * (size_t)h * 3);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = rgb + (y * w + x) * 3;
            p[0] = (uint8_t)(x * 255 / (w > 1 ? w - 1 : 1));
            p[1] = (uint8_t)(y * 255 / (h > 1 ? h - 1 : 1));
            p[2] = (uint8_t)(seed * 37);
        }
    return rgb;
}

static void photo_add(void *ctx, void *data, int size)
{
    graft_str_addn(ctx, data, (size_t)size);
}

static void photo_bmp(struct graft_str *out, const uint8_t *rgb, int w, int h)
{
    graft_str_clear(out);
    stbi_write_bmp_to_func(photo_add, out, w, h, 3, rgb);
}

static void photo_png(struct graft_str *out, const uint8_t *p, int w, int h,
                      int channels)
{
    graft_str_clear(out);
    stbi_write_png_to_func(photo_add, out, w, h, channels, p, w * channels);
}

/* ---- PNG by hand, for what stb_image_write does not write ---------------- */

static void photo_be32(struct graft_str *out, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
                    (uint8_t)(v >> 8), (uint8_t)v};
    graft_str_addn(out, b, 4);
}

static uint32_t photo_crc(const void *data, size_t n)
{
    const uint8_t *b = data;
    uint32_t c = ~0u;
    for (size_t i = 0; i < n; i++) {
        c ^= b[i];
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
    }
    return ~c;
}

/* Makes the checksums of a PNG right again. */
static void photo_png_mend(uint8_t *b, size_t n)
{
    for (size_t at = 8; at + 12 <= n;) {
        size_t size = (size_t)b[at] << 24 | (size_t)b[at + 1] << 16 |
                      (size_t)b[at + 2] << 8 | b[at + 3];
        if (size > n - at - 12)
            return;
        uint32_t c = photo_crc(b + at + 4, 4 + size);
        for (int i = 0; i < 4; i++)
            b[at + 8 + size + (size_t)i] = (uint8_t)(c >> (24 - 8 * i));
        at += 12 + size;
    }
}

static void photo_chunk(struct graft_str *out, const char *type,
                        const void *data, size_t n)
{
    photo_be32(out, (uint32_t)n);
    size_t from = out->n;
    graft_str_addn(out, type, 4);
    graft_str_addn(out, data, n);
    photo_be32(out, photo_crc(out->at + from, out->n - from));
}

static void photo_png_start(struct graft_str *out, uint32_t w, uint32_t h,
                            int depth, int colour)
{
    struct graft_str d;
    uint8_t rest[5] = {(uint8_t)depth, (uint8_t)colour, 0, 0, 0};
    graft_str_init(&d);
    photo_be32(&d, w);
    photo_be32(&d, h);
    graft_str_addn(&d, rest, 5);
    graft_str_clear(out);
    graft_str_addn(out, "\x89PNG\r\n\x1a\n", 8);
    photo_chunk(out, "IHDR", d.at, d.n);
    graft_str_release(&d);
}

/* rows: each with its filter byte in front. */
static void photo_png_end(struct graft_str *out, const void *rows, size_t n)
{
    int size;
    unsigned char *z = stbi_zlib_compress((unsigned char *)(uintptr_t)rows,
                                          (int)n, &size, 8);
    photo_chunk(out, "IDAT", z, (size_t)size);
    photo_chunk(out, "IEND", "", 0);
    STBIW_FREE(z);
}

/* ---- files --------------------------------------------------------------- */

/* An hour old, so that the side index takes it. */
static void photo_age(const char *path)
{
    struct timespec t[2];
    clock_gettime(CLOCK_REALTIME, &t[0]);
    t[0].tv_sec -= 3600;
    t[1] = t[0];
    assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void photo_write(const char *folder, const char *name,
                        const void *bytes, size_t n)
{
    char *path = graft_path_join(folder, name);
    char *above = graft_path_folder(path);
    assert_ok(graft_folder_make(above));
    assert_ok(graft_file_write(path, bytes, n, GRAFT_WRITE_REPLACE));
    photo_age(path);
    graft_free(above);
    graft_free(path);
}

/* A small PNG that differs by seed. */
static void photo_make(const char *folder, const char *name, int seed)
{
    struct graft_str s;
    graft_str_init(&s);
    uint8_t *rgb = photo_smooth(20 + seed % 7, 16 + seed / 256, seed);
    photo_png(&s, rgb, 20 + seed % 7, 16 + seed / 256, 3);
    photo_write(folder, name, s.at, s.n);
    graft_free(rgb);
    graft_str_release(&s);
}

static int photo_warnings;
static void photo_log(void *ctx, enum graft_log_level level,
                      const char *text)
{
    (void)ctx, (void)text;
    photo_warnings += level == GRAFT_LOG_WARNING;
}

static struct graft_runtime *photo_runtime(const char *cache, int threads)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt;
    o.threads = threads;
    o.cache_dir = cache;
    o.log = photo_log;
    photo_warnings = 0;
    assert_ok(graft_runtime_new(&rt, &o));
    return rt;
}

#endif
