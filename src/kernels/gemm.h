/* Matrix products by OpenBLAS: the only user of CBLAS.
 *
 * OpenBLAS is called from one thread at a time and told to use one thread
 * during the call (its own threading depends on the build's flavour and would
 * make results depend on the number of threads).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_GEMM_H
#define GRAFT_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/real.h"

/* C[m][n] = alpha op(A) op(B) + beta C, row-major; op transposes when ta/tb.
 * lda, ldb, ldc: elements from row to row as stored. beta 0 does not read C.
 */
struct graft_gemm {
    bool ta, tb;
    int64_t m, n, k;
    double alpha, beta;
    int64_t lda, ldb, ldc;
};
void graft_gemm(const struct graft_gemm *g, const real *a, const real *b,
                real *c);
/* The same in double for the solvers, in every build. */
void graft_dgemm(const struct graft_gemm *g, const double *a, const double *b,
                 double *c);
/* Eigenvalues (ascending) and eigenvectors (rows of `a` on return) of the
 * symmetric n x n matrix a. GRAFT_EFORMAT when LAPACK does not converge. */
int graft_symmetric_eigen(int64_t n, double *a, double *w);

#endif
