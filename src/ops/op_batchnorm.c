/* BatchNormalization 7, 9, 14, 15 with given statistics:
 *   y = scale (x - mean) / sqrt(var + epsilon) + bias   for each channel.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "ops/batchnorm.h"
#include "ops/blocked.h"
#include "ops/common.h"
#include "ops/spatial.h"

enum { X = GRAFT_BN_X, SCALE, BIAS, MEAN, VAR, INPUTS };

static int parse(struct graft_parse *p)
{
    struct graft_batchnorm *a = p->args;
    int64_t training, spatial;
    int status = graft_attr_float(p, "epsilon", 1e-5f, &a->epsilon);
    if (!status)
        status = graft_attr_float(p, "momentum", 0.9f, &a->momentum);
    if (!status)
        status = graft_attr_int(p, "training_mode", 0, &training);
    if (!status)
        status = graft_attr_int(p, "spatial", 1, &spatial);
    if (status)
        return status;
    if (training)
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: training_mode 1 (statistics "
                          "of the batch) is not supported; export the model "
                          "in evaluation mode", graft_node_text(p->node));
    if (!spatial)
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: spatial 0 (statistics of "
                          "each element) is not supported",
                          graft_node_text(p->node));
    return GRAFT_OK;
}

static int infer(struct graft_infer *f)
{
    const struct graft_shape *x = &f->in[X].shape;
    int status = GRAFT_OK;
    bool params = true;
    for (int i = 0; i < INPUTS && !status; i++) {
        const struct graft_vinfo *in = &f->in[i];
        status = graft_infer_real(f, i);
        params &= in->is_param;
        if (!status && i == X && x->rank < 2)
            status = graft_infer_fail(f, GRAFT_ESHAPE, "input of rank %d has "
                                      "no channels", x->rank);
        if (!status && i != X &&
            (in->shape.rank != 1 || in->shape.dim[0] != x->dim[1]))
            status = graft_infer_fail(f, GRAFT_ESHAPE, "input %d has %" PRId64
                                      " elements for %" PRId64 " channels",
                                      i, graft_shape_count(&in->shape),
                                      x->dim[1]);
        if (!status && i != X && (in->per_image || in->whole_batch))
            status = graft_infer_fail(f, GRAFT_EUNSUPPORTED, "input %d "
                                      "depends on the images", i);
    }
    if (!status)
        status = graft_infer_like(f, 0, x);
    if (status)
        return status;
    f->out[0].is_param = params;
    return graft_only_output(f, "statistics of the batch are not supported; "
                                "export the model in evaluation mode");
}

static void affine(const void *args, const real *const *params, int64_t c,
                   real *scale, real *shift)
{
    const struct graft_batchnorm *a = args;
    for (int64_t i = 0; i < c; i++) {
        double s = (double)params[SCALE - 1][i] /
                   sqrt((double)params[VAR - 1][i] + (double)a->epsilon);
        scale[i] = (real)s;
        shift[i] = (real)((double)params[BIAS - 1][i] -
                          (double)params[MEAN - 1][i] * s);
    }
}

/* Backward: two sums for each channel of each image, three numbers for each
 * channel. */
static int plan(struct graft_plan *p)
{
    size_t channels = (size_t)graft_batchnorm_room(p->in[X].shape.dim[1]);
    size_t images = (size_t)p->in[X].shape.dim[0];
    p->scratch = 2 * channels * sizeof(real);
    if (p->training)
        p->scratch = 2 * images * channels * sizeof(double) +
                     3 * channels * sizeof(real);
    return graft_plan_follow(p);
}

struct job {
    const struct graft_call *c;
    struct graft_finish finish;
    const real *scale, *shift;
    int64_t channels, area, planes; /* planes: of a task */
};

static void task(void *ctx, int64_t index, int worker)
{
    const struct job *j = ctx;
    const struct graft_view *x = &j->c->in[X], *y = &j->c->out[0];
    (void)worker;
    int64_t all = x->shape.dim[0] * j->channels;
    int64_t end = (index + 1) * j->planes;
    for (int64_t i = index * j->planes; i < end && i < all; i++) {
        int64_t image = i / j->channels, ch = i % j->channels;
        const real *res = j->finish.residual;
        if (res)
            res += image * j->finish.residual_step + ch * j->area;
        j->c->k->conv.affine(
            graft_reals(y) + image * graft_image_step(y) + ch * j->area,
            graft_reals(x) + image * graft_image_step(x) + ch * j->area,
            j->area, j->scale[ch], j->shift[ch], res, &j->finish);
    }
}

static void blocked_task(const void *ctx, int64_t i, int64_t b)
{
    const struct job *j = ctx;
    const struct graft_view *y = &j->c->out[0];
    const real *res = j->finish.residual;
    if (res)
        res += i * j->finish.residual_step + b * j->area * 16;
    j->c->k->lanes.affine(graft_block_at(y, i, b),
                          graft_block_at(&j->c->in[X], i, b), j->area,
                          j->scale + 16 * b, j->shift + 16 * b, res,
                          &j->finish);
    graft_clear_lanes(y, i, b);
}

static void forward(const struct graft_call *c)
{
    const struct graft_shape *s = &c->in[X].shape;
    const real *params[INPUTS - 1];
    int64_t channels = s->dim[1];
    real *scale = c->scratch, *shift = scale + graft_batchnorm_room(channels);
    memset(scale, 0,
           2 * (size_t)graft_batchnorm_room(channels) * sizeof *scale);
    for (int i = SCALE; i < INPUTS; i++)
        params[i - 1] = graft_reals(&c->in[i]);
    affine(c->args, params, channels, scale, shift);
    for (int64_t i = 0; c->ep && c->ep->bias && i < channels; i++)
        shift[i] += c->ep->bias[i];
    struct job j = {.c = c, .finish = graft_finish_of(c, NULL),
                    .scale = scale, .shift = shift, .channels = channels,
                    .area = graft_shape_span(s, 2, s->rank)};
    if (graft_is_c16(&c->in[X])) {
        graft_each_lane_block(c->pool, &c->in[X], blocked_task, &j);
        return;
    }
    j.planes = j.area < 16384 ? 16384 / (j.area + 1) + 1 : 1;
    graft_pool_for(c->pool,
                   (s->dim[0] * channels + j.planes - 1) / j.planes, task,
                   &j);
}

/* ---- backward ------------------------------------------------------------ *
 *   dx = s dy,  s = scale / sqrt(var + epsilon)
 *   dbias = sum dy,  dscale = sum dy (x - mean) / sqrt(var + epsilon)
 * Sums run over tiles in partial sums, over the tiles of an image and over
 * images in double: always the same parts, in the same order. */

struct back {
    const struct graft_call *c;
    const real *s, *mean, *inverse; /* [room] */
    double *part;                   /* [image][2][room]: dy, dy (x - mean) */
    int64_t channels, area, planes;
    bool sums;
};

enum { TILE = 512 }; /* pixels of a tile over C16; elements of one in rows */

static double *part_of(const struct back *j, int64_t image, int which)
{
    return j->part + (2 * image + which) * graft_batchnorm_room(j->channels);
}

static void back_block(const void *ctx, int64_t i, int64_t b)
{
    const struct back *j = ctx;
    const struct graft_call *c = j->c;
    const struct graft_lane_kernels *k = &c->k->lanes;
    double dy_sum[16] = {0}, dot_sum[16] = {0};
    for (int64_t p = 0; p < j->area; p += TILE) {
        int64_t n = j->area - p < TILE ? j->area - p : TILE;
        const real *dy = graft_block_at(&c->dout[0], i, b) + p * 16;
        real sum[16], dot[16];
        if (j->sums) {
            k->moments(sum, dot, dy, graft_block_at(&c->in[X], i, b) + p * 16,
                       n, j->mean + 16 * b);
            for (int l = 0; l < 16; l++) {
                dy_sum[l] += (double)sum[l];
                dot_sum[l] += (double)dot[l];
            }
        }
        if (c->dmode[X] != GRAFT_SKIP)
            k->scale(graft_block_at(&c->din[X], i, b) + p * 16, dy, n,
                     j->s + 16 * b, c->dmode[X] == GRAFT_ADD);
    }
    if (j->sums) {
        memcpy(part_of(j, i, 0) + 16 * b, dy_sum, sizeof dy_sum);
        memcpy(part_of(j, i, 1) + 16 * b, dot_sum, sizeof dot_sum);
    }
}

/* One channel of one image in rows. */
static void back_plane(const struct back *j, int64_t i, int64_t ch)
{
    const struct graft_call *c = j->c;
    const struct graft_pointwise_kernels *k = &c->k->pointwise;
    int64_t at = (i * j->channels + ch) * j->area;
    const real *dy = graft_reals(&c->dout[0]) + at;
    double sum = 0, dot = 0;
    for (int64_t p = 0; j->sums && p < j->area; p += TILE) {
        int64_t n = j->area - p < TILE ? j->area - p : TILE;
        real centred[TILE];
        k->binary[GRAFT_SUB2](
            n, (struct graft_operand){graft_reals(&c->in[X]) + at + p, false},
            (struct graft_operand){j->mean + ch, true}, centred);
        sum += k->sum(n, dy + p);
        dot += k->dot(n, dy + p, centred);
    }
    if (j->sums) {
        part_of(j, i, 0)[ch] = sum;
        part_of(j, i, 1)[ch] = dot;
    }
    if (c->dmode[X] != GRAFT_SKIP)
        (c->dmode[X] == GRAFT_ADD ? k->axpy : k->scale)(
            j->area, j->s[ch], dy, graft_reals(&c->din[X]) + at);
}

static void back_task(void *ctx, int64_t index, int worker)
{
    const struct back *j = ctx;
    int64_t all = j->c->dout[0].shape.dim[0] * j->channels;
    int64_t end = (index + 1) * j->planes;
    (void)worker;
    for (int64_t i = index * j->planes; i < end && i < all; i++)
        back_plane(j, i / j->channels, i % j->channels);
}

static void put(real *to, double x, uint8_t dmode)
{
    *to = (real)(dmode == GRAFT_ADD ? (double)*to + x : x);
}

/* Sixteen channels' sums over images. */
static void back_finish(void *ctx, int64_t block, int worker)
{
    const struct back *j = ctx;
    const struct graft_call *c = j->c;
    int64_t end = 16 * block + 16, images = c->dout[0].shape.dim[0];
    (void)worker;
    for (int64_t ch = 16 * block; ch < end && ch < j->channels; ch++) {
        double sum = 0, dot = 0;
        for (int64_t i = 0; i < images; i++) {
            sum += part_of(j, i, 0)[ch];
            dot += part_of(j, i, 1)[ch];
        }
        if (c->dmode[BIAS] != GRAFT_SKIP)
            put(graft_reals(&c->din[BIAS]) + ch, sum, c->dmode[BIAS]);
        if (c->dmode[SCALE] != GRAFT_SKIP)
            put(graft_reals(&c->din[SCALE]) + ch,
                dot * (double)j->inverse[ch], c->dmode[SCALE]);
    }
}

static void backward(const struct graft_call *c)
{
    const struct graft_shape *s = &c->dout[0].shape;
    const struct graft_batchnorm *a = c->args;
    int64_t channels = s->dim[1], wide = graft_batchnorm_room(channels);
    double *part = c->scratch;
    real *scale = (real *)(void *)(part + 2 * s->dim[0] * wide);
    real *mean = scale + wide, *inverse = mean + wide;
    memset(scale, 0, 3 * (size_t)wide * sizeof *scale);
    for (int64_t i = 0; i < channels; i++) {
        double d = 1 / sqrt((double)graft_reals(&c->in[VAR])[i] +
                            (double)a->epsilon);
        inverse[i] = (real)d;
        scale[i] = (real)((double)graft_reals(&c->in[SCALE])[i] * d);
        mean[i] = graft_reals(&c->in[MEAN])[i];
    }
    struct back j = {c, scale, mean, inverse, part, channels,
                     graft_shape_span(s, 2, s->rank), 0,
                     c->dmode[SCALE] != GRAFT_SKIP ||
                         c->dmode[BIAS] != GRAFT_SKIP};
    j.planes = j.area < 16384 ? 16384 / (j.area + 1) + 1 : 1;
    if (graft_is_c16(&c->dout[0]))
        graft_each_lane_block(c->pool, &c->dout[0], back_block, &j);
    else
        graft_pool_for(c->pool,
                       (s->dim[0] * channels + j.planes - 1) / j.planes,
                       back_task, &j);
    if (j.sums)
        graft_pool_for(c->pool, wide / 16, back_finish, &j);
}

static int64_t macs(const struct graft_infer *f)
{
    return graft_shape_count(&f->out[0].shape);
}

#define ROW(from, to, outs)                                                 \
    {                                                                       \
        .name = "BatchNormalization", .domain = "", .since = from,          \
        .until = to, .arity = {5, 5, 1, outs},                              \
        .flags = GRAFT_OP_EPILOGUE | GRAFT_OP_STRIDED |                     \
                 GRAFT_OP_BACK_BLOCKED,                                     \
        .args_size = sizeof(struct graft_batchnorm),                        \
        .parse = parse, .infer = infer, .plan = plan, .forward = forward,   \
        .backward = backward, .macs = macs, .affine = affine,               \
        .saves_in = 1 << X | 1 << SCALE | 1 << MEAN | 1 << VAR,             \
        .saves_for = {1 << SCALE | 1 << BIAS},                              \
        .grad_in = 1 << X | 1 << SCALE | 1 << BIAS                          \
    }

extern const struct graft_op graft_op_batchnorm[];
const struct graft_op graft_op_batchnorm[] = {
    ROW(7, 8, 5), ROW(9, 13, 5), ROW(14, 14, 3), ROW(15, 0, 3), {0}};
