/* The nodes of rich_model.h that have something inside.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rich_parts.h"

/* ---- subgraphs ----------------------------------------------------------- */

static str then_branch(void)
{
    str g = new_str(), n = node("Add", "inner", "a", "b", "t_out");
    graft_put_text(&n, 6, "secret of an inner node");
    put(&g, 1, n);
    graft_put_text(&g, 2, "then");
    value(&g, 12, "t_out", "N", 4, false);
    graft_put_text(&g, 10, "secret of a graph");
    entry(&g, 16, "graph.path", "/secret/graph");
    return g;
}

/* Its h is not the outer one; the a that it reads is. */
static str else_branch(void)
{
    str g = new_str();
    put(&g, 1, node("Relu", NULL, "a", NULL, "h"));
    put(&g, 1, node("Add", NULL, "h", "c", "e_out"));
    graft_put_text(&g, 2, "else");
    put(&g, 5, tensor("c", 4, 0, false));
    value(&g, 13, "h", "N", 4, true);
    value(&g, 12, "e_out", "N", 4, false);
    return g;
}

str test_rich_if(void)
{
    str n = node("If", "if", "cond", NULL, "y");
    with(&n, "then_branch", GRAFT_ATTR_GRAPH, 6, then_branch());
    str a = attr("else_branch", GRAFT_ATTR_GRAPH);
    put(&a, 6, else_branch());
    graft_put_text(&a, 13, "secret of an attribute");
    put(&n, 5, a);
    return n;
}

static str little_graph(const char *reads)
{
    str g = new_str();
    put(&g, 1, node("Neg", NULL, reads, NULL, "neg_out"));
    value(&g, 12, "neg_out", "N", 0, false);
    return g;
}

/* ---- an attribute of each kind ------------------------------------------- */

static void put_float(str *s, uint32_t field, float x)
{
    graft_put_varint(s, (uint64_t)field << 3 | 5);
    graft_str_addn(s, &x, sizeof x);
}

static void plain_attrs(str *n)
{
    str a = attr("f", GRAFT_ATTR_FLOAT);
    put_float(&a, 2, 1.5f);
    put(n, 5, a);
    a = attr("i", GRAFT_ATTR_INT);
    graft_put_int(&a, 3, -7);
    put(n, 5, a);
    a = attr("s", GRAFT_ATTR_STRING);
    graft_put_bytes(&a, 4, "a\0b", 3);
    put(n, 5, a);
    a = attr("floats", GRAFT_ATTR_FLOATS);
    put_float(&a, 7, 0.25f);
    put_float(&a, 7, -2);
    put(n, 5, a);
    a = attr("ints", GRAFT_ATTR_INTS);
    graft_put_bytes(&a, 8, "\1\2\3", 3); /* packed */
    graft_put_int(&a, 8, -4);            /* and not */
    put(n, 5, a);
    a = attr("strings", GRAFT_ATTR_STRINGS);
    graft_put_text(&a, 9, "one");
    graft_put_text(&a, 9, "two");
    put(n, 5, a);
}

static void deep_attrs(str *n)
{
    /* This w is no initializer's name. */
    with(n, "t", GRAFT_ATTR_TENSOR, 5, tensor("w", 2, 3, true));
    str a = attr("tensors", GRAFT_ATTR_TENSORS);
    put(&a, 10, tensor(NULL, 2, 0, false));
    put(&a, 10, tensor("t1", 3, 0, false));
    put(n, 5, a);
    with(n, "g", GRAFT_ATTR_GRAPH, 6, little_graph("a"));
    a = attr("graphs", GRAFT_ATTR_GRAPHS);
    put(&a, 11, little_graph("h"));
    put(&a, 11, little_graph("w"));
    put(n, 5, a);
    with(n, "sparse", GRAFT_ATTR_SPARSE_TENSOR, 22, sparse("w"));
    a = attr("sparses", GRAFT_ATTR_SPARSE_TENSORS);
    put(&a, 23, sparse("s1"));
    put(&a, 23, sparse("s2"));
    put(n, 5, a);
}

static str wrapped(uint32_t field, str inner)
{
    str s = new_str();
    put(&s, field, inner);
    return s;
}

static str optional_sequence(void)
{
    str sequence = wrapped(4, wrapped(1, type("M", 5)));
    return wrapped(9, wrapped(1, sequence));
}

static void type_attrs(str *n)
{
    str a = attr("types", GRAFT_ATTR_TYPE_PROTOS), map = new_str();
    str t = new_str();
    with(n, "type", GRAFT_ATTR_TYPE_PROTO, 14, optional_sequence());
    put(&a, 15, type("K", 0));
    graft_put_int(&map, 1, GRAFT_INT64);
    put(&map, 2, type("V", 1));
    put(&t, 5, map);
    put(&a, 15, t);
    put(n, 5, a);
}

str test_rich_foo(void)
{
    str n = node("Foo", "foo", "y", "", "z");
    plain_attrs(&n);
    deep_attrs(&n);
    type_attrs(&n);
    graft_put_text(&n, 7, "acme");
    graft_put_text(&n, 8, "overloaded");
    /* Sharding names a value too. */
    str devices = new_str(), sharding = new_str();
    graft_put_text(&sharding, 1, "y");
    graft_put_text(&devices, 1, "mesh");
    put(&devices, 2, sharding);
    put(&n, 10, devices);
    return n;
}
