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

/* The part of a window that lies inside x. */
struct lanes_taps {
    int64_t ky0, ky1, kx0, kx1, down, across;
};

/* A maximum's gradient goes to the first element that equals it. */
CONV_INLINE void lanes_max_back(const struct lanes_taps *t, real *dx,
                                const real *x, conv_vec y, conv_vec g)
{
    conv_mask open = y == y;
    for (int64_t ky = t->ky0; ky < t->ky1; ky++)
        for (int64_t kx = t->kx0; kx < t->kx1; kx++) {
            int64_t at = ky * t->down + kx * t->across;
            conv_mask hit = (conv_load(x + at) == y) & open;
            open &= ~hit;
            lanes_put(dx + at, conv_select(hit, g, (conv_vec){0}), true);
        }
}

CONV_INLINE void lanes_mean_back(const struct lanes_taps *t, real *dx,
                                 conv_vec g)
{
    for (int64_t ky = t->ky0; ky < t->ky1; ky++)
        for (int64_t kx = t->kx0; kx < t->kx1; kx++)
            lanes_put(dx + ky * t->down + kx * t->across, g, true);
}

CONV_INLINE void lanes_row_back(const struct graft_lane_window *w, real *dx,
                                const real *x, const real *y, const real *dy,
                                int64_t row, bool max)
{
    const struct graft_conv *g = w->g;
    struct lanes_taps t = {.across = g->dilation[2] * LANES,
                           .down = g->dilation[1] * g->in[2] * LANES};
    int64_t top = (row * g->stride[1] - g->pad[1]) * g->in[2];
    lanes_inside(g, 1, row, &t.ky0, &t.ky1);
    for (int64_t o = 0; o < g->out[2]; o++) {
        int64_t left = (top + o * g->stride[2] - g->pad[2]) * LANES;
        lanes_inside(g, 2, o, &t.kx0, &t.kx1);
        for (int j = 0; j < LANE_VECS; j++) {
            int64_t at = left + j * CONV_VL, to = o * LANES + j * CONV_VL;
            conv_vec d = conv_load(dy + to);
            if (max)
                lanes_max_back(&t, dx + at, x + at, conv_load(y + to), d);
            else
                lanes_mean_back(&t, dx + at,
                                d / (w->count[1][row] * w->count[2][o]));
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
