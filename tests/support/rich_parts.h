/* The means of rich_model.c and rich_nodes.c: messages, made and put together.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_RICH_PARTS_H
#define GRAFT_TEST_RICH_PARTS_H

#include "graph/model.h"
#include "onnx/encode.h"

typedef struct graft_str str;

static inline str new_str(void)
{
    str s;
    graft_str_init(&s);
    return s;
}

static inline void put(str *outer, uint32_t field, str inner)
{
    graft_put_bytes(outer, field, inner.at, inner.n);
    graft_str_release(&inner);
}

static inline void entry(str *outer, uint32_t field, const char *key,
                         const char *value)
{
    str e = new_str();
    graft_encode_entry(&e, key, value);
    put(outer, field, e);
}

/* "[symbol, n]" of float32; n 0: only the symbol. */
static inline str type(const char *symbol, int64_t n)
{
    str t = new_str(), tensor = new_str(), shape = new_str();
    str dim = new_str();
    graft_put_text(&dim, 2, symbol);
    graft_put_text(&dim, 3, "DATA_BATCH");
    put(&shape, 1, dim);
    if (n) {
        dim = new_str();
        graft_put_int(&dim, 1, n);
        put(&shape, 1, dim);
    }
    graft_put_int(&tensor, 1, GRAFT_FLOAT);
    put(&tensor, 2, shape);
    put(&t, 1, tensor);
    graft_put_text(&t, 6, "FEATURES");
    return t;
}

static inline void value(str *graph, uint32_t field, const char *name,
                         const char *symbol, int64_t n, bool docs)
{
    str v = new_str();
    graft_put_text(&v, 1, name);
    put(&v, 2, type(symbol, n));
    if (docs) {
        graft_put_text(&v, 3, "secret of a value");
        entry(&v, 4, "value.path", "/secret/value");
    }
    put(graph, field, v);
}

static inline str tensor(const char *name, int64_t rows, int64_t columns,
                         bool docs)
{
    float x[64];
    str t = new_str();
    const int64_t n = rows * (columns ? columns : 1);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(i + 1) / 4;
    graft_put_int(&t, 1, rows);
    if (columns)
        graft_put_int(&t, 1, columns);
    graft_put_int(&t, 2, GRAFT_FLOAT);
    if (name)
        graft_put_text(&t, 8, name);
    if (docs) {
        graft_put_bytes(&t, 9, x, (uint64_t)n * sizeof *x);
        graft_put_text(&t, 12, "secret of a tensor");
        entry(&t, 16, "tensor.path", "/secret/tensor");
    } else {
        graft_put_bytes(&t, 4, x, (uint64_t)n * sizeof *x); /* float_data */
    }
    return t;
}

static inline str sparse(const char *name)
{
    const int64_t at[] = {1, 2};
    str s = new_str(), indices = new_str();
    put(&s, 1, tensor(name, 2, 0, false));
    graft_put_int(&indices, 1, 2);
    graft_put_int(&indices, 2, GRAFT_INT64);
    graft_put_bytes(&indices, 9, at, sizeof at);
    put(&s, 2, indices);
    graft_put_int(&s, 3, 4);
    return s;
}

static inline str node(const char *op, const char *name, const char *a,
                       const char *b, const char *out)
{
    str n = new_str();
    graft_put_text(&n, 1, a);
    if (b)
        graft_put_text(&n, 1, b);
    graft_put_text(&n, 2, out);
    if (name)
        graft_put_text(&n, 3, name);
    graft_put_text(&n, 4, op);
    return n;
}

static inline str attr(const char *name, int kind)
{
    str a = new_str();
    graft_put_text(&a, 1, name);
    graft_put_int(&a, 20, kind);
    return a;
}

/* An attribute with one message. */
static inline void with(str *n, const char *name, int kind, uint32_t field,
                        str inner)
{
    str a = attr(name, kind);
    put(&a, field, inner);
    put(n, 5, a);
}

/* The two nodes with much inside. */
str test_rich_if(void);
str test_rich_foo(void);

#endif
