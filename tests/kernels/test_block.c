/* Convolution over blocked channels against plain loops in double: shapes,
 * instruction sets, epilogues; and the same bits for any number of threads
 * and any company in the batch.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/block_case.h"

static const struct graft_act acts[] = {
    {GRAFT_ACT_NONE, 0, 0}, {GRAFT_ACT_RELU, 0, 0},
    {GRAFT_ACT_CLIP, (real)-0.25, (real)0.5}, {GRAFT_ACT_CLIP, (real)0.25, 6},
    {GRAFT_ACT_SIGMOID, 0, 0}, {GRAFT_ACT_HARDSIGMOID, (real)0.2, (real)0.5},
    {GRAFT_ACT_HARDSWISH, 0, 0}, {GRAFT_ACT_SWISH, (real)1.5, 0}};

static void clear(real *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (real)NAN;
}

/* The cut for n_max images has the way wanted; d->n images agree with the
 * loops, with several threads, and one image alone has the same bits. */
static void check_as(const struct block_case *d, int isa,
                     enum graft_block_way way, const struct graft_finish *f)
{
    const struct graft_kernels *k = graft_kernels_for((enum graft_isa)isa);
    int64_t all = d->n * d->y_step, last = d->n - 1;
    struct graft_block_cut cut;
    char what[200];
    block_name(what, sizeof what, isa, &d->g, d->n);
    graft_block_cut(&cut, &d->g, d->n, true, k);
    if (cut.way != way)
        fail_msg("%s: way %d, expected %d", what, (int)cut.way, (int)way);
    if (way == GRAFT_BLOCK_NONE)
        return;
    real *y = block_get(all, sizeof *y), *other = block_get(all, sizeof *y);
    clear(y, all);
    clear(other, all);
    block_go(d, &cut, k, y, 0, d->n, 1, f);
    block_compare(d, y, f, 2e-7 * (4 + (double)d->weights), what);
    block_go(d, &cut, k, other, 0, d->n, 3, f);
    assert_memory_equal(y, other, (size_t)all * sizeof *y);
    clear(other, d->y_step);
    block_go(d, &cut, k, other, last, 1, 2, f);
    assert_memory_equal(y + last * d->y_step, other,
                        (size_t)d->y_step * sizeof *y);
    graft_free(y);
    graft_free(other);
}

/* Each instruction set; epilogues in turn, so that a grid meets them all. */
static void check(const struct graft_conv *g, int64_t n,
                  enum graft_block_way way)
{
    static size_t turn;
    struct block_case d;
    block_make(&d, g, n);
    for (int isa = 0; isa <= block_best_isa(); isa++, turn++) {
        struct graft_finish f = {.act = acts[turn % 7]};
        f.bias = turn % 3 ? d.bias : NULL;
        f.residual = turn % 5 < 2 ? d.residual : NULL;
        f.residual_step = d.y_step;
        check_as(&d, isa, way, &f);
    }
    block_drop(&d);
}

static void plane(int64_t n, int64_t c, int64_t m, int64_t group, int64_t h,
                  int64_t w, int64_t kernel, int64_t stride,
                  int64_t dilation, int64_t pad, int64_t end,
                  enum graft_block_way way)
{
    struct graft_conv g = block_conv(c, m, group, h, w, kernel, stride,
                                     dilation, pad, end);
    check(&g, n, way);
}

static const int64_t channels[] = {1, 3, 16, 17, 24, 32, 40, 64, 96};
enum { CHANNELS = sizeof channels / sizeof *channels };

TEST(kernels_block__points)
{
    for (int i = 0; i < CHANNELS; i++)
        for (int j = 0; j < CHANNELS; j++)
            plane(2, channels[i], channels[j], 1, 3 + i, 1 + 3 * j, 1, 1, 1,
                  0, 0, GRAFT_BLOCK_POINT);
    plane(1, 40, 72, 1, 29, 29, 1, 1, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(1, 64, 16, 1, 64, 65, 1, 1, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(33, 70, 90, 1, 1, 1, 1, 1, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(5, 20, 40, 1, 2, 2, 1, 1, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(1, 1000, 130, 1, 1, 1, 1, 1, 1, 0, 0, GRAFT_BLOCK_POINT);
}

TEST(kernels_block__points_with_strides_and_groups)
{
    for (int64_t size = 1; size < 30; size += 3)
        plane(2, 24, 40, 1, size, 30 - size, 1, 2, 1, 0, 0,
              GRAFT_BLOCK_POINT);
    plane(2, 24, 40, 1, 13, 9, 1, 3, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(2, 64, 96, 2, 5, 7, 1, 1, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(3, 64, 96, 2, 9, 8, 1, 2, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(19, 20, 40, 1, 2, 2, 1, 2, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(2, 300, 70, 1, 61, 58, 1, 3, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(2, 48, 48, 2, 5, 7, 1, 1, 1, 0, 0, GRAFT_BLOCK_POINT);
    plane(2, 20, 16, 1, 5, 7, 1, 1, 1, 1, 2, GRAFT_BLOCK_DIRECT); /* padded */
}

TEST(kernels_block__kernels_strides_dilations_pads)
{
    for (int64_t kernel = 2; kernel <= 5; kernel++)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t dilation = 1; dilation <= 2; dilation++)
                for (int64_t pad = 0; pad <= 2; pad++)
                    plane(2, 19, 35, 1, 13, 17, kernel, stride, dilation,
                          pad, (pad + 1) % 3, GRAFT_BLOCK_DIRECT);
    for (int i = 0; i < CHANNELS; i++)
        plane(2, channels[i], channels[CHANNELS - 1 - i], 1, 9, 8, 3, 1, 1,
              1, 1, GRAFT_BLOCK_DIRECT);
}

TEST(kernels_block__sizes)
{
    for (int64_t size = 1; size < 30; size++) {
        plane(1, 17, 48, 1, size, 30 - size, 3, 1, 1, 1, 1,
              GRAFT_BLOCK_DIRECT);
        plane(1, 8, 20, 1, 30 - size, size, 3, 2, 1, 1, 1,
              GRAFT_BLOCK_DIRECT);
    }
    plane(17, 20, 33, 1, 2, 3, 3, 1, 1, 1, 1, GRAFT_BLOCK_DIRECT);
    plane(15, 20, 33, 1, 7, 7, 7, 1, 1, 0, 0, GRAFT_BLOCK_DIRECT);
    plane(1, 40, 70, 1, 60, 50, 3, 1, 1, 1, 1, GRAFT_BLOCK_DIRECT);
    plane(2, 3, 4, 1, 4, 4, 3, 1, 1, 5, 5, GRAFT_BLOCK_DIRECT); /* padding
                                                          alone in places */
    plane(2, 20, 18, 1, 20, 20, 3, 1, 12, 12, 12, GRAFT_BLOCK_DIRECT);
}

TEST(kernels_block__groups)
{
    plane(2, 64, 64, 4, 9, 10, 3, 1, 1, 1, 1, GRAFT_BLOCK_DIRECT);
    plane(2, 96, 192, 2, 7, 5, 3, 2, 1, 1, 1, GRAFT_BLOCK_DIRECT);
    plane(2, 48, 48, 6, 8, 8, 3, 1, 1, 1, 1, GRAFT_BLOCK_DIRECT);
    plane(2, 72, 72, 3, 8, 9, 3, 2, 1, 1, 1, GRAFT_BLOCK_DIRECT);
    plane(2, 40, 120, 5, 6, 5, 3, 1, 1, 1, 1, GRAFT_BLOCK_DIRECT);
    plane(2, 64, 32, 16, 6, 5, 3, 1, 1, 1, 1, GRAFT_BLOCK_NONE);
    plane(2, 24, 24, 6, 6, 5, 3, 1, 1, 1, 1, GRAFT_BLOCK_DIRECT);
}

TEST(kernels_block__stems)
{
    static const int64_t kernel[] = {3, 7, 3, 5, 4, 2};
    static const int64_t stride[] = {2, 2, 1, 3, 4, 1};
    for (int i = 0; i < 6; i++)
        for (int64_t c = 1; c <= 4; c++)
            for (int64_t m = 16; m <= 40; m += 12) {
                struct graft_conv g = block_conv(
                    c, m, 1, 23, 29, kernel[i], stride[i], 1, kernel[i] / 2,
                    (kernel[i] - 1) / 2);
                g.image = true;
                check(&g, 2, GRAFT_BLOCK_STEM);
            }
    struct graft_conv g = block_conv(3, 64, 1, 67, 61, 7, 2, 2, 3, 0);
    g.image = true;
    check(&g, 1, GRAFT_BLOCK_STEM);
}

TEST(kernels_block__depthwise)
{
    for (int64_t kernel = 2; kernel <= 5; kernel++)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t dilation = 1; dilation <= 2; dilation++)
                plane(2, 24, 24, 24, 19, 23, kernel, stride, dilation,
                      kernel / 2, (kernel + 1) / 2, GRAFT_BLOCK_DEPTHWISE);
    for (int64_t size = 1; size < 30; size++)
        for (int64_t stride = 1; stride <= 2; stride++) {
            plane(1, 17, 17, 17, 30 - size, size, 3, stride, 1, 1, 1,
                  GRAFT_BLOCK_DEPTHWISE);
            plane(1, 16, 16, 16, 30 - size, size, 5, stride, 1, 2, 2,
                  GRAFT_BLOCK_DEPTHWISE);
        }
    plane(3, 40, 40, 40, 1, 1, 3, 1, 1, 1, 1, GRAFT_BLOCK_DEPTHWISE);
    plane(1, 3, 3, 3, 40, 33, 3, 2, 1, 0, 1, GRAFT_BLOCK_DEPTHWISE);
    plane(1, 20, 20, 20, 14, 14, 7, 1, 1, 3, 3, GRAFT_BLOCK_DEPTHWISE);
    plane(1, 20, 20, 20, 9, 8, 3, 1, 1, 4, 4, GRAFT_BLOCK_DEPTHWISE);
}

TEST(kernels_block__every_epilogue)
{
    const struct graft_conv shapes[] = {
        block_conv(20, 52, 1, 5, 7, 1, 1, 1, 0, 0),
        block_conv(20, 20, 20, 6, 9, 3, 1, 1, 1, 1)};
    for (int s = 0; s < 2; s++) {
        struct block_case d;
        block_make(&d, &shapes[s], 2);
        for (int i = 0; i < 7 * 4; i++)
            for (int isa = 0; isa <= block_best_isa(); isa++) {
                struct graft_finish f = {
                    .bias = i & 1 ? d.bias : NULL,
                    .residual = i & 2 ? d.residual : NULL,
                    .residual_step = d.y_step, .act = acts[i / 4]};
                check_as(&d, isa, s ? GRAFT_BLOCK_DEPTHWISE
                                    : GRAFT_BLOCK_POINT, &f);
            }
        block_drop(&d);
    }
}

/* n <= n_max: the cut is that of n_max, the bits those of one image. */
TEST(kernels_block__any_batch_below_the_largest)
{
    struct graft_conv g = block_conv(24, 48, 1, 3, 3, 3, 1, 1, 1, 1);
    struct block_case d;
    block_make(&d, &g, 30);
    struct graft_finish f = {.bias = d.bias};
    const struct graft_kernels *k = graft_kernels_for(
        (enum graft_isa)block_best_isa());
    struct graft_block_cut cut;
    graft_block_cut(&cut, &g, 30, true, k);
    real *y = block_get(30 * d.y_step, sizeof *y);
    real *other = block_get(30 * d.y_step, sizeof *y);
    block_go(&d, &cut, k, y, 0, 30, 2, &f);
    for (int64_t n = 1; n < 30; n += 4) {
        block_go(&d, &cut, k, other, 0, n, 7, &f);
        for (int64_t i = 0; i < n; i++)
            assert_memory_equal(y + i * d.y_step, other + i * d.y_step,
                                (size_t)(3 * 9 * GRAFT_BLOCK) * sizeof *y);
    }
    graft_free(y);
    graft_free(other);
    block_drop(&d);
}

/* Rounding grows with the root of the length of a chain: one of 4608 products
 * would err three times as much as this allows. */
TEST(kernels_block__long_sums_round_as_short_ones_do)
{
    struct block_case d;
    struct graft_conv g = block_conv(512, 64, 1, 7, 7, 3, 1, 1, 1, 1);
    struct graft_finish f = {.bias = NULL};
    struct graft_block_cut cut;
    block_make(&d, &g, 1);
    real *y = block_get(d.y_step, sizeof *y);
    for (int isa = 0; isa <= block_best_isa(); isa++) {
        const struct graft_kernels *k = graft_kernels_for(
            (enum graft_isa)isa);
        double err = 0, sum = 0;
        graft_block_cut(&cut, &g, 1, true, k);
        block_go(&d, &cut, k, y, 0, 1, 1, &f);
        for (int64_t i = 0; i < 64 * block_plane(&g); i++) {
            err += pow((double)y[i] - d.z[i], 2);
            sum += pow(d.z[i], 2);
        }
        if (!(sqrt(err / sum) < 5e-7))
            fail_msg("isa %d: %.3g", isa, sqrt(err / sum));
    }
    graft_free(y);
    block_drop(&d);
}
