/* Elements of tensors as numbers: one reader for each type, at any address.
 * Layouts of small floats: IEEE 754 (float16), bfloat16, OCP 8-bit floats
 * (E4M3, E5M2), the FNUZ variants without infinities and negative zero, and
 * OCP microscaling formats (E8M0, E2M3, E3M2, E2M1).
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/graph.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "tensor/dtype.h"

/* ---- bits ---------------------------------------------------------------- */

/* `bits` bits of element i; elements below 8 bits are packed from the lowest
 * bit on, and one of 6 bits may straddle two bytes. */
static uint64_t bits_at(const uint8_t *data, int64_t i, int bits)
{
    uint64_t x = 0;
    if (bits >= 8) {
        memcpy(&x, data + (size_t)i * (size_t)(bits / 8), (size_t)bits / 8);
        return x;
    }
    for (int k = 0; k < bits; k++) {
        size_t bit = (size_t)i * (size_t)bits + (size_t)k;
        x |= (uint64_t)(data[bit / 8] >> bit % 8 & 1) << k;
    }
    return x;
}

static int64_t signed_of(uint64_t x, int bits)
{
    const uint64_t sign = UINT64_C(1) << (bits - 1);
    return (int64_t)((x ^ sign) - sign); /* two's complement */
}

/* ---- floats -------------------------------------------------------------- */

/* A format by its exponent and fraction bits. What its largest codes mean
 * differs: infinity and NaN as in IEEE, NaN for all ones only, or (FNUZ) NaN
 * for what would be negative zero. */
enum special { IEEE, ALL_ONES, NEGATIVE_ZERO, FINITE };
struct format {
    int exponent, fraction, bias;
    enum special special;
};

static double float_of(uint64_t x, const struct format *f)
{
    const uint64_t top = (UINT64_C(1) << f->exponent) - 1;
    const uint64_t ones = (UINT64_C(1) << f->fraction) - 1;
    const uint64_t e = x >> f->fraction & top, m = x & ones;
    const bool negative = x >> (f->exponent + f->fraction) & 1;
    double y;
    if (f->special == NEGATIVE_ZERO && negative && !e && !m)
        return (double)NAN;
    if (f->special == ALL_ONES && e == top && m == ones)
        return (double)NAN;
    if (f->special == IEEE && e == top)
        y = m ? (double)NAN : (double)INFINITY;
    else if (e)
        y = ldexp((double)(m + ones + 1), (int)e - f->bias - f->fraction);
    else
        y = ldexp((double)m, 1 - f->bias - f->fraction);
    return negative ? -y : y;
}

static const struct format formats[GRAFT_DTYPE_COUNT] = {
    [GRAFT_FLOAT16] = {5, 10, 15, IEEE},
    [GRAFT_BFLOAT16] = {8, 7, 127, IEEE},
    [GRAFT_FLOAT8E4M3FN] = {4, 3, 7, ALL_ONES},
    [GRAFT_FLOAT8E4M3FNUZ] = {4, 3, 8, NEGATIVE_ZERO},
    [GRAFT_FLOAT8E5M2] = {5, 2, 15, IEEE},
    [GRAFT_FLOAT8E5M2FNUZ] = {5, 2, 16, NEGATIVE_ZERO},
    [GRAFT_FLOAT4E2M1] = {2, 1, 1, FINITE},
    [GRAFT_FLOAT6E2M3] = {2, 3, 1, FINITE},
    [GRAFT_FLOAT6E3M2] = {3, 2, 3, FINITE},
};

/* ---- one function for each sort of type ---------------------------------- */

typedef double reader(uint64_t bits, int dtype);

static double of_unsigned(uint64_t x, int dtype)
{
    (void)dtype;
    return (double)x;
}

static double of_signed(uint64_t x, int dtype)
{
    return (double)signed_of(x, graft_dtype_bits(dtype));
}

static double of_small_float(uint64_t x, int dtype)
{
    return float_of(x, &formats[dtype]);
}

static double of_float(uint64_t x, int dtype)
{
    uint32_t low = (uint32_t)x;
    float y;
    (void)dtype;
    memcpy(&y, &low, sizeof y);
    return (double)y;
}

static double of_double(uint64_t x, int dtype)
{
    double y;
    (void)dtype;
    memcpy(&y, &x, sizeof y);
    return y;
}

/* A power of two and nothing else; all ones is NaN. */
static double of_exponent(uint64_t x, int dtype)
{
    (void)dtype;
    return x == 0xff ? (double)NAN : ldexp(1, (int)x - 127);
}

static reader *const readers[GRAFT_DTYPE_COUNT] = {
    [GRAFT_FLOAT] = of_float, [GRAFT_DOUBLE] = of_double,
    [GRAFT_FLOAT16] = of_small_float, [GRAFT_BFLOAT16] = of_small_float,
    [GRAFT_FLOAT8E4M3FN] = of_small_float,
    [GRAFT_FLOAT8E4M3FNUZ] = of_small_float,
    [GRAFT_FLOAT8E5M2] = of_small_float,
    [GRAFT_FLOAT8E5M2FNUZ] = of_small_float,
    [GRAFT_FLOAT4E2M1] = of_small_float,
    [GRAFT_FLOAT6E2M3] = of_small_float,
    [GRAFT_FLOAT6E3M2] = of_small_float, [GRAFT_FLOAT8E8M0] = of_exponent,
    [GRAFT_UINT8] = of_unsigned, [GRAFT_UINT16] = of_unsigned,
    [GRAFT_UINT32] = of_unsigned, [GRAFT_UINT64] = of_unsigned,
    [GRAFT_BOOL] = of_unsigned, [GRAFT_UINT4] = of_unsigned,
    [GRAFT_UINT2] = of_unsigned, [GRAFT_INT8] = of_signed,
    [GRAFT_INT16] = of_signed, [GRAFT_INT32] = of_signed,
    [GRAFT_INT64] = of_signed, [GRAFT_INT4] = of_signed,
    [GRAFT_INT2] = of_signed,
};

/* ---- reading ------------------------------------------------------------- */

static int check(const struct graft_tensor_info *t, int64_t first, int64_t n,
                 bool integers)
{
    reader *r = t->dtype > 0 && t->dtype < GRAFT_DTYPE_COUNT
                    ? readers[t->dtype] : NULL;
    bool is_int = r == of_unsigned || r == of_signed;
    if (t->why)
        return graft_fail(GRAFT_EUNSUPPORTED, "tensor '%s': %s", t->name,
                          t->why);
    if (!r || !t->data || (integers && !is_int))
        return graft_fail(GRAFT_EUNSUPPORTED, "tensor '%s' holds %s, not %s",
                          t->name, t->dtype_name,
                          integers ? "integers" : "numbers");
    if (first < 0 || n < 0 || first > t->count || n > t->count - first)
        return graft_fail(GRAFT_EARG, "tensor '%s' has %lld elements; %lld "
                          "from number %lld on are not all there", t->name,
                          (long long)t->count, (long long)n,
                          (long long)first);
    return GRAFT_OK;
}

int graft_tensor_read(const struct graft_tensor_info *t, int64_t first,
                      int64_t n, double *to)
{
    int status = check(t, first, n, false);
    if (status)
        return status;
    const int bits = graft_dtype_bits(t->dtype);
    reader *element = readers[t->dtype];
    for (int64_t i = 0; i < n; i++)
        to[i] = element(bits_at(t->data, first + i, bits), t->dtype);
    return GRAFT_OK;
}

int graft_tensor_read_ints(const struct graft_tensor_info *t, int64_t first,
                           int64_t n, int64_t *to)
{
    int status = check(t, first, n, true);
    if (status)
        return status;
    const int bits = graft_dtype_bits(t->dtype);
    const bool is_signed = readers[t->dtype] == of_signed;
    for (int64_t i = 0; i < n; i++) {
        uint64_t x = bits_at(t->data, first + i, bits);
        to[i] = is_signed ? signed_of(x, bits) : (int64_t)x;
    }
    return GRAFT_OK;
}
