/* What normalisations by the batch found in a run; those that backward undoes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/batchnorm.h"
#include "program/program_impl.h"

static const struct graft_step *find(const struct graft_program *p, int i)
{
    for (int at = 0; at < p->c.step.n; at++)
        if (p->c.step.at[at]->op == &graft_row_batchnorm_train &&
            p->c.step.at[at]->call.saved && i-- == 0)
            return p->c.step.at[at];
    return NULL;
}

int graft_program_n_statistics(const struct graft_program *p)
{
    int n = 0;
    while (find(p, n))
        n++;
    return n;
}

struct graft_statistics
graft_program_statistics(const struct graft_program *p, int i)
{
    const struct graft_step *s = find(p, i);
    const struct graft_batchnorm *a = s->args;
    const struct graft_shape *x = &s->rin[GRAFT_BN_X].shape;
    const real *mean = s->call.saved;
    return (struct graft_statistics){
        .mean = p->c.value.at[s->in[GRAFT_BN_MEAN]].id,
        .var = p->c.value.at[s->in[GRAFT_BN_VAR]].id,
        .channels = x->dim[1],
        .count = x->dim[0] * graft_shape_span(x, 2, x->rank),
        .momentum = a->momentum, .batch_mean = mean,
        .batch_var = mean + graft_batchnorm_room(x->dim[1])};
}
