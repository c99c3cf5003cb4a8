/* (to be written: the kernels of pointwise)
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_POINTWISE_H
#define GRAFT_KERNELS_POINTWISE_H

struct graft_pointwise_kernels {
    int none;
};

#endif
