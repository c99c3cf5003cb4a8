/* Numbers of the batch's: Shape tells a graph how many images there are, and
 * what it computes from that is known while compiling, for n_max images. That
 * is fine where such a number is a size which grows with the batch (Reshape
 * to [N, 512]). Anywhere else (x / N, a slice up to N) the value is right for
 * n_max images only: it becomes whole_batch.
 *
 * How a number follows the batch is not guessed: the row is run for every
 * batch from 1 to n_max, and the results are compared.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "program/host.h"

/* Elements times batches tried at one node; above, numbers count as odd. */
enum { TRIES_MAX = 1 << 20 };

static bool by_batch(const struct graft_vinfo *v)
{
    return v->present && (v->of_batch || v->shape_of_batch);
}

static bool is_host_in(const struct graft_op *op, int i)
{
    return i < 32 && op->host_in >> i & 1;
}

/* ---- numbers from numbers ------------------------------------------------ */

static int set_odd(struct graft_facts *f, struct graft_vinfo *v, bool shape)
{
    int64_t n = graft_shape_count(&v->shape);
    int64_t *by = graft_arena_array(f->arena, (size_t)n + 1, sizeof *by);
    if (!by)
        return GRAFT_EMEM;
    for (int64_t i = 0; i < n; i++)
        by[i] = GRAFT_BATCH_ODD;
    v->of_batch = by;
    v->shape_of_batch = shape;
    return GRAFT_OK;
}

static int all_odd(struct graft_facts *f, struct graft_infer *x, bool shape)
{
    int status = GRAFT_OK;
    for (int k = 0; !status && k < x->n_out; k++)
        if (x->node->out[k] >= 0)
            status = set_odd(f, &x->out[k], shape);
    return status;
}

/* Whether every number that follows the batch does so proportionally, and
 * trying is not too much. */
static bool can_try(const struct graft_facts *f, const struct graft_infer *x)
{
    int64_t all = 0;
    for (int i = 0; i < x->n_in; i++) {
        int64_t n = x->in[i].of_batch ? graft_shape_count(&x->in[i].shape)
                                      : 0;
        for (int64_t e = 0; e < n; e++)
            if (x->in[i].of_batch[e] == GRAFT_BATCH_ODD)
                return false;
        all += n;
    }
    for (int k = 0; k < x->n_out; k++)
        all += graft_shape_count(&x->out[k].shape);
    return all <= TRIES_MAX / f->n_max;
}

/* Copies of the inputs that follow the batch and of all outputs, for other
 * batches to be written to. */
static int copy_views(struct graft_facts *f, const struct graft_infer *x,
                      struct graft_view *in, struct graft_view *out)
{
    for (int i = 0; i < x->n_in + x->n_out; i++) {
        struct graft_view *v = i < x->n_in ? &in[i] : &out[i - x->n_in];
        if (!v->data || (i < x->n_in && !x->in[i].of_batch))
            continue;
        size_t size = graft_dtype_size((int)v->fmt.dtype);
        size_t n = (size_t)graft_count(v);
        void *data = graft_arena_array(f->arena, n + 1, size);
        if (!data)
            return GRAFT_EMEM;
        memcpy(data, v->data, n * size);
        v->data = data;
    }
    return GRAFT_OK;
}

static void set_batch(const struct graft_vinfo *info,
                      const struct graft_view *v, int n)
{
    int64_t count = info->of_batch ? graft_count(v) : 0;
    for (int64_t e = 0; e < count; e++) {
        int64_t number = info->of_batch[e] * n;
        if (info->of_batch[e] && info->host->reals)
            graft_reals(v)[e] = (real)number;
        else if (info->of_batch[e])
            graft_ints(v)[e] = number;
    }
}

/* Times n_max that element e is a whole positive number of; 0: none. */
static int64_t factor(const struct graft_host *h, int64_t e, int n_max)
{
    double x = h->reals ? (double)h->reals[e] : 0;
    if (h->reals && !(x > 0 && x < 0x1p53 && x == floor(x)))
        return 0;
    int64_t i = h->reals ? (int64_t)x : h->ints[e];
    return i > 0 && i % n_max == 0 ? i / n_max : 0;
}

static bool is_number(const struct graft_view *v, int64_t e, int64_t x)
{
    return v->fmt.dtype == GRAFT_REAL ? graft_reals(v)[e] == (real)x
                                      : graft_ints(v)[e] == x;
}

static bool is_same(const struct graft_view *v, int64_t e,
                    const struct graft_host *h)
{
    return h->reals ? memcmp(&graft_reals(v)[e], &h->reals[e],
                             sizeof(real)) == 0
                    : graft_ints(v)[e] == h->ints[e];
}

/* Per element of an output: what every batch so far has in common. */
struct guess {
    bool *same, *grows;
    int64_t *by;
};

static int new_guess(struct graft_facts *f, struct guess *g, int64_t n)
{
    size_t room = (size_t)n + 1;
    g->same = graft_arena_array(f->arena, room, sizeof *g->same);
    g->grows = graft_arena_array(f->arena, room, sizeof *g->grows);
    g->by = graft_arena_array(f->arena, room, sizeof *g->by);
    if (!g->same || !g->grows || !g->by)
        return GRAFT_EMEM;
    memset(g->same, true, room);
    memset(g->grows, true, room);
    return GRAFT_OK;
}

static void compare(struct guess *g, const struct graft_host *h,
                    const struct graft_view *v, int n, int n_max)
{
    for (int64_t e = 0; e < graft_count(v); e++) {
        int64_t by = factor(h, e, n_max);
        g->same[e] &= is_same(v, e, h);
        g->grows[e] &= by && is_number(v, e, by * n);
        g->by[e] = g->same[e] ? 0 : g->grows[e] ? by : GRAFT_BATCH_ODD;
    }
}

static int try_batches(struct graft_facts *f, struct graft_infer *x)
{
    struct graft_view *in, *out;
    struct guess *g = graft_arena_array(f->arena, (size_t)x->n_out + 1,
                                        sizeof *g);
    int status = g ? graft_host_views(f, x, &in, &out) : GRAFT_EMEM;
    if (!status)
        status = copy_views(f, x, in, out);
    for (int k = 0; !status && k < x->n_out; k++) {
        status = new_guess(f, &g[k], graft_shape_count(&x->out[k].shape));
        x->out[k].of_batch = g[k].by;
    }
    for (int n = 1; !status && n < f->n_max; n++) {
        for (int i = 0; i < x->n_in; i++)
            set_batch(&x->in[i], &in[i], n);
        graft_host_run(x, in, out);
        for (int k = 0; k < x->n_out; k++)
            if (out[k].data)
                compare(&g[k], x->out[k].host, &out[k], n, f->n_max);
    }
    return status;
}

/* NULL says the same as all 0, and sooner. */
static void forget_zeros(struct graft_infer *x)
{
    for (int k = 0; k < x->n_out; k++) {
        int64_t n = graft_shape_count(&x->out[k].shape), e = 0;
        while (x->out[k].of_batch && e < n && !x->out[k].of_batch[e])
            e++;
        if (e == n)
            x->out[k].of_batch = NULL;
    }
}

/* ---- data from numbers --------------------------------------------------- */

/* Whether the known shape of output 0 lets it grow with the batch as
 * per_image says, and nothing else of it change. */
static bool shape_follows(const struct graft_infer *x)
{
    int i = 0;
    while (!is_host_in(x->op, i))
        i++;
    const struct graft_vinfo *to = &x->in[i], *y = &x->out[0];
    if (!to->present || !to->host || !to->host->ints)
        return false;
    int64_t n = graft_shape_count(&to->shape), first = y->shape.rank - n;
    for (int64_t j = 0; j < n; j++) {
        int64_t by = to->of_batch ? to->of_batch[j] : 0;
        bool sizes = first + j == 0 && y->per_image;
        if (by && !(sizes && by == y->per_image))
            return false;
        if (sizes && !by && to->host->ints[j] > 1) /* 0: as it is; -1: the
                                     rest; 1: expands to what is there */
            return false;
    }
    return true;
}

static void belong_to_batch(struct graft_infer *x)
{
    for (int k = 0; k < x->n_out; k++) {
        x->out[k].per_image = 0;
        x->out[k].whole_batch = true;
    }
}

int graft_number_follow(struct graft_facts *f, struct graft_infer *x,
                        bool constant)
{
    bool sizes = false, data = false, odd = false;
    for (int i = 0; i < x->n_in; i++) {
        sizes |= by_batch(&x->in[i]) && is_host_in(x->op, i);
        data |= by_batch(&x->in[i]) && !is_host_in(x->op, i);
        odd |= x->in[i].present && x->in[i].shape_of_batch;
    }
    bool shaped = x->op->flags & GRAFT_OP_SHAPED;
    if (!constant) {
        if (data || (shaped ? !shape_follows(x) : sizes))
            belong_to_batch(x);
        return GRAFT_OK;
    }
    if (sizes)
        return all_odd(f, x, true);
    if (!data || !(x->op->flags & GRAFT_OP_HOST)) /* Shape has told itself */
        return GRAFT_OK;
    if (odd || !can_try(f, x))
        return all_odd(f, x, odd);
    int status = try_batches(f, x);
    if (!status)
        forget_zeros(x);
    return status;
}

void graft_facts_outputs(struct graft_facts *f, const graft_value_id *out,
                         int n)
{
    for (int i = 0; f->batch_varies && i < n; i++)
        if (by_batch(&f->value[out[i]])) {
            f->value[out[i]].per_image = 0;
            f->value[out[i]].whole_batch = true;
        }
}
