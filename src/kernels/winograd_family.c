/* Winograd: the families of tiles, and how an axis is covered by them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/kernels.h"

#define TILE_OUTPUTS(name, outputs, inputs, slots) outputs,
#define TILE_INPUTS(name, outputs, inputs, slots) inputs,
#define TILE_SLOTS(name, outputs, inputs, slots) slots,
const int graft_winograd_outputs[] = {GRAFT_WINOGRAD_TILE_LIST(TILE_OUTPUTS)};
const int graft_winograd_inputs[] = {GRAFT_WINOGRAD_TILE_LIST(TILE_INPUTS)};
const int graft_winograd_slots[] = {GRAFT_WINOGRAD_TILE_LIST(TILE_SLOTS)};

/* Row i of G: powers of point i over the product of its differences to the
 * others; at infinity the last tap. */
const struct graft_winograd_family graft_winograd_families[] = {
    {.name = "2", .kernel = 3, .stride = 1, .taps = 3, .sets = 4,
     .g = {{1}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}},
     .set = {0, 1, 2, 3},
     .tile = {GRAFT_WINOGRAD_2x3, GRAFT_WINOGRAD_2x3}},
    {.name = "4", .kernel = 3, .stride = 1, .taps = 3, .sets = 6,
     .g = {{1. / 4}, {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6},
           {1. / 24, 1. / 12, 1. / 6}, {0, 0, 1}, {1. / 24, -1. / 12, 1. / 6}},
     .set = {0, 1, 2, 3, 4, 5},
     .tile = {GRAFT_WINOGRAD_4x3, GRAFT_WINOGRAD_3x3of4}},
    {.name = "5", .kernel = 3, .stride = 1, .taps = 3, .sets = 7,
     .g = {{-1. / 2}, {-1. / 3, -1. / 3, -1. / 3}, {1. / 9, -1. / 9, 1. / 9},
           {1. / 36, 1. / 18, 1. / 9}, {-1. / 60, 1. / 30, -1. / 15},
           {0, 0, 1}, {32. / 45, 16. / 45, 8. / 45}},
     .set = {0, 1, 2, 3, 4, 5, 6},
     .tile = {GRAFT_WINOGRAD_5x3, GRAFT_WINOGRAD_4x3of5}},
    {.name = "6", .kernel = 3, .stride = 1, .taps = 3, .sets = 8,
     .g = {{1}, {-2. / 9, -2. / 9, -2. / 9}, {-2. / 9, 2. / 9, -2. / 9},
           {1. / 90, 1. / 45, 2. / 45}, {1. / 90, -1. / 45, 2. / 45},
           {0, 0, 1}, {32. / 45, 16. / 45, 8. / 45},
           {32. / 45, -16. / 45, 8. / 45}},
     .set = {0, 1, 2, 3, 4, 5, 6, 7},
     .tile = {GRAFT_WINOGRAD_6x3, GRAFT_WINOGRAD_4x3of6}},
    /* sets 0 1 -1 inf of taps 0 and 2, tap 1, 2 of taps 0 and 2 */
    {.name = "4/2", .kernel = 3, .stride = 2, .taps = 3, .sets = 6,
     .g = {{1. / 2}, {-1. / 2, 0, -1. / 2}, {-1. / 6, 0, 1. / 6}, {0, 0, 1},
           {0, 1}, {1. / 6, 0, 1. / 3}},
     .set = {0, 1, 2, 3, 4, 4, 4, 5, 4},
     .tile = {GRAFT_WINOGRAD_4by2, GRAFT_WINOGRAD_3by2}},
    {.name = "stem", .kernel = 7, .stride = 2, .depth = true, .taps = 4,
     .sets = 7,
     .g = {{-1. / 2}, {-1. / 3, -1. / 3, -1. / 3, -1. / 3},
           {1. / 9, -1. / 9, 1. / 9, -1. / 9},
           {1. / 36, 1. / 18, 1. / 9, 2. / 9},
           {-1. / 60, 1. / 30, -1. / 15, 2. / 15}, {0, 0, 0, 1},
           {32. / 45, 16. / 45, 8. / 45, 4. / 45}},
     .set = {0, 1, 2, 3, 4, 5, 6},
     .tile = {GRAFT_WINOGRAD_4x4, GRAFT_WINOGRAD_4x4}},
    {.name = "stem 5", .kernel = 7, .stride = 2, .depth = true, .taps = 4,
     .sets = 8,
     .g = {{1}, {-2. / 9, -2. / 9, -2. / 9, -2. / 9},
           {-2. / 9, 2. / 9, -2. / 9, 2. / 9},
           {1. / 90, 1. / 45, 2. / 45, 4. / 45},
           {1. / 90, -1. / 45, 2. / 45, -4. / 45}, {0, 0, 0, 1},
           {32. / 45, 16. / 45, 8. / 45, 4. / 45},
           {32. / 45, -16. / 45, 8. / 45, -4. / 45}},
     .set = {0, 1, 2, 3, 4, 5, 6, 7},
     .tile = {GRAFT_WINOGRAD_5x4, GRAFT_WINOGRAD_4x4of5}},
    {.name = NULL}};

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

struct graft_winograd_axis
graft_winograd_tile_axis(const char *name, int64_t size)
{
    const struct graft_winograd_family *f = graft_winograd_families;
    while (f->name && strcmp(f->name, name) != 0)
        f++;
    struct graft_winograd_axis best = {.family = f->name ? f : NULL};
    if (!f->name)
        return best;
    int big = graft_winograd_outputs[f->tile[0]];
    int small = graft_winograd_outputs[f->tile[1]];
    int64_t slots = INT64_MAX;
    for (int64_t n = ceil_div(size, big); n >= 0; n--) {
        int64_t rest = size - n * big > 0 ? ceil_div(size - n * big, small)
                                          : 0;
        int64_t sum = n * graft_winograd_slots[f->tile[0]] +
                      rest * graft_winograd_slots[f->tile[1]];
        if (sum < slots) {
            slots = sum;
            best.big = n;
            best.small = rest;
        }
    }
    return best;
}
