/* What was trained, into the model that is written.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "graph/edit.h"
#include "task/tune.h"
#include "train/masters.h"

/* The head's two parameters in the place of the probe's. */
static int take_head(struct graft_probe *head, const struct graft_tune *u)
{
    const struct graft_selection *s = u->u.selection;
    const real *w = s->master + s->at[s->n - 2].offset;
    const real *b = s->master + s->at[s->n - 1].offset;
    int64_t n = s->at[s->n - 2].count;
    head->classes = u->t->probe->classes;
    head->d = u->t->probe->d;
    head->weight = graft_calloc((size_t)n, sizeof *head->weight);
    head->bias = graft_calloc((size_t)head->classes, sizeof *head->bias);
    if (!head->weight || !head->bias)
        return GRAFT_EMEM;
    for (int64_t i = 0; i < n; i++)
        head->weight[i] = (float)w[i];
    for (int i = 0; i < head->classes; i++)
        head->bias[i] = (float)b[i];
    return GRAFT_OK;
}

static int store(const struct graft_tune *u, struct graft_model *m, int k)
{
    const char *name = graft_tunable_name(&u->u, k);
    const struct graft_selection *s = u->u.selection;
    graft_value_id v = graft_value_find(m, name);
    if (v < 0 || !graft_parameter(m, v))
        return graft_fail(GRAFT_ENOTFOUND, "'%s' has no parameter '%s' any "
                          "more", m->path, name);
    return graft_master_store_selected(m, v, s, k, s->master);
}

int graft_tune_store(struct graft_tune *u, struct graft_model *m,
                     graft_value_id features)
{
    struct graft_probe head = {0};
    int status = take_head(&head, u);
    for (int k = 0; !status && k < u->u.selection->n - 2; k++)
        status = store(u, m, k);
    if (!status)
        status = graft_norms_store(m, u->u.program, u->u.model);
    if (!status)
        status = graft_head_append(m, features, &head, u->t->o->emit_logits);
    graft_free(head.weight);
    graft_free(head.bias);
    return status;
}
