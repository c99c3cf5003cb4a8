/* Arithmetic on flat vectors, in ranges of a fixed size.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "train/optimizer.h"

enum {
    RANGE = 16384,  /* elements of a task */
    PARTIALS = 256  /* tasks whose sums are kept at a time */
};

struct flat {
    real *to;
    const real *x;
    int64_t n;
    double by, *sum;
};

static int64_t ranges(int64_t n)
{
    return (n + RANGE - 1) / RANGE;
}

static int64_t end_of(const struct flat *f, int64_t i)
{
    return (i + 1) * RANGE < f->n ? (i + 1) * RANGE : f->n;
}

static double square(real x)
{
    return (double)x * (double)x;
}

/* In four sums: one alone would wait for itself. */
static void sum_squares(void *ctx, int64_t i, int worker)
{
    const struct flat *f = ctx;
    const real *x = f->x;
    double a = 0, b = 0, c = 0, d = 0;
    int64_t k = i * RANGE, end = end_of(f, i);
    (void)worker;
    for (; k + 4 <= end; k += 4) {
        a += square(x[k]);
        b += square(x[k + 1]);
        c += square(x[k + 2]);
        d += square(x[k + 3]);
    }
    for (; k < end; k++)
        a += square(x[k]);
    f->sum[i] = (a + b) + (c + d);
}

double graft_flat_norm(struct graft_pool *pool, const real *x, int64_t n)
{
    double sum = 0, part[PARTIALS];
    const int64_t at_once = (int64_t)PARTIALS * RANGE;
    for (int64_t first = 0; first < n; first += at_once) {
        struct flat f = {.x = x + first, .sum = part,
                         .n = n - first < at_once ? n - first : at_once};
        graft_pool_for(pool, ranges(f.n), sum_squares, &f);
        for (int64_t i = 0; i < ranges(f.n); i++)
            sum += part[i];
    }
    return sqrt(sum);
}

static void scale(void *ctx, int64_t i, int worker)
{
    const struct flat *f = ctx;
    (void)worker;
    for (int64_t k = i * RANGE; k < end_of(f, i); k++)
        f->to[k] = (real)((double)f->to[k] * f->by);
}

void graft_flat_scale(struct graft_pool *pool, real *x, int64_t n, double by)
{
    struct flat f = {.to = x, .n = n, .by = by};
    graft_pool_for(pool, ranges(n), scale, &f);
}

static void average(void *ctx, int64_t i, int worker)
{
    const struct flat *f = ctx;
    const real keep = (real)f->by, take = (real)(1 - f->by);
    (void)worker;
    for (int64_t k = i * RANGE; k < end_of(f, i); k++)
        f->to[k] = keep * f->to[k] + take * f->x[k];
}

void graft_flat_average(struct graft_pool *pool, real *to, const real *x,
                        int64_t n, double decay)
{
    struct flat f = {.to = to, .x = x, .n = n, .by = decay};
    graft_pool_for(pool, ranges(n), average, &f);
}
