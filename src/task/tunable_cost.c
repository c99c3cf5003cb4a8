/* What fine-tuning selects, and what a step of it takes in memory and time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "onnx/onnx.h"
#include "report/json.h"
#include "task/tune.h"
#include "train/learner.h"

enum { CLASSES = 10, TRIES = 3 };

/* ---- the model, with a head that knows nothing --------------------------- */

/* Size of the input, features at the cut, normalisations in the file. */
static int look(struct graft_preprocess *p, int64_t *features, int *norms,
                struct graft_runtime *rt, const struct graft_train_options *o)
{
    struct graft_model *m = NULL;
    struct graft_card *card = NULL;
    struct graft_trunk trunk = {0};
    struct graft_str source;
    graft_str_init(&source);
    int status = graft_onnx_open(&m, rt, o->model);
    if (!status)
        status = graft_card_of(&card, m);
    if (!status)
        status = graft_choose_preprocess(p, &source, m, card,
                                         &o->preprocess);
    if (!status)
        status = graft_trunk_make(&trunk, m, rt, o->cut);
    *features = trunk.floats;
    *norms = m ? graft_norms_count(m) : 0;
    graft_free(trunk.cut);
    graft_card_free(card);
    graft_graph_free(m);
    graft_str_release(&source);
    return status;
}

/* As a training would begin: where adapting finds nothing to do, or no
 * statistics can follow, it is refused in the same words. */
static int open_tunable(struct graft_tunable *u, enum graft_norms *norms_of,
                        struct graft_runtime *rt,
                        const struct graft_train_options *t,
                        const struct graft_tune_options *tune)
{
    struct graft_preprocess p;
    struct graft_probe head = {.classes = CLASSES};
    struct graft_tunable_options options = {
        .path = t->model, .cut = t->cut, .unfreeze = tune->unfreeze,
        .freeze = tune->freeze}, *o = &options;
    int norms, status = look(&p, &head.d, &norms, rt, t);
    if (!status)
        status = graft_norms_of(&o->norms, tune->bn);
    if (!status && o->norms == GRAFT_NORMS_ADAPT && !norms)
        status = graft_norms_none(t->model);
    if (status)
        return status;
    if (tune->from_scratch && norms)
        o->norms = GRAFT_NORMS_TRAIN;
    *norms_of = o->norms;
    head.weight = graft_calloc(CLASSES, (size_t)head.d * sizeof(float));
    head.bias = graft_calloc(CLASSES, sizeof(float));
    struct graft_rng_key key = graft_rng_key(1, 2);
    for (int64_t i = 0; head.weight && i < CLASSES * head.d; i++)
        head.weight[i] = 0.01f * (float)graft_rng_normal(key, (uint64_t)i);
    o->preprocess = &p;
    o->head = &head;
    status = head.weight && head.bias ? graft_tunable_open(u, rt, o)
                                      : GRAFT_EMEM;
    graft_free(head.weight);
    graft_free(head.bias);
    return status;
}

/* ---- a step -------------------------------------------------------------- */

struct made_up {
    const struct graft_tunable *u;
    float *rows;
};

static int fill(void *ctx, const struct graft_shard *s)
{
    const struct made_up *f = ctx;
    const int64_t classes = graft_program_classes(s->program);
    real *row = graft_program_target_rows(s->program);
    graft_tunable_put(f->u, f->rows, f->u->crossing.floats, s->n);
    for (int64_t i = 0; i < s->n * classes; i++)
        row[i] = i % (classes + 1) == 0;
    return GRAFT_OK;
}

static int step(struct graft_unfreezing *x, struct graft_learner *l,
                const int64_t *index)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i <= TRIES; i++) { /* the first warms up */
        double began = graft_clock();
        status = graft_learner_gradient(l, index, x->batch);
        if (!status)
            status = graft_learner_apply(l);
        double took = graft_clock() - began;
        if (i == 1 || (i > 1 && took < x->step_seconds))
            x->step_seconds = took;
    }
    x->trained_bytes = graft_learner_bytes(l) +
                       l->selection->size * (int64_t)sizeof(real);
    return status;
}

/* On numbers as they come: what they are changes no time. */
static int measure(struct graft_unfreezing *x, struct graft_runtime *rt,
                   const struct graft_tunable *u,
                   const struct graft_tune_options *tune)
{
    const size_t n = (size_t)graft_program_n_max(u->program) *
                     (size_t)u->crossing.floats;
    struct made_up f = {u, graft_alloc_aligned(n * sizeof *f.rows)};
    struct graft_learner_options o = GRAFT_LEARNER;
    struct graft_learner *l = NULL;
    int64_t *index = graft_calloc((size_t)x->batch, sizeof *index);
    int status = f.rows && index ? GRAFT_OK : GRAFT_EMEM;
    struct graft_rng_key key = graft_rng_key(3, 4);
    for (size_t i = 0; !status && i < n; i++)
        f.rows[i] = (float)graft_rng_unit(key, i);
    o.optimizer.name = tune->optimizer;
    o.ema_decay = tune->ema;
    o.schedule.learning_rate = 1e-9;
    o.fill = fill;
    o.fill_ctx = &f;
    if (!status)
        status = graft_learner_new(&l, rt, u->program, u->selection, &o);
    if (!status)
        status = step(x, l, index);
    graft_learner_free(l);
    graft_free(f.rows);
    graft_free(index);
    return status;
}

/* ---- the answer ---------------------------------------------------------- */

static int names(struct graft_unfreezing *x, const struct graft_tunable *u)
{
    x->names = graft_calloc((size_t)u->selection->n, sizeof *x->names);
    x->crossing = graft_calloc((size_t)u->crossing.n + 1,
                               sizeof *x->crossing);
    if (!x->names || !x->crossing)
        return GRAFT_EMEM;
    for (int k = 0; k < u->selection->n; k++) {
        x->names[x->parameters++] = graft_strdup(graft_tunable_name(u, k));
        if (!x->names[k])
            return GRAFT_EMEM;
    }
    for (int k = 0; k < u->crossing.n; k++) {
        x->crossing[x->n_crossing++] = graft_strdup(
            u->model->value.at[u->crossing.value[k]].name);
        if (!x->crossing[k])
            return GRAFT_EMEM;
    }
    return GRAFT_OK;
}

static json_t *list(char *const *text, int n)
{
    json_t *j = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(j, graft_json_text(text[i]));
    return j;
}

static int set_json(struct graft_unfreezing *x)
{
    json_t *j = json_pack(
        "{si si si sI si sI si so so sI si ss ss si sI sI sI sI so}",
        "parameters", x->parameters, "head_parameters", x->head_parameters,
        "scaled", x->scaled, "elements", (json_int_t)x->elements,
        "trainable", x->trainable,
        "trainable_elements", (json_int_t)x->trainable_elements,
        "stages", x->stages, "names", list(x->names, x->parameters),
        "crossing", list(x->crossing, x->n_crossing),
        "crossing_elements", (json_int_t)x->crossing_elements,
        "batch", x->batch, "optimizer", x->optimizer, "bn", x->bn,
        "normalisations", x->normalisations,
        "activation_bytes", (json_int_t)x->activation_bytes,
        "scratch_bytes", (json_int_t)x->scratch_bytes,
        "packed_bytes", (json_int_t)x->packed_bytes,
        "trained_bytes", (json_int_t)x->trained_bytes,
        "step_seconds", graft_json_real(x->step_seconds));
    x->json = graft_json_write(j, 9);
    return x->json ? GRAFT_OK : GRAFT_EMEM;
}

static int describe(struct graft_unfreezing *x, struct graft_runtime *rt,
                    const struct graft_tunable *u,
                    const struct graft_tune_options *tune)
{
    struct graft_memory m;
    graft_program_memory(u->program, &m);
    x->head_parameters = u->head_parameters;
    x->elements = u->elements;
    x->scaled = u->scaled;
    x->trainable = u->trainable;
    x->trainable_elements = u->all;
    x->stages = u->stages;
    x->crossing_elements = u->crossing.floats;
    x->activation_bytes = m.block_bytes;
    x->scratch_bytes = m.scratch_bytes;
    x->packed_bytes = m.pack_bytes + m.param_bytes;
    x->optimizer = graft_optimizer_find(tune->optimizer)->name;
    x->normalisations = u->normalisations;
    int status = names(x, u);
    if (!status)
        status = measure(x, rt, u, tune);
    return status ? status : set_json(x);
}

int graft_tunable_cost(struct graft_unfreezing **out,
                       struct graft_runtime *rt,
                       const struct graft_train_options *o)
{
    struct graft_tunable u = {0};
    if (graft_tune_is_auto(&o->tune))
        return graft_fail(GRAFT_EARG, "'auto' chooses by trying it on the "
                          "photos: graft train --unfreeze auto; inspect "
                          "shows what words such as last-stage, stages:2, "
                          "all select and cost");
    if (o->tune.batch_size < 0 || o->tune.batch_size > 65536)
        return graft_fail(GRAFT_EARG, "a step of %d photos",
                          o->tune.batch_size);
    int status = graft_tune_check(&o->tune);
    if (status)
        return status;
    struct graft_unfreezing *x = graft_calloc(1, sizeof *x);
    if (!x)
        return GRAFT_EMEM;
    const struct graft_tune_options tune = graft_tune_choose(&o->tune);
    enum graft_norms norms = GRAFT_NORMS_FROZEN;
    x->batch = tune.batch_size;
    status = open_tunable(&u, &norms, rt, o, &tune);
    x->bn = graft_norms_name(norms);
    if (!status)
        status = describe(x, rt, &u, &tune);
    graft_tunable_release(&u);
    if (status) {
        graft_unfreezing_free(x);
        return status;
    }
    *out = x;
    return GRAFT_OK;
}

void graft_unfreezing_free(struct graft_unfreezing *x)
{
    if (!x)
        return;
    for (int i = 0; i < x->parameters; i++)
        graft_free(x->names[i]);
    for (int i = 0; i < x->n_crossing; i++)
        graft_free(x->crossing[i]);
    graft_free(x->names);
    graft_free(x->crossing);
    graft_free(x->json);
    graft_free(x);
}
