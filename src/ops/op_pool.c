/* MaxPool 1, 8, 10, 11, 12, 22; AveragePool 7, 10, 11, 19, 22;
 * GlobalAveragePool 1, 22.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "ops/blocked.h"
#include "ops/common.h"
#include "ops/pool_back.h"
#include "ops/spatial.h"

struct args {
    struct graft_spatial s;
    int64_t count_pads; /* means divide by padding too */
    struct graft_conv g;
    int64_t end[3];
};

struct chosen {
    struct graft_conv_cut cut;
    real *count[3];
};

static int parse_window(struct graft_parse *p)
{
    struct args *a = p->args;
    int64_t ceil;
    int status = graft_spatial_parse(p, &a->s);
    if (!status)
        status = graft_attr_int(p, "ceil_mode", 0, &ceil);
    if (status)
        return status;
    a->s.ceil = ceil != 0;
    if (!a->s.kernel)
        return graft_fail(GRAFT_EFORMAT, "%s: kernel_shape is missing",
                          graft_node_text(p->node));
    return GRAFT_OK;
}

static int parse_max(struct graft_parse *p)
{
    graft_attr_ignore(p, "storage_order"); /* of the Indices output */
    return parse_window(p);
}

static int parse_average(struct graft_parse *p)
{
    struct args *a = p->args;
    int status = parse_window(p);
    return status ? status : graft_attr_int(p, "count_include_pad", 0,
                                            &a->count_pads);
}

static int infer_window(struct graft_infer *f)
{
    struct args *a = f->args;
    struct graft_shape out;
    int status = graft_infer_real(f, 0);
    if (!status && a->s.n_kernel != f->in[0].shape.rank - 2)
        status = graft_infer_fail(f, GRAFT_ESHAPE, "kernel_shape has %d "
                                  "entries for an input of rank %d",
                                  a->s.n_kernel, f->in[0].shape.rank);
    if (status)
        return status;
    int64_t c = f->in[0].shape.dim[1];
    a->g = (struct graft_conv){.m = c, .group = c};
    status = graft_spatial_geometry(f, &a->s, a->s.kernel, c, &a->g, a->end,
                                    &out);
    if (!status)
        status = graft_infer_like(f, 0, &out);
    return status ? status
                  : graft_only_output(f, "indices of maxima are not "
                                         "supported");
}

/* Elements of window o on axis i that a mean divides by. What hangs over the
 * padded axis (ceil_mode) never counts. */
static int64_t counted(const struct args *a, int i, int64_t o)
{
    const struct graft_conv *g = &a->g;
    int64_t low = a->count_pads ? -g->pad[i] : 0, n = 0;
    int64_t high = g->in[i] + (a->count_pads ? a->end[i] : 0);
    for (int64_t k = 0; k < g->kernel[i]; k++) {
        int64_t at = o * g->stride[i] - g->pad[i] + k * g->dilation[i];
        n += at >= low && at < high;
    }
    return n;
}

static int plan_window(struct graft_plan *p)
{
    const struct args *a = p->args;
    struct chosen *ch = graft_arena_alloc(p->arena, sizeof *ch);
    if (!ch)
        return GRAFT_EMEM;
    graft_window_cut(&ch->cut, &a->g, p->k);
    for (int i = 0; i < 3; i++) {
        ch->count[i] = graft_arena_array(p->arena, (size_t)a->g.out[i],
                                         sizeof(real));
        if (!ch->count[i])
            return GRAFT_EMEM;
        for (int64_t o = 0; o < a->g.out[i]; o++)
            ch->count[i][o] = (real)counted(a, i, o);
    }
    p->chosen = ch;
    p->task_scratch = ch->cut.scratch;
    return a->g.in[0] == 1 && a->g.out[0] == 1 ? graft_plan_follow(p)
                                               : GRAFT_OK;
}

struct blocked {
    const struct graft_call *c;
    struct graft_lane_window w;
};

static void blocked_window(const void *ctx, int64_t i, int64_t b)
{
    const struct blocked *j = ctx;
    real *y = graft_block_at(&j->c->out[0], i, b);
    const real *x = graft_block_at(&j->c->in[0], i, b);
    for (int64_t row = 0; row < j->w.g->out[1]; row++)
        j->c->k->lanes.window(&j->w, y + row * j->w.g->out[2] * 16, x, row);
    graft_clear_lanes(&j->c->out[0], i, b);
}

static void run_window(const struct graft_call *c, bool max)
{
    const struct args *a = c->args;
    const struct chosen *ch = c->chosen;
    struct blocked j = {c, {&a->g, max, {ch->count[0], ch->count[1],
                                         ch->count[2]}}};
    if (graft_is_c16(&c->in[0])) {
        graft_each_lane_block(c->pool, &c->out[0], blocked_window, &j);
        return;
    }
    struct graft_window w = {
        .g = &a->g, .cut = &ch->cut, .k = c->k,
        .n = c->in[0].shape.dim[0], .x = graft_reals(&c->in[0]),
        .x_step = graft_image_step(&c->in[0]),
        .y = graft_reals(&c->out[0]), .y_step = graft_image_step(&c->out[0]),
        .max = max, .count = {ch->count[0], ch->count[1], ch->count[2]}};
    graft_window_run(&w, c->pool, c->task_scratch, c->task_stride);
}

static void forward_max(const struct graft_call *c)
{
    run_window(c, true);
}

static void forward_average(const struct graft_call *c)
{
    run_window(c, false);
}

static void back_window(const struct graft_call *c, bool max)
{
    const struct args *a = c->args;
    const struct chosen *ch = c->chosen;
    struct graft_lane_window w = {&a->g, max, {ch->count[0], ch->count[1],
                                               ch->count[2]}};
    graft_pool_backward(c, &w);
}

static void backward_max(const struct graft_call *c)
{
    back_window(c, true);
}

static void backward_average(const struct graft_call *c)
{
    back_window(c, false);
}

static int64_t macs_window(const struct graft_infer *f)
{
    const struct args *a = f->args;
    return graft_shape_count(&f->out[0].shape) * a->g.kernel[0] *
           a->g.kernel[1] * a->g.kernel[2];
}

/* ---- global ------------------------------------------------------------ */

static int infer_global(struct graft_infer *f)
{
    struct graft_shape s = f->in[0].shape;
    int status = graft_infer_real(f, 0);
    if (status)
        return status;
    if (s.rank < 2 || graft_shape_span(&s, 2, s.rank) == 0)
        return graft_infer_fail(f, GRAFT_ESHAPE, "input of rank %d with "
                                "%" PRId64 " pixels has no mean", s.rank,
                                graft_shape_span(&s, 2, s.rank));
    for (int i = 2; i < s.rank; i++)
        s.dim[i] = 1;
    return graft_infer_like(f, 0, &s);
}

enum { PLANES = 64 }; /* of a task */

static void mean_task(void *ctx, int64_t task, int worker)
{
    const struct graft_call *c = ctx;
    const struct graft_view *x = &c->in[0], *y = &c->out[0];
    (void)worker;
    int64_t channels = x->shape.dim[1];
    int64_t area = graft_shape_span(&x->shape, 2, x->shape.rank);
    int64_t x_step = graft_image_step(x), y_step = graft_image_step(y);
    int64_t end = (task + 1) * PLANES, all = x->shape.dim[0] * channels;
    for (int64_t i = task * PLANES; i < end && i < all; i++) {
        int64_t image = i / channels, ch = i % channels;
        graft_reals(y)[image * y_step + ch] =
            c->k->conv.sum(graft_reals(x) + image * x_step + ch * area,
                           area) / (real)area;
    }
}

static void blocked_mean(const void *ctx, int64_t i, int64_t b)
{
    const struct graft_call *c = ctx;
    int64_t area = graft_area_of(&c->in[0]);
    c->k->lanes.sum(graft_block_at(&c->out[0], i, b),
                    graft_block_at(&c->in[0], i, b), area, 1 / (real)area);
}

static void forward_global(const struct graft_call *c)
{
    if (graft_is_c16(&c->in[0])) {
        graft_each_lane_block(c->pool, &c->in[0], blocked_mean, c);
        return;
    }
    int64_t planes = c->in[0].shape.dim[0] * c->in[0].shape.dim[1];
    graft_pool_for(c->pool, (planes + PLANES - 1) / PLANES, mean_task,
                   (void *)c);
}

static void backward_global(const struct graft_call *c)
{
    graft_pool_spread(c, 1 / (double)graft_area_of(&c->din[0]));
}

static int64_t macs_global(const struct graft_infer *f)
{
    return graft_shape_count(&f->in[0].shape);
}

/* What backward reads: maxima are found again. */
enum { READS_MAX = 1, READS_AVERAGE = 0 };

#define WINDOW(op, from, to, outs, how, reads)                              \
    {                                                                       \
        .name = op, .domain = "", .since = from, .until = to,               \
        .arity = {1, 1, 1, outs}, .args_size = sizeof(struct args),         \
        .flags = GRAFT_OP_STRIDED | GRAFT_OP_BACK_BLOCKED, .grad_in = 1,    \
        .parse = parse_##how, .infer = infer_window, .plan = plan_window,   \
        .forward = forward_##how, .macs = macs_window,                      \
        .backward = backward_##how, .saves_in = reads, .saves_out = reads   \
    }
#define GLOBAL(from, to)                                                    \
    {                                                                       \
        .name = "GlobalAveragePool", .domain = "", .since = from,           \
        .until = to, .arity = {1, 1, 1, 1}, .infer = infer_global,          \
        .flags = GRAFT_OP_STRIDED | GRAFT_OP_BACK_BLOCKED, .grad_in = 1,    \
        .plan = graft_plan_follow, .forward = forward_global,               \
        .backward = backward_global, .macs = macs_global                    \
    }

extern const struct graft_op graft_op_pool[];
const struct graft_op graft_op_pool[] = {
    WINDOW("MaxPool", 1, 7, 1, max, READS_MAX),
    WINDOW("MaxPool", 8, 9, 2, max, READS_MAX),
    WINDOW("MaxPool", 10, 10, 2, max, READS_MAX),
    WINDOW("MaxPool", 11, 11, 2, max, READS_MAX),
    WINDOW("MaxPool", 12, 21, 2, max, READS_MAX),
    WINDOW("MaxPool", 22, 0, 2, max, READS_MAX),
    WINDOW("AveragePool", 7, 9, 1, average, READS_AVERAGE),
    WINDOW("AveragePool", 10, 10, 1, average, READS_AVERAGE),
    WINDOW("AveragePool", 11, 18, 1, average, READS_AVERAGE),
    WINDOW("AveragePool", 19, 21, 1, average, READS_AVERAGE),
    WINDOW("AveragePool", 22, 0, 1, average, READS_AVERAGE),
    GLOBAL(1, 21),
    GLOBAL(22, 0),
    {0}};
