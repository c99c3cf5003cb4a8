/* Making a model ready for fine-tuning (tunable.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/tunable.h"

#include <string.h>

#include "base/alloc.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
#include "program/unfreeze.h"
#include "task/batch.h"

/* ---- the model ----------------------------------------------------------- */

/* As a training of the head does it (training_open.c); one that cannot do
 * without its batch keeps it. */
static int widen(struct graft_model *m)
{
    struct graft_undo *undo = NULL;
    int status = graft_model_fixed_batch(m) ? graft_batch_open(&undo, m)
                                            : GRAFT_OK;
    graft_undo_free(undo);
    return status == GRAFT_EMEM || status == GRAFT_ECANCELED ? status
                                                             : GRAFT_OK;
}

static int open_model(struct graft_tunable *u, struct graft_runtime *rt,
                      const struct graft_tunable_options *o)
{
    struct graft_trunk trunk = {0};
    int status = graft_onnx_open(&u->model, rt, o->path);
    if (!status)
        status = graft_trunk_make(&trunk, u->model, rt, o->cut);
    graft_free(trunk.cut);
    if (!status && o->like)
        status = graft_contents_follow(u->model, o->like);
    if (!status)
        status = widen(u->model);
    if (!status)
        status = graft_head_append(u->model, trunk.features, o->head, true);
    if (status)
        return status;
    u->features = trunk.features;
    u->feature_floats = trunk.floats;
    u->logits = u->model->output.at[0];
    const struct graft_node *gemm =
        &u->model->node.at[u->model->value.at[u->logits].node];
    u->weight = gemm->in[1];
    u->bias = gemm->in[2];
    u->dims = (struct graft_input_dims){
        .value = graft_model_feed(u->model, 0),
        .shape = {4, {1, o->preprocess->channels, o->preprocess->height,
                      o->preprocess->width}}};
    return GRAFT_OK;
}

/* ---- the selection ------------------------------------------------------- */

static bool asks_of_norms(const struct graft_tunable_options *o)
{
    return o->norms == GRAFT_NORMS_STATS_FROZEN ||
           o->norms == GRAFT_NORMS_TRAIN;
}

/* What the words say, in its order, and the head's two behind it. */
static int select_parameters(struct graft_tunable *u,
                             struct graft_runtime *rt,
                             const struct graft_compile *c,
                             const struct graft_tunable_options *o)
{
    struct graft_unfrozen x = {0};
    int n = 0, status = graft_unfreeze(&x, rt, c, o->unfreeze, o->freeze);
    if (!status && asks_of_norms(o))
        status = graft_norms_select(&x, &u->normalisations, rt, c, o->freeze);
    graft_value_id *v = graft_calloc((size_t)x.n + 2, sizeof *v);
    bool *scale = graft_calloc((size_t)x.n + 2, sizeof *scale);
    if (!status && (!v || !scale))
        status = GRAFT_EMEM;
    for (int i = 0; !status && i < x.n; i++)
        if (x.value[i] != u->weight && x.value[i] != u->bias) {
            u->scaled += x.scale[i];
            scale[n] = x.scale[i];
            v[n++] = x.value[i];
        }
    if (!status && !n)
        status = graft_fail(GRAFT_ENOTFOUND, "--unfreeze %s%s%s selects no "
                            "parameter of '%s' beside the new head's",
                            o->unfreeze, o->freeze ? " --freeze " : "",
                            o->freeze ? o->freeze : "", u->model->path);
    if (!status) {
        v[n++] = u->weight;
        v[n++] = u->bias;
        u->head_parameters = 2;
        u->trainable = x.trainable;
        u->stages = x.stages;
        u->all = x.all;
        status = graft_store_new(&u->store, u->model, rt);
    }
    if (!status)
        status = graft_selection_scaled(&u->selection, u->store, v, scale,
                                        n);
    for (int i = 0; !status && i < n; i++)
        u->elements += u->selection->at[i].count;
    graft_free(v);
    graft_free(scale);
    graft_unfrozen_release(&x);
    return status;
}

/* ---- the program --------------------------------------------------------- */

static int list_rows(struct graft_tunable *u)
{
    const struct graft_crossing *x = &u->crossing;
    u->rows = graft_calloc((size_t)x->n + 1, sizeof *u->rows);
    if (!u->rows)
        return GRAFT_EMEM;
    memcpy(u->rows, x->value, (size_t)x->n * sizeof *u->rows);
    u->rows[x->n] = u->features;
    u->floats = x->floats + (x->inputs_only ? 0 : u->feature_floats);
    return GRAFT_OK;
}

static int compile(struct graft_tunable *u, struct graft_runtime *rt,
                   const struct graft_tunable_options *o)
{
    const int fixed = graft_model_fixed_batch(u->model);
    struct graft_loss loss = {.kind = GRAFT_LOSS_SOFTMAX_CE,
                              .logits = u->logits, .soft = true,
                              .weighted = true};
    struct graft_compile c = {
        .model = u->model, .n_max = fixed ? fixed : 1,
        .inputs = &u->dims, .n_inputs = 1, .outputs = &u->logits,
        .n_outputs = 1, .loss = &loss, .exact = rt->exact,
        .bn = o->norms == GRAFT_NORMS_TRAIN ? GRAFT_BN_BATCH
                                            : GRAFT_BN_FROZEN};
    if (c.bn && fixed > 1)
        return graft_fail(GRAFT_EUNSUPPORTED, "--bn train: '%s' works on "
                          "exactly %d photos at a time, so statistics would "
                          "be those of padding too", u->model->path, fixed);
    int status = select_parameters(u, rt, &c, o);
    if (status || o->words_only)
        return status;
    if (!fixed)
        status = graft_shard_images(&c.n_max, rt, u->model, u->selection);
    if (status)
        return status;
    c.store = u->store;
    c.train = u->selection;
    status = graft_crossing_find(&u->crossing, rt, &c);
    if (status)
        return status;
    c.feeds = u->crossing.value;
    c.n_feeds = u->crossing.n;
    status = graft_program_new(&u->program, rt, &c);
    return status ? status : list_rows(u);
}

int graft_tunable_open(struct graft_tunable *out, struct graft_runtime *rt,
                       const struct graft_tunable_options *o)
{
    struct graft_tunable u = {0};
    int status = open_model(&u, rt, o);
    if (!status)
        status = compile(&u, rt, o);
    if (status) {
        graft_tunable_release(&u);
        return status;
    }
    *out = u;
    return GRAFT_OK;
}

void graft_tunable_release(struct graft_tunable *u)
{
    graft_free(u->rows);
    graft_program_free(u->program);
    graft_crossing_release(&u->crossing);
    graft_selection_free(u->selection);
    graft_store_free(u->store);
    graft_graph_free(u->model);
    *u = (struct graft_tunable){0};
}

/* ---- using it ------------------------------------------------------------ */

void graft_tunable_extract(const struct graft_tunable *u,
                           struct graft_extract *x)
{
    x->model = u->model;
    x->values = u->rows;
    x->n_values = u->crossing.n + 1;
    x->floats = u->floats;
    x->raw = u->crossing.inputs_only;
}

int64_t graft_tunable_bytes(const struct graft_tunable *u)
{
    struct graft_memory m;
    graft_program_memory(u->program, &m);
    return m.block_bytes + m.scratch_bytes + m.pack_bytes + m.param_bytes;
}

const char *graft_tunable_name(const struct graft_tunable *u, int k)
{
    return u->model->value.at[u->selection->at[k].value].name;
}

void graft_tunable_put(const struct graft_tunable *u, const float *rows,
                       int64_t stride, int n)
{
    const struct graft_crossing *x = &u->crossing;
    for (int k = 0; k < graft_program_n_inputs(u->program); k++) {
        int64_t offset = 0;
        int at = 0;
        while (at < x->n &&
               x->value[at] != graft_program_input_id(u->program, k))
            offset += x->count[at++];
        if (at == x->n)
            continue;
        for (int i = 0; i < n; i++)
            graft_program_put_at(u->program, k, rows + i * stride + offset, i,
                                 1);
    }
}
