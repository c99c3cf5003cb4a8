/* Counter-based random numbers: a pure function of a key and a counter, so
 * that order and augmentation depend neither on threads nor on history.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_RNG_H
#define GRAFT_BASE_RNG_H

#include <stdint.h>

struct graft_rng_key {
    uint64_t k[2];
};

/* Key for a purpose: (seed, stream), e.g. stream = image hash or epoch. */
struct graft_rng_key graft_rng_key(uint64_t seed, uint64_t stream);

uint64_t graft_rng_u64(struct graft_rng_key key, uint64_t counter);
/* Uniform in [0, 1), 53 bits. */
double graft_rng_unit(struct graft_rng_key key, uint64_t counter);
/* Uniform in [0, n), n > 0, without modulo bias to speak of (64-bit product).
 */
uint64_t graft_rng_below(struct graft_rng_key key, uint64_t counter,
                         uint64_t n);
/* Standard normal (Box-Muller on counters 2c and 2c + 1). */
double graft_rng_normal(struct graft_rng_key key, uint64_t counter);

#endif
