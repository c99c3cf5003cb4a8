/* Edits encode only what they touch: every other element of the file is there
 * byte for byte, in its order.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "graph/edit.h"
#include "spans.h"
#include "support/build_model.h"
#include "support/rich_model.h"

enum { M = SPAN_MODEL, G = SPAN_GRAPH };
enum { NODE = 1, INIT = 5, INPUT = 11, OUTPUT = 12, INFO = 13, QUANT = 14,
       SPARSE = 15 };

/* A model from bytes, and those bytes. */
struct edited {
    struct graft_model *m;
    struct graft_str file;
    struct span_diff diff;
    uint8_t *bytes;
};

static struct edited rich(void)
{
    struct edited e = {.file = test_rich_file()};
    assert_ok(graft_onnx_parse(&e.m, NULL, e.file.at, e.file.n, "rich",
                               NULL));
    return e;
}

static struct edited of_file(const char *path)
{
    struct edited e = {.m = NULL};
    assert_ok(graft_onnx_open(&e.m, NULL, path));
    graft_str_init(&e.file);
    graft_str_addn(&e.file, e.m->blob.at[0].data,
                   (size_t)e.m->blob.at[0].size);
    return e;
}

static void compare(struct edited *e)
{
    uint64_t n = 0;
    struct graft_model *again = NULL;
    assert_ok(graft_onnx_encode(&e->bytes, &n, e->m));
    span_compare(&e->diff, span_wire(e->file.at, e->file.n),
                 span_wire(e->bytes, n));
    assert_ok(graft_onnx_parse(&again, NULL, e->bytes, n, "edited", NULL));
    graft_graph_free(again);
}

static void end(struct edited *e)
{
    span_release(&e->diff);
    graft_free(e->bytes);
    graft_str_release(&e->file);
    graft_graph_free(e->m);
}

/* Exactly these left and came: {level, number, gone, made}, ended by level
 * -1. */
struct change {
    int level;
    uint32_t number;
    int gone, made;
};
static void changed(const struct edited *e, const struct change *c)
{
    int gone = 0, made = 0;
    for (; c->level >= 0; c++) {
        assert_int_equal(span_count(&e->diff.gone, c->level, c->number),
                         c->gone);
        assert_int_equal(span_count(&e->diff.made, c->level, c->number),
                         c->made);
        gone += c->gone;
        made += c->made;
    }
    assert_int_equal(e->diff.gone.of.n, gone);
    assert_int_equal(e->diff.made.of.n, made);
}

/* The k-th element that left or came. */
static struct graft_wire nth(const struct span_list *l, int level,
                             uint32_t number, int k)
{
    for (int i = 0; i < l->of.n; i++)
        if (l->of.at[i].level == level && l->of.at[i].number == number &&
            k-- == 0)
            return l->of.at[i].payload;
    fail_msg("no such element");
    return (struct graft_wire){0};
}

/* Of two messages: how many fields differ, all of number `number` (0: of any
 * number); they have equally many. */
static int fields_changed(struct graft_wire a, struct graft_wire b,
                          uint32_t number)
{
    struct graft_field f, g;
    int n = 0;
    while (graft_wire_next(&a, &f) > 0) {
        assert_int_equal(graft_wire_next(&b, &g), 1);
        assert_int_equal(f.number, g.number);
        if (a.pos - f.offset == b.pos - g.offset &&
            !memcmp(a.data + f.offset, b.data + g.offset,
                    (size_t)(a.pos - f.offset)))
            continue;
        assert_true(!number || f.number == number);
        n++;
    }
    assert_int_equal(graft_wire_next(&b, &g), 0);
    return n;
}

static int32_t node_of(const struct graft_model *m, const char *name)
{
    for (int32_t i = 0; i < m->node.n; i++)
        if (!strcmp(m->node.at[i].name, name))
            return i;
    fail_msg("no node %s", name);
    return -1;
}

TEST(onnx_spans__no_edit_no_change)
{
    struct edited e = rich();
    e.m->edited = true;
    compare(&e);
    changed(&e, (struct change[]){{.level = -1}});
    assert_true(e.diff.kept > 25);
    end(&e);
}

TEST(onnx_spans__new_contents_of_an_initializer)
{
    struct edited e = rich();
    const float x[12] = {0.5f};
    const struct graft_tensor *t =
        &e.m->tensor.at[e.m->value.at[graft_value_find(e.m, "w")].tensor];
    const struct graft_shape shape = t->shape;
    assert_ok(graft_edit_contents(e.m, 0, GRAFT_FLOAT, &shape, x));
    compare(&e);
    changed(&e, (struct change[]){{G, INIT, 1, 1}, {.level = -1}});
    struct graft_wire now = nth(&e.diff.made, G, INIT, 0);
    struct graft_field f;
    int kept = 0, raw = 0;
    while (graft_wire_next(&now, &f) > 0) {
        kept += f.number == 12 || f.number == 16 || f.number == 8;
        raw += f.number == 9 && f.length == sizeof x &&
               !memcmp(now.data + f.payload, x, sizeof x);
    }
    assert_int_equal(kept, 3); /* doc, metadata, name */
    assert_int_equal(raw, 1);
    end(&e);
}

TEST(onnx_spans__new_type_of_an_initializer)
{
    struct edited e = rich();
    const int64_t x[2] = {7, 8};
    const struct graft_shape two = {.rank = 1, .dim = {2}};
    assert_ok(graft_edit_contents(e.m, 1, GRAFT_INT64, &two, x));
    compare(&e);
    changed(&e, (struct change[]){{G, INIT, 1, 1}, {.level = -1}});
    struct graft_model *again = NULL;
    uint64_t n = 0;
    uint8_t *bytes = NULL;
    assert_ok(graft_onnx_encode(&bytes, &n, e.m));
    assert_ok(graft_onnx_parse(&again, NULL, bytes, n, "again", NULL));
    assert_int_equal(again->tensor.at[1].dtype, GRAFT_INT64);
    assert_int_equal(again->tensor.at[1].shape.dim[0], 2);
    assert_memory_equal(again->tensor.at[1].data, x, sizeof x);
    graft_graph_free(again);
    graft_free(bytes);
    end(&e);
}

/* h is read by a node, named by an annotation, stated by a value info, and
 * read by a graph in an attribute; a branch has an h of its own. */
TEST(onnx_spans__renaming_a_value)
{
    struct edited e = rich();
    assert_ok(graft_edit_rename(e.m, graft_value_find(e.m, "h"), "hidden"));
    compare(&e);
    changed(&e, (struct change[]){{G, NODE, 3, 3}, {G, INFO, 1, 1},
                                  {G, QUANT, 1, 1}, {.level = -1}});
    const uint32_t field[] = {2, 1, 5}; /* of MatMul, Add, Foo's graphs */
    for (int i = 0; i < 3; i++)
        assert_int_equal(fields_changed(nth(&e.diff.gone, G, NODE, i),
                                        nth(&e.diff.made, G, NODE, i),
                                        field[i]), 1);
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, INFO, 0),
                                    nth(&e.diff.made, G, INFO, 0), 1), 1);
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, QUANT, 0),
                                    nth(&e.diff.made, G, QUANT, 0), 1), 1);
    end(&e);
}

/* An initializer that nodes, subgraphs and training read. The tensor of that
 * name in an attribute is none of them, nor is anything in a function. */
TEST(onnx_spans__renaming_an_initializer)
{
    struct edited e = rich();
    assert_ok(graft_edit_rename(e.m, graft_value_find(e.m, "w"), "weight"));
    compare(&e);
    changed(&e, (struct change[]){{G, NODE, 2, 2}, {G, INIT, 1, 1},
                                  {M, 20, 1, 1}, {.level = -1}});
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, NODE, 1),
                                    nth(&e.diff.made, G, NODE, 1), 5), 1);
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, INIT, 0),
                                    nth(&e.diff.made, G, INIT, 0), 8), 1);
    /* the graph that reads it, and the binding's key */
    assert_int_equal(fields_changed(nth(&e.diff.gone, M, 20, 0),
                                    nth(&e.diff.made, M, 20, 0), 0), 2);
    end(&e);
}

TEST(onnx_spans__renaming_in_branches_and_sharding)
{
    struct edited e = rich();
    assert_ok(graft_edit_rename(e.m, graft_value_find(e.m, "a"), "A"));
    assert_ok(graft_edit_rename(e.m, graft_value_find(e.m, "y"), "Y"));
    compare(&e);
    /* Add computes a; If reads it twice and computes y; Foo reads y. */
    changed(&e, (struct change[]){{G, NODE, 3, 3}, {G, INFO, 1, 1},
                                  {.level = -1}});
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, NODE, 1),
                                    nth(&e.diff.made, G, NODE, 1), 0), 3);
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, NODE, 2),
                                    nth(&e.diff.made, G, NODE, 2), 0), 3);
    end(&e);
}

/* Back to the old name, and two names exchanged by way of a third. */
TEST(onnx_spans__names_exchanged_and_put_back)
{
    struct edited e = rich();
    graft_value_id w = graft_value_find(e.m, "w");
    graft_value_id b = graft_value_find(e.m, "b");
    assert_ok(graft_edit_rename(e.m, w, "third"));
    assert_ok(graft_edit_rename(e.m, b, "w"));
    assert_ok(graft_edit_rename(e.m, w, "b"));
    assert_int_equal(graft_value_find(e.m, "third"), -1);
    assert_int_equal(graft_value_find(e.m, "w"), b);
    compare(&e);
    const char *const names[] = {"b", "w"};
    for (int i = 0; i < 2; i++) {
        struct graft_wire t = nth(&e.diff.made, G, INIT, i);
        struct graft_field f;
        while (graft_wire_next(&t, &f) > 0)
            if (f.number == 8)
                assert_memory_equal(t.data + f.payload, names[i], 1);
    }
    span_release(&e.diff);
    graft_free(e.bytes);
    assert_ok(graft_edit_rename(e.m, w, "third"));
    assert_ok(graft_edit_rename(e.m, b, "b"));
    assert_ok(graft_edit_rename(e.m, w, "w"));
    compare(&e);
    changed(&e, (struct change[]){{.level = -1}});
    end(&e);
}

TEST(onnx_spans__renaming_a_node_and_doc_strings)
{
    struct edited e = rich();
    assert_ok(graft_edit_rename_node(e.m, node_of(e.m, "mm"), "product"));
    assert_ok(graft_edit_doc(e.m, node_of(e.m, "add"), "adds"));
    assert_ok(graft_edit_doc(e.m, -1, "a model"));
    compare(&e);
    changed(&e, (struct change[]){{G, NODE, 2, 2}, {M, 6, 1, 1},
                                  {.level = -1}});
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, NODE, 0),
                                    nth(&e.diff.made, G, NODE, 0), 3), 1);
    end(&e);
}

TEST(onnx_spans__attributes_set_and_replaced)
{
    struct edited e = rich();
    const int32_t foo = node_of(e.m, "foo");
    const struct graft_attr i = {.name = "i", .type = GRAFT_ATTR_INT, .i = 9};
    const struct graft_attr j = {.name = "new", .type = GRAFT_ATTR_INT,
                                 .i = 9};
    assert_ok(graft_edit_attr(e.m, foo, &i));
    compare(&e);
    changed(&e, (struct change[]){{G, NODE, 1, 1}, {.level = -1}});
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, NODE, 0),
                                    nth(&e.diff.made, G, NODE, 0), 5), 1);
    span_release(&e.diff);
    graft_free(e.bytes);
    assert_ok(graft_edit_attr(e.m, foo, &j));
    compare(&e);
    assert_true(nth(&e.diff.made, G, NODE, 0).end -
                nth(&e.diff.made, G, NODE, 0).pos >
                nth(&e.diff.gone, G, NODE, 0).end -
                nth(&e.diff.gone, G, NODE, 0).pos);
    end(&e);
}

TEST(onnx_spans__types_of_values)
{
    struct edited e = rich();
    const struct graft_dim dim[] = {{5, NULL}, {3, NULL}};
    assert_ok(graft_edit_value_type(e.m, graft_value_find(e.m, "x"),
                                    GRAFT_FLOAT, dim, 2));
    assert_ok(graft_edit_value_type(e.m, graft_value_find(e.m, "h"),
                                    GRAFT_FLOAT16, NULL, -1));
    compare(&e);
    changed(&e, (struct change[]){{G, INPUT, 1, 1}, {G, INFO, 1, 1},
                                  {.level = -1}});
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, INPUT, 0),
                                    nth(&e.diff.made, G, INPUT, 0), 2), 1);
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, INFO, 0),
                                    nth(&e.diff.made, G, INFO, 0), 2), 1);
    end(&e);
}

/* A value info becomes an output as it is; the old output stays in place. */
TEST(onnx_spans__one_more_output)
{
    struct edited e = rich();
    graft_value_id out[] = {graft_value_find(e.m, "out"),
                            graft_value_find(e.m, "h")};
    assert_ok(graft_edit_outputs(e.m, out, 2));
    compare(&e);
    changed(&e, (struct change[]){{G, OUTPUT, 0, 1}, {G, INFO, 1, 0},
                                  {.level = -1}});
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, INFO, 0),
                                    nth(&e.diff.made, G, OUTPUT, 0), 0), 0);
    end(&e);
}

TEST(onnx_spans__another_order_of_outputs)
{
    struct edited e = rich();
    graft_value_id out[] = {graft_value_find(e.m, "h"),
                            graft_value_find(e.m, "out")};
    assert_ok(graft_edit_outputs(e.m, out, 2));
    compare(&e);
    changed(&e, (struct change[]){{G, OUTPUT, 1, 2}, {G, INFO, 1, 0},
                                  {.level = -1}});
    assert_int_equal(fields_changed(nth(&e.diff.gone, G, OUTPUT, 0),
                                    nth(&e.diff.made, G, OUTPUT, 1), 0), 0);
    end(&e);
}

/* What the cut needs stays; what is said about the dead goes with them. */
TEST(onnx_spans__cutting)
{
    struct edited e = rich();
    graft_value_id a = graft_value_find(e.m, "a");
    assert_ok(graft_edit_outputs(e.m, &a, 1));
    compare(&e);
    changed(&e, (struct change[]){{G, NODE, 3, 0}, {G, OUTPUT, 1, 1},
                                  {G, INFO, 1, 0}, {.level = -1}});
    end(&e);
}

TEST(onnx_spans__metadata_and_opset)
{
    struct edited e = rich();
    assert_ok(graft_edit_metadata(e.m, "author", "another"));
    assert_ok(graft_edit_metadata(e.m, "new", "entry"));
    assert_ok(graft_edit_opset(e.m, "acme", 2));
    compare(&e);
    changed(&e, (struct change[]){{M, 14, 1, 2}, {M, 8, 1, 1},
                                  {.level = -1}});
    assert_ok(graft_edit_metadata(e.m, "author", NULL));
    assert_null(graft_metadata_get(e.m, "author"));
    end(&e);
}

/* ---- real models --------------------------------------------------------- */

/* Cut at a value, with a head of five classes on it. */
static void spliced(const char *path, const char *cut, int64_t features)
{
    struct edited e = of_file(path);
    graft_value_id v = graft_value_find(e.m, cut), w;
    const struct graft_dim out[] = {{-1, "N"}, {5, NULL}};
    const int nodes = e.m->node.n, tensors = e.m->tensor.n;
    assert_true(v >= 0);
    assert_ok(graft_edit_outputs(e.m, &v, 1));
    w = test_build_tensor(e.m, "new.weight", (int64_t[]){features, 5}, 2, 1);
    v = test_build_node(e.m, "MatMul", "new.logits",
                        (graft_value_id[]){v, w}, 2, NULL);
    assert_ok(graft_edit_value_type(e.m, v, GRAFT_FLOAT, out, 2));
    assert_ok(graft_edit_outputs(e.m, &v, 1));
    compare(&e);
    int gone_nodes = 0, gone_tensors = 0;
    for (int i = 0; i < nodes; i++)
        gone_nodes += e.m->node.at[i].removed;
    for (int i = 0; i < tensors; i++)
        gone_tensors += e.m->tensor.at[i].removed;
    assert_int_equal(span_count(&e.diff.gone, G, NODE), gone_nodes);
    assert_int_equal(span_count(&e.diff.made, G, NODE), 1);
    assert_int_equal(span_count(&e.diff.gone, G, INIT), gone_tensors);
    assert_int_equal(span_count(&e.diff.made, G, INIT), 1);
    assert_int_equal(span_count(&e.diff.made, G, OUTPUT), 1);
    assert_int_equal(e.diff.made.of.n, 3);
    end(&e);
}

TEST(onnx_spans__splicing_a_head_on_real_models)
{
    NEED_SHARED(a, "models/squeezenet1.1_imagenet.onnx")
    char path[4096];
    struct graft_model *m = NULL;
    snprintf(path, sizeof path, "%s", a);
    assert_ok(graft_onnx_open(&m, NULL, path));
    char cut[256]; /* what the last node reads */
    snprintf(cut, sizeof cut, "%s",
             m->value.at[m->node.at[m->node.n - 1].in[0]].name);
    graft_graph_free(m);
    spliced(path, cut, 1000);
}

TEST(onnx_spans__renaming_an_output_of_real_models)
{
    NEED_SHARED(models, "models")
    static const char *const names[] = {
        "mobilenetv2_imagenet_gemm", "resnet20_cifar10",
        "external/yolox_nano_coco_416", "external/mnist_cnn_cntk"};
    char folder[4096], path[4200];
    snprintf(folder, sizeof folder, "%s", models);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s.onnx", folder, names[i]);
        struct edited e = of_file(path);
        assert_ok(graft_edit_rename(e.m, e.m->output.at[0], "a new name"));
        compare(&e);
        changed(&e, (struct change[]){{G, NODE, 1, 1}, {G, OUTPUT, 1, 1},
                                      {.level = -1}});
        end(&e);
    }
}
