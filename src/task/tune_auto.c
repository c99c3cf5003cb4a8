/* --unfreeze auto: short runs of several depths and rates inside train, one
 * after the other, then the decision (tune_policy.h says which and how), then
 * all photos. One depth is open at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "task/tune.h"

/* A short run makes so many steps, in no fewer epochs than that; for the first
 * one epochs are left out until so much of the time is enough, down to three:
 * fewer say nothing. */
enum { STEPS = 60, EPOCHS_MIN = 5, EPOCHS_LEFT = 3 };
#define FIRST_PART 0.6
#define JUDGING 0.4 /* of a step: what a photo costs that only judges */

static int epochs_of(const struct graft_tune *u)
{
    if (u->t->o->tune.epochs)
        return u->o.epochs;
    int steps = (u->n_rest + u->o.batch_size - 1) / u->o.batch_size;
    int epochs = steps ? (STEPS + steps - 1) / steps : EPOCHS_MIN;
    return epochs > EPOCHS_MIN ? epochs : EPOCHS_MIN;
}

/* ---- a depth ------------------------------------------------------------- */

static bool is_over_limit(const struct graft_tune *u, int status)
{
    return status == GRAFT_ELIMIT ||
           (status == GRAFT_EMEM && u->t->rt->memory_limit);
}

/* *why: what speaks against it without being an error. */
static int open_depth(struct graft_tune *u, int depth, int32_t *why)
{
    *why = GRAFT_TRIED;
    if (u->depth == depth)
        return GRAFT_OK;
    u->depth = -1;
    graft_tune_shut(u);
    graft_auto_words(u->words, depth, u->state->stages);
    u->o.unfreeze = u->words;
    int status = graft_tune_begin(u);
    if (!status)
        status = graft_tune_compute_rows(u);
    if (!status)
        status = graft_tune_note_start(u);
    if (!status)
        status = graft_tune_speed(u, &u->photo_seconds[depth]);
    if (!status) {
        u->state->stages = u->u.stages;
        u->depth = depth;
        return GRAFT_OK;
    }
    graft_tune_shut(u);
    *why = is_over_limit(u, status) ? GRAFT_NO_MEMORY
         : status == GRAFT_EARG || status == GRAFT_ENOTFOUND
             ? GRAFT_NO_SUCH_DEPTH : GRAFT_TRIED;
    return *why ? GRAFT_OK : status;
}

/* ---- time ---------------------------------------------------------------- */

static bool none_ran(const struct graft_tune *u)
{
    for (int i = 0; i < u->state->runs; i++)
        if (!u->state->run[i].why)
            return false;
    return true;
}

/* Of the slowest depth so far, which may be the one that is chosen. */
static double slowest(const struct graft_tune *u)
{
    double most = 0;
    for (int d = 0; d < GRAFT_DEPTHS; d++)
        most = fmax(most, u->photo_seconds[d]);
    return most;
}

/* Does the run fit, with all that has to follow it before it is worth
 * anything: the other folds that choose, one that decides, all photos? */
static bool fits(struct graft_tune *u, const struct graft_short_run *next,
                 int choosing)
{
    const int64_t whole = u->state->planned;
    const int runs = next->fold < choosing ? choosing - next->fold : 0;
    const double each = u->photo_seconds[next->depth], later = slowest(u);
    const double epoch = each * runs * u->n_rest + later * (u->n_rest + u->n);
    const double judging = JUDGING * 2 * u->n_held * (each * runs + later);
    const double left = u->o.seconds - graft_tune_elapsed(u);
    if (left <= 0)
        return false;
    if (none_ran(u) && whole > EPOCHS_LEFT &&
        epoch * (double)whole + judging > left * FIRST_PART) {
        double fit = floor((left * FIRST_PART - judging) / epoch);
        u->state->planned = fit < EPOCHS_LEFT ? EPOCHS_LEFT : (int64_t)fit;
        graft_log(u->t->rt, GRAFT_LOG_INFO, "%lld of %lld epochs fit into "
                  "the time", (long long)u->state->planned, (long long)whole);
    }
    return epoch * (double)u->state->planned + judging <= left;
}

/* ---- a short run --------------------------------------------------------- */

static void take_result(const struct graft_tune *u, struct graft_short_run *r)
{
    const struct graft_tune_state *s = u->state;
    if (!s->best_epoch) { /* it was cut off, or its numbers were not finite */
        r->why = u->diverged || s->judged ? GRAFT_NOT_FINITE : GRAFT_NO_TIME;
        return;
    }
    r->epochs = (int32_t)s->best_epoch;
    r->held = u->n_held;
    r->probe_errors = (int32_t)s->probe_errors;
    r->errors = (int32_t)s->best_errors;
    for (int i = 0; i < u->n_held; i++) {
        double d = u->probe_loss[i] - u->best_loss[i];
        r->probe += u->probe_loss[i];
        r->tuned += u->best_loss[i];
        r->squares += d * d;
    }
}

static int learn(struct graft_tune *u, struct graft_short_run *r, bool go_on)
{
    struct graft_tune_state *s = u->state;
    const double began = graft_clock(), before = s->images;
    int status = GRAFT_OK;
    if (!go_on) {
        s->judged = s->best_epoch = 0;
        status = graft_tune_start_rest(u);
    }
    if (!status)
        status = graft_tune_part(u, u->name, u->rest, u->n_rest, go_on);
    if (is_over_limit(u, status)) {
        r->why = GRAFT_NO_MEMORY;
        return GRAFT_OK;
    }
    if (status && !u->diverged)
        return status;
    double each = (graft_clock() - began) / fmax(s->images - before, 1);
    u->photo_seconds[u->depth] = fmax(u->photo_seconds[u->depth], each);
    take_result(u, r);
    return GRAFT_OK;
}

static void tell(const struct graft_tune *u, const struct graft_short_run *r)
{
    char words[24];
    graft_auto_words(words, r->depth, u->state->stages);
    if (r->why)
        graft_log(u->t->rt, GRAFT_LOG_INFO, "%s: %s at rate %.3g: %s",
                  u->name, words, graft_auto_rate(u, r->rate),
                  graft_auto_untried(r->why));
    else
        graft_log(u->t->rt, GRAFT_LOG_INFO, "%s: %s at rate %.3g, %d epochs: "
                  "log-loss %.4g on %d held-out photos, probe %.4g", u->name,
                  words, graft_auto_rate(u, r->rate), r->epochs,
                  r->tuned / r->held, r->held, r->probe / r->held);
}

static int run(struct graft_tune *u, struct graft_short_run *next,
               int choosing, bool go_on)
{
    struct graft_tune_state *s = u->state;
    snprintf(u->name, sizeof u->name, "try-%d", s->runs + 1);
    graft_tune_hold_out(u, next->fold);
    u->o.learning_rate = graft_auto_rate(u, next->rate);
    int status = open_depth(u, next->depth, &next->why);
    next->parameters = u->depth < 0 ? 0 : u->u.selection->n;
    next->head_parameters = u->u.head_parameters;
    next->elements = u->u.elements;
    if (!status && !next->why && !go_on && !fits(u, next, choosing))
        next->why = GRAFT_NO_TIME;
    if (next->why == GRAFT_NO_TIME) /* what is not tried is not chosen */
        u->photo_seconds[next->depth] = 0;
    if (!status && !next->why)
        status = graft_tune_keep_held(u);
    if (!status && !next->why)
        status = learn(u, next, go_on);
    if (status)
        return status;
    s->run[s->runs++] = *next;
    tell(u, next);
    return GRAFT_OK;
}

static int search(struct graft_tune *u, bool go_on)
{
    struct graft_short_run next;
    struct graft_policy p = graft_auto_policy(u);
    int status = GRAFT_OK;
    if (!go_on)
        u->state->planned = epochs_of(u);
    else if (u->t->o->tune.epochs && u->o.epochs != u->state->planned)
        graft_log(u->t->rt, GRAFT_LOG_INFO, "runs keep the %lld epochs that "
                  "they began with", (long long)u->state->planned);
    if (go_on && !graft_policy_next(&next, &p))
        status = graft_fail(GRAFT_EMISMATCH, "the checkpoint of '%s' was "
                            "made with another learning_rate: with this one "
                            "nothing is left to try", u->t->o->output);
    while (!status && graft_policy_next(&next, &p)) {
        status = run(u, &next, p.choosing, go_on);
        go_on = false;
        p = graft_auto_policy(u);
    }
    return status;
}

/* ---- all of it ----------------------------------------------------------- */

static int train_all(struct graft_tune *u, int depth, int rate, bool go_on)
{
    int32_t why = GRAFT_TRIED;
    u->o.learning_rate = graft_auto_rate(u, rate);
    int status = open_depth(u, depth, &why);
    if (!status && why)
        status = graft_fail(GRAFT_ELIMIT, "%s was chosen, but now %s",
                            u->words, graft_auto_untried(why));
    u->state->best_epoch = u->state->judged = u->state->planned;
    return status ? status : graft_tune_final(u, go_on);
}

/* The probe answered every photo held out in its cross-validation. */
static bool is_perfect(const struct graft_probe *p)
{
    return p->folds && p->judged && p->path[p->chosen].accuracy >= 1;
}

static void tell_end(const struct graft_tune *u)
{
    const struct graft_tuning *t = u->t->report->tuning;
    if (u->tuned)
        graft_log(u->t->rt, GRAFT_LOG_INFO, "%s at rate %.3g is better than "
                  "the probe by %.2g on %d photos that decide (standard "
                  "error %.2g): all photos are learnt from", t->unfreeze,
                  t->learning_rate, t->difference, t->held_out,
                  t->standard_error);
    else
        graft_log(u->t->rt, GRAFT_LOG_INFO, "the probe stays: %s", t->reason);
}

int graft_tune_auto(struct graft_tune *u)
{
    struct graft_tuning *t = u->t->report->tuning;
    const char *found = NULL;
    int depth = 0, rate = GRAFT_RATE_MIDDLE, status = GRAFT_OK;
    if (is_perfect(u->t->probe)) {
        t->held_out = 0;
        t->reason = "it makes no mistake in its cross-validation; words such "
                    "as last-stage train in spite of that";
    } else {
        status = graft_tune_folder(u, &found);
        const bool final = found && !strcmp(found, "final");
        if (!status && !final)
            status = search(u, found != NULL);
        if (!status)
            status = graft_auto_decide(u, &depth, &rate);
        if (!status && u->tuned)
            status = train_all(u, depth, rate, final);
    }
    if (!status && !u->tuned)
        graft_tune_shut(u);
    if (!status)
        tell_end(u);
    return status;
}
