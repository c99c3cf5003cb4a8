/* The memory of a fine-tuning: planned before it starts, by what stands there
 * already and what each of its phases adds.
 *
 *   features   programs, rows where they come of it, photos being read
 *   reading    rows that are pixels, or of what is held out, with photos
 *   steps      rows, gradients and optimizer; the frozen program only where
 *              rows are computed anew
 *
 * Judging val is lower than these: its rows are made as those of the photos
 * to train on were, no more at a time, with what trains at rest.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "task/tune.h"

enum {
    HELD_PART = 5,       /* one of five photos is held out */
    LIBRARIES = 3 << 20  /* what decoders and BLAS take beside Graft */
};

/* Where it starts, gradient, momentum and so on; a checkpoint that is read
 * holds the parameters and what the optimizer knows of them. */
static int64_t vectors_of(const struct graft_tune *u)
{
    const int states = strcmp(u->o.optimizer, "sgd") ? 2 : 1;
    const int ema = u->o.ema > 0;
    return u->u.selection->size * (int64_t)sizeof(real) *
           (2 + states + ema + (u->o.resume ? 1 + states + ema : 0));
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Records wait for being written together, in memory that doubles. */
static int64_t waiting(const struct graft_tune *u, int64_t rows)
{
    const int64_t most = 2 * (int64_t)GRAFT_CACHE_WAITING;
    if (u->t->o->no_cache || u->extract.raw || u->fresh)
        return 0;
    return 2 * rows < most ? 2 * rows : most;
}

/* What fewer photos than it has room for leave of the trained program's
 * activations. */
static int64_t of_photos(const struct graft_tune *u,
                         const struct graft_memory *m)
{
    const int shard = graft_program_n_max(u->u.program), n = u->t->train.n;
    return n < shard ? m->block_bytes / shard * n : m->block_bytes;
}

/* Bytes at the height of it; `probe`: of the program that gives the head its
 * features, where that is another one. What is asked for counts against a
 * limit at once; what the process is seen to take are pages once used, and
 * the trained program's are not before the steps. */
static int64_t height(const struct graft_tune *u,
                      const struct graft_tune_plan *p, int64_t rows,
                      int64_t probe, bool used)
{
    const int64_t live = (int64_t)graft_alloc_stats().live_bytes;
    const bool once = graft_tune_gives_features(u);
    const bool done = p->keep && !u->fresh; /* nothing is computed anew */
    struct graft_memory m;
    graft_program_memory(u->u.program, &m);
    const int64_t unused = used ? m.block_bytes + m.scratch_bytes : 0;
    const int64_t never = used ? m.block_bytes - of_photos(u, &m) : 0;
    const int64_t photos = p->photos + waiting(u, rows) / (used ? 2 : 1);
    const int64_t features = live + photos + (once ? p->rows : 0) - unused;
    const int64_t reading = live - probe + photos + p->rows - unused;
    const int64_t steps = live - probe + p->rows + p->vectors +
                          (done ? -p->frozen : photos) - never;
    return larger(larger(features, reading), steps);
}

static int64_t held_rows(const struct graft_tune *u, int64_t rows)
{
    return u->o.from_scratch ? 0 : rows / HELD_PART;
}

static int make(struct graft_tune *u, int64_t rows, bool keep)
{
    struct graft_training *t = u->t;
    int64_t probe = 0;
    struct graft_tune_plan p = {
        .step = graft_tunable_bytes(&u->u), .vectors = vectors_of(u),
        .rows = !keep ? 0 : !u->fresh ? rows : held_rows(u, rows),
        .keep = keep};
    int status = graft_extract_size(&p.frozen, &u->extract);
    if (!status && !u->automatic && !graft_tune_gives_features(u))
        status = graft_extract_size(&probe, &t->extract);
    if (status)
        return status;
    p.photos = graft_extract_photos(&u->extract, t->train.item, t->train.n,
                                    t->o->views != 0);
    p.counted = height(u, &p, rows, probe, false);
    p.total = height(u, &p, rows, probe, true) + t->base + LIBRARIES;
    u->plan = p;
    return GRAFT_OK;
}

static bool fits(const struct graft_tune *u)
{
    const uint64_t limit = u->t->rt->memory_limit;
    if (limit)
        return (uint64_t)u->plan.counted <= limit;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages < 1 || size < 1 ||
           (uint64_t)u->plan.rows <= (uint64_t)pages * (uint64_t)size / 2;
}

static void announce(const struct graft_tune *u)
{
    const double mb = 1e-6;
    const struct graft_tune_plan *p = &u->plan;
    const char *kept = "";
    if (!p->keep || u->fresh)
        kept = u->extract.raw ? " (read anew every epoch)"
               : u->fresh || u->t->o->no_cache ? " (computed anew every epoch)"
                                               : " (read from the cache)";
    graft_log(u->t->rt, GRAFT_LOG_INFO, "trains %d parameters (%lld numbers)"
              " in about %.0f MB: %.0f for a step, %.0f for gradients and "
              "optimizer, %.0f for %d photos%s; before that %.0f for the "
              "frozen part and %.0f for reading photos", u->u.selection->n,
              (long long)u->u.elements, mb * (double)p->total,
              mb * (double)p->step, mb * (double)p->vectors,
              mb * (double)p->rows, u->t->train.n, kept,
              mb * (double)p->frozen, mb * (double)p->photos);
}

/* Rows are kept where that fits; else the frozen part takes fewer photos at a
 * time, the last resort, as other batches round otherwise. */
int graft_tune_memory(struct graft_tune *u, int64_t rows)
{
    const int batch = graft_extract_batch(&u->extract);
    int status = make(u, rows, true);
    if (!status && !fits(u))
        status = make(u, rows, false);
    while (!status && u->t->rt->memory_limit && !fits(u) &&
           graft_extract_halve(&u->extract))
        status = make(u, rows, false);
    if (!status && u->t->rt->memory_limit && !fits(u))
        status = graft_fail(GRAFT_ELIMIT, "fine-tuning '%s' needs %.1f MB of "
                            "memory; the limit is %.1f MB (less to "
                            "unfreeze needs less)",
                            u->t->o->model, 1e-6 * (double)u->plan.counted,
                            1e-6 * (double)u->t->rt->memory_limit);
    if (!status && graft_extract_batch(&u->extract) < batch)
        graft_log(u->t->rt, GRAFT_LOG_INFO, "photos at a time through the "
                  "frozen part: %d, not %d, for the memory limit",
                  graft_extract_batch(&u->extract), batch);
    if (status)
        return status;
    u->most = larger(u->most, u->plan.total);
    announce(u);
    return GRAFT_OK;
}

void graft_tune_rest(struct graft_tune *u)
{
    if (!u->tuned) {
        graft_tune_shut(u);
        return;
    }
    graft_free(u->x);
    graft_free(u->row_of);
    graft_free(u->start);
    u->x = NULL;
    u->row_of = NULL;
    u->start = NULL;
}
