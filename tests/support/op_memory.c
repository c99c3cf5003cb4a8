/* Memory of an operator's case: guarded, filled with NaN, in any layout.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_run.h"

/* ---- guarded memory ------------------------------------------------------ */

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

void *op_run_memory(struct op_run *r, size_t bytes)
{
    struct op_buffer *b = graft_push(&r->buffer);
    char *p = graft_alloc_aligned(bytes + 2 * GUARD);
    if (!b || !p)
        op_run_fail(r, "no memory");
    memset(p, GUARD_BYTE, bytes + 2 * GUARD);
    b->data = p + GUARD;
    b->bytes = bytes;
    memset(b->data, OP_RUN_FILL, bytes);
    return b->data;
}

void op_run_release_memory(struct op_run *r)
{
    for (int i = 0; i < r->buffer.n; i++) {
        struct op_buffer *b = &r->buffer.at[i];
        for (size_t k = 0; k < GUARD; k++)
            if ((uint8_t)b->data[-1 - (int64_t)k] != GUARD_BYTE ||
                (uint8_t)b->data[b->bytes + k] != GUARD_BYTE)
                op_run_fail(r, "wrote outside buffer %d of %zu bytes", i,
                            b->bytes);
        graft_free(b->data - GUARD);
    }
    graft_array_release(&r->buffer);
}

/* ---- numbers in views ---------------------------------------------------- */

/* Physical element index of logical row-major index i. */
static int64_t place_of(const struct graft_view *v, int64_t i)
{
    const struct graft_shape *s = &v->shape;
    if (v->fmt.layout == GRAFT_ROW || s->rank < 2)
        return i;
    int64_t area = graft_shape_span(s, 2, s->rank), c = s->dim[1];
    int64_t at = i % area, ch = i / area % c, n = i / area / c;
    if (v->fmt.layout == GRAFT_IMAGE)
        return (n * area + at) * c + ch;
    return ((n * ((c + 15) / 16) + ch / 16) * area + at) * 16 + ch % 16;
}

double op_run_number(const struct graft_view *v, int64_t i)
{
    int64_t at = place_of(v, i);
    return v->fmt.dtype == GRAFT_REAL ? (double)graft_reals(v)[at]
                                      : (double)graft_ints(v)[at];
}

void op_run_set(const struct graft_view *v, int64_t i, double x)
{
    int64_t at = place_of(v, i);
    if (v->fmt.dtype == GRAFT_REAL)
        graft_reals(v)[at] = (real)x;
    else
        graft_ints(v)[at] = (int64_t)x;
}

void op_run_fill(struct op_run *r, const struct graft_view *v, double x)
{
    (void)r;
    for (int64_t i = 0; i < graft_count(v); i++)
        op_run_set(v, i, x);
}

size_t op_run_bytes(struct op_run *r, const struct graft_view *v)
{
    int64_t n = graft_format_bytes(&v->fmt, &v->shape);
    if (n < 0)
        op_run_fail(r, "a value is too large");
    return (size_t)n;
}

void op_run_allocate(struct op_run *r, struct graft_view *v)
{
    size_t bytes = op_run_bytes(r, v);
    v->data = op_run_memory(r, bytes);
    if (v->fmt.layout == GRAFT_C16)
        memset(v->data, 0, bytes);
}

/* ---- blocks -------------------------------------------------------------- */

bool op_run_is_blocked(const struct op_run *r)
{
    bool any = false;
    for (int i = 0; i < r->n_in; i++)
        any |= r->layout[0][i] == GRAFT_C16;
    for (int k = 0; k < r->n_out; k++)
        any |= r->layout[1][k] == GRAFT_C16;
    return any;
}

void op_run_check_unused(struct op_run *r, const struct graft_view *v,
                         const char *what, int i)
{
    if (!v->data || v->fmt.layout != GRAFT_C16)
        return;
    int64_t c = v->shape.dim[1], blocks = (c + 15) / 16;
    int64_t area = graft_shape_span(&v->shape, 2, v->shape.rank);
    for (int64_t p = 0; p < v->shape.dim[0] * area && c % 16; p++) {
        int64_t last = (p / area * blocks + blocks - 1) * area + p % area;
        for (int64_t l = c % 16; l < 16; l++)
            if (graft_reals(v)[last * 16 + l] != 0)
                op_run_fail(r, "%s %d: lane %lld of the last block is %g, "
                            "not zero", what, i, (long long)l,
                            (double)graft_reals(v)[last * 16 + l]);
    }
}

void op_run_check_lanes(struct op_run *r)
{
    for (int k = 0; k < r->n_out; k++)
        op_run_check_unused(r, &r->vout[k], "output", k);
}
