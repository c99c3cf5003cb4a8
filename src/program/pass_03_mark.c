/* Pass 3: what needs a gradient. A value is marked when an output whose
 * gradient is seeded depends on it, and it depends on a selected parameter
 * or on a value whose gradient is wanted. Steps between marked values are
 * undone by backward. Refuses what has no gradient.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

static bool is_float(const struct graft_wvalue *v)
{
    return graft_dtype_is_float((int)v->info.dtype);
}

/* below[v]: v depends on something whose gradient is asked for. */
static void find_descendants(const struct graft_compiler *c, bool *below)
{
    for (int v = 0; v < c->value.n; v++)
        below[v] = c->value.at[v].selected >= 0 || c->value.at[v].wanted;
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        bool any = false;
        for (int k = 0; k < s->n_in; k++)
            any |= s->in[k] >= 0 && below[s->in[k]];
        for (int k = 0; any && k < s->n_out; k++)
            if (s->out[k] >= 0 && is_float(&c->value.at[s->out[k]]))
                below[s->out[k]] = true;
    }
}

static int seed_outputs(struct graft_compiler *c, const bool *below,
                        bool *above)
{
    const struct graft_loss *loss = c->options->loss;
    int logits = loss && loss->kind ? loss->logits : -1, found = 0;
    for (int i = 0; i < c->n_outputs; i++) {
        int v = c->output[i];
        if ((logits >= 0 && v != logits) || !below[v])
            continue;
        above[v] = true;
        c->value.at[v].seeded = logits < 0;
        found++;
    }
    if (!found)
        return graft_fail(GRAFT_EARG, "no output%s depends on what is to be "
                          "trained", logits >= 0 ? " with the loss" : "");
    return GRAFT_OK;
}

static int check_backward(const struct graft_compiler *c,
                          const struct graft_step *s)
{
    if (!s->op->backward)
        return graft_fail(GRAFT_EUNSUPPORTED, "%s cannot be trained through: "
                          "it has no gradient", graft_step_text(s));
    for (int k = 0; k < s->n_in; k++)
        if (s->in[k] >= 0 && c->value.at[s->in[k]].info.marked &&
            !(s->op->grad_in >> (k < 31 ? k : 31) & 1))
            return graft_fail(GRAFT_EUNSUPPORTED, "%s has no gradient for "
                              "its input '%s'", graft_step_text(s),
                              c->value.at[s->in[k]].name);
    return GRAFT_OK;
}

/* A row may write its inputs' gradients in any order, so two of them must not
 * share a buffer: the second use of a marked value reads a copy. */
static int separate_uses(struct graft_compiler *c, struct graft_step *s)
{
    for (int k = 1; k < s->n_in; k++)
        for (int j = 0; j < k; j++) {
            if (s->in[k] < 0 || s->in[j] != s->in[k] ||
                !c->value.at[s->in[k]].info.marked)
                continue;
            struct graft_step *copy = graft_compiler_step(c, &graft_row_copy,
                                                          1, 1);
            if (!copy)
                return GRAFT_EMEM;
            int v = graft_compiler_value(c, c->value.at[s->in[k]].name,
                                         &c->value.at[s->in[k]].info);
            if (v < 0)
                return v;
            copy->in[0] = s->in[k];
            copy->out[0] = s->in[k] = v;
            copy->marked = true;
            int status = graft_compiler_insert(c, copy,
                                               graft_step_index(c, s));
            if (status)
                return status;
        }
    return GRAFT_OK;
}

static int mark_steps(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        bool in = false, out = false;
        for (int k = 0; k < s->n_in; k++)
            in |= s->in[k] >= 0 && c->value.at[s->in[k]].info.marked;
        for (int k = 0; k < s->n_out; k++)
            out |= s->out[k] >= 0 && c->value.at[s->out[k]].info.marked;
        s->marked = in && out;
        if (!s->marked)
            continue;
        int status = check_backward(c, s);
        if (!status)
            status = separate_uses(c, s);
        if (status)
            return status;
        i = graft_step_index(c, s);
    }
    graft_compiler_link(c);
    return GRAFT_OK;
}

static int check_wanted(const struct graft_compiler *c)
{
    for (int i = 0; i < c->n_wanted; i++) {
        const struct graft_wvalue *v = &c->value.at[c->wanted[i]];
        if (!v->info.marked)
            return graft_fail(GRAFT_EARG, "no output's gradient reaches '%s'",
                              v->name);
    }
    return GRAFT_OK;
}

/* The loss is one more step, whose result nobody else reads. */
static int add_loss(struct graft_compiler *c)
{
    int logits = c->options->loss->logits;
    const struct graft_vinfo *info = &c->value.at[logits].info;
    struct graft_loss_state *state = NULL;
    const struct graft_op *row = NULL;
    int status = graft_loss_prepare(&state, &row, c);
    struct graft_step *s = status ? NULL : graft_compiler_step(c, row, 1, 1);
    if (!s)
        return status ? status : GRAFT_EMEM;
    struct graft_vinfo one = {.present = true, .dtype = GRAFT_REAL,
                              .marked = info->marked};
    int v = graft_compiler_value(c, "loss", &one);
    if (v < 0)
        return v;
    s->in[0] = logits;
    s->out[0] = v;
    s->args = state;
    s->marked = one.marked;
    c->loss = s;
    c->loss_state = state;
    return graft_compiler_insert(c, s, c->step.n);
}

static int check_loss(const struct graft_compiler *c)
{
    const struct graft_loss *loss = c->options->loss;
    for (int i = 0; i < c->n_outputs; i++)
        if (c->output[i] == loss->logits)
            return GRAFT_OK;
    return graft_fail(GRAFT_EARG, "the loss is not on an output");
}

int graft_pass_mark(struct graft_compiler *c)
{
    const struct graft_loss *loss = c->options->loss;
    bool has_loss = loss && loss->kind;
    int status = has_loss ? check_loss(c) : GRAFT_OK;
    c->training = (c->options->train && c->options->train->n) || c->n_wanted;
    if (!status && c->training) {
        size_t n = (size_t)c->value.n;
        bool *below = graft_arena_array(&c->arena, n, sizeof *below);
        bool *above = graft_arena_array(&c->arena, n, sizeof *above);
        if (!below || !above)
            return GRAFT_EMEM;
        find_descendants(c, below);
        status = seed_outputs(c, below, above);
        for (int i = c->step.n - 1; !status && i >= 0; i--) {
            const struct graft_step *s = c->step.at[i];
            bool any = false;
            for (int k = 0; k < s->n_out; k++)
                any |= s->out[k] >= 0 && above[s->out[k]] && below[s->out[k]];
            for (int k = 0; any && k < s->n_in; k++)
                if (s->in[k] >= 0)
                    above[s->in[k]] = true;
        }
        for (int v = 0; v < (int)n; v++)
            c->value.at[v].info.marked = above[v] && below[v];
        if (!status)
            status = mark_steps(c);
        if (!status)
            status = check_wanted(c);
    }
    if (!status && has_loss)
        status = add_loss(c);
    if (!status)
        graft_compiler_link(c);
    return status;
}
