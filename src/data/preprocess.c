/* Presets, overrides, words and hash of preprocessing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/preprocess.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "base/str.h"

enum { SIDE_MAX = 8192 };

/* ---- presets ------------------------------------------------------------- */

struct preset {
    const char *name;
    bool margin;     /* short side to size * 256/224 before the crop */
    bool bgr;
    double mean[3], std[3], unit; /* given in units of 0..unit */
};

static const struct preset presets[] = {
    /* torchvision's and timm's usual; means and deviations of ImageNet */
    {"imagenet", true, false, {.485, .456, .406}, {.229, .224, .225}, 1},
    /* TensorFlow's and MobileNet's: -1 .. 1 */
    {"tf", true, false, {127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}, 255},
    /* levels as they are: the model normalises by itself */
    {"raw255", true, false, {0, 0, 0}, {1, 1, 1}, 255},
    /* CIFAR-10's statistics; its pictures are the input's size */
    {"cifar", false, false, {.4914, .4822, .4465}, {.2470, .2435, .2616}, 1},
    /* levels, blue first: OpenCV's order */
    {"bgr255", true, true, {0, 0, 0}, {1, 1, 1}, 255},
};
enum { N_PRESETS = sizeof presets / sizeof *presets };

static int check_size(int width, int height)
{
    if (width >= 1 && height >= 1 && width <= SIDE_MAX && height <= SIDE_MAX)
        return GRAFT_OK;
    return graft_fail(GRAFT_EARG, "input size %dx%d; a side may be 1 to %d",
                      width, height, SIDE_MAX);
}

static int longer(int width, int height)
{
    return width > height ? width : height;
}

int graft_preprocess_preset(struct graft_preprocess *out, const char *name,
                            int width, int height)
{
    int status = check_size(width, height);
    if (status)
        return status;
    for (int i = 0; i < N_PRESETS; i++) {
        const struct preset *s = &presets[i];
        if (strcmp(s->name, name))
            continue;
        struct graft_preprocess p = {.width = width, .height = height};
        int side = longer(width, height);
        p.resize = s->margin ? (int)lround(side * 256.0 / 224.0) : side;
        p.fit = GRAFT_FIT_CROP;
        p.bgr = s->bgr;
        p.channels = 3;
        for (int c = 0; c < 3; c++) {
            p.mean[c] = (float)(s->mean[c] * 255 / s->unit);
            p.std[c] = (float)(s->std[c] * 255 / s->unit);
        }
        *out = p;
        return GRAFT_OK;
    }
    return graft_fail(GRAFT_EARG, "preprocessing '%s' is not known; there are "
                      "imagenet, tf, raw255, cifar, bgr255", name);
}

/* ---- overrides ----------------------------------------------------------- */

static const char *const fit_names[] = {
    [GRAFT_FIT_CROP] = "crop",
    [GRAFT_FIT_SQUASH] = "squash",
    [GRAFT_FIT_PAD] = "pad",
};
enum { N_FITS = sizeof fit_names / sizeof *fit_names };

static int apply_fit(struct graft_preprocess *p, const char *name)
{
    for (int i = 0; i < N_FITS; i++)
        if (!strcmp(name, fit_names[i])) {
            p->fit = (enum graft_fit)i;
            return GRAFT_OK;
        }
    return graft_fail(GRAFT_EARG, "fit '%s' is not known; there are crop, "
                      "squash, pad", name);
}

static void swap(float v[3])
{
    float first = v[0];
    v[0] = v[2];
    v[2] = first;
}

/* The crop's margin stays what it was in proportion. */
static int apply_size(struct graft_preprocess *p, int width, int height)
{
    int w = width ? width : p->width, h = height ? height : p->height;
    int status = check_size(w, h);
    if (status)
        return status;
    p->resize = (int)lround((double)p->resize * longer(w, h) /
                            longer(p->width, p->height));
    p->width = w;
    p->height = h;
    return GRAFT_OK;
}

static int apply_numbers(struct graft_preprocess *p,
                         const struct graft_preprocess_options *o)
{
    /* Statistics belong to colours: they follow them to their new place,
     * unless new ones are given, which are in the input's order. */
    if (o->bgr >= 0 && (o->bgr != 0) != p->bgr) {
        p->bgr = o->bgr != 0;
        if (p->channels == 3) {
            swap(p->mean);
            swap(p->std);
        }
    }
    if (o->mean)
        memcpy(p->mean, o->mean, sizeof p->mean);
    if (o->std)
        memcpy(p->std, o->std, sizeof p->std);
    for (int c = 0; c < 3; c++) {
        if (!isfinite(p->mean[c]))
            return graft_fail(GRAFT_EARG, "mean %g of channel %d is not "
                              "finite", (double)p->mean[c], c);
        if (!isfinite(p->std[c]) || !(p->std[c] > 0))
            return graft_fail(GRAFT_EARG, "std %g of channel %d; it must be "
                              "greater than 0", (double)p->std[c], c);
    }
    return GRAFT_OK;
}

int graft_preprocess_apply(struct graft_preprocess *out,
                           const struct graft_preprocess *base,
                           const struct graft_preprocess_options *o)
{
    struct graft_preprocess p = *base;
    int status = GRAFT_OK;
    if (o->preset) {
        status = graft_preprocess_preset(&p, o->preset, base->width,
                                         base->height);
        p.channels = base->channels;
    }
    if (!status)
        status = apply_size(&p, o->width, o->height);
    if (!status && o->fit)
        status = apply_fit(&p, o->fit);
    if (!status)
        status = apply_numbers(&p, o);
    if (!status)
        *out = p;
    return status;
}

/* ---- words and hash ------------------------------------------------------ */

static void add_numbers(struct graft_str *out, const float *v, int n)
{
    graft_str_add(out, "[");
    for (int c = 0; c < n; c++)
        graft_str_addf(out, "%s%.6g", c ? ", " : "", (double)v[c]);
    graft_str_add(out, "]");
}

void graft_preprocess_words(const struct graft_preprocess *p,
                            struct graft_str *out)
{
    int w = p->width, h = p->height;
    if (p->fit == GRAFT_FIT_CROP)
        graft_str_addf(out, "short side to %d, centre crop %dx%d, ",
                       p->resize, w, h);
    else if (p->fit == GRAFT_FIT_SQUASH)
        graft_str_addf(out, "squashed to %dx%d, ", w, h);
    else
        graft_str_addf(out, "long side to fit %dx%d, padded with %g, ", w, h,
                       (double)p->pad_value);
    graft_str_add(out, p->channels == 1 ? "grey, " : p->bgr ? "BGR, "
                                                            : "RGB, ");
    graft_str_add(out, "(x - ");
    add_numbers(out, p->mean, p->channels);
    graft_str_add(out, ") / ");
    add_numbers(out, p->std, p->channels);
}

struct graft_hash graft_preprocess_hash(const struct graft_preprocess *p)
{
    /* Field by field: the struct's padding is nobody's. */
    int32_t whole[6] = {p->width, p->height,
                        p->fit == GRAFT_FIT_CROP ? p->resize : 0,
                        (int32_t)p->fit, p->bgr, p->channels};
    float part[7] = {p->mean[0], p->mean[1], p->mean[2], p->std[0],
                     p->std[1], p->std[2], p->pad_value};
    return graft_hash_add(graft_hash(whole, sizeof whole), part, sizeof part);
}
