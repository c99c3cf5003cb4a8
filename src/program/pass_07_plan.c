/* Pass 7: each row chooses its algorithm, formats, packs and scratch.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

static struct graft_vinfo *infos(struct graft_compiler *c, const int *at,
                                 int n)
{
    struct graft_vinfo *x = graft_arena_array(&c->arena, (size_t)n + 1,
                                              sizeof *x);
    for (int i = 0; x && i < n; i++)
        if (at[i] >= 0)
            x[i] = c->value.at[at[i]].info;
    return x;
}

/* What the row will be asked to do to its result; NULL: nothing. The
 * pointers only say what there is, binding sets them. */
static const struct graft_epilogue *epilogue(struct graft_compiler *c,
                                             struct graft_step *s)
{
    static const real nothing;
    const struct graft_fusion *f = &s->fuse;
    bool bias = f->shift || f->bias >= 0;
    if (!bias && f->residual < 0 && f->act.kind == GRAFT_ACT_NONE)
        return NULL;
    s->ep.act = f->act;
    s->ep.bias = f->shift ? f->shift : bias ? &nothing : NULL;
    if (f->residual >= 0) {
        const struct graft_vinfo *r = &c->value.at[f->residual].info;
        s->residual = (struct graft_view){.shape = r->shape, .fmt = r->fmt};
        s->ep.residual = &s->residual;
    }
    return &s->ep;
}

static int prepare(struct graft_compiler *c, struct graft_step *s)
{
    struct graft_arena *a = &c->arena;
    size_t n_in = (size_t)s->n_in + 1, n_out = (size_t)s->n_out + 1;
    struct graft_plan *p = &s->plan;
    s->pin = infos(c, s->in, s->n_in);
    s->pout = infos(c, s->out, s->n_out);
    *p = (struct graft_plan){
        .op = s->op, .node = s->node, .args = s->args, .n_max = c->n_max,
        .exact = c->options->exact || c->rt->exact,
        .training = s->marked,
        .blocked = c->blocked && !s->param &&
                   (!s->marked || s->op->flags & GRAFT_OP_BACK_BLOCKED),
        .k = c->kernels,
        .arena = a, .in = s->pin, .out = s->pout, .n_in = s->n_in,
        .n_out = s->n_out, .ep = epilogue(c, s),
        .forward = s->op->forward, .backward = s->op->backward};
    p->in_layout = graft_arena_array(a, n_in, sizeof *p->in_layout);
    p->out_layout = graft_arena_array(a, n_out, sizeof *p->out_layout);
    p->pack = graft_arena_array(a, n_in, sizeof *p->pack);
    p->back_pack = graft_arena_array(a, n_in, sizeof *p->back_pack);
    p->packed = graft_arena_array(a, n_in, sizeof *p->packed);
    s->packed = graft_arena_array(a, n_in, sizeof *s->packed);
    return s->pin && s->pout && p->in_layout && p->out_layout && p->pack &&
                   p->back_pack && p->packed && s->packed
               ? GRAFT_OK
               : GRAFT_EMEM;
}

/* The gradient of one packed form, shared by the steps that read it. */
static int find_dpack(struct graft_compiler *c, int v,
                      const struct graft_pack_request *r, const real *scale)
{
    for (int i = 0; i < c->dpack.n; i++)
        if (c->dpack.at[i].value == v &&
            c->dpack.at[i].request->kind == r->kind &&
            c->dpack.at[i].request->key == r->key &&
            c->dpack.at[i].scale == scale)
            return i;
    struct graft_dpack *d = graft_push(&c->dpack);
    if (!d)
        return GRAFT_EMEM;
    *d = (struct graft_dpack){.value = v, .request = r, .scale = scale,
                              .buffer = -1};
    return c->dpack.n - 1;
}

static int check_packs(struct graft_compiler *c, struct graft_step *s)
{
    for (int i = 0; i < s->n_in; i++) {
        s->packed[i].dpack = -1;
        if (!s->plan.packed[i] || s->in[i] < 0)
            continue;
        const struct graft_pack_request *r = &s->plan.pack[i];
        const struct graft_wvalue *v = &c->value.at[s->in[i]];
        if (!graft_is_constant(v) || !r->kind || !r->bytes)
            return graft_fail(GRAFT_EUNSUPPORTED, "%s: input %d cannot be "
                              "packed", graft_step_text(s), i);
        s->packed[i].request = r;
        if (s->plan.back_pack[i].kind)
            s->packed[i].back = &s->plan.back_pack[i];
        if (!s->marked || !v->info.marked)
            continue;
        if (!r->dbytes || !r->kind->unpack)
            return graft_fail(GRAFT_EUNSUPPORTED, "%s has no gradient for "
                              "its packed input '%s'", graft_step_text(s),
                              v->name);
        s->packed[i].dpack = find_dpack(c, s->in[i], r,
                                        i == 1 ? s->fuse.scale : NULL);
        if (s->packed[i].dpack < 0)
            return s->packed[i].dpack;
    }
    return GRAFT_OK;
}

/* Steps that follow see how this one's results will lie. */
static void tell_layouts(struct graft_compiler *c,
                         const struct graft_step *s)
{
    for (int k = 0; k < s->n_out; k++)
        if (s->out[k] >= 0)
            c->value.at[s->out[k]].info.fmt.layout = s->plan.out_layout[k];
}

int graft_pass_plan(struct graft_compiler *c)
{
    c->blocked = !(c->options->skip_passes & graft_pass_bit("layout"));
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        int status = prepare(c, s);
        if (!status && s->op->plan)
            status = s->op->plan(&s->plan);
        if (!status)
            status = check_packs(c, s);
        if (status)
            return status;
        tell_layouts(c, s);
    }
    return GRAFT_OK;
}
