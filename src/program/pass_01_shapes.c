/* Pass 1: from the model to steps. Binds input sizes and n_max, infers every
 * value the outputs need, evaluates what is known, and makes a step of each
 * node that is left. Nodes that no output needs are not looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

/* ---- what is needed ----------------------------------------------------- */

static int find_outputs(struct graft_compiler *c)
{
    const struct graft_compile *o = c->options;
    const graft_value_id *ids = o->outputs ? o->outputs : c->model->output.at;
    c->n_outputs = o->outputs ? o->n_outputs : c->model->output.n;
    c->n_wanted = o->n_want_grad;
    if (c->n_outputs < 1)
        return graft_fail(GRAFT_EARG, "a program needs an output");
    c->output = graft_arena_array(&c->arena, (size_t)c->n_outputs,
                                  sizeof *c->output);
    c->wanted = graft_arena_array(&c->arena, (size_t)c->n_wanted + 1,
                                  sizeof *c->wanted);
    if (!c->output || !c->wanted)
        return GRAFT_EMEM;
    for (int i = 0; i < c->n_outputs; i++)
        c->output[i] = ids[i];
    for (int i = 0; i < c->n_wanted; i++)
        c->wanted[i] = o->want_grad[i];
    for (int i = 0; i < c->n_outputs + c->n_wanted; i++) {
        int v = i < c->n_outputs ? c->output[i] : c->wanted[i - c->n_outputs];
        if (v < 0 || v >= c->model->value.n)
            return graft_fail(GRAFT_EARG, "the model has no value %d", v);
    }
    return GRAFT_OK;
}

static int find_needed(struct graft_compiler *c, bool **live)
{
    const struct graft_model *m = c->model;
    *live = graft_arena_array(&c->arena, (size_t)m->node.n + 1,
                              sizeof **live);
    if (!*live)
        return GRAFT_EMEM;
    graft_mark_ancestors(m, c->output, c->n_outputs, *live);
    for (int i = 0; i < c->n_outputs; i++)
        c->facts.wanted[c->output[i]] = true;
    for (int i = 0; i < m->node.n; i++)
        for (int k = 0; (*live)[i] && k < m->node.at[i].n_in; k++)
            if (m->node.at[i].in[k] >= 0)
                c->facts.wanted[m->node.at[i].in[k]] = true;
    return GRAFT_OK;
}

/* ---- inputs and parameters ---------------------------------------------- */

static int feed_inputs(struct graft_compiler *c)
{
    const struct graft_compile *o = c->options;
    graft_value_id v;
    c->input = graft_arena_array(&c->arena, (size_t)c->model->input.n +
                                                (size_t)o->n_feeds + 1,
                                 sizeof *c->input);
    if (!c->input)
        return GRAFT_EMEM;
    for (int at = 0; (v = graft_feed_next(c->model, &at)) >= 0;) {
        const struct graft_shape *given = NULL;
        if (!c->facts.wanted[v])
            continue;
        for (int i = 0; i < o->n_inputs; i++)
            if (o->inputs[i].value == v)
                given = &o->inputs[i].shape;
        int status = graft_facts_feed(&c->facts, v, given);
        if (status)
            return status;
        c->input[c->n_inputs++] = v;
    }
    return GRAFT_OK;
}

static int know_parameters(struct graft_compiler *c)
{
    for (int v = 0; v < c->model->value.n; v++) {
        if (!c->facts.wanted[v])
            continue;
        int status = graft_facts_initializer(&c->facts, v);
        if (status)
            return status;
    }
    return GRAFT_OK;
}

/* A batch other than the one the file states is only fine while every value
 * keeps the images apart. */
static int check_batch(const struct graft_compiler *c, int status)
{
    int64_t stated = -1;
    for (int k = 0; k < c->n_inputs; k++) {
        const struct graft_value *v = &c->model->value.at[c->input[k]];
        if (v->has_shape && v->rank > 0 && v->dim[0].value >= 0)
            stated = v->dim[0].value;
    }
    if (stated < 0 || stated == c->n_max)
        return status;
    if (status == GRAFT_ESHAPE)
        return graft_fail_in(status, "with batches of %d, while the file "
                             "states %lld", c->n_max, (long long)stated);
    for (int v = 0; !status && v < c->model->value.n; v++)
        if (c->facts.value[v].whole_batch)
            return graft_fail(GRAFT_ESHAPE, "the file fixes the batch at "
                              "%lld ('%s' depends on it or mixes images), "
                              "%d was asked for",
                              (long long)stated, c->model->value.at[v].name,
                              c->n_max);
    return status;
}

/* ---- values and steps --------------------------------------------------- */

static int make_values(struct graft_compiler *c)
{
    const struct graft_selection *t = c->options->train;
    for (int i = 0; i < c->model->value.n; i++) {
        int v = graft_compiler_value(c, c->model->value.at[i].name,
                                     &c->facts.value[i]);
        if (v < 0)
            return v;
        c->value.at[v].id = v;
        c->value.at[v].tensor = c->facts.tensor[i];
        c->whole_batch |= c->facts.value[i].whole_batch;
    }
    c->trained = graft_arena_array(&c->arena, (size_t)(t ? t->n : 0) + 1,
                                   sizeof *c->trained);
    if (!c->trained)
        return GRAFT_EMEM;
    for (int i = 0; t && i < t->n; i++) {
        c->trained[i] = t->at[i].scale ? -1 : t->at[i].value;
        if (c->trained[i] >= 0 && c->trained[i] < c->model->value.n)
            c->value.at[c->trained[i]].selected = i;
    }
    for (int i = 0; i < c->n_inputs; i++)
        c->value.at[c->input[i]].feed = true;
    for (int i = 0; i < c->n_outputs; i++)
        c->value.at[c->output[i]].output = true;
    for (int i = 0; i < c->n_wanted; i++)
        c->value.at[c->wanted[i]].wanted = true;
    return GRAFT_OK;
}

/* Every step has an output 0; where the node leaves its own out, nobody reads
 * it. */
static int first_output(struct graft_compiler *c, const struct graft_fact *f,
                        const struct graft_node *node)
{
    return node->out[0] >= 0
               ? node->out[0]
               : graft_compiler_value(c, "(left out)", &f->left_out);
}

/* A row whose output is its input's bytes becomes a copy; the memory pass
 * turns most of these into nothing. */
static int make_step(struct graft_compiler *c, const struct graft_fact *fact,
                     const struct graft_node *node)
{
    bool view = fact->op->flags & GRAFT_OP_VIEW && fact->n_out == 1;
    const struct graft_op *op = view ? &graft_row_copy : fact->op;
    struct graft_step *s = graft_compiler_step(c, op, view ? 1 : fact->n_in,
                                               fact->n_out);
    if (!s)
        return GRAFT_EMEM;
    s->node = node;
    s->name = node->op_type;
    s->args = fact->args;
    s->view = view;
    s->macs = fact->macs;
    for (int i = 0; i < s->n_in; i++)
        s->in[i] = node->in[i];
    s->out[0] = first_output(c, fact, node);
    if (s->out[0] < 0)
        return s->out[0];
    for (int k = 1; k < s->n_out; k++)
        if (node->out[k] >= 0 && c->facts.wanted[node->out[k]])
            s->out[k] = node->out[k];
    return graft_compiler_insert(c, s, c->step.n);
}

static int infer_nodes(struct graft_compiler *c, const bool *live,
                       struct graft_fact *fact)
{
    for (int at = 0; at < c->model->node.n; at++) {
        const int i = c->facts.order[at];
        const struct graft_node *node = &c->model->node.at[i];
        if (!live[i] || node->removed)
            continue;
        int status = graft_facts_parse(&c->facts, &fact[i], node);
        for (int k = 0; !status && k < node->n_in; k++)
            if (node->in[k] >= 0 && !c->facts.value[node->in[k]].present)
                status = graft_fail(GRAFT_EFORMAT, "%s: nothing computes "
                                    "its input '%s'", graft_node_text(node),
                                    c->model->value.at[node->in[k]].name);
        if (!status)
            status = graft_facts_infer(&c->facts, &fact[i], node);
        if (status)
            return status;
    }
    graft_facts_outputs(&c->facts, c->output, c->n_outputs);
    return GRAFT_OK;
}

static int make_steps(struct graft_compiler *c, const bool *live,
                      const struct graft_fact *fact)
{
    for (int at = 0; at < c->model->node.n; at++) {
        const int i = c->facts.order[at];
        const struct graft_node *node = &c->model->node.at[i];
        if (!live[i] || node->removed || fact[i].constant)
            continue;
        int status = make_step(c, &fact[i], node);
        if (status)
            return status;
    }
    graft_compiler_link(c);
    return GRAFT_OK;
}

static int check_ends(const struct graft_compiler *c)
{
    for (int i = 0; i < c->n_outputs; i++)
        if (!c->facts.value[c->output[i]].present)
            return graft_fail(GRAFT_EARG, "nothing computes the output '%s'",
                              c->model->value.at[c->output[i]].name);
    return GRAFT_OK;
}

int graft_infer_needed(struct graft_compiler *c, struct graft_fact **out,
                       bool **live)
{
    int status = find_outputs(c);
    if (!status)
        status = graft_facts_init(&c->facts, c->model, &c->arena, c->n_max);
    if (status)
        return status;
    c->facts.train = c->options->train;
    if (c->options->find_op)
        c->facts.find = c->options->find_op;
    struct graft_fact *fact = graft_arena_array(
        &c->arena, (size_t)c->model->node.n + 1, sizeof *fact);
    if (!fact)
        return GRAFT_EMEM;
    status = find_needed(c, live);
    if (!status)
        status = feed_inputs(c);
    if (!status)
        status = know_parameters(c);
    if (!status)
        status = check_batch(c, infer_nodes(c, *live, fact));
    *out = fact;
    return status ? status : check_ends(c);
}

int graft_pass_shapes(struct graft_compiler *c)
{
    struct graft_fact *fact = NULL;
    bool *live = NULL;
    int status = graft_infer_needed(c, &fact, &live);
    if (!status && c->options->n_feeds)
        status = graft_cut_at_feeds(c, fact, live);
    if (!status)
        status = make_values(c);
    if (!status)
        status = make_steps(c, live, fact);
    return status ? status : graft_scale_weights(c);
}
