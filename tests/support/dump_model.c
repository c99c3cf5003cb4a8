/* Dumping a description.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dump_model.h"

#include <inttypes.h>

#include "base/hash.h"

struct dump {
    struct graft_str to;
    int depth;
};

#define LINE(d, ...)                                                        \
    (graft_str_addf(&(d)->to, "%*s", 2 * (d)->depth, ""),                   \
     graft_str_addf(&(d)->to, __VA_ARGS__), graft_str_add(&(d)->to, "\n"))

static void entries(struct dump *d, const char *what,
                    const struct graft_entry_info *e, int n)
{
    for (int i = 0; i < n; i++)
        LINE(d, "%s %s=%s", what, e[i].key, e[i].value);
}

static void texts(struct dump *d, const char *what, const char *const *s,
                  int n)
{
    for (int i = 0; i < n; i++)
        LINE(d, "%s '%s'", what, s[i]);
}

static void type(struct dump *d, const struct graft_type_info *t)
{
    LINE(d, "type %d %d %s rank %d '%s' '%s' '%s'", (int)t->kind, t->dtype,
         t->dtype_name, t->rank, t->domain, t->name, t->denotation);
    d->depth++;
    for (int i = 0; i < t->rank; i++)
        LINE(d, "dim %" PRId64 " %s '%s'", t->dims[i].value,
             t->dims[i].symbol ? t->dims[i].symbol : "-",
             t->dims[i].denotation);
    if (t->element)
        type(d, t->element);
    d->depth--;
}

static void values(struct dump *d, const char *what,
                   const struct graft_value_info *v, int n)
{
    for (int i = 0; i < n; i++) {
        LINE(d, "%s %s '%s'", what, v[i].name, v[i].doc);
        d->depth++;
        type(d, &v[i].type);
        entries(d, "metadata", v[i].metadata, v[i].n_metadata);
        d->depth--;
    }
}

static void tensors(struct dump *d, const char *what,
                    const struct graft_tensor_info *t, int n)
{
    for (int i = 0; i < n; i++, t++) {
        char hex[GRAFT_HASH_HEX] = "-";
        if (t->data)
            graft_hash_hex(hex, graft_hash(t->data, (size_t)t->bytes));
        LINE(d, "%s %s '%s' %d %s count %" PRId64 " bytes %" PRIu64
             " %s why %s", what, t->name, t->doc, t->dtype, t->dtype_name,
             t->count, t->bytes, hex, t->why ? "said" : "-");
        d->depth++;
        for (int k = 0; k < t->rank; k++)
            LINE(d, "dim %" PRId64, t->dims[k]);
        for (int64_t k = 0; t->strings && k < t->count; k++)
            LINE(d, "string %" PRIu64 " %s", t->strings[k].n,
                 t->strings[k].at);
        entries(d, "metadata", t->metadata, t->n_metadata);
        d->depth--;
    }
}

static void sparse(struct dump *d, const struct graft_sparse_info *s, int n)
{
    for (int i = 0; i < n; i++) {
        LINE(d, "sparse");
        d->depth++;
        tensors(d, "values", &s[i].values, 1);
        tensors(d, "indices", &s[i].indices, 1);
        for (int k = 0; k < s[i].rank; k++)
            LINE(d, "dim %" PRId64, s[i].dims[k]);
        d->depth--;
    }
}

static void graph(struct dump *d, const struct graft_graph_info *g);

static void attributes(struct dump *d, const struct graft_attribute_info *a,
                       int n_attributes)
{
    for (int i = 0; i < n_attributes; i++, a++) {
        LINE(d, "attribute %s '%s' kind %d of %s, %d", a->name, a->doc,
             (int)a->kind, a->reference ? a->reference : "-", a->n);
        d->depth++;
        for (int k = 0; a->floats && k < a->n; k++)
            LINE(d, "float %a", (double)a->floats[k]);
        for (int k = 0; a->ints && k < a->n; k++)
            LINE(d, "int %" PRId64, a->ints[k]);
        for (int k = 0; a->strings && k < a->n; k++)
            LINE(d, "string %" PRIu64 " %s", a->strings[k].n,
                 a->strings[k].at);
        if (a->tensors)
            tensors(d, "tensor", a->tensors, a->n);
        for (int k = 0; a->graphs && k < a->n; k++)
            graph(d, &a->graphs[k]);
        if (a->sparse_tensors)
            sparse(d, a->sparse_tensors, a->n);
        for (int k = 0; a->types && k < a->n; k++)
            type(d, &a->types[k]);
        d->depth--;
    }
}

static void nodes(struct dump *d, const struct graft_node_info *x, int n)
{
    for (int i = 0; i < n; i++, x++) {
        LINE(d, "node %s op %s domain '%s' overload '%s' '%s'", x->name,
             x->op_type, x->domain, x->overload, x->doc);
        d->depth++;
        texts(d, "in", x->inputs, x->n_inputs);
        texts(d, "out", x->outputs, x->n_outputs);
        attributes(d, x->attributes, x->n_attributes);
        entries(d, "metadata", x->metadata, x->n_metadata);
        d->depth--;
    }
}

static void graph(struct dump *d, const struct graft_graph_info *g)
{
    LINE(d, "graph %s '%s'", g->name, g->doc);
    d->depth++;
    nodes(d, g->nodes, g->n_nodes);
    values(d, "input", g->inputs, g->n_inputs);
    values(d, "output", g->outputs, g->n_outputs);
    values(d, "value", g->values, g->n_values);
    tensors(d, "initializer", g->initializers, g->n_initializers);
    sparse(d, g->sparse_initializers, g->n_sparse_initializers);
    for (int i = 0; i < g->n_annotations; i++) {
        LINE(d, "annotation of %s", g->annotations[i].value);
        entries(d, "  quantised by", g->annotations[i].entries,
                g->annotations[i].n_entries);
    }
    entries(d, "metadata", g->metadata, g->n_metadata);
    d->depth--;
}

static void opsets(struct dump *d, const struct graft_opset_info *o, int n)
{
    for (int i = 0; i < n; i++)
        LINE(d, "opset '%s' %" PRId64, o[i].domain, o[i].version);
}

static void function(struct dump *d, const struct graft_function_info *f)
{
    LINE(d, "function %s domain '%s' overload '%s' '%s'", f->name, f->domain,
         f->overload, f->doc);
    d->depth++;
    texts(d, "in", f->inputs, f->n_inputs);
    texts(d, "out", f->outputs, f->n_outputs);
    texts(d, "wants", f->attributes, f->n_attributes);
    attributes(d, f->defaults, f->n_defaults);
    nodes(d, f->nodes, f->n_nodes);
    values(d, "value", f->values, f->n_values);
    opsets(d, f->opsets, f->n_opsets);
    entries(d, "metadata", f->metadata, f->n_metadata);
    d->depth--;
}

struct graft_str test_dump_model(const struct graft_model_info *x)
{
    struct dump d = {.depth = 0};
    graft_str_init(&d.to);
    LINE(&d, "model ir %" PRId64 " version %" PRId64 " '%s' '%s' '%s' '%s'",
         x->ir_version, x->model_version, x->producer_name,
         x->producer_version, x->domain, x->doc);
    opsets(&d, x->opsets, x->n_opsets);
    entries(&d, "metadata", x->metadata, x->n_metadata);
    graph(&d, &x->graph);
    for (int i = 0; i < x->n_training; i++) {
        const struct graft_training_info *t = &x->training[i];
        LINE(&d, "training");
        graph(&d, &t->initialization);
        graph(&d, &t->algorithm);
        entries(&d, "initialise", t->initialization_bindings,
                t->n_initialization_bindings);
        entries(&d, "update", t->update_bindings, t->n_update_bindings);
    }
    for (int i = 0; i < x->n_functions; i++)
        function(&d, &x->functions[i]);
    return d.to;
}
