/* How gradients of weights over blocked channels are cut (block_back.h): by
 * shape, largest batch and instruction set alone.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/block_back.h"
#include "kernels/kernels.h"

enum {
    TASKS = 24,    /* fewer: images are summed in parts, blocks shared out */
    PARTS = 8,     /* at most */
    BAND = 168,    /* pixels: x and dy of a block pair fit L1 */
    SHARE = 4,     /* blocks of input that meet a panel in turn, about:
                      dy is read once for all */
    SUMS = 128 << 10 /* bytes of a task's sums that stay in its cache */
};

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t taps_of(const struct graft_conv *g)
{
    return g->kernel[1] * g->kernel[2];
}

static int64_t most_blocks(const struct graft_conv *g,
                           const struct graft_block_grad_cut *c)
{
    int64_t most = 1;
    for (int64_t i = 0; !g->image && i < c->panels; i++) {
        struct graft_block_panel p = graft_block_panel(g, c->width, i);
        int64_t blocks = graft_block_panel_blocks(&p);
        most = blocks > most ? blocks : most;
    }
    return most;
}

/* n in parts of at most `most`, one about as large as the other. */
static int64_t even(int64_t n, int64_t most)
{
    return ceil_div(n, ceil_div(n, most));
}

void graft_block_grad_cut(struct graft_block_grad_cut *out,
                          const struct graft_conv *g, int64_t n_max,
                          bool exact, const struct graft_kernels *k)
{
    struct graft_block_grad_cut c = {
        .depthwise = g->group > 1 && g->group == g->c && g->c == g->m,
        .width = GRAFT_BLOCK, .share = 1};
    int64_t pixels = g->out[1] * g->out[2], blocks = 1;
    if (c.depthwise) {
        c.panels = ceil_div(g->m, GRAFT_BLOCK);
    } else {
        c.width = graft_block_width(g, k);
        c.panels = graft_block_panels(g, c.width);
        c.share = blocks = most_blocks(g, &c);
    }
    c.rows = taps_of(g) * graft_block_grad_lanes(g, &c);
    int64_t each = c.rows * c.width * (int64_t)sizeof(real);
    while (c.share > SHARE && c.panels * ceil_div(blocks, c.share) < TASKS)
        c.share = ceil_div(c.share, 2);
    while (c.share > 1 && c.share * each > SUMS)
        c.share = ceil_div(c.share, 2);
    c.shares = ceil_div(blocks, c.share);
    c.parts = least(ceil_div(TASKS, c.panels * c.shares), PARTS);
    c.parts = least(c.parts, n_max > 0 ? n_max : 1);
    c.lines = even(g->out[1], ceil_div(BAND, g->out[2]));
    c.images = pixels < BAND / 2 ? BAND / pixels : 1;
    if (!exact && !c.depthwise && graft_winograd_grad_cut(&c, g, n_max, k)) {
        *out = c;
        return;
    }
    size_t task = (size_t)(c.share * each);
    if (c.parts == 1)
        c.scratch = task;
    else
        c.shared = (size_t)(c.parts * c.panels * c.shares) * task;
    *out = c;
}
