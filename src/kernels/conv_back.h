/* Gradients of convolution over rows, by matrix products: for shapes that
 * blocked channels (block_back.h) do not serve. With columns X of an image,
 * [depth][pixels], depth = channels of a group times kernel elements:
 *   Y = W X      dW += dY X^T      dX: W^T dY, added up where columns overlap
 * One image after the other in one thread, so the order of every sum is
 * fixed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_CONV_BACK_H
#define GRAFT_KERNELS_CONV_BACK_H

#include "kernels/conv.h"

struct graft_conv_back {
    const struct graft_conv *g; /* image: x and dx are interleaved */
    int64_t n;
    const real *x, *w, *dy;     /* w [m][depth] */
    int64_t x_step, dy_step;    /* from image to image */
    real *dx, *dw;              /* NULL: not asked for */
    bool add_dx, add_dw;
};
/* Bytes for columns of one image. */
int64_t graft_conv_back_scratch(const struct graft_conv *g);
void graft_conv_back_run(const struct graft_conv_back *b, void *scratch);

#endif
