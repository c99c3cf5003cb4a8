/* Winograd: products of V with the packed weights to M, and M to outputs; and
 * the weights' own transform.
 * SPDX-License-Identifier: Apache-2.0 */

/* ---- products ------------------------------------------------------------ */

enum { WINO_NEAR = 1 << 18 }; /* bytes of weights that stay near */

static int64_t wino_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Tiles that have slot (i, j): those of big rows and of big columns where
 * small tiles lack it. */
static void wino_range(const struct graft_winograd_block *b, int64_t i,
                       int64_t j, int64_t *first, int64_t *end)
{
    const struct graft_winograd_axis *a = b->plan.axis;
    bool big_row = i >= wino_tiles[a[0].family->tile[1]].slots;
    bool big_column = j >= wino_tiles[a[1].family->tile[1]].slots;
    *first = b->group[big_column ? 1 : 0];
    *end = b->group[big_row ? 2 : big_column ? 3 : 4];
}

/* Blocks of input channels as pieces of k. */
static void wino_pieces(const struct graft_winograd_block *b,
                        struct graft_block_piece *piece)
{
    for (int64_t i = 0; i < b->in_blocks; i++)
        piece[i] = (struct graft_block_piece){
            i * b->group[4] * GRAFT_BLOCK, i * GRAFT_BLOCK * b->width,
            wino_least(GRAFT_BLOCK, b->k - i * GRAFT_BLOCK)};
}

/* Weights of slot s, of the last one also where there is none. */
static const real *wino_weights_of(const struct graft_winograd_block *b,
                                   int64_t panel, int64_t s)
{
    const struct graft_winograd_axis *a = b->plan.axis;
    const struct graft_winograd_family *fr = a[0].family, *fc = a[1].family;
    int64_t slots = wino_slots(&a[1]), sets = (int64_t)fr->sets * fc->sets;
    int64_t set = sets;
    if (s < wino_slots(&a[0]) * slots)
        set = fr->set[s / slots] * (int64_t)fc->sets + fc->set[s % slots];
    if (b->u)
        return b->u + set * b->u_set;
    return b->r->w + (panel * sets + set) * b->k * b->width;
}

/* Whether the weights come from far: fetching ahead then pays. */
static bool wino_far(const struct graft_winograd_block *b)
{
    const struct graft_winograd_axis *a = b->plan.axis;
    return (int64_t)sizeof(real) * a[0].family->sets * a[1].family->sets *
               b->k * b->r->cut->out_blocks * GRAFT_BLOCK > WINO_NEAR;
}

/* Rows in even shares; meanwhile the weights of the next slot come nearer,
 * with each share as many lines of them as there are numbers of k. */
static void wino_product(struct graft_block_tile *t, int64_t rows,
                         const real *next, const real *end)
{
    int64_t shares = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    int64_t share = rows / shares, more = rows % shares;
    int64_t step = t->pieces * GRAFT_BLOCK_FETCH;
    int64_t channels = t->blocks * GRAFT_BLOCK;
    t->stop = end;
    t->next = shares < 2 ? end : next;
    for (int64_t q = 0; q < shares; q++, t->next += step) {
        t->rows = share + (q < more);
        for (int64_t c = 0; c < channels; c += BLOCK_TILE)
            block_tile_fns[channels - c >= BLOCK_TILE][t->rows](t, c);
        t->x += t->rows * t->x_step;
        t->y += t->rows * t->y_step;
    }
}

/* One block of input channels and one of output channels: the registers hold
 * all weights of a slot. The sums are block_tile's, in the same order. */
#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
#define WINO_SMALL
enum { WINO_ROWS = 8 };

CONV_INLINE void wino_small_rows(const conv_vec w[GRAFT_BLOCK], const real *x,
                                 real *y, int rows)
{
    conv_vec acc[WINO_ROWS];
    CONV_UNROLL
    for (int i = 0; i < rows; i++)
        acc[i] = (conv_vec){0};
    CONV_UNROLL
    for (int k = 0; k < GRAFT_BLOCK; k++) {
        CONV_UNROLL
        for (int i = 0; i < rows; i++)
            acc[i] += w[k] * x[i * GRAFT_BLOCK + k];
    }
    CONV_UNROLL
    for (int i = 0; i < rows; i++)
        conv_store(y + i * GRAFT_BLOCK, acc[i]);
}

static void wino_small(const real *x, const real *weights, real *y,
                       int64_t rows)
{
    conv_vec w[GRAFT_BLOCK];
    CONV_UNROLL
    for (int k = 0; k < GRAFT_BLOCK; k++)
        w[k] = conv_load(weights + k * GRAFT_BLOCK);
    int64_t i = 0;
    for (; i + WINO_ROWS <= rows; i += WINO_ROWS)
        wino_small_rows(w, x + i * GRAFT_BLOCK, y + i * GRAFT_BLOCK,
                        WINO_ROWS);
    if (i + WINO_ROWS / 2 <= rows) {
        wino_small_rows(w, x + i * GRAFT_BLOCK, y + i * GRAFT_BLOCK,
                        WINO_ROWS / 2);
        i += WINO_ROWS / 2;
    }
    for (; i < rows; i++)
        wino_small_rows(w, x + i * GRAFT_BLOCK, y + i * GRAFT_BLOCK, 1);
}
#endif

static void wino_multiply(const struct graft_winograd_block *b, int64_t panel,
                          int64_t first_slot, int64_t end_slot,
                          struct graft_block_piece *piece, real *m)
{
    const struct graft_winograd_axis *a = b->plan.axis;
    int64_t slots = wino_slots(&a[1]);
    struct graft_block_panel p = graft_block_panel(b->r->g, b->width, panel);
    struct graft_block_tile t = {
        .blocks = (p.end - p.first + GRAFT_BLOCK - 1) / GRAFT_BLOCK,
        .x_step = GRAFT_BLOCK, .piece = piece, .pieces = b->in_blocks,
        .width = b->width, .y_step = b->width, .y_block = GRAFT_BLOCK,
        .lanes = GRAFT_BLOCK};
    bool far = wino_far(b);
    wino_pieces(b, piece);
    for (int64_t s = first_slot; s < end_slot; s++) {
        int64_t first, end;
        wino_range(b, s / slots, s % slots, &first, &end);
        if (first >= end)
            continue;
        t.x = b->v + s * b->v_slot + first * GRAFT_BLOCK;
        t.w = wino_weights_of(b, panel, s);
        t.y = m + s * b->m_slot + first * b->width;
#ifdef WINO_SMALL
        if (b->k == GRAFT_BLOCK && b->width == GRAFT_BLOCK) {
            wino_small(t.x, t.w, t.y, end - first);
            continue;
        }
#endif
        const real *next = wino_weights_of(b, panel, s + 1);
        const real *stop = far ? next + b->k * b->width : next;
        wino_product(&t, end - first, next, stop);
    }
}

/* ---- outputs ------------------------------------------------------------- */

/* One tile of one block of output channels; m: its first slot. */
static void wino_out_tile(const struct graft_winograd_block *b,
                          const struct wino_tile *row,
                          const struct wino_tile *column, const real *m,
                          struct wino_rows *r)
{
    real t[GRAFT_WINOGRAD_SLOTS * WINO_HALF]
        __attribute__((aligned(GRAFT_BLOCK * sizeof(real))));
    struct wino_lines down = {
        .src = m, .src_step = wino_slots(&b->plan.axis[1]) * b->m_slot,
        .src_line = b->m_slot, .dst = t, .lines = column->slots};
    row->out_columns(&down);
    r->src = t;
    column->out_rows(r);
}

/* All tiles of a band, output channels 16 * block .. ; m: those channels. */
static void wino_out_band(const struct graft_winograd_block *b,
                          const struct wino_band *w, int64_t block,
                          const real *m)
{
    const struct graft_winograd_axis *a = &b->plan.axis[1];
    const struct graft_block_run *r = b->r;
    const struct graft_conv *g = r->g;
    const struct graft_finish *f = &r->finish;
    static const real none[GRAFT_BLOCK] = {0};
    int64_t height = g->out[1], width = g->out[2];
    int64_t at = (block * height + w->row.out) * width * GRAFT_BLOCK;
    real *y = r->y + w->image * r->y_step + at;
    const real *residual =
        f->residual ? f->residual + w->image * f->residual_step + at : NULL;
    struct wino_rows rows = {
        .line = width * GRAFT_BLOCK,
        .rows = wino_least(w->row.tile->outputs, height - w->row.out),
        .bias = f->bias ? f->bias + block * GRAFT_BLOCK : none,
        .low = f->act.kind == GRAFT_ACT_RELU ? 0 : -(real)INFINITY,
        .lanes = wino_least(GRAFT_BLOCK, g->m - block * GRAFT_BLOCK)};
    for (int64_t i = 0; i < rows.rows * width; i++)
        __builtin_prefetch(y + i * GRAFT_BLOCK); /* stores then wait less */
    for (int64_t i = 0; i < a->big + a->small; i++) {
        struct wino_place p = wino_place(a, 0, i);
        int64_t tile = w->tile[p.small] + i - (p.small ? a->big : 0);
        rows.columns = wino_least(p.tile->outputs, width - p.out);
        rows.y = y + p.out * GRAFT_BLOCK;
        rows.residual = residual ? residual + p.out * GRAFT_BLOCK : NULL;
        wino_out_tile(b, w->row.tile, p.tile, m + tile * b->width, &rows);
    }
    if (f->act.kind == GRAFT_ACT_NONE || f->act.kind == GRAFT_ACT_RELU)
        return;
    for (int64_t i = 0; i < rows.rows * width; i++)
        for (int part = 0; part < GRAFT_BLOCK; part += CONV_VL) {
            real *at_y = y + i * GRAFT_BLOCK + part;
            conv_vec v = conv_act(conv_load(at_y), f);
            conv_store(at_y, (conv_vec)((conv_mask)v &
                                        block_mask(rows.lanes, part)));
        }
}

static void wino_out(const struct graft_winograd_block *b, int64_t panel,
                     int64_t first_band, int64_t end_band, const real *m)
{
    struct graft_block_panel p = graft_block_panel(b->r->g, b->width, panel);
    int64_t first = p.first / GRAFT_BLOCK;
    int64_t end = (p.end + GRAFT_BLOCK - 1) / GRAFT_BLOCK;
    for (int64_t band = first_band; band < end_band; band++) {
        struct wino_band w = wino_band(b, band);
        for (int64_t block = first; block < end; block++)
            wino_out_band(b, &w, block, m + (block - first) * GRAFT_BLOCK);
    }
}

/* ---- weights ------------------------------------------------------------- */

typedef double wino_double __attribute__((vector_size(CONV_VB)));
typedef real wino_narrow
    __attribute__((vector_size(CONV_VB / sizeof(double) * sizeof(real)),
                   aligned(sizeof(real)), may_alias));
enum { WINO_DOUBLES = CONV_VB / (int)sizeof(double) };

CONV_INLINE wino_double wino_widen(const real *x)
{
#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
    return (wino_double)_mm512_cvtps_pd(_mm256_loadu_ps(x));
#else
    return __builtin_convertvector(*(const wino_narrow *)x, wino_double);
#endif
}

/* u = G w G', in double, for output channels o .. */
CONV_INLINE void wino_weights_at(const struct graft_winograd_family *rows,
                                 const struct graft_winograd_family *columns,
                                 int taps, int width, const real *w,
                                 real *u, int64_t step)
{
    wino_double from[GRAFT_WINOGRAD_TAPS * GRAFT_WINOGRAD_TAPS];
    CONV_UNROLL
    for (int k = 0; k < taps * taps; k++)
        from[k] = wino_widen(w + k * width);
    for (int i = 0; i < rows->sets; i++) {
        wino_double t[GRAFT_WINOGRAD_TAPS];
        CONV_UNROLL
        for (int b = 0; b < taps; b++) {
            t[b] = rows->g[i][0] * from[b];
            CONV_UNROLL
            for (int a = 1; a < taps; a++)
                t[b] += rows->g[i][a] * from[a * taps + b];
        }
        for (int j = 0; j < columns->sets; j++, u += step) {
            wino_double sum = columns->g[j][0] * t[0];
            CONV_UNROLL
            for (int b = 1; b < taps; b++)
                sum += columns->g[j][b] * t[b];
            *(wino_narrow *)u = __builtin_convertvector(sum, wino_narrow);
        }
    }
}

static void wino_weights(const struct graft_winograd_family *rows,
                         const struct graft_winograd_family *columns,
                         int width, const real *w, real *u, int64_t step)
{
    for (int o = 0; o < width; o += WINO_DOUBLES)
        if (rows->taps == 3)
            wino_weights_at(rows, columns, 3, width, w + o, u + o, step);
        else
            wino_weights_at(rows, columns, GRAFT_WINOGRAD_TAPS, width, w + o,
                            u + o, step);
}

/* Numbers of k by which what is read, and what is written, comes nearer: the
 * sets of a panel are more than the nearest caches hold. */
enum { WINO_READ_AHEAD = 8, WINO_WRITE_AHEAD = 4 };

static void wino_transform(const struct graft_winograd_block *b,
                           int64_t panel, real *u)
{
    const struct graft_winograd_axis *a = b->plan.axis;
    int64_t each = a[0].family->taps * a[1].family->taps * b->width;
    int64_t sets = (int64_t)a[0].family->sets * a[1].family->sets;
    const real *w = b->r->w + panel * b->k * each;
    for (int64_t k = 0; k < b->k; k++, w += each, u += b->width) {
        for (int64_t i = 0; i < each; i += GRAFT_BLOCK)
            __builtin_prefetch(w + WINO_READ_AHEAD * each + i, 0, 2);
        for (int64_t i = 0; i < sets; i++)
            for (int64_t o = 0; o < b->width; o += GRAFT_BLOCK)
                __builtin_prefetch(u + i * b->u_set + o +
                                       WINO_WRITE_AHEAD * b->width, 1, 2);
        wino_weights(a[0].family, a[1].family, (int)b->width, w, u, b->u_set);
    }
}

/* Sets of weights, u [set][from][count] reals, to dst [set][step]; `count` a
 * multiple of 16. Sets are a power of two apart, where lines would drive each
 * other out of the cache before they are complete: so whole lines at once.
 * far: they would fill the cache before they are read. */
static void wino_spread(const real *u, int64_t from, real *dst, int64_t step,
                        int64_t sets, int64_t count, bool far)
{
    if (!far || (uintptr_t)dst % CONV_VB || step % CONV_VL) {
        for (int64_t i = 0; i < sets; i++)
            memcpy(dst + i * step, u + i * from, (size_t)count * sizeof *dst);
        return;
    }
    for (int64_t i = 0; i < sets; i++)
        for (int64_t k = 0; k < count; k += CONV_VL)
            conv_stream(dst + i * step + k, conv_load(u + i * from + k));
    conv_stream_end();
}
