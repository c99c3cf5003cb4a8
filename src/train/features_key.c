/* The key of cached rows: a hash of the frozen part of the model, of the
 * preprocessing, and of everything that decides about rounding.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "kernels/kernels.h"
#include "train/features.h"

static struct graft_hash add_text(struct graft_hash h, const char *s)
{
    return graft_hash_add(h, s, strlen(s) + 1);
}
static struct graft_hash add_int(struct graft_hash h, int64_t i)
{
    return graft_hash_add(h, &i, sizeof i);
}

static struct graft_hash add_tensor(struct graft_hash h,
                                    const struct graft_tensor *t)
{
    h = add_int(add_text(h, t->name), t->dtype);
    for (int i = 0; i < t->shape.rank; i++)
        h = add_int(h, t->shape.dim[i]);
    return graft_hash_add(h, t->data ? (const void *)t->data : "",
                          t->data ? (size_t)t->bytes : 0);
}

/* An attribute of a node made by an edit. */
static struct graft_hash add_attr(struct graft_hash h,
                                  const struct graft_attr *a)
{
    h = add_int(add_text(h, a->name), a->type);
    h = graft_hash_add(add_int(h, a->i), &a->f, sizeof a->f);
    h = graft_hash_add(h, a->s.at ? (const void *)a->s.at : "",
                       (size_t)a->s.n);
    for (int i = 0; a->ints && i < a->n; i++)
        h = add_int(h, a->ints[i]);
    if (a->floats)
        h = graft_hash_add(h, a->floats, (size_t)a->n * sizeof *a->floats);
    return a->tensor ? add_tensor(h, a->tensor) : h;
}

/* A node as it stands in the file, names of its values included: they say how
 * nodes hang together. */
static struct graft_hash add_node(struct graft_hash h,
                                  const struct graft_model *m,
                                  const struct graft_node *n)
{
    h = add_text(add_text(h, n->domain), n->op_type);
    h = add_int(h, graft_opset_of(m, n->domain));
    if (n->span.blob >= 0)
        h = graft_hash_add(h, m->blob.at[n->span.blob].data + n->span.offset,
                           (size_t)n->span.length);
    for (int i = 0; n->span.blob < 0 && i < n->n_attr; i++)
        h = add_attr(h, &n->attr[i]);
    for (int i = 0; i < n->n_in; i++) {
        graft_value_id v = n->in[i];
        h = add_text(h, v < 0 ? "" : m->value.at[v].name);
        if (v >= 0 && m->value.at[v].tensor >= 0)
            h = add_tensor(h, &m->tensor.at[m->value.at[v].tensor]);
    }
    for (int i = 0; i < n->n_out; i++)
        h = add_text(h, n->out[i] < 0 ? "" : m->value.at[n->out[i]].name);
    return h;
}

int graft_features_key(struct graft_hash *out, struct graft_extract *x)
{
    const struct graft_model *m = x->model;
    bool *live = graft_calloc((size_t)m->node.n + 1, sizeof *live);
    if (!live)
        return GRAFT_EMEM;
    const graft_value_id *values = x->values ? x->values : &x->value;
    const int n = x->values ? x->n_values : 1;
    graft_mark_ancestors(m, values, n, live);
    struct graft_hash h = graft_hash("features/1", 10);
    for (int k = 0; k < n; k++)
        h = add_text(h, m->value.at[values[k]].name);
    for (int i = 0; i < m->node.n; i++)
        if (live[i] && !m->node.at[i].removed)
            h = add_node(h, m, &m->node.at[i]);
    h = graft_hash_mix(h, graft_preprocess_hash(&x->preprocess));
    h = add_text(h, graft_image_numerics());
    const int64_t numerics[] = {
        GRAFT_KERNELS_VERSION, (int64_t)sizeof(real), (int64_t)x->rt->isa,
        x->exact, x->rt->exact, graft_extract_batch(x), x->floats};
    *out = graft_hash_add(h, numerics, sizeof numerics);
    graft_free(live);
    return GRAFT_OK;
}
