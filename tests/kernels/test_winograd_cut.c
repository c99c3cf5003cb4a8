/* Winograd: which tiles the cost model picks. Numbers in double are larger
 * than those that it was fitted to.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/runtime.h"
#include "kernels/kernels.h"
#include "test.h"

/* Tiles that the model picks for a layer, "" for none. */
static const char *picked_of(int64_t c, int64_t m, int64_t size,
                             int64_t kernel, int64_t stride, int64_t n,
                             int64_t group)
{
    int64_t out = (size + 2 * (kernel / 2) - kernel) / stride + 1;
    struct graft_conv g = {
        .c = c, .m = m, .group = group, .in = {1, size, size},
        .out = {1, out, out}, .kernel = {1, kernel, kernel},
        .stride = {1, stride, stride}, .dilation = {1, 1, 1},
        .pad = {0, kernel / 2, kernel / 2}, .image = c < 4};
    struct graft_block_cut cut;
    const struct graft_kernels *k =
        graft_kernels_for(graft_runtime_or_default(NULL)->isa);
    if (!graft_winograd_cut(&cut, &g, n, k))
        return "";
    return graft_winograd_plan(&cut).axis[0].family->name;
}

static const char *picked(int64_t c, int64_t m, int64_t size, int64_t kernel,
                          int64_t stride, int64_t n)
{
    return picked_of(c, m, size, kernel, stride, n, 1);
}

TEST(kernels_winograd__tiles_that_fit_the_map_are_picked)
{
    if (sizeof(real) != sizeof(float))
        skip();
    assert_string_equal(picked(64, 64, 56, 3, 1, 32), "6");
    assert_string_equal(picked(128, 128, 28, 3, 1, 8), "6");
    assert_string_equal(picked(256, 256, 14, 3, 1, 8), "5");
    assert_string_equal(picked(512, 512, 7, 3, 1, 32), "4");
    assert_string_equal(picked(128, 256, 28, 3, 2, 8), "4/2");
    assert_string_equal(picked(3, 64, 224, 7, 2, 8), "stem 5");
    assert_string_equal(picked(3, 32, 224, 3, 2, 8), "");
    assert_string_equal(picked(16, 16, 2, 3, 1, 1), "");
    assert_string_equal(picked_of(160, 160, 14, 3, 1, 32, 10), "5");
    assert_string_equal(picked_of(400, 400, 7, 3, 1, 1, 25), "");
    assert_string_equal(picked_of(160, 160, 28, 3, 2, 32, 10), "");
    assert_string_equal(picked_of(96, 96, 28, 3, 1, 32, 4), "");
}
