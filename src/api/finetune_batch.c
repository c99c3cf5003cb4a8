/* Batches of a trainer: checked, fed shard by shard, stepped on.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/trainer.h"
#include "base/alloc.h"

/* ---- matching ------------------------------------------------------------ */

/* Array of feed k: of its name, or the nameless one at its place. */
static int array_of(const graft_trainer *t, const struct graft_train_batch *b,
                    int k)
{
    const char *name = t->model->value.at[t->feed[k]].name;
    for (int i = 0; i < b->n_inputs; i++)
        if (b->inputs[i].name && strcmp(b->inputs[i].name, name) == 0)
            return i;
    if (k < b->n_inputs && !b->inputs[k].name)
        return k;
    return graft_fail(GRAFT_ENOTFOUND, "no array for input '%s'", name);
}

/* Rows of the array and elements of each, against what the program reads. */
static int check_array(const graft_trainer *t, const struct graft_array *a,
                       int k, int64_t *images)
{
    struct graft_shape s;
    const char *name = t->model->value.at[t->feed[k]].name;
    int status = graft_shape_set(&s, a->dim, a->rank);
    if (status)
        return status;
    int64_t each = s.rank < 1 ? 0 : graft_shape_span(&s, 1, s.rank);
    if (s.rank < 1 || !a->data || each != t->feed_count[k])
        return graft_fail(GRAFT_ESHAPE, "input '%s' needs %lld numbers an "
                          "image, the array has %lld", name,
                          (long long)t->feed_count[k], (long long)each);
    if (*images >= 0 && s.dim[0] != *images)
        return graft_fail(GRAFT_ESHAPE, "input '%s' has %lld images, the one "
                          "before it %lld", name, (long long)s.dim[0],
                          (long long)*images);
    *images = s.dim[0];
    return GRAFT_OK;
}

static int check_targets(const graft_trainer *t,
                         const struct graft_train_batch *b, int n)
{
    int64_t classes = graft_program_classes(t->program);
    if (!b->classes == !b->targets)
        return graft_fail(GRAFT_EARG, "a batch has classes or targets, one "
                          "of the two");
    for (int i = 0; b->classes && i < n; i++)
        if (b->classes[i] < 0 || b->classes[i] >= classes)
            return graft_fail(GRAFT_EARG, "image %d has class %d; there are "
                              "%lld", i, (int)b->classes[i],
                              (long long)classes);
    return GRAFT_OK;
}

/* 0, 1, 2, ... as far as this batch needs. */
static int number(graft_trainer *t, int n)
{
    if (n <= t->n_index)
        return GRAFT_OK;
    int64_t *more = graft_realloc(t->index, (size_t)n * sizeof *more);
    if (!more)
        return GRAFT_EMEM;
    t->index = more;
    for (; t->n_index < n; t->n_index++)
        more[t->n_index] = t->n_index;
    return GRAFT_OK;
}

int graft_trainer_take(graft_trainer *t, const struct graft_train_batch *b)
{
    int64_t images = -1;
    int status = graft_runtime_check(t->rt);
    for (int k = 0; !status && k < t->n_feeds; k++) {
        if (!t->feed_count[k])
            continue; /* the scores do not depend on it */
        int i = array_of(t, b, k);
        status = i < 0 ? i : check_array(t, &b->inputs[i], k, &images);
        t->array[k] = i;
    }
    if (!status && (images < 1 || images > INT32_MAX / 2))
        status = graft_fail(GRAFT_ESHAPE, "a batch of %lld images",
                            (long long)images);
    if (!status)
        status = check_targets(t, b, (int)images);
    if (!status)
        status = number(t, (int)images);
    t->batch = b;
    return status ? status : (int)images;
}

/* ---- feeding ------------------------------------------------------------- */

/* Inputs of the model that p has, images first .. first+n-1 of the batch. */
static void feed(const graft_trainer *t, struct graft_program *p,
                 int64_t first, int n)
{
    for (int i = 0; i < graft_program_n_inputs(p); i++)
        for (int k = 0; k < t->n_feeds; k++)
            if (graft_program_input_id(p, i) == t->feed[k])
                graft_program_put(p, i, t->batch->inputs[t->array[k]].data +
                                            first * t->feed_count[k], n);
}

/* What crosses, from the frozen program into the trained one. */
static void cross(const graft_trainer *t, int n)
{
    const struct graft_crossing *x = &t->crossing;
    for (int i = 0; i < graft_program_n_inputs(t->program); i++)
        for (int k = 0; k < x->n; k++) {
            if (graft_program_input_id(t->program, i) != x->value[k])
                continue;
            struct graft_view v = graft_program_output(t->frozen, k);
            for (int64_t e = 0; e < n * x->count[k]; e++)
                t->row[e] = (float)graft_reals(&v)[e];
            graft_program_put(t->program, i, t->row, n);
        }
}

/* For judging labels are smoothed too: it is the loss of the training. */
static void set_targets(const graft_trainer *t, const struct graft_shard *s)
{
    const struct graft_train_batch *b = t->batch;
    int64_t classes = graft_program_classes(t->program);
    real *row = graft_program_target_rows(t->program);
    const double off = b->classes ? t->smoothing / (double)classes : 0;
    for (int i = 0; i < s->n; i++, row += classes)
        for (int64_t c = 0; c < classes; c++)
            row[c] = b->targets
                         ? (real)b->targets[s->index[i] * classes + c]
                         : (real)(off + (c == b->classes[s->index[i]]
                                             ? 1 - t->smoothing : 0));
}

int graft_trainer_fill(void *ctx, const struct graft_shard *s)
{
    graft_trainer *t = ctx;
    const struct graft_train_batch *b = t->batch;
    int status = GRAFT_OK;
    if (t->frozen) {
        feed(t, t->frozen, s->index[0], s->n);
        status = graft_program_forward(t->frozen, s->n);
        if (!status)
            cross(t, s->n);
    } else {
        feed(t, t->program, s->index[0], s->n);
    }
    set_targets(t, s);
    double *weight = graft_program_weights(t->program);
    for (int i = 0; b->weights && i < s->n; i++)
        weight[i] *= (double)b->weights[s->index[i]];
    return status;
}

/* ---- steps --------------------------------------------------------------- */

int graft_trainer_gradients(graft_trainer *t,
                            const struct graft_train_batch *b, double *loss)
{
    int n = graft_trainer_take(t, b);
    int status = n < 0 ? n : graft_learner_gradient(t->learner, t->index, n);
    if (!status && loss)
        *loss = t->learner->loss;
    return status;
}

int graft_trainer_step(graft_trainer *t, const struct graft_train_batch *b,
                       double *loss)
{
    int status = graft_trainer_gradients(t, b, loss);
    return status ? status : graft_learner_apply(t->learner);
}

int graft_trainer_loss(graft_trainer *t, const struct graft_train_batch *b,
                       double *loss, float *scores)
{
    struct graft_evaluation e = {.scores = scores};
    int n = graft_trainer_take(t, b);
    int status = n < 0 ? n
                       : graft_learner_evaluate(t->learner, t->index, n, &e);
    if (!status && loss)
        *loss = e.loss;
    return status;
}

int64_t graft_trainer_classes(const graft_trainer *t)
{
    return graft_program_classes(t->program);
}

int64_t graft_trainer_steps(const graft_trainer *t)
{
    return t->learner->step;
}
