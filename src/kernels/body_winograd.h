/* Bodies of convolution by Winograd's algorithm, compiled once for each
 * instruction set (winograd.h): inputs to V, products to M, M to outputs. A
 * transform in two dimensions is one along columns and one along rows, each
 * over many lines at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/body_winograd_line.h"

enum {
    WINO_SLOTS = GRAFT_WINOGRAD_SLOTS,
    WINO_HALF = GRAFT_WINOGRAD_SLOTS * GRAFT_BLOCK /* a line of slots */
};

/* ---- lines --------------------------------------------------------------- */

/* Element k of line l is read at src + k * src_step + l * src_line and
 * written at dst + k * dst_step + l * dst_line; 16 reals each. */
struct wino_lines {
    const real *src;
    int64_t src_step, src_line;
    real *dst;
    int64_t dst_step, dst_line;
    int64_t lines;
};

/* In these loops a store could change what a pointer to the struct leads to,
 * for all the compiler knows; so they work on copies. */
CONV_INLINE void wino_lines(struct wino_lines l, int in, int out,
                            void (*line)(const conv_vec *, conv_vec *))
{
    for (; l.lines > 0; l.lines--, l.src += l.src_line, l.dst += l.dst_line)
        CONV_UNROLL
        for (int part = 0; part < GRAFT_BLOCK; part += CONV_VL) {
            conv_vec from[WINO_SLOTS], to[WINO_SLOTS];
            CONV_UNROLL
            for (int k = 0; k < in; k++)
                from[k] = conv_load(l.src + k * l.src_step + part);
            line(from, to);
            CONV_UNROLL
            for (int k = 0; k < out; k++)
                conv_store(l.dst + k * l.dst_step + part, to[k]);
        }
}

/* The first transform: element k of column x at row[k] + x * 16, to
 * t + k * t_line + x * 16. */
struct wino_columns {
    const real *row[WINO_SLOTS];
    int64_t ahead;          /* reals from row to what comes after it */
    real *t;
    int64_t t_line;
    int64_t columns;
};

CONV_INLINE void wino_columns(struct wino_columns c, int in, int out,
                              void (*line)(const conv_vec *, conv_vec *))
{
    for (int64_t i = 0; i < c.columns * GRAFT_BLOCK; i += GRAFT_BLOCK) {
        CONV_UNROLL
        for (int k = 0; k < in; k++)
            __builtin_prefetch(c.row[k] + i + c.ahead, 0, 2);
        CONV_UNROLL
        for (int part = 0; part < GRAFT_BLOCK; part += CONV_VL) {
            conv_vec from[WINO_SLOTS], to[WINO_SLOTS];
            CONV_UNROLL
            for (int k = 0; k < in; k++)
                from[k] = conv_load(c.row[k] + i + part);
            line(from, to);
            CONV_UNROLL
            for (int k = 0; k < out; k++)
                conv_store(c.t + k * c.t_line + i + part, to[k]);
        }
    }
}

/* The last transform: rows of outputs, act(z + bias + residual). */
struct wino_rows {
    const real *src;        /* slot k of row l: src + l * WINO_HALF + k * 16 */
    real *y;
    const real *residual;   /* NULL: none */
    int64_t line;           /* of y and residual, reals from row to row */
    int64_t rows, columns;  /* inside the map */
    const real *bias;
    real low;               /* max(low, z): -inf, or 0 for Relu */
    int64_t lanes;          /* channels of this block */
};

CONV_INLINE void wino_rows(struct wino_rows r, int in, int out,
                           void (*line)(const conv_vec *, conv_vec *))
{
    conv_vec low = conv_splat(r.low);
    for (int part = 0; part < GRAFT_BLOCK; part += CONV_VL) {
        conv_vec bias = conv_load(r.bias + part);
        conv_mask keep = block_mask(r.lanes, part);
        for (int64_t i = 0; i < r.rows; i++) {
            conv_vec from[WINO_SLOTS], to[WINO_SLOTS];
            const real *src = r.src + i * WINO_HALF + part;
            int64_t at = i * r.line + part;
            CONV_UNROLL
            for (int k = 0; k < in; k++)
                from[k] = conv_load(src + k * GRAFT_BLOCK);
            line(from, to);
            CONV_UNROLL
            for (int k = 0; k < out; k++) {
                if (k >= r.columns)
                    break;
                conv_vec v = to[k] + bias;
                if (r.residual)
                    v += conv_load(r.residual + at + k * GRAFT_BLOCK);
                v = block_max(low, v);
                conv_store(r.y + at + k * GRAFT_BLOCK,
                           (conv_vec)((conv_mask)v & keep));
            }
        }
    }
}

#define WINO_TILE(name, outputs, inputs, slots)                             \
    static void wino_in_columns_##name(const struct wino_columns *c)        \
    {                                                                       \
        wino_columns(*c, inputs, slots, wino_in_##name);                    \
    }                                                                       \
    static void wino_in_rows_##name(const struct wino_lines *l)             \
    {                                                                       \
        struct wino_lines m = *l;                                           \
        m.src_step = GRAFT_BLOCK;                                           \
        wino_lines(m, inputs, slots, wino_in_##name);                       \
    }                                                                       \
    static void wino_out_columns_##name(const struct wino_lines *l)         \
    {                                                                       \
        struct wino_lines m = *l;                                           \
        m.dst_step = WINO_HALF;                                             \
        m.dst_line = GRAFT_BLOCK;                                           \
        wino_lines(m, slots, outputs, wino_out_##name);                     \
    }                                                                       \
    static void wino_out_rows_##name(const struct wino_rows *r)             \
    {                                                                       \
        wino_rows(*r, slots, outputs, wino_out_##name);                     \
    }
GRAFT_WINOGRAD_TILE_LIST(WINO_TILE)
#undef WINO_TILE

#define WINO_TILE(name, outputs, inputs, slots)                             \
    {outputs,                 inputs,                                       \
     slots,                   wino_in_columns_##name,                       \
     wino_in_rows_##name,     wino_out_columns_##name,                      \
     wino_out_rows_##name},
static const struct wino_tile {
    int outputs, inputs, slots;
    void (*in_columns)(const struct wino_columns *);
    void (*in_rows)(const struct wino_lines *);
    void (*out_columns)(const struct wino_lines *);
    void (*out_rows)(const struct wino_rows *);
} wino_tiles[] = {GRAFT_WINOGRAD_TILE_LIST(WINO_TILE)};
#undef WINO_TILE

/* ---- places -------------------------------------------------------------- */

/* Tile `i` of an axis. */
struct wino_place {
    const struct wino_tile *tile;
    bool small;
    int64_t out, in; /* first output, first input */
};

static struct wino_place wino_place(const struct graft_winograd_axis *a,
                                    int64_t pad, int64_t i)
{
    const struct graft_winograd_family *f = a->family;
    int64_t big = i < a->big ? i : a->big;
    struct wino_place p = {.small = i >= a->big};
    p.tile = &wino_tiles[f->tile[p.small]];
    p.out = big * wino_tiles[f->tile[0]].outputs +
            (i - big) * wino_tiles[f->tile[1]].outputs;
    p.in = f->depth ? p.out : p.out * f->stride - pad;
    return p;
}

/* Products of an axis. */
static int64_t wino_slots(const struct graft_winograd_axis *a)
{
    return wino_tiles[a->family->tile[0]].slots;
}

/* Where the block's tiles of a band begin: big columns, small columns. */
struct wino_band {
    int64_t image;
    struct wino_place row;
    int64_t tile[2];
};

static struct wino_band wino_band(const struct graft_winograd_block *b,
                                  int64_t band)
{
    const struct graft_winograd_axis *a = b->plan.axis;
    int64_t per = a[0].big + a[0].small;
    struct wino_band w = {.image = band / per};
    w.row = wino_place(&a[0], b->r->g->pad[1], band % per);
    int64_t big = graft_winograd_big(&a[0], b->first, band);
    int64_t small = band - b->first - big;
    w.tile[0] = w.row.small ? b->group[2] + small * a[1].big
                            : b->group[1] + big * a[1].big;
    w.tile[1] = w.row.small ? b->group[3] + small * a[1].small
                            : b->group[0] + big * a[1].small;
    return w;
}

#include "kernels/body_winograd_in.h"
#include "kernels/body_winograd_out.h"
#include "kernels/body_winograd_back.h"

#define GRAFT_WINOGRAD_KERNELS                                              \
    {                                                                       \
        .in = wino_in, .multiply = wino_multiply, .out = wino_out,          \
        .weights = wino_weights, .transform = wino_transform,               \
        .spread = wino_spread, .dy = wino_dy, .outer = wino_outer,          \
        .taps = wino_taps                                                   \
    }
