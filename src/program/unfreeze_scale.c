/* Parameters that scale and shift the channels of convolutions: where the
 * file keeps a normalisation behind one, those of it; where it was folded
 * away, factors of the weights, and the bias.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "program/unfreeze_impl.h"

static const struct graft_op *row_of(const struct graft_choosing *x,
                                     const struct graft_node *node)
{
    return graft_op_find(node->domain, node->op_type,
                         graft_opset_of(x->m, node->domain));
}

static graft_value_id input_of(const struct graft_node *node, int k)
{
    return k < node->n_in ? node->in[k] : -1;
}

/* Number of the trainable that v is, itself or in another type; -1: none. */
static int trainable(const struct graft_choosing *x, graft_value_id v)
{
    while (v >= 0) {
        for (int t = 0; t < x->all.n; t++)
            if (x->all.value[t] == v)
                return t;
        int32_t at = x->m->value.at[v].node;
        const struct graft_node *node = at < 0 ? NULL : &x->m->node.at[at];
        const struct graft_op *op = node ? row_of(x, node) : NULL;
        bool same = op && (op->flags & GRAFT_OP_RETYPES ||
                           !strcmp(op->name, "Identity"));
        v = same ? input_of(node, 0) : -1;
    }
    return -1;
}

static const struct graft_shape *shape_of(const struct graft_choosing *x,
                                          int t)
{
    return &graft_parameter(x->m, x->all.value[t])->shape;
}

/* The only node that reads v; NULL: there are several, or the caller sees
 * it. */
static const struct graft_node *only_reader(const struct graft_choosing *x,
                                            graft_value_id v)
{
    const struct graft_node *found = NULL;
    if (x->m->value.at[v].is_output)
        return NULL;
    for (int i = 0; i < x->m->node.n; i++)
        for (int k = 0; k < x->m->node.at[i].n_in; k++) {
            if (x->m->node.at[i].removed || x->m->node.at[i].in[k] != v)
                continue;
            if (found)
                return NULL;
            found = &x->m->node.at[i];
        }
    return found;
}

static bool choose(const struct graft_choosing *x, int t)
{
    if (t >= 0)
        x->chosen[t] = true;
    return t >= 0;
}

/* Scale and bias of a normalisation of y; false: none follows. */
static bool choose_norm(const struct graft_choosing *x,
                        const struct graft_node *next, graft_value_id y)
{
    const struct graft_op *op = next ? row_of(x, next) : NULL;
    bool any = false;
    if (!op || !op->affine || next->in[0] != y)
        return false;
    for (int k = 1; k < next->n_in; k++)
        any |= choose(x, trainable(x, next->in[k]));
    return any;
}

/* A number for each of n channels, added to y by a node of its own. */
static void choose_added(const struct graft_choosing *x,
                         const struct graft_node *next, graft_value_id y,
                         int64_t n)
{
    const struct graft_op *op = next ? row_of(x, next) : NULL;
    if (!op || !(op->flags & GRAFT_OP_RESIDUAL) || next->n_in != 2)
        return;
    int t = trainable(x, next->in[next->in[0] == y]);
    if (t >= 0 && graft_shape_count(shape_of(x, t)) == n)
        choose(x, t);
}

static void choose_conv(struct graft_choosing *x,
                        const struct graft_node *node)
{
    graft_value_id y = node->out[0];
    const struct graft_node *next = only_reader(x, y);
    int w = trainable(x, input_of(node, 1));
    if (choose_norm(x, next, y) || w < 0)
        return;
    x->scaled[w] = true;
    if (!choose(x, trainable(x, input_of(node, 2))))
        choose_added(x, next, y, shape_of(x, w)->dim[0]);
}

void graft_choose_scales(struct graft_choosing *x)
{
    for (int i = 0; i < x->m->node.n; i++) {
        const struct graft_node *node = &x->m->node.at[i];
        const struct graft_op *op =
            node->removed || node->n_out < 1 || node->out[0] < 0
                ? NULL : row_of(x, node);
        if (op && op->flags & GRAFT_OP_CHANNEL_WEIGHTS)
            choose_conv(x, node);
    }
}
