/* Does the file fix the batch? Found by trying another one: where every
 * value still keeps the images apart, the stated number means nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "program/facts.h"

/* The number the fed inputs state for dimension 0, 0: none does. */
static int stated_batch(const struct graft_model *m)
{
    graft_value_id v;
    for (int at = 0; (v = graft_feed_next(m, &at)) >= 0;) {
        const struct graft_value *x = &m->value.at[v];
        if (x->has_shape && x->rank > 0 && x->dim[0].value > 0 &&
            x->dim[0].value <= INT32_MAX)
            return (int)x->dim[0].value;
    }
    return 0;
}

static int prepare(struct graft_facts *f, const struct graft_model *m,
                   const bool *live)
{
    graft_value_id v;
    int status = GRAFT_OK;
    for (int i = 0; i < m->node.n; i++)
        for (int k = 0; live[i] && k < m->node.at[i].n_in; k++)
            if (m->node.at[i].in[k] >= 0)
                f->wanted[m->node.at[i].in[k]] = true;
    for (int at = 0; !status && (v = graft_feed_next(m, &at)) >= 0;)
        if (f->wanted[v])
            status = graft_facts_feed(f, v, NULL);
    for (v = 0; !status && v < m->value.n; v++)
        if (f->wanted[v])
            status = graft_facts_initializer(f, v);
    return status;
}

static bool inputs_known(const struct graft_facts *f,
                         const struct graft_node *node)
{
    for (int k = 0; k < node->n_in; k++)
        if (node->in[k] >= 0 && !f->value[node->in[k]].present)
            return false;
    return true;
}

/* Whether everything that can be inferred for n images allows n. */
static bool allows(const struct graft_model *m, int n)
{
    struct graft_arena arena = {0};
    struct graft_facts f;
    struct graft_fact fact;
    int unknown = 0;
    bool *live = graft_arena_array(&arena, (size_t)m->node.n + 1,
                                   sizeof *live);
    bool fits = live && graft_facts_init(&f, m, &arena, n) == GRAFT_OK;
    if (fits) {
        graft_mark_ancestors(m, m->output.at, m->output.n, live);
        fits = prepare(&f, m, live) == GRAFT_OK;
    }
    for (int at = 0; fits && at < m->node.n; at++) {
        const int i = f.order[at];
        const struct graft_node *node = &m->node.at[i];
        if (!live[i] || node->removed)
            continue;
        if (!inputs_known(&f, node) ||
            graft_facts_parse(&f, &fact, node) != GRAFT_OK) {
            unknown++; /* what cannot run says nothing either way */
            continue;
        }
        fits = graft_facts_infer(&f, &fact, node) == GRAFT_OK;
        for (int k = 0; fits && k < fact.n_out; k++)
            fits = node->out[k] < 0 || !f.value[node->out[k]].whole_batch;
    }
    if (fits)
        graft_facts_outputs(&f, m->output.at, m->output.n);
    for (int i = 0; fits && i < m->output.n; i++)
        fits = !f.value[m->output.at[i]].whole_batch;
    graft_arena_release(&arena);
    return fits && !unknown;
}

int graft_model_fixed_batch(const struct graft_model *m)
{
    int stated = stated_batch(m);
    if (!stated)
        return 0;
    char message[GRAFT_MESSAGE_MAX];
    graft_message_save(message);
    bool free_batch = allows(m, stated < INT32_MAX - 2 ? stated + 2
                                                       : stated - 2);
    graft_message_restore(message); /* trying is no failure of the caller's */
    return free_batch ? 0 : stated;
}
