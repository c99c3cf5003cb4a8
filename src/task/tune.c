/* Fine-tuning: what it begins with.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/tune.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "train/copies.h"
#include "train/folds.h"

enum { FOLDS = 5 };

/* ---- photos -------------------------------------------------------------- */

static int take_photos(struct graft_tune *u)
{
    const struct graft_rows *r = &u->t->train;
    size_t n = (size_t)r->n + 1;
    u->item = graft_calloc(n, sizeof *u->item);
    u->label = graft_calloc(n, sizeof *u->label);
    u->all = graft_calloc(n, sizeof *u->all);
    u->rest = graft_calloc(n, sizeof *u->rest);
    u->held = graft_calloc(n, sizeof *u->held);
    u->fold = graft_calloc(n, sizeof *u->fold);
    if (!u->item || !u->label || !u->all || !u->rest || !u->held || !u->fold)
        return GRAFT_EMEM;
    for (int i = 0; i < r->n; i++) {
        if (r->item[i].failed)
            continue;
        u->item[u->n] = r->item[i];
        u->label[u->n] = r->label[i];
        u->all[u->n] = u->n;
        u->n++;
    }
    return GRAFT_OK;
}

/* Copies, near-copies and views of a photo lie in one fold. */
static int deal(struct graft_tune *u)
{
    struct graft_hash *photo = graft_calloc((size_t)u->n + 1, sizeof *photo);
    int status = photo ? GRAFT_OK : GRAFT_EMEM;
    u->folds = FOLDS;
    for (int i = 0; !status && i < u->n; i++)
        photo[i] = u->item[i].hash;
    if (!status)
        status = graft_near_copies(photo, &u->near_copies, u->t->train.x,
                                   u->label, u->n, u->t->trunk.floats);
    if (!status)
        status = graft_folds(u->fold, &u->folds, u->label, photo, u->n,
                             u->t->o->seed);
    graft_free(photo);
    return status;
}

/* What is held out is judged as it is, without views. */
void graft_tune_hold_out(struct graft_tune *u, int fold)
{
    u->n_rest = u->n_held = 0;
    for (int i = 0; u->folds && i < u->n; i++)
        if (u->fold[i] != fold)
            u->rest[u->n_rest++] = i;
        else if (!u->item[i].view)
            u->held[u->n_held++] = i;
}

static int make_state(struct graft_tune *u)
{
    u->state_bytes = sizeof *u->state +
                     2 * (uint64_t)u->n * sizeof(double);
    u->state = graft_calloc(1, (size_t)u->state_bytes);
    if (!u->state)
        return GRAFT_EMEM;
    u->probe_loss = (double *)(u->state + 1);
    u->best_loss = u->probe_loss + u->n;
    u->state->way = u->o.from_scratch ? GRAFT_TUNE_SCRATCH
                    : u->automatic ? GRAFT_TUNE_AUTO : GRAFT_TUNE_WORDS;
    return GRAFT_OK;
}

/* ---- all of it ----------------------------------------------------------- */

static int report(struct graft_tune *u)
{
    struct graft_tuning *r = graft_calloc(1, sizeof *r);
    u->t->report->tuning = r;
    if (!r)
        return GRAFT_EMEM;
    r->unfreeze = graft_strdup(u->o.unfreeze);
    r->freeze = u->o.freeze ? graft_strdup(u->o.freeze) : NULL;
    r->automatic = u->automatic;
    r->parameters = u->automatic ? 0 : u->u.selection->n;
    r->head_parameters = u->u.head_parameters;
    r->elements = u->u.elements;
    r->optimizer = strcmp(u->o.optimizer, "sgd") ? "adamw" : "sgd";
    r->learning_rate = u->o.learning_rate;
    r->held_out = u->n_held;
    r->probe_log_loss = r->tuned_log_loss = NAN;
    r->difference = r->standard_error = NAN;
    r->fresh_views = u->fresh;
    r->mixup = u->o.mixup;
    r->bn = graft_norms_name(u->norms);
    r->from_scratch = u->o.from_scratch;
    return r->unfreeze && (r->freeze || !u->o.freeze) ? GRAFT_OK : GRAFT_EMEM;
}

int graft_tune_prepare(struct graft_tune *u)
{
    int status = take_photos(u);
    if (!status && !u->automatic)
        status = graft_tune_keep_rows(u);
    if (!status && !u->o.from_scratch)
        status = deal(u);
    if (!status)
        status = make_state(u);
    graft_tune_hold_out(u, 0); /* one of five folds decides */
    if (!status && !u->automatic)
        status = graft_tune_keep_held(u);
    if (!status && !u->automatic)
        status = graft_tune_note_start(u);
    return status ? status : report(u);
}

uint64_t graft_tune_decoded(const struct graft_tune *u)
{
    return u->decoded + u->extract.decoded;
}

int graft_tune_new(struct graft_tune **out, struct graft_training *t)
{
    struct graft_tune *u = graft_calloc(1, sizeof *u);
    if (!u)
        return GRAFT_EMEM;
    u->t = t;
    u->o = graft_tune_choose(&t->o->tune);
    u->fresh = t->o->views == GRAFT_VIEWS_FRESH;
    u->automatic = graft_tune_is_auto(&t->o->tune);
    u->log = u->csv = u->depth = -1;
    int status = graft_norms_of(&u->norms, u->o.bn);
    if (u->o.from_scratch)
        graft_tune_begin_scratch(u);
    if (!status)
        status = u->automatic ? graft_tune_check_auto(u)
                              : graft_tune_begin(u);
    if (status) {
        graft_tune_free(u);
        return status;
    }
    *out = u;
    return GRAFT_OK;
}

void graft_tune_free(struct graft_tune *u)
{
    if (!u)
        return;
    graft_tune_close(u);
    graft_learner_free(u->learner);
    graft_tune_shut(u);
    void *owned[] = {u->item, u->label, u->fold, u->all, u->rest, u->held,
                     u->state, u->folder};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        graft_free(owned[i]);
    graft_free(u);
}
