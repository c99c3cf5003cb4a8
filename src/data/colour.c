/* Changes of colour, torchvision's adjust_*: a blend with black, with the
 * picture's mean grey, with each pixel's grey; and a turn of the hue. Blocks
 * of fixed length for the compiler's vectoriser.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/colour.h"

enum { LANES = GRAFT_COLOUR_LANES };

bool graft_colour_changes(const struct graft_colour *c)
{
    bool any = false;
    for (int i = 0; i < GRAFT_COLOUR_CHANGES; i++)
        any = any || c->by[i] != (i == GRAFT_HUE ? 0 : 1);
    return any;
}

int graft_colour_wait(const struct graft_colour *c)
{
    for (int i = 0; i < GRAFT_COLOUR_CHANGES; i++)
        if (c->order[i] == GRAFT_CONTRAST && c->by[GRAFT_CONTRAST] != 1)
            return i;
    return 0;
}

static inline float level(float x)
{
    x = x < 0 ? 0 : x;
    return x > 255 ? 255 : x;
}

/* ITU-R BT.601 luma with torchvision's digits. */
static inline float luma(float r, float g, float b)
{
    return 0.2989f * r + 0.587f * g + 0.114f * b;
}

static void grey_of(float grey[LANES], const struct graft_colours *x,
                    int channels)
{
    for (int i = 0; i < LANES; i++)
        grey[i] = channels == 3 ? luma(x->v[0][i], x->v[1][i], x->v[2][i])
                                : x->v[0][i];
}

double graft_colour_sum(const struct graft_colours *x, int n, int channels)
{
    float grey[LANES], lane[LANES] = {0};
    double sum = 0;
    for (int b = 0; b < n; b++) {
        grey_of(grey, &x[b], channels);
        for (int i = 0; i < LANES; i++)
            lane[i] += grey[i];
    }
    for (int i = 0; i < LANES; i++)
        sum += (double)lane[i];
    return sum;
}

/* ---- the four ------------------------------------------------------------ */

/* by * x + rest: towards or away from one level. */
static void blend(struct graft_colours *x, int channels, float by, float rest)
{
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < LANES; i++)
            x->v[c][i] = level(by * x->v[c][i] + rest);
}

static void brighten(struct graft_colours *x, int channels, float by,
                     float grey)
{
    (void)grey;
    blend(x, channels, by, 0);
}

static void contrast(struct graft_colours *x, int channels, float by,
                     float grey)
{
    blend(x, channels, by, (1 - by) * grey);
}

static void saturate(struct graft_colours *x, int channels, float by,
                     float grey)
{
    float own[LANES];
    (void)grey;
    if (channels != 3)
        return;
    grey_of(own, x, channels);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < LANES; i++)
            x->v[c][i] = level(by * x->v[c][i] + (1 - by) * own[i]);
}

/* Hue in sixths of the circle (0 red, 2 green, 4 blue), largest level, and
 * how far the smallest is below it. */
struct hues {
    float hue[LANES], high[LANES], range[LANES];
};

static void hues_of(struct hues *out, const struct graft_colours *x)
{
    for (int i = 0; i < LANES; i++) {
        float r = x->v[0][i], g = x->v[1][i], b = x->v[2][i];
        float high = r > g ? r : g, low = r < g ? r : g;
        high = high > b ? high : b;
        low = low < b ? low : b;
        float range = high - low, some = range > 0 ? range : 1;
        float red = (g - b) / some, green = 2 + (b - r) / some;
        float blue = 4 + (r - g) / some;
        float other = high == g ? green : blue;
        out->hue[i] = high == r ? red : other;
        out->high[i] = high;
        out->range[i] = range;
    }
}

/* Back from hue h, largest level v and range c: channel n of 5, 3, 1 is
 * v - c * clamp(min(k, 4 - k), 0, 1), k = (n + h) mod 6. */
static void turn(struct graft_colours *x, int channels, float by, float grey)
{
    struct hues of;
    (void)grey;
    if (channels != 3)
        return;
    hues_of(&of, x);
    for (int i = 0; i < LANES; i++) {
        float h = of.hue[i] + 6 * by;
        h = h < 0 ? h + 6 : h;
        of.hue[i] = h >= 6 ? h - 6 : h;
    }
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < LANES; i++) {
            float k = of.hue[i] + (float)(5 - 2 * c);
            k = k >= 6 ? k - 6 : k;
            k = k < 4 - k ? k : 4 - k;
            k = k < 0 ? 0 : k;
            k = k > 1 ? 1 : k;
            x->v[c][i] = of.high[i] - of.range[i] * k;
        }
}

static void (*const changes[])(struct graft_colours *, int, float, float) = {
    [GRAFT_BRIGHTNESS] = brighten,
    [GRAFT_CONTRAST] = contrast,
    [GRAFT_SATURATION] = saturate,
    [GRAFT_HUE] = turn,
};

void graft_colour_apply(const struct graft_colour *c, int from, int to,
                        struct graft_colours *x, int n, int channels,
                        float grey)
{
    for (int k = from; k < to; k++) {
        int which = c->order[k];
        if (c->by[which] == (which == GRAFT_HUE ? 0 : 1))
            continue;
        for (int b = 0; b < n; b++)
            changes[which](&x[b], channels, c->by[which], grey);
    }
}
