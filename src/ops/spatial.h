/* What convolution and pooling share: kernels, strides, dilations, padding,
 * and the sizes that follow from them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_OPS_SPATIAL_H
#define GRAFT_OPS_SPATIAL_H

#include "graph/op.h"
#include "kernels/kernels.h"

enum graft_auto_pad {
    GRAFT_PAD_NOTSET,
    GRAFT_PAD_SAME_UPPER,
    GRAFT_PAD_SAME_LOWER,
    GRAFT_PAD_VALID
};

/* Attributes as written; NULL: absent. */
struct graft_spatial {
    const int64_t *kernel, *stride, *dilation, *pads;
    int n_kernel, n_stride, n_dilation, n_pads;
    int auto_pad;         /* enum graft_auto_pad */
    bool ceil;            /* a last window that hangs over counts */
};

/* kernel_shape, strides, dilations, pads, auto_pad. */
int graft_spatial_parse(struct graft_parse *p, struct graft_spatial *s);

/* Geometry for input 0 (N, C, up to three axes) with kernel kernel[0 ..
 * rank-3]: everything but m and group. end: padding at the end of each of the
 * three axes. out: the output's shape with `m` channels. */
int graft_spatial_geometry(const struct graft_infer *f,
                           const struct graft_spatial *s,
                           const int64_t *kernel, int64_t m,
                           struct graft_conv *g, int64_t end[3],
                           struct graft_shape *out);

/* Refuses a second, third, ... output that anybody reads. */
int graft_only_output(const struct graft_infer *f, const char *why);

/* What an epilogue adds; `bias` is the caller's. */
struct graft_finish graft_finish_of(const struct graft_call *c,
                                    const real *bias);

#endif
