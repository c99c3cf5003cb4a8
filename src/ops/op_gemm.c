/* Gemm 7, 9, 11, 13: Y = alpha op(A) op(B) + beta C, C broadcast to Y.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/common.h"
#include "ops/product.h"
#include "ops/spatial.h"

struct args {
    float alpha, beta;
    int64_t ta, tb;
};

struct chosen {
    struct graft_product_packing packing;
    bool packed;
};

static int parse(struct graft_parse *p)
{
    struct args *a = p->args;
    int status = graft_attr_float(p, "alpha", 1, &a->alpha);
    if (!status)
        status = graft_attr_float(p, "beta", 1, &a->beta);
    if (!status)
        status = graft_attr_int(p, "transA", 0, &a->ta);
    return status ? status : graft_attr_int(p, "transB", 0, &a->tb);
}

static bool depends(const struct graft_vinfo *v)
{
    return v->per_image || v->whole_batch;
}

/* Image i stays in its rows unless A is transposed, B depends on the images,
 * or C has rows of its own. */
static void batch_facts(struct graft_infer *f, const struct args *a)
{
    struct graft_vinfo *out = &f->out[0];
    bool apart = !depends(&f->in[1]), batched = depends(&f->in[0]);
    batched |= depends(&f->in[1]);
    out->is_param = f->in[0].is_param && f->in[1].is_param;
    apart &= f->in[0].per_image && !a->ta;
    if (graft_has_input(f, 2)) {
        const struct graft_vinfo *c = &f->in[2];
        bool rows = c->shape.rank == 2 && c->shape.dim[0] > 1;
        out->is_param &= c->is_param;
        batched |= depends(c);
        apart &= depends(c) ? c->per_image && c->shape.rank == 2 &&
                                  c->shape.dim[0] == out->shape.dim[0]
                            : !rows || f->n_max == 1;
    }
    out->per_image = batched && apart ? f->in[0].per_image : 0;
    out->whole_batch = batched && !apart;
}

static int infer(struct graft_infer *f)
{
    const struct args *a = f->args;
    const struct graft_shape *x = &f->in[0].shape, *w = &f->in[1].shape;
    char xs[GRAFT_SHAPE_TEXT], ws[GRAFT_SHAPE_TEXT];
    int status = GRAFT_OK;
    for (int i = 0; i < f->n_in && !status; i++)
        status = f->in[i].present ? graft_infer_real(f, i) : GRAFT_OK;
    if (status)
        return status;
    if (x->rank != 2 || w->rank != 2 || x->dim[!a->ta] != w->dim[!!a->tb])
        return graft_infer_fail(f, GRAFT_ESHAPE, "%s%s times %s%s is not "
                                "possible", graft_shape_text(xs, x),
                                a->ta ? " transposed" : "",
                                graft_shape_text(ws, w),
                                a->tb ? " transposed" : "");
    struct graft_shape y = {2, {x->dim[!!a->ta], w->dim[!a->tb]}}, z;
    if (graft_has_input(f, 2) &&
        (!graft_shape_broadcast(&z, &y, &f->in[2].shape) ||
         !graft_shape_equal(&z, &y)))
        return graft_infer_fail(f, GRAFT_ESHAPE, "C of shape %s does not "
                                "broadcast to %s",
                                graft_shape_text(xs, &f->in[2].shape),
                                graft_shape_text(ws, &y));
    status = graft_infer_like(f, 0, &y);
    if (!status)
        batch_facts(f, a);
    return status;
}

static int64_t macs(const struct graft_infer *f)
{
    const struct args *a = f->args;
    return graft_shape_count(&f->out[0].shape) *
           f->in[0].shape.dim[!a->ta];
}

static int plan(struct graft_plan *p)
{
    const struct args *a = p->args;
    struct chosen *ch = graft_arena_alloc(p->arena, sizeof *ch);
    if (!ch)
        return GRAFT_EMEM;
    const struct graft_shape *y = &p->out[0].shape;
    ch->packing.k = p->in[0].shape.dim[!a->ta];
    ch->packing.n = y->dim[1];
    ch->packing.transposed = a->tb != 0;
    ch->packing.alpha = (double)a->alpha;
    ch->packing.nr = p->k->conv.nr;
    ch->packed = p->in[1].is_param;
    p->chosen = ch;
    if (ch->packed)
        graft_product_plan(p, &ch->packing);
    else
        p->scratch = graft_product_bytes(&ch->packing);
    if (a->ta)
        p->scratch += (size_t)(y->dim[0] * ch->packing.k) * sizeof(real);
    return GRAFT_OK;
}

/* ---- forward ------------------------------------------------------------ */

/* Steps of C from row to row and column to column of Y. */
static void c_steps(const struct graft_view *c, int64_t *row, int64_t *col)
{
    const struct graft_shape *s = &c->shape;
    int64_t wide = s->rank ? s->dim[s->rank - 1] : 1;
    *col = wide > 1;
    *row = s->rank == 2 && s->dim[0] > 1 ? wide : 0;
}

/* Y = beta C */
static void put_c(const struct graft_call *c, float beta)
{
    const struct graft_shape *s = &c->out[0].shape;
    const real *src = graft_reals(&c->in[2]);
    real *y = graft_reals(&c->out[0]);
    int64_t row, col;
    c_steps(&c->in[2], &row, &col);
    for (int64_t i = 0; i < s->dim[0]; i++)
        for (int64_t j = 0; j < s->dim[1]; j++)
            *y++ = (real)beta * src[i * row + j * col];
}

/* dst[m][k] = src[k][m] transposed */
static const real *transpose(real *dst, const real *src, int64_t m, int64_t k)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++)
            dst[i * k + l] = src[l * m + i];
    return dst;
}

static void forward(const struct graft_call *c)
{
    const struct args *a = c->args;
    const struct chosen *ch = c->chosen;
    real *scratch = c->scratch;
    bool add = c->n_in > 2 && c->in[2].data && a->beta != 0;
    struct graft_product p = {
        .m = c->out[0].shape.dim[0], .n = ch->packing.n, .k = ch->packing.k,
        .a = graft_reals(&c->in[0]), .lda = ch->packing.k,
        .c = graft_reals(&c->out[0]), .ldc = ch->packing.n, .add = add,
        .finish = graft_finish_of(c, c->ep ? c->ep->bias : NULL)};
    if (ch->packed) {
        p.b = c->pack[1];
    } else {
        graft_product_pack(scratch, &c->in[1], NULL, &ch->packing, c->pool);
        p.b = scratch;
        scratch += graft_product_bytes(&ch->packing) / sizeof *scratch;
    }
    if (a->ta)
        p.a = transpose(scratch, p.a, p.m, p.k);
    if (add)
        put_c(c, a->beta);
    graft_product_run(&p, c->k, c->pool);
}

/* ---- backward ----------------------------------------------------------- */

/* dA, dB of a B that is not packed, in the layouts of A and B. */
static void plain_gradients(const struct graft_call *c, int64_t m, int64_t n,
                            int64_t k)
{
    const struct args *a = c->args;
    const real *x = graft_reals(&c->in[0]), *w = graft_reals(&c->in[1]);
    const real *dy = graft_reals(&c->dout[0]);
    int64_t lda = a->ta ? m : k, ldb = a->tb ? k : n;
    struct graft_gemm g = {.alpha = (double)a->alpha};
    if (c->dmode[0] != GRAFT_SKIP) {
        g.beta = c->dmode[0] == GRAFT_ADD;
        g.m = a->ta ? k : m, g.n = a->ta ? m : k, g.k = n, g.ldc = lda;
        if (a->ta) { /* dA' = op(B) dY' */
            g.ta = a->tb, g.tb = true, g.lda = ldb, g.ldb = n;
            graft_gemm(&g, w, dy, graft_reals(&c->din[0]));
        } else { /* dA = dY op(B)' */
            g.ta = false, g.tb = !a->tb, g.lda = n, g.ldb = ldb;
            graft_gemm(&g, dy, w, graft_reals(&c->din[0]));
        }
    }
    if (c->dmode[1] == GRAFT_SKIP)
        return;
    g.beta = c->dmode[1] == GRAFT_ADD;
    g.m = a->tb ? n : k, g.n = a->tb ? k : n, g.k = m, g.ldc = ldb;
    if (a->tb) { /* dB' = dY' op(A) */
        g.ta = true, g.tb = a->ta, g.lda = n, g.ldb = lda;
        graft_gemm(&g, dy, x, graft_reals(&c->din[1]));
    } else { /* dB = op(A)' dY */
        g.ta = !a->ta, g.tb = false, g.lda = lda, g.ldb = n;
        graft_gemm(&g, x, dy, graft_reals(&c->din[1]));
    }
}

/* dC = beta dY, summed where C was broadcast. */
static void gradient_of_c(const struct graft_call *c, int64_t m, int64_t n)
{
    const struct args *a = c->args;
    const real *dy = graft_reals(&c->dout[0]);
    real *dc = graft_reals(&c->din[2]);
    int64_t row, col;
    c_steps(&c->din[2], &row, &col);
    if (c->dmode[2] == GRAFT_STORE)
        memset(dc, 0, (size_t)graft_count(&c->din[2]) * sizeof *dc);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            dc[i * row + j * col] += (real)a->beta * *dy++;
}

static void backward(const struct graft_call *c)
{
    const struct args *a = c->args;
    const struct chosen *ch = c->chosen;
    const struct graft_product_packing *b = &ch->packing;
    const real *dy = graft_reals(&c->dout[0]);
    int64_t m = c->dout[0].shape.dim[0];
    if (!ch->packed) {
        plain_gradients(c, m, b->n, b->k);
    } else {
        if (c->dmode[0] != GRAFT_SKIP)
            graft_product_da(b, c->pack[1], m, a->ta != 0, dy,
                             graft_reals(&c->din[0]), c->dmode[0]);
        if (c->dmode[1] != GRAFT_SKIP)
            graft_product_db(b, graft_reals(&c->in[0]), m, a->ta != 0, dy,
                             c->dpack[1], c->dmode[1]);
    }
    if (c->n_in > 2 && c->dmode[2] != GRAFT_SKIP)
        gradient_of_c(c, m, b->n);
}

#define ROW(from, to, least)                                                \
    {                                                                       \
        .name = "Gemm", .domain = "", .since = from, .until = to,           \
        .arity = {least, 3, 1, 1}, .flags = GRAFT_OP_EPILOGUE,              \
        .saves_in = 3, .saves_for = {2, 1}, .grad_in = 7,                   \
        .args_size = sizeof(struct args),                                   \
        .parse = parse, .infer = infer, .plan = plan, .forward = forward,   \
        .backward = backward, .macs = macs                                  \
    }

extern const struct graft_op graft_op_gemm[];
const struct graft_op graft_op_gemm[] = {
    ROW(7, 8, 3), ROW(9, 10, 3), ROW(11, 12, 2), ROW(13, 0, 2), {0}};
