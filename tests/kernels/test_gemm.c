/* OpenBLAS behind graft_gemm, and eigenvalues.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/rng.h"
#include "kernels/gemm.h"
#include "test.h"

extern int openblas_get_num_threads(void);

enum { M = 5, N = 7, K = 6 };

TEST(kernels_gemm__transposes_alpha_beta)
{
    struct graft_rng_key key = graft_rng_key(1, 1);
    double a[M * K], b[K * N], c[M * N], before[M * N];
    real ra[M * K], rb[K * N], rc[M * N];
    for (int i = 0; i < M * K; i++)
        ra[i] = (real)(a[i] = (float)graft_rng_unit(key, (uint64_t)i));
    for (int i = 0; i < K * N; i++)
        rb[i] = (real)(b[i] = (float)graft_rng_unit(key, 100u + (unsigned)i));
    for (int i = 0; i < M * N; i++)
        before[i] = (float)graft_rng_unit(key, 200u + (unsigned)i);
    int threads = openblas_get_num_threads();
    for (int t = 0; t < 8; t++) {
        struct graft_gemm g = {.ta = t & 1, .tb = (t & 2) != 0, .m = M,
                               .n = N, .k = K, .alpha = 0.5,
                               .beta = t & 4 ? 0.25 : 0, .ldc = N};
        g.lda = g.ta ? M : K;
        g.ldb = g.tb ? K : N;
        for (int i = 0; i < M * N; i++) {
            c[i] = t & 4 ? before[i] : (double)NAN; /* not read */
            rc[i] = (real)c[i];
        }
        graft_gemm(&g, ra, rb, rc);
        graft_dgemm(&g, a, b, c);
        for (int i = 0; i < M * N; i++) {
            double sum = 0;
            for (int k = 0; k < K; k++)
                sum += a[g.ta ? k * M + i / N : i / N * K + k] *
                       b[g.tb ? i % N * K + k : k * N + i % N];
            double want = 0.5 * sum + (t & 4 ? 0.25 * before[i] : 0);
            assert_near(c[i], want, 1e-12);
            assert_near(rc[i], want, 1e-6);
        }
    }
    assert_int_equal(openblas_get_num_threads(), threads);
}

TEST(kernels_gemm__symmetric_eigen)
{
    double a[9] = {2, 1, 0, 1, 2, 0, 0, 0, 7}, w[3];
    const double want[] = {1, 3, 7};
    assert_ok(graft_symmetric_eigen(3, a, w));
    for (int i = 0; i < 3; i++)
        assert_near(w[i], want[i], 1e-12);
    assert_near(fabs(a[0]), sqrt(0.5), 1e-12); /* rows are eigenvectors */
    assert_near(a[0] + a[1], 0, 1e-12);
    assert_near(a[3] - a[4], 0, 1e-12);
    assert_near(fabs(a[8]), 1, 1e-12);
    assert_fails(graft_symmetric_eigen(20000, a, w), GRAFT_ELIMIT, "20000");
}
