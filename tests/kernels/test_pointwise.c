/* Pointwise kernels of every instruction set against the C library in
 * double; NaN and infinities; any length.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/rng.h"
#include "base/runtime.h"
#include "kernels/kernels.h"
#include "test.h"

enum { MANY = 200000, SHORT = 67 };

static real x[MANY], y[MANY], z[MANY];

static void fill(real *to, int n, double low, double high, uint64_t stream)
{
    struct graft_rng_key key = graft_rng_key(3, stream);
    for (int i = 0; i < n; i++)
        to[i] = (real)(low + (high - low) *
                                 graft_rng_unit(key, (uint64_t)i));
}

/* Instruction sets that this machine has, weakest first. */
static int isas(void)
{
    return (int)graft_runtime_or_default(NULL)->isa + 1;
}

static const struct graft_pointwise_kernels *kernels(int isa)
{
    return &graft_kernels_for((enum graft_isa)isa)->pointwise;
}

TEST(kernels_pointwise__exp_is_within_1e_6)
{
    for (int isa = 0; isa < isas(); isa++) {
        double worst = 0;
        fill(x, MANY, -87, 88.5, 1);
        kernels(isa)->unary[GRAFT_EXP](MANY, x, y);
        for (int i = 0; i < MANY; i++) {
            double e = exp((double)x[i]);
            worst = fmax(worst, fabs((double)y[i] - e) / e);
        }
        assert_true(worst < 1e-6);
    }
}

TEST(kernels_pointwise__exp_at_its_ends)
{
    real in[] = {0, -(real)INFINITY, (real)INFINITY, (real)NAN, -200, 800};
    for (int isa = 0; isa < isas(); isa++) {
        real out[6];
        kernels(isa)->unary[GRAFT_EXP](6, in, out);
        assert_true(out[0] == 1 && out[1] == 0 && isinf(out[2]));
        assert_true(isnan(out[3]) && out[4] < (real)1e-40);
        assert_true((double)out[5] > 1e300);
    }
}

TEST(kernels_pointwise__sigmoid_is_within_1e_6)
{
    for (int isa = 0; isa < isas(); isa++) {
        struct graft_act act = {GRAFT_ACT_SIGMOID, 0, 0};
        fill(x, MANY, -80, 80, 2);
        kernels(isa)->act[GRAFT_ACT_SIGMOID](act, MANY, x, y);
        for (int i = 0; i < MANY; i++) {
            double s = 1 / (1 + exp(-(double)x[i]));
            assert_true(fabs((double)y[i] - s) <= 1e-6 * s);
        }
    }
}

/* Every length, so every remainder of a vector; what lies behind stays. */
TEST(kernels_pointwise__any_length)
{
    fill(x, SHORT, 0.5, 2, 4);
    fill(y, SHORT, 0.5, 2, 5);
    for (int isa = 0; isa < isas(); isa++)
        for (int n = 0; n < SHORT; n++) {
            struct graft_operand a = {x, false}, b = {y, false};
            for (int i = 0; i < SHORT; i++)
                z[i] = 7;
            kernels(isa)->binary[GRAFT_DIV2](n, a, b, z);
            double sum = 0, dot = 0, most = -INFINITY;
            for (int i = 0; i < n; i++) {
                assert_near(z[i], (double)x[i] / (double)y[i], 1e-6);
                sum += (double)x[i];
                dot += (double)x[i] * (double)y[i];
                most = fmax(most, (double)x[i]);
            }
            assert_true(z[n] == 7);
            assert_near(kernels(isa)->sum(n, x), sum, 1e-5 * (1 + sum));
            assert_near(kernels(isa)->dot(n, x, y), dot, 1e-5 * (1 + dot));
            assert_true((double)kernels(isa)->largest(n, x) == most);
        }
}

TEST(kernels_pointwise__long_sums_do_not_drift)
{
    for (int isa = 0; isa < isas(); isa++) {
        double sum = 0;
        fill(x, MANY, 0, 1, 6);
        for (int i = 0; i < MANY; i++)
            sum += (double)x[i];
        assert_near(kernels(isa)->sum(MANY, x), sum, 1e-6 * sum);
    }
}

TEST(kernels_pointwise__softmax_sums_to_one)
{
    for (int isa = 0; isa < isas(); isa++) {
        fill(x, MANY, -10, 10, 7);
        double sum = 0, log_sum = 0;
        kernels(isa)->softmax(MANY, x, y);
        kernels(isa)->log_softmax(MANY, x, z);
        for (int i = 0; i < MANY; i++) {
            sum += (double)y[i];
            log_sum += exp((double)z[i]);
        }
        assert_near(sum, 1, 1e-5);
        assert_near(log_sum, 1, 1e-5);
    }
}

TEST(kernels_pointwise__nan_stays_visible)
{
    real nan_in[20];
    for (int i = 0; i < 20; i++)
        nan_in[i] = (real)NAN;
    for (int isa = 0; isa < isas(); isa++) {
        const struct graft_pointwise_kernels *k = kernels(isa);
        struct graft_operand n = {nan_in, false}, one = {x, false};
        fill(x, 20, 1, 2, 8);
        for (int a = 0; a < GRAFT_ACT_COUNT; a++) {
            struct graft_act act = {(enum graft_act_kind)a, 0, 6};
            k->act[a](act, 20, nan_in, y);
            for (int i = 0; i < 20; i++)
                assert_true(isnan(y[i]));
        }
        for (int b = 0; b < GRAFT_BINARY_COUNT; b++)
            for (int side = 0; side < 2; side++) {
                k->binary[b](20, side ? n : one, side ? one : n, y);
                for (int i = 0; i < 20; i++)
                    assert_true(isnan(y[i]));
            }
        k->softmax(20, nan_in, y);
        assert_true(isnan(y[0]) && isnan(y[19]));
    }
}
