/* (to be written: bodies of the kernels of image, compiled once per ISA)
 * SPDX-License-Identifier: Apache-2.0 */
#define GRAFT_IMAGE_KERNELS {0}
