/* Steps of training (learner.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/learner.h"

#include <math.h>
#include <string.h>

#include "base/runtime.h"
#include "train/learner_impl.h"

/* ---- making one ---------------------------------------------------------- */

static int check(const struct graft_learner_options *o,
                 struct graft_program *p)
{
    if (!o->fill)
        return graft_fail(GRAFT_EARG, "nobody makes the inputs");
    if (!(o->clip_norm >= 0) || !(o->ema_decay >= 0 && o->ema_decay < 1))
        return graft_fail(GRAFT_EARG, "gradients clipped at %g, averages "
                          "that decay by %g", o->clip_norm, o->ema_decay);
    if (o->n_images < 0 || (o->n_images && o->batch_size < 1) ||
        o->epochs < 0)
        return graft_fail(GRAFT_EARG, "%lld epochs of %lld images in batches "
                          "of %d", (long long)o->epochs,
                          (long long)o->n_images, o->batch_size);
    if (!graft_program_weights(p))
        return graft_fail(GRAFT_EARG, "the program has no weighted loss");
    return graft_schedule_check(&o->schedule);
}

static real *flat_new(int64_t size)
{
    size_t bytes = (size_t)size * sizeof(real);
    real *at = graft_alloc_aligned(bytes);
    if (at)
        memset(at, 0, bytes);
    return at;
}

/* The output that the loss is on. */
static struct graft_view scores_of(const struct graft_program *p)
{
    return graft_program_output(p, graft_program_scores(p));
}

static int make(struct graft_learner *l)
{
    const struct graft_learner_options *o = &l->options;
    uint64_t flats = (o->ema_decay > 0 ? 2 : 1) + GRAFT_STATES_MAX;
    int status = graft_runtime_reserve(
        l->rt, flats * (uint64_t)l->selection->size * sizeof(real),
        "gradients and the optimizer's state");
    if (status)
        return status;
    l->scores = scores_of(l->program);
    status = graft_optimizer_new(&l->optimizer, l->rt->pool,
                                     l->selection, &o->optimizer);
    if (status)
        return status;
    const bool ema = o->ema_decay > 0;
    l->running = graft_program_running(l->program, &l->running_size);
    l->gradient = flat_new(l->selection->size);
    l->ema = ema ? flat_new(l->selection->size) : NULL;
    l->running_ema = ema && l->running ? flat_new(l->running_size) : NULL;
    l->order = graft_calloc((size_t)o->n_images + 1, sizeof *l->order);
    if (!l->gradient || (ema && !l->ema) || !l->order ||
        (ema && l->running && !l->running_ema))
        return GRAFT_EMEM;
    if (l->ema)
        memcpy(l->ema, l->selection->master,
               (size_t)l->selection->size * sizeof(real));
    if (l->running_ema)
        memcpy(l->running_ema, l->running,
               (size_t)l->running_size * sizeof(real));
    status = graft_learner_describe(&l->text, l);
    l->options.optimizer.group = NULL; /* the caller's, like the recipe */
    l->options.recipe = NULL;
    return status;
}

int graft_learner_new(struct graft_learner **out, struct graft_runtime *rt,
                      struct graft_program *program,
                      struct graft_selection *selection,
                      const struct graft_learner_options *options)
{
    int status = check(options, program);
    if (status)
        return status;
    struct graft_learner *l = graft_calloc(1, sizeof *l);
    if (!l)
        return GRAFT_EMEM;
    l->options = *options;
    l->rt = rt;
    l->program = program;
    l->selection = selection;
    l->order_of = l->best_step = -1;
    status = make(l);
    if (status) {
        graft_learner_free(l);
        return status;
    }
    graft_program_params(program);
    *out = l;
    return GRAFT_OK;
}

void graft_learner_free(struct graft_learner *l)
{
    if (!l)
        return;
    graft_optimizer_free(l->optimizer);
    graft_free(l->gradient);
    graft_free(l->ema);
    graft_free(l->running_ema);
    graft_free(l->order);
    graft_free(l->text);
    graft_free(l);
}

int64_t graft_learner_bytes(const struct graft_learner *l)
{
    return (l->ema ? 2 : 1) * l->selection->size * (int64_t)sizeof(real) +
           graft_optimizer_bytes(l->optimizer);
}

/* ---- one step ------------------------------------------------------------ */

/* Where the numbers stopped being any: the first parameter, in the order of
 * the selection, whose value or gradient is not finite. */
static const char *first_wrong(const struct graft_learner *l, const real *at)
{
    const struct graft_selection *s = l->selection;
    for (int i = 0; i < s->n; i++)
        for (int64_t k = 0; k < s->at[i].count; k++)
            if (!isfinite((double)at[s->at[i].offset + k]))
                return graft_store_model(s->store)
                    ->value.at[s->at[i].value].name;
    return NULL;
}

static int not_finite(const struct graft_learner *l)
{
    const char *value = first_wrong(l, l->selection->master);
    const char *name = value ? value : first_wrong(l, l->gradient);
    if (name)
        return graft_fail(GRAFT_EMISMATCH, "step %lld of epoch %lld: the %s "
                          "'%s' is not finite (loss %g); a lower learning "
                          "rate or clipping may help", (long long)l->step,
                          (long long)l->epoch,
                          value ? "parameter" : "gradient of", name,
                          l->loss);
    return graft_fail(GRAFT_EMISMATCH, "step %lld of epoch %lld: the loss is "
                      "not finite (%g)", (long long)l->step,
                      (long long)l->epoch, l->loss);
}

/* Shard of the batch that begins at image `first`; its weights are set. */
static struct graft_shard shard_at(const struct graft_learner *l,
                                   const int64_t *batch, int n, int first)
{
    int most = graft_program_n_max(l->program);
    double *weight = graft_program_weights(l->program);
    int left = n - first, shards = (left + most - 1) / most;
    struct graft_shard s = {.program = l->program, .epoch = l->epoch,
                            .step = l->step, .index = batch + first,
                            .n = left < most ? left : most,
                            .batch = batch, .n_batch = n};
    if (l->running)
        s.n = (left + shards - 1) / shards;
    for (int i = 0; i < s.n; i++)
        weight[i] = 1.0 / n;
    return s;
}

static int run_shard(struct graft_learner *l, const struct graft_shard *s)
{
    int status = l->options.fill(l->options.fill_ctx, s);
    return status ? status : graft_program_forward(l->program, s->n);
}

static int check_count(int n)
{
    return n < 1 ? graft_fail(GRAFT_EARG, "a batch of %d images", n)
                 : GRAFT_OK;
}

int graft_learner_gradient(struct graft_learner *l, const int64_t *index,
                           int n)
{
    double loss = 0;
    int status = check_count(n);
    for (int first = 0; !status && first < n;) {
        struct graft_shard s = shard_at(l, index, n, first);
        status = run_shard(l, &s);
        if (status)
            break;
        loss += graft_program_loss(l->program);
        graft_program_absorb(l->program); /* backward forgets them */
        graft_program_accumulate(l->program, l->gradient, first == 0,
                                 first + s.n == n);
        first += s.n;
    }
    if (status)
        return status;
    l->loss = loss;
    l->norm = graft_flat_norm(l->rt->pool, l->gradient, l->selection->size);
    return isfinite(l->loss) && isfinite(l->norm) ? GRAFT_OK
                                                  : not_finite(l);
}

static void take(const struct graft_learner *l, const struct graft_shard *s,
                 struct graft_evaluation *out)
{
    const int64_t first = s->index - s->batch;
    const int64_t classes = graft_program_classes(l->program);
    for (int i = 0; out->each && i < s->n; i++)
        out->each[first + i] = graft_program_losses(l->program)[i];
    for (int64_t e = 0; out->scores && e < s->n * classes; e++)
        out->scores[first * classes + e] =
            (float)graft_reals(&l->scores)[e];
}

int graft_learner_evaluate(struct graft_learner *l, const int64_t *index,
                           int n, struct graft_evaluation *out)
{
    int status = check_count(n);
    out->loss = 0;
    graft_program_norm(l->program, GRAFT_NORM_RUNNING);
    for (int first = 0; !status && first < n;) {
        struct graft_shard s = shard_at(l, index, n, first);
        s.judging = true;
        status = run_shard(l, &s);
        if (status)
            break;
        out->loss += graft_program_loss(l->program);
        take(l, &s, out);
        first += s.n;
    }
    graft_program_norm(l->program, GRAFT_NORM_BATCH);
    return status;
}

static void average(struct graft_learner *l)
{
    double t = (double)l->step, early = (1 + t) / (10 + t);
    double decay = l->options.ema_decay < early ? l->options.ema_decay
                                                : early;
    graft_flat_average(l->rt->pool, l->ema, l->selection->master,
                       l->selection->size, decay);
    if (l->running)
        graft_flat_average(l->rt->pool, l->running_ema, l->running,
                           l->running_size, decay);
}

/* As torch.nn.utils.clip_grad_norm_ does it. */
static void clip(struct graft_learner *l)
{
    double by = l->options.clip_norm / (l->norm + 1e-6);
    if (l->options.clip_norm > 0 && by < 1)
        graft_flat_scale(l->rt->pool, l->gradient, l->selection->size, by);
}

int graft_learner_apply(struct graft_learner *l)
{
    double rate = graft_schedule_rate(&l->options.schedule, l->step);
    clip(l);
    graft_optimizer_step(l->optimizer, l->gradient, rate);
    l->step++;
    graft_program_params(l->program);
    if (l->ema)
        average(l);
    return GRAFT_OK;
}

static void exchange(real *a, real *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        real keep = a[i];
        a[i] = b[i];
        b[i] = keep;
    }
}

void graft_learner_swap(struct graft_learner *l)
{
    if (!l->ema)
        return;
    exchange(l->selection->master, l->ema, l->selection->size);
    if (l->running)
        exchange(l->running, l->running_ema, l->running_size);
    graft_program_params(l->program);
}

bool graft_learner_judge(struct graft_learner *l, double value)
{
    if (!isfinite(value) || (l->best_step >= 0 && !(value < l->best)))
        return false;
    l->best = value;
    l->best_step = l->step;
    return true;
}
