/* Concat and Split: values side by side along one axis.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/blocked.h"
#include "ops/channels.h"
#include "ops/common.h"
#include "ops/walk.h"

struct args {
    int64_t given;         /* axis as stated */
    int axis;
    const int64_t *split;  /* attribute, NULL: none */
    int n_split;
    int64_t n_outputs;     /* attribute num_outputs, 0: none */
    int64_t *first;        /* Split: where each output begins along axis */
};

/* ---- infer -------------------------------------------------------------- */

static int parse_concat(struct graft_parse *p)
{
    if (!graft_attr_has(p, "axis"))
        return graft_fail(GRAFT_EFORMAT, "%s: attribute 'axis' is missing",
                          graft_node_text(p->node));
    return graft_attr_int(p, "axis", 0, &((struct args *)p->args)->given);
}

static int infer_concat(struct graft_infer *f)
{
    struct args *a = f->args;
    struct graft_shape s = f->in[0].shape;
    int status = graft_infer_axis(f, a->given, s.rank, &a->axis);
    if (status)
        return status;
    for (int i = 1; i < f->n_in; i++) {
        struct graft_shape in = f->in[i].shape, same = in;
        if (a->axis < in.rank)
            same.dim[a->axis] = s.dim[a->axis];
        char x[GRAFT_SHAPE_TEXT], y[GRAFT_SHAPE_TEXT];
        if (!graft_shape_equal(&same, &s) ||
            graft_dtype_is_int((int)f->in[i].dtype) !=
                graft_dtype_is_int((int)f->in[0].dtype) ||
            !graft_add_size(&s.dim[a->axis], s.dim[a->axis],
                            in.dim[a->axis]))
            return graft_infer_fail(f, GRAFT_ESHAPE, "input %d, %s %s, does "
                                    "not join %s along axis %d", i,
                                    graft_dtype_name((int)f->in[i].dtype),
                                    graft_shape_text(x, &in),
                                    graft_shape_text(y, &f->in[0].shape),
                                    a->axis);
    }
    return graft_infer_apart(f, 0, &s, a->axis != 0);
}

static int parse_split(struct graft_parse *p)
{
    struct args *a = p->args;
    int status = graft_attr_int(p, "axis", 0, &a->given);
    if (!status && p->opset < 13)
        status = graft_attr_ints(p, "split", &a->split, &a->n_split);
    if (!status && p->opset >= 18)
        status = graft_attr_int(p, "num_outputs", 0, &a->n_outputs);
    return status;
}

/* Sizes given as attribute or input; NULL: equal parts. */
static int read_sizes(struct graft_infer *f, const int64_t **sizes, int *n)
{
    const struct args *a = f->args;
    *sizes = a->split;
    *n = a->n_split;
    int status = a->split ? GRAFT_OK
                          : graft_infer_ints(f, 1, "split", sizes, n);
    if (status)
        return status;
    if (*sizes && a->n_outputs)
        return graft_infer_fail(f, GRAFT_EFORMAT, "both split and "
                                "num_outputs");
    int parts = f->node->n_out;
    if ((*sizes && *n != parts) || (a->n_outputs && a->n_outputs != parts))
        return graft_infer_fail(f, GRAFT_ESHAPE, "%lld parts for %d outputs",
                                (long long)(*sizes ? *n : a->n_outputs),
                                parts);
    return GRAFT_OK;
}

/* Since version 18 the last one of equal parts may be smaller. */
static int64_t equal_part(int64_t whole, int parts, int k)
{
    int64_t part = (whole + parts - 1) / parts, before = part * k;
    return before + part <= whole ? part
                                  : whole > before ? whole - before : 0;
}

/* Outputs that nobody reads are not among f->out, or have no view when run:
 * all parts of the node count, and where each begins is kept. */
static int infer_split(struct graft_infer *f)
{
    const struct graft_shape *in = &f->in[0].shape;
    struct args *a = f->args;
    const int64_t *sizes;
    int64_t sum = 0;
    int n, parts = f->node->n_out;
    int status = graft_infer_axis(f, a->given, in->rank, &a->axis);
    if (!status)
        status = read_sizes(f, &sizes, &n);
    if (status)
        return status;
    a->first = graft_arena_array(f->arena, (size_t)parts, sizeof *a->first);
    if (!a->first)
        return GRAFT_EMEM;
    int64_t whole = in->dim[a->axis];
    if (!sizes && f->opset < 18 && whole % parts)
        return graft_infer_fail(f, GRAFT_ESHAPE, "%lld do not split into %d "
                                "equal parts", (long long)whole, parts);
    for (int k = 0; k < parts; k++) {
        struct graft_shape s = *in;
        s.dim[a->axis] = sizes ? sizes[k] : equal_part(whole, parts, k);
        a->first[k] = sum;
        if (s.dim[a->axis] < 0 || !graft_add_size(&sum, sum, s.dim[a->axis]))
            return graft_infer_fail(f, GRAFT_ESHAPE, "part %d has size %lld",
                                    k, (long long)s.dim[a->axis]);
        if (k < f->n_out)
            status = graft_infer_apart(f, k, &s, a->axis != 0);
        if (status)
            return status;
    }
    return sum == whole ? GRAFT_OK
                        : graft_infer_fail(f, GRAFT_ESHAPE, "parts of %lld "
                                           "elements in all for %lld",
                                           (long long)sum, (long long)whole);
}

static int plan(struct graft_plan *p)
{
    return ((const struct args *)p->args)->axis == 1 ? graft_plan_channels(p)
                                                     : GRAFT_OK;
}

/* ---- run ---------------------------------------------------------------- */

/* Copies `part` to (or, with `out_of`, from) its place at index `first` along
 * the axis of `whole`. */
static void copy_part(const struct graft_call *c, struct graft_view whole,
                      struct graft_view part, int64_t first, bool out_of,
                      bool add)
{
    int axis = ((const struct args *)c->args)->axis;
    int64_t inside[GRAFT_MAX_RANK], dense[GRAFT_MAX_RANK];
    struct graft_move m = {.size = graft_dtype_size((int)part.fmt.dtype),
                           .add = add};
    graft_dense_strides(inside, &whole.shape);
    graft_dense_strides(dense, &part.shape);
    char *place = (char *)whole.data +
                  first * inside[axis] * (int64_t)m.size;
    m.dst = out_of ? part.data : place;
    m.src = out_of ? place : part.data;
    graft_walk_init(&m.walk, &part.shape);
    graft_walk_add(&m.walk, out_of ? dense : inside);
    graft_walk_add(&m.walk, out_of ? inside : dense);
    graft_walk_merge(&m.walk);
    graft_move_run(&m, c->pool);
}

static const struct graft_view *joined(const void *ctx, int64_t channel,
                                       int64_t *at)
{
    const struct graft_call *c = ctx;
    const struct graft_view *x = c->in;
    for (; channel >= x->shape.dim[1]; x++)
        channel -= x->shape.dim[1];
    *at = channel;
    return x;
}

static void forward_concat(const struct graft_call *c)
{
    if (graft_is_c16(&c->out[0])) {
        graft_move_channels(c, &c->out[0], joined, c);
        return;
    }
    int axis = ((const struct args *)c->args)->axis;
    int64_t first = 0;
    for (int i = 0; i < c->n_in; i++) {
        copy_part(c, c->out[0], c->in[i], first, false, false);
        first += c->in[i].shape.dim[axis];
    }
}

struct part {
    const struct graft_view *whole;
    int64_t first;
};

static const struct graft_view *part_of(const void *ctx, int64_t channel,
                                        int64_t *at)
{
    const struct part *p = ctx;
    *at = p->first + channel;
    return p->whole;
}

static void backward_concat(const struct graft_call *c)
{
    int axis = ((const struct args *)c->args)->axis;
    int64_t first = 0;
    for (int i = 0; i < c->n_in; i++) {
        struct part p = {&c->dout[0], first};
        if (graft_is_c16(&c->dout[0]))
            graft_move_gradient(c, &c->din[i], part_of, &p, c->dmode[i]);
        else if (c->dmode[i] != GRAFT_SKIP)
            copy_part(c, c->dout[0], c->din[i], first, true,
                      c->dmode[i] == GRAFT_ADD);
        first += c->in[i].shape.dim[axis];
    }
}

static void forward_split(const struct graft_call *c)
{
    const int64_t *first = ((const struct args *)c->args)->first;
    for (int k = 0; graft_is_c16(&c->in[0]) && k < c->n_out; k++) {
        struct part p = {&c->in[0], first[k]};
        if (c->out[k].data)
            graft_move_channels(c, &c->out[k], part_of, &p);
    }
    if (graft_is_c16(&c->in[0]))
        return;
    for (int k = 0; k < c->n_out; k++)
        if (c->out[k].data)
            copy_part(c, c->in[0], c->out[k], first[k], true, false);
}

static void zero_block(const void *ctx, int64_t first, int64_t n)
{
    memset((real *)(uintptr_t)ctx + first, 0, (size_t)n * sizeof(real));
}

/* The part that channel `channel` of the whole went to. */
static const struct graft_view *split_to(const void *ctx, int64_t channel,
                                         int64_t *at)
{
    const struct graft_call *c = ctx;
    const struct args *a = c->args;
    for (int k = 0; k < c->n_out; k++) {
        *at = channel - a->first[k];
        if (c->dout[k].data && *at >= 0 && *at < c->dout[k].shape.dim[1])
            return &c->dout[k];
    }
    return NULL;
}

/* A part that nobody read has no gradient: its place is zero. */
static void backward_split(const struct graft_call *c)
{
    const struct args *a = c->args;
    bool add = c->dmode[0] == GRAFT_ADD;
    if (c->dmode[0] == GRAFT_SKIP)
        return;
    if (graft_is_c16(&c->din[0])) {
        graft_move_gradient(c, &c->din[0], split_to, c, c->dmode[0]);
        return;
    }
    int64_t rest = c->din[0].shape.dim[a->axis];
    for (int k = 0; k < c->n_out; k++)
        rest -= c->dout[k].data ? c->dout[k].shape.dim[a->axis] : 0;
    if (rest && !add)
        graft_each_block(c->pool, graft_count(&c->din[0]), zero_block,
                         c->din[0].data);
    for (int k = 0; k < c->n_out; k++)
        if (c->dout[k].data)
            copy_part(c, c->din[0], c->dout[k], a->first[k], false, add);
}

/* ---- rows --------------------------------------------------------------- */

#define SPLIT .name = "Split", .domain = "", .grad_in = 1,                  \
    .args_size = sizeof(struct args), .parse = parse_split,                 \
    .infer = infer_split, .plan = plan, .forward = forward_split,           \
    .backward = backward_split,                                             \
    .flags = GRAFT_OP_HOST | GRAFT_OP_STRIDED | GRAFT_OP_BACK_BLOCKED

const struct graft_op graft_op_concat[] = {
    {.name = "Concat", .domain = "", .since = 4, .arity = {1, -1, 1, 1},
     .flags = GRAFT_OP_HOST | GRAFT_OP_STRIDED | GRAFT_OP_BACK_BLOCKED,
     .grad_in = UINT32_MAX,
     .args_size = sizeof(struct args), .parse = parse_concat,
     .infer = infer_concat, .plan = plan, .forward = forward_concat,
     .backward = backward_concat},
    {SPLIT, .since = 2, .until = 12, .arity = {1, 1, 1, -1}},
    {SPLIT, .since = 13, .until = 17, .arity = {1, 2, 1, -1}, .host_in = 2},
    {SPLIT, .since = 18, .arity = {1, 2, 1, -1}, .host_in = 2},
    {.name = NULL},
};
