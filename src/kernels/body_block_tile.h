/* The micro-kernel of blocked channels: rows (pixels, tiles or images, any
 * step apart) times 16 or 32 output channels, over a list of pieces of k.
 * Each accumulator is one chain of multiply-adds that begins with the bias
 * and follows the list, so a result does not depend on which rows and
 * channels share a tile. Accumulators live in registers: their array has
 * fixed bounds and every loop over it is unrolled. (A loop of one turn is
 * none to clang when it unrolls, and its index then no constant: those over
 * vectors alone have two turns and a test.)
 *
 * Others need block_tile(t) alone (body_block_chain.h).
 * SPDX-License-Identifier: Apache-2.0 */

/* Rows of a tile at most, times two vectors: what the registers hold beside
 * two of weights and one broadcast. */
#if defined(__AVX512F__)
enum { BLOCK_ROWS = 14 };
#elif defined(__AVX2__)
enum { BLOCK_ROWS = 6 };
#elif defined(__aarch64__)
enum { BLOCK_ROWS = 12 };
#else
enum { BLOCK_ROWS = 5 };
#endif
enum {
    BLOCK_TILE = 2 * CONV_VL, /* channels of a tile */
    BLOCK_WIDTH = BLOCK_TILE > GRAFT_BLOCK ? BLOCK_TILE : GRAFT_BLOCK
};

/* max(lo, v), min(hi, v); NaN in v stays. */
#if defined(GRAFT_REAL_DOUBLE) || !defined(__x86_64__)
CONV_INLINE conv_vec block_max(conv_vec lo, conv_vec v)
{
    return conv_select(v < lo, lo, v);
}
CONV_INLINE conv_vec block_min(conv_vec hi, conv_vec v)
{
    return conv_select(v > hi, hi, v);
}
#else
#include <immintrin.h>
#if defined(__AVX512F__)
#define BLOCK_LIMIT(name) _mm512_##name##_ps
#elif defined(__AVX2__)
#define BLOCK_LIMIT(name) _mm256_##name##_ps
#else
#define BLOCK_LIMIT(name) _mm_##name##_ps
#endif
/* These instructions return the second operand when one is NaN. */
CONV_INLINE conv_vec block_max(conv_vec lo, conv_vec v)
{
    return BLOCK_LIMIT(max)(lo, v);
}
CONV_INLINE conv_vec block_min(conv_vec hi, conv_vec v)
{
    return BLOCK_LIMIT(min)(hi, v);
}
#undef BLOCK_LIMIT
#endif

/* Lanes of a block that are kept: 16 ones, then zeros. */
static const conv_bits block_keep[2 * GRAFT_BLOCK] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

typedef conv_bits conv_mask_at
    __attribute__((vector_size(CONV_VB), aligned(sizeof(real)), may_alias));

/* The mask of lanes at.. of a block whose first `lanes` count. */
CONV_INLINE conv_mask block_mask(int64_t lanes, int64_t at)
{
    return *(const conv_mask_at *)(block_keep + GRAFT_BLOCK - lanes + at);
}

/* Where channel c of a panel lies in a row of output. */
CONV_INLINE int64_t block_at(int64_t c, int64_t y_block)
{
    return c / GRAFT_BLOCK * y_block + c % GRAFT_BLOCK;
}

CONV_INLINE void block_tile_limits(conv_vec acc[BLOCK_ROWS][2], int rows,
                                   int nv, const struct graft_act *act)
{
    bool clip = act->kind == GRAFT_ACT_CLIP;
    conv_vec lo = conv_splat(clip ? act->a : 0);
    CONV_UNROLL
    for (int i = 0; i < rows; i++) {
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            acc[i][j] = block_max(lo, acc[i][j]);
    }
    if (!clip)
        return;
    conv_vec hi = conv_splat(act->b);
    CONV_UNROLL
    for (int i = 0; i < rows; i++) {
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            acc[i][j] = block_min(hi, acc[i][j]);
    }
}

/* Channels c.. of the panel. */
CONV_INLINE void block_tile_store(conv_vec acc[BLOCK_ROWS][2], int rows,
                                  int nv, const struct graft_block_tile *t,
                                  int64_t c)
{
    int64_t at[2] = {block_at(c, t->y_block),
                     block_at(c + CONV_VL, t->y_block)};
    if (t->residual) {
        CONV_UNROLL
        for (int i = 0; i < rows; i++) {
            CONV_UNROLL
            for (int j = 0; j < nv; j++)
                acc[i][j] += conv_load(t->residual + at[j] +
                                       i * t->residual_step);
        }
    }
    if (t->act && t->act->kind && t->act->kind <= GRAFT_ACT_CLIP)
        block_tile_limits(acc, rows, nv, t->act);
    CONV_UNROLL
    for (int i = 0; i < rows; i++) {
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            conv_store(t->y + at[j] + i * t->y_step, acc[i][j]);
    }
}

/* Rows lie in groups of three around a pointer: the steps between them then
 * fit the addresses that x86 has, and few registers hold them all. */
enum {
    BLOCK_TRIPLES = (BLOCK_ROWS + 2) / 3,
    BLOCK_LINE = 64 / sizeof(real) /* of cache */
};

/* What the store will touch comes from memory while the sum is made. */
CONV_INLINE void block_tile_fetch(int rows, int nv,
                                  const struct graft_block_tile *t, int64_t c)
{
    CONV_UNROLL
    for (int j = 0; j < nv; j++) {
        int64_t at = block_at(c + j * CONV_VL, t->y_block);
        CONV_UNROLL
        for (int i = 0; i < rows; i++)
            __builtin_prefetch(t->residual + at + i * t->residual_step);
    }
}

CONV_INLINE void block_tile_sum(int rows, int nv,
                                const struct graft_block_tile *t, int64_t c)
{
    conv_vec acc[BLOCK_ROWS][2], start[2];
    int64_t step = t->x_step, width = t->width;
    if (t->residual)
        block_tile_fetch(rows, nv, t, c);
    CONV_UNROLL
    for (int j = 0; j < 2; j++)
        start[j] = t->bias && j < nv ? conv_load(t->bias + c + j * CONV_VL)
                                     : (conv_vec){0};
    CONV_UNROLL
    for (int i = 0; i < rows; i++) {
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            acc[i][j] = start[j];
    }
    for (int64_t s = 0; s < t->pieces; s++) {
        const struct graft_block_piece *piece = t->piece + s;
        const real *w = t->w + piece->w + c, *x[BLOCK_TRIPLES];
        CONV_UNROLL
        for (int i = 0; i < rows; i += 3)
            x[i / 3] = t->x + piece->x + i * step;
        int64_t lines = t->ahead ? piece->n < step ? piece->n : step : 0;
        for (int64_t at = t->ahead; lines > 0; lines -= BLOCK_LINE) {
            CONV_UNROLL
            for (int i = 0; i < rows; i++)
                __builtin_prefetch(x[i / 3] + i % 3 * step + at);
            at += BLOCK_LINE;
        }
        if (t->next < t->stop) {
            CONV_UNROLL
            for (int i = 0; i < GRAFT_BLOCK_FETCH; i += BLOCK_LINE)
                __builtin_prefetch(t->next + s * GRAFT_BLOCK_FETCH + i, 0, 2);
        }
        for (int64_t l = piece->n; l > 0; l--, w += width) {
            conv_vec v[2];
            CONV_UNROLL
            for (int j = 0; j < 2; j++)
                if (j < nv)
                    v[j] = conv_load(w + j * CONV_VL);
            CONV_UNROLL
            for (int i = 0; i < rows; i++) {
                real b = x[i / 3][i % 3 * step];
                CONV_UNROLL
                for (int j = 0; j < nv; j++)
                    acc[i][j] += v[j] * b;
            }
            CONV_UNROLL
            for (int i = 0; i < rows; i += 3)
                x[i / 3]++;
        }
    }
    block_tile_store(acc, rows, nv, t, c);
}

#define BLOCK_TILES(rows)                                                   \
    static void block_tile_##rows(const struct graft_block_tile *t,         \
                                  int64_t c)                                \
    {                                                                       \
        block_tile_sum(rows, 2, t, c);                                      \
    }                                                                       \
    BLOCK_HALF_TILES(rows)
/* A panel of 16 where a tile has 32: its last channels are one vector. */
#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
#define BLOCK_HALF_TILES(rows)                                              \
    static void block_half_##rows(const struct graft_block_tile *t,         \
                                  int64_t c)                                \
    {                                                                       \
        block_tile_sum(rows, 1, t, c);                                      \
    }
#else
#define BLOCK_HALF_TILES(rows)
#endif
BLOCK_TILES(1)
BLOCK_TILES(2)
BLOCK_TILES(3)
BLOCK_TILES(4)
BLOCK_TILES(5)
#if defined(__AVX2__) || defined(__aarch64__)
BLOCK_TILES(6)
#endif
#if defined(__AVX512F__) || defined(__aarch64__)
BLOCK_TILES(7)
BLOCK_TILES(8)
BLOCK_TILES(9)
BLOCK_TILES(10)
BLOCK_TILES(11)
BLOCK_TILES(12)
#endif
#if defined(__AVX512F__)
BLOCK_TILES(13)
BLOCK_TILES(14)
#endif

typedef void block_tile_fn(const struct graft_block_tile *, int64_t c);
#if defined(__AVX512F__)
#define BLOCK_TILE_ROW(name)                                                \
    {NULL, name##1, name##2, name##3, name##4, name##5, name##6, name##7,   \
     name##8, name##9, name##10, name##11, name##12, name##13, name##14}
#elif defined(__aarch64__)
#define BLOCK_TILE_ROW(name)                                                \
    {NULL, name##1, name##2, name##3, name##4, name##5, name##6, name##7,   \
     name##8, name##9, name##10, name##11, name##12}
#elif defined(__AVX2__)
#define BLOCK_TILE_ROW(name)                                                \
    {NULL, name##1, name##2, name##3, name##4, name##5, name##6}
#else
#define BLOCK_TILE_ROW(name)                                                \
    {NULL, name##1, name##2, name##3, name##4, name##5}
#endif
static block_tile_fn *const block_tile_fns[2][BLOCK_ROWS + 1] = {
#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
    BLOCK_TILE_ROW(block_half_),
#else
    {NULL},
#endif
    BLOCK_TILE_ROW(block_tile_)};

/* What does not fit the unrolled stores follows them: other activations, and
 * lanes beyond the last channel. */

/* y: channels at.. of a block that ends after `lanes`. */
CONV_INLINE void block_cut(real *y, int64_t lanes, int64_t at)
{
    conv_store(y, (conv_vec)((conv_mask)conv_load(y) &
                             block_mask(lanes, at)));
}

CONV_INLINE bool block_has_after(const struct graft_act *act, int64_t lanes)
{
    return act && (act->kind > GRAFT_ACT_CLIP || lanes < GRAFT_BLOCK);
}

/* The activation of f over n reals, several vectors at a time: each is one
 * long chain of operations. */
CONV_INLINE void block_act_each(real *y, int64_t n,
                                const struct graft_finish *f)
{
    enum { SOME = 4 };
    int64_t i = 0;
    for (; i + SOME * CONV_VL <= n; i += SOME * CONV_VL) {
        conv_vec v[SOME];
        CONV_UNROLL
        for (int k = 0; k < SOME; k++)
            v[k] = conv_act(conv_load(y + i + k * CONV_VL), f);
        CONV_UNROLL
        for (int k = 0; k < SOME; k++)
            conv_store(y + i + k * CONV_VL, v[k]);
    }
    for (; i < n; i += CONV_VL)
        conv_store(y + i, conv_act(conv_load(y + i), f));
}

/* n whole blocks of 16; the kind is known where the loop is compiled. */
static void block_act_run(real *y, int64_t n, const struct graft_act *act)
{
    struct graft_finish f = {.act = *act};
#define BLOCK_ACT(which)                                                    \
    if (act->kind == which) {                                               \
        f.act.kind = which;                                                 \
        block_act_each(y, n * GRAFT_BLOCK, &f);                             \
    }
    BLOCK_ACT(GRAFT_ACT_SIGMOID)
    BLOCK_ACT(GRAFT_ACT_HARDSIGMOID)
    BLOCK_ACT(GRAFT_ACT_HARDSWISH)
    BLOCK_ACT(GRAFT_ACT_SWISH)
#undef BLOCK_ACT
}

static void block_tile_after(const struct graft_block_tile *t)
{
    bool late = t->act->kind > GRAFT_ACT_CLIP;
    bool dense = t->y_step == GRAFT_BLOCK;
    for (int64_t b = 0; b < t->blocks && late; b++)
        for (int64_t i = 0; i < (dense ? 1 : t->rows); i++)
            block_act_run(t->y + b * t->y_block + i * t->y_step,
                          dense ? t->rows : 1, t->act);
    real *last = t->y + (t->blocks - 1) * t->y_block;
    for (int64_t i = 0; i < t->rows && t->lanes < GRAFT_BLOCK; i++)
        for (int64_t c = 0; c < GRAFT_BLOCK; c += CONV_VL)
            block_cut(last + i * t->y_step + c, t->lanes, c);
}
