/* Fine-tuning: what was asked for, and what it begins with.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/tune.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/edit.h"
#include "train/copies.h"
#include "train/folds.h"
#include "train/masters.h"

enum { EPOCHS = 15, BATCH = 32, PATIENCE = 5, FOLDS = 5, SCRATCH_EPOCHS = 30 };

/* ---- options ------------------------------------------------------------- */

bool graft_tune_wanted(const struct graft_tune_options *o)
{
    return (o->unfreeze && strcmp(o->unfreeze, "none")) || o->from_scratch;
}

/* What the user left open. The rate grows with the batch, whose gradient is
 * the more certain the larger it is. */
static struct graft_tune_options choose(const struct graft_tune_options *o)
{
    struct graft_tune_options c = *o;
    c.unfreeze = o->from_scratch ? "all" : o->unfreeze;
    c.optimizer = o->optimizer ? o->optimizer : "sgd";
    c.schedule = o->schedule ? o->schedule : "cosine";
    c.batch_size = o->batch_size ? o->batch_size : BATCH;
    c.epochs = o->epochs ? o->epochs
                         : o->from_scratch ? SCRATCH_EPOCHS : EPOCHS;
    c.momentum = o->momentum < 0 ? 0.9 : o->momentum;
    c.weight_decay = o->weight_decay >= 0 ? o->weight_decay
                                          : o->from_scratch ? 5e-4 : 1e-4;
    c.layer_decay = o->layer_decay > 0 ? o->layer_decay : 1;
    c.clip = o->clip < 0 ? 5 : o->clip;
    c.patience = o->patience ? o->patience : PATIENCE;
    const bool sgd = !strcmp(c.optimizer, "sgd");
    if (!(o->learning_rate > 0) && o->from_scratch)
        c.learning_rate = (sgd ? 5e-2 : 2e-3) * c.batch_size / 32;
    else if (!(o->learning_rate > 0))
        c.learning_rate = (sgd ? 1e-3 : 1e-4) * c.batch_size / 32;
    if (o->warmup < 0)
        c.warmup = c.epochs < 5 ? 0.2 * c.epochs : 1;
    return c;
}

static int check_word(const char *what, const char *word,
                      const char *const *known, const char *list)
{
    for (int i = 0; word && known[i]; i++)
        if (!strcmp(known[i], word))
            return GRAFT_OK;
    return word ? graft_fail(GRAFT_EARG, "no %s is called '%s'; there are %s",
                             what, word, list)
                : GRAFT_OK;
}

static int check_number(const char *what, double x, double low, double high)
{
    return x >= low && x <= high
        ? GRAFT_OK
        : graft_fail(GRAFT_EARG, "%s: %g does not lie between %g and %g",
                     what, x, low, high);
}

int graft_tune_check(const struct graft_tune_options *o)
{
    static const char *const optimizers[] = {"sgd", "adamw", NULL};
    static const char *const schedules[] = {"cosine", "linear", "constant",
                                            NULL};
    enum graft_norms norms;
    int status = graft_norms_of(&norms, o->bn);
    if (!status)
        status = graft_tune_check_scratch(o, norms);
    if (status)
        return status;
    if (!graft_tune_wanted(o) && norms != GRAFT_NORMS_FROZEN &&
        norms != GRAFT_NORMS_ADAPT)
        return graft_fail(GRAFT_EARG, "bn %s belongs to fine-tuning: unfreeze "
                          "says what is trained", o->bn);
    if (!graft_tune_wanted(o))
        return o->resume || o->freeze || o->mixup > 0
            ? graft_fail(GRAFT_EARG, "%s belongs to fine-tuning: unfreeze "
                         "says what is trained",
                         o->resume ? "resume" : o->freeze ? "freeze"
                                                          : "mixup")
            : GRAFT_OK;
    const struct graft_tune_options c = choose(o);
    const struct { const char *what; double x, low, high; } range[] = {
        {"epochs", o->epochs, 0, GRAFT_EPOCHS_MAX},
        {"batch_size", o->batch_size, 0, 65536},
        {"learning_rate", c.learning_rate, 0, 1000},
        {"momentum", c.momentum, 0, 0.9999},
        {"weight_decay", c.weight_decay, 0, 1000},
        {"warmup", c.warmup, 0, 100000},
        {"layer_decay", c.layer_decay, 1e-6, 1},
        {"clip", c.clip, 0, 1e12},
        {"label_smoothing", c.label_smoothing, 0, 1},
        {"ema", c.ema, 0, 0.999999},
        {"mixup", c.mixup, 0, 100},
        {"seconds", c.seconds, 0, 1e12}};
    status = check_word("optimizer", o->optimizer, optimizers, "sgd, adamw");
    if (!status)
        status = check_word("schedule", o->schedule, schedules,
                            "cosine, linear, constant");
    for (size_t i = 0; !status && i < sizeof range / sizeof *range; i++)
        status = check_number(range[i].what, range[i].x, range[i].low,
                              range[i].high);
    if (!status && strcmp(c.schedule, "constant") && c.warmup >= c.epochs)
        status = graft_fail(GRAFT_EARG, "%g epochs of warm-up leave nothing "
                            "of %d epochs for the schedule '%s'", c.warmup,
                            c.epochs, c.schedule);
    return status;
}

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
    if (!u->item || !u->label || !u->all || !u->rest || !u->held)
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

/* One of five folds decides; copies, near-copies and views of a photo are on
 * one side. What is held out is judged as it is, without views. */
static int hold_out(struct graft_tune *u)
{
    size_t n = (size_t)u->n + 1;
    int folds = FOLDS;
    int *fold = graft_calloc(n, sizeof *fold);
    struct graft_hash *photo = graft_calloc(n, sizeof *photo);
    int status = fold && photo ? GRAFT_OK : GRAFT_EMEM;
    for (int i = 0; !status && i < u->n; i++)
        photo[i] = u->item[i].hash;
    if (!status)
        status = graft_near_copies(photo, &u->near_copies, u->t->train.x,
                                   u->label, u->n, u->t->trunk.floats);
    if (!status)
        status = graft_folds(fold, &folds, u->label, photo, u->n,
                             u->t->o->seed);
    for (int i = 0; !status && folds && i < u->n; i++)
        if (fold[i])
            u->rest[u->n_rest++] = i;
        else if (!u->item[i].view)
            u->held[u->n_held++] = i;
    graft_free(fold);
    graft_free(photo);
    return status;
}

static int make_state(struct graft_tune *u)
{
    u->state_bytes = sizeof *u->state +
                     2 * (uint64_t)u->n_held * sizeof(double);
    u->state = graft_calloc(1, (size_t)u->state_bytes);
    if (!u->state)
        return GRAFT_EMEM;
    u->probe_loss = (double *)(u->state + 1);
    u->best_loss = u->probe_loss + u->n_held;
    int64_t size;
    const real *running = graft_program_running(u->u.program, &size);
    size_t bytes = (size_t)u->u.selection->size * sizeof(real);
    u->start = graft_malloc(bytes);
    u->start_running = graft_malloc((size_t)(size + 1) * sizeof(real));
    if (!u->start || !u->start_running)
        return GRAFT_EMEM;
    memcpy(u->start, u->u.selection->master, bytes);
    if (running)
        memcpy(u->start_running, running, (size_t)size * sizeof(real));
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
    r->parameters = u->u.selection->n;
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
    r->normalisations = u->norms == GRAFT_NORMS_ADAPT
                            ? u->t->adapted
                            : graft_program_n_statistics(u->u.program);
    r->from_scratch = u->o.from_scratch;
    return r->unfreeze && (r->freeze || !u->o.freeze) ? GRAFT_OK : GRAFT_EMEM;
}

/* The head knows nothing yet; the probe's weights take its place. */
static int begin(struct graft_tune *u)
{
    struct graft_training *t = u->t;
    const int64_t d = t->trunk.floats;
    struct graft_probe head = {.classes = t->data->n_classes, .d = d};
    const struct graft_tunable_options o = {
        .path = t->o->model, .cut = t->o->cut, .unfreeze = u->o.unfreeze,
        .freeze = u->o.freeze, .preprocess = &t->extract.preprocess,
        .head = &head, .norms = u->norms,
        .like = u->o.from_scratch || u->norms == GRAFT_NORMS_ADAPT ? t->model
                                                                   : NULL};
    head.weight = graft_calloc((size_t)head.classes, (size_t)d *
                                                     sizeof *head.weight);
    head.bias = graft_calloc((size_t)head.classes, sizeof *head.bias);
    int status = head.weight && head.bias
                     ? graft_tunable_open(&u->u, t->rt, &o) : GRAFT_EMEM;
    graft_free(head.weight);
    graft_free(head.bias);
    return status ? status : graft_tune_open_rows(u);
}

int graft_tune_prepare(struct graft_tune *u)
{
    int status = take_photos(u);
    if (!status)
        status = graft_tune_keep_rows(u);
    if (!status && !u->o.from_scratch)
        status = hold_out(u);
    if (!status)
        status = graft_tune_keep_held(u);
    if (!status)
        status = make_state(u);
    return status ? status : report(u);
}

int graft_tune_new(struct graft_tune **out, struct graft_training *t)
{
    struct graft_tune *u = graft_calloc(1, sizeof *u);
    if (!u)
        return GRAFT_EMEM;
    u->t = t;
    u->o = choose(&t->o->tune);
    u->fresh = t->o->views == GRAFT_VIEWS_FRESH;
    u->log = u->csv = -1;
    int status = graft_norms_of(&u->norms, u->o.bn);
    if (u->o.from_scratch)
        graft_tune_begin_scratch(u);
    if (!status)
        status = begin(u);
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
    graft_cache_close(u->extract.cache);
    graft_extract_release(&u->extract);
    graft_tunable_release(&u->u);
    void *owned[] = {u->item, u->label, u->x, u->rows, u->all, u->rest,
                     u->held, u->row_of, u->place, u->start,
                     u->start_running, u->state, u->folder};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        graft_free(owned[i]);
    graft_free(u);
}

/* ---- the result ---------------------------------------------------------- */

/* The head's two parameters in the place of the probe's. */
static int take_head(struct graft_probe *head, const struct graft_tune *u)
{
    const struct graft_selection *s = u->u.selection;
    const real *w = s->master + s->at[s->n - 2].offset;
    const real *b = s->master + s->at[s->n - 1].offset;
    int64_t n = s->at[s->n - 2].count;
    head->classes = u->t->probe->classes;
    head->d = u->t->probe->d;
    head->weight = graft_calloc((size_t)n, sizeof *head->weight);
    head->bias = graft_calloc((size_t)head->classes, sizeof *head->bias);
    if (!head->weight || !head->bias)
        return GRAFT_EMEM;
    for (int64_t i = 0; i < n; i++)
        head->weight[i] = (float)w[i];
    for (int i = 0; i < head->classes; i++)
        head->bias[i] = (float)b[i];
    return GRAFT_OK;
}

static int store(const struct graft_tune *u, struct graft_model *m, int k)
{
    const char *name = graft_tunable_name(&u->u, k);
    const struct graft_selected *at = &u->u.selection->at[k];
    const struct graft_model *own = u->u.model;
    graft_value_id v = graft_value_find(m, name);
    if (v < 0 || m->value.at[v].tensor < 0)
        return graft_fail(GRAFT_ENOTFOUND, "'%s' has no parameter '%s' any "
                          "more", m->path, name);
    return graft_master_store(
        m, m->value.at[v].tensor,
        &own->tensor.at[own->value.at[at->value].tensor].shape,
        u->u.selection->master + at->offset);
}

int graft_tune_store(struct graft_tune *u, struct graft_model *m,
                     graft_value_id features)
{
    struct graft_probe head = {0};
    int status = take_head(&head, u);
    for (int k = 0; !status && k < u->u.selection->n - 2; k++)
        status = store(u, m, k);
    if (!status)
        status = graft_norms_store(m, u->u.program, u->u.model);
    if (!status)
        status = graft_head_append(m, features, &head, u->t->o->emit_logits);
    graft_free(head.weight);
    graft_free(head.bias);
    return status;
}
