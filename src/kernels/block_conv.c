/* Convolution over blocked channels, directly: output pixels that have the
 * same kernel elements inside the input form rectangles, and lines of pixels
 * (along a row, a column, or through the images) the rows of tiles. So
 * nothing is padded and no product with padding is made.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/pool.h"
#include "kernels/kernels.h"

enum { FAR = 1 << 18 }; /* bytes of weights that do not stay near */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What a task does: pixels and panels first .. end-1. */
struct part {
    const struct graft_block_run *r;
    const struct graft_conv *g;  /* flat where POINT is */
    struct graft_block_piece *piece;
    const real *x;               /* of the first image and column: */
    int64_t x_step, x_column;
    int64_t lanes;               /* of a pixel of x: 16, or channels */
    int64_t x_row, x_block, y_row, y_block;
    bool fresh;                  /* x was not read before: fetch ahead */
    const real *next, *stop;     /* weights to fetch meanwhile */
    struct { int64_t first, end; } image, row, column, panel;
};

/* Pixels with the same kernel elements, lo .. hi-1 of each axis, inside. */
struct rectangle {
    int64_t row, rows, column, columns;
    int64_t lo[2], hi[2];
};

/* ---- pieces of k --------------------------------------------------------- */

/* By block of channels, kernel row, kernel column. Columns that lie side by
 * side are one piece where they have whole blocks. */
static int64_t block_pieces(const struct part *p, const struct rectangle *a,
                            const struct graft_block_panel *panel)
{
    const struct graft_conv *g = p->g;
    int64_t taps = g->kernel[1] * g->kernel[2], n = 0;
    int64_t width = p->r->cut->detail[GRAFT_BLOCK_WIDTH];
    for (int64_t c = panel->in_first; c < panel->in_end;) {
        int64_t end = least(panel->in_end, (c / GRAFT_BLOCK + 1) *
                                               GRAFT_BLOCK);
        int64_t x = c / GRAFT_BLOCK * p->x_block + c % GRAFT_BLOCK;
        int64_t w = (c - panel->in_first) * taps;
        bool joined = g->dilation[2] == 1 && end - c == GRAFT_BLOCK;
        int64_t columns = joined ? a->hi[1] - a->lo[1] : 1;
        for (int64_t i = a->lo[0]; i < a->hi[0]; i++)
            for (int64_t j = a->lo[1]; j < a->hi[1]; j += columns)
                p->piece[n++] = (struct graft_block_piece){
                    x + (i - a->lo[0]) * g->dilation[1] * p->x_row +
                        (j - a->lo[1]) * g->dilation[2] * GRAFT_BLOCK,
                    (w + (i * g->kernel[2] + j) * (end - c)) * width,
                    columns * (end - c)};
        c = end;
    }
    return n;
}

/* Of an IMAGE: kernel rows, whose elements and channels are contiguous. */
static int64_t image_pieces(const struct part *p, const struct rectangle *a)
{
    const struct graft_conv *g = p->g;
    int64_t width = p->r->cut->detail[GRAFT_BLOCK_WIDTH], n = 0;
    int64_t columns = g->dilation[2] > 1 ? 1 : a->hi[1] - a->lo[1];
    for (int64_t i = a->lo[0]; i < a->hi[0]; i++)
        for (int64_t j = a->lo[1]; j < a->hi[1]; j += columns)
            p->piece[n++] = (struct graft_block_piece){
                (i - a->lo[0]) * g->dilation[1] * p->x_row +
                    (j - a->lo[1]) * g->dilation[2] * g->c,
                (i * g->kernel[2] + j) * g->c * width, columns * g->c};
    return n;
}

/* ---- lines --------------------------------------------------------------- */

/* `count` lines, `step` and so on apart, of t->rows pixels: t is the first. */
struct lines {
    int64_t count, x_step, y_step, residual_step;
};

/* t, and a part of the weights that come next. */
static void do_tile(struct part *p, struct graft_block_tile *t)
{
    t->next = p->next;
    t->stop = p->stop;
    p->next += ceil_div(t->rows, p->r->k->block.rows) * t->pieces *
               GRAFT_BLOCK_FETCH;
    p->r->k->block.tile(t);
}

static void do_lines(struct part *p, const struct graft_block_tile *t,
                     const struct lines *l)
{
    struct graft_block_tile line = *t;
    for (int64_t i = 0; i < l->count; i++) {
        line.x = t->x + i * l->x_step;
        line.y = t->y + i * l->y_step;
        if (t->residual)
            line.residual = t->residual + i * l->residual_step;
        do_tile(p, &line);
    }
}

/* Lines along rows, unless columns make clearly fewer tiles. */
static void do_plane(struct part *p, struct graft_block_tile *t,
                     const struct rectangle *a)
{
    const struct graft_conv *g = p->g;
    int64_t most = p->r->k->block.rows;
    int64_t across = a->rows * ceil_div(a->columns, most);
    int64_t down = a->columns * ceil_div(a->rows, most);
    struct lines rows = {a->rows, g->stride[1] * p->x_row, p->y_row,
                         p->y_row};
    struct lines columns = {a->columns, g->stride[2] * p->lanes, GRAFT_BLOCK,
                            GRAFT_BLOCK};
    bool turn = 8 * down < 7 * across;
    const struct lines *line = turn ? &columns : &rows;
    const struct lines *step = turn ? &rows : &columns;
    t->rows = turn ? a->rows : a->columns;
    t->x_step = step->x_step;
    t->ahead = p->fresh && !turn ? most * t->x_step : 0;
    t->y_step = t->residual_step = step->y_step;
    do_lines(p, t, line);
}

/* A panel of a rectangle of all images. */
static void do_rectangle(struct part *p, const struct rectangle *a,
                         const struct graft_block_panel *panel,
                         struct graft_block_tile *t)
{
    const struct graft_block_run *r = p->r;
    const struct graft_conv *g = p->g;
    const struct graft_finish *f = &r->finish;
    t->pieces = g->image ? image_pieces(p, a) : block_pieces(p, a, panel);
    int64_t from = (a->row * g->stride[1] - g->pad[1] +
                    a->lo[0] * g->dilation[1]) * p->x_row +
                   ((a->column - p->x_column) * g->stride[2] - g->pad[2] +
                    a->lo[1] * g->dilation[2]) * p->lanes;
    int64_t to = panel->first / GRAFT_BLOCK * p->y_block +
                 a->row * p->y_row + a->column * GRAFT_BLOCK;
    if (!t->pieces)
        from = 0;
    int64_t images = p->image.end - p->image.first;
    int64_t pixels = a->rows * a->columns, most = r->k->block.rows;
    bool through = pixels * ceil_div(images, most) <
                   images * least(a->rows * ceil_div(a->columns, most),
                                  a->columns * ceil_div(a->rows, most));
    for (int64_t i = 0; i < (through ? pixels : images); i++) {
        int64_t nth = through ? 0 : i, image = p->image.first + nth;
        int64_t row = through ? i / a->columns : 0;
        int64_t column = through ? i % a->columns : 0;
        int64_t at = to + row * p->y_row + column * GRAFT_BLOCK;
        t->x = p->x + nth * p->x_step + from +
               (t->pieces ? row * g->stride[1] * p->x_row +
                                column * g->stride[2] * p->lanes
                          : 0);
        t->y = r->y + image * r->y_step + at;
        t->residual = NULL;
        if (f->residual)
            t->residual = f->residual + image * f->residual_step + at;
        if (!through) {
            do_plane(p, t, a);
            continue;
        }
        t->rows = images;
        t->x_step = p->x_step;
        t->y_step = r->y_step;
        t->residual_step = f->residual_step;
        do_tile(p, t);
    }
}

/* The panel after `index` is fetched from memory while that one is worked on,
 * unless it is far from what this worker will do. */
static void fetch_next(struct part *p, int64_t index)
{
    const int64_t *d = p->r->cut->detail;
    int64_t size = d[GRAFT_BLOCK_DEPTH] * d[GRAFT_BLOCK_WIDTH];
    bool far = d[GRAFT_BLOCK_PANELS] * size * (int64_t)sizeof(real) > FAR;
    bool last = index + 1 == d[GRAFT_BLOCK_PANELS];
    p->next = p->r->w + (index + 1) * size;
    p->stop = far && !last ? p->next + size : p->next;
}

static void do_panel(struct part *p, int64_t index)
{
    const struct graft_block_run *r = p->r;
    const struct graft_finish *f = &r->finish;
    const int64_t *d = r->cut->detail;
    int64_t width = d[GRAFT_BLOCK_WIDTH];
    struct graft_block_panel panel = graft_block_panel(p->g, width, index);
    struct graft_block_tile t = {
        .blocks = ceil_div(panel.end - panel.first, GRAFT_BLOCK),
        .piece = p->piece,
        .w = r->w + index * d[GRAFT_BLOCK_DEPTH] * width,
        .width = width,
        .bias = f->bias ? f->bias + panel.first : NULL,
        .y_block = p->y_block,
        .act = &f->act,
        .chain = d[GRAFT_BLOCK_CHAIN]};
    t.lanes = panel.end - panel.first - (t.blocks - 1) * GRAFT_BLOCK;
    fetch_next(p, index);
    struct rectangle a;
    for (int64_t h = p->row.first; h < p->row.end; h = a.row + a.rows) {
        a.row = h;
        a.rows = graft_block_span(p->g, 1, h, p->row.end, &a.lo[0],
                                  &a.hi[0]) - h;
        for (int64_t w = p->column.first; w < p->column.end;
             w = a.column + a.columns) {
            a.column = w;
            a.columns = graft_block_span(p->g, 2, w, p->column.end,
                                         &a.lo[1], &a.hi[1]) - w;
            do_rectangle(p, &a, &panel, &t);
        }
    }
}

/* ---- strided points ------------------------------------------------------ */

/* The pixels that p reads, as if there had been no others. */
static void gather(struct part *p, real *to)
{
    const struct graft_block_run *r = p->r;
    const struct graft_conv *g = r->g;
    int64_t images = p->image.end - p->image.first;
    int64_t columns = p->column.end - p->column.first;
    int64_t blocks = r->cut->in_blocks, line = g->in[2] * GRAFT_BLOCK;
    int64_t row = g->stride[1] * line, column = g->stride[2] * GRAFT_BLOCK;
    p->x_block = columns * GRAFT_BLOCK;
    for (int64_t i = 0; i < images * blocks; i++) {
        const real *from = p->x + i / blocks * p->x_step +
                           i % blocks * g->in[1] * line;
        for (int64_t c = p->column.first; c < p->column.end; c++) {
            const real *pixel = from + c / g->out[2] * row +
                                c % g->out[2] * column;
            __builtin_prefetch(pixel + g->in[1] * line); /* next block */
            memcpy(to, pixel, GRAFT_BLOCK * sizeof *to);
            to += GRAFT_BLOCK;
        }
    }
    p->x = to - images * blocks * p->x_block;
    p->x_step = blocks * p->x_block;
    p->x_column = p->column.first;
}

/* ---- tasks --------------------------------------------------------------- */

struct job {
    const struct graft_block_run *r;
    struct graft_conv g;
    int64_t shares, columns, rows, images; /* tasks along each */
    char *scratch;
    size_t step, gathered; /* bytes; of gathered pixels: before pieces */
};

static void conv_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct graft_conv *g = &j->g;
    const int64_t *d = j->r->cut->detail;
    char *room = j->scratch + (size_t)worker * j->step;
    struct part p = {
        .r = j->r, .g = g,
        .piece = (struct graft_block_piece *)(room + j->gathered),
        .lanes = g->image ? g->c : GRAFT_BLOCK};
    p.x_row = g->in[2] * p.lanes;
    p.x_block = g->in[1] * p.x_row;
    p.y_row = g->out[2] * GRAFT_BLOCK;
    p.y_block = g->out[1] * p.y_row;
    p.panel.first = task % j->shares * d[GRAFT_BLOCK_SHARE];
    p.panel.end = least(p.panel.first + d[GRAFT_BLOCK_SHARE],
                        d[GRAFT_BLOCK_PANELS]);
    task /= j->shares;
    p.column.first = task % j->columns * d[GRAFT_BLOCK_COLUMNS];
    p.column.end = least(p.column.first + d[GRAFT_BLOCK_COLUMNS], g->out[2]);
    task /= j->columns;
    p.row.first = task % j->rows * d[GRAFT_BLOCK_ROWS];
    p.row.end = least(p.row.first + d[GRAFT_BLOCK_ROWS], g->out[1]);
    task /= j->rows;
    p.image.first = task * d[GRAFT_BLOCK_IMAGES];
    p.image.end = least(p.image.first + d[GRAFT_BLOCK_IMAGES], j->r->n);
    p.x = j->r->x + p.image.first * j->r->x_step;
    p.x_step = j->r->x_step;
    if (j->gathered)
        gather(&p, (real *)room);
    for (int64_t i = p.panel.first; i < p.panel.end; i++) {
        p.fresh = !j->gathered && (i == p.panel.first || g->group > 1);
        do_panel(&p, i);
    }
}

static void depthwise_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    int64_t all = j->r->cut->out_blocks;
    int64_t share = j->r->cut->detail[GRAFT_BLOCK_SHARE];
    int64_t rows = j->r->cut->detail[GRAFT_BLOCK_ROWS];
    int64_t image = task / (j->shares * j->rows);
    int64_t row = task % j->rows * rows;
    int64_t end = least(row + rows, j->g.out[1]);
    int64_t first = task / j->rows % j->shares * share;
    (void)worker;
    for (int64_t i = first; i < all && i < first + share; i++)
        j->r->k->block.depthwise(j->r, image, i, row, end);
}

void graft_block_run(struct graft_block_run *r, struct graft_pool *pool,
                     void *scratch, size_t scratch_step, void *shared)
{
    const int64_t *d = r->cut->detail;
    struct job j = {.r = r, .g = graft_block_flat(r->g, r->cut),
                    .gathered = graft_block_gathered(r->g, r->cut),
                    .scratch = scratch, .step = scratch_step};
    if (r->cut->way == GRAFT_BLOCK_WINOGRAD) {
        graft_winograd_run(r, pool, scratch, scratch_step, shared);
        return;
    }
    j.rows = ceil_div(j.g.out[1], d[GRAFT_BLOCK_ROWS]);
    if (r->cut->way == GRAFT_BLOCK_DEPTHWISE) {
        j.shares = ceil_div(r->cut->out_blocks, d[GRAFT_BLOCK_SHARE]);
        graft_pool_for(pool, r->n * j.shares * j.rows, depthwise_task, &j);
        return;
    }
    j.columns = ceil_div(j.g.out[2], d[GRAFT_BLOCK_COLUMNS]);
    j.shares = ceil_div(d[GRAFT_BLOCK_PANELS], d[GRAFT_BLOCK_SHARE]);
    j.images = ceil_div(r->n, d[GRAFT_BLOCK_IMAGES]);
    graft_pool_for(pool, j.images * j.rows * j.columns * j.shares, conv_task,
                   &j);
}
