/* From plan to memory: the block, the scratch, packs from the store, and the
 * calls that running a step needs, prepared so that a run allocates nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

/* ---- block and scratch -------------------------------------------------- */

static size_t round_up(size_t bytes)
{
    return (bytes + GRAFT_ALIGN - 1) / GRAFT_ALIGN * GRAFT_ALIGN;
}

static void raise(size_t *most, size_t bytes)
{
    if (round_up(bytes) > *most)
        *most = round_up(bytes);
}

/* Frames of all workers, with room for the views of any deep step. */
static int make_frames(struct graft_program *p)
{
    struct graft_compiler *c = &p->c;
    size_t workers = (size_t)graft_pool_threads(p->rt->pool), in = 0, out = 0;
    bool any = false;
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        if (!graft_segment_of(c, i)->deep)
            continue;
        any = true;
        raise(&p->deep_scratch, s->plan.scratch);
        in = (size_t)s->n_in > in ? (size_t)s->n_in : in;
        out = (size_t)s->n_out > out ? (size_t)s->n_out : out;
    }
    if (!any)
        return GRAFT_OK;
    p->frame = graft_arena_array(&c->arena, workers, sizeof *p->frame);
    if (!p->frame)
        return GRAFT_EMEM;
    for (size_t w = 0; w < workers; w++) {
        p->frame[w].in = graft_arena_array(&c->arena, in + out + 1,
                                           sizeof *p->frame[w].in);
        if (!p->frame[w].in)
            return GRAFT_EMEM;
        p->frame[w].out = p->frame[w].in + in;
    }
    return GRAFT_OK;
}

static int allocate(struct graft_program *p)
{
    struct graft_compiler *c = &p->c;
    int status = make_frames(p);
    if (status)
        return status;
    for (int i = 0; i < c->step.n; i++) {
        raise(&p->call_scratch, c->step.at[i]->plan.scratch);
        raise(&p->task_scratch, c->step.at[i]->plan.task_scratch);
    }
    /* Adding up a second packed gradient needs room to unpack it. */
    for (int i = 0; i < c->dpack.n; i++) {
        const struct graft_wvalue *v = &c->value.at[c->dpack.at[i].value];
        size_t bytes = round_up((size_t)graft_value_bytes(v));
        if (bytes > p->call_scratch)
            p->call_scratch = bytes;
    }
    int64_t workers = graft_pool_threads(p->rt->pool), task, all;
    if (!graft_mul_size(&task,
                        (int64_t)(p->task_scratch + p->deep_scratch),
                        workers) ||
        !graft_add_size(&all, task, (int64_t)p->call_scratch) ||
        !graft_add_size(&all, all, c->block_bytes))
        return graft_fail(GRAFT_ELIMIT, "the program's memory is too large");
    status = graft_runtime_reserve(p->rt, (uint64_t)all,
                                       "the program's activations");
    if (status)
        return status;
    p->block = graft_alloc_aligned((size_t)c->block_bytes);
    p->scratch = graft_alloc_aligned((size_t)(all - c->block_bytes));
    if (!p->block || !p->scratch)
        return GRAFT_EMEM;
    graft_program_blank(p);
    return GRAFT_OK;
}

void graft_program_blank(struct graft_program *p)
{
    struct graft_memory m;
    graft_program_memory(p, &m);
    if (!GRAFT_CHECKED)
        return;
    memset(p->block, 0xff, (size_t)m.block_bytes); /* what is read before it */
    memset(p->scratch, 0xff, (size_t)m.scratch_bytes); /* was written: NaN */
}

static void *at_buffer(const struct graft_program *p, int buffer)
{
    if (buffer < 0)
        return NULL;
    const struct graft_buffer *b = &p->c.buffer.at[buffer];
    return p->block + (b->local ? p->c.local_base : 0) + b->offset;
}

/* ---- values ------------------------------------------------------------- */

static void find_varying(struct graft_program *p)
{
    struct graft_compiler *c = &p->c;
    for (int v = 0; v < c->value.n; v++)
        p->varies[v] = c->value.at[v].selected >= 0;
    for (int i = 0; i < c->step.n && c->step.at[i]->param; i++) {
        const struct graft_step *s = c->step.at[i];
        bool any = false;
        for (int k = 0; k < s->n_in; k++)
            any |= s->in[k] >= 0 && p->varies[s->in[k]];
        for (int k = 0; k < s->n_out; k++)
            if (s->out[k] >= 0)
                p->varies[s->out[k]] |= any;
    }
}

static void place_values(struct graft_program *p)
{
    struct graft_compiler *c = &p->c;
    for (int i = 0; i < c->value.n; i++) {
        struct graft_wvalue *v = &c->value.at[i];
        const struct graft_host *h = v->info.host;
        v->data = at_buffer(p, v->buffer);
        v->ddata = at_buffer(p, v->grad);
        if (v->selected >= 0)
            v->data = graft_master(c, v);
        else if (!v->data && !v->tensor && h)
            v->data = h->reals ? (void *)h->reals : (void *)h->ints;
        if (v->feed && v->data) /* what pads a first, smaller batch */
            memset(v->data, 0, (size_t)graft_value_bytes(v));
    }
    for (int i = 0; i < c->dpack.n; i++)
        c->dpack.at[i].data = at_buffer(p, c->dpack.at[i].buffer);
}

/* ---- steps -------------------------------------------------------------- */

static bool is_hidden(const struct graft_step *s, int i)
{
    return s->in[i] < 0 || s->packed[i].request ||
           (i < 32 && s->op->host_in >> i & 1);
}

static int bind_inputs(struct graft_program *p, struct graft_step *s)
{
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] < 0)
            continue;
        struct graft_wvalue *v = &p->c.value.at[s->in[i]];
        int status = GRAFT_OK;
        void *data = NULL;
        if (s->packed[i].request) {
            status = graft_get_pack(p, s, i, s->packed[i].request, &data);
            s->pack[i] = data;
            if (!status && s->packed[i].back) {
                status = graft_get_pack(p, s, i, s->packed[i].back, &data);
                s->back_pack[i] = data;
            }
            if (s->packed[i].dpack >= 0)
                s->dpack[i] = p->c.dpack.at[s->packed[i].dpack].data;
        } else if (!is_hidden(s, i) && v->tensor && v->selected < 0) {
            status = graft_plain_copy(p, s->in[i], s, i, &data);
            if (!(i == 1 && s->fuse.scale))
                v->data = data;
        }
        if (status)
            return status;
        s->vin[i] = graft_value_view(p, s->in[i]);
        if (is_hidden(s, i))
            s->vin[i].data = NULL;
        else if (data)
            s->vin[i].data = data;
        s->vdin[i] = graft_gradient_view(p, s->in[i]);
        if (s->dmode[i] == GRAFT_SKIP || s->packed[i].dpack >= 0)
            s->vdin[i].data = NULL;
    }
    return GRAFT_OK;
}

static int bind_epilogue(struct graft_program *p, struct graft_step *s)
{
    struct graft_fusion *f = &s->fuse;
    int status = GRAFT_OK;
    if (f->residual >= 0)
        s->residual = graft_value_view(p, f->residual);
    if (f->bias >= 0) {
        struct graft_wvalue *b = &p->c.value.at[f->bias];
        if (b->selected < 0)
            status = graft_plain_copy(p, f->bias, NULL, 0, &b->data);
        s->ep.bias = b->data;
    }
    return status;
}

static int bind_step(struct graft_program *p, struct graft_step *s)
{
    struct graft_arena *a = &p->c.arena;
    size_t in = (size_t)s->n_in + 1, out = (size_t)s->n_out + 1;
    s->vin = graft_arena_array(a, 4 * in, sizeof *s->vin);
    s->vout = graft_arena_array(a, 4 * out, sizeof *s->vout);
    s->pack = graft_arena_array(a, in, sizeof *s->pack);
    s->back_pack = graft_arena_array(a, in, sizeof *s->back_pack);
    s->dpack = graft_arena_array(a, in, sizeof *s->dpack);
    if (!s->vin || !s->vout || !s->pack || !s->back_pack || !s->dpack)
        return GRAFT_EMEM;
    s->rin = s->vin + in;
    s->vdin = s->rin + in;
    s->rdin = s->vdin + in;
    s->rout = s->vout + out;
    s->vdout = s->rout + out;
    s->rdout = s->vdout + out;
    int status = bind_inputs(p, s);
    if (!status)
        status = bind_epilogue(p, s);
    if (status)
        return status;
    for (int k = 0; k < s->n_out; k++)
        if (s->out[k] >= 0) {
            s->vout[k] = graft_value_view(p, s->out[k]);
            s->vdout[k] = graft_gradient_view(p, s->out[k]);
        }
    bool ep = s->ep.bias || s->ep.residual ||
              s->ep.act.kind != GRAFT_ACT_NONE;
    s->call = (struct graft_call){
        .args = s->args, .chosen = s->plan.chosen, .n_in = s->n_in,
        .n_out = s->n_out, .in = s->rin, .out = s->rout, .din = s->rdin,
        .dout = s->rdout, .dmode = s->dmode, .pack = s->pack,
        .back_pack = s->back_pack, .dpack = s->dpack,
        .saved = at_buffer(p, s->saved),
        .scratch = p->scratch, .task_scratch = p->scratch + p->call_scratch,
        .task_stride = p->task_scratch, .k = p->c.kernels,
        .pool = p->rt->pool, .ep = ep ? &s->ep : NULL};
    return GRAFT_OK;
}

/* An output that is a parameter needs its plain copy too. */
static int bind_outputs(struct graft_program *p)
{
    for (int i = 0; i < p->c.n_outputs; i++) {
        int v = graft_root(&p->c, p->c.output[i]);
        struct graft_wvalue *root = &p->c.value.at[v];
        if (root->data || !root->tensor)
            continue;
        int status = graft_plain_copy(p, v, NULL, 0, &root->data);
        if (status)
            return status;
    }
    return GRAFT_OK;
}

/* A reshaped parameter is read where the parameter is. */
static int bind_alias_roots(struct graft_program *p)
{
    for (int i = 0; i < p->c.value.n; i++) {
        int v = graft_root(&p->c, i);
        struct graft_wvalue *root = &p->c.value.at[v];
        if (v == i || root->data || !root->tensor)
            continue;
        int status = graft_plain_copy(p, v, NULL, 0, &root->data);
        if (status)
            return status;
    }
    return GRAFT_OK;
}

int graft_program_bind(struct graft_program *p)
{
    p->varies = graft_arena_array(&p->c.arena, (size_t)p->c.value.n + 1,
                                  sizeof *p->varies);
    int status = p->varies ? allocate(p) : GRAFT_EMEM;
    if (status)
        return status;
    find_varying(p);
    place_values(p);
    status = bind_alias_roots(p);
    for (int i = 0; !status && i < p->c.step.n; i++)
        status = bind_step(p, p->c.step.at[i]);
    if (!status)
        status = bind_outputs(p);
    return status;
}
