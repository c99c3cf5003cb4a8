/* Winograd, gradients of weights. With y = A ((G w) . (B d)) along an axis,
 *   dw = G' sum over tiles of (A' dy) . (B d)
 * B d is V (body_winograd_in.h); here are A' dy, laid out as V is, the sums of
 * products over tiles, and G' of the sums.
 * SPDX-License-Identifier: Apache-2.0 */

/* ---- A' along one axis: slots from outputs ------------------------------- */

CONV_INLINE void wino_back_2x3(const conv_vec *d, conv_vec *v)
{
    v[0] = d[0];
    v[1] = d[0] + d[1];
    v[2] = d[0] - d[1];
    v[3] = d[1];
}

/* points 0 1 -1 2 -2 of four outputs */
CONV_INLINE void wino_back_five(const conv_vec *d, conv_vec *v)
{
    conv_vec e = d[0] + d[2], o = d[1] + d[3];
    conv_vec e2 = d[0] + 4 * d[2], o2 = 2 * d[1] + 8 * d[3];
    v[0] = d[0];
    v[1] = e + o;
    v[2] = e - o;
    v[3] = e2 + o2;
    v[4] = e2 - o2;
}

CONV_INLINE void wino_back_4x3(const conv_vec *d, conv_vec *v)
{
    wino_back_five(d, v);
    v[5] = v[4];
    v[4] = d[3];
}

CONV_INLINE void wino_back_3x3of4(const conv_vec *d, conv_vec *v)
{
    conv_vec e = d[0] + d[2];
    v[0] = d[0];
    v[1] = e + d[1];
    v[2] = e - d[1];
    v[3] = d[0] + 2 * d[1] + 4 * d[2];
    v[4] = d[2];
}

CONV_INLINE void wino_back_5x3(const conv_vec *d, conv_vec *v)
{
    conv_vec e = d[0] + d[2] + d[4], o = d[1] + d[3];
    conv_vec e2 = d[0] + 4 * d[2] + 16 * d[4], o2 = 2 * d[1] + 8 * d[3];
    v[0] = d[0];
    v[1] = e + o;
    v[2] = e - o;
    v[3] = e2 + o2;
    v[4] = e2 - o2;
    v[5] = d[4];
    v[6] = d[0] + (real)0.5 * d[1] + (real)0.25 * d[2] +
           (real)0.125 * d[3] + (real)0.0625 * d[4];
}

CONV_INLINE void wino_back_4x3of5(const conv_vec *d, conv_vec *v)
{
    wino_back_five(d, v);
    v[5] = d[3];
}

CONV_INLINE void wino_back_6x3(const conv_vec *d, conv_vec *v)
{
    conv_vec e = d[0] + d[2] + d[4], o = d[1] + d[3] + d[5];
    conv_vec e2 = d[0] + 4 * d[2] + 16 * d[4];
    conv_vec o2 = 2 * d[1] + 8 * d[3] + 32 * d[5];
    conv_vec eh = d[0] + (real)0.25 * d[2] + (real)0.0625 * d[4];
    conv_vec oh = (real)0.5 * d[1] + (real)0.125 * d[3] +
                  (real)0.03125 * d[5];
    v[0] = d[0];
    v[1] = e + o;
    v[2] = e - o;
    v[3] = e2 + o2;
    v[4] = e2 - o2;
    v[5] = d[5];
    v[6] = eh + oh;
    v[7] = eh - oh;
}

CONV_INLINE void wino_back_4x3of6(const conv_vec *d, conv_vec *v)
{
    wino_back_4x3of5(d, v);
}

CONV_INLINE void wino_back_4by2(const conv_vec *d, conv_vec *v)
{
    conv_vec e = d[0] + d[2], o = d[1] + d[3];
    v[0] = d[0];
    v[1] = e + o;
    v[2] = e - o;
    v[3] = d[3];
    v[4] = d[0];
    v[5] = d[1];
    v[6] = d[2];
    v[7] = d[0] + 2 * d[1] + 4 * d[2] + 8 * d[3];
    v[8] = d[3];
}

CONV_INLINE void wino_back_3by2(const conv_vec *d, conv_vec *v)
{
    conv_vec e = d[0] + d[2];
    v[0] = d[0];
    v[1] = e + d[1];
    v[2] = e - d[1];
    v[3] = d[2];
    v[4] = d[0];
    v[5] = d[1];
    v[6] = d[2];
}

CONV_INLINE void wino_back_4x4(const conv_vec *d, conv_vec *v)
{
    wino_back_five(d, v);
    v[5] = d[3];
    v[6] = d[0] + (real)0.5 * d[1] + (real)0.25 * d[2] + (real)0.125 * d[3];
}

CONV_INLINE void wino_back_5x4(const conv_vec *d, conv_vec *v)
{
    conv_vec e = d[0] + d[2] + d[4], o = d[1] + d[3];
    conv_vec e2 = d[0] + 4 * d[2] + 16 * d[4], o2 = 2 * d[1] + 8 * d[3];
    conv_vec eh = d[0] + (real)0.25 * d[2] + (real)0.0625 * d[4];
    conv_vec oh = (real)0.5 * d[1] + (real)0.125 * d[3];
    v[0] = d[0];
    v[1] = e + o;
    v[2] = e - o;
    v[3] = e2 + o2;
    v[4] = e2 - o2;
    v[5] = d[4];
    v[6] = eh + oh;
    v[7] = eh - oh;
}

CONV_INLINE void wino_back_4x4of5(const conv_vec *d, conv_vec *v)
{
    wino_back_4x4(d, v);
}

/* ---- dy to D ------------------------------------------------------------- */

/* Rows of outputs, `rows` and `columns` of them inside the map, to lines of
 * slots of the column axis: t[row][slot][16]. */
struct wino_outputs {
    const real *dy;
    int64_t line;           /* of dy, reals from row to row */
    int64_t rows, columns;
    real *t;
};

CONV_INLINE void wino_back_rows(struct wino_outputs s, int outputs, int slots,
                                void (*line)(const conv_vec *, conv_vec *))
{
    for (; s.rows > 0; s.rows--, s.dy += s.line, s.t += WINO_HALF)
        CONV_UNROLL
        for (int part = 0; part < GRAFT_BLOCK; part += CONV_VL) {
            conv_vec from[WINO_SLOTS], to[WINO_SLOTS];
            CONV_UNROLL
            for (int k = 0; k < outputs; k++)
                from[k] = k < s.columns
                              ? conv_load(s.dy + k * GRAFT_BLOCK + part)
                              : (conv_vec){0};
            line(from, to);
            CONV_UNROLL
            for (int k = 0; k < slots; k++)
                conv_store(s.t + k * GRAFT_BLOCK + part, to[k]);
        }
}

#define WINO_TILE(name, outputs, inputs, slots)                             \
    static void wino_back_rows_##name(const struct wino_outputs *s)         \
    {                                                                       \
        wino_back_rows(*s, outputs, slots, wino_back_##name);               \
    }                                                                       \
    static void wino_back_columns_##name(const struct wino_lines *l)        \
    {                                                                       \
        struct wino_lines m = *l;                                           \
        m.src_step = WINO_HALF;                                             \
        m.src_line = GRAFT_BLOCK;                                           \
        wino_lines(m, outputs, slots, wino_back_##name);                    \
    }
GRAFT_WINOGRAD_TILE_LIST(WINO_TILE)
#undef WINO_TILE

#define WINO_TILE(name, outputs, inputs, slots)                             \
    {wino_back_rows_##name, wino_back_columns_##name},
static const struct wino_back {
    void (*rows)(const struct wino_outputs *);
    void (*columns)(const struct wino_lines *);
} wino_backs[] = {GRAFT_WINOGRAD_TILE_LIST(WINO_TILE)};
#undef WINO_TILE

/* Blocks first .. first + n - 1 of dy, one band. */
static void wino_dy(const struct graft_winograd_grad *d, int64_t band,
                    int64_t first, int64_t n)
{
    const struct graft_winograd_block *b = &d->block;
    const struct graft_winograd_axis *a = &b->plan.axis[1];
    const struct graft_conv *g = b->r->g;
    struct wino_band w = wino_band(b, band);
    int64_t slots = wino_slots(a), per = a->big + a->small;
    int64_t width = g->out[2], rows = wino_least(w.row.tile->outputs,
                                                 g->out[1] - w.row.out);
    int row_tile = (int)(w.row.tile - wino_tiles);
    real t[GRAFT_WINOGRAD_SLOTS * WINO_HALF]
        __attribute__((aligned(GRAFT_BLOCK * sizeof(real))));
    memset(t, 0, sizeof t);
    for (int64_t i = 0; i < n * per; i++) {
        int64_t block = first + i / per;
        struct wino_place p = wino_place(a, 0, i % per);
        int64_t tile = w.tile[p.small] + i % per - (p.small ? a->big : 0);
        struct wino_outputs across = {
            .dy = d->dy + w.image * d->dy_step +
                  ((block * g->out[1] + w.row.out) * width + p.out) *
                      GRAFT_BLOCK,
            .line = width * GRAFT_BLOCK, .rows = rows,
            .columns = wino_least(p.tile->outputs, width - p.out), .t = t};
        wino_backs[p.tile - wino_tiles].rows(&across);
        struct wino_lines down = {
            .src = t, .dst = d->d + (block - d->first) * d->d_block +
                           tile * GRAFT_BLOCK,
            .dst_step = slots * d->d_slot, .dst_line = d->d_slot,
            .lines = p.tile->slots};
        wino_backs[row_tile].columns(&down);
    }
}

/* ---- sums over tiles ----------------------------------------------------- */

enum { WINO_CHAIN = 64 }; /* tiles summed in one go, at most: the rounding
                             errors of a sum grow with its length */

/* Slots of input block `in` times those of a panel, added to
 * sum[set][number of x][width]. */
static void wino_outer(const struct graft_winograd_grad *d, int64_t panel,
                       int64_t in, real *sum)
{
    const struct graft_winograd_block *b = &d->block;
    const struct graft_winograd_axis *a = b->plan.axis;
    const struct graft_winograd_family *fr = a[0].family, *fc = a[1].family;
    int64_t columns = wino_slots(&a[1]), per = BLOCK_WIDTH / GRAFT_BLOCK;
    const real *v = b->v + (in - b->x_block) * b->v_block;
    const real *dy = d->d + (panel * per - d->first) * d->d_block;
    struct graft_block_outer o = {
        .images = 1, .rows = 1, .x_column = GRAFT_BLOCK,
        .dy_column = GRAFT_BLOCK, .dy_block = d->d_block,
        .numbers = wino_least(GRAFT_BLOCK, b->k - in * GRAFT_BLOCK),
        .blocks = wino_least(per, d->out_blocks - panel * per),
        .width = BLOCK_WIDTH};
    for (int64_t s = 0; s < wino_slots(&a[0]) * columns; s++) {
        int64_t first, end, i = s / columns, j = s % columns;
        wino_range(b, i, j, &first, &end);
        if (first >= end)
            continue;
        o.sum = sum + (fr->set[i] * (int64_t)fc->sets + fc->set[j]) *
                          GRAFT_BLOCK * BLOCK_WIDTH;
        int64_t chains = (end - first + WINO_CHAIN - 1) / WINO_CHAIN;
        for (int64_t c = 0; c < chains; c++) {
            int64_t at = first + (end - first) * c / chains;
            o.columns = first + (end - first) * (c + 1) / chains - at;
            o.x = v + s * b->v_slot + at * GRAFT_BLOCK;
            o.dy = dy + s * d->d_slot + at * GRAFT_BLOCK;
            block_outer(&o);
        }
    }
}

/* dw = G' sum G for one number of x: [taps of rows][of columns][width] from
 * [set of rows][of columns], `step` reals apart; summed in double. */
CONV_INLINE void wino_taps_of(int taps,
                              const struct graft_winograd_family *rows,
                              const struct graft_winograd_family *columns,
                              const real *sum, int64_t step, real *w)
{
    for (int o = 0; o < BLOCK_WIDTH; o += WINO_DOUBLES) {
        wino_double out[GRAFT_WINOGRAD_TAPS * GRAFT_WINOGRAD_TAPS];
        CONV_UNROLL
        for (int k = 0; k < taps * taps; k++)
            out[k] = (wino_double){0};
        const real *at = sum + o;
        for (int i = 0; i < rows->sets; i++) {
            wino_double t[GRAFT_WINOGRAD_TAPS];
            CONV_UNROLL
            for (int b = 0; b < taps; b++)
                t[b] = (wino_double){0};
            for (int j = 0; j < columns->sets; j++, at += step) {
                wino_double s = wino_widen(at);
                CONV_UNROLL
                for (int b = 0; b < taps; b++)
                    t[b] += columns->g[j][b] * s;
            }
            CONV_UNROLL
            for (int a = 0; a < taps; a++) {
                CONV_UNROLL
                for (int b = 0; b < taps; b++)
                    out[a * taps + b] += rows->g[i][a] * t[b];
            }
        }
        CONV_UNROLL
        for (int k = 0; k < taps * taps; k++)
            *(wino_narrow *)(w + k * BLOCK_WIDTH + o) =
                __builtin_convertvector(out[k], wino_narrow);
    }
}

static void wino_taps(const struct graft_winograd_family *rows,
                      const struct graft_winograd_family *columns,
                      const real *sum, int64_t step, real *w)
{
    if (rows->taps == 3)
        wino_taps_of(3, rows, columns, sum, step, w);
    else
        wino_taps_of(4, rows, columns, sum, step, w);
}
