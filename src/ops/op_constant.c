/* Values known while compiling: Constant, ConstantOfShape, Shape, Size,
 * Range. args begin with struct graft_known.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ops/common.h"

struct args {
    struct graft_known known;
    int64_t start, end; /* Shape */
    bool has_end;
    const struct graft_tensor *fill; /* ConstantOfShape, NULL: 0.0 */
};

/* Most elements that one of these may fill (not Constant, whose numbers are
 * in the file). */
enum { MAX_MADE = 1 << 24 };

/* ---- Constant ------------------------------------------------------------ */

/* *out: host value with the tensor's elements. */
static int read_tensor(struct graft_host **out, struct graft_arena *arena,
                       const struct graft_node *node,
                       const struct graft_tensor *t)
{
    struct graft_host *h;
    bool reals = graft_dtype_is_float(t->dtype);
    if (!reals && !graft_dtype_is_int(t->dtype))
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: a constant of type %s",
                          graft_node_text(node), graft_dtype_name(t->dtype));
    int status = graft_known_new(&h, arena, t->dtype, &t->shape);
    if (status)
        return status;
    struct graft_view v = graft_tensor_view(t);
    int64_t n = graft_shape_count(&t->shape);
    if (reals)
        graft_view_read(&v, 0, n, h->reals);
    else
        graft_view_read_ints(&v, 0, n, h->ints);
    *out = h;
    return GRAFT_OK;
}

static int constant_tensor(struct graft_parse *p, struct graft_host **out)
{
    const struct graft_tensor *t;
    int status = graft_attr_tensor(p, "value", &t);
    return status ? status : read_tensor(out, p->arena, p->node, t);
}

static int constant_floats(struct graft_parse *p, struct graft_host **out)
{
    const float *x;
    int n;
    int status = graft_attr_floats(p, "value_floats", &x, &n);
    struct graft_shape s = {.rank = 1, .dim = {status ? 0 : n}};
    if (!status)
        status = graft_known_new(out, p->arena, GRAFT_FLOAT, &s);
    for (int i = 0; !status && i < n; i++)
        (*out)->reals[i] = (real)x[i];
    return status;
}

static int constant_ints(struct graft_parse *p, struct graft_host **out)
{
    const int64_t *x;
    int n;
    int status = graft_attr_ints(p, "value_ints", &x, &n);
    struct graft_shape s = {.rank = 1, .dim = {status ? 0 : n}};
    if (!status)
        status = graft_known_new(out, p->arena, GRAFT_INT64, &s);
    for (int i = 0; !status && i < n; i++)
        (*out)->ints[i] = x[i];
    return status;
}

static int constant_float(struct graft_parse *p, struct graft_host **out)
{
    float x;
    struct graft_shape s = {.rank = 0};
    int status = graft_attr_float(p, "value_float", 0, &x);
    if (!status)
        status = graft_known_new(out, p->arena, GRAFT_FLOAT, &s);
    if (!status)
        (*out)->reals[0] = (real)x;
    return status;
}

static int constant_int(struct graft_parse *p, struct graft_host **out)
{
    int64_t x;
    struct graft_shape s = {.rank = 0};
    int status = graft_attr_int(p, "value_int", 0, &x);
    if (!status)
        status = graft_known_new(out, p->arena, GRAFT_INT64, &s);
    if (!status)
        (*out)->ints[0] = x;
    return status;
}

static int parse_constant(struct graft_parse *p)
{
    static const struct {
        const char *name;
        int (*read)(struct graft_parse *p, struct graft_host **out);
    } forms[] = {{"value", constant_tensor},
                 {"value_float", constant_float},
                 {"value_floats", constant_floats},
                 {"value_int", constant_int},
                 {"value_ints", constant_ints}};
    struct args *a = p->args;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if ((!i || p->opset >= 12) && graft_attr_has(p, forms[i].name))
            return forms[i].read(p, &a->known.value);
    return graft_fail(GRAFT_EUNSUPPORTED, "%s: no value of a supported kind "
                      "(tensor, int, float, or lists of them)",
                      graft_node_text(p->node));
}

static int infer_constant(struct graft_infer *f)
{
    return graft_known_set(f, ((struct args *)f->args)->known.value);
}

/* A known output. A file of 1 MB can ask for 40,000 large ones: they share a
 * budget. */
static int make(struct graft_infer *f, struct graft_host **out, int dtype,
                const struct graft_shape *s)
{
    int64_t count = graft_shape_count(s);
    if (f->known_left && count > *f->known_left)
        return graft_infer_fail(f, GRAFT_ELIMIT, "%lld elements more, known "
                                "while compiling, are too many",
                                (long long)count);
    int status = graft_known_new(out, f->arena, dtype, s);
    if (!status && f->known_left)
        *f->known_left -= count;
    return status;
}

/* ---- ConstantOfShape ----------------------------------------------------- */

static int parse_fill(struct graft_parse *p)
{
    struct args *a = p->args;
    int status = graft_attr_tensor(p, "value", &a->fill);
    if (!status && a->fill && graft_shape_count(&a->fill->shape) != 1)
        return graft_fail(GRAFT_EFORMAT, "%s: attribute 'value' has %lld "
                          "elements, not 1", graft_node_text(p->node),
                          (long long)graft_shape_count(&a->fill->shape));
    return status;
}

static int infer_fill(struct graft_infer *f)
{
    struct args *a = f->args;
    struct graft_host *one = NULL, *h;
    const int64_t *dims;
    struct graft_shape s;
    int n, status = graft_infer_ints(f, 0, "shape", &dims, &n);
    if (!status)
        status = graft_infer_shape(f, &s, dims, n);
    if (status)
        return status;
    int64_t count = graft_shape_count(&s);
    if (count > MAX_MADE)
        return graft_infer_fail(f, GRAFT_ELIMIT, "%lld elements",
                                (long long)count);
    if (a->fill)
        status = read_tensor(&one, f->arena, f->node, a->fill);
    if (!status)
        status = make(f, &h, a->fill ? a->fill->dtype : GRAFT_FLOAT, &s);
    if (status)
        return status;
    for (int64_t i = 0; one && i < count; i++)
        if (h->reals)
            h->reals[i] = one->reals[0];
        else
            h->ints[i] = one->ints[0];
    return graft_known_set(f, h);
}

/* ---- Shape, Size --------------------------------------------------------- */

static int parse_shape(struct graft_parse *p)
{
    struct args *a = p->args;
    if (p->opset < 15)
        return GRAFT_OK;
    a->has_end = graft_attr_has(p, "end");
    int status = graft_attr_int(p, "start", 0, &a->start);
    return status ? status : graft_attr_int(p, "end", 0, &a->end);
}

static int clamp_axis(int64_t axis, int rank)
{
    axis = axis < 0 ? axis + rank : axis;
    return axis < 0 ? 0 : axis > rank ? rank : (int)axis;
}

/* What of the numbers in out[0], dimensions from `first` on, is the batch. */
static int tell_batch(struct graft_infer *f, int first, int64_t n)
{
    int64_t *by = graft_arena_array(f->arena, (size_t)n + 1, sizeof *by);
    bool any = false;
    if (!by)
        return GRAFT_EMEM;
    for (int64_t i = 0; i < n; i++) {
        by[i] = graft_batch_factor(&f->in[0], first + (int)i);
        any |= by[i] != 0;
    }
    f->out[0].of_batch = any ? by : NULL;
    return GRAFT_OK;
}

static int infer_shape(struct graft_infer *f)
{
    const struct args *a = f->args;
    const struct graft_shape *in = &f->in[0].shape;
    struct graft_host *h;
    int first = clamp_axis(a->start, in->rank);
    int end = a->has_end ? clamp_axis(a->end, in->rank) : in->rank;
    struct graft_shape s = {.rank = 1,
                            .dim = {end > first ? end - first : 0}};
    int status = graft_known_new(&h, f->arena, GRAFT_INT64, &s);
    if (status)
        return status;
    for (int d = first; d < end; d++)
        h->ints[d - first] = in->dim[d];
    status = graft_known_set(f, h);
    return status ? status : tell_batch(f, first, s.dim[0]);
}

static int infer_size(struct graft_infer *f)
{
    struct graft_host *h;
    struct graft_shape s = {.rank = 0};
    int status = graft_known_new(&h, f->arena, GRAFT_INT64, &s);
    if (status)
        return status;
    h->ints[0] = graft_shape_count(&f->in[0].shape);
    status = graft_known_set(f, h);
    int64_t *by = graft_arena_array(f->arena, 1, sizeof *by);
    if (status || !by)
        return status ? status : GRAFT_EMEM;
    by[0] = graft_batch_factor(&f->in[0], 0);
    if (by[0] > 0)
        by[0] = h->ints[0] / f->n_max;
    f->out[0].of_batch = by[0] ? by : NULL;
    return GRAFT_OK;
}

/* ---- Range --------------------------------------------------------------- */

/* max(ceil((limit - start) / delta), 0); < 0: delta is zero or too many */
static int64_t range_ints(int64_t start, int64_t limit, int64_t delta)
{
    if (!delta)
        return -1;
    if (delta > 0 ? limit <= start : limit >= start)
        return 0;
    uint64_t way = delta > 0 ? (uint64_t)limit - (uint64_t)start
                             : (uint64_t)start - (uint64_t)limit;
    uint64_t step = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
    uint64_t n = (way - 1) / step + 1;
    return n > MAX_MADE ? -1 : (int64_t)n;
}

static int64_t range_reals(double start, double limit, double delta)
{
    double n = ceil((limit - start) / delta);
    return n >= 0 && n <= MAX_MADE ? (int64_t)n : n < 0 ? 0 : -1;
}

static int infer_range(struct graft_infer *f)
{
    static const char *const name[] = {"start", "limit", "delta"};
    double x[3];
    bool ints = graft_dtype_is_int((int)f->in[0].dtype);
    for (int i = 0; i < 3; i++) {
        int status = graft_infer_scalar(f, i, name[i], 0, &x[i]);
        if (status)
            return status;
        if (ints != graft_dtype_is_int((int)f->in[i].dtype))
            return graft_infer_fail(f, GRAFT_ESHAPE, "types differ");
    }
    const struct graft_host *start = f->in[0].host, *delta = f->in[2].host;
    int64_t n = ints ? range_ints(start->ints[0], f->in[1].host->ints[0],
                                  delta->ints[0])
                     : range_reals(x[0], x[1], x[2]);
    if (n < 0)
        return graft_infer_fail(f, GRAFT_ELIMIT, "from %g to %g by %g", x[0],
                                x[1], x[2]);
    struct graft_host *h;
    struct graft_shape s = {.rank = 1, .dim = {n}};
    int status = make(f, &h, (int)start->dtype, &s);
    if (status)
        return status;
    for (int64_t i = 0; i < n; i++)
        if (ints)
            h->ints[i] = start->ints[0] + i * delta->ints[0];
        else
            h->reals[i] = (real)(x[0] + (double)i * x[2]);
    return graft_known_set(f, h);
}

/* ---- rows ---------------------------------------------------------------- */

#define KNOWN .domain = "", .args_size = sizeof(struct args),               \
    .forward = graft_known_forward

const struct graft_op graft_op_constant[] = {
    {.name = "Constant", .since = 1, .until = 11, KNOWN,
     .arity = {0, 0, 1, 1}, .parse = parse_constant, .infer = infer_constant},
    {.name = "Constant", .since = 12, KNOWN, .arity = {0, 0, 1, 1},
     .parse = parse_constant, .infer = infer_constant},
    {.name = "ConstantOfShape", .since = 9, KNOWN, .arity = {1, 1, 1, 1},
     .host_in = 1, .parse = parse_fill, .infer = infer_fill},
    {.name = "Shape", .since = 1, .until = 14, KNOWN, .arity = {1, 1, 1, 1},
     .parse = parse_shape, .infer = infer_shape},
    {.name = "Shape", .since = 15, KNOWN, .arity = {1, 1, 1, 1},
     .parse = parse_shape, .infer = infer_shape},
    {.name = "Size", .since = 1, KNOWN, .arity = {1, 1, 1, 1},
     .infer = infer_size},
    {.name = "Range", .since = 11, KNOWN, .arity = {3, 3, 1, 1},
     .host_in = 7, .infer = infer_range},
    {.name = NULL},
};
