/* (to be written: the kernels of conv)
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_CONV_H
#define GRAFT_KERNELS_CONV_H

struct graft_conv_kernels {
    int none;
};

#endif
