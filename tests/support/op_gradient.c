/* Compares an operator's backward with central differences of
 * L = sum over outputs of v[i] y[i] for random v.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/runtime.h"
#include "support/op_run.h"

/* In the double build differences prove a gradient; in the float build they
 * only show that it is roughly right. */
#ifdef GRAFT_REAL_DOUBLE
static const double epsilon = 1e-5, closeness = 1e-7;
#else
static const double epsilon = 1e-2, closeness = 2e-2;
#endif

enum { MAX_PROBES = 200 }; /* elements of an input that are differenced */

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
           (r->op->grad_in >> i & 1);
}

static struct graft_view like(struct op_run *r, const struct graft_view *v)
{
    struct op_buffer *b = graft_push(&r->buffer);
    size_t bytes = (size_t)graft_format_bytes(&v->fmt, &v->shape);
    struct graft_view w = *v;
    char *p = graft_alloc_aligned(bytes + 128);
    if (!b || !p)
        op_run_fail(r, "no memory");
    memset(p, 0xa5, bytes + 128);
    b->data = p + 64;
    b->bytes = bytes;
    w.data = b->data;
    memset(w.data, v->fmt.layout == GRAFT_C16 ? 0 : 0xff, bytes);
    return w;
}

static void seed(struct op_run *r)
{
    for (int k = 0; k < r->n_out; k++) {
        if (!r->vout[k].data || r->vout[k].fmt.dtype != GRAFT_REAL)
            continue;
        r->dout[k] = like(r, &r->vout[k]);
        for (int64_t i = 0; i < graft_count(&r->dout[k]); i++)
            op_run_set(&r->dout[k], i, weight(k, i));
    }
    for (int i = 0; i < r->n_in; i++)
        if (wanted(r, i))
            r->din[i] = like(r, &r->vin[i]);
}

static bool claims(uint32_t mask, int i)
{
    return (i < 31 && mask >> i & 1) || (i >= 31 && mask >> 31);
}

/* Backward sees NaN wherever the row does not claim to read. */
static void backward(struct op_run *r)
{
    struct graft_view in[OP_CASE_MAX], out[OP_CASE_MAX];
    memcpy(in, r->vin, sizeof in);
    memcpy(out, r->vout, sizeof out);
    for (int i = 0; i < r->n_in; i++)
        if (r->vin[i].data && !r->packed[i] && !claims(r->op->saves_in, i))
            r->vin[i] = like(r, &in[i]);
    for (int k = 0; k < r->n_out; k++)
        if (r->vout[k].data && !claims(r->op->saves_out, k))
            r->vout[k] = like(r, &out[k]);
    op_run_backward(r);
    memcpy(r->vin, in, sizeof in);
    memcpy(r->vout, out, sizeof out);
}

static void check_input(struct op_run *r, int i, double tolerance)
{
    struct graft_view *x = &r->vin[i];
    int64_t n = graft_count(x), probes = n < MAX_PROBES ? n : MAX_PROBES;
    for (int64_t p = 0; p < probes; p++) {
        int64_t at = n <= MAX_PROBES ? p
                     : (int64_t)graft_rng_below(graft_rng_key(9, 1),
                                                (uint64_t)p, (uint64_t)n);
        double old = op_run_number(x, at);
        double e = epsilon * fmax(1, fabs(old));
        op_run_set(x, at, old + e);
        double up_x = op_run_number(x, at), up = loss(r);
        op_run_set(x, at, old - e);
        double down_x = op_run_number(x, at), down = loss(r);
        op_run_set(x, at, old);
        double numeric = (up - down) / (up_x - down_x);
        double given = op_run_number(&r->din[i], at);
        if (!(fabs(numeric - given) <= tolerance * fmax(1, fabs(numeric))))
            op_run_fail(r, "gradient of input %d, element %lld: %.9g, by "
                        "differences %.9g", i, (long long)at, given, numeric);
    }
    loss(r); /* outputs and packs of the unchanged input */
}

/* din after `mode` on all inputs (or, with only >= 0, on one) is `times` what
 * STORE gave. */
static void check_mode(struct op_run *r, const struct graft_view *kept,
                       uint8_t mode, int only, double times)
{
    for (int i = 0; i < r->n_in; i++)
        r->dmode[i] = wanted(r, i) && (only < 0 || only == i) ? mode
                                                              : GRAFT_SKIP;
    backward(r);
    for (int i = 0; i < r->n_in; i++) {
        if (r->dmode[i] == GRAFT_SKIP)
            continue;
        for (int64_t k = 0; k < graft_count(&kept[i]); k++) {
            double a = op_run_number(&r->din[i], k);
            double b = times * op_run_number(&kept[i], k);
            if (!(fabs(a - b) <= 1e-5 * fmax(1, fabs(b))))
                op_run_fail(r, "dmode %d, input %d alone %d, element %lld: "
                            "%.9g, expected %.9g", mode, i, only,
                            (long long)k, a, b);
        }
    }
}

static void check_modes(struct op_run *r)
{
    struct graft_view kept[OP_CASE_MAX] = {{0}};
    for (int i = 0; i < r->n_in; i++) {
        if (!wanted(r, i))
            continue;
        kept[i] = like(r, &r->din[i]);
        for (int64_t k = 0; k < graft_count(&kept[i]); k++)
            op_run_set(&kept[i], k, op_run_number(&r->din[i], k));
    }
    check_mode(r, kept, GRAFT_ADD, -1, 2);
    for (int i = 0; i < r->n_in; i++)
        if (wanted(r, i))
            check_mode(r, kept, GRAFT_STORE, i, 1);
    check_mode(r, kept, GRAFT_STORE, -1, 1);
}

static void same_bits(struct op_run *a, const struct op_run *b)
{
    for (int i = 0; i < a->n_in; i++)
        for (int64_t k = 0; wanted(a, i) && k < graft_count(&a->din[i]); k++)
            if (op_run_number(&a->din[i], k) !=
                op_run_number(&b->din[i], k))
                op_run_fail(a, "gradient of input %d depends on threads", i);
}

static void prepare(struct op_run *r, const char *file, int line,
                    const struct op_case *c, enum graft_isa isa, int threads)
{
    *r = (struct op_run){.file = file, .line = line, .c = c};
    if (op_run_infer(r, c))
        op_run_fail(r, "%s", graft_error_message());
    op_run_plan(r, isa, threads, true);
    if (!r->plan.backward)
        op_run_fail(r, "this row has no backward");
    loss(r);
    seed(r);
    for (int i = 0; i < r->n_in; i++)
        r->dmode[i] = wanted(r, i) ? GRAFT_STORE : GRAFT_SKIP;
    backward(r);
}

void op_case_gradient_at(const char *file, int line, const struct op_case *c)
{
    double tolerance = c->tolerance > 0 ? c->tolerance : closeness;
    enum graft_isa isa = graft_runtime_or_default(NULL)->isa;
    for (int i = 0; i < 2; i++) {
        struct op_run r, s;
        prepare(&r, file, line, c, i ? isa : GRAFT_ISA_GENERIC, 1);
        prepare(&s, file, line, c, i ? isa : GRAFT_ISA_GENERIC, 3);
        same_bits(&r, &s);
        for (int k = 0; k < r.n_in; k++)
            if (wanted(&r, k))
                check_input(&r, k, tolerance);
        check_modes(&r);
        op_case_note(r.op, OP_CASE_GRADIENT);
        op_run_release(&s);
        op_run_release(&r);
    }
}
