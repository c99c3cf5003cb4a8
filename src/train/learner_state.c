/* A learner's state as a checkpoint, and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/runtime.h"
#include "base/str.h"
#include "train/learner_impl.h"

/* ---- what the result depends on ------------------------------------------
 * Not among it: epochs and total_steps, which may change when a training goes
 * on, and threads, which change nothing. */

static void add_groups(struct graft_str *s, const struct graft_learner *l)
{
    const struct graft_optimizer *o = l->optimizer;
    const struct graft_selection *t = l->selection;
    const struct graft_model *m = graft_store_model(t->store);
    for (int i = 0; i < t->n; i++) {
        graft_str_add(s, "parameter ");
        graft_str_add_safe(s, m->value.at[t->at[i].value].name);
        graft_str_addf(s, " %lld elements, rate x %.17g, decay x %.17g\n",
                       (long long)t->at[i].count, o->rate[i], o->decay[i]);
    }
}

int graft_learner_describe(char **out, const struct graft_learner *l)
{
    const struct graft_learner_options *o = &l->options;
    const struct graft_optimizer_options *q = &o->optimizer;
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addf(&s, "optimizer %s\n", q->name);
    graft_str_addf(&s, "momentum %.17g\nnesterov %d\n", q->momentum,
                   q->nesterov);
    graft_str_addf(&s, "beta1 %.17g\nbeta2 %.17g\nepsilon %.17g\n", q->beta1,
                   q->beta2, q->epsilon);
    graft_str_addf(&s, "weight_decay %.17g\n", q->weight_decay);
    graft_str_addf(&s, "schedule %s\nlearning_rate %.17g\nfloor %.17g\n",
                   o->schedule.name, o->schedule.learning_rate,
                   o->schedule.floor);
    graft_str_addf(&s, "warmup_steps %lld\n",
                   (long long)o->schedule.warmup_steps);
    graft_str_addf(&s, "clip_norm %.17g\nema_decay %.17g\n", o->clip_norm,
                   o->ema_decay);
    graft_str_addf(&s, "seed %llu\n", (unsigned long long)o->seed);
    graft_str_addf(&s, "images %lld\nbatch_size %d\nshard %d\n",
                   (long long)o->n_images, o->batch_size,
                   graft_program_n_max(l->program));
    graft_str_addf(&s, "kernels %s%s\n", graft_runtime_isa(l->rt),
                   l->rt->exact ? ", exact" : "");
    if (o->recipe)
        graft_str_addf(&s, "%s\n", o->recipe);
    add_groups(&s, l);
    *out = graft_str_take(&s);
    return *out ? GRAFT_OK : GRAFT_EMEM;
}

/* ---- saving -------------------------------------------------------------- */

/* Numbers of the state, in this order. Doubles as their bits. */
enum { STEP, EPOCH, AT, EPOCH_SUM, BEST, BEST_STEP, MOMENT, NUMBERS };

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void section(struct graft_section *at, int *n, const char *name,
                    const void *data, uint64_t bytes)
{
    snprintf(at[*n].name, sizeof at[*n].name, "%s", name);
    at[*n].data = data;
    at[(*n)++].bytes = bytes;
}

static uint64_t flat_bytes(const struct graft_learner *l)
{
    return (uint64_t)l->selection->size * sizeof(real);
}

static uint64_t running_bytes(const struct graft_learner *l)
{
    return (uint64_t)l->running_size * sizeof(real);
}

/* The vectors of the state, in a fixed order. */
static int vectors(const struct graft_learner *l, struct graft_section *at)
{
    int n = 0;
    section(at, &n, "parameters", l->selection->master, flat_bytes(l));
    for (int k = 0; k < GRAFT_STATES_MAX; k++)
        if (l->optimizer->state[k])
            section(at, &n, l->optimizer->row->state[k],
                    l->optimizer->state[k], flat_bytes(l));
    if (l->ema)
        section(at, &n, "average", l->ema, flat_bytes(l));
    if (l->running)
        section(at, &n, "statistics", l->running, running_bytes(l));
    if (l->running_ema)
        section(at, &n, "statistics average", l->running_ema,
                running_bytes(l));
    return n;
}

enum { SECTIONS = GRAFT_STATES_MAX + 7 };

/* Nothing that is not finite is ever written. */
static int sections(const struct graft_learner *l, struct graft_section *at,
                    uint64_t *number, int *n)
{
    *n = vectors(l, at);
    for (int i = 0; i < *n; i++)
        if (!isfinite(graft_flat_norm(l->rt->pool, at[i].data,
                                      (int64_t)(at[i].bytes / sizeof(real)))))
            return graft_fail(GRAFT_EMISMATCH, "after step %lld the %s are "
                              "not finite; they are not saved",
                              (long long)l->step, at[i].name);
    number[STEP] = (uint64_t)l->step;
    number[EPOCH] = (uint64_t)l->epoch;
    number[AT] = (uint64_t)l->at;
    number[EPOCH_SUM] = bits_of(l->epoch_sum);
    number[BEST] = bits_of(l->best);
    number[BEST_STEP] = (uint64_t)l->best_step;
    number[MOMENT] = (uint64_t)l->optimizer->step;
    section(at, n, "numbers", number, NUMBERS * sizeof *number);
    section(at, n, "options", l->text, strlen(l->text));
    if (l->options.extra)
        section(at, n, "extra", l->options.extra, l->options.extra_bytes);
    return GRAFT_OK;
}

int graft_learner_save(struct graft_learner *l, const char *path)
{
    struct graft_section at[SECTIONS];
    uint64_t number[NUMBERS];
    int n, status = sections(l, at, number, &n);
    return status ? status : graft_checkpoint_write(path, at, n);
}

int graft_learner_keep(struct graft_learner *l, const char *folder, bool best)
{
    struct graft_section at[SECTIONS];
    uint64_t number[NUMBERS];
    int n, status = sections(l, at, number, &n);
    return status ? status
                  : graft_checkpoint_keep(folder, l->step, best, at, n);
}

uint64_t graft_learner_state_max(const struct graft_learner *l)
{
    return (GRAFT_STATES_MAX + 2) * flat_bytes(l) + 2 * running_bytes(l) +
           l->options.extra_bytes +
           ((uint64_t)1 << 24);
}

/* ---- going on ------------------------------------------------------------ */

/* Line `at` of both texts differs. */
static int differs(const struct graft_checkpoint *c, const char *then,
                   size_t n, const char *now)
{
    size_t k = strcspn(now, "\n"), m = 0;
    while (m < n && then[m] != '\n')
        m++;
    return graft_fail(GRAFT_EMISMATCH, "checkpoint '%s' was made with '%.*s', "
                      "now it is '%.*s'", c->path, (int)(m < 200 ? m : 200),
                      then, (int)(k < 200 ? k : 200), now);
}

static int compare_options(const struct graft_learner *l,
                           const struct graft_checkpoint *c)
{
    const struct graft_section *s = graft_checkpoint_find(c, "options");
    if (!s)
        return graft_fail(GRAFT_EMISMATCH, "checkpoint '%s' has no 'options'",
                          c->path);
    const char *then = s->data, *now = l->text;
    size_t n = (size_t)s->bytes, line = 0;
    for (size_t i = 0;; i++) {
        bool ended = i == n, ends = !now[i];
        if (ended && ends)
            return GRAFT_OK;
        if (ended || ends || then[i] != now[i])
            return differs(c, then + line, n - line, now + line);
        if (now[i] == '\n')
            line = i + 1;
    }
}

static int check_numbers(const struct graft_learner *l,
                         const struct graft_checkpoint *c,
                         const uint64_t *number)
{
    const struct graft_learner_options *o = &l->options;
    const uint64_t most = (uint64_t)1 << 62;
    if (number[STEP] > most || number[EPOCH] > most ||
        number[MOMENT] > most ||
        (number[AT] && number[AT] >= (uint64_t)o->n_images))
        return graft_fail(GRAFT_EFORMAT, "checkpoint '%s' is damaged: its "
                          "numbers are impossible", c->path);
    return GRAFT_OK;
}

/* Looks at everything before it changes anything. */
int graft_learner_restore(struct graft_learner *l,
                          const struct graft_checkpoint *c)
{
    struct graft_section at[SECTIONS];
    uint64_t number[NUMBERS];
    int n = vectors(l, at), status = compare_options(l, c);
    if (l->options.extra)
        section(at, &n, "extra", l->options.extra, l->options.extra_bytes);
    if (!status)
        status = graft_checkpoint_copy(c, "numbers", number, sizeof number);
    if (!status)
        status = check_numbers(l, c, number);
    for (int i = 0; !status && i < n; i++) {
        const struct graft_section *s = graft_checkpoint_find(c, at[i].name);
        if (!s || s->bytes != at[i].bytes)
            status = graft_checkpoint_copy(c, at[i].name, NULL, at[i].bytes);
    }
    if (status)
        return status;
    for (int i = 0; i < n; i++)
        memcpy((void *)at[i].data,
               graft_checkpoint_find(c, at[i].name)->data,
               (size_t)at[i].bytes);
    l->step = (int64_t)number[STEP];
    l->epoch = (int64_t)number[EPOCH];
    l->at = (int64_t)number[AT];
    l->epoch_sum = of_bits(number[EPOCH_SUM]);
    l->best = of_bits(number[BEST]);
    l->best_step = (int64_t)number[BEST_STEP];
    l->optimizer->step = (int64_t)number[MOMENT];
    l->order_of = -1;
    graft_program_params(l->program);
    return GRAFT_OK;
}
