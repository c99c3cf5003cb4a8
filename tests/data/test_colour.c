/* Changes of colour against torchvision's numbers, and coloured, erased views
 * in all layouts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "data/colour.h"
#include "colour_vectors.h"
#include "kernels/kernels.h"
#include "photo.h"

enum { PIXELS = COLOUR_W * COLOUR_H, LEVELS = 3 * PIXELS };

static enum graft_isa best(void)
{
    struct graft_runtime *rt = graft_runtime_or_default(NULL);
    assert_non_null(rt);
    return rt->isa;
}

static const struct graft_kernels *kernels(void)
{
    return graft_kernels_for(best());
}

/* The input is the picture's own levels. */
static struct graft_preprocess as_it_is(int w, int h)
{
    return (struct graft_preprocess){
        .width = w, .height = h, .resize = w < h ? w : h, .channels = 3,
        .fit = GRAFT_FIT_SQUASH, .std = {1, 1, 1}};
}

static struct graft_image picture(void)
{
    return (struct graft_image){(uint8_t *)(uintptr_t)colour_picture,
                                COLOUR_W, COLOUR_H};
}

/* ---- the changes --------------------------------------------------------- */

TEST(data_colour__torchvision_floats)
{
    struct graft_preprocess p = as_it_is(COLOUR_W, COLOUR_H);
    struct graft_image image = picture();
    float x[LEVELS];
    for (int k = 0; k < COLOUR_CASES; k++) {
        struct graft_draw d = graft_draw_plain();
        d.colour = colour_case[k];
        assert_ok(graft_image_to_view(x, GRAFT_IMAGE, &image, &p, &d,
                                      kernels()));
        for (int i = 0; i < LEVELS; i++)
            assert_near(x[i], colour_float[k * LEVELS + i], 2e-3);
    }
}

/* Bytes lose up to one level with each change, of the mean grey too, and what
 * comes later may enlarge it. */
TEST(data_colour__torchvision_bytes)
{
    struct graft_preprocess p = as_it_is(COLOUR_W, COLOUR_H);
    struct graft_image image = picture();
    float x[LEVELS];
    for (int k = 0; k < COLOUR_CASES; k++) {
        struct graft_draw d = graft_draw_plain();
        double most = k < 9 ? 2 : 4;
        d.colour = colour_case[k];
        assert_ok(graft_image_to_view(x, GRAFT_IMAGE, &image, &p, &d,
                                      kernels()));
        for (int i = 0; i < LEVELS; i++)
            assert_near(x[i], colour_byte[k * LEVELS + i], most);
    }
}

/* Planar, interleaved, blue first and grey are one picture. */
TEST(data_colour__layouts)
{
    struct graft_preprocess p = as_it_is(37, 21);
    struct graft_draw d = graft_draw_plain();
    struct graft_image image = {photo_draw(50, 40), 50, 40};
    enum { N = 37 * 21 };
    float planar[3 * N], inter[3 * N], bgr[3 * N];
    d.colour = (struct graft_colour){{1.2f, 0.7f, 1.5f, 0.2f}, {2, 1, 3, 0}};
    assert_ok(graft_image_to_view(planar, GRAFT_ROW, &image, &p, &d,
                                  kernels()));
    assert_ok(graft_image_to_view(inter, GRAFT_IMAGE, &image, &p, &d,
                                  kernels()));
    p.bgr = true;
    assert_ok(graft_image_to_view(bgr, GRAFT_ROW, &image, &p, &d,
                                  kernels()));
    for (int i = 0; i < 3 * N; i++) {
        assert_true(planar[i] == inter[i % N * 3 + i / N]);
        assert_true(planar[i] == bgr[(2 - i / N) * N + i % N]);
    }
    graft_free(image.rgb);
}

/* A grey input: brightness and contrast as of any channel, saturation and
 * hue change nothing. */
TEST(data_colour__grey)
{
    struct graft_preprocess p = as_it_is(4, 1);
    struct graft_draw d = graft_draw_plain();
    uint8_t rgb[12] = {10, 10, 10, 50, 50, 50, 60, 60, 60, 200, 200, 200};
    struct graft_image image = {rgb, 4, 1};
    float x[4];
    p.channels = 1;
    d.colour = (struct graft_colour){{1.5f, 0.5f, 0.1f, 0.3f}, {3, 0, 2, 1}};
    assert_ok(graft_image_to_view(x, GRAFT_ROW, &image, &p, &d, kernels()));
    /* 15 75 90 255, mean 108.75, half way there */
    assert_near(x[0], (15 + 108.75) / 2, 1e-4);
    assert_near(x[1], (75 + 108.75) / 2, 1e-4);
    assert_near(x[3], (255 + 108.75) / 2, 1e-4);
}

/* Around a padded photo nothing is coloured. */
TEST(data_colour__padding_stays)
{
    struct graft_preprocess p = as_it_is(20, 20);
    struct graft_draw d = graft_draw_plain();
    struct graft_image image = {photo_draw(40, 20), 40, 20};
    float x[3 * 400], y[3 * 400];
    p.fit = GRAFT_FIT_PAD;
    p.pad_value = 114;
    d.colour.by[GRAFT_CONTRAST] = 0.5f;
    assert_ok(graft_image_to_view(x, GRAFT_ROW, &image, &p, &d, kernels()));
    d = graft_draw_plain();
    assert_ok(graft_image_to_view(y, GRAFT_ROW, &image, &p, &d, kernels()));
    double grey = 0;
    for (int i = 100; i < 300; i++)
        grey += ((double)y[i] * .2989 + (double)y[400 + i] * .587 +
                 (double)y[800 + i] * .114) / 200;
    for (int i = 0; i < 3 * 400; i++) {
        bool shown = i % 400 >= 100 && i % 400 < 300;
        assert_near(x[i], shown ? (y[i] + grey) / 2 : 114, 1e-3);
    }
    graft_free(image.rgb);
}

/* ---- whole views --------------------------------------------------------- */

/* A recipe that changes nothing is the plain way, bit for bit; and so is the
 * way through the colours when they change nothing that shows. */
TEST(data_colour__identity)
{
    struct graft_preprocess p;
    struct graft_image image = {photo_draw(61, 45), 61, 45};
    struct graft_draw d = graft_draw_plain();
    enum { N = 3 * 24 * 24 };
    static float plain[N], none[N];
    assert_ok(graft_preprocess_preset(&p, "imagenet", 24, 24));
    assert_ok(graft_image_to_input(plain, GRAFT_ROW, &image, &p, NULL,
                                   kernels()));
    assert_ok(graft_image_to_view(none, GRAFT_ROW, &image, &p, &d,
                                  kernels()));
    assert_memory_equal(plain, none, sizeof plain);
    for (int i = 0; i < 61 * 45 * 3; i++)
        image.rgb[i] = (uint8_t)(image.rgb[i] < 128 ? 0 : 255);
    p.fit = GRAFT_FIT_SQUASH;
    d.geometry = (struct graft_geometry){false, true, 0, 0, 24.0 / 61,
                                         24.0 / 45};
    assert_ok(graft_image_to_view(plain, GRAFT_ROW, &image, &p, &d,
                                  kernels()));
    d.colour.by[GRAFT_BRIGHTNESS] = 1000; /* black and full stay */
    assert_ok(graft_image_to_view(none, GRAFT_ROW, &image, &p, &d,
                                  kernels()));
    assert_memory_equal(plain, none, sizeof plain);
    graft_free(image.rgb);
}

/* The plain fit, mirrored. */
TEST(data_colour__flip_alone)
{
    struct graft_preprocess p = as_it_is(9, 9);
    struct graft_image image = {photo_draw(31, 20), 31, 20};
    struct graft_draw d = graft_draw_plain();
    float a[3 * 81], b[3 * 81];
    p.fit = GRAFT_FIT_CROP;
    p.resize = 13;
    assert_ok(graft_image_to_view(a, GRAFT_ROW, &image, &p, &d, kernels()));
    d.geometry.flip = true;
    assert_ok(graft_image_to_view(b, GRAFT_ROW, &image, &p, &d, kernels()));
    /* 20 columns wide, offset round(11 / 2) = 6 of 11: mirrored in place */
    for (int i = 0; i < 3 * 81; i++)
        assert_true(a[i] == b[i / 9 * 9 + 8 - i % 9]);
    graft_free(image.rgb);
}

TEST(data_colour__erasing)
{
    struct graft_preprocess p = as_it_is(40, 30);
    struct graft_image image = {photo_draw(40, 30), 40, 30};
    struct graft_draw d = graft_draw_plain();
    enum { N = 40 * 30 };
    static float plain[3 * N], black[3 * N], noise[3 * N], inter[3 * N];
    double sum = 0, square = 0;
    p.mean[0] = p.mean[1] = p.mean[2] = -1; /* no level is 0 by itself */
    assert_ok(graft_image_to_view(plain, GRAFT_ROW, &image, &p, &d,
                                  kernels()));
    d.erase = (struct graft_erase){3, 5, 31, 20, false, {{1, 2}}};
    assert_ok(graft_image_to_view(black, GRAFT_ROW, &image, &p, &d,
                                  kernels()));
    d.erase.noise = true;
    assert_ok(graft_image_to_view(noise, GRAFT_ROW, &image, &p, &d,
                                  kernels()));
    assert_ok(graft_image_to_view(inter, GRAFT_IMAGE, &image, &p, &d,
                                  kernels()));
    for (int i = 0; i < 3 * N; i++) {
        int x = i % 40, y = i % N / 40;
        bool in = x >= 3 && x < 34 && y >= 5 && y < 25;
        assert_true(black[i] == (in ? 0 : plain[i]));
        assert_true(in || noise[i] == plain[i]);
        assert_true(noise[i] == inter[i % N * 3 + i / N]);
        sum += in ? (double)noise[i] / (3 * 31 * 20) : 0;
        square += in ? (double)(noise[i] * noise[i]) / (3 * 31 * 20) : 0;
    }
    assert_near(sum, 0, 5 * sqrt(1.0 / (3 * 31 * 20)));
    assert_near(square, 1, 5 * sqrt(2.0 / (3 * 31 * 20)));
    graft_free(image.rgb);
}

/* Every instruction set, every width around a block: the same bits. */
TEST(data_colour__instruction_sets)
{
    static float first[3 * 50 * 9], x[3 * 50 * 9];
    struct graft_image image = {photo_draw(47, 33), 47, 33};
    struct graft_draw d = graft_draw_plain();
    d.colour = (struct graft_colour){{1.2f, 0.7f, 1.5f, 0.2f}, {0, 3, 1, 2}};
    for (int w = 1; w <= 50; w += w < 15 || w > 30 ? 7 : 1) {
        struct graft_preprocess p = as_it_is(w, 9);
        for (int i = 0; i <= (int)best(); i++) {
            const struct graft_kernels *k =
                graft_kernels_for((enum graft_isa)i);
            assert_ok(graft_image_to_view(i ? x : first, GRAFT_IMAGE, &image,
                                          &p, &d, k));
            if (i)
                assert_memory_equal(first, x, sizeof *x * 27 * (size_t)w);
        }
    }
    graft_free(image.rgb);
}

/* Every value of strong views of odd photos lies where levels can. */
TEST(data_colour__extreme_photos)
{
    static const int shape[][2] = {{1, 1}, {1, 50}, {50, 1}, {4000, 3},
                                   {2, 2}};
    struct graft_augment a;
    struct graft_hash hash = {3, 4};
    static float x[3 * 33 * 31];
    assert_ok(graft_augment_named(&a, "strong"));
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++) {
        int w = shape[s][0], h = shape[s][1];
        struct graft_image image = {photo_draw(w, h), w, h};
        struct graft_preprocess p = as_it_is(33, 31);
        for (int v = 1; v < 40; v++) {
            struct graft_rng_key key = graft_augment_key(1, v, hash);
            struct graft_draw d = {
                graft_augment_geometry(&a, key, w, h),
                graft_augment_colour(&a, key),
                graft_augment_erase(&a, key, 33, 31)};
            for (int i = 0; i < 3 * 33 * 31; i++)
                x[i] = NAN;
            assert_ok(graft_image_to_view(x, GRAFT_ROW, &image, &p, &d,
                                          kernels()));
            for (int i = 0; i < 3 * 33 * 31; i++)
                assert_true(x[i] >= 0 && x[i] <= 255);
        }
        graft_free(image.rgb);
    }
}
