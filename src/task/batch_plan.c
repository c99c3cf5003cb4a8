/* What fixes a model's batch (batch.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "task/batch.h"

/* Sides of open inputs while trying. */
enum { SIDE = 224, CHANNELS = 3 };

/* ---- inputs -------------------------------------------------------------- */

/* "N" and "batch_size" name a batch; where one stands behind a number, that
 * number is something else. */
static bool names_batch(const char *symbol)
{
    char low[64] = "";
    for (size_t i = 0; symbol && symbol[i] && i + 1 < sizeof low; i++)
        low[i] = (char)(symbol[i] | 0x20);
    return symbol && (!strcmp(low, "n") || strstr(low, "batch"));
}

static int check_feed(struct graft_batch_plan *p, const struct graft_value *v)
{
    if (!v->has_shape || v->rank < 1)
        return graft_fail(GRAFT_ESHAPE, "input '%s' states no batch: %s",
                          v->name, v->has_shape ? "it is one number"
                                                : "its shape is not given");
    if (v->rank > GRAFT_MAX_RANK)
        return graft_fail(GRAFT_ELIMIT, "input '%s' has %d dimensions",
                          v->name, v->rank);
    const struct graft_dim *d = v->dim;
    for (int i = 1; d->value >= 0 && i < v->rank; i++)
        if (d[i].value < 0 && names_batch(d[i].param))
            return graft_fail(GRAFT_EUNSUPPORTED, "input '%s' has '%s' as "
                              "dimension %d and %lld as dimension 0: only a "
                              "batch in front can be changed", v->name,
                              d[i].param, i, (long long)d->value);
    if (d->value == 0 || d->value > INT32_MAX - 2)
        return graft_fail(GRAFT_EUNSUPPORTED, "input '%s' states a batch of "
                          "%lld", v->name, (long long)d->value);
    if (d->value > 0 && p->stated && p->stated != d->value)
        return graft_fail(GRAFT_EUNSUPPORTED, "input '%s' states a batch of "
                          "%lld, another input %d", v->name,
                          (long long)d->value, p->stated);
    if (d->value > 0)
        p->stated = (int)d->value;
    else if (!p->symbol)
        p->symbol = d->param && *d->param ? d->param : NULL;
    return GRAFT_OK;
}

/* Sizes of one image, an assumption where the file leaves a photo's open. */
static void give(struct graft_shape *s, const struct graft_value *v)
{
    s->rank = v->rank;
    s->dim[0] = 1;
    for (int i = 1; i < v->rank; i++)
        s->dim[i] = v->dim[i].value >= 0 ? v->dim[i].value
                    : v->rank != 4       ? -1
                    : i == 1             ? CHANNELS : SIDE;
}

static int look_at_feeds(struct graft_batch_plan *p)
{
    const struct graft_model *m = p->m;
    int status = GRAFT_OK;
    while (graft_model_feed(m, p->n_feeds) >= 0)
        p->n_feeds++;
    p->given = graft_arena_array(&p->arena, (size_t)p->n_feeds + 1,
                                 sizeof *p->given);
    if (!p->given)
        return GRAFT_EMEM;
    if (!p->n_feeds)
        return graft_fail(GRAFT_EUNSUPPORTED, "the model has no input, and "
                          "so no batch");
    for (int k = 0; !status && k < p->n_feeds; k++) {
        const struct graft_value *v = &m->value.at[graft_model_feed(m, k)];
        status = check_feed(p, v);
        if (!status)
            give(&p->given[k], v);
        for (int i = 1; !status && i < v->rank; i++)
            if (p->given[k].dim[i] < 0)
                status = graft_fail(GRAFT_ESHAPE, "input '%s' leaves "
                                    "dimension %d open, so nothing can be "
                                    "tried", v->name, i);
    }
    return status;
}

/* A symbol that stands nowhere yet: "N", "N_1", ... */
static bool symbol_used(const struct graft_model *m, const char *symbol)
{
    for (int i = 0; i < m->value.n; i++)
        for (int d = 0; d < m->value.at[i].rank; d++)
            if (m->value.at[i].dim[d].param &&
                !strcmp(m->value.at[i].dim[d].param, symbol))
                return true;
    return false;
}

static int choose_symbol(struct graft_batch_plan *p)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_str_add(&s, "N");
    for (int i = 1; !p->symbol && !graft_str_ok(&s) &&
                    symbol_used(p->m, s.at); i++) {
        graft_str_clear(&s);
        graft_str_addf(&s, "N_%d", i);
    }
    int status = graft_str_ok(&s);
    if (!status && !p->symbol) {
        p->symbol = graft_arena_strdup(&p->arena, s.at);
        status = p->symbol ? GRAFT_OK : GRAFT_EMEM;
    }
    graft_str_release(&s);
    return status;
}

/* ---- two batches --------------------------------------------------------- */

static int begin_facts(struct graft_batch_plan *p, int which)
{
    struct graft_facts *f = &p->facts[which];
    const struct graft_model *m = p->m;
    int status = graft_facts_init(f, m, &p->arena, p->n[which]);
    for (int v = 0; !status && v < m->value.n; v++)
        f->wanted[v] = m->value.at[v].n_uses > 0 || m->value.at[v].is_output;
    for (int k = 0; !status && k < p->n_feeds; k++) {
        struct graft_shape s = p->given[k];
        status = graft_facts_feed(f, graft_model_feed(m, k), &s);
    }
    for (int v = 0; !status && v < m->value.n; v++)
        if (f->wanted[v] && graft_facts_initializer(f, v) == GRAFT_EMEM)
            status = GRAFT_EMEM; /* what cannot be read names its reader */
    return status;
}

static bool inputs_known(const struct graft_facts *f,
                         const struct graft_node *node)
{
    for (int k = 0; k < node->n_in; k++)
        if (node->in[k] >= 0 && !f->value[node->in[k]].present)
            return false;
    return true;
}

static int infer(struct graft_batch_plan *p, int which,
                 struct graft_fact *fact, const struct graft_node *node)
{
    struct graft_facts *f = &p->facts[which];
    int status = graft_facts_parse(f, fact, node);
    if (!status && !inputs_known(f, node))
        status = graft_fail(GRAFT_EUNSUPPORTED, "%s: one of its inputs is "
                            "nothing that Graft computes",
                            graft_node_text(node));
    return status ? status : graft_facts_infer(f, fact, node);
}

static bool follows(const struct graft_batch_plan *p,
                    const struct graft_vinfo *a, const struct graft_vinfo *b)
{
    struct graft_shape want = a->shape;
    if (b->whole_batch)
        return false;
    if (b->shape_of_batch) /* a number the graph computes from the batch */
        return true;
    if (b->per_image) {
        if (want.rank < 1 || want.dim[0] % p->n[0])
            return false;
        want.dim[0] = want.dim[0] / p->n[0] * p->n[1];
    }
    return graft_shape_equal(&want, &b->shape);
}

int graft_batch_try(struct graft_batch_plan *p, struct graft_fact *fact,
                    int32_t index, bool *grows)
{
    const struct graft_node *node = &p->m->node.at[index];
    int status = infer(p, 1, fact, node);
    *grows = !status;
    for (int k = 0; *grows && k < fact->n_out; k++) {
        graft_value_id v = node->out[k];
        if (v >= 0 && p->facts[0].value[v].present)
            *grows = follows(p, &p->facts[0].value[v],
                             &p->facts[1].value[v]);
    }
    return status;
}

static int refuse(const struct graft_batch_plan *p, int status,
                  const struct graft_node *node)
{
    if (status == GRAFT_EMEM)
        return status;
    if (!status)
        graft_fail(GRAFT_EUNSUPPORTED, "%s: what it computes depends on how "
                   "many images there are, or mixes them",
                   graft_node_text(node));
    if (!p->stated)
        return graft_fail_in(GRAFT_EUNSUPPORTED, "the batch cannot be set");
    return graft_fail_in(GRAFT_EUNSUPPORTED, "the batch is fixed at %d",
                         p->stated);
}

/* Nodes that no output needs stay as they are, unless Graft knows them. */
static int look_at_node(struct graft_batch_plan *p, int32_t index, bool live)
{
    const struct graft_node *node = &p->m->node.at[index];
    struct graft_fact fact;
    bool grows = false;
    int status = infer(p, 0, &fact, node);
    if (status)
        return live || status == GRAFT_EMEM ? refuse(p, status, node)
                                            : GRAFT_OK;
    status = graft_batch_try(p, &fact, index, &grows);
    if (!grows && status != GRAFT_EMEM) {
        char why[GRAFT_MESSAGE_MAX];
        graft_message_save(why);
        int again = graft_batch_follow(p, &fact, index, &grows);
        if (again)
            return again;
        graft_message_restore(why);
    }
    return grows || (!live && status != GRAFT_EMEM)
               ? GRAFT_OK : refuse(p, status, node);
}

static int check_outputs(struct graft_batch_plan *p)
{
    const struct graft_model *m = p->m;
    graft_facts_outputs(&p->facts[1], m->output.at, m->output.n);
    for (int i = 0; i < m->output.n; i++) {
        const struct graft_vinfo *v = &p->facts[1].value[m->output.at[i]];
        if (v->whole_batch)
            return graft_fail(GRAFT_EUNSUPPORTED, "output '%s' depends on "
                              "how many images there are",
                              m->value.at[m->output.at[i]].name);
    }
    return GRAFT_OK;
}

int graft_batch_plan_make(struct graft_batch_plan *p,
                          const struct graft_model *m, int batch)
{
    *p = (struct graft_batch_plan){.m = m};
    int status = look_at_feeds(p);
    if (status || p->stated == batch)
        return status;
    status = choose_symbol(p);
    bool *live = graft_arena_array(&p->arena, (size_t)m->node.n + 1,
                                   sizeof *live);
    if (!status && !live)
        status = GRAFT_EMEM;
    p->n[0] = p->stated ? p->stated : 2;
    p->n[1] = p->n[0] + 2;
    for (int i = 0; !status && i < 2; i++)
        status = begin_facts(p, i);
    if (!status)
        graft_mark_ancestors(m, m->output.at, m->output.n, live);
    for (int at = 0; !status && at < m->node.n; at++) {
        const int i = p->facts[0].order[at];
        if (!m->node.at[i].removed)
            status = look_at_node(p, i, live[i]);
    }
    return status ? status : check_outputs(p);
}

void graft_batch_plan_release(struct graft_batch_plan *p)
{
    graft_array_release(&p->patch);
    graft_arena_release(&p->arena);
}
