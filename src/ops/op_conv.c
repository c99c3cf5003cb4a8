/* Conv 1, 11, 22: y[n,o] = sum over c and kernel of w[o,c] x[n,c] + b[o].
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "ops/conv.h"

static int parse(struct graft_parse *p)
{
    struct graft_conv_args *a = p->args;
    int status = graft_spatial_parse(p, &a->s);
    return status ? status : graft_attr_int(p, "group", 1, &a->group);
}

/* ---- shapes ------------------------------------------------------------ */

static int check_weight(const struct graft_infer *f,
                        const struct graft_conv_args *a)
{
    const struct graft_shape *x = &f->in[0].shape, *w = &f->in[1].shape;
    char xs[GRAFT_SHAPE_TEXT], ws[GRAFT_SHAPE_TEXT];
    bool fits = x->rank == w->rank && x->rank >= 3 && a->group >= 1 &&
                w->dim[0] >= 1 && w->dim[1] >= 1 &&
                w->dim[0] % a->group == 0 &&
                x->dim[1] % a->group == 0 &&
                x->dim[1] / a->group == w->dim[1];
    if (!fits)
        return graft_infer_fail(f, GRAFT_ESHAPE, "weight of shape %s does "
                                "not fit input %s in %" PRId64 " groups",
                                graft_shape_text(ws, w),
                                graft_shape_text(xs, x), a->group);
    for (int i = 0; a->s.kernel && i < w->rank - 2; i++)
        if (a->s.n_kernel != w->rank - 2 || a->s.kernel[i] != w->dim[2 + i])
            return graft_infer_fail(f, GRAFT_ESHAPE, "kernel_shape is not "
                                    "that of the weight, %s",
                                    graft_shape_text(ws, w));
    if (graft_has_input(f, 2) && (f->in[2].shape.rank != 1 ||
                                  f->in[2].shape.dim[0] != w->dim[0]))
        return graft_infer_fail(f, GRAFT_ESHAPE, "bias of shape %s, expected "
                                "[%" PRId64 "]",
                                graft_shape_text(ws, &f->in[2].shape),
                                w->dim[0]);
    return GRAFT_OK;
}

static int infer(struct graft_infer *f)
{
    struct graft_conv_args *a = f->args;
    struct graft_shape out;
    int64_t end[3];
    int status = GRAFT_OK;
    for (int i = 0; i < f->n_in && !status; i++)
        status = f->in[i].present ? graft_infer_real(f, i) : GRAFT_OK;
    if (!status)
        status = check_weight(f, a);
    if (status)
        return status;
    const struct graft_shape *w = &f->in[1].shape;
    a->g = (struct graft_conv){.m = w->dim[0], .group = a->group};
    status = graft_spatial_geometry(f, &a->s, w->dim + 2, w->dim[0], &a->g,
                                    end, &out);
    if (!status)
        status = graft_infer_like(f, 0, &out);
    for (int i = 1; i < f->n_in && !status; i++) {
        f->out[0].is_param &= !f->in[i].present || f->in[i].is_param;
        if (f->in[i].per_image || f->in[i].whole_batch) {
            f->out[0].per_image = 0;
            f->out[0].whole_batch = true;
        }
    }
    return status;
}

static int64_t macs(const struct graft_infer *f)
{
    return graft_shape_count(&f->out[0].shape) *
           graft_shape_span(&f->in[1].shape, 1, f->in[1].shape.rank);
}

/* ---- plan -------------------------------------------------------------- */

/* dpack is dw as ONNX has it. */
static void unpack_conv(real *dw, const void *dpack, const void *spec)
{
    const struct graft_conv_packing *p = spec;
    memcpy(dw, dpack, (size_t)(p->m * p->depth) * sizeof *dw);
}

static void unpack_block(real *dw, const void *dpack, const void *spec)
{
    const struct graft_conv *g = &((const struct graft_block_packing *)spec)->g;
    memcpy(dw, dpack, graft_conv_weights(g) * sizeof *dw);
}

static const struct graft_pack_kind pack_kind = {"conv", graft_conv_pack,
                                                 unpack_conv};

/* Bytes for a bias of whole blocks of channels. */
static size_t bias_room(const struct graft_conv *g)
{
    return (size_t)((g->m + GRAFT_BLOCK - 1) / GRAFT_BLOCK * GRAFT_BLOCK) *
           sizeof(real);
}

static const char *const block_ways[] = {
    [GRAFT_BLOCK_POINT] = "1x1", [GRAFT_BLOCK_DIRECT] = "direct",
    [GRAFT_BLOCK_STEM] = "stem", [GRAFT_BLOCK_DEPTHWISE] = "depthwise",
    [GRAFT_BLOCK_WINOGRAD] = "winograd"};

static const struct graft_pack_kind block_kind = {"block", graft_block_pack,
                                                  unpack_block};

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t grad_bytes(const struct graft_plan *p,
                         const struct graft_conv *g)
{
    return p->in[1].marked ? graft_conv_weights(g) * sizeof(real) : 0;
}

/* Over C16, where the kernels offer a way. */
static bool plan_blocked(struct graft_plan *p, struct graft_conv_chosen *ch)
{
    if (!p->blocked || p->in[0].shape.rank != 4 || !p->in[1].is_param)
        return false;
    graft_block_cut(&ch->block, &ch->g, p->in[0].shape.dim[0], p->exact,
                    p->k);
    if (ch->block.way == GRAFT_BLOCK_NONE)
        return false;
    if (p->in[1].marked)
        graft_winograd_late(&ch->block, &ch->g, p->k);
    if (p->training && !graft_conv_plan_back(p, ch)) {
        ch->block.way = GRAFT_BLOCK_NONE;
        return false;
    }
    ch->block_packing = graft_block_packing(&ch->g, &ch->block, p->k);
    p->packed[1] = true;
    p->pack[1] = (struct graft_pack_request){
        .kind = &block_kind, .spec = &ch->block_packing,
        .key = graft_hash(&ch->block_packing, sizeof ch->block_packing).lo,
        .bytes = ch->block.pack_bytes, .dbytes = grad_bytes(p, &ch->g)};
    p->in_layout[0] = ch->g.image ? GRAFT_IMAGE : GRAFT_C16;
    p->out_layout[0] = GRAFT_C16;
    p->way = block_ways[ch->block.way];
    p->task_scratch = most(p->task_scratch, ch->block.scratch);
    p->scratch = most(p->scratch, bias_room(&ch->g) + ch->block.shared);
    return true;
}

static int plan(struct graft_plan *p)
{
    const struct graft_conv_args *a = p->args;
    struct graft_conv_chosen *ch = graft_arena_alloc(p->arena, sizeof *ch);
    if (!ch)
        return GRAFT_EMEM;
    ch->g = a->g;
    /* A stem's rows are padded and split before use: interleaved pixels cost
     * it nothing, and whoever makes them is spared a transposition. */
    bool spread = a->g.kernel[1] * a->g.kernel[2] > 1;
    if (p->in[0].shape.rank == 4 && a->g.group == 1 && spread &&
        a->g.c >= 2 && a->g.c <= 4 && !p->in[0].marked) {
        p->in_layout[0] = GRAFT_IMAGE;
        ch->g.image = true;
    }
    p->chosen = ch;
    if (plan_blocked(p, ch))
        return GRAFT_OK;
    int64_t images = p->in[0].shape.dim[0];
    graft_conv_cut(&ch->cut, &ch->g, images, p->k);
    ch->packing = graft_conv_packing(&ch->g, &ch->cut, p->k);
    ch->packed = p->in[1].is_param;
    graft_conv_plan_back_rows(p, ch);
    p->task_scratch = ch->cut.scratch;
    p->scratch = most(p->scratch, (size_t)a->g.m * sizeof(real));
    if (ch->packed) {
        p->packed[1] = true;
        p->pack[1] = (struct graft_pack_request){
            .kind = &pack_kind, .spec = &ch->packing,
            .key = graft_hash(&ch->packing, sizeof ch->packing).lo,
            .bytes = ch->cut.pack_bytes, .dbytes = grad_bytes(p, &ch->g)};
    } else {
        p->scratch = most(p->scratch, (size_t)a->g.m * sizeof(real) +
                                          ch->cut.pack_bytes);
    }
    return GRAFT_OK;
}

/* ---- run --------------------------------------------------------------- */

/* The node's bias, the epilogue's, or their sum, in `room`. */
static const real *bias_of(const struct graft_call *c, int64_t m, real *room)
{
    const real *own = c->n_in > 2 && c->in[2].data ? graft_reals(&c->in[2])
                                                   : NULL;
    const real *more = c->ep ? c->ep->bias : NULL;
    if (!own || !more)
        return own ? own : more;
    for (int64_t i = 0; i < m; i++)
        room[i] = own[i] + more[i];
    return room;
}

static void forward_blocked(const struct graft_call *c)
{
    const struct graft_conv_chosen *ch = c->chosen;
    real *room = c->scratch;
    const real *bias = bias_of(c, ch->g.m, room);
    if (bias) {
        size_t used = (size_t)ch->g.m * sizeof *room, all = bias_room(&ch->g);
        if (bias != room)
            memcpy(room, bias, used);
        memset(room + ch->g.m, 0, all - used);
    }
    struct graft_block_run r = {
        .g = &ch->g, .cut = &ch->block, .k = c->k,
        .n = c->in[0].shape.dim[0], .x = graft_reals(&c->in[0]),
        .x_step = graft_image_step(&c->in[0]),
        .y = graft_reals(&c->out[0]), .y_step = graft_image_step(&c->out[0]),
        .w = c->pack[1], .finish = graft_finish_of(c, bias ? room : NULL)};
    graft_block_run(&r, c->pool, c->task_scratch, c->task_stride,
                    (char *)c->scratch + bias_room(&ch->g));
}

static void forward(const struct graft_call *c)
{
    const struct graft_conv_chosen *ch = c->chosen;
    if (ch->block.way != GRAFT_BLOCK_NONE) {
        forward_blocked(c);
        return;
    }
    char *scratch = c->scratch;
    const void *w = ch->packed ? c->pack[1] : scratch;
    if (!ch->packed) {
        graft_conv_pack(scratch, &c->in[1], NULL, &ch->packing, c->pool);
        scratch += ch->cut.pack_bytes;
    }
    struct graft_conv_run r = {
        .g = &ch->g, .cut = &ch->cut, .k = c->k,
        .n = c->in[0].shape.dim[0], .x = graft_reals(&c->in[0]),
        .x_step = graft_image_step(&c->in[0]),
        .y = graft_reals(&c->out[0]), .y_step = graft_image_step(&c->out[0]),
        .w = w,
        .finish = graft_finish_of(c, bias_of(c, ch->g.m, (real *)scratch))};
    graft_conv_run(&r, c->pool, c->task_scratch, c->task_stride);
}

#define ROW(from, to)                                                       \
    {                                                                       \
        .name = "Conv", .domain = "", .since = from, .until = to,           \
        .arity = {2, 3, 1, 1},                                              \
        .flags = GRAFT_OP_EPILOGUE | GRAFT_OP_CHANNEL_WEIGHTS |             \
                 GRAFT_OP_STRIDED | GRAFT_OP_BACK_BLOCKED,                  \
        .args_size = sizeof(struct graft_conv_args), .parse = parse,        \
        .infer = infer, .plan = plan, .forward = forward, .macs = macs,     \
        .saves_in = 3, .saves_for = {2, 1}, .grad_in = 7,                   \
        .backward = graft_conv_backward                                     \
    }

extern const struct graft_op graft_op_conv[];
const struct graft_op graft_op_conv[] = {ROW(1, 10), ROW(11, 21), ROW(22, 0),
                                         {0}};
