/* Strips of a depthwise convolution over blocked channels: up to eight columns
 * of an output row, in as many accumulators. Squares of 3 and 5 at stride 1
 * and 2 slide: a kernel row's weights are in registers, and what is loaded
 * once meets all of them. Others go tap by tap.
 *
 * Summed by kernel row, then column, in every strip.
 * SPDX-License-Identifier: Apache-2.0 */

enum {
    BLOCK_COLUMNS = 8,
    BLOCK_SLIDE = 5,
    BLOCK_L1 = 6 * 1024 / (int)sizeof(real), /* reals of input lines */
    BLOCK_NINE = CONV_VB == 64 /* registers for nine weights and eight sums */
};

#ifdef __clang__
#define BLOCK_UNROLL _Pragma("clang loop unroll(full)")
#else
#define BLOCK_UNROLL _Pragma("GCC unroll 32")
#endif

/* Keeps a vector in a register that the compiler would load anew for each
 * use. */
#if defined(__AVX512F__)
#define BLOCK_HOLD(v) __asm__("" : "+v"(v))
#elif defined(__x86_64__) && !defined(GRAFT_REAL_DOUBLE)
#define BLOCK_HOLD(v) __asm__("" : "+x"(v))
#else
#define BLOCK_HOLD(v) (void)(v)
#endif

/* `strips` strips side by side in each of `lines` output rows. */
struct block_strip {
    const real *x;         /* row of input under the first kernel row inside */
    int64_t x_line, x_row; /* from output row, from kernel row to the next */
    int64_t x_tap, x_step; /* from kernel column, output column to the next */
    int64_t at, in;        /* column under kernel column 0; columns of x */
    int64_t rows, lo, hi;  /* kernel rows inside; columns: of the input
                              below a strip, of the kernel in block_taps */
    const real *w;         /* [kernel row][kernel column][16] */
    int64_t w_row;
    const real *bias;      /* [16], NULL: none */
    real *y;
    const real *residual;  /* NULL: none */
    int64_t y_line, lines, strips;
    const struct graft_act *act;
    int64_t lanes;
};

static void block_strip_after(real *y, int n, const struct graft_act *act,
                              int64_t lanes, int64_t c)
{
    const struct graft_finish f = {.act = *act};
    bool late = act->kind > GRAFT_ACT_CLIP;
    if (late && (int)CONV_VL == (int)GRAFT_BLOCK)
        block_act_run(y, n, act);
    for (int t = 0; t < n && late && (int)CONV_VL < (int)GRAFT_BLOCK;
         t++)
        conv_store(y + t * GRAFT_BLOCK,
                   conv_act(conv_load(y + t * GRAFT_BLOCK), &f));
    for (int t = 0; t < n && lanes < GRAFT_BLOCK; t++)
        block_cut(y + t * GRAFT_BLOCK, lanes, c);
}

/* n columns at `at` reals behind y, of the lanes from c on. */
CONV_INLINE void block_strip_store(conv_vec acc[BLOCK_COLUMNS], int n,
                                   const struct block_strip *s, int64_t at,
                                   int64_t c)
{
    bool clip = s->act->kind == GRAFT_ACT_CLIP;
    real *y = s->y + at + c;
    if (s->residual) {
        BLOCK_UNROLL
        for (int t = 0; t < n; t++)
            acc[t] += conv_load(s->residual + at + c + t * GRAFT_BLOCK);
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
        conv_store(y + t * GRAFT_BLOCK, acc[t]);
    if (block_has_after(s->act, s->lanes))
        block_strip_after(y, n, s->act, s->lanes, c);
}

CONV_INLINE void block_strip_begin(conv_vec acc[BLOCK_COLUMNS], int n,
                                   const struct block_strip *s, int64_t c)
{
    conv_vec start = s->bias ? conv_load(s->bias + c) : (conv_vec){0};
    BLOCK_UNROLL
    for (int t = 0; t < n; t++)
        acc[t] = start;
}

/* What of a strip lies outside the input: k / 2 columns at one end or both,
 * or those below p->lo and from p->hi on, at most k - 1 at either end. */
enum block_edge { BLOCK_INNER, BLOCK_LEFT, BLOCK_RIGHT, BLOCK_BOTH, BLOCK_ANY };

CONV_INLINE bool block_outside(int k, int columns, enum block_edge edge,
                               const struct block_strip *p, int j)
{
    if (edge == BLOCK_ANY)
        return (j < k - 1 && j < p->lo) || (j > columns - k && j >= p->hi);
    return ((edge & BLOCK_LEFT) && j < k / 2) ||
           ((edge & BLOCK_RIGHT) && j >= columns - k / 2);
}

/* One kernel row, w, of n output columns of a kernel of k x k, stride s; x at
 * `from` is column 0. */
CONV_INLINE void block_slide_sum(conv_vec acc[BLOCK_COLUMNS], int k, int s,
                                 int n, enum block_edge edge,
                                 const struct block_strip *p,
                                 const conv_vec w[BLOCK_SLIDE], int64_t from)
{
    int columns = (n - 1) * s + k;
    BLOCK_UNROLL
    for (int j = 0; j < columns; j++) {
        if (block_outside(k, columns, edge, p, j))
            continue;
        conv_vec v = conv_load(p->x + (from + j * GRAFT_BLOCK));
        BLOCK_HOLD(v);
        BLOCK_UNROLL
        for (int i = 0; i < k; i++)
            if (j >= i && (j - i) % s == 0 && (j - i) / s < n)
                acc[(j - i) / s] += v * w[i];
    }
}

/* Strip `strip` of line `line`, lanes c.. */
CONV_INLINE void block_slide(int k, int s, int n, enum block_edge edge,
                             const struct block_strip *p, int64_t line,
                             int64_t strip, int64_t c)
{
    conv_vec acc[BLOCK_COLUMNS], w[BLOCK_SLIDE];
    const real *weights = p->w + c;
    int64_t from = line * p->x_line + (p->at + strip * n * s) * GRAFT_BLOCK;
    block_strip_begin(acc, n, p, c);
    for (int64_t row = 0; row < p->rows; row++, weights += p->w_row) {
        BLOCK_UNROLL
        for (int l = 0; l < k; l++)
            w[l] = conv_load(weights + l * GRAFT_BLOCK);
        block_slide_sum(acc, k, s, n, edge, p, w, from + row * p->x_row + c);
    }
    block_strip_store(acc, n, p, line * p->y_line + strip * n * GRAFT_BLOCK,
                      c);
}

/* The same for three kernel rows: their weights are in registers. */
CONV_INLINE void block_slide_three(int s, int n, enum block_edge edge,
                                   conv_vec w[3][BLOCK_SLIDE],
                                   const struct block_strip *p, int64_t line,
                                   int64_t strip, int64_t c)
{
    conv_vec acc[BLOCK_COLUMNS];
    int64_t from = line * p->x_line + (p->at + strip * n * s) * GRAFT_BLOCK;
    block_strip_begin(acc, n, p, c);
    BLOCK_UNROLL
    for (int row = 0; row < 3; row++)
        block_slide_sum(acc, 3, s, n, edge, p, w[row],
                        from + row * p->x_row + c);
    block_strip_store(acc, n, p, line * p->y_line + strip * n * GRAFT_BLOCK,
                      c);
}

CONV_INLINE void block_slides_of(int k, int s, int n, enum block_edge edge,
                                 const struct block_strip *p)
{
    for (int64_t c = 0; c < GRAFT_BLOCK; c += CONV_VL) {
        if (BLOCK_NINE && k == 3 && p->rows == 3) {
            conv_vec w[3][BLOCK_SLIDE];
            BLOCK_UNROLL
            for (int i = 0; i < 9; i++)
                w[i / 3][i % 3] = conv_load(p->w + c + i * GRAFT_BLOCK);
            for (int64_t line = 0; line < p->lines; line++)
                for (int64_t i = 0; i < p->strips; i++)
                    block_slide_three(s, n, edge, w, p, line, i, c);
            continue;
        }
        for (int64_t line = 0; line < p->lines; line++)
            for (int64_t i = 0; i < p->strips; i++)
                block_slide(k, s, n, edge, p, line, i, c);
    }
}

/* n output columns, kernel columns lo .. hi-1. */
CONV_INLINE void block_taps(int n, const struct block_strip *p, int64_t line,
                            int64_t c)
{
    conv_vec acc[BLOCK_COLUMNS];
    const real *row = p->x + line * p->x_line + c, *weights = p->w + c;
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
    block_strip_store(acc, n, p, line * p->y_line, c);
}

typedef void block_strip_fn(const struct block_strip *p);
#define BLOCK_TAPS(n)                                                       \
    static void block_taps_##n(const struct block_strip *p)                 \
    {                                                                       \
        for (int64_t line = 0; line < p->lines; line++)                     \
            for (int64_t c = 0; c < GRAFT_BLOCK; c += CONV_VL)              \
                block_taps(n, p, line, c);                                  \
    }
#define BLOCK_SLIDER(k, s, edge, n)                                         \
    static void block_slide_##k##_##s##_##edge##_##n(                       \
        const struct block_strip *p)                                        \
    {                                                                       \
        block_slides_of(k, s, n, BLOCK_##edge, p);                          \
    }
#define BLOCK_SLIDERS(k, s)                                                 \
    BLOCK_SLIDER(k, s, ANY, 1)                                              \
    BLOCK_SLIDER(k, s, ANY, 2)                                              \
    BLOCK_SLIDER(k, s, ANY, 3)                                              \
    BLOCK_SLIDER(k, s, ANY, 4)                                              \
    BLOCK_SLIDER(k, s, ANY, 5)                                              \
    BLOCK_SLIDER(k, s, ANY, 6)                                              \
    BLOCK_SLIDER(k, s, ANY, 7)                                              \
    BLOCK_SLIDER(k, s, ANY, 8)                                              \
    BLOCK_SLIDER(k, s, INNER, 7)                                            \
    BLOCK_SLIDER(k, s, INNER, 8)                                            \
    BLOCK_SLIDER(k, s, LEFT, 7)                                             \
    BLOCK_SLIDER(k, s, LEFT, 8)                                             \
    BLOCK_SLIDER(k, s, RIGHT, 7)                                            \
    BLOCK_SLIDER(k, s, RIGHT, 8)                                            \
    BLOCK_SLIDER(k, s, BOTH, 7)                                             \
    BLOCK_SLIDER(k, s, BOTH, 8)
BLOCK_TAPS(1)
BLOCK_TAPS(2)
BLOCK_TAPS(3)
BLOCK_TAPS(4)
BLOCK_TAPS(5)
BLOCK_TAPS(6)
BLOCK_TAPS(7)
BLOCK_TAPS(8)
BLOCK_SLIDERS(3, 1)
BLOCK_SLIDERS(3, 2)
BLOCK_SLIDERS(5, 1)
BLOCK_SLIDERS(5, 2)

#define BLOCK_EIGHT(name)                                                   \
    {NULL, name##1, name##2, name##3, name##4, name##5, name##6, name##7,   \
     name##8}
static block_strip_fn *const block_taps_fns[BLOCK_COLUMNS + 1] =
    BLOCK_EIGHT(block_taps_);
struct block_slides {
    block_strip_fn *any[BLOCK_COLUMNS + 1]; /* columns */
    block_strip_fn *same[4][2];             /* enum block_edge; 7, 8 columns */
};
#define BLOCK_SLIDES(name)                                                  \
    {BLOCK_EIGHT(name##_ANY_), {{name##_INNER_7, name##_INNER_8},           \
                                {name##_LEFT_7, name##_LEFT_8},             \
                                {name##_RIGHT_7, name##_RIGHT_8},           \
                                {name##_BOTH_7, name##_BOTH_8}}}
static const struct block_slides block_slides[2][2] = { /* kernel, stride */
    {BLOCK_SLIDES(block_slide_3_1), BLOCK_SLIDES(block_slide_3_2)},
    {BLOCK_SLIDES(block_slide_5_1), BLOCK_SLIDES(block_slide_5_2)}};
