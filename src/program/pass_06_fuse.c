/* Pass 6: additions and activations become epilogues, done by the step
 * before them while it stores its result: y = act(z + bias[c] + residual).
 * In marked regions the step runner undoes the epilogue (epilogue.c), so only
 * activations whose gradient needs just their output are taken there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

/* The step whose epilogue could take what is done to `v` next. */
static struct graft_step *open_step(const struct graft_compiler *c, int v,
                                    bool marked)
{
    struct graft_step *s = v >= 0 ? c->value.at[v].producer : NULL;
    if (!s || s->dead || s->param || !(s->op->flags & GRAFT_OP_EPILOGUE) ||
        s->out[0] != v || s->fuse.act.kind != GRAFT_ACT_NONE ||
        !graft_only_reader(c, v))
        return NULL;
    /* backward would read z, and find y */
    if ((marked || s->marked) && s->op->saves_out & 1)
        return NULL;
    return s;
}

/* `next`, which reads s's result, is done by s from now on. */
static void absorb(struct graft_compiler *c, struct graft_step *s,
                   struct graft_step *next)
{
    s->out[0] = next->out[0];
    s->marked |= next->marked;
    next->dead = true;
    c->fused++;
    graft_compiler_link(c);
}

/* ---- additions ---------------------------------------------------------- */

static bool same_extent(const struct graft_vinfo *a,
                        const struct graft_vinfo *b)
{
    return graft_shape_equal(&a->shape, &b->shape) &&
           a->per_image == b->per_image;
}

/* Does `p` hold one number for each channel of `y` and nothing else? */
static bool is_channel_vector(const struct graft_shape *p,
                              const struct graft_shape *y)
{
    int channel = y->rank >= 3 ? 1 : y->rank - 1;
    if (p->rank > y->rank || y->rank < 2)
        return false;
    bool reaches = false;
    for (int i = 0; i < p->rank; i++) {
        int axis = i + y->rank - p->rank;
        if (axis == channel ? p->dim[i] != y->dim[axis] : p->dim[i] != 1)
            return false;
        reaches |= axis == channel;
    }
    return reaches;
}

/* s moves to where `next` stands: its operands are all there by then. */
static void move_to(struct graft_compiler *c, struct graft_step *s,
                    const struct graft_step *next)
{
    int from = graft_step_index(c, s), to = graft_step_index(c, next);
    for (int i = from; i < to; i++)
        c->step.at[i] = c->step.at[i + 1];
    c->step.at[to] = s;
}

static bool fuse_residual(struct graft_compiler *c, struct graft_step *add,
                          int side)
{
    int z = add->in[side], r = add->in[1 - side], y = add->out[0];
    struct graft_step *s = open_step(c, z, add->marked);
    if (!s || z == r || s->fuse.residual >= 0 ||
        c->value.at[r].info.is_param || c->value.at[r].info.host ||
        !same_extent(&c->value.at[z].info, &c->value.at[r].info) ||
        !same_extent(&c->value.at[z].info, &c->value.at[y].info))
        return false;
    const struct graft_step *other = c->value.at[r].producer;
    bool later = other && graft_step_index(c, other) > graft_step_index(c, s);
    if (later)
        move_to(c, s, add);
    s->fuse.residual = r;
    absorb(c, s, add);
    return true;
}

static bool fuse_bias(struct graft_compiler *c, struct graft_step *add,
                      int side)
{
    int z = add->in[side], b = add->in[1 - side], y = add->out[0];
    struct graft_step *s = open_step(c, z, add->marked);
    if (!s || s->fuse.bias >= 0 || s->fuse.shift ||
        !graft_is_constant(&c->value.at[b]) || !c->value.at[b].tensor ||
        !same_extent(&c->value.at[z].info, &c->value.at[y].info) ||
        !is_channel_vector(&c->value.at[b].info.shape,
                           &c->value.at[z].info.shape))
        return false;
    s->fuse.bias = b;
    absorb(c, s, add);
    return true;
}

/* The operand computed last is tried first: then nothing has to move. */
static void fuse_addition(struct graft_compiler *c, struct graft_step *add)
{
    if (!(add->op->flags & GRAFT_OP_RESIDUAL) || add->n_in != 2 ||
        add->in[0] < 0 || add->in[1] < 0)
        return;
    int index[2];
    for (int i = 0; i < 2; i++) {
        const struct graft_step *p = c->value.at[add->in[i]].producer;
        index[i] = p ? graft_step_index(c, p) : -1;
    }
    int last = index[1] > index[0];
    if (!fuse_residual(c, add, last) && !fuse_residual(c, add, 1 - last) &&
        !fuse_bias(c, add, 0))
        fuse_bias(c, add, 1);
}

/* ---- activations -------------------------------------------------------- */

static void fuse_activation(struct graft_compiler *c, struct graft_step *a)
{
    if (!a->op->act || a->n_in < 1)
        return;
    struct graft_act act = a->op->act(a->args);
    struct graft_step *s = open_step(c, a->in[0], a->marked);
    if (!s || act.kind == GRAFT_ACT_NONE)
        return;
    bool undone = a->marked || s->marked;
    if (undone && !graft_act_from_output(act))
        return;
    s->fuse.act = act;
    absorb(c, s, a);
}

int graft_pass_fuse(struct graft_compiler *c)
{
    if (c->skip)
        return GRAFT_OK;
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        fuse_addition(c, s);
        if (!s->dead)
            fuse_activation(c, s);
        if (s->dead)
            i--; /* the next one moved here */
    }
    return GRAFT_OK;
}
