/* The network and the learner of support/school.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/school.h"

#include <math.h>

#include "base/rng.h"
#include "base/runtime.h"

static struct net *two_layers(graft_value_id train[4])
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, SCHOOL_IN));
    train[0] = net_random(n, "w1", NET_DIMS(SCHOOL_IN, 8));
    train[1] = net_random(n, "b1", NET_DIMS(8));
    train[2] = net_random(n, "w2", NET_DIMS(8, SCHOOL_CLASSES));
    train[3] = net_random(n, "b2", NET_DIMS(SCHOOL_CLASSES));
    int h = net_node(n, "Gemm", "h", NULL, x, train[0], train[1]);
    h = net_node(n, "Relu", "r", NULL, h);
    net_output(n, net_node(n, "Gemm", "y", NULL, h, train[2], train[3]));
    return n;
}

static int fill(void *ctx, const struct graft_shard *f)
{
    struct school *s = ctx;
    s->calls++;
    for (int i = 0; i < f->n; i++) {
        float row[SCHOOL_IN];
        memcpy(row, s->x[f->index[i]], sizeof row);
        if (f->step == s->spoil)
            row[2] = NAN;
        struct graft_view v = graft_program_input(f->program, 0);
        for (int k = 0; k < SCHOOL_IN; k++)
            graft_reals(&v)[i * SCHOOL_IN + k] = (real)row[k];
        graft_program_targets(f->program)[i] = s->label[f->index[i]];
    }
    return GRAFT_OK;
}

static int told(void *ctx, const struct graft_step_record *r)
{
    struct school *s = ctx;
    if (r->step < 200)
        s->loss[r->step] = r->loss;
    return 0;
}

static void draw(struct school *s)
{
    struct graft_rng_key key = graft_rng_key(3, 1);
    for (int i = 0; i < SCHOOL_IMAGES; i++) {
        s->label[i] = i % SCHOOL_CLASSES;
        for (int k = 0; k < SCHOOL_IN; k++)
            s->x[i][k] =
                (float)(graft_rng_normal(key, (uint64_t)(i * SCHOOL_IN + k)) +
                        2 * (k == s->label[i]));
    }
}

struct graft_learner_options school_recipe(struct school *s)
{
    struct graft_learner_options o = GRAFT_LEARNER;
    o.n_images = SCHOOL_IMAGES;
    o.batch_size = 16;
    o.epochs = 5;
    o.fill = fill;
    o.fill_ctx = s;
    o.told = told;
    o.told_ctx = s;
    o.seed = 9;
    o.schedule = (struct graft_schedule){"cosine", 0.4, 0, 3, 15};
    return o;
}

void school_open(struct school *s, int threads, int shard)
{
    graft_value_id train[4];
    memset(s, 0, sizeof *s);
    s->spoil = -1;
    s->rt = net_runtime(threads);
    s->net = two_layers(train);
    draw(s);
    assert_ok(graft_store_new(&s->store, s->net->m, s->rt));
    assert_ok(graft_selection_new(&s->s, s->store, train, 4));
    struct graft_loss loss = {.kind = GRAFT_LOSS_SOFTMAX_CE,
                              .logits = s->net->m->output.at[0],
                              .weighted = true};
    struct graft_compile c = {.model = s->net->m, .n_max = shard,
                              .store = s->store, .train = s->s,
                              .loss = &loss};
    assert_ok(graft_program_new(&s->p, s->rt, &c));
}

void school_close(struct school *s)
{
    graft_learner_free(s->l);
    graft_program_free(s->p);
    graft_selection_free(s->s);
    graft_store_free(s->store);
    net_free(s->net);
    graft_runtime_free(s->rt);
}

void school_attend(struct school *s, const struct graft_learner_options *o)
{
    assert_ok(graft_learner_new(&s->l, s->rt, s->p, s->s, o));
}

void school_learn_to(struct school *s, int64_t step)
{
    while (s->l->step < step)
        assert_ok(graft_learner_step(s->l));
}

const struct graft_optimizer_options school_optimizers[SCHOOL_OPTIMIZERS] = {
    {"sgd", 0.9, true, 0, 0, 1e-8, 1e-3, true, NULL, 0},
    {"adam", 0, false, 0.9, 0.99, 1e-8, 1e-3, true, NULL, 0},
    {"adamw", 0, false, 0.9, 0.99, 1e-8, 1e-3, false, NULL, 0}};

void school_optimize(struct school *s, int threads,
                     const struct graft_optimizer_options *q)
{
    school_open(s, threads, 4);
    struct graft_learner_options o = school_recipe(s);
    o.optimizer = *q;
    o.ema_decay = 0.9;
    o.clip_norm = 0.5;
    school_attend(s, &o);
}

void school_same_state(const struct school *a, const struct school *b)
{
    size_t bytes = (size_t)a->s->size * sizeof(real);
    assert_memory_equal(a->s->master, b->s->master, bytes);
    assert_memory_equal(a->l->ema, b->l->ema, bytes);
    for (int k = 0; k < GRAFT_STATES_MAX; k++)
        if (a->l->optimizer->state[k])
            assert_memory_equal(a->l->optimizer->state[k],
                                b->l->optimizer->state[k], bytes);
    assert_int_equal(a->l->step, b->l->step);
    assert_int_equal(a->l->epoch, b->l->epoch);
    assert_int_equal(a->l->at, b->l->at);
    assert_true(a->l->epoch_sum == b->l->epoch_sum);
}
