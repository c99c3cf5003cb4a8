/* (to be written: bodies of the kernels of conv, compiled once per ISA)
 * SPDX-License-Identifier: Apache-2.0 */
#define GRAFT_CONV_KERNELS {0}
