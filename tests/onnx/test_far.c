/* Data files of tensors that are no initializers of the graph: in nodes,
 * subgraphs, functions, training and sparse tensors.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "craft.h"
#include "graph/edit.h"
#include "onnx/scan.h"

enum { BYTES = 4096, PLACES = 7 };

/* TensorProto of 512 floats, the k-th one in the k-th stretch of "w". */
static struct graft_str tensor(const char *name, int k)
{
    char offset[24];
    struct graft_str t;
    graft_str_init(&t);
    graft_put_int(&t, 1, BYTES / 2 / 4);
    graft_put_int(&t, 2, GRAFT_FLOAT);
    graft_put_text(&t, 8, name);
    snprintf(offset, sizeof offset, "%d", k * BYTES / 2);
    craft_entry(&t, "location", k % 2 ? "w" : "./w");
    craft_entry(&t, "offset", offset);
    craft_entry(&t, "length", "2048");
    graft_put_int(&t, 14, 1);
    graft_put_int(&t, 99, 7); /* a field that nobody knows */
    return t;
}

/* Node `op` -> out with an attribute whose field holds `payload`. */
static void node_with(struct graft_str *outer, uint32_t in_field,
                      const char *out, uint32_t field, int type,
                      struct graft_str *payload)
{
    struct graft_str a, n;
    graft_str_init(&a);
    graft_str_init(&n);
    graft_put_text(&a, 1, "value");
    craft_put(&a, field, payload);
    graft_put_int(&a, 20, type);
    graft_put_text(&n, 2, out);
    graft_put_text(&n, 4, "Constant");
    craft_put(&n, 5, &a);
    craft_put(outer, in_field, &n);
}

/* One tensor in each place that the format has for them. */
static struct graft_str file(void)
{
    struct graft_str g, body, t, sparse, f, training;
    graft_str_init(&g);
    graft_str_init(&body);
    graft_str_init(&sparse);
    graft_str_init(&f);
    graft_str_init(&training);
    craft_value(&g, 11, "x");
    t = tensor("", 0);
    node_with(&g, 1, "c", 5, GRAFT_ATTR_TENSOR, &t);
    t = tensor("inner", 1);
    craft_put(&body, 5, &t); /* an initializer of a subgraph */
    t = tensor("", 2);
    node_with(&body, 1, "d", 10, GRAFT_ATTR_TENSORS, &t);
    node_with(&g, 1, "y", 6, GRAFT_ATTR_GRAPH, &body);
    t = tensor("w", 3);
    craft_put(&g, 5, &t); /* the graph's own */
    t = tensor("values", 4);
    craft_put(&sparse, 1, &t);
    craft_put(&g, 15, &sparse);
    craft_value(&g, 12, "y");
    struct graft_str s = craft_file(&g, 10, 20);
    t = tensor("", 5);
    node_with(&f, 7, "e", 5, GRAFT_ATTR_TENSOR, &t);
    graft_put_text(&f, 1, "function");
    craft_put(&s, 25, &f);
    graft_str_init(&body);
    t = tensor("", 6);
    node_with(&body, 1, "f", 5, GRAFT_ATTR_TENSOR, &t);
    craft_put(&training, 2, &body);
    craft_put(&s, 20, &training);
    return s;
}

/* The pair in a folder of its own; opened. */
static struct graft_model *pair(char folder[300])
{
    char path[320];
    float data[PLACES * BYTES / 2 / 4];
    struct graft_model *m = NULL;
    struct graft_str s = file();
    snprintf(folder, 300, "%s", test_folder());
    for (size_t i = 0; i < sizeof data / sizeof *data; i++)
        data[i] = (float)i;
    snprintf(path, sizeof path, "%s/w", folder);
    assert_ok(graft_file_write(path, data, sizeof data, GRAFT_WRITE_NEW));
    snprintf(path, sizeof path, "%s/a.onnx", folder);
    assert_ok(graft_file_write(path, s.at, s.n, GRAFT_WRITE_NEW));
    graft_str_release(&s);
    assert_ok(graft_onnx_open(&m, NULL, path));
    assert_int_equal(m->items->external.n, PLACES);
    assert_int_equal(m->blob.n, 2);
    for (int i = 0; i < PLACES; i++) {
        const struct graft_external *e = &m->items->external.at[i];
        assert_int_equal(e->bytes, BYTES / 2);
        assert_int_equal((e->data - m->blob.at[1].data) % (BYTES / 2), 0);
    }
    return m;
}

static int occurrences(const struct graft_model *m, const void *at, size_t n)
{
    int found = 0;
    const struct graft_blob *b = &m->blob.at[0];
    for (uint64_t i = 0; i + n <= b->size; i++)
        found += !memcmp(b->data + i, at, n);
    return found;
}

TEST(onnx_far__read_and_carried)
{
    char folder[300], path[320];
    struct graft_model *m = pair(folder), *again = NULL;
    snprintf(path, sizeof path, "%s/b.onnx", folder);
    assert_ok(graft_onnx_save(m, path, NULL)); /* beside its data */
    assert_ok(graft_onnx_open(&again, NULL, path));
    assert_int_equal(again->blob.at[0].size, m->blob.at[0].size);
    assert_memory_equal(again->blob.at[0].data, m->blob.at[0].data,
                        m->blob.at[0].size);
    graft_graph_free(again);
    graft_graph_free(m);
}

/* All inside; the same as one message in memory. */
TEST(onnx_far__brought_inside)
{
    char folder[300], path[340];
    struct graft_model *m = pair(folder), *again = NULL;
    const struct graft_onnx_save embed = {.embed = true};
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    snprintf(path, sizeof path, "%s/b.onnx", folder);
    assert_ok(graft_onnx_save(m, path, &embed));
    assert_ok(graft_onnx_open(&again, NULL, path));
    assert_int_equal(again->blob.n, 1);
    assert_int_equal(again->items->external.n, 0);
    for (int i = 0; i < PLACES; i++)
        assert_int_equal(occurrences(again, m->items->external.at[i].data,
                                     BYTES / 2), 1);
    assert_int_equal(occurrences(again, "\x98\x06\x07", 3), PLACES);
    assert_memory_equal(again->node.at[0].attr[0].tensor->data,
                        m->node.at[0].attr[0].tensor->data, BYTES / 2);
    assert_ok(graft_onnx_encode(&bytes, &n, m));
    assert_int_equal(n, again->blob.at[0].size);
    assert_memory_equal(bytes, again->blob.at[0].data, n);
    graft_free(bytes);
    graft_graph_free(again);
    graft_graph_free(m);
}

/* An edited model elsewhere, with a data file of its own; what a removed node
 * had stays behind. */
TEST(onnx_far__edited_and_moved)
{
    char folder[300], path[340];
    const struct graft_dim one = {1, NULL};
    const struct graft_onnx_save external = {.external = true};
    for (int cut = 0; cut < 2; cut++) {
        struct graft_model *m = pair(folder), *again = NULL;
        graft_value_id c = graft_value_find(m, "c");
        if (cut) {
            assert_ok(graft_edit_value_type(m, c, GRAFT_FLOAT, &one, 1));
            assert_ok(graft_edit_outputs(m, &c, 1));
        }
        assert_ok(graft_edit_metadata(m, "edited", "yes"));
        snprintf(path, sizeof path, "%s/b.onnx", test_folder());
        assert_ok(graft_onnx_save(m, path, &external));
        assert_ok(graft_onnx_open(&again, NULL, path));
        assert_int_equal(again->blob.n, 2);
        assert_string_equal(again->blob.at[1].name, "b.onnx.data");
        /* The branch goes with two tensors; initializers without a reader
         * stay. */
        assert_int_equal(again->items->external.n, PLACES - 2 * cut);
        assert_int_equal(again->blob.at[1].size,
                         (PLACES - 2 * cut) * BYTES / 2);
        assert_memory_equal(again->node.at[0].attr[0].tensor->data,
                            m->node.at[0].attr[0].tensor->data, BYTES / 2);
        graft_graph_free(again);
        graft_graph_free(m);
    }
}

/* Wrong in any of the places, it is refused with the tensor's name. */
TEST(onnx_far__checked)
{
    struct graft_str s = file();
    for (size_t i = 8; i + 6 < s.n; i++) {
        if (memcmp(s.at + i - 8, "length\x12\x04", 8))
            continue;
        struct graft_model *m = NULL;
        char folder[300];
        graft_graph_free(pair(folder));
        s.at[i] = '1';
        assert_fails(graft_onnx_parse(&m, NULL, s.at, s.n, "f", folder),
                     GRAFT_EFORMAT, "needs 2048 bytes, the file has 1048");
        s.at[i] = '2';
    }
    struct graft_model *m = NULL;
    assert_fails(graft_onnx_parse(&m, NULL, s.at, s.n, "f", NULL), GRAFT_EARG,
                 "no folder");
    graft_str_release(&s);
}

/* A link in any of the places is one, not only where initializers are. */
TEST(onnx_far__confined)
{
    char folder[300], path[320];
    graft_graph_free(pair(folder));
    snprintf(path, sizeof path, "%s/v", folder);
    assert_int_equal(symlink("w", path), 0);
    struct graft_str s = file();
    int tried = 0;
    for (size_t i = 12; i < s.n; i++) {
        struct graft_model *m = NULL;
        if (s.at[i] != 'w' || (memcmp(s.at + i - 10, "location\x12\x01", 10) &&
                               memcmp(s.at + i - 12, "location\x12\x03./",
                                      12)))
            continue;
        s.at[i] = 'v';
        assert_fails(graft_onnx_parse(&m, NULL, s.at, s.n, "f", folder),
                     GRAFT_EARG, "is a symbolic link");
        s.at[i] = 'w';
        tried++;
    }
    assert_int_equal(tried, PLACES);
    graft_str_release(&s);
}
