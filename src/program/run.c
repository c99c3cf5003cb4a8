/* Running a program: segments of steps over ranges of images, forward and
 * backward. Nothing here allocates or fails.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

/* ---- views of a run ----------------------------------------------------- */

struct graft_view graft_value_view(const struct graft_program *p, int v)
{
    const struct graft_wvalue *x = &p->c.value.at[v];
    struct graft_view view = {
        .data = p->c.value.at[graft_root(&p->c, v)].data,
        .shape = x->info.shape, .fmt = x->info.fmt};
    view.fmt.dtype = graft_dtype_is_float((int)x->info.dtype) ? GRAFT_REAL
                                                              : GRAFT_INT64;
    if (view.data && view.fmt.first_block)
        view.data = graft_reals(&view) +
                    view.fmt.first_block * 16 *
                        graft_shape_span(&view.shape, 2, view.shape.rank);
    return view;
}

struct graft_view graft_gradient_view(const struct graft_program *p, int v)
{
    struct graft_view view = graft_value_view(p, v);
    view.data = p->c.value.at[v].info.marked
                    ? p->c.value.at[graft_root(&p->c, v)].ddata
                    : NULL;
    return view;
}

struct graft_view graft_image_range(const struct graft_program *p, int v,
                                    struct graft_view view, int first, int n)
{
    int64_t per_image = p->c.value.at[v].info.per_image;
    if (!per_image)
        return view;
    view.shape.dim[0] = per_image * n;
    if (view.data && first)
        view.data = graft_reals(&view) +
                    first * per_image * graft_image_step(&view);
    return view;
}

static bool bit(uint32_t mask, int i)
{
    return mask >> (i < 31 ? i : 31) & 1;
}

/* ---- one step ----------------------------------------------------------- */

void graft_step_forward(struct graft_program *p, struct graft_step *s,
                        int first, int n)
{
    if (s->view && p->c.value.at[s->out[0]].alias >= 0)
        return;
    for (int i = 0; i < s->n_in; i++)
        if (s->in[i] >= 0)
            s->rin[i] = graft_image_range(p, s->in[i], s->vin[i], first, n);
    for (int k = 0; k < s->n_out; k++)
        if (s->out[k] >= 0)
            s->rout[k] = graft_image_range(p, s->out[k], s->vout[k], first,
                                           n);
    if (s->fuse.residual >= 0)
        s->residual = graft_image_range(p, s->fuse.residual,
                                        graft_value_view(p,
                                                         s->fuse.residual),
                                        first, n);
    s->call.n = n;
    s->call.key = p->key;
    s->call.first = p->first + first;
    s->plan.forward(&s->call);
    if (GRAFT_CHECKED)
        graft_check_lanes(&s->call);
}

/* Image `image` of value v for worker w: of what lies in the workers' parts,
 * w's own. */
static struct graft_view one_image(const struct graft_program *p, int v,
                                   struct graft_view view, int image, int w)
{
    const struct graft_wvalue *root =
        &p->c.value.at[graft_root(&p->c, v)];
    if (!root->local)
        return graft_image_range(p, v, view, image, 1);
    view = graft_image_range(p, v, view, 0, 1);
    view.data = (char *)view.data + w * p->c.local_bytes;
    return view;
}

/* Step s of a deep segment for one image. */
static void step_image(struct graft_program *p, const struct graft_step *s,
                       int image, int w)
{
    struct graft_frame *f = &p->frame[w];
    if (s->view && p->c.value.at[s->out[0]].alias >= 0)
        return;
    f->call = s->call;
    f->call.in = f->in;
    f->call.out = f->out;
    f->call.n = 1;
    f->call.key = p->key;
    f->call.first = p->first + image;
    f->call.scratch = p->scratch + p->call_scratch +
                      (size_t)graft_pool_threads(p->rt->pool) *
                          p->task_scratch +
                      (size_t)w * p->deep_scratch;
    for (int i = 0; i < s->n_in; i++)
        f->in[i] = s->in[i] >= 0 ? one_image(p, s->in[i], s->vin[i], image, w)
                                 : (struct graft_view){0};
    for (int k = 0; k < s->n_out; k++)
        f->out[k] = s->out[k] >= 0
                        ? one_image(p, s->out[k], s->vout[k], image, w)
                        : (struct graft_view){0};
    if (s->call.ep) {
        f->ep = s->ep;
        f->call.ep = &f->ep;
    }
    if (s->fuse.residual >= 0) {
        f->residual = one_image(p, s->fuse.residual,
                                graft_value_view(p, s->fuse.residual), image,
                                w);
        f->ep.residual = &f->residual;
    }
    s->plan.forward(&f->call);
    if (GRAFT_CHECKED)
        graft_check_lanes(&f->call);
}

/* What backward may read; the memory of the rest is in use again. */
static void show_saved(struct graft_program *p, struct graft_step *s, int n)
{
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] < 0)
            continue;
        s->rin[i] = graft_image_range(p, s->in[i], s->vin[i], 0, n);
        if (!bit(s->saves_in, i) &&
            !graft_is_constant(&p->c.value.at[s->in[i]]))
            s->rin[i].data = NULL;
        s->rdin[i] = graft_image_range(p, s->in[i], s->vdin[i], 0, n);
    }
    for (int k = 0; k < s->n_out; k++) {
        if (s->out[k] < 0)
            continue;
        s->rout[k] = graft_image_range(p, s->out[k], s->vout[k], 0, n);
        s->rdout[k] = graft_image_range(p, s->out[k], s->vdout[k], 0, n);
    }
}

void graft_step_backward(struct graft_program *p, struct graft_step *s,
                         int n)
{
    if (!s->marked || (s->view && p->c.value.at[s->out[0]].alias >= 0))
        return;
    bool asked = false;
    s->call.n = n;
    s->call.key = p->key;
    s->call.first = p->first;
    s->call.dmode = p->more && !s->param ? s->dmode_more : s->dmode;
    show_saved(p, s, n);
    if (s->call.ep)
        graft_epilogue_undo(p, s, n);
    for (int i = 0; i < s->n_in; i++)
        asked |= s->dmode[i] != GRAFT_SKIP;
    for (int k = 0; k < s->n_out; k++)
        if (s->out[k] >= 0 && !bit(s->op->saves_out, k))
            s->rout[k].data = NULL;
    if (asked)
        s->plan.backward(&s->call);
}

/* ---- sections 1 and 2 --------------------------------------------------- */

void graft_program_params(struct graft_program *p)
{
    graft_program_run_params(p, false);
}

struct deep {
    struct graft_program *p;
    const struct graft_segment *g;
};

static void deep_image(void *ctx, int64_t image, int worker)
{
    const struct deep *d = ctx;
    for (int i = d->g->first; i < d->g->first + d->g->n; i++)
        step_image(d->p, d->p->c.step.at[i], (int)image, worker);
}

/* As many images as fill all workers go to them whole; all workers share
 * each of the others. */
static void run_deep(struct graft_program *p, const struct graft_segment *g,
                     int n)
{
    struct deep d = {p, g};
    int whole = n - n % graft_pool_threads(p->rt->pool);
    graft_pool_for(p->rt->pool, whole, deep_image, &d);
    for (int image = whole; image < n; image++)
        deep_image(&d, image, 0);
}

static void run_segment(struct graft_program *p,
                        const struct graft_segment *g, int n)
{
    if (g->deep) {
        run_deep(p, g, n);
        return;
    }
    int at_once = g->images > 0 ? g->images : n;
    for (int first = 0; first < n; first += at_once) {
        int count = n - first < at_once ? n - first : at_once;
        for (int i = g->first; i < g->first + g->n; i++)
            if (!p->c.step.at[i]->param)
                graft_step_forward(p, p->c.step.at[i], first, count);
    }
}

/* Padding would change what the images of the run are computed from. */
static int other_batch(const struct graft_program *p, int n)
{
    int v = 0;
    while (v < p->c.model->value.n && !p->c.value.at[v].info.whole_batch)
        v++;
    return graft_fail(GRAFT_ESHAPE, "'%s' depends on the number of photos or "
                      "mixes them, so the batch must be %d, not %d",
                      v < p->c.model->value.n ? p->c.value.at[v].name : "?",
                      p->c.n_max, n);
}

int graft_program_forward(struct graft_program *p, int n)
{
    if (n < 0 || n > p->c.n_max)
        return graft_fail(GRAFT_EARG, "%d images for a program of at most "
                          "%d", n, p->c.n_max);
    if (n && n != p->c.n_max && p->c.whole_batch && p->c.facts.batch_varies)
        return other_batch(p, n);
    if (p->rested)
        graft_program_run_params(p, true);
    p->rested = false;
    p->n = n;
    if (p->c.loss_state)
        p->c.loss_state->n = n;
    if (n == 0)
        return GRAFT_OK;
    int all = p->c.whole_batch ? p->c.n_max : n;
    for (int g = 0; g < p->c.segment.n; g++)
        run_segment(p, &p->c.segment.at[g], all);
    return GRAFT_OK;
}

void graft_program_random(struct graft_program *p, struct graft_rng_key key,
                          int64_t first)
{
    p->key = key;
    p->first = first;
}

/* ---- section 3 ----------------------------------------------------------- */

/* Padding images of a whole-batch program have no gradient. */
static void clear_padding(struct graft_program *p, int all)
{
    for (int i = 0; i < p->c.n_outputs; i++) {
        struct graft_view d = graft_program_dout(p, i);
        int64_t per_image = graft_program_output_rows(p, i);
        if (!d.data || !per_image || !p->c.value.at[p->c.output[i]].seeded)
            continue;
        int64_t size = graft_count(&d) / p->c.n_max;
        memset(graft_reals(&d) + p->n * size, 0,
               (size_t)((all - p->n) * size) * sizeof(real));
    }
}

void graft_program_backward(struct graft_program *p)
{
    if (!p->n)
        return;
    int all = p->c.whole_batch ? p->c.n_max : p->n;
    clear_padding(p, all);
    for (int i = p->c.step.n - 1; i >= 0; i--)
        if (!p->c.step.at[i]->param)
            graft_step_backward(p, p->c.step.at[i], all);
}
