/* A trainer's parameters and gradients by name, its state in a file, and its
 * results in a model.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/model_names.h"
#include "api/trainer.h"
#include "base/alloc.h"
#include "graph/edit.h"
#include "train/masters.h"

/* ---- by name ------------------------------------------------------------- */

static const char *name_of(const graft_trainer *t, int k)
{
    return t->model->value.at[t->selection->at[k].value].name;
}

/* Which of the selected parameters; a status: none. */
static int find(const graft_trainer *t, const char *name)
{
    graft_value_id v;
    for (int k = 0; k < t->selection->n; k++)
        if (strcmp(name_of(t, k), name) == 0)
            return k;
    int status = graft_find_parameter(&v, t->model, name);
    return status ? status
                  : graft_fail(GRAFT_ENOTFOUND, "'%s' is not among the "
                               "parameters that are trained", name);
}

int graft_trainer_n_parameters(const graft_trainer *t)
{
    return t->selection->n;
}

const char *graft_trainer_name(const graft_trainer *t, int k)
{
    return k >= 0 && k < t->selection->n ? name_of(t, k) : NULL;
}

/* Part of a flat vector as an array of floats. */
static int show(struct graft_array *out, graft_trainer *t, const char *name,
                const real *flat)
{
    int k = find(t, name);
    if (k < 0)
        return k;
    const struct graft_selected *at = &t->selection->at[k];
    const struct graft_shape shape = graft_selected_shape(t->selection, k);
    for (int64_t i = 0; i < at->count; i++)
        t->shown[i] = (float)flat[at->offset + i];
    *out = (struct graft_array){.name = name_of(t, k), .data = t->shown,
                                .rank = shape.rank};
    for (int d = 0; d < shape.rank; d++)
        out->dim[d] = shape.dim[d];
    return GRAFT_OK;
}

int graft_trainer_parameter(struct graft_array *out, graft_trainer *t,
                            const char *name)
{
    return show(out, t, name, t->selection->master);
}

int graft_trainer_gradient(struct graft_array *out, graft_trainer *t,
                           const char *name)
{
    return show(out, t, name, t->learner->gradient);
}

int graft_trainer_set(graft_trainer *t, const char *name, const float *data)
{
    int k = find(t, name);
    if (k < 0)
        return k;
    const struct graft_selected *at = &t->selection->at[k];
    for (int64_t i = 0; i < at->count; i++)
        t->selection->master[at->offset + i] = (real)data[i];
    graft_program_params(t->program);
    return GRAFT_OK;
}

int graft_trainer_set_element(graft_trainer *t, const char *name, int64_t i,
                              float value)
{
    int k = find(t, name);
    if (k < 0)
        return k;
    const struct graft_selected *at = &t->selection->at[k];
    if (i < 0 || i >= at->count)
        return graft_fail(GRAFT_EARG, "'%s' has %lld elements, none with "
                          "number %lld", name, (long long)at->count,
                          (long long)i);
    t->selection->master[at->offset + i] = (real)value;
    graft_program_params(t->program);
    return GRAFT_OK;
}

/* ---- state --------------------------------------------------------------- */

int graft_trainer_save(graft_trainer *t, const char *path)
{
    return graft_learner_save(t->learner, path);
}

int graft_trainer_load(graft_trainer *t, const char *path)
{
    struct graft_checkpoint *c = NULL;
    int status = graft_checkpoint_read(&c, path,
                                       graft_learner_state_max(t->learner));
    if (!status)
        status = graft_learner_restore(t->learner, c);
    graft_checkpoint_free(c);
    return status;
}

void graft_trainer_memory(const graft_trainer *t,
                          struct graft_trainer_memory *out)
{
    struct graft_memory a, b = {0};
    graft_program_memory(t->program, &a);
    if (t->frozen)
        graft_program_memory(t->frozen, &b);
    *out = (struct graft_trainer_memory){
        .activation_bytes = a.block_bytes + b.block_bytes,
        .scratch_bytes = a.scratch_bytes + b.scratch_bytes,
        .packed_bytes = a.pack_bytes + b.pack_bytes + a.param_bytes +
                        b.param_bytes,
        .trained_bytes = graft_learner_bytes(t->learner) +
                         t->selection->size * (int64_t)sizeof(real),
        .steps = a.steps,
        .frozen_steps = b.steps};
}

/* ---- results ------------------------------------------------------------- */

static int store_one(const graft_trainer *t, int k, struct graft_model *into,
                     const real *flat)
{
    graft_value_id v = -1;
    int status = graft_find_parameter(&v, into, name_of(t, k));
    return status ? status
                  : graft_master_store_selected(into, v, t->selection, k,
                                                flat);
}

int graft_trainer_store(graft_trainer *t, graft_model *into, bool averaged)
{
    struct graft_undo *undo = NULL;
    const real *flat = averaged ? t->learner->ema : t->selection->master;
    if (!flat)
        return graft_fail(GRAFT_EARG, "no average of the parameters was "
                          "asked for (ema_decay)");
    int status = graft_undo_begin(&undo, into);
    for (int k = 0; !status && k < t->selection->n; k++)
        status = store_one(t, k, into, flat);
    if (status && undo)
        graft_undo_back(undo);
    graft_undo_free(undo);
    return status;
}
