/* The only user of CBLAS and LAPACK.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm.h"

#include <cblas.h>
#include <inttypes.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/status.h"

/* Present in every OpenBLAS, declared by its own header only. */
extern int openblas_get_parallel(void); /* 0: no threads of its own */
extern int openblas_get_num_threads(void);
extern void openblas_set_num_threads(int n);

/* One caller at a time, with one thread. In the pthread flavour the setting
 * belongs to the process, in the OpenMP flavour to the calling thread; either
 * way what stood there before stands there afterwards. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static int blas_begin(void)
{
    pthread_mutex_lock(&turn);
    int before = openblas_get_parallel() ? openblas_get_num_threads() : 1;
    if (before > 1)
        openblas_set_num_threads(1);
    return before;
}

static void blas_end(int before)
{
    if (before > 1)
        openblas_set_num_threads(before);
    pthread_mutex_unlock(&turn);
}

static CBLAS_TRANSPOSE op(bool transposed)
{
    return transposed ? CblasTrans : CblasNoTrans;
}

void graft_dgemm(const struct graft_gemm *g, const double *a, const double *b,
                 double *c)
{
    if (!g->m || !g->n)
        return;
    int before = blas_begin();
    cblas_dgemm(CblasRowMajor, op(g->ta), op(g->tb), (int)g->m, (int)g->n,
                (int)g->k, g->alpha, a, (int)g->lda, b, (int)g->ldb, g->beta,
                c, (int)g->ldc);
    blas_end(before);
}

#ifdef GRAFT_REAL_DOUBLE
void graft_gemm(const struct graft_gemm *g, const real *a, const real *b,
                real *c)
{
    graft_dgemm(g, a, b, c);
}
#else
void graft_gemm(const struct graft_gemm *g, const real *a, const real *b,
                real *c)
{
    if (!g->m || !g->n)
        return;
    int before = blas_begin();
    cblas_sgemm(CblasRowMajor, op(g->ta), op(g->tb), (int)g->m, (int)g->n,
                (int)g->k, (float)g->alpha, a, (int)g->lda, b, (int)g->ldb,
                (float)g->beta, c, (int)g->ldc);
    blas_end(before);
}
#endif

/* Fortran's interface; the lengths of the two texts are hidden arguments. */
extern void dsyevd_(const char *jobz, const char *uplo, const int *n,
                    double *a, const int *lda, double *w, double *work,
                    const int *lwork, int *iwork, const int *liwork,
                    int *info, size_t jobz_length, size_t uplo_length);

/* LAPACK reads columns; a symmetric matrix looks the same either way, and its
 * eigenvectors, written as columns, are our rows. */
static int eigen(int n, double *a, double *w, double *work, int lwork,
                 int *iwork, int liwork)
{
    int info = 0, before = blas_begin();
    dsyevd_("V", "U", &n, a, &n, w, work, &lwork, iwork, &liwork, &info, 1,
            1);
    blas_end(before);
    return info;
}

int graft_symmetric_eigen(int64_t n, double *a, double *w)
{
    if (n == 0)
        return GRAFT_OK;
    if (n < 0 || n > 16384) /* 1 + 6n + 2n^2 doubles of work fit an int */
        return graft_fail(GRAFT_ELIMIT, "eigenvalues of a matrix of %" PRId64
                          " rows; at most 16384 are possible", n);
    int order = (int)n;
    int lwork = 1 + 6 * order + 2 * order * order, liwork = 3 + 5 * order;
    int status = GRAFT_OK;
    double *work = graft_calloc((size_t)lwork, sizeof *work);
    int *iwork = graft_calloc((size_t)liwork, sizeof *iwork);
    if (!work || !iwork)
        status = GRAFT_EMEM;
    if (!status) {
        int info = eigen(order, a, w, work, lwork, iwork, liwork);
        if (info)
            status = graft_fail(GRAFT_EFORMAT, "eigenvalues of a matrix of "
                                "%d rows did not converge (dsyevd: %d)",
                                order, info);
    }
    graft_free(work);
    graft_free(iwork);
    return status;
}
