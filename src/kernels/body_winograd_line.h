/* Winograd's transforms along one axis, on vectors of channels: wino_in_T
 * makes the slots of tile T from its inputs (v = B d), wino_out_T the outputs
 * from the products (y = A m). Row i of B holds the coefficients of the
 * product of (x - p) over all points p but the slot's own, times what the
 * shared G leaves over; row r of A the points to the power r. Both are
 * written as sums and differences of even and odd parts, since points come in
 * pairs p, -p.
 *
 * Order of the slots: winograd.h. Infinity stands for the highest power.
 * SPDX-License-Identifier: Apache-2.0 */

/* ---- points 0 1 -1 inf --------------------------------------------------- */

CONV_INLINE void wino_in_2x3(const conv_vec *d, conv_vec *v)
{
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
}

CONV_INLINE void wino_out_2x3(const conv_vec *m, conv_vec *y)
{
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] + m[3];
}

/* ---- points 0 1 -1 2 inf -2 ---------------------------------------------- */

/* points 0 1 -1 2 -2 inf, from v[0] on in this order */
CONV_INLINE void wino_in_six(const conv_vec *d, conv_vec *v)
{
    conv_vec a = d[4] - 4 * d[2], b = d[3] - 4 * d[1];
    conv_vec e = d[4] - d[2], f = 2 * (d[3] - d[1]);
    v[0] = 4 * d[0] + (d[4] - 5 * d[2]);
    v[1] = a + b;
    v[2] = a - b;
    v[3] = e + f;
    v[4] = e - f;
    v[5] = 4 * d[1] + (d[5] - 5 * d[3]);
}

CONV_INLINE void wino_in_4x3(const conv_vec *d, conv_vec *v)
{
    wino_in_six(d, v);
    conv_vec last = v[4];
    v[4] = v[5];
    v[5] = last;
}

/* outputs 0 .. 3 of points 0 1 -1 2 -2; the highest is to be added to y[3] */
CONV_INLINE void wino_out_five(conv_vec zero, conv_vec one, conv_vec minus_one,
                               conv_vec two, conv_vec minus_two, conv_vec *y)
{
    conv_vec s = one + minus_one, d = one - minus_one;
    conv_vec s2 = two + minus_two, d2 = two - minus_two;
    y[0] = zero + s + s2;
    y[1] = 2 * d2 + d;
    y[2] = 4 * s2 + s;
    y[3] = 8 * d2 + d;
}

CONV_INLINE void wino_out_4x3(const conv_vec *m, conv_vec *y)
{
    wino_out_five(m[0], m[1], m[2], m[3], m[5], y);
    y[3] += m[4];
}

CONV_INLINE void wino_in_3x3of4(const conv_vec *d, conv_vec *v)
{
    conv_vec b = d[3] - d[1];
    v[0] = 4 * (d[0] - d[2]) + 2 * b;
    v[1] = 3 * (d[3] - 2 * d[1] - d[2]);
    v[2] = 2 * d[1] + (d[3] - 3 * d[2]);
    v[3] = 4 * b;
    v[4] = (d[4] - d[2]) - 2 * b;
}

CONV_INLINE void wino_out_3x3of4(const conv_vec *m, conv_vec *y)
{
    conv_vec s = m[1] + m[2], d = m[1] - m[2];
    y[0] = m[0] + s + m[3];
    y[1] = 2 * m[3] + d;
    y[2] = 4 * m[3] + s + m[4];
}

/* ---- points 0 1 -1 2 -2 inf 1/2 ------------------------------------------ */

/* (x - 1/2) times the polynomials without it. */
CONV_INLINE void wino_in_5x3(const conv_vec *d, conv_vec *v)
{
    conv_vec z[6];
    CONV_UNROLL
    for (int i = 0; i < 6; i++)
        z[i] = d[i + 1] - (real)0.5 * d[i];
    wino_in_six(z, v);
    v[6] = 4 * d[1] + (d[5] - 5 * d[3]);
}

CONV_INLINE void wino_out_5x3(const conv_vec *m, conv_vec *y)
{
    const real half = (real)0.5;
    wino_out_five(m[0], m[1], m[2], m[3], m[4], y);
    y[0] += m[6];
    y[1] += half * m[6];
    y[2] += half * half * m[6];
    y[3] += half * half * half * m[6];
    y[4] = 16 * (m[3] + m[4]) + (m[1] + m[2]) +
           (half * half * half * half * m[6] + m[5]);
}

/* p / (p - 1/2) of what six points have for p; 1 at infinity. */
CONV_INLINE void wino_in_4x3of5(const conv_vec *d, conv_vec *v)
{
    conv_vec a = d[4] - 4 * d[2], b = d[3] - 4 * d[1];
    conv_vec e = d[4] - d[2], f = 2 * (d[3] - d[1]);
    v[0] = (real)-0.5 * (4 * d[0] + (d[4] - 5 * d[2]));
    v[1] = (real)0.5 * (a + b);
    v[2] = (real)-1.5 * (a - b);
    v[3] = (real)1.5 * (e + f);
    v[4] = (real)-2.5 * (e - f);
    v[5] = 4 * d[1] + (d[5] - 5 * d[3]);
}

CONV_INLINE void wino_out_4x3of5(const conv_vec *m, conv_vec *y)
{
    wino_out_five(m[0], m[1], m[2], m[3], m[4], y);
    y[3] += m[5];
}

/* ---- points 0 1 -1 2 -2 inf 1/2 -1/2 ------------------------------------- */

CONV_INLINE void wino_in_6x3(const conv_vec *d, conv_vec *v)
{
    const real quarter = (real)0.25, half = (real)0.5;
    v[0] = (real)5.25 * (d[4] - d[2]) + (d[0] - d[6]);
    v[5] = (real)5.25 * (d[3] - d[5]) + (d[7] - d[1]);
    conv_vec a = (d[6] + d[2]) - (real)4.25 * d[4];
    conv_vec b = (d[5] + d[1]) - (real)4.25 * d[3];
    v[1] = a + b;
    v[2] = a - b;
    a = quarter * d[2] + (d[6] - (real)1.25 * d[4]);
    b = 2 * d[5] + (half * d[1] - (real)2.5 * d[3]);
    v[3] = a + b;
    v[4] = a - b;
    a = 4 * d[2] + (d[6] - 5 * d[4]);
    b = 2 * d[1] + (half * d[5] - (real)2.5 * d[3]);
    v[6] = a + b;
    v[7] = a - b;
}

CONV_INLINE void wino_out_6x3(const conv_vec *m, conv_vec *y)
{
    conv_vec s = m[1] + m[2], d = m[1] - m[2];
    conv_vec s2 = m[3] + m[4], d2 = m[3] - m[4];
    conv_vec sh = m[6] + m[7], dh = m[6] - m[7];
    y[0] = (m[0] + s) + (s2 + sh);
    y[1] = 2 * d2 + ((real)0.5 * dh + d);
    y[2] = 4 * s2 + ((real)0.25 * sh + s);
    y[3] = 8 * d2 + ((real)0.125 * dh + d);
    y[4] = 16 * s2 + ((real)0.0625 * sh + s);
    y[5] = 32 * d2 + ((real)0.03125 * dh + (d + m[5]));
}

CONV_INLINE void wino_in_4x3of6(const conv_vec *d, conv_vec *v)
{
    v[0] = (real)0.25 * d[4] + (d[0] - (real)1.25 * d[2]);
    conv_vec a = (real)0.75 * d[4] - 3 * d[2];
    conv_vec b = (real)0.75 * d[3] - 3 * d[1];
    v[1] = a + b;
    v[2] = a - b;
    a = (real)3.75 * (d[4] - d[2]);
    b = (real)7.5 * (d[3] - d[1]);
    v[3] = a + b;
    v[4] = a - b;
    v[5] = 4 * d[1] + (d[5] - 5 * d[3]);
}

CONV_INLINE void wino_out_4x3of6(const conv_vec *m, conv_vec *y)
{
    wino_out_4x3of5(m, y);
}

/* ---- stride 2 ------------------------------------------------------------ */

/* Taps 0 and 2 meet every other input, d0 d2 .. : two taps of stride 1, by
 * points 0 1 -1 2 inf. Tap 1 meets the inputs between, d1 d3 .. , one each,
 * and its products are added to the outputs. */
CONV_INLINE void wino_in_4by2(const conv_vec *d, conv_vec *v)
{
    conv_vec b = d[6] - d[2];
    v[0] = 2 * (d[0] - d[4]) + b;
    v[1] = d[6] - d[4] - 2 * d[2];
    v[2] = 2 * d[2] + (d[6] - 3 * d[4]);
    v[3] = (d[8] - d[4]) - 2 * b;
    v[4] = d[1];
    v[5] = d[3];
    v[6] = d[5];
    v[7] = b;
    v[8] = d[7];
}

CONV_INLINE void wino_out_4by2(const conv_vec *m, conv_vec *y)
{
    conv_vec s = m[1] + m[2], d = m[1] - m[2];
    y[0] = (m[0] + s + m[7]) + m[4];
    y[1] = (2 * m[7] + d) + m[5];
    y[2] = (4 * m[7] + s) + m[6];
    y[3] = (8 * m[7] + d + m[3]) + m[8];
}

CONV_INLINE void wino_in_3by2(const conv_vec *d, conv_vec *v)
{
    v[0] = 2 * (d[0] - d[4]);
    v[1] = -(d[2] + d[4]);
    v[2] = 3 * (d[2] - d[4]);
    v[3] = d[6] - d[2];
    v[4] = d[1];
    v[5] = d[3];
    v[6] = d[5];
}

CONV_INLINE void wino_out_3by2(const conv_vec *m, conv_vec *y)
{
    conv_vec s = m[1] + m[2], d = m[1] - m[2];
    y[0] = m[0] + s + m[4];
    y[1] = d + m[5];
    y[2] = s + m[3] + m[6];
}

/* ---- four taps ----------------------------------------------------------- */

CONV_INLINE void wino_in_4x4(const conv_vec *d, conv_vec *v)
{
    wino_in_5x3(d, v);
}

CONV_INLINE void wino_out_4x4(const conv_vec *m, conv_vec *y)
{
    const real half = (real)0.5;
    wino_out_five(m[0], m[1], m[2], m[3], m[4], y);
    y[0] += m[6];
    y[1] += half * m[6];
    y[2] += half * half * m[6];
    y[3] += half * half * half * m[6] + m[5];
}

CONV_INLINE void wino_in_5x4(const conv_vec *d, conv_vec *v)
{
    wino_in_6x3(d, v);
}

CONV_INLINE void wino_out_5x4(const conv_vec *m, conv_vec *y)
{
    conv_vec s = m[1] + m[2], d = m[1] - m[2];
    conv_vec s2 = m[3] + m[4], d2 = m[3] - m[4];
    conv_vec sh = m[6] + m[7], dh = m[6] - m[7];
    y[0] = (m[0] + s) + (s2 + sh);
    y[1] = 2 * d2 + ((real)0.5 * dh + d);
    y[2] = 4 * s2 + ((real)0.25 * sh + s);
    y[3] = 8 * d2 + ((real)0.125 * dh + d);
    y[4] = 16 * s2 + ((real)0.0625 * sh + (s + m[5]));
}

/* p + 1/2 times what seven points have for p, 0 negated; 1 at infinity. */
CONV_INLINE void wino_in_4x4of5(const conv_vec *d, conv_vec *v)
{
    wino_in_5x3(d, v);
    v[0] *= (real)-0.5;
    v[1] *= (real)1.5;
    v[2] *= (real)-0.5;
    v[3] *= (real)2.5;
    v[4] *= (real)-1.5;
}

CONV_INLINE void wino_out_4x4of5(const conv_vec *m, conv_vec *y)
{
    wino_out_4x4(m, y);
}
