/* Surveys: tolerant inference over all nodes, then head and cuts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/survey_impl.h"

#include <string.h>

static int prepare(struct graft_surveyor *x)
{
    struct graft_survey *s = x->s;
    size_t nodes = (size_t)x->m->node.n + 1;
    size_t values = (size_t)x->m->value.n + 1;
    int batch = graft_model_fixed_batch(x->m);
    int status = graft_facts_init(&x->facts, x->m, &s->arena,
                                  batch ? batch : 1);
    if (status)
        return status;
    x->fact = graft_arena_array(&s->arena, nodes, sizeof *x->fact);
    x->live = graft_arena_array(&s->arena, nodes, sizeof *x->live);
    x->known = graft_arena_array(&s->arena, nodes, sizeof *x->known);
    x->data = graft_arena_array(&s->arena, values, sizeof *x->data);
    s->why_not = graft_arena_array(&s->arena, nodes, sizeof *s->why_not);
    s->macs = graft_arena_array(&s->arena, nodes, sizeof *s->macs);
    s->head_node = -1;
    s->head_input = -1;
    if (!x->fact || !x->live || !x->known || !x->data || !s->why_not ||
        !s->macs)
        return GRAFT_EMEM;
    s->value = x->facts.value;
    graft_mark_ancestors(x->m, x->m->output.at, x->m->output.n, x->live);
    for (int v = 0; v < x->m->value.n; v++)
        x->facts.wanted[v] = x->m->value.at[v].n_uses > 0 ||
                             x->m->value.at[v].is_output;
    return GRAFT_OK;
}

/* Feeds and parameters; what is refused stays unknown. */
static int know_sources(struct graft_surveyor *x)
{
    graft_value_id v;
    for (int at = 0; (v = graft_feed_next(x->m, &at)) >= 0;) {
        x->data[v] = true;
        if (graft_facts_feed(&x->facts, v, NULL) == GRAFT_EMEM)
            return GRAFT_EMEM;
    }
    for (v = 0; v < x->m->value.n; v++)
        if (graft_facts_initializer(&x->facts, v) == GRAFT_EMEM)
            return GRAFT_EMEM;
    return GRAFT_OK;
}

static bool inputs_known(const struct graft_surveyor *x,
                         const struct graft_node *node)
{
    for (int k = 0; k < node->n_in; k++)
        if (node->in[k] >= 0 && !x->facts.value[node->in[k]].present)
            return false;
    return true;
}

static int look_at(struct graft_surveyor *x, int i)
{
    const struct graft_node *node = &x->m->node.at[i];
    struct graft_fact *fact = &x->fact[i];
    int status = graft_facts_parse(&x->facts, fact, node);
    if (!status && inputs_known(x, node))
        status = graft_facts_infer(&x->facts, fact, node);
    if (status == GRAFT_EMEM)
        return status;
    if (status) {
        x->s->why_not[i] = graft_arena_strdup(&x->s->arena,
                                              graft_error_message());
        x->s->unsupported++;
        if (!x->s->why_not[i])
            return GRAFT_EMEM;
    }
    x->known[i] = fact->constant;
    bool data = false;
    for (int k = 0; k < node->n_in; k++)
        data |= node->in[k] >= 0 && x->data[node->in[k]];
    for (int k = 0; k < node->n_out; k++)
        if (node->out[k] >= 0)
            x->data[node->out[k]] = data && !fact->constant;
    x->s->macs[i] = fact->macs / x->facts.n_max;
    if (x->live[i])
        x->s->total_macs += x->s->macs[i];
    return GRAFT_OK;
}

int64_t graft_survey_features(const struct graft_surveyor *x,
                              graft_value_id v)
{
    const struct graft_vinfo *info = &x->facts.value[v];
    int64_t n = info->present ? graft_shape_count(&info->shape) : 0;
    return info->per_image ? n / x->facts.n_max : n;
}

int64_t graft_survey_pooled(const struct graft_surveyor *x, graft_value_id v)
{
    const struct graft_vinfo *info = &x->facts.value[v];
    return info->present && info->shape.rank == 4
               ? info->shape.dim[1]
               : graft_survey_features(x, v);
}

static int survey(struct graft_surveyor *x)
{
    int status = prepare(x);
    if (!status)
        status = know_sources(x);
    for (int at = 0; !status && at < x->m->node.n; at++)
        if (!x->m->node.at[x->facts.order[at]].removed)
            status = look_at(x, x->facts.order[at]);
    if (!status)
        status = graft_survey_cuts(x);
    if (!status)
        graft_survey_head(x);
    return status;
}

int graft_survey_new(struct graft_survey **out, const struct graft_model *m,
                     struct graft_runtime *rt)
{
    (void)rt;
    struct graft_surveyor x = {.m = m};
    char message[GRAFT_MESSAGE_MAX];
    x.s = graft_calloc(1, sizeof *x.s);
    if (!x.s)
        return GRAFT_EMEM;
    graft_message_save(message);
    int status = survey(&x);
    if (status) {
        graft_survey_free(x.s);
        return status;
    }
    graft_message_restore(message); /* what a model contains is no failure */
    *out = x.s;
    return GRAFT_OK;
}

void graft_survey_free(struct graft_survey *s)
{
    if (!s)
        return;
    graft_arena_release(&s->arena);
    graft_free(s);
}
