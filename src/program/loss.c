/* Losses as an internal step on scores x [n, C], see program.h. With target
 * row t, weight w and T = sum_c t_c of an image:
 *   softmax   l = T log sum_c exp(x_c) - sum_c t_c x_c
 *             dl/dx_c = T softmax(x)_c - t_c
 *   sigmoid   l = 1/C sum_c max(x_c, 0) - t_c x_c + log(1 + exp(-|x_c|))
 *             dl/dx_c = 1/C (1 / (1 + exp(-x_c)) - t_c)
 *   nll       l = -sum_c t_c x_c,  dl/dx_c = -t_c
 * and L = sum w l. A class index k is the row that is 1 at k. Sums in double;
 * an image's loss depends on that image only, and L is taken in order, so any
 * number of threads gives the same bits.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "program/compiler.h"

struct scoring {
    const struct graft_call *call;
    struct graft_loss_state *state;
};

static double weight_of(const struct graft_loss_state *s, int64_t i)
{
    return s->weight ? s->weight[i] : 1.0 / s->n;
}

/* The state is the program's, reached through args for want of another way
 * from a step to its program. */
static struct scoring scoring_of(const struct graft_call *c)
{
    return (struct scoring){c, (struct graft_loss_state *)c->args};
}

static void forward(const struct graft_call *c, graft_task_fn *score)
{
    struct scoring s = scoring_of(c);
    double sum = 0;
    graft_pool_for(c->pool, s.state->n, score, &s);
    for (int i = 0; i < s.state->n; i++)
        if (weight_of(s.state, i) != 0) /* else not even an infinity counts */
            sum += weight_of(s.state, i) * s.state->each[i];
    s.state->sum = sum;
    graft_reals(&c->out[0])[0] = (real)sum;
}

static void backward(const struct graft_call *c, graft_task_fn *unscore)
{
    struct scoring s = scoring_of(c);
    if (c->dmode[0] != GRAFT_SKIP)
        graft_pool_for(c->pool, c->in[0].shape.dim[0], unscore, &s);
}

/* Padding images weigh nothing. */
static bool counts(const struct scoring *s, int64_t i)
{
    return i < s->state->n && weight_of(s->state, i) != 0;
}

/* dx (+)= d */
static void store(const struct scoring *s, real *dx, double d)
{
    bool add = s->call->dmode[0] == GRAFT_ADD;
    *dx = (real)(add ? (double)*dx + d : d);
}

static void store_nothing(const struct scoring *s, real *dx)
{
    for (int64_t c = 0; c < s->state->classes; c++)
        store(s, &dx[c], 0);
}

/* ---- softmax ------------------------------------------------------------ */

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

static void score_softmax(void *ctx, int64_t i, int worker)
{
    const struct scoring *s = ctx;
    const int64_t n = s->state->classes;
    const real *x = graft_reals(&s->call->in[0]) + i * n;
    double top, log_z = log_sum(x, n, &top), l = 0;
    (void)worker;
    if (s->state->row) {
        const real *t = s->state->row + i * n;
        for (int64_t c = 0; c < n; c++)
            if (t[c] != 0) /* -inf scores of classes that do not count */
                l += (double)t[c] * (log_z + top - (double)x[c]);
    } else {
        l = log_z + top - (double)x[s->state->target[i]];
    }
    s->state->each[i] = l;
}

static void unscore_softmax(void *ctx, int64_t i, int worker)
{
    const struct scoring *s = ctx;
    const int64_t n = s->state->classes;
    const real *x = graft_reals(&s->call->in[0]) + i * n;
    real *dx = graft_reals(&s->call->din[0]) + i * n;
    (void)worker;
    if (!counts(s, i)) {
        store_nothing(s, dx);
        return;
    }
    const real *t = s->state->row ? s->state->row + i * n : NULL;
    double top, log_z = log_sum(x, n, &top), total = t ? 0 : 1;
    double w = weight_of(s->state, i);
    for (int64_t c = 0; t && c < n; c++)
        total += (double)t[c];
    for (int64_t c = 0; c < n; c++) {
        double at = t ? (double)t[c] : c == s->state->target[i];
        store(s, &dx[c],
              w * (total * exp((double)x[c] - top - log_z) - at));
    }
}

static void forward_softmax(const struct graft_call *c)
{
    forward(c, score_softmax);
}

static void backward_softmax(const struct graft_call *c)
{
    backward(c, unscore_softmax);
}

/* ---- sigmoid ------------------------------------------------------------ */

static void score_sigmoid(void *ctx, int64_t i, int worker)
{
    const struct scoring *s = ctx;
    const int64_t n = s->state->classes;
    const real *x = graft_reals(&s->call->in[0]) + i * n;
    const real *t = s->state->row + i * n;
    double l = 0;
    (void)worker;
    for (int64_t c = 0; c < n; c++) {
        double v = (double)x[c];
        l += (v <= 0 ? 0 : v) - (double)t[c] * v + log1p(exp(-fabs(v)));
    }
    s->state->each[i] = l / (double)n;
}

static void unscore_sigmoid(void *ctx, int64_t i, int worker)
{
    const struct scoring *s = ctx;
    const int64_t n = s->state->classes;
    const real *x = graft_reals(&s->call->in[0]) + i * n;
    real *dx = graft_reals(&s->call->din[0]) + i * n;
    (void)worker;
    if (!counts(s, i)) {
        store_nothing(s, dx);
        return;
    }
    const real *t = s->state->row + i * n;
    double w = weight_of(s->state, i) / (double)n;
    for (int64_t c = 0; c < n; c++)
        store(s, &dx[c], w * (1 / (1 + exp(-(double)x[c])) - (double)t[c]));
}

static void forward_sigmoid(const struct graft_call *c)
{
    forward(c, score_sigmoid);
}

static void backward_sigmoid(const struct graft_call *c)
{
    backward(c, unscore_sigmoid);
}

/* ---- log-likelihood ----------------------------------------------------- */

static void score_nll(void *ctx, int64_t i, int worker)
{
    const struct scoring *s = ctx;
    const int64_t n = s->state->classes;
    const real *x = graft_reals(&s->call->in[0]) + i * n;
    const real *t = s->state->row ? s->state->row + i * n : NULL;
    double l = t ? 0 : -(double)x[s->state->target[i]];
    (void)worker;
    for (int64_t c = 0; t && c < n; c++)
        if (t[c] != 0)
            l -= (double)t[c] * (double)x[c];
    s->state->each[i] = l;
}

static void unscore_nll(void *ctx, int64_t i, int worker)
{
    const struct scoring *s = ctx;
    const int64_t n = s->state->classes;
    real *dx = graft_reals(&s->call->din[0]) + i * n;
    (void)worker;
    if (!counts(s, i)) {
        store_nothing(s, dx);
        return;
    }
    const real *t = s->state->row ? s->state->row + i * n : NULL;
    double w = weight_of(s->state, i);
    for (int64_t c = 0; c < n; c++)
        store(s, &dx[c],
              -w * (t ? (double)t[c] : c == s->state->target[i]));
}

static void forward_nll(const struct graft_call *c)
{
    forward(c, score_nll);
}

static void backward_nll(const struct graft_call *c)
{
    backward(c, unscore_nll);
}

/* ---- rows --------------------------------------------------------------- */

static const struct {
    struct graft_op op;
    bool rows_only;
} kinds[] = {
    [GRAFT_LOSS_SOFTMAX_CE] =
        {{.name = "SoftmaxCrossEntropy", .domain = "graft", .since = 1,
          .arity = {1, 1, 1, 1}, .saves_in = 1, .grad_in = 1,
          .forward = forward_softmax, .backward = backward_softmax}, false},
    [GRAFT_LOSS_SIGMOID_CE] =
        {{.name = "SigmoidCrossEntropy", .domain = "graft", .since = 1,
          .arity = {1, 1, 1, 1}, .saves_in = 1, .grad_in = 1,
          .forward = forward_sigmoid, .backward = backward_sigmoid}, true},
    [GRAFT_LOSS_NLL] =
        {{.name = "NegativeLogLikelihood", .domain = "graft", .since = 1,
          .arity = {1, 1, 1, 1}, .grad_in = 1, .forward = forward_nll,
          .backward = backward_nll}, false},
};

static int make_state(struct graft_loss_state *s, struct graft_compiler *c,
                      bool rows)
{
    size_t n = (size_t)c->n_max, classes = (size_t)s->classes;
    if (classes > SIZE_MAX / (n * sizeof *s->row))
        return graft_fail(GRAFT_ELIMIT, "the targets are too large");
    s->each = graft_arena_array(&c->arena, n, sizeof *s->each);
    if (c->options->loss->weighted)
        s->weight = graft_arena_array(&c->arena, n, sizeof *s->weight);
    if (rows)
        s->row = graft_arena_array(&c->arena, n * classes, sizeof *s->row);
    else
        s->target = graft_arena_array(&c->arena, n, sizeof *s->target);
    return s->each && (s->weight || !c->options->loss->weighted) &&
                   (s->row || s->target)
               ? GRAFT_OK
               : GRAFT_EMEM;
}

int graft_loss_prepare(struct graft_loss_state **out,
                       const struct graft_op **row, struct graft_compiler *c)
{
    const struct graft_loss *loss = c->options->loss;
    const struct graft_wvalue *v = &c->value.at[loss->logits];
    const struct graft_vinfo *info = &v->info;
    if (loss->kind < 1 || loss->kind >= (int)(sizeof kinds / sizeof *kinds))
        return graft_fail(GRAFT_EARG, "no loss has the number %d",
                          (int)loss->kind);
    if (info->per_image != 1 || info->shape.rank < 2 ||
        graft_shape_count(&info->shape) < 1)
        return graft_fail(GRAFT_ESHAPE, "the loss needs scores [N, classes] "
                          "in '%s'", v->name);
    struct graft_loss_state *s = graft_arena_alloc(&c->arena, sizeof *s);
    if (!s)
        return GRAFT_EMEM;
    s->scores = loss->logits;
    s->classes = graft_shape_span(&info->shape, 1, info->shape.rank);
    int status = make_state(s, c, loss->soft || kinds[loss->kind].rows_only);
    *row = &kinds[loss->kind].op;
    *out = s;
    return status;
}
