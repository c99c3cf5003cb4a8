/* Setting a model's batch: plan, edit, proof; all of it or nothing (batch.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/batch.h"

#include <string.h>

#include "base/runtime.h"
#include "base/status.h"
#include "base/str.h"
#include "graph/edit.h"
#include "task/card.h"
#include "task/convert.h"

/* ---- constants ----------------------------------------------------------- */

static bool same_patch(const struct graft_batch_plan *p, int i, int k)
{
    const struct graft_batch_patch *a = &p->patch.at[i], *b = &p->patch.at[k];
    return a->was == b->was && a->n == b->n &&
           !memcmp(a->to, b->to, (size_t)a->n * sizeof *a->to);
}

/* The numbers as the type they had. */
static const void *as_stored(struct graft_batch_plan *p,
                             const struct graft_batch_patch *patch, int dtype)
{
    if (dtype == GRAFT_INT64)
        return patch->to;
    int32_t *small = graft_arena_array(&p->arena, (size_t)patch->n + 1,
                                       sizeof *small);
    for (int i = 0; small && i < patch->n; i++)
        small[i] = (int32_t)patch->to[i];
    return small;
}

/* Readers that want the same change as patch i. */
static int alike(const struct graft_batch_plan *p, int i)
{
    int n = 0;
    for (int k = 0; k < p->patch.n; k++)
        n += same_patch(p, i, k);
    return n;
}

/* A constant without a reader is of no use. */
static void drop_constant(struct graft_model *m, graft_value_id v)
{
    struct graft_value *x = &m->value.at[v];
    if (x->n_uses || x->is_output || x->node < 0)
        return;
    struct graft_node *node = &m->node.at[x->node];
    if (node->n_in || node->n_out != 1)
        return;
    node->removed = true;
    x->node = -1;
}

/* A constant of its own for patch i and all that are like it. */
static int add_constant(struct graft_model *m, struct graft_batch_plan *p,
                        int i, int dtype, const void *data)
{
    const struct graft_batch_patch *patch = &p->patch.at[i];
    const struct graft_shape shape = {1, {patch->n}};
    struct graft_str base;
    graft_value_id own = -1;
    graft_str_init(&base);
    graft_str_addf(&base, "%s_batch", m->value.at[patch->was].name);
    int status = graft_str_ok(&base);
    const char *name = status ? NULL : graft_unique_name(m, base.at);
    graft_str_release(&base);
    if (!name)
        return GRAFT_EMEM;
    status = graft_edit_tensor(&own, m, name, dtype, &shape, data);
    for (int k = i; !status && k < p->patch.n; k++)
        if (same_patch(p, i, k))
            status = graft_edit_node_input(m, p->patch.at[k].node,
                                           p->patch.at[k].input, own);
    if (!status)
        drop_constant(m, patch->was);
    return status;
}

static int change_constant(struct graft_model *m, struct graft_batch_plan *p,
                           int i)
{
    const struct graft_batch_patch *patch = &p->patch.at[i];
    const graft_value_id was = patch->was;
    const struct graft_host *host = p->facts[1].value[was].host;
    const struct graft_value *v = &m->value.at[was];
    const struct graft_shape shape = {1, {patch->n}};
    const int dtype = host->dtype == GRAFT_INT32 ? GRAFT_INT32 : GRAFT_INT64;
    const void *data = as_stored(p, patch, dtype);
    if (!data)
        return GRAFT_EMEM;
    if (v->tensor >= 0 && !v->is_output && v->n_uses == alike(p, i) &&
        m->tensor.at[v->tensor].dtype == dtype)
        return graft_edit_contents(m, v->tensor, dtype, &shape, data);
    return add_constant(m, p, i, dtype, data);
}

static int change_constants(struct graft_model *m, struct graft_batch_plan *p)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i < p->patch.n; i++) {
        bool done = false;
        for (int k = 0; k < i && !done; k++)
            done = same_patch(p, i, k);
        if (!done)
            status = change_constant(m, p, i);
    }
    return status;
}

/* ---- types --------------------------------------------------------------- */

/* Dimension 0 of a value with `rows` rows for each image. */
static struct graft_dim front(const struct graft_batch_plan *p, int batch,
                              const struct graft_dim *was, int64_t rows)
{
    if (batch)
        return (struct graft_dim){.value = rows * batch};
    if (was->value < 0)
        return *was;
    return (struct graft_dim){.value = -1,
                              .param = rows == 1 ? p->symbol : NULL};
}

static int change_types(struct graft_model *m,
                        const struct graft_batch_plan *p, int n_values,
                        int batch, int *changed)
{
    int status = GRAFT_OK;
    for (int v = 0; !status && v < n_values; v++) {
        const struct graft_value *x = &m->value.at[v];
        const struct graft_vinfo *info = &p->facts[1].value[v];
        if (!x->has_shape || x->tensor >= 0 || !info->present ||
            !info->per_image || x->rank != info->shape.rank)
            continue;
        struct graft_dim dim[GRAFT_MAX_RANK];
        memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
        dim[0] = front(p, batch, x->dim, info->per_image);
        *changed += dim[0].value != x->dim[0].value;
        status = graft_edit_value_type(m, v, x->dtype, dim, x->rank);
    }
    return status;
}

/* ---- all of it ----------------------------------------------------------- */

static int edit(struct graft_model *m, struct graft_batch_plan *p, int batch,
                struct graft_batch_change *change)
{
    const int n_values = m->value.n;
    const struct graft_dim dim = {.value = batch ? batch : -1,
                                  .param = batch ? NULL : p->symbol};
    int status = change_constants(m, p);
    if (!status)
        status = change_types(m, p, n_values, batch, &change->types);
    return status ? status : graft_card_set_batch(m, &dim);
}

static int change(struct graft_model *m, struct graft_batch_plan *p,
                  int batch, struct graft_batch_change *change)
{
    struct graft_undo *undo = NULL;
    struct graft_batch_proof *proof = NULL;
    struct graft_runtime *rt = graft_runtime_or_default(m->rt);
    int status = rt ? graft_batch_proof_new(&proof, p, rt) : GRAFT_EMEM;
    if (!status)
        status = graft_undo_begin(&undo, m);
    if (!status)
        status = edit(m, p, batch, change);
    if (!status)
        status = graft_batch_proof_check(proof, m);
    if (status && undo)
        graft_undo_back(undo);
    graft_undo_free(undo);
    graft_batch_proof_free(proof);
    return status;
}

int graft_batch_open(struct graft_undo **out, struct graft_model *m)
{
    struct graft_batch_plan p;
    struct graft_batch_change c = {.after = GRAFT_BATCH_DYNAMIC};
    struct graft_undo *undo = NULL;
    int status = graft_batch_plan_make(&p, m, GRAFT_BATCH_DYNAMIC);
    if (!status)
        status = graft_undo_begin(&undo, m);
    if (!status)
        status = edit(m, &p, GRAFT_BATCH_DYNAMIC, &c);
    if (!status && graft_model_fixed_batch(m))
        status = graft_fail(GRAFT_EUNSUPPORTED, "the batch is fixed at %d",
                            p.stated);
    graft_batch_plan_release(&p);
    if (status) {
        if (undo)
            graft_undo_back(undo);
        graft_undo_free(undo);
        return status;
    }
    *out = undo;
    return GRAFT_OK;
}

int graft_set_batch(struct graft_model *m, int64_t batch,
                    struct graft_batch_change *out)
{
    struct graft_batch_plan p;
    struct graft_batch_change c = {.after = (int)batch};
    if (batch < 0 || batch > GRAFT_BATCH_MAX)
        return graft_fail(GRAFT_EARG, "a batch of %lld; 1 to %d are possible",
                          (long long)batch, (int)GRAFT_BATCH_MAX);
    int status = graft_batch_plan_make(&p, m, (int)batch);
    c.before = p.stated;
    c.constants = p.patch.n;
    if (!status && p.stated != batch)
        status = change(m, &p, (int)batch, &c);
    graft_batch_plan_release(&p);
    if (status)
        return status;
    if (out)
        *out = c;
    return GRAFT_OK;
}
