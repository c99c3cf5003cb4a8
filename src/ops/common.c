/* What rows of several families share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/common.h"

#include <string.h>

/* ---- infer ------------------------------------------------------------ */

int graft_infer_real(const struct graft_infer *f, int i)
{
    if (graft_dtype_is_float((int)f->in[i].dtype))
        return GRAFT_OK;
    return graft_infer_fail(f, GRAFT_EUNSUPPORTED, "input %d holds %s; only "
                            "floating-point numbers are supported", i,
                            graft_dtype_name((int)f->in[i].dtype));
}

int graft_infer_axis(const struct graft_infer *f, int64_t axis, int rank,
                     int *out)
{
    *out = graft_axis(axis, rank);
    if (*out >= 0)
        return GRAFT_OK;
    return graft_infer_fail(f, GRAFT_ESHAPE, "axis %lld of a value with %d "
                            "dimensions", (long long)axis, rank);
}

int graft_infer_axes(const struct graft_infer *f, const int64_t *axes, int n,
                     int rank, uint32_t *set)
{
    uint32_t bits = 0;
    for (int i = 0; i < n; i++) {
        int axis;
        int status = graft_infer_axis(f, axes[i], rank, &axis);
        if (status)
            return status;
        if (bits >> axis & 1)
            return graft_infer_fail(f, GRAFT_ESHAPE, "axis %d is named twice",
                                    axis);
        bits |= 1u << axis;
    }
    *set = bits;
    return GRAFT_OK;
}

int graft_infer_apart(struct graft_infer *f, int k,
                      const struct graft_shape *shape, bool apart)
{
    bool batched = false, params = true;
    int status = graft_infer_like(f, k, shape);
    if (status)
        return status;
    for (int i = 0; i < f->n_in; i++) {
        const struct graft_vinfo *in = &f->in[i];
        if (!in->present || f->op->host_in >> (i < 31 ? i : 31) & 1)
            continue;
        params &= in->is_param;
        batched |= in->per_image || in->whole_batch;
        apart &= !in->whole_batch && (in->per_image || f->n_max == 1);
    }
    struct graft_vinfo *out = &f->out[k];
    apart = apart && shape->rank && shape->dim[0] &&
            shape->dim[0] % f->n_max == 0;
    out->is_param = params;
    out->per_image = batched && apart ? shape->dim[0] / f->n_max : 0;
    out->whole_batch = batched && !apart;
    return GRAFT_OK;
}

/* ---- elements --------------------------------------------------------- */

int64_t graft_physical_count(const struct graft_view *v)
{
    int64_t n = graft_count(v);
    if (v->fmt.layout != GRAFT_C16 || v->shape.rank < 2 || !n)
        return n;
    return n / v->shape.dim[1] * ((v->shape.dim[1] + 15) / 16 * 16);
}

void graft_mask_lanes(const struct graft_view *v)
{
    const struct graft_shape *s = &v->shape;
    if (v->fmt.layout != GRAFT_C16 || s->rank < 2 || s->dim[1] % 16 == 0)
        return;
    int64_t area = graft_shape_span(s, 2, s->rank);
    int64_t blocks = (s->dim[1] + 15) / 16, lane = s->dim[1] % 16;
    for (int64_t n = 0; n < s->dim[0]; n++) {
        real *last = graft_reals(v) + ((n + 1) * blocks - 1) * area * 16;
        for (int64_t i = 0; i < area; i++)
            memset(last + i * 16 + lane, 0,
                   (size_t)(16 - lane) * sizeof *last);
    }
}

enum { BLOCK = 16384 };

struct blocks {
    graft_block_fn *fn;
    const void *ctx;
    int64_t n;
};

static void block_task(void *ctx, int64_t i, int worker)
{
    const struct blocks *b = ctx;
    int64_t first = i * BLOCK, n = b->n - first;
    (void)worker;
    b->fn(b->ctx, first, n < BLOCK ? n : BLOCK);
}

void graft_each_block(struct graft_pool *pool, int64_t n, graft_block_fn *fn,
                      const void *ctx)
{
    struct blocks b = {fn, ctx, n};
    graft_pool_for(pool, (n + BLOCK - 1) / BLOCK, block_task, &b);
}

/* ---- the same bytes --------------------------------------------------- */

struct copy {
    char *dst;
    const char *src;
    int64_t size;
    const struct graft_kernels *k;
};

static void copy_block(const void *ctx, int64_t first, int64_t n)
{
    const struct copy *c = ctx;
    memcpy(c->dst + first * c->size, c->src + first * c->size,
           (size_t)(n * c->size));
}

static void add_block(const void *ctx, int64_t first, int64_t n)
{
    const struct copy *c = ctx;
    c->k->pointwise.add(n, (const real *)c->src + first,
                        (real *)c->dst + first);
}

void graft_copy_gradient(const struct graft_call *c, real *dst,
                         const real *src, int64_t n, uint8_t dmode)
{
    struct copy copy = {(char *)dst, (const char *)src, sizeof(real), c->k};
    graft_each_block(c->pool, n, dmode == GRAFT_ADD ? add_block : copy_block,
                     &copy);
}

void graft_same_forward(const struct graft_call *c)
{
    struct copy copy = {c->out[0].data, c->in[0].data,
                        (int64_t)graft_dtype_size((int)c->in[0].fmt.dtype),
                        c->k};
    if (copy.dst != copy.src)
        graft_each_block(c->pool, graft_physical_count(&c->in[0]),
                         copy_block, &copy);
}

void graft_same_backward(const struct graft_call *c)
{
    if (c->dmode[0] != GRAFT_SKIP)
        graft_copy_gradient(c, graft_reals(&c->din[0]),
                            graft_reals(&c->dout[0]),
                            graft_physical_count(&c->dout[0]), c->dmode[0]);
}

/* ---- known values ----------------------------------------------------- */

int graft_known_new(struct graft_host **out, struct graft_arena *arena,
                    int dtype, const struct graft_shape *shape)
{
    int64_t n = graft_shape_count(shape);
    if (n < 0)
        return graft_fail(GRAFT_ELIMIT, "a constant is too large");
    struct graft_host *h = graft_arena_alloc(arena, sizeof *h);
    size_t room = (size_t)n ? (size_t)n : 1;
    if (!h)
        return GRAFT_EMEM;
    h->dtype = (enum graft_dtype)dtype;
    h->shape = *shape;
    if (graft_dtype_is_float(dtype))
        h->reals = graft_arena_array(arena, room, sizeof *h->reals);
    else
        h->ints = graft_arena_array(arena, room, sizeof *h->ints);
    if (!h->reals && !h->ints)
        return GRAFT_EMEM;
    *out = h;
    return GRAFT_OK;
}

int graft_known_set(struct graft_infer *f, struct graft_host *h)
{
    ((struct graft_known *)f->args)->value = h;
    f->out[0] = (struct graft_vinfo){
        .present = true, .shape = h->shape, .host = h, .is_param = true,
        .dtype = h->reals ? GRAFT_REAL : GRAFT_INT64};
    return GRAFT_OK;
}

void graft_known_forward(const struct graft_call *c)
{
    const struct graft_host *h =
        ((const struct graft_known *)c->args)->value;
    size_t n = (size_t)graft_count(&c->out[0]);
    if (h->reals)
        memcpy(c->out[0].data, h->reals, n * sizeof *h->reals);
    else
        memcpy(c->out[0].data, h->ints, n * sizeof *h->ints);
}
