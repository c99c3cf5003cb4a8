/* What the files that decode pictures share: the header's facts, told before
 * anything is decoded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_DECODE_H
#define GRAFT_DATA_DECODE_H

#include "data/data.h"

struct graft_image_head {
    int64_t width, height;     /* as stored, before orientation */
    int channels;              /* of the decoder's output */
    int sample_bytes;          /* 2: 16 bit */
    const uint8_t *exif;       /* TIFF block, NULL: none */
    uint64_t exif_bytes;
};

/* Each checks the whole file's structure, as far as that needs no decoding,
 * and fails with a message that reads on from "the photo: ". */
int graft_jpeg_head(struct graft_image_head *out, const uint8_t *b,
                    uint64_t n);
int graft_png_head(struct graft_image_head *out, const uint8_t *b,
                   uint64_t n);
int graft_bmp_head(struct graft_image_head *out, const uint8_t *b,
                   uint64_t n);

/* Decode to RGB in o->pixels (given), not yet oriented; sizes have been
 * checked. */
int graft_jpeg_decode(struct graft_image *out, const uint8_t *b, uint64_t n,
                      const struct graft_image_head *head,
                      const struct graft_decode_options *o);
int graft_stb_decode(struct graft_image *out, const uint8_t *b, uint64_t n,
                     const struct graft_image_head *head,
                     const struct graft_decode_options *o);
/* at[which] with room for that many bytes, what was in it lost; NULL: out of
 * memory. */
uint8_t *graft_pixels_room(struct graft_pixels *p, int which, size_t bytes);

/* 1..8; 1 when it is not said or not sane. */
int graft_exif_orientation(const uint8_t *tiff, uint64_t n);
/* Turns and mirrors the picture, which is in p, so that it stands upright. */
int graft_image_orient(struct graft_image *image, int orientation,
                       struct graft_pixels *p);

/* A pixel of inverted CMYK as RGB, in Pillow's rounding. */
void graft_cmyk_to_rgb(uint8_t *rgb, const uint8_t *cmyk, int64_t pixels);

enum graft_kind { GRAFT_KIND_NONE, GRAFT_JPEG, GRAFT_PNG, GRAFT_BMP };
/* Which of the kinds it reads; otherwise NONE with the message set and
 * *status the code. */
enum graft_kind graft_image_kind(const uint8_t *b, uint64_t n, int *status);

static inline unsigned graft_be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}
static inline uint32_t graft_be32(const uint8_t *p)
{
    return (uint32_t)graft_be16(p) << 16 | graft_be16(p + 2);
}
static inline unsigned graft_le16(const uint8_t *p)
{
    return (unsigned)p[1] << 8 | p[0];
}
static inline uint32_t graft_le32(const uint8_t *p)
{
    return (uint32_t)graft_le16(p + 2) << 16 | graft_le16(p);
}

#endif
