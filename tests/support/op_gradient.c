/* Compares an operator's backward with central differences of
 * L = sum over outputs of v[i] y[i] for random v: in rows, and over C16 where
 * the row says that its backward works there.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/runtime.h"
#include "support/op_run.h"

/* In the double build differences prove a gradient, relative to the largest
 * one of the same input (but not below `least`: differences of L have errors
 * of their own); in the float build they only show that it is roughly right.
 * `agreement`: of C16 and other kernels with the first run, of ADD with
 * STORE. */
#ifdef GRAFT_REAL_DOUBLE
static const double epsilon = 1e-5, closeness = 1e-7, least = 1e-2;
static const double agreement = 1e-12;
#else
static const double epsilon = 1e-2, closeness = 2e-2, least = 1;
static const double agreement = 2e-5;
#endif

enum { MAX_PROBES = 48 }; /* elements of an input that are differenced */

static double weight(int k, int64_t i)
{
    return 2 * graft_rng_unit(graft_rng_key(7, (uint64_t)k), (uint64_t)i) - 1;
}

static double loss(struct op_run *r)
{
    double sum = 0;
    op_run_pack(r);
    op_run_forward(r, r->n_max);
    for (int k = 0; k < r->n_out; k++)
        for (int64_t i = 0; r->vout[k].data && i < graft_count(&r->vout[k]);
             i++)
            if (r->vout[k].fmt.dtype == GRAFT_REAL)
                sum += weight(k, i) * op_run_number(&r->vout[k], i);
    return sum;
}

static bool wanted(const struct op_run *r, int i)
{
    return r->vin[i].data && r->vin[i].fmt.dtype == GRAFT_REAL &&
           ((r->op->grad_in & ~r->c->unwanted) >> i & 1);
}

/* Memory like v's, full of NaN. */
static struct graft_view like(struct op_run *r, const struct graft_view *v)
{
    struct graft_view w = *v;
    w.data = op_run_memory(r, op_run_bytes(r, v));
    return w;
}

static void seed(struct op_run *r)
{
    for (int k = 0; k < r->n_out; k++) {
        if (!r->vout[k].data || r->vout[k].fmt.dtype != GRAFT_REAL)
            continue;
        r->dout[k] = like(r, &r->vout[k]);
        if (r->dout[k].fmt.layout == GRAFT_C16)
            memset(r->dout[k].data, 0, op_run_bytes(r, &r->dout[k]));
        for (int64_t i = 0; i < graft_count(&r->dout[k]); i++)
            op_run_set(&r->dout[k], i, r->c->out[k].grad
                                           ? r->c->out[k].grad[i]
                                           : weight(k, i));
    }
    for (int i = 0; i < r->n_in; i++)
        if (wanted(r, i))
            r->din[i] = like(r, &r->vin[i]);
}

static bool claims(uint32_t mask, int i)
{
    return (i < 31 && mask >> i & 1) || (i >= 31 && mask >> 31);
}

/* Backward of n images. It sees NaN wherever the row does not claim to read
 * (parameters are there in any case). */
static void backward(struct op_run *r, int n)
{
    struct graft_view in[OP_CASE_MAX], out[OP_CASE_MAX];
    uint32_t asked = 0;
    for (int i = 0; i < r->n_in; i++)
        if (r->dmode[i] != GRAFT_SKIP)
            asked |= (uint32_t)1 << (i < 31 ? i : 31);
    memcpy(in, r->vin, sizeof in);
    memcpy(out, r->vout, sizeof out);
    for (int i = 0; i < r->n_in; i++)
        if (r->vin[i].data && !r->packed[i] && !r->in[i].is_param &&
            !claims(graft_op_saves(r->op, asked), i))
            r->vin[i] = like(r, &in[i]);
    for (int k = 0; k < r->n_out; k++)
        if (r->vout[k].data && !claims(r->op->saves_out, k))
            r->vout[k] = like(r, &out[k]);
    op_run_backward(r, n);
    memcpy(r->vin, in, sizeof in);
    memcpy(r->vout, out, sizeof out);
    for (int i = 0; i < r->n_in; i++)
        if (r->dmode[i] != GRAFT_SKIP)
            op_run_check_unused(r, &r->din[i], "gradient of input", i);
}

/* ---- against differences ------------------------------------------------- */

static double difference(struct op_run *r, const struct graft_view *x,
                         int64_t at)
{
    double old = op_run_number(x, at);
    double e = (r->c->step > 0 ? r->c->step : epsilon) * fmax(1, fabs(old));
    op_run_set(x, at, old + e);
    double up_x = op_run_number(x, at), up = loss(r);
    op_run_set(x, at, old - e);
    double down_x = op_run_number(x, at), down = loss(r);
    op_run_set(x, at, old);
    return (up - down) / (up_x - down_x);
}

static double check_input(struct op_run *r, int i, double tolerance)
{
    struct graft_view *x = &r->vin[i];
    int64_t n = graft_count(x), probes = n < MAX_PROBES ? n : MAX_PROBES;
    double numeric[MAX_PROBES], scale = least, worst = 0;
    int64_t at[MAX_PROBES];
    for (int64_t p = 0; p < probes; p++) {
        at[p] = n <= MAX_PROBES ? p
                : (int64_t)graft_rng_below(graft_rng_key(9, 1), (uint64_t)p,
                                           (uint64_t)n);
        numeric[p] = difference(r, x, at[p]);
        scale = fmax(scale, fabs(numeric[p]));
    }
    for (int64_t p = 0; p < probes; p++) {
        double given = op_run_number(&r->din[i], at[p]);
        double error = fabs(numeric[p] - given) / scale;
        if (!(error <= tolerance))
            op_run_fail(r, "gradient of input %d, element %lld: %.9g, by "
                        "differences %.9g", i, (long long)at[p], given,
                        numeric[p]);
        worst = fmax(worst, error);
    }
    loss(r); /* outputs and packs of the unchanged input */
    return worst;
}

/* ---- against itself ------------------------------------------------------ */

/* The gradient of input i is `times` what was kept, within `agreement` of
 * the largest element; or, with 0, the same bits. */
static void compare(struct op_run *r, int i, const double *kept, int64_t n,
                    double times, double within, const char *what)
{
    double scale = 1;
    for (int64_t k = 0; k < n; k++)
        scale = fmax(scale, fabs(kept[k]));
    for (int64_t k = 0; k < n; k++) {
        double a = op_run_number(&r->din[i], k), b = times * kept[k];
        if (!(fabs(a - b) <= within * scale))
            op_run_fail(r, "%s, input %d, element %lld: %.9g, expected %.9g",
                        what, i, (long long)k, a, b);
    }
}

static double *keep(struct op_run *r, int i)
{
    int64_t n = graft_count(&r->din[i]);
    double *x = graft_arena_array(&r->arena, (size_t)n + 1, sizeof *x);
    for (int64_t k = 0; k < n; k++)
        x[k] = op_run_number(&r->din[i], k);
    return x;
}

/* Gradients after `mode` on all inputs (or, with only >= 0, on one) are
 * `times` what STORE gave. */
static void check_mode(struct op_run *r, double *const *kept, uint8_t mode,
                       int only, double times)
{
    for (int i = 0; i < r->n_in; i++)
        r->dmode[i] = wanted(r, i) && (only < 0 || only == i) ? mode
                                                              : GRAFT_SKIP;
    backward(r, r->n_max);
    for (int i = 0; i < r->n_in; i++)
        if (r->dmode[i] != GRAFT_SKIP)
            compare(r, i, kept[i], graft_count(&r->din[i]), times, agreement,
                    mode == GRAFT_ADD ? "added" : "stored alone or again");
}

/* Fewer images: what an image gets does not depend on the others; without
 * any, what depends on no image is zero. */
static void check_batches(struct op_run *r, double *const *kept)
{
    if (!r->out[0].per_image)
        return;
    bool together = r->op->flags & GRAFT_OP_TOGETHER;
    for (int n = 0; n <= (together ? 0 : 1); n++) {
        op_run_forward(r, n);
        backward(r, n);
        for (int i = 0; i < r->n_in; i++) {
            if (!wanted(r, i))
                continue;
            int64_t each = graft_count(&r->din[i]) / r->n_max;
            if (r->in[i].per_image)
                compare(r, i, kept[i], each * n, 1, 0, "one image");
            else if (n == 0)
                compare(r, i, kept[i], graft_count(&r->din[i]), 0, 0,
                        "no image");
        }
    }
    loss(r);
    backward(r, r->n_max);
}

static void check_modes(struct op_run *r)
{
    double *kept[OP_CASE_MAX] = {0};
    for (int i = 0; i < r->n_in; i++)
        if (wanted(r, i))
            kept[i] = keep(r, i);
    check_mode(r, kept, GRAFT_ADD, -1, 2);
    for (int i = 0; i < r->n_in; i++)
        if (wanted(r, i))
            check_mode(r, kept, GRAFT_STORE, i, 1);
    check_mode(r, kept, GRAFT_STORE, -1, 1);
    check_batches(r, kept);
}

/* ---- a case -------------------------------------------------------------- */

static void prepare(struct op_run *r, const char *file, int line,
                    const struct op_case *c, enum graft_isa isa, int threads,
                    bool blocked)
{
    *r = (struct op_run){.file = file, .line = line, .c = c,
                         .blocked = blocked};
    if (op_run_infer(r, c))
        op_run_fail(r, "%s", graft_error_message());
    op_run_plan(r, isa, threads, true);
    if (!r->plan.backward)
        op_run_fail(r, "this row has no backward");
    loss(r);
    seed(r);
    for (int i = 0; i < r->n_in; i++)
        r->dmode[i] = wanted(r, i) ? GRAFT_STORE : GRAFT_SKIP;
    backward(r, r->n_max);
}

/* One run; `first`: the gradients of an earlier one, or NULL -> filled. */
static void check(struct op_run *r, double **first, bool fresh)
{
    double tolerance = r->c->tolerance > 0 ? r->c->tolerance : closeness;
    double worst = 0;
    for (int i = 0; i < r->n_in; i++) {
        if (!wanted(r, i))
            continue;
        if (fresh)
            first[i] = keep(r, i);
        else
            compare(r, i, first[i], graft_count(&r->din[i]), 1, agreement,
                    "other layout or kernels");
        if (!r->c->in[i].grad)
            worst = fmax(worst, check_input(r, i, tolerance));
        else if (r->c->in[i].n_grad == graft_count(&r->din[i]))
            compare(r, i, r->c->in[i].grad, r->c->in[i].n_grad, 1, 1e-6,
                    "known gradient");
        else
            op_run_fail(r, "%lld gradients given for input %d",
                        (long long)r->c->in[i].n_grad, i);
    }
    check_modes(r);
    op_case_note_error(r->op,
                       op_run_is_blocked(r) ? OP_CASE_GRADIENT_BLOCKED
                                            : OP_CASE_GRADIENT,
                       worst);
}

void op_case_gradient_at(const char *file, int line, const struct op_case *c)
{
    enum graft_isa best = graft_runtime_or_default(NULL)->isa;
    const struct graft_op *op =
        c->row ? c->row
               : graft_op_find(c->domain ? c->domain : "", c->op, c->opset);
    int layouts = op && op->flags & GRAFT_OP_BACK_BLOCKED ? 2 : 1;
    double *first[OP_CASE_MAX] = {0};
    struct op_run r[4], s;
    for (int i = 0; i < 2 * layouts; i++) {
        enum graft_isa isa = i % 2 ? best : GRAFT_ISA_GENERIC;
        prepare(&r[i], file, line, c, isa, 1, i >= 2);
        prepare(&s, file, line, c, isa, 3, i >= 2);
        for (int k = 0; k < s.n_in; k++)
            if (wanted(&s, k))
                compare(&r[i], k, keep(&s, k), graft_count(&s.din[k]), 1, 0,
                        "other threads");
        op_run_release(&s);
        check(&r[i], first, i == 0);
    }
    for (int i = 0; i < 2 * layouts; i++)
        op_run_release(&r[i]);
}
