/* MatMul 1, 9, 13: numpy's product. With a B of one or two dimensions all
 * rows of A are one matrix; otherwise it is one product for each index of the
 * leading dimensions, which broadcast.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/common.h"
#include "ops/product.h"

struct args {
    int64_t m, n, k;      /* of one product; m only where B has a batch */
    bool flat;            /* B is one matrix */
    int leading;          /* dimensions in front of the matrices */
    int64_t dim[GRAFT_MAX_RANK];          /* the output's */
    int64_t a_step[GRAFT_MAX_RANK], b_step[GRAFT_MAX_RANK];
};

struct chosen {
    struct graft_product_packing packing;
    bool packed;
};

/* ---- shapes ------------------------------------------------------------- */

/* Steps through an operand's leading dimensions, 0 where it is broadcast. */
static void set_steps(int64_t *step, const struct args *a,
                      const struct graft_shape *s, int64_t size)
{
    int skip = a->leading - (s->rank - 2);
    for (int i = a->leading - 1; i >= 0; i--) {
        int64_t d = i >= skip ? s->dim[i - skip] : 1;
        step[i] = d > 1 ? size : 0;
        size *= d;
    }
}

static bool depends(const struct graft_vinfo *v)
{
    return v->per_image || v->whole_batch;
}

/* Whether operand i of the product keeps image j's part where image j's
 * results are: along dim 0 of the output. */
static bool keeps_images(const struct graft_infer *f, int i, int rank,
                         const struct graft_shape *y)
{
    const struct graft_vinfo *v = &f->in[i];
    bool leads = v->shape.rank == rank && v->shape.dim[0] == y->dim[0] &&
                 (i == 0 || rank > 2);
    if (depends(v))
        return v->per_image && leads;
    bool own = v->shape.rank == rank && v->shape.dim[0] > 1 &&
               (i == 0 || rank > 2);
    return !own || f->n_max == 1;
}

static int set_batch(struct graft_infer *f, const struct graft_shape *y,
                     int rank)
{
    int status = graft_infer_like(f, 0, y);
    if (status)
        return status;
    struct graft_vinfo *out = &f->out[0];
    bool batched = depends(&f->in[0]) || depends(&f->in[1]);
    bool apart = y->rank > 0 && f->in[0].shape.rank > 1 && y->dim[0] &&
                 y->dim[0] % f->n_max == 0 &&
                 keeps_images(f, 0, rank, y) && keeps_images(f, 1, rank, y);
    out->is_param = f->in[0].is_param && f->in[1].is_param;
    out->per_image = batched && apart ? y->dim[0] / f->n_max : 0;
    out->whole_batch = batched && !apart;
    return GRAFT_OK;
}

/* Leading dimensions of both, broadcast, in front of y's matrix. */
static bool lead(struct args *a, const struct graft_shape *x,
                 const struct graft_shape *w)
{
    struct graft_shape xl = *x, wl = *w, y;
    xl.rank -= 2;
    wl.rank -= 2;
    if (!graft_shape_broadcast(&y, &xl, &wl))
        return false;
    a->leading = y.rank;
    memcpy(a->dim, y.dim, sizeof a->dim);
    return true;
}

static int infer(struct graft_infer *f)
{
    struct args *a = f->args;
    struct graft_shape x = f->in[0].shape, w = f->in[1].shape, y = {0};
    char xs[GRAFT_SHAPE_TEXT], ws[GRAFT_SHAPE_TEXT];
    int status = graft_infer_real(f, 0);
    if (!status)
        status = graft_infer_real(f, 1);
    if (status)
        return status;
    bool row = x.rank == 1, col = w.rank == 1;
    if (row)
        x = (struct graft_shape){2, {1, x.dim[0]}};
    if (col)
        w = (struct graft_shape){2, {w.dim[0], 1}};
    if (x.rank < 2 || w.rank < 2 || !x.dim[x.rank - 1] ||
        !w.dim[w.rank - 1] || x.dim[x.rank - 1] != w.dim[w.rank - 2] ||
        !lead(a, &x, &w))
        return graft_infer_fail(f, GRAFT_ESHAPE, "%s times %s is not possible",
                                graft_shape_text(xs, &f->in[0].shape),
                                graft_shape_text(ws, &f->in[1].shape));
    a->m = x.dim[x.rank - 2];
    a->n = w.dim[w.rank - 1];
    a->k = x.dim[x.rank - 1];
    a->flat = w.rank == 2;
    set_steps(a->a_step, a, &x, a->m * a->k);
    set_steps(a->b_step, a, &w, a->k * a->n);
    memcpy(y.dim, a->dim, sizeof y.dim);
    y.rank = a->leading;
    if (!row)
        y.dim[y.rank++] = a->m;
    if (!col)
        y.dim[y.rank++] = a->n;
    return set_batch(f, &y, a->leading + 2);
}

static int64_t macs(const struct graft_infer *f)
{
    const struct args *a = f->args;
    return graft_shape_count(&f->out[0].shape) * a->k;
}

static int plan(struct graft_plan *p)
{
    const struct args *a = p->args;
    struct chosen *ch = graft_arena_alloc(p->arena, sizeof *ch);
    if (!ch)
        return GRAFT_EMEM;
    ch->packing.k = a->k;
    ch->packing.n = a->n;
    ch->packing.nr = p->k->conv.nr;
    ch->packing.alpha = 1;
    ch->packed = a->flat && p->in[1].is_param;
    p->chosen = ch;
    if (ch->packed)
        graft_product_plan(p, &ch->packing);
    else if (a->flat)
        p->scratch = graft_product_bytes(&ch->packing);
    else
        p->task_scratch = (graft_product_bytes(&ch->packing) + 63) / 64 * 64;
    return GRAFT_OK;
}

/* ---- forward ------------------------------------------------------------ */

/* Where product i finds its operand. */
static int64_t offset_of(const struct args *a, const int64_t *step, int64_t i)
{
    int64_t at = 0;
    for (int d = a->leading - 1; d >= 0; d--) {
        at += (d ? i % a->dim[d] : i) * step[d];
        i /= a->dim[d];
    }
    return at;
}

static struct graft_product one_product(const struct graft_call *c, int64_t m)
{
    const struct args *a = c->args;
    return (struct graft_product){
        .m = m, .n = a->n, .k = a->k, .a = graft_reals(&c->in[0]),
        .lda = a->k, .c = graft_reals(&c->out[0]), .ldc = a->n};
}

/* Task: product i of a batch. */
static void product_task(void *ctx, int64_t i, int worker)
{
    const struct graft_call *c = ctx;
    const struct args *a = c->args;
    const struct chosen *ch = c->chosen;
    real *strips = graft_call_scratch(c, worker);
    struct graft_view b = {
        graft_reals(&c->in[1]) + offset_of(a, a->b_step, i),
        {2, {a->k, a->n}}, {.dtype = GRAFT_REAL}};
    graft_product_pack(strips, &b, NULL, &ch->packing, NULL);
    struct graft_product p = one_product(c, a->m);
    p.a += offset_of(a, a->a_step, i);
    p.b = strips;
    p.c += i * a->m * a->n;
    graft_product_run(&p, c->k, NULL);
}

static void forward(const struct graft_call *c)
{
    const struct args *a = c->args;
    const struct chosen *ch = c->chosen;
    int64_t count = graft_count(&c->out[0]);
    if (!count)
        return;
    if (!a->flat) {
        graft_pool_for(c->pool, count / (a->m * a->n), product_task,
                       (void *)c);
        return;
    }
    struct graft_product p = one_product(c, count / a->n);
    p.b = ch->packed ? c->pack[1] : c->scratch;
    if (!ch->packed)
        graft_product_pack(c->scratch, &c->in[1], NULL, &ch->packing,
                           c->pool);
    graft_product_run(&p, c->k, c->pool);
}

/* ---- backward ----------------------------------------------------------- */

/* For each product: dA += dY B', dB += A' dY; broadcast operands sum. */
static void backward_each(const struct graft_call *c)
{
    const struct args *a = c->args;
    int64_t count = graft_count(&c->dout[0]);
    int64_t m = a->flat ? count / a->n : a->m;
    const real *dy = graft_reals(&c->dout[0]);
    for (int i = 0; i < 2; i++)
        if (c->dmode[i] == GRAFT_STORE)
            memset(c->din[i].data, 0,
                   (size_t)graft_count(&c->din[i]) * sizeof(real));
    for (int64_t i = 0; m && i < count / (m * a->n); i++) {
        int64_t at = a->flat ? 0 : offset_of(a, a->a_step, i);
        int64_t bt = a->flat ? 0 : offset_of(a, a->b_step, i);
        const real *d = dy + i * m * a->n;
        struct graft_gemm ga = {.tb = true, .m = m, .n = a->k, .k = a->n,
                                .alpha = 1, .beta = 1, .lda = a->n,
                                .ldb = a->n, .ldc = a->k};
        struct graft_gemm gb = {.ta = true, .m = a->k, .n = a->n, .k = m,
                                .alpha = 1, .beta = 1, .lda = a->k,
                                .ldb = a->n, .ldc = a->n};
        if (c->dmode[0] != GRAFT_SKIP)
            graft_gemm(&ga, d, graft_reals(&c->in[1]) + bt,
                       graft_reals(&c->din[0]) + at);
        if (c->dmode[1] != GRAFT_SKIP)
            graft_gemm(&gb, graft_reals(&c->in[0]) + at, d,
                       graft_reals(&c->din[1]) + bt);
    }
}

static void backward(const struct graft_call *c)
{
    const struct chosen *ch = c->chosen;
    const struct graft_product_packing *b = &ch->packing;
    const real *dy = graft_reals(&c->dout[0]);
    if (!ch->packed) {
        backward_each(c);
        return;
    }
    int64_t m = graft_count(&c->dout[0]) / b->n;
    if (c->dmode[0] != GRAFT_SKIP)
        graft_product_da(b, c->pack[1], m, false, dy,
                         graft_reals(&c->din[0]), c->dmode[0]);
    if (c->dmode[1] != GRAFT_SKIP)
        graft_product_db(b, graft_reals(&c->in[0]), m, false, dy,
                         c->dpack[1], c->dmode[1]);
}

#define ROW(from, to)                                                       \
    {                                                                       \
        .name = "MatMul", .domain = "", .since = from, .until = to,         \
        .arity = {2, 2, 1, 1}, .saves_in = 3, .saves_for = {2, 1},          \
        .grad_in = 3,                                                       \
        .args_size = sizeof(struct args), .infer = infer, .plan = plan,     \
        .forward = forward, .backward = backward, .macs = macs              \
    }

extern const struct graft_op graft_op_matmul[];
const struct graft_op graft_op_matmul[] = {ROW(1, 8), ROW(9, 12), ROW(13, 0),
                                           {0}};
