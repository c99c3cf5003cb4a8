/* Differences of whole programs (gradient.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/gradient.h"

#include <math.h>

#ifdef GRAFT_REAL_DOUBLE
static const double STEP = 1e-5, TOLERANCE = 1e-7;
#else
static const double STEP = 1e-2, TOLERANCE = 2e-2;
#endif

enum { N = 4 };

struct setup {
    const struct gradient_check *k;
    struct graft_store *store;
    struct graft_selection *s;
    struct graft_program *p;
    real *flat;
};

static real seed(int64_t i)
{
    return (real)sin(1.7 * (double)i + 0.3);
}

static double objective(struct setup *x)
{
    assert_ok(graft_program_forward(x->p, N));
    if (x->k->loss)
        return graft_program_loss(x->p);
    struct graft_view y = graft_program_output(x->p, 0);
    double sum = 0;
    for (int64_t i = 0; i < graft_count(&y); i++)
        sum += (double)seed(i) * (double)graft_reals(&y)[i];
    return sum;
}

static void start(struct setup *x, const struct gradient_check *k)
{
    struct graft_loss loss = {.kind = GRAFT_LOSS_SOFTMAX_CE,
                              .logits = k->net->m->output.at[0]};
    struct graft_compile c = {
        .model = k->net->m, .n_max = N, .want_grad = k->want,
        .n_want_grad = k->n_want, .loss = k->loss ? &loss : NULL,
        .skip_passes = k->skip, .find_op = k->find};
    *x = (struct setup){.k = k};
    assert_ok(graft_store_new(&x->store, k->net->m, NULL));
    assert_ok(graft_selection_scaled(&x->s, x->store, k->train, k->scale,
                                     k->n_train));
    c.store = x->store;
    c.train = x->s;
    assert_ok(graft_program_new(&x->p, NULL, &c));
    x->flat = graft_calloc((size_t)x->s->size + 1, sizeof *x->flat);
    assert_non_null(x->flat);
    net_fill(x->p, 0, N);
    for (int i = 0; k->loss && i < N; i++)
        graft_program_targets(x->p)[i] = i * 2 % 3;
}

static void end(struct setup *x)
{
    graft_program_free(x->p);
    graft_selection_free(x->s);
    graft_store_free(x->store);
    graft_free(x->flat);
}

static void run_backward(struct setup *x)
{
    objective(x);
    if (!x->k->loss) {
        struct graft_view d = graft_program_dout(x->p, 0);
        for (int64_t i = 0; i < graft_count(&d); i++)
            graft_reals(&d)[i] = seed(i);
    }
    graft_program_backward(x->p);
    for (int64_t i = 0; i < x->s->size; i++)
        x->flat[i] = (real)NAN; /* finish must write all of it */
    graft_program_finish(x->p, x->flat);
}

static void compare(double got, double up, double down, const char *what)
{
    double want = (up - down) / (2 * STEP);
    double scale = fabs(want) > 1 ? fabs(want) : 1;
    if (!(fabs(got - want) <= TOLERANCE * scale))
        fail_msg("%s: gradient %.12g, difference %.12g", what, got, want);
}

static void check_parameters(struct setup *x)
{
    for (int t = 0; t < x->s->n; t++) {
        const struct graft_selected *at = &x->s->at[t];
        double sum = 0;
        for (int64_t i = 0; i < at->count; i++) {
            real *w = &x->s->master[at->offset + i], keep = *w;
            *w = keep + (real)STEP;
            graft_program_params(x->p);
            double up = objective(x);
            *w = keep - (real)STEP;
            graft_program_params(x->p);
            double down = objective(x);
            *w = keep;
            compare((double)x->flat[at->offset + i], up, down,
                    x->k->net->m->value.at[at->value].name);
            sum += fabs((double)x->flat[at->offset + i]);
        }
        assert_true(sum > 0); /* a network whose gradient is 0 shows little */
    }
    graft_program_params(x->p);
}

/* The gradient of a fed value, where it can be moved by hand. */
static void check_input(struct setup *x)
{
    for (int t = 0; t < x->k->n_want; t++) {
        run_backward(x);
        struct graft_view d = graft_program_din(x->p, t);
        assert_non_null(d.data);
        if (x->k->want[t] != graft_program_input_id(x->p, 0))
            continue;
        size_t bytes = (size_t)graft_count(&d) * sizeof(real);
        real *got = graft_malloc(bytes); /* valid until the next forward */
        assert_non_null(got);
        memcpy(got, d.data, bytes);
        struct graft_view v = graft_program_input(x->p, 0);
        assert_int_equal(v.fmt.layout, GRAFT_ROW);
        for (int64_t i = 0; i < graft_count(&v); i++) {
            real *at = &graft_reals(&v)[i], keep = *at;
            *at = keep + (real)STEP;
            double up = objective(x);
            *at = keep - (real)STEP;
            double down = objective(x);
            *at = keep;
            compare((double)got[i], up, down, "input");
        }
        graft_free(got);
    }
}

void gradient_check(const struct gradient_check *k)
{
    struct setup x;
    start(&x, k);
    run_backward(&x);
    check_parameters(&x);
    check_input(&x);
    end(&x);
}

/* With each pass on and off. */
void gradient_check_all(struct gradient_check *k)
{
    static const char *const passes[] = {"", "tidy", "fold", "fuse",
                                         "layout"};
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        k->skip = graft_pass_bit(passes[i]);
        assert_true(!i == !k->skip);
        gradient_check(k);
    }
    net_free(k->net);
}

int gradient_fused(const struct gradient_check *k)
{
    struct setup x;
    struct graft_memory m;
    start(&x, k);
    graft_program_memory(x.p, &m);
    end(&x);
    return m.fused;
}
