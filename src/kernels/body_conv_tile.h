/* The micro-kernel: MR rows x NV vectors of accumulators over k; and the
 * product with a packed matrix. Each accumulator is one chain of
 * multiply-adds that begins with what C holds, so a result does not depend on
 * where k, m or n were cut.
 * SPDX-License-Identifier: Apache-2.0 */

/* Where a tile goes and what is done when the last k is in. */
struct conv_tile {
    real *c;
    int64_t ldc;
    bool first, last;
    const real *row_bias;  /* [MR], NULL: none */
    const real *col_bias;  /* [NR], NULL: none */
    const real *residual;  /* NULL: none */
    int64_t ldr;
    const struct graft_finish *f;
};

CONV_INLINE void conv_tile_store(conv_vec acc[CONV_MR][CONV_NV], int nv,
                                 const struct conv_tile *t)
{
    if (!t->last || (!t->row_bias && !t->col_bias && !t->residual &&
                     t->f->act.kind == GRAFT_ACT_NONE)) {
        CONV_UNROLL
        for (int i = 0; i < CONV_MR; i++) {
            CONV_UNROLL
            for (int j = 0; j < nv; j++)
                conv_store(t->c + i * t->ldc + j * CONV_VL, acc[i][j]);
        }
        return;
    }
    CONV_UNROLL
    for (int i = 0; i < CONV_MR; i++) {
        real bias = t->row_bias ? t->row_bias[i] : 0;
        CONV_UNROLL
        for (int j = 0; j < nv; j++) {
            conv_vec v = acc[i][j] + bias;
            if (t->col_bias)
                v += conv_load(t->col_bias + j * CONV_VL);
            if (t->residual)
                v += conv_load(t->residual + i * t->ldr + j * CONV_VL);
            conv_store(t->c + i * t->ldc + j * CONV_VL, v);
        }
    }
    if (t->f->act.kind == GRAFT_ACT_NONE)
        return;
    for (int i = 0; i < CONV_MR; i++) {
        real *c = t->c + i * t->ldc;
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            conv_store(c + j * CONV_VL,
                       conv_act(conv_load(c + j * CONV_VL), t->f));
    }
}

CONV_INLINE void conv_tile_begin(conv_vec acc[CONV_MR][CONV_NV], int nv,
                                 const struct conv_tile *t)
{
    CONV_UNROLL
    for (int i = 0; i < CONV_MR; i++) {
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            acc[i][j] = (conv_vec){0};
    }
    if (t->first)
        return;
    CONV_UNROLL
    for (int i = 0; i < CONV_MR; i++) {
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            acc[i][j] = conv_load(t->c + i * t->ldc + j * CONV_VL);
    }
}

/* a: [k][MR]; b: [k][NR] */
CONV_INLINE void conv_tile_panel(int nv, int64_t k, const real *a,
                                 const real *b, const struct conv_tile *t)
{
    conv_vec acc[CONV_MR][CONV_NV];
    conv_tile_begin(acc, nv, t);
    for (int64_t l = 0; l < k; l++, a += CONV_MR, b += CONV_NR) {
        conv_vec v[CONV_NV];
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            v[j] = conv_load(b + j * CONV_VL);
        CONV_UNROLL
        for (int i = 0; i < CONV_MR; i++) {
            CONV_UNROLL
            for (int j = 0; j < nv; j++)
                acc[i][j] += v[j] * a[i];
        }
    }
    conv_tile_store(acc, nv, t);
}

/* The same with row i of A at a[i]. */
CONV_INLINE void conv_tile_rows(int nv, int64_t k,
                                const real *const a[CONV_MR], const real *b,
                                const struct conv_tile *t)
{
    conv_vec acc[CONV_MR][CONV_NV];
    conv_tile_begin(acc, nv, t);
    for (int64_t l = 0; l < k; l++, b += CONV_NR) {
        conv_vec v[CONV_NV];
        CONV_UNROLL
        for (int j = 0; j < nv; j++)
            v[j] = conv_load(b + j * CONV_VL);
        CONV_UNROLL
        for (int i = 0; i < CONV_MR; i++) {
            CONV_UNROLL
            for (int j = 0; j < nv; j++)
                acc[i][j] += v[j] * a[i][l];
        }
    }
    conv_tile_store(acc, nv, t);
}

#define CONV_TILES(nv)                                                      \
    static void conv_panel_##nv(int64_t k, const real *a, const real *b,    \
                                const struct conv_tile *t)                  \
    {                                                                       \
        conv_tile_panel(nv, k, a, b, t);                                    \
    }                                                                       \
    static void conv_rows_##nv(int64_t k, const real *const *a,             \
                               const real *b, const struct conv_tile *t)    \
    {                                                                       \
        conv_tile_rows(nv, k, a, b, t);                                     \
    }
CONV_TILES(1)
CONV_TILES(2)
#if defined(__AVX2__) || defined(__aarch64__)
CONV_TILES(3)
#else
#define conv_panel_3 NULL
#define conv_rows_3 NULL
#endif
#undef CONV_TILES
static void (*const conv_panel[])(int64_t, const real *, const real *,
                                  const struct conv_tile *) = {
    NULL, conv_panel_1, conv_panel_2, conv_panel_3};
static void (*const conv_rows[])(int64_t, const real *const *, const real *,
                                 const struct conv_tile *) = {
    NULL, conv_rows_1, conv_rows_2, conv_rows_3};

/* ---- products ------------------------------------------------------------ */

enum { CONV_PRODUCT_K = 512 }; /* k at a time: a strip then stays in L2 */

/* Rows i.. of strip columns j.. by way of a buffer, where the tile hangs
 * over the edge. */
static void conv_product_edge(const struct graft_product *p, int64_t i,
                              int64_t j, int64_t k0, int64_t k,
                              const real *const *a, const real *b)
{
    real tile[CONV_MR][CONV_NR] = {{0}}, res[CONV_MR][CONV_NR] = {{0}};
    real bias[CONV_NR] = {0};
    int64_t rows = p->m - i < CONV_MR ? p->m - i : CONV_MR;
    int64_t cols = p->n - j < CONV_NR ? p->n - j : CONV_NR;
    size_t bytes = (size_t)cols * sizeof(real);
    const struct graft_finish *f = &p->finish;
    struct conv_tile t = {tile[0], CONV_NR, !p->add && k0 == 0,
                          k0 + k == p->k, NULL, NULL, NULL, CONV_NR, f};
    for (int64_t r = 0; r < rows; r++) {
        memcpy(tile[r], p->c + (i + r) * p->ldc + j, t.first ? 0 : bytes);
        if (f->residual)
            memcpy(res[r], f->residual + (i + r) * f->residual_step + j,
                   bytes);
    }
    if (f->residual)
        t.residual = res[0];
    if (f->bias) {
        memcpy(bias, f->bias + j, bytes);
        t.col_bias = bias;
    }
    conv_rows[(cols + CONV_VL - 1) / CONV_VL](k, a, b, &t);
    for (int64_t r = 0; r < rows; r++)
        memcpy(p->c + (i + r) * p->ldc + j, tile[r], bytes);
}

static void conv_product(const struct graft_product *p, int64_t strip)
{
    const struct graft_finish *f = &p->finish;
    int64_t j = strip * CONV_NR;
    int64_t k0 = 0;
    do {
        int64_t k = p->k - k0 < CONV_PRODUCT_K ? p->k - k0 : CONV_PRODUCT_K;
        const real *b = p->b + (strip * p->k + k0) * CONV_NR;
        for (int64_t i = 0; i < p->m; i += CONV_MR) {
            const real *a[CONV_MR];
            for (int64_t r = 0; r < CONV_MR; r++) {
                int64_t row = i + r < p->m ? i + r : p->m - 1;
                a[r] = p->a + row * p->lda + k0;
            }
            if (i + CONV_MR > p->m || j + CONV_NR > p->n) {
                conv_product_edge(p, i, j, k0, k, a, b);
                continue;
            }
            struct conv_tile t = {
                p->c + i * p->ldc + j, p->ldc, !p->add && k0 == 0,
                k0 + k == p->k, NULL, f->bias ? f->bias + j : NULL,
                f->residual ? f->residual + i * f->residual_step + j : NULL,
                f->residual_step, f};
            conv_rows[CONV_NV](k, a, b, &t);
        }
        k0 += k;
    } while (k0 < p->k);
}
