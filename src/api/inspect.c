/* Inspection: what a model is, told as plain data.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/inspect.h"

#include <string.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "base/str.h"
#include "program/program.h"
#include "program/survey.h"

enum { DEFAULT_BATCH = 16 };

static const char *keep(struct graft_inspected *t, const char *text)
{
    return text ? graft_arena_strdup(&t->arena, text) : NULL;
}

/* ---- inputs and outputs -------------------------------------------------- */

static int fill_io(struct graft_inspected *t, struct graft_io *io,
                   const struct graft_value *v)
{
    io->name = keep(t, v->name);
    io->dtype = v->dtype ? graft_dtype_name(v->dtype) : "type not stated";
    io->rank = v->has_shape ? v->rank : -1;
    if (io->rank > 8)
        io->rank = -1;
    for (int i = 0; i < io->rank; i++) {
        io->dim[i] = v->dim[i].value;
        io->symbol[i] = keep(t, v->dim[i].param);
        if (v->dim[i].param && !io->symbol[i])
            return GRAFT_EMEM;
    }
    return io->name ? GRAFT_OK : GRAFT_EMEM;
}

static int ends(struct graft_inspected *t, const struct graft_model *m)
{
    struct graft_inspection *x = &t->x;
    int fed = 0, status = GRAFT_OK;
    graft_value_id v;
    struct graft_io *in = graft_arena_array(
        &t->arena, (size_t)m->input.n + 1, sizeof *in);
    struct graft_io *out = graft_arena_array(
        &t->arena, (size_t)m->output.n + 1, sizeof *out);
    if (!in || !out)
        return GRAFT_EMEM;
    for (int at = 0; !status && (v = graft_feed_next(m, &at)) >= 0;)
        status = fill_io(t, &in[fed++], &m->value.at[v]);
    for (int i = 0; i < m->output.n && !status; i++)
        status = fill_io(t, &out[i], &m->value.at[m->output.at[i]]);
    x->inputs = in;
    x->n_inputs = fed;
    x->outputs = out;
    x->n_outputs = m->output.n;
    return status;
}

/* ---- operators and parameters -------------------------------------------- */

/* The row of a node's operator, a new one for its first node; NULL: EMEM. */
static struct graft_op_use *use_of(struct graft_inspected *t,
                                   struct graft_map *rows,
                                   struct graft_op_use *uses,
                                   const struct graft_node *node)
{
    struct graft_str key;
    graft_str_init(&key);
    graft_str_addf(&key, "%s\n%s", node->domain, node->op_type);
    int at = graft_map_get(rows, key.at);
    const char *kept = at < 0 ? keep(t, key.at) : NULL;
    int status = graft_str_ok(&key);
    graft_str_release(&key);
    if (status || at >= 0)
        return status ? NULL : &uses[at];
    struct graft_op_use *u = &uses[t->x.n_ops];
    u->op_type = keep(t, node->op_type);
    u->domain = keep(t, node->domain);
    if (!kept || !u->op_type || !u->domain ||
        graft_map_put(rows, kept, t->x.n_ops))
        return NULL;
    t->x.n_ops++;
    return u;
}

static int count_operators(struct graft_inspected *t, struct graft_map *rows,
                           const struct graft_model *m,
                           const struct graft_survey *s)
{
    struct graft_op_use *uses = graft_arena_array(
        &t->arena, (size_t)m->node.n + 1, sizeof *uses);
    if (!uses)
        return GRAFT_EMEM;
    for (int i = 0; i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        if (node->removed)
            continue;
        struct graft_op_use *u = use_of(t, rows, uses, node);
        if (!u)
            return GRAFT_EMEM;
        u->nodes++;
        u->runs += !s->why_not[i];
        if (s->why_not[i] && !u->why_not)
            u->why_not = keep(t, s->why_not[i]);
        t->x.nodes++;
    }
    t->x.ops = uses;
    t->x.unsupported_nodes = s->unsupported;
    return GRAFT_OK;
}

static int operators(struct graft_inspected *t, const struct graft_model *m,
                     const struct graft_survey *s)
{
    struct graft_map rows = {0};
    int status = count_operators(t, &rows, m, s);
    graft_map_release(&rows);
    return status;
}

static void parameters(struct graft_inspection *x,
                       const struct graft_model *m)
{
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *w = &m->tensor.at[i];
        if (w->removed || w->value < 0 || w->refusal ||
            !graft_dtype_is_float(w->dtype))
            continue;
        x->parameters += graft_shape_count(&w->shape);
        x->parameter_bytes += (int64_t)w->bytes;
    }
}

/* ---- head and cuts ------------------------------------------------------- */

static int head(struct graft_inspected *t, const struct graft_model *m,
                const struct graft_survey *s)
{
    struct graft_inspection *x = &t->x;
    if (s->head_input >= 0) {
        x->head_input = keep(t, m->value.at[s->head_input].name);
        if (!x->head_input)
            return GRAFT_EMEM;
    }
    x->head_features = s->head_features;
    x->head_classes = s->head_classes;
    if (s->head_node < 0)
        return GRAFT_OK;
    const struct graft_node *node = &m->node.at[s->head_node];
    bool named = *node->name || node->n_out < 1;
    x->head_node = keep(t, named ? node->name
                                 : m->value.at[node->out[0]].name);
    x->head_op = keep(t, node->op_type);
    return x->head_node && x->head_op ? GRAFT_OK : GRAFT_EMEM;
}

static int cuts(struct graft_inspected *t, const struct graft_model *m,
                const struct graft_survey *s)
{
    struct graft_cut_info *cut = graft_arena_array(
        &t->arena, (size_t)s->n_cuts + 1, sizeof *cut);
    if (!cut)
        return GRAFT_EMEM;
    for (int i = 0; i < s->n_cuts; i++) {
        const struct graft_cut *from = &s->cut[i];
        const struct graft_vinfo *v = &s->value[from->value];
        cut[i].value = keep(t, m->value.at[from->value].name);
        if (!cut[i].value)
            return GRAFT_EMEM;
        cut[i].rank = v->present ? v->shape.rank : 0;
        memcpy(cut[i].dim, v->shape.dim, sizeof cut[i].dim);
        if (cut[i].rank && v->per_image)
            cut[i].dim[0] = v->per_image;
        cut[i].features = from->pooled;
        cut[i].macs = from->macs_before;
        cut[i].parameters_behind = from->params_behind;
    }
    t->x.cuts = cut;
    t->x.n_cuts = s->n_cuts;
    return GRAFT_OK;
}

/* ---- plan ---------------------------------------------------------------- */

static int describe(struct graft_inspected *t, struct graft_program *p)
{
    struct graft_memory memory = {0};
    struct graft_str text;
    graft_program_memory(p, &memory);
    t->x.has_plan = true;
    t->x.plan_batch = graft_program_n_max(p);
    t->x.activation_bytes = memory.block_bytes;
    t->x.live_bytes = memory.live_bytes;
    t->x.scratch_bytes = memory.scratch_bytes;
    t->x.packed_bytes = memory.pack_bytes + memory.param_bytes;
    graft_str_init(&text);
    int status = graft_program_describe(p, &text);
    if (!status)
        status = graft_str_ok(&text);
    if (!status) {
        t->x.plan_text = keep(t, text.at);
        status = t->x.plan_text ? GRAFT_OK : GRAFT_EMEM;
    }
    graft_str_release(&text);
    return status;
}

/* A model that does not compile is no failure of inspection, but running out
 * of memory is. */
static int plan(struct graft_inspected *t, const struct graft_model *m,
                int batch)
{
    struct graft_program *p = NULL;
    t->x.fixed_batch = graft_model_fixed_batch(m);
    int n_max = batch > 0 ? batch : DEFAULT_BATCH;
    struct graft_compile c = {
        .model = m, .n_max = t->x.fixed_batch ? t->x.fixed_batch : n_max,
        .plan_only = true};
    int status = graft_program_new(&p, m->rt, &c);
    if (status == GRAFT_EMEM || status == GRAFT_ECANCELED)
        return status;
    if (status) {
        t->x.why_no_plan = keep(t, graft_error_message());
        return t->x.why_no_plan ? GRAFT_OK : GRAFT_EMEM;
    }
    status = describe(t, p);
    graft_program_free(p);
    return status;
}

/* ---- all ----------------------------------------------------------------- */

static int format(struct graft_inspected *t, const struct graft_model *m)
{
    struct graft_str producer;
    graft_str_init(&producer);
    graft_str_add(&producer, m->producer_name ? m->producer_name : "");
    if (m->producer_version && *m->producer_version)
        graft_str_addf(&producer, " %s", m->producer_version);
    int status = graft_str_ok(&producer);
    t->x.ir_version = m->ir_version;
    t->x.opset = graft_opset_of(m, "");
    t->x.producer = keep(t, producer.at);
    t->x.graph = keep(t, m->graph_name ? m->graph_name : "");
    graft_str_release(&producer);
    return status || !t->x.producer || !t->x.graph ? GRAFT_EMEM : GRAFT_OK;
}

static int fill(struct graft_inspected *t, const struct graft_model *m,
                const struct graft_survey *s, int batch)
{
    int status = format(t, m);
    if (!status)
        status = ends(t, m);
    if (!status)
        status = operators(t, m, s);
    if (!status)
        status = head(t, m, s);
    if (!status)
        status = cuts(t, m, s);
    if (!status)
        status = graft_inspect_card(t, m);
    if (!status)
        status = plan(t, m, batch);
    parameters(&t->x, m);
    t->x.macs = s->total_macs;
    return status ? status : graft_inspect_json(t);
}

int graft_inspect(struct graft_inspection **out, const graft_model *m,
                  int batch)
{
    struct graft_survey *survey = NULL;
    struct graft_inspected *t = graft_calloc(1, sizeof *t);
    if (!t)
        return GRAFT_EMEM;
    int status = graft_survey_new(&survey, m, m->rt);
    if (!status)
        status = fill(t, m, survey, batch);
    graft_survey_free(survey);
    if (status) {
        graft_inspection_free(&t->x);
        return status;
    }
    *out = &t->x;
    return GRAFT_OK;
}

void graft_inspection_free(struct graft_inspection *x)
{
    if (!x)
        return;
    struct graft_inspected *t = (struct graft_inspected *)x;
    graft_arena_release(&t->arena);
    graft_free(t);
}
