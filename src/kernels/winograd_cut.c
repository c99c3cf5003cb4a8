/* Winograd: when, and by which tiles. Every family over every size of block
 * is weighed by a model of the processor's cycles beside a direct
 * convolution's; what it counts is products, transforms and the memory that
 * weights, V and M come from. Its constants were fitted to measurements
 * (tests/bench/bench_kernels.c) on AVX-512 and AVX2.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "kernels/kernels.h"

/* Cycles, with vectors of 16 reals; bytes; bytes a cycle. */
static const double DIRECT = 1.06, STRIDED = 1.2; /* over the products alone */
enum {
    CALL = 30,           /* of a tile of the micro-kernel */
    FEWEST = 5,          /* rows of it that hide the loads of weights */
    TRANSFORM = 8,       /* of a slot of the input, of one of the output */
    L2 = 1 << 20,
    L3 = 16 << 20,       /* weights are read in order, */
    L3_SHARED = 6 << 20, /* V and M are not, */
    L3_OWN = 3 << 20,    /* of each worker where it has its own; */
    SCATTERED = 3,       /* from further away that is slow */
    FROM_L2 = 64, FROM_L3 = 32, FROM_MEMORY = 10,
    COLD = 5,            /* weights, once a run: the cores share the memory */
    FROM_FAR = 4,        /* few products for each weight hide nothing */
    MOST_TILES = 160     /* of a block */
};

struct weigh {
    const struct graft_conv *g;
    const struct graft_kernels *k;
    int64_t n, width, panels;
};

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Vectors of a block, and cycles of a row of the micro-kernel for each number
 * of input: two multiply-adds start in one. */
static double vectors(const struct graft_kernels *k)
{
    static const double n[] = {
        [GRAFT_ISA_GENERIC] = 4, [GRAFT_ISA_AVX2] = 2, [GRAFT_ISA_AVX512] = 1};
    return n[k->isa];
}

static double row_cost(const struct weigh *w)
{
    return vectors(w->k) * (double)w->width / (2 * GRAFT_BLOCK);
}

/* Rows of a slot's product in tiles of the micro-kernel. */
static double product(const struct weigh *w, double rows, double depth)
{
    double shares = (double)ceil_div((int64_t)(rows + 0.999),
                                     w->k->block.rows);
    double busy = rows > FEWEST * shares ? rows : FEWEST * shares;
    return busy * depth * row_cost(w) + CALL * shares;
}

/* Tiles, and big ones alone, along the axis; slots of big and small tiles. */
struct axis {
    double all, big;
    int slots, shared;
};

static struct axis axis(const struct graft_winograd_axis *a, double tiles)
{
    const enum graft_winograd_tile *tile = a->family->tile;
    double per = (double)(a->big + a->small);
    struct axis x = {tiles, tiles * (double)a->big / per,
                     graft_winograd_slots[tile[0]],
                     graft_winograd_slots[tile[1]]};
    return x;
}

/* Bytes of something as large as `size`, from the cache that holds it. */
static double fetch(double bytes, double size, double l3)
{
    return bytes / (size <= L2 ? FROM_L2 : size <= l3 ? FROM_L3
                                                      : FROM_MEMORY);
}

/* The weights of all panels, once. */
static double weights(const struct weigh *w, double bytes)
{
    return w->g->group > 1 ? bytes / FROM_FAR : fetch(bytes, bytes, L3);
}

/* V is written, and read for each panel; M is written and read. Where both
 * are shared a slot's part of V meets all panels at once. */
static double memory(const struct weigh *w, double v, double m, double u,
                     int64_t blocks)
{
    double panels = (double)w->panels, groups = (double)w->g->group;
    bool few = groups < 2 && panels < GRAFT_WINOGRAD_FEW &&
               blocks < GRAFT_WINOGRAD_FEW;
    if (few)
        return fetch(2 * (v + m), v + m, L3_SHARED) *
                   (v + m > 1.5 * L2 ? SCATTERED : 1) + weights(w, u);
    double held = v / groups + m / panels;
    double l3 = blocks < GRAFT_WINOGRAD_FEW ? L3_SHARED : L3_OWN;
    return fetch((panels / groups + 1) * v + 2 * m, held, l3) *
               (held > l3 ? SCATTERED : 1) + weights(w, u);
}

/* The weights of a network are more than its caches hold: they come from
 * memory in each run, while the products are made. */
static double beside(double cycles, double weights)
{
    return fmax(cycles, weights / COLD);
}

/* Cycles of a plan for all images. */
static double cost(const struct weigh *w, const struct graft_winograd_plan *p)
{
    const struct graft_winograd_axis *a = p->axis;
    int64_t all = w->n * (a[0].big + a[0].small);
    int64_t blocks = ceil_div(all, p->bands);
    struct axis r = axis(&a[0], (double)all / (double)blocks);
    struct axis c = axis(&a[1], (double)(a[1].big + a[1].small));
    int64_t groups = w->g->group;
    double depth = (double)(w->g->c / groups * (a[0].family->depth ? 4 : 1));
    double in = ceil(depth / GRAFT_BLOCK) * (double)groups;
    double out = (double)ceil_div(w->g->m, GRAFT_BLOCK);
    double width = (double)w->width, sum = 0, slots = 0;
    double panels = (double)w->panels;
    for (int i = 0; i < r.slots; i++)
        for (int j = 0; j < c.slots; j++) {
            double rows = (i < r.shared ? r.all : r.big) *
                          (j < c.shared ? c.all : c.big);
            slots += rows;
            sum += panels * product(w, rows, depth);
        }
    double vector = GRAFT_BLOCK * sizeof(real);
    double sets = a[0].family->sets * a[1].family->sets;
    sum += slots * (in + out) * TRANSFORM * vectors(w->k);
    double u = sets * depth * panels * width * sizeof(real);
    sum += memory(w, slots * in * vector, slots * out * vector, u, blocks);
    return beside(sum * (double)blocks, u);
}

/* Cycles of a direct convolution. */
static double direct(const struct weigh *w)
{
    const struct graft_conv *g = w->g;
    double depth = (double)(g->c / g->group * g->kernel[1] * g->kernel[2]);
    double m = (double)(w->panels * w->width);
    double rows = (double)(w->n * g->out[1] * g->out[2]);
    double busy = g->stride[1] > 1 ? STRIDED : DIRECT;
    double bytes = depth * m * sizeof(real);
    double cycles = rows * depth * (double)w->panels * row_cost(w) * busy;
    return beside(cycles + weights(w, bytes), bytes);
}

/* The best size of block for p's tiles, if it costs less than `least`. */
static double choose(const struct weigh *w, struct graft_winograd_plan p,
                     double least, struct graft_winograd_plan *best)
{
    int64_t all = w->n * (p.axis[0].big + p.axis[0].small), last = 0;
    int64_t columns = p.axis[1].big + p.axis[1].small;
    for (int64_t blocks = all; blocks > 0; blocks--) {
        p.bands = ceil_div(all, blocks);
        if (p.bands == last)
            continue;
        if (last && p.bands * columns > MOST_TILES)
            break;
        last = p.bands;
        double c = cost(w, &p);
        if (c < least) {
            least = c;
            *best = p;
        }
    }
    return least;
}

bool graft_winograd_cut(struct graft_block_cut *out,
                        const struct graft_conv *g, int64_t n_max,
                        const struct graft_kernels *k)
{
    struct weigh w = {g, k, n_max > 0 ? n_max : 1,
                      graft_block_width(g, k), 0};
    w.panels = graft_block_panels(g, w.width);
    struct graft_winograd_plan best = {.bands = 0};
    double least = direct(&w);
    const struct graft_winograd_family *all = graft_winograd_families;
    for (int i = 0; all[i].name; i++)
        for (int j = 0; all[j].name; j++) {
            struct graft_winograd_plan p = {
                {graft_winograd_tile_axis(all[i].name, g->out[1]),
                 graft_winograd_tile_axis(all[j].name, g->out[2])}, 1};
            if (graft_winograd_cut_as(out, g, w.n, k, &p))
                least = choose(&w, p, least, &best);
        }
    return best.bands > 0 && graft_winograd_cut_as(out, g, w.n, k, &best);
}
