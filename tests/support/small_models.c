/* Small files (small_models.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/small_models.h"

#include "onnx/onnx.h"
#include "support/build_model.h"
#include "support/rich_model.h"
#include "support/worst.h"
#include "test.h"

static struct graft_str convolutions(void)
{
    struct graft_model *m = NULL;
    struct graft_str s;
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    graft_str_init(&s);
    assert_ok(test_build_model(&m, 8, 13));
    assert_ok(graft_edit_metadata(m, "graft", "{\"classes\":5}"));
    assert_ok(graft_onnx_encode(&bytes, &n, m));
    graft_str_addn(&s, bytes, n);
    graft_free(bytes);
    graft_graph_free(m);
    return s;
}

/* x [N,4] -> its shape -> [N,2,2] -> cast to it and back -> times w -> y;
 * w has weights of 16 bits. */
static struct graft_str shapes(void)
{
    struct graft_str s;
    graft_str_init(&s);
    worst_put(&s,
        "1=8 2'%n' 8{1'' 2=17} 7{"
        "1{1'x' 2'shape' 3'ask' 4'Shape'}"
        "1{1'shape' 1'zero' 2'batch' 4'Gather' 5{1'axis' 3=0 20=2}}"
        "1{2'two' 4'Constant' 5{1'value_ints' 8=2 8=2 20=7}}"
        "1{1'batch' 1'two' 2'wanted' 4'Concat' 5{1'axis' 3=0 20=2}}"
        "1{1'x' 1'wanted' 2'square' 4'Reshape' 5{1'allowzero' 3=0 20=2}}"
        "1{1'q' 2'w' 4'Cast' 5{1'to' 3=1 20=2}}"
        "1{1'square' 1'w' 2'product' 4'MatMul'}"
        "1{1'product' 1'low' 1'high' 2'clipped' 4'Clip'}"
        "1{1'clipped' 2'half' 4'Cast' 5{1'to' 3=10 20=2}}"
        "1{1'half' 2'full' 4'Cast' 5{1'to' 3=1 20=2}}"
        "1{1'full' 2'order' 4'Transpose' 5{1'perm' 8=0 8=2 8=1 20=7}}"
        "1{1'order' 1'at' 1'end' 1'axes' 2'part' 4'Slice'}"
        "1{1'part' 1'axes' 2'y' 4'Squeeze'}"
        "2'shapes'"
        "5{1=1 2=7 8'zero' 7=0} 5{1=2 1=2 2=10 8'q' 9*8}"
        "5{2=1 8'low' 9*4} 5{2=1 8'high' 4*4}"
        "5{1=1 2=7 8'at' 7=0} 5{1=1 2=7 8'end' 7=1} 5{1=1 2=7 8'axes' 7=1}"
        "11{1'x' 2{1{1=1 2{1{2'N'} 1{1=4}}}}}"
        "12{1'y' 2{1{1=1 2{1{2'N'} 1{1=2}}}}}"
        "13{1'square' 2{1{1=1 2{1{2'N'} 1{1=2} 1{1=2}}}}}"
        "} 14{1'note' 2'text'}", 0);
    assert_ok(graft_str_ok(&s));
    return s;
}

struct graft_str test_small_model(int which)
{
    static struct graft_str (*const make[TEST_SMALL_MODELS])(void) = {
        test_rich_file, convolutions, shapes};
    return make[which]();
}

const char *test_small_model_name(int which)
{
    static const char *const name[TEST_SMALL_MODELS] = {
        "something of everything", "convolutions", "shapes"};
    return name[which];
}
