/* What --unfreeze auto has to try in a network, what it came to, and how that
 * is reported.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "task/tune.h"

static const double factor[GRAFT_RATES] = {1.0 / 3, 1, 3};

/* ---- what there is to try ------------------------------------------------ */

/* Cheapest first; the third needs a stage between the last and all. */
void graft_auto_words(char words[24], int depth, int stages)
{
    static const char *const fixed[] = {"last-stage", "all"};
    if (depth < 2)
        snprintf(words, 24, "%s", fixed[depth]);
    else
        snprintf(words, 24, "stages:%d", (stages + 1) / 2);
}

struct graft_policy graft_auto_policy(const struct graft_tune *u)
{
    int photos = 0;
    for (int i = 0; i < u->n; i++)
        photos += u->fold[i] >= 0 && !u->item[i].view;
    return (struct graft_policy){
        .run = u->state->run, .n = u->state->runs,
        .depths = u->state->stages > 2 ? 3 : 2, .folds = u->folds,
        .choosing = graft_policy_choosing(u->folds, photos),
        .rates = !(u->t->o->tune.learning_rate > 0)};
}

double graft_auto_rate(const struct graft_tune *u, int rate)
{
    const double given = u->t->o->tune.learning_rate;
    const double middle = (strcmp(u->o.optimizer, "sgd") ? 1e-4 : 1e-3) *
                          u->o.batch_size / 32;
    return given > 0 ? given : middle * factor[rate];
}

const char *graft_auto_untried(int why)
{
    static const char *const words[GRAFT_UNTRIED_END] = {
        [GRAFT_NO_TIME] = "it does not fit into the time",
        [GRAFT_NO_MEMORY] = "it does not fit into the memory limit",
        [GRAFT_NOT_FINITE] = "its numbers did not stay finite",
        [GRAFT_NO_SUCH_DEPTH] = "the network has no such part"};
    return words[why];
}

/* ---- the report ---------------------------------------------------------- */

static int add_tried(struct graft_tune *u, const struct graft_short_run *r,
                     bool deciding)
{
    struct graft_tuning *t = u->t->report->tuning;
    struct graft_tried *x = &t->tried[t->n_tried++];
    char words[24];
    graft_auto_words(words, r->depth, u->state->stages);
    x->unfreeze = graft_strdup(words);
    x->learning_rate = graft_auto_rate(u, r->rate);
    x->epochs = r->epochs;
    x->deciding = deciding;
    x->held_out = r->held;
    x->probe_errors = r->probe_errors;
    x->errors = r->errors;
    x->probe_log_loss = r->held ? r->probe / r->held : NAN;
    x->log_loss = r->held ? r->tuned / r->held : NAN;
    x->difference = graft_short_run_difference(r);
    x->standard_error = graft_short_run_error(r);
    x->skipped = r->held ? NULL
                         : graft_auto_untried(r->why ? r->why
                                                     : GRAFT_NO_TIME);
    return x->unfreeze ? GRAFT_OK : GRAFT_EMEM;
}

/* Each candidate once, in the order in which they were tried. */
static int list_tried(struct graft_tune *u, const struct graft_policy *p)
{
    struct graft_tuning *t = u->t->report->tuning;
    struct graft_short_run sum;
    int status = GRAFT_OK;
    t->tried = graft_calloc((size_t)p->n + 1, sizeof *t->tried);
    if (!t->tried)
        return GRAFT_EMEM;
    for (int i = 0; !status && i < p->n; i++) {
        const struct graft_short_run *r = &p->run[i];
        const bool deciding = r->fold >= p->choosing;
        if (r->fold && r->fold != p->choosing)
            continue;
        graft_policy_sum(&sum, p, r->depth, r->rate,
                         deciding ? p->choosing : 0,
                         deciding ? p->folds : p->choosing);
        status = add_tried(u, &sum, deciding);
    }
    return status;
}

static int report(struct graft_tune *u, const struct graft_short_run *r)
{
    struct graft_tuning *t = u->t->report->tuning;
    char words[24];
    graft_auto_words(words, r->depth, u->state->stages);
    graft_free(t->unfreeze);
    t->unfreeze = graft_strdup(words);
    t->parameters = r->parameters;
    t->head_parameters = r->head_parameters;
    t->elements = r->elements;
    t->learning_rate = graft_auto_rate(u, r->rate);
    t->epochs = (int)u->state->planned;
    t->held_out = r->held;
    t->probe_log_loss = r->held ? r->probe / r->held : NAN;
    t->tuned_log_loss = r->held ? r->tuned / r->held : NAN;
    t->difference = graft_short_run_difference(r);
    t->standard_error = graft_short_run_error(r);
    t->tuned = u->tuned;
    t->best_epoch = u->tuned ? t->epochs : 0;
    return t->unfreeze ? GRAFT_OK : GRAFT_EMEM;
}

/* ---- the decision -------------------------------------------------------- */

int graft_auto_decide(struct graft_tune *u, int *depth, int *rate)
{
    struct graft_tuning *t = u->t->report->tuning;
    const struct graft_policy p = graft_auto_policy(u);
    struct graft_short_run chose, sum;
    int status = list_tried(u, &p);
    if (status)
        return status;
    t->held_out = 0;
    if (!graft_policy_best(depth, rate, &p)) {
        t->reason = "nothing could be tried";
        return GRAFT_OK;
    }
    graft_policy_sum(&chose, &p, *depth, *rate, 0, p.choosing);
    graft_policy_sum(&sum, &p, *depth, *rate, p.choosing, p.folds);
    u->tuned = graft_short_run_wins(&sum);
    if (!(graft_short_run_difference(&chose) > 0))
        t->reason = "nothing tried was better than it";
    else if (!sum.held)
        t->reason = "no time was left to decide";
    else if (!u->tuned && sum.errors > sum.probe_errors)
        t->reason = "the best one tried made more mistakes on the photos "
                    "that decide";
    else if (!u->tuned)
        t->reason = "the best one tried is not better by more than one "
                    "standard error on the photos that decide";
    return report(u, sum.held ? &sum : &chose);
}
