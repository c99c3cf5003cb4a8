/* Adapting statistics in a piece of a network (adapt.c says how). Means and
 * squared differences of batches are put together as Chan, Golub and LeVeque
 * (1979) have it, in double, in the order of the photos.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "ops/batchnorm.h"
#include "task/adapt_impl.h"

enum { BATCH = GRAFT_BATCH_DEFAULT };

/* A piece of the network, from x->at to `to`. */
struct piece {
    struct graft_adapting *x;
    graft_value_id to;
    struct graft_program *program;
    struct graft_statistics *norm;
    int *level;            /* per normalisation: how many stand before it in
                              this piece, and itself */
    double *mean, *square; /* as in the running statistics; of squared
                              differences the sums */
    double *count;         /* per normalisation */
    int norms, levels;
    float *y;              /* what `to` is for the photos so far; NULL: not
                              asked for */
    int done;              /* photos of this pass */
};

/* ---- what there is to do ------------------------------------------------- */

/* All in rows: which layout a convolution would work in depends on where its
 * piece begins, so on the memory there is, and layouts round otherwise. */
static int compile(struct piece *p)
{
    struct graft_adapting *x = p->x;
    const struct graft_model *m = x->a->model;
    const struct graft_preprocess *q = x->a->preprocess;
    const int fixed = graft_model_fixed_batch(m);
    const graft_value_id input = graft_model_feed(m, 0);
    const struct graft_input_dims dims = {
        .value = input, .shape = {4, {1, q->channels, q->height, q->width}}};
    const struct graft_compile c = {
        .model = m, .n_max = fixed ? fixed : BATCH, .inputs = &dims,
        .n_inputs = 1, .outputs = &p->to, .n_outputs = 1,
        .feeds = &x->at, .n_feeds = x->at != input,
        .exact = x->a->rt->exact, .bn = GRAFT_BN_BATCH,
        .skip_passes = graft_pass_bit("layout")};
    if (fixed > 1)
        return graft_fail(GRAFT_EUNSUPPORTED, "--bn adapt: '%s' works on "
                          "exactly %d photos at a time, so statistics would "
                          "be those of padding too", m->path, fixed);
    return graft_program_new(&p->program, x->a->rt, &c);
}

/* Normalisations on the longest way to each value, within the piece. */
static int find_levels(struct piece *p)
{
    const struct graft_model *m = p->x->a->model;
    int *depth = graft_calloc((size_t)m->value.n + 1, sizeof *depth);
    if (!depth)
        return GRAFT_EMEM;
    for (int at = 0; at < m->node.n; at++) {
        const struct graft_node *node = &m->node.at[at];
        int most = 0;
        for (int k = 0; !node->removed && k < node->n_in; k++)
            if (node->in[k] >= 0 && depth[node->in[k]] > most)
                most = depth[node->in[k]];
        for (int i = 0; i < p->norms; i++)
            if (!node->removed && node->n_in > GRAFT_BN_MEAN &&
                node->in[GRAFT_BN_MEAN] == p->norm[i].mean)
                p->level[i] = ++most;
        for (int k = 0; !node->removed && k < node->n_out; k++)
            if (node->out[k] >= 0)
                depth[node->out[k]] = most;
    }
    for (int i = 0; i < p->norms; i++)
        if (p->level[i] > p->levels)
            p->levels = p->level[i];
    graft_free(depth);
    return GRAFT_OK;
}

static int make_room(struct piece *p)
{
    int64_t size;
    graft_program_running(p->program, &size);
    p->norms = graft_program_n_statistics(p->program);
    const size_t n = (size_t)p->norms + 1;
    p->level = graft_calloc(n, sizeof *p->level);
    p->norm = graft_calloc(n, sizeof *p->norm);
    p->count = graft_calloc(n, sizeof *p->count);
    p->mean = graft_calloc((size_t)size + 1, sizeof *p->mean);
    p->square = graft_calloc((size_t)size + 1, sizeof *p->square);
    if (!p->level || !p->norm || !p->count || !p->mean || !p->square)
        return GRAFT_EMEM;
    for (int i = 0; i < p->norms; i++)
        p->norm[i] = graft_program_statistics(p->program, i);
    return find_levels(p);
}

/* ---- a pass -------------------------------------------------------------- */

/* Puts together what is known of normalisation i and its last batch. */
static void add(struct piece *p, int i)
{
    const struct graft_statistics s = graft_program_statistics(p->program, i);
    const double a = p->count[i], b = (double)s.count;
    double *mean = p->mean + s.offset, *square = p->square + s.offset;
    for (int64_t c = 0; c < s.channels; c++) {
        const double d = (double)s.batch_mean[c] - mean[c];
        mean[c] += d * b / (a + b);
        square[c] += (double)s.batch_var[c] * b + d * d * a * b / (a + b);
    }
    p->count[i] = a + b;
}

/* level 0: the piece's result is kept. */
static int run(struct piece *p, const float *rows, int n, int level)
{
    const int at_once = graft_program_n_max(p->program);
    const struct graft_view v = graft_program_output(p->program, 0);
    const int64_t each = graft_count(&v) / at_once;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < n; i += at_once) {
        int count = n - i < at_once ? n - i : at_once;
        graft_program_put(p->program, 0, rows + i * p->x->floats, count);
        status = graft_program_forward(p->program, count);
        for (int k = 0; !status && k < p->norms; k++)
            if (level && p->level[k] == level)
                add(p, k);
        for (int64_t e = 0; !status && !level && e < count * each; e++)
            p->y[p->done * each + e] = (float)graft_reals(&v)[e];
        p->done += count;
    }
    return status;
}

/* Those of the photos read that can be, side by side; their number. */
static int gather(struct graft_adapting *x, int first, int n)
{
    int found = 0;
    for (int i = 0; i < n; i++)
        if (!x->item[first + i].failed)
            memmove(x->batch + x->floats * found++, x->batch + x->floats * i,
                    (size_t)x->floats * sizeof *x->batch);
    return found;
}

static int pass(struct piece *p, int level)
{
    struct graft_adapting *x = p->x;
    const int n = x->x ? x->n : x->n_items;
    int status = GRAFT_OK;
    p->done = 0;
    for (int i = 0; !status && i < n; i += BATCH) {
        const int count = n - i < BATCH ? n - i : BATCH;
        status = graft_runtime_check(x->a->rt);
        if (!status && !x->x)
            status = graft_extract_rows(&x->extract, x->item + i, count,
                                        x->batch);
        if (!status && !x->x)
            status = graft_adapt_check(x, i, count);
        if (!status)
            status = x->x ? run(p, x->x + i * x->floats, count, level)
                          : run(p, x->batch, gather(x, i, count), level);
    }
    if (!status && !p->done)
        status = graft_fail(GRAFT_EDATA, "--bn adapt: none of the %d photos "
                            "to train on can be read", x->n_items);
    x->n = p->done;
    return status;
}

/* What was measured of this level is what it works with from now on. */
static void take(struct piece *p, int level)
{
    int64_t size;
    real *running = graft_program_running(p->program, &size);
    for (int i = 0; i < p->norms; i++)
        for (int64_t c = 0; p->level[i] == level && c < p->norm[i].channels;
             c++) {
            const int64_t at = p->norm[i].offset + c;
            running[at] = (real)p->mean[at];
            running[at + p->norm[i].channels] =
                (real)(p->square[at] / p->count[i]);
        }
}

/* ---- a piece ------------------------------------------------------------- */

static int keep(struct piece *p)
{
    int64_t size;
    const real *running = graft_program_running(p->program, &size);
    for (int i = 0; i < p->norms; i++) {
        struct graft_adapted *f = graft_push(&p->x->found);
        if (!f)
            return GRAFT_EMEM;
        const int64_t n = p->norm[i].channels;
        *f = (struct graft_adapted){.mean = p->norm[i].mean,
                                    .var = p->norm[i].var, .channels = n};
        f->at = graft_calloc(2 * (size_t)n, sizeof *f->at);
        if (!f->at)
            return GRAFT_EMEM;
        memcpy(f->at, running + p->norm[i].offset,
               2 * (size_t)n * sizeof *f->at);
    }
    return GRAFT_OK;
}

static int tell(const struct graft_adapting *x)
{
    const struct graft_adapt *a = x->a;
    return a->progress && a->progress(a->progress_ctx, "adapt",
                                      "normalisations",
                                      (uint64_t)x->found.n,
                                      (uint64_t)graft_norms_count(a->model))
               ? graft_fail(GRAFT_ECANCELED, "cancelled") : GRAFT_OK;
}

/* Photos get to p->to. */
static int advance(struct piece *p, int64_t floats)
{
    struct graft_adapting *x = p->x;
    p->y = graft_alloc_aligned((size_t)x->n * (size_t)floats *
                               sizeof *p->y);
    int status = p->y ? pass(p, 0) : GRAFT_EMEM;
    if (status)
        return status;
    graft_free(x->x);
    x->x = p->y;
    p->y = NULL;
    x->at = p->to;
    x->floats = floats;
    return GRAFT_OK;
}

int graft_adapt_piece(struct graft_adapting *x, graft_value_id to,
                      int64_t floats)
{
    struct piece p = {.x = x, .to = to};
    int status = compile(&p);
    if (!status)
        status = make_room(&p);
    if (!status)
        graft_program_norm(p.program, GRAFT_NORM_BOTH);
    for (int level = 1; !status && level <= p.levels; level++) {
        status = pass(&p, level);
        if (!status)
            take(&p, level);
    }
    if (!status)
        status = keep(&p);
    if (!status && floats) {
        graft_program_norm(p.program, GRAFT_NORM_RUNNING);
        status = advance(&p, floats);
    }
    void *owned[] = {p.level, p.norm, p.count, p.mean, p.square, p.y};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        graft_free(owned[i]);
    graft_program_free(p.program);
    return status ? status : tell(x);
}
