/* What a file is, by its first bytes: the three kinds that are read, and the
 * many that a folder of photos may hold besides, each with a hint.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "data/decode.h"

#define TO_JPEG "convert it to JPEG or PNG"
#define NOT_PHOTO NULL

struct mark {
    const char *bytes;
    unsigned char offset, n;
};
#define AT(offset, text) {text, offset, sizeof text - 1}

struct kind {
    enum graft_kind reads;
    const char *what, *hint; /* hint NOT_PHOTO: no picture at all */
    struct mark mark[2];     /* both must be there */
};

/* The more particular ones first. */
static const struct kind kinds[] = {
    {GRAFT_JPEG, "a JPEG photo", "", {AT(0, "\xff\xd8\xff")}},
    {GRAFT_PNG, "a PNG picture", "", {AT(0, "\x89PNG\r\n\x1a\n")}},
    {GRAFT_BMP, "a BMP picture", "", {AT(0, "BM"), AT(15, "\0\0\0")}},
    {0, "a WebP picture", TO_JPEG, {AT(0, "RIFF"), AT(8, "WEBP")}},
    {0, "a GIF picture", TO_JPEG, {AT(0, "GIF8")}},
    {0, "an AVIF picture", TO_JPEG, {AT(4, "ftypavif")}},
    {0, "an AVIF picture", TO_JPEG, {AT(4, "ftypavis")}},
    {0, "a HEIC photo", TO_JPEG, {AT(4, "ftyphe")}},
    {0, "a HEIF photo", TO_JPEG, {AT(4, "ftypmif1")}},
    {0, "a HEIF photo", TO_JPEG, {AT(4, "ftypmsf1")}},
    {0, "a camera's raw file (CR3)", TO_JPEG, {AT(4, "ftypcrx ")}},
    {0, "a video (MP4 or QuickTime)", NOT_PHOTO, {AT(4, "ftyp")}},
    {0, "a video (QuickTime)", NOT_PHOTO, {AT(4, "moov")}},
    {0, "a video (AVI)", NOT_PHOTO, {AT(0, "RIFF"), AT(8, "AVI ")}},
    {0, "a sound (WAV)", NOT_PHOTO, {AT(0, "RIFF"), AT(8, "WAVE")}},
    {0, "a video (Matroska or WebM)", NOT_PHOTO,
     {AT(0, "\x1a\x45\xdf\xa3")}},
    {0, "a camera's raw file (CR2)", TO_JPEG,
     {AT(0, "II*\0"), AT(8, "CR")}},
    {0, "a TIFF picture or a camera's raw file", TO_JPEG, {AT(0, "II*\0")}},
    {0, "a TIFF picture or a camera's raw file", TO_JPEG, {AT(0, "MM\0*")}},
    {0, "a TIFF picture", TO_JPEG, {AT(0, "II+\0")}},
    {0, "a TIFF picture", TO_JPEG, {AT(0, "MM\0+")}},
    {0, "a camera's raw file (RAF)", TO_JPEG, {AT(0, "FUJIFILMCCD-RAW")}},
    {0, "a camera's raw file (ORF)", TO_JPEG, {AT(0, "IIRO")}},
    {0, "a camera's raw file (RW2)", TO_JPEG, {AT(0, "IIU\0")}},
    {0, "a JPEG XL picture", TO_JPEG, {AT(0, "\xff\x0a")}},
    {0, "a JPEG XL picture", TO_JPEG, {AT(0, "\0\0\0\x0cJXL ")}},
    {0, "a JPEG 2000 picture", TO_JPEG, {AT(0, "\0\0\0\x0cjP  ")}},
    {0, "a JPEG 2000 picture", TO_JPEG, {AT(0, "\xff\x4f\xff\x51")}},
    {0, "a Photoshop file", TO_JPEG, {AT(0, "8BPS")}},
    {0, "a GIMP file", TO_JPEG, {AT(0, "gimp xcf")}},
    {0, "an OpenEXR picture", TO_JPEG, {AT(0, "\x76\x2f\x31\x01")}},
    {0, "a Radiance HDR picture", TO_JPEG, {AT(0, "#?RADIANCE")}},
    {0, "an icon", TO_JPEG, {AT(0, "\0\0\1\0")}},
    {0, "a DirectDraw surface", TO_JPEG, {AT(0, "DDS ")}},
    {0, "a netpbm picture", TO_JPEG, {AT(0, "P4\n")}},
    {0, "a netpbm picture", TO_JPEG, {AT(0, "P5\n")}},
    {0, "a netpbm picture", TO_JPEG, {AT(0, "P6\n")}},
    {0, "a PDF document", TO_JPEG, {AT(0, "%PDF")}},
    {0, "a PostScript document", TO_JPEG, {AT(0, "%!PS")}},
    {0, "an SVG drawing", TO_JPEG, {AT(0, "<svg")}},
    {0, "a web page (was the download refused?)", NOT_PHOTO,
     {AT(0, "<!DOCTYPE")}},
    {0, "a web page (was the download refused?)", NOT_PHOTO,
     {AT(0, "<!doctype")}},
    {0, "a web page (was the download refused?)", NOT_PHOTO,
     {AT(0, "<html")}},
    {0, "an XML or SVG file", NOT_PHOTO, {AT(0, "<?xml")}},
    {0, "a ZIP archive", NOT_PHOTO, {AT(0, "PK\3\4")}},
    {0, "a gzip archive", NOT_PHOTO, {AT(0, "\x1f\x8b")}},
    {0, "a NumPy array", NOT_PHOTO, {AT(0, "\x93NUMPY")}},
    {0, "a thumbnail store or Office file", NOT_PHOTO,
     {AT(0, "\xd0\xcf\x11\xe0")}},
    {0, "a program", NOT_PHOTO, {AT(0, "\x7f" "ELF")}},
};

static bool has(const struct mark *m, const uint8_t *b, uint64_t n)
{
    return !m->bytes || ((uint64_t)m->offset + m->n <= n &&
                         !memcmp(b + m->offset, m->bytes, m->n));
}

static bool is_text(const uint8_t *b, uint64_t n)
{
    for (uint64_t i = 0; i < n && i < 64; i++)
        if (b[i] != '\n' && b[i] != '\r' && b[i] != '\t' &&
            (b[i] < ' ' || b[i] == 0x7f || b[i] > 0xf4)) /* UTF-8's last */
            return false;
    return true;
}

static int refuse(const struct kind *k)
{
    if (k->hint)
        return graft_fail(GRAFT_EUNSUPPORTED, "it is %s, which Graft does "
                          "not read: %s", k->what, k->hint);
    return graft_fail(GRAFT_EFORMAT, "it is %s, not a photo", k->what);
}

static int refuse_unknown(const uint8_t *b, uint64_t n)
{
    if (n == 0)
        return graft_fail(GRAFT_EFORMAT, "it is empty (0 bytes)");
    if (is_text(b, n))
        return graft_fail(GRAFT_EFORMAT, "it is text, not a photo");
    uint8_t first[4] = {0};
    memcpy(first, b, n < 4 ? (size_t)n : 4);
    return graft_fail(GRAFT_EFORMAT, "it is no JPEG, PNG or BMP (its first "
                      "bytes are %02x %02x %02x %02x)", first[0], first[1],
                      first[2], first[3]);
}

enum graft_kind graft_image_kind(const uint8_t *b, uint64_t n, int *status)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *k = &kinds[i];
        if (!has(&k->mark[0], b, n) || !has(&k->mark[1], b, n))
            continue;
        *status = k->reads ? GRAFT_OK : refuse(k);
        return k->reads;
    }
    *status = refuse_unknown(b, n);
    return GRAFT_KIND_NONE;
}

int graft_image_sniff(const uint8_t *bytes, uint64_t n)
{
    int status;
    graft_image_kind(bytes, n, &status);
    return status;
}
