/* Gradients of rows that passes insert: Channels, Copy, Reorder, in and
 * between all layouts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"
#include "support/op_case.h"

#define MAP(n, c) OP_X(OP_DIMS(n, c, 3, 2))

/* ---- Channels ------------------------------------------------------------ */

static struct graft_channel_source first[40], second[17];

/* Some channels nowhere, some twice in one output, some in both. */
TEST(program_internal_rows__gradient_of_channels)
{
    struct graft_channel_source *source[] = {first, second};
    struct graft_channel_args args = {source};
    for (int c = 0; c < 40; c++)
        first[c] = (struct graft_channel_source){c % 3 == 0,
                                                 (c * 7 + 1) % 18};
    for (int c = 0; c < 17; c++)
        second[c] = (struct graft_channel_source){0, 16 - c};
    op_case_gradient(.op = "Channels", .row = &graft_row_channels,
                     .args = &args, .n_max = 2,
                     .in = {MAP(2, 22), MAP(2, 18)},
                     .out = {MAP(2, 40), MAP(2, 17)});
    op_case_gradient(.op = "Channels", .row = &graft_row_channels,
                     .args = &args, .n_max = 2,
                     .in = {MAP(2, 22), MAP(2, 18)},
                     .out = {MAP(2, 40), OP_NONE});
}

/* ---- Copy and Reorder ---------------------------------------------------- */

static enum graft_layout from, to;

static int plan(struct graft_plan *p)
{
    p->in_layout[0] = from;
    p->out_layout[0] = to;
    return GRAFT_OK;
}

TEST(program_internal_rows__gradient_of_reorders)
{
    static const int64_t channels[] = {1, 3, 16, 17, 40};
    struct graft_op row = graft_row_reorder;
    row.plan = plan;
    for (int i = 0; i < GRAFT_LAYOUT_COUNT * GRAFT_LAYOUT_COUNT; i++)
        for (int k = 0; k < 5; k++) {
            int64_t c = channels[k];
            from = (enum graft_layout)(i / GRAFT_LAYOUT_COUNT);
            to = (enum graft_layout)(i % GRAFT_LAYOUT_COUNT);
            op_case_gradient(.op = "Reorder", .row = &row, .n_max = 3,
                             .in = {OP_X(OP_DIMS(3, c, 5, 7))},
                             .out = {OP_Y(OP_DIMS(3, c, 5, 7))});
        }
}

TEST(program_internal_rows__gradient_of_copies)
{
    op_case_gradient(.op = "Copy", .row = &graft_row_copy, .n_max = 2,
                     .in = {OP_X(OP_DIMS(2, 17, 3, 2))},
                     .out = {OP_Y(OP_DIMS(2, 17, 3, 2))});
    op_case_gradient(.op = "Copy", .row = &graft_row_copy,
                     .in = {OP_F(.rank = 0)}, .out = {OP_Y(.rank = 0)});
}
