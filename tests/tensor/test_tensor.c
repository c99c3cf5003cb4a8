/* Shapes never overflow, every float type is read exactly.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "tensor/view.h"
#include "test.h"

static struct graft_shape shape(int rank, const int64_t *dim)
{
    struct graft_shape s;
    assert_ok(graft_shape_set(&s, dim, rank));
    return s;
}
#define SHAPE(...)                                                          \
    shape((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),        \
          (int64_t[]){__VA_ARGS__})

TEST(tensor_shape__checks_sizes)
{
    int64_t out;
    assert_true(graft_mul_size(&out, 1ll << 31, 1ll << 31));
    assert_false(graft_mul_size(&out, 1ll << 32, 1ll << 31));
    assert_false(graft_mul_size(&out, -1, 2));
    assert_false(graft_add_size(&out, INT64_MAX, 1));
    struct graft_shape s;
    const int64_t dims[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    assert_fails(graft_shape_set(&s, dims, 9), GRAFT_ELIMIT, "rank 9");
    assert_fails(graft_shape_set(&s, (int64_t[]){2, -1}, 2), GRAFT_ESHAPE,
                 "[2,-1]");
    assert_fails(graft_shape_set(&s, (int64_t[]){1ll << 40, 1ll << 40}, 2),
                 GRAFT_ESHAPE, "too large");
    /* Empty, but the product of a part of it would overflow. */
    assert_fails(graft_shape_set(&s, (int64_t[]){1ll << 40, 0, 1ll << 40},
                                 3), GRAFT_ESHAPE, "too large");
    s = SHAPE(7, 0, 3);
    assert_int_equal(graft_shape_count(&s), 0);
}

TEST(tensor_shape__broadcasts_like_numpy)
{
    struct graft_shape a = SHAPE(3, 1, 5), b = SHAPE(4, 1), out;
    assert_true(graft_shape_broadcast(&out, &a, &b));
    struct graft_shape want = SHAPE(3, 4, 5);
    assert_true(graft_shape_equal(&out, &want));
    b = SHAPE(2, 5);
    a = SHAPE(3, 5);
    assert_false(graft_shape_broadcast(&out, &a, &b));
    assert_int_equal(graft_axis(-1, 4), 3);
    assert_int_equal(graft_axis(4, 4), -1);
    assert_int_equal(graft_axis(-5, 4), -1);
}

TEST(tensor_view__reads_half_and_bfloat_exactly)
{
    /* 1, -2, 65504 (largest), 2^-24 (smallest), inf, nan, -0 */
    const uint16_t half[] = {0x3c00, 0xc000, 0x7bff, 0x0001,
                             0x7c00, 0x7e00, 0x8000, 0x03ff};
    const double want[] = {1, -2, 65504, 0x1p-24, INFINITY, NAN, -0.0,
                           1023 * 0x1p-24};
    uint8_t odd[sizeof half + 1]; /* at an odd address, as in files */
    memcpy(odd + 1, half, sizeof half);
    struct graft_view v = {.data = odd + 1,
                           .shape = SHAPE(8),
                           .fmt = {.dtype = GRAFT_FLOAT16}};
    real got[8];
    graft_view_read(&v, 0, 8, got);
    for (int i = 0; i < 8; i++)
        if (!(isnan(want[i]) ? isnan(got[i]) : (double)got[i] == want[i]))
            fail_msg("element %d is %g", i, (double)got[i]);
    assert_true(signbit(got[6]));
    const uint16_t bf[] = {0x3f80, 0xc040};
    v = (struct graft_view){.data = (void *)(uintptr_t)bf, .shape = SHAPE(2),
                            .fmt = {.dtype = GRAFT_BFLOAT16}};
    graft_view_read(&v, 1, 1, got);
    assert_near(got[0], -3, 0);
}

TEST(tensor_view__reads_integers_of_each_width)
{
    const int8_t i8[] = {-128, 127};
    const uint8_t flags[] = {0, 7};
    int64_t got[2];
    struct graft_view v = {.data = (void *)(uintptr_t)i8, .shape = SHAPE(2),
                           .fmt = {.dtype = GRAFT_INT8}};
    graft_view_read_ints(&v, 0, 2, got);
    assert_true(got[0] == -128 && got[1] == 127);
    v.data = (void *)(uintptr_t)flags;
    v.fmt.dtype = GRAFT_BOOL;
    graft_view_read_ints(&v, 0, 2, got);
    assert_true(got[0] == 0 && got[1] == 1);
}
