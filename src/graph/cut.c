/* The edit that removes: new outputs, and nothing kept that they do not need.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "graph/edit.h"

static int check_outputs(const struct graft_model *m,
                         const graft_value_id *values, int n)
{
    if (n < 1)
        return graft_fail(GRAFT_EARG, "a graph needs an output");
    for (int i = 0; i < n; i++) {
        if (values[i] < 0 || values[i] >= m->value.n ||
            !graft_value_defined(&m->value.at[values[i]]))
            return graft_fail(GRAFT_EARG, "value %d cannot be an output: "
                              "nothing computes it", (int)values[i]);
        for (int k = 0; k < i; k++)
            if (values[k] == values[i])
                return graft_fail(GRAFT_EARG, "'%s' would be an output twice",
                                  m->value.at[values[i]].name);
    }
    return GRAFT_OK;
}

/* Room in the list of outputs; setting them cannot fail then. */
static int reserve(struct graft_model *m, int n)
{
    const int before = m->output.n;
    while (m->output.n < n)
        if (!graft_push(&m->output)) {
            m->output.n = before;
            return GRAFT_EMEM;
        }
    m->output.n = before;
    return GRAFT_OK;
}

static void set_outputs(struct graft_model *m, const graft_value_id *values,
                        int n)
{
    for (int i = 0; i < m->output.n; i++)
        m->value.at[m->output.at[i]].is_output = false;
    for (int i = 0; i < n; i++) {
        m->output.at[i] = values[i];
        m->value.at[values[i]].is_output = true;
    }
    m->output.n = n;
    m->outputs_changed = m->edited = true;
}

static void remove_nodes(struct graft_model *m, const bool *live)
{
    for (int i = 0; i < m->node.n; i++) {
        struct graft_node *node = &m->node.at[i];
        if (live[i] || node->removed)
            continue;
        node->removed = true;
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] >= 0)
                m->value.at[node->out[k]].node = -1;
    }
}

/* Which initializers nobody needs now. */
static void mark_unused(const struct graft_model *m, bool *unused)
{
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_value *v = &m->value.at[m->tensor.at[i].value];
        unused[i] = !v->n_uses && !v->is_output;
    }
}

/* ---- what stays ---------------------------------------------------------- */

struct stay {
    bool *live;           /* nodes */
    bool *unused;         /* initializers that nobody needed before */
    bool *held;           /* values that stay */
    graft_value_id *todo; /* held, and their annotations not looked at */
    int *first, *next;    /* ties of a value; -1: no more */
    graft_value_id *root; /* new outputs, then what training names */
    int n_root;
};

static void release(struct stay *s)
{
    graft_free(s->live);
    graft_free(s->unused);
    graft_free(s->held);
    graft_free(s->todo);
    graft_free(s->first);
    graft_free(s->next);
    graft_free(s->root);
}

static int prepare(struct stay *s, const struct graft_model *m,
                   const graft_value_id *values, int n)
{
    const size_t n_values = (size_t)m->value.n;
    s->live = graft_calloc((size_t)m->node.n, sizeof *s->live);
    s->unused = graft_calloc((size_t)m->tensor.n, sizeof *s->unused);
    s->held = graft_calloc(n_values, sizeof *s->held);
    s->todo = graft_calloc(n_values, sizeof *s->todo);
    s->first = graft_calloc(n_values, sizeof *s->first);
    s->next = graft_calloc((size_t)m->tie.n, sizeof *s->next);
    s->root = graft_calloc((size_t)n + (size_t)m->tie.n, sizeof *s->root);
    if (!s->live || !s->unused || !s->held || !s->todo || !s->first ||
        !s->next || !s->root)
        return GRAFT_EMEM;
    memcpy(s->root, values, (size_t)n * sizeof *s->root);
    s->n_root = n;
    for (size_t v = 0; v < n_values; v++)
        s->first[v] = -1;
    for (int i = 0; i < m->tie.n; i++) {
        const struct graft_tie *tie = &m->tie.at[i];
        if (tie->of < 0) {
            s->root[s->n_root++] = tie->needs;
        } else {
            s->next[i] = s->first[tie->of];
            s->first[tie->of] = i;
        }
    }
    return GRAFT_OK;
}

/* What nobody needed before the cut is the file's own business and stays. */
static bool is_needed(const struct stay *s, const struct graft_value *v)
{
    if (v->tensor < 0)
        return graft_value_defined(v);
    return s->unused[v->tensor] || v->n_uses || v->is_output;
}

/* Values that are left, what training names, and what annotations of any of
 * these name. */
static void hold(const struct graft_model *m, struct stay *s)
{
    int n = 0;
    for (int v = 0; v < m->value.n; v++)
        if (is_needed(s, &m->value.at[v]))
            s->held[s->todo[n++] = v] = true;
    for (int i = 0; i < s->n_root; i++)
        if (!s->held[s->root[i]])
            s->held[s->todo[n++] = s->root[i]] = true;
    while (n > 0) {
        const graft_value_id v = s->todo[--n];
        for (int i = s->first[v]; i >= 0; i = s->next[i]) {
            const graft_value_id needs = m->tie.at[i].needs;
            if (!s->held[needs])
                s->held[s->todo[n++] = needs] = true;
        }
    }
}

/* An input that only named a removed initializer goes with it; left behind,
 * it would ask to be fed. */
static void remove_tensors(struct graft_model *m, const bool *held)
{
    for (int i = 0; i < m->tensor.n; i++) {
        struct graft_tensor *t = &m->tensor.at[i];
        struct graft_value *v = &m->value.at[t->value];
        if (t->removed || held[t->value])
            continue;
        t->removed = true;
        v->tensor = -1;
        v->is_input = false;
    }
    int kept = 0;
    for (int i = 0; i < m->input.n; i++)
        if (m->value.at[m->input.at[i]].is_input)
            m->input.at[kept++] = m->input.at[i];
    m->input.n = kept;
}

int graft_edit_outputs(struct graft_model *m, const graft_value_id *values,
                       int n)
{
    struct stay s = {0};
    int status = check_outputs(m, values, n);
    if (status)
        return status;
    status = prepare(&s, m, values, n);
    if (!status)
        status = reserve(m, n);
    if (!status) {
        mark_unused(m, s.unused);
        /* `values` may be the list itself. */
        set_outputs(m, s.root, n);
        graft_mark_ancestors(m, s.root, s.n_root, s.live);
        remove_nodes(m, s.live);
        graft_model_recount(m);
        hold(m, &s);
        remove_tensors(m, s.held);
        graft_model_recount(m);
    }
    release(&s);
    return status;
}
