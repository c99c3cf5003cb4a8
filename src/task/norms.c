/* BatchNormalization in fine-tuning (norms.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/norms.h"

#include <string.h>

#include "base/alloc.h"
#include "ops/batchnorm.h"
#include "train/masters.h"

static const char *const words[] = {"frozen", "stats-frozen", "train",
                                    "adapt"};

int graft_norms_of(enum graft_norms *out, const char *word)
{
    *out = GRAFT_NORMS_FROZEN;
    if (!word)
        return GRAFT_OK;
    for (int i = 0; i < (int)(sizeof words / sizeof *words); i++)
        if (!strcmp(words[i], word)) {
            *out = (enum graft_norms)i;
            return GRAFT_OK;
        }
    return graft_fail(GRAFT_EARG, "bn '%s' is not known; there are frozen, "
                      "stats-frozen, train, adapt", word);
}

const char *graft_norms_name(enum graft_norms norms)
{
    return words[norms];
}

bool graft_is_norm(const struct graft_node *node)
{
    return !node->removed && !strcmp(node->op_type, "BatchNormalization") &&
           !node->domain[0] && node->n_in > GRAFT_BN_VAR && node->n_out > 0;
}

int graft_norms_count(const struct graft_model *m)
{
    int n = 0;
    for (int i = 0; i < m->node.n; i++)
        n += graft_is_norm(&m->node.at[i]);
    return n;
}

int graft_norms_none(const char *path)
{
    return graft_fail(GRAFT_EARG, "--bn adapt: '%s' has no "
                      "BatchNormalization up to its features: its exporter "
                      "folded it into the convolutions, so nothing is left "
                      "to do; leave --bn out", path);
}

/* ---- selecting ----------------------------------------------------------- */

struct marks {
    bool *chosen, *scaled; /* x, and that of it only factors are trained */
    bool *affine, *below, *frozen;
};

static void mark_list(bool *mark, const struct graft_unfrozen *x)
{
    for (int i = 0; i < x->n; i++)
        mark[x->value[i]] = true;
}

/* Marks scale and bias of normalisations below x; their number. */
static int mark_affine(bool *affine, bool *below, const struct graft_model *m)
{
    int n = 0;
    for (int i = 0; i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        bool any = false;
        for (int k = 0; !node->removed && k < node->n_in; k++)
            any |= node->in[k] >= 0 && below[node->in[k]];
        for (int k = 0; any && k < node->n_out; k++)
            if (node->out[k] >= 0)
                below[node->out[k]] = true;
        if (!any || !graft_is_norm(node))
            continue;
        n++;
        for (int k = GRAFT_BN_SCALE; k <= GRAFT_BN_BIAS; k++)
            if (node->in[k] >= 0)
                affine[node->in[k]] = true;
    }
    return n;
}

static int none_reached(const struct graft_model *m)
{
    int all = graft_norms_count(m);
    return all ? graft_fail(GRAFT_EARG, "--bn: none of the %d "
                            "BatchNormalizations of '%s' lies in what is "
                            "trained", all, m->path)
               : graft_fail(GRAFT_EARG, "--bn: '%s' has no "
                            "BatchNormalization: its exporter folded it into "
                            "the convolutions, so nothing is left to do; "
                            "leave --bn out", m->path);
}

/* Those of `all` that stay or are added, in its order and place. */
static void merge(struct graft_unfrozen *x, struct graft_unfrozen *all,
                  const struct marks *m)
{
    int n = 0;
    for (int i = 0; i < all->n; i++) {
        graft_value_id v = all->value[i];
        if (!m->chosen[v] && (!m->affine[v] || m->frozen[v]))
            continue;
        all->value[n] = v;
        all->scale[n++] = m->scaled[v];
    }
    graft_free(x->value);
    graft_free(x->scale);
    x->value = all->value;
    x->scale = all->scale;
    x->n = n;
    all->value = NULL;
    all->scale = NULL;
}

int graft_norms_select(struct graft_unfrozen *x, int *n,
                       struct graft_runtime *rt,
                       const struct graft_compile *c, const char *freeze)
{
    const size_t values = (size_t)c->model->value.n + 1;
    struct graft_unfrozen all = {0}, held = {0};
    bool *mark = graft_calloc(5 * values, sizeof *mark);
    int status = mark ? graft_unfreeze(&all, rt, c, "all", NULL) : GRAFT_EMEM;
    if (!status && freeze)
        status = graft_unfreeze(&held, rt, c, freeze, NULL);
    if (!status) {
        const struct marks m = {mark, mark + values, mark + 2 * values,
                                mark + 3 * values, mark + 4 * values};
        mark_list(m.chosen, x);
        mark_list(m.below, x);
        mark_list(m.frozen, &held);
        for (int i = 0; i < x->n; i++)
            m.scaled[x->value[i]] = x->scale[i];
        *n = mark_affine(m.affine, m.below, c->model);
        merge(x, &all, &m);
        status = *n ? GRAFT_OK : none_reached(c->model);
    }
    graft_free(mark);
    graft_unfrozen_release(&all);
    graft_unfrozen_release(&held);
    return status;
}

/* ---- running statistics, written back ------------------------------------ */

/* What is done to the contents of one statistic. */
typedef int visit_fn(void *ctx, const struct graft_model *own, int32_t tensor,
                     real *data);

static int each_statistic(const struct graft_program *p,
                          const struct graft_model *own, visit_fn *visit,
                          void *ctx)
{
    int64_t size;
    real *running = graft_program_running(p, &size);
    int status = GRAFT_OK;
    for (int i = 0; !status && i < graft_program_n_statistics(p); i++) {
        const struct graft_statistics s = graft_program_statistics(p, i);
        real *at = running + s.offset;
        status = visit(ctx, own, own->value.at[s.mean].tensor, at);
        if (!status)
            status = visit(ctx, own, own->value.at[s.var].tensor,
                           at + s.channels);
    }
    return status;
}

static int store_one(void *ctx, const struct graft_model *own, int32_t tensor,
                     real *data)
{
    struct graft_model *into = ctx;
    const struct graft_tensor *t = &own->tensor.at[tensor];
    const char *name = own->value.at[t->value].name;
    graft_value_id v = graft_value_find(into, name);
    if (v < 0 || !graft_parameter(into, v))
        return graft_fail(GRAFT_ENOTFOUND, "'%s' has no statistics '%s' any "
                          "more", into->path, name);
    return graft_master_store(into, v, &t->shape, data);
}

int graft_norms_store(struct graft_model *into,
                      const struct graft_program *p,
                      const struct graft_model *own)
{
    return each_statistic(p, own, store_one, into);
}

static int round_one(void *ctx, const struct graft_model *own, int32_t tensor,
                     real *data)
{
    (void)ctx;
    return graft_master_round(&own->tensor.at[tensor], data);
}

int graft_norms_round(struct graft_program *p, const struct graft_model *own)
{
    return each_statistic(p, own, round_one, NULL);
}
