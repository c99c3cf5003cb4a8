/* Kernels that look at a whole row: sums, softmax. Sums run in 16 lanes over
 * blocks of 4096 elements and add the blocks in double: a fixed order, and
 * errors that do not grow with the length.
 * SPDX-License-Identifier: Apache-2.0 */

enum { ROW_LANES = 16, SUM_BLOCK = 4096 };

static ALWAYS_INLINE double fold_lanes(real lane[ROW_LANES])
{
    for (int half = ROW_LANES / 2; half; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return (double)lane[0];
}

static double block_sum(int64_t n, const real *x)
{
    real lane[ROW_LANES] = {0};
    int64_t i = 0;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int j = 0; j < ROW_LANES; j++)
            lane[j] += x[i + j];
    for (int j = 0; i + j < n; j++)
        lane[j] += x[i + j];
    return fold_lanes(lane);
}

static double block_dot(int64_t n, const real *x, const real *y)
{
    real lane[ROW_LANES] = {0};
    int64_t i = 0;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int j = 0; j < ROW_LANES; j++)
            lane[j] += x[i + j] * y[i + j];
    for (int j = 0; i + j < n; j++)
        lane[j] += x[i + j] * y[i + j];
    return fold_lanes(lane);
}

static double row_sum(int64_t n, const real *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i += SUM_BLOCK)
        sum += block_sum(n - i < SUM_BLOCK ? n - i : SUM_BLOCK, x + i);
    return sum;
}

static double row_dot(int64_t n, const real *x, const real *y)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i += SUM_BLOCK)
        sum += block_dot(n - i < SUM_BLOCK ? n - i : SUM_BLOCK, x + i, y + i);
    return sum;
}

static real row_largest(int64_t n, const real *x)
{
    real lane[ROW_LANES], m;
    for (int j = 0; j < ROW_LANES; j++)
        lane[j] = -(real)INFINITY;
    int64_t i = 0;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int j = 0; j < ROW_LANES; j++)
            lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    for (int j = 0; i + j < n; j++)
        lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    m = lane[0];
    for (int j = 1; j < ROW_LANES; j++)
        m = lane[j] > m ? lane[j] : m;
    return m;
}

static void row_add(int64_t n, const real *x, real *y)
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void row_scale(int64_t n, real s, const real *x, real *y)
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = s * x[i];
}

static void row_axpy(int64_t n, real s, const real *x, real *y)
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] += s * x[i];
}

static void row_softmax(int64_t n, const real *x, real *y)
{
    const real m = row_largest(n, x);
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = exp_of(x[i] - m);
    row_scale(n, (real)(1 / row_sum(n, y)), y, y);
}

/* The sum needs exp(x - m) of every element, but no room for them. */
static void row_log_softmax(int64_t n, const real *x, real *y)
{
    const real m = row_largest(n, x);
    double sum = 0;
    for (int64_t i = 0; i < n; i += 256) {
        real e[256];
        int64_t len = n - i < 256 ? n - i : 256;
        for (int64_t j = 0; j < len; j++)
            e[j] = exp_of(x[i + j] - m);
        sum += block_sum(len, e);
    }
    const real log_sum = (real)log(sum);
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] - m - log_sum;
}

static void row_softmax_back(int64_t n, const real *y, const real *dy,
                             real *dx)
{
    const real d = (real)row_dot(n, y, dy);
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        dx[i] = y[i] * (dy[i] - d);
}

static void row_log_softmax_back(int64_t n, const real *y, const real *dy,
                                 real *dx)
{
    const real d = (real)row_sum(n, dy);
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] - exp_of(y[i]) * d;
}
