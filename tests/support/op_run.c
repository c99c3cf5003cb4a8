/* Runs one operator row: plan, pack, forward, backward (op_infer.c: what comes
 * before).
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void op_run_fail_(const struct op_run *r, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    print_error("%s:%d: %s-%lld: %s\n", r->file, r->line, r->c->op,
                (long long)r->c->opset, text);
    fail();
    abort(); /* fail() does not return */
}

/* ---- plan ---------------------------------------------------------------- */

static void plan_epilogue(struct op_run *r)
{
    const struct op_case *c = r->c;
    r->has_ep = c->bias || c->residual || c->act.kind;
    if (!r->has_ep)
        return;
    if (!(r->op->flags & GRAFT_OP_EPILOGUE))
        op_run_fail(r, "this row has no epilogue");
    const struct graft_shape *s = &r->out[0].shape;
    int64_t n = s->dim[s->rank >= 3 ? 1 : s->rank - 1];
    r->ep.act = c->act;
    if (c->bias) {
        real *b = op_run_memory(r, (size_t)n * sizeof *b);
        for (int64_t i = 0; i < n; i++)
            b[i] = (real)c->bias[i];
        r->ep.bias = b;
    }
    if (c->residual)
        r->ep.residual = &r->residual;
}

static struct graft_view view_of(const struct graft_vinfo *info,
                                 enum graft_layout layout)
{
    struct graft_view v = {.shape = info->shape, .fmt = info->fmt};
    v.fmt.dtype = info->dtype;
    v.fmt.layout = layout;
    return v;
}

static void place_inputs(struct op_run *r)
{
    for (int i = 0; i < r->n_in; i++) {
        if (!r->in[i].present || r->op->host_in >> i & 1)
            continue;
        r->vin[i] = view_of(&r->in[i],
                            r->packed[i] ? GRAFT_ROW : r->layout[0][i]);
        op_run_allocate(r, &r->vin[i]);
        for (int64_t k = 0; k < graft_count(&r->vin[i]); k++)
            if (r->c->in[i].ints)
                graft_ints(&r->vin[i])[k] = r->c->in[i].ints[k];
            else
                op_run_set(&r->vin[i], k, r->given[i][k]);
        if (r->packed[i]) {
            r->packs[i] = op_run_memory(r, r->pack[i].bytes);
            r->back_packs[i] = op_run_memory(r, r->back_pack[i].bytes);
            r->dpacks[i] = op_run_memory(r, r->pack[i].dbytes);
        }
    }
}

static void place_outputs(struct op_run *r)
{
    for (int k = 0; k < r->n_out; k++) {
        if (r->c->out[k].from == OP_ABSENT)
            continue;
        r->vout[k] = view_of(&r->out[k], r->layout[1][k]);
        op_run_allocate(r, &r->vout[k]);
    }
    if (!r->c->residual)
        return;
    r->residual = r->vout[0];
    op_run_allocate(r, &r->residual);
    for (int64_t i = 0; i < graft_count(&r->residual); i++)
        op_run_set(&r->residual, i, r->c->residual[i]);
}

void op_run_plan(struct op_run *r, enum graft_isa isa, int threads,
                 bool training)
{
    plan_epilogue(r);
    for (int i = 0; i < r->n_in; i++) {
        r->in[i].marked = training && r->in[i].dtype == GRAFT_REAL &&
                          ((r->op->grad_in & ~r->c->unwanted) >> i & 1);
        if (r->blocked && !r->in[i].is_param && r->in[i].shape.rank >= 3 &&
            r->in[i].dtype == GRAFT_REAL)
            r->in[i].fmt.layout = GRAFT_C16;
    }
    r->plan = (struct graft_plan){
        .op = r->op, .node = &r->node, .args = r->args, .n_max = r->n_max,
        .training = training, .blocked = r->blocked,
        .k = graft_kernels_for(isa),
        .arena = &r->arena, .in = r->in, .out = r->out, .n_in = r->n_in,
        .n_out = r->n_out, .ep = r->has_ep ? &r->ep : NULL,
        .in_layout = r->layout[0], .out_layout = r->layout[1],
        .pack = r->pack, .back_pack = r->back_pack, .packed = r->packed,
        .forward = r->op->forward,
        .backward = r->op->backward};
    if (r->op->plan && r->op->plan(&r->plan))
        op_run_fail(r, "plan: %s", graft_error_message());
    if (graft_pool_new(&r->pool, threads))
        op_run_fail(r, "no pool");
    place_inputs(r);
    place_outputs(r);
    r->saved = op_run_memory(r, r->plan.saved);
    r->scratch = op_run_memory(r, r->plan.scratch);
    r->task_scratch = op_run_memory(r, r->plan.task_scratch *
                                           (size_t)threads);
    op_run_pack(r);
}

void op_run_release(struct op_run *r)
{
    graft_pool_free(r->pool);
    r->pool = NULL;
    op_run_release_memory(r);
    graft_arena_release(&r->arena);
}

/* ---- run ----------------------------------------------------------------- */

/* Packs read the file's bytes, which are seldom aligned. */
void op_run_pack(struct op_run *r)
{
    for (int i = 0; i < r->n_in; i++) {
        if (!r->packed[i])
            continue;
        const struct graft_pack_request *q = &r->pack[i];
        size_t bytes = op_run_bytes(r, &r->vin[i]);
        if (!q->kind) {
            memcpy(r->packs[i], r->vin[i].data, bytes);
            continue;
        }
        char *crooked = graft_malloc(bytes + 1);
        memcpy(crooked + 1, r->vin[i].data, bytes);
        struct graft_view src = r->vin[i];
        src.data = crooked + 1;
        q->kind->pack(r->packs[i], &src, NULL, q->spec, r->pool);
        q = &r->back_pack[i];
        if (q->kind)
            q->kind->pack(r->back_packs[i], &src, NULL, q->spec, r->pool);
        graft_free(crooked);
    }
}

/* Views of n images. */
static void cut_batch(struct graft_view *v, const struct graft_vinfo *info,
                      int n)
{
    if (info->per_image)
        v->shape.dim[0] = info->per_image * n;
}

static struct graft_call call_of(struct op_run *r, int n)
{
    return (struct graft_call){
        .args = r->args, .chosen = r->plan.chosen, .n = n, .n_in = r->n_in,
        .n_out = r->n_out, .in = r->vin, .out = r->vout, .din = r->din,
        .dout = r->dout, .dmode = r->dmode,
        .pack = (const void *const *)r->packs,
        .back_pack = (const void *const *)r->back_packs, .dpack = r->dpacks,
        .saved = r->saved, .scratch = r->scratch,
        .task_scratch = r->task_scratch, .task_stride = r->plan.task_scratch,
        .k = r->plan.k, .pool = r->pool, .ep = r->has_ep ? &r->ep : NULL};
}

void op_run_forward(struct op_run *r, int n)
{
    struct graft_view keep[OP_CASE_MAX];
    memcpy(keep, r->vin, sizeof keep);
    for (int i = 0; i < r->n_in; i++) {
        cut_batch(&r->vin[i], &r->in[i], n);
        if (r->packed[i])
            r->vin[i].data = NULL;
    }
    for (int k = 0; k < r->n_out; k++) {
        cut_batch(&r->vout[k], &r->out[k], n);
        if (r->vout[k].data && r->vout[k].data != r->vin[0].data)
            memset(r->vout[k].data, OP_RUN_FILL,
                   op_run_bytes(r, &r->vout[k]));
    }
    cut_batch(&r->residual, &r->out[0], n);
    struct graft_call call = call_of(r, n);
    uint64_t before = graft_alloc_stats().calls;
    r->plan.forward(&call);
    if (graft_alloc_stats().calls != before)
        op_run_fail(r, "forward allocates");
    memcpy(r->vin, keep, sizeof keep);
}

void op_run_backward(struct op_run *r, int n)
{
    struct graft_view keep[OP_CASE_MAX], dkeep[OP_CASE_MAX];
    struct graft_view okeep[OP_CASE_MAX], dokeep[OP_CASE_MAX];
    memcpy(keep, r->vin, sizeof keep);
    memcpy(dkeep, r->din, sizeof dkeep);
    memcpy(okeep, r->vout, sizeof okeep);
    memcpy(dokeep, r->dout, sizeof dokeep);
    for (int k = 0; k < r->n_out; k++) {
        cut_batch(&r->vout[k], &r->out[k], n);
        cut_batch(&r->dout[k], &r->out[k], n);
    }
    for (int i = 0; i < r->n_in; i++) {
        cut_batch(&r->vin[i], &r->in[i], n);
        cut_batch(&r->din[i], &r->in[i], n);
        if (r->packed[i])
            r->vin[i].data = r->din[i].data = NULL;
        if (r->dmode[i] == GRAFT_SKIP)
            r->din[i].data = NULL;
    }
    struct graft_call call = call_of(r, n);
    uint64_t before = graft_alloc_stats().calls;
    r->plan.backward(&call);
    if (graft_alloc_stats().calls != before)
        op_run_fail(r, "backward allocates");
    memcpy(r->vin, keep, sizeof keep);
    memcpy(r->din, dkeep, sizeof dkeep);
    memcpy(r->vout, okeep, sizeof okeep);
    memcpy(r->dout, dokeep, sizeof dokeep);
    for (int i = 0; i < r->n_in; i++) {
        if (!r->packed[i] || r->dmode[i] == GRAFT_SKIP)
            continue;
        const struct graft_pack_request *q = &r->pack[i];
        if (q->kind && !q->kind->unpack)
            op_run_fail(r, "input %d's pack has no gradient", i);
        if (q->kind)
            q->kind->unpack(graft_reals(&r->din[i]), r->dpacks[i], q->spec);
        else
            memcpy(r->din[i].data, r->dpacks[i], op_run_bytes(r, &r->din[i]));
    }
}
