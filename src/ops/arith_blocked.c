/* Arithmetic of two values over C16: equal shapes, one number for each
 * channel, or one number; and its gradients.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/arith_blocked.h"

#include <string.h>

#include "ops/blocked.h"

enum shape { EQUAL, CHANNELS, ONE, OTHER };

static enum shape shape_of(const struct graft_shape *a,
                           const struct graft_shape *y)
{
    if (graft_shape_equal(a, y))
        return EQUAL;
    if (graft_shape_count(a) == 1)
        return ONE;
    for (int i = 0; i < a->rank; i++) {
        int axis = i + y->rank - a->rank;
        bool fits = axis == 0 ? a->dim[i] == y->dim[0] || a->dim[i] == 1
                    : axis == 1 ? a->dim[i] == y->dim[1] : a->dim[i] == 1;
        if (!fits)
            return OTHER;
    }
    return a->rank >= y->rank - 1 ? CHANNELS : OTHER;
}

/* Numbers for each channel of each image; else the same for all images. */
static bool is_batched(const struct graft_shape *a,
                       const struct graft_shape *y)
{
    return a->rank == y->rank && a->dim[0] == y->dim[0];
}

int graft_plan_binary(struct graft_plan *p)
{
    const struct graft_shape *y = &p->out[0].shape;
    bool any = false;
    if (y->rank < 3 || p->n_in != 2 || p->out[0].dtype != GRAFT_REAL)
        return GRAFT_OK;
    for (int i = 0; i < 2; i++) {
        enum shape s = shape_of(&p->in[i].shape, y);
        any |= s == EQUAL && graft_plan_is_blocked(p, i);
        if (s == OTHER || !graft_dtype_is_float((int)p->in[i].dtype))
            return GRAFT_OK;
    }
    if (!any)
        return GRAFT_OK;
    for (int i = 0; i < 2; i++) {
        enum shape s = shape_of(&p->in[i].shape, y);
        if (s == EQUAL || (s == CHANNELS && p->in[i].shape.rank >= 3 &&
                           is_batched(&p->in[i].shape, y) &&
                           !p->in[i].is_param))
            p->in_layout[i] = GRAFT_C16;
    }
    p->out_layout[0] = GRAFT_C16;
    if (p->training) /* what images and blocks add to broadcast operands */
        p->scratch = 2 * (size_t)y->dim[0] * (size_t)((y->dim[1] + 15) / 16) *
                     16 * sizeof(double);
    return GRAFT_OK;
}

struct job {
    const struct graft_call *c;
    enum graft_binary kind;
    enum shape shape[2];
    const struct graft_view *y; /* or dy */
    double *part[2];            /* backward: [image][16 blocks] */
};

/* Channels 16 b .. of image i of a CHANNELS operand. */
static void read_channels(real v[16], const struct graft_view *x, int64_t i,
                          int64_t b, const struct graft_shape *y)
{
    int64_t left = y->dim[1] - 16 * b;
    const real *at = graft_reals(x);
    if (is_batched(&x->shape, y))
        at += i * graft_image_step(x);
    memset(v, 0, 16 * sizeof *v);
    memcpy(v, at + 16 * b, (size_t)(left < 16 ? left : 16) * sizeof *v);
}

enum { TILE = 64 }; /* pixels: repeated channels stay in L1 */

/* The operands of a block, tile by tile. */
struct operands {
    struct graft_operand x[2];
    int64_t step[2]; /* from tile to tile */
    real tile[2][TILE * 16];
};

/* Operands that backward does not read have no data. */
static void take_operands(struct operands *o, const struct job *j, int64_t i,
                          int64_t b)
{
    int64_t area = graft_area_of(j->y);
    for (int k = 0; k < 2; k++) {
        const struct graft_view *in = &j->c->in[k];
        o->x[k] = (struct graft_operand){o->tile[k], false};
        o->step[k] = 0;
        if (!in->data)
            continue;
        if (j->shape[k] == EQUAL) {
            o->x[k].at = graft_block_at(in, i, b);
            o->step[k] = TILE * 16;
        } else if (j->shape[k] == ONE) {
            o->x[k] = (struct graft_operand){graft_reals(in), true};
        } else {
            real v[16];
            read_channels(v, in, i, b, &j->y->shape);
            j->c->k->lanes.repeat(o->tile[k], v, area < TILE ? area : TILE);
        }
    }
}

static void next_tile(struct operands *o)
{
    o->x[0].at += o->step[0];
    o->x[1].at += o->step[1];
}

static void one_block(const void *ctx, int64_t i, int64_t b)
{
    const struct job *j = ctx;
    int64_t area = graft_area_of(j->y);
    real *to = graft_block_at(j->y, i, b);
    struct operands o;
    take_operands(&o, j, i, b);
    for (int64_t p = 0; p < area; p += TILE) {
        int64_t n = area - p < TILE ? area - p : TILE;
        j->c->k->pointwise.binary[j->kind](n * 16, o.x[0], o.x[1],
                                           to + p * 16);
        next_tile(&o);
    }
    graft_clear_lanes(j->y, i, b);
}

void graft_binary_blocked(const struct graft_call *c, enum graft_binary kind)
{
    struct job j = {.c = c, .kind = kind, .y = &c->out[0]};
    for (int k = 0; k < 2; k++)
        j.shape[k] = shape_of(&c->in[k].shape, &j.y->shape);
    graft_each_lane_block(c->pool, j.y, one_block, &j);
}

/* ---- gradients ----------------------------------------------------------- *
 * An operand's terms are dy times the derivative: its gradient where it has
 * dy's shape, else they are summed: over a block's pixels in tiles, over tiles
 * and then over images in double. */

static void put(real *to, double x, uint8_t dmode)
{
    *to = (real)(dmode == GRAFT_ADD ? (double)*to + x : x);
}

/* Operand `which` has dy's shape: n pixels of its gradient. */
static void back_equal(const struct job *j, const struct operands *o,
                       int which, const real *dy, int64_t n, real *to)
{
    const struct graft_kernels *k = j->c->k;
    bool add = j->c->dmode[which] == GRAFT_ADD;
    real room[TILE * 16];
    if (j->kind == GRAFT_MUL2 && j->shape[!which] == CHANNELS) {
        k->lanes.scale(to, dy, n, o->tile[!which], add);
        return;
    }
    k->pointwise.binary_back[j->kind][which](n * 16, dy, o->x[0], o->x[1],
                                             add ? room : to);
    if (add)
        k->pointwise.add(n * 16, room, to);
}

/* It is broadcast: sum += the terms of n pixels. */
static void back_sum(const struct job *j, const struct operands *o,
                     int which, const real *dy, int64_t n, double sum[16])
{
    static const real zero[16];
    const struct graft_kernels *k = j->c->k;
    real room[TILE * 16], part[16];
    if (j->kind == GRAFT_MUL2 && j->shape[!which] == EQUAL) {
        k->lanes.moments(room, part, dy, o->x[!which].at, n, zero);
    } else {
        k->pointwise.binary_back[j->kind][which](n * 16, dy, o->x[0],
                                                 o->x[1], room);
        k->lanes.sum(part, room, n, 1);
    }
    for (int l = 0; l < 16; l++)
        sum[l] += (double)part[l];
}

static void back_block(const void *ctx, int64_t i, int64_t b)
{
    const struct job *j = ctx;
    const struct graft_call *c = j->c;
    const real *dy = graft_block_at(j->y, i, b);
    int64_t area = graft_area_of(j->y);
    double sum[2][16] = {{0}};
    struct operands o;
    take_operands(&o, j, i, b);
    for (int64_t p = 0; p < area; p += TILE) {
        int64_t n = area - p < TILE ? area - p : TILE;
        for (int k = 0; k < 2; k++)
            if (c->dmode[k] == GRAFT_SKIP)
                continue;
            else if (j->shape[k] == EQUAL)
                back_equal(j, &o, k, dy + p * 16, n,
                           graft_block_at(&c->din[k], i, b) + p * 16);
            else
                back_sum(j, &o, k, dy + p * 16, n, sum[k]);
        next_tile(&o);
    }
    for (int k = 0; k < 2; k++)
        if (c->dmode[k] == GRAFT_SKIP)
            continue;
        else if (j->shape[k] == EQUAL)
            graft_clear_lanes(&c->din[k], i, b);
        else
            memcpy(j->part[k] + (i * graft_blocks_of(j->y) + b) * 16, sum[k],
                   sizeof sum[k]);
}

/* Sums of operand `which`, one for each channel of each image or of all. */
static void finish_channels(const struct job *j, int which)
{
    const struct graft_view *din = &j->c->din[which];
    const struct graft_shape *y = &j->y->shape;
    int64_t wide = graft_blocks_of(j->y) * 16, channels = y->dim[1];
    bool batched = is_batched(&din->shape, y);
    uint8_t dmode = j->c->dmode[which];
    for (int64_t i = 0; i < (batched ? y->dim[0] : 1); i++) {
        real *to = graft_reals(din) + (batched ? i * graft_image_step(din)
                                               : 0);
        for (int64_t ch = 0; ch < channels; ch++) {
            double sum = batched ? j->part[which][i * wide + ch] : 0;
            for (int64_t n = 0; !batched && n < y->dim[0]; n++)
                sum += j->part[which][n * wide + ch];
            put(to + ch, sum, dmode);
        }
        for (int64_t ch = channels; graft_is_c16(din) && ch < wide; ch++)
            to[ch] = 0;
    }
}

static void finish_one(const struct job *j, int which)
{
    int64_t wide = graft_blocks_of(j->y) * 16;
    double sum = 0;
    for (int64_t i = 0; i < j->y->shape.dim[0]; i++)
        for (int64_t ch = 0; ch < j->y->shape.dim[1]; ch++)
            sum += j->part[which][i * wide + ch];
    put(graft_reals(&j->c->din[which]), sum, j->c->dmode[which]);
}

void graft_binary_blocked_back(const struct graft_call *c,
                               enum graft_binary kind)
{
    struct job j = {.c = c, .kind = kind, .y = &c->dout[0]};
    const struct graft_shape *y = &j.y->shape;
    for (int k = 0; k < 2; k++) {
        j.shape[k] = shape_of(&c->in[k].shape, y);
        j.part[k] = (double *)c->scratch +
                    k * y->dim[0] * graft_blocks_of(j.y) * 16;
    }
    graft_each_lane_block(c->pool, j.y, back_block, &j);
    for (int k = 0; k < 2; k++)
        if (c->dmode[k] != GRAFT_SKIP && j.shape[k] == CHANNELS)
            finish_channels(&j, k);
        else if (c->dmode[k] != GRAFT_SKIP && j.shape[k] == ONE)
            finish_one(&j, k);
}
