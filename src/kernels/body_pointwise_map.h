/* Unary and binary arithmetic: each is a loop (map, map2, ...) around a
 * formula that the compiler inlines.
 * SPDX-License-Identifier: Apache-2.0 */

#ifdef GRAFT_REAL_DOUBLE
#define LIBM(name) name
#else
#define LIBM(name) name##f
#endif

/* ---- unary --------------------------------------------------------------- */

static ALWAYS_INLINE void map(int64_t n, const real *x, real *y,
                              real (*f)(real))
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        y[i] = f(x[i]);
}

static ALWAYS_INLINE real f_neg(real x) { return -x; }
static ALWAYS_INLINE real f_abs(real x) { return LIBM(fabs)(x); }
static ALWAYS_INLINE real f_sqrt(real x) { return LIBM(sqrt)(x); }
static ALWAYS_INLINE real f_log(real x) { return LIBM(log)(x); }
static ALWAYS_INLINE real f_erf(real x) { return LIBM(erf)(x); }
static ALWAYS_INLINE real f_tanh(real x) { return LIBM(tanh)(x); }
static ALWAYS_INLINE real f_inverse(real x) { return 1 / x; }
static ALWAYS_INLINE real f_floor(real x) { return LIBM(floor)(x); }
static ALWAYS_INLINE real f_ceil(real x) { return LIBM(ceil)(x); }

static void u_neg(int64_t n, const real *x, real *y) { map(n, x, y, f_neg); }
static void u_abs(int64_t n, const real *x, real *y) { map(n, x, y, f_abs); }
static void u_sqrt(int64_t n, const real *x, real *y) { map(n, x, y, f_sqrt); }
static void u_exp(int64_t n, const real *x, real *y) { map(n, x, y, exp_of); }
static void u_log(int64_t n, const real *x, real *y) { map(n, x, y, f_log); }
static void u_erf(int64_t n, const real *x, real *y) { map(n, x, y, f_erf); }
static void u_tanh(int64_t n, const real *x, real *y) { map(n, x, y, f_tanh); }
static void u_inverse(int64_t n, const real *x, real *y)
{
    map(n, x, y, f_inverse);
}
static void u_floor(int64_t n, const real *x, real *y)
{
    map(n, x, y, f_floor);
}
static void u_ceil(int64_t n, const real *x, real *y) { map(n, x, y, f_ceil); }

/* f: the derivative from s (input or output). */
static ALWAYS_INLINE void map_back(int64_t n, const real *s, const real *dy,
                                   real *dx, real (*f)(real))
{
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * f(s[i]);
}

static ALWAYS_INLINE real d_neg(real y) { (void)y; return -1; }
static ALWAYS_INLINE real d_abs(real x)
{
    return (real)((x > 0) - (x < 0)); /* 0 at 0 */
}
static ALWAYS_INLINE real d_sqrt(real y) { return (real)0.5 / y; }
static ALWAYS_INLINE real d_exp(real y) { return y; }
static ALWAYS_INLINE real d_erf(real x) /* 2 / sqrt(pi) exp(-x^2) */
{
    return (real)1.12837916709551257390 * exp_of(-x * x);
}
static ALWAYS_INLINE real d_tanh(real y) { return 1 - y * y; }
static ALWAYS_INLINE real d_inverse(real y) { return -y * y; }

static void ub_neg(int64_t n, const real *s, const real *dy, real *dx)
{
    map_back(n, s, dy, dx, d_neg);
}
static void ub_abs(int64_t n, const real *s, const real *dy, real *dx)
{
    map_back(n, s, dy, dx, d_abs);
}
static void ub_sqrt(int64_t n, const real *s, const real *dy, real *dx)
{
    map_back(n, s, dy, dx, d_sqrt);
}
static void ub_exp(int64_t n, const real *s, const real *dy, real *dx)
{
    map_back(n, s, dy, dx, d_exp);
}
static void ub_log(int64_t n, const real *s, const real *dy, real *dx)
{
    map_back(n, s, dy, dx, f_inverse);
}
static void ub_erf(int64_t n, const real *s, const real *dy, real *dx)
{
    map_back(n, s, dy, dx, d_erf);
}
static void ub_tanh(int64_t n, const real *s, const real *dy, real *dx)
{
    map_back(n, s, dy, dx, d_tanh);
}
static void ub_inverse(int64_t n, const real *s, const real *dy, real *dx)
{
    map_back(n, s, dy, dx, d_inverse);
}

#define UNARY_FUNCTIONS                                                     \
    {                                                                       \
        [GRAFT_NEG] = u_neg, [GRAFT_ABS] = u_abs, [GRAFT_SQRT] = u_sqrt,    \
        [GRAFT_EXP] = u_exp, [GRAFT_LOG] = u_log, [GRAFT_ERF] = u_erf,      \
        [GRAFT_TANH] = u_tanh, [GRAFT_RECIPROCAL] = u_inverse,              \
        [GRAFT_FLOOR] = u_floor, [GRAFT_CEIL] = u_ceil                      \
    }
#define UNARY_BACK_FUNCTIONS                                                \
    {                                                                       \
        [GRAFT_NEG] = ub_neg, [GRAFT_ABS] = ub_abs, [GRAFT_SQRT] = ub_sqrt, \
        [GRAFT_EXP] = ub_exp, [GRAFT_LOG] = ub_log, [GRAFT_ERF] = ub_erf,   \
        [GRAFT_TANH] = ub_tanh, [GRAFT_RECIPROCAL] = ub_inverse             \
    }

/* ---- binary -------------------------------------------------------------- */

static ALWAYS_INLINE void map2(int64_t n, struct graft_operand a,
                               struct graft_operand b, real *y,
                               real (*f)(real, real))
{
    if (!a.one && !b.one) {
        SAME_OR_APART
        for (int64_t i = 0; i < n; i++)
            y[i] = f(a.at[i], b.at[i]);
    } else if (!a.one) {
        const real one = b.at[0];
        SAME_OR_APART
        for (int64_t i = 0; i < n; i++)
            y[i] = f(a.at[i], one);
    } else {
        const real one = a.at[0];
        const int64_t step = !b.one;
        SAME_OR_APART
        for (int64_t i = 0; i < n; i++)
            y[i] = f(one, b.at[i * step]);
    }
}

static ALWAYS_INLINE real f_add(real a, real b) { return a + b; }
static ALWAYS_INLINE real f_sub(real a, real b) { return a - b; }
static ALWAYS_INLINE real f_mul(real a, real b) { return a * b; }
static ALWAYS_INLINE real f_div(real a, real b) { return a / b; }
static ALWAYS_INLINE real f_max(real a, real b)
{
    return ((a > b) | (a != a)) ? a : b;
}
static ALWAYS_INLINE real f_min(real a, real b)
{
    return ((a < b) | (a != a)) ? a : b;
}

static void b_add(int64_t n, struct graft_operand a, struct graft_operand b,
                  real *y)
{
    map2(n, a, b, y, f_add);
}
static void b_sub(int64_t n, struct graft_operand a, struct graft_operand b,
                  real *y)
{
    map2(n, a, b, y, f_sub);
}
static void b_mul(int64_t n, struct graft_operand a, struct graft_operand b,
                  real *y)
{
    map2(n, a, b, y, f_mul);
}
static void b_div(int64_t n, struct graft_operand a, struct graft_operand b,
                  real *y)
{
    map2(n, a, b, y, f_div);
}
static void b_max(int64_t n, struct graft_operand a, struct graft_operand b,
                  real *y)
{
    map2(n, a, b, y, f_max);
}
static void b_min(int64_t n, struct graft_operand a, struct graft_operand b,
                  real *y)
{
    map2(n, a, b, y, f_min);
}
/* Squares are what networks ask for most. */
static void b_pow(int64_t n, struct graft_operand a, struct graft_operand b,
                  real *y)
{
    if (b.one && b.at[0] == 2)
        b_mul(n, a, a, y);
    else
        map2(n, a, b, y, LIBM(pow));
}

/* g[i] = dy[i] f(a[i], b[i]) */
static ALWAYS_INLINE void map2_back(int64_t n, const real *dy,
                                    struct graft_operand a,
                                    struct graft_operand b, real *g,
                                    real (*f)(real, real))
{
    const int64_t sa = !a.one, sb = !b.one;
    SAME_OR_APART
    for (int64_t i = 0; i < n; i++)
        g[i] = dy[i] * f(a.at[i * sa], b.at[i * sb]);
}

static ALWAYS_INLINE real take_second(real a, real b) { (void)a; return b; }
static ALWAYS_INLINE real take_first(real a, real b) { (void)b; return a; }
static ALWAYS_INLINE real div_a(real a, real b) { (void)a; return 1 / b; }
static ALWAYS_INLINE real div_b(real a, real b) { return -a / (b * b); }
static ALWAYS_INLINE real pow_a(real a, real b)
{
    return b == 0 ? 0 : b * LIBM(pow)(a, b - 1);
}

static ALWAYS_INLINE real square_a(real a, real b) { return a * b; }
/* a^b log(a); 0 at a = 0, as in PyTorch for b >= 0 */
static ALWAYS_INLINE real pow_b(real a, real b)
{
    return a == 0 && b >= 0 ? 0 : LIBM(pow)(a, b) * LIBM(log)(a);
}

static void bb_same(int64_t n, const real *dy, struct graft_operand a,
                    struct graft_operand b, real *g)
{
    (void)a, (void)b;
    if (g != dy)
        memcpy(g, dy, (size_t)n * sizeof *g);
}
static void bb_minus(int64_t n, const real *dy, struct graft_operand a,
                     struct graft_operand b, real *g)
{
    (void)a, (void)b;
    map(n, dy, g, f_neg);
}
static void bb_mul_a(int64_t n, const real *dy, struct graft_operand a,
                     struct graft_operand b, real *g)
{
    map2_back(n, dy, a, b, g, take_second);
}
static void bb_mul_b(int64_t n, const real *dy, struct graft_operand a,
                     struct graft_operand b, real *g)
{
    map2_back(n, dy, a, b, g, take_first);
}
static void bb_div_a(int64_t n, const real *dy, struct graft_operand a,
                     struct graft_operand b, real *g)
{
    map2_back(n, dy, a, b, g, div_a);
}
static void bb_div_b(int64_t n, const real *dy, struct graft_operand a,
                     struct graft_operand b, real *g)
{
    map2_back(n, dy, a, b, g, div_b);
}
static void bb_pow_a(int64_t n, const real *dy, struct graft_operand a,
                     struct graft_operand b, real *g)
{
    if (b.one && b.at[0] == 2)
        map2_back(n, dy, a, b, g, square_a);
    else
        map2_back(n, dy, a, b, g, pow_a);
}
static void bb_pow_b(int64_t n, const real *dy, struct graft_operand a,
                     struct graft_operand b, real *g)
{
    map2_back(n, dy, a, b, g, pow_b);
}

#define BINARY_FUNCTIONS                                                    \
    {                                                                       \
        [GRAFT_ADD2] = b_add, [GRAFT_SUB2] = b_sub, [GRAFT_MUL2] = b_mul,   \
        [GRAFT_DIV2] = b_div, [GRAFT_MAX2] = b_max, [GRAFT_MIN2] = b_min,   \
        [GRAFT_POW2] = b_pow                                                \
    }
#define BINARY_BACK_FUNCTIONS                                               \
    {                                                                       \
        [GRAFT_ADD2] = {bb_same, bb_same},                                  \
        [GRAFT_SUB2] = {bb_same, bb_minus},                                 \
        [GRAFT_MUL2] = {bb_mul_a, bb_mul_b},                                \
        [GRAFT_DIV2] = {bb_div_a, bb_div_b},                                \
        [GRAFT_POW2] = {bb_pow_a, bb_pow_b}                                 \
    }
