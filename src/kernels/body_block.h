/* Bodies of convolution over blocked channels, compiled once for each
 * instruction set.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/body_block_tile.h"
#include "kernels/body_block_chain.h"
#include "kernels/body_block_depthwise.h"
#include "kernels/body_block_outer.h"

#define GRAFT_BLOCK_KERNELS                                                 \
    {                                                                       \
        .rows = BLOCK_ROWS, .width = BLOCK_WIDTH, .tile = block_tile,       \
        .depthwise = block_depthwise, .outer = block_outer,                 \
        .outer_depthwise = block_outer_depthwise                            \
    }
