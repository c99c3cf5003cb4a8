/* What a trainer refuses, and in which words.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/lesson.h"

static void refused(struct net *n, const struct graft_trainer_options *o,
                    int status, const char *part)
{
    graft_trainer *t = NULL;
    assert_fails(graft_trainer_new(&t, n->m, o), status, part);
    assert_null(t);
}

TEST(api_finetune_refused__wrong_options_are_refused)
{
    struct net *n = lesson_net();
    const struct graft_trainer_options plain = GRAFT_TRAINER_OPTIONS;
    struct graft_trainer_options o = plain;
    const char *name[] = {"2.weigth"};
    o.parameters = name;
    o.n_parameters = 1;
    refused(n, &o, GRAFT_ENOTFOUND, "the nearest is '2.weight'");
    name[0] = "3.*";
    refused(n, &o, GRAFT_ENOTFOUND, "'3.*'");
    o = plain;
    o.loss = "hinge";
    refused(n, &o, GRAFT_EARG, "softmax, sigmoid, nll");
    o = plain;
    o.optimizer = "sdg";
    refused(n, &o, GRAFT_EARG, "sgd, adam, adamw");
    o = plain;
    o.schedule = "cosine";
    refused(n, &o, GRAFT_EARG, "needs more steps");
    o = plain;
    o.learning_rate = NAN;
    refused(n, &o, GRAFT_EARG, "learning rate");
    o = plain;
    o.layer_decay = 0;
    refused(n, &o, GRAFT_EARG, "layers");
    o = plain;
    o.scores = "x";
    refused(n, &o, GRAFT_EUNSUPPORTED, "no parameters");
    net_free(n);
}

TEST(api_finetune_refused__wrong_batches_are_refused)
{
    struct net *n = lesson_net();
    graft_trainer *t = NULL;
    struct lesson d;
    assert_ok(graft_trainer_new(&t, n->m, NULL));
    lesson_begin(&d);
    d.label[3] = LESSON_CLASSES;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_EARG,
                 "image 3 has class 3");
    lesson_begin(&d);
    d.array.dim[1] = 5;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_ESHAPE,
                 "input 'x' needs 6 numbers");
    lesson_begin(&d);
    d.array.dim[0] = 0;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_ESHAPE, "0");
    lesson_begin(&d);
    d.array.name = "z";
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_ENOTFOUND,
                 "'x'");
    lesson_begin(&d);
    d.batch.classes = NULL;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_EARG,
                 "classes or targets");
    lesson_begin(&d);
    d.x[7] = NAN;
    assert_fails(graft_trainer_step(t, &d.batch, NULL), GRAFT_EMISMATCH,
                 "step 0");
    assert_int_equal(graft_trainer_steps(t), 0);
    graft_trainer_free(t);
    net_free(n);
}
