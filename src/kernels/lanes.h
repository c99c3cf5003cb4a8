/* Kernels over C16, 16 channels side by side, that are not convolutions.
 * One thread, plain pointers to one block of 16 channels: [pixels][16].
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_LANES_H
#define GRAFT_KERNELS_LANES_H

#include "kernels/conv.h"

/* One output row of pooling: y[out][16] from rows first .. first + rows - 1
 * of the window that lie inside x. */
struct graft_lane_window {
    const struct graft_conv *g;
    bool max;             /* largest element; else the mean */
    const real *count[3]; /* mean: elements counted per output index */
};

struct graft_lane_kernels {
    /* y = act(s x + t + residual); residual NULL: none */
    void (*affine)(real *y, const real *x, int64_t pixels, const real *s,
                   const real *t, const real *residual,
                   const struct graft_finish *f);
    /* y[16] = factor times the sum over pixels, in eight partial sums */
    void (*sum)(real *y, const real *x, int64_t pixels, real factor);
    /* output row `row` of one block */
    void (*window)(const struct graft_lane_window *w, real *y, const real *x,
                   int64_t row);
    /* y[p][l] = x[l][16 p]; x[l] NULL: zero. base[l]: the block that x[l]
     * points into. */
    void (*gather)(real *y, const real *const x[16],
                   const real *const base[16], int64_t pixels);
    /* the same, y += */
    void (*gather_add)(real *y, const real *const x[16],
                       const real *const base[16], int64_t pixels);
    /* to[p][16] = v[16] */
    void (*repeat)(real *to, const real *v, int64_t pixels);
    /* to[p][16] = v[16]; or, with add, += */
    void (*spread)(real *to, const real *v, int64_t pixels, bool add);
    /* dx[p][16] = s[16] dy[p][16]; or += */
    void (*scale)(real *dx, const real *dy, int64_t pixels, const real *s,
                  bool add);
    /* sum[16] of a, and dot[16] of a (x - m[16]), over pixels */
    void (*moments)(real *sum, real *dot, const real *a, const real *x,
                    int64_t pixels, const real *m);
    /* Undoes all rows of `window`: dx = or += (first maxima of x, which y
     * holds, or shares of means; x and y may be NULL for these) of dy. */
    void (*window_back)(const struct graft_lane_window *w, real *dx,
                        const real *x, const real *y, const real *dy,
                        bool add);
};

#endif
