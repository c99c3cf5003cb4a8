/* What is checked after each step in builds with a sanitizer: lanes of C16
 * beyond the last channel are zero, since the next step may read them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

/* Unused lanes of image i of v. */
static bool are_zero(const struct graft_view *v, int64_t i)
{
    int64_t channels = v->shape.dim[1], used = (channels - 1) % 16 + 1;
    int64_t area = graft_shape_span(&v->shape, 2, v->shape.rank);
    const real *last = graft_reals(v) + i * graft_image_step(v) +
                       (channels - 1) / 16 * area * 16;
    for (int64_t p = 0; p < area; p++)
        for (int64_t l = used; l < 16; l++)
            if (last[p * 16 + l] != 0)
                return false;
    return true;
}

void graft_check_lanes(const struct graft_call *c)
{
    for (int k = 0; k < c->n_out; k++) {
        const struct graft_view *v = &c->out[k];
        if (!v->data || v->fmt.layout != GRAFT_C16 || v->shape.dim[1] < 1)
            continue;
        for (int64_t i = 0; i < v->shape.dim[0]; i++)
            if (!are_zero(v, i))
                __builtin_trap(); /* a kernel's mistake: c->out[k] */
    }
}
