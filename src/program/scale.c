/* Weights that are trained by a factor for each slice of dim 0 (the output
 * channels of a convolution), as a normalisation behind it would have it: a
 * step of section 1 computes w' = s_c w, and everybody reads w' instead of w.
 *   ds_c = sum of dw' w over slice c,   dw = s_c dw'
 * so dw' is computed as that of any trained weight is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/common.h"
#include "program/compiler.h"
#include "tensor/half.h"

/* ---- the row ------------------------------------------------------------- */

struct scaling {
    const struct graft_call *c;
    int64_t each; /* elements of a slice */
};

static real bfloat16(real x)
{
    float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy(&f, &bits, sizeof f);
    return (real)f;
}

/* The types that hold less than what is computed with. */
static void hold(real *y, int64_t n, unsigned dtype)
{
    for (int64_t i = 0; dtype == GRAFT_FLOAT16 && i < n; i++)
        y[i] = (real)graft_half_to_float(graft_half_of_float((float)y[i]));
    for (int64_t i = 0; dtype == GRAFT_BFLOAT16 && i < n; i++)
        y[i] = bfloat16(y[i]);
}

static void forward_slice(void *ctx, int64_t slice, int worker)
{
    const struct scaling *x = ctx;
    const real *w = graft_reals(&x->c->in[0]) + slice * x->each;
    const real s = graft_reals(&x->c->in[1])[slice];
    real *y = graft_reals(&x->c->out[0]) + slice * x->each;
    (void)worker;
    for (int64_t i = 0; i < x->each; i++)
        y[i] = s * w[i];
    const struct graft_selected *at = x->c->args;
    if (at->as_held)
        hold(y, x->each, at->was.fmt.dtype);
}

static void backward_slice(void *ctx, int64_t slice, int worker)
{
    const struct scaling *x = ctx;
    const struct graft_call *c = x->c;
    const real *w = graft_reals(&c->in[0]) + slice * x->each;
    const real *dy = graft_reals(&c->dout[0]) + slice * x->each;
    const real s = graft_reals(&c->in[1])[slice];
    double sum = 0;
    (void)worker;
    for (int64_t i = 0; i < x->each; i++)
        sum += (double)w[i] * (double)dy[i];
    if (c->dmode[1] == GRAFT_STORE)
        graft_reals(&c->din[1])[slice] = (real)sum;
    else if (c->dmode[1] == GRAFT_ADD)
        graft_reals(&c->din[1])[slice] += (real)sum;
    real *dw = c->dmode[0] == GRAFT_SKIP
                   ? NULL : graft_reals(&c->din[0]) + slice * x->each;
    for (int64_t i = 0; dw && i < x->each; i++)
        dw[i] = s * dy[i] + (c->dmode[0] == GRAFT_ADD ? dw[i] : 0);
}

static void each_slice(const struct graft_call *c, graft_task_fn *slice)
{
    const struct graft_shape *w = &c->in[0].shape;
    struct scaling x = {c, graft_shape_span(w, 1, w->rank)};
    graft_pool_for(c->pool, w->dim[0], slice, &x);
}

static void forward(const struct graft_call *c)
{
    each_slice(c, forward_slice);
}

static void backward(const struct graft_call *c)
{
    each_slice(c, backward_slice);
}

const struct graft_op graft_row_scale = {
    .name = "Scale", .domain = "graft", .since = 1, .arity = {2, 2, 1, 1},
    .saves_in = 3, .saves_for = {2, 1}, .grad_in = 3,
    .forward = forward, .backward = backward};

/* ---- its place ----------------------------------------------------------- */

static int add_value(struct graft_compiler *c, const char *name,
                     const struct graft_shape *shape)
{
    struct graft_vinfo info = {.present = true, .dtype = GRAFT_REAL,
                               .shape = *shape, .is_param = true};
    return graft_compiler_value(c, name, &info);
}

static int scale_one(struct graft_compiler *c, int i)
{
    struct graft_selected *at = &c->options->train->at[i];
    const struct graft_shape factors = {1, {at->count}};
    const char *name = c->value.at[at->value].name;
    int s = add_value(c, name, &factors);
    int scaled = add_value(c, name, &at->was.shape);
    struct graft_step *step = graft_compiler_step(c, &graft_row_scale, 2, 1);
    if (s < 0 || scaled < 0 || !step)
        return GRAFT_EMEM;
    c->value.at[s].selected = i;
    c->trained[i] = s;
    graft_compiler_replace(c, at->value, scaled);
    step->args = at;
    step->in[0] = at->value;
    step->in[1] = s;
    step->out[0] = scaled;
    return graft_compiler_insert(c, step, 0);
}

int graft_scale_weights(struct graft_compiler *c)
{
    const struct graft_selection *t = c->options->train;
    int status = GRAFT_OK;
    for (int i = 0; t && !status && i < t->n; i++)
        if (t->at[i].scale && c->value.at[t->at[i].value].n_reads)
            status = scale_one(c, i);
    graft_compiler_link(c);
    return status;
}
