/* float16: every number there is, and what rounds to it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "tensor/half.h"
#include "test.h"

static bool is_nan(uint32_t h)
{
    return (h & 0x7fff) > 0x7c00;
}

TEST(tensor_half__every_number_survives)
{
    for (uint32_t h = 0; h < 0x10000; h++) {
        float f = graft_half_to_float((uint16_t)h);
        uint32_t back = graft_half_of_float(f);
        if (is_nan(h))
            assert_true(isnan(f) && is_nan(back));
        else if (back != h)
            fail_msg("%04x became %04x by way of %a", h, back, (double)f);
    }
}

/* Between neighbours: below the middle down, above it up, at it to even. */
TEST(tensor_half__rounds_to_nearest_even)
{
    for (uint32_t h = 0; h < 0x7c00; h++) {
        double a = (double)graft_half_to_float((uint16_t)h);
        double b = h == 0x7bff
                       ? 65536
                       : (double)graft_half_to_float((uint16_t)(h + 1));
        float middle = (float)((a + b) / 2);
        assert_true((double)middle == (a + b) / 2);
        assert_int_equal(graft_half_of_float(middle), h + (h & 1));
        assert_int_equal(graft_half_of_float(-middle),
                         0x8000 | (h + (h & 1)));
        assert_int_equal(graft_half_of_float(nextafterf(middle, 0)), h);
        assert_int_equal(graft_half_of_float(nextafterf(middle, 1e9f)),
                         h + 1);
    }
}

TEST(tensor_half__ends)
{
    assert_int_equal(graft_half_of_float(0.0f), 0);
    assert_int_equal(graft_half_of_float(-0.0f), 0x8000);
    assert_int_equal(graft_half_of_float(1.0f), 0x3c00);
    assert_int_equal(graft_half_of_float(65504.0f), 0x7bff);
    assert_int_equal(graft_half_of_float(nextafterf(GRAFT_HALF_OVER, 0)),
                     0x7bff);
    assert_int_equal(graft_half_of_float(GRAFT_HALF_OVER), 0x7c00);
    assert_int_equal(graft_half_of_float(3e38f), 0x7c00);
    assert_int_equal(graft_half_of_float(-INFINITY), 0xfc00);
    assert_int_equal(graft_half_of_float(0x1p-24f), 1);
    assert_int_equal(graft_half_of_float(0x1p-25f), 0); /* a tie */
    assert_int_equal(graft_half_of_float(nextafterf(0x1p-25f, 1)), 1);
    assert_int_equal(graft_half_of_float(1e-40f), 0);
    assert_true(is_nan(graft_half_of_float(NAN)));
    assert_true(is_nan(graft_half_of_float(nextafterf(INFINITY, 0) * NAN)));
}
