/* Changes of colour on levels 0 .. 255 in floats: brightness, contrast,
 * saturation, hue by torchvision's formulas, none of which rounds.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_DATA_COLOUR_H
#define GRAFT_DATA_COLOUR_H

#include "data/augment.h"
#include "kernels/image.h"

/* Pixels, colour by colour (red, green, blue; or one grey). A row of a
 * picture is some of them, its last lanes zero where the row ends before. */
enum { GRAFT_COLOUR_LANES = 16 };
struct graft_colours {
    float v[3][GRAFT_COLOUR_LANES];
};

bool graft_colour_changes(const struct graft_colour *c);
/* Place in the order of contrast, which must have seen the whole picture as
 * the changes before it left it; 0 without contrast. */
int graft_colour_wait(const struct graft_colour *c);
/* Changes number from .. to - 1 of the order. grey: the picture's mean when
 * contrast's turn has come. */
void graft_colour_apply(const struct graft_colour *c, int from, int to,
                        struct graft_colours *x, int n, int channels,
                        float grey);
/* Sum of the greys of all lanes. */
double graft_colour_sum(const struct graft_colours *x, int n, int channels);

/* A picture on its way into the input, coloured in two walks: rows come with
 * their levels, go through the changes that wait for nothing and are put down
 * in place; then, the mean known, through the others and normalised. */
struct graft_paint {
    const struct graft_colour *colour;
    const struct graft_norm *norm;
    struct graft_colours *row; /* room for n pixels: graft_paint_lanes */
    int n;                     /* pixels of a row */
    bool planar;
    int64_t plane;
    double sum;                /* starts as 0 */
};
static inline int graft_paint_lanes(int n)
{
    return (n + GRAFT_COLOUR_LANES - 1) / GRAFT_COLOUR_LANES;
}
void graft_paint_row(struct graft_paint *p, float *dst,
                     const uint8_t *levels);
/* dst: the first of `rows` rows, `stride` floats apart. */
void graft_paint_finish(struct graft_paint *p, float *dst, int64_t stride,
                        int rows);

#endif
