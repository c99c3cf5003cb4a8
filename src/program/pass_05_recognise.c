/* Pass 5: several steps that together are one thing. x Sigmoid(x) is Swish, and
 * HardSwish has several forms (gates.c). Concat, Split and the channel shuffle
 * of ShuffleNet (Reshape, Transpose, Reshape) along the channels become one
 * step that takes each channel from where it is. Only where nobody sees what
 * lies between; the one step's gradient is that of all.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "program/compiler.h"

/* ---- is it along the channels? ------------------------------------------ */

static const struct graft_shape *shape_of(const struct graft_compiler *c,
                                          int v)
{
    return &c->value.at[v].info.shape;
}

static bool has_channels(const struct graft_compiler *c, int v)
{
    const struct graft_vinfo *x = v < 0 ? NULL : &c->value.at[v].info;
    return x && x->shape.rank >= 3 && x->per_image == 1 &&
           x->dtype == GRAFT_REAL && !graft_is_constant(&c->value.at[v]);
}

/* Are a's and b's shapes the same but for the number of channels? */
static bool same_pixels(const struct graft_compiler *c, int a, int b)
{
    struct graft_shape s = *shape_of(c, a);
    s.dim[1] = shape_of(c, b)->dim[1];
    return graft_shape_equal(&s, shape_of(c, b));
}

/* Values at[0 .. n-1] side by side along the channels are `whole`. */
static bool joins(const struct graft_compiler *c, const int *at, int n,
                  int whole)
{
    int64_t channels = 0;
    if (!has_channels(c, whole))
        return false;
    for (int i = 0; i < n; i++) {
        if (!has_channels(c, at[i]) || !same_pixels(c, at[i], whole))
            return false;
        channels += shape_of(c, at[i])->dim[1];
    }
    return n > 1 && channels == shape_of(c, whole)->dim[1];
}

static bool is_called(const struct graft_step *s, const char *name)
{
    return !s->param && s->op->domain[0] == '\0' &&
           !strcmp(s->op->name, name);
}

/* ---- a step of a kind of its own ---------------------------------------- */

static int64_t channels_of(const struct graft_compiler *c, int v)
{
    return shape_of(c, v)->dim[1];
}

static bool any_marked(const struct graft_compiler *c, const int *at, int n)
{
    for (int i = 0; i < n; i++)
        if (at[i] >= 0 && c->value.at[at[i]].info.marked)
            return true;
    return false;
}

/* A Channels step with empty tables. */
static struct graft_step *new_step(struct graft_compiler *c, const int *in,
                                   int n_in, const int *out, int n_out)
{
    struct graft_step *s = graft_compiler_step(c, &graft_row_channels, n_in,
                                               n_out);
    struct graft_channel_args *a = graft_arena_alloc(&c->arena, sizeof *a);
    if (!s || !a)
        return NULL;
    a->source = graft_arena_array(&c->arena, (size_t)n_out,
                                  sizeof *a->source);
    s->args = a;
    memcpy(s->in, in, (size_t)n_in * sizeof *in);
    memcpy(s->out, out, (size_t)n_out * sizeof *out);
    s->marked = any_marked(c, in, n_in) && any_marked(c, out, n_out);
    for (int k = 0; a->source && k < n_out; k++) {
        a->source[k] = graft_arena_array(&c->arena,
                                         (size_t)channels_of(c, out[k]),
                                         sizeof **a->source);
        if (!a->source[k])
            return NULL;
    }
    return a->source ? s : NULL;
}

/* Puts `s` where `old` was. */
static void take_place(struct graft_compiler *c, struct graft_step *old,
                       struct graft_step *s)
{
    c->step.at[graft_step_index(c, old)] = s;
    old->dead = true;
}

/* ---- shuffles ----------------------------------------------------------- */

static struct graft_step *next_of(const struct graft_compiler *c,
                                  const struct graft_step *s)
{
    struct graft_step *next = graft_only_reader(c, s->out[0]);
    return next && next->fuse.residual != s->out[0] ? next : NULL;
}

/* Transpose that swaps axes 1 and 2 of [N, g, C / g, ...]. */
static bool swaps_groups(const struct graft_step *s)
{
    const int64_t *perm = NULL;
    struct graft_parse p = {.node = s->node};
    int n = 0;
    if (!is_called(s, "Transpose") || !s->node ||
        graft_attr_ints(&p, "perm", &perm, &n) || n < 3)
        return false;
    for (int i = 0; i < n; i++)
        if (perm[i] != (i == 1 ? 2 : i == 2 ? 1 : i))
            return false;
    return true;
}

/* [N, C, ...] as [N, g, C / g, ...], the two swapped, as [N, C, ...]. */
static bool is_shuffle(const struct graft_compiler *c,
                       const struct graft_step *split,
                       const struct graft_step *swap,
                       const struct graft_step *join)
{
    if (!split->view || !join->view || !swaps_groups(swap) ||
        !has_channels(c, split->in[0]) || !has_channels(c, join->out[0]))
        return false;
    const struct graft_shape *x = shape_of(c, split->in[0]);
    const struct graft_shape *y = shape_of(c, split->out[0]);
    bool same = y->rank == x->rank + 1 && y->dim[0] == x->dim[0] &&
                y->dim[1] * y->dim[2] == x->dim[1];
    for (int i = 2; same && i < x->rank; i++)
        same = y->dim[i + 1] == x->dim[i];
    return same && graft_shape_equal(x, shape_of(c, join->out[0]));
}

/* Output channel o is element o / groups of group o % groups. */
static int make_shuffle(struct graft_compiler *c, struct graft_step *split)
{
    struct graft_step *swap = split->view ? next_of(c, split) : NULL;
    struct graft_step *join = swap ? next_of(c, swap) : NULL;
    if (!join || !is_shuffle(c, split, swap, join))
        return GRAFT_OK;
    int64_t groups = shape_of(c, split->out[0])->dim[1];
    int64_t all = channels_of(c, split->in[0]);
    struct graft_step *s = new_step(c, split->in, 1, join->out, 1);
    if (!s)
        return GRAFT_EMEM;
    struct graft_channel_args *a = s->args;
    for (int64_t o = 0; o < all; o++)
        a->source[0][o] = (struct graft_channel_source){
            0, (int32_t)(o % groups * (all / groups) + o / groups)};
    take_place(c, join, s);
    split->dead = swap->dead = true;
    graft_compiler_link(c);
    return GRAFT_OK;
}

/* ---- concatenations before, splits behind ------------------------------- */

/* A step whose only input is a concatenation for it alone reads what that
 * reads. */
static int absorb_concat(struct graft_compiler *c, struct graft_step *s)
{
    struct graft_step *concat = c->value.at[s->in[0]].producer;
    if (s->n_in != 1 || !concat || !is_called(concat, "Concat") ||
        graft_only_reader(c, s->in[0]) != s ||
        !joins(c, concat->in, concat->n_in, s->in[0]))
        return GRAFT_OK;
    struct graft_step *both = new_step(c, concat->in, concat->n_in, s->out,
                                       s->n_out);
    if (!both)
        return GRAFT_EMEM;
    const struct graft_channel_args *from = s->args;
    struct graft_channel_args *to = both->args;
    for (int k = 0; k < s->n_out; k++)
        for (int64_t o = 0; o < channels_of(c, s->out[k]); o++) {
            int32_t channel = from->source[k][o].channel, input = 0;
            while (channel >= channels_of(c, concat->in[input]))
                channel -= (int32_t)channels_of(c, concat->in[input++]);
            to->source[k][o] = (struct graft_channel_source){input, channel};
        }
    take_place(c, s, both);
    concat->dead = true;
    graft_compiler_link(c);
    return GRAFT_OK;
}

/* A split that alone reads the step's only output: the step writes the
 * parts. */
static int absorb_split(struct graft_compiler *c, struct graft_step *s)
{
    struct graft_step *split = s->n_out == 1 ? next_of(c, s) : NULL;
    if (!split || !is_called(split, "Split") ||
        !joins(c, split->out, split->n_out, s->out[0]))
        return GRAFT_OK;
    struct graft_step *both = new_step(c, s->in, s->n_in, split->out,
                                       split->n_out);
    if (!both)
        return GRAFT_EMEM;
    const struct graft_channel_args *from = s->args;
    struct graft_channel_args *to = both->args;
    int64_t first = 0;
    for (int k = 0; k < split->n_out; k++) {
        int64_t n = channels_of(c, split->out[k]);
        memcpy(to->source[k], from->source[0] + first,
               (size_t)n * sizeof **to->source);
        first += n;
    }
    take_place(c, s, both);
    split->dead = true;
    graft_compiler_link(c);
    return GRAFT_OK;
}

static int grow(struct graft_compiler *c, int index)
{
    struct graft_step *s = c->step.at[index];
    int status = s->op == &graft_row_channels ? absorb_split(c, s) : GRAFT_OK;
    s = c->step.at[index];
    if (!status && s->op == &graft_row_channels)
        status = absorb_concat(c, s);
    return status;
}

int graft_pass_recognise(struct graft_compiler *c)
{
    int status = GRAFT_OK;
    if (c->skip)
        return GRAFT_OK;
    for (int i = 0; i < c->step.n && !status; i++)
        status = make_shuffle(c, c->step.at[i]);
    for (int i = 0; i < c->step.n && !status; i++)
        status = graft_recognise_gate(c, c->step.at[i]);
    for (int i = c->step.n - 1; i >= 0 && !status; i--)
        status = i < c->step.n ? grow(c, i) : GRAFT_OK;
    return status;
}
