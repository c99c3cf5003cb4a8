/* Sizes of convolution and pooling.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/spatial.h"

#include <inttypes.h>
#include <string.h>

/* Far beyond any photo; they keep every product of sizes within an int64. */
enum { REACH_MAX = 1 << 24, AXIS_MAX = 1 << 27, TAPS_MAX = 1 << 20 };

int graft_spatial_parse(struct graft_parse *p, struct graft_spatial *s)
{
    static const char *const names[] = {
        [GRAFT_PAD_NOTSET] = "NOTSET",
        [GRAFT_PAD_SAME_UPPER] = "SAME_UPPER",
        [GRAFT_PAD_SAME_LOWER] = "SAME_LOWER",
        [GRAFT_PAD_VALID] = "VALID"};
    const char *text;
    int status = graft_attr_ints(p, "kernel_shape", &s->kernel, &s->n_kernel);
    if (!status)
        status = graft_attr_ints(p, "strides", &s->stride, &s->n_stride);
    if (!status)
        status = graft_attr_ints(p, "dilations", &s->dilation,
                                 &s->n_dilation);
    if (!status)
        status = graft_attr_ints(p, "pads", &s->pads, &s->n_pads);
    if (!status)
        status = graft_attr_string(p, "auto_pad", "NOTSET", &text);
    if (status)
        return status;
    for (s->auto_pad = 0; s->auto_pad <= GRAFT_PAD_VALID; s->auto_pad++)
        if (!strcmp(text, names[s->auto_pad]))
            return GRAFT_OK;
    return graft_fail(GRAFT_EUNSUPPORTED, "%s: auto_pad '%s' is not known",
                      graft_node_text(p->node), text);
}

/* An attribute of `want` entries, each low .. REACH_MAX; absent is fine. */
static int check_list(const struct graft_infer *f, const char *name,
                      const int64_t *list, int n, int want, int64_t low)
{
    if (!list)
        return GRAFT_OK;
    if (n != want)
        return graft_infer_fail(f, GRAFT_ESHAPE, "%s has %d entries, expected "
                                "%d", name, n, want);
    for (int i = 0; i < n; i++)
        if (list[i] < low || list[i] > REACH_MAX)
            return graft_infer_fail(f, GRAFT_EUNSUPPORTED, "%s has an entry "
                                    "%" PRId64 "; %" PRId64 " to %d are "
                                    "possible", name, list[i], low,
                                    REACH_MAX);
    return GRAFT_OK;
}

/* Begin and end of SAME padding: the output has ceil(in / stride) elements;
 * an odd one is added at the end (UPPER) or the beginning (LOWER). */
static void same_pads(const struct graft_conv *g, int i, bool lower,
                      int64_t *begin, int64_t *end)
{
    int64_t out = (g->in[i] + g->stride[i] - 1) / g->stride[i];
    int64_t total = (out - 1) * g->stride[i] +
                    (g->kernel[i] - 1) * g->dilation[i] + 1 - g->in[i];
    if (total < 0)
        total = 0;
    *begin = lower ? total - total / 2 : total / 2;
    *end = total - *begin;
}

static int size_axis(const struct graft_infer *f,
                     const struct graft_spatial *s, int i,
                     struct graft_conv *g, int64_t *end)
{
    bool lower = s->auto_pad == GRAFT_PAD_SAME_LOWER;
    if (lower || s->auto_pad == GRAFT_PAD_SAME_UPPER)
        same_pads(g, i, lower, &g->pad[i], end);
    int64_t reach = (g->kernel[i] - 1) * g->dilation[i] + 1;
    int64_t room = g->in[i] + g->pad[i] + *end - reach;
    if (room < 0 || g->in[i] > AXIS_MAX)
        return graft_infer_fail(f, GRAFT_ESHAPE, "a kernel reaching over "
                                "%" PRId64 " does not fit a padded axis of "
                                "%" PRId64, reach, room + reach);
    g->out[i] = room / g->stride[i] + 1;
    /* one more, unless it would begin in the padding at the end */
    if (s->ceil && room % g->stride[i] &&
        g->out[i] * g->stride[i] < g->in[i] + g->pad[i])
        g->out[i]++;
    if (g->out[i] == 1)
        g->stride[i] = 1; /* of no effect, and cheaper */
    return GRAFT_OK;
}

static int check_lists(const struct graft_infer *f,
                       const struct graft_spatial *s, const int64_t *kernel)
{
    const struct graft_shape *x = &f->in[0].shape;
    int axes = x->rank - 2;
    char text[GRAFT_SHAPE_TEXT];
    if (axes < 1 || axes > 3 || x->dim[1] < 1)
        return graft_infer_fail(f, GRAFT_EUNSUPPORTED, "input of shape %s; "
                                "N, C and 1 to 3 further axes are supported",
                                graft_shape_text(text, x));
    int status = check_list(f, "kernel", kernel, axes, axes, 1);
    if (!status)
        status = check_list(f, "strides", s->stride, s->n_stride, axes, 1);
    if (!status)
        status = check_list(f, "dilations", s->dilation, s->n_dilation, axes,
                            1);
    if (!status)
        status = check_list(f, "pads", s->pads, s->n_pads, 2 * axes, 0);
    return status;
}

int graft_spatial_geometry(const struct graft_infer *f,
                           const struct graft_spatial *s,
                           const int64_t *kernel, int64_t m,
                           struct graft_conv *g, int64_t end[3],
                           struct graft_shape *out)
{
    const struct graft_shape *x = &f->in[0].shape;
    int axes = x->rank - 2, status = check_lists(f, s, kernel);
    if (status)
        return status;
    *out = *x;
    out->dim[1] = m;
    g->c = x->dim[1];
    bool pads = s->pads && s->auto_pad == GRAFT_PAD_NOTSET;
    for (int i = 0; i < 3; i++) {
        int k = i - (3 - axes); /* axis of the input */
        bool real_axis = k >= 0;
        g->in[i] = real_axis ? x->dim[2 + k] : 1;
        g->kernel[i] = real_axis ? kernel[k] : 1;
        g->stride[i] = real_axis && s->stride ? s->stride[k] : 1;
        g->dilation[i] = real_axis && s->dilation ? s->dilation[k] : 1;
        g->pad[i] = real_axis && pads ? s->pads[k] : 0;
        end[i] = real_axis && pads ? s->pads[axes + k] : 0;
        status = real_axis ? size_axis(f, s, i, g, &end[i]) : GRAFT_OK;
        if (status)
            return status;
        if (real_axis)
            out->dim[2 + k] = g->out[i];
        else
            g->out[i] = 1;
    }
    int64_t taps;
    if (!graft_mul_size(&taps, g->kernel[0], g->kernel[1]) ||
        !graft_mul_size(&taps, taps, g->kernel[2]) || taps > TAPS_MAX)
        return graft_infer_fail(f, GRAFT_ELIMIT, "a kernel of more than %d "
                                "elements", TAPS_MAX);
    return GRAFT_OK;
}

int graft_only_output(const struct graft_infer *f, const char *why)
{
    for (int i = 1; i < f->n_out; i++) {
        graft_value_id id = f->node->out[i];
        if (id < 0)
            continue;
        bool known = id < f->model->value.n;
        if (!known || f->model->value.at[id].n_uses ||
            f->model->value.at[id].is_output)
            return graft_infer_fail(f, GRAFT_EUNSUPPORTED, "output %d is "
                                    "used: %s", i, why);
        f->out[i] = f->out[0];
    }
    return GRAFT_OK;
}

struct graft_finish graft_finish_of(const struct graft_call *c,
                                    const real *bias)
{
    struct graft_finish f = {.bias = bias};
    if (!c->ep)
        return f;
    f.act = c->ep->act;
    if (c->ep->residual) {
        f.residual = graft_reals(c->ep->residual);
        f.residual_step = graft_image_step(c->ep->residual);
    }
    return f;
}
