/* Winograd: inputs to V, a band of tiles at a time. Columns first, so that
 * tiles side by side share the transform of the columns that they share;
 * padding is a line of zeros and columns of zeros, never a padded copy.
 * SPDX-License-Identifier: Apache-2.0 */

/* A run of tiles of one kind and the columns of input that they need. */
struct wino_chunk {
    const struct wino_place *row;
    const struct wino_tile *tile;
    int64_t n, tile0;        /* tiles; place of the first in V */
    int64_t in, columns;     /* first input column, columns */
    int64_t first, end;      /* columns that lie inside the map */
    int64_t ahead;           /* reals from its input to the next one's */
    real *lines, *zeros, *t; /* scratch; zeros and lines before t */
};

/* ---- lines of input ------------------------------------------------------ */

static void wino_map_lines(const struct graft_winograd_block *b,
                           struct wino_chunk *c, int64_t image, int64_t block,
                           const real *line[WINO_SLOTS])
{
    const struct graft_conv *g = b->r->g;
    const real *x = b->r->x + image * b->r->x_step +
                    block * g->in[1] * g->in[2] * GRAFT_BLOCK;
    for (int k = 0; k < c->row->tile->inputs; k++) {
        int64_t y = c->row->in + k;
        bool inside = y >= 0 && y < g->in[1];
        line[k] = inside ? x + (y * g->in[2] + c->first) * GRAFT_BLOCK
                         : c->zeros;
    }
}

static void wino_few(real *dst, const real *src, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        dst[i] = src[i];
}

/* Pairs of pixels, one in a vector; three channels are the usual case. */
static void wino_pairs(real *dst, const real *src, int64_t n, int64_t pair,
                       int64_t ahead)
{
    for (int64_t i = 0; i < n; i++, dst += GRAFT_BLOCK, src += pair) {
        __builtin_prefetch(src + ahead);
        if (pair == 6)
            memcpy(dst, src, 6 * sizeof *dst);
        else
            wino_few(dst, src, pair);
    }
}

/* Two pixels of two rows of an IMAGE make a vector: row, pixel, channel. */
static void wino_image_lines(const struct graft_winograd_block *b,
                             struct wino_chunk *c, int64_t image,
                             const real *line[WINO_SLOTS])
{
    const struct graft_conv *g = b->r->g;
    int64_t width = g->in[2], pair = 2 * g->c;
    int64_t x0 = 2 * c->in - g->pad[2], x1 = x0 + 2 * c->columns;
    int64_t first = x0 < 0 ? 0 : x0, end = x1 < width ? x1 : width;
    for (int64_t k = 0; k < 2 * c->row->tile->inputs; k++) {
        int64_t y = 2 * c->row->in + k - g->pad[1];
        real *dst = c->lines + k / 2 * c->columns * GRAFT_BLOCK;
        if (k % 2 == 0) {
            line[k / 2] = dst;
            memset(dst, 0, (size_t)(c->columns * GRAFT_BLOCK) * sizeof *dst);
        }
        if (y < 0 || y >= g->in[1] || first >= end)
            continue;
        const real *src = b->r->x + image * b->r->x_step + y * width * g->c;
        dst += k % 2 * pair;
        int64_t x = first, odd = (first - x0) % 2;
        if (odd)
            wino_few(dst + (x - x0) / 2 * GRAFT_BLOCK + g->c, src + x * g->c,
                     g->c);
        x += odd;
        dst += (x - x0) / 2 * GRAFT_BLOCK;
        wino_pairs(dst, src + x * g->c, (end - x) / 2, pair,
                   2 * c->row->tile->outputs * width * g->c);
        if ((end - x) % 2)
            wino_few(dst + (end - x) / 2 * GRAFT_BLOCK,
                     src + (end - 1) * g->c, g->c);
    }
}

/* ---- a chunk ------------------------------------------------------------- */

static void wino_in_chunk(const struct graft_winograd_block *b,
                          const struct wino_chunk *c, int64_t stride,
                          int64_t block, const real *const line[WINO_SLOTS])
{
    int64_t slots = wino_slots(&b->plan.axis[1]);
    /* an odd number of vectors: slots then differ in their cache set */
    int64_t t_line = (c->columns | 1) * GRAFT_BLOCK;
    struct wino_columns down = {
        .t = c->t + (c->first - c->in) * GRAFT_BLOCK, .t_line = t_line,
        .ahead = c->ahead, .columns = c->end - c->first};
    memcpy(down.row, line, sizeof down.row);
    c->row->tile->in_columns(&down);
    int64_t left = c->first - c->in, right = c->in + c->columns - c->end;
    for (int k = 0; left + right > 0 && k < c->row->tile->slots; k++) {
        real *t = c->t + k * t_line;
        memset(t, 0, (size_t)(left * GRAFT_BLOCK) * sizeof *t);
        memset(t + (c->columns - right) * GRAFT_BLOCK, 0,
               (size_t)(right * GRAFT_BLOCK) * sizeof *t);
    }
    struct wino_lines across = {
        .src_line = t_line, .dst_step = b->v_slot,
        .dst_line = slots * b->v_slot, .lines = c->row->tile->slots};
    int64_t step = c->tile->outputs * stride * GRAFT_BLOCK;
    for (int64_t i = 0; i < c->n; i++) {
        across.src = c->t + i * step;
        across.dst = b->v + (block - b->x_block) * b->v_block +
                     (c->tile0 + i) * GRAFT_BLOCK;
        c->tile->in_rows(&across);
    }
}

/* Columns of input that n tiles of a kind need. */
static int64_t wino_reach(const struct wino_tile *tile, int64_t stride,
                          int64_t n)
{
    return (n - 1) * tile->outputs * stride + tile->inputs;
}

/* From band w of block k of the input to what is transformed next: the same
 * of the next block, or the next band of block `first`. */
static int64_t wino_ahead(const struct graft_winograd_block *b,
                          const struct wino_band *w, int64_t band, int64_t k,
                          int64_t first, bool more)
{
    const struct graft_conv *g = b->r->g;
    int64_t plane = g->in[1] * g->in[2] * GRAFT_BLOCK;
    if (g->image || (!more && band + 1 == b->first + b->bands))
        return 0;
    if (more)
        return plane;
    struct wino_band next = wino_band(b, band + 1);
    return (next.image - w->image) * b->r->x_step - (k - first) * plane +
           (next.row.in - w->row.in) * g->in[2] * GRAFT_BLOCK;
}

static void wino_in(const struct graft_winograd_block *b, int64_t band,
                    int64_t first, int64_t n, real *scratch)
{
    const struct graft_winograd_axis *a = &b->plan.axis[1];
    const struct graft_conv *g = b->r->g;
    struct wino_band w = wino_band(b, band);
    bool depth = a->family->depth;
    int64_t stride = depth ? 1 : a->family->stride, all = a->big + a->small;
    int64_t most = GRAFT_WINOGRAD_CHUNK;
    struct wino_chunk c = {.row = &w.row, .zeros = scratch,
                           .lines = scratch + most * GRAFT_BLOCK};
    c.t = c.lines + (depth ? WINO_SLOTS * most * GRAFT_BLOCK : 0);
    memset(c.zeros, 0, (size_t)(most * GRAFT_BLOCK) * sizeof(real));
    for (int64_t i = 0; i < all; i += c.n) {
        struct wino_place p = wino_place(a, g->pad[2], i);
        int64_t end = p.small ? all : a->big;
        for (c.n = 1; i + c.n < end &&
                      wino_reach(p.tile, stride, c.n + 1) <= most;)
            c.n++;
        c.tile = p.tile;
        c.tile0 = w.tile[p.small] + i - (p.small ? a->big : 0);
        c.in = p.in;
        c.columns = wino_reach(p.tile, stride, c.n);
        int64_t limit = depth ? c.in + c.columns : g->in[2];
        c.first = c.in < 0 && !depth ? 0 : c.in;
        c.first = c.first < limit ? c.first : limit;
        c.end = c.in + c.columns < limit ? c.in + c.columns : limit;
        c.end = c.end > c.first ? c.end : c.first;
        const real *line[WINO_SLOTS] = {NULL};
        for (int64_t k = first; k < first + n; k++) {
            c.ahead = wino_ahead(b, &w, band, k, first, k + 1 < first + n);
            if (depth)
                wino_image_lines(b, &c, w.image, line);
            else
                wino_map_lines(b, &c, w.image, k, line);
            wino_in_chunk(b, &c, stride, k, line);
        }
    }
}
