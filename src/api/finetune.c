/* Making a trainer: which parameters, where they begin to matter, programs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/model_names.h"
#include "api/trainer.h"
#include "base/alloc.h"
#include "base/glob.h"
#include "program/trainable.h"
#include "program/unfreeze.h"


static const struct loss_name {
    const char *name;
    enum graft_loss_kind kind;
    const char *last; /* operators that turn its scores into answers */
    const char *also;
} losses[] = {{"softmax", GRAFT_LOSS_SOFTMAX_CE, "Softmax", "LogSoftmax"},
              {"sigmoid", GRAFT_LOSS_SIGMOID_CE, "Sigmoid", "Sigmoid"},
              {"nll", GRAFT_LOSS_NLL, NULL, NULL}};

static const struct loss_name *find_loss(const char *name)
{
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (name && strcmp(losses[i].name, name) == 0)
            return &losses[i];
    graft_fail(GRAFT_EARG, "no loss is called '%s'; there are softmax, "
               "sigmoid, nll", name ? name : "");
    return NULL;
}

/* ---- scores -------------------------------------------------------------- */

static int find_scores(graft_value_id *out, const struct graft_model *m,
                       const struct graft_trainer_options *o,
                       const struct loss_name *loss)
{
    if (o->scores)
        return graft_find_value(out, m, o->scores);
    if (m->output.n < 1)
        return graft_fail(GRAFT_EARG, "'%s' has no output", m->path);
    *out = m->output.at[0];
    int32_t at = m->value.at[*out].node;
    const struct graft_node *node = at >= 0 ? &m->node.at[at] : NULL;
    if (node && loss->last && !node->domain[0] && node->n_in == 1 &&
        (strcmp(node->op_type, loss->last) == 0 ||
         strcmp(node->op_type, loss->also) == 0))
        *out = node->in[0];
    return GRAFT_OK;
}

/* ---- inputs -------------------------------------------------------------- */

static int find_feeds(graft_trainer *t)
{
    size_t n = (size_t)t->model->input.n + 1;
    graft_value_id v;
    t->feed = graft_calloc(n, sizeof *t->feed);
    t->feed_count = graft_calloc(n, sizeof *t->feed_count);
    t->array = graft_calloc(n, sizeof *t->array);
    if (!t->feed || !t->feed_count || !t->array)
        return GRAFT_EMEM;
    for (int at = 0; (v = graft_feed_next(t->model, &at)) >= 0;)
        t->feed[t->n_feeds++] = v;
    return GRAFT_OK;
}

static int set_dims(graft_trainer *t, const struct graft_trainer_options *o)
{
    int n = o->inputs ? o->n_inputs : 0, status = GRAFT_OK;
    t->dims = graft_calloc((size_t)n + 1, sizeof *t->dims);
    if (!t->dims)
        return GRAFT_EMEM;
    for (int i = 0; !status && i < n; i++) {
        const struct graft_array *a = &o->inputs[i];
        struct graft_input_dims *d = &t->dims[t->n_dims++];
        d->value = i < t->n_feeds ? t->feed[i] : -1;
        if (a->name)
            status = graft_find_value(&d->value, t->model, a->name);
        else if (i >= t->n_feeds)
            status = graft_fail(GRAFT_EARG, "the model has %d inputs; there "
                                "is none for array %d", t->n_feeds, i + 1);
        if (!status)
            status = graft_shape_set(&d->shape, a->dim, a->rank);
    }
    return status;
}

/* ---- parameters ---------------------------------------------------------- */

static int no_match(const struct graft_model *m, const char *pattern)
{
    graft_value_id v;
    if (strpbrk(pattern, "*?"))
        return graft_fail(GRAFT_ENOTFOUND, "'%s' matches no parameter of "
                          "'%s' that can be trained", pattern, m->path);
    int status = graft_find_parameter(&v, m, pattern);
    return status ? status
                  : graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot be trained: "
                               "no gradient reaches it", pattern);
}

/* Keeps those of x that a pattern matches; every pattern has to. */
static int choose(struct graft_trainables *x, const struct graft_model *m,
                  const struct graft_trainer_options *o)
{
    int n = 0;
    for (int k = 0; k < o->n_parameters; k++) {
        bool any = false;
        for (int i = 0; i < x->n; i++)
            any |= graft_glob(o->parameters[k],
                              m->value.at[x->value[i]].name);
        if (!any)
            return no_match(m, o->parameters[k]);
    }
    for (int i = 0; i < x->n; i++)
        for (int k = 0; k < o->n_parameters; k++)
            if (graft_glob(o->parameters[k],
                           m->value.at[x->value[i]].name)) {
                x->value[n++] = x->value[i];
                break;
            }
    x->n = n;
    return GRAFT_OK;
}

/* scale NULL: nowhere. */
static int keep(graft_trainer *t, const graft_value_id *value,
                const bool *scale, int n)
{
    if (!n)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' has no parameters that "
                          "can be trained", t->model->path);
    int status = graft_store_new(&t->store, t->model, t->rt);
    return status ? status
                  : graft_selection_scaled(&t->selection, t->store, value,
                                           scale, n);
}

static int select_by_words(graft_trainer *t,
                           const struct graft_trainer_options *o,
                           const struct graft_compile *c)
{
    struct graft_unfrozen x = {0};
    if (o->parameters)
        return graft_fail(GRAFT_EARG, "parameters are named and said in words "
                          "as well");
    int status = graft_unfreeze(&x, t->rt, c,
                                o->unfreeze ? o->unfreeze : "all",
                                o->freeze);
    if (!status)
        status = keep(t, x.value, x.scale, x.n);
    graft_unfrozen_release(&x);
    return status;
}

static int select_parameters(graft_trainer *t,
                             const struct graft_trainer_options *o,
                             const struct graft_compile *c)
{
    struct graft_trainables x = {0};
    if (o->unfreeze || o->freeze)
        return select_by_words(t, o, c);
    int status = graft_trainables_find(&x, t->rt, c);
    if (!status && o->parameters)
        status = choose(&x, t->model, o);
    if (!status)
        status = keep(t, x.value, NULL, x.n);
    graft_trainables_release(&x);
    return status;
}

/* ---- programs ------------------------------------------------------------ */

static int compile(graft_trainer *t, const struct graft_compile *c)
{
    struct graft_compile part = *c;
    part.store = t->store;
    part.train = t->selection;
    int status = graft_crossing_find(&t->crossing, t->rt, &part);
    if (status)
        return status;
    part.feeds = t->crossing.value;
    part.n_feeds = t->crossing.n;
    status = graft_program_new(&t->program, t->rt, &part);
    if (status || t->crossing.inputs_only)
        return status;
    part = *c;
    part.store = t->store;
    part.loss = NULL;
    part.outputs = t->crossing.value;
    part.n_outputs = t->crossing.n;
    return graft_program_new(&t->frozen, t->rt, &part);
}

static void count_feeds(graft_trainer *t, const struct graft_program *p)
{
    for (int i = 0; p && i < graft_program_n_inputs(p); i++)
        for (int k = 0; k < t->n_feeds; k++)
            if (graft_program_input_id(p, i) == t->feed[k]) {
                struct graft_view v = graft_program_input(p, i);
                t->feed_count[k] = graft_shape_span(&v.shape, 1,
                                                    v.shape.rank);
            }
}

static int make_room(graft_trainer *t)
{
    int64_t most = 1, n_max = graft_program_n_max(t->program);
    for (int i = 0; i < t->crossing.n; i++)
        if (t->crossing.count[i] > most)
            most = t->crossing.count[i];
    for (int i = 0; i < t->selection->n; i++)
        if (t->selection->at[i].count > most * n_max)
            most = t->selection->at[i].count / n_max + 1;
    size_t bytes = (size_t)(most * n_max) * sizeof *t->row;
    t->row = graft_alloc_aligned(bytes);
    t->shown = graft_alloc_aligned(bytes);
    return t->row && t->shown ? GRAFT_OK : GRAFT_EMEM;
}

/* ---- the learner --------------------------------------------------------- */

/* What a checkpoint of this training belongs to, beside the learner's own. */
static int recipe(struct graft_str *s, const graft_trainer *t,
                  const struct graft_trainer_options *o,
                  const struct loss_name *loss, graft_value_id scores)
{
    struct graft_hash h = graft_hash("model/1", 7);
    char hex[GRAFT_HASH_HEX];
    for (int i = 0; i < t->model->blob.n; i++)
        h = graft_hash_add(h, t->model->blob.at[i].data,
                           (size_t)t->model->blob.at[i].size);
    graft_hash_hex(hex, h);
    graft_str_addf(s, "model %s\nloss %s\nlabel_smoothing %.17g\nscores ",
                   hex, loss->name, o->label_smoothing);
    graft_str_add_safe(s, t->model->value.at[scores].name);
    return graft_str_ok(s);
}

static struct graft_learner_options
learner_options(graft_trainer *t, const struct graft_trainer_options *o)
{
    return (struct graft_learner_options){
        .optimizer = {.name = o->optimizer, .momentum = o->momentum,
                      .nesterov = o->nesterov, .beta1 = o->beta1,
                      .beta2 = o->beta2, .epsilon = o->epsilon,
                      .weight_decay = o->weight_decay,
                      .decay_all = o->decay_vectors},
        .schedule = {.name = o->schedule, .learning_rate = o->learning_rate,
                     .floor = o->final_learning_rate,
                     .warmup_steps = o->warmup_steps,
                     .total_steps = o->total_steps},
        .clip_norm = o->clip_norm, .ema_decay = o->ema_decay,
        .fill = graft_trainer_fill, .fill_ctx = t};
}

static int make_learner(graft_trainer *t,
                        const struct graft_trainer_options *o,
                        const struct loss_name *loss, graft_value_id scores)
{
    struct graft_learner_options q = learner_options(t, o);
    struct graft_group *group = NULL;
    struct graft_str s;
    graft_str_init(&s);
    int n = 0, status = recipe(&s, t, o, loss, scores);
    if (!status)
        status = graft_groups_by_layer(t->selection, &n);
    if (!status && !(group = graft_calloc((size_t)n, sizeof *group)))
        status = GRAFT_EMEM;
    if (!status) {
        graft_groups_decay(group, n, o->layer_decay);
        q.optimizer.group = group;
        q.optimizer.n_groups = n;
        q.recipe = s.at;
        status = graft_learner_new(&t->learner, t->rt, t->program,
                                   t->selection, &q);
    }
    graft_free(group);
    graft_str_release(&s);
    return status;
}

static int check(const struct graft_trainer_options *o)
{
    if (o->shard < 0 || o->shard > 4096)
        return graft_fail(GRAFT_EARG, "shards of %d images", o->shard);
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1))
        return graft_fail(GRAFT_EARG, "labels smoothed by %g: it has to lie "
                          "between 0 and 1", o->label_smoothing);
    if (!(o->layer_decay > 0 && o->layer_decay <= 1))
        return graft_fail(GRAFT_EARG, "rates of layers that decay by %g: it "
                          "has to be over 0 and at most 1", o->layer_decay);
    return GRAFT_OK;
}

static int build(graft_trainer *t, const struct graft_trainer_options *o)
{
    const struct loss_name *name = find_loss(o->loss);
    graft_value_id scores = -1;
    int status = name ? check(o) : GRAFT_EARG;
    if (!status)
        status = find_scores(&scores, t->model, o, name);
    if (!status)
        status = find_feeds(t);
    if (!status)
        status = set_dims(t, o);
    if (status)
        return status;
    int fixed = graft_model_fixed_batch(t->model);
    struct graft_loss loss = {.kind = name->kind, .logits = scores,
                              .soft = true, .weighted = true};
    struct graft_compile c = {
        .model = t->model, .inputs = t->dims, .n_inputs = t->n_dims,
        .n_max = fixed ? fixed : o->shard ? o->shard : 1,
        .outputs = &scores, .n_outputs = 1, .loss = &loss,
        .exact = t->rt->exact};
    t->smoothing = o->label_smoothing;
    status = select_parameters(t, o, &c);
    if (!status && !fixed && !o->shard)
        status = graft_shard_images(&c.n_max, t->rt, t->model, t->selection);
    if (!status)
        status = compile(t, &c);
    if (!status)
        status = make_room(t);
    if (!status)
        status = make_learner(t, o, name, scores);
    count_feeds(t, t->program);
    count_feeds(t, t->frozen);
    return status;
}

int graft_trainer_new(graft_trainer **out, const graft_model *m,
                      const struct graft_trainer_options *options)
{
    static const struct graft_trainer_options defaults =
        GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = graft_calloc(1, sizeof *t);
    if (!t)
        return GRAFT_EMEM;
    t->model = m;
    t->rt = graft_runtime_or_default(m->rt);
    int status = !t->rt ? GRAFT_EMEM : build(t, options ? options
                                                        : &defaults);
    if (status) {
        graft_trainer_free(t);
        return status;
    }
    *out = t;
    return GRAFT_OK;
}

void graft_trainer_free(graft_trainer *t)
{
    if (!t)
        return;
    graft_learner_free(t->learner);
    graft_program_free(t->program);
    graft_program_free(t->frozen);
    graft_crossing_release(&t->crossing);
    graft_selection_free(t->selection);
    graft_store_free(t->store);
    graft_free(t->dims);
    graft_free(t->feed);
    graft_free(t->feed_count);
    graft_free(t->array);
    graft_free(t->index);
    graft_free(t->row);
    graft_free(t->shown);
    graft_free(t);
}
