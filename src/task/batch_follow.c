/* Constants that fix a batch, and what may stand in their place (batch.h). A
 * row for each operator that has such a constant; whether a proposal serves is
 * not decided here but by inference.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/status.h"
#include "task/batch.h"

struct constant {
    const int64_t *is;     /* numbers that stand there */
    int64_t *to;           /* proposed */
    int n;
    const struct graft_shape *in, *out; /* of the node, for the first batch */
    const int64_t *axes;   /* Slice, NULL: all in order */
    int n_axes;
};

/* ---- proposals: false when there is none of this number ------------------ */

/* 0 copies the input's dimension 0; -1 is what remains, and then no other
 * number may be -1. */
static bool reshape(struct constant *c, int nth)
{
    bool rest = nth == 1;
    if (nth > 1 || c->n < 1 || c->n != c->out->rank)
        return false;
    for (int i = 1; i < c->n; i++)
        c->to[i] = rest && c->is[i] == -1 ? c->out->dim[i] : c->is[i];
    c->to[0] = rest ? -1 : 0;
    return true;
}

/* 1 expands to whatever is there. */
static bool expand(struct constant *c, int nth)
{
    if (nth > 0 || c->n < 1 || c->n != c->out->rank)
        return false;
    memcpy(c->to, c->is, (size_t)c->n * sizeof *c->to);
    c->to[0] = 1;
    return true;
}

/* Up to the batch is up to the end. */
static bool slice_ends(struct constant *c, int nth)
{
    bool any = false;
    for (int i = 0; i < c->n; i++) {
        int64_t axis = c->axes && i < c->n_axes ? c->axes[i] : i;
        bool first = axis == 0 || axis == -(int64_t)c->in->rank;
        bool to_end = first && c->is[i] >= c->in->dim[0];
        c->to[i] = to_end ? INT32_MAX : c->is[i];
        any |= to_end;
    }
    return nth == 0 && any;
}

static const struct {
    const char *op;
    int input;
    bool (*propose)(struct constant *c, int nth);
} rows[] = {{"Reshape", 1, reshape}, {"Expand", 1, expand},
            {"Slice", 2, slice_ends}};

/* ---- trying -------------------------------------------------------------- */

/* Numbers of input k that are the same for every batch; NULL: none. */
static const struct graft_host *known(const struct graft_batch_plan *p,
                                      const struct graft_node *node, int k)
{
    graft_value_id v = k < node->n_in ? node->in[k] : -1;
    const struct graft_vinfo *info = v < 0 ? NULL : &p->facts[1].value[v];
    return info && info->host && info->host->ints && !info->of_batch &&
                   info->shape.rank == 1
               ? info->host : NULL;
}

static int try_one(struct graft_batch_plan *p, struct graft_fact *fact,
                   int32_t node, int input, const struct constant *c,
                   bool *done)
{
    struct graft_vinfo *info =
        &p->facts[1].value[p->m->node.at[node].in[input]];
    const struct graft_host *before = info->host;
    struct graft_host other = *before;
    other.ints = c->to;
    info->host = &other;
    int status = graft_batch_try(p, fact, node, done);
    info->host = before;
    return status == GRAFT_EMEM ? status : GRAFT_OK;
}

static int note(struct graft_batch_plan *p, int32_t node, int input,
                const struct constant *c)
{
    struct graft_batch_patch *patch = graft_push(&p->patch);
    if (!patch)
        return GRAFT_EMEM;
    *patch = (struct graft_batch_patch){
        .node = node, .input = input, .to = c->to, .n = c->n,
        .was = p->m->node.at[node].in[input]};
    return GRAFT_OK;
}

int graft_batch_follow(struct graft_batch_plan *p, struct graft_fact *fact,
                       int32_t index, bool *done)
{
    const struct graft_node *node = &p->m->node.at[index];
    size_t r = 0, n_rows = sizeof rows / sizeof *rows;
    while (r < n_rows && (*node->domain || strcmp(rows[r].op, node->op_type)))
        r++;
    const struct graft_host *is =
        r < n_rows ? known(p, node, rows[r].input) : NULL;
    if (!is || node->out[0] < 0 || node->in[0] < 0)
        return GRAFT_OK;
    const struct graft_host *axes = known(p, node, 3);
    struct constant c = {
        .is = is->ints, .n = (int)graft_shape_count(&is->shape),
        .in = &p->facts[0].value[node->in[0]].shape,
        .out = &p->facts[0].value[node->out[0]].shape,
        .axes = axes ? axes->ints : NULL,
        .n_axes = axes ? (int)graft_shape_count(&axes->shape) : 0};
    c.to = graft_arena_array(&p->arena, (size_t)c.n + 1, sizeof *c.to);
    if (!c.to)
        return GRAFT_EMEM;
    int status = GRAFT_OK;
    for (int nth = 0; !status && !*done && rows[r].propose(&c, nth); nth++)
        status = try_one(p, fact, index, rows[r].input, &c, done);
    return !status && *done ? note(p, index, rows[r].input, &c) : status;
}
