/* Epochs of a learner: whose turn it is, and what is told of each step.
 * SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "base/rng.h"
#include "base/runtime.h"
#include "train/learner_impl.h"

/* Streams of the seed: epoch e's order has number ORDER + e. */
#define ORDER ((uint64_t)1 << 40)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Fisher and Yates. */
void graft_epoch_order(int64_t *order, int64_t n, uint64_t seed,
                       int64_t epoch)
{
    struct graft_rng_key key = graft_rng_key(seed, ORDER + (uint64_t)epoch);
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = (int64_t)graft_rng_below(key, (uint64_t)i,
                                             (uint64_t)i + 1);
        int64_t keep = order[i];
        order[i] = order[k];
        order[k] = keep;
    }
}

static int64_t steps_of_epoch(const struct graft_learner *l)
{
    const struct graft_learner_options *o = &l->options;
    return (o->n_images + o->batch_size - 1) / o->batch_size;
}

int64_t graft_learner_steps(const struct graft_learner *l)
{
    return l->options.n_images ? steps_of_epoch(l) * l->options.epochs : 0;
}

bool graft_learner_done(const struct graft_learner *l)
{
    return !l->options.n_images || l->epoch >= l->options.epochs;
}

static struct graft_step_record record_of(const struct graft_learner *l,
                                          int n)
{
    return (struct graft_step_record){
        .step = l->step, .epoch = l->epoch, .images = n, .loss = l->loss,
        .gradient_norm = l->norm,
        .learning_rate = graft_schedule_rate(&l->options.schedule, l->step)};
}

static void count(struct graft_learner *l, struct graft_step_record *r)
{
    l->epoch_sum += r->loss * r->images;
    l->at += r->images;
    if (l->at < l->options.n_images)
        return;
    r->epoch_ended = true;
    r->epoch_loss = l->epoch_sum / (double)l->options.n_images;
    l->epoch++;
    l->at = 0;
    l->epoch_sum = 0;
}

int graft_learner_step(struct graft_learner *l)
{
    const struct graft_learner_options *o = &l->options;
    int status = graft_runtime_check(l->rt);
    if (!status && graft_learner_done(l))
        status = graft_fail(GRAFT_EARG, "all %lld epochs are done",
                            (long long)o->epochs);
    if (status)
        return status;
    if (l->order_of != l->epoch)
        graft_epoch_order(l->order, o->n_images, o->seed, l->epoch);
    l->order_of = l->epoch;
    double began = now();
    int64_t left = o->n_images - l->at;
    int n = left < o->batch_size ? (int)left : o->batch_size;
    status = graft_learner_gradient(l, l->order + l->at, n);
    if (status)
        return status;
    struct graft_step_record r = record_of(l, n);
    status = graft_learner_apply(l);
    if (status)
        return status;
    count(l, &r);
    r.seconds = now() - began;
    if (o->told && o->told(o->told_ctx, &r))
        status = graft_fail(GRAFT_ECANCELED, "cancelled");
    return status;
}

void graft_step_record_line(struct graft_str *out,
                            const struct graft_step_record *r)
{
    graft_str_addf(out, "{\"step\": %lld, \"epoch\": %lld, \"images\": %d, "
                   "\"loss\": %.9g, \"learning_rate\": %.9g, "
                   "\"gradient_norm\": %.9g, \"seconds\": %.3f",
                   (long long)r->step, (long long)r->epoch, r->images,
                   r->loss, r->learning_rate, r->gradient_norm, r->seconds);
    if (r->epoch_ended)
        graft_str_addf(out, ", \"epoch_loss\": %.9g", r->epoch_loss);
    graft_str_add(out, "}");
}
