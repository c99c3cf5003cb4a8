/* Section 4: gradients as steps wrote them become those of the parameters, in
 * the parameters' own layout.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

/* dst = unpack(d), for w = scale w': dw' = scale dw. */
static void unpack_scaled(const struct graft_dpack *d, real *dst,
                          const struct graft_shape *s)
{
    d->request->kind->unpack(dst, d->data, d->request->spec);
    int64_t each = graft_shape_span(s, 1, s->rank);
    for (int64_t i = 0; d->scale && i < s->dim[0]; i++)
        for (int64_t k = 0; k < each; k++)
            dst[i * each + k] *= d->scale[i];
}

/* dst (+)= unpack(d); room for one parameter is in the scratch. */
static void unpack(struct graft_program *p, const struct graft_dpack *d,
                   real *dst, bool add)
{
    const struct graft_shape *s = &p->c.value.at[d->value].info.shape;
    if (!add) {
        unpack_scaled(d, dst, s);
        return;
    }
    real *more = (real *)(void *)p->scratch;
    int64_t n = graft_shape_count(s);
    unpack_scaled(d, more, s);
    for (int64_t i = 0; i < n; i++)
        dst[i] += more[i];
}

static bool is_of(const struct graft_program *p, const struct graft_dpack *d,
                  int v)
{
    return d->written && graft_root(&p->c, d->value) == v;
}

static void finish_steps(struct graft_program *p)
{
    for (int i = p->c.step.n - 1; i >= 0; i--) {
        struct graft_step *s = p->c.step.at[i];
        if (!s->param)
            continue;
        for (int k = 0; k < p->c.dpack.n; k++) {
            const struct graft_dpack *d = &p->c.dpack.at[k];
            const struct graft_wvalue *v =
                &p->c.value.at[graft_root(&p->c, d->value)];
            if (v->producer == s && d->written)
                unpack(p, d, v->ddata, d->mode == GRAFT_ADD);
        }
        graft_step_backward(p, s, p->c.n_max);
    }
}

/* What else was written for parameter v: everything behind its first part. */
static void add_rest(struct graft_program *p, int v, real *dst)
{
    bool first = !p->c.value.at[v].dwritten;
    for (int k = 0; k < p->c.dpack.n; k++) {
        const struct graft_dpack *d = &p->c.dpack.at[k];
        if (!is_of(p, d, v))
            continue;
        if (!first)
            unpack(p, d, dst, true);
        first = false;
    }
}

struct finish {
    struct graft_program *p;
    real *flat;
    int n;        /* parameters */
    int64_t size; /* elements of flat */
};

/* The first part of parameter i's gradient, 0 where there is none and in the
 * gap behind it. */
static void begin_parameter(void *ctx, int64_t i, int worker)
{
    const struct finish *f = ctx;
    struct graft_program *p = f->p;
    const struct graft_selected *at = &p->c.options->train->at[i];
    real *dst = f->flat + at->offset;
    size_t bytes = (size_t)at->count * sizeof *dst;
    int64_t end = i + 1 < f->n ? at[1].offset : f->size;
    (void)worker;
    memset(dst + at->count, 0,
           (size_t)(end - at->offset - at->count) * sizeof *dst);
    const int v = p->c.trained[i]; /* -1: nothing reads what it scales */
    if (v >= 0 && p->c.value.at[v].dwritten) {
        memcpy(dst, p->c.value.at[v].ddata, bytes);
        return;
    }
    for (int k = 0; v >= 0 && k < p->c.dpack.n; k++)
        if (is_of(p, &p->c.dpack.at[k], v)) {
            unpack(p, &p->c.dpack.at[k], dst, false);
            return;
        }
    memset(dst, 0, bytes);
}

void graft_program_finish(struct graft_program *p, real *flat)
{
    const struct graft_selection *t = p->c.options->train;
    if (!t)
        return;
    struct finish f = {p, flat, t->n, t->size};
    if (!p->n) {
        memset(flat, 0, (size_t)t->size * sizeof *flat);
        return;
    }
    finish_steps(p);
    graft_pool_for(p->rt->pool, t->n, begin_parameter, &f);
    for (int i = 0; i < t->n; i++)
        if (p->c.trained[i] >= 0)
            add_rest(p, p->c.trained[i], flat + t->at[i].offset);
}
