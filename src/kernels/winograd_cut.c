/* Winograd: when, and by which tiles.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"

/* Bands of a block: V and M of a task stay in the second-level cache, and
 * each weight read serves enough tiles. */
enum { TILES = 28 };

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

bool graft_winograd_cut(struct graft_block_cut *out,
                        const struct graft_conv *g, int64_t n_max,
                        const struct graft_kernels *k)
{
    struct graft_winograd_plan p = {
        {graft_winograd_tile_axis("4", g->out[1]),
         graft_winograd_tile_axis("4", g->out[2])}, 1};
    p.bands = ceil_div(TILES, p.axis[1].big + p.axis[1].small);
    return graft_winograd_cut_as(out, g, n_max, k, &p);
}
