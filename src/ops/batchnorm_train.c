/* BatchNormalization with statistics of the batch, m elements a channel:
 *   mean = sum x / m,  var = sum (x - mean)^2 / m,  i = 1 / sqrt(var + eps)
 *   y = a (x - mean) + bias,  a = scale i
 *   dbias = sum dy,  dscale = i d,  d = sum dy (x - mean)
 *   dx = a (dy - dbias / m - (x - mean) i^2 d / m)
 * Sums run over tiles, images and channels in fixed parts, in double.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "ops/batchnorm.h"
#include "ops/blocked.h"

enum { X = GRAFT_BN_X, SCALE, BIAS, MEAN, VAR };
enum { TILE = 128 }; /* pixels of a tile over C16 */

struct job {
    const struct graft_call *c;
    int64_t images, channels, wide, area;
    double *part[2];                /* [image][wide] */
    real *mean, *var;               /* saved */
    real *a, *k, *q;                /* per channel: y = a x + q; backward:
                                       dx = a dy + k x + q */
    void (*block)(const struct job *j, int64_t image, int64_t b);
    void (*plane)(const struct job *j, int64_t image, int64_t channel);
    void (*finish)(const struct job *j, int64_t channel, double sum,
                   double other);
};

static const real zeros[16], ones[16] = {1, 1, 1, 1, 1, 1, 1, 1,
                                         1, 1, 1, 1, 1, 1, 1, 1};
static const struct graft_finish plain;

static struct job job_of(const struct graft_call *c)
{
    const struct graft_shape *s = &c->in[X].shape;
    struct job j = {.c = c, .images = s->dim[0], .channels = s->dim[1],
                    .wide = graft_batchnorm_room(s->dim[1]),
                    .area = graft_shape_span(s, 2, s->rank)};
    j.part[0] = c->scratch;
    j.part[1] = j.part[0] + j.images * j.wide;
    j.a = (real *)(void *)(j.part[1] + j.images * j.wide);
    j.k = j.a + j.wide;
    j.q = j.k + j.wide;
    j.mean = c->saved ? c->saved : c->found ? c->found : j.q + j.wide;
    j.var = j.mean + j.wide;
    return j;
}

/* ---- phases -------------------------------------------------------------- */

static void block_task(const void *ctx, int64_t image, int64_t b)
{
    const struct job *j = ctx;
    j->block(j, image, b);
}

static void plane_task(void *ctx, int64_t i, int worker)
{
    const struct job *j = ctx;
    (void)worker;
    j->plane(j, i / j->channels, i % j->channels);
}

static void finish_task(void *ctx, int64_t b, int worker)
{
    const struct job *j = ctx;
    (void)worker;
    for (int64_t ch = 16 * b; ch < 16 * b + 16 && ch < j->channels; ch++) {
        double sum[2] = {0, 0};
        for (int64_t i = 0; i < j->images; i++)
            for (int k = 0; k < 2; k++)
                sum[k] += j->part[k][i * j->wide + ch];
        j->finish(j, ch, sum[0], sum[1]);
    }
}

static void run(struct job *j)
{
    if (graft_is_c16(&j->c->in[X]))
        graft_each_lane_block(j->c->pool, &j->c->in[X], block_task, j);
    else
        graft_pool_for(j->c->pool, j->images * j->channels, plane_task, j);
    if (j->finish)
        graft_pool_for(j->c->pool, j->wide / 16, finish_task, j);
}

static void add_lanes(double to[16], const real x[16])
{
    for (int l = 0; l < 16; l++)
        to[l] += (double)x[l];
}

static void keep(const struct job *j, int64_t image, int64_t b,
                 const double sum[2][16])
{
    for (int k = 0; k < 2; k++)
        memcpy(j->part[k] + image * j->wide + 16 * b, sum[k],
               16 * sizeof(double));
}

static real *plane_of(const struct job *j, const struct graft_view *v,
                      int64_t image, int64_t ch)
{
    return graft_reals(v) + (image * j->channels + ch) * j->area;
}

/* ---- forward ------------------------------------------------------------- */

static void sum_block(const struct job *j, int64_t image, int64_t b)
{
    const real *x = graft_block_at(&j->c->in[X], image, b);
    double sum[2][16] = {{0}};
    for (int64_t p = 0; p < j->area; p += TILE) {
        real part[16];
        j->c->k->lanes.sum(part, x + p * 16,
                           j->area - p < TILE ? j->area - p : TILE, 1);
        add_lanes(sum[0], part);
    }
    keep(j, image, b, sum);
}

static void sum_plane(const struct job *j, int64_t image, int64_t ch)
{
    j->part[0][image * j->wide + ch] = j->c->k->pointwise.sum(
        j->area, plane_of(j, &j->c->in[X], image, ch));
    j->part[1][image * j->wide + ch] = 0;
}

static void finish_mean(const struct job *j, int64_t ch, double sum,
                        double other)
{
    (void)other;
    j->mean[ch] = (real)(sum / (double)(j->images * j->area));
}

static void square_block(const struct job *j, int64_t image, int64_t b)
{
    const struct graft_lane_kernels *k = &j->c->k->lanes;
    const real *x = graft_block_at(&j->c->in[X], image, b);
    double sum[2][16] = {{0}};
    real minus[16];
    for (int l = 0; l < 16; l++)
        minus[l] = -j->mean[16 * b + l];
    for (int64_t p = 0; p < j->area; p += TILE) {
        int64_t n = j->area - p < TILE ? j->area - p : TILE;
        real centred[TILE * 16], part[16], square[16];
        k->affine(centred, x + p * 16, n, ones, minus, NULL, &plain);
        k->moments(part, square, centred, centred, n, zeros);
        add_lanes(sum[0], square);
    }
    keep(j, image, b, sum);
}

static void square_plane(const struct job *j, int64_t image, int64_t ch)
{
    const real *x = plane_of(j, &j->c->in[X], image, ch);
    double sum = 0;
    for (int64_t p = 0; p < j->area; p++)
        sum += (double)((x[p] - j->mean[ch]) * (x[p] - j->mean[ch]));
    j->part[0][image * j->wide + ch] = sum;
    j->part[1][image * j->wide + ch] = 0;
}

static double inverse_of(const struct job *j, real var)
{
    const struct graft_batchnorm *args = j->c->args;
    return 1 / sqrt((double)var + (double)args->epsilon);
}

static void finish_var(const struct job *j, int64_t ch, double sum,
                       double other)
{
    (void)other;
    j->var[ch] = (real)(sum / (double)(j->images * j->area));
}

/* Mean and variance become a and q. */
static void make_affine(const struct job *j, const real *mean,
                        const real *var)
{
    for (int64_t ch = 0; ch < j->channels; ch++) {
        double a = (double)graft_reals(&j->c->in[SCALE])[ch] *
                   inverse_of(j, var[ch]);
        j->a[ch] = (real)a;
        j->q[ch] = (real)((double)graft_reals(&j->c->in[BIAS])[ch] -
                          a * (double)mean[ch]);
    }
}

static void write_block(const struct job *j, int64_t image, int64_t b)
{
    j->c->k->lanes.affine(graft_block_at(&j->c->out[0], image, b),
                          graft_block_at(&j->c->in[X], image, b), j->area,
                          j->a + 16 * b, j->q + 16 * b, NULL, &plain);
}

static void write_plane(const struct job *j, int64_t image, int64_t ch)
{
    j->c->k->conv.affine(plane_of(j, &j->c->out[0], image, ch),
                         plane_of(j, &j->c->in[X], image, ch), j->area,
                         j->a[ch], j->q[ch], NULL, &plain);
}

static void measure(struct job *j)
{
    memset(j->mean, 0, 2 * (size_t)j->wide * sizeof *j->mean);
    j->block = sum_block;
    j->plane = sum_plane;
    j->finish = finish_mean;
    run(j);
    j->block = square_block;
    j->plane = square_plane;
    j->finish = finish_var;
    run(j);
}

static void forward(const struct graft_call *c)
{
    struct job j = job_of(c);
    memset(j.a, 0, 3 * (size_t)j.wide * sizeof *j.a);
    if (!j.images || !j.area) {
        memset(j.mean, 0, 2 * (size_t)j.wide * sizeof *j.mean);
        return;
    }
    if (!c->running || c->found)
        measure(&j);
    make_affine(&j, c->running ? c->running : j.mean,
                c->running ? c->running + j.channels : j.var);
    j.block = write_block;
    j.plane = write_plane;
    j.finish = NULL;
    run(&j);
}

/* ---- backward ------------------------------------------------------------ */

static void moments_block(const struct job *j, int64_t image, int64_t b)
{
    const real *x = graft_block_at(&j->c->in[X], image, b);
    const real *dy = graft_block_at(&j->c->dout[0], image, b);
    double sum[2][16] = {{0}};
    for (int64_t p = 0; p < j->area; p += TILE) {
        real part[16], dot[16];
        j->c->k->lanes.moments(part, dot, dy + p * 16, x + p * 16,
                               j->area - p < TILE ? j->area - p : TILE,
                               j->mean + 16 * b);
        add_lanes(sum[0], part);
        add_lanes(sum[1], dot);
    }
    keep(j, image, b, sum);
}

static void moments_plane(const struct job *j, int64_t image, int64_t ch)
{
    const real *x = plane_of(j, &j->c->in[X], image, ch);
    const real *dy = plane_of(j, &j->c->dout[0], image, ch);
    double sum = 0, dot = 0;
    for (int64_t p = 0; p < j->area; p++) {
        sum += (double)dy[p];
        dot += (double)(dy[p] * (x[p] - j->mean[ch]));
    }
    j->part[0][image * j->wide + ch] = sum;
    j->part[1][image * j->wide + ch] = dot;
}

static void put(const struct job *j, int input, int64_t ch, double x)
{
    real *to = graft_reals(&j->c->din[input]) + ch;
    if (j->c->dmode[input] != GRAFT_SKIP)
        *to = (real)(j->c->dmode[input] == GRAFT_ADD ? (double)*to + x : x);
}

static void finish_back(const struct job *j, int64_t ch, double sum,
                        double dot)
{
    double m = (double)(j->images * j->area), i = inverse_of(j, j->var[ch]);
    double a = (double)graft_reals(&j->c->in[SCALE])[ch] * i;
    put(j, BIAS, ch, sum);
    put(j, SCALE, ch, i * dot);
    if (m == 0)
        return;
    double k = -a * i * i * dot / m;
    j->a[ch] = (real)a;
    j->k[ch] = (real)k;
    j->q[ch] = (real)(-a * sum / m - k * (double)j->mean[ch]);
}

static void back_block(const struct job *j, int64_t image, int64_t b)
{
    const struct graft_kernels *k = j->c->k;
    const real *x = graft_block_at(&j->c->in[X], image, b);
    const real *dy = graft_block_at(&j->c->dout[0], image, b);
    real *dx = graft_block_at(&j->c->din[X], image, b);
    bool add = j->c->dmode[X] == GRAFT_ADD;
    for (int64_t p = 0; p < j->area; p += TILE) {
        int64_t n = j->area - p < TILE ? j->area - p : TILE, at = p * 16;
        real room[TILE * 16];
        k->lanes.scale(room, dy + at, n, j->a + 16 * b, false);
        k->lanes.affine(add ? room : dx + at, x + at, n, j->k + 16 * b,
                        j->q + 16 * b, room, &plain);
        if (add)
            k->pointwise.add(n * 16, room, dx + at);
    }
}

static void back_plane(const struct job *j, int64_t image, int64_t ch)
{
    const real *x = plane_of(j, &j->c->in[X], image, ch);
    const real *dy = plane_of(j, &j->c->dout[0], image, ch);
    real *dx = plane_of(j, &j->c->din[X], image, ch);
    bool add = j->c->dmode[X] == GRAFT_ADD;
    for (int64_t p = 0; p < j->area; p++) {
        real d = j->a[ch] * dy[p] + j->k[ch] * x[p] + j->q[ch];
        dx[p] = add ? dx[p] + d : d;
    }
}

static void backward(const struct graft_call *c)
{
    struct job j = job_of(c);
    memset(j.a, 0, 3 * (size_t)j.wide * sizeof *j.a);
    j.block = moments_block;
    j.plane = moments_plane;
    j.finish = finish_back;
    run(&j);
    j.block = back_block;
    j.plane = back_plane;
    j.finish = NULL;
    if (c->dmode[X] != GRAFT_SKIP)
        run(&j);
}

static int plan(struct graft_plan *p)
{
    const struct graft_shape *s = &p->in[X].shape;
    size_t wide = (size_t)graft_batchnorm_room(s->dim[1]);
    p->scratch = 2 * (size_t)s->dim[0] * wide * sizeof(double) +
                 5 * wide * sizeof(real);
    p->saved = 2 * wide * sizeof(real);
    return graft_plan_follow(p);
}

const struct graft_op graft_row_batchnorm_train = {
    .name = "BatchNormalization", .domain = "graft", .since = 1,
    .arity = {5, 5, 1, 1}, .args_size = sizeof(struct graft_batchnorm),
    .flags = GRAFT_OP_BACK_BLOCKED | GRAFT_OP_TOGETHER,
    .saves_in = 1 << X | 1 << SCALE, .grad_in = 1 << X | 1 << SCALE | 1 << BIAS,
    .plan = plan, .forward = forward, .backward = backward};
