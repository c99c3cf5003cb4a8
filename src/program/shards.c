/* Gradients of shards, added up in the order of the shards where backward
 * writes them: only what reaches parameters is added to, and brought to the
 * parameters' own layout after the last one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

void graft_program_accumulate(struct graft_program *p, real *flat, bool first,
                              bool last)
{
    p->more = !first;
    graft_program_backward(p);
    p->more = false;
    if (last)
        graft_program_finish(p, flat);
}
