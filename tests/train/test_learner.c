/* The engine of fine-tuning on small networks: learning, resuming, shards,
 * threads, what it refuses.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/runtime.h"
#include "support/net.h"
#include "train/learner.h"

enum { IMAGES = 37, IN = 6, CLASSES = 3, MAX = 20 };

/* A network, its data, and a learner on it. */
struct school {
    struct graft_runtime *rt;
    struct net *net;
    struct graft_store *store;
    struct graft_selection *s;
    struct graft_program *p;
    struct graft_learner *l;
    float x[IMAGES][IN];
    int32_t label[IMAGES];
    int calls;
    double loss[200];      /* of each step */
    int spoil;             /* the step whose inputs are no numbers, -1 */
};

static struct net *two_layers(graft_value_id train[4])
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, IN));
    train[0] = net_random(n, "w1", NET_DIMS(IN, 8));
    train[1] = net_random(n, "b1", NET_DIMS(8));
    train[2] = net_random(n, "w2", NET_DIMS(8, CLASSES));
    train[3] = net_random(n, "b2", NET_DIMS(CLASSES));
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
        float row[IN];
        memcpy(row, s->x[f->index[i]], sizeof row);
        if (f->step == s->spoil)
            row[2] = NAN;
        struct graft_view v = graft_program_input(f->program, 0);
        for (int k = 0; k < IN; k++)
            graft_reals(&v)[i * IN + k] = (real)row[k];
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
    for (int i = 0; i < IMAGES; i++) {
        s->label[i] = i % CLASSES;
        for (int k = 0; k < IN; k++)
            s->x[i][k] =
                (float)(graft_rng_normal(key, (uint64_t)(i * IN + k)) +
                        2 * (k == s->label[i]));
    }
}

static struct graft_learner_options recipe(struct school *s)
{
    struct graft_learner_options o = GRAFT_LEARNER;
    o.n_images = IMAGES;
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

static void open_school(struct school *s, int threads, int shard)
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

static void close_school(struct school *s)
{
    graft_learner_free(s->l);
    graft_program_free(s->p);
    graft_selection_free(s->s);
    graft_store_free(s->store);
    net_free(s->net);
    graft_runtime_free(s->rt);
}

static void attend(struct school *s, const struct graft_learner_options *o)
{
    assert_ok(graft_learner_new(&s->l, s->rt, s->p, s->s, o));
}

static void learn_to(struct school *s, int64_t step)
{
    while (s->l->step < step)
        assert_ok(graft_learner_step(s->l));
}

/* ---- learning ------------------------------------------------------------ */

TEST(train_learner__learns)
{
    struct school s;
    open_school(&s, 2, 16);
    struct graft_learner_options o = recipe(&s);
    attend(&s, &o);
    assert_int_equal(graft_learner_steps(s.l), 15);
    while (!graft_learner_done(s.l))
        assert_ok(graft_learner_step(s.l));
    assert_int_equal(s.l->step, 15);
    assert_int_equal(s.calls, 15);
    if (!(s.loss[14] < 0.6 * s.loss[0]))
        fail_msg("loss %g, at last %g", s.loss[0], s.loss[14]);
    assert_fails(graft_learner_step(s.l), GRAFT_EARG, "5 epochs");
    close_school(&s);
}

/* Shards of 4 instead of 16 change nothing but rounding. */
TEST(train_learner__shards_add_up)
{
    struct school a, b;
    open_school(&a, 1, 16);
    open_school(&b, 1, 4);
    struct graft_learner_options o = recipe(&a);
    attend(&a, &o);
    o = recipe(&b);
    attend(&b, &o);
    int64_t index[13];
    for (int i = 0; i < 13; i++)
        index[i] = 2 * i;
    assert_ok(graft_learner_gradient(a.l, index, 13));
    assert_ok(graft_learner_gradient(b.l, index, 13));
    assert_int_equal(a.calls, 1);
    assert_int_equal(b.calls, 4);
    assert_near(a.l->loss, b.l->loss, 1e-6);
    for (int64_t i = 0; i < a.s->size; i++)
        assert_near(a.l->gradient[i], b.l->gradient[i], 1e-6);
    double loss = b.l->loss;
    double each[13], sum = 0;
    float scores[13 * CLASSES];
    struct graft_evaluation e = {.each = each, .scores = scores};
    assert_ok(graft_learner_evaluate(b.l, index, 13, &e));
    assert_true(e.loss == loss);
    for (int i = 0; i < 13; i++)
        sum += each[i] / 13;
    assert_near(sum, loss, 1e-12);
    double z = 0;
    for (int c = 0; c < CLASSES; c++)
        z += exp((double)scores[12 * CLASSES + c]);
    assert_near(each[12], log(z) - (double)scores[12 * CLASSES +
                                                  b.label[24]], 1e-6);
    close_school(&a);
    close_school(&b);
}

static void train_all(struct school *s, int threads,
                      const struct graft_optimizer_options *q)
{
    open_school(s, threads, 4);
    struct graft_learner_options o = recipe(s);
    o.optimizer = *q;
    o.ema_decay = 0.9;
    o.clip_norm = 0.5;
    attend(s, &o);
}

static void same_state(const struct school *a, const struct school *b)
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

static const struct graft_optimizer_options optimizers[] = {
    {"sgd", 0.9, true, 0, 0, 1e-8, 1e-3, true, NULL, 0},
    {"adam", 0, false, 0.9, 0.99, 1e-8, 1e-3, true, NULL, 0},
    {"adamw", 0, false, 0.9, 0.99, 1e-8, 1e-3, false, NULL, 0}};

TEST(train_learner__same_bits_for_any_threads)
{
    for (int k = 0; k < 3; k++) {
        struct school a, b;
        train_all(&a, 1, &optimizers[k]);
        learn_to(&a, 15);
        for (int threads = 2; threads <= 7; threads += 5) {
            train_all(&b, threads, &optimizers[k]);
            learn_to(&b, 15);
            same_state(&a, &b);
            close_school(&b);
        }
        close_school(&a);
    }
}

/* ---- going on ------------------------------------------------------------ */

/* Stopped after any step, in the middle of epochs too, and gone on with in
 * another process with other threads: as if it had never stopped. */
TEST(train_learner__resuming_is_never_stopping)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/s.ckpt", test_folder_in_memory());
    for (int k = 0; k < 3; k++) {
        struct school a, b, c;
        train_all(&a, 1, &optimizers[k]);
        learn_to(&a, 15);
        for (int stop = 0; stop <= 15; stop += 1 + stop % 3) {
            struct graft_checkpoint *file = NULL;
            train_all(&b, 2, &optimizers[k]);
            learn_to(&b, stop);
            graft_learner_judge(b.l, 0.25);
            assert_ok(graft_learner_save(b.l, path));
            close_school(&b);
            train_all(&c, 3, &optimizers[k]);
            assert_ok(graft_checkpoint_read(
                &file, path, graft_learner_state_max(c.l)));
            assert_ok(graft_learner_restore(c.l, file));
            graft_checkpoint_free(file);
            assert_int_equal(c.l->best_step, stop);
            assert_true(c.l->best == 0.25);
            learn_to(&c, 15);
            same_state(&a, &c);
            for (int i = stop; i < 15; i++)
                assert_true(a.loss[i] == c.loss[i]);
            close_school(&c);
        }
        close_school(&a);
    }
}

TEST(train_learner__other_options_are_named)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/s.ckpt", test_folder_in_memory());
    struct school a, b;
    struct graft_checkpoint *file = NULL;
    train_all(&a, 1, &optimizers[0]);
    learn_to(&a, 4);
    assert_ok(graft_learner_save(a.l, path));
    assert_ok(graft_checkpoint_read(&file, path, 1 << 24));
    for (int k = 0; k < 5; k++) {
        open_school(&b, 1, k == 3 ? 8 : 4);
        struct graft_learner_options o = recipe(&b);
        o.optimizer = optimizers[0];
        o.ema_decay = 0.9;
        o.clip_norm = 0.5;
        o.seed += k == 0;
        o.optimizer.momentum = k == 1 ? 0.8 : 0.9;
        o.recipe = k == 2 ? "label_smoothing 0.1" : NULL;
        o.epochs = k == 4 ? 50 : 5;
        attend(&b, &o);
        real before = b.s->master[0];
        static const char *const part[] = {
            "'seed 9', now it is 'seed 10'", "now it is 'momentum 0.8",
            "label_smoothing", "'shard 4', now it is 'shard 8'", NULL};
        if (part[k]) {
            assert_fails(graft_learner_restore(b.l, file), GRAFT_EMISMATCH,
                         part[k]);
            assert_true(b.s->master[0] == before);
            assert_int_equal(b.l->step, 0);
        } else {
            assert_ok(graft_learner_restore(b.l, file));
            assert_int_equal(b.l->step, 4);
        }
        close_school(&b);
    }
    graft_checkpoint_free(file);
    close_school(&a);
}

/* ---- killed -------------------------------------------------------------- */

enum { LONG = 30000, KILLS = 200 };

/* Goes on from the folder's newest checkpoint, and after each step keeps one
 * and then says so. */
static void work_until_killed(const char *folder, _Atomic int64_t *said)
{
    struct school s;
    struct graft_checkpoint *c = NULL;
    open_school(&s, 1, 4);
    struct graft_learner_options o = recipe(&s);
    o.epochs = LONG / 3;
    o.schedule.total_steps = LONG;
    attend(&s, &o);
    if (!graft_checkpoint_newest(&c, folder, 1 << 24)) {
        if (graft_learner_restore(s.l, c))
            _exit(2);
        graft_checkpoint_free(c);
    }
    while (!graft_learner_done(s.l)) {
        if (graft_learner_step(s.l) ||
            graft_learner_keep(s.l, folder, s.l->step % 7 == 0))
            _exit(3);
        *said = s.l->step;
        usleep(300); /* steps are few and long in life */
    }
    _exit(0);
}

TEST(train_learner__killed_at_any_moment)
{
    char folder[4200];
    snprintf(folder, sizeof folder, "%s/state", test_folder_in_memory());
    _Atomic int64_t *said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(said != MAP_FAILED);
    int killed = 0, status = 0;
    for (int k = 0; k < KILLS && !(WIFEXITED(status) && k); k++) {
        int64_t before = *said;
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child)
            work_until_killed(folder, said);
        /* let it begin, then anything up to some steps */
        for (int i = 0; i < 2000 && *said == before; i++)
            usleep(50);
        usleep((unsigned)(k * 7919 % 1500));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status);
        if (WIFEXITED(status))
            assert_int_equal(WEXITSTATUS(status), 0);
        struct graft_checkpoint *c = NULL;
        uint64_t number[7];
        if (!*said && graft_checkpoint_newest(&c, folder, 1 << 24))
            continue; /* killed before the first one */
        graft_checkpoint_free(c);
        c = NULL;
        assert_ok(graft_checkpoint_newest(&c, folder, 1 << 24));
        assert_ok(graft_checkpoint_copy(c, "numbers", number,
                                        sizeof number));
        assert_true((int64_t)number[0] >= *said);
        graft_checkpoint_free(c);
    }
    assert_true(killed > KILLS / 2);
    /* and at last as if nothing had happened */
    struct school a, b;
    struct graft_checkpoint *c = NULL;
    struct graft_learner_options o;
    open_school(&a, 1, 4);
    open_school(&b, 2, 4);
    for (int k = 0; k < 2; k++) {
        struct school *s = k ? &b : &a;
        o = recipe(s);
        o.epochs = LONG / 3;
        o.schedule.total_steps = LONG;
        attend(s, &o);
    }
    assert_ok(graft_checkpoint_newest(&c, folder, 1 << 24));
    assert_ok(graft_learner_restore(b.l, c));
    graft_checkpoint_free(c);
    print_message("killed %d times in %d steps\n", killed, (int)b.l->step);
    learn_to(&b, b.l->step + 10);
    learn_to(&a, b.l->step);
    assert_memory_equal(a.s->master, b.s->master,
                        (size_t)a.s->size * sizeof(real));
    munmap((void *)said, sizeof *said);
    close_school(&a);
    close_school(&b);
}

/* ---- trouble ------------------------------------------------------------- */

TEST(train_learner__stops_where_numbers_are_none)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/s.ckpt", test_folder_in_memory());
    struct school s;
    open_school(&s, 2, 4);
    struct graft_learner_options o = recipe(&s);
    attend(&s, &o);
    learn_to(&s, 4);
    s.spoil = 4;
    real before[MAX];
    memcpy(before, s.s->master, sizeof before);
    assert_fails(graft_learner_step(s.l), GRAFT_EMISMATCH,
                 "step 4 of epoch 1: the gradient of 'w1'");
    assert_memory_equal(before, s.s->master, sizeof before);
    assert_int_equal(s.l->step, 4);
    s.spoil = -1;
    assert_ok(graft_learner_step(s.l)); /* nothing was harmed */
    s.s->master[3] = (real)INFINITY;
    graft_program_params(s.p);
    assert_fails(graft_learner_save(s.l, path), GRAFT_EMISMATCH,
                 "parameters");
    assert_fails(graft_learner_step(s.l), GRAFT_EMISMATCH,
                 "the parameter 'w1'");
    close_school(&s);
}

static int stop_at_once(void *ctx, const struct graft_step_record *r)
{
    (void)ctx;
    return r->step == 2;
}

TEST(train_learner__is_cancelled_between_steps)
{
    struct school s;
    open_school(&s, 1, 4);
    struct graft_learner_options o = recipe(&s);
    o.told = stop_at_once;
    attend(&s, &o);
    assert_ok(graft_learner_step(s.l));
    assert_ok(graft_learner_step(s.l));
    assert_fails(graft_learner_step(s.l), GRAFT_ECANCELED, "cancelled");
    assert_int_equal(s.l->step, 3); /* it was done */
    graft_runtime_cancel(s.rt);
    assert_int_equal(graft_learner_step(s.l), GRAFT_ECANCELED);
    assert_int_equal(s.l->step, 3);
    close_school(&s);
}

TEST(train_learner__clips_as_told)
{
    struct school s;
    open_school(&s, 1, 16);
    struct graft_learner_options o = recipe(&s);
    o.clip_norm = 1e-3;
    attend(&s, &o);
    const int64_t index[] = {1, 2, 3};
    assert_ok(graft_learner_gradient(s.l, index, 3));
    assert_true(s.l->norm > 1e-2);
    assert_ok(graft_learner_apply(s.l));
    assert_near(graft_flat_norm(NULL, s.l->gradient, s.s->size), 1e-3, 1e-6);
    close_school(&s);
}

TEST(train_learner__averages_parameters)
{
    struct school s;
    open_school(&s, 1, 16);
    struct graft_learner_options o = recipe(&s);
    o.ema_decay = 0.15; /* (1 + 1) / (10 + 1) = 0.18 at the first step */
    attend(&s, &o);
    double start = (double)s.s->master[0];
    learn_to(&s, 1);
    double now = (double)s.s->master[0];
    assert_near(s.l->ema[0], 0.15 * start + 0.85 * now, 1e-6);
    graft_learner_swap(s.l);
    assert_near(s.s->master[0], 0.15 * start + 0.85 * now, 1e-6);
    graft_learner_swap(s.l);
    assert_true((double)s.s->master[0] == now);
    close_school(&s);
}

TEST(train_learner__epochs_are_permutations)
{
    int64_t a[IMAGES], b[IMAGES];
    int seen[IMAGES] = {0}, moved = 0;
    graft_epoch_order(a, IMAGES, 4, 7);
    graft_epoch_order(b, IMAGES, 4, 8);
    for (int i = 0; i < IMAGES; i++) {
        seen[a[i]]++;
        moved += a[i] != b[i];
    }
    for (int i = 0; i < IMAGES; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > IMAGES / 2);
    graft_epoch_order(b, IMAGES, 4, 7);
    assert_memory_equal(a, b, sizeof a);
}

TEST(train_learner__a_step_as_a_line)
{
    struct graft_str s;
    struct graft_step_record r = {.step = 3, .epoch = 1, .images = 16,
                                  .loss = 0.5, .learning_rate = 0.1,
                                  .gradient_norm = 2, .seconds = 0.25,
                                  .epoch_ended = true, .epoch_loss = 0.75};
    graft_str_init(&s);
    graft_step_record_line(&s, &r);
    assert_string_equal(
        s.at, "{\"step\": 3, \"epoch\": 1, \"images\": 16, \"loss\": 0.5, "
              "\"learning_rate\": 0.1, \"gradient_norm\": 2, "
              "\"seconds\": 0.250, \"epoch_loss\": 0.75}");
    graft_str_release(&s);
}
