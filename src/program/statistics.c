/* Normalisations by the batch: what they found in a run, and the running
 * statistics that a training makes of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/batchnorm.h"
#include "program/program_impl.h"

static int64_t channels_of(const struct graft_step *s)
{
    return s->vin[GRAFT_BN_X].shape.dim[1];
}

/* ---- binding ------------------------------------------------------------- */

static const struct graft_tensor *tensor_of(const struct graft_program *p,
                                            const struct graft_step *s, int k)
{
    const graft_value_id v = p->c.value.at[s->in[k]].id;
    int32_t t = v < 0 ? -1 : p->c.model->value.at[v].tensor;
    return t < 0 || p->c.model->tensor.at[t].refusal
               ? NULL : &p->c.model->tensor.at[t];
}

/* Statistics that are computed, or that two normalisations share, could not
 * be written back. */
static int check_norm(const struct graft_program *p,
                      const struct graft_step *s)
{
    for (int k = GRAFT_BN_MEAN; k <= GRAFT_BN_VAR; k++) {
        const struct graft_tensor *t = tensor_of(p, s, k);
        if (!t)
            return graft_fail(GRAFT_EUNSUPPORTED, "%s: its statistics are no "
                              "initializers of the file, so they cannot "
                              "change", graft_node_text(s->node));
        for (int i = 0; i < p->norm.n; i++)
            if (tensor_of(p, p->norm.at[i].step, k) == t)
                return graft_fail(GRAFT_EUNSUPPORTED, "%s: its statistics "
                                  "'%s' are also another's, so they cannot "
                                  "follow both", graft_node_text(s->node),
                                  t->name);
    }
    return GRAFT_OK;
}

static int add_norm(struct graft_program *p, struct graft_step *s)
{
    int status = check_norm(p, s);
    if (status)
        return status;
    struct graft_norm_step *n = graft_push(&p->norm);
    if (!n)
        return GRAFT_EMEM;
    n->step = s;
    n->offset = p->running_size;
    n->found = s->call.saved;
    if (!n->found)
        n->found = graft_arena_array(
            &p->c.arena, 2 * (size_t)graft_batchnorm_room(channels_of(s)),
            sizeof *n->found);
    if (!n->found)
        return GRAFT_EMEM;
    p->running_size += 2 * channels_of(s);
    return GRAFT_OK;
}

int graft_program_bind_norms(struct graft_program *p)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i < p->c.step.n; i++)
        if (!p->c.step.at[i]->dead &&
            p->c.step.at[i]->op == &graft_row_batchnorm_train)
            status = add_norm(p, p->c.step.at[i]);
    if (status || !p->norm.n)
        return status;
    p->running = graft_alloc_aligned((size_t)p->running_size *
                                     sizeof *p->running);
    if (!p->running)
        return GRAFT_EMEM;
    for (int i = 0; i < p->norm.n; i++) {
        const struct graft_norm_step *n = &p->norm.at[i];
        const int64_t c = channels_of(n->step);
        for (int k = 0; k < 2; k++) {
            struct graft_view v = graft_tensor_view(
                tensor_of(p, n->step, GRAFT_BN_MEAN + k));
            graft_view_read(&v, 0, c, p->running + n->offset + k * c);
        }
    }
    graft_program_norm(p, GRAFT_NORM_BATCH);
    return GRAFT_OK;
}

/* ---- using them ---------------------------------------------------------- */

int graft_program_n_statistics(const struct graft_program *p)
{
    return p->norm.n;
}

struct graft_statistics
graft_program_statistics(const struct graft_program *p, int i)
{
    const struct graft_norm_step *n = &p->norm.at[i];
    const struct graft_step *s = n->step;
    const struct graft_batchnorm *a = s->args;
    const struct graft_shape *x = &s->vin[GRAFT_BN_X].shape;
    return (struct graft_statistics){
        .mean = p->c.value.at[s->in[GRAFT_BN_MEAN]].id,
        .var = p->c.value.at[s->in[GRAFT_BN_VAR]].id,
        .channels = x->dim[1],
        .count = s->rin[GRAFT_BN_X].shape.dim[0] *
                 graft_shape_span(x, 2, x->rank),
        .momentum = a->momentum, .batch_mean = n->found,
        .batch_var = n->found + graft_batchnorm_room(x->dim[1]),
        .offset = n->offset};
}

void graft_program_norm(struct graft_program *p, enum graft_norm_by by)
{
    for (int i = 0; i < p->norm.n; i++) {
        struct graft_norm_step *n = &p->norm.at[i];
        n->step->call.running = by == GRAFT_NORM_BATCH
                                    ? NULL : p->running + n->offset;
        n->step->call.found = by == GRAFT_NORM_RUNNING ? NULL : n->found;
    }
}

real *graft_program_running(const struct graft_program *p, int64_t *size)
{
    *size = p->running_size;
    return p->running;
}

void graft_program_absorb(struct graft_program *p)
{
    for (int i = 0; i < p->norm.n; i++) {
        const struct graft_statistics s = graft_program_statistics(p, i);
        const double keep = (double)s.momentum;
        real *running = p->running + s.offset;
        for (int64_t c = 0; s.count > 1 && c < s.channels; c++) {
            running[c] = (real)(keep * (double)running[c] +
                                (1 - keep) * (double)s.batch_mean[c]);
            running[s.channels + c] =
                (real)(keep * (double)running[s.channels + c] +
                       (1 - keep) * (double)s.batch_var[c]);
        }
    }
}
