/* BatchNormalization 7, 9, 14, 15 with given statistics:
 *   y = scale (x - mean) / sqrt(var + epsilon) + bias   for each channel.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "ops/blocked.h"
#include "ops/common.h"
#include "ops/spatial.h"

enum { X, SCALE, BIAS, MEAN, VAR, INPUTS };

struct args {
    float epsilon;
};

static int parse(struct graft_parse *p)
{
    struct args *a = p->args;
    int64_t training, spatial;
    int status = graft_attr_float(p, "epsilon", 1e-5f, &a->epsilon);
    if (!status)
        status = graft_attr_int(p, "training_mode", 0, &training);
    if (!status)
        status = graft_attr_int(p, "spatial", 1, &spatial);
    if (status)
        return status;
    graft_attr_ignore(p, "momentum"); /* only moves statistics in training */
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
    const struct args *a = args;
    for (int64_t i = 0; i < c; i++) {
        double s = (double)params[SCALE - 1][i] /
                   sqrt((double)params[VAR - 1][i] + (double)a->epsilon);
        scale[i] = (real)s;
        shift[i] = (real)((double)params[BIAS - 1][i] -
                          (double)params[MEAN - 1][i] * s);
    }
}

/* Room for scale and shift of whole blocks of channels. */
static int64_t room(int64_t channels)
{
    return (channels + 15) / 16 * 16;
}

static int plan(struct graft_plan *p)
{
    p->scratch = 2 * (size_t)room(p->in[X].shape.dim[1]) * sizeof(real);
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
    real *scale = c->scratch, *shift = scale + room(channels);
    memset(scale, 0, 2 * (size_t)room(channels) * sizeof *scale);
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

static int64_t macs(const struct graft_infer *f)
{
    return graft_shape_count(&f->out[0].shape);
}

#define ROW(from, to, outs)                                                 \
    {                                                                       \
        .name = "BatchNormalization", .domain = "", .since = from,          \
        .until = to, .arity = {5, 5, 1, outs},                              \
        .flags = GRAFT_OP_EPILOGUE | GRAFT_OP_STRIDED,                      \
        .args_size = sizeof(struct args),                                   \
        .parse = parse, .infer = infer, .plan = plan, .forward = forward,   \
        .macs = macs, .affine = affine                                      \
    }

extern const struct graft_op graft_op_batchnorm[];
const struct graft_op graft_op_batchnorm[] = {
    ROW(7, 8, 5), ROW(9, 13, 5), ROW(14, 14, 3), ROW(15, 0, 3), {0}};
