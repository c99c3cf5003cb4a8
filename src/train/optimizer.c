/* Optimizers (optimizer.h): the rows, and walking the parameters.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/optimizer.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

enum { RANGE = 16384 }; /* elements of a task */

/* ---- rows ---------------------------------------------------------------- */

/* g' = g + decay w;  v = momentum v + g' (0 v at first: v = g');
 * w -= rate v, or with Nesterov's rate (g' + momentum v). */
static void update_sgd(const struct graft_update *u)
{
    const struct graft_optimizer_options *o = u->options;
    const real rate = (real)u->rate, decay = (real)u->decay;
    const real momentum = (real)o->momentum;
    for (int64_t i = 0; i < u->n; i++) {
        real g = u->g[i] + decay * u->w[i];
        real v = momentum * u->state[0][i] + g;
        u->state[0][i] = v;
        u->w[i] -= rate * (o->nesterov ? g + momentum * v : v);
    }
}

/* m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, at step t
 * w -= rate / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon) */
static void move_adam(const struct graft_update *u, real coupled)
{
    const struct graft_optimizer_options *o = u->options;
    const double t = (double)u->step;
    const real b1 = (real)o->beta1, b2 = (real)o->beta2;
    const real c1 = (real)(1 - o->beta1), c2 = (real)(1 - o->beta2);
    const real by = (real)(u->rate / (1 - pow(o->beta1, t)));
    const real root = (real)sqrt(1 - pow(o->beta2, t));
    const real epsilon = (real)o->epsilon;
    for (int64_t i = 0; i < u->n; i++) {
        real g = u->g[i] + coupled * u->w[i];
        real m = b1 * u->state[0][i] + c1 * g;
        real v = b2 * u->state[1][i] + c2 * g * g;
        u->state[0][i] = m;
        u->state[1][i] = v;
        u->w[i] -= by * (m / ((real)sqrt((double)v) / root + epsilon));
    }
}

static void update_adam(const struct graft_update *u)
{
    move_adam(u, (real)u->decay);
}

/* Decay apart from the gradient: w *= 1 - rate decay first. */
static void update_adamw(const struct graft_update *u)
{
    const real keep = (real)(1 - u->rate * u->decay);
    for (int64_t i = 0; i < u->n; i++)
        u->w[i] *= keep;
    move_adam(u, 0);
}

const struct graft_optimizer_row graft_optimizer_table[] = {
    {"sgd", "stochastic gradient descent with momentum", {"momentum"},
     update_sgd},
    {"adam", "Adam; weight decay is part of the gradient",
     {"exp_avg", "exp_avg_sq"}, update_adam},
    {"adamw", "Adam with weight decay apart from the gradient",
     {"exp_avg", "exp_avg_sq"}, update_adamw},
    {NULL, NULL, {NULL}, NULL}};

const struct graft_optimizer_row *graft_optimizer_find(const char *name)
{
    struct graft_str s;
    for (int i = 0; graft_optimizer_table[i].name; i++)
        if (name && strcmp(graft_optimizer_table[i].name, name) == 0)
            return &graft_optimizer_table[i];
    graft_str_init(&s);
    for (int i = 0; graft_optimizer_table[i].name; i++)
        graft_str_addf(&s, "%s%s", i ? ", " : "",
                       graft_optimizer_table[i].name);
    graft_fail(GRAFT_EARG, "no optimizer is called '%s'; there are %s",
               name ? name : "", s.at);
    graft_str_release(&s);
    return NULL;
}

/* ---- all parameters ------------------------------------------------------ */

struct graft_span_task {
    int parameter;
    int64_t first, n; /* elements of the flat vector */
};

static int check_number(double x, double below, const char *what)
{
    if (x >= 0 && x < below)
        return GRAFT_OK;
    return graft_fail(GRAFT_EARG, "%s %g: it has to be at least 0 and less "
                      "than %g", what, x, below);
}

static int check(const struct graft_optimizer_options *o)
{
    int status = check_number(o->momentum, 1, "momentum");
    if (!status)
        status = check_number(o->beta1, 1, "beta1");
    if (!status)
        status = check_number(o->beta2, 1, "beta2");
    if (!status)
        status = check_number(o->weight_decay, 1e6, "weight decay");
    if (!status && !(o->epsilon > 0 && o->epsilon < 1))
        status = graft_fail(GRAFT_EARG, "epsilon %g: it has to lie between 0 "
                            "and 1", o->epsilon);
    if (!status && o->nesterov && o->momentum <= 0)
        status = graft_fail(GRAFT_EARG, "Nesterov's way needs a momentum");
    return status;
}

static int64_t tasks_of(int64_t count)
{
    return (count + RANGE - 1) / RANGE;
}

static int cut(struct graft_optimizer *o)
{
    const struct graft_selection *s = o->selection;
    int64_t n = 0;
    for (int i = 0; i < s->n; i++)
        n += tasks_of(s->at[i].count);
    o->task = graft_calloc((size_t)n + 1, sizeof *o->task);
    if (!o->task)
        return GRAFT_EMEM;
    for (int i = 0; i < s->n; i++)
        for (int64_t k = 0; k < tasks_of(s->at[i].count); k++) {
            int64_t first = k * RANGE, left = s->at[i].count - first;
            o->task[o->n_tasks++] = (struct graft_span_task){
                i, s->at[i].offset + first, left < RANGE ? left : RANGE};
        }
    return GRAFT_OK;
}

/* Factors of each parameter: its group's, no decay for vectors. */
static int set_factors(struct graft_optimizer *o)
{
    const struct graft_selection *s = o->selection;
    const struct graft_model *m = graft_store_model(s->store);
    const struct graft_optimizer_options *q = &o->options;
    o->rate = graft_calloc((size_t)s->n + 1, sizeof *o->rate);
    o->decay = graft_calloc((size_t)s->n + 1, sizeof *o->decay);
    if (!o->rate || !o->decay)
        return GRAFT_EMEM;
    for (int i = 0; i < s->n; i++) {
        const struct graft_value *v = &m->value.at[s->at[i].value];
        int group = s->at[i].group, rank = graft_selected_shape(s, i).rank;
        if (q->group && (group < 0 || group >= q->n_groups))
            return graft_fail(GRAFT_EARG, "'%s' is in group %d of %d",
                              v->name, group, q->n_groups);
        o->rate[i] = q->group ? q->group[group].rate : 1;
        o->decay[i] = q->group ? q->group[group].decay : 1;
        if (rank < 2 && !q->decay_all)
            o->decay[i] = 0;
    }
    return GRAFT_OK;
}

static int make_state(struct graft_optimizer *o)
{
    size_t bytes = (size_t)o->selection->size * sizeof(real);
    for (int k = 0; k < GRAFT_STATES_MAX && o->row->state[k]; k++) {
        o->state[k] = graft_alloc_aligned(bytes);
        if (!o->state[k])
            return GRAFT_EMEM;
        memset(o->state[k], 0, bytes);
    }
    return GRAFT_OK;
}

int graft_optimizer_new(struct graft_optimizer **out, struct graft_pool *pool,
                        const struct graft_selection *s,
                        const struct graft_optimizer_options *options)
{
    const struct graft_optimizer_row *row =
        graft_optimizer_find(options->name);
    int status = row ? check(options) : GRAFT_EARG;
    if (status)
        return status;
    struct graft_optimizer *o = graft_calloc(1, sizeof *o);
    if (!o)
        return GRAFT_EMEM;
    o->row = row;
    o->options = *options;
    o->options.name = row->name;
    o->selection = s;
    o->pool = pool;
    status = set_factors(o);
    o->options.group = NULL; /* the caller's */
    if (!status)
        status = cut(o);
    if (!status)
        status = make_state(o);
    if (status) {
        graft_optimizer_free(o);
        return status;
    }
    *out = o;
    return GRAFT_OK;
}

void graft_optimizer_free(struct graft_optimizer *o)
{
    if (!o)
        return;
    for (int k = 0; k < GRAFT_STATES_MAX; k++)
        graft_free(o->state[k]);
    graft_free(o->rate);
    graft_free(o->decay);
    graft_free(o->task);
    graft_free(o);
}

struct stepping {
    struct graft_optimizer *o;
    const real *gradient;
    double rate;
};

static void step_range(void *ctx, int64_t i, int worker)
{
    const struct stepping *s = ctx;
    const struct graft_optimizer *o = s->o;
    const struct graft_span_task *t = &o->task[i];
    struct graft_update u = {
        .w = o->selection->master + t->first, .g = s->gradient + t->first,
        .n = t->n, .step = o->step, .options = &o->options,
        .rate = s->rate * o->rate[t->parameter],
        .decay = o->options.weight_decay * o->decay[t->parameter]};
    (void)worker;
    for (int k = 0; k < GRAFT_STATES_MAX; k++)
        u.state[k] = o->state[k] ? o->state[k] + t->first : NULL;
    o->row->update(&u);
}

void graft_optimizer_step(struct graft_optimizer *o, const real *gradient,
                          double rate)
{
    struct stepping s = {o, gradient, rate};
    o->step++;
    graft_pool_for(o->pool, o->n_tasks, step_range, &s);
}

int64_t graft_optimizer_bytes(const struct graft_optimizer *o)
{
    int64_t n = 0;
    for (int k = 0; k < GRAFT_STATES_MAX; k++)
        n += o->state[k] ? o->selection->size * (int64_t)sizeof(real) : 0;
    return n;
}
