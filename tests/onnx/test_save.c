/* Saving: what edits make of a file, and which files are never written over.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "craft.h"
#include "support/build_model.h"

/* Cuts at `cut`, adds a Gemm head of five classes on Flatten, and saves. */
static void cut_and_splice(struct graft_model *m, const char *cut,
                           int64_t features, const char *path)
{
    graft_value_id y = graft_value_find(m, cut), w, b;
    const struct graft_attr gemm[] = {
        {.name = "transB", .type = GRAFT_ATTR_INT, .i = 1}, {0}};
    const struct graft_dim out[] = {{-1, "N"}, {5, NULL}};
    assert_true(y >= 0);
    assert_ok(graft_edit_outputs(m, &y, 1));
    w = test_build_tensor(m, graft_unique_name(m, "weight"),
                          (int64_t[]){5, features}, 2, 0.1);
    b = test_build_tensor(m, graft_unique_name(m, "bias"), (int64_t[]){5}, 1,
                          0.1);
    y = test_build_node(m, "Gemm", graft_unique_name(m, "logits"),
                        (graft_value_id[]){y, w, b}, 3, gemm);
    assert_true(y >= 0);
    assert_ok(graft_edit_value_type(m, y, GRAFT_FLOAT, out, 2));
    assert_ok(graft_edit_outputs(m, &y, 1));
    assert_ok(graft_edit_metadata(m, "graft", "{\"labels\":[]}"));
    assert_ok(graft_onnx_save(m, path, NULL));
}

static int live_nodes(const struct graft_model *m)
{
    int n = 0;
    for (int i = 0; i < m->node.n; i++)
        n += !m->node.at[i].removed;
    return n;
}

/* The saved model has what the edited one has, kept bytes for bytes. */
static void reopened(const struct graft_model *m, const char *path)
{
    struct graft_model *r = NULL;
    assert_ok(graft_onnx_open(&r, NULL, path));
    assert_int_equal(r->node.n, live_nodes(m));
    assert_int_equal(r->input.n, m->input.n);
    assert_int_equal(r->output.n, 1);
    assert_int_equal(r->parameter_count, m->parameter_count);
    assert_int_equal(r->blob.n, 1);
    assert_string_equal(graft_metadata_get(r, "graft"), "{\"labels\":[]}");
    for (int i = 0, k = 0; i < m->node.n; i++) {
        const struct graft_node *a = &m->node.at[i];
        if (a->removed)
            continue;
        const struct graft_node *b = &r->node.at[k++];
        assert_string_equal(a->op_type, b->op_type);
        if (a->span.blob < 0)
            continue;
        assert_int_equal(a->span.length, b->span.length);
        assert_memory_equal(m->blob.at[0].data + a->span.offset,
                            r->blob.at[0].data + b->span.offset,
                            a->span.length);
    }
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *a = &m->tensor.at[i];
        int k = r->value.at[graft_value_find(r, a->name) < 0
                                ? 0 : graft_value_find(r, a->name)].tensor;
        if (a->removed) {
            assert_true(graft_value_find(r, a->name) < 0);
            continue;
        }
        assert_int_equal(a->bytes, r->tensor.at[k].bytes);
        assert_memory_equal(a->data, r->tensor.at[k].data, a->bytes);
    }
    graft_graph_free(r);
}

static void edited(const char *in, const char *cut, int64_t features)
{
    struct graft_model *m = NULL;
    char out[300];
    snprintf(out, sizeof out, "%s/%s", test_folder(), graft_path_base(in));
    assert_ok(graft_onnx_open(&m, NULL, in));
    cut_and_splice(m, cut, features, out);
    reopened(m, out);
    graft_graph_free(m);
}

TEST(onnx_save__cut_and_splice_tiny)
{
    struct graft_model *m = NULL;
    char in[300];
    for (int ir = 3; ir <= 8; ir += 5) {
        snprintf(in, sizeof in, "%s/tiny.onnx", test_folder());
        assert_ok(test_build_model(&m, ir, 13));
        assert_ok(graft_onnx_save(m, in, NULL));
        graft_graph_free(m);
        edited(in, "features", 4);
    }
}

TEST(onnx_save__cut_and_splice_mobilenet)
{
    NEED_SHARED(in, "models/mobilenetv2_bn_backbone.onnx")
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_open(&m, NULL, in));
    char features[200];
    snprintf(features, sizeof features, "%s",
             m->value.at[m->output.at[0]].name);
    graft_graph_free(m);
    edited(in, features, 1280);
}

/* IR 3: initializers are inputs, here also the new ones. */
TEST(onnx_save__cut_and_splice_ir_3)
{
    NEED_SHARED(in, "models/external/mnist_cnn_cntk.onnx")
    edited(in, "Pooling160_Output_0_reshape0", 256);
}

TEST(onnx_save__cut_and_splice_external)
{
    NEED_SHARED(in, "models/external/squeezenet_torch215.onnx")
    edited(in, "view", 1000);
}

TEST(onnx_save__files_are_not_written_over)
{
    struct graft_model *m = NULL;
    char a[300], b[300], link[320];
    const char *folder = test_folder();
    const struct graft_onnx_save replace = {.replace = true};
    const struct graft_onnx_save both = {.embed = true, .external = true};
    snprintf(a, sizeof a, "%s/a.onnx", folder);
    snprintf(b, sizeof b, "%s/b.onnx", folder);
    snprintf(link, sizeof link, "%s/link.onnx", folder);
    assert_ok(test_build_model(&m, 8, 13));
    assert_ok(graft_onnx_save(m, a, NULL));
    graft_graph_free(m);
    m = NULL;
    assert_ok(graft_onnx_open(&m, NULL, a));
    assert_fails(graft_onnx_save(m, a, &replace), GRAFT_EARG, "read from");
    assert_int_equal(symlink("a.onnx", link), 0);
    assert_fails(graft_onnx_save(m, link, &replace), GRAFT_EARG, "read from");
    assert_ok(graft_onnx_save(m, b, NULL));
    assert_fails(graft_onnx_save(m, b, NULL), GRAFT_EEXIST, "exists");
    assert_ok(graft_onnx_save(m, b, &replace));
    assert_fails(graft_onnx_save(m, b, &both), GRAFT_EARG, "not both");
    assert_fails(graft_onnx_save(m, folder, &replace), GRAFT_EARG, "folder");
    snprintf(b, sizeof b, "%s/none/x.onnx", folder);
    assert_fails(graft_onnx_save(m, b, NULL), GRAFT_EIO, "none/x.onnx");
    graft_graph_free(m);
}

TEST(onnx_save__output_without_type_is_refused)
{
    struct graft_model *m = NULL;
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    assert_ok(test_build_model(&m, 8, 13));
    graft_value_id relu = graft_value_find(m, "relu");
    assert_ok(graft_edit_outputs(m, &relu, 1));
    assert_fails(graft_onnx_encode(&bytes, &n, m), GRAFT_EARG, "'relu'");
    assert_null(bytes);
    graft_graph_free(m);
}

/* If whose branches read outer values: these count as read. */
static struct graft_str with_branch(void)
{
    struct graft_str body, attr, node, g;
    graft_str_init(&body);
    graft_str_init(&attr);
    graft_str_init(&node);
    graft_str_init(&g);
    craft_node(&body, "Add", "hidden", "inner"); /* hidden: outer */
    craft_value(&body, 12, "inner");
    graft_put_text(&attr, 1, "then_branch");
    craft_put(&attr, 6, &body);
    graft_put_int(&attr, 20, GRAFT_ATTR_GRAPH);
    graft_put_text(&node, 1, "x");
    graft_put_text(&node, 2, "y");
    graft_put_text(&node, 4, "If");
    craft_put(&node, 5, &attr);
    craft_value(&g, 11, "x");
    craft_node(&g, "Exp", "x", "hidden");
    craft_node(&g, "Exp", "x", "dead");
    craft_put(&g, 1, &node);
    craft_value(&g, 12, "y");
    return craft_file(&g, 8, 13);
}

TEST(onnx_save__subgraph_keeps_what_it_reads)
{
    struct graft_model *m = NULL;
    struct graft_str file = with_branch();
    assert_ok(craft_parse(&m, &file));
    const struct graft_node *branch = &m->node.at[2];
    assert_true(branch->has_subgraph);
    assert_int_equal(branch->n_capture, 1);
    assert_int_equal(branch->capture[0], graft_value_find(m, "hidden"));
    assert_string_equal(graft_unique_name(m, "inner"), "inner_1");
    graft_value_id y = graft_value_find(m, "y");
    assert_ok(graft_edit_outputs(m, &y, 1));
    assert_false(m->node.at[0].removed);
    assert_true(m->node.at[1].removed);
    graft_graph_free(m);
}

/* The n-th allocation fails, once and from then on: an error, no leak, no
 * file. ASan watches for leaks. */
static int work(const char *path, const char *out)
{
    struct graft_model *m = NULL;
    const struct graft_onnx_save external = {.external = true};
    int status = graft_onnx_open(&m, NULL, path);
    if (!status)
        status = graft_onnx_save(m, out, NULL);
    if (!status)
        status = unlink(out);
    if (!status)
        status = graft_edit_metadata(m, "key", "value");
    graft_value_id y = m ? graft_value_find(m, "features") : -1;
    if (!status)
        status = graft_edit_value_type(m, y, GRAFT_FLOAT, NULL, 0);
    if (!status)
        status = graft_edit_outputs(m, &y, 1);
    if (!status)
        status = graft_onnx_save(m, out, &external);
    graft_graph_free(m);
    return status;
}

TEST(onnx_save__any_allocation_may_fail)
{
    struct graft_model *m = NULL;
    char in[300], out[300];
    const char *folder = test_folder();
    snprintf(in, sizeof in, "%s/in.onnx", folder);
    snprintf(out, sizeof out, "%s/out.onnx", folder);
    assert_ok(test_build_model(&m, 8, 13));
    assert_ok(graft_edit_metadata(m, "key", "old"));
    assert_ok(graft_onnx_save(m, in, NULL));
    graft_graph_free(m);
    for (int forever = 0; forever < 2; forever++) {
        uint64_t live = graft_alloc_stats().live_bytes;
        int failures = 0;
        for (uint64_t nth = 1;; nth++) {
            graft_alloc_fail_at(nth, forever);
            int status = work(in, out);
            graft_alloc_fail_at(0, 0);
            assert_int_equal(graft_alloc_stats().live_bytes, live);
            if (!status)
                break;
            assert_int_equal(status, GRAFT_EMEM);
            assert_true(++failures < 100000);
            unlink(out); /* the folder's flush may fail after the rename */
        }
        assert_true(failures > 100);
        assert_int_equal(unlink(out), 0);
    }
}
