/* Another batch for a model: what follows, what is refused by name, and that
 * nothing else changes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "onnx/onnx.h"
#include "support/net.h"
#include "task/batch.h"
#include "task/convert.h"

/* As a file: the model written and read again, so that edits have bytes to
 * leave alone. Frees the net. */
static struct graft_model *as_file(struct net *n)
{
    struct graft_model *m = NULL;
    uint8_t *bytes = NULL;
    uint64_t size = 0;
    for (int i = 0; i < n->m->output.n; i++)
        if (!n->m->value.at[n->m->output.at[i]].dtype)
            assert_ok(graft_edit_value_type(n->m, n->m->output.at[i],
                                            GRAFT_FLOAT, NULL, -1));
    assert_ok(graft_onnx_encode(&bytes, &size, n->m));
    assert_ok(graft_onnx_parse(&m, NULL, bytes, size, "test", NULL));
    graft_free(bytes);
    net_free(n);
    return m;
}

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

static const struct graft_dim *front(const struct graft_model *m,
                                     const char *name)
{
    graft_value_id v = graft_value_find(m, name);
    assert_true(v >= 0 && m->value.at[v].has_shape);
    return m->value.at[v].dim;
}

/* Numbers of an initializer. */
static void check_ints(const struct graft_model *m, const char *name,
                       const int64_t *want, int n)
{
    graft_value_id v = graft_value_find(m, name);
    assert_true(v >= 0 && m->value.at[v].tensor >= 0);
    const struct graft_tensor *t = &m->tensor.at[m->value.at[v].tensor];
    struct graft_view view = graft_tensor_view(t);
    int64_t got[8];
    assert_int_equal(graft_shape_count(&t->shape), n);
    graft_view_read_ints(&view, 0, n, got);
    for (int i = 0; i < n; i++)
        assert_int_equal(got[i], want[i]);
}
#define INTS(...)                                                           \
    (const int64_t[]){__VA_ARGS__},                                         \
        (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* Refused so, and not a byte of the model is another one. Frees it. */
static void check_refused(struct graft_model *m, int64_t batch, int status,
                          const char *part)
{
    uint8_t *before = NULL, *after = NULL;
    uint64_t n = 0, k = 0;
    assert_ok(graft_onnx_encode(&before, &n, m));
    assert_fails(graft_set_batch(m, batch, NULL), status, part);
    assert_ok(graft_onnx_encode(&after, &k, m));
    assert_int_equal(n, k);
    assert_memory_equal(before, after, n);
    graft_free(before);
    graft_free(after);
    graft_graph_free(m);
}

/* x [batch,3,4,4] -> Conv -> Relu -> Reshape to `to` -> Gemm [.., 5] */
static struct net *flat(int64_t batch, const int64_t *to, int n_to)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(batch, 3, 4, 4));
    int a = net_conv(n, "c", x, 3, 8, 3, false, true);
    int shape = net_ints(n, "to", to, n_to);
    int f = net_node(n, "Reshape", "flat", NULL, a, shape);
    int w = net_random(n, "w", NET_DIMS(128, 5));
    int y = net_node(n, "Gemm", "y", NULL, f, w);
    const struct graft_dim d[] = {{.value = batch}, {.value = 5}};
    const struct graft_dim e[] = {{.value = batch}, {.value = 128}};
    assert_ok(graft_edit_value_type(n->m, y, GRAFT_FLOAT, d, 2));
    assert_ok(graft_edit_value_type(n->m, f, GRAFT_FLOAT, e, 2));
    net_output(n, y);
    return n;
}

/* ---- what follows -------------------------------------------------------- */

TEST(task_batch__shapes_of_reshape_follow)
{
    static const struct {
        int64_t was[2], is[2];
    } cases[] = {{{1, 128}, {0, 128}}, {{1, -1}, {0, -1}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct graft_model *m = as_file(flat(1, cases[i].was, 2));
        struct graft_batch_change c;
        assert_int_equal(graft_model_fixed_batch(m), 1);
        assert_ok(graft_set_batch(m, 0, &c));
        assert_int_equal(c.before, 1);
        assert_int_equal(c.after, 0);
        assert_int_equal(c.constants, 1);
        struct graft_model *saved = again(m);
        assert_int_equal(graft_model_fixed_batch(saved), 0);
        check_ints(saved, "to", cases[i].is, 2);
        assert_int_equal(front(saved, "x")->value, -1);
        assert_string_equal(front(saved, "x")->param, "N");
        assert_string_equal(front(saved, "y")->param, "N");
        assert_int_equal(front(saved, "y")[1].value, 5);
        graft_graph_free(saved);
        graft_graph_free(m);
    }
}

TEST(task_batch__what_leaves_it_open_is_left_alone)
{
    struct graft_model *m = as_file(flat(4, INTS(-1, 128)));
    struct graft_batch_change c;
    assert_ok(graft_set_batch(m, 0, &c));
    assert_int_equal(c.constants, 0);
    check_ints(m, "to", INTS(-1, 128));
    graft_graph_free(m);
}

TEST(task_batch__to_a_number_and_back)
{
    struct graft_model *m = as_file(flat(4, INTS(4, -1)));
    struct graft_batch_change c;
    assert_ok(graft_set_batch(m, 2, &c));
    assert_int_equal(c.before, 4);
    assert_int_equal(front(m, "x")->value, 2);
    assert_int_equal(front(m, "y")->value, 2);
    assert_ok(graft_set_batch(m, 0, &c));
    assert_int_equal(c.constants, 0);
    assert_int_equal(front(m, "x")->value, -1);
    assert_ok(graft_set_batch(m, 4096, &c));
    assert_int_equal(c.before, 0);
    assert_int_equal(front(m, "y")->value, 4096);
    graft_graph_free(m);
}

TEST(task_batch__one_that_it_has_changes_nothing)
{
    for (int i = 0; i < 2; i++) {
        struct net *n = net_new(13);
        int x = net_input(n, "x", NET_DIMS(i ? 3 : -1, 4));
        net_output(n, net_node(n, "Unheard", "y", NULL, x));
        struct graft_model *m = as_file(n);
        struct graft_batch_change c;
        m->edited = false;
        assert_ok(graft_set_batch(m, i ? 3 : 0, &c));
        assert_int_equal(c.constants + c.types, 0);
        assert_false(m->edited);
        graft_graph_free(m);
    }
}

/* Rows for each image: [1,6,2] as [3,4] and back. */
TEST(task_batch__rows_follow_in_proportion)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(1, 6, 2));
    int to = net_ints(n, "to", (const int64_t[]){3, 4}, 2);
    int back = net_ints(n, "back", (const int64_t[]){1, 12}, 2);
    int rows = net_node(n, "Reshape", "rows", NULL, x, to);
    const struct graft_dim d[] = {{.value = 3}, {.value = 4}};
    assert_ok(graft_edit_value_type(n->m, rows, GRAFT_FLOAT, d, 2));
    int w = net_random(n, "w", NET_DIMS(4, 4));
    int mixed = net_node(n, "MatMul", "mixed", NULL, rows, w);
    int y = net_node(n, "Reshape", "y", NULL, mixed, back);
    const graft_value_id out[] = {y, rows};
    const struct graft_dim e[] = {{.value = 1}, {.value = 12}};
    assert_ok(graft_edit_value_type(n->m, y, GRAFT_FLOAT, e, 2));
    assert_ok(graft_edit_outputs(n->m, out, 2));
    struct graft_model *m = as_file(n);
    assert_ok(graft_set_batch(m, 0, NULL));
    check_ints(m, "to", INTS(-1, 4));
    check_ints(m, "back", INTS(-1, 12));
    assert_int_equal(front(m, "rows")->value, -1); /* 3 N has no name */
    assert_null(front(m, "rows")->param);
    assert_ok(graft_set_batch(m, 5, NULL));
    assert_int_equal(front(m, "rows")->value, 15);
    graft_graph_free(m);
}

TEST(task_batch__shared_constants_are_split)
{
    struct net *n = flat(1, INTS(1, 128));
    int to = graft_value_find(n->m, "to");
    int p = net_random(n, "p", NET_DIMS(128));
    int row = net_node(n, "Reshape", "row", NULL, p, to);
    int sum = net_node(n, "Add", "sum", NULL, graft_value_find(n->m, "flat"),
                       row);
    const graft_value_id out[] = {graft_value_find(n->m, "y"), sum};
    const struct graft_dim d[] = {{.value = 1}, {.value = 128}};
    assert_ok(graft_edit_value_type(n->m, sum, GRAFT_FLOAT, d, 2));
    assert_ok(graft_edit_outputs(n->m, out, 2));
    struct graft_model *m = as_file(n);
    struct graft_batch_change c;
    assert_ok(graft_set_batch(m, 0, &c));
    assert_int_equal(c.constants, 1);
    struct graft_model *saved = again(m);
    check_ints(saved, "to", INTS(1, 128));
    check_ints(saved, "to_batch", INTS(0, 128));
    graft_value_id own = graft_value_find(saved, "to_batch");
    assert_int_equal(saved->value.at[own].n_uses, 1);
    graft_graph_free(saved);
    graft_graph_free(m);
}

/* Two nodes that want the same share it. */
TEST(task_batch__readers_that_agree_share)
{
    struct net *n = flat(1, INTS(1, 128));
    int again_ = net_node(n, "Reshape", "more", NULL,
                          graft_value_find(n->m, "c.relu"),
                          graft_value_find(n->m, "to"));
    const graft_value_id out[] = {graft_value_find(n->m, "y"), again_};
    const struct graft_dim d[] = {{.value = 1}, {.value = 128}};
    assert_ok(graft_edit_value_type(n->m, again_, GRAFT_FLOAT, d, 2));
    assert_ok(graft_edit_outputs(n->m, out, 2));
    struct graft_model *m = as_file(n);
    struct graft_batch_change c;
    int tensors = m->tensor.n;
    assert_ok(graft_set_batch(m, 0, &c));
    assert_int_equal(c.constants, 2);
    assert_int_equal(m->tensor.n, tensors);
    check_ints(m, "to", INTS(0, 128));
    graft_graph_free(m);
}

TEST(task_batch__constant_nodes_are_replaced)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(1, 3, 4));
    int to = net_node_of(n, "Constant", "to",
                         NET_ATTRS(NET_INTS("value_ints", 1, 12)), NULL, 0);
    int y = net_node(n, "Reshape", "y", NULL, x, to);
    const struct graft_dim d[] = {{.value = 1}, {.value = 12}};
    assert_ok(graft_edit_value_type(n->m, y, GRAFT_FLOAT, d, 2));
    net_output(n, y);
    struct graft_model *m = as_file(n);
    assert_ok(graft_set_batch(m, 0, NULL));
    struct graft_model *saved = again(m);
    assert_int_equal(saved->node.n, 1);
    check_ints(saved, "to_batch", INTS(0, 12));
    graft_graph_free(saved);
    graft_graph_free(m);
}

TEST(task_batch__expand_and_slice_follow)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(2, 1, 4));
    int to = net_ints(n, "to", (const int64_t[]){2, 3, 4}, 3);
    int e = net_node(n, "Expand", "e", NULL, x, to);
    int from = net_ints(n, "from", (const int64_t[]){0, 1}, 2);
    int end = net_ints(n, "end", (const int64_t[]){2, 3}, 2);
    int axes = net_ints(n, "axes", (const int64_t[]){0, 1}, 2);
    int y = net_node(n, "Slice", "y", NULL, e, from, end, axes);
    const struct graft_dim d[] = {{.value = 2}, {.value = 2}, {.value = 4}};
    assert_ok(graft_edit_value_type(n->m, y, GRAFT_FLOAT, d, 3));
    net_output(n, y);
    struct graft_model *m = as_file(n);
    struct graft_batch_change c;
    assert_ok(graft_set_batch(m, 0, &c));
    assert_int_equal(c.constants, 2);
    check_ints(m, "to", INTS(1, 3, 4));
    check_ints(m, "end", INTS(INT32_MAX, 3));
    graft_graph_free(m);
}

TEST(task_batch__several_inputs_follow_together)
{
    struct net *n = net_new(13);
    int a = net_input(n, "a", NET_DIMS(1, 3));
    int b = net_input(n, "b", NET_DIMS(1, 3));
    int y = net_node(n, "Add", "y", NULL, a, b);
    const struct graft_dim d[] = {{.value = 1}, {.value = 3}};
    assert_ok(graft_edit_value_type(n->m, y, GRAFT_FLOAT, d, 2));
    net_output(n, y);
    struct graft_model *m = as_file(n);
    assert_ok(graft_set_batch(m, 3, NULL));
    assert_int_equal(front(m, "a")->value, 3);
    assert_int_equal(front(m, "b")->value, 3);
    graft_graph_free(m);
}

/* Its own symbol serves; one that means something else does not. */
TEST(task_batch__symbols)
{
    struct net *n = net_new(13);
    const struct graft_dim own[] = {{-1, "people"}, {.value = 3}};
    graft_value_id a, v;
    assert_ok(graft_edit_input(&a, n->m, "a", GRAFT_FLOAT, own, 2));
    int b = net_input(n, "b", NET_DIMS(1, 3));
    const struct graft_dim other[] = {{-1, NULL}, {-1, "N"}};
    v = net_node(n, "Add", "y", NULL, a, b);
    assert_ok(graft_edit_value_type(n->m, v, GRAFT_FLOAT, other, 2));
    net_output(n, v);
    struct graft_model *m = as_file(n);
    assert_ok(graft_set_batch(m, 0, NULL));
    assert_string_equal(front(m, "b")->param, "people");
    graft_graph_free(m);

    n = net_new(13);
    v = net_node(n, "Relu", "y", NULL, net_input(n, "x", NET_DIMS(1, 3)));
    assert_ok(graft_edit_value_type(n->m, v, GRAFT_FLOAT, other, 2));
    net_output(n, v);
    m = as_file(n);
    assert_ok(graft_set_batch(m, 0, NULL));
    assert_string_equal(front(m, "x")->param, "N_1");
    graft_graph_free(m);
}

TEST(task_batch__the_card_follows)
{
    struct net *n = flat(1, INTS(1, 128));
    assert_ok(graft_edit_metadata(
        n->m, "graft", "{\"input\": {\"name\": \"x\", \"shape\": [1, 3, 4, "
        "4]}, \"output\": {\"shape\": [1, 5]}, \"else\": 7}"));
    struct graft_model *m = as_file(n);
    assert_ok(graft_set_batch(m, 0, NULL));
    const char *card = graft_metadata_get(m, "graft");
    assert_non_null(strstr(card, "\"N\""));
    assert_non_null(strstr(card, "\"else\": 7"));
    assert_ok(graft_set_batch(m, 6, NULL));
    card = graft_metadata_get(m, "graft");
    assert_null(strstr(card, "\"N\""));
    assert_non_null(strstr(card, "6"));
    graft_graph_free(m);
}

/* ---- what is refused ----------------------------------------------------- */

TEST(task_batch__numbers_that_are_no_batch)
{
    static const int64_t bad[] = {-1, 4097, 1000000000000, INT64_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_refused(as_file(flat(1, INTS(1, 128))), bad[i], GRAFT_EARG,
                      "1 to 4096");
}

static struct net *one_node(const char *op, int64_t batch,
                            const struct graft_attr *attr)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(batch, 4));
    net_output(n, net_node(n, op, "y", attr, x));
    return n;
}

TEST(task_batch__nodes_that_need_it_are_named)
{
    check_refused(as_file(one_node("Unheard", 1, NULL)), 0,
                  GRAFT_EUNSUPPORTED, "Unheard");
    check_refused(as_file(one_node(
                      "ReduceMean", 2,
                      NET_ATTRS(NET_INTS("axes", 0), NET_INT("keepdims", 0)))),
                  0, GRAFT_EUNSUPPORTED,
                  "the batch is fixed at 2: ReduceMean 'y'");
    struct net *n = net_new(13); /* a token beside what comes of the photo */
    int x = net_input(n, "x", NET_DIMS(1, 6, 4));
    int token = net_random(n, "token", NET_DIMS(1, 1, 4));
    net_output(n, net_node(n, "Concat", "y", NET_ATTRS(NET_INT("axis", 1)),
                           token, x));
    check_refused(as_file(n), 0, GRAFT_EUNSUPPORTED, "Concat 'y'");
    n = net_new(13); /* other numbers for each place in the batch */
    x = net_input(n, "x", NET_DIMS(3, 4));
    net_output(n, net_node(n, "Add", "y", NULL, x,
                           net_random(n, "b", NET_DIMS(3, 4))));
    check_refused(as_file(n), 0, GRAFT_EUNSUPPORTED, "Add 'y'");
}

TEST(task_batch__the_batch_as_a_number_is_refused)
{
    for (int i = 0; i < 2; i++) {
        struct net *n = net_new(13);
        int x = net_input(n, "x", NET_DIMS(i ? -1 : 1, 4));
        int zero = net_ints(n, "zero", (const int64_t[]){0}, 1);
        int size = net_node(n, "Gather", "size", NULL,
                            net_node(n, "Shape", "shape", NULL, x), zero);
        int f = net_node(n, "Cast", "f",
                         NET_ATTRS(NET_INT("to", GRAFT_FLOAT)), size);
        net_output(n, net_node(n, "Div", "y", NULL, x, f));
        check_refused(as_file(n), i ? 4 : 0, GRAFT_EUNSUPPORTED, "Div 'y'");
    }
}

TEST(task_batch__inputs_without_one_in_front)
{
    struct net *n = net_new(13);
    int w = net_random(n, "w", NET_DIMS(3));
    net_output(n, net_node(n, "Relu", "y", NULL, w));
    check_refused(as_file(n), 2, GRAFT_EUNSUPPORTED, "no input");
    n = net_new(13);
    net_output(n, net_node(n, "Relu", "y", NULL, net_input(n, "x", NULL, 0)));
    check_refused(as_file(n), 2, GRAFT_ESHAPE, "one number");
    n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(3, -1, 4));
    net_output(n, net_node(n, "Relu", "y", NULL, x));
    check_refused(as_file(n), 2, GRAFT_EUNSUPPORTED, "'N' as dimension 1");
    n = net_new(13);
    int a = net_input(n, "a", NET_DIMS(1, 3));
    int b = net_input(n, "b", NET_DIMS(2, 3));
    net_output(n, net_node(n, "Add", "y", NULL, a, b));
    check_refused(as_file(n), 0, GRAFT_EUNSUPPORTED, "another input 1");
    n = net_new(13);
    const struct graft_dim open[] = {{.value = 1}, {-1, "width"}};
    graft_value_id v;
    assert_ok(graft_edit_input(&v, n->m, "x", GRAFT_FLOAT, open, 2));
    net_output(n, net_node(n, "Relu", "y", NULL, v));
    check_refused(as_file(n), 0, GRAFT_ESHAPE, "dimension 1 open");
}

/* ---- and nothing else ---------------------------------------------------- */

static bool same_bytes(const struct graft_model *a, struct graft_span x,
                       const struct graft_model *b, struct graft_span y)
{
    return x.length == y.length &&
           !memcmp(a->blob.at[0].data + x.offset,
                   b->blob.at[0].data + y.offset, (size_t)x.length);
}

TEST(task_batch__untouched_elements_keep_their_bytes)
{
    NEED_SHARED(path, "models/external/mnist_cnn_cntk.onnx");
    struct graft_model *was = NULL, *m = NULL;
    assert_ok(graft_onnx_open(&was, NULL, path));
    assert_ok(graft_onnx_open(&m, NULL, path));
    assert_ok(graft_set_batch(m, 0, NULL));
    struct graft_model *is = again(m);
    int changed = 0;
    assert_int_equal(was->node.n, is->node.n);
    for (int i = 0; i < was->node.n; i++)
        assert_true(same_bytes(was, was->node.at[i].span, is,
                               is->node.at[i].span));
    assert_int_equal(was->tensor.n, is->tensor.n);
    for (int i = 0; i < was->tensor.n; i++)
        changed += !same_bytes(was, was->tensor.at[i].span, is,
                               is->tensor.at[i].span);
    assert_int_equal(changed, 1); /* the shape of its one Reshape */
    graft_graph_free(is);
    graft_graph_free(m);
    graft_graph_free(was);
}

TEST(task_batch__opened_for_a_while)
{
    struct graft_model *m = as_file(flat(1, INTS(1, 128)));
    struct graft_undo *undo = NULL;
    uint8_t *before = NULL, *after = NULL;
    uint64_t n = 0, k = 0;
    assert_ok(graft_onnx_encode(&before, &n, m));
    assert_ok(graft_batch_open(&undo, m));
    assert_int_equal(graft_model_fixed_batch(m), 0);
    graft_undo_back(undo);
    graft_undo_free(undo);
    assert_int_equal(graft_model_fixed_batch(m), 1);
    assert_ok(graft_onnx_encode(&after, &k, m));
    assert_int_equal(n, k);
    assert_memory_equal(before, after, n);
    graft_free(before);
    graft_free(after);
    graft_graph_free(m);
    m = as_file(one_node("ReduceMean", 2, NET_ATTRS(NET_INTS("axes", 0),
                                                    NET_INT("keepdims", 0))));
    undo = NULL;
    assert_fails(graft_batch_open(&undo, m), GRAFT_EUNSUPPORTED,
                 "ReduceMean 'y'");
    assert_null(undo);
    graft_graph_free(m);
}

TEST(task_batch__failed_allocations_change_nothing)
{
    struct graft_model *m = as_file(flat(1, INTS(1, 128)));
    uint8_t *before = NULL, *after = NULL;
    uint64_t n = 0, k = 0, nth = 0;
    assert_ok(graft_onnx_encode(&before, &n, m));
    int status = GRAFT_EMEM;
    while (status) {
        graft_alloc_fail_at(++nth, 0);
        status = graft_set_batch(m, 0, NULL);
        graft_alloc_fail_at(0, 0);
        if (status && status != GRAFT_EMEM)
            fail_msg("allocation %d: %d, %s", (int)nth, status,
                     graft_error_message());
        if (!status)
            break;
        assert_ok(graft_onnx_encode(&after, &k, m));
        assert_int_equal(n, k);
        assert_memory_equal(before, after, n);
        graft_free(after);
    }
    assert_true(nth > 200);
    assert_int_equal(graft_model_fixed_batch(m), 0);
    graft_free(before);
    graft_graph_free(m);
}
