/* Fine-tuning that begins with nothing: what makes no sense then, and the
 * head.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/tune.h"

int graft_tune_check_scratch(const struct graft_tune_options *o,
                             enum graft_norms norms)
{
    if (!o->from_scratch)
        return GRAFT_OK;
    if (o->freeze || (o->unfreeze && strcmp(o->unfreeze, "all")))
        return graft_fail(GRAFT_EARG, "from scratch everything is trained: %s "
                          "%s makes no sense beside it",
                          o->freeze ? "freeze" : "unfreeze",
                          o->freeze ? o->freeze : o->unfreeze);
    if (o->bn && norms != GRAFT_NORMS_TRAIN)
        return graft_fail(GRAFT_EARG, "from scratch there are no statistics "
                          "yet: bn %s makes no sense beside it", o->bn);
    return GRAFT_OK;
}

/* Deep networks without normalisation bear a fifth of the rate, and learn the
 * slower. */
void graft_tune_begin_scratch(struct graft_tune *u)
{
    if (graft_norms_count(u->t->model)) {
        u->norms = GRAFT_NORMS_TRAIN;
        return;
    }
    if (!(u->t->o->tune.learning_rate > 0))
        u->o.learning_rate /= 5;
    graft_log(u->t->rt, GRAFT_LOG_WARNING, "'%s' has no BatchNormalization "
              "(exporters fold it into the convolutions): from scratch it "
              "learns slower and comes less far; export the network with "
              "its normalisations kept", u->t->model->path);
}

int graft_tune_scratch_head(struct graft_probe **out,
                            const struct graft_training *t)
{
    const int64_t d = t->trunk.floats;
    struct graft_probe *p = graft_calloc(1, sizeof *p);
    if (!p)
        return GRAFT_EMEM;
    p->classes = t->data->n_classes;
    p->d = d;
    p->l2 = NAN;
    p->weight = graft_calloc((size_t)p->classes,
                             (size_t)d * sizeof *p->weight);
    p->bias = graft_calloc((size_t)p->classes, sizeof *p->bias);
    if (!p->weight || !p->bias) {
        graft_probe_free(p);
        return GRAFT_EMEM;
    }
    graft_scratch_head(p->weight, p->classes, d, t->o->seed);
    *out = p;
    return GRAFT_OK;
}

/* Nothing to compare with: what random weights make of photos says nothing.
 * All photos are learnt from, for all epochs. */
int graft_tune_scratch(struct graft_tune *u)
{
    const char *found = NULL;
    struct graft_tuning *r = u->t->report->tuning;
    int status = graft_tune_folder(u, &found);
    if (!status && !found)
        status = graft_tune_epochs(u);
    if (status)
        return status;
    u->state->best_epoch = u->state->judged = u->state->planned;
    u->tuned = r->tuned = true;
    r->epochs = r->best_epoch = (int)u->state->planned;
    return graft_tune_final(u, found != NULL);
}
