/* Tensors in every place that TensorProto offers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "craft.h"

/* TensorProto 't' of a dtype and one dimension; data to be added. */
static struct graft_str tensor(int dtype, int64_t dim)
{
    struct graft_str s;
    graft_str_init(&s);
    if (dim >= 0)
        graft_put_int(&s, 1, dim);
    graft_put_int(&s, 2, dtype);
    graft_put_text(&s, 8, "t");
    return s;
}

static int parse(struct graft_model **m, struct graft_str *t)
{
    struct graft_str g;
    graft_str_init(&g);
    craft_put(&g, 5, t);
    craft_value(&g, 11, "x");
    craft_node(&g, "Relu", "x", "y");
    craft_value(&g, 12, "y");
    struct graft_str file = craft_file(&g, 10, 21);
    return craft_parse(m, &file);
}

static void refused(struct graft_str *t, const char *part)
{
    struct graft_model *m = NULL;
    assert_fails(parse(&m, t), GRAFT_EFORMAT, part);
    assert_non_null(strstr(graft_error_message(), "'t'"));
}

/* The tensor reads as these numbers. */
static void holds(struct graft_str *s, const double *x, int n)
{
    struct graft_model *m = NULL;
    assert_ok(parse(&m, s));
    assert_int_equal(m->tensor.n, 1);
    const struct graft_tensor *t = &m->tensor.at[0];
    assert_null(t->refusal);
    assert_int_equal(t->bytes, (uint64_t)n * graft_dtype_size(t->dtype));
    struct graft_view v = graft_tensor_view(t);
    for (int i = 0; i < n; i++) {
        real r = 0;
        int64_t k = 0;
        if (graft_dtype_is_float(t->dtype))
            graft_view_read(&v, i, 1, &r);
        else
            graft_view_read_ints(&v, i, 1, &k);
        assert_near(graft_dtype_is_float(t->dtype) ? (double)r : (double)k,
                    x[i], 0);
    }
    graft_graph_free(m);
}

static void put_packed(struct graft_str *s, uint32_t field, const int64_t *x,
                       int n)
{
    struct graft_str p;
    graft_str_init(&p);
    for (int i = 0; i < n; i++)
        graft_put_varint(&p, (uint64_t)x[i]);
    craft_put(s, field, &p);
}

TEST(onnx_typed__floats)
{
    const float f[] = {1.5f, -2, 3};
    const double d[] = {1.5, -2, 3};
    struct graft_str s = tensor(GRAFT_FLOAT, 3);
    graft_put_bytes(&s, 4, f, sizeof f); /* packed: used in place */
    holds(&s, d, 3);
    s = tensor(GRAFT_FLOAT, 3);
    graft_put_bytes(&s, 4, f, 4); /* in two runs */
    graft_put_bytes(&s, 4, f + 1, 8);
    holds(&s, d, 3);
    s = tensor(GRAFT_FLOAT, 3);
    for (int i = 0; i < 3; i++) { /* one by one */
        graft_put_varint(&s, 4 << 3 | 5);
        graft_str_addn(&s, &f[i], 4);
    }
    holds(&s, d, 3);
    s = tensor(GRAFT_DOUBLE, 3);
    graft_put_bytes(&s, 10, d, sizeof d);
    holds(&s, d, 3);
    s = tensor(GRAFT_FLOAT, 3);
    graft_put_bytes(&s, 9, f, sizeof f);
    holds(&s, d, 3);
    s = tensor(GRAFT_FLOAT, -1); /* a scalar */
    graft_put_bytes(&s, 4, f, 4);
    holds(&s, d, 1);
    s = tensor(GRAFT_FLOAT, 0); /* nothing, in no field at all */
    holds(&s, d, 0);
}

TEST(onnx_typed__integers_and_small_floats)
{
    const struct { int dtype; uint32_t field; int64_t x[2]; double is[2]; }
    cases[] = {
        {GRAFT_INT32, 5, {-5, INT32_MAX}, {-5, INT32_MAX}},
        {GRAFT_INT16, 5, {-5, 32767}, {-5, 32767}},
        {GRAFT_INT8, 5, {-128, 127}, {-128, 127}},
        {GRAFT_UINT16, 5, {0, 65535}, {0, 65535}},
        {GRAFT_UINT8, 5, {7, 255}, {7, 255}},
        {GRAFT_BOOL, 5, {0, 1}, {0, 1}},
        {GRAFT_FLOAT16, 5, {0x3c00, 0xc000}, {1, -2}},
        {GRAFT_BFLOAT16, 5, {0x3f80, 0xc000}, {1, -2}},
        {GRAFT_INT64, 7, {-5, INT64_C(1) << 40}, {-5, 0x1p40}},
        {GRAFT_UINT32, 11, {5, UINT32_MAX}, {5, UINT32_MAX}},
        {GRAFT_UINT64, 11, {5, 6}, {5, 6}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct graft_str s = tensor(cases[i].dtype, 2);
        put_packed(&s, cases[i].field, cases[i].x, 2);
        holds(&s, cases[i].is, 2);
        s = tensor(cases[i].dtype, 2);
        graft_put_int(&s, cases[i].field, cases[i].x[0]);
        graft_put_int(&s, cases[i].field, cases[i].x[1]);
        holds(&s, cases[i].is, 2);
    }
}

TEST(onnx_typed__wrong_amounts_and_places)
{
    const float f[] = {1, 2};
    const int64_t big[] = {1, 256}, bits[] = {0, 65536};
    struct graft_str s = tensor(GRAFT_FLOAT, 3);
    graft_put_bytes(&s, 9, f, 8);
    refused(&s, "[3] of float32 needs 12 bytes, the file has 8");
    s = tensor(GRAFT_FLOAT, 3);
    refused(&s, "needs 12 bytes, the file has 0");
    s = tensor(GRAFT_FLOAT, 2);
    graft_put_bytes(&s, 10, f, 8);
    refused(&s, "is float32 but has data in field 10");
    s = tensor(GRAFT_UINT8, 2);
    put_packed(&s, 5, big, 2);
    refused(&s, "is uint8, but holds 256");
    s = tensor(GRAFT_FLOAT16, 2);
    put_packed(&s, 5, bits, 2);
    refused(&s, "is float16, but holds 65536");
    s = tensor(GRAFT_FLOAT, 2);
    graft_put_int(&s, 1, -1);
    refused(&s, "has dimension -1");
    s = tensor(GRAFT_FLOAT, INT64_MAX);
    graft_put_int(&s, 1, INT64_MAX);
    struct graft_model *m = NULL;
    assert_true(parse(&m, &s) < 0);
    s = tensor(GRAFT_FLOAT, INT64_MAX / 2);
    refused(&s, "2^63");
}

/* What cannot be read may still be there. */
TEST(onnx_typed__unreadable_tensors_travel)
{
    const struct { int dtype; const char *why; } cases[] = {
        {GRAFT_STRING, "string"}, {GRAFT_INT4, "int4"}, {99, "dtype 99"},
        {0, "undefined"}, {GRAFT_FLOAT6E3M2, "float6e3m2"}, {29, "dtype 29"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct graft_model *m = NULL;
        struct graft_str s = tensor(cases[i].dtype, 1);
        graft_put_bytes(&s, cases[i].dtype == GRAFT_STRING ? 6 : 9, "a", 1);
        assert_ok(parse(&m, &s));
        assert_non_null(m->tensor.at[0].refusal);
        assert_non_null(strstr(m->tensor.at[0].refusal, cases[i].why));
        graft_graph_free(m);
    }
    struct graft_model *m = NULL;
    struct graft_str s = tensor(GRAFT_FLOAT, 1);
    for (int i = 0; i < 8; i++)
        graft_put_int(&s, 1, 1);
    graft_put_bytes(&s, 9, "abcd", 4);
    assert_ok(parse(&m, &s));
    assert_non_null(strstr(m->tensor.at[0].refusal, "rank 9"));
    graft_graph_free(m);
}

/* Elements of less than a byte: how many bytes, or numbers, hold `count`. */
TEST(onnx_typed__packed_elements)
{
    const struct { int dtype; int64_t count; int raw, typed; } cases[] = {
        {GRAFT_INT4, 3, 2, 2}, {GRAFT_UINT4, 4, 2, 2},
        {GRAFT_FLOAT4E2M1, 1, 1, 1}, {GRAFT_INT2, 5, 2, 2},
        {GRAFT_UINT2, 4, 1, 1}, {GRAFT_FLOAT6E2M3, 4, 3, 4},
        {GRAFT_FLOAT6E3M2, 5, 4, 5}, {GRAFT_FLOAT8E8M0, 2, 2, 2},
        {GRAFT_INT4, 0, 0, 0}};
    const int64_t x[] = {1, 2, 3, 4, 5, 6};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int more = -1; more <= 1; more++) {
            struct graft_model *m = NULL;
            int raw = cases[i].raw + more, typed = cases[i].typed + more;
            if (raw < 0)
                continue;
            struct graft_str s = tensor(cases[i].dtype, cases[i].count);
            graft_put_bytes(&s, 9, "abcdefgh", (uint64_t)raw);
            assert_int_equal(parse(&m, &s), more ? GRAFT_EFORMAT : GRAFT_OK);
            if (!more)
                assert_int_equal(m->tensor.at[0].bytes, raw);
            graft_graph_free(m);
            m = NULL;
            s = tensor(cases[i].dtype, cases[i].count);
            put_packed(&s, 5, x, typed);
            assert_int_equal(parse(&m, &s), more ? GRAFT_EFORMAT : GRAFT_OK);
            graft_graph_free(m);
        }
}

TEST(onnx_typed__text_and_data_twice)
{
    const float f[] = {1, 2};
    struct graft_str s = tensor(GRAFT_STRING, 2);
    graft_put_bytes(&s, 6, "a", 1);
    refused(&s, "has 2 elements of string, the file has 1");
    s = tensor(GRAFT_STRING, 1);
    graft_put_bytes(&s, 9, "a", 1);
    refused(&s, "cannot be raw data");
    s = tensor(GRAFT_STRING, 0);
    graft_put_bytes(&s, 4, f, 4);
    refused(&s, "data in field 4");
    s = tensor(GRAFT_FLOAT, 2);
    graft_put_bytes(&s, 9, f, 8);
    graft_put_bytes(&s, 4, f, 8);
    refused(&s, "data in field 4");
    s = tensor(GRAFT_FLOAT6E2M3, 1);
    graft_put_int(&s, 5, 64);
    refused(&s, "is float6e2m3, but holds 64");
}

TEST(onnx_typed__attributes_of_every_readable_kind)
{
    const int64_t ints[] = {-1, 300};
    const float floats[] = {0.5f, -1};
    const struct graft_bytes strings[] = {{(const uint8_t *)"a", 1},
                                          {(const uint8_t *)"", 0}};
    struct graft_tensor t = {.name = "", .dtype = GRAFT_FLOAT,
                             .shape = {.rank = 1, .dim = {2}},
                             .data = (const uint8_t *)floats, .bytes = 8};
    const struct graft_attr attr[] = {
        {.name = "f", .type = GRAFT_ATTR_FLOAT, .f = 2.5f},
        {.name = "i", .type = GRAFT_ATTR_INT, .i = -7},
        {.name = "s", .type = GRAFT_ATTR_STRING, .s = {(const uint8_t *)"x\0y",
                                                       3}},
        {.name = "t", .type = GRAFT_ATTR_TENSOR, .tensor = &t},
        {.name = "fs", .type = GRAFT_ATTR_FLOATS, .floats = floats, .n = 2},
        {.name = "is", .type = GRAFT_ATTR_INTS, .ints = ints, .n = 2},
        {.name = "ss", .type = GRAFT_ATTR_STRINGS, .strings = strings, .n = 2},
        {.name = "none", .type = GRAFT_ATTR_INTS}};
    struct graft_node node = {.name = "n", .op_type = "Op", .domain = "d",
                              .attr = (struct graft_attr *)(uintptr_t)attr,
                              .n_attr = 8};
    struct graft_str g, s;
    graft_str_init(&g);
    graft_str_init(&s);
    craft_value(&g, 11, "x");
    craft_value(&g, 12, "x");
    graft_encode_node(&s, NULL, &node);
    craft_put(&g, 1, &s);
    s = craft_file(&g, 8, 13);
    struct graft_model *m = NULL;
    assert_ok(craft_parse(&m, &s));
    const struct graft_attr *a = m->node.at[0].attr;
    assert_int_equal(m->node.at[0].n_attr, 8);
    assert_near(a[0].f, 2.5, 0);
    assert_int_equal(a[1].i, -7);
    assert_int_equal(a[2].s.n, 3);
    assert_memory_equal(a[2].s.at, "x\0y", 4);
    assert_int_equal(a[3].tensor->shape.dim[0], 2);
    assert_memory_equal(a[3].tensor->data, floats, 8);
    assert_memory_equal(a[4].floats, floats, 8);
    assert_memory_equal(a[5].ints, ints, 16);
    assert_int_equal(a[6].n, 2);
    assert_string_equal(a[6].strings[0].at, "a");
    assert_int_equal(a[7].n, 0);
    assert_string_equal(m->node.at[0].domain, "d");
    graft_graph_free(m);
}
