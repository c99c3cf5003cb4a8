/* x times a function of x, as exporters take it apart (pass 5):
 *   Swish      x Sigmoid(x)
 *   HardSwish  x HardSigmoid(x), slope 1/6
 *              x (Clip(x + 3, 0, 6) / 6), (x Clip(x + 3, 0, 6)) / 6, where
 *              / 6 may be times 1/6
 * One step keeps x for its gradient and nothing else, and without a gradient
 * may become an epilogue.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "program/compiler.h"

/* ---- looking back ------------------------------------------------------- */

static bool is_called(const struct graft_step *s, const char *name)
{
    return s && !s->param && s->op->domain[0] == '\0' &&
           !strcmp(s->op->name, name);
}

/* The step that computes v for one reader alone; NULL. */
static struct graft_step *before(const struct graft_compiler *c, int v)
{
    return v >= 0 && graft_only_reader(c, v) ? c->value.at[v].producer : NULL;
}

static bool is_number(const struct graft_compiler *c, int v, double x)
{
    const struct graft_wvalue *w = v < 0 ? NULL : &c->value.at[v];
    const struct graft_host *h = w && w->selected < 0 ? w->info.host : NULL;
    return h && h->reals && graft_shape_count(&h->shape) == 1 &&
           fabs((double)h->reals[0] - x) <= 1e-6 * x;
}

/* What `s`, an operator of two operands, takes beside that number; -1. */
static int beside(const struct graft_compiler *c, const struct graft_step *s,
                  const char *name, double number)
{
    if (!is_called(s, name) || s->n_in != 2)
        return -1;
    if (is_number(c, s->in[1], number))
        return s->in[0];
    return strcmp(name, "Div") &&
           is_number(c, s->in[0], number) ? s->in[1] : -1;
}

static int sixth(const struct graft_compiler *c, const struct graft_step *s)
{
    int v = beside(c, s, "Div", 6);
    return v >= 0 ? v : beside(c, s, "Mul", 1.0 / 6);
}

/* The steps that become one, the last of them apart. */
struct parts {
    struct graft_step *at[3];
    int n;
};

static void take(struct parts *p, struct graft_step *s)
{
    p->at[p->n++] = s;
}

/* x where v is Sigmoid(x); -1. */
static int of_sigmoid(const struct graft_compiler *c, struct parts *p, int v)
{
    struct graft_step *s = before(c, v);
    if (!is_called(s, "Sigmoid"))
        return -1;
    take(p, s);
    return s->in[0];
}

/* x where v is Clip(x + 3, 0, 6); -1. */
static int of_relu6(const struct graft_compiler *c, struct parts *p, int v)
{
    struct graft_step *clip = before(c, v);
    if (!is_called(clip, "Clip"))
        return -1;
    struct graft_act act = clip->op->act(clip->args);
    struct graft_step *add = before(c, clip->in[0]);
    int x = beside(c, add, "Add", 3);
    if (act.kind != GRAFT_ACT_CLIP || act.a != 0 || act.b != 6 || x < 0)
        return -1;
    take(p, clip);
    take(p, add);
    return x;
}

/* x where v is HardSigmoid(x) of slope 1/6; -1. */
static int of_hardsigmoid(const struct graft_compiler *c, struct parts *p,
                          int v)
{
    struct graft_step *s = before(c, v);
    if (is_called(s, "HardSigmoid")) {
        struct graft_act act = s->op->act(s->args);
        take(p, s);
        return fabs((double)act.a - 1.0 / 6) < 1e-6 && act.b == (real)0.5
                   ? s->in[0] : -1;
    }
    int clipped = sixth(c, s);
    if (clipped < 0)
        return -1;
    take(p, s);
    return of_relu6(c, p, clipped);
}

/* ---- one step ----------------------------------------------------------- */

typedef int of_fn(const struct graft_compiler *c, struct parts *p, int v);

/* x where `mul` multiplies it by what `of` knows; -1. */
static int gated(const struct graft_compiler *c, struct parts *p,
                 const struct graft_step *mul, of_fn *of)
{
    for (int side = 0; side < 2 && is_called(mul, "Mul") && mul->n_in == 2;
         side++) {
        const int x = mul->in[1 - side];
        p->n = 0;
        if (x >= 0 && of(c, p, mul->in[side]) == x)
            return x;
    }
    p->n = 0;
    return -1;
}

static int replace(struct graft_compiler *c, struct graft_step *last,
                   const struct parts *p, int x, const char *name,
                   struct graft_act act)
{
    if (!graft_shape_equal(&c->value.at[x].info.shape,
                           &c->value.at[last->out[0]].info.shape))
        return GRAFT_OK; /* a number of many dimensions */
    struct graft_act *args = graft_arena_alloc(&c->arena, sizeof *args);
    struct graft_step *one = graft_compiler_step(
        c, graft_op_find("", name, 24), 1, 1);
    if (!one || !args)
        return GRAFT_EMEM;
    *args = act;
    one->args = args;
    one->marked = last->marked;
    one->in[0] = x;
    one->out[0] = last->out[0];
    c->step.at[graft_step_index(c, last)] = one;
    last->dead = true;
    for (int i = 0; i < p->n; i++)
        p->at[i]->dead = true;
    graft_compiler_link(c);
    return GRAFT_OK;
}

int graft_recognise_gate(struct graft_compiler *c, struct graft_step *last)
{
    const struct graft_act swish = {GRAFT_ACT_SWISH, 1, 0};
    const struct graft_act hard = {GRAFT_ACT_HARDSWISH, GRAFT_ACT_OPEN, 0};
    struct parts p = {.n = 0};
    int x = gated(c, &p, last, of_sigmoid);
    if (x >= 0)
        return replace(c, last, &p, x, "Swish", swish);
    x = gated(c, &p, last, of_hardsigmoid);
    if (x < 0) {
        struct graft_step *mul = before(c, sixth(c, last));
        x = gated(c, &p, mul, of_relu6);
        if (x >= 0)
            take(&p, mul);
    }
    return x < 0 ? GRAFT_OK : replace(c, last, &p, x, "HardSwish", hard);
}
