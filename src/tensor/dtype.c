/* Tables of element types and layouts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tensor/dtype.h"

#include <stdio.h>

#include "tensor/view.h"

static const struct {
    const char *text;
    int bits;
} rows[GRAFT_DTYPE_COUNT] = {
#define ROW(name, number, text, bits) [number] = {text, bits},
    GRAFT_DTYPE_LIST(ROW)
#undef ROW
};

static int known(int dtype)
{
    return dtype >= 0 && dtype < GRAFT_DTYPE_COUNT;
}

const char *graft_dtype_name(int dtype)
{
    static _Thread_local char unknown[32];
    if (known(dtype))
        return rows[dtype].text;
    snprintf(unknown, sizeof unknown, "dtype %d", dtype);
    return unknown;
}

int graft_dtype_bits(int dtype)
{
    return known(dtype) ? rows[dtype].bits : 0;
}

size_t graft_dtype_size(int dtype)
{
    int bits = graft_dtype_bits(dtype);
    return bits % 8 ? 0 : (size_t)bits / 8;
}

bool graft_dtype_is_float(int dtype)
{
    return dtype == GRAFT_FLOAT || dtype == GRAFT_FLOAT16 ||
           dtype == GRAFT_BFLOAT16 || dtype == GRAFT_DOUBLE;
}

bool graft_dtype_is_int(int dtype)
{
    return (dtype >= GRAFT_UINT8 && dtype <= GRAFT_INT64) ||
           dtype == GRAFT_BOOL || dtype == GRAFT_UINT32 ||
           dtype == GRAFT_UINT64;
}

const char *graft_layout_name(enum graft_layout l)
{
    static const char *const names[] = {
#define NAME(code, name) name,
        GRAFT_LAYOUT_LIST(NAME)
#undef NAME
    };
    return names[l];
}
