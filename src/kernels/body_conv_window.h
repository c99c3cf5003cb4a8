/* Windows over one plane: depthwise convolution and pooling. The plane's rows
 * are laid into a padded band split by row and column modulo the stride, all
 * phases with one pitch, so that each kernel element is the band at a fixed
 * offset and many output rows are one long run of vectors (the few columns
 * between them are computed and thrown away).
 * SPDX-License-Identifier: Apache-2.0 */

/* A phase of the columns: band columns lo .. hi-1 come from row[src + j s]. */
struct conv_phase {
    int64_t f, lo, hi, src;
};

struct conv_window {
    const struct graft_conv *g;
    int64_t pitch, phase_rows; /* of a phase */
    real fill;                 /* what padding holds */
    real *band, *out;
    int64_t *offset;           /* of each kernel element */
    struct conv_phase *phase;
    int64_t phases;
};

static void conv_window_phases(struct conv_window *w)
{
    const struct graft_conv *g = w->g;
    int64_t s = g->stride[2], pad = g->pad[2];
    w->phases = g->kernel[2] < s ? g->kernel[2] : s;
    for (int64_t kw = 0; kw < w->phases; kw++) {
        struct conv_phase *p = &w->phase[kw];
        p->f = kw * g->dilation[2] % s;
        p->lo = pad > p->f ? (pad - p->f + s - 1) / s : 0;
        int64_t end = g->in[2] + pad - p->f;
        p->hi = end > 0 ? (end + s - 1) / s : 0;
        if (p->hi > w->pitch)
            p->hi = w->pitch;
        p->src = p->lo * s + p->f - pad;
    }
}

/* Padding columns are filled here, once: rows only write between them. */
static void conv_window_begin(struct conv_window *w,
                              const struct graft_conv *g,
                              const struct graft_conv_cut *cut, real fill,
                              real *scratch)
{
    int64_t sh = g->stride[1], sw = g->stride[2];
    *w = (struct conv_window){.g = g, .pitch = cut->columns, .fill = fill};
    w->phase_rows = cut->rows + (g->kernel[1] - 1) * g->dilation[1] / sh;
    w->phase = (struct conv_phase *)scratch;
    w->offset = (int64_t *)(w->phase + (cut->taps + 1) / 2 * 2);
    w->out = (real *)(w->offset + (cut->taps + 7) / 8 * 8);
    w->band = w->out + cut->rows * w->pitch + 4 * CONV_VL;
    conv_window_phases(w);
    int64_t phase = w->phase_rows * w->pitch;
    for (int64_t t = 0; t < cut->taps; t++) {
        int64_t h = t / g->kernel[2] * g->dilation[1];
        int64_t v = t % g->kernel[2] * g->dilation[2];
        w->offset[t] = (h % sh * sw + v % sw) * phase +
                       h / sh * w->pitch + v / sw;
    }
    for (int64_t i = 0; i < sh * sw * phase; i++)
        w->band[i] = fill;
}

/* Input row `ih` into row r of the padded rows. */
static void conv_window_put(const struct conv_window *w, const real *plane,
                            int64_t ih, int64_t row, int64_t row_phase)
{
    const struct graft_conv *g = w->g;
    int64_t phase = w->phase_rows * w->pitch;
    real *dst = w->band + row_phase * g->stride[2] * phase + row * w->pitch;
    for (int64_t i = 0; i < w->phases; i++) {
        const struct conv_phase *p = &w->phase[i];
        real *d = dst + p->f * phase;
        if (ih < 0 || ih >= g->in[1])
            for (int64_t j = 0; j < w->pitch; j++)
                d[j] = w->fill;
        else if (p->lo < p->hi)
            conv_copy_strided(d + p->lo, plane + ih * g->in[2] + p->src,
                              p->hi - p->lo, g->stride[2]);
    }
}

/* Input rows for output rows oh .. oh+rows-1. */
static void conv_window_fill(const struct conv_window *w, const real *plane,
                             int64_t oh, int64_t rows)
{
    const struct graft_conv *g = w->g;
    int64_t s = g->stride[1], ih = oh * s - g->pad[1];
    int64_t reach = (g->kernel[1] - 1) * g->dilation[1] + 1;
    int64_t need = (rows - 1) * s + reach, row = 0, phase = 0;
    for (int64_t r = 0; r < need; r++) {
        if (g->kernel[1] > 1 || phase == 0)
            conv_window_put(w, plane, ih + r, row, phase);
        if (++phase == s) {
            phase = 0;
            row++;
        }
    }
}

enum conv_how { CONV_WEIGHTED, CONV_LARGEST, CONV_SUMMED };

/* NaN wins: a window that holds one has no largest element. */
CONV_INLINE conv_vec conv_larger(conv_vec a, conv_vec v)
{
    return conv_select((v > a) | (v != v), v, a);
}

/* f (may be NULL) and bias: applied at once where nothing is added row by
 * row. */
CONV_INLINE void conv_flat(const struct conv_window *w, enum conv_how how,
                           const real *weight, int64_t taps, int64_t n,
                           real bias, const struct graft_finish *f)
{
    real start = how == CONV_LARGEST ? -(real)INFINITY : 0;
    for (int64_t q = 0; q < n; q += 4 * CONV_VL) {
        conv_vec acc[4];
        CONV_UNROLL
        for (int j = 0; j < 4; j++)
            acc[j] = conv_splat(start);
        for (int64_t t = 0; t < taps; t++) {
            const real *p = w->band + w->offset[t] + q;
            CONV_UNROLL
            for (int j = 0; j < 4; j++) {
                conv_vec v = conv_load(p + j * CONV_VL);
                if (how == CONV_WEIGHTED)
                    acc[j] += v * weight[t];
                else if (how == CONV_SUMMED)
                    acc[j] += v;
                else
                    acc[j] = conv_larger(acc[j], v);
            }
        }
        CONV_UNROLL
        for (int j = 0; j < 4; j++)
            conv_store(w->out + q + j * CONV_VL,
                       f ? conv_act(acc[j] + bias, f) : acc[j]);
    }
}

/* One plane: x, weights and everything stored for output channel o. */
static void conv_depthwise_plane(const struct graft_conv_run *r,
                                 const struct conv_window *w, const real *x,
                                 int64_t image, int64_t o)
{
    const struct graft_conv *g = r->g;
    const struct graft_finish *f = &r->finish;
    int64_t wide = g->out[2], to = o * g->out[1] * wide;
    real *y = r->y + image * r->y_step + to;
    const real *res = f->residual;
    if (res)
        res += image * f->residual_step + to;
    real bias = f->bias ? f->bias[o] : 0;
    for (int64_t oh = 0; oh < g->out[1]; oh += r->cut->rows) {
        int64_t rows = g->out[1] - oh < r->cut->rows ? g->out[1] - oh
                                                     : r->cut->rows;
        conv_window_fill(w, x, oh, rows);
        conv_flat(w, CONV_WEIGHTED, r->w + o * r->cut->taps, r->cut->taps,
                  rows * w->pitch, bias, res ? NULL : f);
        for (int64_t k = 0; k < rows; k++)
            if (res)
                conv_finish_row(y + (oh + k) * wide, w->out + k * w->pitch,
                                wide, bias, res + (oh + k) * wide, f);
            else
                conv_copy(y + (oh + k) * wide, w->out + k * w->pitch, wide);
    }
}

/* Task: cut->strips planes (image, output channel). */
static void conv_depthwise(const struct graft_conv_run *r, int64_t task,
                           real *scratch)
{
    const struct graft_conv *g = r->g;
    struct conv_window w;
    conv_window_begin(&w, g, r->cut, 0, scratch);
    int64_t all = r->n * g->m, area = g->in[1] * g->in[2];
    for (int64_t i = 0; i < r->cut->strips; i++) {
        int64_t at = task * r->cut->strips + i;
        if (at >= all)
            break;
        int64_t image = at / g->m, o = at % g->m;
        const real *x = r->x + image * r->x_step + o / (g->m / g->c) * area;
        conv_depthwise_plane(r, &w, x, image, o);
    }
}

/* Output row `oh` from the sums or largest elements z. */
static void conv_window_row(const struct graft_window *p, real *y,
                            const real *z, int64_t oh)
{
    int64_t n = p->g->out[2];
    if (p->max) {
        conv_copy(y, z, n);
        return;
    }
    real rows = p->count[1][oh];
    for (int64_t i = 0; i < n; i++)
        y[i] = z[i] / (rows * p->count[2][i]);
}

static void conv_window_plane(const struct graft_window *p,
                              const struct conv_window *w, const real *x,
                              real *y)
{
    const struct graft_conv *g = p->g;
    for (int64_t oh = 0; oh < g->out[1]; oh += p->cut->rows) {
        int64_t rows = g->out[1] - oh < p->cut->rows ? g->out[1] - oh
                                                     : p->cut->rows;
        conv_window_fill(w, x, oh, rows);
        if (p->max)
            conv_flat(w, CONV_LARGEST, NULL, p->cut->taps, rows * w->pitch,
                      0, NULL);
        else
            conv_flat(w, CONV_SUMMED, NULL, p->cut->taps, rows * w->pitch,
                      0, NULL);
        for (int64_t k = 0; k < rows; k++)
            conv_window_row(p, y + (oh + k) * g->out[2],
                            w->out + k * w->pitch, oh + k);
    }
}

/* 3-D: one output element. */
static real conv_window_at(const struct graft_window *p, const real *x,
                           const int64_t o[3])
{
    const struct graft_conv *g = p->g;
    real acc = p->max ? -(real)INFINITY : 0;
    for (int64_t t = 0; t < p->cut->taps; t++) {
        int64_t d = o[0] * g->stride[0] - g->pad[0] +
                    t / g->kernel[2] / g->kernel[1] * g->dilation[0];
        int64_t h = o[1] * g->stride[1] - g->pad[1] +
                    t / g->kernel[2] % g->kernel[1] * g->dilation[1];
        int64_t w = o[2] * g->stride[2] - g->pad[2] +
                    t % g->kernel[2] * g->dilation[2];
        if (d < 0 || d >= g->in[0] || h < 0 || h >= g->in[1] || w < 0 ||
            w >= g->in[2])
            continue;
        real v = x[(d * g->in[1] + h) * g->in[2] + w];
        if (!p->max)
            acc += v;
        else if (v > acc || v != v)
            acc = v;
    }
    if (p->max)
        return acc;
    return acc / (p->count[0][o[0]] * p->count[1][o[1]] * p->count[2][o[2]]);
}

static void conv_window_volume(const struct graft_window *p, const real *x,
                               real *y)
{
    const int64_t *n = p->g->out;
    int64_t o[3];
    for (o[0] = 0; o[0] < n[0]; o[0]++)
        for (o[1] = 0; o[1] < n[1]; o[1]++)
            for (o[2] = 0; o[2] < n[2]; o[2]++)
                *y++ = conv_window_at(p, x, o);
}

static void conv_window(const struct graft_window *p, int64_t task,
                        real *scratch)
{
    const struct graft_conv *g = p->g;
    struct conv_window w;
    bool flat = p->cut->way == GRAFT_CONV_DEPTHWISE;
    if (flat)
        conv_window_begin(&w, g, p->cut, p->max ? -(real)INFINITY : 0,
                          scratch);
    int64_t in = g->in[0] * g->in[1] * g->in[2];
    int64_t out = g->out[0] * g->out[1] * g->out[2];
    for (int64_t i = 0; i < p->cut->strips; i++) {
        int64_t at = task * p->cut->strips + i;
        if (at >= p->n * g->c)
            break;
        const real *x = p->x + at / g->c * p->x_step + at % g->c * in;
        real *y = p->y + at / g->c * p->y_step + at % g->c * out;
        if (flat)
            conv_window_plane(p, &w, x, y);
        else
            conv_window_volume(p, x, y);
    }
}

/* ---- along one channel --------------------------------------------------- */

static real conv_sum(const real *x, int64_t n)
{
    conv_vec acc[4] = {{0}};
    int64_t i = 0;
    for (; i + 4 * CONV_VL <= n; i += 4 * CONV_VL)
        for (int j = 0; j < 4; j++)
            acc[j] += conv_load(x + i + j * CONV_VL);
    acc[0] = (acc[0] + acc[1]) + (acc[2] + acc[3]);
    real sum = 0;
    for (; i < n; i++)
        sum += x[i];
    for (int j = 0; j < CONV_VL; j++)
        sum += acc[0][j];
    return sum;
}

static void conv_affine(real *y, const real *x, int64_t n, real s, real t,
                        const real *residual, const struct graft_finish *f)
{
    int64_t i = 0;
    for (; i + CONV_VL <= n; i += CONV_VL) {
        conv_vec v = conv_load(x + i) * s + t;
        if (residual)
            v += conv_load(residual + i);
        conv_store(y + i, conv_act(v, f));
    }
    if (i == n)
        return;
    real tail[CONV_VL] = {0}, more[CONV_VL] = {0};
    size_t bytes = (size_t)(n - i) * sizeof(real);
    memcpy(tail, x + i, bytes);
    if (residual)
        memcpy(more, residual + i, bytes);
    conv_vec v = conv_load(tail) * s + t;
    if (residual)
        v += conv_load(more);
    conv_store(tail, conv_act(v, f));
    memcpy(y + i, tail, bytes);
}
