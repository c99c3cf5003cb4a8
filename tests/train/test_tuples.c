/* Training on what frozen layers made of photos: rows of several values.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/rng.h"
#include "base/runtime.h"
#include "support/net.h"
#include "train/tuples.h"

enum { PHOTOS = 10, EACH = 3 * 12 * 12, CLASSES = 5, SHARD = 4 };

struct whole {
    float x[PHOTOS][EACH];
    int32_t label[PHOTOS];
    const double *class_weight;
};

/* From pixels through the whole network. */
static int fill_pixels(void *ctx, const struct graft_shard *s)
{
    const struct whole *w = ctx;
    for (int i = 0; i < s->n; i++)
        graft_program_put_at(s->program, 0, w->x[s->index[i]], i, 1);
    graft_targets_fill(s, w->label, 0.1, w->class_weight);
    return GRAFT_OK;
}

struct both {
    struct net *n;
    struct graft_store *store;
    struct graft_selection *s;
    struct graft_crossing x;
    struct graft_program *frozen, *whole, *cut;
};

static void open_both(struct both *b, const char *const *name, int count)
{
    graft_value_id id[8];
    *b = (struct both){.n = net_residual()};
    const struct graft_model *m = b->n->m;
    for (int i = 0; i < count; i++) {
        id[i] = graft_value_find(m, name[i]);
        assert_true(id[i] >= 0);
    }
    assert_ok(graft_store_new(&b->store, m, NULL));
    assert_ok(graft_selection_new(&b->s, b->store, id, count));
    struct graft_loss loss = {.kind = GRAFT_LOSS_SOFTMAX_CE, .soft = true,
                              .weighted = true,
                              .logits = m->output.at[0]};
    struct graft_compile c = {.model = m, .n_max = SHARD, .store = b->store,
                              .train = b->s, .loss = &loss};
    assert_ok(graft_crossing_find(&b->x, NULL, &c));
    assert_ok(graft_program_new(&b->whole, NULL, &c));
    c.feeds = b->x.value;
    c.n_feeds = b->x.n;
    assert_ok(graft_program_new(&b->cut, NULL, &c));
    c = (struct graft_compile){.model = m, .n_max = SHARD,
                               .outputs = b->x.value,
                               .n_outputs = b->x.n};
    assert_ok(graft_program_new(&b->frozen, NULL, &c));
}

static void close_both(struct both *b)
{
    graft_program_free(b->whole);
    graft_program_free(b->cut);
    graft_program_free(b->frozen);
    graft_crossing_release(&b->x);
    graft_selection_free(b->s);
    graft_store_free(b->store);
    net_free(b->n);
}

static void make_rows(struct both *b, const struct whole *w, float *row)
{
    for (int i = 0; i < PHOTOS; i++) {
        graft_program_put(b->frozen, 0, w->x[i], 1);
        assert_ok(graft_program_forward(b->frozen, 1));
        for (int k = 0; k < b->x.n; k++) {
            struct graft_view v = graft_program_output(b->frozen, k);
            for (int64_t e = 0; e < b->x.count[k]; e++)
                *row++ = (float)graft_reals(&v)[e];
        }
    }
}

/* The losses of some steps, and the parameters put back. */
static void learn(struct both *b, struct graft_program *p,
                  graft_fill_fn *fill, void *ctx, double *loss)
{
    struct graft_learner_options o = GRAFT_LEARNER;
    struct graft_learner *l = NULL;
    real *start = graft_malloc((size_t)b->s->size * sizeof *start);
    assert_non_null(start);
    memcpy(start, b->s->master, (size_t)b->s->size * sizeof *start);
    o.n_images = PHOTOS;
    o.batch_size = 5;
    o.epochs = 3;
    o.fill = fill;
    o.fill_ctx = ctx;
    assert_ok(graft_learner_new(
        &l, graft_runtime_or_default(NULL), p, b->s, &o));
    while (!graft_learner_done(l)) {
        assert_ok(graft_learner_step(l));
        *loss++ = l->loss;
    }
    graft_learner_free(l);
    memcpy(b->s->master, start, (size_t)b->s->size * sizeof *start);
    graft_free(start);
}

static void draw(struct whole *w)
{
    struct graft_rng_key key = graft_rng_key(8, 8);
    for (int i = 0; i < PHOTOS; i++) {
        w->label[i] = i * 3 % CLASSES;
        for (int k = 0; k < EACH; k++)
            w->x[i][k] = (float)graft_rng_normal(
                key, (uint64_t)(i * EACH + k));
    }
}

TEST(train_tuples__cached_layers_train_as_computed_ones)
{
    static const char *const name[] = {"c1.w", "skip.w", "c2.b", "fc.w"};
    static const double weight[CLASSES] = {1, 2, 0.5, 1, 0};
    static struct whole w;
    struct both b;
    draw(&w);
    w.class_weight = weight;
    for (int from = 0; from < 4; from++) {
        double whole[6], cut[6];
        open_both(&b, name + from, 4 - from);
        float *row = graft_malloc((size_t)(PHOTOS * b.x.floats) *
                                  sizeof *row);
        assert_non_null(row);
        make_rows(&b, &w, row);
        struct graft_tuples t = {.crossing = &b.x, .row = row,
                                 .label = w.label, .views = 1,
                                 .smoothing = 0.1, .class_weight = weight};
        learn(&b, b.whole, fill_pixels, &w, whole);
        learn(&b, b.cut, graft_tuples_fill, &t, cut);
        for (int i = 0; i < 6; i++)
            assert_near(whole[i], cut[i], 1e-4);
        assert_true(whole[5] != whole[0]);
        graft_free(row);
        close_both(&b);
    }
}

TEST(train_tuples__views_are_drawn_from_seed_epoch_and_photo)
{
    struct graft_tuples t = {.views = 3, .seed = 11};
    int seen[3] = {0}, moved = 0;
    for (int64_t i = 0; i < 300; i++) {
        int64_t row = graft_tuples_row(&t, i, 5);
        assert_true(row / 3 == i);
        assert_int_equal(row, graft_tuples_row(&t, i, 5));
        seen[row % 3]++;
        moved += row != graft_tuples_row(&t, i, 6);
    }
    for (int k = 0; k < 3; k++)
        assert_true(seen[k] > 60);
    assert_true(moved > 100);
    t.views = 1;
    assert_int_equal(graft_tuples_row(&t, 7, 5), 7);
}
