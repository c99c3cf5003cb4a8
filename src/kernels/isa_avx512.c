/* The kernels, compiled for avx512 (flags: Makefile, ISA_avx512).
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"

#define GRAFT_THIS_ISA GRAFT_ISA_AVX512
#include "kernels/body_conv.h"
#include "kernels/body_block.h"
#include "kernels/body_turn.h"
#include "kernels/body_image.h"
#include "kernels/body_lanes.h"
#include "kernels/body_pointwise.h"
#include "kernels/body_winograd.h"

extern const struct graft_kernels graft_kernels_avx512;
const struct graft_kernels graft_kernels_avx512 = {
    .isa = GRAFT_THIS_ISA,
    .conv = GRAFT_CONV_KERNELS,
    .block = GRAFT_BLOCK_KERNELS,
    .winograd = GRAFT_WINOGRAD_KERNELS,
    .pointwise = GRAFT_POINTWISE_KERNELS,
    .image = GRAFT_IMAGE_KERNELS,
    .lanes = GRAFT_LANE_KERNELS,
    .turn = turn,
};
