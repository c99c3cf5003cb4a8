/* Packed matrices: planning and gradients.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/product.h"

#include "base/hash.h"

static const struct graft_pack_kind pack_kind = {
    "product", graft_product_pack, graft_product_unpack};

static uint64_t key_of(const struct graft_product_packing *p)
{
    struct graft_hash h = graft_hash(&p->k, sizeof p->k);
    h = graft_hash_add(h, &p->n, sizeof p->n);
    h = graft_hash_add(h, &p->nr, sizeof p->nr);
    h = graft_hash_add(h, &p->alpha, sizeof p->alpha);
    return graft_hash_add(h, &p->transposed, sizeof p->transposed).lo;
}

void graft_product_plan(struct graft_plan *p,
                        struct graft_product_packing *packing)
{
    packing->nr = p->k->conv.nr;
    size_t bytes = graft_product_bytes(packing);
    p->packed[1] = true;
    p->pack[1] = (struct graft_pack_request){
        .kind = &pack_kind, .spec = packing, .key = key_of(packing),
        .bytes = bytes, .dbytes = p->in[1].marked ? bytes : 0};
}

static int64_t columns(const struct graft_product_packing *b, int64_t j)
{
    return b->n - j < b->nr ? b->n - j : b->nr;
}

/* A strip is a row-major matrix k x nr; its unused columns are left out. */
void graft_product_da(const struct graft_product_packing *b, const real *packed,
                      int64_t m, bool ta, const real *dy, real *da,
                      uint8_t dmode)
{
    for (int64_t j = 0; j < b->n; j += b->nr) {
        const real *strip = packed + j * b->k;
        double beta = j || dmode == GRAFT_ADD ? 1 : 0;
        struct graft_gemm g = {.tb = true, .k = columns(b, j), .alpha = 1,
                               .beta = beta};
        if (ta) { /* dA' = B dY' */
            g.m = b->k, g.n = m;
            g.lda = b->nr, g.ldb = b->n, g.ldc = m;
            graft_gemm(&g, strip, dy + j, da);
        } else { /* dA = dY B' */
            g.m = m, g.n = b->k;
            g.lda = b->n, g.ldb = b->nr, g.ldc = b->k;
            graft_gemm(&g, dy + j, strip, da);
        }
    }
}

void graft_product_db(const struct graft_product_packing *b, const real *a,
                      int64_t m, bool ta, const real *dy, real *dpacked,
                      uint8_t dmode)
{
    for (int64_t j = 0; j < b->n; j += b->nr) {
        struct graft_gemm g = {.ta = !ta, .m = b->k, .n = columns(b, j),
                               .k = m, .alpha = 1,
                               .beta = dmode == GRAFT_ADD ? 1 : 0,
                               .lda = ta ? m : b->k, .ldb = b->n,
                               .ldc = b->nr};
        graft_gemm(&g, a, dy + j, dpacked + j * b->k);
    }
}
