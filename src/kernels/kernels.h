/* The table of kernels: computation on plain pointers and sizes. One table
 * for each instruction set, compiled from the same sources
 * (isa_generic.c, isa_avx2.c, isa_avx512.c include body_*.h); reached through
 * call->k, never by a global name.
 *
 * Kernels take pointers and sizes, nothing of the graph. What they do in
 * parallel they cut by shape, never by the number of threads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_KERNELS_H
#define GRAFT_KERNELS_KERNELS_H

#include "base/runtime.h"
#include "kernels/conv.h"      /* struct graft_conv_kernels */
#include "kernels/block.h"     /* struct graft_block_kernels */
#include "kernels/pointwise.h" /* struct graft_pointwise_kernels */
#include "kernels/image.h"     /* struct graft_image_kernels */
#include "kernels/lanes.h"     /* struct graft_lane_kernels */
#include "kernels/winograd.h"  /* struct graft_winograd_kernels */
#include "kernels/gemm.h"      /* graft_gemm: the only user of CBLAS */

/* Part of the feature cache's numerics id: raise it when a kernel's rounding
 * changes. */
enum { GRAFT_KERNELS_VERSION = 3 };

enum { GRAFT_TURN_GAP = GRAFT_BLOCK };

struct graft_kernels {
    enum graft_isa isa;
    struct graft_conv_kernels conv;
    struct graft_block_kernels block;
    struct graft_winograd_kernels winograd;
    struct graft_pointwise_kernels pointwise;
    struct graft_image_kernels image;
    struct graft_lane_kernels lanes;
    /* dst[c * dst_step + r] = src[r * src_step + c]. Rows are read in whole
     * vectors: less than GRAFT_TURN_GAP reals behind a row's last column. */
    void (*turn)(real *dst, int64_t dst_step, const real *src,
                 int64_t src_step, int64_t rows, int64_t columns);
};

const struct graft_kernels *graft_kernels_for(enum graft_isa isa);

#endif
