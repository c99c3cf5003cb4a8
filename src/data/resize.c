/* From a photo to a model's input: resize, crop and normalise, only what the
 * crop shows. The filter is Pillow's antialiased bilinear: a triangle as wide
 * as one output pixel covers (at least one input pixel on each side), weights
 * normalised and rounded to 22 bits, two passes that each round to a level.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/status.h"
#include "data/colour.h"
#include "data/decode.h"
#include "kernels/kernels.h"

/* ---- geometry -------------------------------------------------------------
 */

/* One axis: `in` pixels from `from` on become `size` pixels, of which `n` from
 * `at` on are wanted; they land at `place` of the input's `out`. */
struct axis {
    int from, in;
    int64_t size, at;
    int n, place, out;
};

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* The middle `out` of `size`; the offset rounds half to even, as Python's
 * round() in torchvision's CenterCrop. A smaller picture is centred. */
static void centre(struct axis *a, int64_t size, int out)
{
    a->size = size;
    a->out = out;
    if (size >= out) {
        int64_t d = size - out;
        a->at = d / 2 + (d % 2 && d / 2 % 2);
        a->n = out;
        a->place = 0;
    } else {
        a->at = 0;
        a->n = (int)size;
        a->place = (int)((out - size) / 2);
    }
}

static void fit_crop(struct axis *x, struct axis *y,
                     const struct graft_preprocess *p)
{
    int64_t w = x->in, h = y->in, r = p->resize;
    centre(x, w <= h ? r : r * w / h, p->width);
    centre(y, h <= w ? r : r * h / w, p->height);
}

static void fit_squash(struct axis *x, struct axis *y,
                       const struct graft_preprocess *p)
{
    centre(x, p->width, p->width);
    centre(y, p->height, p->height);
}

static void fit_pad(struct axis *x, struct axis *y,
                    const struct graft_preprocess *p)
{
    int64_t w = x->in, h = y->in, W = p->width, H = p->height;
    bool wide = w * H >= h * W; /* the width is what limits */
    int64_t across = wide ? W : (w * H + h / 2) / h;
    int64_t down = wide ? (h * W + w / 2) / w : H;
    centre(x, across ? across : 1, p->width);
    centre(y, down ? down : 1, p->height);
}

static void (*const fits[])(struct axis *, struct axis *,
                            const struct graft_preprocess *) = {
    [GRAFT_FIT_CROP] = fit_crop,
    [GRAFT_FIT_SQUASH] = fit_squash,
    [GRAFT_FIT_PAD] = fit_pad,
};

/* A part of an axis given in fractions, in whole pixels. */
static void part(struct axis *a, int side, double from, double size)
{
    int n = (int)lround(size * side);
    n = n < 1 ? 1 : min_int(n, side);
    int at = (int)lround(from * side);
    a->from = at < 0 ? 0 : min_int(at, side - n);
    a->in = n;
}

/* ---- weights --------------------------------------------------------------
 */

struct weights {
    struct graft_taps taps;
    int32_t *memory;
    int low, high; /* input pixels used: low .. high - 1 */
};

/* Weights of output i, before rounding; returns their number. */
static int triangle(double *w, int *first, const struct axis *a, int i,
                    bool flip)
{
    double scale = (double)a->in / (double)a->size;
    double support = scale < 1 ? 1 : scale, sum = 0;
    int64_t o = a->at + (flip ? a->n - 1 - i : i);
    double middle = ((double)o + 0.5) * scale;
    int low = (int)(middle - support + 0.5);
    int high = (int)(middle + support + 0.5);
    low = low < 0 ? 0 : low;
    high = min_int(high, a->in);
    for (int k = low; k < high; k++) {
        double d = fabs((k - middle + 0.5) * (1 / support));
        w[k - low] = d < 1 ? 1 - d : 0;
        sum += w[k - low];
    }
    for (int k = 0; k < high - low; k++)
        w[k] /= sum;
    *first = low;
    return high - low;
}

static int weights_new(struct weights *out, const struct axis *a, bool flip)
{
    double scale = (double)a->in / (double)a->size;
    int most = 2 * (int)ceil(scale < 1 ? 1 : scale) + 1;
    size_t n = (size_t)a->n;
    struct weights t = {.low = a->in};
    t.memory = graft_malloc(n * ((size_t)most + 2) * sizeof(int32_t));
    double *w = graft_malloc((size_t)most * sizeof *w);
    if (!t.memory || !w) {
        graft_free(t.memory);
        graft_free(w);
        return GRAFT_EMEM;
    }
    int32_t *first = t.memory, *count = first + n, *weight = count + n;
    for (int i = 0; i < a->n; i++) {
        int low, c = triangle(w, &low, a, i, flip);
        for (int k = 0; k < c; k++)
            weight[(int64_t)i * most + k] =
                (int32_t)(w[k] * (1 << GRAFT_TAP_BITS) + 0.5);
        first[i] = low;
        count[i] = c;
        t.low = min_int(t.low, low);
        t.high = low + c > t.high ? low + c : t.high;
    }
    for (int i = 0; i < a->n; i++)
        first[i] -= t.low;
    t.taps = (struct graft_taps){a->n, most, first, count, weight};
    graft_free(w);
    *out = t;
    return GRAFT_OK;
}

/* ---- the passes ------------------------------------------------------------
 */

struct job {
    const struct graft_preprocess *p;
    const struct graft_image_kernels *k;
    struct axis x, y;
    struct weights wx, wy;
    struct graft_norm norm;
    const struct graft_colour *colour; /* NULL: none */
    const uint8_t *pixels; /* of the photo, `channels` bytes each */
    int64_t stride;
};

/* Rows wy.low .. wy.high - 1 resized across, n * channels bytes each. */
static void across(const struct job *j, uint8_t *dst, uint8_t *tile)
{
    int channels = j->norm.channels, span = j->wx.high - j->wx.low;
    int64_t bytes = (int64_t)j->x.n * channels;
    int rows = j->wy.high - j->wy.low;
    const uint8_t *src = j->pixels +
                         (j->y.from + j->wy.low) * j->stride +
                         (int64_t)(j->x.from + j->wx.low) * channels;
    for (int y = 0; y < rows; y += GRAFT_TAP_ROWS)
        j->k->across(dst + y * bytes, bytes, src + y * j->stride, j->stride,
                     min_int(rows - y, GRAFT_TAP_ROWS), span, channels,
                     &j->wx.taps, tile);
}

static void fill(const struct job *j, float *dst, int64_t n, bool planar)
{
    int channels = j->norm.channels;
    for (int c = 0; c < channels; c++) {
        float v = (j->p->pad_value - j->norm.mean[c]) / j->norm.std[c];
        for (int64_t i = 0; i < n; i++)
            dst[planar ? c * n + i : i * channels + c] = v;
    }
}

/* paint NULL: no change of colour. */
static void down(const struct job *j, float *dst, bool planar,
                 const uint8_t *wide, uint8_t *row, struct graft_paint *paint)
{
    const struct graft_taps *t = &j->wy.taps;
    int channels = j->norm.channels, bytes = j->x.n * channels;
    int64_t width = j->p->width, plane = width * j->p->height;
    int64_t step = planar ? 1 : channels;
    float *first = dst + (j->y.place * width + j->x.place) * step;
    if (j->x.n < j->x.out || j->y.n < j->y.out)
        fill(j, dst, plane, planar);
    for (int y = 0; y < j->y.n; y++) {
        float *to = first + y * width * step;
        j->k->down(row, wide + (int64_t)t->first[y] * bytes, bytes, bytes,
                   t->weight + (int64_t)y * t->most, t->count[y]);
        if (paint)
            graft_paint_row(paint, to, row);
        else if (planar)
            j->k->planar(to, plane, row, j->x.n, &j->norm);
        else
            j->k->interleaved(to, row, j->x.n, &j->norm);
    }
    if (paint)
        graft_paint_finish(paint, first, width * step, j->y.n);
}

static int run(struct job *j, float *dst, bool planar)
{
    size_t channels = (size_t)j->norm.channels;
    size_t bytes = (size_t)j->x.n * channels;
    size_t rows = (size_t)(j->wy.high - j->wy.low);
    size_t span = (size_t)(j->wx.high - j->wx.low);
    size_t tile = (span * channels + bytes) * GRAFT_TAP_ROWS;
    size_t blocks = j->colour ? (size_t)graft_paint_lanes(j->x.n) : 0;
    size_t floats = blocks * sizeof(struct graft_colours);
    uint8_t *scratch = graft_malloc(floats + tile + bytes + rows * bytes);
    if (!scratch)
        return GRAFT_EMEM;
    struct graft_paint paint = {
        .colour = j->colour, .norm = &j->norm, .n = j->x.n, .planar = planar,
        .row = (struct graft_colours *)(void *)scratch,
        .plane = (int64_t)j->p->width * j->p->height};
    uint8_t *row = scratch + floats + tile, *wide = row + bytes;
    across(j, wide, scratch + floats);
    down(j, dst, planar, wide, row, j->colour ? &paint : NULL);
    graft_free(scratch);
    return GRAFT_OK;
}

/* ITU-R BT.601 luma in 16-bit fixed point, as Pillow's mode L. */
static uint8_t *to_grey(const struct graft_image *image)
{
    int64_t n = (int64_t)image->width * image->height;
    uint8_t *grey = graft_malloc((size_t)n);
    const uint8_t *s = image->rgb;
    for (int64_t i = 0; grey && i < n; i++, s += 3)
        grey[i] = (uint8_t)((s[0] * 19595u + s[1] * 38470u + s[2] * 7471u +
                             0x8000u) >> 16);
    return grey;
}

static struct graft_norm norm_of(const struct graft_preprocess *p)
{
    struct graft_norm n = {.channels = p->channels == 1 ? 1 : 3};
    for (int c = 0; c < n.channels; c++) {
        n.from[c] = p->bgr && n.channels == 3 ? 2 - c : c;
        n.mean[c] = p->mean[c];
        n.std[c] = p->std[c];
    }
    return n;
}

int graft_image_to_view(float *dst, enum graft_layout layout,
                        const struct graft_image *image,
                        const struct graft_preprocess *p,
                        const struct graft_draw *d,
                        const struct graft_kernels *k)
{
    struct job j = {.p = p, .k = &k->image, .norm = norm_of(p)};
    const struct graft_geometry *g = &d->geometry;
    bool planar = layout != GRAFT_IMAGE;
    part(&j.x, image->width, g->plain ? 0 : g->x, g->plain ? 1 : g->width);
    part(&j.y, image->height, g->plain ? 0 : g->y, g->plain ? 1 : g->height);
    (g->plain ? fits[p->fit] : fit_squash)(&j.x, &j.y, p);
    j.stride = (int64_t)image->width * j.norm.channels;
    j.colour = graft_colour_changes(&d->colour) ? &d->colour : NULL;
    uint8_t *grey = j.norm.channels == 1 ? to_grey(image) : NULL;
    j.pixels = grey ? grey : image->rgb;
    int status = j.norm.channels == 1 && !grey ? GRAFT_EMEM : GRAFT_OK;
    if (!status)
        status = weights_new(&j.wx, &j.x, g->flip);
    if (!status)
        status = weights_new(&j.wy, &j.y, false);
    if (!status)
        status = run(&j, dst, planar);
    if (!status)
        graft_erase_box(dst, planar, j.norm.channels, p->width, p->height,
                        &d->erase);
    graft_free(j.wx.memory);
    graft_free(j.wy.memory);
    graft_free(grey);
    return status;
}

int graft_image_to_input(float *dst, enum graft_layout layout,
                         const struct graft_image *image,
                         const struct graft_preprocess *p,
                         const struct graft_geometry *g,
                         const struct graft_kernels *k)
{
    struct graft_draw d = graft_draw_plain();
    if (g)
        d.geometry = *g;
    return graft_image_to_view(dst, layout, image, p, &d, k);
}
