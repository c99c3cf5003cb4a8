/* Structure of PNG and BMP files: sizes for the caps, damage and missing
 * ends, which stb_image would not notice, and PNG's EXIF block.
 * PNG: ISO/IEC 15948, sections 5 and 11.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "base/status.h"
#include "data/decode.h"

/* ---- PNG ----------------------------------------------------------------- */

static uint32_t crc_table[256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

/* CRC-32, reflected polynomial EDB88320 (annex D of the standard). */
static void crc_fill(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
        crc_table[i] = c;
    }
}

static uint32_t crc(const uint8_t *b, uint64_t n)
{
    uint32_t c = 0xFFFFFFFFu;
    for (uint64_t i = 0; i < n; i++)
        c = crc_table[(c ^ b[i]) & 255] ^ c >> 8;
    return ~c;
}

static int png_ihdr(struct graft_image_head *out, const uint8_t *d,
                    uint32_t size)
{
    if (size != 13)
        return graft_fail(GRAFT_EFORMAT, "its PNG header has %u bytes, not "
                          "13", size);
    out->width = graft_be32(d);
    out->height = graft_be32(d + 4);
    out->sample_bytes = d[8] == 16 ? 2 : 1;
    out->channels = 4;
    return GRAFT_OK;
}

int graft_png_head(struct graft_image_head *out, const uint8_t *b,
                   uint64_t n)
{
    pthread_once(&crc_once, crc_fill);
    struct graft_image_head h = {0};
    bool ended = false;
    for (uint64_t at = 8; !ended;) {
        if (n - at < 12 || graft_be32(b + at) > n - at - 12)
            return graft_fail(GRAFT_EFORMAT, "it is cut short: a PNG picture "
                              "of %llu bytes without its end",
                              (unsigned long long)n);
        uint32_t size = graft_be32(b + at);
        const uint8_t *type = b + at + 4, *data = b + at + 8;
        if (crc(type, 4 + (uint64_t)size) != graft_be32(data + size))
            return graft_fail(GRAFT_EFORMAT, "it is damaged: checksum of a "
                              "PNG chunk at byte %llu is wrong",
                              (unsigned long long)at);
        bool header = !memcmp(type, "IHDR", 4);
        if (header != (at == 8))
            return graft_fail(GRAFT_EFORMAT, "its PNG header is not where it "
                              "must be, at the start and only there");
        int status = header ? png_ihdr(&h, data, size) : GRAFT_OK;
        if (status)
            return status;
        if (!memcmp(type, "eXIf", 4))
            h.exif = data, h.exif_bytes = size;
        ended = !memcmp(type, "IEND", 4);
        at += 12 + (uint64_t)size;
    }
    *out = h;
    return GRAFT_OK;
}

/* ---- BMP ----------------------------------------------------------------- */

enum { BMP_FILE = 14, BMP_CORE = 12, BMP_INFO = 40 };

static int bmp_sizes(struct graft_image_head *h, unsigned *depth,
                     const uint8_t *b, uint64_t n)
{
    uint32_t info = n >= BMP_FILE + 4 ? graft_le32(b + BMP_FILE) : 0;
    if (info == BMP_CORE && n >= BMP_FILE + BMP_CORE) {
        h->width = graft_le16(b + 18);
        h->height = graft_le16(b + 20);
        *depth = graft_le16(b + 24);
        return GRAFT_OK;
    }
    if (info < BMP_INFO || n < BMP_FILE + BMP_INFO)
        return graft_fail(GRAFT_EFORMAT, "its BMP header is cut short or of "
                          "an unknown kind (%u bytes)", info);
    h->width = (int32_t)graft_le32(b + 18);
    int64_t height = (int32_t)graft_le32(b + 22);
    h->height = height < 0 ? -height : height; /* < 0: stored top down */
    *depth = graft_le16(b + 28);
    uint32_t packed = graft_le32(b + 30);
    if (packed != 0 && packed != 3) /* none, or bit fields */
        return graft_fail(GRAFT_EUNSUPPORTED, "it is a compressed BMP (method "
                          "%u), which Graft does not read: convert it to "
                          "JPEG or PNG", packed);
    return GRAFT_OK;
}

int graft_bmp_head(struct graft_image_head *out, const uint8_t *b,
                   uint64_t n)
{
    struct graft_image_head h = {.channels = 4, .sample_bytes = 1};
    unsigned depth = 0;
    int status = bmp_sizes(&h, &depth, b, n);
    if (status)
        return status;
    if (h.width > 0 && h.width <= GRAFT_MAX_SIDE &&
        h.height <= GRAFT_MAX_SIDE) {
        /* Rows are padded to 4 bytes. */
        uint64_t row = ((uint64_t)h.width * depth + 31) / 32 * 4;
        uint64_t data = graft_le32(b + 10);
        if (data > n || row * (uint64_t)h.height > n - data)
            return graft_fail(GRAFT_EFORMAT, "it is cut short: a BMP of "
                              "%lldx%lld needs %llu bytes, it has %llu",
                              (long long)h.width, (long long)h.height,
                              (unsigned long long)(data +
                              row * (uint64_t)h.height),
                              (unsigned long long)n);
    }
    *out = h;
    return GRAFT_OK;
}
