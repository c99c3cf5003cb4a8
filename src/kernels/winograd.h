/* Convolution over blocked channels by Winograd's algorithm.
 *
 * Along one axis a tile of `outputs` results of a convolution with weights w
 * is y = A ((G w) . (B d)): d are the inputs that the tile needs, "." takes
 * products element by element, one for each slot. In two dimensions the
 * transforms apply to rows and columns apart, and a product of two slots,
 * summed over input channels, is a matrix product: tiles times output
 * channels. So only the 1-D transforms differ from one tile to another
 * (body_winograd_line.h), and stride 1, stride 2 by phases and the stem by
 * space-to-depth are rows of one table (winograd.c).
 *
 * A map is covered by `big` tiles and then `small` ones, along either axis;
 * a small tile's slots are the first ones of the big tile, with the same
 * G w, so that both share the transformed weights: 28 = 6+6+6+6+4.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_KERNELS_WINOGRAD_H
#define GRAFT_KERNELS_WINOGRAD_H

#include "kernels/block.h"

/* name, outputs, inputs, slots. Named Mk: M outputs of k taps; N: a small
 * tile in the family that ends in N. */
#define GRAFT_WINOGRAD_TILE_LIST(X)                                         \
    X(2x3, 2, 4, 4)    /* points 0 1 -1 inf */                              \
    X(4x3, 4, 6, 6)    /* 0 1 -1 2 inf -2 */                                \
    X(3x3of4, 3, 5, 5)                                                      \
    X(5x3, 5, 7, 7)    /* 0 1 -1 2 -2 inf 1/2 */                            \
    X(4x3of5, 4, 6, 6)                                                      \
    X(6x3, 6, 8, 8)    /* 0 1 -1 2 -2 inf 1/2 -1/2 */                       \
    X(4x3of6, 4, 6, 6)                                                      \
    X(4by2, 4, 9, 9)   /* stride 2: 0 1 -1 inf, three inputs as they are,   \
                          2, one more input */                              \
    X(3by2, 3, 7, 7)                                                        \
    X(4x4, 4, 7, 7)    /* four taps: as 5x3 */                              \
    X(5x4, 5, 8, 8)    /* as 6x3 */                                         \
    X(4x4of5, 4, 7, 7)
#define GRAFT_WINOGRAD_TILE_ENUM(name, outputs, inputs, slots)              \
    GRAFT_WINOGRAD_##name,
enum graft_winograd_tile {
    GRAFT_WINOGRAD_TILE_LIST(GRAFT_WINOGRAD_TILE_ENUM) GRAFT_WINOGRAD_TILES
};
#undef GRAFT_WINOGRAD_TILE_ENUM

enum {
    GRAFT_WINOGRAD_SLOTS = 9, /* most slots and inputs of a tile */
    GRAFT_WINOGRAD_TAPS = 4
};

/* Tiles that share transformed weights, and G. */
struct graft_winograd_family {
    const char *name;
    int kernel, stride;       /* of the convolution along the axis */
    bool depth;               /* over 2x2 pixels of an IMAGE as channels */
    int taps, sets;           /* G: sets x taps */
    double g[GRAFT_WINOGRAD_SLOTS][GRAFT_WINOGRAD_TAPS];
    int set[GRAFT_WINOGRAD_SLOTS]; /* whose weights a slot takes */
    enum graft_winograd_tile tile[2]; /* big, small (the same: none) */
};
extern const struct graft_winograd_family graft_winograd_families[];
extern const int graft_winograd_outputs[], graft_winograd_inputs[],
    graft_winograd_slots[];

/* An axis of a map: big * outputs + small * outputs >= size. */
struct graft_winograd_axis {
    const struct graft_winograd_family *family;
    int64_t big, small;
};

/* How a map is tiled; what cut->detail says. A band is a row of tiles; bands
 * are counted through all images, and a block of them goes through the
 * matrix products together. */
struct graft_winograd_plan {
    struct graft_winograd_axis axis[2]; /* rows, columns */
    int64_t bands;                      /* in a block, at most */
};

/* Whether Winograd is offered for g; then its cut, by the fastest plan. */
bool graft_winograd_cut(struct graft_block_cut *out,
                        const struct graft_conv *g, int64_t n_max,
                        const struct graft_kernels *k);
/* The cut of a certain plan, for tests and measurements; false where it does
 * not fit g. */
bool graft_winograd_cut_as(struct graft_block_cut *out,
                           const struct graft_conv *g, int64_t n_max,
                           const struct graft_kernels *k,
                           const struct graft_winograd_plan *plan);
struct graft_winograd_plan
graft_winograd_plan(const struct graft_block_cut *cut);
/* For weights that change from run to run: large ones are transformed late
 * where a block of tiles reads each of them once. The results are the same. */
void graft_winograd_late(struct graft_block_cut *cut,
                         const struct graft_conv *g,
                         const struct graft_kernels *k);
/* The axis of size `size` in family `name`, fewest slots; family NULL where
 * there is none of this name. */
struct graft_winograd_axis graft_winograd_tile_axis(const char *name,
                                                    int64_t size);

struct graft_pool;
struct graft_view;
void graft_winograd_pack(void *dst, const struct graft_view *src,
                         const real *scale,
                         const struct graft_block_packing *packing,
                         struct graft_pool *pool);
void graft_winograd_run(struct graft_block_run *r, struct graft_pool *pool,
                        void *scratch, size_t scratch_step, void *shared);

/* ---- between the cut and the kernels ------------------------------------- */

/* A block of bands in work. Its tiles are sorted by kind, big rows' small
 * columns, big-big, small-big, small-small: the tiles that have a slot are
 * then side by side. */
struct graft_winograd_block {
    const struct graft_block_run *r;
    struct graft_winograd_plan plan;
    int64_t width;         /* output channels of a panel */
    int64_t k;             /* summands of a product: input channels */
    int64_t x_block;       /* of the input: the first one in V */
    int64_t in_blocks;     /* of V: those of a group */
    int64_t first, bands;  /* counted through all images */
    int64_t group[5];      /* where the four kinds begin, tiles in all */
    real *v;               /* [slot][in block][tile][16]; gradients:
                              [in block][slot][tile][16] */
    int64_t v_slot;        /* reals from slot to slot, */
    int64_t v_block;       /* from block to block */
    int64_t m_slot;        /* of M: [slot][tile][width] */
    const real *u;         /* late: transformed weights of the panel in
                              work, [set][k][width]; */
    int64_t u_set;         /* reals from set to set */
};

/* The same for gradients of weights: dy's tiles lie as V's do. There what is
 * read one after the other are a block's slots. */
struct graft_winograd_grad {
    struct graft_winograd_block block;
    const real *dy;
    int64_t dy_step;
    int64_t out_blocks;
    real *d;               /* [out block][slot][tile][16] */
    int64_t first;         /* block of dy, the first one in D */
    int64_t d_slot, d_block;
};

struct graft_winograd_kernels {
    /* Input blocks first .. first + n - 1 of band `band` to V. */
    void (*in)(const struct graft_winograd_block *b, int64_t band,
               int64_t first, int64_t n, real *scratch);
    /* Slots first .. end - 1 of V times panel `panel`, to m, that panel's
     * part of M; piece: one for each input block. */
    void (*multiply)(const struct graft_winograd_block *b, int64_t panel,
                     int64_t first, int64_t end,
                     struct graft_block_piece *piece, real *m);
    /* Bands first .. end - 1 of the panel's outputs from m. */
    void (*out)(const struct graft_winograd_block *b, int64_t panel,
                int64_t first, int64_t end, const real *m);
    /* Weights of one input channel, [taps of rows][of columns][width], to
     * [set of rows][of columns][width], `step` reals from set to set. */
    void (*weights)(const struct graft_winograd_family *rows,
                    const struct graft_winograd_family *columns, int width,
                    const real *w, real *u, int64_t step);
    /* Late weights of panel `panel`, to u [set][k][width]. */
    void (*transform)(const struct graft_winograd_block *b, int64_t panel,
                      real *u);
    /* Sets of weights, u [set][from], the first `count` reals of each, to dst
     * [set][step]; count: a multiple of 16; far: past the cache. */
    void (*spread)(const real *u, int64_t from, real *dst, int64_t step,
                   int64_t sets, int64_t count, bool far);
    /* Of gradients of weights: blocks first .. first + n - 1 of a band of dy
     * to D; products of block `in` of V and of a panel of D, summed over
     * tiles, to sum[set][number][width]; weights' gradients from the sums. */
    void (*dy)(const struct graft_winograd_grad *d, int64_t band,
               int64_t first, int64_t n);
    void (*outer)(const struct graft_winograd_grad *d, int64_t panel,
                  int64_t in, real *sum);
    void (*taps)(const struct graft_winograd_family *rows,
                 const struct graft_winograd_family *columns,
                 const real *sum, int64_t step, real *w);
};
const struct graft_kernels *
graft_winograd_set(const struct graft_block_cut *cut);
const struct graft_winograd_kernels *
graft_winograd_kernels(const struct graft_block_cut *cut);
/* Block of bands first .. first + n - 1; bytes that `in` needs. */
void graft_winograd_begin(struct graft_winograd_block *b,
                          const struct graft_winograd_plan *p,
                          const struct graft_conv *g,
                          const struct graft_kernels *k, int64_t first,
                          int64_t n);
size_t graft_winograd_in_scratch(const struct graft_winograd_plan *p);
enum {
    GRAFT_WINOGRAD_CHUNK = 40, /* columns that `in` works on at a time */
    GRAFT_WINOGRAD_FEW = 8,    /* blocks of a full batch that are worked on
                                  one after the other: V and M are shared */
    GRAFT_WINOGRAD_FAR = 4 << 20 /* bytes of packed weights: more are written
                                    past the cache, or transformed late */
};

/* Bands of big rows among bands first .. end - 1 of all images. */
static inline int64_t graft_winograd_big(const struct graft_winograd_axis *a,
                                         int64_t first, int64_t end)
{
    int64_t per = a->big + a->small, i = first % per, j = end % per;
    return (end / per - first / per) * a->big + (j < a->big ? j : a->big) -
           (i < a->big ? i : a->big);
}

#endif
