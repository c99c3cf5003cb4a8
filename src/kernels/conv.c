/* How convolutions and windows are cut into tasks, and their runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv.h"

#include "base/alloc.h"
#include "base/pool.h"
#include "kernels/kernels.h"

enum {
    DEPTH = 384,          /* k at a time: an A panel stays in L1 */
    BLOCK = 96 * 1024,    /* reals of packed strips: they stay in L2 */
    STRIPS = 16,          /* most strips of a task */
    TASKS = 16,           /* fewer: output channels are shared out too */
    PANELS = 4,           /* but at least so many panels a task */
    WINDOW = 4096         /* reals of a window's band and of its output */
};

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static size_t padded(int64_t bytes)
{
    return (size_t)ceil_div(bytes, GRAFT_ALIGN) * GRAFT_ALIGN;
}

/* Rows at a time and scratch of a window over planes. */
static void cut_window(struct graft_conv_cut *t, const struct graft_conv *g,
                       const struct graft_kernels *k)
{
    int64_t real_size = (int64_t)sizeof(real), vector = k->conv.lanes;
    int64_t reach = (g->kernel[1] - 1) * g->dilation[1] / g->stride[1];
    t->columns = g->out[2] + (g->kernel[2] - 1) * g->dilation[2] /
                                 g->stride[2];
    t->rows = most(1, least(g->out[1], WINDOW / t->columns));
    t->strips = most(1, WINDOW / most(1, g->out[1] * g->out[2]));
    int64_t band = g->stride[1] * g->stride[2] * (t->rows + reach) *
                   t->columns;
    int64_t out = t->rows * t->columns + 4 * vector;
    /* 8-byte words: an offset and four of a phase for each element; the last
     * vectors of a wide kernel's last taps read beyond the last row */
    t->scratch = padded((t->taps + 9) * 5 * (int64_t)sizeof(int64_t) +
                        (out + band + t->columns + 4 * vector) * real_size);
}

static void cut_strips(struct graft_conv_cut *t, const struct graft_conv *g,
                       int64_t n_max, const struct graft_kernels *k)
{
    int64_t nr = k->conv.nr, per_group = g->c / g->group;
    int64_t plane = g->out[0] * g->out[1] * g->out[2];
    int64_t blocks = ceil_div(per_group, most(1, DEPTH / t->taps));
    t->channels = ceil_div(per_group, blocks);
    int64_t depth = t->channels * t->taps;
    t->strips = most(1, least(STRIPS, BLOCK / (depth * nr)));
    t->strips = least(t->strips, most(1, ceil_div(n_max * plane, nr)));
    int64_t pixels = t->strips * nr;
    int64_t bytes = t->strips * (depth * nr + k->conv.lanes) *
                    (int64_t)sizeof(real);
    bytes += pixels * 4 * (int64_t)sizeof(int64_t); /* spans or places */
    if (t->way == GRAFT_CONV_BAND) {
        int64_t reach = (g->kernel[1] - 1) * g->dilation[1] + 1;
        t->segments = least(n_max, pixels / plane + 2);
        t->columns = g->out[2] + (g->kernel[2] - 1) * g->dilation[2] /
                                     g->stride[2];
        int64_t out_rows = least(pixels / g->out[2] + 2 * t->segments,
                                 t->segments * g->out[1]);
        t->rows = out_rows * g->stride[1] + t->segments * reach;
        bytes += t->segments * 4 * (int64_t)sizeof(int64_t);
        bytes += (t->rows * t->columns * g->stride[2] + 2 * k->conv.lanes) *
                 (int64_t)sizeof(real);
    }
    t->scratch = padded(bytes);
}

static enum graft_conv_way way_of(const struct graft_conv *g)
{
    bool point = !g->image, planes = g->in[0] == 1 && g->out[0] == 1 &&
                                     g->kernel[0] == 1 && g->pad[0] == 0;
    for (int i = 0; i < 3; i++)
        point = point && g->kernel[i] == 1 && g->stride[i] == 1 &&
                g->pad[i] == 0 && g->in[i] == g->out[i];
    if (planes && g->group == g->c && g->group > 1 && !g->image)
        return GRAFT_CONV_DEPTHWISE;
    if (point)
        return GRAFT_CONV_POINT;
    return planes ? GRAFT_CONV_BAND : GRAFT_CONV_ANY;
}

void graft_conv_cut(struct graft_conv_cut *out, const struct graft_conv *g,
                    int64_t n_max, const struct graft_kernels *k)
{
    struct graft_conv_cut t = {.way = way_of(g)};
    t.taps = g->kernel[0] * g->kernel[1] * g->kernel[2];
    t.depth = t.taps * (g->c / g->group);
    t.panels = ceil_div(g->m / g->group, k->conv.mr);
    if (t.way == GRAFT_CONV_DEPTHWISE) {
        t.pack_bytes = padded(g->m * t.taps * (int64_t)sizeof(real));
        cut_window(&t, g, k);
    } else {
        t.pack_bytes = padded(g->group * t.panels * t.depth * k->conv.mr *
                              (int64_t)sizeof(real));
        cut_strips(&t, g, n_max, k);
    }
    *out = t;
}

/* ---- runs ---------------------------------------------------------------- */

struct job {
    const void *run;
    void (*conv)(const struct graft_conv_run *, int64_t, real *);
    char *scratch;
    size_t step;
};

static void conv_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    j->conv(j->run, task, (real *)(j->scratch + (size_t)worker * j->step));
}

void graft_conv_run(struct graft_conv_run *r, struct graft_pool *pool,
                    void *scratch, size_t scratch_step)
{
    const struct graft_conv *g = r->g;
    const struct graft_conv_cut *cut = r->cut;
    struct job job = {r, r->k->conv.strips, scratch, scratch_step};
    int64_t tasks;
    if (cut->way == GRAFT_CONV_DEPTHWISE) {
        job.conv = r->k->conv.depthwise;
        tasks = ceil_div(r->n * g->m, cut->strips);
    } else {
        int64_t plane = g->out[0] * g->out[1] * g->out[2];
        tasks = ceil_div(r->n * plane, cut->strips * r->k->conv.nr) *
                g->group;
        int64_t shares = most(1, least(cut->panels / PANELS,
                                       TASKS / most(1, tasks)));
        r->m_panels = ceil_div(cut->panels, shares);
        r->m_blocks = ceil_div(cut->panels, r->m_panels);
        tasks *= r->m_blocks;
    }
    graft_pool_for(pool, tasks, conv_task, &job);
}

void graft_window_cut(struct graft_conv_cut *out, const struct graft_conv *g,
                      const struct graft_kernels *k)
{
    struct graft_conv_cut t = {.way = way_of(g)};
    t.taps = g->kernel[0] * g->kernel[1] * g->kernel[2];
    bool planes = g->in[0] == 1 && g->out[0] == 1 && g->kernel[0] == 1 &&
                  g->pad[0] == 0;
    t.way = planes ? GRAFT_CONV_DEPTHWISE : GRAFT_CONV_ANY;
    cut_window(&t, g, k);
    *out = t;
}

static void window_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct graft_window *w = j->run;
    w->k->conv.window(w, task, (real *)(j->scratch +
                                        (size_t)worker * j->step));
}

void graft_window_run(const struct graft_window *w, struct graft_pool *pool,
                      void *scratch, size_t scratch_step)
{
    struct job job = {w, NULL, scratch, scratch_step};
    graft_pool_for(pool, ceil_div(w->n * w->g->c, w->cut->strips),
                   window_task, &job);
}
