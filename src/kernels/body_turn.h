/* Bodies of transposition, compiled once for each instruction set. After
 * body_conv_vec.h.
 * SPDX-License-Identifier: Apache-2.0 */

/* The halves of two vectors, element by element in turn; of 16 elements. */
#define TURN_LOW_16(a, b)                                                   \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, \
                            6, 22, 7, 23)
#define TURN_HIGH_16(a, b)                                                  \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, \
                            29, 14, 30, 15, 31)

/* Of a vector of reals. */
#if defined(GRAFT_REAL_DOUBLE)
enum { TURN_SQUARES = 0 };
#define TURN_LOW(a, b) ((a) + (b)) /* never reached */
#define TURN_HIGH(a, b) ((a) + (b))
#elif defined(__AVX512F__)
enum { TURN_SQUARES = 1 };
#define TURN_LOW(a, b) TURN_LOW_16(a, b)
#define TURN_HIGH(a, b) TURN_HIGH_16(a, b)
#elif defined(__AVX2__)
enum { TURN_SQUARES = 1 };
#define TURN_LOW(a, b)                                                      \
    __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define TURN_HIGH(a, b)                                                     \
    __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
enum { TURN_SQUARES = 1 };
#define TURN_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define TURN_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* As many rows and columns as a vector has elements, `columns` of them to be
 * written. Each round deals the rows like two halves of a pack of cards: an
 * element's number, row and column in binary, turns by one bit, and after as
 * many rounds as a column's number has bits the two have changed places. */
CONV_INLINE void turn_square(real *dst, int64_t dst_step, const real *src,
                             int64_t src_step, int64_t columns)
{
    conv_vec v[CONV_VL], to[CONV_VL];
    CONV_UNROLL
    for (int i = 0; i < CONV_VL; i++)
        v[i] = conv_load(src + i * src_step);
    CONV_UNROLL
    for (int round = 1; round < CONV_VL; round *= 2) {
        CONV_UNROLL
        for (int i = 0; i < CONV_VL / 2; i++) {
            to[2 * i] = TURN_LOW(v[i], v[i + CONV_VL / 2]);
            to[2 * i + 1] = TURN_HIGH(v[i], v[i + CONV_VL / 2]);
        }
        CONV_UNROLL
        for (int i = 0; i < CONV_VL; i++)
            v[i] = to[i];
    }
    CONV_UNROLL
    for (int i = 0; i < CONV_VL; i++)
        if (i < columns)
            conv_store(dst + i * dst_step, v[i]);
}

static void turn(real *dst, int64_t dst_step, const real *src,
                 int64_t src_step, int64_t rows, int64_t columns)
{
    int64_t r = 0;
    for (; TURN_SQUARES && r + CONV_VL <= rows; r += CONV_VL)
        for (int64_t c = 0; c < columns; c += CONV_VL)
            turn_square(dst + c * dst_step + r, dst_step,
                        src + r * src_step + c, src_step, columns - c);
    for (; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            dst[c * dst_step + r] = src[r * src_step + c];
}
