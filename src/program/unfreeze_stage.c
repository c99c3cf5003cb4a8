/* Parameters by where they lie: stages, and what depends on a value.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "program/unfreeze_impl.h"

/* ---- what depends on what ------------------------------------------------ */

/* Model files list nodes in order; where one does not, a value that comes too
 * late counts as known from the beginning. */
static void mark_below(struct graft_choosing *x, graft_value_id from)
{
    memset(x->below, 0, (size_t)x->m->value.n * sizeof *x->below);
    x->below[from] = true;
    for (int i = 0; i < x->m->node.n; i++) {
        const struct graft_node *node = &x->m->node.at[i];
        bool any = false;
        for (int k = 0; !node->removed && k < node->n_in; k++)
            any |= node->in[k] >= 0 && x->below[node->in[k]];
        for (int k = 0; any && k < node->n_out; k++)
            if (node->out[k] >= 0)
                x->below[node->out[k]] = true;
    }
}

/* Does the node only make one parameter of another (Cast, Transpose)? */
static bool makes_parameter(const struct graft_choosing *x,
                            const struct graft_node *node)
{
    return node->n_out && node->out[0] >= 0 &&
           x->survey->value[node->out[0]].is_param;
}

/* Does a node that has a value below read parameter v, or what is made of it?
 */
static bool is_read_below(const struct graft_choosing *x, graft_value_id v)
{
    for (int i = 0; i < x->m->node.n; i++) {
        const struct graft_node *node = &x->m->node.at[i];
        bool reads = false, below = false;
        for (int k = 0; !node->removed && k < node->n_in; k++)
            reads |= node->in[k] == v;
        for (int k = 0; reads && k < node->n_out; k++)
            below |= node->out[k] >= 0 && x->below[node->out[k]];
        if (below || (reads && makes_parameter(x, node) &&
                      is_read_below(x, node->out[0])))
            return true;
    }
    return false;
}

/* ---- stages -------------------------------------------------------------- */

/* Pixels of a value's plane; 0: it has none, or one. */
static int32_t pixels_of(const struct graft_choosing *x, graft_value_id v)
{
    const struct graft_vinfo *info = &x->survey->value[v];
    if (!info->present || info->shape.rank != 4 || !info->per_image)
        return 0;
    int64_t n = graft_shape_span(&info->shape, 2, 4);
    return n > 1 && n < INT32_MAX ? (int32_t)n : 0;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return !a || (b && b < a) ? b : a;
}

static int descending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x < y) - (x > y);
}

/* Is it to be trained, or made of what is? */
static bool is_trained(const struct graft_choosing *x, graft_value_id v)
{
    bool trained = x->below[v];
    for (int t = 0; !trained && t < x->all.n; t++)
        trained = x->all.value[t] == v;
    return trained;
}

/* Planes at which a parameter's node works, each once. (`below`: parameters
 * made of others.) */
int graft_find_stages(struct graft_choosing *x)
{
    size_t n = (size_t)x->m->value.n + 1;
    x->level = graft_calloc(n, sizeof *x->level);
    x->stage = graft_calloc(n, sizeof *x->stage);
    if (!x->level || !x->stage)
        return GRAFT_EMEM;
    for (int i = 0; i < x->m->node.n; i++) {
        const struct graft_node *node = &x->m->node.at[i];
        int32_t level = 0;
        bool reads = false;
        for (int k = 0; !node->removed && k < node->n_in; k++) {
            graft_value_id v = node->in[k];
            level = v < 0 ? level : smaller(level, x->level[v]);
            reads = reads || (v >= 0 && is_trained(x, v));
        }
        if (reads && makes_parameter(x, node))
            x->below[node->out[0]] = true;
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] >= 0)
                x->level[node->out[k]] =
                    smaller(level, pixels_of(x, node->out[k]));
        if (reads && node->n_out && node->out[0] >= 0 &&
            x->level[node->out[0]])
            x->stage[x->n_stages++] = x->level[node->out[0]];
    }
    qsort(x->stage, (size_t)x->n_stages, sizeof *x->stage, descending);
    int kept = 0;
    for (int i = 0; i < x->n_stages; i++)
        if (!kept || x->stage[i] != x->stage[kept - 1])
            x->stage[kept++] = x->stage[i];
    x->n_stages = kept;
    return GRAFT_OK;
}

/* The last value that everything passes before `level` is reached; -1. */
static graft_value_id stage_begin(const struct graft_choosing *x, int32_t level)
{
    graft_value_id begin = -1;
    for (int i = 0; i < x->survey->n_cuts; i++) {
        graft_value_id v = x->survey->cut[i].value;
        if (x->level[v] > level)
            begin = v;
    }
    return begin;
}

/* Chooses parameters of nodes at `level` or smaller planes. */
static void choose_level(struct graft_choosing *x, int32_t level)
{
    for (graft_value_id v = 0; v < x->m->value.n; v++)
        x->below[v] = x->level[v] && x->level[v] <= level;
    for (int t = 0; t < x->all.n; t++)
        x->chosen[t] |= is_read_below(x, x->all.value[t]);
}

void graft_choose_from(struct graft_choosing *x, graft_value_id v)
{
    mark_below(x, v);
    x->below[v] = false; /* what makes v is before it */
    for (int t = 0; t < x->all.n; t++)
        x->chosen[t] |= is_read_below(x, x->all.value[t]);
}

int graft_choose_stages(struct graft_choosing *x, int64_t n)
{
    if (x->n_stages < 2)
        return graft_fail(GRAFT_EARG, "%s: '%s' works at one resolution, so "
                          "it has no stages; say from:VALUE", x->word,
                          x->m->path);
    if (n < 1 || n > x->n_stages)
        return graft_fail(GRAFT_EARG, "%s: '%s' has %d stages", x->word,
                          x->m->path, x->n_stages);
    int32_t level = x->stage[x->n_stages - n];
    graft_value_id begin = n < x->n_stages ? stage_begin(x, level) : -1;
    if (begin >= 0)
        graft_choose_from(x, begin);
    else
        choose_level(x, level);
    return GRAFT_OK;
}
