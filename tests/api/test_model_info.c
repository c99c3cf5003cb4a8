/* The public description: everything of a file, before and after edits.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "graft/edit.h"
#include "graft/graph.h"
#include "support/dump_model.h"
#include "support/rich_model.h"
#include "test.h"

static graft_model *rich(void)
{
    struct graft_str f = test_rich_file();
    graft_model *m = NULL;
    assert_ok(graft_model_parse(&m, NULL, f.at, f.n));
    graft_str_release(&f);
    return m;
}

static struct graft_str dump(const graft_model *m)
{
    struct graft_model_info *x = NULL;
    assert_ok(graft_model_info_new(&x, m));
    struct graft_str s = test_dump_model(x);
    graft_model_info_free(x);
    assert_int_equal(graft_str_ok(&s), 0);
    return s;
}

static void has(const struct graft_str *s, const char *const *lines)
{
    for (; *lines; lines++)
        if (!strstr(s->at, *lines))
            fail_msg("no '%s' in\n%s", *lines, s->at);
}

TEST(api_model_info__all_of_a_model)
{
    graft_model *m = rich();
    struct graft_str s = dump(m);
    has(&s, (const char *const[]){
        "model ir 11 version 42 'rich' '1.0' '' 'secret of the model'\n",
        "opset '' 17\n", "opset 'acme' 1\n", "metadata author=somebody\n",
        "graph rich 'secret of the graph'\n",
        "  node mm op MatMul domain '' overload '' 'secret of a node'\n"
        "    in 'x'\n    in 'w'\n    out 'h'\n"
        "    metadata node.path=/secret/node\n",
        "  input x 'secret of a value'\n"
        "    type 1 1 float32 rank 2 '' '' 'FEATURES'\n"
        "      dim -1 N 'DATA_BATCH'\n      dim 3 - ''\n"
        "    metadata value.path=/secret/value\n",
        "  output out ", "  value h ", "  value a ",
        "  initializer w 'secret of a tensor' 1 float32 count 12 bytes 48 ",
        "  initializer b '' 1 float32 count 4 bytes 16 ",
        "  sparse\n    values s '' 1 float32 count 2 bytes 8 ",
        "    indices  '' 7 int64 count 2 bytes 16 ", "    dim 4\n",
        "  annotation of h\n    quantised by SCALE_TENSOR=b\n",
        "training\n", "update w=w_new\n",
        "function Twice domain 'local' overload '' 'secret of a function'\n"
        "  in 'a'\n  out 'h'\n  wants 'must'\n",
        "  attribute may '' kind 2 of -, 1\n    int 3\n",
        "    attribute alpha '' kind 1 of must, 0\n",
        "  metadata function.path=/secret/function\n", NULL});
    graft_str_release(&s);
    graft_model_free(m);
}

TEST(api_model_info__attributes_of_every_kind)
{
    graft_model *m = rich();
    struct graft_str s = dump(m);
    has(&s, (const char *const[]){
        "  node foo op Foo domain 'acme' overload 'overloaded' ''\n"
        "    in 'y'\n    in ''\n",
        " f '' kind 1 of -, 1\n      float 0x1.8p+0\n",
        " i '' kind 2 of -, 1\n      int -7\n",
        " s '' kind 3 of -, 1\n      string 3 a\n",
        " floats '' kind 6 of -, 2\n      float 0x1p-2\n"
        "      float -0x1p+1\n",
        " ints '' kind 7 of -, 4\n      int 1\n      int 2\n      int 3\n"
        "      int -4\n",
        " strings '' kind 8 of -, 2\n      string 3 one\n"
        "      string 3 two\n",
        " t '' kind 4 of -, 1\n      tensor w 'secret of a tensor' 1 ",
        " tensors '' kind 9 of -, 2\n      tensor  '' 1 ",
        " g '' kind 5 of -, 1\n      graph  ''\n        node  op Neg",
        " graphs '' kind 10 of -, 2\n", " sparse '' kind 11 of -, 1\n",
        " sparses '' kind 12 of -, 2\n",
        " type '' kind 13 of -, 1\n      type 9 0 undefined rank -1",
        "        type 4 0 undefined rank -1",
        "          type 1 1 float32 rank 2", "            dim -1 M",
        " types '' kind 14 of -, 2\n", "      type 5 7 int64 rank -1",
        "    attribute then_branch '' kind 5 of -, 1\n"
        "      graph then 'secret of a graph'\n",
        "    attribute else_branch 'secret of an attribute' kind 5", NULL});
    graft_str_release(&s);
    graft_model_free(m);
}

/* The description of an edited model is that of the file it would become. */
static void as_saved(const graft_model *m)
{
    graft_model *again = NULL;
    void *bytes = NULL;
    uint64_t n = 0;
    assert_ok(graft_model_encode(&bytes, &n, m));
    assert_ok(graft_model_parse(&again, NULL, bytes, n));
    graft_encoded_free(bytes);
    struct graft_str a = dump(m), b = dump(again);
    assert_string_equal(a.at, b.at);
    graft_str_release(&a);
    graft_str_release(&b);
    graft_model_free(again);
}

TEST(api_model_info__edits_show_as_they_would_be_saved)
{
    graft_model *m = rich();
    const float x[12] = {7};
    as_saved(m);
    assert_ok(graft_model_rename(m, "h", "hidden"));
    assert_ok(graft_model_rename(m, "w", "weight"));
    assert_ok(graft_model_rename_node(m, "mm", "product"));
    as_saved(m);
    assert_ok(graft_model_set_initializer(m, "weight", x, sizeof x));
    assert_ok(graft_model_set_metadata(m, "author", "me"));
    assert_ok(graft_model_set_doc(m, "new"));
    assert_ok(graft_model_set_node_doc(m, "add", "new too"));
    as_saved(m);
    struct graft_str s = dump(m);
    has(&s, (const char *const[]){
        "'new'\n", "metadata author=me\n", "  node product op MatMul",
        "    in 'weight'\n    out 'hidden'\n", "'new too'\n",
        "  annotation of hidden\n", "update weight=w_new\n",
        "  initializer weight 'secret of a tensor'", NULL});
    graft_str_release(&s);
    assert_ok(graft_model_strip(m, GRAFT_BALLAST_ALL, NULL));
    as_saved(m);
    s = dump(m);
    assert_null(strstr(s.at, "secret"));
    assert_non_null(strstr(s.at, "metadata author=me\n"));
    graft_str_release(&s);
    assert_ok(graft_model_set_outputs(m, (const char *[]){"a"}, 1, NULL));
    as_saved(m);
    graft_model_free(m);
}

TEST(api_model_info__stays_while_the_model_changes)
{
    graft_model *m = rich();
    struct graft_model_info *x = NULL;
    assert_ok(graft_model_info_new(&x, m));
    struct graft_str before = test_dump_model(x);
    const float zero[12] = {0};
    assert_ok(graft_model_rename(m, "x", "image"));
    assert_ok(graft_model_set_initializer(m, "w", zero, sizeof zero));
    assert_ok(graft_model_strip(m, GRAFT_BALLAST_ALL, NULL));
    struct graft_str after = test_dump_model(x);
    assert_string_equal(before.at, after.at);
    graft_str_release(&before);
    graft_str_release(&after);
    graft_model_info_free(x);
    graft_model_info_free(NULL);
    graft_model_free(m);
}

TEST(api_model_info__real_models_and_external_data)
{
    NEED_SHARED(models, "models")
    static const char *const names[] = {
        "mobilenetv3_small_dequant", "external/mnist_cnn_cntk",
        "external/squeezenet_torch215", "external/yolox_nano_coco_416"};
    char folder[4000], path[4096];
    snprintf(folder, sizeof folder, "%s", models);
    for (int i = 0; i < 4; i++) {
        graft_model *m = NULL;
        struct graft_model_info *x = NULL;
        snprintf(path, sizeof path, "%s/%s.onnx", folder, names[i]);
        assert_ok(graft_model_open(&m, NULL, path));
        uint64_t live = graft_alloc_stats().live_bytes;
        assert_ok(graft_model_info_new(&x, m));
        for (int k = 0; k < x->graph.n_initializers; k++) {
            const struct graft_tensor_info *t = &x->graph.initializers[k];
            assert_null(t->why);
            assert_true(t->data || t->strings);
        }
        assert_int_equal(x->graph.initializers[0].location != NULL, i == 2);
        graft_model_info_free(x);
        assert_int_equal(graft_alloc_stats().live_bytes, live);
        as_saved(m);
        graft_model_free(m);
    }
}

TEST(api_model_info__any_allocation_may_fail)
{
    graft_model *m = rich();
    assert_ok(graft_model_rename(m, "h", "hidden"));
    for (int forever = 0; forever < 2; forever++)
        for (uint64_t nth = 1;; nth++) {
            struct graft_model_info *x = NULL;
            uint64_t live = graft_alloc_stats().live_bytes;
            graft_alloc_fail_at(nth, forever);
            int status = graft_model_info_new(&x, m);
            graft_alloc_fail_at(0, 0);
            if (!status) {
                assert_true(nth > 20);
                graft_model_info_free(x);
                break;
            }
            assert_int_equal(status, GRAFT_EMEM);
            assert_null(x);
            assert_int_equal(graft_alloc_stats().live_bytes, live);
        }
    graft_model_free(m);
}
