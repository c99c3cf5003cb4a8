/* float16 and back, by bits: the same on every machine.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tensor/half.h"

#include <string.h>

float graft_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = h >> 10 & 31, mantissa = h & 0x3ff;
    uint32_t bits;
    if (exponent == 0) { /* zero and subnormals: mantissa * 2^-24 */
        float f = (float)mantissa * 0x1p-24f;
        memcpy(&bits, &f, sizeof bits);
        bits |= sign;
    } else if (exponent == 31) { /* infinity and NaN */
        bits = sign | 0x7f800000u | mantissa << 13;
    } else {
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    }
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* x >> by, rounded to nearest, ties to even; 1 <= by <= 31. */
static uint32_t shift_rounded(uint32_t x, int by)
{
    uint32_t kept = x >> by, lost = x & ((UINT32_C(1) << by) - 1);
    uint32_t half = UINT32_C(1) << (by - 1);
    return kept + (lost > half || (lost == half && (kept & 1)));
}

/* Rounding may carry into the exponent, which is then right as it is: the
 * largest subnormal becomes the smallest normal number, 65504 infinity. */
uint16_t graft_half_of_float(float x)
{
    uint32_t bits, half;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    int exponent = (int)(rest >> 23) - 112; /* as float16 would have it */
    if (rest > 0x7f800000)
        half = 0x7e00 | (rest >> 13 & 0x3ff); /* a quiet NaN */
    else if (exponent >= 31)
        half = 0x7c00;
    else if (exponent >= 1)
        half = shift_rounded(rest - (UINT32_C(112) << 23), 13);
    else if (exponent >= -10) /* subnormal: the hidden bit shows */
        half = shift_rounded((rest & 0x7fffff) | 0x800000, 14 - exponent);
    else
        half = 0;
    return (uint16_t)(sign | half);
}
