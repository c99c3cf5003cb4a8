/* Trainers saved and gone on with, stored into a model, and at every fault.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/file.h"
#include "graft/edit.h"
#include "support/faults.h"
#include "support/lesson.h"

static graft_trainer *trained(struct net *n, const char *optimizer, int steps,
                              const char *load)
{
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    struct lesson d;
    lesson_begin(&d);
    o.optimizer = optimizer;
    o.ema_decay = 0.99;
    o.schedule = "cosine";
    o.total_steps = 20;
    o.warmup_steps = 3;
    o.layer_decay = 0.8;
    assert_ok(graft_trainer_new(&t, n->m, &o));
    if (load)
        assert_ok(graft_trainer_load(t, load));
    while (graft_trainer_steps(t) < steps)
        assert_ok(graft_trainer_step(t, &d.batch, NULL));
    return t;
}

TEST(api_finetune_state__goes_on_as_if_never_stopped)
{
    static const char *const optimizer[] = {"sgd", "adam", "adamw"};
    char path[4200];
    snprintf(path, sizeof path, "%s/t.state", test_folder_in_memory());
    for (int k = 0; k < 3; k++) {
        struct net *n = lesson_net();
        graft_trainer *a = trained(n, optimizer[k], 20, NULL);
        graft_trainer *b = trained(n, optimizer[k], 11, NULL);
        assert_ok(graft_trainer_save(b, path));
        graft_trainer_free(b);
        b = trained(n, optimizer[k], 20, path);
        for (int p = 0; p < 4; p++) {
            struct graft_array x, y;
            const char *name = graft_trainer_name(a, p);
            assert_ok(graft_trainer_parameter(&x, a, name));
            assert_ok(graft_trainer_parameter(&y, b, name));
            int64_t count = x.dim[0] * (x.rank > 1 ? x.dim[1] : 1);
            assert_memory_equal(x.data, y.data, (size_t)count * 4);
        }
        graft_trainer_free(a);
        graft_trainer_free(b);
        net_free(n);
    }
}

TEST(api_finetune_state__another_training_is_named)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/t.state", test_folder_in_memory());
    struct net *n = lesson_net();
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_ok(graft_trainer_save(t, path));
    graft_trainer_free(t);
    o.loss = "nll";
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_fails(graft_trainer_load(t, path), GRAFT_EMISMATCH,
                 "'loss softmax', now it is 'loss nll'");
    assert_fails(graft_trainer_load(t, "/nowhere/x"), GRAFT_ENOTFOUND,
                 "/nowhere/x");
    graft_trainer_free(t);
    net_free(n);
}

/* What was trained comes out of the exported model; what was not has its
 * bytes. */
TEST(api_finetune_state__stored_into_the_model)
{
    struct net *n = lesson_net();
    graft_trainer *t = NULL;
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    static const char *const only[] = {"2.*"};
    float scores[LESSON_IMAGES * LESSON_CLASSES];
    float frozen[LESSON_HIDDEN * LESSON_IN];
    struct lesson d;
    void *bytes = NULL;
    uint64_t size = 0;
    graft_model *back = NULL;
    graft_session *s = NULL;
    const char *out = "scores";
    lesson_begin(&d);
    o.parameters = only;
    o.n_parameters = 1;
    const struct graft_tensor *w1 =
        &n->m->tensor.at[n->m->value.at[graft_value_find(n->m, "1.weight")]
                             .tensor];
    memcpy(frozen, w1->data, sizeof frozen);
    assert_ok(graft_trainer_new(&t, n->m, &o));
    for (int i = 0; i < 5; i++)
        assert_ok(graft_trainer_step(t, &d.batch, NULL));
    assert_ok(graft_trainer_loss(t, &d.batch, NULL, scores));
    assert_fails(graft_trainer_store(t, n->m, true), GRAFT_EARG,
                 "ema_decay");
    assert_ok(graft_trainer_store(t, n->m, false));
    /* the trainer goes on as before */
    float again[LESSON_IMAGES * LESSON_CLASSES];
    assert_ok(graft_trainer_loss(t, &d.batch, NULL, again));
    assert_memory_equal(scores, again, sizeof scores);
    assert_ok(graft_model_encode(&bytes, &size, n->m));
    assert_ok(graft_model_parse(&back, NULL, bytes, size));
    w1 = &back->tensor.at[back->value.at[graft_value_find(back, "1.weight")]
                              .tensor];
    assert_memory_equal(frozen, w1->data, sizeof frozen);
    assert_ok(graft_session_new(&s, back, &d.array, 1, &out, 1));
    assert_ok(graft_session_run(s, &d.array, 1));
    struct graft_array y = graft_session_output(s, 0);
    for (int i = 0; i < LESSON_IMAGES * LESSON_CLASSES; i++)
        assert_near(y.data[i], scores[i], 1e-5);
    graft_session_free(s);
    graft_model_free(back);
    graft_encoded_free(bytes);
    graft_trainer_free(t);
    net_free(n);
}

/* ---- faults -------------------------------------------------------------- */

struct life {
    struct net *net;
    const char *state;
};

/* Made, gone on with from a checkpoint, stepped, saved. */
static int live(void *ctx)
{
    const struct life *life = ctx;
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    struct lesson d;
    lesson_begin(&d);
    o.optimizer = "adamw";
    o.ema_decay = 0.9;
    o.shard = 7;
    int status = graft_trainer_new(&t, life->net->m, &o);
    if (!status && graft_file_exists(life->state))
        status = graft_trainer_load(t, life->state);
    while (!status && graft_trainer_steps(t) < 6)
        status = graft_trainer_step(t, &d.batch, NULL);
    if (!status)
        status = graft_trainer_save(t, life->state);
    graft_trainer_free(t);
    return status;
}

TEST(api_finetune_state__survives_every_fault)
{
    char path[4200];
    const char *folder = test_folder_in_memory();
    snprintf(path, sizeof path, "%s/t.state", folder);
    struct life life = {lesson_net(), path};
    graft_trainer *t = trained(life.net, "adamw", 0, NULL);
    graft_trainer_free(t); /* what is made once is there */
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    struct lesson d;
    lesson_begin(&d);
    o.optimizer = "adamw";
    o.ema_decay = 0.9;
    o.shard = 7;
    assert_ok(graft_trainer_new(&t, life.net->m, &o));
    for (int i = 0; i < 3; i++)
        assert_ok(graft_trainer_step(t, &d.batch, NULL));
    assert_ok(graft_trainer_save(t, path));
    graft_trainer_free(t);
    struct fault_work w = {.name = "trainer", .folder = folder, .run = live,
                           .ctx = &life};
    fault_every_point(&w);
    net_free(life.net);
}
