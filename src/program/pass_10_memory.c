/* Pass 10: how long everything lives, over forward and backward steps, and
 * where in one block it lies. Backward reads only what rows say they save.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

static bool bit(uint32_t mask, int i)
{
    return mask >> (i < 31 ? i : 31) & 1;
}

static bool is_nothing(const struct graft_compiler *c,
                       const struct graft_step *s)
{
    return s->view && c->value.at[s->out[0]].alias >= 0;
}

static void use(struct graft_compiler *c, int v, int time)
{
    int b = v < 0 ? -1 : c->value.at[graft_root(c, v)].buffer;
    if (b >= 0)
        graft_buffer_use(&c->buffer.at[b], time);
}

/* Buffers of feeds and of what steps compute. */
static int make_buffers(struct graft_compiler *c)
{
    for (int i = 0; i < c->value.n; i++) {
        struct graft_wvalue *v = &c->value.at[i];
        bool own = (v->feed && v->info.present) ||
                   (v->producer && v->alias < 0 && v->selected < 0);
        if (!own || graft_root(c, i) != i)
            continue;
        int time = v->feed || v->producer->param ? 0 : v->producer->time;
        int64_t bytes = graft_value_bytes(v);
        v->buffer = graft_compiler_buffer(
            c, v->name, v->local ? bytes / c->n_max : bytes, time, time);
        if (v->buffer < 0)
            return v->buffer;
        c->buffer.at[v->buffer].local = v->local;
    }
    return GRAFT_OK;
}

/* Workers are at different steps of a deep segment: what they share lives
 * from its first to its last. */
static void use_in(struct graft_compiler *c, int v, int at)
{
    const struct graft_segment *g = graft_segment_of(c, at);
    const struct graft_wvalue *x = v < 0 ? NULL
                                         : &c->value.at[graft_root(c, v)];
    use(c, v, c->step.at[at]->time);
    if (!x || !g->deep || x->local)
        return;
    use(c, v, c->step.at[g->first]->time);
    use(c, v, c->step.at[g->first + g->n - 1]->time);
}

/* Inputs whose gradients the row's own backward will be asked for; 0: at most
 * its epilogue is undone. */
static uint32_t asked(const struct graft_compiler *c,
                      const struct graft_step *s)
{
    uint32_t mask = 0;
    for (int k = 0; s->marked && k < s->n_in; k++)
        if (s->in[k] >= 0 && c->value.at[s->in[k]].info.marked)
            mask |= (uint32_t)1 << (k < 31 ? k : 31);
    return mask;
}

/* The caller sees feeds and outputs at any time; values of section 1 stay
 * from one run to the next. */
static void use_outside(struct graft_compiler *c)
{
    for (int v = 0; v < c->value.n; v++) {
        const struct graft_wvalue *x = &c->value.at[v];
        if (graft_visible(x) || (x->producer && x->producer->param))
            use(c, v, c->end - 1);
    }
}

static void use_steps(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        if (is_nothing(c, s))
            continue;
        bool undo = s->marked && s->fuse.act.kind != GRAFT_ACT_NONE;
        uint32_t back = asked(c, s);
        s->saves_in = back ? graft_op_saves(s->op, back) : 0;
        for (int k = 0; k < s->n_in; k++) {
            use_in(c, s->in[k], i);
            if (bit(s->saves_in, k))
                use(c, s->in[k], s->back);
        }
        use_in(c, s->fuse.residual, i);
        for (int k = 0; k < s->n_out; k++) {
            use_in(c, s->out[k], i);
            if ((back && bit(s->op->saves_out, k)) || (undo && k == 0))
                use(c, s->out[k], s->back);
        }
    }
}

/* What s's output might lie over: input 0, or the residual, which rows over
 * C16 read where they then store; -1: nothing. */
static int beneath(const struct graft_compiler *c, const struct graft_step *s)
{
    if (s->param || s->out[0] < 0)
        return -1;
    if (s->op->flags & GRAFT_OP_INPLACE)
        return s->n_in > 0 ? s->in[0] : -1;
    bool blocked = c->value.at[s->out[0]].info.fmt.layout == GRAFT_C16;
    return blocked ? s->fuse.residual : -1;
}

/* Does s read `buffer` through anything but value `v`? */
static bool reads_besides(const struct graft_compiler *c,
                          const struct graft_step *s, int buffer, int v)
{
    for (int k = 0; k < s->n_in; k++)
        if (s->in[k] >= 0 && (k > 0 || s->in[k] != v) &&
            c->value.at[graft_root(c, s->in[k])].buffer == buffer)
            return true;
    return s->fuse.residual >= 0 && s->fuse.residual != v &&
           c->value.at[graft_root(c, s->fuse.residual)].buffer == buffer;
}

/* Could s's output lie where v does? */
static bool in_place(const struct graft_compiler *c,
                     const struct graft_step *s, int v)
{
    if (v < 0 || c->value.at[v].info.fmt.batch_stride ||
        c->value.at[s->out[0]].info.fmt.batch_stride)
        return false; /* a part */
    const struct graft_wvalue *x = &c->value.at[graft_root(c, v)];
    const struct graft_wvalue *y =
        &c->value.at[graft_root(c, s->out[0])];
    if (x->buffer < 0 || y->buffer < 0 || x->buffer == y->buffer ||
        x->feed || x->local != y->local ||
        x->info.per_image != y->info.per_image ||
        c->value.at[v].info.fmt.layout !=
            c->value.at[s->out[0]].info.fmt.layout ||
        c->buffer.at[x->buffer].bytes != c->buffer.at[y->buffer].bytes ||
        c->buffer.at[x->buffer].last != s->time ||
        c->buffer.at[y->buffer].first != s->time)
        return false;
    return !reads_besides(c, s, x->buffer, v);
}

/* Time goes forward, so a chain of steps ends in one buffer. */
static void share_in_place(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        int from = is_nothing(c, s) ? -1 : beneath(c, s);
        if (!in_place(c, s, from))
            continue;
        int keep = c->value.at[graft_root(c, from)].buffer;
        int gone = c->value.at[graft_root(c, s->out[0])].buffer;
        graft_buffer_use(&c->buffer.at[keep], c->buffer.at[gone].last);
        for (int v = 0; v < c->value.n; v++)
            if (c->value.at[v].buffer == gone)
                c->value.at[v].buffer = keep;
        c->buffer.at[gone].bytes = 0;
    }
}

static int keep_saved(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        if (!s->marked || !s->plan.saved)
            continue;
        s->saved = graft_compiler_buffer(c, s->name, (int64_t)s->plan.saved,
                                         s->param ? 0 : s->time,
                                         s->param ? c->end - 1 : s->back);
        if (s->saved < 0)
            return s->saved;
    }
    return GRAFT_OK;
}

int graft_pass_memory(struct graft_compiler *c)
{
    int status = make_buffers(c);
    if (status)
        return status;
    use_outside(c);
    use_steps(c);
    share_in_place(c);
    status = keep_saved(c);
    if (!status)
        status = graft_plan_gradients(c);
    return status ? status : graft_arrange(c);
}
