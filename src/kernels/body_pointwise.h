/* (to be written: bodies of the kernels of pointwise, compiled once per ISA)
 * SPDX-License-Identifier: Apache-2.0 */
#define GRAFT_POINTWISE_KERNELS {0}
