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

/* What nobody needed before the cut is the file's own business and stays. An
 * input that only named a removed initializer goes with it; left behind, it
 * would ask to be fed. */
static void remove_tensors(struct graft_model *m, const bool *unused_before)
{
    for (int i = 0; i < m->tensor.n; i++) {
        struct graft_tensor *t = &m->tensor.at[i];
        struct graft_value *v = &m->value.at[t->value];
        if (t->removed || unused_before[i] || v->n_uses || v->is_output)
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
    int status = check_outputs(m, values, n);
    if (status)
        return status;
    /* `values` may be the list itself. */
    graft_value_id *copy = graft_calloc((size_t)n, sizeof *copy);
    bool *live = graft_calloc((size_t)m->node.n, sizeof *live);
    bool *unused = graft_calloc((size_t)m->tensor.n, sizeof *unused);
    if (copy)
        memcpy(copy, values, (size_t)n * sizeof *copy);
    status = copy && live && unused ? reserve(m, n) : GRAFT_EMEM;
    if (!status) {
        mark_unused(m, unused);
        set_outputs(m, copy, n);
        graft_mark_ancestors(m, m->output.at, n, live);
        remove_nodes(m, live);
        graft_model_recount(m);
        remove_tensors(m, unused);
        graft_model_recount(m);
    }
    graft_free(copy);
    graft_free(live);
    graft_free(unused);
    return status;
}
