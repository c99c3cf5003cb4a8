/* What a step learns from: the rows of its photos as the epoch's views show
 * them, mixed in pairs where that was asked for.
 *
 * Mixup (Zhang et al. 2018) mixes the rows that the trained part reads: pixels
 * where nothing is frozen in front of it, else what crosses (manifold mixup,
 * Verma et al. 2019), which costs the frozen part nothing. Photos 2k and
 * 2k + 1 of a step are a pair, and its part is drawn by the pair's number in
 * the whole training: neither shards, nor threads, nor stopping change it.
 * The order of an epoch is random, so partners are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/tune.h"
#include "train/tuples.h"

/* Where the rows of a shard stand: its own from 0 on, behind them the partner
 * of its first photo and that of its last, where those are not its own. */
struct pairs {
    const struct graft_shard *s;
    int64_t first; /* of the shard in its step */
    int rows;
};

static struct pairs pairs_of(const struct graft_shard *s, bool mixed)
{
    struct pairs p = {s, s->index - s->batch, s->n};
    const int64_t end = p.first + s->n;
    if (mixed)
        p.rows += (p.first % 2 == 1) + (end % 2 == 1 && end < s->n_batch);
    return p;
}

/* The row of photo `at` of the step, -1: not here. */
static int64_t row_at(const struct pairs *p, int64_t at)
{
    const int64_t i = at - p->first;
    if (i >= 0 && i < p->s->n)
        return i;
    return at >= p->s->n_batch ? -1 : i < 0 ? p->s->n : p->rows - 1;
}

static int64_t photo_at(const struct pairs *p, int64_t row)
{
    if (row < p->s->n)
        return p->first + row;
    return p->first % 2 && row == p->s->n ? p->first - 1
                                          : p->first + p->s->n;
}

/* The label's part goes to its partner's, as their rows do. */
static void mix_targets(real *row, int32_t own, int32_t other, double part)
{
    const double is = (double)row[own], is_not = (double)row[other];
    row[own] = (real)(part * is + (1 - part) * is_not);
    row[other] = (real)(part * is_not + (1 - part) * is);
}

static void mix_pair(struct graft_tune *u, const struct pairs *p, int64_t k)
{
    const int64_t at[2] = {row_at(p, 2 * k), row_at(p, 2 * k + 1)};
    const int64_t classes = graft_program_classes(p->s->program);
    real *target = graft_program_target_rows(p->s->program);
    const uint64_t pairs = ((uint64_t)u->o.batch_size + 1) / 2;
    if (at[1] < 0)
        return; /* the last of an odd number */
    double part = graft_mixup(u->rows + at[0] * u->u.floats,
                              u->rows + at[1] * u->u.floats,
                              u->u.crossing.floats, u->t->o->seed,
                              (uint64_t)p->s->step * pairs + (uint64_t)k,
                              u->o.mixup);
    for (int i = 0; i < 2; i++)
        if (at[i] < p->s->n)
            mix_targets(target + at[i] * classes, u->label[u->place[at[i]]],
                        u->label[u->place[at[1 - i]]], part);
}

int graft_tune_fill(void *ctx, const struct graft_shard *s)
{
    struct graft_tune *u = ctx;
    struct graft_shard own = *s;
    const bool mixed = u->o.mixup > 0;
    const struct pairs p = pairs_of(s, mixed);
    own.index = u->place;
    for (int i = 0; i < p.rows; i++)
        u->place[i] = u->subset[s->batch[photo_at(&p, i)]];
    int status = graft_tune_fetch(u, u->place, p.rows,
                                  u->fresh ? 1 + (int)s->epoch : 0);
    if (status)
        return status;
    graft_targets_fill(&own, u->label, u->o.label_smoothing, NULL);
    for (int64_t k = p.first / 2; mixed && k <= (p.first + s->n - 1) / 2; k++)
        mix_pair(u, &p, k);
    graft_tunable_put(&u->u, u->rows, u->u.floats, s->n);
    return GRAFT_OK;
}
