/* Philox-4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3", 2011): ten rounds of multiply and exchange.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include <math.h>

/* Multipliers and Weyl increments of the paper, table 2 and section 4. */
#define M0 0xD2511F53u
#define M1 0xCD9E8D57u
#define W0 0x9E3779B9u
#define W1 0xBB67AE85u

static void philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)M0 * c[0], p1 = (uint64_t)M1 * c[2];
        uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)p0;
        k0 += W0;
        k1 += W1;
    }
}

struct graft_rng_key graft_rng_key(uint64_t seed, uint64_t stream)
{
    return (struct graft_rng_key){.k = {seed, stream}};
}

uint64_t graft_rng_u64(struct graft_rng_key key, uint64_t counter)
{
    uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32),
                     (uint32_t)key.k[1], (uint32_t)(key.k[1] >> 32)};
    philox(c, (uint32_t)key.k[0], (uint32_t)(key.k[0] >> 32));
    return (uint64_t)c[1] << 32 | c[0];
}

double graft_rng_unit(struct graft_rng_key key, uint64_t counter)
{
    return (double)(graft_rng_u64(key, counter) >> 11) * 0x1p-53;
}

uint64_t graft_rng_below(struct graft_rng_key key, uint64_t counter,
                         uint64_t n)
{
    return (uint64_t)((__uint128_t)graft_rng_u64(key, counter) * n
                      >> 64);
}

double graft_rng_normal(struct graft_rng_key key, uint64_t counter)
{
    double u = 1.0 - graft_rng_unit(key, 2 * counter); /* (0, 1] */
    double v = graft_rng_unit(key, 2 * counter + 1);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
