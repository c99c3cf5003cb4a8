/* How a convolution over blocked channels is done and cut into tasks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/block.h"

#include "base/alloc.h"
#include "kernels/kernels.h"

enum {
    CACHE = 256 * 1024,  /* bytes of input of a band: it stays in L2 */
    EXACT_CHAIN = 256,   /* numbers; 4608 in one round three times as much */
    TASKS = 16,          /* fewer: bands shrink, panels are shared out */
    SMALL = 64,          /* pixels of a map that is mostly edge */
    PIXELS = 1024,       /* of a depthwise task */
    WASTE = 4            /* products with zeros between groups, at most */
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

/* ---- geometry ------------------------------------------------------------ */

/* Channels that panels divide without looking at groups. */
static int64_t divided(const struct graft_conv *g)
{
    int64_t per_group = g->m / g->group;
    return per_group % GRAFT_BLOCK ? g->m : per_group;
}

/* A panel of 32 only where none of its channels are of other groups. */
int64_t graft_block_width(const struct graft_conv *g,
                          const struct graft_kernels *k)
{
    bool mixed = g->group > 1 && g->m / g->group % GRAFT_BLOCK;
    return mixed || divided(g) <= GRAFT_BLOCK ? GRAFT_BLOCK : k->block.width;
}

int64_t graft_block_panels(const struct graft_conv *g, int64_t width)
{
    return g->m / divided(g) * ceil_div(divided(g), width);
}

struct graft_block_panel graft_block_panel(const struct graft_conv *g,
                                           int64_t width, int64_t index)
{
    int64_t part = divided(g), panels = ceil_div(part, width);
    int64_t per_group = g->m / g->group, in_group = g->c / g->group;
    struct graft_block_panel p = {
        .first = index / panels * part + index % panels * width};
    p.end = least(p.first + width, (index / panels + 1) * part);
    p.in_first = p.first / per_group * in_group;
    p.in_end = ((p.end - 1) / per_group + 1) * in_group;
    return p;
}

struct graft_conv graft_block_flat(const struct graft_conv *g,
                                   const struct graft_block_cut *cut)
{
    struct graft_conv flat = *g;
    if (cut->way != GRAFT_BLOCK_POINT)
        return flat;
    flat.out[2] = flat.in[2] = g->out[0] * g->out[1] * g->out[2];
    flat.in[0] = flat.in[1] = flat.out[0] = flat.out[1] = 1;
    flat.stride[0] = flat.stride[1] = flat.stride[2] = 1;
    return flat;
}

size_t graft_block_gathered(const struct graft_conv *g,
                            const struct graft_block_cut *cut)
{
    const int64_t *d = cut->detail;
    bool all = cut->way != GRAFT_BLOCK_POINT;
    for (int i = 0; i < 3 && !all; i++)
        if (g->out[i] != g->in[i])
            return padded(d[GRAFT_BLOCK_IMAGES] * d[GRAFT_BLOCK_COLUMNS] *
                          cut->in_blocks * GRAFT_BLOCK *
                          (int64_t)sizeof(real));
    return 0;
}

int64_t graft_block_span(const struct graft_conv *g, int axis, int64_t o,
                         int64_t end, int64_t *lo, int64_t *hi)
{
    int64_t k = g->kernel[axis], d = g->dilation[axis];
    for (int64_t i = o; i < end; i++) {
        /* 0 <= at + j d < in */
        int64_t at = i * g->stride[axis] - g->pad[axis];
        int64_t first = at < 0 ? least(k, ceil_div(-at, d)) : 0, last = k;
        if (at + (k - 1) * d >= g->in[axis])
            last = at < g->in[axis] ? ceil_div(g->in[axis] - at, d) : 0;
        last = most(first, last);
        if (i == o) {
            *lo = first;
            *hi = last;
        } else if (first != *lo || last != *hi) {
            return i;
        }
    }
    return end;
}

/* ---- the cut ------------------------------------------------------------- */

/* Input channels that the widest panel reads. */
static int64_t channels(const struct graft_conv *g, int64_t width)
{
    int64_t panels = graft_block_panels(g, width), c = 1;
    if (g->group == 1)
        return g->c;
    for (int64_t i = 0; i < panels; i++) {
        struct graft_block_panel p = graft_block_panel(g, width, i);
        c = most(c, p.in_end - p.in_first);
    }
    return c;
}

static enum graft_block_way way_of(const struct graft_conv *g,
                                   const struct graft_kernels *k)
{
    bool point = true, whole = true;
    for (int i = 0; i < 3; i++) {
        point = point && g->kernel[i] == 1 && g->pad[i] == 0 &&
                (g->out[i] - 1) * g->stride[i] < g->in[i];
        whole = whole && g->stride[i] == 1 && g->out[i] == g->in[i];
    }
    bool planes = g->in[0] == 1 && g->out[0] == 1 && g->kernel[0] == 1 &&
                  g->pad[0] == 0;
    if (g->image)
        return planes && g->group == 1 ? GRAFT_BLOCK_STEM : GRAFT_BLOCK_NONE;
    if (planes && g->group > 1 && g->group == g->c && g->c == g->m)
        return GRAFT_BLOCK_DEPTHWISE;
    if (!planes && !(point && whole))
        return GRAFT_BLOCK_NONE;
    int64_t read = channels(g, graft_block_width(g, k));
    if (g->group > 1 && read > WASTE * (g->c / g->group))
        return GRAFT_BLOCK_NONE;
    return point ? GRAFT_BLOCK_POINT : GRAFT_BLOCK_DIRECT;
}

/* Bands and shares: first what the cache holds, then enough tasks. */
static void cut_bands(struct graft_block_cut *t, const struct graft_conv *g,
                      int64_t n_max, int64_t tile)
{
    int64_t *d = t->detail, c = g->c / g->group;
    int64_t weights = d[GRAFT_BLOCK_DEPTH] * g->m;
    int64_t pixel = c * g->stride[1] * g->stride[2]; /* reals for one */
    int64_t fit = CACHE / (int64_t)sizeof(real) / pixel;
    int64_t images = n_max;
    d[GRAFT_BLOCK_IMAGES] = 1;
    int64_t pixels = g->out[1] * g->out[2];
    bool edges = g->kernel[1] * g->kernel[2] > 1 && 2 * n_max >= tile;
    if (g->out[2] < 4 ? pixels < tile : edges && pixels <= SMALL) {
        /* few pixels inside: images make the rows of tiles */
        images = ceil_div(n_max, tile);
        d[GRAFT_BLOCK_IMAGES] = ceil_div(n_max, images);
    }
    for (int64_t bands = 1, shares = 1;;) {
        bool line = g->out[1] == 1;
        int64_t size = ceil_div(g->out[line ? 2 : 1], bands);
        d[GRAFT_BLOCK_ROWS] = line ? 1 : size;
        d[GRAFT_BLOCK_COLUMNS] = line ? size : g->out[2];
        d[GRAFT_BLOCK_SHARE] = ceil_div(d[GRAFT_BLOCK_PANELS], shares);
        pixels = d[GRAFT_BLOCK_ROWS] * d[GRAFT_BLOCK_COLUMNS];
        bool divisible = size > 1 && pixels > 4 * tile;
        if (divisible && pixels > fit) {
            bands++;
            continue;
        }
        if (images * bands * shares >= TASKS)
            return;
        bool shared = d[GRAFT_BLOCK_SHARE] > 1;
        if (divisible && (!shared || pixels * pixel > weights / shares))
            bands++;
        else if (shared)
            shares++;
        else if (size > 1 && pixels >= 3 * tile)
            bands++;
        else
            return;
    }
}

static void cut_panels(struct graft_block_cut *t, const struct graft_conv *g,
                       int64_t n_max, const struct graft_kernels *k)
{
    struct graft_conv flat = graft_block_flat(g, t);
    int64_t *d = t->detail, width = graft_block_width(g, k);
    int64_t taps = g->kernel[1] * g->kernel[2], c = channels(g, width);
    d[GRAFT_BLOCK_PANELS] = graft_block_panels(g, width);
    d[GRAFT_BLOCK_WIDTH] = width;
    d[GRAFT_BLOCK_DEPTH] = taps * c;
    t->pack_bytes = padded(d[GRAFT_BLOCK_PANELS] * width * taps * c *
                           (int64_t)sizeof(real));
    t->scratch = padded((ceil_div(c, GRAFT_BLOCK) + 1) * taps *
                        (int64_t)sizeof(struct graft_block_piece));
    cut_bands(t, &flat, n_max, k->block.rows);
    t->scratch += graft_block_gathered(g, t);
}

/* Large tasks, but enough of them: some blocks, or a band of one. */
static void cut_depthwise(struct graft_block_cut *t,
                          const struct graft_conv *g, int64_t n_max)
{
    int64_t all = most(1, n_max) * t->out_blocks;
    int64_t bands = least(ceil_div(TASKS, all), g->out[1]);
    t->detail[GRAFT_BLOCK_ROWS] = ceil_div(g->out[1], bands);
    int64_t share = least(PIXELS / (g->out[1] * g->out[2]), all / TASKS);
    t->detail[GRAFT_BLOCK_SHARE] = most(1, least(share, t->out_blocks));
    t->pack_bytes = padded(t->out_blocks * GRAFT_BLOCK * g->kernel[1] *
                           g->kernel[2] * (int64_t)sizeof(real));
}

void graft_block_cut(struct graft_block_cut *out, const struct graft_conv *g,
                     int64_t n_max, bool exact, const struct graft_kernels *k)
{
    struct graft_block_cut t = {
        .way = way_of(g, k),
        .in_blocks = ceil_div(g->c, GRAFT_BLOCK),
        .out_blocks = ceil_div(g->m, GRAFT_BLOCK)};
    if (!exact && graft_winograd_cut(out, g, n_max, k))
        return;
    if (t.way == GRAFT_BLOCK_DEPTHWISE)
        cut_depthwise(&t, g, n_max);
    else if (t.way != GRAFT_BLOCK_NONE)
        cut_panels(&t, g, n_max, k);
    if (exact && t.way != GRAFT_BLOCK_DEPTHWISE)
        t.detail[GRAFT_BLOCK_CHAIN] = EXACT_CHAIN;
    *out = t;
}
