/* Walks, copies between orders, and sums over dimensions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/walk.h"

#include <string.h>

enum { TASK = 16384 }; /* elements of a task */

/* ---- spaces ----------------------------------------------------------- */

void graft_walk_init(struct graft_walk *w, const struct graft_shape *space)
{
    *w = (struct graft_walk){.rank = space->rank};
    memcpy(w->dim, space->dim, sizeof w->dim);
}

void graft_walk_add(struct graft_walk *w, const int64_t *stride)
{
    memcpy(w->stride[w->arrays++], stride,
           (size_t)w->rank * sizeof *stride);
}

void graft_dense_strides(int64_t *stride, const struct graft_shape *s)
{
    int64_t step = 1;
    for (int d = s->rank - 1; d >= 0; d--) {
        stride[d] = step;
        step *= s->dim[d];
    }
}

void graft_walk_add_broadcast(struct graft_walk *w,
                              const struct graft_shape *s)
{
    int64_t dense[GRAFT_MAX_RANK], stride[GRAFT_MAX_RANK] = {0};
    graft_dense_strides(dense, s);
    for (int d = 0; d < s->rank; d++)
        if (s->dim[d] != 1)
            stride[d + w->rank - s->rank] = dense[d];
    graft_walk_add(w, stride);
}

/* Whether dimension d of every array steps as a multiple of d + 1. */
static bool mergeable(const struct graft_walk *w, int d)
{
    for (int k = 0; k < w->arrays; k++)
        if (w->stride[k][d] != w->stride[k][d + 1] * w->dim[d + 1])
            return false;
    return true;
}

static void remove_dim(struct graft_walk *w, int d)
{
    size_t after = (size_t)(w->rank - d - 1) * sizeof *w->dim;
    memmove(w->dim + d, w->dim + d + 1, after);
    for (int k = 0; k < w->arrays; k++)
        memmove(w->stride[k] + d, w->stride[k] + d + 1, after);
    w->rank--;
}

void graft_walk_merge(struct graft_walk *w)
{
    for (int d = w->rank - 1; d >= 0; d--)
        if (w->dim[d] == 1)
            remove_dim(w, d);
    for (int d = w->rank - 2; d >= 0; d--)
        if (mergeable(w, d)) {
            w->dim[d + 1] *= w->dim[d];
            remove_dim(w, d);
        }
    if (!w->rank) {
        w->rank = 1;
        w->dim[0] = 1;
        for (int k = 0; k < w->arrays; k++)
            w->stride[k][0] = 0;
    }
}

static int64_t space_of(const struct graft_walk *w)
{
    int64_t n = 1;
    for (int d = 0; d < w->rank; d++)
        n *= w->dim[d];
    return n;
}

/* ---- each ------------------------------------------------------------- */

struct each {
    const struct graft_walk *w;
    graft_run_fn *fn;
    const void *ctx;
    int64_t total;
};

static void offsets_at(const struct graft_walk *w, int64_t at,
                       int64_t *offset)
{
    memset(offset, 0, GRAFT_WALK_ARRAYS * sizeof *offset);
    for (int d = w->rank - 1; d >= 0; d--) {
        int64_t i = at % w->dim[d];
        at /= w->dim[d];
        for (int k = 0; k < w->arrays; k++)
            offset[k] += i * w->stride[k][d];
    }
}

static void each_task(void *ctx, int64_t task, int worker)
{
    const struct each *e = ctx;
    int64_t run = e->w->dim[e->w->rank - 1];
    int64_t at = task * TASK, end = at + TASK;
    int64_t offset[GRAFT_WALK_ARRAYS];
    (void)worker;
    if (end > e->total)
        end = e->total;
    while (at < end) {
        int64_t n = run - at % run;
        if (n > end - at)
            n = end - at;
        offsets_at(e->w, at, offset);
        e->fn(e->ctx, n, at, offset);
        at += n;
    }
}

void graft_walk_each(const struct graft_walk *w, struct graft_pool *pool,
                     graft_run_fn *fn, const void *ctx)
{
    struct each e = {w, fn, ctx, space_of(w)};
    graft_pool_for(pool, (e.total + TASK - 1) / TASK, each_task, &e);
}

/* ---- move ------------------------------------------------------------- */

static void copy4(int64_t n, char *dst, int64_t ds, const char *src,
                  int64_t ss)
{
    for (int64_t i = 0; i < n; i++)
        memcpy(dst + i * ds * 4, src + i * ss * 4, 4);
}

static void copy8(int64_t n, char *dst, int64_t ds, const char *src,
                  int64_t ss)
{
    for (int64_t i = 0; i < n; i++)
        memcpy(dst + i * ds * 8, src + i * ss * 8, 8);
}

static void add_reals(int64_t n, real *dst, int64_t ds, const real *src,
                      int64_t ss)
{
    for (int64_t i = 0; i < n; i++)
        dst[i * ds] += src[i * ss];
}

static void move_piece(const void *ctx, int64_t n, int64_t at,
                       const int64_t *offset)
{
    const struct graft_move *m = ctx;
    int last = m->walk.rank - 1;
    int64_t ds = m->walk.stride[0][last], ss = m->walk.stride[1][last];
    char *dst = (char *)m->dst + offset[0] * (int64_t)m->size;
    const char *src = (const char *)m->src + offset[1] * (int64_t)m->size;
    (void)at;
    if (m->add)
        add_reals(n, (real *)m->dst + offset[0], ds,
                  (const real *)m->src + offset[1], ss);
    else if (ds == 1 && ss == 1)
        memcpy(dst, src, (size_t)n * m->size);
    else if (m->size == 4)
        copy4(n, dst, ds, src, ss);
    else
        copy8(n, dst, ds, src, ss);
}

void graft_move_run(const struct graft_move *m, struct graft_pool *pool)
{
    graft_walk_each(&m->walk, pool, move_piece, m);
}

/* ---- fold ------------------------------------------------------------- */

/* The walk's dimensions but the last, split into kept and summed ones. */
struct folding {
    const struct graft_fold *f;
    bool inner_kept;
    int64_t run, pieces;   /* pieces of a kept run, of FOLD_ROOM elements */
    int kept[GRAFT_MAX_RANK], n_kept;
    int summed[GRAFT_MAX_RANK], n_summed;
    int64_t sums;          /* product of summed outer dimensions */
    int64_t flat[GRAFT_MAX_RANK]; /* of the space itself */
};

/* Adds index i of the dimensions list[0..n-1] to flat index and offsets. */
static void step_to(const struct folding *g, const int *list, int n,
                    int64_t i, int64_t *at, int64_t *offset)
{
    const struct graft_walk *w = &g->f->walk;
    for (int j = n - 1; j >= 0; j--) {
        int d = list[j];
        int64_t x = i % w->dim[d];
        i /= w->dim[d];
        *at += x * g->flat[d];
        for (int k = 0; k < w->arrays; k++)
            offset[k] += x * w->stride[k][d];
    }
}

static void shift(const struct graft_walk *w, int64_t by, int64_t *at,
                  int64_t *offset)
{
    *at += by;
    for (int k = 0; k < w->arrays; k++)
        offset[k] += by * w->stride[k][w->rank - 1];
}

static void put(const struct graft_fold *f, int64_t at, double sum)
{
    real x = (real)(f->factor * sum);
    f->target[at] = f->add ? f->target[at] + x : x;
}

/* One number of the target: the run itself is summed. */
static void fold_number(const struct folding *g, int64_t at0,
                        const int64_t *offset0)
{
    const struct graft_fold *f = g->f;
    real room[GRAFT_FOLD_ROOM];
    double sum = 0;
    for (int64_t s = 0; s < g->sums; s++) {
        int64_t at = at0, offset[GRAFT_WALK_ARRAYS];
        memcpy(offset, offset0, sizeof offset);
        step_to(g, g->summed, g->n_summed, s, &at, offset);
        for (int64_t i = 0; i < g->run; i += GRAFT_FOLD_ROOM) {
            int64_t n = g->run - i;
            if (n > GRAFT_FOLD_ROOM)
                n = GRAFT_FOLD_ROOM;
            sum += f->k->pointwise.sum(n, f->terms(f, n, at, offset, room));
            shift(&f->walk, n, &at, offset);
        }
    }
    put(f, offset0[0], sum);
}

/* n numbers of the target along the run. */
static void fold_piece(const struct folding *g, int64_t n, int64_t at0,
                       const int64_t *offset0)
{
    const struct graft_fold *f = g->f;
    int64_t step = f->walk.stride[0][f->walk.rank - 1];
    real room[GRAFT_FOLD_ROOM];
    double sum[GRAFT_FOLD_ROOM] = {0};
    for (int64_t s = 0; s < g->sums; s++) {
        int64_t at = at0, offset[GRAFT_WALK_ARRAYS];
        memcpy(offset, offset0, sizeof offset);
        step_to(g, g->summed, g->n_summed, s, &at, offset);
        const real *x = f->terms(f, n, at, offset, room);
        for (int64_t i = 0; i < n; i++)
            sum[i] += (double)x[i];
    }
    for (int64_t i = 0; i < n; i++)
        put(f, offset0[0] + i * step, sum[i]);
}

static void fold_task(void *ctx, int64_t task, int worker)
{
    const struct folding *g = ctx;
    int64_t at = 0, offset[GRAFT_WALK_ARRAYS] = {0};
    (void)worker;
    step_to(g, g->kept, g->n_kept, task / g->pieces, &at, offset);
    if (!g->inner_kept) {
        fold_number(g, at, offset);
        return;
    }
    int64_t from = task % g->pieces * GRAFT_FOLD_ROOM, n = g->run - from;
    shift(&g->f->walk, from, &at, offset);
    fold_piece(g, n < GRAFT_FOLD_ROOM ? n : GRAFT_FOLD_ROOM, at, offset);
}

void graft_fold_run(const struct graft_fold *f, struct graft_pool *pool)
{
    const struct graft_walk *w = &f->walk;
    int last = w->rank - 1;
    struct folding g = {.f = f, .sums = 1, .run = w->dim[last], .pieces = 1,
                        .inner_kept = w->stride[0][last] != 0};
    struct graft_shape space = {.rank = w->rank};
    memcpy(space.dim, w->dim, sizeof space.dim);
    graft_dense_strides(g.flat, &space);
    int64_t tasks = 1;
    for (int d = 0; d < last; d++)
        if (w->stride[0][d]) {
            g.kept[g.n_kept++] = d;
            tasks *= w->dim[d];
        } else {
            g.summed[g.n_summed++] = d;
            g.sums *= w->dim[d];
        }
    if (g.inner_kept)
        g.pieces = (g.run + GRAFT_FOLD_ROOM - 1) / GRAFT_FOLD_ROOM;
    graft_pool_for(pool, tasks * g.pieces, fold_task, &g);
}
