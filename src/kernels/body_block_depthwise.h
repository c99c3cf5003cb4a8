/* Depthwise convolution over blocked channels: strips of up to eight columns
 * of an output row, in as many accumulators. Squares of 3 and 5 at stride 1
 * and 2 slide: a kernel row's weights are in registers, and what is loaded
 * once meets all of them. Others go tap by tap.
 *
 * Summed by kernel row, then column, in every strip.
 * SPDX-License-Identifier: Apache-2.0 */

enum { BLOCK_COLUMNS = 8, BLOCK_SLIDE = 5 };

#ifdef __clang__
#define BLOCK_UNROLL _Pragma("unroll")
#else
#define BLOCK_UNROLL _Pragma("GCC unroll 32")
#endif

struct block_strip {
    const real *x;         /* row of input under the first kernel row inside */
    int64_t at, in;        /* column under kernel column 0; columns of x */
    int64_t x_row;         /* from kernel row to kernel row */
    int64_t x_tap, x_step; /* from kernel column, output column to the next */
    int64_t rows, lo, hi;  /* kernel rows inside; columns (tap by tap) */
    const real *w;         /* [kernel row][kernel column][16] */
    int64_t w_row;
    const real *bias;      /* [16], NULL: none */
    real *y;
    const real *residual;  /* NULL: none */
    const struct graft_act *act;
    int64_t lanes;
};

CONV_INLINE void block_strip_store(conv_vec acc[BLOCK_COLUMNS], int n,
                                   const struct block_strip *s, int64_t c)
{
    bool clip = s->act->kind == GRAFT_ACT_CLIP;
    if (s->residual) {
        BLOCK_UNROLL
        for (int t = 0; t < n; t++)
            acc[t] += conv_load(s->residual + t * GRAFT_BLOCK + c);
    }
    if (clip || s->act->kind == GRAFT_ACT_RELU) {
        conv_vec lo = conv_splat(clip ? s->act->a : 0);
        BLOCK_UNROLL
        for (int t = 0; t < n; t++)
            acc[t] = block_max(lo, acc[t]);
    }
    if (clip) {
        conv_vec hi = conv_splat(s->act->b);
        BLOCK_UNROLL
        for (int t = 0; t < n; t++)
            acc[t] = block_min(hi, acc[t]);
    }
    BLOCK_UNROLL
    for (int t = 0; t < n; t++)
        conv_store(s->y + t * GRAFT_BLOCK + c, acc[t]);
    if (block_has_after(s->act, s->lanes))
        for (int t = 0; t < n; t++)
            block_after(s->y + t * GRAFT_BLOCK + c, s->act, s->lanes, c);
}

CONV_INLINE void block_strip_begin(conv_vec acc[BLOCK_COLUMNS], int n,
                                   const struct block_strip *s, int64_t c)
{
    conv_vec start = s->bias ? conv_load(s->bias + c) : (conv_vec){0};
    BLOCK_UNROLL
    for (int t = 0; t < n; t++)
        acc[t] = start;
}

/* n output columns of a kernel of k x k, stride s. edge: some columns may
 * lie outside the input. */
CONV_INLINE void block_slide(int k, int s, int n, bool edge,
                             const struct block_strip *p)
{
    for (int64_t c = 0; c < GRAFT_BLOCK; c += CONV_VL) {
        conv_vec acc[BLOCK_COLUMNS], w[BLOCK_SLIDE];
        const real *x = p->x + c, *weights = p->w + c;
        block_strip_begin(acc, n, p, c);
        for (int64_t row = 0; row < p->rows;
             row++, x += p->x_row, weights += p->w_row) {
            BLOCK_UNROLL
            for (int i = 0; i < k; i++)
                w[i] = conv_load(weights + i * GRAFT_BLOCK);
            BLOCK_UNROLL
            for (int j = 0; j < (n - 1) * s + k; j++) {
                if (edge && (uint64_t)(p->at + j) >= (uint64_t)p->in)
                    continue;
                conv_vec v = conv_load(x + (p->at + j) * GRAFT_BLOCK);
                BLOCK_UNROLL
                for (int i = 0; i < k; i++)
                    if (j >= i && (j - i) % s == 0 && (j - i) / s < n)
                        acc[(j - i) / s] += v * w[i];
            }
        }
        block_strip_store(acc, n, p, c);
    }
}

/* n output columns, kernel columns lo .. hi-1. */
CONV_INLINE void block_taps(int n, const struct block_strip *p)
{
    for (int64_t c = 0; c < GRAFT_BLOCK; c += CONV_VL) {
        conv_vec acc[BLOCK_COLUMNS];
        const real *row = p->x + c, *weights = p->w + c;
        block_strip_begin(acc, n, p, c);
        for (int64_t i = 0; i < p->rows;
             i++, row += p->x_row, weights += p->w_row)
            for (int64_t j = p->lo; j < p->hi; j++) {
                const real *x = row + (p->at * GRAFT_BLOCK + j * p->x_tap);
                conv_vec w = conv_load(weights + j * GRAFT_BLOCK);
                BLOCK_UNROLL
                for (int t = 0; t < n; t++)
                    acc[t] += w * conv_load(x + t * p->x_step);
            }
        block_strip_store(acc, n, p, c);
    }
}

typedef void block_strip_fn(const struct block_strip *p);
#define BLOCK_TAPS(n)                                                       \
    static void block_taps_##n(const struct block_strip *p)                 \
    {                                                                       \
        block_taps(n, p);                                                   \
    }
#define BLOCK_EDGE(k, s, n)                                                 \
    static void block_edge_##k##_##s##_##n(const struct block_strip *p)     \
    {                                                                       \
        block_slide(k, s, n, true, p);                                      \
    }
#define BLOCK_EDGES(k, s)                                                   \
    BLOCK_EDGE(k, s, 1)                                                     \
    BLOCK_EDGE(k, s, 2)                                                     \
    BLOCK_EDGE(k, s, 3)                                                     \
    BLOCK_EDGE(k, s, 4)                                                     \
    BLOCK_EDGE(k, s, 5)                                                     \
    BLOCK_EDGE(k, s, 6)                                                     \
    BLOCK_EDGE(k, s, 7)                                                     \
    BLOCK_EDGE(k, s, 8)                                                     \
    static void block_inner_##k##_##s(const struct block_strip *p)          \
    {                                                                       \
        block_slide(k, s, BLOCK_COLUMNS, false, p);                         \
    }
BLOCK_TAPS(1)
BLOCK_TAPS(2)
BLOCK_TAPS(3)
BLOCK_TAPS(4)
BLOCK_TAPS(5)
BLOCK_TAPS(6)
BLOCK_TAPS(7)
BLOCK_TAPS(8)
BLOCK_EDGES(3, 1)
BLOCK_EDGES(3, 2)
BLOCK_EDGES(5, 1)
BLOCK_EDGES(5, 2)

#define BLOCK_EIGHT(name)                                                   \
    {NULL, name##1, name##2, name##3, name##4, name##5, name##6, name##7,   \
     name##8}
static block_strip_fn *const block_taps_fns[BLOCK_COLUMNS + 1] =
    BLOCK_EIGHT(block_taps_);
/* [kernel 3, 5][stride 1, 2]; columns, 0: eight that lie inside */
struct block_slides {
    block_strip_fn *inner, *edge[BLOCK_COLUMNS + 1];
};
static const struct block_slides block_slides[2][2] = {
    {{block_inner_3_1, BLOCK_EIGHT(block_edge_3_1_)},
     {block_inner_3_2, BLOCK_EIGHT(block_edge_3_2_)}},
    {{block_inner_5_1, BLOCK_EIGHT(block_edge_5_1_)},
     {block_inner_5_2, BLOCK_EIGHT(block_edge_5_2_)}}};

/* The sliding strips that fit g, or NULL. */
static const struct block_slides *block_slides_of(const struct graft_conv *g)
{
    int64_t k = g->kernel[2], s = g->stride[2];
    if ((k != 3 && k != 5) || s > 2 || g->dilation[2] > 1)
        return NULL;
    return &block_slides[k == 5][s - 1];
}

static void block_slide_row(const struct block_slides *f,
                            const struct graft_conv *g,
                            struct block_strip *p)
{
    int64_t k = g->kernel[2], s = g->stride[2];
    p->at = -g->pad[2];
    for (int64_t w = 0; w < g->out[2]; w += BLOCK_COLUMNS) {
        int64_t n = g->out[2] - w < BLOCK_COLUMNS ? g->out[2] - w
                                                  : BLOCK_COLUMNS;
        bool inside = n == BLOCK_COLUMNS && p->at >= 0 &&
                      p->at + (n - 1) * s + k <= p->in;
        (inside ? f->inner : f->edge[n])(p);
        p->at += n * s;
        p->y += n * GRAFT_BLOCK;
        p->residual = p->residual ? p->residual + n * GRAFT_BLOCK : NULL;
    }
}

static void block_taps_row(const struct graft_conv *g, struct block_strip *p)
{
    for (int64_t w = 0, n; w < g->out[2]; w += n) {
        int64_t end = w + BLOCK_COLUMNS < g->out[2] ? w + BLOCK_COLUMNS
                                                    : g->out[2];
        n = graft_block_span(g, 2, w, end, &p->lo, &p->hi) - w;
        p->at = w * g->stride[2] - g->pad[2];
        block_taps_fns[n](p);
        p->y += n * GRAFT_BLOCK;
        p->residual = p->residual ? p->residual + n * GRAFT_BLOCK : NULL;
    }
}

/* Task: a band of rows of one block of one image. */
static void block_depthwise(const struct graft_block_run *r, int64_t task)
{
    const struct graft_conv *g = r->g;
    const struct graft_finish *f = &r->finish;
    const struct block_slides *slides = block_slides_of(g);
    int64_t rows = r->cut->detail[GRAFT_BLOCK_ROWS];
    int64_t bands = (g->out[1] + rows - 1) / rows;
    int64_t first = task % bands * rows, block = task / bands;
    int64_t image = block / r->cut->out_blocks;
    block %= r->cut->out_blocks;
    int64_t in_row = g->in[2] * GRAFT_BLOCK, out_row = g->out[2] * GRAFT_BLOCK;
    int64_t left = g->m - block * GRAFT_BLOCK;
    const real *x = r->x + image * r->x_step + block * g->in[1] * in_row;
    const real *w = r->w + block * g->kernel[1] * g->kernel[2] * GRAFT_BLOCK;
    int64_t to = block * g->out[1] * out_row;
    for (int64_t h = first; h < first + rows && h < g->out[1]; h++) {
        int64_t lo, hi;
        graft_block_span(g, 1, h, h + 1, &lo, &hi);
        int64_t from = h * g->stride[1] - g->pad[1] + lo * g->dilation[1];
        struct block_strip p = {
            .x = x + (lo < hi ? from : 0) * in_row, .in = g->in[2],
            .x_row = g->dilation[1] * in_row,
            .x_tap = g->dilation[2] * GRAFT_BLOCK,
            .x_step = g->stride[2] * GRAFT_BLOCK, .rows = hi - lo,
            .w_row = g->kernel[2] * GRAFT_BLOCK,
            .bias = f->bias ? f->bias + block * GRAFT_BLOCK : NULL,
            .y = r->y + image * r->y_step + to + h * out_row,
            .act = &f->act,
            .lanes = left < GRAFT_BLOCK ? left : GRAFT_BLOCK};
        p.w = w + lo * p.w_row;
        if (f->residual)
            p.residual = f->residual + image * f->residual_step + to +
                         h * out_row;
        if (slides)
            block_slide_row(slides, g, &p);
        else
            block_taps_row(g, &p);
    }
}
