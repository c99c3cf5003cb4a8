/* Pass 2: steps that only hand a value on (Identity, inference Dropout)
 * vanish, and so do steps whose results nobody reads. Reshapes stay; where
 * they may, the memory pass gives them their input's memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/batchnorm.h"
#include "ops/dropout.h"
#include "program/compiler.h"

/* Both names of a value that is handed on unchanged become one, unless the
 * caller sees the second: then it keeps a place of its own. */
static void bypass(struct graft_compiler *c, struct graft_step *s)
{
    const struct graft_wvalue *in = &c->value.at[s->in[0]];
    const struct graft_wvalue *out = &c->value.at[s->out[0]];
    if (graft_visible(out) ||
        !graft_shape_equal(&in->info.shape, &out->info.shape) ||
        in->info.per_image != out->info.per_image)
        return;
    graft_compiler_replace(c, s->out[0], s->in[0]);
    s->dead = true;
}

static bool is_read(const struct graft_compiler *c,
                    const struct graft_step *s)
{
    for (int k = 0; k < s->n_out; k++)
        if (s->out[k] >= 0 && (c->value.at[s->out[k]].n_reads > 0 ||
                               graft_visible(&c->value.at[s->out[k]])))
            return true;
    return false;
}

static void remove_unread(struct graft_compiler *c)
{
    for (int i = c->step.n - 1; i >= 0; i--) {
        struct graft_step *s = c->step.at[i];
        if (s->dead || is_read(c, s))
            continue;
        s->dead = true;
        for (int k = 0; k < s->n_in; k++)
            if (s->in[k] >= 0)
                c->value.at[s->in[k]].n_reads--;
    }
}

/* What only hands on has become a Copy: the node says what it was. */
static bool is_called(const struct graft_step *s, const char *name)
{
    return s->node && !s->param && !strcmp(s->node->op_type, name) &&
           !s->node->domain[0];
}

/* Marks in trained[] the values that depend on the selection; without one,
 * all. */
static void mark_trained(const struct graft_compiler *c, bool *trained)
{
    for (int v = 0; v < c->value.n; v++)
        trained[v] = !c->options->train || c->value.at[v].selected >= 0;
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        bool any = false;
        for (int k = 0; k < s->n_in; k++)
            any |= s->in[k] >= 0 && trained[s->in[k]];
        for (int k = 0; any && k < s->n_out; k++)
            if (s->out[k] >= 0)
                trained[s->out[k]] = true;
    }
}

/* In training Dropout draws masks, and BatchNormalization looks at the batch
 * where it depends on what is trained, if that is wanted. */
static void choose_training_rows(struct graft_compiler *c,
                                 const bool *trained)
{
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        struct graft_dropout *drop = s->args;
        if (c->options->dropout && is_called(s, "Dropout") &&
            drop->ratio > 0) {
            drop->stream = (uint64_t)(s->node - c->model->node.at);
            s->op = &graft_row_dropout;
            s->view = false;
        } else if (c->options->bn == GRAFT_BN_BATCH &&
                   is_called(s, "BatchNormalization") &&
                   trained[s->out[0]]) {
            s->op = &graft_row_batchnorm_train;
        }
    }
}

int graft_pass_tidy(struct graft_compiler *c)
{
    bool *trained = graft_arena_array(&c->arena, (size_t)c->value.n + 1,
                                      sizeof *trained);
    if (!trained)
        return GRAFT_EMEM;
    mark_trained(c, trained);
    choose_training_rows(c, trained);
    if (c->skip) {
        c->no_alias = true;
        return GRAFT_OK;
    }
    for (int i = 0; i < c->step.n; i++)
        if (c->step.at[i]->view)
            bypass(c, c->step.at[i]);
    graft_compiler_link(c);
    remove_unread(c);
    graft_compiler_link(c);
    return GRAFT_OK;
}
