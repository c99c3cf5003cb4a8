/* Sum, Max and Min of any number of values with numpy's broadcasting.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/arith.h"
#include "ops/blocked.h"
#include "ops/common.h"
#include "ops/walk.h"

static int parse_add(struct graft_parse *p)
{
    return graft_arith_set(p, GRAFT_ADD2);
}
static int parse_max(struct graft_parse *p)
{
    return graft_arith_set(p, GRAFT_MAX2);
}
static int parse_min(struct graft_parse *p)
{
    return graft_arith_set(p, GRAFT_MIN2);
}

static int infer_reals(struct graft_infer *f)
{
    for (int i = 0; i < f->n_in; i++) {
        int status = graft_infer_real(f, i);
        if (status)
            return status;
    }
    return graft_infer_broadcast(f);
}

/* C16 where all inputs have the output's shape and one lies so: zero lanes
 * stay zero. Max and Min keep, for backward, each element's share. */
static int plan(struct graft_plan *p)
{
    const struct graft_vinfo *y = &p->out[0];
    enum graft_binary kind = ((const struct graft_arith *)p->args)->kind;
    bool any = false, all = y->shape.rank >= 3 && y->dtype == GRAFT_REAL;
    struct graft_shape whole = y->shape;
    if (whole.rank > 1)
        whole.dim[1] = (whole.dim[1] + 15) / 16 * 16;
    if (p->training && kind != GRAFT_ADD2)
        p->scratch = (size_t)graft_shape_count(&whole) * sizeof(real);
    for (int i = 0; i < p->n_in; i++) {
        any |= graft_plan_is_blocked(p, i);
        all &= !p->in[i].is_param &&
               graft_shape_equal(&p->in[i].shape, &y->shape);
    }
    for (int i = 0; any && all && i < p->n_in; i++)
        p->in_layout[i] = GRAFT_C16;
    if (any && all)
        p->out_layout[0] = GRAFT_C16;
    return GRAFT_OK;
}

static void broadcast_first(const struct graft_call *c)
{
    struct graft_move m = {
        .size = graft_dtype_size((int)c->out[0].fmt.dtype),
        .dst = c->out[0].data, .src = c->in[0].data};
    int64_t dense[GRAFT_MAX_RANK];
    graft_walk_init(&m.walk, &c->out[0].shape);
    graft_dense_strides(dense, &c->out[0].shape);
    graft_walk_add(&m.walk, dense);
    graft_walk_add_broadcast(&m.walk, &c->in[0].shape);
    graft_walk_merge(&m.walk);
    graft_move_run(&m, c->pool);
}

/* Any number of inputs: the output takes them up one by one. */
static void forward(const struct graft_call *c)
{
    if (c->n_in == 1) {
        broadcast_first(c);
        return;
    }
    graft_arith_apply(c, &c->in[0], &c->in[1]);
    for (int i = 2; i < c->n_in; i++)
        graft_arith_apply(c, &c->out[0], &c->in[i]);
}

/* ---- backward ------------------------------------------------------------ */

struct back {
    const struct graft_call *c;
    int input;
    const real *share; /* Max, Min: dy / how many inputs equal y */
    struct graft_walk walk;
};

/* Shapes as they lie: of C16 only its elements count. */
static struct graft_shape space_of(const struct graft_view *v)
{
    struct graft_shape flat = {.rank = 1, .dim = {graft_physical_count(v)}};
    return graft_is_c16(v) ? flat : v->shape;
}

static const real *sum_terms(const struct graft_fold *f, int64_t n,
                             int64_t at, const int64_t *offset, real *room)
{
    const struct back *b = f->ctx;
    (void)n, (void)offset, (void)room;
    return graft_reals(&b->c->dout[0]) + at;
}

static const real *chosen_terms(const struct graft_fold *f, int64_t n,
                                int64_t at, const int64_t *offset,
                                real *room)
{
    const struct back *b = f->ctx;
    int64_t step = f->walk.stride[1][f->walk.rank - 1];
    const real *x = graft_reals(&b->c->in[b->input]) + offset[1];
    const real *y = graft_reals(&b->c->out[0]) + at;
    for (int64_t i = 0; i < n; i++)
        room[i] = x[i * step] == y[i] ? b->share[at + i] : 0;
    return room;
}

/* din[i] (+)= the terms, summed where input i was broadcast. */
static void back_one(const struct back *b, int i)
{
    const struct graft_call *c = b->c;
    struct graft_fold f = {.terms = b->share ? chosen_terms : sum_terms,
                           .ctx = b, .factor = 1,
                           .target = graft_reals(&c->din[i]),
                           .add = c->dmode[i] == GRAFT_ADD, .k = c->k};
    struct graft_shape space = space_of(&c->dout[0]);
    struct graft_shape in = space_of(&c->din[i]);
    graft_walk_init(&f.walk, &space);
    graft_walk_add_broadcast(&f.walk, &in);
    if (b->share)
        graft_walk_add_broadcast(&f.walk, &in);
    graft_walk_merge(&f.walk);
    graft_fold_run(&f, c->pool);
}

static void backward_sum(const struct graft_call *c)
{
    struct back b = {.c = c};
    for (int i = 0; i < c->n_in; i++)
        if (c->dmode[i] == GRAFT_SKIP)
            continue;
        else if (graft_shape_equal(&c->din[i].shape, &c->dout[0].shape))
            graft_copy_gradient(c, graft_reals(&c->din[i]),
                                graft_reals(&c->dout[0]),
                                graft_physical_count(&c->dout[0]),
                                c->dmode[i]);
        else
            back_one(&b, i);
}

static void count_piece(const void *ctx, int64_t n, int64_t at,
                        const int64_t *offset)
{
    const struct back *b = ctx;
    int64_t step = b->walk.stride[0][b->walk.rank - 1];
    const real *x = graft_reals(&b->c->in[b->input]) + offset[0];
    const real *y = graft_reals(&b->c->out[0]) + at;
    real *count = (real *)b->c->scratch + at;
    for (int64_t i = 0; i < n; i++) {
        real equal = x[i * step] == y[i];
        count[i] = b->input ? count[i] + equal : equal;
    }
}

static void share_block(const void *ctx, int64_t first, int64_t n)
{
    const struct graft_call *c = ctx;
    const real *dy = graft_reals(&c->dout[0]);
    real *share = c->scratch;
    for (int64_t i = first; i < first + n; i++)
        share[i] = dy[i] / share[i];
}

/* Equal maxima share the gradient, as PyTorch's maximum and amax do. */
static void backward_chosen(const struct graft_call *c)
{
    struct back b = {.c = c};
    struct graft_shape space = space_of(&c->dout[0]);
    for (b.input = 0; b.input < c->n_in; b.input++) {
        struct graft_shape in = space_of(&c->in[b.input]);
        graft_walk_init(&b.walk, &space);
        graft_walk_add_broadcast(&b.walk, &in);
        graft_walk_merge(&b.walk);
        graft_walk_each(&b.walk, c->pool, count_piece, &b);
    }
    graft_each_block(c->pool, graft_physical_count(&c->dout[0]), share_block,
                     c);
    b.share = c->scratch;
    for (b.input = 0; b.input < c->n_in; b.input++)
        if (c->dmode[b.input] != GRAFT_SKIP)
            back_one(&b, b.input);
}

/* ---- rows ---------------------------------------------------------------- */

#define MANY .since = 8, .domain = "", .arity = {1, -1, 1, 1},              \
    .args_size = sizeof(struct graft_arith), .plan = plan,                  \
    .forward = forward, .grad_in = UINT32_MAX
#define CHOSEN .saves_in = UINT32_MAX, .saves_out = 1,                      \
    .flags = GRAFT_OP_HOST | GRAFT_OP_BACK_BLOCKED,                         \
    .infer = graft_arith_infer, .backward = backward_chosen

extern const struct graft_op graft_op_many[];
const struct graft_op graft_op_many[] = {
    {.name = "Sum", MANY, .flags = GRAFT_OP_BACK_BLOCKED, .parse = parse_add,
     .infer = infer_reals, .backward = backward_sum},
    {.name = "Max", MANY, CHOSEN, .parse = parse_max},
    {.name = "Min", MANY, CHOSEN, .parse = parse_min},
    {.name = NULL},
};
