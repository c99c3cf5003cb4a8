/* Gradients: who writes first (STORE), who adds, who is not asked (SKIP),
 * and how long each lives. Walks the steps as backward will.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

static struct graft_wvalue *root_of(struct graft_compiler *c, int v)
{
    return &c->value.at[graft_root(c, v)];
}

/* Programs with a loss run shard by shard: what parameters get is kept from
 * one to the next, so its room is nobody else's. */
static bool is_kept(const struct graft_compiler *c, int v)
{
    return c->loss && graft_is_constant(&c->value.at[graft_root(c, v)]);
}

/* How a further shard writes. */
static uint8_t more(const struct graft_compiler *c, int v, uint8_t mode)
{
    return mode == GRAFT_STORE && is_kept(c, v) ? GRAFT_ADD : mode;
}

/* Another writer of v's gradient, at `time`: how it must write. Section 4,
 * which comes once, behind the last shard, has nothing to keep. */
static int writer(struct graft_compiler *c, int v, int time, bool last,
                  uint8_t *mode)
{
    const bool kept = is_kept(c, v) && !last;
    struct graft_wvalue *r = root_of(c, v);
    *mode = GRAFT_SKIP;
    if (!c->value.at[v].info.marked)
        return GRAFT_OK;
    if (r->grad < 0) {
        r->grad = graft_compiler_buffer(c, r->name, graft_value_bytes(r),
                                        time, time);
        if (r->grad < 0)
            return r->grad;
    }
    graft_buffer_use(&c->buffer.at[r->grad], time);
    if (kept)
        graft_buffer_use(&c->buffer.at[r->grad], 0);
    if (kept || r->selected >= 0 || r->wanted)
        graft_buffer_use(&c->buffer.at[r->grad], c->end - 1);
    *mode = r->dwritten ? GRAFT_ADD : GRAFT_STORE;
    r->dwritten = true;
    return GRAFT_OK;
}

static int pack_writer(struct graft_compiler *c, struct graft_dpack *d,
                       int time, uint8_t *mode)
{
    if (d->buffer < 0) {
        d->buffer = graft_compiler_buffer(
            c, c->value.at[d->value].name, (int64_t)d->request->dbytes, time,
            c->end - 1);
        if (d->buffer < 0)
            return d->buffer;
        if (is_kept(c, d->value))
            graft_buffer_use(&c->buffer.at[d->buffer], 0);
    }
    *mode = d->written ? GRAFT_ADD : GRAFT_STORE;
    d->written = true;
    return GRAFT_OK;
}

/* The caller writes outputs' gradients whenever it likes. */
static int seed(struct graft_compiler *c)
{
    for (int i = 0; i < c->n_outputs; i++) {
        uint8_t mode;
        if (!c->value.at[c->output[i]].seeded || !c->training)
            continue;
        int status = writer(c, c->output[i], 0, false, &mode);
        if (status)
            return status;
        graft_buffer_use(&c->buffer.at[root_of(c, c->output[i])->grad],
                         c->end - 1);
    }
    return GRAFT_OK;
}

/* dz = act'(.) dy goes where dy is, unless the caller sees dy. */
static int place_dz(struct graft_compiler *c, struct graft_step *s)
{
    const struct graft_wvalue *y = root_of(c, s->out[0]);
    if (s->fuse.act.kind == GRAFT_ACT_NONE || (!y->wanted && !y->seeded))
        return GRAFT_OK;
    s->dz = graft_compiler_buffer(c, y->name, graft_value_bytes(y), s->back,
                                  s->back);
    return s->dz < 0 ? s->dz : GRAFT_OK;
}

/* Does all of v's memory, and nothing else, hold v? */
static bool is_whole(const struct graft_compiler *c, int v)
{
    return c->value.at[v].alias < 0 && !c->value.at[v].info.fmt.batch_stride;
}

/* What is added is given dz itself: when s has been undone nobody reads dz,
 * so whoever writes the residual's gradient next may add to it where it
 * lies. Not where s reads the residual besides: its backward writes there
 * while it reads dz. */
static bool give_dz(struct graft_compiler *c, struct graft_step *s)
{
    const int v = s->fuse.residual, to = s->out[0];
    struct graft_wvalue *r = root_of(c, v), *y = root_of(c, to);
    if (!c->value.at[v].info.marked || r->grad >= 0 || y->grad < 0 ||
        s->dz >= 0 || !is_whole(c, v) || !is_whole(c, to) ||
        graft_is_constant(r) || r->selected >= 0 || r->wanted || r->seeded ||
        y->wanted || y->seeded ||
        graft_value_bytes(r) != graft_value_bytes(y))
        return false;
    for (int i = 0; i < s->n_in; i++)
        if (s->in[i] >= 0 && root_of(c, s->in[i]) == r)
            return false;
    r->grad = y->grad;
    r->dwritten = true;
    s->fuse.dresidual_mode = GRAFT_SKIP;
    return true;
}

/* Packed gradients of what `s` (of section 1) computes are unpacked before
 * its backward. */
static int unpack_before(struct graft_compiler *c, struct graft_step *s)
{
    for (int i = 0; i < c->dpack.n; i++) {
        struct graft_dpack *d = &c->dpack.at[i];
        if (root_of(c, d->value)->producer != s || !d->written)
            continue;
        int status = writer(c, d->value, s->back, true, &d->mode);
        if (status)
            return status;
    }
    return GRAFT_OK;
}

static int plan_step(struct graft_compiler *c, struct graft_step *s)
{
    struct graft_fusion *f = &s->fuse;
    int status = s->param ? unpack_before(c, s) : GRAFT_OK;
    if (!status)
        status = place_dz(c, s);
    for (int k = 0; !status && k < s->n_out; k++)
        if (s->out[k] >= 0 && root_of(c, s->out[k])->grad >= 0)
            graft_buffer_use(&c->buffer.at[root_of(c, s->out[k])->grad],
                             s->back);
    if (!status && f->bias >= 0)
        status = writer(c, f->bias, s->back, s->param, &f->dbias_mode);
    if (!status && f->bias >= 0)
        f->dbias_more = more(c, f->bias, f->dbias_mode);
    if (!status && f->residual >= 0 && !give_dz(c, s))
        status = writer(c, f->residual, s->back, s->param,
                        &f->dresidual_mode);
    for (int i = 0; !status && i < s->n_in; i++) {
        if (s->in[i] < 0)
            continue;
        int d = s->packed[i].dpack;
        status = d >= 0 ? pack_writer(c, &c->dpack.at[d], s->back,
                                      &s->dmode[i])
                        : writer(c, s->in[i], s->back, s->param,
                               &s->dmode[i]);
        s->dmode_more[i] = s->param ? s->dmode[i]
                                    : more(c, s->in[i], s->dmode[i]);
    }
    return status;
}

/* An aliased reshape has nothing to undo: its gradient is its input's. */
static bool is_nothing(const struct graft_compiler *c,
                       const struct graft_step *s)
{
    return s->view && s->out[0] >= 0 && c->value.at[s->out[0]].alias >= 0;
}

/* A reordered copy that only steps without a gradient read. */
static bool gets_nothing(struct graft_compiler *c, const struct graft_step *s)
{
    return s->op == &graft_row_reorder && root_of(c, s->out[0])->grad < 0;
}

int graft_plan_gradients(struct graft_compiler *c)
{
    int status = seed(c);
    for (int i = c->step.n - 1; !status && i >= 0; i--) {
        struct graft_step *s = c->step.at[i];
        if (!s->marked || is_nothing(c, s))
            continue;
        if (gets_nothing(c, s))
            s->marked = false;
        else
            status = plan_step(c, s);
    }
    return status;
}
