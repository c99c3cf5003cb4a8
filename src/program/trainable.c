/* Parameters that a gradient reaches (trainable.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/trainable.h"

#include "program/compiler.h"

static bool has_gradient(const struct graft_op *op, int input)
{
    return op && op->backward && op->grad_in >> (input < 31 ? input : 31) & 1;
}

/* Goes back from the outputs; reached[v]: v's gradient can be had. */
static void go_back(const struct graft_compiler *c,
                    const struct graft_fact *fact, const bool *live,
                    bool *reached)
{
    for (int i = 0; i < c->n_outputs; i++)
        reached[c->output[i]] = true;
    for (int at = c->model->node.n - 1; at >= 0; at--) {
        const int i = c->facts.order[at];
        const struct graft_node *node = &c->model->node.at[i];
        bool any = false;
        for (int k = 0; k < node->n_out; k++)
            any |= node->out[k] >= 0 && reached[node->out[k]];
        if (!any || !live[i] || node->removed)
            continue;
        /* a view has no row of its own in a program (pass 1) */
        bool view = fact[i].op && fact[i].op->flags & GRAFT_OP_VIEW;
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] >= 0 &&
                (view ? k == 0 : has_gradient(fact[i].op, k)))
                reached[node->in[k]] = true;
    }
}

static bool is_candidate(const struct graft_model *m, graft_value_id v)
{
    const struct graft_tensor *t = graft_parameter(m, v);
    return t && !t->refusal && !t->removed && graft_dtype_is_float(t->dtype) &&
           graft_shape_count(&t->shape) > 1;
}

static int collect(struct graft_trainables *out,
                   const struct graft_compiler *c, bool *reached)
{
    const struct graft_model *m = c->model;
    out->value = graft_calloc((size_t)m->value.n + 1, sizeof *out->value);
    if (!out->value)
        return GRAFT_EMEM;
    for (int at = 0; at < m->node.n; at++) {
        const struct graft_node *node = &m->node.at[c->facts.order[at]];
        for (int k = 0; !node->removed && k < node->n_in; k++) {
            graft_value_id v = node->in[k];
            if (v < 0 || !reached[v] || !is_candidate(m, v))
                continue;
            out->value[out->n++] = v;
            reached[v] = false; /* once each */
        }
    }
    return GRAFT_OK;
}

int graft_trainables_find(struct graft_trainables *out,
                          struct graft_runtime *rt,
                          const struct graft_compile *o)
{
    struct graft_trainables x = {0};
    struct graft_compile alone = *o;
    struct graft_fact *fact = NULL;
    bool *live = NULL;
    alone.n_want_grad = 0;
    alone.train = NULL;
    struct graft_compiler c = {.rt = rt, .options = &alone,
                               .model = o->model, .n_max = o->n_max};
    int status = graft_infer_needed(&c, &fact, &live);
    bool *reached = NULL;
    if (!status) {
        reached = graft_arena_array(&c.arena, (size_t)c.model->value.n + 1,
                                    sizeof *reached);
        status = reached ? GRAFT_OK : GRAFT_EMEM;
    }
    if (!status) {
        go_back(&c, fact, live, reached);
        status = collect(&x, &c, reached);
    }
    graft_arena_release(&c.arena);
    if (status) {
        graft_trainables_release(&x);
        return status;
    }
    *out = x;
    return GRAFT_OK;
}

void graft_trainables_release(struct graft_trainables *x)
{
    graft_free(x->value);
    *x = (struct graft_trainables){0};
}
