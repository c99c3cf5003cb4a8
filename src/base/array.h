/* A growing array of any type:
 *
 *     GRAFT_ARRAY(struct point) path = {0};
 *     struct point *p = graft_push(&path);      zeroed; NULL: EMEM is set
 *     if (!p) return GRAFT_EMEM;
 *     ...path.at[i], path.n...
 *     graft_array_release(&path);
 *
 * Pointers to elements die with the next push.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_ARRAY_H
#define GRAFT_BASE_ARRAY_H

#include <stddef.h>

#include "base/alloc.h"

#define GRAFT_ARRAY(type)                                                   \
    struct {                                                                \
        type *at;                                                           \
        int n, cap;                                                         \
    }

#define graft_push(a)                                                       \
    ((a)->n < (a)->cap ||                                                   \
             graft_array_grow((void **)&(a)->at, &(a)->cap,                 \
                              sizeof *(a)->at) == 0                         \
         ? (memset(&(a)->at[(a)->n], 0, sizeof *(a)->at), (a)->n++,         \
            &(a)->at[(a)->n - 1])                                           \
         : NULL)

#define graft_array_release(a)                                              \
    (graft_free((a)->at), (a)->at = NULL, (a)->n = (a)->cap = 0)

/* Doubles the room; 0, or GRAFT_EMEM / GRAFT_ELIMIT (over INT_MAX). */
int graft_array_grow(void **at, int *cap, size_t elem_size);

#include <string.h> /* memset in graft_push */

#endif
