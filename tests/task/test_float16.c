/* Weights as float16: which, how they round, and that models still run.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/alloc.h"
#include "onnx/onnx.h"
#include "support/net.h"
#include "task/convert.h"
#include "tensor/half.h"

static struct graft_model *again(const struct graft_model *m)
{
    struct graft_model *copy = NULL;
    uint8_t *bytes = NULL;
    uint64_t size = 0;
    assert_ok(graft_onnx_encode(&bytes, &size, m));
    assert_ok(graft_onnx_parse(&copy, NULL, bytes, size, "again", NULL));
    graft_free(bytes);
    return copy;
}

/* x [N,16,5,5] -> Conv w [16,16,3,3] -> norm -> Relu -> pool -> Gemm v [70,16]
 */
static struct net *weighty(int64_t ir_version)
{
    struct net *n = net_new(13);
    n->m->ir_version = ir_version;
    int x = net_input(n, "x", NET_DIMS(-1, 16, 5, 5));
    int a = net_conv(n, "c", x, 16, 16, 3, true, true);
    a = net_node(n, "GlobalAveragePool", "pool", NULL, a);
    a = net_node(n, "Flatten", "flat", NULL, a);
    int v = net_random(n, "v", NET_DIMS(70, 16));
    int y = net_node(n, "Gemm", "y", NET_ATTRS(NET_INT("transB", 1)), a, v);
    const struct graft_dim d[] = {{-1, "N"}, {.value = 70}};
    assert_ok(graft_edit_value_type(n->m, y, GRAFT_FLOAT, d, 2));
    net_output(n, y);
    return n;
}

static struct graft_model *as_file(struct net *n)
{
    struct graft_model *m = again(n->m);
    net_free(n);
    return m;
}

enum { PHOTOS = 3, CLASSES = 70 };

static void answers(const struct graft_model *m, real *out)
{
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = m, .n_max = PHOTOS};
    assert_ok(graft_program_new(&p, NULL, &c));
    net_fill(p, 0, PHOTOS);
    assert_ok(graft_program_forward(p, PHOTOS));
    memcpy(out, graft_program_output(p, 0).data,
           PHOTOS * CLASSES * sizeof *out);
    graft_program_free(p);
}

/* The weights of `m` rounded in place, still float32: what the converted
 * model has to compute, bit for bit. */
static void round_weights(struct graft_model *m)
{
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *t = &m->tensor.at[i];
        const int64_t n = graft_shape_count(&t->shape);
        if (t->shape.rank < 2 || n < 1024)
            continue;
        float *x = graft_malloc((size_t)t->bytes);
        memcpy(x, t->data, (size_t)t->bytes);
        for (int64_t k = 0; k < n; k++)
            x[k] = graft_half_to_float(graft_half_of_float(x[k]));
        assert_ok(graft_edit_contents(m, i, GRAFT_FLOAT, &t->shape, x));
        graft_free(x);
    }
}

TEST(task_float16__computes_with_the_rounded_weights)
{
    struct graft_model *m = as_file(weighty(8)), *rounded = again(m);
    struct graft_float16_change c;
    real want[PHOTOS * CLASSES], got[PHOTOS * CLASSES];
    assert_ok(graft_to_float16(m, &c));
    assert_int_equal(c.tensors, 2);
    assert_int_equal(c.bytes_before, 4 * (16 * 16 * 9 + 70 * 16));
    assert_int_equal(c.bytes_after, c.bytes_before / 2);
    assert_true(c.largest > 0 && c.largest < 1e-3);
    assert_true(c.relative > 1e-5 && c.relative < 1e-3);
    assert_int_equal(c.too_large_count, 0);
    round_weights(rounded);
    answers(rounded, want);
    answers(m, got); /* as it is in memory */
    assert_memory_equal(want, got, sizeof want);
    struct graft_model *saved = again(m);
    answers(saved, got);
    assert_memory_equal(want, got, sizeof want);
    assert_ok(graft_to_float16(saved, &c)); /* there is nothing left */
    assert_int_equal(c.tensors, 0);
    assert_null(c.worst);
    graft_graph_free(saved);
    graft_graph_free(rounded);
    graft_graph_free(m);
}

/* Packed from the file: nothing is computed, folded or copied for it. */
TEST(task_float16__costs_no_float_copy)
{
    struct graft_model *m = as_file(weighty(8));
    struct graft_memory before, after;
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = m, .n_max = PHOTOS};
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_memory(p, &before);
    graft_program_free(p);
    p = NULL;
    assert_ok(graft_to_float16(m, NULL));
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_memory(p, &after);
    graft_program_free(p);
    assert_int_equal(before.param_bytes, after.param_bytes);
    assert_int_equal(before.pack_bytes, after.pack_bytes);
    assert_int_equal(before.steps, after.steps);
    assert_int_equal(before.folded, after.folded);
    graft_graph_free(m);
}

static bool same_bytes(const struct graft_model *a, struct graft_span x,
                       const struct graft_model *b, struct graft_span y)
{
    return x.length == y.length &&
           !memcmp(a->blob.at[0].data + x.offset,
                   b->blob.at[0].data + y.offset, (size_t)x.length);
}

TEST(task_float16__readers_and_small_tensors_keep_their_bytes)
{
    struct graft_model *was = as_file(weighty(8)), *m = again(was);
    assert_ok(graft_to_float16(m, NULL));
    struct graft_model *is = again(m);
    assert_int_equal(is->node.n, was->node.n + 2);
    for (int i = 0; i < 2; i++)
        assert_string_equal(is->node.at[i].op_type, "Cast");
    for (int i = 0; i < was->node.n; i++)
        assert_true(same_bytes(was, was->node.at[i].span, is,
                               is->node.at[i + 2].span));
    int kept = 0, half = 0;
    for (int i = 0; i < is->tensor.n; i++) {
        graft_value_id v = graft_value_find(was, is->tensor.at[i].name);
        half += is->tensor.at[i].dtype == GRAFT_FLOAT16;
        if (v >= 0)
            kept += same_bytes(was, was->tensor.at[was->value.at[v].tensor]
                                        .span,
                               is, is->tensor.at[i].span);
    }
    assert_int_equal(half, 2);
    assert_int_equal(kept, was->tensor.n - 2);
    assert_int_equal(is->tensor.n, was->tensor.n);
    assert_string_equal(is->tensor.at[is->tensor.n - 1].name, "v_float16");
    graft_graph_free(is);
    graft_graph_free(m);
    graft_graph_free(was);
}

TEST(task_float16__ir_3_names_the_new_ones_as_inputs)
{
    struct graft_model *m = as_file(weighty(3));
    int inputs = m->input.n;
    real want[PHOTOS * CLASSES], got[PHOTOS * CLASSES];
    assert_ok(graft_to_float16(m, NULL));
    struct graft_model *is = again(m);
    assert_int_equal(is->input.n, inputs);
    assert_false(is->value.at[graft_value_find(is, "v")].is_input);
    assert_true(is->value.at[graft_value_find(is, "v_float16")].is_input);
    assert_int_equal(graft_model_feed(is, 1), -1);
    answers(m, want);
    answers(is, got);
    assert_memory_equal(want, got, sizeof want);
    graft_graph_free(is);
    graft_graph_free(m);
}

/* From version 4 on an initializer among the inputs is a default that a
 * caller may replace: the type belongs to the interface. */
TEST(task_float16__free_inputs_and_outputs_stay)
{
    struct net *n = weighty(3);
    struct graft_float16_change c;
    n->m->ir_version = 4;
    struct graft_model *m = as_file(n);
    assert_ok(graft_to_float16(m, &c));
    assert_int_equal(c.tensors, 0);
    graft_graph_free(m);
    n = weighty(8);
    const graft_value_id out[] = {graft_value_find(n->m, "y"),
                                  graft_value_find(n->m, "v")};
    assert_ok(graft_edit_outputs(n->m, out, 2));
    m = as_file(n);
    assert_ok(graft_to_float16(m, &c));
    assert_int_equal(c.tensors, 1);
    graft_graph_free(m);
}

/* Three tensors of [32,32], one of them odd at its end. */
static struct graft_model *with_odd(float odd)
{
    enum { SIDE = 32 };
    static float at[SIDE * SIDE];
    struct net *n = net_new(13);
    const struct graft_shape s = {2, {SIDE, SIDE}};
    int y = net_input(n, "x", NET_DIMS(-1, SIDE));
    static const char *const name[] = {"one", "two", "three"};
    static const char *const node[] = {"a", "b", "c"};
    for (int k = 0; k < 3; k++) {
        graft_value_id w;
        for (int i = 0; i < SIDE * SIDE; i++)
            at[i] = 0.25f;
        at[SIDE * SIDE - 1] = k == 1 ? odd : 0.25f;
        assert_ok(graft_edit_tensor(&w, n->m, name[k], GRAFT_FLOAT, &s, at));
        y = net_node(n, "MatMul", node[k], NULL, y, w);
    }
    const struct graft_dim d[] = {{-1, "N"}, {.value = SIDE}};
    assert_ok(graft_edit_value_type(n->m, y, GRAFT_FLOAT, d, 2));
    net_output(n, y);
    return as_file(n);
}

TEST(task_float16__what_does_not_fit_stays_and_is_named)
{
    struct graft_float16_change c;
    static const float over[] = {65520.0f, -70000.0f, 3e38f};
    for (int i = 0; i < 3; i++) {
        struct graft_model *m = with_odd(over[i]);
        assert_ok(graft_to_float16(m, &c));
        assert_int_equal(c.tensors, 2);
        assert_int_equal(c.too_large_count, 1);
        assert_string_equal(c.too_large, "two");
        assert_true(m->value.at[graft_value_find(m, "two")].tensor >= 0);
        assert_true(c.largest == 0); /* a quarter is exact */
        graft_graph_free(m);
    }
    struct graft_model *m = with_odd(65519.0f); /* rounds to 65504 */
    assert_ok(graft_to_float16(m, &c));
    assert_int_equal(c.tensors, 3);
    assert_true(c.largest == 15);
    assert_string_equal(c.worst, "two");
    graft_graph_free(m);
}

TEST(task_float16__lost_and_odd_numbers_are_counted_right)
{
    struct graft_float16_change c;
    struct graft_model *m = with_odd(1e-8f);
    assert_ok(graft_to_float16(m, &c));
    assert_int_equal(c.lost, 1);
    assert_true(c.largest == (double)1e-8f);
    graft_graph_free(m);
    static const float odd[] = {INFINITY, NAN};
    for (int i = 0; i < 2; i++) {
        m = with_odd(odd[i]);
        assert_ok(graft_to_float16(m, &c));
        assert_int_equal(c.tensors, 3);
        assert_true(c.largest == 0 && c.relative == 0 && c.lost == 0);
        graft_graph_free(m);
    }
}

TEST(task_float16__constant_nodes_become_initializers)
{
    struct net *n = net_new(13);
    struct graft_float16_change c;
    float at[64 * 32];
    for (int i = 0; i < 64 * 32; i++)
        at[i] = (float)i / 100;
    const struct graft_tensor t = {
        .name = "", .dtype = GRAFT_FLOAT, .shape = {2, {64, 32}},
        .data = (const uint8_t *)at, .bytes = sizeof at, .value = -1};
    int x = net_input(n, "x", NET_DIMS(-1, 64));
    int w = net_node_of(n, "Constant", "w",
                        NET_ATTRS({.name = "value",
                                   .type = GRAFT_ATTR_TENSOR, .tensor = &t}),
                        NULL, 0);
    int y = net_node(n, "MatMul", "y", NULL, x, w);
    const struct graft_dim d[] = {{-1, "N"}, {.value = 32}};
    assert_ok(graft_edit_value_type(n->m, y, GRAFT_FLOAT, d, 2));
    net_output(n, y);
    struct graft_model *m = as_file(n);
    assert_ok(graft_to_float16(m, &c));
    assert_int_equal(c.tensors, 1);
    struct graft_model *is = again(m);
    assert_int_equal(is->node.n, 2);
    assert_string_equal(is->node.at[0].op_type, "Cast");
    assert_int_equal(is->tensor.n, 1);
    graft_graph_free(is);
    graft_graph_free(m);
}

TEST(task_float16__old_opsets_are_refused)
{
    struct net *n = net_new(5);
    struct graft_float16_change c;
    net_output(n, net_node(n, "Relu", "y", NULL,
                           net_input(n, "x", NET_DIMS(-1, 4))));
    assert_fails(graft_to_float16(n->m, &c), GRAFT_EUNSUPPORTED, "opset 5");
    net_free(n);
}

TEST(task_float16__failed_allocations_change_nothing)
{
    struct graft_model *m = as_file(weighty(3));
    uint8_t *before = NULL, *after = NULL;
    uint64_t n = 0, k = 0, nth = 0;
    assert_ok(graft_onnx_encode(&before, &n, m));
    for (int status = GRAFT_EMEM; status;) {
        graft_alloc_fail_at(++nth, 0);
        status = graft_to_float16(m, NULL);
        graft_alloc_fail_at(0, 0);
        if (status && status != GRAFT_EMEM)
            fail_msg("allocation %d: %s", (int)nth, graft_error_message());
        if (!status)
            break;
        assert_ok(graft_onnx_encode(&after, &k, m));
        assert_int_equal(n, k);
        assert_memory_equal(before, after, n);
        graft_free(after);
    }
    assert_true(nth > 10);
    graft_free(before);
    graft_graph_free(m);
}
