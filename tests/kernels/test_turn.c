/* Transposition: rows that become columns, beside plain loops.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "test.h"

TEST(kernels_turn__rows_become_columns)
{
    enum { MOST = 40, GAP = GRAFT_TURN_GAP };
    real from[MOST * MOST + GAP], to[MOST * MOST];
    for (int64_t i = 0; i < MOST * MOST + GAP; i++)
        from[i] = (real)i;
    for (int isa = 0; isa <= (int)graft_runtime_or_default(NULL)->isa; isa++) {
        const struct graft_kernels *k = graft_kernels_for(
            (enum graft_isa)isa);
        for (int64_t rows = 1; rows <= MOST; rows += 1 + rows / 5)
            for (int64_t columns = 1; columns <= MOST; columns++) {
                memset(to, 0xff, sizeof to);
                k->turn(to, MOST, from, columns, rows, columns);
                for (int64_t i = 0; i < MOST * MOST; i++) {
                    int64_t c = i / MOST, r = i % MOST;
                    bool written = c < columns && r < rows;
                    if (written ? to[i] != from[r * columns + c]
                                : !isnan(to[i]))
                        fail_msg("isa %d, %ld x %ld: row %ld, column %ld is "
                                 "%g", isa, (long)rows, (long)columns,
                                 (long)r, (long)c, (double)to[i]);
                }
            }
    }
}
