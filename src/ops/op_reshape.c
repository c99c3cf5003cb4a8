/* Rows that give the same elements another shape, or nothing but another
 * name: Reshape, Flatten, Squeeze, Unsqueeze, Identity.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/common.h"

struct args {
    int64_t axis;        /* Flatten */
    int64_t allow_zero;  /* Reshape */
    const int64_t *axes; /* Squeeze, Unsqueeze as attribute; NULL: none */
    int n_axes;
};

/* ---- Reshape ------------------------------------------------------------ */

static int parse_reshape(struct graft_parse *p)
{
    struct args *a = p->args;
    return p->opset < 14 ? GRAFT_OK
                         : graft_attr_int(p, "allowzero", 0, &a->allow_zero);
}

/* Replaces 0 (copy) and finds -1 (rest); *rest: its place or -1. */
static int read_dims(const struct graft_infer *f, const int64_t *want, int n,
                     struct graft_shape *s, int *rest)
{
    const struct graft_shape *in = &f->in[0].shape;
    const struct args *a = f->args;
    bool zero = false;
    *s = (struct graft_shape){.rank = n};
    *rest = -1;
    for (int i = 0; i < n; i++) {
        s->dim[i] = want[i];
        zero |= want[i] == 0;
        if (want[i] == 0 && !a->allow_zero) {
            if (i >= in->rank)
                return graft_infer_fail(f, GRAFT_ESHAPE, "dimension %d is to "
                                        "be copied from a shape of %d", i,
                                        in->rank);
            s->dim[i] = in->dim[i];
        } else if (want[i] == -1 && *rest < 0) {
            *rest = i;
            s->dim[i] = 1;
        } else if (want[i] < 0) {
            return graft_infer_fail(f, GRAFT_ESHAPE, "dimension %d is %lld",
                                    i, (long long)want[i]);
        }
    }
    if (zero && a->allow_zero && *rest >= 0)
        return graft_infer_fail(f, GRAFT_ESHAPE, "allowzero with both 0 and "
                                "-1 in the shape");
    return GRAFT_OK;
}

static int infer_reshape(struct graft_infer *f)
{
    const struct graft_shape *in = &f->in[0].shape;
    const int64_t *want;
    struct graft_shape s;
    int n, rest;
    int status = graft_infer_ints(f, 1, "shape", &want, &n);
    if (status)
        return status;
    if (n > GRAFT_MAX_RANK)
        return graft_infer_fail(f, GRAFT_ELIMIT, "%d dimensions", n);
    status = read_dims(f, want, n, &s, &rest);
    if (status)
        return status;
    int64_t have = graft_shape_count(in), count = graft_shape_count(&s);
    if (rest >= 0 && count > 0 && have % count == 0)
        s.dim[rest] = have / count;
    char a[GRAFT_SHAPE_TEXT], b[GRAFT_SHAPE_TEXT];
    if (graft_shape_count(&s) != have)
        return graft_infer_fail(f, GRAFT_ESHAPE, "%s cannot become %s",
                                graft_shape_text(a, in),
                                graft_shape_text(b, &s));
    return graft_infer_like(f, 0, &s);
}

/* ---- Flatten ------------------------------------------------------------ */

static int parse_flatten(struct graft_parse *p)
{
    return graft_attr_int(p, "axis", 1, &((struct args *)p->args)->axis);
}

/* axis = rank is allowed: [all, 1] */
static int infer_flatten(struct graft_infer *f)
{
    const struct graft_shape *in = &f->in[0].shape;
    int64_t axis = ((const struct args *)f->args)->axis;
    if (axis < -in->rank || axis > in->rank)
        return graft_infer_fail(f, GRAFT_ESHAPE, "axis %lld of a value with "
                                "%d dimensions", (long long)axis, in->rank);
    int cut = (int)(axis < 0 ? axis + in->rank : axis);
    struct graft_shape s = {
        .rank = 2, .dim = {graft_shape_span(in, 0, cut),
                           graft_shape_span(in, cut, in->rank)}};
    return graft_infer_like(f, 0, &s);
}

/* ---- Squeeze, Unsqueeze ------------------------------------------------- */

static int parse_axes(struct graft_parse *p)
{
    struct args *a = p->args;
    return graft_attr_ints(p, "axes", &a->axes, &a->n_axes);
}

/* The axes, an attribute before version 13 and an input since. */
static int read_axes(struct graft_infer *f, const int64_t **axes, int *n)
{
    const struct args *a = f->args;
    *axes = a->axes;
    *n = a->n_axes;
    return a->axes ? GRAFT_OK : graft_infer_ints(f, 1, "axes", axes, n);
}

static int infer_squeeze(struct graft_infer *f)
{
    const struct graft_shape *in = &f->in[0].shape;
    const int64_t *axes;
    uint32_t set = 0;
    int n;
    int status = read_axes(f, &axes, &n);
    if (!status)
        status = graft_infer_axes(f, axes, n, in->rank, &set);
    if (status)
        return status;
    struct graft_shape s = {.rank = 0};
    for (int d = 0; d < in->rank; d++) {
        if ((set >> d & 1) && in->dim[d] != 1)
            return graft_infer_fail(f, GRAFT_ESHAPE, "dimension %d is %lld, "
                                    "not 1", d, (long long)in->dim[d]);
        if (axes ? !(set >> d & 1) : in->dim[d] != 1)
            s.dim[s.rank++] = in->dim[d];
    }
    return graft_infer_like(f, 0, &s);
}

static int infer_unsqueeze(struct graft_infer *f)
{
    const struct graft_shape *in = &f->in[0].shape;
    const int64_t *axes;
    uint32_t set = 0;
    int n;
    int status = read_axes(f, &axes, &n);
    if (status)
        return status;
    if (!axes || in->rank + n > GRAFT_MAX_RANK)
        return graft_infer_fail(f, axes ? GRAFT_ELIMIT : GRAFT_EFORMAT,
                                "%d new dimensions for a value with %d", n,
                                in->rank);
    status = graft_infer_axes(f, axes, n, in->rank + n, &set);
    if (status)
        return status;
    struct graft_shape s = {.rank = in->rank + n};
    for (int d = 0, from = 0; d < s.rank; d++)
        s.dim[d] = set >> d & 1 ? 1 : in->dim[from++];
    return graft_infer_like(f, 0, &s);
}

/* ---- Identity ----------------------------------------------------------- */

static int infer_identity(struct graft_infer *f)
{
    return graft_infer_like(f, 0, &f->in[0].shape);
}

/* ---- rows --------------------------------------------------------------- */

enum { VIEW = GRAFT_OP_VIEW | GRAFT_OP_HOST | GRAFT_OP_INPLACE };
#define SAME .domain = "", .grad_in = 1, .args_size = sizeof(struct args),  \
    .flags = VIEW, .forward = graft_same_forward,                           \
    .backward = graft_same_backward

const struct graft_op graft_op_reshape[] = {
    {.name = "Reshape", .since = 5, .domain = "", .arity = {2, 2, 1, 1},
     .flags = VIEW | GRAFT_OP_SHAPED, .host_in = 2, .grad_in = 1,
     .args_size = sizeof(struct args), .parse = parse_reshape,
     .infer = infer_reshape, .forward = graft_same_forward,
     .backward = graft_same_backward},
    {.name = "Flatten", .since = 1, SAME, .arity = {1, 1, 1, 1},
     .parse = parse_flatten, .infer = infer_flatten},
    {.name = "Squeeze", .since = 1, .until = 12, SAME, .arity = {1, 1, 1, 1},
     .parse = parse_axes, .infer = infer_squeeze},
    {.name = "Squeeze", .since = 13, SAME, .arity = {1, 2, 1, 1},
     .host_in = 2, .infer = infer_squeeze},
    {.name = "Unsqueeze", .since = 1, .until = 12, SAME,
     .arity = {1, 1, 1, 1}, .parse = parse_axes, .infer = infer_unsqueeze},
    {.name = "Unsqueeze", .since = 13, SAME, .arity = {2, 2, 1, 1},
     .host_in = 2, .infer = infer_unsqueeze},
    {.name = "Identity", .since = 1, SAME, .arity = {1, 1, 1, 1},
     .infer = infer_identity},
    {.name = NULL},
};
