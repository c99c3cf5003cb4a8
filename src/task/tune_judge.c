/* What an epoch is worth, and whether the best one beats the probe.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/tune.h"

/* As in a report: one photo cannot make a mean infinite. */
#define P_MIN 1e-15

static bool is_wrong(const double *p, int64_t classes, int32_t truth)
{
    for (int64_t c = 0; c < classes; c++)
        if (p[c] > p[truth])
            return true;
    return false;
}

int graft_tune_held(struct graft_tune *u, double *loss, int64_t *errors)
{
    const int64_t classes = u->t->data->n_classes;
    double *p = graft_calloc((size_t)u->n_held + 1,
                             (size_t)classes * sizeof *p);
    if (!p)
        return GRAFT_EMEM;
    int status = graft_tune_known(u, p, u->held, u->n_held);
    *errors = 0;
    for (int i = 0; !status && i < u->n_held; i++) {
        const int32_t truth = u->label[u->held[i]];
        loss[i] = -log(fmax(p[i * classes + truth], P_MIN));
        *errors += is_wrong(p + i * classes, classes, truth);
    }
    graft_free(p);
    return status;
}

static double mean(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum / n;
}

double graft_tune_probe_mean(const struct graft_tune *u)
{
    return mean(u->probe_loss, u->n_held);
}

bool graft_tune_judges(const struct graft_tune *u)
{
    const struct graft_learner *l = u->learner;
    return strcmp(u->part, "final") && !l->at &&
           l->epoch > u->state->judged &&
           (!u->automatic || graft_learner_done(l));
}

int graft_tune_judge(struct graft_tune *u)
{
    struct graft_tune_state *s = u->state;
    int64_t errors = 0;
    double *loss = graft_calloc((size_t)u->n_held + 1, sizeof *loss);
    if (!loss)
        return GRAFT_EMEM;
    graft_learner_swap(u->learner);
    int status = graft_tune_held(u, loss, &errors);
    graft_learner_swap(u->learner);
    if (!status) {
        double value = mean(loss, u->n_held);
        s->judged = u->learner->epoch;
        if (isfinite(value) && (!s->best_epoch || value < s->best)) {
            s->best = value;
            s->best_epoch = s->judged;
            s->best_errors = errors;
            memcpy(u->best_loss, loss, (size_t)u->n_held * sizeof *loss);
        }
        graft_tune_log_epoch(u, value);
    }
    graft_free(loss);
    return status;
}

void graft_tune_decide(struct graft_tune *u)
{
    const struct graft_tune_state *s = u->state;
    struct graft_tuning *r = u->t->report->tuning;
    const int n = u->n_held;
    double sum = 0;
    r->epochs = (int)s->judged;
    r->probe_log_loss = graft_tune_probe_mean(u);
    if (!s->best_epoch)
        return;
    r->tuned_log_loss = s->best;
    r->difference = r->probe_log_loss - s->best;
    for (int i = 0; i < n; i++) {
        double d = u->probe_loss[i] - u->best_loss[i] - r->difference;
        sum += d * d;
    }
    r->standard_error = n > 1 ? sqrt(sum / (n - 1) / n) : NAN;
    u->tuned = r->difference > r->standard_error; /* NaN: no */
    r->best_epoch = u->tuned ? (int)s->best_epoch : 0;
    r->tuned = u->tuned;
}
