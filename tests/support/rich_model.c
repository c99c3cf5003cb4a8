/* The file of rich_model.h, field by field.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rich_model.h"

#include "rich_parts.h"

static void annotation(str *g)
{
    str a = new_str();
    graft_put_text(&a, 1, "h");
    entry(&a, 2, "SCALE_TENSOR", "b");
    put(g, 14, a);
}

static str opset(const char *domain, int64_t version)
{
    const struct graft_opset o = {domain, version, GRAFT_NO_SPAN};
    str s = new_str();
    graft_encode_opset(&s, &o);
    return s;
}

static str function(void)
{
    str f = new_str(), n = node("Mul", NULL, "a", "a", "h"), a;
    graft_put_text(&f, 1, "Twice");
    graft_put_text(&f, 4, "a"); /* names of its own, not the graph's */
    graft_put_text(&f, 5, "h");
    graft_put_text(&f, 6, "must");
    a = new_str();
    graft_put_text(&a, 1, "alpha");
    graft_put_int(&a, 20, GRAFT_ATTR_FLOAT);
    graft_put_text(&a, 21, "must");
    put(&n, 5, a);
    graft_put_text(&n, 6, "secret in a function");
    put(&f, 7, n);
    graft_put_text(&f, 8, "secret of a function");
    put(&f, 9, opset("", 17));
    graft_put_text(&f, 10, "local");
    a = attr("may", GRAFT_ATTR_INT);
    graft_put_int(&a, 3, 3);
    put(&f, 11, a);
    value(&f, 12, "h", "N", 4, false);
    entry(&f, 14, "function.path", "/secret/function");
    return f;
}

static str training(void)
{
    str t = new_str(), g = new_str();
    put(&g, 1, node("Sub", NULL, "w", "b", "w_new"));
    value(&g, 12, "w_new", "N", 4, true);
    put(&t, 2, g);
    entry(&t, 4, "w", "w_new");
    return t;
}

static str graph(void)
{
    str g = new_str(), n = node("MatMul", "mm", "x", "w", "h");
    graft_put_text(&n, 6, "secret of a node");
    entry(&n, 9, "node.path", "/secret/node");
    graft_put_int(&n, 1000, 5);
    put(&g, 1, n);
    /* a length of five bytes */
    n = node("Add", "add", "h", "b", "a");
    uint8_t length[5] = {(uint8_t)(n.n | 0x80), 0x80, 0x80, 0x80, 0};
    graft_put_varint(&g, 1 << 3 | 2);
    graft_str_addn(&g, length, 5);
    graft_str_addn(&g, n.at, n.n);
    graft_str_release(&n);
    put(&g, 1, test_rich_if());
    put(&g, 1, test_rich_foo());
    n = node("Twice", "call", "z", NULL, "out");
    graft_put_text(&n, 7, "local");
    put(&g, 1, n);
    graft_put_text(&g, 2, "rich");
    put(&g, 5, tensor("w", 3, 4, true));
    put(&g, 5, tensor("b", 4, 0, false));
    graft_put_text(&g, 10, "secret of the graph");
    value(&g, 11, "x", "N", 3, true);
    value(&g, 11, "cond", "N", 0, false);
    value(&g, 12, "out", "N", 4, true);
    value(&g, 13, "h", "N", 4, true);
    value(&g, 13, "a", "N", 4, false);
    annotation(&g);
    put(&g, 15, sparse("s"));
    entry(&g, 16, "graph.path", "/secret/graph");
    graft_put_text(&g, 77, "unknown to us");
    return g;
}

str test_rich_file(void)
{
    str f = new_str();
    graft_put_int(&f, 1, 11);
    graft_put_text(&f, 2, "rich");
    graft_put_text(&f, 3, "1.0");
    graft_put_int(&f, 5, 42);
    graft_put_text(&f, 6, "secret of the model");
    put(&f, 7, graph());
    put(&f, 8, opset("", 17));
    put(&f, 8, opset("acme", 1));
    put(&f, 8, opset("local", 1));
    entry(&f, 14, "author", "somebody");
    put(&f, 20, training());
    put(&f, 25, function());
    graft_put_text(&f, 1000, "later versions");
    return f;
}
