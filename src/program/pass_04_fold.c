/* Pass 4: what depends on parameters only moves to section 1, and
 * BatchNormalization with frozen statistics becomes factors of the weights
 * and a bias of the convolution before it:
 *   s (W x + b) + t = (s W) x + (s b + t)
 * W may be trained: dW is s times the gradient of s W. Where the rest is, the
 * chain stays as it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/compiler.h"

/* ---- section 1 ---------------------------------------------------------- */

static bool needs_parameters_only(const struct graft_compiler *c,
                                  const struct graft_step *s)
{
    if (s == c->loss || s->op->flags & GRAFT_OP_RANDOM)
        return false;
    for (int i = 0; i < s->n_in; i++)
        if (s->in[i] >= 0 && !graft_is_constant(&c->value.at[s->in[i]]))
            return false;
    return true;
}

/* A reshaped parameter is the same bytes: no step, packed from the file. */
static bool reshape_parameter(struct graft_compiler *c, struct graft_step *s)
{
    const struct graft_wvalue *in = &c->value.at[s->in[0]];
    struct graft_wvalue *out = &c->value.at[s->out[0]];
    if (!s->view || !in->tensor || in->selected >= 0 || graft_visible(out))
        return false;
    out->tensor = in->tensor;
    out->info.dtype = in->info.dtype;
    s->dead = true;
    return true;
}

static void move_to_parameters(struct graft_compiler *c)
{
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        if (!needs_parameters_only(c, s))
            continue;
        c->folded++;
        if (reshape_parameter(c, s))
            continue;
        s->param = true;
        for (int k = 0; k < s->n_out; k++)
            if (s->out[k] >= 0)
                c->value.at[s->out[k]].info.is_param = true;
    }
    graft_compiler_link(c);
}

/* ---- normalisations ----------------------------------------------------- */

static bool is_parameter(const struct graft_compiler *c, int v)
{
    return v >= 0 && c->value.at[v].tensor;
}

static bool is_frozen(const struct graft_compiler *c, int v)
{
    return is_parameter(c, v) && c->value.at[v].selected < 0;
}

/* The convolution whose result `norm` alone reads, if all but its weights is
 * frozen. */
static struct graft_step *foldable(const struct graft_compiler *c,
                                   const struct graft_step *norm)
{
    const unsigned needs = GRAFT_OP_EPILOGUE | GRAFT_OP_CHANNEL_WEIGHTS;
    if (!norm->op->affine || norm->n_in < 2 || norm->in[0] < 0)
        return NULL;
    struct graft_step *s = c->value.at[norm->in[0]].producer;
    if (!s || s->param || (s->op->flags & needs) != needs || s->fuse.scale ||
        s->out[0] != norm->in[0] || !graft_only_reader(c, norm->in[0]) ||
        !is_parameter(c, s->in[1]) ||
        (s->n_in > 2 && s->in[2] >= 0 && !is_frozen(c, s->in[2])))
        return NULL;
    for (int i = 1; i < norm->n_in; i++)
        if (!is_frozen(c, norm->in[i]))
            return NULL;
    return s;
}

static real *read_parameter(struct graft_compiler *c, int v)
{
    struct graft_view src = graft_tensor_view(c->value.at[v].tensor);
    int64_t n = graft_count(&src);
    real *out = graft_arena_array(&c->arena, (size_t)n + 1, sizeof *out);
    if (out)
        graft_view_read(&src, 0, n, out);
    return out;
}

/* scale and shift of `norm`, [channels]. */
static int read_affine(struct graft_compiler *c,
                       const struct graft_step *norm, int64_t channels,
                       real *scale, real *shift)
{
    const real **params = graft_arena_array(&c->arena, (size_t)norm->n_in,
                                            sizeof *params);
    if (!params)
        return GRAFT_EMEM;
    for (int i = 1; i < norm->n_in; i++) {
        params[i - 1] = read_parameter(c, norm->in[i]);
        if (!params[i - 1])
            return GRAFT_EMEM;
    }
    norm->op->affine(norm->args, params, channels, scale, shift);
    return GRAFT_OK;
}

static int fold_norm(struct graft_compiler *c, struct graft_step *s,
                     struct graft_step *norm)
{
    const struct graft_shape *w = &c->value.at[s->in[1]].info.shape;
    const struct graft_shape *y = &c->value.at[s->out[0]].info.shape;
    if (w->rank < 1 || y->rank < 2 || w->dim[0] != y->dim[1])
        return GRAFT_OK;
    int64_t n = w->dim[0];
    real *scale = graft_arena_array(&c->arena, (size_t)n + 1, sizeof *scale);
    real *shift = graft_arena_array(&c->arena, (size_t)n + 1, sizeof *shift);
    real *bias = NULL;
    if (!scale || !shift)
        return GRAFT_EMEM;
    if (s->n_in > 2 && s->in[2] >= 0 && !(bias = read_parameter(c, s->in[2])))
        return GRAFT_EMEM;
    int status = read_affine(c, norm, n, scale, shift);
    if (status)
        return status;
    for (int64_t i = 0; bias && i < n; i++)
        shift[i] += scale[i] * bias[i];
    if (bias)
        s->in[2] = -1;
    s->fuse.scale = scale;
    s->fuse.shift = shift;
    s->fuse.channels = (int)n;
    s->fuse.hash = graft_hash(scale, (size_t)n * sizeof *scale);
    s->marked |= norm->marked;
    s->out[0] = norm->out[0];
    norm->dead = true;
    c->folded++;
    graft_compiler_link(c);
    return GRAFT_OK;
}

int graft_pass_fold(struct graft_compiler *c)
{
    if (c->skip) {
        for (int v = 0; v < c->value.n; v++)
            if (c->value.at[v].producer)
                c->value.at[v].info.is_param = false;
        return GRAFT_OK;
    }
    move_to_parameters(c);
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *norm = c->step.at[i];
        struct graft_step *s = foldable(c, norm);
        int status = s ? fold_norm(c, s, norm) : GRAFT_OK;
        if (status)
            return status;
        if (norm->dead)
            i--;
    }
    return GRAFT_OK;
}
