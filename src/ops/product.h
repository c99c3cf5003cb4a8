/* Products with a matrix B, shared by Gemm and MatMul: C[m][n] = A[m][k] B.
 * Forward always runs our own micro-kernel, whose rows do not depend on how
 * many there are (OpenBLAS chooses kernels by m); backward runs OpenBLAS.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_PRODUCT_H
#define GRAFT_OPS_PRODUCT_H

#include "graph/op.h"
#include "kernels/kernels.h"

/* Lets the plan have input 1 as packed strips when it is a parameter. The
 * packing is filled by the caller but for nr. */
void graft_product_plan(struct graft_plan *p,
                        struct graft_product_packing *packing);

/* dA (m x k, or k x m with `ta`) STOREd or ADDed = dY B'. */
void graft_product_da(const struct graft_product_packing *b, const real *packed,
                      int64_t m, bool ta, const real *dy, real *da,
                      uint8_t dmode);
/* Packed gradient = A' dY. */
void graft_product_db(const struct graft_product_packing *b, const real *a,
                      int64_t m, bool ta, const real *dy, real *dpacked,
                      uint8_t dmode);

#endif
