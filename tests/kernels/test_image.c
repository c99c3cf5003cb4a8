/* The kernels of pictures against plain loops, the same on every instruction
 * set of this machine.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/rng.h"
#include "kernels/kernels.h"

enum { SPAN = 45, OUT = 19, MOST = 7, ROWS = GRAFT_TAP_ROWS };

static int isas(void)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt;
    int n = 0;
    for (; n < GRAFT_ISA_COUNT; n++) {
        static const char *const names[] = {"generic", "avx2", "avx512"};
        o.isa = names[n];
        o.threads = 1;
        if (graft_runtime_new(&rt, &o))
            break;
        graft_runtime_free(rt);
    }
    return n;
}

struct taps {
    struct graft_taps t;
    int32_t first[OUT], count[OUT], weight[OUT * MOST];
};

/* Random windows whose weights sum to one. */
static void fill_taps(struct taps *t, struct graft_rng_key key)
{
    uint64_t c = 1000;
    memset(t, 0, sizeof *t);
    for (int i = 0; i < OUT; i++) {
        t->count[i] = 1 + (int)graft_rng_below(key, c++, MOST);
        t->first[i] = (int)graft_rng_below(
            key, c++, (uint64_t)(SPAN - t->count[i] + 1));
        int32_t left = 1 << GRAFT_TAP_BITS;
        for (int k = 0; k < t->count[i]; k++) {
            int32_t w = k == t->count[i] - 1
                            ? left
                            : (int32_t)graft_rng_below(key, c++,
                                                       (uint64_t)left);
            t->weight[i * MOST + k] = w;
            left -= w;
        }
    }
    t->t = (struct graft_taps){OUT, MOST, t->first, t->count, t->weight};
}

static uint8_t expected(const struct taps *t, int i, const uint8_t *src,
                        int step)
{
    double sum = 0;
    for (int k = 0; k < t->count[i]; k++)
        sum += (double)t->weight[i * MOST + k] *
               src[(t->first[i] + k) * step];
    return (uint8_t)(sum / (1 << GRAFT_TAP_BITS) + 0.5);
}

TEST(kernels_image__across)
{
    static uint8_t src[ROWS * SPAN * 3], dst[ROWS * OUT * 3],
        tile[ROWS * (SPAN + OUT) * 3];
    struct graft_rng_key key = graft_rng_key(1, 1);
    struct taps t;
    fill_taps(&t, key);
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)graft_rng_u64(key, i);
    for (int isa = 0; isa < isas(); isa++)
        for (int channels = 1; channels <= 3; channels += 2)
            for (int rows = 1; rows <= ROWS; rows += 5) {
                memset(dst, 0, sizeof dst);
                graft_kernels_for((enum graft_isa)isa)->image.across(
                    dst, OUT * channels, src, SPAN * channels, rows, SPAN,
                    channels, &t.t, tile);
                for (int i = 0; i < ROWS * OUT * channels; i++) {
                    int c = i % channels, x = i / channels % OUT;
                    int r = i / channels / OUT;
                    const uint8_t *row = src + r * SPAN * channels + c;
                    assert_int_equal(dst[i], r < rows
                                     ? expected(&t, x, row, channels) : 0);
                }
            }
}

TEST(kernels_image__down)
{
    enum { N = 3 * 67 };
    static uint8_t src[SPAN * N], dst[N + 1];
    struct graft_rng_key key = graft_rng_key(2, 1);
    struct taps t;
    fill_taps(&t, key);
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)graft_rng_u64(key, i);
    for (int isa = 0; isa < isas(); isa++)
        for (int i = 0; i < OUT; i++) {
            dst[N] = 99;
            graft_kernels_for((enum graft_isa)isa)->image.down(
                dst, src + t.first[i] * N, N, N, t.weight + i * MOST,
                t.count[i]);
            for (int j = 0; j < N; j++)
                assert_int_equal(dst[j], expected(&t, i, src + j, N));
            assert_int_equal(dst[N], 99);
        }
}

TEST(kernels_image__normalises)
{
    enum { N = 53 };
    const struct graft_norm norms[] = {
        {3, {0, 1, 2}, {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57}},
        {3, {2, 1, 0}, {1, 2, 3}, {4, 5, 6}},
        {1, {0}, {127.5f}, {127.5f}},
    };
    uint8_t src[N * 3];
    float planar[N * 3], inter[N * 3];
    for (int i = 0; i < N * 3; i++)
        src[i] = (uint8_t)(i * 89);
    for (int isa = 0; isa < isas(); isa++)
        for (int k = 0; k < 3; k++) {
            const struct graft_norm *n = &norms[k];
            const struct graft_image_kernels *f =
                &graft_kernels_for((enum graft_isa)isa)->image;
            f->planar(planar, N, src, N, n);
            f->interleaved(inter, src, N, n);
            for (int i = 0; i < N; i++)
                for (int c = 0; c < n->channels; c++) {
                    float v = src[i * n->channels + n->from[c]];
                    float want = (v - n->mean[c]) / n->std[c];
                    assert_true(planar[c * N + i] == want);
                    assert_true(inter[i * n->channels + c] == want);
                }
        }
}
