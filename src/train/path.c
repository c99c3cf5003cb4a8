/* One l2 after the other, from strong to weak, each from the last's answer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/path.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "train/folds.h"
#include "train/solver.h"

/* Gradient at which a minimum is reached: rounding allows little less. */
#define TOLERANCE 1e-8
/* Held-out loss needs less accuracy than the head that is exported. It must
 * be relative: where a weak l2 makes the loss tiny, a fixed bound would stop
 * early, and early stopping is an l2 of its own. */
#define CV_RELATIVE 1e-3

/* ---- one problem --------------------------------------------------------- */

static int64_t variables(const struct graft_axis_problem *p)
{
    return graft_logistic_units(p->f.classes) * (p->f.d + 1);
}

int graft_axis_problem_init(struct graft_axis_problem *p,
                            const struct graft_space *s,
                            const struct graft_probe_samples *samples,
                            const double *weight)
{
    *p = (struct graft_axis_problem){
        .f = {.x = s->coordinate, .n = s->n, .d = s->r,
              .label = samples->label, .classes = samples->classes,
              .weight = weight},
        .space = s};
    size_t n = (size_t)variables(p);
    size_t scores = 2 * (size_t)graft_logistic_units(samples->classes);
    p->f.score = graft_calloc((size_t)s->n * scores, sizeof(double));
    p->scale = graft_calloc(n, sizeof(double));
    p->v = graft_calloc(n, sizeof(double));
    p->g = graft_calloc(n, sizeof(double));
    p->u = graft_calloc(n, sizeof(double));
    return p->f.score && p->scale && p->v && p->g && p->u ? GRAFT_OK
                                                          : GRAFT_EMEM;
}

void graft_axis_problem_release(struct graft_axis_problem *p)
{
    graft_free(p->f.score);
    graft_free(p->scale);
    graft_free(p->v);
    graft_free(p->g);
    graft_free(p->u);
}

static double scaled_value(void *ctx, const double *u, double *g)
{
    struct graft_axis_problem *p = ctx;
    int64_t n = variables(p);
    for (int64_t i = 0; i < n; i++)
        p->v[i] = u[i] / p->scale[i];
    double value = graft_logistic_value(&p->f, p->v, g);
    for (int64_t i = 0; i < n; i++)
        g[i] /= p->scale[i];
    return value;
}

/* At v = 0 all classes are equally likely: the loss's second derivative by a
 * unit's score is q = 1/C (1 - 1/C), along axis k with sum of squares S_k it
 * is q S_k / n + l2. */
static void rescale(struct graft_axis_problem *p, double l2)
{
    int64_t r = p->f.d;
    double q = 1.0 / p->f.classes * (1 - 1.0 / p->f.classes);
    for (int64_t i = 0, n = variables(p); i < n; i++) {
        int64_t k = i % (r + 1);
        double curvature = k == r ? q
            : q * p->space->size[k] / (double)p->space->n + l2;
        double now = sqrt(curvature);
        double v = p->scale[i] > 0 ? p->u[i] / p->scale[i] : 0;
        p->scale[i] = now;
        p->u[i] = v * now;
    }
}

int graft_axis_problem_solve(struct graft_axis_problem *p, double l2,
                             double relative)
{
    p->f.l2 = l2;
    rescale(p, l2);
    struct graft_minimise m = {.n = variables(p), .objective = scaled_value,
                               .ctx = p, .tolerance = TOLERANCE,
                               .relative = relative,
                               .max_iterations = 5000};
    int status = graft_solver_lbfgs.minimise(&m, p->u);
    if (status)
        return status;
    for (int64_t i = 0; i < m.n; i++)
        p->v[i] = p->u[i] / p->scale[i];
    p->value = m.value;
    p->iterations = m.iterations;
    return GRAFT_OK;
}

/* ---- cross-validation ---------------------------------------------------- */

struct fold_result {
    double log_loss[GRAFT_PROBE_PATH]; /* sums over the samples held out */
    int right[GRAFT_PROBE_PATH], judged;
    int status;
    char message[GRAFT_MESSAGE_MAX];
};

struct cross {
    struct graft_runtime *rt;
    const struct graft_space *space;
    const struct graft_probe_samples *samples;
    const int *fold;
    const double *l2; /* [GRAFT_PROBE_PATH], strong to weak */
    struct fold_result *result;
};

static bool is_judged(const struct cross *c, int64_t i, int fold)
{
    return c->fold[i] == fold &&
           (!c->samples->view || c->samples->view[i] == 0);
}

static int judge(const struct cross *c, int fold, int step,
                 struct graft_axis_problem *p, double *answer)
{
    struct fold_result *r = &c->result[fold];
    int classes = c->samples->classes;
    int units = graft_logistic_units(classes);
    p->f.all_scores = 1;
    graft_logistic_value(&p->f, p->v, NULL);
    p->f.all_scores = 0;
    r->judged = 0;
    for (int64_t i = 0; i < c->samples->n; i++) {
        if (!is_judged(c, i, fold))
            continue;
        graft_logistic_answer(classes, p->f.score + i * units, answer);
        int said = 0;
        for (int k = 1; k < classes; k++)
            if (answer[k] > answer[said])
                said = k;
        int label = c->samples->label[i];
        r->log_loss[step] -= log(fmax(answer[label], 1e-15));
        r->right[step] += said == label;
        r->judged++;
    }
    return GRAFT_OK;
}

static int one_fold(const struct cross *c, int fold)
{
    const struct graft_probe_samples *s = c->samples;
    struct graft_axis_problem p = {0};
    double *weight = graft_calloc((size_t)s->n, sizeof *weight);
    double *answer = graft_calloc((size_t)s->classes, sizeof *answer);
    int status = weight && answer ? GRAFT_OK : GRAFT_EMEM;
    for (int64_t i = 0; !status && i < s->n; i++)
        weight[i] = c->fold[i] != fold;
    if (!status)
        status = graft_axis_problem_init(&p, c->space, s, weight);
    for (int k = 0; !status && k < GRAFT_PROBE_PATH; k++) {
        status = graft_runtime_check(c->rt);
        if (!status)
            status = graft_axis_problem_solve(&p, c->l2[k], CV_RELATIVE);
        if (!status)
            status = judge(c, fold, k, &p, answer);
    }
    graft_axis_problem_release(&p);
    graft_free(answer);
    graft_free(weight);
    return status;
}

static void fold_task(void *ctx, int64_t i, int worker)
{
    struct cross *c = ctx;
    (void)worker;
    c->result[i].status = one_fold(c, (int)i);
    if (c->result[i].status)
        graft_message_save(c->result[i].message);
}

/* Losses this close are as good as equal. Where all that is held out is
 * right, ever weaker l2 only make answers surer by less and less. */
#define CV_TIE 1e-3

/* Adds the folds in order; the smallest loss wins, the strongest l2 of those
 * that tie with it. */
static int conclude(struct graft_probe *probe, const struct cross *c)
{
    double least = INFINITY;
    for (int i = 0; i < probe->folds; i++) {
        if (c->result[i].status) {
            graft_message_restore(c->result[i].message);
            return c->result[i].status;
        }
        probe->judged += c->result[i].judged;
    }
    for (int k = 0; k < GRAFT_PROBE_PATH; k++) {
        double loss = 0, right = 0;
        for (int i = 0; i < probe->folds; i++) {
            loss += c->result[i].log_loss[k];
            right += c->result[i].right[k];
        }
        probe->path[k] = (struct graft_probe_step){
            .l2 = c->l2[k], .log_loss = loss / probe->judged,
            .accuracy = right / probe->judged};
        least = fmin(least, probe->path[k].log_loss);
    }
    while (!(probe->path[probe->chosen].log_loss <= least + CV_TIE))
        probe->chosen++;
    return GRAFT_OK;
}

int graft_probe_cross_validate(struct graft_probe *probe,
                               struct graft_runtime *rt,
                               const struct graft_space *s,
                               const struct graft_probe_samples *samples,
                               uint64_t seed)
{
    double l2[GRAFT_PROBE_PATH];
    for (int k = 0; k < GRAFT_PROBE_PATH; k++)
        l2[k] = pow(10.0, 3 - 0.5 * k);
    probe->folds = GRAFT_PROBE_FOLDS;
    struct cross c = {.rt = rt, .space = s, .samples = samples, .l2 = l2};
    int *fold = graft_calloc((size_t)samples->n, sizeof *fold);
    int status = fold ? GRAFT_OK : GRAFT_EMEM;
    if (!status)
        status = graft_folds(fold, &probe->folds, samples->label,
                             samples->photo, samples->n, seed);
    if (!status && probe->folds) {
        c.fold = fold;
        c.result = graft_calloc((size_t)probe->folds, sizeof *c.result);
        status = c.result ? GRAFT_OK : GRAFT_EMEM;
        if (!status) {
            graft_pool_for(rt->pool, probe->folds, fold_task, &c);
            status = conclude(probe, &c);
        }
    }
    graft_free(c.result);
    graft_free(fold);
    return status;
}
