/* Input pixels of a task, laid out for the micro-kernel: strips of NR output
 * pixels, [strip][k][NR] with k = (channel, kernel element). Pixels are
 * numbered through the whole batch, so small planes fill their strips too.
 *
 * POINT copies from the planes. BAND first lays the rows that one channel
 * needs into a padded buffer, split by column modulo the stride, so that the
 * pixels of every kernel element are contiguous runs. ANY goes element by
 * element.
 * SPDX-License-Identifier: Apache-2.0 */

/* Pixels oh0.. of one image, needing `rows` padded rows from input row `ih`
 * on, which begin at row `base` of the band. */
struct conv_segment {
    int64_t image, ih, rows, base;
};
/* `len` pixels from src to dst, never across a strip's edge. */
struct conv_span {
    int64_t src, dst;
    int64_t len;
};
struct conv_place {
    int64_t image, d, h, w; /* input position of kernel element 0 */
};

struct conv_strips {
    const struct graft_conv *g;
    const struct graft_conv_cut *cut;
    int64_t p0, p1;            /* pixels */
    int64_t plane;             /* output pixels of an image */
    int64_t stride;            /* reals of a strip */
    int64_t cs, ds, hs, ws;    /* steps of the input */
    real *strip, *band;
    struct conv_span *span;
    struct conv_segment *segment;
    struct conv_place *place;  /* ANY */
    int n_span, n_segment;
};

/* Spans of pixels q0 .. q1-1, contiguous at src. */
static void conv_add_spans(struct conv_strips *s, int64_t p, int64_t len,
                           int64_t src)
{
    int64_t at = p - s->p0;
    while (len > 0) {
        int64_t col = at % CONV_NR;
        int64_t part = CONV_NR - col < len ? CONV_NR - col : len;
        s->span[s->n_span++] = (struct conv_span){
            src, at / CONV_NR * s->stride + col, part};
        at += part;
        src += part;
        len -= part;
    }
}

static void conv_plan_point(struct conv_strips *s, int64_t x_step)
{
    for (int64_t p = s->p0; p < s->p1;) {
        int64_t image = p / s->plane, q = p % s->plane;
        int64_t len = s->plane - q < s->p1 - p ? s->plane - q : s->p1 - p;
        conv_add_spans(s, p, len, image * x_step + q);
        p += len;
    }
}

static void conv_plan_band(struct conv_strips *s)
{
    const struct graft_conv *g = s->g;
    int64_t wide = g->out[2], row = s->cut->columns * g->stride[2];
    int64_t reach = (g->kernel[1] - 1) * g->dilation[1] + 1, base = 0;
    for (int64_t p = s->p0; p < s->p1;) {
        int64_t image = p / s->plane, q = p % s->plane;
        int64_t end = s->plane < q + s->p1 - p ? s->plane : q + s->p1 - p;
        int64_t first = q / wide;
        int64_t rows = ((end - 1) / wide - first) * g->stride[1] + reach;
        s->segment[s->n_segment++] = (struct conv_segment){
            image, first * g->stride[1] - g->pad[1], rows, base};
        while (q < end) {
            int64_t oh = q / wide, ow = q % wide;
            int64_t len = wide - ow < end - q ? wide - ow : end - q;
            conv_add_spans(s, p, len,
                           (base + (oh - first) * g->stride[1]) * row + ow);
            p += len;
            q += len;
        }
        base += rows;
    }
}

static void conv_plan_any(struct conv_strips *s)
{
    const struct graft_conv *g = s->g;
    for (int64_t p = s->p0; p < s->p1; p++) {
        int64_t q = p % s->plane;
        int64_t w = q % g->out[2], h = q / g->out[2] % g->out[1];
        int64_t d = q / g->out[2] / g->out[1];
        s->place[p - s->p0] = (struct conv_place){
            p / s->plane, d * g->stride[0] - g->pad[0],
            h * g->stride[1] - g->pad[1], w * g->stride[2] - g->pad[2]};
    }
}

/* ---- copying ------------------------------------------------------------- */

/* Whole vectors: what is written past the end is written again by the next
 * span or the next k, or lies in the gap behind a strip. */
CONV_INLINE void conv_copy_over(real *dst, const real *src, int64_t len)
{
    for (int64_t i = 0; i < len; i += CONV_VL)
        conv_store(dst + i, conv_load(src + i));
}

/* One padded input row of `columns` pixels for each phase of the stride that
 * some kernel column uses: dst[phase * step][j] = row[j * stride + phase -
 * pad], `fill` outside. src NULL: a row of padding. */
static void conv_band_row(real *dst, int64_t phase_step, const real *src,
                          int64_t pixel_step, const struct graft_conv *g,
                          int64_t columns, real fill)
{
    int64_t s = g->stride[2], pad = g->pad[2];
    for (int64_t kw = 0; kw < g->kernel[2] && kw < s; kw++) {
        int64_t f = kw * g->dilation[2] % s;
        real *d = dst + f * phase_step;
        /* lo .. hi-1: 0 <= j s + f - pad < width */
        int64_t lo = pad > f ? (pad - f + s - 1) / s : 0;
        int64_t end = g->in[2] + pad - f;
        int64_t hi = end > 0 ? (end + s - 1) / s : 0;
        if (hi > columns)
            hi = columns;
        if (!src || lo >= hi)
            lo = hi = 0;
        for (int64_t j = 0; j < lo; j++)
            d[j] = fill;
        if (lo < hi)
            conv_copy_strided(d + lo, src + (lo * s + f - pad) * pixel_step,
                              hi - lo, pixel_step * s);
        for (int64_t j = hi; j < columns; j++)
            d[j] = fill;
    }
}

static void conv_pack_band(const struct conv_strips *s, const real *x,
                           int64_t x_step, int64_t channel, real *strip)
{
    const struct graft_conv *g = s->g;
    int64_t columns = s->cut->columns, row = columns * g->stride[2];
    for (int i = 0; i < s->n_segment; i++) {
        const struct conv_segment *e = &s->segment[i];
        const real *image = x + e->image * x_step + channel * s->cs;
        for (int64_t r = 0; r < e->rows; r++) {
            int64_t ih = e->ih + r;
            if (g->kernel[1] == 1 && r % g->stride[1])
                continue; /* between the rows that are read */
            const real *src = ih >= 0 && ih < g->in[1] ? image + ih * s->hs
                                                       : NULL;
            conv_band_row(s->band + (e->base + r) * row, columns, src, s->ws,
                          g, columns, 0);
        }
    }
    for (int64_t kh = 0; kh < g->kernel[1]; kh++)
        for (int64_t kw = 0; kw < g->kernel[2]; kw++, strip += CONV_NR) {
            int64_t reach = kw * g->dilation[2];
            const real *tap = s->band + kh * g->dilation[1] * row +
                              reach % g->stride[2] * columns +
                              reach / g->stride[2];
            for (int i = 0; i < s->n_span; i++)
                conv_copy_over(strip + s->span[i].dst, tap + s->span[i].src,
                               s->span[i].len);
        }
}

/* `last`: reading a vector past the plane would leave the tensor. */
static void conv_pack_point(const struct conv_strips *s, const real *plane,
                            bool last, real *strip)
{
    for (int i = 0; i < s->n_span; i++) {
        const struct conv_span *e = &s->span[i];
        if (last)
            conv_copy(strip + e->dst, plane + e->src, e->len);
        else
            conv_copy_over(strip + e->dst, plane + e->src, e->len);
    }
}

static void conv_pack_any(const struct conv_strips *s, const real *x,
                          int64_t x_step, int64_t channel, real *strip)
{
    const struct graft_conv *g = s->g;
    for (int64_t tap = 0; tap < s->cut->taps; tap++, strip += CONV_NR) {
        int64_t kw = tap % g->kernel[2] * g->dilation[2];
        int64_t kh = tap / g->kernel[2] % g->kernel[1] * g->dilation[1];
        int64_t kd = tap / g->kernel[2] / g->kernel[1] * g->dilation[0];
        for (int64_t i = 0; i < s->p1 - s->p0; i++) {
            const struct conv_place *e = &s->place[i];
            int64_t d = e->d + kd, h = e->h + kh, w = e->w + kw;
            bool inside = d >= 0 && d < g->in[0] && h >= 0 &&
                          h < g->in[1] && w >= 0 && w < g->in[2];
            strip[i / CONV_NR * s->stride + i % CONV_NR] =
                inside ? x[e->image * x_step + channel * s->cs + d * s->ds +
                           h * s->hs + w * s->ws]
                       : 0;
        }
    }
}
