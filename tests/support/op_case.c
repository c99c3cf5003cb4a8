/* Checks one operator row: against numbers, a reference, itself on other
 * threads, kernels and batches, and against differences.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_case.h"

#include <math.h>

#include "base/runtime.h"
#include "support/op_run.h"

/* ---- which rows were seen ------------------------------------------------ */

enum { MAX_SEEN = 2048 };
static struct seen {
    const struct graft_op *op;
    enum op_case_kind kind;
    double error;
} seen[MAX_SEEN];
static int n_seen;

static struct seen *find(const struct graft_op *op, enum op_case_kind kind)
{
    for (int i = 0; i < n_seen; i++)
        if (seen[i].op == op && seen[i].kind == kind)
            return &seen[i];
    return NULL;
}

bool op_case_seen(const struct graft_op *op, enum op_case_kind kind)
{
    return find(op, kind) != NULL;
}

double op_case_error(const struct graft_op *op, enum op_case_kind kind)
{
    const struct seen *s = find(op, kind);
    return s ? s->error : -1;
}

void op_case_note_error(const struct graft_op *op, enum op_case_kind kind,
                        double error)
{
    struct seen *s = find(op, kind);
    if (!s && n_seen == MAX_SEEN)
        return;
    if (!s) {
        s = &seen[n_seen++];
        *s = (struct seen){op, kind, 0};
    }
    s->error = fmax(s->error, error);
}

void op_case_note(const struct graft_op *op, enum op_case_kind kind)
{
    op_case_note_error(op, kind, 0);
}

/* ---- golden -------------------------------------------------------------- */

struct outputs { /* of one run, as doubles */
    double *x[OP_CASE_MAX];
    int64_t n[OP_CASE_MAX];
};

static void start(struct op_run *r, const char *file, int line,
                  const struct op_case *c)
{
    *r = (struct op_run){.file = file, .line = line, .c = c};
    if (op_run_infer(r, c))
        op_run_fail(r, "%s", graft_error_message());
}

static void check_shapes(const struct op_run *r)
{
    for (int k = 0; k < r->n_out; k++) {
        const struct op_value *v = &r->c->out[k];
        struct graft_shape s = {.rank = v->rank};
        memcpy(s.dim, v->dim, sizeof s.dim);
        char a[GRAFT_SHAPE_TEXT], b[GRAFT_SHAPE_TEXT];
        if (v->from == OP_ABSENT)
            continue;
        if (!r->out[k].present ||
            !graft_shape_equal(&s, &r->out[k].shape))
            op_run_fail(r, "output %d has shape %s, expected %s", k,
                        graft_shape_text(a, &r->out[k].shape),
                        graft_shape_text(b, &s));
        bool ints = graft_dtype_is_int(v->dtype);
        if (r->out[k].dtype != (ints ? GRAFT_INT64 : GRAFT_REAL))
            op_run_fail(r, "output %d has type %s", k,
                        graft_dtype_name((int)r->out[k].dtype));
    }
    bool batched = false;
    for (int i = 0; i < r->n_in; i++)
        batched |= r->in[i].per_image > 0;
    if (r->out[0].whole_batch != r->c->whole_batch ||
        (r->out[0].per_image > 0) != (batched && !r->c->whole_batch &&
                                      !r->out[0].host))
        op_run_fail(r, "output 0: per_image %lld, whole_batch %d",
                    (long long)r->out[0].per_image, r->out[0].whole_batch);
}

/* *checked: whether the case says what must come out. */
static struct outputs expected(struct op_run *r, bool *checked)
{
    struct outputs e = {{0}, {0}};
    *checked = r->c->reference != NULL;
    for (int k = 0; k < r->n_out; k++) {
        const struct op_value *v = &r->c->out[k];
        e.n[k] = graft_shape_count(&r->out[k].shape);
        e.x[k] = graft_arena_array(&r->arena, (size_t)e.n[k] + 1,
                                   sizeof(double));
        if ((v->reals || v->ints) && v->n != e.n[k])
            op_run_fail(r, "%lld numbers expected, %lld come out",
                        (long long)v->n, (long long)e.n[k]);
        for (int64_t i = 0; i < e.n[k]; i++)
            e.x[k][i] = v->reals ? v->reals[i]
                        : v->ints ? (double)v->ints[i] : 0;
        *checked |= v->reals || v->ints || e.n[k] == 0;
    }
    if (r->c->reference)
        r->c->reference(r->c, (const double *const *)r->given, e.x);
    return e;
}

static void compare(struct op_run *r, const struct outputs *e, bool checked)
{
    double tolerance = r->c->tolerance > 0 ? r->c->tolerance : 1e-5;
    for (int k = 0; k < r->n_out; k++) {
        if (r->c->out[k].from == OP_ABSENT || !checked ||
            (!r->c->out[k].reals && !r->c->out[k].ints && !r->c->reference))
            continue;
        for (int64_t i = 0; i < e->n[k]; i++) {
            double x = op_run_number(&r->vout[k], i), y = e->x[k][i];
            bool same = x == y || (isnan(x) && isnan(y)) ||
                        fabs(x - y) <= tolerance * fmax(1, fabs(y));
            if (!same)
                op_run_fail(r, "%s, output %d, element %lld: %.9g, expected "
                            "%.9g", graft_runtime_isa(NULL), k, (long long)i,
                            x, y);
        }
    }
}

/* Outputs of n images must be the same bits as before. */
static void compare_bits(struct op_run *r, const struct outputs *first,
                         const char *what)
{
    for (int k = 0; k < r->n_out; k++)
        for (int64_t i = 0; r->vout[k].data && i < graft_count(&r->vout[k]);
             i++) {
            double x = op_run_number(&r->vout[k], i), y = first->x[k][i];
            if (memcmp(&x, &y, sizeof x) && !(isnan(x) && isnan(y)))
                op_run_fail(r, "%s: output %d, element %lld: %.17g, not %.17g",
                            what, k, (long long)i, x, y);
        }
}

static void take(struct op_run *r, struct outputs *o)
{
    for (int k = 0; k < r->n_out; k++)
        for (int64_t i = 0; r->vout[k].data && i < o->n[k]; i++)
            o->x[k][i] = op_run_number(&r->vout[k], i);
}

static void run_in_place(struct op_run *r, const struct outputs *first)
{
    if (!(r->op->flags & GRAFT_OP_INPLACE) || r->packed[0] ||
        r->vin[0].fmt.dtype != r->vout[0].fmt.dtype ||
        graft_count(&r->vin[0]) != graft_count(&r->vout[0]))
        return;
    void *mine = r->vout[0].data;
    r->vout[0].data = r->vin[0].data;
    op_run_forward(r, r->n_max);
    compare_bits(r, first, "in place");
    r->vout[0].data = mine;
}

/* One run; first: what an earlier run gave, or NULL -> filled into *keep. */
static void run_once(struct op_run *r, enum graft_isa isa, int threads,
                     bool compared, const struct outputs *want,
                     struct outputs *keep)
{
    bool checked;
    op_run_plan(r, isa, threads, false);
    op_run_forward(r, r->n_max);
    op_run_check_lanes(r);
    struct outputs e = expected(r, &checked);
    compare(r, &e, checked);
    if (checked)
        op_case_note(r->op, op_run_is_blocked(r) ? OP_CASE_BLOCKED
                                                 : OP_CASE_GOLDEN);
    if (!compared)
        take(r, keep);
    else
        compare_bits(r, want, "other threads");
    if (r->n_max > 1 && r->out[0].per_image &&
        !(r->op->flags & GRAFT_OP_TOGETHER)) {
        op_run_forward(r, 1);
        compare_bits(r, want, "one image");
        op_run_forward(r, 0);
    }
    for (int k = 0; k < r->n_out; k++)
        r->vout[k].shape = r->out[k].shape;
    run_in_place(r, want);
}

/* With one thread and with three. */
static void run_both(const char *file, int line, const struct op_case *c,
                     enum graft_isa isa, bool blocked)
{
    struct outputs keep;
    struct op_run r, s;
    bool checked;
    start(&r, file, line, c);
    check_shapes(&r);
    r.blocked = blocked;
    keep = expected(&r, &checked); /* for its room */
    run_once(&r, isa, 1, false, &keep, &keep);
    start(&s, file, line, c);
    s.blocked = blocked;
    run_once(&s, isa, 3, true, &keep, NULL);
    op_run_release(&s);
    op_run_release(&r);
}

void op_case_at(const char *file, int line, const struct op_case *c)
{
    struct graft_runtime *rt = graft_runtime_or_default(NULL);
    enum graft_isa isas[2] = {GRAFT_ISA_GENERIC, rt->isa};
    for (int i = 0; i < (isas[1] == isas[0] ? 1 : 2); i++) {
        run_both(file, line, c, isas[i], false);
        run_both(file, line, c, isas[i], true);
    }
}

void op_case_fails_at(const char *file, int line, int status,
                      const char *part, const struct op_case *c)
{
    struct op_run r = {.file = file, .line = line, .c = c};
    int got = op_run_infer(&r, c);
    if (got != status || !strstr(graft_error_message(), part))
        op_run_fail(&r, "%d '%s'; expected %d '%s'", got,
                    got ? graft_error_message() : "", status, part);
    op_run_release(&r);
}
