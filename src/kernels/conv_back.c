/* Gradients of convolution over rows (conv_back.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv_back.h"

#include <string.h>

#include "kernels/gemm.h"

static int64_t taps_of(const struct graft_conv *g)
{
    return g->kernel[0] * g->kernel[1] * g->kernel[2];
}

static int64_t pixels_of(const int64_t size[3])
{
    return size[0] * size[1] * size[2];
}

static int64_t depth_of(const struct graft_conv *g)
{
    return g->c / g->group * taps_of(g);
}

int64_t graft_conv_back_scratch(const struct graft_conv *g)
{
    return depth_of(g) * pixels_of(g->out) * (int64_t)sizeof(real);
}

/* Columns of one image and group, or their sums back into it. */
struct columns {
    const struct graft_conv *g;
    int64_t first;     /* channel */
    const real *x;
    real *to;          /* columns; with `back`, read */
    real *dx;
    bool back;
};

static void line(const struct columns *c, int64_t channel, int64_t tap,
                 int64_t d, int64_t h, real *row)
{
    const struct graft_conv *g = c->g;
    int64_t k[3] = {tap / (g->kernel[1] * g->kernel[2]),
                    tap / g->kernel[2] % g->kernel[1], tap % g->kernel[2]};
    int64_t z = d * g->stride[0] - g->pad[0] + k[0] * g->dilation[0];
    int64_t y = h * g->stride[1] - g->pad[1] + k[1] * g->dilation[1];
    bool inside = z >= 0 && z < g->in[0] && y >= 0 && y < g->in[1];
    int64_t pixel = g->image ? g->c : 1;
    int64_t plane = g->image ? 1 : pixels_of(g->in);
    int64_t at = channel * plane +
                 (z * g->in[1] + y) * g->in[2] * pixel;
    int64_t q = k[2] * g->dilation[2] - g->pad[2];
    for (int64_t w = 0; w < g->out[2]; w++, q += g->stride[2]) {
        bool real_pixel = inside && q >= 0 && q < g->in[2];
        if (!c->back)
            row[w] = real_pixel ? c->x[at + q * pixel] : 0;
        else if (real_pixel)
            c->dx[at + q * pixel] += row[w];
    }
}

static void move_columns(const struct columns *c)
{
    const struct graft_conv *g = c->g;
    int64_t taps = taps_of(g), depth = depth_of(g);
    real *row = c->to;
    for (int64_t i = 0; i < depth; i++)
        for (int64_t d = 0; d < g->out[0]; d++)
            for (int64_t h = 0; h < g->out[1]; h++, row += g->out[2])
                line(c, c->first + i / taps, i % taps, d, h, row);
}

static void back_group(const struct graft_conv_back *b, int64_t image,
                       int64_t group, real *room)
{
    const struct graft_conv *g = b->g;
    int64_t m = g->m / g->group, depth = depth_of(g);
    int64_t pixels = pixels_of(g->out);
    const real *dy = b->dy + image * b->dy_step + group * m * pixels;
    struct columns c = {.g = g, .first = group * (g->c / g->group),
                        .to = room};
    if (b->dw) {
        c.x = b->x + image * b->x_step;
        move_columns(&c);
        struct graft_gemm product = {
            .tb = true, .m = m, .n = depth, .k = pixels, .alpha = 1,
            .beta = b->add_dw || image ? 1 : 0, .lda = pixels, .ldb = pixels,
            .ldc = depth};
        graft_gemm(&product, dy, room, b->dw + group * m * depth);
    }
    if (b->dx) {
        struct graft_gemm product = {
            .ta = true, .m = depth, .n = pixels, .k = m, .alpha = 1,
            .lda = depth, .ldb = pixels, .ldc = pixels};
        graft_gemm(&product, b->w + group * m * depth, dy, room);
        c.dx = b->dx + image * b->x_step;
        c.back = true;
        move_columns(&c);
    }
}

void graft_conv_back_run(const struct graft_conv_back *b, void *scratch)
{
    const struct graft_conv *g = b->g;
    bool empty = !b->n || !pixels_of(g->out);
    int64_t each = g->c * pixels_of(g->in);
    if (b->dw && !b->add_dw && empty)
        memset(b->dw, 0, (size_t)(g->m * depth_of(g)) * sizeof *b->dw);
    for (int64_t i = 0; i < b->n; i++) {
        if (b->dx && !b->add_dx)
            memset(b->dx + i * b->x_step, 0, (size_t)each * sizeof *b->dx);
        for (int64_t k = 0; k < g->group && !empty; k++)
            back_group(b, i, k, scratch);
    }
}
