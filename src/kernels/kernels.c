/* Which table for which instruction set.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"

extern const struct graft_kernels graft_kernels_generic;
#if defined(__x86_64__)
extern const struct graft_kernels graft_kernels_avx2, graft_kernels_avx512;
#endif

const struct graft_kernels *graft_kernels_for(enum graft_isa isa)
{
#if defined(__x86_64__)
    if (isa == GRAFT_ISA_AVX512)
        return &graft_kernels_avx512;
    if (isa == GRAFT_ISA_AVX2)
        return &graft_kernels_avx2;
#endif
    (void)isa;
    return &graft_kernels_generic;
}
