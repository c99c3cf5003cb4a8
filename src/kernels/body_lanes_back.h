/* Bodies of kernels over C16 that undo others: gradients of pooling, of
 * normalisation and of what moves channels. After body_lanes.h.
 * SPDX-License-Identifier: Apache-2.0 */

/* to (+)= v; one vector. */
CONV_INLINE void lanes_put(real *to, conv_vec v, bool add)
{
    conv_store(to, add ? conv_load(to) + v : v);
}

static void lanes_spread(real *to, const real *v, int64_t pixels, bool add)
{
    for (int j = 0; j < LANE_VECS; j++) {
        conv_vec a = conv_load(v + j * CONV_VL);
        for (int64_t p = 0; p < pixels; p++)
            lanes_put(to + p * LANES + j * CONV_VL, a, add);
    }
}

static void lanes_scale(real *dx, const real *dy, int64_t pixels,
                        const real *s, bool add)
{
    for (int j = 0; j < LANE_VECS; j++) {
        conv_vec a = conv_load(s + j * CONV_VL);
        for (int64_t p = 0; p < pixels; p++) {
            int64_t at = p * LANES + j * CONV_VL;
            lanes_put(dx + at, a * conv_load(dy + at), add);
        }
    }
}

static void lanes_moments(real *sum, real *dot, const real *a, const real *x,
                          int64_t pixels, const real *m)
{
    enum { SUMS = 4 };
    for (int j = 0; j < LANE_VECS; j++) {
        conv_vec s[SUMS], d[SUMS], mean = conv_load(m + j * CONV_VL);
        for (int i = 0; i < SUMS; i++)
            s[i] = d[i] = (conv_vec){0};
        a += j * CONV_VL;
        x += j * CONV_VL;
        int64_t p = 0;
        for (; p + SUMS <= pixels; p += SUMS)
            CONV_UNROLL
            for (int i = 0; i < SUMS; i++) {
                conv_vec g = conv_load(a + (p + i) * LANES);
                s[i] += g;
                d[i] += g * (conv_load(x + (p + i) * LANES) - mean);
            }
        for (int i = 0; p + i < pixels; i++) {
            conv_vec g = conv_load(a + (p + i) * LANES);
            s[i] += g;
            d[i] += g * (conv_load(x + (p + i) * LANES) - mean);
        }
        a -= j * CONV_VL;
        x -= j * CONV_VL;
        conv_store(sum + j * CONV_VL, (s[0] + s[1]) + (s[2] + s[3]));
        conv_store(dot + j * CONV_VL, (d[0] + d[1]) + (d[2] + d[3]));
    }
}

/* ---- pooling ------------------------------------------------------------- */

/* Elements that have not yet given their gradient away. */
#if defined(__AVX512F__) && !defined(GRAFT_REAL_DOUBLE)
typedef __mmask16 lanes_open;
CONV_INLINE lanes_open lanes_all(conv_vec y)
{
    (void)y;
    return 0xffff;
}
/* dx += g where x is y, for the first time. */
CONV_INLINE void lanes_first(lanes_open *open, real *dx, const real *x,
                             conv_vec y, conv_vec g)
{
    __m512 old = _mm512_loadu_ps(dx);
    __mmask16 hit = _mm512_mask_cmp_ps_mask(*open, _mm512_loadu_ps(x),
                                            (__m512)y, _CMP_EQ_OQ);
    *open = (__mmask16)(*open ^ hit);
    _mm512_storeu_ps(dx, _mm512_mask_add_ps(old, hit, old, (__m512)g));
}
#else
typedef conv_mask lanes_open;
CONV_INLINE lanes_open lanes_all(conv_vec y)
{
    return y == y;
}
CONV_INLINE void lanes_first(lanes_open *open, real *dx, const real *x,
                             conv_vec y, conv_vec g)
{
    conv_mask hit = (conv_load(x) == y) & *open;
    *open &= ~hit;
    lanes_put(dx, conv_select(hit, g, (conv_vec){0}), true);
}
#endif

/* A maximum's gradient goes to the first element that equals it. */
CONV_INLINE void lanes_max_back(const struct lanes_taps *t, real *dx,
                                const real *x, conv_vec y, conv_vec g)
{
    lanes_open open = lanes_all(y);
    CONV_UNROLL
    for (int64_t ky = t->ky0; ky < t->ky1; ky++)
        CONV_UNROLL
        for (int64_t kx = t->kx0; kx < t->kx1; kx++) {
            int64_t at = ky * t->down + kx * t->across;
            lanes_first(&open, dx + at, x + at, y, g);
        }
}

CONV_INLINE void lanes_mean_back(const struct lanes_taps *t, real *dx,
                                 conv_vec g)
{
    CONV_UNROLL
    for (int64_t ky = t->ky0; ky < t->ky1; ky++)
        CONV_UNROLL
        for (int64_t kx = t->kx0; kx < t->kx1; kx++)
            lanes_put(dx + ky * t->down + kx * t->across, g, true);
}

CONV_INLINE void lanes_row_back(const struct graft_lane_window *w, real *dx,
                                const real *x, const real *y, const real *dy,
                                int64_t row, bool max)
{
    const struct graft_conv *g = w->g;
    struct lanes_taps t = lanes_taps_of(g, row);
    int64_t top = (row * g->stride[1] - g->pad[1]) * g->in[2];
    for (int64_t o = 0; o < g->out[2]; o++) {
        int64_t left = (top + o * g->stride[2] - g->pad[2]) * LANES;
        lanes_inside(g, 2, o, &t.kx0, &t.kx1);
        for (int j = 0; j < LANE_VECS; j++) {
            int64_t at = left + j * CONV_VL, to = o * LANES + j * CONV_VL;
            conv_vec d = conv_load(dy + to);
            if (!max)
                d /= w->count[1][row] * w->count[2][o];
            LANES_TAPS(t, max ? lanes_max_back(&taps, dx + at, x + at,
                                               conv_load(y + to), d)
                              : lanes_mean_back(&taps, dx + at, d));
        }
    }
}

/* Rows of dx are cleared just before the first window that reaches them. */
static void lanes_window_back(const struct graft_lane_window *w, real *dx,
                              const real *x, const real *y, const real *dy,
                              bool add)
{
    const struct graft_conv *g = w->g;
    int64_t line = g->in[2] * LANES, clear = add ? g->in[1] : 0;
    for (int64_t row = 0; row <= g->out[1]; row++) {
        int64_t end = row < g->out[1]
                          ? row * g->stride[1] - g->pad[1] +
                                (g->kernel[1] - 1) * g->dilation[1] + 1
                          : g->in[1];
        end = end < g->in[1] ? end : g->in[1];
        if (end > clear) {
            memset(dx + clear * line, 0,
                   (size_t)((end - clear) * line) * sizeof *dx);
            clear = end;
        }
        if (row == g->out[1])
            break;
        int64_t at = row * g->out[2] * LANES;
        if (w->max)
            lanes_row_back(w, dx, x, y + at, dy + at, row, true);
        else
            lanes_row_back(w, dx, NULL, NULL, dy + at, row, false);
    }
}
