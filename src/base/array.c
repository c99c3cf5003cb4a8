/* Growth of typed arrays.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <limits.h>
#include <stdint.h>

#include "base/status.h"

int graft_array_grow(void **at, int *cap, size_t elem_size)
{
    if (*cap > INT_MAX / 2)
        return graft_fail(GRAFT_ELIMIT, "an array outgrew %d elements", *cap);
    int want = *cap ? *cap * 2 : 8;
    if ((size_t)want > SIZE_MAX / elem_size)
        return graft_fail_mem(SIZE_MAX);
    void *p = graft_realloc(*at, (size_t)want * elem_size);
    if (!p)
        return GRAFT_EMEM;
    *at = p;
    *cap = want;
    return GRAFT_OK;
}
