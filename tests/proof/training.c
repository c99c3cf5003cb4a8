/* Steps of SGD on the mean cross-entropy, by the learner that trains, for
 * tests/proof/training.py to compare:
 *     training X CLASSES RATE OUT MODEL NAMES THREADS BATCH [exact]
 *              [batchnorm]
 * X are inputs and CLASSES a class for each, as plain float32, a batch for
 * each step. Momentum 0.9, decay 1e-4. OUT gets the running statistics after
 * each step, then the parameters of NAMES (proof.h). Prints the loss before
 * each step, and then that of the last batch by the running statistics:
 *     loss L
 *     norm MEAN VAR CHANNELS COUNT
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "proof/proof.h"
#include "train/learner.h"

struct batches {
    struct proof_numbers x, classes;
    int64_t each; /* numbers of an image */
};

static int fill(void *ctx, const struct graft_shard *s)
{
    const struct batches *b = ctx;
    for (int i = 0; i < s->n; i++) {
        graft_program_put_at(s->program, 0,
                             b->x.at + s->index[i] * b->each, i, 1);
        graft_program_targets(s->program)[i] =
            (int32_t)b->classes.at[s->index[i]];
    }
    return GRAFT_OK;
}

static void steps(FILE *f, struct graft_learner *l, int batch,
                  int64_t images)
{
    const struct graft_selection *sel = l->selection;
    struct graft_evaluation judged = {0};
    int64_t *index = graft_calloc((size_t)images, sizeof *index);
    if (!index)
        proof_stop("no memory for", "the steps");
    for (int64_t i = 0; i < images; i++)
        index[i] = i;
    for (int64_t at = 0; at < images; at += batch) {
        proof_need(graft_learner_gradient(l, index + at, batch));
        proof_need(graft_learner_apply(l));
        printf("loss %.17g\n", l->loss);
        if (l->running)
            proof_put(f, l->running, l->running_size);
    }
    for (int k = 0; k < sel->n; k++)
        proof_put(f, sel->master + sel->at[k].offset, sel->at[k].count);
    proof_need(graft_learner_evaluate(l, index + images - batch, batch,
                                      &judged));
    printf("loss %.17g\n", judged.loss);
    graft_free(index);
}

/* The program on the scores, and its learner. */
static void train(FILE *f, struct proof *a, struct batches *b, double rate)
{
    struct graft_loss loss = {.kind = GRAFT_LOSS_SOFTMAX_CE,
                              .logits = a->m->output.at[0],
                              .weighted = true};
    struct graft_learner_options o = GRAFT_LEARNER;
    struct graft_program *p;
    struct graft_learner *l;
    a->compile.loss = &loss;
    proof_need(graft_program_new(&p, a->rt, &a->compile));
    struct graft_view in = graft_program_input(p, 0);
    int batch = graft_program_n_max(p);
    b->each = graft_count(&in) / batch;
    if (b->x.n != b->classes.n * b->each || b->classes.n % batch)
        proof_stop("not whole batches in", "X");
    o.optimizer.weight_decay = 1e-4;
    o.schedule.learning_rate = rate;
    o.batch_size = batch;
    o.fill = fill;
    o.fill_ctx = b;
    proof_need(graft_learner_new(&l, a->rt, p, a->sel, &o));
    steps(f, l, batch, b->classes.n);
    proof_tell_norms(a, p);
    graft_learner_free(l);
    graft_program_free(p);
}

int main(int argc, char **argv)
{
    struct proof a;
    if (argc < 9) {
        fprintf(stderr, "usage: training X CLASSES RATE OUT MODEL NAMES "
                        "THREADS BATCH [exact] [batchnorm]\n");
        return 2;
    }
    proof_open(&a, argv + 5, argc - 5);
    struct batches b = {.x = proof_numbers(argv[1]),
                        .classes = proof_numbers(argv[2])};
    FILE *f = proof_create(argv[4]);
    train(f, &a, &b, strtod(argv[3], NULL));
    if (fclose(f))
        proof_stop("cannot write", argv[4]);
    graft_free(b.x.at);
    graft_free(b.classes.at);
    proof_close(&a);
    return 0;
}
