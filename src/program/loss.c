/* The loss as an internal step: softmax cross-entropy of scores [n, C]
 * against class indices t, mean over the run's images:
 *   L = 1/n sum_i (log sum_c exp(x_ic) - x_i,t_i)
 *   dL/dx_ic = (softmax(x_i)_c - [c = t_i]) / n
 * Sums in double; an image's loss depends on that image only, and the mean is
 * taken in order, so any number of threads gives the same bits.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "program/compiler.h"

struct scoring {
    const struct graft_call *call;
    struct graft_loss_state *state;
    int64_t classes;
};

static double log_sum(const real *x, int64_t n, double *top)
{
    double max = (double)x[0], sum = 0;
    for (int64_t c = 1; c < n; c++)
        if (!((double)x[c] <= max)) /* a NaN becomes the top and stays */
            max = (double)x[c];
    for (int64_t c = 0; c < n; c++)
        sum += exp((double)x[c] - max);
    *top = max;
    return log(sum);
}

static void score(void *ctx, int64_t i, int worker)
{
    const struct scoring *s = ctx;
    const real *x = graft_reals(&s->call->in[0]) + i * s->classes;
    double top, log_z = log_sum(x, s->classes, &top);
    (void)worker;
    s->state->each[i] = log_z + top - (double)x[s->state->target[i]];
}

static int64_t classes_of(const struct graft_view *v)
{
    return graft_shape_span(&v->shape, 1, v->shape.rank);
}

static void forward(const struct graft_call *c)
{
    /* The state is the program's, reached through args for want of another
     * way from a step to its program. */
    struct graft_loss_state *state = (struct graft_loss_state *)c->args;
    struct scoring s = {c, state, classes_of(&c->in[0])};
    double sum = 0;
    graft_pool_for(c->pool, state->n, score, &s);
    for (int i = 0; i < state->n; i++)
        sum += state->each[i];
    state->mean = state->n ? sum / state->n : 0;
    graft_reals(&c->out[0])[0] = (real)state->mean;
}

static void unscore(void *ctx, int64_t i, int worker)
{
    const struct scoring *s = ctx;
    const real *x = graft_reals(&s->call->in[0]) + i * s->classes;
    real *dx = graft_reals(&s->call->din[0]) + i * s->classes;
    bool add = s->call->dmode[0] == GRAFT_ADD, counts = i < s->state->n;
    double top, log_z = counts ? log_sum(x, s->classes, &top) : 0;
    (void)worker;
    for (int64_t c = 0; c < s->classes; c++) {
        double d = 0; /* padding images weigh nothing */
        if (counts)
            d = (exp((double)x[c] - top - log_z) -
                 (c == s->state->target[i])) / s->state->n;
        dx[c] = (real)(add ? (double)dx[c] + d : d);
    }
}

static void backward(const struct graft_call *c)
{
    struct scoring s = {c, (struct graft_loss_state *)c->args,
                        classes_of(&c->in[0])};
    if (c->dmode[0] != GRAFT_SKIP)
        graft_pool_for(c->pool, c->in[0].shape.dim[0], unscore, &s);
}

const struct graft_op graft_row_softmax_ce = {
    .name = "SoftmaxCrossEntropy", .domain = "graft", .since = 1,
    .arity = {1, 1, 1, 1}, .saves_in = 1, .grad_in = 1, .forward = forward,
    .backward = backward};
