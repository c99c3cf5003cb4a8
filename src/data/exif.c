/* EXIF orientation: the one tag that is read, and what it asks for.
 * The block is TIFF 6.0: byte order, 42, offset of the first directory; a
 * directory is a count and entries of 12 bytes (tag, type, count, value).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/decode.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };

int graft_exif_orientation(const uint8_t *t, uint64_t n)
{
    if (!t || n < 8)
        return 1;
    bool little = !memcmp(t, "II*\0", 4);
    if (!little && memcmp(t, "MM\0*", 4))
        return 1;
    uint64_t at = little ? graft_le32(t + 4) : graft_be32(t + 4);
    if (at > n - 2)
        return 1;
    unsigned count = little ? graft_le16(t + at) : graft_be16(t + at);
    const uint8_t *e = t + at + 2;
    for (uint64_t left = n - at - 2; count && left >= ENTRY;
         count--, e += ENTRY, left -= ENTRY) {
        unsigned tag = little ? graft_le16(e) : graft_be16(e);
        unsigned type = little ? graft_le16(e + 2) : graft_be16(e + 2);
        if (tag != TAG_ORIENTATION || type != TYPE_SHORT)
            continue;
        unsigned v = little ? graft_le16(e + 8) : graft_be16(e + 8);
        return v >= 1 && v <= 8 ? (int)v : 1;
    }
    return 1;
}

/* How the stored picture is walked to write the upright one. */
struct turn {
    bool from_right, from_bottom; /* the walk starts there */
    bool swap;                    /* x walks down the rows */
};
static const struct turn turns[9] = {
    {0, 0, 0},                       /* not used */
    {0, 0, 0}, {1, 0, 0}, {1, 1, 0}, /* plain, mirrored, upside down */
    {0, 1, 0}, {0, 0, 1}, {0, 1, 1}, /* flipped, transposed, turned right */
    {1, 1, 1}, {1, 0, 1},            /* transverse, turned left */
};

static void copy_block(uint8_t *dst, int width, const uint8_t *src,
                       int64_t sx, int64_t sy, const int box[4])
{
    for (int y = box[1]; y < box[3]; y++)
        for (int x = box[0]; x < box[2]; x++) {
            const uint8_t *s = src + x * sx + y * sy;
            uint8_t *d = dst + ((int64_t)y * width + x) * 3;
            d[0] = s[0], d[1] = s[1], d[2] = s[2];
        }
}

int graft_image_orient(struct graft_image *image, int orientation,
                       struct graft_pixels *p)
{
    enum { BLOCK = 32 }; /* both sides of a turn stay in the cache */
    const struct turn t = turns[orientation];
    if (orientation <= 1)
        return GRAFT_OK;
    int w = image->width, h = image->height;
    uint8_t *dst = graft_pixels_room(p, 1, (size_t)w * (size_t)h * 3);
    if (!dst)
        return GRAFT_EMEM;
    int64_t step = 3, row = (int64_t)w * 3;
    const uint8_t *src = image->rgb;
    if (t.from_right)
        src += (w - 1) * step, step = -step;
    if (t.from_bottom)
        src += (h - 1) * row, row = -row;
    int width = t.swap ? h : w, height = t.swap ? w : h;
    for (int y = 0; y < height; y += BLOCK)
        for (int x = 0; x < width; x += BLOCK) {
            int box[4] = {x, y, x + BLOCK < width ? x + BLOCK : width,
                          y + BLOCK < height ? y + BLOCK : height};
            copy_block(dst, width, src, t.swap ? row : step,
                       t.swap ? step : row, box);
        }
    *p = (struct graft_pixels){{p->at[1], p->at[0]},
                               {p->bytes[1], p->bytes[0]}};
    *image = (struct graft_image){dst, width, height};
    return GRAFT_OK;
}
