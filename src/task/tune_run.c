/* Fine-tuning on four of five folds, the decision, and fine-tuning on all.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "task/tune.h"
#include "train/masters.h"
#include "train/schedule.h"

static bool is_try(const struct graft_tune *u)
{
    return strcmp(u->part, "final") != 0;
}

/* ---- where it starts ----------------------------------------------------- */

void graft_tune_start(struct graft_tune *u, const struct graft_probe *head)
{
    const struct graft_selection *s = u->u.selection;
    const struct graft_selected *w = &s->at[s->n - 2], *b = &s->at[s->n - 1];
    int64_t size;
    real *running = graft_program_running(u->u.program, &size);
    memcpy(s->master, u->start, (size_t)s->size * sizeof *s->master);
    if (running)
        memcpy(running, u->start_running, (size_t)size * sizeof *running);
    for (int64_t i = 0; i < w->count; i++)
        s->master[w->offset + i] = (real)head->weight[i];
    for (int64_t i = 0; i < b->count; i++)
        s->master[b->offset + i] = (real)head->bias[i];
    graft_program_params(u->u.program);
}

/* The probe of the photos that are not held out, as strongly held back. */
static int probe_of_rest(struct graft_probe **out, const struct graft_tune *u)
{
    const int64_t d = u->t->trunk.floats;
    size_t n = (size_t)u->n_rest;
    float *x = graft_calloc(n, (size_t)d * sizeof *x);
    int32_t *label = graft_calloc(n, sizeof *label);
    struct graft_hash *photo = graft_calloc(n, sizeof *photo);
    int status = x && label && photo ? GRAFT_OK : GRAFT_EMEM;
    for (int i = 0; !status && i < u->n_rest; i++) {
        int64_t at = u->rest[i]; /* rows of the training stand like items */
        memcpy(x + i * d, u->t->train.x + at * d, (size_t)d * sizeof *x);
        label[i] = u->label[at];
        photo[i] = u->item[at].hash;
    }
    if (!status) {
        struct graft_probe_samples s = {
            .x = x, .n = u->n_rest, .d = d, .label = label,
            .classes = u->t->data->n_classes, .photo = photo};
        struct graft_probe_options o = {.l2 = u->t->probe->l2,
                                        .seed = u->t->o->seed};
        status = graft_probe_fit(out, u->t->rt, &s, &o);
    }
    graft_free(x);
    graft_free(label);
    graft_free(photo);
    return status;
}

int graft_tune_start_rest(struct graft_tune *u)
{
    struct graft_probe *probe = NULL;
    int status = probe_of_rest(&probe, u);
    if (!status) {
        graft_tune_start(u, probe);
        status = graft_tune_held(u, u->probe_loss, &u->state->probe_errors);
    }
    graft_probe_free(probe);
    return status;
}

/* ---- a part of it -------------------------------------------------------- */

static int told(void *ctx, const struct graft_step_record *r)
{
    struct graft_tune *u = ctx;
    const struct graft_train_options *o = u->t->o;
    const struct graft_learner *l = u->learner;
    char phase[48] = "tuning, all photos";
    if (u->automatic && is_try(u))
        snprintf(phase, sizeof phase, "tuning, %s", u->part);
    else if (is_try(u))
        snprintf(phase, sizeof phase, "tuning, four of five folds");
    u->state->seconds += r->seconds;
    u->state->images += r->images;
    if (r->epoch_ended)
        u->state->epoch_loss = r->epoch_loss;
    graft_tune_log_step(u, r);
    if (r->epoch_ended && (!is_try(u) ||
                           (u->automatic && !graft_learner_done(l))))
        graft_tune_log_epoch(u, NAN);
    return o->progress &&
           o->progress(o->progress_ctx, phase, "photos",
                       (uint64_t)(l->epoch * l->options.n_images + l->at),
                       (uint64_t)(l->options.epochs * l->options.n_images));
}

static int64_t steps_of(const struct graft_tune *u, int n)
{
    return (n + u->o.batch_size - 1) / u->o.batch_size;
}

static struct graft_learner_options options_of(struct graft_tune *u, int n)
{
    const struct graft_tune_options *o = &u->o;
    const int64_t steps = steps_of(u, n), all = steps * u->state->planned;
    int64_t warm = (int64_t)(o->warmup * (double)steps);
    return (struct graft_learner_options){
        .optimizer = {.name = o->optimizer, .momentum = o->momentum,
                      .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8,
                      .weight_decay = o->weight_decay},
        .schedule = {.name = o->schedule, .learning_rate = o->learning_rate,
                     .warmup_steps = warm < all ? warm : all - 1,
                     .total_steps = all},
        .clip_norm = o->clip, .ema_decay = o->ema, .seed = u->t->o->seed,
        .n_images = n, .batch_size = o->batch_size,
        .epochs = is_try(u) ? u->state->planned : u->state->best_epoch,
        .fill = graft_tune_fill, .fill_ctx = u, .told = told, .told_ctx = u,
        .extra = u->state, .extra_bytes = u->state_bytes};
}

static int make_learner(struct graft_tune *u, int n)
{
    struct graft_learner_options o = options_of(u, n);
    struct graft_group *group = NULL;
    struct graft_str s;
    graft_str_init(&s);
    int groups = 0, status = graft_tune_recipe(&s, u);
    if (!status)
        status = graft_groups_by_layer(u->u.selection, &groups);
    if (!status && !(group = graft_calloc((size_t)groups, sizeof *group)))
        status = GRAFT_EMEM;
    if (!status) {
        graft_groups_decay(group, groups, u->o.layer_decay);
        o.optimizer.group = group;
        o.optimizer.n_groups = groups;
        o.recipe = s.at;
        status = graft_learner_new(&u->learner, u->t->rt, u->u.program,
                                   u->u.selection, &o);
    }
    graft_free(group);
    graft_str_release(&s);
    return status;
}

/* Seconds that epochs of n photos still take. */
static double predicted(const struct graft_tune *u, int64_t epochs, int n)
{
    return u->state->images > 0 ? u->state->seconds / u->state->images *
                                      (double)epochs * n : 0;
}

/* Does the try end here? So decided from its state alone that a run that
 * went on decides the same. */
static bool enough(const struct graft_tune *u)
{
    const struct graft_tune_state *s = u->state;
    if (!is_try(u))
        return false;
    if (u->automatic) /* it began because it fitted in */
        return graft_tune_elapsed(u) > u->o.seconds;
    if (u->o.patience > 0 && s->judged - s->best_epoch >= u->o.patience)
        return true;
    return u->o.seconds > 0 && s->judged > 0 &&
           graft_tune_elapsed(u) + predicted(u, 1, u->n_rest + u->n_held) +
                   predicted(u, s->best_epoch, u->n) > u->o.seconds;
}

static int steps(struct graft_tune *u)
{
    struct graft_learner *l = u->learner;
    int status = GRAFT_OK;
    while (!status) {
        if (graft_tune_judges(u))
            status = graft_tune_judge(u);
        if (status || graft_learner_done(l) || (!l->at && enough(u)))
            break;
        status = graft_learner_step(l);
        u->diverged = status == GRAFT_EMISMATCH;
        if (!status)
            status = graft_tune_keep(u, false);
    }
    if (!status || status == GRAFT_ECANCELED) {
        char why[GRAFT_MESSAGE_MAX];
        graft_message_save(why);
        int kept = graft_tune_keep(u, true);
        u->diverged |= kept == GRAFT_EMISMATCH; /* by the last step */
        if (status)
            graft_message_restore(why);
        else
            status = kept;
    }
    return status;
}

int graft_tune_part(struct graft_tune *u, const char *part, int64_t *subset,
                    int n, bool go_on)
{
    u->part = part;
    u->subset = subset;
    u->tried = u->diverged = false;
    int status = make_learner(u, n);
    if (!status && go_on)
        status = graft_tune_restore(u);
    if (!status)
        status = graft_tune_open_log(u);
    if (!status)
        status = steps(u);
    if (!status)
        graft_learner_swap(u->learner);
    graft_learner_free(u->learner);
    u->learner = NULL;
    return status;
}

/* What is judged and written is what the file's types can hold. */
static int round_masters(struct graft_tune *u)
{
    const struct graft_model *m = u->u.model;
    const struct graft_selection *s = u->u.selection;
    int status = GRAFT_OK;
    for (int k = 0; !status && k < s->n; k++) {
        s->at[k].as_held = s->at[k].scale; /* the file has the products */
        if (!s->at[k].scale)
            status = graft_master_round(graft_parameter(m, s->at[k].value),
                                        s->master + s->at[k].offset);
    }
    if (!status)
        status = graft_norms_round(u->u.program, m);
    graft_program_params(u->u.program);
    return status;
}

int graft_tune_final(struct graft_tune *u, bool go_on)
{
    graft_tune_start(u, u->t->probe);
    int status = graft_tune_part(u, "final", u->all, u->n, go_on);
    return status ? status : round_masters(u);
}

/* ---- all of it ----------------------------------------------------------- */

int graft_tune_speed(struct graft_tune *u, double *seconds)
{
    const int rest = u->o.from_scratch ? u->n : u->n_rest;
    u->part = u->o.from_scratch ? "final" : "try";
    u->subset = u->o.from_scratch ? u->all : u->rest;
    int n = rest < u->o.batch_size ? rest : u->o.batch_size;
    int status = make_learner(u, rest);
    for (int i = 0; !status && i < 2; i++) { /* the first one warms up */
        double began = graft_clock();
        status = graft_learner_gradient(u->learner, u->all, n);
        *seconds = (graft_clock() - began) / n;
    }
    graft_learner_free(u->learner);
    u->learner = NULL;
    return status;
}

int graft_tune_epochs(struct graft_tune *u)
{
    double seconds = 0;
    u->state->planned = u->o.epochs;
    if (!(u->o.seconds > 0))
        return GRAFT_OK;
    int status = graft_tune_speed(u, &seconds);
    double epoch = seconds * (u->n_rest + 0.4 * u->n_held + u->n);
    double left = u->o.seconds - graft_tune_elapsed(u);
    int64_t fit = epoch > 0 && left > 0 ? (int64_t)(left / epoch) : 0;
    if (fit < u->state->planned)
        u->state->planned = fit > 1 ? fit : 1;
    if (!status && fit < u->o.epochs)
        graft_log(u->t->rt, GRAFT_LOG_INFO, "%lld of %d epochs fit into the "
                  "time", (long long)u->state->planned, u->o.epochs);
    return status;
}

static int try_it(struct graft_tune *u, bool go_on)
{
    int status = go_on ? GRAFT_OK : graft_tune_epochs(u);
    if (!status && !go_on)
        status = graft_tune_start_rest(u);
    return status ? status
                  : graft_tune_part(u, "try", u->rest, u->n_rest, go_on);
}

static void tell_decision(const struct graft_tune *u)
{
    const struct graft_tuning *r = u->t->report->tuning;
    graft_log(u->t->rt, GRAFT_LOG_INFO, "log-loss on %d held-out photos: "
              "probe %.4g, tuned %.4g (better by %.2g, one standard error is "
              "%.2g): %s", r->held_out, r->probe_log_loss, r->tuned_log_loss,
              r->difference, r->standard_error,
              u->tuned ? "all photos are learnt from" : "the probe stays");
}

/* What the words say is tried, and stays if it is better than the probe. */
static int try_words(struct graft_tune *u)
{
    const char *found = NULL;
    int status = graft_tune_folder(u, &found);
    const bool final = found && !strcmp(found, "final");
    if (!status && !final)
        status = try_it(u, found != NULL);
    if (status)
        return status;
    graft_tune_decide(u);
    tell_decision(u);
    return u->tuned ? graft_tune_final(u, final) : GRAFT_OK;
}

int graft_tune_run(struct graft_tune *u)
{
    int status = graft_tune_prepare(u);
    if (status)
        return status;
    if (!u->n_held && !u->o.from_scratch) {
        graft_log(u->t->rt, GRAFT_LOG_WARNING, "no photo can be held out: "
                  "whether fine-tuning helps cannot be told, the probe "
                  "stays");
        return GRAFT_OK;
    }
    if (u->near_copies)
        graft_log(u->t->rt, GRAFT_LOG_INFO, "%lld near-copies among the "
                  "photos to learn from: they are held out together",
                  (long long)u->near_copies);
    status = u->o.from_scratch ? graft_tune_scratch(u)
           : u->automatic ? graft_tune_auto(u) : try_words(u);
    u->t->report->tuning->photos_per_second =
        u->state->seconds > 0 ? u->state->images / u->state->seconds : 0;
    if (!status && u->tuned)
        u->t->report->tuning->normalisations =
            graft_program_n_statistics(u->u.program);
    if (u->t->adapted)
        u->t->report->tuning->normalisations = u->t->adapted;
    return status;
}
