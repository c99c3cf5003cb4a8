/* Several edits as one: the model's lists as they were, to go back to. What
 * elements point to lies in the arena and is never changed in place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "graph/edit.h"

struct kept {
    void *at;
    int n;
};

struct graft_undo {
    struct graft_model *m;
    struct kept value, node, tensor, metadata, input, output;
    bool edited, outputs_changed;
    uint64_t parameter_count;
};

static int keep(struct kept *k, const void *at, int n, size_t size)
{
    k->n = n;
    k->at = graft_calloc((size_t)n + 1, size);
    if (!k->at)
        return GRAFT_EMEM;
    if (n)
        memcpy(k->at, at, (size_t)n * size);
    return GRAFT_OK;
}

#define KEEP(u, list) keep(&(u)->list, (u)->m->list.at, (u)->m->list.n,     \
                           sizeof *(u)->m->list.at)

int graft_undo_begin(struct graft_undo **out, struct graft_model *m)
{
    struct graft_undo *u = graft_calloc(1, sizeof *u);
    if (!u)
        return GRAFT_EMEM;
    u->m = m;
    u->edited = m->edited;
    u->outputs_changed = m->outputs_changed;
    u->parameter_count = m->parameter_count;
    if (KEEP(u, value) || KEEP(u, node) || KEEP(u, tensor) ||
        KEEP(u, metadata) || KEEP(u, input) || KEEP(u, output)) {
        graft_undo_free(u);
        return GRAFT_EMEM;
    }
    *out = u;
    return GRAFT_OK;
}

/* The lists only grow, so there is room. */
#define BACK(u, list)                                                       \
    ((u)->list.n ? memcpy((u)->m->list.at, (u)->list.at,                    \
                          (size_t)(u)->list.n * sizeof *(u)->m->list.at)    \
                 : NULL,                                                    \
     (u)->m->list.n = (u)->list.n)

void graft_undo_back(struct graft_undo *u)
{
    struct graft_model *m = u->m;
    for (int i = u->value.n; i < m->value.n; i++)
        graft_map_forget(&m->name, m->value.at[i].name);
    BACK(u, value);
    BACK(u, node);
    BACK(u, tensor);
    BACK(u, metadata);
    BACK(u, input);
    BACK(u, output);
    m->edited = u->edited;
    m->outputs_changed = u->outputs_changed;
    m->parameter_count = u->parameter_count;
}

void graft_undo_free(struct graft_undo *u)
{
    if (!u)
        return;
    graft_free(u->value.at);
    graft_free(u->node.at);
    graft_free(u->tensor.at);
    graft_free(u->metadata.at);
    graft_free(u->input.at);
    graft_free(u->output.at);
    graft_free(u);
}
