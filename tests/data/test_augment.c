/* Recipes and draws: names, bounds, laws, and what depends on what.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "base/str.h"
#include "colour_vectors.h"
#include "data/data.h"

static const struct graft_hash photo = {5, 6};

static struct graft_augment named(const char *name)
{
    struct graft_augment a;
    assert_ok(graft_augment_named(&a, name));
    assert_ok(graft_augment_check(&a));
    return a;
}

/* ---- recipes ------------------------------------------------------------- */

TEST(data_augment__names)
{
    struct graft_augment a = named("none");
    assert_false(graft_augment_changes(&a));
    a = named("flip");
    assert_true(graft_augment_changes(&a) && a.flip > 0 && !a.crop);
    a = named("standard");
    assert_true(a.crop && a.hue > 0 && !(a.erase > 0));
    a = named("strong");
    assert_true(a.crop && a.erase > 0);
    assert_fails(graft_augment_named(&a, "mild"), GRAFT_EARG, "standard");
}

TEST(data_augment__numbers_out_of_range)
{
    struct graft_augment a = named("strong");
    a.hue = 0.6;
    assert_fails(graft_augment_check(&a), GRAFT_EARG, "hue is 0.6");
    a = named("strong");
    a.flip = NAN;
    assert_fails(graft_augment_check(&a), GRAFT_EARG, "flip");
    a = named("strong");
    a.scale[1] = 1.5;
    assert_fails(graft_augment_check(&a), GRAFT_EARG, "crop scale");
    a = named("strong");
    a.erase_ratio[0] = 0;
    assert_fails(graft_augment_check(&a), GRAFT_EARG, "erasing ratio");
    a.erase = 0;
    assert_ok(graft_augment_check(&a));
    a.ratio[0] = 2;
    assert_fails(graft_augment_check(&a), GRAFT_EARG, "crop ratio");
}

TEST(data_augment__words)
{
    struct graft_str s;
    struct graft_augment a = named("standard"), none = named("none");
    graft_str_init(&s);
    graft_augment_words(&a, &s);
    assert_string_equal(s.at, "crop 8 to 100 % of the area, flip 50 %, "
                              "brightness 20 %, contrast 20 %, saturation "
                              "20 %, hue 2 %");
    graft_str_clear(&s);
    graft_augment_words(&none, &s);
    assert_string_equal(s.at, "none");
    graft_str_release(&s);
}

/* The cache's number of a view: one for each (recipe, seed, view). */
TEST(data_augment__recipe_numbers)
{
    struct graft_augment a = named("standard"), b = a, none = named("none");
    uint64_t of[6];
    b.hue = 0.03;
    of[0] = graft_augment_recipe(&a, 1, 1);
    of[1] = graft_augment_recipe(&a, 1, 2);
    of[2] = graft_augment_recipe(&a, 2, 1);
    of[3] = graft_augment_recipe(&b, 1, 1);
    of[4] = graft_augment_recipe(NULL, 1, 1);
    b = a;
    b.erase_noise = true;
    of[5] = graft_augment_recipe(&b, 1, 1);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < i; k++)
            assert_true(of[i] != of[k] && of[i] != 0);
    assert_true(of[4] == graft_view_recipe(1, 1));
    assert_int_equal(graft_augment_recipe(&a, 1, 0), 0);
    assert_int_equal(graft_augment_recipe(&none, 1, 5), 0);
}

/* ---- draws --------------------------------------------------------------- */

static struct graft_draw draw(const struct graft_augment *a, uint64_t seed,
                              int view, struct graft_hash image)
{
    struct graft_rng_key key = graft_augment_key(seed, view, image);
    struct graft_draw d;
    memset(&d, 0, sizeof d);
    d.geometry = graft_augment_geometry(a, key, 640, 427);
    d.colour = graft_augment_colour(a, key);
    d.erase = graft_augment_erase(a, key, 224, 224);
    return d;
}

static bool same(const struct graft_draw *a, const struct graft_draw *b)
{
    return a->geometry.x == b->geometry.x &&
           a->geometry.width == b->geometry.width &&
           a->geometry.flip == b->geometry.flip &&
           !memcmp(&a->colour, &b->colour, sizeof a->colour) &&
           a->erase.x == b->erase.x && a->erase.width == b->erase.width;
}

TEST(data_augment__pure_function)
{
    struct graft_augment a = named("strong");
    struct graft_hash other = {5, 7};
    for (int v = 1; v < 50; v++) {
        struct graft_draw d = draw(&a, 1, v, photo);
        struct graft_draw e = draw(&a, 1, v, photo);
        assert_true(same(&d, &e));
        e = draw(&a, 1, v + 1, photo);
        assert_false(same(&d, &e));
        e = draw(&a, 2, v, photo);
        assert_false(same(&d, &e));
        e = draw(&a, 1, v, other);
        assert_false(same(&d, &e));
    }
}

static void check_bounds(const struct graft_draw *d)
{
    const struct graft_geometry *g = &d->geometry;
    const float *by = d->colour.by;
    const struct graft_erase *e = &d->erase;
    unsigned seen = 0;
    assert_true(g->x >= 0 && g->x + g->width <= 1 + 1e-12);
    assert_true(g->y >= 0 && g->y + g->height <= 1 + 1e-12);
    for (int i = 0; i < GRAFT_HUE; i++)
        assert_true(by[i] >= 0.6f && by[i] <= 1.4f);
    assert_true(by[GRAFT_HUE] >= -0.1f && by[GRAFT_HUE] <= 0.1f);
    for (int i = 0; i < GRAFT_COLOUR_CHANGES; i++)
        seen |= 1u << d->colour.order[i];
    assert_int_equal(seen, 15);
    assert_true(e->x >= 0 && e->width >= 0 && e->x + e->width <= 224);
    assert_true(e->y >= 0 && e->height >= 0 && e->y + e->height <= 224);
}

TEST(data_augment__bounds_and_shares)
{
    enum { N = 10000 };
    struct graft_augment a = named("strong");
    int flips = 0, erased = 0, orders[256] = {0}, kinds = 0;
    double sum[GRAFT_COLOUR_CHANGES] = {0};
    for (int v = 1; v <= N; v++) {
        struct graft_draw d = draw(&a, 3, v, photo);
        const uint8_t *o = d.colour.order;
        check_bounds(&d);
        flips += d.geometry.flip;
        erased += d.erase.width > 0;
        for (int i = 0; i < GRAFT_COLOUR_CHANGES; i++)
            sum[i] += (double)d.colour.by[i] / N;
        orders[o[0] | o[1] << 2 | o[2] << 4 | o[3] << 6]++;
    }
    /* five standard errors: 250 of 10,000 at 1/2, 217 at 1/4; uniform
     * within 0.8 wide 0.0115, within 0.2 wide 0.0029; 100 of 417 */
    assert_in_range(flips, N / 2 - 250, N / 2 + 250);
    assert_in_range(erased, N / 4 - 217, N / 4 + 217);
    for (int i = 0; i < GRAFT_HUE; i++)
        assert_near(sum[i], 1, 0.0115);
    assert_near(sum[GRAFT_HUE], 0, 0.0029);
    for (int i = 0; i < 256; i++) {
        kinds += orders[i] > 0;
        if (orders[i])
            assert_in_range(orders[i], N / 24 - 100, N / 24 + 100);
    }
    assert_int_equal(kinds, 24);
}

/* Factors never fall below zero. */
TEST(data_augment__large_strengths)
{
    struct graft_augment a = {.brightness = 3, .hue = 0.5};
    double low = 9, high = 0;
    for (int v = 1; v <= 1000; v++) {
        struct graft_colour c = draw(&a, 1, v, photo).colour;
        low = fmin(low, (double)c.by[GRAFT_BRIGHTNESS]);
        high = fmax(high, (double)c.by[GRAFT_BRIGHTNESS]);
        assert_true(c.by[GRAFT_CONTRAST] == 1 && c.by[GRAFT_SATURATION] == 1);
        assert_true(c.by[GRAFT_HUE] >= -0.5f && c.by[GRAFT_HUE] <= 0.5f);
    }
    assert_true(low >= 0 && low < 0.1 && high > 3.9 && high <= 4);
}

/* ---- laws ---------------------------------------------------------------- */

enum { LAW_DRAWS = 20000 };

/* sums: of value and square for area, log aspect, x and y of the centre;
 * boxes of full height. */
static void add_box(double sum[9], const struct box_law *law, double x,
                    double y, double w, double h)
{
    double v[4] = {w * h, log(w * law->w / (h * law->h)), x + w / 2,
                   y + h / 2};
    for (int i = 0; i < 4; i++) {
        sum[2 * i] += v[i] / LAW_DRAWS;
        sum[2 * i + 1] += v[i] * v[i] / LAW_DRAWS;
    }
    sum[8] += h > 1 - 1e-9 ? 1.0 / LAW_DRAWS : 0;
}

/* Five standard errors of a difference of means; deviations within 4 %. */
static void check_law(const double sum[9], const struct box_law *law)
{
    double share = law->v[8], n = 1.0 / LAW_DRAWS + 1.0 / BOX_DRAWS;
    for (int i = 0; i < 4; i++) {
        double mean = law->v[2 * i], sd = law->v[2 * i + 1];
        double own = sqrt(sum[2 * i + 1] - sum[2 * i] * sum[2 * i]);
        assert_near(sum[2 * i], mean, 5 * sd * sqrt(n) + 1e-5);
        assert_near(own, sd, 0.04 * sd + 0.002);
    }
    assert_near(sum[8], share, 5 * sqrt((share + 1e-4) * n));
}

TEST(data_augment__crops_follow_torchvision)
{
    struct graft_augment a = named("standard");
    for (size_t i = 0; i < sizeof crop_law / sizeof *crop_law; i++) {
        const struct box_law *law = &crop_law[i];
        double sum[9] = {0};
        for (int v = 1; v <= LAW_DRAWS; v++) {
            struct graft_geometry g = graft_augment_geometry(
                &a, graft_augment_key(7, v, photo), law->w, law->h);
            add_box(sum, law, g.x, g.y, g.width, g.height);
        }
        check_law(sum, law);
    }
}

/* What finds no box erases nothing: torchvision's is then the picture put in
 * its own place. */
TEST(data_augment__erasing_follows_torchvision)
{
    struct graft_augment a = named("strong");
    a.erase = 1;
    for (size_t i = 0; i < sizeof erase_law / sizeof *erase_law; i++) {
        const struct box_law *law = &erase_law[i];
        double sum[9] = {0};
        for (int v = 1; v <= LAW_DRAWS; v++) {
            struct graft_erase e = graft_augment_erase(
                &a, graft_augment_key(7, v, photo), law->w, law->h);
            if (e.width == 0)
                e = (struct graft_erase){.width = law->w, .height = law->h};
            add_box(sum, law, (double)e.x / law->w, (double)e.y / law->h,
                    (double)e.width / law->w, (double)e.height / law->h);
        }
        check_law(sum, law);
    }
}

TEST(data_augment__photos_of_any_shape)
{
    static const int shape[][2] = {{1, 1}, {1, 9}, {9, 1}, {32768, 1},
                                   {1, 32768}, {2, 3}, {32768, 32768}};
    static const double ratio[][2] = {{0.75, 4.0 / 3}, {1e-3, 2e-3},
                                      {500, 1000}, {1, 1}};
    struct graft_augment a = named("strong");
    a.erase = 1;
    for (size_t r = 0; r < 4; r++)
        for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
            for (int v = 1; v < 60; v++) {
                int w = shape[i][0], h = shape[i][1];
                struct graft_rng_key key = graft_augment_key(1, v, photo);
                memcpy(a.ratio, ratio[r], sizeof a.ratio);
                memcpy(a.erase_ratio, ratio[r], sizeof a.ratio);
                struct graft_geometry g = graft_augment_geometry(&a, key, w,
                                                                 h);
                struct graft_erase e = graft_augment_erase(&a, key, w, h);
                assert_true(g.width * w > 0.99 && g.height * h > 0.99);
                assert_true(g.x >= 0 && g.x + g.width <= 1 + 1e-12);
                assert_true(g.y >= 0 && g.y + g.height <= 1 + 1e-12);
                assert_true(e.x >= 0 && e.x + e.width <= w);
                assert_true(e.y >= 0 && e.y + e.height <= h);
            }
}

/* ---- mixup --------------------------------------------------------------- */

TEST(data_augment__mixup_mixes_both_ways)
{
    float a[3] = {1, 2, -3}, b[3] = {5, 0, 4};
    double l = graft_mixup(a, b, 3, 1, 9, 0.4);
    assert_true(l > 0 && l < 1);
    assert_near(l, graft_mixup_lambda(1, 9, 0.4), 1e-7);
    assert_near(a[0], l * 1 + (1 - l) * 5, 1e-6);
    assert_near(b[0], l * 5 + (1 - l) * 1, 1e-6);
    assert_near(a[2], l * -3 + (1 - l) * 4, 1e-6);
    assert_true(graft_mixup_lambda(1, 9, 0.4) !=
                graft_mixup_lambda(1, 10, 0.4));
    assert_true(graft_mixup_lambda(1, 9, 0.4) !=
                graft_mixup_lambda(2, 9, 0.4));
    float c[2] = {1, 2}, d[2] = {3, INFINITY};
    assert_true(graft_mixup(c, d, 2, 1, 1, 0) == 1);
    assert_true(c[0] == 1 && c[1] == 2 && d[0] == 3);
}

/* Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)), and for small a nearly
 * all at the ends. */
TEST(data_augment__mixup_follows_beta)
{
    enum { N = 20000 };
    static const double alpha[] = {0.01, 0.2, 1, 8};
    for (int k = 0; k < 4; k++) {
        double sum = 0, square = 0, variance = 1 / (4 * (2 * alpha[k] + 1));
        int ends = 0;
        for (uint64_t i = 0; i < N; i++) {
            double l = graft_mixup_lambda(4, i, alpha[k]);
            assert_true(l >= 0 && l <= 1);
            sum += l / N;
            square += (l - 0.5) * (l - 0.5) / N;
            ends += l < 0.1 || l > 0.9;
        }
        assert_near(sum, 0.5, 5 * sqrt(variance / N));
        assert_near(square, variance, 0.03 * variance);
        if (k == 1) /* 2 I_0.1(0.2, 0.2), SciPy's betainc */
            assert_near(ends / (double)N, 0.67338, 0.018);
        if (k == 2)
            assert_near(ends / (double)N, 0.2, 0.015);
    }
}
