/* Offsets of buffers in one block: each goes into the smallest gap between
 * those that live at the same time. Which order to place them in decides how
 * good that gets, so several are tried, improved upon, and the smallest block
 * is kept.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "program/compiler.h"

struct item {
    int64_t bytes, offset; /* rounded up to cache lines */
    int first, last, index;
    double rank;           /* largest first */
};

static bool meet(const struct item *a, const struct item *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* ---- orders ------------------------------------------------------------- */

static double by_size(const struct item *x)
{
    return (double)x->bytes;
}
static double by_area(const struct item *x)
{
    return (double)x->bytes * (x->last - x->first + 1);
}
static double by_life(const struct item *x)
{
    return x->last - x->first;
}
static double by_start(const struct item *x)
{
    return -x->first;
}
static double by_end(const struct item *x)
{
    return x->last;
}
static double by_root_area(const struct item *x)
{
    return (double)x->bytes * (double)x->bytes * (x->last - x->first + 1);
}

static double (*const orders[])(const struct item *) = {
    by_size, by_area, by_root_area, by_life, by_start, by_end};

static int compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* ---- placing ------------------------------------------------------------ */

/* Items placed so far, by offset. Returns the smallest fitting gap's start
 * among those that live when x does. */
static int64_t best_gap(struct item *const *placed, int n,
                        const struct item *x)
{
    int64_t end = 0, best = -1, best_size = INT64_MAX;
    for (int i = 0; i < n; i++) {
        if (!meet(placed[i], x))
            continue;
        int64_t gap = placed[i]->offset - end;
        if (gap >= x->bytes && gap < best_size) {
            best = end;
            best_size = gap;
        }
        if (placed[i]->offset + placed[i]->bytes > end)
            end = placed[i]->offset + placed[i]->bytes;
    }
    return best >= 0 ? best : end;
}

static int64_t place_all(struct item *item, int n, struct item **placed)
{
    int64_t total = 0;
    for (int i = 0; i < n; i++) {
        item[i].offset = best_gap(placed, i, &item[i]);
        int at = i;
        while (at > 0 && placed[at - 1]->offset > item[i].offset) {
            placed[at] = placed[at - 1];
            at--;
        }
        placed[at] = &item[i];
        if (item[i].offset + item[i].bytes > total)
            total = item[i].offset + item[i].bytes;
    }
    return total;
}

/* ---- what must be there at once ----------------------------------------- */

static int64_t live_at(const struct graft_compiler *c, bool local, int time)
{
    int64_t sum = 0;
    for (int i = 0; i < c->buffer.n; i++)
        if (c->buffer.at[i].local == local &&
            c->buffer.at[i].first <= time && time <= c->buffer.at[i].last)
            sum += c->buffer.at[i].bytes;
    return sum;
}

static int gather(const struct graft_compiler *c, bool local,
                  struct item *item, int *n)
{
    int64_t sum = 0;
    *n = 0;
    for (int i = 0; i < c->buffer.n; i++) {
        const struct graft_buffer *b = &c->buffer.at[i];
        if (b->bytes < 0 || !graft_add_size(&sum, sum, b->bytes) ||
            !graft_add_size(&sum, sum, GRAFT_ALIGN))
            return graft_fail(GRAFT_ELIMIT, "the values together are too "
                              "large for this machine's addresses");
        if (b->bytes == 0 || b->local != local)
            continue;
        int64_t bytes = (b->bytes + GRAFT_ALIGN - 1) / GRAFT_ALIGN *
                        GRAFT_ALIGN;
        item[(*n)++] = (struct item){bytes, 0, b->first, b->last, i, 0};
    }
    return GRAFT_OK;
}

/* The best arrangement so far. */
struct best {
    struct graft_compiler *c;
    struct item *item, **placed;
    int n;
    int64_t total, live; /* bytes; total -1: none yet */
};

static void try_order(struct best *b)
{
    struct graft_compiler *c = b->c;
    int64_t total = place_all(b->item, b->n, b->placed);
    if (b->total >= 0 && total >= b->total)
        return;
    b->total = total;
    for (int i = 0; i < b->n; i++)
        c->buffer.at[b->item[i].index].offset = b->item[i].offset;
}

static void try_orders(struct best *b)
{
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        for (int i = 0; i < b->n; i++)
            b->item[i].rank = orders[o](&b->item[i]);
        qsort(b->item, (size_t)b->n, sizeof *b->item, compare);
        try_order(b);
    }
}

/* What ended up on top is placed earlier the next time: half way to the
 * front at first, then nearer and nearer. */
static void improve(struct best *b)
{
    enum { ROUNDS = 200 };
    for (int i = 0; i < b->n; i++)
        b->item[i].rank = by_size(&b->item[i]);
    qsort(b->item, (size_t)b->n, sizeof *b->item, compare);
    for (int round = 0; round < ROUNDS; round++) {
        if (b->n < 2 || (double)b->total <= 1.01 * (double)b->live)
            return;
        try_order(b);
        int top = 0;
        for (int i = 1; i < b->n; i++)
            if (b->item[i].offset + b->item[i].bytes >
                b->item[top].offset + b->item[top].bytes)
                top = i;
        struct item moved = b->item[top];
        int to = round % 2 ? 0 : top / 2;
        for (int i = top; i > to; i--)
            b->item[i] = b->item[i - 1];
        b->item[to] = moved;
    }
}

/* Either what all workers share, or one worker's part. */
static int arrange(struct best *b, bool local)
{
    struct graft_compiler *c = b->c;
    int status = gather(c, local, b->item, &b->n);
    if (status)
        return status;
    b->live = 0;
    for (int t = 0; t < c->end; t++) {
        int64_t live = live_at(c, local, t);
        if (live > b->live)
            b->live = live;
    }
    b->total = -1;
    try_orders(b);
    improve(b);
    return GRAFT_OK;
}

/* The workers' parts follow what is shared. */
int graft_arrange(struct graft_compiler *c)
{
    size_t room = (size_t)c->buffer.n + 1;
    int64_t workers = graft_pool_threads(c->rt->pool), parts;
    struct best b = {.c = c};
    b.item = graft_arena_array(&c->arena, room, sizeof *b.item);
    b.placed = graft_arena_array(&c->arena, room, sizeof *b.placed);
    if (!b.item || !b.placed)
        return GRAFT_EMEM;
    int status = arrange(&b, false);
    c->block_bytes = c->local_base = b.total;
    c->live_bytes = b.live;
    if (!status)
        status = arrange(&b, true);
    if (status)
        return status;
    c->local_bytes = b.total;
    c->live_bytes += workers * b.live;
    if (!graft_mul_size(&parts, workers, b.total) ||
        !graft_add_size(&c->block_bytes, c->block_bytes, parts))
        return graft_fail(GRAFT_ELIMIT, "the values together are too large "
                          "for this machine's addresses");
    return GRAFT_OK;
}
