/* JPEG: structure (sizes for the caps, EXIF, a missing end), and decoding by
 * libjpeg-turbo where it is compiled in (GRAFT_HAVE_TURBOJPEG), else by
 * stb_image. Markers: ITU-T T.81, annex B.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "data/decode.h"

/* ---- structure ----------------------------------------------------------- */

enum {
    SOF0 = 0xC0, DHT = 0xC4, JPG = 0xC8, DAC = 0xCC, SOF15 = 0xCF,
    RST0 = 0xD0, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, APP1 = 0xE1, TEM = 0x01
};
/* No encoder writes more; libjpeg-turbo's own limit too. Each scan costs a
 * pass over the whole picture, however few bytes it has. */
enum { MAX_SCANS = 500 };

static int cut_short(uint64_t n)
{
    return graft_fail(GRAFT_EFORMAT, "it is cut short: a JPEG photo of %llu "
                      "bytes without its end", (unsigned long long)n);
}

static bool is_frame(int m)
{
    return m >= SOF0 && m <= SOF15 && m != DHT && m != JPG && m != DAC;
}

static bool is_alone(int m) /* no length follows */
{
    return m == TEM || (m >= RST0 && m <= SOI);
}

static int frame(struct graft_image_head *h, int m, const uint8_t *d,
                 unsigned size)
{
    /* baseline, extended, progressive; the last two arithmetic too */
    static const char known[] = "\xC0\xC1\xC2\xC9\xCA";
    if (size < 6)
        return graft_fail(GRAFT_EFORMAT, "its JPEG frame header has %u "
                          "bytes", size);
    if (!memchr(known, m, 5) || d[0] != 8)
        return graft_fail(GRAFT_EUNSUPPORTED, "it is a JPEG of a rare kind "
                          "(process %d, %d bits), which Graft does not read: "
                          "convert it to an ordinary one", m - SOF0, d[0]);
    h->height = graft_be16(d + 1);
    h->width = graft_be16(d + 3);
    h->channels = d[5];
    h->sample_bytes = 1;
    if (d[5] != 1 && d[5] != 3 && d[5] != 4)
        return graft_fail(GRAFT_EUNSUPPORTED, "it is a JPEG of %d colour "
                          "channels; 1, 3 or 4 are read", d[5]);
    return GRAFT_OK;
}

/* Huffman tables, each a class, 16 counts of codes by length, and as many
 * symbols. stb_image 2.27 writes beyond its own table where there are more
 * than 256, and reads beyond it where codes do not fit their lengths. */
static int huffman(const uint8_t *d, unsigned left)
{
    while (left >= 17) {
        unsigned symbols = 0, code = 0;
        bool fits = true;
        for (int length = 1; length <= 16; length++) {
            symbols += d[length];
            code = 2 * code + d[length];
            fits = fits && code <= 1u << length;
        }
        if (symbols > 256 || !fits || symbols > left - 17)
            break;
        d += 17 + symbols;
        left -= 17 + symbols;
    }
    if (left)
        return graft_fail(GRAFT_EFORMAT, "it is damaged: a wrong Huffman "
                          "table");
    return GRAFT_OK;
}

/* The next marker's code at *at, which then stands behind it; -1: none. */
static int next_marker(uint64_t *at, const uint8_t *b, uint64_t n)
{
    const uint8_t *ff = *at < n ? memchr(b + *at, 0xFF, (size_t)(n - *at))
                                : NULL;
    *at = ff ? (uint64_t)(ff - b) : n;
    while (*at < n && b[*at] == 0xFF)
        ++*at;
    return *at < n ? b[(*at)++] : -1;
}

/* One marker segment: `size` bytes at d. */
static int segment(struct graft_image_head *h, int m, const uint8_t *d,
                   unsigned size)
{
    if (m == SOS && !h->channels)
        return graft_fail(GRAFT_EFORMAT, "it is damaged: a JPEG scan before "
                          "its frame header");
    if (m == APP1 && !h->exif && size >= 6 && !memcmp(d, "Exif\0\0", 6))
        h->exif = d + 6, h->exif_bytes = size - 6;
    if (m == DHT)
        return huffman(d, size);
    if (is_frame(m) && !h->channels)
        return frame(h, m, d, size);
    return GRAFT_OK;
}

/* All segments to the end; a scan's coded data are skipped like any bytes
 * before a marker, as 0xFF in them is followed by 0 or a restart. */
int graft_jpeg_head(struct graft_image_head *out, const uint8_t *b,
                    uint64_t n)
{
    struct graft_image_head h = {0};
    uint64_t at = 2;
    int scans = 0;
    for (;;) {
        int m = next_marker(&at, b, n);
        if (m == 0 || is_alone(m))
            continue;
        if (m == EOI)
            break;
        if (m < 0 || n - at < 2 || graft_be16(b + at) > n - at)
            return cut_short(n);
        unsigned size = graft_be16(b + at);
        if (size < 2)
            return graft_fail(GRAFT_EFORMAT, "it is damaged: JPEG marker %02x "
                              "has length %u", (unsigned)m, size);
        int status = segment(&h, m, b + at + 2, size - 2);
        if (status)
            return status;
        scans += m == SOS;
        at += size;
    }
    if (scans == 0)
        return graft_fail(GRAFT_EFORMAT, "it is a JPEG without a picture");
    if (scans > MAX_SCANS)
        return graft_fail(GRAFT_EFORMAT, "it is a JPEG of %d scans; at most "
                          "%d are read", scans, MAX_SCANS);
    *out = h;
    return GRAFT_OK;
}

/* ---- decoding ------------------------------------------------------------ */

#ifdef GRAFT_HAVE_TURBOJPEG
#include <turbojpeg.h>

const char *graft_image_numerics(void)
{
    return "turbojpeg islow, scale 3, resize 1";
}

/* libjpeg warns of harmless oddities (bytes before a marker, a strange
 * version number) and of missing picture data; only the latter makes a photo
 * useless. The messages are those of jerror.h, stable since libjpeg 6. */
static bool is_damage(const char *warning)
{
    static const char *const damage[] = {
        "Premature end", "premature end", "Huffman code", "arithmetic code",
        "instead of RST"};
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++)
        if (strstr(warning, damage[i]))
            return true;
    return false;
}

/* The smallest of 1/2, 1/4, 1/8 that keeps the short side at least min_side,
 * as Pillow's draft() chooses. The other eighths are no faster than all
 * pixels: libjpeg-turbo has vector code for powers of two only. */
static tjscalingfactor choose_scale(const struct graft_image_head *head,
                                    const struct graft_decode_options *o)
{
    int side = (int)(head->width < head->height ? head->width
                                                : head->height);
    tjscalingfactor f = {8, 8};
    if (o->exact || o->min_side <= 0)
        return f;
    for (f.num = 1; f.num < 8; f.num *= 2)
        if (side * f.num / 8 >= o->min_side)
            break;
    return f;
}

int graft_jpeg_decode(struct graft_image *out, const uint8_t *b, uint64_t n,
                      const struct graft_image_head *head,
                      const struct graft_decode_options *o)
{
    tjscalingfactor f = choose_scale(head, o);
    int w = TJSCALED((int)head->width, f), h = TJSCALED((int)head->height, f);
    bool cmyk = head->channels == 4;
    size_t pixels = (size_t)w * (size_t)h;
    int status = GRAFT_OK;
    uint8_t *rgb = graft_pixels_room(o->pixels, 0, pixels * (cmyk ? 4 : 3));
    tjhandle tj = rgb ? tjInitDecompress() : NULL;
    if (!tj) {
        status = rgb ? graft_fail_mem(pixels) : GRAFT_EMEM;
    } else if (tjDecompress2(tj, b, (unsigned long)n, rgb, w, 0, h,
                             cmyk ? TJPF_CMYK : TJPF_RGB,
                             TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) &&
               (tjGetErrorCode(tj) != TJERR_WARNING ||
                is_damage(tjGetErrorStr2(tj)))) {
        status = graft_fail(GRAFT_EFORMAT, "it is a damaged JPEG photo: %s",
                            tjGetErrorStr2(tj));
    } else {
        if (cmyk)
            graft_cmyk_to_rgb(rgb, rgb, (int64_t)pixels);
        *out = (struct graft_image){rgb, w, h};
    }
    if (tj)
        tjDestroy(tj);
    return status;
}

#else

const char *graft_image_numerics(void)
{
    return "stb_image, resize 1";
}

int graft_jpeg_decode(struct graft_image *out, const uint8_t *b, uint64_t n,
                      const struct graft_image_head *head,
                      const struct graft_decode_options *o)
{
    return graft_stb_decode(out, b, n, head, o);
}
#endif

/* Ink is stored inverted, c' = 255 - c: R = k' - (255 - c') k' / 255, the
 * quotient rounded, as Pillow does. May work in place. */
void graft_cmyk_to_rgb(uint8_t *rgb, const uint8_t *cmyk, int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++) {
        uint8_t p[4];
        memcpy(p, cmyk + 4 * i, 4);
        for (int c = 0; c < 3; c++) {
            int t = (255 - p[c]) * p[3] + 128;
            rgb[3 * i + c] = (uint8_t)(p[3] - (((t >> 8) + t) >> 8));
        }
    }
}
