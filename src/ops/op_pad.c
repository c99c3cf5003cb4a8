/* Pad: constant, reflect, edge, wrap; negative pads crop. Each output index
 * along a padded axis has an input index, or -1 for the constant.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/common.h"

typedef int64_t source_fn(int64_t i, int64_t dim);

struct args {
    const struct mode *mode;
    const int64_t *pads;    /* attribute, NULL: an input */
    int n_pads;
    float attr_value;
    double value;
    int64_t *from[GRAFT_MAX_RANK]; /* [output dim]; NULL: unchanged axis */
};

/* ---- modes: the input index for i, which may lie outside [0, dim) -------- */

static int64_t from_constant(int64_t i, int64_t dim)
{
    return i >= 0 && i < dim ? i : -1;
}

static int64_t from_edge(int64_t i, int64_t dim)
{
    return i < 0 ? 0 : i >= dim ? dim - 1 : i;
}

static int64_t from_wrap(int64_t i, int64_t dim)
{
    int64_t r = i % dim;
    return r < 0 ? r + dim : r;
}

/* ... 2 1 | 0 1 2 3 | 2 1 0 ... */
static int64_t from_reflect(int64_t i, int64_t dim)
{
    if (dim == 1)
        return 0;
    int64_t r = from_wrap(i, 2 * (dim - 1));
    return r < dim ? r : 2 * (dim - 1) - r;
}

static const struct mode {
    const char *name;
    int since;
    source_fn *from;
} modes[] = {{"constant", 1, from_constant}, {"reflect", 1, from_reflect},
             {"edge", 1, from_edge}, {"wrap", 19, from_wrap}};

/* ---- parse and infer ----------------------------------------------------- */

static int parse(struct graft_parse *p)
{
    struct args *a = p->args;
    const char *name;
    int status = graft_attr_string(p, "mode", "constant", &name);
    if (!status && p->opset < 11)
        status = graft_attr_ints(p, "pads", &a->pads, &a->n_pads);
    if (!status && p->opset < 11)
        status = graft_attr_float(p, "value", 0, &a->attr_value);
    if (status)
        return status;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(name, modes[i].name) && p->opset >= modes[i].since)
            a->mode = &modes[i];
    if (!a->mode || (p->opset < 11 && !a->pads))
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: mode '%s'%s",
                          graft_node_text(p->node), name,
                          a->mode ? " without pads" : " is not known");
    return GRAFT_OK;
}

static int pad_axis(struct graft_infer *f, struct graft_shape *s, int axis,
                    int64_t before, int64_t after)
{
    struct args *a = f->args;
    int64_t dim = s->dim[axis], most = INT32_MAX;
    if (before > most || before < -most || after > most || after < -most ||
        dim > most || dim + before + after < 0)
        return graft_infer_fail(f, GRAFT_ESHAPE, "pads %lld and %lld for a "
                                "dimension of %lld", (long long)before,
                                (long long)after, (long long)dim);
    int64_t n = dim + before + after;
    if (!dim && n && a->mode->from != from_constant)
        return graft_infer_fail(f, GRAFT_ESHAPE, "mode '%s' for a dimension "
                                "of 0", a->mode->name);
    s->dim[axis] = n;
    if (!before && !after)
        return GRAFT_OK;
    a->from[axis] = graft_arena_array(f->arena, (size_t)n + 1,
                                      sizeof *a->from[axis]);
    if (!a->from[axis])
        return GRAFT_EMEM;
    for (int64_t i = 0; i < n; i++)
        a->from[axis][i] = a->mode->from(i - before, dim);
    return GRAFT_OK;
}

static int infer(struct graft_infer *f)
{
    struct args *a = f->args;
    struct graft_shape s = f->in[0].shape;
    int64_t all[GRAFT_MAX_RANK];
    const int64_t *pads = a->pads, *axes;
    int n = a->n_pads, n_axes;
    uint32_t set;
    int status = GRAFT_OK;
    if (!pads)
        status = graft_infer_ints(f, 1, "pads", &pads, &n);
    if (!status)
        status = graft_infer_scalar(f, 2, "constant_value",
                                    (double)a->attr_value, &a->value);
    if (!status)
        status = graft_infer_ints(f, 3, "axes", &axes, &n_axes);
    if (status)
        return status;
    if (graft_dtype_is_int((int)f->in[0].dtype) &&
        !(a->value >= -0x1p53 && a->value <= 0x1p53))
        return graft_infer_fail(f, GRAFT_EUNSUPPORTED, "integers padded with "
                                "%g", a->value);
    for (int d = 0; !axes && d < s.rank; d++)
        all[n_axes++] = d;
    status = graft_infer_axes(f, axes ? axes : all, n_axes, s.rank, &set);
    if (!status && n != 2 * n_axes)
        status = graft_infer_fail(f, GRAFT_ESHAPE, "%d pads for %d axes", n,
                                  n_axes);
    for (int i = 0; !status && i < n_axes; i++)
        status = pad_axis(f, &s, graft_axis(axes ? axes[i] : all[i], s.rank),
                          pads[i], pads[i + n_axes]);
    return status ? status : graft_infer_apart(f, 0, &s, !a->from[0]);
}

/* ---- run ----------------------------------------------------------------- */

struct job {
    const struct graft_call *c;
    const struct args *a;
    struct graft_shape in, out;
    int64_t stride[GRAFT_MAX_RANK]; /* of the input */
    real *x, *y;                    /* or dx, dy */
    int64_t *ix, *iy;               /* of integers instead */
};

/* Where the input row of output row `row` begins, or -1: all constant. */
static int64_t input_row(const struct job *j, int64_t row)
{
    int64_t at = 0;
    for (int d = j->out.rank - 2; d >= 0; d--) {
        int64_t i = row % j->out.dim[d];
        row /= j->out.dim[d];
        int64_t from = j->a->from[d] ? j->a->from[d][i] : i;
        if (from < 0)
            return -1;
        at += from * j->stride[d];
    }
    return at;
}

static void forward_row(void *ctx, int64_t row, int worker)
{
    const struct job *j = ctx;
    int last = j->out.rank - 1;
    int64_t n = j->out.dim[last], at = input_row(j, row);
    const int64_t *from = j->a->from[last];
    real *y = j->y + row * n;
    (void)worker;
    if (at >= 0 && !from) {
        memcpy(y, j->x + at, (size_t)n * sizeof *y);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] = at < 0 || from[i] < 0 ? (real)j->a->value
                                     : j->x[at + from[i]];
}

static void forward_int_row(void *ctx, int64_t row, int worker)
{
    const struct job *j = ctx;
    int last = j->out.rank - 1;
    int64_t n = j->out.dim[last], at = input_row(j, row);
    const int64_t *from = j->a->from[last];
    (void)worker;
    for (int64_t i = 0; i < n; i++) {
        int64_t k = from ? from[i] : i;
        j->iy[row * n + i] = at < 0 || k < 0 ? (int64_t)j->a->value
                                             : j->ix[at + k];
    }
}

static struct job job_of(const struct graft_call *c,
                         const struct graft_view *x,
                         const struct graft_view *y)
{
    struct job j = {.c = c, .a = c->args, .in = x->shape, .out = y->shape,
                    .x = graft_reals(x), .y = graft_reals(y),
                    .ix = graft_ints(x), .iy = graft_ints(y)};
    int64_t step = 1;
    for (int d = j.in.rank - 1; d >= 0; d--) {
        j.stride[d] = step;
        step *= j.in.dim[d];
    }
    return j;
}

static void forward(const struct graft_call *c)
{
    struct job j = job_of(c, &c->in[0], &c->out[0]);
    if (!j.out.rank) {
        graft_same_forward(c);
        return;
    }
    graft_pool_for(c->pool, graft_shape_span(&j.out, 0, j.out.rank - 1),
                   c->in[0].fmt.dtype == GRAFT_REAL ? forward_row
                                                    : forward_int_row,
                   &j);
}

static void backward_row(const struct job *j, int64_t row)
{
    int last = j->out.rank - 1;
    int64_t n = j->out.dim[last], at = input_row(j, row);
    const int64_t *from = j->a->from[last];
    const real *dy = j->y + row * n;
    for (int64_t i = 0; at >= 0 && i < n; i++)
        if (!from)
            j->x[at + i] += dy[i];
        else if (from[i] >= 0)
            j->x[at + from[i]] += dy[i];
}

/* Rows of one index of dimension 0: they meet no others unless that dimension
 * is padded too. */
static void backward_part(void *ctx, int64_t part, int worker)
{
    const struct job *j = ctx;
    int64_t rows = graft_shape_span(&j->out, 1, j->out.rank - 1);
    (void)worker;
    for (int64_t r = 0; r < rows; r++)
        backward_row(j, part * rows + r);
}

static void zero_block(const void *ctx, int64_t first, int64_t n)
{
    memset(((const struct job *)ctx)->x + first, 0, (size_t)n * sizeof(real));
}

static void backward(const struct graft_call *c)
{
    struct job j = job_of(c, &c->din[0], &c->dout[0]);
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    if (c->dmode[0] == GRAFT_STORE)
        graft_each_block(c->pool, graft_count(&c->din[0]), zero_block, &j);
    if (j.out.rank < 2 && graft_count(&c->dout[0])) {
        if (j.out.rank)
            backward_row(&j, 0);
        else
            j.x[0] += j.y[0];
    } else if (j.out.rank >= 2) {
        graft_pool_for(j.a->from[0] ? NULL : c->pool, j.out.dim[0],
                       backward_part, &j);
    }
}

#define PAD .name = "Pad", .domain = "", .grad_in = 1,                      \
    .flags = GRAFT_OP_HOST,                                                 \
    .args_size = sizeof(struct args), .parse = parse, .infer = infer,       \
    .forward = forward, .backward = backward

const struct graft_op graft_op_pad[] = {
    {PAD, .since = 2, .until = 10, .arity = {1, 1, 1, 1}},
    {PAD, .since = 11, .until = 17, .arity = {2, 3, 1, 1}, .host_in = 6},
    {PAD, .since = 18, .arity = {2, 4, 1, 1}, .host_in = 14},
    {.name = NULL},
};
