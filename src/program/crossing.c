/* Finding the values that cross from the frozen part of a model into the
 * trainable one, and beginning a program at them (crossing.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/crossing.h"

#include "program/compiler.h"

/* ---- a program that begins at feeds ------------------------------------- */

static int check_feed(const struct graft_compiler *c, int v)
{
    if (v < 0 || v >= c->model->value.n)
        return graft_fail(GRAFT_EARG, "the model has no value %d", v);
    const struct graft_vinfo *info = &c->facts.value[v];
    const char *name = c->model->value.at[v].name;
    if (!info->present || info->host || info->is_param ||
        info->dtype != GRAFT_REAL)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot be fed: it holds "
                          "no floats that depend on the inputs", name);
    if (!info->per_image || info->whole_batch)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot be fed: it does "
                          "not keep the photos of a batch apart", name);
    return GRAFT_OK;
}

/* Marks in need[] what the kept nodes read, and clears live[] of others. */
static int keep_needed(const struct graft_compiler *c, const bool *feed,
                       const struct graft_fact *fact, bool *live, bool *need)
{
    for (int at = c->model->node.n - 1; at >= 0; at--) {
        const int i = c->facts.order[at];
        const struct graft_node *node = &c->model->node.at[i];
        bool any = false;
        int fed = -1;
        for (int k = 0; live[i] && k < node->n_out; k++) {
            int v = node->out[k];
            if (v >= 0 && feed[v])
                fed = v;
            any |= v >= 0 && need[v] && !feed[v];
        }
        live[i] = any;
        if (!any || fact[i].constant)
            continue;
        if (fed >= 0)
            return graft_fail(GRAFT_EARG, "'%s' cannot be fed: %s computes "
                              "another value that is needed",
                              c->model->value.at[fed].name,
                              graft_node_text(node));
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] >= 0)
                need[node->in[k]] = true;
    }
    return GRAFT_OK;
}

static void set_inputs(struct graft_compiler *c, const bool *need)
{
    const struct graft_compile *o = c->options;
    int n = 0;
    for (int i = 0; i < c->n_inputs; i++)
        if (need[c->input[i]])
            c->input[n++] = c->input[i];
    for (int i = 0; i < o->n_feeds; i++) {
        bool known = !need[o->feeds[i]];
        for (int k = 0; k < n; k++)
            known |= c->input[k] == o->feeds[i];
        if (!known)
            c->input[n++] = o->feeds[i];
    }
    c->n_inputs = n;
}

int graft_cut_at_feeds(struct graft_compiler *c,
                       const struct graft_fact *fact, bool *live)
{
    const struct graft_compile *o = c->options;
    size_t n = (size_t)c->model->value.n + 1;
    bool *feed = graft_arena_array(&c->arena, n, sizeof *feed);
    bool *need = graft_arena_array(&c->arena, n, sizeof *need);
    if (!feed || !need)
        return GRAFT_EMEM;
    for (int i = 0; i < o->n_feeds; i++) {
        int status = check_feed(c, o->feeds[i]);
        if (status)
            return status;
        feed[o->feeds[i]] = true;
    }
    for (int i = 0; i < c->n_outputs; i++)
        need[c->output[i]] = true;
    int status = keep_needed(c, feed, fact, live, need);
    if (status)
        return status;
    for (int v = 0; v < c->model->value.n; v++) {
        struct graft_vinfo *info = &c->facts.value[v];
        c->facts.wanted[v] = need[v];
        if (!need[v])
            info->whole_batch = false; /* nobody computes it */
        if (feed[v])
            *info = (struct graft_vinfo){
                .present = true, .shape = info->shape, .dtype = GRAFT_REAL,
                .per_image = info->per_image};
    }
    set_inputs(c, need);
    return GRAFT_OK;
}

/* ---- where the cut is --------------------------------------------------- */

struct finder {
    struct graft_compiler c;
    struct graft_fact *fact;
    bool *live;          /* per node */
    bool *trained;       /* per value: depends on the selection */
    bool *data;          /* depends on the model's inputs */
    bool *crosses;
    bool *again;         /* follows from others that cross */
};

static bool any_input(const struct graft_node *node, const bool *what)
{
    for (int k = 0; k < node->n_in; k++)
        if (node->in[k] >= 0 && what[node->in[k]])
            return true;
    return false;
}

/* The node that runs at place `at` of the order, NULL: none does. */
static const struct graft_node *running(const struct finder *f, int at,
                                        const struct graft_fact **fact)
{
    int i = f->c.facts.order[at];
    *fact = &f->fact[i];
    return f->live[i] && !f->fact[i].constant &&
                   !f->c.model->node.at[i].removed
               ? &f->c.model->node.at[i]
               : NULL;
}

static void mark_dependence(struct finder *f)
{
    const struct graft_selection *t = f->c.options->train;
    const struct graft_fact *fact;
    for (int i = 0; t && i < t->n; i++)
        f->trained[t->at[i].value] = true;
    for (int i = 0; i < f->c.n_inputs; i++)
        f->data[f->c.input[i]] = true;
    for (int at = 0; at < f->c.model->node.n; at++) {
        const struct graft_node *node = running(f, at, &fact);
        if (!node)
            continue;
        bool trained = any_input(node, f->trained);
        bool data = any_input(node, f->data);
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] >= 0) {
                f->trained[node->out[k]] |= trained;
                f->data[node->out[k]] |= data;
            }
    }
}

static bool may_cross(const struct finder *f, int v)
{
    return v >= 0 && f->data[v] && !f->trained[v] &&
           !f->c.facts.value[v].host;
}

static void mark_crossing(struct finder *f)
{
    const struct graft_fact *fact;
    for (int at = 0; at < f->c.model->node.n; at++) {
        const struct graft_node *node = running(f, at, &fact);
        if (!node || !any_input(node, f->trained))
            continue;
        for (int k = 0; k < node->n_in; k++)
            if (may_cross(f, node->in[k]))
                f->crosses[node->in[k]] = true;
    }
    for (int i = 0; i < f->c.n_outputs; i++)
        if (may_cross(f, f->c.output[i]))
            f->crosses[f->c.output[i]] = true;
}

/* Concat of what crosses anyway (dense blocks), an activation of it. */
static void leave_out(struct finder *f)
{
    const struct graft_fact *fact;
    for (int at = 0; at < f->c.model->node.n; at++) {
        const struct graft_node *node = running(f, at, &fact);
        if (!node || node->n_out != 1 || node->out[0] < 0 || fact->macs ||
            !f->crosses[node->out[0]])
            continue;
        bool all = true;
        for (int k = 0; k < node->n_in; k++) {
            int v = node->in[k];
            all &= v < 0 || !f->data[v] || f->crosses[v] || f->again[v];
        }
        f->again[node->out[0]] = all;
        f->crosses[node->out[0]] = !all;
    }
}

/* ---- the result --------------------------------------------------------- */

static int add(struct graft_crossing *out, const struct finder *f, int v)
{
    int status = check_feed(&f->c, v);
    if (status)
        return status;
    const struct graft_vinfo *info = &f->c.facts.value[v];
    out->value[out->n] = v;
    out->shape[out->n] = info->shape;
    out->count[out->n] = graft_shape_span(&info->shape, 1, info->shape.rank) *
                         info->per_image;
    if (!graft_add_size(&out->floats, out->floats, out->count[out->n]))
        return graft_fail(GRAFT_ELIMIT, "the values where training begins "
                          "are too large");
    out->n++;
    return GRAFT_OK;
}

static int collect(struct graft_crossing *out, const struct finder *f)
{
    const struct graft_model *m = f->c.model;
    int n = 0, status = GRAFT_OK;
    for (int v = 0; v < m->value.n; v++)
        n += f->crosses[v];
    out->value = graft_calloc((size_t)n + 1, sizeof *out->value);
    out->shape = graft_calloc((size_t)n + 1, sizeof *out->shape);
    out->count = graft_calloc((size_t)n + 1, sizeof *out->count);
    if (!out->value || !out->shape || !out->count)
        return GRAFT_EMEM;
    for (int i = 0; !status && i < f->c.n_inputs; i++)
        if (f->crosses[f->c.input[i]])
            status = add(out, f, f->c.input[i]);
    out->inputs_only = out->n == n;
    for (int at = 0; !status && at < m->node.n; at++) {
        const struct graft_node *node = &m->node.at[f->c.facts.order[at]];
        for (int k = 0; !status && k < node->n_out; k++)
            if (!node->removed && node->out[k] >= 0 &&
                f->crosses[node->out[k]])
                status = add(out, f, node->out[k]);
    }
    return status;
}

static int find(struct finder *f, struct graft_crossing *out)
{
    size_t n = (size_t)f->c.model->value.n + 1;
    int status = graft_infer_needed(&f->c, &f->fact, &f->live);
    if (status)
        return status;
    f->trained = graft_arena_array(&f->c.arena, 4 * n, sizeof *f->trained);
    if (!f->trained)
        return GRAFT_EMEM;
    f->data = f->trained + n;
    f->crosses = f->data + n;
    f->again = f->crosses + n;
    mark_dependence(f);
    mark_crossing(f);
    leave_out(f);
    return collect(out, f);
}

int graft_crossing_find(struct graft_crossing *out, struct graft_runtime *rt,
                        const struct graft_compile *o)
{
    struct graft_crossing x = {0};
    struct graft_compile alone = *o;
    alone.n_want_grad = 0;
    struct finder f = {.c = {.rt = rt, .options = &alone, .model = o->model,
                             .n_max = o->n_max}};
    int status = o->n_max < 1
                     ? graft_fail(GRAFT_EARG, "a batch of %d images",
                                  o->n_max)
                     : find(&f, &x);
    graft_arena_release(&f.c.arena);
    if (status) {
        graft_crossing_release(&x);
        return status;
    }
    *out = x;
    return GRAFT_OK;
}

void graft_crossing_release(struct graft_crossing *x)
{
    graft_free(x->value);
    graft_free(x->shape);
    graft_free(x->count);
    *x = (struct graft_crossing){0};
}
