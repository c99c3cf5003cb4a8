/* Resize, crop and normalise against Pillow's and torchvision's pixels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "kernels/kernels.h"
#include "photo.h"
#include "vectors.h"

enum { N_SIZES = sizeof vector_size / sizeof *vector_size,
       PIXELS = VECTOR_SIDE * VECTOR_SIDE };

static const struct graft_kernels *kernels(void)
{
    static struct graft_runtime *rt;
    if (!rt)
        rt = graft_runtime_or_default(NULL);
    assert_non_null(rt);
    return graft_kernels_for(rt->isa);
}

static struct graft_image drawn(int w, int h)
{
    return (struct graft_image){photo_draw(w, h), w, h};
}

static struct graft_preprocess levels(int side, int resize)
{
    struct graft_preprocess p;
    assert_ok(graft_preprocess_preset(&p, "raw255", side, side));
    p.resize = resize;
    return p;
}

static void against_vectors(const uint8_t *want, enum graft_fit fit)
{
    struct graft_preprocess p = levels(VECTOR_SIDE, VECTOR_RESIZE);
    p.fit = fit;
    for (int i = 0; i < N_SIZES; i++) {
        struct graft_image image = drawn(vector_size[i][0],
                                         vector_size[i][1]);
        float planar[3 * PIXELS], inter[3 * PIXELS];
        assert_ok(graft_image_to_input(planar, GRAFT_ROW, &image, &p, NULL,
                                       kernels()));
        assert_ok(graft_image_to_input(inter, GRAFT_IMAGE, &image, &p, NULL,
                                       kernels()));
        for (int k = 0; k < 3 * PIXELS; k++) {
            float v = want[i * 3 * PIXELS + k];
            assert_true(inter[k] == v);
            assert_true(planar[k % 3 * PIXELS + k / 3] == v);
        }
        graft_free(image.rgb);
    }
}

TEST(data_resize__crop_equals_torchvision)
{
    against_vectors(vector_crop, GRAFT_FIT_CROP);
}

TEST(data_resize__squash_equals_torchvision)
{
    against_vectors(vector_squash, GRAFT_FIT_SQUASH);
}

/* Real photos of odd sizes. With GRAFT_DUMP=FILE their inputs are written
 * there, for make_vectors.py --check to compare every pixel. */
TEST(data_resize__shared_photos_equal_pillow)
{
    enum { N = sizeof shared_photo / sizeof *shared_photo, SIDE = 224 };
    static float x[3 * SIDE * SIDE];
    NEED_SHARED(found, shared_photo[0]);
    (void)found;
    bool same = strstr(graft_image_numerics(), "turbojpeg") != NULL;
    FILE *dump = getenv("GRAFT_DUMP") ? fopen(getenv("GRAFT_DUMP"), "wb")
                                      : NULL;
    struct graft_preprocess p = levels(SIDE, 256);
    for (int i = 0; i < N; i++) {
        uint8_t *bytes;
        uint64_t n;
        struct graft_image image;
        assert_ok(graft_file_read(&bytes, &n, test_shared(shared_photo[i]),
                                  UINT64_MAX));
        assert_ok(graft_image_decode(&image, bytes, n, NULL));
        assert_ok(graft_image_to_input(x, GRAFT_ROW, &image, &p, NULL,
                                       kernels()));
        if (dump)
            fwrite(x, sizeof *x, 3 * SIDE * SIDE, dump);
        long sum[48] = {0};
        for (int k = 0; k < 3 * SIDE * SIDE; k++) {
            int c = k / (SIDE * SIDE), r = k / SIDE % SIDE / 56;
            sum[(r * 4 + k % SIDE / 56) * 3 + c] += (long)x[k];
        }
        /* another decoder than Pillow's: within a level on average */
        for (int k = 0; k < 48; k++)
            assert_near(sum[k], shared_sum[i * 48 + k],
                        same ? 0 : 56 * 56);
        graft_free(image.rgb);
        graft_free(bytes);
    }
    if (dump)
        fclose(dump);
}

TEST(data_resize__same_size_is_untouched)
{
    struct graft_preprocess p = levels(31, 31);
    struct graft_image image = drawn(31, 31);
    float x[3 * 31 * 31];
    assert_ok(graft_image_to_input(x, GRAFT_IMAGE, &image, &p, NULL,
                                   kernels()));
    for (int i = 0; i < 3 * 31 * 31; i++)
        assert_true(x[i] == (float)image.rgb[i]);
    graft_free(image.rgb);
}

/* 8 wide, 4 high in a 6 x 6 input: 6 x 3 in the middle, one row above (6-3)/2
 * and two below. */
TEST(data_resize__pad_is_centred)
{
    struct graft_preprocess p = levels(6, 6);
    struct graft_image image = drawn(8, 4);
    float x[3 * 36];
    p.fit = GRAFT_FIT_PAD;
    p.pad_value = 114;
    for (int i = 0; i < 8 * 4 * 3; i++)
        image.rgb[i] = 50;
    assert_ok(graft_image_to_input(x, GRAFT_ROW, &image, &p, NULL,
                                   kernels()));
    for (int i = 0; i < 3 * 36; i++) {
        int y = i / 6 % 6;
        assert_true(x[i] == (y >= 1 && y <= 3 ? 50.0f : 114.0f));
    }
    graft_free(image.rgb);
}

TEST(data_resize__bgr_and_grey)
{
    struct graft_preprocess p = levels(2, 2);
    uint8_t rgb[12];
    struct graft_image image = {rgb, 2, 2};
    float x[12];
    for (int i = 0; i < 12; i++)
        rgb[i] = (uint8_t)(i % 3 == 0 ? 200 : i % 3 == 1 ? 100 : 50);
    p.bgr = true;
    p.mean[0] = 10; /* of blue */
    assert_ok(graft_image_to_input(x, GRAFT_ROW, &image, &p, NULL,
                                   kernels()));
    assert_true(x[0] == 40 && x[4] == 100 && x[8] == 200);
    p = levels(2, 2);
    p.channels = 1;
    assert_ok(graft_image_to_input(x, GRAFT_ROW, &image, &p, NULL,
                                   kernels()));
    assert_true(x[3] == 124); /* .299 R + .587 G + .114 B = 124.2 */
}

/* The largest side in one direction, one pixel in the other. */
TEST(data_resize__extreme_shapes)
{
    static const int shape[][2] = {{32768, 1}, {1, 32768}, {3, 4000}};
    float x[3 * 32 * 32];
    for (int i = 0; i < 3; i++)
        for (int fit = 0; fit < 3; fit++) {
            struct graft_preprocess p = levels(32, 37);
            struct graft_image image = drawn(shape[i][0], shape[i][1]);
            p.fit = (enum graft_fit)fit;
            for (int k = 0; k < 3 * 32 * 32; k++)
                x[k] = NAN;
            assert_ok(graft_image_to_input(x, GRAFT_ROW, &image, &p, NULL,
                                           kernels()));
            for (int k = 0; k < 3 * 32 * 32; k++)
                assert_true(x[k] >= 0 && x[k] <= 255);
            graft_free(image.rgb);
        }
}

/* A flipped view is the plain crop, mirrored. */
TEST(data_resize__views)
{
    struct graft_preprocess p = levels(8, 9);
    struct graft_image image = drawn(41, 29);
    struct graft_geometry g = {false, false, 0.25, 0.5, 0.5, 0.25};
    float a[192], b[192];
    assert_ok(graft_image_to_input(a, GRAFT_ROW, &image, &p, &g, kernels()));
    g.flip = true;
    assert_ok(graft_image_to_input(b, GRAFT_ROW, &image, &p, &g, kernels()));
    for (int i = 0; i < 192; i++)
        assert_true(a[i] == b[i / 8 * 8 + 7 - i % 8]);
    /* box: columns 10..30 of 41 (10.25, 20.5 round to 10, 21 wide) */
    struct graft_image part = {graft_malloc(21 * 7 * 3), 21, 7};
    for (int y = 0; y < 7; y++)
        memcpy(part.rgb + y * 63, image.rgb + ((y + 15) * 41 + 10) * 3, 63);
    p.fit = GRAFT_FIT_SQUASH;
    assert_ok(graft_image_to_input(b, GRAFT_ROW, &part, &p, NULL,
                                   kernels()));
    assert_memory_equal(a, b, sizeof a);
    graft_free(part.rgb);
    graft_free(image.rgb);
}

/* ---- geometry ---------------------------------------------------------------
 */

TEST(data_resize__view_geometry)
{
    enum { VIEWS = 2000, W = 640, H = 427 };
    struct graft_hash photo = {5, 6};
    int flips = 0;
    double area = 0;
    for (int v = 1; v <= VIEWS; v++) {
        struct graft_geometry g = graft_view_geometry(1, v, photo, W, H);
        struct graft_geometry again = graft_view_geometry(1, v, photo, W, H);
        double share = g.width * g.height;
        double aspect = g.width * W / (g.height * H);
        assert_true(g.x == again.x && g.y == again.y && g.flip == again.flip);
        assert_true(g.width == again.width && g.height == again.height);
        assert_false(g.plain);
        assert_true(g.x >= 0 && g.x + g.width <= 1 + 1e-12);
        assert_true(g.y >= 0 && g.y + g.height <= 1 + 1e-12);
        assert_true(share > 0.34 && share <= 1);
        assert_true(aspect > 0.74 && aspect < 1.35);
        flips += g.flip;
        area += share / VIEWS;
    }
    assert_in_range(flips, VIEWS / 2 - 100, VIEWS / 2 + 100);
    assert_true(area > 0.5 && area < 0.75);
    assert_true(graft_view_geometry(1, 0, photo, W, H).plain);
    struct graft_geometry a = graft_view_geometry(1, 1, photo, W, H);
    struct graft_geometry b = graft_view_geometry(2, 1, photo, W, H);
    assert_true(a.x != b.x || a.width != b.width);
    assert_int_equal(graft_view_recipe(7, 0), 0);
    assert_true(graft_view_recipe(7, 1) != graft_view_recipe(8, 1));
}

/* No box of the allowed aspects fits at 35 %: the middle is taken. */
TEST(data_resize__view_of_a_strip)
{
    struct graft_hash photo = {1, 2};
    struct graft_geometry g = graft_view_geometry(1, 3, photo, 3000, 30);
    assert_near(g.width * 3000, 40, 1e-9);
    assert_near(g.height, 1, 0);
    assert_near(g.x * 3000, 1480, 1e-9);
}
