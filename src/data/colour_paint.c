/* Colours a picture inside the input that it becomes, row by row: levels lie
 * there unnormalised until contrast knows the whole picture's mean.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/colour.h"

#include <string.h>

enum { LANES = GRAFT_COLOUR_LANES };

static int lanes_at(const struct graft_paint *p, int block)
{
    int left = p->n - block * LANES;
    return left < LANES ? left : LANES;
}

static void from_levels(const struct graft_paint *p, const uint8_t *levels)
{
    const int channels = p->norm->channels;
    for (int b = 0; b < graft_paint_lanes(p->n); b++)
        for (int c = 0, n = lanes_at(p, b); c < channels; c++) {
            const uint8_t *s = levels + b * LANES * channels + c;
            for (int i = 0; i < n; i++)
                p->row[b].v[c][i] = s[i * channels];
        }
}

static void put(const struct graft_paint *p, float *dst)
{
    const int channels = p->norm->channels;
    for (int b = 0; b < graft_paint_lanes(p->n); b++)
        for (int c = 0, n = lanes_at(p, b); c < channels; c++) {
            const float *v = p->row[b].v[p->norm->from[c]];
            float *d = p->planar ? dst + c * p->plane + b * LANES
                                 : dst + b * LANES * channels + c;
            if (p->planar)
                memcpy(d, v, (size_t)n * sizeof *d);
            for (int i = 0; !p->planar && i < n; i++)
                d[i * channels] = v[i];
        }
}

static void get(const struct graft_paint *p, const float *dst)
{
    const int channels = p->norm->channels;
    for (int b = 0; b < graft_paint_lanes(p->n); b++)
        for (int c = 0, n = lanes_at(p, b); c < channels; c++) {
            float *v = p->row[b].v[p->norm->from[c]];
            const float *d = p->planar ? dst + c * p->plane + b * LANES
                                       : dst + b * LANES * channels + c;
            if (p->planar)
                memcpy(v, d, (size_t)n * sizeof *d);
            for (int i = 0; !p->planar && i < n; i++)
                v[i] = d[i * channels];
        }
}

/* As graft_image_kernels: a difference and a quotient. */
static void normalise(const struct graft_paint *p)
{
    for (int c = 0; c < p->norm->channels; c++) {
        const float mean = p->norm->mean[c], std = p->norm->std[c];
        for (int b = 0; b < graft_paint_lanes(p->n); b++) {
            float *v = p->row[b].v[p->norm->from[c]];
            for (int i = 0; i < LANES; i++)
                v[i] = (v[i] - mean) / std;
        }
    }
}

/* Lanes behind the last pixel are zero, and no change before contrast makes
 * black anything else: they add nothing to the sum. */
void graft_paint_row(struct graft_paint *p, float *dst, const uint8_t *levels)
{
    int lanes = graft_paint_lanes(p->n), channels = p->norm->channels;
    p->row[lanes - 1] = (struct graft_colours){0};
    from_levels(p, levels);
    graft_colour_apply(p->colour, 0, graft_colour_wait(p->colour), p->row,
                       lanes, channels, 0);
    p->sum += graft_colour_sum(p->row, lanes, channels);
    put(p, dst);
}

void graft_paint_finish(struct graft_paint *p, float *dst, int64_t stride,
                        int rows)
{
    float grey = (float)(p->sum / ((double)p->n * rows));
    for (int y = 0; y < rows; y++) {
        p->row[graft_paint_lanes(p->n) - 1] = (struct graft_colours){0};
        get(p, dst + y * stride);
        graft_colour_apply(p->colour, graft_colour_wait(p->colour),
                           GRAFT_COLOUR_CHANGES, p->row,
                           graft_paint_lanes(p->n), p->norm->channels, grey);
        normalise(p);
        put(p, dst + y * stride);
    }
}
