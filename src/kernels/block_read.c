/* Weights as convolutions over blocked channels need them, read from where
 * ONNX has them, seen from behind or not (block_back.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/kernels.h"
#include "tensor/view.h"

/* ---- taps ---------------------------------------------------------------- */

int64_t graft_block_kernel(const struct graft_block_packing *p)
{
    const struct graft_block_turned *t = &p->turned;
    return t->is ? t->kernel[0] * t->kernel[1]
                 : p->g.kernel[1] * p->g.kernel[2];
}

void graft_block_taps(const struct graft_block_packing *p,
                      int64_t tap[GRAFT_BLOCK_TAPS])
{
    const struct graft_block_turned *t = &p->turned;
    const int64_t *count = p->g.kernel + 1;
    for (int64_t a = 0; a < count[0]; a++)
        for (int64_t b = 0; b < count[1]; b++)
            tap[a * count[1] + b] =
                !t->is ? a * count[1] + b
                       : (t->first[0] + (count[0] - 1 - a) * t->step[0]) *
                                 t->kernel[1] +
                             t->first[1] + (count[1] - 1 - b) * t->step[1];
}

/* ---- an output channel --------------------------------------------------- */

/* From behind: o is the other convolution's input channel. */
static void read_turned(real *dst, const struct graft_block_packing *p,
                        const struct graft_view *src, const real *scale,
                        int64_t o, int64_t first, int64_t n)
{
    const struct graft_block_turned *t = &p->turned;
    int64_t taps = p->g.kernel[1] * p->g.kernel[2], each = t->c / t->group;
    int64_t m = o / each * (t->m / t->group) + first / taps;
    int64_t kernel = graft_block_kernel(p), tap[GRAFT_BLOCK_TAPS];
    graft_block_taps(p, tap);
    for (int64_t i = 0, k = first % taps; i < n; i++) {
        graft_view_read(src, (m * each + o % each) * kernel + tap[k], 1,
                        dst + i);
        if (scale)
            dst[i] *= scale[m];
        k = k + 1 < taps ? k + 1 : 0;
        m += k == 0;
    }
}

void graft_block_read(real *dst, const struct graft_block_packing *p,
                      const struct graft_view *src, const real *scale,
                      int64_t o, int64_t first, int64_t n)
{
    int64_t depth = p->g.c / p->g.group * p->g.kernel[1] * p->g.kernel[2];
    if (p->turned.is) {
        read_turned(dst, p, src, scale, o, first, n);
        return;
    }
    graft_view_read(src, o * depth + first, n, dst);
    for (int64_t i = 0; scale && i < n; i++)
        dst[i] *= scale[o];
}

/* ---- a panel ------------------------------------------------------------- */

/* n weights, times the factor of row m of src. */
static void read_row(const struct graft_block_reader *r, int64_t m,
                     int64_t at, int64_t n, real *row)
{
    graft_view_read(r->src, at, n, row);
    for (int64_t i = 0; r->scale && i < n; i++)
        row[i] *= r->scale[m];
}

static void panel_plain(const struct graft_block_reader *r,
                        const struct graft_block_panel *panel, int64_t first,
                        int64_t n, real *to)
{
    real piece[GRAFT_BLOCK_WIDEST * (GRAFT_BLOCK_READ + GRAFT_TURN_GAP)];
    int64_t channels = r->p->g.c / r->p->g.group, width = r->p->width;
    int64_t kernel = graft_block_kernel(r->p), count = n * kernel;
    int64_t step = count + GRAFT_TURN_GAP;
    for (int64_t o = 0; o < width; o++) {
        int64_t m = panel->first + o;
        real *row = piece + o * step;
        if (m < panel->end)
            read_row(r, m, (m * channels + first) * kernel, count, row);
        else
            memset(row, 0, (size_t)count * sizeof *row);
    }
    graft_kernels_for(r->p->isa)->turn(to, width, piece, step, width, count);
}

/* From behind these channels are the other convolution's outputs, and the
 * panel's are its inputs. */
static void panel_turned(const struct graft_block_reader *r,
                         const struct graft_block_panel *panel,
                         int64_t first, int64_t n, real *to)
{
    const struct graft_block_turned *t = &r->p->turned;
    const struct graft_kernels *k = graft_kernels_for(r->p->isa);
    real piece[GRAFT_BLOCK_WIDEST * GRAFT_BLOCK_TAPS + GRAFT_TURN_GAP];
    int64_t each = t->c / t->group, group = panel->first / each;
    int64_t kernel = graft_block_kernel(r->p), width = r->p->width;
    int64_t count = (panel->end - panel->first) * kernel;
    memset(piece + count, 0, sizeof piece - (size_t)count * sizeof *piece);
    for (int64_t i = 0; i < n; i++, to += kernel * width) {
        int64_t m = group * (t->m / t->group) + first + i;
        read_row(r, m, (m * each + panel->first % each) * kernel, count,
                 piece);
        k->turn(to, width, piece, kernel, width, kernel);
    }
}

void graft_block_read_panel(const struct graft_block_reader *r,
                            const struct graft_block_panel *panel,
                            int64_t first, int64_t n, real *to)
{
    if (r->p->turned.is)
        panel_turned(r, panel, first, n, to);
    else
        panel_plain(r, panel, first, n, to);
}
