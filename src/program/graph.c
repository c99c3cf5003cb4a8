/* Working with the graph of steps while compiling.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

/* Passes look for steps one after the other; the longest networks we have
 * seen have 3,000 nodes. */
enum { STEPS_MAX = 16384 };

int graft_compiler_value(struct graft_compiler *c, const char *name,
                         const struct graft_vinfo *like)
{
    struct graft_vinfo info = *like; /* often an element of the array */
    struct graft_wvalue *v = graft_push(&c->value);
    if (!v)
        return GRAFT_EMEM;
    v->name = name;
    v->id = -1;
    v->selected = v->alias = v->buffer = v->grad = -1;
    v->info = info;
    v->info.fmt = (struct graft_format){.dtype = info.dtype};
    return c->value.n - 1;
}

static void set_absent(int *at, int n)
{
    for (int i = 0; i < n; i++)
        at[i] = -1;
}

struct graft_step *graft_compiler_step(struct graft_compiler *c,
                                       const struct graft_op *op, int n_in,
                                       int n_out)
{
    struct graft_step *s = graft_arena_alloc(&c->arena, sizeof *s);
    if (!s)
        return NULL;
    s->op = op;
    s->name = op->name;
    s->n_in = n_in;
    s->n_out = n_out;
    s->in = graft_arena_array(&c->arena, (size_t)n_in + 1, sizeof *s->in);
    s->out = graft_arena_array(&c->arena, (size_t)n_out + 1, sizeof *s->out);
    s->dmode = graft_arena_alloc(&c->arena, (size_t)n_in + 1);
    s->dmode_more = graft_arena_alloc(&c->arena, (size_t)n_in + 1);
    if (!s->in || !s->out || !s->dmode || !s->dmode_more)
        return NULL;
    set_absent(s->in, n_in);
    set_absent(s->out, n_out);
    s->fuse.bias = s->fuse.residual = s->saved = s->dz = -1;
    return s;
}

int graft_compiler_insert(struct graft_compiler *c, struct graft_step *s,
                          int at)
{
    if (c->step.n == STEPS_MAX)
        return graft_fail(GRAFT_ELIMIT, "'%s' computes its outputs in over %d "
                          "steps; longer ones are not compiled",
                          c->model->path, STEPS_MAX);
    if (!graft_push(&c->step))
        return GRAFT_EMEM;
    for (int i = c->step.n - 1; i > at; i--)
        c->step.at[i] = c->step.at[i - 1];
    c->step.at[at] = s;
    return GRAFT_OK;
}

void graft_compiler_link(struct graft_compiler *c)
{
    int n = 0;
    for (int i = 0; i < c->step.n; i++)
        if (!c->step.at[i]->dead)
            c->step.at[n++] = c->step.at[i];
    c->step.n = n;
    for (int v = 0; v < c->value.n; v++) {
        c->value.at[v].producer = NULL;
        c->value.at[v].n_reads = 0;
    }
    for (int i = 0; i < n; i++) {
        struct graft_step *s = c->step.at[i];
        for (int k = 0; k < s->n_in; k++)
            if (s->in[k] >= 0)
                c->value.at[s->in[k]].n_reads++;
        if (s->fuse.bias >= 0)
            c->value.at[s->fuse.bias].n_reads++;
        if (s->fuse.residual >= 0)
            c->value.at[s->fuse.residual].n_reads++;
        for (int k = 0; k < s->n_out; k++)
            if (s->out[k] >= 0)
                c->value.at[s->out[k]].producer = s;
    }
}

void graft_compiler_replace(struct graft_compiler *c, int from, int to)
{
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        for (int k = 0; k < s->n_in; k++)
            if (s->in[k] == from)
                s->in[k] = to;
        if (s->fuse.residual == from)
            s->fuse.residual = to;
        if (s->fuse.bias == from)
            s->fuse.bias = to;
    }
}

bool graft_visible(const struct graft_wvalue *v)
{
    return v->feed || v->output || v->wanted;
}

struct graft_step *graft_only_reader(const struct graft_compiler *c, int v)
{
    if (c->value.at[v].n_reads != 1 || graft_visible(&c->value.at[v]))
        return NULL;
    for (int i = 0; i < c->step.n; i++)
        for (int k = 0; k < c->step.at[i]->n_in; k++)
            if (c->step.at[i]->in[k] == v)
                return c->step.at[i];
    return NULL;
}

int graft_root(const struct graft_compiler *c, int v)
{
    while (c->value.at[v].alias >= 0)
        v = c->value.at[v].alias;
    return v;
}

bool graft_is_constant(const struct graft_wvalue *v)
{
    return v->tensor || v->info.host || v->selected >= 0 ||
           (v->producer && v->producer->param);
}

const char *graft_step_text(const struct graft_step *s)
{
    return s->node ? graft_node_text(s->node) : s->name;
}

int graft_step_index(const struct graft_compiler *c,
                     const struct graft_step *s)
{
    for (int i = 0; i < c->step.n; i++)
        if (c->step.at[i] == s)
            return i;
    return -1;
}

real *graft_master(const struct graft_compiler *c,
                   const struct graft_wvalue *v)
{
    const struct graft_selection *t = c->options->train;
    return v->selected < 0 ? NULL : t->master + t->at[v->selected].offset;
}

int64_t graft_value_bytes(const struct graft_wvalue *v)
{
    struct graft_format fmt = v->info.fmt;
    if (graft_dtype_is_float((int)v->info.dtype))
        fmt.dtype = GRAFT_REAL; /* half floats of files are widened */
    return graft_format_bytes(&fmt, &v->info.shape);
}

int graft_compiler_buffer(struct graft_compiler *c, const char *name,
                          int64_t bytes, int first, int last)
{
    struct graft_buffer *b = graft_push(&c->buffer);
    if (!b)
        return GRAFT_EMEM;
    *b = (struct graft_buffer){.bytes = bytes, .first = first, .last = last,
                              .name = name};
    return c->buffer.n - 1;
}

void graft_buffer_use(struct graft_buffer *b, int time)
{
    if (time < b->first)
        b->first = time;
    if (time > b->last)
        b->last = time;
}
