/* Pictures: JPEG through every decoder there is, PNG, BMP, with the caps so
 * low that a run is quick. Checksums of PNG chunks are made right half of
 * the time, or nothing behind them would ever be reached.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "data/decode.h"

enum { PIXELS = 1 << 16 };

/* What data.h promises: 4 x pixels x channels x bytes of a sample + 2 x file
 * + 16 MiB; then the turned copy. */
static void decode(const uint8_t *data, size_t size,
                   const struct graft_decode_options *o)
{
    struct graft_image image = {0};
    struct fuzz_span s = fuzz_begin();
    int status = graft_image_decode(&image, data, size, o);
    fuzz_end(&s, 4 * (uint64_t)PIXELS * 8 + 2 * size + (16u << 20),
             status != 0);
    fuzz_status(status);
    if (status) {
        fuzz_check(!image.rgb, "a failure makes no picture");
        return;
    }
    fuzz_check(image.width > 0 && image.height > 0 &&
               (int64_t)image.width * image.height <= PIXELS,
               "a picture keeps the caps");
    unsigned sum = 0;
    for (int64_t i = 0; i < 3 * (int64_t)image.width * image.height; i++)
        sum += image.rgb[i];
    fuzz_check(sum <= 255u * 3 * PIXELS, "all of a picture is there");
    graft_free(image.rgb);
}

/* stb_image's JPEG, which builds without libjpeg-turbo use. */
static void other_decoder(const uint8_t *data, size_t size,
                          struct graft_decode_options o)
{
    struct graft_image_head head;
    struct graft_image image = {0};
    struct graft_pixels room = {0};
    o.pixels = &room;
    if (graft_jpeg_head(&head, data, size) || head.width <= 0 ||
        head.height <= 0 || head.width * head.height > PIXELS)
        return;
    fuzz_status(graft_stb_decode(&image, data, size, &head, &o));
    graft_pixels_release(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct graft_decode_options whole = {
        .exact = true, .max_pixels = PIXELS};
    static const struct graft_decode_options scaled = {
        .min_side = 4, .max_pixels = PIXELS};
    int status = 0;
    struct fuzz_span s = fuzz_begin();
    decode(data, size, &whole);
    if (graft_image_kind(data, size, &status) == GRAFT_JPEG) {
        decode(data, size, &scaled);
        other_decoder(data, size, whole);
    }
    fuzz_end(&s, UINT64_MAX, true);
    return 0;
}

static uint32_t crc(const uint8_t *b, size_t n)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        c ^= b[i];
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}

static void mend_png(uint8_t *b, size_t n)
{
    for (size_t at = 8; n - at >= 12;) {
        size_t size = graft_be32(b + at);
        if (size > n - at - 12)
            return;
        uint32_t c = crc(b + at + 4, size + 4);
        for (size_t i = 0; i < 4; i++)
            b[at + 8 + size + i] = (uint8_t)(c >> (24 - 8 * i));
        at += 12 + size;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed)
{
    size_t n = LLVMFuzzerMutate(data, size, max);
    if (seed % 2 && n > 20 && !memcmp(data, "\x89PNG\r\n\x1a\n", 8))
        mend_png(data, n);
    return n;
}
