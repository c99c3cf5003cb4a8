/* Reads everything that a description (graft/graph.h) offers: all texts, and
 * of each tensor the elements at both ends.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "graft/graph.h"
#include "graft/status.h"

enum { FEW = 8 };

static uint64_t sum;

static void text(const char *s)
{
    fuzz_check(s != NULL, "a text is never NULL");
    sum += strlen(s);
}

static void elements(const struct graft_tensor_info *t, int64_t first)
{
    double x[FEW];
    int64_t i[FEW], n = t->count - first;
    fuzz_status(graft_tensor_read(t, first, n < FEW ? n : FEW, x));
    fuzz_status(graft_tensor_read_ints(t, first, n < FEW ? n : FEW, i));
}

static void tensor(const struct graft_tensor_info *t)
{
    text(t->name);
    text(t->doc);
    text(t->dtype_name);
    const uint8_t *bytes = t->data;
    fuzz_check(t->data || t->strings || t->why || t->bytes == 0,
               "a tensor without elements says why");
    if (bytes && t->bytes)
        sum += (uint64_t)bytes[0] + bytes[t->bytes - 1];
    for (int64_t i = 0; t->strings && i < t->count; i++) {
        sum += strlen(t->strings[i].at);
        fuzz_check(t->strings[i].at[t->strings[i].n] == 0,
                   "a zero byte follows a string");
    }
    elements(t, 0);
    if (t->count > FEW)
        elements(t, t->count - FEW);
}

static void value(const struct graft_value_info *v)
{
    const struct graft_type_info *t = &v->type;
    text(v->name);
    text(v->doc);
    for (; t; t = t->element) {
        text(t->denotation);
        text(t->domain);
        text(t->name);
        for (int i = 0; i < t->rank; i++)
            sum += (uint64_t)t->dims[i].value +
                   (t->dims[i].symbol ? strlen(t->dims[i].symbol) : 0);
    }
}

static void graph(const struct graft_graph_info *g);

static void attribute(const struct graft_attribute_info *a)
{
    text(a->name);
    text(a->doc);
    for (int i = 0; i < a->n; i++) {
        sum += a->ints ? (uint64_t)a->ints[i] : 0;
        sum += a->floats && a->floats[i] > 0;
        sum += a->strings ? strlen(a->strings[i].at) : 0;
        if (a->tensors)
            tensor(&a->tensors[i]);
        if (a->graphs)
            graph(&a->graphs[i]);
        if (a->sparse_tensors) {
            tensor(&a->sparse_tensors[i].values);
            tensor(&a->sparse_tensors[i].indices);
        }
        if (a->types)
            text(a->types[i].name);
    }
}

static void nodes(const struct graft_node_info *x, int n)
{
    for (int i = 0; i < n; i++) {
        text(x[i].name);
        text(x[i].op_type);
        text(x[i].domain);
        for (int k = 0; k < x[i].n_inputs; k++)
            text(x[i].inputs[k]);
        for (int k = 0; k < x[i].n_outputs; k++)
            text(x[i].outputs[k]);
        for (int k = 0; k < x[i].n_attributes; k++)
            attribute(&x[i].attributes[k]);
    }
}

static void graph(const struct graft_graph_info *g)
{
    text(g->name);
    nodes(g->nodes, g->n_nodes);
    for (int i = 0; i < g->n_inputs; i++)
        value(&g->inputs[i]);
    for (int i = 0; i < g->n_outputs; i++)
        value(&g->outputs[i]);
    for (int i = 0; i < g->n_values; i++)
        value(&g->values[i]);
    for (int i = 0; i < g->n_initializers; i++)
        tensor(&g->initializers[i]);
    for (int i = 0; i < g->n_sparse_initializers; i++) {
        tensor(&g->sparse_initializers[i].values);
        tensor(&g->sparse_initializers[i].indices);
    }
    for (int i = 0; i < g->n_annotations; i++)
        text(g->annotations[i].value);
}

void fuzz_describe(const struct graft_model_info *x)
{
    graph(&x->graph);
    for (int i = 0; i < x->n_functions; i++) {
        text(x->functions[i].name);
        nodes(x->functions[i].nodes, x->functions[i].n_nodes);
    }
    for (int i = 0; i < x->n_training; i++) {
        graph(&x->training[i].initialization);
        graph(&x->training[i].algorithm);
    }
}
