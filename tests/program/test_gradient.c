/* Gradients of small networks against central differences. Meant for the
 * build that computes in double, where differences are good to nine digits;
 * in float they only show gross mistakes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/rng.h"
#include "support/net.h"

#ifdef GRAFT_REAL_DOUBLE
static const double STEP = 1e-5, TOLERANCE = 1e-7;
#else
static const double STEP = 1e-2, TOLERANCE = 2e-2;
#endif

enum { N = 4, MAX = 8 };

struct check {
    struct net *net;
    graft_value_id train[MAX], want[MAX];
    int n_train, n_want;
    bool loss;      /* softmax cross-entropy; else sum of seed * output */
    uint64_t skip;
    graft_find_op *find;
};

struct setup {
    const struct check *k;
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

static void start(struct setup *x, const struct check *k)
{
    struct graft_loss loss = {GRAFT_LOSS_SOFTMAX_CE, k->net->m->output.at[0]};
    struct graft_compile c = {
        .model = k->net->m, .n_max = N, .want_grad = k->want,
        .n_want_grad = k->n_want, .loss = k->loss ? &loss : NULL,
        .skip_passes = k->skip, .find_op = k->find};
    *x = (struct setup){.k = k};
    assert_ok(graft_store_new(&x->store, k->net->m, NULL));
    assert_ok(graft_selection_new(&x->s, x->store, k->train, k->n_train));
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

static void check(const struct check *k)
{
    struct setup x;
    start(&x, k);
    run_backward(&x);
    check_parameters(&x);
    check_input(&x);
    end(&x);
}

/* With each pass on and off. */
static void check_all(struct check *k)
{
    static const char *const passes[] = {"", "tidy", "fold", "fuse",
                                         "layout"};
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        k->skip = graft_pass_bit(passes[i]);
        assert_true(!i == !k->skip);
        check(k);
    }
    net_free(k->net);
}

#define TRANS_B NET_ATTRS(NET_INT("transB", 1))

TEST(program_gradient__two_layers_and_cross_entropy)
{
    struct check k = {.net = net_new(13), .n_train = 5, .loss = true};
    struct net *n = k.net;
    int x = net_input(n, "x", NET_DIMS(-1, 6));
    int w1 = k.train[0] = net_random(n, "w1", NET_DIMS(6, 5));
    int b1 = k.train[1] = net_random(n, "b1", NET_DIMS(5));
    int b2 = k.train[2] = net_random(n, "b2", NET_DIMS(1, 5));
    int w2 = k.train[3] = net_random(n, "w2", NET_DIMS(3, 5));
    int b3 = k.train[4] = net_random(n, "b3", NET_DIMS(3));
    int h = net_node(n, "Gemm", "h", NULL, x, w1, b1);
    h = net_node(n, "Relu", "r", NULL, net_node(n, "Add", "a", NULL, h, b2));
    net_output(n, net_node(n, "Gemm", "y", TRANS_B, h, w2, b3));
    check_all(&k);
}

/* One matrix in two layers, a residual that fans out, a value used twice by
 * one node, an input whose gradient is wanted. */
TEST(program_gradient__shared_weights_and_residuals)
{
    struct check k = {.net = net_new(13), .n_train = 2, .n_want = 2};
    struct net *n = k.net;
    int x = k.want[0] = net_input(n, "x", NET_DIMS(-1, 5));
    int w = k.train[0] = net_random(n, "w", NET_DIMS(5, 5));
    int b = k.train[1] = net_random(n, "b", NET_DIMS(5));
    int h = net_node(n, "Gemm", "h1", NULL, x, w, b);
    int r = net_node(n, "Sigmoid", "r1", NULL, h);
    int g = k.want[1] = net_node(n, "Gemm", "h2", TRANS_B, r, w, b);
    int sum = net_node(n, "Relu", "join", NULL,
                       net_node(n, "Add", "sum", NULL, g, h));
    int twice = net_node(n, "Mul", "twice", NULL, sum, sum);
    net_output(n, net_node(n, "Add", "y", NULL, twice, r));
    check_all(&k);
}

/* y = relu(x W + b + r): addition, residual and activation in one epilogue,
 * which backward undoes; also where the caller seeds the fused result. */
TEST(program_gradient__undoes_epilogues)
{
    for (int seeded = 0; seeded < 2; seeded++) {
        struct check k = {.net = net_new(13), .n_train = 4};
        struct net *n = k.net;
        int x = net_input(n, "x", NET_DIMS(-1, 4));
        int w = k.train[0] = net_random(n, "w", NET_DIMS(4, 4));
        int b = k.train[1] = net_random(n, "b", NET_DIMS(4));
        int v = k.train[2] = net_random(n, "v", NET_DIMS(4, 4));
        int c = k.train[3] = net_random(n, "c", NET_DIMS(1, 4));
        int r = net_node(n, "Gemm", "h", NULL, x, v);
        r = net_node(n, "Sigmoid", "r", NULL, r);
        int g = net_node(n, "Gemm", "g", NULL, r, w, b);
        g = net_node(n, "Add", "biased", NULL, c, g);
        g = net_node(n, "Add", "sum", NULL, r, g);
        g = net_node(n, "Relu", "y", NULL, g);
        if (!seeded)
            g = net_node(n, "Mul", "last", NULL, g, b);
        net_output(n, g);
        struct setup s;
        start(&s, &k);
        struct graft_memory m;
        graft_program_memory(s.p, &m);
        assert_int_equal(m.fused, 4);
        end(&s);
        check_all(&k);
    }
}

/* Reshaped values share gradients with what they reshape, except where the
 * caller wants to see one of the two. */
TEST(program_gradient__through_reshapes)
{
    for (int wanted = 0; wanted < 3; wanted++) {
        struct check k = {.net = net_new(13), .n_train = 2};
        struct net *n = k.net;
        int x = net_input(n, "x", NET_DIMS(-1, 2, 3));
        int w = k.train[0] = net_random(n, "w", NET_DIMS(2, 3));
        int w2 = k.train[1] = net_random(n, "w2", NET_DIMS(6, 4));
        int a = net_node(n, "Add", "a", NULL, x, w);
        int f = net_node(n, "Flatten", "f", NULL, a);
        int shape = net_ints(n, "s", (const int64_t[]){0, 2, 3}, 3);
        int u = net_node(n, "Reshape", "u", NULL, f, shape);
        int m = net_node(n, "Mul", "m", NULL, u, a);
        int g = net_node(n, "Flatten", "g", NULL, m);
        int y = net_node(n, "Gemm", "y", NULL, g, w2);
        const graft_value_id wants[] = {-1, f, a};
        k.want[0] = wants[wanted];
        k.n_want = wanted > 0;
        int z = net_node(n, "MatMul", "z", NULL, f, w2);
        net_output(n, net_node(n, "Add", "sum", NULL, y, z));
        check_all(&k);
    }
}

/* Weights that are computed from trained ones: sections 1 and 4. */
TEST(program_gradient__weights_that_depend_on_weights)
{
    struct check k = {.net = net_new(13), .n_train = 3, .loss = true};
    struct net *n = k.net;
    int x = net_input(n, "x", NET_DIMS(-1, 4));
    int w = k.train[0] = net_random(n, "w", NET_DIMS(4, 3));
    int s = k.train[1] = net_random(n, "s", NET_DIMS(4, 1));
    int v = k.train[2] = net_random(n, "v", NET_DIMS(12));
    int scaled = net_node(n, "Mul", "scaled", NULL, w, s);
    int h = net_node(n, "Gemm", "h", NULL, x, scaled);
    int shape = net_ints(n, "shape", (const int64_t[]){4, 3}, 2);
    int square = net_node(n, "Reshape", "square", NULL, v, shape);
    int g = net_node(n, "Gemm", "g", NULL, x, square);
    int e = net_node(n, "MatMul", "e", NULL, x, scaled);
    h = net_node(n, "Add", "hg", NULL, h, g);
    net_output(n, net_node(n, "Add", "y", NULL, h, e));
    check_all(&k);
}

/* A program without anything selected can still be asked for gradients. */
TEST(program_gradient__of_activations_only)
{
    struct check k = {.net = net_new(13), .n_want = 1};
    struct net *n = k.net;
    int x = k.want[0] = net_input(n, "x", NET_DIMS(-1, 4));
    int w = net_random(n, "w", NET_DIMS(4, 3));
    int b = net_random(n, "b", NET_DIMS(3));
    int h = net_node(n, "Gemm", "h", NULL, x, w, b);
    net_output(n, net_node(n, "HardSwish", "y", NULL, h));
    n->m->opset.at[0].version = 14;
    check_all(&k);
}

/* ---- a row in IMAGE layout, and one whose pack has a gradient ---------------- */

static int infer_same(struct graft_infer *f)
{
    return graft_infer_like(f, 0, &f->in[0].shape);
}

static int plan_image(struct graft_plan *p)
{
    p->in_layout[0] = p->out_layout[0] = GRAFT_IMAGE;
    return GRAFT_OK;
}

/* y = x * (1 + channel), in memory as [N, H, W, C]. */
static void weigh(const struct graft_view *from, const struct graft_view *to,
                  bool add)
{
    int64_t channels = from->shape.dim[1];
    assert_int_equal(from->fmt.layout, GRAFT_IMAGE);
    for (int64_t i = 0; i < graft_count(from); i++) {
        real v = graft_reals(from)[i] * (real)(1 + i % channels);
        graft_reals(to)[i] = add ? graft_reals(to)[i] + v : v;
    }
}

static void forward_image(const struct graft_call *c)
{
    weigh(&c->in[0], &c->out[0], false);
}

static void backward_image(const struct graft_call *c)
{
    weigh(&c->dout[0], &c->din[0], c->dmode[0] == GRAFT_ADD);
}

/* y[n][i] = x[n][i] * w[i], with w packed in reverse. */
static void pack_reverse(void *dst, const struct graft_view *src,
                         const real *scale, const void *spec,
                         struct graft_pool *pool)
{
    int64_t n = graft_count(src);
    (void)scale, (void)spec, (void)pool;
    for (int64_t i = 0; i < n; i++)
        graft_view_read(src, i, 1, (real *)dst + (n - 1 - i));
}

static void unpack_reverse(real *dsrc, const void *dpack, const void *spec)
{
    int64_t n = *(const int64_t *)spec;
    for (int64_t i = 0; i < n; i++)
        dsrc[i] = ((const real *)dpack)[n - 1 - i];
}

static const struct graft_pack_kind reverse = {"reverse", pack_reverse,
                                               unpack_reverse};

static int plan_reverse(struct graft_plan *p)
{
    int64_t *n = graft_arena_alloc(p->arena, sizeof *n);
    assert_non_null(n);
    *n = p->in[1].shape.dim[0];
    assert_true(p->in[1].is_param);
    p->packed[1] = true;
    p->pack[1] = (struct graft_pack_request){
        &reverse, n, 1, (size_t)*n * sizeof(real),
        (size_t)*n * sizeof(real)};
    p->chosen = n;
    p->saved = sizeof(real); /* backward expects to find it again */
    return GRAFT_OK;
}

static void forward_reverse(const struct graft_call *c)
{
    int64_t n = *(const int64_t *)c->chosen;
    const real *w = c->pack[1];
    assert_null(c->in[1].data);
    for (int64_t i = 0; i < graft_count(&c->out[0]); i++)
        graft_reals(&c->out[0])[i] =
            graft_reals(&c->in[0])[i] * w[n - 1 - i % n];
    *(real *)c->saved = (real)n;
}

static void backward_reverse(const struct graft_call *c)
{
    int64_t n = *(const int64_t *)c->chosen;
    const real *w = c->pack[1], *dy = graft_reals(&c->dout[0]);
    real *dw = c->dpack[1];
    assert_true(*(const real *)c->saved == (real)n);
    if (c->dmode[1] == GRAFT_STORE)
        memset(dw, 0, (size_t)n * sizeof *dw);
    for (int64_t i = 0; i < graft_count(&c->dout[0]); i++) {
        real d = dy[i] * w[n - 1 - i % n];
        if (c->dmode[0] != GRAFT_SKIP)
            graft_reals(&c->din[0])[i] =
                (c->dmode[0] == GRAFT_ADD ? graft_reals(&c->din[0])[i] : 0) +
                d;
        if (c->dmode[1] != GRAFT_SKIP)
            dw[n - 1 - i % n] += dy[i] * graft_reals(&c->in[0])[i];
    }
}

static const struct graft_op test_rows[] = {
    {.name = "TestImage", .domain = "", .since = 1, .arity = {1, 1, 1, 1},
     .grad_in = 1, .infer = infer_same, .plan = plan_image,
     .forward = forward_image, .backward = backward_image},
    {.name = "TestPacked", .domain = "", .since = 1, .arity = {2, 2, 1, 1},
     .saves_in = 1, .grad_in = 3, .infer = infer_same, .plan = plan_reverse,
     .forward = forward_reverse, .backward = backward_reverse}};

static const struct graft_op *find(const char *domain, const char *name,
                                   int64_t opset)
{
    for (size_t i = 0; i < sizeof test_rows / sizeof *test_rows; i++)
        if (strcmp(test_rows[i].name, name) == 0)
            return &test_rows[i];
    return graft_op_find(domain, name, opset);
}

TEST(program_gradient__through_reorders)
{
    struct check k = {.net = net_new(13), .n_train = 1, .n_want = 1,
                      .find = find};
    struct net *n = k.net;
    int x = k.want[0] = net_input(n, "x", NET_DIMS(-1, 3, 2, 2));
    int w = k.train[0] = net_random(n, "w", NET_DIMS(3, 2, 2));
    int a = net_node(n, "Mul", "a", NULL, x, w);
    int i = net_node(n, "TestImage", "i", NULL, a);
    i = net_node(n, "TestImage", "j", NULL, i);
    net_output(n, net_node(n, "Add", "y", NULL, i, a));
    check_all(&k);
}

/* Trained and computed parameters, one pack in two steps. */
TEST(program_gradient__of_packed_parameters)
{
    struct check k = {.net = net_new(13), .n_train = 2, .find = find};
    struct net *n = k.net;
    int x = net_input(n, "x", NET_DIMS(-1, 4));
    int w = k.train[0] = net_random(n, "w", NET_DIMS(4));
    int u = k.train[1] = net_random(n, "u", NET_DIMS(4));
    int wu = net_node(n, "Mul", "wu", NULL, w, u);
    int a = net_node(n, "TestPacked", "a", NULL, x, w);
    a = net_node(n, "Sigmoid", "s", NULL, a);
    a = net_node(n, "TestPacked", "b", NULL, a, w);
    a = net_node(n, "TestPacked", "c", NULL, a, wu);
    int plain = net_node(n, "Add", "plain", NULL, a, w);
    net_output(n, net_node(n, "Add", "y", NULL, plain, wu));
    check(&k);
    k.skip = graft_pass_bit("fuse");
    check(&k);
    net_free(n);
}

TEST(program_gradient__refuses_what_has_none)
{
    struct net *n = net_new(13);
    struct graft_program *p = NULL;
    int x = net_input(n, "x", NET_DIMS(-1, 4));
    int w = net_random(n, "w", NET_DIMS(4));
    int a = net_node(n, "Mul", "a", NULL, x, w);
    net_output(n, net_node(n, "Floor", "stair", NULL, a));
    struct graft_compile c = {.model = n->m, .n_max = 2};
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_free(p);
    p = NULL;
    c.want_grad = &a;
    c.n_want_grad = 1;
    assert_fails(graft_program_new(&p, NULL, &c), GRAFT_EUNSUPPORTED,
                 "stair");
    graft_value_id other = x;
    c.outputs = &a;
    c.n_outputs = 1;
    c.want_grad = &other;
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_free(p);
    net_free(n);
}
