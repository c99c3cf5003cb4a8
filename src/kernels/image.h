/* (to be written: the kernels of image)
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_IMAGE_H
#define GRAFT_KERNELS_IMAGE_H

struct graft_image_kernels {
    int none;
};

#endif
