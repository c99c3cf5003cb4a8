/* Cuts: single values through which every path from the inputs to the
 * outputs passes. Going through the nodes in order, a value is one when,
 * right after it was computed, nothing else that somebody still reads
 * depends on the input. (What precedes such a value in the graph precedes it
 * in any topological order, so the order does not matter.)
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/survey_impl.h"

/* Readers of each value that are still to come; an output has one for ever.
 * Shape arithmetic reads no data. */
static int *count_readers(const struct graft_surveyor *x)
{
    int *left = graft_arena_array(&x->s->arena, (size_t)x->m->value.n + 1,
                                  sizeof *left);
    if (!left)
        return NULL;
    for (int i = 0; i < x->m->node.n; i++) {
        const struct graft_node *node = &x->m->node.at[i];
        if (!x->live[i] || node->removed || x->known[i])
            continue;
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] >= 0)
                left[node->in[k]]++;
    }
    for (int i = 0; i < x->m->output.n; i++)
        left[x->m->output.at[i]]++;
    return left;
}

static int64_t parameters_of(const struct graft_surveyor *x, int i,
                             bool *counted)
{
    const struct graft_node *node = &x->m->node.at[i];
    int64_t n = 0;
    for (int k = 0; k < node->n_in; k++) {
        graft_value_id v = node->in[k];
        if (v < 0 || counted[v] || !x->facts.tensor[v])
            continue;
        counted[v] = true;
        n += graft_shape_count(&x->facts.tensor[v]->shape);
    }
    return n;
}

/* The one value that is open after node i; -1: none or several. */
static graft_value_id opened_alone(const struct graft_surveyor *x, int i,
                                   const int *left, int open)
{
    const struct graft_node *node = &x->m->node.at[i];
    if (open != 1)
        return -1;
    for (int k = 0; k < node->n_out; k++)
        if (node->out[k] >= 0 && left[node->out[k]] > 0 &&
            x->data[node->out[k]])
            return node->out[k];
    return -1;
}

static int add_cut(struct graft_surveyor *x, graft_value_id v, int64_t macs,
                   int64_t params)
{
    struct graft_survey *s = x->s;
    const struct graft_vinfo *info = &x->facts.value[v];
    if (!info->present || !info->per_image)
        return GRAFT_OK;
    s->cut[s->n_cuts++] = (struct graft_cut){
        v, graft_survey_features(x, v), graft_survey_pooled(x, v), macs,
        params};
    return GRAFT_OK;
}

int graft_survey_cuts(struct graft_surveyor *x)
{
    struct graft_survey *s = x->s;
    int *left = count_readers(x);
    bool *counted = graft_arena_array(&s->arena, (size_t)x->m->value.n + 1,
                                      sizeof *counted);
    s->cut = graft_arena_array(&s->arena, (size_t)x->m->node.n + 1,
                               sizeof *s->cut);
    if (!left || !counted || !s->cut)
        return GRAFT_EMEM;
    int open = 0;
    int64_t macs = 0, params = 0;
    for (int v = 0; v < x->m->value.n; v++)
        open += x->data[v] && left[v] > 0 && x->m->value.at[v].node < 0;
    for (int at = 0; at < x->m->node.n; at++) {
        const int i = x->facts.order[at];
        const struct graft_node *node = &x->m->node.at[i];
        if (!x->live[i] || node->removed || x->known[i])
            continue;
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] >= 0 && x->data[node->in[k]])
                open -= --left[node->in[k]] == 0;
        for (int k = 0; k < node->n_out; k++)
            open += node->out[k] >= 0 && x->data[node->out[k]] &&
                    left[node->out[k]] > 0;
        macs += s->macs[i];
        params += parameters_of(x, i, counted);
        graft_value_id v = opened_alone(x, i, left, open);
        int status = v < 0 ? GRAFT_OK : add_cut(x, v, macs, params);
        if (status)
            return status;
    }
    for (int i = 0; i < s->n_cuts; i++)
        s->cut[i].params_behind = params - s->cut[i].params_behind;
    return GRAFT_OK;
}
