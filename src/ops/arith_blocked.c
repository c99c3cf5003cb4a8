/* Arithmetic of two values over C16: equal shapes, one number for each
 * channel, or one number.
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
    return GRAFT_OK;
}

struct job {
    const struct graft_call *c;
    enum graft_binary kind;
    enum shape shape[2];
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

static void one_block(const void *ctx, int64_t i, int64_t b)
{
    const struct job *j = ctx;
    const struct graft_view *y = &j->c->out[0];
    int64_t area = graft_area_of(y);
    real tile[2][TILE * 16], *to = graft_block_at(y, i, b);
    struct graft_operand x[2];
    int64_t step[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        const struct graft_view *in = &j->c->in[k];
        x[k] = (struct graft_operand){tile[k], false};
        if (j->shape[k] == EQUAL) {
            x[k].at = graft_block_at(in, i, b);
            step[k] = TILE * 16;
        } else if (j->shape[k] == ONE) {
            x[k] = (struct graft_operand){graft_reals(in), true};
        } else {
            real v[16];
            read_channels(v, in, i, b, &y->shape);
            j->c->k->lanes.repeat(tile[k], v, area < TILE ? area : TILE);
        }
    }
    for (int64_t p = 0; p < area; p += TILE) {
        int64_t n = area - p < TILE ? area - p : TILE;
        j->c->k->pointwise.binary[j->kind](n * 16, x[0], x[1], to + p * 16);
        x[0].at += step[0];
        x[1].at += step[1];
    }
    graft_clear_lanes(y, i, b);
}

void graft_binary_blocked(const struct graft_call *c, enum graft_binary kind)
{
    struct job j = {.c = c, .kind = kind};
    for (int k = 0; k < 2; k++)
        j.shape[k] = shape_of(&c->in[k].shape, &c->out[0].shape);
    graft_each_lane_block(c->pool, &c->out[0], one_block, &j);
}
