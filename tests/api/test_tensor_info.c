/* Elements of tensors in the public description, of every type.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "graft/graph.h"
#include "graft/model.h"
#include "onnx/encode.h"
#include "test.h"

/* A description of one tensor made from these fields. */
struct one {
    graft_model *m;
    struct graft_model_info *x;
    const struct graft_tensor_info *t;
};

static struct one tensor(int dtype, int64_t count, uint32_t field,
                         const void *data, size_t bytes)
{
    struct one o = {NULL, NULL, NULL};
    struct graft_str t, g, f, s;
    graft_str_init(&t);
    graft_str_init(&g);
    graft_str_init(&f);
    graft_str_init(&s);
    graft_put_int(&t, 1, count);
    graft_put_int(&t, 2, dtype);
    graft_put_text(&t, 8, "t");
    graft_put_bytes(&t, field, data, bytes);
    graft_put_bytes(&g, 5, t.at, t.n);
    graft_put_text(&s, 1, "t");
    graft_put_bytes(&g, 12, s.at, s.n);
    graft_put_int(&f, 1, 10);
    graft_put_bytes(&f, 7, g.at, g.n);
    graft_put_bytes(&f, 8, "\20\25", 2); /* opset 21 */
    assert_ok(graft_model_parse(&o.m, NULL, f.at, f.n));
    assert_ok(graft_model_info_new(&o.x, o.m));
    o.t = &o.x->graph.initializers[0];
    graft_str_release(&t);
    graft_str_release(&g);
    graft_str_release(&f);
    graft_str_release(&s);
    return o;
}

static void end(struct one *o)
{
    graft_model_info_free(o->x);
    graft_model_free(o->m);
}

TEST(api_tensor_info__elements_of_every_type)
{
    static const struct {
        int dtype, count;
        const char *bytes;
        size_t n;
        double is[4];
    } cases[] = {
        {1, 2, "\0\0\200\277\0\0\0\100", 8, {-1, 2}},
        {2, 2, "\1\377", 2, {1, 255}},
        {3, 2, "\1\377", 2, {1, -1}},
        {4, 1, "\0\200", 2, {32768}},
        {5, 1, "\0\200", 2, {-32768}},
        {6, 1, "\376\377\377\377", 4, {-2}},
        {7, 1, "\376\377\377\377\377\377\377\377", 8, {-2}},
        {9, 2, "\1\0", 2, {1, 0}},
        {10, 4, "\0\74\1\0\377\373\0\174", 8,
         {1, 0x1p-24, -65504, INFINITY}},
        {11, 1, "\0\0\0\0\0\0\360\77", 8, {1}},
        {12, 1, "\377\377\377\377", 4, {4294967295.0}},
        {16, 2, "\200\77\200\377", 4, {1, -INFINITY}},
        {17, 4, "\70\176\1\201", 4, {1, 448, 0x1p-9, -0x1p-9}},
        {18, 3, "\100\177\1", 3, {1, 240, 0x1p-10}},
        {19, 3, "\74\173\174", 3, {1, 57344, INFINITY}},
        {20, 3, "\100\177\1", 3, {1, 57344, 0x1p-17}},
        {21, 3, "\361\7", 2, {1, 15, 7}},
        {22, 3, "\361\7", 2, {1, -1, 7}},
        {23, 4, "\41\371", 2, {0.5, 1, -0.5, -6}},
        {24, 2, "\177\200", 2, {1, 2}},
        {25, 4, "\344", 1, {0, 1, 2, 3}},
        {26, 4, "\344", 1, {0, 1, -2, -1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x[4];
        struct one o = tensor(cases[i].dtype, cases[i].count, 9,
                              cases[i].bytes, cases[i].n);
        assert_int_equal(o.t->dtype, cases[i].dtype);
        assert_null(o.t->why);
        assert_ok(graft_tensor_read(o.t, 0, cases[i].count, x));
        for (int k = 0; k < cases[i].count; k++)
            if (x[k] != cases[i].is[k])
                fail_msg("%s[%d] is %g, not %g", o.t->dtype_name, k, x[k],
                         cases[i].is[k]);
        end(&o);
    }
}

TEST(api_tensor_info__nan_of_small_floats)
{
    static const struct { int dtype; const char *byte; } cases[] = {
        {17, "\177"}, {17, "\377"}, {18, "\200"}, {19, "\177"}, {20, "\200"},
        {24, "\377"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x = 0;
        struct one o = tensor(cases[i].dtype, 1, 9, cases[i].byte, 1);
        assert_ok(graft_tensor_read(o.t, 0, 1, &x));
        assert_true(isnan(x));
        end(&o);
    }
}

TEST(api_tensor_info__integers_exactly_and_parts)
{
    int64_t x[2];
    double y;
    struct one o = tensor(7, 2, 9, "\1\0\0\0\0\0\40\0\376\377\377\377\377"
                          "\377\377\377", 16);
    assert_ok(graft_tensor_read_ints(o.t, 0, 2, x));
    assert_int_equal(x[0], (INT64_C(1) << 53) + 1);
    assert_int_equal(x[1], -2);
    assert_ok(graft_tensor_read_ints(o.t, 1, 1, x));
    assert_int_equal(x[0], -2);
    assert_ok(graft_tensor_read_ints(o.t, 2, 0, x));
    assert_fails(graft_tensor_read_ints(o.t, 1, 2, x), GRAFT_EARG,
                 "has 2 elements");
    assert_fails(graft_tensor_read(o.t, -1, 1, &y), GRAFT_EARG, "'t'");
    assert_fails(graft_tensor_read(o.t, 0, INT64_MAX, &y), GRAFT_EARG, "'t'");
    end(&o);
    o = tensor(1, 1, 9, "\0\0\0\0", 4);
    assert_fails(graft_tensor_read_ints(o.t, 0, 1, x), GRAFT_EUNSUPPORTED,
                 "holds float32, not integers");
    end(&o);
    o = tensor(14, 1, 9, "\0\0\0\0\0\0\0\0", 8);
    assert_null(o.t->why);
    assert_fails(graft_tensor_read(o.t, 0, 1, &y), GRAFT_EUNSUPPORTED,
                 "complex64");
    end(&o);
}

TEST(api_tensor_info__strings_and_unknown_types)
{
    double y;
    struct one o = tensor(8, 1, 6, "a\0b", 3);
    assert_null(o.t->why);
    assert_null(o.t->data);
    assert_int_equal(o.t->strings[0].n, 3);
    assert_memory_equal(o.t->strings[0].at, "a\0b", 4);
    assert_fails(graft_tensor_read(o.t, 0, 1, &y), GRAFT_EUNSUPPORTED,
                 "string");
    end(&o);
    o = tensor(99, 1, 9, "abc", 3);
    assert_string_equal(o.t->dtype_name, "dtype 99");
    assert_non_null(o.t->why);
    assert_fails(graft_tensor_read(o.t, 0, 1, &y), GRAFT_EUNSUPPORTED, "'t'");
    end(&o);
}
