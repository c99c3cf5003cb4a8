/* Outer products over blocked channels, for gradients of weights: numbers of
 * x, side by side, times 16 or 32 channels of dy, summed over pixels. After
 * body_block_tile.h, whose tiles these are, turned: the sums lie in registers
 * for a band of pixels and are then added to what was there.
 * SPDX-License-Identifier: Apache-2.0 */

#if defined(__AVX512F__)
enum { BLOCK_OUTER = 8 };
#elif defined(__AVX2__)
enum { BLOCK_OUTER = 6 };
#elif defined(__aarch64__)
enum { BLOCK_OUTER = 8 };
#else
enum { BLOCK_OUTER = 4 };
#endif

/* Numbers i.. of x, channels c.. of dy. */
CONV_INLINE void block_outer_sum(int rows, int nv,
                                 const struct graft_block_outer *o, int64_t i,
                                 int64_t c)
{
    conv_vec acc[BLOCK_OUTER][2];
    int64_t second = block_at(c + CONV_VL, o->dy_block) -
                     block_at(c, o->dy_block);
    CONV_UNROLL
    for (int r = 0; r < rows; r++) {
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            acc[r][j] = (conv_vec){0};
    }
    for (int64_t n = 0; n < o->images; n++)
        for (int64_t h = 0; h < o->rows; h++) {
            const real *x = o->x + n * o->x_image + h * o->x_row + i;
            const real *dy = o->dy + n * o->dy_image + h * o->dy_row +
                             block_at(c, o->dy_block);
            for (int64_t w = o->columns; w > 0; w--) {
                conv_vec v[2];
                __builtin_prefetch(x + o->x_ahead, 0, 2);
                __builtin_prefetch(dy + o->dy_ahead, 0, 2);
                __builtin_prefetch(dy + o->dy_ahead + second, 0, 2);
                CONV_UNROLL
                for (int j = 0; j < 2; j++)
                    if (j < nv)
                        v[j] = conv_load(dy + j * second);
                CONV_UNROLL
                for (int r = 0; r < rows; r++) {
                    CONV_UNROLL
                    for (int j = 0; j < nv; j++)
                        acc[r][j] += v[j] * x[r];
                }
                x += o->x_column;
                dy += o->dy_column;
            }
        }
    CONV_UNROLL
    for (int r = 0; r < rows; r++) {
        CONV_UNROLL
        for (int j = 0; j < nv; j++) {
            real *to = o->sum + (i + r) * o->width + c + j * CONV_VL;
            conv_store(to, conv_load(to) + acc[r][j]);
        }
    }
}

#define BLOCK_OUTERS(rows)                                                  \
    static void block_outer_##rows(const struct graft_block_outer *o,       \
                                   int64_t i, int64_t c)                    \
    {                                                                       \
        block_outer_sum(rows, 2, o, i, c);                                  \
    }                                                                       \
    static void block_outer_half_##rows(const struct graft_block_outer *o,  \
                                        int64_t i, int64_t c)               \
    {                                                                       \
        block_outer_sum(rows, 1, o, i, c);                                  \
    }
BLOCK_OUTERS(1)
BLOCK_OUTERS(2)
BLOCK_OUTERS(3)
BLOCK_OUTERS(4)
#if defined(__AVX2__) || defined(__aarch64__)
BLOCK_OUTERS(5)
BLOCK_OUTERS(6)
#endif
#if defined(__AVX512F__) || defined(__aarch64__)
BLOCK_OUTERS(7)
BLOCK_OUTERS(8)
#endif

typedef void block_outer_fn(const struct graft_block_outer *, int64_t i,
                            int64_t c);
#if defined(__AVX512F__) || defined(__aarch64__)
#define BLOCK_OUTER_ROW(name)                                               \
    {NULL, name##1, name##2, name##3, name##4, name##5, name##6, name##7,   \
     name##8}
#elif defined(__AVX2__)
#define BLOCK_OUTER_ROW(name)                                               \
    {NULL, name##1, name##2, name##3, name##4, name##5, name##6}
#else
#define BLOCK_OUTER_ROW(name) {NULL, name##1, name##2, name##3, name##4}
#endif
static block_outer_fn *const block_outer_fns[2][BLOCK_OUTER + 1] = {
    BLOCK_OUTER_ROW(block_outer_half_), BLOCK_OUTER_ROW(block_outer_)};

static void block_outer(const struct graft_block_outer *o)
{
    int64_t shares = (o->numbers + BLOCK_OUTER - 1) / BLOCK_OUTER;
    for (int64_t q = 0; q < shares; q++) {
        int64_t i = o->numbers * q / shares;
        int64_t rows = o->numbers * (q + 1) / shares - i;
        for (int64_t c = 0; c < o->blocks * GRAFT_BLOCK; c += BLOCK_TILE) {
            bool whole = o->blocks * GRAFT_BLOCK - c >= BLOCK_TILE;
            block_outer_fns[whole][rows](o, i, c);
        }
    }
}

/* ---- depthwise ----------------------------------------------------------- */

/* Kernel elements a .. a + taps - 1 of a kernel row, all inside for these
 * columns; several columns at once, because a sum is one chain. */
CONV_INLINE void block_outer_taps(int taps, const struct graft_block_outer *o,
                                  int64_t lane)
{
    enum { COLUMNS = 4 };
    conv_vec acc[COLUMNS][5];
    CONV_UNROLL
    for (int k = 0; k < COLUMNS; k++) {
        CONV_UNROLL
        for (int t = 0; t < taps; t++)
            acc[k][t] = (conv_vec){0};
    }
    for (int64_t n = 0; n < o->images; n++)
        for (int64_t h = 0; h < o->rows; h++) {
            const real *x = o->x + n * o->x_image + h * o->x_row + lane;
            const real *dy = o->dy + n * o->dy_image + h * o->dy_row + lane;
            int64_t w = 0;
            for (; w + COLUMNS <= o->columns; w += COLUMNS) {
                CONV_UNROLL
                for (int k = 0; k < COLUMNS; k++) {
                    conv_vec v = conv_load(dy + (w + k) * GRAFT_BLOCK);
                    CONV_UNROLL
                    for (int t = 0; t < taps; t++)
                        acc[k][t] += v * conv_load(x + (w + k) * o->x_column +
                                                   t * o->x_tap);
                }
            }
            for (; w < o->columns; w++) {
                conv_vec v = conv_load(dy + w * GRAFT_BLOCK);
                CONV_UNROLL
                for (int t = 0; t < taps; t++)
                    acc[0][t] += v * conv_load(x + w * o->x_column +
                                               t * o->x_tap);
            }
        }
    CONV_UNROLL
    for (int t = 0; t < taps; t++) {
        real *to = o->sum + t * GRAFT_BLOCK + lane;
        conv_vec all = (acc[0][t] + acc[1][t]) + (acc[2][t] + acc[3][t]);
        conv_store(to, conv_load(to) + all);
    }
}

/* o->numbers elements of a kernel row: sum[element][16]. */
static void block_outer_depthwise(const struct graft_block_outer *o)
{
    struct graft_block_outer part = *o;
    for (int64_t lane = 0; lane < GRAFT_BLOCK; lane += CONV_VL)
        for (int64_t t = 0; t < o->numbers;) {
            int64_t left = o->numbers - t;
            part.x = o->x + t * o->x_tap;
            part.sum = o->sum + t * GRAFT_BLOCK;
            if (left >= 5)
                block_outer_taps(5, &part, lane);
            else if (left >= 3)
                block_outer_taps(3, &part, lane);
            else
                block_outer_taps(1, &part, lane);
            t += left >= 5 ? 5 : left >= 3 ? 3 : 1;
        }
}
