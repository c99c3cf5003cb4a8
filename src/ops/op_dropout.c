/* Dropout. A file's rows hand their input on, as at inference; a program that
 * is compiled with `dropout` has graft_row_dropout in their place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/blocked.h"
#include "ops/common.h"
#include "ops/dropout.h"

/* ---- parse and infer ----------------------------------------------------- */

static int parse(struct graft_parse *p)
{
    struct graft_dropout *a = p->args;
    if (p->opset < 12)
        return graft_attr_float(p, "ratio", 0.5f, &a->attribute);
    a->attribute = 0.5f;
    graft_attr_ignore(p, "seed");
    return GRAFT_OK;
}

/* Whether anybody reads output k of the node. */
static bool output_used(const struct graft_infer *f, int k)
{
    graft_value_id v = f->n_out > k ? f->node->out[k] : -1;
    return v >= 0 && v < f->model->value.n &&
           (f->model->value.at[v].n_uses || f->model->value.at[v].is_output);
}

static int infer(struct graft_infer *f)
{
    struct graft_dropout *a = f->args;
    const int64_t *training;
    int n;
    int status = graft_infer_ints(f, 2, "training_mode", &training, &n);
    if (!status)
        status = graft_infer_scalar(f, 1, "ratio", (double)a->attribute,
                                    &a->ratio);
    if (status)
        return status;
    for (int i = 0; i < n; i++)
        if (training[i])
            return graft_infer_fail(f, GRAFT_EUNSUPPORTED, "dropout in "
                                    "training mode");
    if (!(a->ratio >= 0 && a->ratio < 1))
        return graft_infer_fail(f, GRAFT_EFORMAT, "a ratio of %g", a->ratio);
    if (output_used(f, 1))
        return graft_infer_fail(f, GRAFT_EUNSUPPORTED, "the mask of a "
                                "dropout (output 1) is used");
    return graft_infer_like(f, 0, &f->in[0].shape);
}

/* ---- masks --------------------------------------------------------------- *
 * Sixteen bits for each element: 64 serve four neighbouring channels of a
 * pixel, whatever the layout. So ratios are kept to 2^-16. */

struct job {
    const struct graft_call *c;
    const struct graft_view *from, *to;
    uint64_t seed, first;
    uint32_t limit; /* bits below it: zero */
    real scale;
    int64_t channels, area;
    bool add;
};

static void factors(const struct job *j, struct graft_rng_key key,
                    int64_t counter, real m[4])
{
    uint64_t bits = graft_rng_u64(key, (uint64_t)counter);
    for (int l = 0; l < 4; l++)
        m[l] = (bits >> 16 * l & 0xffff) < j->limit ? 0 : j->scale;
}

/* What was infinite becomes zero too. */
static void put(const struct job *j, real *to, real x, real m)
{
    real v = m > 0 ? x * m : 0;
    *to = j->add ? *to + v : v;
}

static struct graft_rng_key key_of(const struct job *j, int64_t image)
{
    return graft_rng_key(j->seed, j->first + (uint64_t)image);
}

static void one_block(const void *ctx, int64_t i, int64_t b)
{
    const struct job *j = ctx;
    const real *from = graft_block_at(j->from, i, b);
    real *to = graft_block_at(j->to, i, b);
    struct graft_rng_key key = key_of(j, i);
    for (int64_t p = 0; p < j->area; p++) {
        real m[16];
        for (int q = 0; q < 4; q++)
            factors(j, key, (4 * b + q) * j->area + p, m + 4 * q);
        for (int l = 0; l < 16; l++)
            put(j, to + p * 16 + l, from[p * 16 + l], m[l]);
    }
}

/* Four channels of one image. */
static void four_planes(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    int64_t groups = (j->channels + 3) / 4, i = task / groups;
    int64_t group = task % groups, left = j->channels - 4 * group;
    int64_t at = (i * j->channels + 4 * group) * j->area;
    const real *from = graft_reals(j->from) + at;
    real *to = graft_reals(j->to) + at;
    struct graft_rng_key key = key_of(j, i);
    (void)worker;
    for (int64_t p = 0; p < j->area; p++) {
        real m[4];
        factors(j, key, group * j->area + p, m);
        for (int64_t l = 0; l < left && l < 4; l++)
            put(j, to + l * j->area + p, from[l * j->area + p], m[l]);
    }
}

static void apply(const struct graft_call *c, const struct graft_view *from,
                  const struct graft_view *to, bool add)
{
    const struct graft_dropout *a = c->args;
    const struct graft_shape *s = &to->shape;
    int64_t images = s->rank ? s->dim[0] : 1;
    int64_t each = c->n ? images / c->n : 1; /* rows of one image */
    struct job j = {
        c, from, to, graft_rng_u64(c->key, a->stream),
        (uint64_t)(c->first * each), (uint32_t)(a->ratio * 0x1p16 + 0.5),
        (real)(1 / (1 - a->ratio)), s->rank > 1 ? s->dim[1] : 1,
        graft_shape_span(s, s->rank < 2 ? s->rank : 2, s->rank), add};
    if (graft_is_c16(to))
        graft_each_lane_block(c->pool, to, one_block, &j);
    else
        graft_pool_for(c->pool, images * ((j.channels + 3) / 4), four_planes,
                       &j);
}

static void forward(const struct graft_call *c)
{
    apply(c, &c->in[0], &c->out[0], false);
}

/* The masks are drawn again: nothing is kept. */
static void backward(const struct graft_call *c)
{
    if (c->dmode[0] != GRAFT_SKIP)
        apply(c, &c->dout[0], &c->din[0], c->dmode[0] == GRAFT_ADD);
}

const struct graft_op graft_row_dropout = {
    .name = "Dropout", .domain = "graft", .since = 1, .arity = {1, 3, 1, 2},
    .flags = GRAFT_OP_RANDOM | GRAFT_OP_INPLACE | GRAFT_OP_BACK_BLOCKED,
    .host_in = 6, .grad_in = 1, .args_size = sizeof(struct graft_dropout),
    .plan = graft_plan_follow, .forward = forward, .backward = backward};

/* ---- rows ---------------------------------------------------------------- */

#define ROW .name = "Dropout", .domain = "", .grad_in = 1,                  \
    .flags = GRAFT_OP_VIEW | GRAFT_OP_HOST | GRAFT_OP_INPLACE,              \
    .args_size = sizeof(struct graft_dropout), .parse = parse,              \
    .infer = infer, .forward = graft_same_forward,                          \
    .backward = graft_same_backward

extern const struct graft_op graft_op_dropout[];
const struct graft_op graft_op_dropout[] = {
    {ROW, .since = 7, .until = 11, .arity = {1, 1, 1, 2}},
    {ROW, .since = 12, .arity = {1, 3, 1, 2}, .host_in = 6},
    {.name = NULL},
};
